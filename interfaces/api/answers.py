"""What a command answers: the facts it put on record, the clauses they rest on with their texts, who owns the visitor
or has which share, and the position up to which all of that holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from application.desk import Answer
from application.replay import lines
from application.replay.lines import Citation, Text
from application.replay.wording import GROUND, SHARES
from application.sales_office import SalesOffice
from domain import sales_turn_queue as floor
from domain.attribution import Attribution
from domain.dispute import DisputeOpened, DisputeRuled
from domain.record import Envelope, Fact
from domain.sales_turn_queue import QueueOpened
from domain.settlement import Settlement
from domain.site import StaffDeparted
from domain.visitor import VisitorRegistered

HIDDEN = frozenset({"sealed", "person", "buyer_sealed", "buyer_person", "text", "sha256", "asked_hash"})
"""Fields of facts that are not told: ciphertext, whose key it is under, a rulebook's whole text."""

OF_OTHERS = frozenset({"same_name_as"})
"""Fields that are not told of another's customer: what else the register holds of it. The number of the entry that the
command made stays: without it nothing more could be said of that entry."""

ID_LENGTH = len(str(UUID(int=0)))

RESTS_ON: dict[type[Fact], tuple[str, ...]] = {
    DisputeOpened: ("attribution.claim_within_days",),
    DisputeRuled: ("attribution.ruled_by",),
    VisitorRegistered: ("attribution.required",),
    StaffDeparted: ("attribution.distributed_by",),
    floor.SignedIn: ("turns.order", "turns.taken_by"),
    floor.ReadinessChanged: ("turns.taken_by", "turns.lowest_is_retested", "turns.call_conversion_percent"),
    floor.Permitted: ("turns.second_visitor_by",),
    floor.PostTaken: ("turns.ab_posts",),
    floor.DoorTaken: ("turns.door_minutes", "turns.door_receives"),
    floor.Ranked: ("turns.order",),
    floor.DayDeclared: ("turns.media_day_receives",),
    floor.Helped: ("turns.large_party", "turns.taken_by"),
}
"""Facts that carry no clauses -> the parameters that decided on them, whose clauses are cited instead."""


class FactTold(msgspec.Struct, frozen=True, kw_only=True):
    """A fact. `fact` is its stored name; `content` its fields, members of staff and visitors by id."""

    fact: str
    position: int
    at: datetime
    known_at: datetime
    edition: str | None
    content: dict[str, Any]


class EntryLine(msgspec.Struct, frozen=True):
    """An entry in the public register: the visitor's file, and which of its registrations."""

    visitor: UUID
    registration: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns a visitor (None: nobody) and on what ground; `until`: the last protected day (None: no limit, or
    nobody). Of another's customer a consultant is told the owner alone."""

    owner: str | None
    owner_id: UUID | None
    ground: str | None
    ground_text: Text | None
    since: datetime | None
    until: date | None
    bought: bool | None
    clauses: tuple[str, ...]


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """How the commission of a sale is shared: fractions, and yuan with two decimals, by member of staff."""

    ground: str
    ground_text: Text
    shares: dict[UUID, str]
    amounts: dict[UUID, str]
    clauses: tuple[str, ...]


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """What a command brought about. `repeated`: it was carried out before, and this is the first answer once more.

    `facts` is empty where the command changed nothing. `subject`: the id of what it made or concerned; `reception`,
    `dispute`: how those are called. `clauses`: every clause cited, with its text; `staff`: the names of those
    mentioned."""

    position: int
    repeated: bool
    subject: UUID | None
    reception: str | None
    dispute: str | None
    visitor: EntryLine | None
    attribution: Standing | None
    settlement: Shares | None
    facts: tuple[FactTold, ...]
    clauses: tuple[Citation, ...]
    staff: dict[UUID, str]


