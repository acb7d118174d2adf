"""How long a claim is protected, and from when a contact counts (A3; SCENARIOS, words 6 and 7)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ..calendar import day_of, last_day
from ..rulebook import Edition

PERIOD = "attribution.protection_days"


def counts_from(occurred_at: datetime, known_at: datetime, edition: Edition, zone: ZoneInfo) -> datetime:
    """When a contact counts from: when it happened if it was entered in time, otherwise when it was entered."""
    if known_at == occurred_at:
        return occurred_at
    days = edition.finding(Edition.days, "attribution.late_entry_days")
    if days is None:
        return occurred_at
    return occurred_at if day_of(known_at, zone) <= last_day(occurred_at, days, zone) else known_at


def protected_until(counted_on: date, edition: Edition) -> date | None:
    """The last protected day of a contact that counts from a day; None where the edition sets no limit."""
    period = edition.finding(_period)
    return None if period is None else counted_on + period


def _period(edition: Edition) -> timedelta | None:
    days = edition.days(PERIOD)
    return None if days is None else timedelta(days=days)


def has_lapsed(until: date | None, on: date) -> bool:
    """Whether a claim protected through `until` is over on a day."""
    return until is not None and on > until
