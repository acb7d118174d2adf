"""What can be wrong with a row of an office's file: one table of codes, and what each says to a person."""

from __future__ import annotations

import msgspec

from .tables import one_line, place, place_zh

PROBLEMS: dict[str, tuple[bool, str, str]] = {
    # The row is taken; what is said here was made of it.
    "time_missing": (True, "no time of day; taken as {clock}", "没有时间，按{clock}计"),
    "phone_unreadable": (
        True,
        "no phone number can be read in '{masked}'; taken without a phone",
        "“{masked}”不是可用的电话号码，按无电话计",
    ),
    "phone_more": (
        True,
        "the first phone number is taken; further digits are left out",
        "取第一个电话号码，其余数字未取",
    ),
    "name_missing": (True, "no name", "没有姓名"),
    "number_left_out": (True, "{cell} holds no plain value; taken without it", "{cell}不是普通内容，未取"),
    "yes_no_unreadable": (True, "neither yes nor no; left open", "既不是“是”也不是“否”，作未填"),
    "channel_missing": (True, "no channel; taken as a visit", "没有写明方式，按来访计"),
    "channel_assumed": (
        True,
        "nothing says by which channel these rows came; all are taken as visits",
        "没有方式一列，全部按来访计",
    ),
    "how_missing": (True, "not said how; taken as a message", "没有写明跟进方式，按信息计"),
    "how_assumed": (
        True,
        "no column says how; all are taken as messages",
        "没有跟进方式一列，全部按信息计",
    ),
    # The row is not taken.
    "formula": (False, "{cell} holds a formula; put the value in its place", "{cell}是公式，请改为数值"),
    "error_value": (False, "{cell} holds an error value", "{cell}是错误值"),
    "total_row": (False, "a line of totals", "合计行"),
    "header_repeated": (False, "the header once more", "重复的表头"),
    "row_too_long": (False, "more cells than the header has columns", "单元格多于表头的列数"),
    "date_missing": (False, "no date", "没有日期"),
    "date_unreadable": (False, "{shown} is not a date", "{shown}不是日期"),
    "date_impossible": (False, "there is no such day: {shown}", "没有这一天：{shown}"),
    "date_without_year": (
        False,
        "{shown} has no year, and no row near it gives one",
        "{shown}没有年份，上下各行也没有",
    ),
    "date_after_today": (False, "{shown} lies after today", "{shown}晚于今天"),
    "dates_differ": (False, "date and time columns name different moments", "日期列与时间列所写不一致"),
    "time_unreadable": (False, "{shown} is not a time of day", "{shown}不是时间"),
    "times_backwards": (
        False,
        "entered at {entered}, before it happened at {happened}",
        "录入时间{entered}早于发生时间{happened}",
    ),
    "person_missing": (False, "neither a name nor a phone number", "姓名和电话都没有"),
    "by_missing": (False, "no consultant", "没有置业顾问"),
    "by_several": (False, "more than one consultant", "不止一位置业顾问"),
    "channel_unreadable": (False, "not a channel known here", "不认识的来访方式"),
    "how_unreadable": (False, "not a way of following up known here", "不认识的跟进方式"),
    "amount_missing": (False, "no amount", "没有金额"),
    "amount_unreadable": (False, "{shown} is not an amount", "{shown}不是金额"),
    "amount_negative": (False, "{shown} is less than nothing", "{shown}小于零"),
    "amount_decimals": (False, "{shown} has more than two decimals of a yuan", "{shown}的小数多于两位"),
    "text_too_long": (False, "longer than {limit} characters", "超过{limit}个字"),
    "sheet_ignored": (False, "the sheet {reason}; not taken", "该工作表{reason_zh}，未取"),
}
"""Code -> (whether the row is taken, English, Chinese). Columns are named in front, rows by file and line."""


class Problem(msgspec.Struct, frozen=True):
    """A row not taken, or taken with a remark (`kept`). `code` is one of PROBLEMS; a message is one line."""

    file: str
    line: int
    column: str | None
    code: str
    message: str
    message_zh: str
    kept: bool


def problem(file: str, sheet: str | None, line: int, column: str | None, code: str, **values: str) -> Problem:
    """The problem of that code; `values` fill its texts."""
    kept, english, chinese = PROBLEMS[code]
    said = f"{column}: {english.format(**values)}" if column else english.format(**values)
    said_zh = f"{column}：{chinese.format(**values)}" if column else chinese.format(**values)
    message = one_line(f"{place(file, sheet, line)}: {said}")
    return Problem(file, line, column, code, message, one_line(f"{place_zh(file, sheet, line)}：{said_zh}"), kept)
