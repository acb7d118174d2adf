"""What a sales office has on file: reading sites, visitors, sales and disputes back from the record, with
names in the clear."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, reduce
from typing import TypeVar
from uuid import UUID

from domain import dispute as disputes
from domain import queue_state as queues
from domain import sale as sales
from domain import site as sites
from domain import visitor as visitors
from domain.attribution import Question
from domain.calendar import day_of
from domain.queue_state import Queue
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rulebook import Edition, Editions, InForce
from domain.rules.vocabulary import amend_edition, check_amendment
from domain.sales_turn_queue import queue_id
from domain.site import RulebookAdopted, Site
from domain.visitor import Entry, VisitorFile, related_files

from .event_store.record import Record
from .privacy import Contact, Keyring
from .rulebooks import parse_edition

S = TypeVar("S")

DAYS_AT_HAND = 8
"""So many days' queues are kept between commands."""


@lru_cache(maxsize=256)
def _edition(text: str, amend: str) -> Edition:
    edition = parse_edition(text, adopted=True)
    return edition.amended(check_amendment(edition, json.loads(amend)))


def adopted_edition(envelope: Envelope) -> Edition:
    """The edition that an adoption put in force, from the text that the fact itself carries."""
    fact = envelope.fact
    assert isinstance(fact, RulebookAdopted)
    return _edition(fact.text, json.dumps(fact.amend, sort_keys=True))


