"""A visitor's file: everything on record about one phone number's owner - registrations, follow-ups, relations, sales.

One file may hold several registrations (the same phone registered again); which of them are one customer, and who owns
that customer, is never stored: `attribution` works it out from the facts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from .record import Envelope, Fact, stored_as
from .refusals import Refusal
from .rules.vocabulary import RELATIONS, VIAS

Via = Literal["visit", "call", "web", "outreach"]
How = Literal["call", "visit", "message"]
Relation = Literal["spouse", "parent", "child", "sibling", "shareholder", "other"]
HOWS: tuple[str, ...] = ("call", "visit", "message")


class Entry(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """One entry in the public register: the file and the number of the registration in it (1 is the first)."""

    visitor: UUID
    registration: int


@stored_as("visitor.registered.v1")
class VisitorRegistered(Fact, frozen=True, kw_only=True):
    """An entry in the public register.

    `sealed` is name and phone, encrypted with the key of `person`; `same_name_as` is the first registration of
    this file
    under the same name (None: the first under its name, or no name given).
    """

    registration: int
    person: UUID
    sealed: bytes
    has_name: bool
    has_phone: bool
    same_name_as: int | None
    by: UUID
    via: Via
    number: str | None = None


@stored_as("visitor.followed_up.v1")
class VisitorFollowedUp(Fact, frozen=True, kw_only=True):
    registration: int
    by: UUID
    how: How


@stored_as("visitor.related.v1")
class VisitorRelated(Fact, frozen=True, kw_only=True):
    """`visitor` is the spouse (parent, ...) of `to`. Entered in both files; the command id tells that it is
    one fact."""

    visitor: Entry
    to: Entry
    relation: Relation
    proven: bool


@stored_as("visitor.bought.v1")
class VisitorBought(Fact, frozen=True, kw_only=True):
    """The buyer's file takes note of a sale; the sale's own stream holds the terms."""

    registration: int
    sale: UUID
    by: tuple[UUID, ...]


@stored_as("visitor.ruled.v1")
class VisitorRuled(Fact, frozen=True, kw_only=True):
    """A manager's ruling on who owns the visitor (None: nobody)."""

    registration: int
    dispute: UUID
    owner: UUID | None


@stored_as("visitor.assigned.v1")
class VisitorAssigned(Fact, frozen=True, kw_only=True):
    """A manager gives the visitor to a consultant: a public lead, a leaver's file, or a change granted to the visitor.

    `how`: distribution (A15), inheritance (A13), reassignment (A12; `fault` tells whether the service was at fault).
    """

    registration: int
    to: UUID
    by: UUID | None
    how: Literal["distribution", "inheritance", "reassignment"]
    fault: bool = False


@stored_as("visitor.entrusted.v1")
class VisitorEntrusted(Fact, frozen=True, kw_only=True):
    """The owner, away or busy, has asked a colleague to look after the visitor (C8)."""

    registration: int
    to: UUID
    by: UUID


@stored_as("visitor.received.v1")
class VisitorReceived(Fact, frozen=True, kw_only=True):
    """The visitor has been received; put on record when the reception was over.

    `came`: named, invited, brought, known, unknown (see CAME in rules.attribution_vocabulary). `in_stead_of`: for
    whom the receiver stood in, on which `ground` (named, inviter, referrer, owner); `entrusted`: because the owner
    had asked for it. `recognised_after_seconds`: when it was found out who the visitor is, if it was; `present`: who
    was on the floor."""

    registration: int
    receiver: UUID
    channel: Literal["visit", "call"]
    came: Literal["named", "invited", "brought", "known", "unknown"]
    began_at: datetime
    present: tuple[UUID, ...]
    in_stead_of: UUID | None = None
    ground: str | None = None
    entrusted: bool = False
    recognised_after_seconds: int | None = None


OF_AN_ENTRY = frozenset(
    {
        VisitorRegistered,
        VisitorFollowedUp,
        VisitorBought,
        VisitorRuled,
        VisitorAssigned,
        VisitorEntrusted,
        VisitorReceived,
    }
)
"""The facts of a visitor's file that are about one entry of the register; relations are about two."""


def entry_of(envelope: Envelope) -> Entry | None:
    """The entry of the register that a fact of a visitor's file is about (None: relations, and other facts)."""
    fact = envelope.fact
    return Entry(envelope.stream, fact.registration) if type(fact) in OF_AN_ENTRY else None  # type: ignore[attr-defined]


class Registration(msgspec.Struct, frozen=True):
    number: int
    person: UUID
    sealed: bytes
    has_name: bool
    has_phone: bool
    same_name_as: int | None


