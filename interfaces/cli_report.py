"""`lunpai report NAME`: answers for people and programs, right up to the record's end or as of any instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from domain.refusals import Refusal
from projections.activity import ACTIVITY
from projections.as_of import as_of as views_as_of
from projections.assignments import ASSIGNMENTS
from projections.commission import COMMISSION
from projections.docket import DOCKET
from projections.follow_ups_due import FOLLOW_UPS_DUE
from projections.ownership import OWNERSHIP
from projections.period_reports import month_of
from projections.rebuild import Progress
from projections.records import in_one_line, reached
from projections.source import Source, reading
from projections.timeline import TIMELINE
from projections.turn_board import TURN_BOARD
from projections.view import View
from projections.worker import bring_up

from . import report_floor_sheets as floor
from . import report_period_sheets as periods
from . import report_sheets as sheets
from .arguments import asked_unseen, day_typed, instant, person, say, worded
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
from_option = click.option(
    "--from", "first", metavar="DAY", help="From which day.  [default: the first of the last day's month]"
)
to_option = click.option("--to", "last", metavar="DAY", help="Through which day.  [default: today]")
PERIOD = (from_option, to_option)
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
    first: str | None = None
    last: str | None = None
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
BY_PERIOD = frozenset({"turns", "assignments"})
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
_add("daily", SUMMED, periods.daily_sheets, "What a day brought.", day_option)
_add("monthly", SUMMED, periods.monthly_sheets, "What a month brought.", month_option)
_add(
    "scoreboard", [*SUMMED, TURN_BOARD], periods.scoreboard_sheets, "Everybody's month, the best first.", month_option
)  # fmt: skip
_add(
    "morning", [*SUMMED, FOLLOW_UPS_DUE, DOCKET, TURN_BOARD], periods.morning_sheets,
    "What is to be done this morning, and what was done the day before.", day_option,
)  # fmt: skip
_add(
    "board", [TURN_BOARD, ASSIGNMENTS], floor.board_sheets, "A day on the floor, person by person, and its receptions.",
    day_option, staff_option,
)  # fmt: skip
_add(
    "turns", [TURN_BOARD], floor.turns_sheets, "Turns and attendance of a period, person by person.",
    *PERIOD, staff_option,
)  # fmt: skip
_add(
    "assignments", [ASSIGNMENTS], floor.assignments_sheets, "Every reception of a period, and who was called and why.",
    *PERIOD, staff_option,
)  # fmt: skip


def _answer(
    name: str, views: Sequence[View], make: Callable[[Asked], Found], language: str, question: Question
) -> None:
    visitor = question.visitor
    if visitor == "-":
        visitor = asked_unseen("visitor")
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
        day, first, last = _days(name, question, today)
        with _views(store, views, at, known_at, language) as (connection, schema):
            editions = office.files.editions(known_at=known_at).labels(until=at)
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
        say(worded(f"written: {question.xlsx}", f"已写入：{question.xlsx}"))
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


def _days(name: str, question: Question, today: date) -> tuple[date, date, date]:
    """The day asked about, and the first and last day of the period: that day, a month, or from one day to another."""
    if name in BY_PERIOD:
        last = day_typed(question.last) if question.last is not None else today
        first = day_typed(question.first) if question.first is not None else last.replace(day=1)
        if first > last:
            raise Refusal("bad_value", worded(f"{first} comes after {last}", f"{first}晚于{last}"))
        return last, first, last
    if question.day is not None:
        day = day_typed(question.day)
        return day, day, day
    if name not in BY_MONTH:
        return today, today, today
    month = today
    if question.month is not None:
        month = _month(question.month)
    first, last = month_of(month, today)
    return last, first, last


def _month(typed: str) -> date:
    """Its first day."""
    try:
        return date.fromisoformat(f"{typed}-01")
    except ValueError:
        detail = worded(f"{typed!r} is not a month such as 2026-03", f"{typed!r}不是月份，应如2026-03")
        raise Refusal("bad_value", detail) from None
