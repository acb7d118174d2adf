"""Stores of any size: one site's visitors, their facts in the order in which an office would have entered them.

All follows from a seed, except the keys of persons. A few visitors, the samples, have the same 50 facts in every
store, spread over the whole log.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from application.commands import Stamp
from application.event_store.appending import PersonKey
from application.event_store.mapper import encode
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Contact, Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.record import Draft, Fact
from domain.visitor import VisitorFollowedUp, VisitorRegistered

SEED = 20260701
MASTER = sha256(b"bench").digest()
RULEBOOK = "forty-three-articles"
STAFF = 12
START = datetime(2025, 1, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=300)
ASKED_AT = START + timedelta(days=265)
"""When the samples' last claim still runs."""

SAMPLES = 5
SAMPLE_FACTS = 50
STRETCHES = 4
"""A sample visitor is registered four times, by four consultants; each follows up every three days until the claim is
left to lapse and the next one comes."""

COMMON_NAME = "王先生"
COMMON_EVERY = 100
"""One visitor in so many bears the common name; the last sample is one of them."""

AT_ONCE = 500
"""So many other visitors are being looked after at any time."""
FACTS_A_VISITOR = (2, 18)
CHUNK = 20_000

COLUMNS = {
    "fact": (("position", "stream", "version", "name", "body", "recorded_at"),
             ("int8", "uuid", "int4", "text", "bytea", "timestamptz")),
    "command": (("actor", "id", "digest", "stream", "version", "facts"),
                ("uuid", "uuid", "bytea", "uuid", "int4", "int4")),
    "claim": (("kind", "key", "subject"), ("text", "bytea", "uuid")),
    "person_key": (("person", "wrapped"), ("uuid", "bytea")),
}  # fmt: skip


class Visitor:
    """A visitor whose file is being filled."""

    def __init__(self, store: Store, name: str, phone: str, facts: int) -> None:
        self.id, self.facts_left, self.version, self.registrations = store.new_id(), facts, 0, 0
        self.contact = Contact(name=name, phone=phone)
        self.key: PersonKey = store.keyring.new_person()
        self.sealed = store.keyring.seal(self.key.person, self.contact)

    def next_fact(self, by: UUID, register: bool) -> Fact:
        """The first fact is a registration, later ones as asked."""
        self.version, self.facts_left = self.version + 1, self.facts_left - 1
        if self.version > 1 and not register:
            return VisitorFollowedUp(registration=1, by=by, how="call")
        self.registrations += 1
        return VisitorRegistered(
            registration=self.registrations,
            person=self.key.person,
            sealed=self.sealed,
            has_name=True,
            has_phone=True,
            same_name_as=None if self.registrations == 1 else 1,
            by=by,
            via="visit",
        )


