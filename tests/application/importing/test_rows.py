"""Whole files into typed rows: what is taken, what is remarked, what is not taken and why."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.importing.rows import (
    FollowUpRow,
    RegisterRow,
    SaleRow,
    Sheet,
    UnreadableFile,
)
from tests.application.importing.office_files import (
    FOLLOW_UPS,
    GOOD,
    REGISTER,
    SALES,
    TODAY,
    ZONE,
    at,
    changed,
    read,
    read_book,
    said,
)


def test_a_register(tmp_path: Path) -> None:
    """Every column in its place; the encoding does not matter."""
    lines = (REGISTER + ",备注", GOOD[REGISTER] + ",意向强", "2,3月6日,下午3:05,,未留,来电,何 建,否,3/7 9:00,")
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        sheet = read(tmp_path, *lines, encoding=encoding)
        assert sheet.rows == (
            RegisterRow(
                line=2, number="1", at=at("2026-03-05 09:05"), name="张先生", phone="+8613812345678", via="visit",
                by="水雪", entered_at=None, first_visit=True,
            ),
            RegisterRow(
                line=3, number="2", at=at("2026-03-06 15:05"), name=None, phone=None, via="call",
                by="何建", entered_at=at("2026-03-07 09:00"), first_visit=False,
            ),
        )  # fmt: skip
        assert (sheet.kind, sheet.file, sheet.sheet) == ("register", "file.csv", None)
        assert (sheet.total_rows, sheet.unknown_columns) == (2, ("备注",))
        assert said(sheet.problems) == [(3, "客户姓名", "name_missing", True)]


def test_follow_ups(tmp_path: Path) -> None:
    """With the time each was entered, which may be a time of the same day."""
    sheet = read(tmp_path, FOLLOW_UPS, GOOD[FOLLOW_UPS], "3/6 10:00,李女士,,何建,电话,18:30")
    assert sheet.kind == "follow_ups" and not sheet.problems
    assert sheet.rows == (
        FollowUpRow(
            line=2, at=at("2026-03-05 15:05"), name="张先生", phone="+8613812345678", by="水雪", how="message",
            entered_at=at("2026-03-05 18:02"),
        ),
        FollowUpRow(
            line=3, at=at("2026-03-06 10:00"), name="李女士", phone=None, by="何建", how="call",
            entered_at=at("2026-03-06 18:30"),
        ),
    )  # fmt: skip


def test_sales(tmp_path: Path) -> None:
    """A day alone counts as its evening; closers may be several."""
    last = "2026/3/6 11:30,李女士,,,水雪、何建,1.2万"
    sheet = read(tmp_path, SALES, GOOD[SALES], last)
    assert sheet.kind == "sales" and not sheet.problems
    assert sheet.rows == (
        SaleRow(
            line=2, at=at("2026-03-05 18:00"), date_only=True, name="张先生", phone="+8613812345678",
            unit="4-2-0703", by=("水雪",), amount=Decimal("22696.94"),
        ),
        SaleRow(
            line=3, at=at("2026-03-06 11:30"), date_only=False, name="李女士", phone=None,
            unit=None, by=("水雪", "何建"), amount=Decimal("12000.00"),
        ),
    )  # fmt: skip


def test_commissions_in_ten_thousands(tmp_path: Path) -> None:
    """The header gives the unit."""
    sheet = read(tmp_path, SALES + "（万元）", changed(SALES, 佣金="2.269694"))
    assert isinstance(row := sheet.rows[0], SaleRow) and row.amount == Decimal("22696.94")


def test_no_time_of_day(tmp_path: Path) -> None:
    """Noon, but never later than the entry of the same day."""
    sheet = read(
        tmp_path,
        FOLLOW_UPS,
        changed(FOLLOW_UPS, 跟进时间="2026-03-05", 登记时间="2026-03-05 09:00"),
        changed(FOLLOW_UPS, 跟进时间="2026-03-05", 登记时间="2026-03-05 18:00"),
        changed(FOLLOW_UPS, 跟进时间="2026-03-05 15:05", 登记时间="2026-03-05"),
        changed(FOLLOW_UPS, 跟进时间="2026-03-05", 登记时间="2026-03-04 18:00"),
    )
    assert [(row.at, row.entered_at) for row in sheet.rows if isinstance(row, FollowUpRow)] == [
        (at("2026-03-05 09:00"), at("2026-03-05 09:00")),
        (at("2026-03-05 12:00"), at("2026-03-05 18:00")),
        (at("2026-03-05 15:05"), at("2026-03-05 15:05")),
    ]
    assert [problem.message.rpartition(" ")[2] for problem in sheet.problems[:3]] == ["09:00", "12:00", "15:05"]
    assert said(sheet.problems)[3:] == [(5, "登记时间", "times_backwards", False)]


def test_years_of_neighbours(tmp_path: Path) -> None:
    """From above, else from below; over the new year; not from a row that is not taken."""
    dates = ["12月30日", "1/2", "2026-01-05", "2062-01-06", "1月7日", "", "01-08"]
    sheet = read(tmp_path, REGISTER, *(changed(REGISTER, 日期=day) for day in dates))
    assert [f"{row.at:%Y-%m-%d}" for row in sheet.rows] == [
        "2025-12-30",
        "2026-01-02",
        "2026-01-05",
        "2026-01-07",
        "2026-01-08",
    ]
    assert said(sheet.problems) == [(5, "日期", "date_after_today", False), (7, "日期", "date_missing", False)]


def test_what_is_no_row(tmp_path: Path) -> None:
    """Titles, blank rows and prepared numbers are passed over; totals and repeated headers are reported."""
    sheet = read(
        tmp_path,
        "XX项目来访登记表,,,",
        "",
        REGISTER,
        GOOD[REGISTER],
        ",,,,,,,,",
        "2,,,,,,,,",
        REGISTER,
        "小计,,,1,,,,,",
        ",合 计：,=SUM(A1:A3),,,,,,",
        "TOTAL,,,,,,,,",
    )
    assert (len(sheet.rows), sheet.total_rows) == (1, 5)
    assert said(sheet.problems) == [
        (7, None, "header_repeated", False),
        (8, None, "total_row", False),
        (9, None, "total_row", False),
        (10, None, "total_row", False),
    ]


def test_line_numbers_after_cells_with_line_breaks(tmp_path: Path) -> None:
    """Lines are those of the text file."""
    sheet = read(tmp_path, SALES, changed(SALES, 房号='"4-2\n0703"'), changed(SALES, 佣金="abc"))
    assert [row.line for row in sheet.rows] == [2] and sheet.problems[0].line == 4


def test_the_channel_may_stand_in_the_heading(tmp_path: Path) -> None:
    """Without a word of it, all rows are visits, and that is said."""
    header, row = "日期,时间,姓名,电话,接待人", "2026-03-05,09:05,张先生,13812345678,水雪"

    def via(sheet: Sheet) -> str:
        [only] = sheet.rows
        assert isinstance(only, RegisterRow)
        return only.via

    called = read(tmp_path, "XX项目来电登记表", header, row)
    assert via(called) == "call" and not called.problems
    assert via(read(tmp_path, header.replace("日期", "来电日期"), row)) == "call"
    assert via(read(tmp_path, header.replace("日期", "来访日期"), row)) == "visit"
    assert via(read(tmp_path, header, row, name="来电.csv")) == "call"
    unsaid = read(tmp_path, "来访来电登记表", header, row)
    assert via(unsaid) == "visit"
    assert said(unsaid.problems) == [(2, None, "channel_assumed", True)]


def test_no_column_for_how(tmp_path: Path) -> None:
    """The least is assumed of a follow-up."""
    sheet = read(tmp_path, "跟进时间,姓名,跟进人", "2026-03-05 15:05,张先生,水雪")
    assert isinstance(row := sheet.rows[0], FollowUpRow) and row.how == "message"
    assert said(sheet.problems) == [(1, None, "how_assumed", True)]


def test_columns_without_a_title(tmp_path: Path) -> None:
    """What they hold is not passed over unsaid."""
    assert read(tmp_path, SALES + ",,", GOOD[SALES] + ",,x").unknown_columns == ("column H",)


def test_a_workbook(tmp_path: Path) -> None:
    """Cells with types of their own, sheets of several kinds, blank sheets, sheets that are none."""
    sheets = read_book(
        tmp_path,
        {
            "说明": [["填写说明"], ["每日填写"]],
            "来访": [
                ["XX项目登记表"],
                ["序号", "日期", "时间", "姓名", "手机", "接待人", "方式", "登记时间"],
                [1, datetime(2026, 3, 5), time(9, 5), "张先生", 13812345678, "水雪", "来访", 46086.5],
                [2.0, 46087, 0.5, "李女士", 13812345678.0, "水雪", "来电", datetime(2026, 3, 6, 18)],
                [],
                ["合计", None, None, "=COUNTA(D3:D4)"],
            ],
            "Sheet3": [],
            "成交": [
                ["成交日期", "姓名", "成交人", "佣金"],
                [datetime(2026, 3, 9), "张先生", "水雪", 22696.94],
                [date(2026, 3, 9), "张先生", "水雪", "=1+2"],
            ],
            "空表": [["跟进时间", "姓名", "跟进人"]],
        },
    )
    register, sales = sheets
    assert (register.kind, register.sheet, sales.kind, sales.sheet) == ("register", "来访", "sales", "成交")
    first, second = register.rows
    assert isinstance(first, RegisterRow) and isinstance(second, RegisterRow)
    assert (first.number, first.at, first.entered_at) == ("1", at("2026-03-05 09:05"), at("2026-03-05 12:00"))
    assert (second.number, second.at, second.line) == ("2", at("2026-03-06 12:00"), 4)
    assert first.phone == second.phone == "+8613812345678"
    assert said(register.problems) == [
        (1, None, "sheet_ignored", False),
        (1, None, "sheet_ignored", False),
        (6, None, "total_row", False),
    ]
    assert "说明" in register.problems[0].message and "空表" in register.problems[1].message_zh
    assert isinstance(sold := sales.rows[0], SaleRow) and (sold.amount, sold.date_only) == (Decimal("22696.94"), True)
    assert said(sales.problems) == [(3, "佣金", "formula", False)]
    assert "D3 holds a formula" in sales.problems[0].message and "sheet 成交, line 3" in sales.problems[0].message


def test_formulas_of_columns_that_are_not_read(tmp_path: Path) -> None:
    """They spoil no row."""
    [sheet] = read_book(tmp_path, {"a": [[*SALES.split(","), "佣金率"], [*GOOD[SALES].split(","), "=F2/100"]]})
    assert len(sheet.rows) == 1 and not sheet.problems and sheet.unknown_columns == ("佣金率",)


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        (["a,b,c", "1,2,3"], "no_header", 1),
        (["", ",,"], "empty", 1),
        (["title", "", REGISTER], "only_header", 3),
        (["title", "日期,姓名,电话", "2026-03-05,张,1"], "columns_missing", 2),
        ([REGISTER + ",手机", GOOD[REGISTER]], "header_twice", 1),
        ([REGISTER, '1,"2026'], "quote_unclosed", 2),
    ],
)
def test_files_that_are_refused(tmp_path: Path, lines: list[str], code: str, line: int) -> None:
    """As a whole, with the line and the reason."""
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, *lines)
    assert (caught.value.code, caught.value.line) == (code, line)
    assert str(caught.value).startswith(f"file.csv, line {line}: ") and "\n" not in str(caught.value)
    assert caught.value.message_zh.startswith(f"file.csv 第{line}行：")


def test_workbooks_that_are_refused(tmp_path: Path) -> None:
    """Nothing known in any sheet, or one column twice in a sheet that is known."""
    with pytest.raises(UnreadableFile, match="sheet a, line 1: none of the first"):
        read_book(tmp_path, {"a": [["x"]], "b": [["y"]]})
    with pytest.raises(UnreadableFile, match="sheet b, line 1: several headers"):
        read_book(tmp_path, {"a": [SALES.split(","), GOOD[SALES].split(",")], "b": [[*SALES.split(","), "手机"]]})
    with pytest.raises(UnreadableFile, match="is empty"):
        read_book(tmp_path, {"a": []})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("files")


CELL = st.sampled_from(
    ["", "1", "2026-03-05", "3/5", "2月30日", "09:05", "张先生", "13812345678", "无", "来访", "水雪", "微信", "合计",
     "=A1", "是", "1.2万", "-5", "2026-03-05 18:00", "\u200b", "#N/A", "a/b"]
)  # fmt: skip


@settings(deadline=None)
@given(header=st.sampled_from([REGISTER, FOLLOW_UPS, SALES]), rows=st.lists(st.lists(CELL, max_size=10), min_size=1))
def test_every_row_is_taken_or_reported(folder: Path, header: str, rows: list[list[str]]) -> None:
    """No row is lost, none is taken twice, and remarks are on rows that are taken."""
    try:
        sheet = read(folder, header, *(",".join(row) for row in rows))
    except UnreadableFile as refused:
        assert refused.code == "only_header"
        return
    taken = [row.line for row in sheet.rows]
    refused_lines = {problem.line for problem in sheet.problems if not problem.kept}
    assert taken == sorted(set(taken)) and not refused_lines & set(taken)
    assert len(taken) + len(refused_lines) == sheet.total_rows
    assert {problem.line for problem in sheet.problems if problem.kept} <= set(taken)
    for row in sheet.rows:
        assert row.at.tzinfo is ZONE and row.at.date() <= TODAY
        if not isinstance(row, SaleRow):
            assert row.entered_at is None or row.entered_at >= row.at
