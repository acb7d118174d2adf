"""Which facts must be judged together: a customer with everybody who may be the same one and what they bought, a
dispute, a day on the floor, a site. A dossier is all facts of the streams that other facts tie together; views are
functions of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from application.office_files import adopted_edition
from domain import dispute as disputes
from domain import queue_state as queues
from domain import sale as sales
from domain import site as sites
from domain.attribution import Attribution, Question, attribute
from domain.record import FACTS, Envelope, Fact, present_name
from domain.rulebook import Edition, Editions, InForce
from domain.rules.floor import Floor
from domain.settlement import Settlement, settle
from domain.site import Site
from domain.visitor import Entry, Moment, VisitorBought, VisitorRegistered, VisitorRelated

CUSTOMER, DISPUTE, QUEUE, SITE = "customer", "dispute", "queue", "site"

KIND_OF = {
    **{"visitor": CUSTOMER, "sale": CUSTOMER, "dispute": DISPUTE, "queue": QUEUE},
    **{"site": SITE, "staff": SITE, "rulebook": SITE},
}
"""First word of a stored name -> the kind of dossier that facts of that name belong to."""

OF_VISITORS = frozenset(fact for name, fact in FACTS.items() if name.startswith("visitor."))
OF_SALES = frozenset(fact for name, fact in FACTS.items() if name.startswith("sale."))

TYING = (VisitorRelated, VisitorBought, sales.SaleRecorded)
"""The facts that tie their own stream to others."""


def kind_of(name: str) -> str | None:
    """The kind of dossier that facts of that stored name belong to; None when this program knows none."""
    return KIND_OF.get(present_name(name).partition(".")[0])


def tied_streams(fact: Fact) -> tuple[UUID, ...]:
    """The streams that a fact ties to its own."""
    if isinstance(fact, VisitorRelated):
        return fact.visitor.visitor, fact.to.visitor
    if isinstance(fact, VisitorBought):
        return (fact.sale,)
    if isinstance(fact, sales.SaleRecorded):
        return (fact.visitor.visitor, fact.buyer.visitor) if fact.buyer else (fact.visitor.visitor,)
    return ()


def connected(ties: Iterable[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """Every stream that is tied to others -> one of those it is tied to, near or far, that stands for all of them."""
    parent: dict[UUID, UUID] = {}

    def root(stream: UUID) -> UUID:
        while (above := parent.setdefault(stream, stream)) != stream:
            parent[stream] = stream = parent[above]
        return stream

    for one, other in ties:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return {stream: root(stream) for stream in list(parent)}


def dossiers(streams: Mapping[UUID, Sequence[Envelope]]) -> list[list[Envelope]]:
    """The facts of streams, put together by what ties them, each dossier in the order of the record."""
    ties = [(stream, other) for stream, facts in streams.items() for e in facts for other in tied_streams(e.fact)]
    root = connected(ties)
    found: dict[UUID, list[Envelope]] = defaultdict(list)
    for stream, facts in streams.items():
        found[root.get(stream, stream)].extend(facts)
    return [sorted(facts, key=lambda e: e.position) for facts in found.values() if facts]


IN_TOUCH = frozenset({"registration", "follow_up", "sale"})
"""What brings somebody of the staff and the customer together; rulings and assignments do not."""


class Context(msgspec.Struct, frozen=True):
    """What judging needs to know of a site: its rulebooks, staff and time zone, by the facts up to a moment."""

    site: Site
    zone: ZoneInfo
    editions: Editions
    roles: Mapping[UUID, str]
    changed_at: datetime
    """When a rulebook last came into force."""


def context_of(facts: Iterable[Envelope], known_at: datetime | None = None) -> Context | None:
    """The site by its facts (and, of its adoptions, by those known at a moment); None before its first rulebook."""
    site: Site | None = None
    for envelope in facts:
        site = sites.evolve(site, envelope)
    if site is None:
        return None
    known = [e for n, e in enumerate(site.adoptions) if n == 0 or known_at is None or e.known_at <= known_at]
    if not known:
        return None
    editions = Editions(tuple(InForce(e.occurred_at, adopted_edition(e), e.position) for e in known))
    roles = {staff: member.role for staff, member in site.staff.items()}
    return Context(site, site.zone, editions, roles, max(e.occurred_at for e in known))


T = TypeVar("T")


class once(Generic[T]):
    """What a method gives, worked out when first asked for. functools has the same behind a lock, which costs more than
    most of what is worked out here."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out, self._name = work_out, work_out.__name__

    def __get__(self, judged: Any, owner: type | None = None) -> T:
        found = judged.__dict__[self._name] = self._work_out(judged)
        return found


