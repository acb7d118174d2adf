"""The record on PostgreSQL: our recorder under the event-sourcing library, appending in one round trip."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription
from psycopg import pq, sql
from psycopg_pool import ConnectionPool, PoolTimeout

from .appending import (
    Appended,
    Beside,
    ClaimTaken,
    CommandRepeated,
    KnownCommand,
    StoreRefused,
    StoreUnavailable,
    StreamMoved,
)
from .command_locks import CommandLocks
from .mapper import RecordedEvent
from .migrations import ROLE, channel_of, jobs_schema, migrate, views_schema
from .waiting import patient, reply

RECONNECT_SECONDS = 2.0
"""However long a database was away, who asks when it is back waits no longer than this for the next try."""

_UUID, _INT4, _TEXT, _BYTEA = 2950, 23, 25, 17
_UUIDS, _INT4S, _TEXTS, _BYTEAS = 2951, 1007, 1009, 1001
_TYPES = (
    _UUIDS,
    _INT4S,
    _TEXTS,
    _BYTEAS,
    _UUID,
    _UUID,
    _BYTEA,
    _TEXTS,
    _BYTEAS,
    _UUIDS,
    _UUIDS,
    _BYTEAS,
    20,
    1184,
)
_BINARY = [pq.Format.BINARY] * len(_TYPES)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_int4 = struct.Struct("!i").pack


def _array(element: int, items: Sequence[bytes]) -> bytes:
    """A one-dimensional array in PostgreSQL's binary format."""
    if not items:
        return struct.pack("!iii", 0, 0, element)
    head = struct.pack("!iiiii", 1, 0, element, len(items), 1)
    return head + b"".join(_int4(len(item)) + item for item in items)