class OfficeFiles:
    """The files of one site."""

    def __init__(self, record: Record, keyring: Keyring, site: UUID) -> None:
        self.record, self.keyring, self.site_id = record, keyring, site
        self._site: Site | None = None
        self._holds, self._read_at = False, -math.inf
        self._lives = record.lives
        self._names: dict[UUID, str] = {}
        self._in_force: dict[int, InForce] = {}
        self._ahead: dict[UUID, Sequence[Envelope]] = {}
        self._wanted: UUID | None = None
        self._queues: dict[date, Queue] = {}
        self._without_queue_before: set[date] = set()
        """Days before which nothing was found; what is entered for earlier days later on is not taken over either."""
        self.latest = datetime.min.replace(tzinfo=UTC)
        """The record's own time as far as it has been read: what is on record is known, whatever our clock says."""

    # The site

    def hold(self, *, anew: bool = True) -> None:
        """From now on the site is read once, at its next use, and again only after `read_anew`: an answer rests on one
        reading of it, not on ten. Not `anew`: it is taken as it was read last."""
        self._holds = True
        if anew:
            self._read_at = -math.inf

    def read_anew(self, older_than_seconds: float = 0.0) -> None:
        """The site is read again at its next use, unless it was read just now: something may have been put on record
        meanwhile."""
        if time.monotonic() - self._read_at >= older_than_seconds:
            self._read_at = -math.inf

    @contextmanager
    def one_reading(self) -> Iterator[Site]:
        """The site as it stands now, or was read by whom `hold` keeps; all that is asked within rests on this one
        reading. Raises Refusal unknown_site."""
        held = self._holds
        if not held:
            self.hold()
        try:
            yield self.site()
        finally:
            self._holds = held

    def let_go(self) -> None:
        """From now on the site is read at every use, as at the beginning."""
        self._holds = False

    def site(self) -> Site:
        """The site as it stands now, or as it was read by whom `hold` keeps. Raises Refusal unknown_site."""
        self._forget_what_may_be_lost()
        site = self._site
        if self._holds and site is not None and self._read_at > -math.inf:
            return site
        began = time.monotonic()
        site = self._folded(self.record.load_since(self.site_id, site.version if site else 0))
        if self._lives != self.record.lives:
            return self.site()
        if site is None:
            raise Refusal("unknown_site", str(self.site_id))
        self._site, self._read_at = site, began
        return site

    @property
    def read_until(self) -> int:
        """The version of the site as far as it has been read."""
        self._forget_what_may_be_lost()
        return self._site.version if self._site else 0

    def look_ahead(self, stream: UUID | None) -> None:
        """Somebody will ask for the facts of that stream: they may be read together with the site's."""
        self._wanted = stream if stream != self.site_id else None
        self._ahead.clear()

    def to_read(self) -> dict[UUID, int]:
        """What to read together with others and to hand to `take`: streams, each after a version."""
        return {self.site_id: self.read_until, **({self._wanted: 0} if self._wanted else {})}

    def take(self, found: Mapping[UUID, Sequence[Envelope]], began: float) -> None:
        """The facts that `to_read` names, which somebody has read together with others, from `began` on."""
        site = self._folded(found[self.site_id])
        if self._lives == self.record.lives and site is not None:
            self._site, self._read_at = site, began
            self._ahead = {stream: facts for stream, facts in found.items() if stream == self._wanted}

    def _folded(self, envelopes: Sequence[Envelope]) -> Site | None:
        if envelopes:
            self._names.clear()  # somebody may bear the name of another
        return reduce(sites.evolve, envelopes, self._site)

    def _load(self, stream: UUID, evolve: Callable[[S | None, Envelope], S | None]) -> S | None:
        """The state of a stream as it is now, or was when it was read together with the site; that once."""
        self._forget_what_may_be_lost()
        read = self._ahead.pop(stream, None)
        return self.record.load(stream, evolve) if read is None else reduce(evolve, read, None)

    def _forget_what_may_be_lost(self) -> None:
        """A fact can be read a moment before it is on disk. If the database dies in that moment it is gone, and another
        will stand in its place: nobody may go on from it."""
        if self._lives != self.record.lives:
            self._lives, self._site = self.record.lives, None
            self._ahead.clear()
            self._names.clear()
            self._in_force.clear()
            self._queues.clear()
            self._without_queue_before.clear()

    def _seen(self, envelope: Envelope) -> None:
        self.latest = max(self.latest, envelope.recorded_at)

    def editions(self, *, until_position: int | None = None, known_at: datetime | None = None) -> Editions:
        """The editions in force, by the adoptions on record. Raises Refusal wrong_state when there is none yet."""
        adoptions = [
            e
            for index, e in enumerate(self.site().adoptions)
            if index == 0
            or (
                (until_position is None or e.position <= until_position)
                and (known_at is None or e.known_at <= known_at)
            )
        ]
        if not adoptions:
            raise Refusal("wrong_state", "the site has adopted no rulebook yet")
        return Editions(tuple(map(self._put_in_force, adoptions)))

    def _put_in_force(self, adoption: Envelope) -> InForce:
        position = adoption.position
        if position not in self._in_force:
            self._in_force[position] = InForce(adoption.occurred_at, adopted_edition(adoption), position)
        return self._in_force[position]

    def staff_name(self, staff: UUID) -> str:
        """What to call a member of staff: the name - with the short id where several bear it -, else the short
        id alone."""
        if staff not in self._names:
            names = self._plain_names()
            borne = Counter(names.values())
            self._names = {one: f"{n} ({str(one)[:4]})" if borne[n] > 1 else n for one, n in names.items()}
        return self._names.get(staff) or str(staff)[:8]

    def _plain_names(self) -> dict[UUID, str]:
        members = self.site().staff
        self.keyring.load(list(members))
        opened = {staff: self.keyring.open(staff, member.sealed) for staff, member in members.items()}
        return {staff: contact.name for staff, contact in opened.items() if contact and contact.name}

    def staff_by_name(self) -> dict[str, list[UUID]]:
        """Everybody on the staff list by name."""
        found: dict[str, list[UUID]] = {}
        for staff, name in self._plain_names().items():
            found.setdefault(name, []).append(staff)
        return found

    # Visitors

    def visitor(self, visitor: UUID) -> VisitorFile:
        """Raises Refusal unknown_visitor."""
        file = self._load(visitor, visitors.evolve)
        if file is None or not file.registrations or file.history[0].site != self.site_id:
            raise Refusal("unknown_visitor", str(visitor))
        self._seen(file.history[-1])
        return file

    def customer_files(self, visitor: UUID) -> dict[UUID, VisitorFile]:
        """The visitor's file and every file that relations lead to, near or far."""
        found: dict[UUID, VisitorFile] = {}
        to_read = [visitor]
        while to_read:
            file = self.visitor(to_read.pop())
            found[file.id] = file
            to_read.extend(related_files(file) - found.keys() - set(to_read))
        return found

    def question(
        self,
        files: Mapping[UUID, VisitorFile],
        *,
        more: Iterable[Envelope] = (),
        editions: Editions | None = None,
        until_position: int | None = None,
    ) -> Question:
        """What attribution works on. `more`: facts of these files that were put on record since they were read."""
        site = self.site()
        history = {e.position: e for file in files.values() for e in file.history}
        history.update({e.position: e for e in more})
        return Question(
            history=[
                history[position]
                for position in sorted(history)
                if until_position is None or position <= until_position
            ],
            editions=editions or self.editions(until_position=until_position),
            zone=site.zone,
            roles={staff: member.role for staff, member in site.staff.items()},
        )

    def contact(self, entry: Entry, files: Mapping[UUID, VisitorFile]) -> Contact | None:
        """Name and phone of an entry; None when erased."""
        registration = files[entry.visitor].registration(entry.registration)
        return self.keyring.open(registration.person, registration.sealed)

    def entry_of_name(self, visitor: UUID, name: str | None) -> Entry:
        """Which entry of a file a name means: the first under that name, else the first of all."""
        file = self.visitor(visitor)
        for registration in file.registrations:
            contact = self.keyring.open(registration.person, registration.sealed)
            if registration.same_name_as is None and contact is not None and contact.name == name:
                return Entry(visitor, registration.number)
        return Entry(visitor, 1)

    # Sales and disputes

    def sale(self, sale: UUID) -> sales.Sale:
        """Raises Refusal unknown_sale."""
        found = self._load(sale, sales.evolve)
        if found is None or found.recorded.site != self.site_id:
            raise Refusal("unknown_sale", str(sale))
        self._seen((found.recorded, *found.agreements, *found.rulings)[-1])
        return found

    def dispute(self, dispute: UUID) -> disputes.Dispute:
        """Raises Refusal unknown_dispute."""
        found = self._load(dispute, disputes.evolve)
        if found is None or found.opened.site != self.site_id:
            raise Refusal("unknown_dispute", str(dispute))
        return found

    # The floor

    def queue(self, day: date) -> Queue | None:
        """The queue of a business day as it stands; None while nothing has happened that day."""
        self._forget_what_may_be_lost()
        known = self._queues.get(day)
        found = self.record.load_since(queue_id(self.site_id, day), known.version if known else 0)
        queue = reduce(queues.evolve, found, known)
        if self._lives != self.record.lives:
            return self.queue(day)
        if queue is None:
            return None
        if day not in self._queues and len(self._queues) >= DAYS_AT_HAND:
            self._queues.pop(min(self._queues))
        self._queues[day] = queue
        return queue

    def queue_before(self, day: date) -> Queue | None:
        """The last queue before a day, from which it takes over; None after a year without one."""
        if day in self._without_queue_before:
            return None
        for days in range(1, 367):
            before = day - timedelta(days=days)
            if (queue := self.queue(before)) is not None:
                return queue
            if before < self.opened_on:
                break
        self._without_queue_before.add(day)
        return None

    @property
    def opened_on(self) -> date:
        """The site's first day."""
        site = self.site()
        return day_of(site.opened_at, site.zone)

    # Look-ups

    def key(self, kind: str, value: str) -> bytes:
        """The key under which something of this site is held: keyed hashes for personal data, plain bytes otherwise."""
        if kind in ("phone", "name"):
            return self.keyring.hash(self.site_id, kind, value)
        return self.site_id.bytes + value.encode()

    def held_by(self, kind: str, value: str) -> list[UUID]:
        return self.record.held_by(kind, self.key(kind, value))


def amended(editions: Editions, amend: Mapping[str, object]) -> Editions:
    """Every edition with the parameters changed. Raises Refusal unknown_parameter, bad_value."""
    changed: list[InForce] = []
    for item in editions.in_force:
        changed.append(InForce(item.since, amend_edition(item.edition, amend), item.position))
    return Editions(tuple(changed))
