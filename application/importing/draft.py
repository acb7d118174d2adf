"""One row while it is read: its cells by role, and what was found wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from openpyxl.utils import get_column_letter

from .headers import Header
from .problems import Problem, problem
from .tables import Line
from .values import Cell, CellError, Phone, Unfit, plain, read_name, read_phone

_Value = TypeVar("_Value")
_Default = TypeVar("_Default")
_TOTAL = re.compile(r"(?:本?[页月周日年])?(?:合计|总计|小计|共计|累计)|(?:sub|grand)?total:?$")


class Draft:
    """A row of the table; it is `refused` as soon as one of its problems is of that kind."""

    def __init__(self, file: str, sheet: str | None, header: Header, line: Line) -> None:
        self.file, self.sheet, self.header, self.line = file, sheet, header, line
        self.problems: list[Problem] = []
        self.refused = False

    def cell(self, role: str) -> Cell:
        """The cell in the column of that role; None without one."""
        column = self.header.columns.get(role)
        return None if column is None or column >= len(self.line.cells) else self.line.cells[column]

    def note(self, code: str, role: str | None = None, **values: str) -> None:
        """Put a problem on record; `role` names its column."""
        column = self.header.columns.get(role) if role else None
        title = None if column is None else self.header.titles[column]
        found = problem(self.file, self.sheet, self.line.number, title, code, **values)
        self.problems.append(found)
        self.refused = self.refused or not found.kept

    def read(self, role: str, reader: Callable[[Cell], _Value], default: _Default) -> _Value | _Default:
        """What the reader makes of the cell; the default, and a problem, if it can't be taken."""
        try:
            return reader(self.cell(role))
        except CellError as error:
            code = error.code
            if code == "date_unreadable" and role == "time" and "date" in self.header.columns:
                code = "time_unreadable"
            self.note(code, role, **error.values)
            return default

    def person(self) -> tuple[str | None, str | None]:
        """Name and phone."""
        name, phone = self.read("name", read_name, None), self.read("phone", read_phone, Phone(None))
        if phone.more:
            self.note("phone_more", "phone")
        return name, phone.number

    def look_over(self) -> None:
        """Refuse what is no row of the table, and cells that hold no value."""
        cells, titles, columns = self.line.cells, self.header.titles, self.header.columns
        if any(_TOTAL.match(plain(cell).replace(" ", "").lower()) for cell in cells[:3]):
            self.note("total_row")
        elif all(plain(self.cell(role)) == titles[column] for role, column in columns.items()):
            self.note("header_repeated")
        elif self.sheet is None and any(map(plain, cells[len(titles) :])):
            # An unquoted delimiter has moved the cells behind it to other columns.
            self.note("row_too_long")
        if self.refused:
            return
        for role, column in columns.items():
            if isinstance(cell := self.cell(role), Unfit):
                where = f"{get_column_letter(column + 1)}{self.line.number}"
                self.note("number_left_out" if role == "number" else cell.code, role, cell=where)
