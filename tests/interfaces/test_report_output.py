"""A workbook in which no text can act as a formula, and whose cells are what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from interfaces.report_output import About, ReportPrinter
from interfaces.report_sheets import Cell, Found, Sheet
from interfaces.report_words import NO_LIMIT, Word
from projections.source import Holds

HOLDS = Holds(
    position=7, known_until=datetime(2026, 3, 1, tzinfo=UTC), left_out=2, editions=("a@2000-01-01", "b@2026-01-01")
)
DANGEROUS = ["=1+1", '=HYPERLINK("http://x")', "+1", "-1+2", "@SUM(A1)", "\t=1", "#N/A", "\x1b[31mred", "a\nb"]


def printer(*cells: Cell, language: str = "en") -> ReportPrinter:
    sheet = Sheet(code="ownership", columns=("visitor",), brief=("visitor",), rows=[(cell,) for cell in cells])
    about = About(
        report="ownership", site="=cmd|'/c calc'!A0", first=date(2026, 3, 1), last=date(2026, 3, 31),
        zone=ZoneInfo("Asia/Shanghai"),
    )  # fmt: skip
    return ReportPrinter(about, Found([sheet], HOLDS), language)


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    printer(text).workbook(tmp_path / "x.xlsx")
    book = load_workbook(tmp_path / "x.xlsx")
    for cell in (book["Who owns whom"]["A2"], book["About"]["B2"]):
        assert cell.data_type == "s"
    cell = book["Who owns whom"]["A2"]
    assert cell.value is not None and len(str(cell.value)) == len(text) and "\x1b" not in str(cell.value)
    assert cell.quotePrefix == (text[0] in "=+-@")
    assert book["About"]["B2"].value == "=cmd|'/c calc'!A0" and book["About"]["B2"].quotePrefix


def test_numbers_and_times_are_what_they_are(tmp_path: Path) -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    printer(3, Decimal("-12.50"), at, date(2026, 3, 2), True, None, ["a", "b"], Word(None, NO_LIMIT)).workbook(
        tmp_path / "x.xlsx"
    )
    values = [row[0] for row in load_workbook(tmp_path / "x.xlsx")["Who owns whom"].iter_rows(values_only=True)]
    expected = ["visitor", 3, -12.5, datetime(2026, 3, 1, 9, 30), datetime(2026, 3, 2), "yes", None, "a, b", "no limit"]
    assert values == expected


def test_on_a_terminal_nothing_steers_and_the_notes_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    printer("\x1b[31mred", "[bold]x[/bold]", language="zh").terminal()
    said = capsys.readouterr().out
    assert "\x1b[31m" not in said and "[bold]x[/bold]" in said
    assert "适用制度 a@2000-01-01, b@2026-01-01" in said.replace("\n", " ").replace("  ", " ") or "a@2000-01-01" in said
    assert "2条流无法读入" in said
