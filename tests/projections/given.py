"""Offices whose history goes through the real commands, judged; and the rows that views make of them."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import prepare_store, views_schema
from application.event_store.record import Record
from application.privacy import Keyring
from domain.attribution import Attribution
from domain.record import Envelope
from domain.site import Site
from domain.visitor import Entry
from projections.dossier import CUSTOMER, SITE, Context, Judged, context_of, dossiers, kind_of
from projections.source import Source
from projections.tables import Tables, changes
from projections.view import View
from projections.views import VIEWS
from tests.application.test_sales_office import OTHER_PHONE, PHONE, House
from tests.domain.given import ROLES, ZONE, History, instant

__all__ = ["OTHER_PHONE", "PHONE", "House", "instant"]

SITE_ID = UUID(int=9)
PYTHON = {
    "uuid": UUID, "text": str, "bytea": bytes, "integer": int, "bigint": int, "boolean": bool, "date": date,
    "timestamptz": datetime, "uuid[]": tuple, "text[]": tuple, "bigint[]": tuple, "date[]": tuple,
}  # fmt: skip


def an_office(rulebook: str = "revised-reception") -> House:
    """An office of five in memory, with nothing on its register."""
    record = Record(MemoryRecorder())
    return House(record, Keyring(secrets.token_bytes(32), record.person_keys), rulebook)


def follow_up(house: House, at: str, entry: Entry, by: str = "lin", known: str | None = None) -> None:
    house.office.follow_up(house.stamp(at, known=known), entry=entry, by=house.staff[by], historic=True)


def late(house: House, at: str, known: str, by: str = "lin", phone: str = PHONE, name: str = "赵强") -> Entry:
    """A registration entered when it had happened a while ago."""
    stamp = house.stamp(at, known=known)
    entry = house.office.register(stamp, by=house.staff[by], name=name, phone=phone).entry
    assert entry is not None
    return entry


def rule(house: House, at: str, dispute: UUID, owner: str | None = None) -> None:
    named = house.staff[owner] if owner else None
    house.office.rule(house.stamp(at), dispute=dispute, by=house.chen, reason="met first", owner=named)


def relate(house: House, at: str, visitor: Entry, to: Entry, relation: str = "spouse", proven: bool = True) -> None:
    house.office.relate(house.stamp(at), visitor=visitor, to=to, relation=relation, proven=proven)


def adopt_days(house: House, at: str, days: int) -> None:
    house.office.adopt(house.stamp(at), amend={"attribution.protection_days": days}, by=house.chen)


def judged(house: House, at: str | None = None) -> list[Judged]:
    """All dossiers of the office, as they stand after their last fact, or at an instant."""
    streams: dict[str, dict[UUID, list[Envelope]]] = defaultdict(lambda: defaultdict(list))
    for envelope in house.record.read():
        streams[str(kind_of(envelope.fact.stored_name))][envelope.stream].append(envelope)
    (site,) = [facts for facts in streams.pop(SITE).values() if facts[0].site == house.office.site_id]
    context = context_of(site)
    assert context is not None
    asked = instant(at) if at else None
    return [Judged(kind, facts, context, asked) for kind, found in streams.items() for facts in dossiers(found)]


def judged_history(history: History) -> list[Judged]:
    """The dossiers of a history that was put down fact by fact."""
    streams: dict[UUID, list[Envelope]] = defaultdict(list)
    for envelope in history.facts:
        streams[envelope.stream].append(envelope)
    staff: dict[UUID, Any] = dict.fromkeys(ROLES)
    site = Site(
        id=SITE_ID,
        version=1,
        name="滨江一号",
        timezone=ZONE.key,
        opened_at=instant("2026-01-01 08:00"),
        staff=staff,
        adoptions=(),
    )
    question = history.question
    since = max(item.since for item in question.editions.in_force)
    context = Context(site, site.zone, question.editions, question.roles, since)
    return [Judged(CUSTOMER, facts, context) for facts in dossiers(streams)]


def put_together(view: View, dossier_rows: Iterable[Judged]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The rows that the dossiers give, by key; each one fits the view's columns."""
    found = [row for one in dossier_rows for row in view.rows.get(one.kind, lambda _: ())(one)]
    for row in found:
        fits(view, row.values)
        assert row.facts and list(row.facts) == sorted(set(row.facts))
    if not view.sums:
        assert len({row.values[: view.key] for row in found}) == len(found), "a key stands twice"
    return dict(changes(view, (), found).put)


def fits(view: View, values: Sequence[Any]) -> None:
    """Every value is what its column says."""
    view.encoder()(values)
    for column, value in zip(view.columns, values, strict=True):
        if value is None:
            assert column.null, f"{view.name}.{column.name} is never null"
        else:
            assert type(value) is PYTHON[column.type], f"{view.name}.{column.name}: {value!r}"


def rows(view: View, dossier_rows: Iterable[Judged]) -> list[dict[str, Any]]:
    """The rows of a view in the order of their keys, by the names of the columns."""
    found = put_together(view, dossier_rows)
    return [dict(zip((c.name for c in view.columns), found[key], strict=True)) for key in sorted(found)]


def counted(house: House, *what: str) -> dict[tuple[str, str, str], int]:
    """The activity of an office: (day, label of the staff, what) -> count, of some codes or all."""
    labels = {staff: label for label, staff in house.staff.items()}
    return {
        (row["day"].isoformat(), labels.get(row["staff"], "nobody"), row["what"]): row["count"]
        for row in rows(VIEWS["activity"], judged(house))
        if not what or row["what"] in what
    }


def attributions(dossier_rows: Iterable[Judged]) -> list[tuple[Entry, Attribution]]:
    return [customer for one in dossier_rows for customer in one.customers]


class Reader:
    """A read side in PostgreSQL that holds what the views make of an office."""

    def __init__(self, uri: str, schema: str) -> None:
        prepare_store(uri, schema, b"test")
        self.views = views_schema(schema)
        self.connection = psycopg.connect(uri, autocommit=True)
        self.tables = Tables(self.views, list(VIEWS.values()))

    def read(self, house: House, known_until: str = "2026-04-01 00:00") -> Source:
        """The office's views as they stand now, ready to be read."""
        self.tables.drop(self.connection)
        self.tables.create(self.connection)
        self._stand(sql.SQL("DELETE FROM {}"), [])
        insert = sql.SQL("INSERT INTO {} (name, position, known_until, code) VALUES (%s, %s, %s, 'x')")
        for view in VIEWS.values():
            found = put_together(view, judged(house))
            self.tables.copy(self.connection, view, map(view.encoder(), found.values()))
            self.tables.index(self.connection, view)
            self._stand(insert, [view.name, house.record.position(), instant(known_until)])
        editions = [item.edition.label for item in house.office.files.editions().in_force]
        return Source(self.connection, self.views, house.office.site_id, ZONE, tuple(editions))

    def _stand(self, statement: sql.SQL, values: list[Any]) -> None:
        self.connection.execute(statement.format(sql.Identifier(self.views, "view")), values)
