"""`lunpai report NAME`: answers for people and programs, right up to the record's end or as of any instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from application.office_files import OfficeFiles
from domain.refusals import Refusal
from projections.activity import ACTIVITY
from projections.as_of import as_of as views_as_of
from projections.commission import COMMISSION
from projections.docket import DOCKET
from projections.follow_ups_due import FOLLOW_UPS_DUE
from projections.ownership import OWNERSHIP
from projections.period_reports import month_of
from projections.rebuild import Progress
from projections.records import in_one_line, reached
from projections.source import Source, reading
from projections.timeline import TIMELINE
from projections.view import View
from projections.worker import bring_up

from . import report_sheets as sheets
from .arguments import instant, person, say
from .building import Building
from .report_output import About, ReportPrinter
from .report_sheets import Asked, Found
from .store import Store, open_store

SHOWN = 100
"""Rows of a list on a terminal, unless asked otherwise."""

Option = Callable[[Any], Any]

site_option = click.option("--site", metavar="NAME", help="The site.  [default: the only one]")
day_option = click.option(
    "--day", metavar="DAY", help="Which day, by all that is on record now (else see --as-of).  [default: today]"
)
month_option = click.option("--month", metavar="MONTH", help="Which month, e.g. 2026-03.  [default: this one]")
within_option = click.option(
    "--within", type=click.IntRange(0, 366), default=3, show_default=True, help="Days that protection may still last."
)
owner_option = click.option("--owner", "who", metavar="NAME", help="Only this owner's.")
staff_option = click.option("--staff", "who", metavar="NAME", help="Only this person's.")
status_option = click.option("--status", type=click.Choice(["open", "ruled"]), help="Only these.")

OUTPUT: tuple[Option, ...] = (
    click.option("--as-of", metavar="TIME", help="What held then: a day (its end) or '2026-04-01 12:00'."),
    click.option("--known-at", metavar="TIME", help="By what was on record then."),
    click.option("--rows", type=click.IntRange(min=1), help=f"Rows of a list.  [default: {SHOWN}; in files all]"),
    click.option("--json", "as_json", is_flag=True, help="For programs: codes and all columns."),
    click.option(
        "--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A workbook with all columns."
    ),
)


@click.group()
def report() -> None:
    """Reports, from views that are first brought up to the record's end, or built. Names and phones are masked.

    Each says up to which fact and instant it holds, and under which editions of the rulebook.
    """


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed after the report's name."""

    site: str | None = None
    day: str | None = None
    month: str | None = None
    within: int = 3
    who: str | None = None
    status: Any = None
    visitor: str | None = None
    as_of: str | None = None
    known_at: str | None = None
    rows: int | None = None
    as_json: bool = False
    xlsx: Path | None = None


def _add(name: str, views: Sequence[View], make: Callable[[Asked], Found], about: str, *options: Option) -> None:
    """Add the command of one report."""

    def answer(language: str, **typed: Any) -> None:
        _answer(name, views, make, language, Question(**typed))

    command: Any = click.pass_obj(answer)
    for option in (*OUTPUT[::-1], *options[::-1], site_option):
        command = option(command)
    report.add_command(click.command(name, help=about, short_help=about)(command))


BY_MONTH = frozenset({"commission", "monthly", "scoreboard"})
BOTH_DUE = (FOLLOW_UPS_DUE, OWNERSHIP)
SUMMED = (ACTIVITY, OWNERSHIP, COMMISSION)
_add(
    "ownership", [OWNERSHIP], sheets.ownership_sheets, "Who owns whom, on what ground, until when.",
    day_option, owner_option,
)  # fmt: skip
_add("open-pool", [OWNERSHIP], sheets.open_pool_sheets, "Customers whom nobody owns.", day_option)
_add(
    "lapsing", BOTH_DUE, sheets.lapsing_sheets, "Customers whose protection is about to end.",
    day_option, within_option, owner_option,
)  # fmt: skip
_add(
    "follow-ups", BOTH_DUE, sheets.follow_ups_sheets, "Customers to be followed up, and why.",
    day_option, within_option, owner_option,
)  # fmt: skip
_add(
    "timeline", [TIMELINE, OWNERSHIP], sheets.timeline_sheets,
    "What happened to VISITOR (a unit, dispute, id, full name or phone; - asks for it unseen).",
    click.argument("visitor"),
)  # fmt: skip
_add("disputes", [DOCKET], sheets.disputes_sheets, "Disputes, and how they were ruled on.", status_option)
_add(
    "commission", [COMMISSION], sheets.commission_sheets, "Who is paid what for the sales of a month, or a day.",
    month_option, click.option("--day", metavar="DAY", help="Only this day."), staff_option,
)  # fmt: skip
_add("daily", SUMMED, sheets.daily_sheets, "What a day brought.", day_option)
_add("monthly", SUMMED, sheets.monthly_sheets, "What a month brought.", month_option)
_add("scoreboard", SUMMED, sheets.scoreboard_sheets, "Everybody's month, the best first.", month_option)
_add(
    "morning", [*SUMMED, FOLLOW_UPS_DUE, DOCKET], sheets.morning_sheets,
    "What is to be done this morning, and what was done the day before.", day_option,
)  # fmt: skip