class PostgresRecorder(ApplicationRecorder):
    """Reads and appends facts. Appends speak to libpq directly: half of their time would go into adapting parameters.

    `reply_timeout_seconds`: a reply that does not come in this time counts as lost (the append may have happened).
    `lives` changes whenever a connection broke: what was read before may not have been on disk when the database died.
    """

    def __init__(
        self,
        uri: str,
        *,
        schema: str = "lunpai",
        pool_size: int = 16,
        reply_timeout_seconds: float = 30,
        connect_timeout_seconds: float = 30,
    ) -> None:
        self.uri, self.schema = uri, schema
        self.command_locks = CommandLocks(uri)
        self.lives = 1
        self._reply_timeout_seconds = reply_timeout_seconds
        fact = sql.Identifier(schema, "fact")
        columns = "position, stream, version, name, body, recorded_at"
        self._select = sql.SQL(f"SELECT {columns} FROM {{}}").format(fact)
        of_stream = self._select + sql.SQL(" WHERE stream = %s AND version > %s AND version <= %s ORDER BY version ")
        self._of_stream = {order: (of_stream + sql.SQL(f"{order} LIMIT %s")).as_string() for order in ("ASC", "DESC")}
        self._since = (sql.SQL("(") + self._select + sql.SQL(" WHERE stream = %s AND version > %s)")).as_string()
        self._holders = (
            sql.SQL("SELECT subject FROM {} WHERE kind = %s AND key = %s ORDER BY subject")
            .format(sql.Identifier(schema, "claim"))
            .as_string()
        )
        self._call = sql.SQL("CALL {}({})").format(
            sql.Identifier(schema, "append_durably"),
            sql.SQL(", ").join(sql.SQL(f"${i}") for i in range(1, len(_TYPES) + 1)),
        )
        self._pool = ConnectionPool(
            uri,
            connection_class=patient(reply_timeout_seconds),
            min_size=0,
            max_size=pool_size,
            timeout=connect_timeout_seconds,
            # The pool waits twice as long after each failed try; given up soon, the next request begins anew.
            reconnect_timeout=RECONNECT_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": max(2, int(connect_timeout_seconds))},
            configure=self._configure,
            check=None,
            open=True,
        )

    def _configure(self, connection: psycopg.Connection) -> None:
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ROLE)))
        result = connection.pgconn.prepare(b"append", self._call.as_bytes(connection), list(_TYPES))
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection of the pool. Broken connections and time-outs come out as StoreUnavailable."""
        try:
            with self._pool.connection() as connection:
                try:
                    yield connection
                except psycopg.OperationalError:
                    connection.close()  # a late reply must not be taken for the answer to the next question
                    raise
        except PoolTimeout:
            raise StoreUnavailable("the database can't be reached") from None
        except StoreUnavailable:
            self._start_over()
            raise
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._start_over()
            raise StoreUnavailable(_one_line(error) or "the database does not answer") from None

    def _start_over(self) -> None:
        """What broke one connection has broken the idle ones too; each would cost a try."""
        self.lives += 1
        self._pool.drain()

    # Appending

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        if not stored_events:
            return []
        appended = self.append(stored_events, kwargs.get("beside", Beside()))
        return list(range(appended.first_position, appended.first_position + len(stored_events)))

    def append(self, stored_events: Sequence[StoredEvent], beside: Beside) -> Appended:
        """Append facts and what goes beside them, durably, all or nothing, in one round trip.

        Raises StreamMoved, CommandRepeated, ClaimTaken; StoreUnavailable when the reply did not come.
        """
        command = beside.command
        parameters = [
            _array(_UUID, [_uuid(event.originator_id).bytes for event in stored_events]),
            _array(_INT4, [_int4(event.originator_version) for event in stored_events]),
            _array(_TEXT, [event.topic.encode() for event in stored_events]),
            _array(_BYTEA, [event.state for event in stored_events]),
            command.actor.bytes if command else None,
            command.id.bytes if command else None,
            command.digest if command else None,
            _array(_TEXT, [claim.kind.encode() for claim in beside.claims]),
            _array(_BYTEA, [claim.key for claim in beside.claims]),
            _array(_UUID, [claim.subject.bytes for claim in beside.claims]),
            _array(_UUID, [key.person.bytes for key in beside.keys]),
            _array(_BYTEA, [key.wrapped for key in beside.keys]),
            None,
            None,
        ]
        with self.connection() as connection:
            result = self._execute(connection, parameters)
            first, microseconds = result.get_value(0, 0), result.get_value(0, 1)
        assert first is not None and microseconds is not None
        recorded_at = _EPOCH + timedelta(microseconds=int.from_bytes(microseconds, "big", signed=True))
        return Appended(int.from_bytes(first, "big"), recorded_at)

    def _execute(self, connection: psycopg.Connection, parameters: Sequence[bytes | None]) -> pq.abc.PGresult:
        connection.pgconn.send_query_prepared(b"append", parameters, _BINARY, pq.Format.BINARY)
        result = reply(connection.pgconn, self._reply_timeout_seconds)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _refusal(result)
        return result

    # Reading

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        return self._read(
            self._of_stream["DESC" if desc else "ASC"],
            [_uuid(originator_id), -1 if gt is None else gt, 2**31 - 1 if lte is None else lte, limit],
        )

    def select_streams(self, streams: Sequence[UUID]) -> Sequence[RecordedEvent]:
        """The facts of several streams in one round trip, in the order of their positions."""
        return self._read(self._select + sql.SQL(" WHERE stream = ANY(%s) ORDER BY position"), [list(streams)])

    def select_since(self, versions: Mapping[UUID, int]) -> Sequence[RecordedEvent]:
        """The facts of a few streams, of each after a version, in one round trip, in the order of their positions."""
        # Each is a part of the statement: to send arrays takes longer than what they ask for.
        query = " UNION ALL ".join([self._since] * len(versions)) + " ORDER BY position"
        return self._read(query, [part for pair in versions.items() for part in pair])

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = (start or 0) + (0 if inclusive_of_start or start is None else 1)
        query = self._select + sql.SQL(" WHERE position >= %s AND position <= %s")
        parameters: list[Any] = [first, 2**62 if stop is None else stop]
        if topics:
            query += sql.SQL(" AND name = ANY(%s)")
            parameters.append(list(topics))
        return self._read(query + sql.SQL(" ORDER BY position LIMIT %s"), [*parameters, limit])

    def _read(self, query: sql.Composed | str, parameters: Sequence[Any]) -> list[RecordedEvent]:
        with self.connection() as connection:
            rows = connection.execute(query, parameters, prepare=True, binary=True).fetchall()
        return [
            RecordedEvent(
                originator_id=stream,
                originator_version=version,
                topic=name,
                state=body,
                id=position,
                recorded_at=recorded_at.astimezone(UTC),
            )
            for position, stream, version, name, body, recorded_at in rows
        ]

    def max_notification_id(self) -> int | None:
        query = sql.SQL("SELECT position FROM {}").format(sql.Identifier(self.schema, "head"))
        with self.connection() as connection:
            row = connection.execute(query).fetchone()
        return (row[0] if row else None) or None

    def known_command(self, actor: UUID, command_id: UUID) -> KnownCommand | None:
        """The command of that actor and id, if it is on record."""
        query = sql.SQL(
            "SELECT c.digest, f.position, f.position + c.facts - 1 FROM {} c "
            "JOIN {} f ON f.stream = c.stream AND f.version = c.version WHERE c.actor = %s AND c.id = %s"
        ).format(sql.Identifier(self.schema, "command"), sql.Identifier(self.schema, "fact"))
        with self.connection() as connection:
            row = connection.execute(query, [actor, command_id], binary=True).fetchone()
        return KnownCommand(*row) if row else None

    def held_by(self, kind: str, key: bytes) -> list[UUID]:
        """Who holds a claim (one, or any number for names), in a stable order."""
        with self.connection() as connection:
            rows = connection.execute(self._holders, [kind, key], prepare=True, binary=True).fetchall()
        return [row[0] for row in rows]

    def subjects(self, kind: str) -> list[UUID]:
        """Everything held under a kind of claim, in a stable order."""
        query = sql.SQL("SELECT subject FROM {} WHERE kind = %s ORDER BY subject").format(
            sql.Identifier(self.schema, "claim")
        )
        with self.connection() as connection:
            return [row[0] for row in connection.execute(query, [kind], binary=True).fetchall()]

    def person_keys(self, persons: Sequence[UUID]) -> dict[UUID, bytes]:
        """The wrapped keys of persons; those whose key was destroyed are missing."""
        query = sql.SQL("SELECT person, wrapped FROM {} WHERE person = ANY(%s)").format(
            sql.Identifier(self.schema, "person_key")
        )
        with self.connection() as connection:
            rows = connection.execute(query, [list(persons)], binary=True).fetchall()
        return {person: bytes(wrapped) for person, wrapped in rows}

    # Following

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        from .subscription import PostgresSubscription

        return PostgresSubscription(self, gt=gt, topics=topics)

    @property
    def channel(self) -> str:
        return channel_of(self.schema)

    def make_durable(self) -> None:
        """What has been read so far is on disk once this returns (see append_durably in the schema)."""
        with self.connection() as connection:
            connection.execute(sql.SQL("SELECT {}()").format(sql.Identifier(self.schema, "make_durable")))

    def close(self) -> None:
        self._pool.close()
        self.command_locks.close()


def prepare_store(uri: str, schema: str, fingerprint: bytes) -> None:
    """Migrate the schema and bind it to the master key whose fingerprint is given.

    Raises StoreRefused: another master key than the store was made with, a newer schema, a server that can't
    be reached.
    """
    try:
        with psycopg.connect(uri, autocommit=True, connect_timeout=30) as connection:
            if connection.info.server_version < 150_000:
                raise StoreRefused("PostgreSQL 15 or newer is needed")
            migrate(connection, schema)
            table = sql.Identifier(schema, "master_key")
            connection.execute(
                sql.SQL("INSERT INTO {} (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING").format(table),
                [fingerprint],
            )
            row = connection.execute(sql.SQL("SELECT fingerprint FROM {}").format(table)).fetchone()
    except psycopg.Error as error:
        raise StoreRefused(f"the database can't be prepared: {_one_line(error)}") from None
    if row is None or bytes(row[0]) != fingerprint:
        raise StoreRefused(
            "the master key is not the one this store was made with: set LUNPAI_MASTER_KEY, or restore the key file"
        )


def drop_schema(uri: str, schema: str) -> None:
    """Drop a scratch schema and all that is in it. Refuses any other."""
    if not schema.startswith("scratch_"):
        raise StoreRefused(f"{schema} is no scratch schema")
    with psycopg.connect(uri, autocommit=True, connect_timeout=30) as connection:
        all_of_it = sql.SQL(", ").join(map(sql.Identifier, (schema, views_schema(schema), jobs_schema(schema))))
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(all_of_it))


def _refusal(result: pq.abc.PGresult) -> Exception:
    """The error of an append as the store's own exception, told by the name of the constraint."""
    error = psycopg.errors.error_from_result(result)
    constraint = error.diag.constraint_name
    if constraint == "command_once":
        return CommandRepeated("the command is on record already")
    if constraint == "fact_stream_version":
        return StreamMoved("the stream has moved on")
    if constraint in ("claim_exclusive", "claim_unique"):
        return ClaimTaken()
    if isinstance(error, psycopg.OperationalError):
        return StoreUnavailable(_one_line(error))
    return error


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
