"""Small files like those that offices keep, and what was read of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl

from application.importing.rows import Problem, Sheet, read_sheets

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 7, 1)
REGISTER = "序号,日期,时间,客户姓名,联系电话,方式,接待人,是否首访,登记时间"
FOLLOW_UPS = "跟进时间,客户姓名,联系电话,跟进人,方式,登记时间"
SALES = "成交日期,客户姓名,联系电话,房号,成交人,佣金"
GOOD = {
    REGISTER: "1,2026-03-05,09:05,张先生,13812345678,来访,水雪,是,",
    FOLLOW_UPS: "2026-03-05 15:05,张先生,13812345678,水雪,微信,2026-03-05 18:02",
    SALES: "2026-03-05,张先生,13812345678,4-2-0703,水雪,22696.94",
}


def at(text: str) -> datetime:
    """The moment in the site's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def read(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "file.csv") -> Sheet:
    """The one sheet of a text file of these lines."""
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    [sheet] = read_sheets(path, ZONE, today=TODAY)
    return sheet


def read_book(folder: Path, sheets: dict[str, list[list[object]]]) -> list[Sheet]:
    """The sheets of a workbook with these rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / "book.xlsx")
    return read_sheets(folder / "book.xlsx", ZONE, today=TODAY)


def said(problems: Iterable[Problem]) -> list[tuple[int, str | None, str, bool]]:
    """Line, column, code and whether the row is kept."""
    return [(problem.line, problem.column, problem.code, problem.kept) for problem in problems]


def changed(header: str, **cells: str) -> str:
    """The good row of that header with other cells."""
    titles = header.split(",")
    row = GOOD[header].split(",")
    for title, cell in cells.items():
        row[titles.index(title)] = cell
    return ",".join(row)