def _answer(
    name: str, views: Sequence[View], make: Callable[[Asked], Found], language: str, question: Question
) -> None:
    visitor = question.visitor
    if visitor == "-":
        visitor = click.prompt("visitor", hide_input=True, err=True)
    with open_store(say) as store:
        if visitor is None:
            office, entry = store.office(question.site), None
        else:
            office, matter = store.matter(question.site, visitor)
            entry = matter.entry
        site = office.files.site()
        zone = site.zone
        at, known_at = instant(question.as_of, zone), instant(question.known_at, zone)
        today = (at or datetime.now(UTC)).astimezone(zone).date()
        day, first, last = _days(question, today, by_month=name in BY_MONTH)
        with _views(store, views, at, known_at, language) as (connection, schema):
            editions = _editions(office.files, at, known_at)
            source = Source(connection, schema, office.site_id, zone, editions)
            asked = Asked(
                source=source, office=office, day=day, first=first, last=last, within_days=question.within,
                whose=person(office, question.who) if question.who else None, status=question.status, entry=entry,
                most=question.rows or (None if question.as_json or question.xlsx else SHOWN),
            )  # fmt: skip
            with reading(source, *views):
                found = make(asked)
    about = About(
        report=name.replace("-", "_"), site=site.name, first=first, last=last, zone=zone, as_of=at, known_at=known_at
    )
    _give_out(ReportPrinter(about, found, language), question)


def _give_out(printer: ReportPrinter, question: Question) -> None:
    if question.xlsx is not None:
        printer.workbook(question.xlsx)
        say(f"written: {question.xlsx}")
    if question.as_json:
        printer.json()
    elif question.xlsx is None:
        printer.terminal()


@contextmanager
def _views(
    store: Store, views: Sequence[View], at: datetime | None, known_at: datetime | None, language: str
) -> Iterator[tuple[Any, str]]:
    """Where the views can be read: the live ones, brought up to the record's end; or made as of an instant."""
    read_side = store.read_side
    with Building(language) as building:
        if at is None and known_at is None:
            bring_up(read_side, views, say, tell=lambda views: building, asked_by="report")
            with reached(read_side) as connection:
                yield connection, read_side.schema
            return

        def tell(folded: int, facts: int) -> None:
            building(Progress("folding", folded, facts))

        with in_one_line(), views_as_of(read_side, at=at, known_at=known_at, views=views, tell=tell) as made:
            building(Progress("done", 0, 0))
            yield made.connection, made.schema


def _days(question: Question, today: date, *, by_month: bool) -> tuple[date, date, date]:
    """The day asked about, and the first and last day of the period: that day, or a month."""
    if question.day is not None:
        day = _parsed(question.day, "a day such as 2026-03-31", question.day)
        return day, day, day
    if not by_month:
        return today, today, today
    month = today
    if question.month is not None:
        month = _parsed(f"{question.month}-01", "a month such as 2026-03", question.month)
    first, last = month_of(month, today)
    return last, first, last


def _parsed(text: str, kind: str, typed: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("bad_value", f"{typed!r} is not {kind}") from None


def _editions(files: OfficeFiles, at: datetime | None, known_at: datetime | None) -> tuple[str, ...]:
    """The editions in force up to an instant, by what was known."""
    in_force = files.editions(known_at=known_at).in_force
    labels = [item.edition.label for item in in_force if at is None or item.since <= at]
    return tuple(dict.fromkeys(labels or [in_force[0].edition.label]))
