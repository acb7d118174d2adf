"""Looking at personal data, on record: looking somebody up, having a name and phone shown in full, and who did so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from domain import disclosure
from domain.calendar import day_of
from domain.disclosure import Limits, LookedUp, Looks, Purpose, Revealed, looks_id
from domain.record import Envelope, Fact
from domain.refusals import Refusal
from domain.visitor import Entry

from .commands import Decided, Stamp
from .looking_up import Found, look_up
from .privacy import clean_name, clean_phone
from .sales_office import SalesOffice

ASKED_BYTES = 3
LONGEST_NOTE = 200
MOST_KNOWN = 1000
"""So many streams are kept at hand; a person's of a day is one."""

What = Literal["reveals", "look_ups"]
FACTS_OF: dict[What, type[Fact]] = {"reveals": Revealed, "look_ups": LookedUp}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The name and phone of an entry in full. `left_today`: how many more the one who asked may have shown that day."""

    visitor: UUID
    registration: int
    name: str | None
    phone: str | None
    position: int
    repeated: bool
    left_today: int


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A look on record. Of a reveal: whose data, and why (`note`: None where nothing more was said, or it is erased).
    Of a look-up: by phone or name, how many entries were found, and a short hash of what was asked, the same for the
    same question."""

    at: datetime
    position: int
    by: UUID
    visitor: UUID | None = None
    registration: int | None = None
    purpose: str | None = None
    note: str | None = None
    kind: str | None = None
    found: int | None = None
    asked: str | None = None


Place = tuple[date, UUID, int]
"""Where a look stands: the day, the member of staff, the version in the stream of the two."""


def look_up_on_record(
    office: SalesOffice,
    stamp: Stamp,
    limits: Limits,
    *,
    phone: str | None = None,
    name: str | None = None,
    only_own_of: UUID | None = None,
) -> tuple[Found, ...]:
    """What the register holds under a phone, or under a full name, and that this was asked. A question asked again is
    another look. Raises Refusal bad_value, LimitReached too_many_requests."""
    kind: Literal["phone", "name"] = "phone" if phone is not None else "name"
    value = clean_phone(phone) if phone is not None else clean_name(name or "")
    found: list[Found] = []

    def decide() -> Decided:
        now, zone = office.now(), office.files.site().zone
        stream, looks = _looks(office, stamp.actor, day_of(now, zone))
        disclosure.check_look_up(looks, limits, now, zone)
        found[:] = look_up(office, **{kind: value}, only_own_of=only_own_of)
        asked = office.keyring.hash(office.site_id, f"asked {kind}", value)[:ASKED_BYTES]
        fact = LookedUp(by=stamp.actor, kind=kind, asked_hash=asked, found=len(found))
        return Decided([(stream, looks.version if looks else 0, [fact])])

    # What the command is known by must not say more of the question than the fact does.
    office.carry_out(msgspec.structs.replace(stamp, content=str(stamp.command_id)), decide)
    return tuple(found)


def reveal(
    office: SalesOffice, stamp: Stamp, limits: Limits, *, entry: Entry, purpose: Purpose, note: str | None = None
) -> Shown:
    """The name and phone of an entry in full, and that they were shown, to whom and why.

    Raises Refusal unknown_visitor, wrong_state (erased, or repeated late), bad_value (purpose `other` without a note),
    LimitReached too_many_reveals."""
    if purpose == "other" and not (note or "").strip():
        raise Refusal("bad_value", "say why, where the purpose is none of those listed")

    def decide() -> Decided:
        now, zone = office.now(), office.files.site().zone
        registration = office.files.visitor(entry.visitor).registration(entry.registration)
        if office.keyring.open(registration.person, registration.sealed) is None:
            raise Refusal("wrong_state", "these data are erased")
        stream, looks = _looks(office, stamp.actor, day_of(now, zone))
        disclosure.check_reveal(looks, limits, now, zone)
        fact = Revealed(
            visitor=entry,
            by=stamp.actor,
            purpose=purpose,
            person=registration.person,
            sealed=office.keyring.seal_note(registration.person, note.strip()) if note and note.strip() else None,
        )
        return Decided([(stream, looks.version if looks else 0, [fact])])

    carried = office.carry_out(stamp, decide, reveal=entry, purpose=purpose, note=note)
    (envelope,) = carried.envelopes
    if carried.repeated and disclosure.repeated_late(envelope.recorded_at, office.now()):
        raise Refusal("wrong_state", "this was shown before; ask anew, under another Idempotency-Key")
    contact = office.files.contact(entry, {entry.visitor: office.files.visitor(entry.visitor)})
    if contact is None:
        raise Refusal("wrong_state", "these data are erased")
    _, looks = _looks(office, stamp.actor, day_of(envelope.recorded_at, office.files.site().zone))
    return Shown(
        visitor=entry.visitor,
        registration=entry.registration,
        name=contact.name,
        phone=contact.phone,
        position=envelope.position,
        repeated=carried.repeated,
        left_today=max(0, limits.reveals_a_day - (looks.reveals if looks else 0)),
    )


def _looks(office: SalesOffice, staff: UUID, day: date) -> tuple[UUID, Looks | None]:
    """The stream of somebody's looks of a day, and what it holds."""
    lives = office.record.lives
    if office.looks_of != lives:  # as OfficeFiles does: what was read may be lost
        office.looks_of = lives
        office.looks.clear()
    stream = looks_id(office.site_id, staff, day)
    looks = office.looks.get(stream)
    for envelope in office.record.load_since(stream, looks.version if looks else 0):
        looks = disclosure.evolve(looks, envelope)
    if office.record.lives != lives:
        return _looks(office, staff, day)
    if looks is not None:
        if stream not in office.looks and len(office.looks) >= MOST_KNOWN:
            office.looks.clear()
        office.looks[stream] = looks
    return stream, looks


def looks_on_record(
    office: SalesOffice, what: What, days: list[date], *, staff: UUID | None, after: Place | None
) -> Iterator[tuple[Place, Look]]:
    """Looks of some days, day by day in that order, of all members of staff or one; those after a place, if one is
    given. Raises Refusal unknown_staff."""
    everybody = sorted(office.files.site().staff) if staff is None else [office.files.site().member(staff).staff]
    places = ((day, one) for day in days for one in everybody)
    if after is not None:
        rank = {day: number for number, day in enumerate(days)}
        first = (rank.get(after[0], len(days)), after[1])
        places = (place for place in places if (rank[place[0]], place[1]) >= first)
    for day, one in places:
        since = after[2] if after is not None and (day, one) == after[:2] else 0
        for envelope in office.record.load_since(looks_id(office.site_id, one, day), since):
            if isinstance(envelope.fact, FACTS_OF[what]):
                yield (day, one, envelope.version), _look(office, envelope)


def _look(office: SalesOffice, envelope: Envelope) -> Look:
    fact, at = envelope.fact, envelope.occurred_at.astimezone(office.files.site().zone)
    if isinstance(fact, LookedUp):
        return Look(
            at=at, position=envelope.position, by=fact.by, kind=fact.kind, found=fact.found, asked=fact.asked_hash.hex()
        )
    assert isinstance(fact, Revealed)
    return Look(
        at=at,
        position=envelope.position,
        by=fact.by,
        visitor=fact.visitor.visitor,
        registration=fact.visitor.registration,
        purpose=fact.purpose,
        note=office.keyring.open_note(fact.person, fact.sealed) if fact.sealed is not None else None,
    )
