"""Days and times as people and spreadsheets write them, and the years of days that have none."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.importing.moments import DAYS_OUT_OF_ORDER, Moment, day_near, read_moment, settle_days
from application.importing.problems import PROBLEMS
from application.importing.values import Cell, CellError

TODAY = date(2026, 7, 1)


def wide(text: str) -> str:
    """The text in full-width signs."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


# --- one cell ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-05",
        "2026-3-5",
        "2026/3/5",
        "2026.3.5",
        "20260305",
        20260305,
        "2026年3月5日",
        "2026年3月5号",
        "26年3月5日",
        "２０２６－０３－０５",
        "2026-03-05 周四",
        "2026年3月5日（星期四）",
        "星期四 2026/3/5",
        "2026/3/5 0:00",
        "2026-03-05 00:00:00.000",
        46086,
        46086.0,
        "46086",
        date(2026, 3, 5),
        datetime(2026, 3, 5),
    ],
)
def test_one_day_in_many_forms(cell: Cell) -> None:
    """Midnight is what spreadsheets write for no time."""
    assert read_moment(cell) == Moment(2026, 3, 5)


@pytest.mark.parametrize("cell", ["3月5日", "3/5", "03-05", "３月５日", "3月5号 周四"])
def test_a_day_without_its_year(cell: str) -> None:
    """The year is left to the neighbours."""
    assert read_moment(cell) == Moment(None, 3, 5)


@pytest.mark.parametrize(
    ("cell", "clock"),
    [
        ("9:05", time(9, 5)),
        ("09:05", time(9, 5)),
        ("09:05:30", time(9, 5, 30)),
        ("09：05", time(9, 5)),
        ("9点05分", time(9, 5)),
        ("9点5分", time(9, 5)),
        ("9时", time(9)),
        ("9点整", time(9)),
        ("9点半", time(9, 30)),
        ("9时5分30秒", time(9, 5, 30)),
        ("上午9:05", time(9, 5)),
        ("上午 9点", time(9)),
        ("下午3:05", time(15, 5)),
        ("下午15:05", time(15, 5)),
        ("下午12:30", time(12, 30)),
        ("中午12:30", time(12, 30)),
        ("中午1:30", time(13, 30)),
        ("晚上8点", time(20)),
        ("3:05 PM", time(15, 5)),
        ("12:05 pm", time(12, 5)),
        ("9:05am", time(9, 5)),
        (time(9, 5), time(9, 5)),
        (0.378472222222222, time(9, 5)),
        (timedelta(hours=9, minutes=5), time(9, 5)),
        ("00:00", None),
        (time(0), None),
    ],
)
def test_times_of_day(cell: Cell, clock: time | None) -> None:
    """Alone, or after a day in the same cell."""
    assert read_moment(cell) == Moment(clock=clock)
    if isinstance(cell, str):
        for day in ("2026-03-05 ", "2026年3月5日", "2026/3/5　", "20260305 ", "2026-03-05T"):
            assert read_moment(day + cell) == Moment(2026, 3, 5, clock)


def test_a_datetime_cell_is_rounded_to_the_second() -> None:
    """Workbooks keep fractions of days."""
    assert read_moment(datetime(2026, 3, 5, 9, 4, 59, 999_000)) == Moment(2026, 3, 5, time(9, 5))
    assert read_moment(46086.378472222) == Moment(2026, 3, 5, time(9, 5))


def test_workbooks_that_count_from_1904() -> None:
    """Their serial numbers are smaller by 1462."""
    assert read_moment(46086 - 1462, datetime(1904, 1, 1)) == Moment(2026, 3, 5)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2月30日", "date_impossible"),
        ("2026-02-29", "date_impossible"),
        ("2026-13-01", "date_impossible"),
        ("20260230", "date_impossible"),
        ("0000-00-00", "date_impossible"),
        ("0000-03-05", "date_impossible"),
        ("13/5", "date_impossible"),
        ("昨天", "date_unreadable"),
        ("2026-03", "date_unreadable"),
        ("٢٠٢٦-٠٣-٠٥", "date_unreadable"),
        (datetime.max, "date_unreadable"),
        ("2026年3月", "date_unreadable"),
        ("3/5/2026", "time_unreadable"),
        ("3.5", "date_unreadable"),
        ("2026-03-055", "date_unreadable"),
        (5, "date_unreadable"),
        (True, "date_unreadable"),
        ("2026-03-05 25:00", "time_unreadable"),
        ("2026-03-05 9:65", "time_unreadable"),
        ("2026-03-05 上午15:00", "time_unreadable"),
        ("2026-03-05 上午", "time_unreadable"),
        ("2026-03-05 9:", "time_unreadable"),
        ("2026-03-05 09:05 - 09:30", "time_unreadable"),
    ],
)
def test_no_dates(cell: Cell, code: str) -> None:
    """Days that are none, and what could be read in two ways."""
    with pytest.raises(CellError) as caught:
        read_moment(cell)
    assert caught.value.code == code and code in PROBLEMS


