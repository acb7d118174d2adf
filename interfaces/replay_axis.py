"""The time axis of a replay's chart: where an instant lies, and which ticks can be labelled without crowding."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.calendar import day_of, end_of, start_of

MOST_TICKS = 9
SECONDS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
DAYS = (1, 2, 7, 14)
MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12000)
DAY = timedelta(days=1)


class Axis:
    """From the first to the last instant shown, drawn from `left` to `right`; `zone` says when a day begins."""

    def __init__(self, first: datetime, last: datetime, zone: ZoneInfo, *, left: float, right: float) -> None:
        if last - first < timedelta(seconds=1):
            first, last = start_of(day_of(first, zone), zone), end_of(day_of(first, zone), zone)
        margin = (last - first) * 0.03
        self.first, self.last = first.astimezone(UTC) - margin, last.astimezone(UTC) + margin
        self.zone, self.left, self.right = zone, left, right

    def x(self, at: datetime) -> float:
        """Where an instant lies; what is out of sight lies at the edge."""
        share = (at - self.first) / (self.last - self.first)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def ticks(self) -> list[tuple[float, str]]:
        """Places and labels: whole seconds to whole centuries, whatever gives at most MOST_TICKS."""
        span = (self.last - self.first).total_seconds()
        for seconds in SECONDS:
            if span / seconds <= MOST_TICKS:
                pattern = "%H:%M:%S" if seconds < 60 else "%m-%d %H:%M"
                return self._placed(self._every_seconds(seconds), pattern)
        for days in DAYS:
            if span / (days * 86400) <= MOST_TICKS:
                return self._placed(self._every_days(days), "%Y-%m-%d")
        for months in MONTHS:
            if span / (months * 30 * 86400) <= MOST_TICKS:
                return self._placed(self._every_months(months), "%Y-%m" if months < 12 else "%Y")
        return []

    def _placed(self, instants: Iterator[datetime], pattern: str) -> list[tuple[float, str]]:
        shown = (at for at in instants if self.first <= at <= self.last)
        return [(self.x(at), at.astimezone(self.zone).strftime(pattern)) for at in shown]

    def _every_seconds(self, seconds: int) -> Iterator[datetime]:
        """Counted from the midnight before."""
        midnight, step = start_of(day_of(self.first, self.zone), self.zone), timedelta(seconds=seconds)
        at = midnight + step * ((self.first - midnight) // step)
        while at <= self.last:
            yield at
            at += step

    def _every_days(self, days: int) -> Iterator[datetime]:
        """Counted so that weeks begin on Monday."""
        day = day_of(self.first, self.zone)
        day -= DAY * ((day.toordinal() - 1) % days)
        while (at := start_of(day, self.zone)) <= self.last:
            yield at
            day += DAY * days

    def _every_months(self, months: int) -> Iterator[datetime]:
        """Counted from the year 0."""
        day = day_of(self.first, self.zone)
        month = (day.year * 12 + day.month - 1) // months * months
        while month // 12 <= date.max.year:
            if month >= 12:
                at = start_of(date(month // 12, month % 12 + 1, 1), self.zone)
                if at > self.last:
                    return
                yield at
            month += months
