"""`lunpai login` says which member of staff somebody is who signs in elsewhere (OIDC); options of `lunpai serve` name
the issuer whose tokens it takes."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from application.access_keys import keys_of
from application.logins import bind, unbind
from application.privacy import mask_text
from application.sales_office import SalesOffice
from application.tokens import USUAL_ALGORITHMS, USUAL_TYPE, Issuer
from domain.access import Login

from .arguments import person, say, unseen, worded
from .cli_floor import in_json
from .cli_office import site_option, stamp
from .store import open_store

ISSUER = "LUNPAI_OIDC_ISSUER"


def _option(name: str, metavar: str, about: str, default: str | None = None) -> Callable[..., Any]:
    """`--oidc-<name>`, which the environment can say too."""
    return click.option(
        f"--oidc-{name}", name, metavar=metavar, help=about, default=default, show_default=default is not None,
        envvar=f"LUNPAI_OIDC_{name.upper()}", show_envvar=True,
    )  # fmt: skip


OPTIONS = (
    _option("issuer", "URL", "Whose tokens are taken.  [default: nobody's]"),
    _option("audience", "NAME", "What they must be meant for (aud)."),
    _option("jwks", "URL|FILE", "Where its keys are.  [default: where its discovery document says]"),
    _option("algorithms", "NAMES", "How they may be signed.", ",".join(USUAL_ALGORITHMS)),
    _option("type", "TYP", "The typ of their header.", USUAL_TYPE),
)


def issuer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name an issuer of tokens; the command gets what they say as `issuer`, None where there is none.

    Raises click.UsageError for what can't be."""

    @functools.wraps(command)
    def with_issuer(
        *given: Any, issuer: str | None, audience: str | None, jwks: str | None, algorithms: str, type: str, **more: Any
    ) -> Any:
        found = None
        names = tuple(name.strip() for name in algorithms.split(",") if name.strip())
        try:
            if issuer:
                found = Issuer(issuer=issuer, audience=audience or "", jwks=jwks or None, algorithms=names, type=type)
        except ValueError as error:
            raise click.UsageError(f"--oidc-...: {error}") from None
        return command(*given, issuer=found, **more)

    for option in reversed(OPTIONS):
        with_issuer = option(with_issuer)
    return with_issuer


@click.group(short_help="Bind and unbind logins of an OIDC issuer.")
def login() -> None:
    """Logins elsewhere. Who signs in at an issuer acts as the member of staff whom its subject is bound to here, and
    may do what that person's role permits, within the scopes of the token."""


@login.command("bind")
@click.argument("name")
@click.argument("subject", callback=unseen)
@click.option("--issuer", metavar="URL", envvar=ISSUER, show_envvar=True, required=True, help="Where they sign in.")
@site_option
def bind_login(name: str, subject: str, issuer: str, site: str | None) -> None:
    """NAME is who signs in as SUBJECT (the `sub` of the tokens; give - to type it unseen). Prints the login's id."""
    with open_store(say) as store:
        office = store.office(site)
        bound = bind(office, stamp(office, None, None), issuer=issuer, subject=subject, staff=person(office, name))
    click.echo(bound)


@login.command("unbind")
@click.argument("login_id", metavar="ID")
@site_option
def unbind_login(login_id: str, site: str | None) -> None:
    """From now on nobody comes in by the login of that ID."""
    with open_store(say) as store:
        office = store.office(site)
        unbind(office, stamp(office, None, None), login=login_id)
    click.echo(worded(f"unbound: {login_id}", f"已解除绑定：{login_id}"))


@login.command("list")
@site_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_logins(language: str, site: str | None, as_json: bool) -> None:
    """All logins of a site: whose, where, since when. Subjects are shown masked."""
    with open_store(say) as store:
        office = store.office(site)
        known = keys_of(store.record, office.site_id)
        zone = office.files.site().zone
        rows = [(one, *_told(office, one)) for one in (known.logins.values() if known else ())]
    if as_json:
        click.echo(in_json([_plain(*row) for row in rows]))
        return
    english = language == "en"
    heads = ("login", "staff", "state", "since", "subject", "issuer")
    if not english:
        heads = ("登录", "员工", "状态", "绑定于", "主体", "签发方")
    table = Table(*heads, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for one, name, subject in rows:
        state = _state(one) if english else STATES[_state(one)]
        table.add_row(one.id, name, state, f"{one.bound_at.astimezone(zone):%Y-%m-%d %H:%M}", subject, one.issuer)
    Console(width=None if os.isatty(1) else 160).print(table)


def _told(office: SalesOffice, login: Login) -> tuple[str, str]:
    """Whose it is, and the subject, masked."""
    subject = office.keyring.open_note(login.staff, login.sealed)
    return office.files.staff_name(login.staff), mask_text(subject) if subject else ""


def _plain(login: Login, name: str, subject: str) -> dict[str, object]:
    told = {"login": login.id, "staff": name, "state": _state(login), "issuer": login.issuer, "subject": subject}
    return {**told, "bound_at": login.bound_at, "unbound_at": login.unbound_at}


def _state(login: Login) -> str:
    return "unbound" if login.unbound_at else "bound"


STATES = {"bound": "有效", "unbound": "已解除"}
