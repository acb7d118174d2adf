"""Files of sales offices as typed rows: `read_sheets` is the way in.

A row is taken, taken with a remark, or not taken and reported; none is lost in silence."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from openpyxl.utils import get_column_letter

from .draft import Draft
from .headers import Header, HeaderFault, Kind, find_header
from .moments import DAYS_OUT_OF_ORDER, EARLIEST_YEAR, Moment, day_near, read_moment, settle_days
from .problems import PROBLEMS, Problem, problem
from .tables import Line, Table, UnreadableFile, read_tables
from .values import (
    Unfit,
    plain,
    read_amount,
    read_consultant,
    read_consultants,
    read_text,
    shown,
)
from .words import How, Via, read_how, read_via, read_yes_no

__all__ = [
    "PROBLEMS",
    "FollowUpRow",
    "Problem",
    "RegisterRow",
    "Row",
    "SaleRow",
    "Sheet",
    "UnreadableFile",
    "read_sheets",
]

TAKEN_AS_NOON = time(12)
"""The time of a visit or follow-up of which only the day is known."""
TAKEN_AS_EVENING = time(18)
"""The time of a sale of which only the day is known: after the visits of that day."""


class RegisterRow(msgspec.Struct, frozen=True):
    """A visit or call in the public register. `at` is aware, in the site's zone; `phone` in E.164."""

    line: int
    number: str | None
    at: datetime
    name: str | None
    phone: str | None
    via: Via
    by: str
    entered_at: datetime | None
    first_visit: bool | None


class FollowUpRow(msgspec.Struct, frozen=True):
    """A contact with a customer, and when it was entered."""

    line: int
    at: datetime
    name: str | None
    phone: str | None
    by: str
    how: How
    entered_at: datetime | None


class SaleRow(msgspec.Struct, frozen=True):
    """A sale: its closers in the order written, and the commission in yuan with two places."""

    line: int
    at: datetime
    date_only: bool
    name: str | None
    phone: str | None
    unit: str | None
    by: tuple[str, ...]
    amount: Decimal


Row = RegisterRow | FollowUpRow | SaleRow


class Sheet(msgspec.Struct, frozen=True):
    """The rows of one csv file (`sheet` None) or one sheet.

    `total_rows` counts the rows under the header that are not blank: each is in `rows`, or has a problem that
    is not `kept`. `unknown_columns` are headers of which nothing was taken."""

    file: str
    sheet: str | None
    kind: Kind
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    total_rows: int
    unknown_columns: tuple[str, ...]


def read_sheets(path: Path, zone: ZoneInfo, *, today: date) -> list[Sheet]:
    """The rows of a csv or xlsx file, whose kind is told by its headers; times are those of `zone`.

    Raises UnreadableFile if the file can't be read, or nothing in it is a table known here. The sheets of a
    workbook that are none are problems (sheet_ignored) of the first sheet that is one."""
    file = path.name
    sheets: list[Sheet] = []
    ignored: list[UnreadableFile] = []
    for table in read_tables(path):
        if not table.lines:
            continue
        found = find_header([line.cells for line in table.lines])
        if isinstance(found, HeaderFault):
            line = table.lines[found.place].number
            fault = UnreadableFile(file, found.code, line=line, sheet=table.sheet, **found.values)
            if found.code == "header_twice":
                raise fault
            ignored.append(fault)
        elif len(table.lines) == found.place + 1:
            line = table.lines[found.place].number
            ignored.append(UnreadableFile(file, "only_header", line=line, sheet=table.sheet))
        else:
            sheets.append(_Reading(file, table, found, zone, today).sheet())
    if not sheets:
        raise ignored[0] if ignored else UnreadableFile(file, "empty", line=1)
    problems = tuple(_sheet_ignored(fault) for fault in ignored)
    first = sheets[0]
    return [msgspec.structs.replace(first, problems=problems + first.problems), *sheets[1:]]


def _sheet_ignored(fault: UnreadableFile) -> Problem:
    return problem(fault.file, fault.sheet, 1, None, "sheet_ignored", reason=fault.reason, reason_zh=fault.reason_zh)


