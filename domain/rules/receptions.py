"""What a reception does to the claim of the visitor received (A8, A9, A10, A11, A13): the coded case of
`attribution.reception`, and how the one who closed a sale had received the customer (C2, C3, C4, C8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from ..calendar import day_of
from ..record import Envelope
from ..rulebook import Edition, merged
from ..visitor import VisitorReceived
from .contacts import Treatment, treatment
from .protection import PERIOD

CLAIMANT = "attribution.owned_by_claimant"


class Reception(msgspec.Struct, frozen=True, kw_only=True):
    """The case, coded; see the conditions of the table `attribution.reception`."""

    claim: str
    by: str
    entry: str
    channel: str
    came: str
    tie: str
    followed_up: str
    owner_was: str
    recognised: str


class Standing(Protocol):
    """The claim that a reception finds."""

    @property
    def owner(self) -> UUID: ...
    @property
    def tie(self) -> str: ...
    @property
    def followed_up(self) -> bool: ...


def case_of(
    fact: VisitorReceived, claim: str, by: str, found: Standing | None, complete: bool, edition: Edition
) -> Reception:
    """The case that a reception is. `claim`, `by`: how the claim stands, and whether the receiver owns it; `found`: the
    claim itself; `complete`: whether the entry is registered as the rules need it."""
    running = found is not None and claim == "running"
    others = running and by == "other"
    return Reception(
        claim=claim,
        by=by,
        entry="complete" if complete else "incomplete",
        channel=fact.channel,
        came=fact.came,
        tie=found.tie if found is not None and running else "none",
        followed_up="yes" if found is not None and running and found.followed_up else "no",
        owner_was=("present" if found.owner in fact.present else "away") if found is not None and others else "none",
        recognised=recognised(fact, edition) if others and fact.came == "unknown" else "no",
    )


def taken_as_new(fact: VisitorReceived, claim: Standing, complete: bool, edition: Edition) -> bool:
    """Whether a reception takes somebody else's visitor away as a new one, by the claim that it found (A8, A11,
    A13)."""
    if claim.owner == fact.receiver:
        return False
    case = case_of(fact, "running", "other", claim, complete, edition)
    return edition.finding(treatment_of_reception, case).effect == "founds"


def treatment_of_reception(edition: Edition, case: Reception) -> Treatment:
    """How `attribution.reception` treats a reception."""
    return treatment(edition, edition.row_for("attribution.reception", msgspec.structs.asdict(case)))


def for_claimant(edition: Edition) -> Treatment:
    """What a reception in somebody's stead does for a new visitor where he is the claimant's."""
    clauses = edition.parameter(CLAIMANT).clauses
    with_period = merged(clauses, edition.parameter(PERIOD).clauses)
    return Treatment("founds", "in_ones_stead", None, clauses, with_period)


def recognised(fact: VisitorReceived, edition: Edition) -> str:
    """Whether the visitor was recognised (no, in_time, late) by the edition's own grace."""
    if fact.recognised_after_seconds is None:
        return "no"
    within = edition.parameters.get("turns.recognised_within_minutes")
    minutes = within.value if within else None
    late = isinstance(minutes, int) and fact.recognised_after_seconds > 60 * minutes
    return "late" if late else "in_time"


def is_claimants(fact: VisitorReceived, edition: Edition) -> bool:
    """Whether a new visitor is the one's in whose stead he was received (A9, A10)."""
    return fact.in_stead_of is not None and fact.ground in edition.codes(CLAIMANT)


def circumstance(
    receptions: Iterable[Envelope], owner: UUID | None, closers: Sequence[UUID], sold: Envelope, zone: ZoneInfo
) -> str:
    """How the closers had last received the customer when none of them is the owner: a code of CIRCUMSTANCES. A
    reception in which the sale was closed counts, though its end was put on record later."""
    last: Envelope | None = None
    for envelope in receptions:
        fact = envelope.fact
        if isinstance(fact, VisitorReceived) and fact.receiver in closers and fact.began_at <= sold.occurred_at:
            last = envelope
    if last is None or owner is None or owner in closers:
        return "none"
    fact = last.fact
    assert isinstance(fact, VisitorReceived)
    if fact.entrusted:
        return "entrusted"
    if fact.in_stead_of is not None and fact.ground == "referrer":
        return "referral"
    if owner in fact.present:
        return "present"
    same_day = day_of(last.occurred_at, zone) == day_of(sold.occurred_at, zone)
    return "not_reached" if fact.came == "unknown" and same_day else "away"
