"""What a cell says of a day and a time of day, and the years of days that are written without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import msgspec

from .values import Cell, CellError, is_missing, plain

EARLIEST_YEAR = 1990
"""No file of this sort is older."""
EXCEL_EPOCH = datetime(1899, 12, 30)
"""Day 0 of the serial numbers in workbooks; those made on old Macs count from 1904-01-01."""
# How far back a day without a year may lie from the row above it: files are kept in order, but not strictly.
DAYS_OUT_OF_ORDER = 92


class Moment(msgspec.Struct, frozen=True):
    """What a cell says of a time: a day, perhaps without its year, a time of day, either, both or neither."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    clock: time | None = None


_WEEKDAY = re.compile(r"\(?(?:周|星期|礼拜)[一二三四五六日天]\)?")
_DAYS = (
    re.compile(r"(\d{4}|\d\d(?=\s?年))\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)\s?[日号]?", re.ASCII),
    re.compile(r"(\d{4})(\d\d)(\d\d)(?!\d)", re.ASCII),
    re.compile(r"()(\d{1,2})\s?[-/月]\s?(\d{1,2})(?!\d)\s?[日号]?", re.ASCII),
)
_CLOCK = re.compile(
    r"(上午|下午|中午|早上|晚上|凌晨|傍晚|am|pm)?\s?(\d{1,2})\s?"
    r"(?::\s?(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?|[点时]\s?(?:(半)|(\d{1,2})\s?分?(?:(\d{1,2})秒)?)?[钟整]?)"
    r"\s?(am|pm)?",
    re.IGNORECASE | re.ASCII,
)
_HOURS = {
    "": range(24),
    "凌晨": range(7),
    "早上": range(4, 12),
    "上午": range(12),
    "am": range(12),
    "中午": range(10, 15),
    "下午": range(12, 20),
    "傍晚": range(16, 21),
    "晚上": range(17, 24),
    "pm": range(12, 24),
}
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def read_moment(cell: Cell, epoch: datetime = EXCEL_EPOCH) -> Moment:
    """The day and time of day in a cell; Moment() where it is blank. Midnight is no time of day.

    Raises CellError date_unreadable, date_impossible or time_unreadable."""
    match cell:
        case datetime():
            return _from_datetime(cell)
        case date():
            return Moment(cell.year, cell.month, cell.day)
        case time():
            return Moment(clock=_given(cell.replace(microsecond=0, tzinfo=None)))
        case timedelta():
            return _from_serial(cell / timedelta(days=1), epoch)
        case bool():
            raise CellError("date_unreadable", cell)
        case float() if not cell.is_integer():
            return _from_serial(cell, epoch)
    text = plain(cell)
    return Moment() if is_missing(text) else _moment_in(text, epoch)


# Days and times alone are kept in memory; names and phones must not outlive their reading.
@lru_cache(maxsize=65536)
def _moment_in(text: str, epoch: datetime) -> Moment:
    text = _WEEKDAY.sub(" ", text).strip()
    match = next(filter(None, (pattern.match(text) for pattern in _DAYS)), None)
    if match is None:
        if _NUMBER.fullmatch(text):
            return _from_serial(float(text), epoch)
        return Moment(clock=_clock_in(text, "date_unreadable"))
    year_text, month_text, day_text = match.groups()
    year, month, day = int(year_text) if year_text else None, int(month_text), int(day_text)
    if year is not None and len(year_text) == 2:
        year += 2000
    try:
        # A leap year lets 29 February pass where the year is not known yet.
        date(2000 if year is None else year, month, day)
    except ValueError:
        raise CellError("date_impossible", text) from None
    rest = text[match.end() :].lstrip(" T,")
    return Moment(year, month, day, _clock_in(rest, "time_unreadable") if rest else None)


def _clock_in(text: str, code: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise CellError(code, text)
    before, hour_text, minute, second, half, minute_said, second_said, after = match.groups()
    hour, word = int(hour_text), (before or after or "").lower()
    if hour < {"下午": 12, "晚上": 12, "傍晚": 12, "pm": 12, "中午": 3}.get(word, 0):
        hour += 12
    elif word in ("凌晨", "am") and hour == 12:
        hour = 0
    minutes = 30 if half else int(minute or minute_said or 0)
    seconds = int(second or second_said or 0)
    if hour not in _HOURS[word] or minutes > 59 or seconds > 59:
        raise CellError("time_unreadable", text)
    return _given(time(hour, minutes, seconds))


def _given(clock: time) -> time | None:
    # Spreadsheets write midnight where no time was given, and no office is open then.
    return None if clock == time(0) else clock


def _from_datetime(moment: datetime) -> Moment:
    try:
        moment = (moment + timedelta(microseconds=500_000)).replace(microsecond=0, tzinfo=None)
    except OverflowError:
        raise CellError("date_unreadable", moment) from None
    return Moment(moment.year, moment.month, moment.day, _given(moment.time()))


def _from_serial(serial: float, epoch: datetime) -> Moment:
    if 0 <= serial < 1:
        return Moment(clock=_given((epoch + timedelta(seconds=min(round(serial * 86400), 86399))).time()))
    if not (datetime(EARLIEST_YEAR, 1, 1) - epoch).days <= serial < (datetime(2100, 1, 1) - epoch).days:
        raise CellError("date_unreadable", serial)
    return _from_datetime(epoch + timedelta(days=serial))


def day_near(month: int, day: int, reference: date, days_back: int) -> date | None:
    """The day that lies within the year beginning `days_back` days before the reference; None without one."""
    for year in (reference.year - 1, reference.year, reference.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if -days_back <= (found - reference).days < 366 - days_back:
            return found
    return None


def settle_days(moments: Sequence[Moment | None], today: date) -> list[date | str | None]:
    """The day of each moment, in the order of the rows; None where it has none, else the code of a problem.

    A day without a year takes it from the nearest row above that has one, else from the nearest below, and
    turns with the new year. Days that lie after `today` lend their year to nobody."""
    days: list[date | str | None] = []
    above: date | None = None
    waiting: list[tuple[int, int, int]] = []
    for row, moment in enumerate(moments):
        days.append(None)
        if moment is None or moment.month is None or moment.day is None:
            continue
        if moment.year is None and above is None:
            days[row] = "date_without_year"
            waiting.append((row, moment.month, moment.day))
            continue
        if moment.year is not None:
            found: date | None = date(moment.year, moment.month, moment.day)
        else:
            found = above and day_near(moment.month, moment.day, above, DAYS_OUT_OF_ORDER)
        days[row] = found or "date_impossible"
        if found and found.year >= EARLIEST_YEAR and found <= today:
            above = found
            _settle_upwards(days, waiting, found)
            waiting = []
    return days


def _settle_upwards(days: list[date | str | None], waiting: list[tuple[int, int, int]], below: date) -> None:
    for row, month, day in reversed(waiting):
        found = day_near(month, day, below, 365 - 1 - DAYS_OUT_OF_ORDER)
        days[row] = found or "date_impossible"
        below = found or below