class VisitorFile(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a visitor's stream: its whole history, and what decisions look up in it."""

    id: UUID
    version: int
    history: tuple[Envelope, ...]
    registrations: tuple[Registration, ...]

    def registration(self, number: int) -> Registration:
        """Raises Refusal unknown_visitor."""
        if not 1 <= number <= len(self.registrations):
            raise Refusal("unknown_visitor", f"{self.id} has no registration {number}")
        return self.registrations[number - 1]


def evolve(file: VisitorFile | None, envelope: Envelope) -> VisitorFile:
    """Total: every fact joins the history; registrations are also listed."""
    fact = envelope.fact
    history = (*file.history, envelope) if file else (envelope,)
    registrations = file.registrations if file else ()
    if isinstance(fact, VisitorRegistered):
        registrations = (
            *registrations,
            Registration(fact.registration, fact.person, fact.sealed, fact.has_name, fact.has_phone, fact.same_name_as),
        )
    return VisitorFile(id=envelope.stream, version=envelope.version, history=history, registrations=registrations)


class RegisterVisitor(msgspec.Struct, frozen=True, kw_only=True):
    """`person`, `sealed` and `same_name_as` come from privacy, which alone sees names and phones."""

    person: UUID
    sealed: bytes
    has_name: bool
    has_phone: bool
    same_name_as: int | None
    by: UUID
    via: str = "visit"
    number: str | None = None


def register_visitor(file: VisitorFile | None, command: RegisterVisitor) -> VisitorRegistered:
    """Enter a visitor in the public register. What is incomplete is kept; whether it founds a claim is worked out (A2).

    Raises Refusal bad_value for an unknown channel.
    """
    if command.via not in VIAS:
        raise Refusal("bad_value", f"via {command.via!r}; one of {', '.join(VIAS)}")
    return VisitorRegistered(
        registration=len(file.registrations) + 1 if file else 1,
        person=command.person,
        sealed=command.sealed,
        has_name=command.has_name,
        has_phone=command.has_phone,
        same_name_as=command.same_name_as,
        by=command.by,
        via=command.via,  # type: ignore[arg-type]
        number=command.number,
    )


def follow_up(file: VisitorFile, registration: int, by: UUID, how: str, owner: UUID | None) -> VisitorFollowedUp:
    """Put a follow-up on record.

    Raises Refusal not_owner when somebody else's claim runs (`owner`); with no owner it is kept without effect.
    """
    file.registration(registration)
    if how not in HOWS:
        raise Refusal("bad_value", f"how {how!r}; one of {', '.join(HOWS)}")
    if owner is not None and owner != by:
        raise Refusal("not_owner", "another consultant's claim is running")
    return VisitorFollowedUp(registration=registration, by=by, how=how)  # type: ignore[arg-type]


def relate(
    file: VisitorFile, to_file: VisitorFile, visitor: Entry, to: Entry, relation: str, proven: bool
) -> VisitorRelated:
    """Put a relation between two registered visitors on record. Raises Refusal bad_value, unknown_visitor."""
    file.registration(visitor.registration)
    to_file.registration(to.registration)
    if visitor == to:
        raise Refusal("bad_value", "a visitor can't be related to himself")
    if relation not in RELATIONS:
        raise Refusal("bad_value", f"relation {relation!r}; one of {', '.join(RELATIONS)}")
    return VisitorRelated(visitor=visitor, to=to, relation=relation, proven=proven)  # type: ignore[arg-type]


def related_files(file: VisitorFile) -> frozenset[UUID]:
    """The other files that relations of this one point to."""
    ends = {
        end.visitor
        for envelope in file.history
        if isinstance(envelope.fact, VisitorRelated)
        for end in (envelope.fact.visitor, envelope.fact.to)
    }
    return frozenset(ends - {file.id})


def assign(
    file: VisitorFile,
    registration: int,
    to: UUID,
    how: Literal["distribution", "inheritance", "reassignment"],
    by: UUID | None,
    fault: bool = False,
) -> VisitorAssigned:
    """A manager gives the visitor to a consultant. Raises Refusal unknown_visitor."""
    file.registration(registration)
    return VisitorAssigned(registration=registration, to=to, by=by, how=how, fault=fault)


def entrust(file: VisitorFile, registration: int, to: UUID, by: UUID, owner: UUID | None) -> VisitorEntrusted:
    """The owner asks a colleague to look after the visitor. Raises Refusal not_owner, bad_value (oneself)."""
    file.registration(registration)
    if owner != by:
        raise Refusal("not_owner", "only the owner entrusts a visitor")
    if to == by:
        raise Refusal("bad_value", "one entrusts a visitor to somebody else")
    return VisitorEntrusted(registration=registration, to=to, by=by)


class Moment(msgspec.Struct, frozen=True):
    """The two times of a question or a command: when it happened (or is asked about), and what was on record
    by then."""

    at: datetime
    known_at: datetime
