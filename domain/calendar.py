"""Days and instants: a period of days runs in the site's own time zone, from the day that starts it through
its last day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The site's calendar day of an aware instant."""
    return at.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day, in UTC. (Arithmetic on local time, so that days of 23 or 25 hours come out right.)"""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a day, in UTC."""
    return start_of(day + timedelta(days=1), zone)


def last_day(start: datetime, days: int, zone: ZoneInfo) -> date:
    """The last day of a period of `days` days that `start` begins: 7 days from 2 March end with 9 March."""
    return day_of(start, zone) + timedelta(days=days)
