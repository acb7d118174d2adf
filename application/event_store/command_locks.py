"""Which commands are being carried out right now, told across the processes that serve one database.

A command is an advisory lock of a session that a process keeps for nothing else: the lock goes when the command has
ended, or with the session when the process is killed. It spares a second one the work and tells its client to wait;
that nothing is put on record twice does not hang on it (see commands.py)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from .appending import StoreUnavailable
from .postgres import patient, reply

REPLY_SECONDS = 5.0
_INT8 = 20
_BINARY = pq.Format.BINARY


class CommandLocks:
    """Those of this process, for all of its threads; not to be shared with a forked one. The session is opened when it
    is first needed, and anew where it broke. One command is taken by one thread at a time: who tells the threads of a
    process apart is the caller.

    It speaks to libpq directly, and does not wait to hear that a lock has gone: that halves what it costs a command."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._session: psycopg.Connection[TupleRow] | None = None
        self._unheard = False
        """Whether a reply is still to be read."""
        self._using = threading.Lock()

    def take(self, command: UUID) -> bool:
        """Whether no other process is carrying it out; then it is ours until given back. Raises StoreUnavailable."""
        with self._alone():
            if self._session is not None:
                with contextlib.suppress(psycopg.Error, StoreUnavailable):  # it may have broken while nobody used it
                    return self._take(self._session, command)
            try:
                self._session = self._begun()
                return self._take(self._session, command)
            except psycopg.Error:
                self._drop()
                raise StoreUnavailable("the database does not answer") from None

    def give_back(self, command: UUID) -> None:
        """Let go of it. Where its session broke meanwhile, it is free already."""
        with contextlib.suppress(psycopg.Error, StoreUnavailable), self._alone():
            if self._session is not None:
                self._hear(self._session)
                self._session.pgconn.send_query_prepared(b"give", [_number(command)], [_BINARY], _BINARY)
                self._session.pgconn.flush()
                self._unheard = True

    def close(self) -> None:
        """Let go of everything."""
        with self._alone():
            self._drop()

    def __del__(self) -> None:
        self._drop()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._using.acquire(timeout=REPLY_SECONDS):
            raise StoreUnavailable("the database does not answer")
        try:
            yield
        finally:
            self._using.release()

    def _begun(self) -> psycopg.Connection[TupleRow]:
        self._drop()
        session = patient(REPLY_SECONDS).connect(self._uri, autocommit=True, connect_timeout=int(REPLY_SECONDS))
        session.pgconn.prepare(b"take", b"SELECT pg_try_advisory_lock($1)", [_INT8])
        session.pgconn.prepare(b"give", b"SELECT pg_advisory_unlock($1)", [_INT8])
        return session

    def _take(self, session: psycopg.Connection[TupleRow], command: UUID) -> bool:
        self._hear(session)
        session.pgconn.send_query_prepared(b"take", [_number(command)], [_BINARY], _BINARY)
        result = reply(session, REPLY_SECONDS)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise StoreUnavailable("the database ends the session")
        return result.get_value(0, 0) == b"\1"

    def _hear(self, session: psycopg.Connection[TupleRow]) -> None:
        if self._unheard:
            reply(session, REPLY_SECONDS)
            self._unheard = False

    def _drop(self) -> None:
        """What the session held is free; a late reply is not to be taken for another's."""
        if self._session is not None:
            self._session.close()
        self._session, self._unheard = None, False


def _number(command: UUID) -> bytes:
    """The lock's number, as PostgreSQL reads an int8."""
    return command.bytes[:8]
