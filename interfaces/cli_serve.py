"""`lunpai serve` serves the JSON API; `lunpai key` issues, rotates, lists and revokes the keys that open it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from application.access import SCOPES
from application.access_keys import issue, keys_of, revoke, rotate
from application.commands import Stamp
from application.sales_office import SalesOffice
from application.tokens import Issuer, Tokens
from domain.access import Key
from domain.calendar import end_of
from domain.disclosure import Limits

from .arguments import day_typed, person, say
from .cli_floor import in_json
from .cli_login import issuer_options
from .cli_office import site_option, stamp
from .store import open_store, prepared_database, store_at


def limit_option(name: str, about: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option for one of the limits of looking at personal data, which the environment may give too."""
    return click.option(
        f"--{name.replace('_', '-')}",
        name,
        type=click.IntRange(1, 100_000),
        default=getattr(Limits(), name),
        show_default=True,
        envvar=f"LUNPAI_{name.upper()}",
        show_envvar=True,
        help=about,
    )


HOST, PORT = "127.0.0.1", 8080
KEY_DAYS = 90


@click.command(short_help="Serve the JSON API.")
@click.option("--host", default=HOST, show_default=True, help="Where to listen; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")
@click.option(
    "--threads", type=click.IntRange(1, 64), default=8, show_default=True,
    help="Threads of each; half of them may serve live boards: of 1, none.",
)  # fmt: skip
@limit_option("look_ups_a_minute", "How often one person may look somebody up, in a minute.")
@limit_option("look_ups_a_day", "... and on a day.")
@limit_option("reveals_a_day", "How many customers one person may have shown in full on a day.")
@limit_option("exports_a_day", "How many exports of a site may be proposed on a day.")
@limit_option("persons_an_export", "Of how many persons at most an export may be.")
@issuer_options
@click.pass_obj
def serve(
    language: str, /, host: str, port: int, workers: int, threads: int, issuer: Issuer | None, **limits: int
) -> None:
    """Serve the JSON API until Ctrl-C or SIGTERM; requests that are being answered are brought to an end first.

    See /docs for what there is, /healthz and /readyz for whether it runs. `lunpai key issue` makes keys; with an
    --oidc-issuer its tokens are taken too, of people whom `lunpai login bind` has made known. It speaks HTTP: put a
    proxy in front that speaks TLS.
    """
    from .api.app import create_app  # half a second to load, which no other command needs
    from .api.measured import counted_together
    from .api.serving import Server

    def started() -> None:
        name = f"[{host}]" if ":" in host else host
        say(f"http://{name}:{port}/docs" if language == "en" else f"接口文档：http://{name}:{port}/docs")

    with prepared_database(say) as uri, counted_together():
        Server(
            lambda: create_app(
                store_at(uri, threads=threads),
                limits=Limits(**limits),
                tokens=Tokens(issuer) if issuer else None,
                most_streams=threads // 2,
            ),
            started,
            host=host,
            port=port,
            workers=workers,
            threads=threads,
        ).run()


days_option = click.option(
    "--days", type=click.IntRange(1, 3650), default=KEY_DAYS, show_default=True, help="How long it opens."
)
until_option = click.option("--until", metavar="DAY", help="... or its last day.")


@click.group(short_help="Issue, rotate, list and revoke the keys of the API.")
def key() -> None:
    """Keys of the API. A key acts for a member of staff, and may do what that person's role permits."""


@key.command("issue")
@click.argument("name")
@site_option
@click.option(
    "--scope", "scopes", type=click.Choice(sorted(SCOPES)), multiple=True, help="May be repeated.  [default: all]"
)
@days_option
@until_option
@click.pass_obj
def issue_key(
    language: str, name: str, site: str | None, scopes: tuple[str, ...], days: int, until: str | None
) -> None:
    """A new key for NAME. It is shown this once; only its hash is kept."""
    with open_store(say) as store:
        office = store.office(site)
        text = key_for(office, name, scopes or tuple(SCOPES), _ends(office, days, until))
    _show(text, language)


@key.command("rotate")
@click.argument("key_id", metavar="ID")
@site_option
@days_option
@until_option
@click.pass_obj
def rotate_key(language: str, key_id: str, site: str | None, days: int, until: str | None) -> None:
    """A new key in the place of the key of that ID, which opens nothing from now on.

    The new one acts for the same person, within the same scopes. It is shown this once; only its hash is kept.
    """
    with open_store(say) as store:
        office = store.office(site)
        text = rotate(office, stamp(office, None, None), key=key_id, expires_at=_ends(office, days, until)).text
    _show(text, language)


def _ends(office: SalesOffice, days: int, until: str | None) -> datetime:
    if until:
        return end_of(day_typed(until), office.files.site().zone)
    return datetime.now(UTC) + timedelta(days=days)


def _show(text: str, language: str) -> None:
    click.echo(text)
    say("shown this once: keep it safe" if language == "en" else "仅显示这一次，请妥善保管")


def key_for(office: SalesOffice, name: str, scopes: tuple[str, ...], ends: datetime) -> str:
    """A new key for somebody on the staff list, as its holder is to show it."""
    return issue(office, stamp(office, None, None), staff=person(office, name), scopes=scopes, expires_at=ends).text


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@site_option
def revoke_key(key_id: str, site: str | None) -> None:
    """From now on the key of that ID opens nothing."""
    with open_store(say) as store:
        office = store.office(site)
        revoke(office, Stamp(actor=office.site_id, at=datetime.now(UTC), at_given=False), key=key_id)
    click.echo(f"revoked: {key_id}")


@key.command("list")
@site_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_keys(language: str, site: str | None, as_json: bool) -> None:
    """All keys of a site: whose, for what, until when."""
    now = datetime.now(UTC)
    with open_store(say) as store:
        office = store.office(site)
        known = keys_of(store.record, office.site_id)
        rows = [(one, office.files.staff_name(one.staff)) for one in (known.keys.values() if known else ())]
        zone = office.files.site().zone
    if as_json:
        click.echo(in_json([_plain(one, name, now) for one, name in rows]))
        return
    heads = (
        ("key", "staff", "state", "until", "scopes") if language == "en" else ("密钥", "员工", "状态", "有效至", "范围")
    )
    table = Table(*heads, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for one, name in rows:
        until = f"{one.expires_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.expires_at else ""
        scopes = ", ".join(one.scopes) if set(one.scopes) != SCOPES else ("all" if language == "en" else "全部")
        state = _state(one, now)
        table.add_row(one.id, name, state if language == "en" else STATES[state], until, scopes)
    Console(width=None if os.isatty(1) else 160).print(table)


def _plain(key: Key, name: str, now: datetime) -> dict[str, object]:
    told = {"key": key.id, "staff": name, "scopes": key.scopes, "state": _state(key, now)}
    return {**told, "issued_at": key.issued_at, "expires_at": key.expires_at}


STATES = {"valid": "有效", "revoked": "已吊销", "expired": "已过期"}


def _state(key: Key, now: datetime) -> str:
    return "valid" if key.opens_at(now) else "revoked" if key.revoked_at else "expired"
