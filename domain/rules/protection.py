"""How long a claim is protected, and from when a contact counts (A3; SCENARIOS, words 6 and 7)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..calendar import day_of, last_day
from ..rulebook import Edition


def counts_from(occurred_at: datetime, known_at: datetime, edition: Edition, zone: ZoneInfo) -> datetime:
    """When a contact counts from: when it happened if it was entered in time, otherwise when it was entered."""
    days = edition.days("attribution.late_entry_days")
    in_time = days is None or day_of(known_at, zone) <= last_day(occurred_at, days, zone)
    return occurred_at if in_time else known_at


def protected_until(counted_at: datetime, edition: Edition, zone: ZoneInfo) -> date | None:
    """The last protected day of a contact that counts from `counted_at`; None where the edition sets no limit."""
    days = edition.days("attribution.protection_days")
    return None if days is None else last_day(counted_at, days, zone)


def has_lapsed(until: date | None, at: datetime, zone: ZoneInfo) -> bool:
    """Whether a claim protected through `until` is over at an instant."""
    return until is not None and day_of(at, zone) > until
