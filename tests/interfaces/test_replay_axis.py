"""The time axis: whatever span it shows, a few ticks in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interfaces.replay_axis import MOST_TICKS, Axis

LEFT, RIGHT = 10.0, 900.0
ZONES = ["Asia/Shanghai", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"]


@given(
    first=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    seconds=st.integers(0, 100 * 365 * 86400),
    zone=st.sampled_from(ZONES),
)
def test_an_axis_has_a_few_ticks_in_order(first: datetime, seconds: int, zone: str) -> None:
    axis = Axis(first, first + timedelta(seconds=seconds), ZoneInfo(zone), left=LEFT, right=RIGHT)
    ticks = axis.ticks()
    places = [x for x, _ in ticks]
    assert 1 <= len(ticks) <= MOST_TICKS + 2
    assert places == sorted(places)
    assert len({label for _, label in ticks}) == len(ticks)
    assert all(LEFT <= x <= RIGHT for x in places)
    assert LEFT < axis.x(first) <= axis.x(first + timedelta(seconds=seconds)) < RIGHT


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (timedelta(seconds=40), ["09:00:00", "09:00:05", "09:00:10"]),
        (timedelta(hours=2), ["03-02 09:00", "03-02 09:15", "03-02 09:30"]),
        (timedelta(days=7), ["2026-03-03", "2026-03-04", "2026-03-05"]),
        (timedelta(days=60), ["2026-03-02", "2026-03-16", "2026-03-30"]),
        (timedelta(days=900), ["2026-07", "2027-01", "2027-07"]),
        (timedelta(days=36500), ["2040", "2060", "2080"]),
    ],
)
def test_ticks_suit_the_span(span: timedelta, labels: list[str]) -> None:
    first = datetime(2026, 3, 2, 1, tzinfo=UTC)
    axis = Axis(first, first + span, ZoneInfo("Asia/Shanghai"), left=LEFT, right=RIGHT)
    shown = [label for _, label in axis.ticks()]
    start = shown.index(labels[0])
    assert shown[start : start + 3] == labels