def happened(office: SalesOffice, answer: Answer, *, only_own_of: UUID | None = None) -> Happened:
    """An answer as it is told. `only_own_of`: of whom alone the customers are told of in full (None: of everybody)."""
    found = answer.attribution
    taken = found is not None and only_own_of is not None and found.owner not in (None, only_own_of)
    hidden = HIDDEN | OF_OTHERS if taken else HIDDEN
    facts = tuple(_fact(office, e, hidden) for e in answer.facts if not isinstance(e.fact, QueueOpened))
    standing = (taken_by if taken else standing_of)(office, found) if found else None
    shares = shares_of(answer.settlement) if answer.settlement else None
    said = [(name, value) for fact in facts for name, value in _walk(fact.content) if isinstance(value, str)]
    cited = [*(clause for name, clause in said if name == "clauses"), *_decided_by(office, answer.facts)]
    if found and not taken:
        # What the last thing that happened did, also where the claim does not rest on it.
        cited += [*found.clauses, *(c for step in found.steps[-1:] for c in step.clauses)]
    mentioned = [standing.owner_id] if standing else []
    return Happened(
        position=answer.position,
        repeated=answer.repeated,
        subject=answer.subject,
        reception=next((r for e in answer.facts if (r := getattr(e.fact, "reception", None))), None),
        dispute=next((e.fact.label for e in answer.facts if isinstance(e.fact, DisputeOpened)), None),
        visitor=EntryLine(answer.entry.visitor, answer.entry.registration) if answer.entry else None,
        attribution=standing,
        settlement=shares,
        facts=facts,
        clauses=citations(office, [*cited, *(shares.clauses if shares else ())]),
        staff=names(office, [*mentioned, *(value for _, value in said), *(shares.shares if shares else ())]),
    )


def standing_of(office: SalesOffice, found: Attribution) -> Standing:
    return Standing(
        owner=office.files.staff_name(found.owner) if found.owner else None,
        owner_id=found.owner,
        ground=found.ground,
        ground_text=Text(*GROUND[found.ground]),
        since=found.claim.since.astimezone(office.files.site().zone) if found.claim else None,
        until=found.until,
        bought=found.claim is not None and found.claim.bought,
        clauses=found.clauses,
    )


def taken_by(office: SalesOffice, found: Attribution) -> Standing:
    """What somebody is told of another's customer: that it is taken, and by whom."""
    told = standing_of(office, found)
    return msgspec.structs.replace(told, ground=None, ground_text=None, since=None, until=None, bought=None, clauses=())


def shares_of(found: Settlement) -> Shares:
    return Shares(
        ground=found.ground,
        ground_text=Text(*SHARES[found.ground]),
        shares={staff: str(share) for staff, share in found.shares.items()},
        amounts={staff: str(amount) for staff, amount in found.amounts.items()},
        clauses=found.clauses,
    )


def citations(office: SalesOffice, ids: Iterable[str]) -> tuple[Citation, ...]:
    """Clauses with their texts, each once."""
    cited = dict.fromkeys(ids)
    return lines.citations(office.files.editions(), cited) if cited else ()


def names(office: SalesOffice, ids: Iterable[Any]) -> dict[UUID, str]:
    """The names of those ids that are members of staff."""
    known = office.files.site().staff
    found = dict.fromkeys(staff for one in ids if (staff := _as_id(one)) in known)
    return {staff: office.files.staff_name(staff) for staff in found if staff is not None}


def _as_id(one: Any) -> UUID | None:
    if isinstance(one, UUID):
        return one
    if not isinstance(one, str) or len(one) != ID_LENGTH:
        return None
    try:
        return UUID(one)
    except ValueError:
        return None


def _fact(office: SalesOffice, envelope: Envelope, hidden: frozenset[str]) -> FactTold:
    zone = office.files.site().zone
    content = msgspec.to_builtins(envelope.fact)
    return FactTold(
        fact=envelope.fact.stored_name,
        position=envelope.position,
        at=envelope.occurred_at.astimezone(zone),
        known_at=envelope.known_at.astimezone(zone),
        edition=envelope.edition,
        content={name: value for name, value in content.items() if name not in hidden},
    )


def _decided_by(office: SalesOffice, facts: Iterable[Envelope]) -> Iterator[str]:
    """The clauses of the parameters that facts rest on, by the edition in force when they became known."""
    known = [(envelope, RESTS_ON[type(envelope.fact)]) for envelope in facts if type(envelope.fact) in RESTS_ON]
    if not known or not office.files.site().adoptions:
        return
    editions = office.files.editions()
    for envelope, names_ in known:
        if envelope.known_at >= editions.in_force[0].since:
            parameters = editions.at(envelope.known_at).parameters
            yield from (clause for name in names_ if name in parameters for clause in parameters[name].clauses)


def _walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value in a content, keys included, with the name of the field it stands in."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield "", key
            yield from _walk(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner, name)
    else:
        yield name, value
