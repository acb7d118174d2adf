"""A store of many visitors with the sample office's mix of facts: registrations and follow-ups in about equal number,
one visitor in ten buys, one in a hundred has a relative on the register, one sale in twenty is disputed.

Only the log is filled, which is all that a rebuild reads; names and phones are as many random bytes as if sealed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from application.commands import Stamp
from application.event_store.mapper import encode
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import open_site
from domain.dispute import DisputeOpened
from domain.record import Draft, Fact
from domain.sale import SaleRecorded
from domain.visitor import Entry, VisitorBought, VisitorFollowedUp, VisitorRegistered, VisitorRelated

from .filling import MASTER, RULEBOOK, SEED, START

FACTS_A_VISITOR = 5
STAFF = 12
SPAN = timedelta(days=365)
AT_ONCE = 2_000
SEALED_BYTES = 84
CHUNK = 20_000
REGISTERS_AGAIN = 0.35
BUYS, RELATED, DISPUTED = 0.1, 0.01, 0.05


class Put(NamedTuple):
    stream: UUID
    version: int
    fact: Fact


class Crowd:
    """A store in a schema of its own, filled with so many facts."""

    def __init__(self, uri: str, schema: str, facts: int) -> None:
        self.uri, self.schema, self.facts = uri, schema, facts
        self._random = random.Random(SEED)
        prepare_store(uri, schema, Keyring(MASTER, lambda persons: {}).fingerprint())
        self.recorder = PostgresRecorder(uri, schema=schema)
        self.record = Record(self.recorder)
        self.keyring = Keyring(MASTER, self.record.person_keys)
        first = Stamp(actor=uuid4(), at=START, entered_at=START)
        office = open_site(self.record, self.keyring, Shelf(), name="crowd", timezone="Asia/Shanghai", stamp=first)
        since = office.in_force_since(RULEBOOK, START.date())
        office.adopt(Stamp(actor=uuid4(), at=since, entered_at=since), rulebook=RULEBOOK)
        for number in range(STAFF):
            office.enrol_staff(Stamp(actor=uuid4(), at=START, entered_at=START), name=f"Consultant {number + 1}")
        self.office, self.site = office, office.site_id
        self.edition = office.files.editions().in_force[0].edition.label
        self.staff = list(office.files.site().staff)

    def fill(self, progress: Callable[[int], None] = lambda done: None) -> None:
        """Copy the facts in. `progress` is given the number of facts done."""
        first = self.record.position() + 1
        recorded_at = start = datetime.now(UTC)
        columns = sql.SQL("COPY {} (position, stream, version, name, body, recorded_at) FROM STDIN (FORMAT BINARY)")
        with psycopg.connect(self.uri, autocommit=True) as connection:
            with (
                connection.transaction(),
                connection.cursor() as cursor,
                cursor.copy(columns.format(sql.Identifier(self.schema, "fact"))) as copy,
            ):
                copy.set_types(["int8", "uuid", "int4", "text", "bytea", "timestamptz"])
                for position, put in enumerate(self._facts(), start=first):
                    recorded_at = start + timedelta(microseconds=position)
                    at = START + SPAN * (position / self.facts)
                    body = encode(self._draft(put, at))
                    copy.write_row((position, put.stream, put.version, put.fact.stored_name, body, recorded_at))
                    if position % CHUNK == 0:
                        progress(position)
                    if position == self.facts:
                        break
            head = sql.SQL("UPDATE {} SET position = %s, appended_at = %s").format(sql.Identifier(self.schema, "head"))
            connection.execute(head, [self.facts, recorded_at])
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(self.schema, "fact")))
            connection.execute("CHECKPOINT")

    def _facts(self) -> Iterator[Put]:
        """Facts of many visitors at a time, for ever."""
        files: list[Iterator[Put]] = [iter(()) for _ in range(AT_ONCE)]
        while True:
            place = self._random.randrange(AT_ONCE)
            put = next(files[place], None)
            if put is None:
                files[place] = self._visitor()
                put = next(files[place])
            yield put

    def _visitor(self) -> Iterator[Put]:
        chance, visitor, person = self._random, self._id(), self._id()
        by, version = chance.choice(self.staff), 1
        yield Put(visitor, 1, self._registered(1, person, by))
        registrations = 1
        for _ in range(chance.randint(0, 2 * (FACTS_A_VISITOR - 1) - 1)):
            version += 1
            if chance.random() < REGISTERS_AGAIN:
                registrations += 1
                again = chance.choice(self.staff)
                yield Put(visitor, version, self._registered(registrations, person, again))
            else:
                yield Put(visitor, version, VisitorFollowedUp(registration=1, by=by, how="call"))
        if chance.random() < RELATED:
            relative = self._id()
            yield Put(relative, 1, self._registered(1, self._id(), chance.choice(self.staff)))
            related = VisitorRelated(visitor=Entry(relative, 1), to=Entry(visitor, 1), relation="spouse", proven=True)
            yield Put(relative, 2, related)
            version += 1
            yield Put(visitor, version, related)
        if chance.random() < BUYS:
            yield from self._sale(visitor, version + 1, by)

    def _sale(self, visitor: UUID, version: int, by: UUID) -> Iterator[Put]:
        chance, sale, entry = self._random, self._id(), Entry(visitor, 1)
        closer = by if chance.random() < 0.8 else chance.choice(self.staff)
        amount = Decimal(chance.randint(100_000, 5_000_000)) / 100
        unit = f"{chance.randint(1, 99)}-{sale.hex[:6]}"
        yield Put(sale, 1, SaleRecorded(visitor=entry, by=(closer,), amount=amount, unit=unit))
        yield Put(visitor, version, VisitorBought(registration=1, sale=sale, by=(closer,)))
        if chance.random() < DISPUTED:
            dispute = self._id()
            yield Put(dispute, 1, DisputeOpened(visitor=entry, sale=sale, by=by, label=dispute.hex[:8]))

    def _registered(self, number: int, person: UUID, by: UUID) -> VisitorRegistered:
        return VisitorRegistered(
            registration=number,
            person=person,
            sealed=self._random.randbytes(SEALED_BYTES),
            has_name=True,
            has_phone=True,
            same_name_as=None if number == 1 else 1,
            by=by,
            via="visit" if self._random.random() < 0.7 else "call",
        )

    def _draft(self, put: Put, at: datetime) -> Draft:
        command = self._id()
        return Draft(
            site=self.site,
            stream=put.stream,
            version=put.version,
            occurred_at=at,
            entered_at=at,
            actor=self.staff[0],
            command_id=command,
            correlation_id=command,
            edition=self.edition,
            fact=put.fact,
        )

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def close(self) -> None:
        self.record.close()
