"""The record on PostgreSQL: our recorder under the event-sourcing library, appending in one round trip."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC
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
    GroundsMoved,
    KnownCommand,
    StoreUnavailable,
    StreamMoved,
)
from .asking import (
    BYTEA,
    BYTEAS,
    INT4,
    INT4S,
    INT8,
    TEXT,
    TEXTS,
    TIMESTAMPTZ,
    UUID_,
    UUIDS,
    Question,
    array,
    instant,
    int4,
    number,
)
from .command_locks import GIVE, TAKE, Own, lock_of
from .mapper import RecordedEvent
from .migrations import ROLE, channel_of
from .waiting import one_line, patient

RECONNECT_SECONDS = 2.0
"""However long a database was away, who asks when it is back waits no longer than this for the next try."""

POOL_SIZE = 16

_APPENDED = (
    *(UUIDS, INT4S, TEXTS, BYTEAS),  # facts
    *(UUID_, UUID_, BYTEA),  # the command
    *(TEXTS, BYTEAS, UUIDS),  # claims
    *(UUIDS, BYTEAS),  # keys
    *(UUIDS, INT4S),  # what it rests on
    INT8,  # the command's lock
    *(INT8, TIMESTAMPTZ),  # what comes back
)


_BROKEN = (StoreUnavailable, psycopg.OperationalError, psycopg.InterfaceError)


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
        pool_size: int = POOL_SIZE,
        reply_timeout_seconds: float = 30,
        connect_timeout_seconds: float = 30,
    ) -> None:
        self.uri, self.schema = uri, schema
        self._own = Own()
        self.lives = 1
        self._reply_timeout_seconds = reply_timeout_seconds
        self._connect_timeout_seconds = connect_timeout_seconds
        fact = sql.Identifier(schema, "fact")
        columns = "position, stream, version, name, body, recorded_at"
        self._select = sql.SQL(f"SELECT {columns} FROM {{}}").format(fact)
        self._questions = self._asked_by_every_request()
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
        for question in self._questions.values():
            question.prepare(connection, self._reply_timeout_seconds)

    def _asked_by_every_request(self) -> dict[str, Question]:
        claim, append = sql.Identifier(self.schema, "claim"), sql.Identifier(self.schema, "append_durably")
        select = self._select.as_string()
        of_stream = f"{select} WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version"
        since = [f"({select} WHERE stream = ${n} AND version > ${n + 1})" for n in (1, 3, 5)]
        holders = sql.SQL("SELECT subject FROM {} WHERE kind = $1 AND key = $2 ORDER BY subject").format(claim)
        given = ", ".join(f"${n}" for n in range(1, len(_APPENDED) + 1))
        asked = [
            ("append", sql.SQL("CALL {}(").format(append).as_string() + f"{given})", _APPENDED),
            ("ASC", f"{of_stream} ASC LIMIT $4", (UUID_, INT4, INT4, INT8)),
            ("DESC", f"{of_stream} DESC LIMIT $4", (UUID_, INT4, INT4, INT8)),
            *(
                (f"{n} since", f"{' UNION ALL '.join(since[:n])} ORDER BY position", (UUID_, INT4) * n)
                for n in (1, 2, 3)
            ),
            ("holders", holders.as_string(), (TEXT, BYTEA)),
        ]
        questions = {name: Question(name, text, types) for name, text, types in asked}
        return {**questions, "take": TAKE, "give": GIVE}

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection of the pool, or the one on which this thread carries out a command. Broken connections and
        time-outs come out as StoreUnavailable."""
        connection = self._lent()
        try:
            yield connection
        except _BROKEN as error:
            raise self._unavailable(connection, error) from None
        finally:
            self._taken_back(connection)

    def _ask(self, question: str, parameters: Sequence[bytes | None]) -> pq.abc.PGresult:
        """As within `connection`, without a generator in between: every request comes here several times."""
        connection = self._lent()
        try:
            return self._questions[question].ask(connection, parameters, self._reply_timeout_seconds)
        except _BROKEN as error:
            raise self._unavailable(connection, error) from None
        finally:
            self._taken_back(connection)

    def _lent(self) -> psycopg.Connection:
        return self._own.connection or self._out_of_pool()

    def _taken_back(self, connection: psycopg.Connection) -> None:
        if connection is self._own.connection:
            if not connection.closed:
                return
            # The lock went with it, and it must not keep the pool from opening another in its place.
            self._own.connection = self._own.command = None
        self._pool.putconn(connection)

    def _unavailable(self, connection: psycopg.Connection, error: Exception) -> StoreUnavailable:
        if not isinstance(error, StoreUnavailable):
            connection.close()  # a late reply must not be taken for the answer to the next question
        self._start_over()
        return StoreUnavailable(one_line(error) or "the database does not answer")

    def _out_of_pool(self) -> psycopg.Connection:
        # The pool tries to open one for who begins to wait, and gives up soon: who waits on has to begin anew.
        deadline = time.monotonic() + self._connect_timeout_seconds
        while (left := deadline - time.monotonic()) > 0:
            with suppress(PoolTimeout):
                return self._pool.getconn(min(left, RECONNECT_SECONDS))
        raise StoreUnavailable("the database can't be reached")

    def _start_over(self) -> None:
        """What broke one connection has broken the idle ones too; each would cost a try."""
        self.lives += 1
        self._pool.drain()

    @contextmanager
    def running(self, command: UUID) -> Iterator[bool]:
        """Within, this thread carries out a command, on a connection of its own; false: somebody else is doing so right
        now. Raises StoreUnavailable."""
        own = self._own
        own.connection = self._out_of_pool()
        try:
            if self._ask("take", [lock_of(command)]).get_value(0, 0) == b"\1":
                own.command = command
            yield own.command is not None
        finally:
            if own.command is not None and own.connection is not None:
                with suppress(StoreUnavailable):  # then the lock went with its session
                    self._ask("give", [lock_of(command)])
            connection, own.connection, own.command = own.connection, None, None
            if connection is not None:
                self._pool.putconn(connection)

    # Appending

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        if not stored_events:
            return []
        appended = self.append(stored_events, kwargs.get("beside", Beside()))
        return list(range(appended.first_position, appended.first_position + len(stored_events)))

    def append(self, stored_events: Sequence[StoredEvent], beside: Beside) -> Appended:
        """Append facts and what goes beside them, durably, all or nothing, in one round trip.

        Raises StreamMoved, GroundsMoved, CommandRepeated, ClaimTaken; StoreUnavailable when the reply did not come.
        """
        command = beside.command
        locked = command is not None and command.id == self._own.command
        parameters = [
            array(UUIDS, [_uuid(event.originator_id).bytes for event in stored_events]),
            array(INT4S, [int4(event.originator_version) for event in stored_events]),
            array(TEXTS, [event.topic.encode() for event in stored_events]),
            array(BYTEAS, [event.state for event in stored_events]),
            command.actor.bytes if command else None,
            command.id.bytes if command else None,
            command.digest if command else None,
            array(TEXTS, [claim.kind.encode() for claim in beside.claims]),
            array(BYTEAS, [claim.key for claim in beside.claims]),
            array(UUIDS, [claim.subject.bytes for claim in beside.claims]),
            array(UUIDS, [key.person.bytes for key in beside.keys]),
            array(BYTEAS, [key.wrapped for key in beside.keys]),
            array(UUIDS, [stream.bytes for stream in beside.rests_on]),
            array(INT4S, [int4(version) for version in beside.rests_on.values()]),
            lock_of(command.id) if command and locked else None,
            None,
            None,
        ]
        try:
            result = self._ask("append", parameters)
        except psycopg.IntegrityError as error:
            raise _conflict(error) from None
        if locked:
            self._own.command = None
        return Appended(number(result.get_value(0, 0)), instant(result.get_value(0, 1)))

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
        bounds = int4(-1 if gt is None else gt), int4(2**31 - 1 if lte is None else lte)
        most = None if limit is None else limit.to_bytes(8, "big")
        return _events(self._ask("DESC" if desc else "ASC", [_uuid(originator_id).bytes, *bounds, most]))

    def select_streams(self, streams: Sequence[UUID]) -> Sequence[RecordedEvent]:
        """The facts of several streams in one round trip, in the order of their positions."""
        return self._read(self._select + sql.SQL(" WHERE stream = ANY(%s) ORDER BY position"), [list(streams)])

    def select_since(self, versions: Mapping[UUID, int]) -> Sequence[RecordedEvent]:
        """The facts of up to three streams, of each after a version, in one round trip, in the order of their
        positions."""
        after = [part for stream, known in versions.items() for part in (stream.bytes, int4(known))]
        return _events(self._ask(f"{len(versions)} since", after))

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
        found = self._ask("holders", [kind.encode(), key])
        return [UUID(bytes=found.get_value(row, 0)) for row in range(found.ntuples)]

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


def _conflict(error: psycopg.IntegrityError) -> Exception:
    """What an append has met, told by the name of the constraint."""
    constraint = error.diag.constraint_name
    if constraint == "command_once":
        return CommandRepeated("the command is on record already")
    if constraint == "fact_stream_version":
        return StreamMoved("the stream has moved on")
    if constraint == "rests_on":
        return GroundsMoved("what it rests on has moved on")
    if constraint in ("claim_exclusive", "claim_unique"):
        return ClaimTaken()
    return error


def _events(result: pq.abc.PGresult) -> list[RecordedEvent]:
    """The facts of an answer with the columns of the table."""
    found = []
    for row in range(result.ntuples):
        position, stream, version, name, body, recorded_at = (result.get_value(row, place) or b"" for place in range(6))
        found.append(
            RecordedEvent(
                originator_id=UUID(bytes=stream),
                originator_version=number(version),
                topic=name.decode(),
                state=body,
                id=number(position),
                recorded_at=instant(recorded_at),
            )
        )
    return found


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
