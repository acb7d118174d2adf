"""A sales office on a store, opened from any process: what these tests and their worker processes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from application.commands import Stamp
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site

RULEBOOK = "revised-reception"


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record lies, and the master key that opens what is sealed in it."""

    uri: str
    schema: str
    master: bytes

    def prepare(self) -> Store:
        prepare_store(self.uri, self.schema, Keyring(self.master, lambda _: {}).fingerprint())
        return self

    @contextmanager
    def record(self, **limits: float) -> Iterator[Record]:
        """A record of its own, with a pool of its own, as every program has."""
        record = Record(PostgresRecorder(self.uri, schema=self.schema, **limits))  # type: ignore[arg-type]
        try:
            yield record
        finally:
            record.close()

    def office(self, record: Record, site: UUID) -> SalesOffice:
        return SalesOffice(record, Keyring(self.master, record.person_keys), Shelf(), site)


class Staffed(msgspec.Struct, frozen=True):
    """A site ready for work: its manager and its consultants."""

    site: UUID
    manager: UUID
    consultants: tuple[UUID, ...]


def open_office(record: Record, keyring: Keyring, consultants: int) -> Staffed:
    """Open a site with a manager and so many consultants, under one rulebook from that rulebook's first day on."""
    opened = stamp(uuid4())
    office = open_site(record, keyring, Shelf(), name=f"案场 {uuid4().hex}", timezone="Asia/Shanghai", stamp=opened)
    since = office.in_force_since(RULEBOOK, datetime.now(UTC).date())

    def enrolled(name: str, role: str) -> UUID:
        staff = office.enrol_staff(Stamp(actor=uuid4(), at=since, entered_at=since), name=name, role=role).subject
        assert staff is not None
        return staff

    manager = enrolled("经理", "manager")
    team = tuple(enrolled(f"顾问 {number}", "consultant") for number in range(1, consultants + 1))
    office.adopt(Stamp(actor=manager, at=since, entered_at=since), rulebook=RULEBOOK)
    return Staffed(office.site_id, manager, team)


def stamp(actor: UUID) -> Stamp:
    """A command of this moment."""
    return Stamp(actor=actor, at=datetime.now(UTC))


def phone_number(number: int) -> str:
    """The mobile number with that running number, below a hundred million."""
    return f"138{number:08d}"
