"""A site's day of an instant: around midnight, when clocks change, and where the clock is off by odd minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.calendar import day_of, end_of, last_day, start_of


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Asia/Shanghai", "2026-03-02", "2026-03-01T16:00:00Z", 24),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", 23),  # clocks go forward
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25),  # and back
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5),  # by half an hour
        ("Asia/Kathmandu", "2026-03-02", "2026-03-01T18:15:00Z", 24),
        ("America/St_Johns", "2026-01-02", "2026-01-02T03:30:00Z", 24),
        ("Asia/Shanghai", "1900-06-01", "1900-05-31T15:54:17Z", 24),  # local mean time
        ("Africa/Monrovia", "1971-06-01", "1971-06-01T00:44:30Z", 24),
    ],
)
def test_a_day_runs_from_midnight_to_midnight_of_the_site(zone: str, day: str, start: str, hours: float) -> None:
    site, on, moment = ZoneInfo(zone), date.fromisoformat(day), timedelta(microseconds=1)
    begins = datetime.fromisoformat(start)
    ends = begins + timedelta(hours=hours)
    assert (start_of(on, site), end_of(on, site)) == (begins, ends)
    around = [begins - moment, begins, ends - moment, ends]
    assert [(day_of(at, site) - on).days for at in around] == [-1, 0, 0, 1]


def test_an_instant_has_one_day_in_whatever_zone_it_is_written() -> None:
    site, at = ZoneInfo("Asia/Shanghai"), datetime(2026, 3, 2, 16, tzinfo=UTC)
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
        assert day_of(at.astimezone(ZoneInfo(zone)), site) == date(2026, 3, 3)


def test_a_period_counts_days_not_hours() -> None:
    site = ZoneInfo("America/New_York")
    late = datetime(2026, 3, 7, 23, 30, tzinfo=site).astimezone(UTC)
    assert last_day(late, 1, site) == date(2026, 3, 8) == day_of(late + timedelta(hours=23), site)