class _Reading:
    """The reading of one table whose header is known."""

    def __init__(self, file: str, table: Table, header: Header, zone: ZoneInfo, today: date) -> None:
        self.file, self.table, self.header, self.zone, self.today = file, table, header, zone, today
        self.moment = partial(read_moment, epoch=table.epoch)
        self.day_role = "date" if "date" in header.columns else "time"
        self.via: Via = "visit"

    def sheet(self) -> Sheet:
        """All rows, and the problems in the order of the lines."""
        problems = self.assumptions()
        drafts = [
            Draft(self.file, self.table.sheet, self.header, line)
            for line in self.table.lines[self.header.place + 1 :]
            if not self.is_blank_form(line)
        ]
        written = [self.written(draft) for draft in drafts]
        rows: list[Row] = []
        for draft, moment, settled in zip(drafts, written, settle_days(written, self.today), strict=True):
            row = self.row(draft, moment, settled)
            if row is not None:
                rows.append(row)
            problems.extend(found for found in draft.problems if found.kept == (row is not None))
        return Sheet(
            file=self.file,
            sheet=self.table.sheet,
            kind=self.header.kind,
            rows=tuple(rows),
            problems=tuple(problems),
            total_rows=len(drafts),
            unknown_columns=self.header.unknown + self.untitled_columns(),
        )

    def is_blank_form(self, line: Line) -> bool:
        """Whether a row holds nothing but the number it was given beforehand."""
        number = self.header.columns.get("number")
        if number is None or number >= len(line.cells):
            return False
        filled = [column for column, cell in enumerate(line.cells) if isinstance(cell, Unfit) or plain(cell)]
        given = line.cells[number]
        return filled == [number] and (isinstance(given, Unfit) or plain(given).isdigit())

    def untitled_columns(self) -> tuple[str, ...]:
        """Columns that hold something under no title, as 'column F'."""
        titles = self.header.titles
        untitled = [column for column, title in enumerate(titles) if not title]
        found = {
            column
            for line in self.table.lines[self.header.place + 1 :]
            for column in (*untitled, *range(len(titles), len(line.cells)))
            if column < len(line.cells) and plain(line.cells[column])
        }
        return tuple(f"column {get_column_letter(column + 1)}" for column in sorted(found))

    def assumptions(self) -> list[Problem]:
        """What is assumed of all rows for want of a column."""
        header, table = self.header, self.table
        line = table.lines[header.place].number
        if header.kind == "follow_ups" and "how" not in header.columns:
            return [problem(self.file, table.sheet, line, None, "how_assumed")]
        if header.kind != "register" or "via" in header.columns:
            return []
        titles = [header.titles[header.columns[role]] for role in ("date", "time") if role in header.columns]
        above = [plain(cell) for row in table.lines[: header.place] for cell in row.cells]
        heading = " ".join([*titles, *above, table.sheet or "", self.file])
        call, visit = "来电" in heading, re.search("来访|到访|接访", heading) is not None
        if call != visit:
            self.via = "call" if call else "visit"
            return []
        return [problem(self.file, table.sheet, line, None, "channel_assumed")]

    def written(self, draft: Draft) -> Moment | None:
        """When it happened, by the date and time columns; None, and a problem, where they give no day."""
        draft.look_over()
        if draft.refused:
            return None
        on, at = draft.read("date", self.moment, None), draft.read("time", self.moment, None)
        if on is None or at is None:
            return None
        days = [moment for moment in (on, at) if moment.day is not None]
        if not days:
            draft.note(
                "date_unreadable" if on.clock else "date_missing",
                self.day_role,
                shown=shown(draft.cell(self.day_role)),
            )
            return None
        years = {moment.year for moment in days if moment.year is not None}
        clocks = {moment.clock for moment in (on, at) if moment.clock is not None}
        if len({(moment.month, moment.day) for moment in days}) > 1 or len(years) > 1 or len(clocks) > 1:
            draft.note("dates_differ", self.day_role)
            return None
        return Moment(next(iter(years), None), days[0].month, days[0].day, next(iter(clocks), None))

    def row(self, draft: Draft, moment: Moment | None, settled: date | str | None) -> Row | None:
        """The typed row, or None if it can't be taken."""
        day = self.day(draft, settled)
        if moment is None or day is None:
            return None
        name, phone = draft.person()
        build = {"register": self.register_row, "follow_ups": self.follow_up_row, "sales": self.sale_row}
        row = build[self.header.kind](draft, day, moment.clock, name, phone)
        return None if draft.refused else row

    def register_row(self, draft: Draft, day: date, clock: time | None, name: str | None, phone: str | None) -> Row:
        """A visit or call; without a name or a phone it is still one."""
        at, entered_at = self.times(draft, day, clock)
        if name is None:
            draft.note("name_missing", "name")
        return RegisterRow(
            line=draft.line.number,
            number=draft.read("number", read_text, None),
            at=at,
            name=name,
            phone=phone,
            via=draft.read("via", read_via, "visit") if "via" in self.header.columns else self.via,
            by=draft.read("by", read_consultant, ""),
            entered_at=entered_at,
            first_visit=draft.read("first_visit", read_yes_no, None),
        )

    def follow_up_row(self, draft: Draft, day: date, clock: time | None, name: str | None, phone: str | None) -> Row:
        """A follow-up of somebody who can be found by name or phone."""
        at, entered_at = self.times(draft, day, clock)
        if name is None and phone is None:
            draft.note("person_missing")
        return FollowUpRow(
            line=draft.line.number,
            at=at,
            name=name,
            phone=phone,
            by=draft.read("by", read_consultant, ""),
            how=draft.read("how", read_how, "message") if "how" in self.header.columns else "message",
            entered_at=entered_at,
        )

    def sale_row(self, draft: Draft, day: date, clock: time | None, name: str | None, phone: str | None) -> Row:
        """A sale to somebody who can be found by name or phone."""
        if name is None and phone is None:
            draft.note("person_missing")
        amount = partial(read_amount, in_ten_thousands=self.header.in_ten_thousands)
        return SaleRow(
            line=draft.line.number,
            at=datetime.combine(day, clock or TAKEN_AS_EVENING, self.zone),
            date_only=clock is None,
            name=name,
            phone=phone,
            unit=draft.read("unit", read_text, None),
            by=draft.read("by", read_consultants, ()),
            amount=draft.read("amount", amount, Decimal(0)),
        )

    def day(self, draft: Draft, settled: date | str | None) -> date | None:
        """The day of the row, unless it is none, or none that can be."""
        if isinstance(settled, str):
            draft.note(settled, self.day_role, shown=shown(draft.cell(self.day_role)))
        elif settled is not None:
            return self.possible(draft, self.day_role, settled)
        return None

    def possible(self, draft: Draft, role: str, day: date) -> date | None:
        """The day, unless it lies ahead or before any file of this sort."""
        if day.year >= EARLIEST_YEAR and day <= self.today:
            return day
        code = "date_after_today" if day > self.today else "date_impossible"
        draft.note(code, role, shown=shown(draft.cell(role)))
        return None

    def times(self, draft: Draft, day: date, clock: time | None) -> tuple[datetime, datetime | None]:
        """When it happened and when it was entered.

        What has no time of day is taken as noon, but never so that an entry of the same day came first."""
        at = datetime.combine(day, clock or TAKEN_AS_NOON, self.zone)
        entered_at = self.entered_at(draft, at)
        if clock is None:
            if entered_at is not None and entered_at.date() == day:
                at = min(at, entered_at)
            draft.note("time_missing", self.day_role, clock=f"{at:%H:%M}")
        if entered_at is not None and entered_at < at:
            draft.note(
                "times_backwards",
                "entered",
                entered=f"{entered_at:%Y-%m-%d %H:%M}",
                happened=f"{at:%Y-%m-%d %H:%M}",
            )
        return at, entered_at

    def entered_at(self, draft: Draft, at: datetime) -> datetime | None:
        """When it was entered; a time without a day is one of the same day."""
        moment = draft.read("entered", self.moment, None)
        if moment is None or moment == Moment():
            return None
        day: date | None = at.date()
        if moment.month is not None and moment.day is not None:
            if moment.year is not None:
                day = date(moment.year, moment.month, moment.day)
            else:
                day = day_near(moment.month, moment.day, at.date(), DAYS_OUT_OF_ORDER)
        if day is None:
            draft.note("date_impossible", "entered", shown=shown(draft.cell("entered")))
        elif day := self.possible(draft, "entered", day):
            if moment.clock is not None:
                return datetime.combine(day, moment.clock, self.zone)
            noon = datetime.combine(day, TAKEN_AS_NOON, self.zone)
            entered_at = max(noon, at) if day == at.date() else noon
            draft.note("time_missing", "entered", clock=f"{entered_at:%H:%M}")
            return entered_at
        return None
