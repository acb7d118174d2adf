"""Looks at personal data: whoever looks somebody up, or has a name and phone shown in full, puts that on record - in a
stream for each member of staff and day of the site, on whose version the caps are decided.

A fact never holds what was asked, nor what was shown."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from .calendar import end_of
from .record import Envelope, Fact, stored_as
from .refusals import LimitReached
from .visitor import Entry

Kind = Literal["phone", "name"]
Purpose = Literal["contact", "contract", "dispute", "complaint", "correction", "other"]
PURPOSES: tuple[str, ...] = Purpose.__args__  # type: ignore[attr-defined]

MINUTE = timedelta(minutes=1)
REPEATED_WITHIN = timedelta(minutes=10)
"""So long what was shown is shown again to who repeats the asking, as an answer may have been lost on its way."""


@stored_as("disclosure.looked_up.v1")
class LookedUp(Fact, frozen=True, kw_only=True):
    """Somebody asked who has a phone or name. `asked_hash`: the first three bytes of a keyed hash of what was asked:
    enough to say that it was this one (wrong once in sixteen million), too few to find out by trial which one it was:
    hundreds of numbers share them. `found`: how many entries were told."""

    by: UUID
    kind: Kind
    asked_hash: bytes
    found: int


@stored_as("disclosure.revealed.v1")
class Revealed(Fact, frozen=True, kw_only=True):
    """Somebody was shown the name and phone of an entry in full. `sealed`: what was said of why beyond the `purpose`,
    encrypted with the key of `person`, whose data were shown, for it may speak of them."""

    visitor: Entry
    by: UUID
    purpose: Purpose
    person: UUID
    sealed: bytes | None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How often one member of staff may look: `reveals_a_day` and `look_ups_a_day` on the site's calendar,
    `look_ups_a_minute` in any sixty seconds; and how many exports a site may propose on a day, each of how many persons
    at most."""

    look_ups_a_minute: int = 30
    look_ups_a_day: int = 500
    reveals_a_day: int = 50
    exports_a_day: int = 3
    persons_an_export: int = 10_000


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff has looked at on a day. `lately`: when the look-ups of the last minute were."""

    version: int
    look_ups: int = 0
    reveals: int = 0
    lately: tuple[datetime, ...] = ()


def evolve(looks: Looks | None, envelope: Envelope) -> Looks:
    """Total."""
    known, fact = looks or Looks(version=0), envelope.fact
    look_ups, reveals, lately = known.look_ups, known.reveals, known.lately
    if isinstance(fact, LookedUp):
        look_ups += 1
        lately = (*(at for at in lately if at > envelope.recorded_at - MINUTE), envelope.recorded_at)
    elif isinstance(fact, Revealed):
        reveals += 1
    return Looks(version=envelope.version, look_ups=look_ups, reveals=reveals, lately=lately)


def check_look_up(looks: Looks | None, limits: Limits, now: datetime, zone: ZoneInfo) -> None:
    """Raises LimitReached too_many_requests."""
    if looks is None:
        return
    if looks.look_ups >= limits.look_ups_a_day:
        raise LimitReached("too_many_requests", again_at=day_ends(now, zone))
    lately = [at for at in looks.lately if at > now - MINUTE]
    if len(lately) >= limits.look_ups_a_minute:
        raise LimitReached("too_many_requests", again_at=lately[-limits.look_ups_a_minute] + MINUTE)


def check_reveal(looks: Looks | None, limits: Limits, now: datetime, zone: ZoneInfo) -> None:
    """Raises LimitReached too_many_reveals."""
    if looks is not None and looks.reveals >= limits.reveals_a_day:
        raise LimitReached("too_many_reveals", again_at=day_ends(now, zone))


def repeated_late(first: datetime, now: datetime) -> bool:
    """Whether a repeat of what was asked first at an instant comes too late to be shown the same again."""
    return now > first + REPEATED_WITHIN


def day_ends(now: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of the site's next day."""
    return end_of(now.astimezone(zone).date(), zone)


def looks_id(site: UUID, staff: UUID, day: date) -> UUID:
    """The stream of what a member of staff looks at on a day of the site's calendar."""
    return uuid5(site, f"looks {staff} {day.isoformat()}")
