"""What can be wrong with a row: not taken, or taken with a remark, and said without naming anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from application.importing.rows import PROBLEMS
from tests.application.importing.office_files import FOLLOW_UPS, REGISTER, SALES, changed, read, said


@pytest.mark.parametrize(
    ("header", "cells", "column", "code"),
    [
        (REGISTER, {"日期": ""}, "日期", "date_missing"),
        (REGISTER, {"日期": "昨天"}, "日期", "date_unreadable"),
        (REGISTER, {"日期": "9:05"}, "日期", "date_unreadable"),
        (REGISTER, {"日期": "2月30日"}, "日期", "date_impossible"),
        (REGISTER, {"日期": "1926-03-05"}, "日期", "date_impossible"),
        (REGISTER, {"日期": "3月5日"}, "日期", "date_without_year"),
        (REGISTER, {"日期": "2026-07-02"}, "日期", "date_after_today"),
        (REGISTER, {"时间": "上午"}, "时间", "time_unreadable"),
        (REGISTER, {"时间": "2026-03-06 09:05"}, "日期", "dates_differ"),
        (REGISTER, {"日期": "2026-03-05 10:00"}, "日期", "dates_differ"),
        (REGISTER, {"登记时间": "2026-03-05 09:04"}, "登记时间", "times_backwards"),
        (REGISTER, {"登记时间": "2026-03-04"}, "登记时间", "times_backwards"),
        (REGISTER, {"登记时间": "2026-07-02 09:05"}, "登记时间", "date_after_today"),
        (REGISTER, {"登记时间": "2026-02-30"}, "登记时间", "date_impossible"),
        (REGISTER, {"登记时间": "后来"}, "登记时间", "date_unreadable"),
        (REGISTER, {"接待人": ""}, "接待人", "by_missing"),
        (REGISTER, {"接待人": "水雪/何建"}, "接待人", "by_several"),
        (REGISTER, {"方式": "老带新"}, "方式", "channel_unreadable"),
        (REGISTER, {"客户姓名": "x" * 81}, "客户姓名", "text_too_long"),
        (REGISTER, {"联系电话": "=A1"}, "联系电话", "formula"),
        (REGISTER, {"日期": "=TODAY()"}, "日期", "formula"),
        (REGISTER, {"接待人": "#N/A"}, "接待人", "error_value"),
        (REGISTER, {"登记时间": "13:00,多一格"}, None, "row_too_long"),
        (FOLLOW_UPS, {"客户姓名": "", "联系电话": ""}, None, "person_missing"),
        (FOLLOW_UPS, {"客户姓名": "", "联系电话": "1381234"}, None, "person_missing"),
        (FOLLOW_UPS, {"跟进人": ""}, "跟进人", "by_missing"),
        (FOLLOW_UPS, {"方式": "其他"}, "方式", "how_unreadable"),
        (FOLLOW_UPS, {"登记时间": "2026-03-05 15:00"}, "登记时间", "times_backwards"),
        (SALES, {"客户姓名": "", "联系电话": ""}, None, "person_missing"),
        (SALES, {"成交人": ""}, "成交人", "by_missing"),
        (SALES, {"佣金": ""}, "佣金", "amount_missing"),
        (SALES, {"佣金": "abc"}, "佣金", "amount_unreadable"),
        (SALES, {"佣金": "NaN"}, "佣金", "amount_unreadable"),
        (SALES, {"佣金": "-5"}, "佣金", "amount_negative"),
        (SALES, {"佣金": "1.234"}, "佣金", "amount_decimals"),
        (SALES, {"成交日期": "2026-07-02"}, "成交日期", "date_after_today"),
    ],
)
def test_rows_not_taken(tmp_path: Path, header: str, cells: dict[str, str], column: str | None, code: str) -> None:
    """Each with one problem that names line and column in both languages."""
    sheet = read(tmp_path, header, changed(header, **cells))
    assert (sheet.rows, sheet.total_rows) == ((), 1)
    assert said(sheet.problems) == [(2, column, code, False)]
    [problem] = sheet.problems
    assert problem.message.startswith("file.csv, line 2: " + (f"{column}: " if column else ""))
    assert problem.message_zh.startswith("file.csv 第2行：" + (f"{column}：" if column else ""))


@pytest.mark.parametrize(
    ("header", "cells", "column", "code"),
    [
        (REGISTER, {"时间": ""}, "日期", "time_missing"),
        (REGISTER, {"登记时间": "2026-03-06"}, "登记时间", "time_missing"),
        (REGISTER, {"联系电话": "13594490"}, "联系电话", "phone_unreadable"),
        (REGISTER, {"联系电话": "13812345678/13987654321"}, "联系电话", "phone_more"),
        (REGISTER, {"客户姓名": ""}, "客户姓名", "name_missing"),
        (REGISTER, {"序号": "=ROW()"}, "序号", "number_left_out"),
        (REGISTER, {"方式": ""}, "方式", "channel_missing"),
        (REGISTER, {"是否首访": "也许"}, "是否首访", "yes_no_unreadable"),
        (FOLLOW_UPS, {"联系电话": "13594490"}, "联系电话", "phone_unreadable"),
        (FOLLOW_UPS, {"方式": ""}, "方式", "how_missing"),
        (FOLLOW_UPS, {"跟进时间": "2026-03-05"}, "跟进时间", "time_missing"),
        (SALES, {"联系电话": "13594490"}, "联系电话", "phone_unreadable"),
    ],
)
def test_rows_taken_with_a_remark(tmp_path: Path, header: str, cells: dict[str, str], column: str, code: str) -> None:
    """What was made of them is said."""
    sheet = read(tmp_path, header, changed(header, **cells))
    assert len(sheet.rows) == sheet.total_rows == 1
    assert said(sheet.problems) == [(2, column, code, True)]


def test_all_that_is_wrong_with_a_row_is_said(tmp_path: Path) -> None:
    """Of a row not taken, only why."""
    sheet = read(tmp_path, SALES, changed(SALES, 联系电话="13594490", 成交人="", 佣金="abc"))
    assert [problem.code for problem in sheet.problems] == ["by_missing", "amount_unreadable"]


def test_messages_hold_no_person(tmp_path: Path) -> None:
    """Neither where it belongs nor in a row whose cells have moved."""
    moved = "1,张先生,13812345678,0755-88888888,来访,水雪,是,,"
    sheet = read(tmp_path, REGISTER, changed(REGISTER, 联系电话="138 1234 567"), moved)
    messages = " ".join(problem.message + problem.message_zh for problem in sheet.problems)
    assert "138*****67" in messages
    for secret in ("1234", "8888", "张先生", "水雪"):
        assert secret not in messages


def test_every_problem_is_told_in_both_languages() -> None:
    """And each asks for the same values in both."""
    for _, english, chinese in PROBLEMS.values():
        assert english and any("\u4e00" <= sign <= "\u9fff" for sign in chinese)
        assert {"{" + part.partition("}")[0] for part in english.split("{")[1:]} - {"{reason"} == {
            "{" + part.partition("}")[0] for part in chinese.split("{")[1:]
        } - {"{reason_zh"}