class Judged:
    """A dossier and what the rules say of it, worked out once for all views. Without `at`: as it stands after its last
    fact; what runs out by itself later is told from the rows by whoever reads them."""

    def __init__(self, kind: str, facts: Sequence[Envelope], context: Context, at: datetime | None = None) -> None:
        self.kind, self.facts, self.context = kind, facts, context
        latest = max(context.changed_at, max([e.known_at for e in facts]), max([e.occurred_at for e in facts]))
        self.moment = Moment(at or latest, latest)

    @property
    def site(self) -> UUID:
        return self.facts[0].site

    @once
    def positions(self) -> tuple[int, ...]:
        """The places of its facts in the log, in order."""
        return tuple([envelope.position for envelope in self.facts])

    @once
    def question(self) -> Question:
        history = [envelope for envelope in self.facts if type(envelope.fact) in OF_VISITORS]
        return Question(
            history=history, editions=self.context.editions, zone=self.context.zone, roles=self.context.roles
        )

    @once
    def registrations(self) -> dict[Entry, Envelope]:
        """The entries of the public register, in order."""
        return {
            Entry(envelope.stream, envelope.fact.registration): envelope
            for envelope in self.facts
            if type(envelope.fact) is VisitorRegistered
        }

    @once
    def customers(self) -> list[tuple[Entry, Attribution]]:
        """Every customer of the dossier, under the first of its entries."""
        found: list[tuple[Entry, Attribution]] = []
        seen: set[Entry] = set()
        for entry in self.registrations:
            if entry not in seen:
                attribution = attribute(self.question, entry, self.moment)
                seen |= attribution.customer.entries
                found.append((entry, attribution))
        return found

    @once
    def last_contacts(self) -> list[datetime | None]:
        """When somebody of the staff was last in touch with each of the customers, by when it happened, whoever it
        was."""
        return [
            max([step.at for step in found.steps if step.what in IN_TOUCH], default=None) for _, found in self.customers
        ]

    @once
    def sales(self) -> list[tuple[sales.Sale, Settlement]]:
        """Every sale and how it is settled."""
        facts = [envelope for envelope in self.facts if type(envelope.fact) in OF_SALES]
        if not facts:
            return []
        streams: dict[UUID, sales.Sale | None] = {}
        for envelope in facts:
            streams[envelope.stream] = sales.evolve(streams.get(envelope.stream), envelope)
        order = list(self.context.site.staff)
        return [
            (sale, settle(self.question, sale, known_at=self.moment, staff_order=order))
            for sale in streams.values()
            if sale is not None
        ]

    @once
    def dispute(self) -> disputes.Dispute | None:
        dispute: disputes.Dispute | None = None
        for envelope in self.facts:
            dispute = disputes.evolve(dispute, envelope)
        return dispute

    @once
    def floor(self) -> Floor | None:
        """A day on the floor as it stands after its last fact; None for facts without the day's opening.

        What the site says later changes nothing of it: the edition is the last fact's own, and who has left the company
        since is still of the staff.
        """
        queue: queues.Queue | None = None
        for envelope in self.facts:
            queue = queues.evolve(queue, envelope)
        if queue is None:
            return None
        members = {staff: replace(member, departed=False) for staff, member in self.context.site.staff.items()}
        last = self.facts[-1]
        return Floor(queue, _edition_of(last, self.context.editions), members, self.context.zone, last.occurred_at)


def _edition_of(fact: Envelope, editions: Editions) -> Edition:
    """The edition under which a fact was decided: of those adopted before it, the one in force that bears its label."""
    known = [item for item in editions.in_force if item.position < fact.position]
    for item in reversed(known):
        if item.since <= fact.occurred_at and item.edition.label == fact.edition:
            return item.edition
    return Editions(tuple(known) or editions.in_force[:1]).governing(fact.occurred_at)