def test_a_blank_says_nothing() -> None:
    """Neither day nor time."""
    assert read_moment(None) == read_moment(" ") == read_moment("-") == Moment()


@given(
    moment=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 12, 31)),
    day_form=st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"]),
    time_form=st.sampled_from(["%H:%M:%S", "%H点%M分%S秒", "%H时%M分%S秒", "%I:%M:%S %p"]),
    full_width=st.booleans(),
)
def test_a_moment_survives_every_form(moment: datetime, day_form: str, time_form: str, full_width: bool) -> None:
    """Written in any way, the moment read is the moment meant."""
    clock = moment.time().replace(microsecond=0)
    text = f"{moment:{day_form} {time_form}}"
    expected = Moment(moment.year, moment.month, moment.day, clock if clock != time(0) else None)
    assert read_moment(wide(text) if full_width else text) == expected


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 12, 31)))
def test_a_serial_number_is_its_moment(moment: datetime) -> None:
    """To the second."""
    moment = moment.replace(microsecond=0)
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    read = read_moment(serial)
    assert read == read_moment(moment)


# --- the year of a day ---------------------------------------------------------------------------------


def settled(*cells: str) -> list[date | str | None]:
    """The days of a column."""
    return settle_days([read_moment(cell) for cell in cells], TODAY)


def test_the_year_is_that_of_the_row_above() -> None:
    """And so on down the column."""
    assert settled("2026-03-05", "3/6", "3月7日", "", "03-08") == [
        date(2026, 3, 5),
        date(2026, 3, 6),
        date(2026, 3, 7),
        None,
        date(2026, 3, 8),
    ]


def test_the_year_turns_with_the_new_year() -> None:
    """From December to January, and back for a row out of order."""
    assert settled("2025-12-30", "12/31", "1/1", "12/31", "1/2") == [
        date(2025, 12, 30),
        date(2025, 12, 31),
        date(2026, 1, 1),
        date(2025, 12, 31),
        date(2026, 1, 2),
    ]


def test_rows_above_the_first_year_take_it_from_below() -> None:
    """Upwards, the year turns the other way."""
    assert settled("12/30", "1/2", "2026-01-05", "1/6") == [
        date(2025, 12, 30),
        date(2026, 1, 2),
        date(2026, 1, 5),
        date(2026, 1, 6),
    ]


def test_far_apart_days_of_one_year() -> None:
    """Few rows a year are no reason to turn it."""
    assert settled("2025-02-01", "10月5日") == [date(2025, 2, 1), date(2025, 10, 5)]
    assert settled("2月1日", "2025-10-05") == [date(2025, 2, 1), date(2025, 10, 5)]


def test_no_year_at_all() -> None:
    """No year is made up, nor taken from a day that can't be."""
    assert settled("3/5", "3/6") == ["date_without_year"] * 2
    assert settled("2062-03-05", "3/6") == [date(2062, 3, 5), "date_without_year"]
    assert settle_days([], TODAY) == []


def test_29_february_needs_a_leap_year() -> None:
    """Which of the years near by would have to be one."""
    assert settled("2024-02-28", "2/29") == [date(2024, 2, 28), date(2024, 2, 29)]
    assert settled("2026-02-28", "2/29") == [date(2026, 2, 28), "date_impossible"]


@given(
    reference=st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31)),
    days_back=st.integers(0, 364),
    days=st.integers(0, 365),
)
def test_every_day_of_the_year_is_near(reference: date, days_back: int, days: int) -> None:
    """No day falls between two years, leap years or not."""
    day = reference + timedelta(days=days - days_back)
    found = day_near(day.month, day.day, reference, days_back)
    assert found == day or (days == 365 and found == day.replace(year=day.year - 1))


@given(
    start=st.dates(min_value=date(2000, 1, 1), max_value=date(2020, 12, 31)),
    steps=st.lists(st.integers(-DAYS_OUT_OF_ORDER + 1, 250), max_size=20),
    written_at=st.integers(0, 20),
)
def test_years_of_a_column_nearly_in_order(start: date, steps: list[int], written_at: int) -> None:
    """One year in a column in order is enough, wherever it stands; slips back are borne below it."""
    days = [start]
    for step in steps:
        days.append(days[-1] + timedelta(days=abs(step) if len(days) <= written_at else step))
    place = min(written_at, len(days) - 1)
    moments = [Moment(day.year if row == place else None, day.month, day.day) for row, day in enumerate(days)]
    assert settle_days(moments, date(2100, 1, 1)) == days