class Store:
    """A store in a schema of its own. `samples` are the ids of the visitors that every store has; `namesake` is one
    more of them, who bears the common name."""

    def __init__(self, uri: str, schema: str, facts: int) -> None:
        self.uri, self.schema, self.facts = uri, schema, facts
        self.samples: list[UUID] = []
        self.namesake: UUID
        self._random = random.Random(SEED)
        prepare_store(uri, schema, Keyring(MASTER, lambda persons: {}).fingerprint())
        self.recorder = PostgresRecorder(uri, schema=schema)
        self.record = Record(self.recorder)
        self.keyring = Keyring(MASTER, self.record.person_keys)
        self._open()

    def _open(self) -> None:
        """The site itself, through the commands."""
        first = Stamp(actor=uuid4(), at=START, entered_at=START)
        office = open_site(self.record, self.keyring, Shelf(), name="bench", timezone="Asia/Shanghai", stamp=first)
        since = office.in_force_since(RULEBOOK, START.date())
        office.adopt(Stamp(actor=uuid4(), at=since, entered_at=since), rulebook=RULEBOOK)
        self.site = office.site_id
        self.edition = office.files.editions().in_force[0].edition.label
        for number in range(STAFF):
            office.enrol_staff(Stamp(actor=uuid4(), at=START, entered_at=START), name=f"Consultant {number + 1}")
        self.staff = list(office.files.site().staff)

    def office(self) -> SalesOffice:
        """The office as somebody meets it who has nothing in memory yet."""
        return SalesOffice(self.record, Keyring(MASTER, self.record.person_keys), Shelf(), self.site)

    def new_id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def fill(self, progress: Callable[[int], None]) -> None:
        """Copy the facts in, with their commands, claims and keys. `progress` gets the number of facts done."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            with connection.transaction():
                first = self.record.position() + 1
                start = datetime.now(UTC)
                rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
                for index, (visitor, draft) in enumerate(self._drafts(self.facts + 1 - first)):
                    recorded_at = start + timedelta(microseconds=index)
                    self._add(rows, first + index, recorded_at, visitor, draft)
                    if len(rows["fact"]) == CHUNK:
                        self._copy(connection, rows)
                        progress(first + index)
                self._copy(connection, rows)
                self._update_head(connection, recorded_at)
            # What autovacuum would do sooner or later is not to fall into the measurement.
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.SQL(", ").join(map(self._table, COLUMNS))))
            connection.execute("CHECKPOINT")
        progress(self.facts)

    def _drafts(self, facts: int) -> Iterator[tuple[Visitor, Draft]]:
        """All facts in order; samples' facts at fixed fractions of the log, and at the same times in every store."""
        numbers = iter(range(10**8))
        samples = [self._new_visitor(numbers, SAMPLE_FACTS) for _ in range(SAMPLES + 1)]
        *self.samples, self.namesake = [sample.id for sample in samples]
        due = {
            int(day / SPAN.days * facts) + place: (sample, at + timedelta(days=day), stretch, new)
            for place, sample in enumerate(samples)
            for day, stretch, new in sample_days()
            for at in [START + timedelta(minutes=place)]
        }
        others = [self._new_visitor(numbers) for _ in range(AT_ONCE)]
        for index in range(facts):
            if index in due:
                visitor, at, stretch, register = due[index]
                by = self.staff[stretch]
            else:
                place = self._random.randrange(AT_ONCE)
                if others[place].facts_left == 0:
                    others[place] = self._new_visitor(numbers)
                visitor, at = others[place], START + SPAN * (index / facts)
                by, register = self.staff[visitor.id.int % STAFF], self._random.random() < 0.1
            yield visitor, self._draft(visitor, at, by, register)

    def _new_visitor(self, numbers: Iterator[int], facts: int | None = None) -> Visitor:
        number = next(numbers)
        name = COMMON_NAME if number % COMMON_EVERY == SAMPLES else f"客户{number}"
        return Visitor(self, name, f"+86138{number:08d}", facts or self._random.randint(*FACTS_A_VISITOR))

    def _draft(self, visitor: Visitor, at: datetime, by: UUID, register: bool) -> Draft:
        fact, command = visitor.next_fact(by, register), self.new_id()
        return Draft(
            site=self.site,
            stream=visitor.id,
            version=visitor.version,
            occurred_at=at,
            entered_at=at,
            actor=by,
            command_id=command,
            correlation_id=command,
            edition=self.edition,
            fact=fact,
        )

    def _add(
        self, rows: dict[str, list[tuple[Any, ...]]], position: int, at: datetime, visitor: Visitor, draft: Draft
    ) -> None:
        name, stream, version = draft.fact.stored_name, draft.stream, draft.version
        rows["fact"].append((position, stream, version, name, encode(draft), at))
        digest = self._random.randbytes(32)
        rows["command"].append((draft.actor, draft.command_id, digest, stream, version, 1))
        if version == 1:
            rows["person_key"].append((visitor.key.person, visitor.key.wrapped))
            for kind, value in (("phone", visitor.contact.phone), ("name", visitor.contact.name)):
                assert value is not None
                rows["claim"].append((kind, self.keyring.hash(self.site, kind, value), stream))

    def _copy(self, connection: psycopg.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
        for table, (columns, types) in COLUMNS.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
                self._table(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(types)
                for row in rows[table]:
                    copy.write_row(row)
            rows[table].clear()

    def _update_head(self, connection: psycopg.Connection, recorded_at: datetime) -> None:
        connection.execute(
            sql.SQL("UPDATE {} SET position = %s, appended_at = %s").format(self._table("head")),
            [self.facts, recorded_at],
        )

    def _table(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.schema, name)

    def close(self) -> None:
        self.record.close()


def sample_days() -> list[tuple[int, int, bool]]:
    """The 50 facts of a sample: day, number of the stretch, and whether it is a registration."""
    days: list[tuple[int, int, bool]] = []
    first = 0
    for stretch in range(STRETCHES):
        facts = SAMPLE_FACTS // STRETCHES + (stretch < SAMPLE_FACTS % STRETCHES)
        days += [(first + 3 * step, stretch, step == 0) for step in range(facts)]
        first = days[-1][0] + 40
    return days


def registration_bodies(number: int) -> list[bytes]:
    """Registrations as they are stored, of visitors with a name and a phone."""
    keyring = Keyring(MASTER, lambda persons: {})
    bodies = []
    for index in range(number):
        person, by, command = keyring.new_person().person, uuid4(), uuid4()
        fact = VisitorRegistered(
            registration=1,
            person=person,
            sealed=keyring.seal(person, Contact(name=f"客户{index}", phone=f"+86138{index:08d}")),
            has_name=True,
            has_phone=True,
            same_name_as=None,
            by=by,
            via="visit",
        )
        draft = Draft(
            site=uuid4(),
            stream=uuid4(),
            version=1,
            occurred_at=datetime.now(UTC),
            entered_at=None,
            actor=by,
            command_id=command,
            correlation_id=command,
            edition=f"{RULEBOOK}@2000-01-01",
            fact=fact,
        )
        bodies.append(encode(draft))
    return bodies
