"""Who appends: our recorder, the event-sourcing library's own, and bare inserts; all one fact a command, of the same
bytes."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from application.event_store.appending import Beside, CommandKey
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from domain.visitor import VisitorRegistered

NAME = VisitorRegistered.stored_name
OURS, STOCK, BARE, BARE_ONE_KEY = "ours", "library's recorder", "bare inserts", "bare inserts, one key"
_OURS, _STOCK, _BARE = "bench_ours", "bench_stock", "bench_bare"


class Peer(Protocol):
    """One process's way to append, for any number of threads."""

    def append(self, thread: int, stream: UUID, body: bytes) -> None: ...

    def close(self) -> None: ...


def set_up(uri: str) -> None:
    """Make an empty schema for every peer."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for schema in (_OURS, _STOCK, _BARE):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        for schema in (_STOCK, _BARE):
            connection.execute(f"CREATE SCHEMA {schema}")
        columns = "stream uuid NOT NULL, version integer NOT NULL, name text NOT NULL, body bytea NOT NULL"
        for table, position in (("two_keys", "PRIMARY KEY"), ("one_key", "NOT NULL")):
            connection.execute(
                f"CREATE TABLE {_BARE}.{table} (position bigint GENERATED ALWAYS AS IDENTITY {position}, {columns}, "
                "recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(), UNIQUE (stream, version))"
            )
    prepare_store(uri, _OURS, b"bench")
    stock = _stock(uri, 1)
    stock.create_table()
    stock.datastore.close()


class _Ours:
    """Command id, positions and facts, as the program itself appends."""

    def __init__(self, uri: str, threads: int) -> None:
        self._recorder = PostgresRecorder(uri, schema=_OURS)
        self._actor, self._digest = uuid4(), bytes(32)

    def append(self, thread: int, stream: UUID, body: bytes) -> None:
        event = StoredEvent(originator_id=stream, originator_version=1, topic=NAME, state=body)
        self._recorder.append([event], Beside(command=CommandKey(self._actor, uuid4(), self._digest)))

    def close(self) -> None:
        self._recorder.close()


class _Stock:
    """The library's recorder as it comes: no command ids, a table lock for the order."""

    def __init__(self, uri: str, threads: int) -> None:
        self._recorder = _stock(uri, threads)

    def append(self, thread: int, stream: UUID, body: bytes) -> None:
        self._recorder.insert_events([StoredEvent(originator_id=stream, originator_version=1, topic=NAME, state=body)])

    def close(self) -> None:
        self._recorder.datastore.close()


class _Bare:
    """One prepared INSERT in a transaction of its own: what the database gives to somebody who wants no more."""

    table = "two_keys"

    def __init__(self, uri: str, threads: int) -> None:
        self._connections = [psycopg.connect(uri, autocommit=True) for _ in range(threads)]
        self._cursors = [connection.cursor() for connection in self._connections]
        self._insert = f"INSERT INTO {_BARE}.{self.table} (stream, version, name, body) VALUES (%s, %s, %s, %s)"

    def append(self, thread: int, stream: UUID, body: bytes) -> None:
        self._cursors[thread].execute(self._insert, (stream, 1, NAME, body), prepare=True)

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


class _BareOneKey(_Bare):
    """For information: what the second unique key costs."""

    table = "one_key"


def _stock(uri: str, threads: int) -> PostgresApplicationRecorder:
    address = conninfo_to_dict(uri)
    datastore = PostgresDatastore(
        dbname=str(address["dbname"]),
        host=str(address["host"]),
        port=str(address["port"]),
        user=str(address["user"]),
        password=str(address.get("password", "")),
        schema=_STOCK,
        pool_size=threads,
    )
    return PostgresApplicationRecorder(datastore)


PEERS: dict[str, type[_Ours] | type[_Stock] | type[_Bare]] = {
    OURS: _Ours,
    STOCK: _Stock,
    BARE: _Bare,
    BARE_ONE_KEY: _BareOneKey,
}
