"""The event-sourcing library's own ProjectionRunner at work on one view: the peer of our rebuild.

`Ownership` keeps our view of owners as the library means it: at every fact the visitor's file is read, judged and put,
with the tracking in the same transaction. `LastContact` is about the smallest view there can be.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import BaseProjectionRunner, Projection
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from domain.record import Envelope
from projections.dossier import SITE, dossiers, kind_of
from projections.folding import Files, judge, rows_of
from projections.ownership import OWNERSHIP

from .crowd import Crowd

SCHEMA = "bench_runner"


class _Application(Record):
    """The record as the runner makes it: from a class and an environment."""

    uri: ClassVar[str]
    store: ClassVar[str]

    def __init__(self, env: Any = None) -> None:
        super().__init__(PostgresRecorder(self.uri, schema=self.store))


class _View(PostgresTrackingRecorder):
    """A view's table beside the library's table of trackings."""

    table: ClassVar[str]
    columns: ClassVar[Sequence[str]]
    key: ClassVar[int]

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, tracking_table_name=f"{self.table}_tracking")
        declared = ", ".join(self.columns)
        names = [column.split()[0] for column in self.columns]
        key, values = ", ".join(names[: self.key]), ", ".join(["%s"] * len(names))
        update = ", ".join(f"{name} = excluded.{name}" for name in names[self.key :])
        create = f"CREATE TABLE IF NOT EXISTS {SCHEMA}.{self.table} ({declared}, PRIMARY KEY ({key}))"
        self.sql_create_statements.append(sql.SQL(create))
        self._put = f"INSERT INTO {SCHEMA}.{self.table} VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {update}"
        self.create_table()

    def put(self, rows: Sequence[Sequence[object]], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            for row in rows:
                cursor.execute(self._put, row, prepare=True)
            self._insert_tracking(cursor, tracking)


class _LastContactView(_View):
    table = "last_contact"
    columns = ("visitor uuid", "at timestamptz")
    key = 1


class _OwnershipView(_View):
    table = OWNERSHIP.name
    columns = tuple(f"{column.name} {column.type}" for column in OWNERSHIP.columns)
    key = OWNERSHIP.key


class LastContact(Projection[_LastContactView]):
    """When a visitor was last heard of."""

    def process_event(self, domain_event: Envelope, tracking: Tracking) -> None:
        self.view.put([(domain_event.stream, domain_event.occurred_at)], tracking)


class Ownership(Projection[_OwnershipView]):
    """Who owns a visitor: our own view, one fact at a time."""

    recorder: ClassVar[PostgresRecorder]
    sites: ClassVar[dict[UUID, Any]] = {}

    def process_event(self, domain_event: Envelope, tracking: Tracking) -> None:
        rows: list[Sequence[object]] = []
        if kind_of(domain_event.fact.stored_name) != SITE:
            files = Files(self.recorder.select_streams, tracking.notification_id)
            files.read([domain_event.stream])
            if domain_event.site not in self.sites:
                self.sites[domain_event.site] = files.context(domain_event.site, tracking.notification_id)
            for facts in dossiers(files.streams):
                judged = judge(facts, self.sites[domain_event.site])
                rows += [row.values for row in rows_of(OWNERSHIP, judged)] if judged is not None else []
        self.view.put(rows, tracking)


def facts_a_second(crowd: Crowd, of: type[LastContact] | type[Ownership], seconds: float) -> float:
    """How many facts a second the runner takes into that view, from the log's beginning."""
    address = conninfo_to_dict(crowd.uri)
    datastore = PostgresDatastore(
        dbname=str(address["dbname"]),
        host=str(address["host"]),
        port=str(address["port"]),
        user=str(address["user"]),
        password=str(address.get("password", "")),
        schema=SCHEMA,
        pool_size=2,
    )
    with datastore.transaction(commit=True) as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
    _Application.uri, _Application.store = crowd.uri, crowd.schema
    view: Any = (_OwnershipView if of is Ownership else _LastContactView)(datastore)
    Ownership.recorder, Ownership.sites = crowd.recorder, {}
    runner: BaseProjectionRunner[Any] = BaseProjectionRunner(
        projection=of(view=view), application_class=_Application, tracking_recorder=view, topics=()
    )
    with runner:
        start, first = time.perf_counter(), view.max_tracking_id(runner.app_name) or 0
        runner.run_forever(timeout=seconds)
        done = (view.max_tracking_id(runner.app_name) or 0) - first
        took = time.perf_counter() - start
    datastore.close()
    return done / took
