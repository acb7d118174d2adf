"""Caps on looks at personal data: by the minute, by the site's calendar day, each on its own count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.disclosure import Limits, LookedUp, Looks, Revealed, check_look_up, check_reveal, evolve, looks_id
from domain.record import Envelope, Fact
from domain.refusals import LimitReached
from domain.visitor import Entry

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # 12:00 in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 3, 2, 16, tzinfo=UTC)
LIN = UUID(int=1)
LIMITS = Limits(look_ups_a_minute=2, look_ups_a_day=4, reveals_a_day=1)
LOOK_UP = LookedUp(by=LIN, kind="phone", asked_hash=b"abc", found=0)
REVEAL = Revealed(visitor=Entry(UUID(int=4), 1), by=LIN, purpose="contact", person=UUID(int=5), sealed=None)


def after(*looks: tuple[Fact, int]) -> Looks | None:
    """What is known after looks, each so many seconds after noon."""
    known: Looks | None = None
    for version, (fact, seconds) in enumerate(looks, start=1):
        at = NOON + timedelta(seconds=seconds)
        envelope = Envelope(
            site=UUID(int=9), stream=UUID(int=8), version=version, position=version, recorded_at=at, occurred_at=at,
            entered_at=None, actor=LIN, command_id=UUID(int=version), correlation_id=UUID(int=version), edition=None,
            fact=fact,
        )  # fmt: skip
        known = evolve(known, envelope)
    return known


def look_up_at(looks: Looks | None, seconds: int) -> None:
    check_look_up(looks, LIMITS, NOON + timedelta(seconds=seconds), ZONE)


def test_so_many_in_any_minute() -> None:
    look_up_at(None, 0)
    look_up_at(after((LOOK_UP, 0)), 1)
    two = after((LOOK_UP, 0), (LOOK_UP, 10))
    with pytest.raises(LimitReached) as refused:
        look_up_at(two, 59)
    assert refused.value.code == "too_many_requests"
    assert refused.value.again_at == NOON + timedelta(seconds=60)
    look_up_at(two, 60)
    with pytest.raises(LimitReached):
        look_up_at(after((LOOK_UP, 0), (LOOK_UP, 10), (LOOK_UP, 60)), 69)


def test_so_many_on_a_day_of_the_site() -> None:
    four = after(*((LOOK_UP, 100 * number) for number in range(4)))
    with pytest.raises(LimitReached) as refused:
        look_up_at(four, 1000)
    assert refused.value.again_at == MIDNIGHT
    check_reveal(four, LIMITS, NOON, ZONE)


def test_reveals_are_counted_by_themselves() -> None:
    shown = after((REVEAL, 0))
    with pytest.raises(LimitReached) as refused:
        check_reveal(shown, LIMITS, NOON, ZONE)
    assert (refused.value.code, refused.value.again_at) == ("too_many_reveals", MIDNIGHT)
    look_up_at(shown, 1)


def test_a_stream_for_each_person_and_day() -> None:
    site, ming = UUID(int=9), UUID(int=2)
    streams = {looks_id(site, staff, date(2026, 3, day)) for staff in (LIN, ming) for day in (2, 3)}
    assert len(streams) == 4 and looks_id(site, LIN, date(2026, 3, 2)) in streams
