"""Reports given out: on the terminal, as JSON, and as a workbook in which no text can act as a formula."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .replay_words import plain
from .report_sheets import Cell, Found, Sheet
from .report_words import COUNTS, HEADINGS, LINES, NO, NOBODY, TITLES, YES, Word

PEOPLE = frozenset({"owner", "receiver", "staff"})
"""Columns in which an empty cell means nobody."""

OF_THE_DAY = frozenset({"signed_in_at", "signed_out_at", "came_at", "assigned_at", "over_at"})
"""Columns that hold times of the day that a report is about, so that people need no date."""

TIMES = frozenset(
    {
        *{"phone", "until", "days_left", "at", "opened_at", "sold_at", "last_contact_at", "ended_at", "unit"},
        *{"staff", "receiver", *OF_THE_DAY},
    }
)
"""Columns that are not broken on a terminal."""

NUMBERS = frozenset(
    {
        *{"days_left", "amount", "total", "sales", "count", "rank", "commission", "share", *COUNTS},
        *{"visit_place", "call_place", "visit_turns", "call_turns", "received", "absences", "gave_up", "days_present"},
        *{"make_ups_granted", "make_ups_served", "make_ups_owed", "passes_owed", "passed_over", "fines", "month_fines"},
        *{"month_warnings", "on_floor_minutes", "receiving_minutes", "warnings", "door_stints", "door_owed_minutes"},
    }
)
WIDEST, LOOKED_AT = 40, 200
"""Characters that a column of a workbook is made wide for, at most; how many rows are looked at for it."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is: its name, site, day or days, and the instants asked about, where they are not now."""

    report: str
    site: str
    first: date
    last: date
    zone: ZoneInfo
    as_of: datetime | None = None
    known_at: datetime | None = None


