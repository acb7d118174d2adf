"""Commands on a sales office: import, replay, dispute, rule, health."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec
from rich.console import Console

from application.commands import Stamp
from application.embedded_postgres import default_home
from application.importing.importer import ImportResult, import_sheets, read_all, write_report
from application.replay.matter import Matter, find_dispute
from application.replay.report import Asked
from application.replay.report import replay as replay_matter
from application.sales_office import SalesOffice, find_site, open_site, time_zone
from domain.dispute import DisputeOpened
from domain.refusals import Refusal
from domain.rulebook import Edition

from . import replay_html, replay_terminal
from .arguments import amendments, asked_unseen, instant, person, progress_bar, say, shares, worded
from .store import Store, open_store

site_option = click.option("--site", metavar="NAME", help="The site.  [default: the only one]")


@click.command("import", short_help="Take in registers, follow-ups and sales (csv, xlsx).")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--site", metavar="NAME", required=True, help="The site; it is opened when it is new.")
@click.option(
    "--rulebook", metavar="ID", help="The rulebook of a new site: an id (see `lunpai rulebook list`) or a file."
)
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="The time zone of a new site.")
@click.option("--report", type=click.Path(path_type=Path), help="Where the report of rows goes (csv).")
@click.option("--json", "as_json", is_flag=True, help="For programs: the result, with every problem.")
@click.pass_obj
def import_files(
    language: str,
    files: tuple[Path, ...],
    site: str,
    rulebook: str | None,
    timezone: str,
    report: Path | None,
    as_json: bool,
) -> None:
    """Import registers, follow-ups and sales as offices keep them (csv, xlsx); the kind is told by the headers.

    History comes in with its own times. What can't be taken is reported row by row, on the terminal and as a file.
    Importing the same again adds nothing. Nothing is imported when one of the FILES can't be read.
    """
    with open_store(say) as store:
        result = run_import(store, files, site=site, rulebook=rulebook, timezone=timezone)
    if result.problems:
        report = report or default_home() / "reports" / f"import-{datetime.now():%Y%m%d-%H%M%S}.csv"
        report.parent.mkdir(parents=True, exist_ok=True)
        write_report(report, result.problems)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    else:
        show_import(result, report, language)


def run_import(
    store: Store, files: tuple[Path, ...] | list[Path], *, site: str, rulebook: str | None, timezone: str
) -> ImportResult:
    """Import files into a site, opening it when it is new - but only once every file could be read."""
    office: SalesOffice | None = None
    try:
        office = find_site(store.record, store.keyring, store.shelf, site)
    except Refusal as refusal:
        if refusal.code != "unknown_site":
            raise
    if office is None:
        _edition_of_new_site(store, site, rulebook)
    elif rulebook is not None and office.files.editions().in_force[-1].edition.rulebook != rulebook:
        detail = worded(
            f"{site} works under another rulebook; a manager adopts a new one (lunpai adopt)",
            f"{site}用的是另一部制度；换制度由经理用lunpai adopt",
        )
        raise Refusal("wrong_state", detail)
    zone = office.files.site().zone if office else time_zone(timezone)
    sheets = read_all(list(files), zone, date.today())
    office = office or _new_site(store, site, rulebook, timezone)
    with progress_bar("rows") as bar:
        task = bar.add_task("", total=None)
        return import_sheets(office, sheets, lambda done, total: bar.update(task, completed=done, total=total))


def _edition_of_new_site(store: Store, name: str, rulebook: str | None) -> tuple[str, Edition]:
    if rulebook is None:
        there = ", ".join(store.shelf.ids())
        detail = worded(
            f"{name} is a new site: name its rulebook with --rulebook ({there})",
            f"{name}是新案场，请用--rulebook指明制度：{there}",
        )
        raise Refusal("unknown_rulebook", detail)
    return rulebook, store.shelf.edition(rulebook)[0]


def _new_site(store: Store, name: str, rulebook: str | None, timezone: str) -> SalesOffice:
    """Open a site whose rulebook holds from the edition's own first day, so that it governs the history that
    comes in."""
    rulebook, edition = _edition_of_new_site(store, name, rulebook)
    since = datetime(edition.in_force_from.year, edition.in_force_from.month, edition.in_force_from.day, tzinfo=UTC)
    stamp = Stamp(actor=uuid4(), at=since, entered_at=since)
    office = open_site(store.record, store.keyring, store.shelf, name=name, timezone=timezone, stamp=stamp)
    first = office.in_force_since(rulebook, edition.in_force_from)
    office.adopt(Stamp(actor=office.site_id, at=first, entered_at=first), rulebook=rulebook)
    return office


@click.command("open", short_help="Open a new site, without a history to import.")
@click.argument("name")
@click.option("--rulebook", metavar="ID", required=True, help="The rulebook it goes by (see lunpai rulebook list).")
@click.option("--timezone", metavar="ZONE", default="Asia/Shanghai", show_default=True)
def open_new(name: str, rulebook: str, timezone: str) -> None:
    """Open the site NAME under a rulebook; staff come in by `lunpai enrol`."""
    time_zone(timezone)
    with open_store(say) as store:
        office = _new_site(store, name, rulebook, timezone)
        site, edition = office.files.site(), office.files.editions().in_force[-1].edition
    told = f"{site.name} is open under {edition.label}; enrol its staff: lunpai enrol NAME"
    click.echo(worded(told, f"{site.name}已开设，现行制度{edition.label}；请登记员工：lunpai enrol 姓名"))


def show_import(result: ImportResult, report: Path | None, language: str) -> None:
    """The result for people."""
    english = language == "en"
    for sheet in result.sheets:
        words = (
            f"{sheet.file}: {sheet.rows} rows, {sheet.added} added, {sheet.known} known before,"
            f" {sheet.not_taken} not taken"
            if english
            else f"{sheet.file}：{sheet.rows}行，新增{sheet.added}，已有{sheet.known}，未取{sheet.not_taken}"
        )
        click.echo(words)
    for problem in result.problems[:20]:
        click.echo(("  " if problem.kept else "! ") + (problem.message if english else problem.message_zh))
    if len(result.problems) > 20:
        more = len(result.problems) - 20
        click.echo(f"  ... and {more} more" if english else f"  …… 另有{more}条")
    if result.problems and report is not None:
        click.echo(f"every row's report: {report}" if english else f"逐行报告：{report}")
    if result.unknown_columns:
        unknown = ", ".join(result.unknown_columns)
        click.echo(f"columns not used: {unknown}" if english else f"未使用的列：{unknown}")
    if result.staff_enrolled:
        names = ", ".join(result.staff_enrolled)
        click.echo(f"staff enrolled: {names}" if english else f"新增员工：{names}")
    click.echo(f"{result.facts_added} facts added" if english else f"新增事实{result.facts_added}条")


@click.command(short_help="Settle a sale, visitor or dispute by replaying history.")
@click.argument("matter", metavar="SALE|VISITOR|DISPUTE")
@site_option
@click.option(
    "--as-of",
    metavar="TIME",
    help="What held then: a day (its end) or '2026-04-01 12:00'.  [default: now, or the sale]",
)
@click.option("--known-at", metavar="TIME", help="By what was on record then.  [default: now]")
@click.option(
    "--under", metavar="RULEBOOK", help="What another rulebook would say (an id or a file); rulings left out."
)
@click.option("--amend", metavar="KEY=VALUE", multiple=True, help="... or changed parameters; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained page, timeline drawn."
)
@click.pass_obj
def replay(
    language: Any,
    matter: str,
    site: str | None,
    as_of: str | None,
    known_at: str | None,
    under: str | None,
    amend: tuple[str, ...],
    as_json: bool,
    html: Path | None,
) -> None:
    """Settle a matter by replaying history: every step with its clause, every rival with the reason why it fails.

    A sale goes by its unit or id; a dispute by its label or id; a visitor by id, full name or phone (give - to type
    it unseen).
    """
    if matter == "-":
        matter = asked_unseen("visitor")
    with open_store(say) as store:
        office, found = store.matter(site, matter)
        zone = office.files.site().zone
        asked = Asked(at=instant(as_of, zone), known_at=instant(known_at, zone), under=under, amend=amendments(amend))
        result = replay_matter(office, found, asked)
    if html is not None:
        html.write_text(replay_html.render(result, language), encoding="utf-8")
        say(worded(f"written: {html}", f"已写入：{html}"))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    elif html is None:
        replay_terminal.render(result, Console(), language)


@click.command(short_help="Raise a claim on a sale or a visitor.")
@click.argument("matter", metavar="SALE|VISITOR")
@site_option
@click.option("--by", metavar="NAME", required=True, help="Who raises the claim: a name of the staff list.")
@click.option("--label", metavar="LABEL", help="What the dispute is to be called.  [default: the next D-number]")
@click.option("--at", "when", metavar="TIME", help="When it was raised.  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def dispute(matter: str, site: str | None, by: str, label: str | None, when: str | None, as_json: bool) -> None:
    """Raise a claim on a sale or a visitor; answers with the label under which it is replayed and ruled on."""
    with open_store(say) as store:
        office, found = store.matter(site, matter)
        label = raise_dispute(office, found, by=by, label=label, when=when)
    click.echo(msgspec.json.encode({"dispute": label}).decode() if as_json else label)


def raise_dispute(
    office: SalesOffice, matter: Matter, *, by: str, label: str | None = None, when: str | None = None
) -> str:
    """Raise a dispute and return its label: the one given, or the next free D-number."""
    about = matter.sale.id if matter.sale else matter.entry
    claimant = person(office, by)
    answer = office.open_dispute(stamp(office, by, when), about=about, by=claimant, label=label)
    (opened,) = (e.fact for e in answer.facts if isinstance(e.fact, DisputeOpened))
    return opened.label


@click.command(short_help="Rule on a dispute.")
@click.argument("dispute_label", metavar="DISPUTE")
@site_option
@click.option("--by", metavar="NAME", required=True, help="The manager who rules.")
@click.option("--owner", metavar="NAME", help="Who owns the visitor from now on.")
@click.option("--share", metavar="NAME=FRACTION", multiple=True, help="Shares of a sale, one each; they sum to 1.")
@click.option("--reason", required=True, help="Why; it stays on record.")
@click.option("--at", "when", metavar="TIME", help="When it was ruled.  [default: now]")
def rule(
    dispute_label: str,
    site: str | None,
    by: str,
    owner: str | None,
    share: tuple[str, ...],
    reason: str,
    when: str | None,
) -> None:
    """Rule on a dispute; without --owner and --share the answer of the replay is adopted."""
    with open_store(say) as store:
        office, _ = store.matter(site, dispute_label)
        rule_on(office, dispute_label, by=by, owner=owner, share=share, reason=reason, when=when)
    click.echo(worded(f"ruled: {dispute_label}", f"已裁定：{dispute_label}"))


def rule_on(
    office: SalesOffice,
    label: str,
    *,
    by: str,
    reason: str,
    owner: str | None = None,
    share: tuple[str, ...] = (),
    when: str | None = None,
) -> None:
    """Put a ruling on record. Raises Refusal unknown_dispute, not_permitted, wrong_state, bad_value."""
    dispute_id = find_dispute(office, label)
    if dispute_id is None:
        raise Refusal("unknown_dispute", label)
    office.rule(
        stamp(office, by, when),
        dispute=dispute_id,
        by=person(office, by),
        reason=reason,
        owner=person(office, owner) if owner else None,
        shares=shares(office, share),
    )


def stamp(office: SalesOffice, by: str | None, when: str | None) -> Stamp:
    """The stamp of a command typed now, about something that happened now or at `when`; without `by`, the
    office's own."""
    at = instant(when, office.files.site().zone)
    return Stamp(
        actor=person(office, by) if by else office.site_id, at=at or datetime.now(UTC), at_given=at is not None
    )


@click.command(short_help="Whether the store answers.")
def health() -> None:
    """Whether the store answers; prints the position of the last fact."""
    with open_store(say) as store:
        click.echo(f"ok, {store.record.position()} facts")