class ReportPrinter:
    """Gives out one report in one language."""

    def __init__(self, about: About, found: Found, language: str) -> None:
        self.about, self.found = about, found
        self.place = 0 if language == "en" else 1

    def _line(self, code: str, *values: object, **named: object) -> str:
        return LINES[code][self.place].format(*values, **named)

    def _heading(self, code: str) -> str:
        return (COUNTS.get(code) or HEADINGS[code])[self.place]

    def _minute(self, at: datetime) -> str:
        return f"{at.astimezone(self.about.zone):%Y-%m-%d %H:%M}"

    def _day_of(self, at: datetime) -> date:
        return at.astimezone(self.about.zone).date()

    def _days(self) -> str:
        first, last = self.about.first, self.about.last
        return first.isoformat() if first == last else f"{first} - {last}"

    def notes(self) -> Iterator[str]:
        """What a reader must know of the answer: as of when, up to where it holds, under which editions."""
        holds, about = self.found.holds, self.about
        for code, at in (("as_of", about.as_of), ("known_at", about.known_at)):
            if at is not None:
                yield self._line(code, self._minute(at))
        yield self._line(
            "holds" if about.as_of is None and about.known_at is None else "holds_as_of",
            position=holds.position,
            until=self._minute(holds.known_until),
            zone=about.zone.key,
            editions=", ".join(holds.editions),
        )
        if holds.left_out:
            yield "! " + self._line("left_out", holds.left_out)

    # On the terminal

    def terminal(self) -> None:
        """Print the columns for which there is room, and what a reader must know."""
        console = Console()
        console.print(Text(f"{TITLES[self.about.report][self.place]} - {self.about.site} - {self._days()}", "bold"))
        for sheet in self.found.sheets:
            if len(self.found.sheets) > 1 and sheet.code != self.about.report:
                console.print()
                console.print(Text(TITLES[sheet.code][self.place], "bold"))
            if sheet.rows:
                console.print(self._table(sheet, console.width))
            else:
                console.print(self._line("none"))
            if sheet.more:
                console.print(self._line("more"))
        console.print()
        for code, value in self.found.lines:
            console.print(Text(self._line(code, value)))
        for note in self.notes():
            console.print(Text(note, "dim"))

    def _table(self, sheet: Sheet, room: int) -> Table:
        places = [sheet.columns.index(code) for code in sheet.brief]
        rows = [[self._text(sheet.columns[place], row[place]) for place in places] for row in sheet.rows]
        headings = _as_narrow(list(map(self._heading, sheet.brief)), rows, room)
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for code, heading in zip(sheet.brief, headings, strict=True):
            table.add_column(
                heading, overflow="fold", no_wrap=code in TIMES, justify="right" if code in NUMBERS else "left"
            )
        for row in rows:
            table.add_row(*(Text(text, overflow="fold") for text in row))
        return table

    def _text(self, column: str, cell: Cell) -> str:
        match cell:
            case None:
                return NOBODY[self.place] if column in PEOPLE else ""
            case Word():
                return cell.words[self.place]
            case bool():
                return (YES if cell else NO)[self.place]
            case datetime():
                of_the_day = column in OF_THE_DAY and self.about.first == self.about.last == self._day_of(cell)
                return self._minute(cell)[-5:] if of_the_day else self._minute(cell)
            case date():
                return cell.isoformat()
            case dict():
                return ", ".join(self._line("times", each.words[self.place], number) for each, number in cell.items())
            case list():
                return ", ".join(self._text(column, each) for each in cell)
            case _:
                return plain(str(cell))

    # For programs

    def json(self) -> None:
        """Print everything: codes instead of words, instants in UTC, amounts as text."""
        click.echo(msgspec.json.format(self.json_bytes(), indent=2).decode())

    def json_bytes(self) -> bytes:
        """The same as it is sent."""
        holds, about = self.found.holds, self.about
        answer = {
            "report": about.report,
            "site": about.site,
            "first": about.first,
            "last": about.last,
            "timezone": about.zone.key,
            "as_of": about.as_of,
            "known_at": about.known_at,
            "holds": holds,
            **dict(self.found.lines),
            "sheets": {
                sheet.code: {
                    "rows": [dict(zip(sheet.columns, map(_coded, row), strict=True)) for row in sheet.rows],
                    "more": sheet.more,
                }
                for sheet in self.found.sheets
            },
        }
        return msgspec.json.encode(answer)

    # As a workbook

    def workbook(self, path: Path) -> None:
        """Write every column: a worksheet for each list, and one that says what the report is."""
        with path.open("wb") as file:  # first, so that a path that is no good is known before anything is made
            self._filled().save(file)

    def workbook_bytes(self) -> bytes:
        """The same as a file's content, for who writes none."""
        buffer = BytesIO()
        self._filled().save(buffer)
        return buffer.getvalue()

    def _filled(self) -> Workbook:
        book = Workbook(write_only=True)
        for sheet in self.found.sheets:
            self._worksheet(book, sheet)
        about = book.create_sheet(self._line("about"))
        about.append([_safe(about, TITLES[self.about.report][self.place])])
        about.append([_safe(about, self._line("site")), _safe(about, self.about.site)])
        about.append([_safe(about, self._line("day")), _safe(about, self._days())])
        for line in (*(self._line(code, value) for code, value in self.found.lines), *self.notes()):
            about.append([_safe(about, line)])
        return book

    def _worksheet(self, book: Workbook, sheet: Sheet) -> None:
        page = book.create_sheet(TITLES[sheet.code][self.place][:31])
        page.freeze_panes = "A2"
        headings = [_safe(page, self._heading(code)) for code in sheet.columns]
        for heading in headings:
            heading.font = Font(bold=True)
        rows = [
            [self._cell(page, code, cell) for code, cell in zip(sheet.columns, row, strict=True)] for row in sheet.rows
        ]
        for place, heading in enumerate(headings):
            longest = max(len(str(cell.value or "")) for cell in (heading, *(row[place] for row in rows[:LOOKED_AT])))
            # A Chinese character takes as much room as two Latin ones.
            width = longest * (1 + self.place) + 2
            page.column_dimensions[get_column_letter(place + 1)].width = min(WIDEST, width)
        page.append(headings)
        for row in rows:
            page.append(row)

    def _cell(self, page: Any, column: str, cell: Cell) -> Any:
        value: Any = cell
        match cell:
            case bool():
                return _safe(page, self._text(column, cell))
            case datetime():
                value, form = cell.astimezone(self.about.zone).replace(tzinfo=None), "yyyy-mm-dd hh:mm"
            case date():
                form = "yyyy-mm-dd"
            case Decimal():
                form = "#,##0.00"
            case int():
                form = "General"
            case _:
                return _safe(page, self._text(column, cell))
        made = WriteOnlyCell(page, value)
        made.number_format = form
        return made


def _safe(page: Any, text: str) -> Any:
    """A cell of text and nothing else, also where it begins like a formula - and stays so when somebody edits it."""
    cell = WriteOnlyCell(page, plain(text))
    cell.data_type = "s"
    cell.quotePrefix = text[:1] in ("=", "+", "-", "@")
    return cell


def _coded(cell: Cell) -> Any:
    match cell:
        case Word():
            return cell.code
        case Decimal():
            return str(cell)
        case UUID():
            return str(cell)
        case list():
            return [_coded(each) for each in cell]
        case dict():
            return {each.code: number for each, number in cell.items()}
        case _:
            return cell


def _as_narrow(headings: list[str], rows: list[list[str]], room: int) -> list[str]:
    """The headings; where there is no room for them, in lines no wider than the cells below and the longest word."""
    widest = [max(map(cell_len, column), default=0) for column in zip(*rows, strict=True)] or [0] * len(headings)
    if sum(max(cell_len(text), width) + 2 for text, width in zip(headings, widest, strict=True)) <= room:
        return headings
    return [
        "\n".join(wrap(text, max(width, *map(len, text.split())), break_long_words=False))
        for text, width in zip(headings, widest, strict=True)
    ]
