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
from psycopg.conninfo import make_conninfo

from .appending import StoreUnavailable
from .waiting import KEEPALIVE, reply

REPLY_SECONDS = 5.0
_CONNECTING = {
    **KEEPALIVE,
    "connect_timeout": str(int(REPLY_SECONDS)),
    "tcp_user_timeout": str(int(REPLY_SECONDS * 1000)),
}
"""How a database that has fallen silent is noticed."""

_TAKE, _GIVE = b"take", b"give"
_QUESTIONS = {_TAKE: b"SELECT pg_try_advisory_lock($1)", _GIVE: b"SELECT pg_advisory_unlock($1)"}
_INT8 = 20


class CommandLocks:
    """Those of this process, for all of its threads; not to be shared with a forked one. The session is opened when it
    is first needed, and anew where it broke. One command is taken by one thread at a time: who tells the threads of a
    process apart is the caller. It speaks to libpq directly, as appends do, since every command asks twice."""

    def __init__(self, uri: str) -> None:
        self._conninfo = make_conninfo(uri, **_CONNECTING)
        self._session: psycopg.Connection | None = None
        self._spoilt = False
        """Whether the session holds what nobody wants any more."""
        self._using = threading.Lock()

    def take(self, command: UUID) -> bool:
        """Whether no other process is carrying it out; then it is ours until given back. Raises StoreUnavailable."""
        with self._alone():
            if self._session is not None and not self._spoilt:
                with contextlib.suppress(psycopg.Error, StoreUnavailable):  # it may have broken while nobody used it
                    return self._ask(self._session, _TAKE, command)
            try:
                self._session = self._begun()
                return self._ask(self._session, _TAKE, command)
            except psycopg.Error:
                raise StoreUnavailable("the database does not answer") from None

    def give_back(self, command: UUID) -> None:
        """Let go of it; others can have it once this returns. Where its session broke meanwhile, it is free already;
        where that can't be told, the session is given up with the next command, and all that it holds."""
        try:
            with self._alone():
                if self._session is not None:
                    self._ask(self._session, _GIVE, command)
        except (psycopg.Error, StoreUnavailable):
            self._spoilt = True

    def close(self) -> None:
        """Let go of everything."""
        with self._alone():
            self._drop()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._using.acquire(timeout=REPLY_SECONDS):
            raise StoreUnavailable("the database does not answer")
        try:
            yield
        finally:
            self._using.release()

    def _begun(self) -> psycopg.Connection:
        self._drop()
        # Not by libpq's own connect, which stops all threads of the process until the database answers.
        session = psycopg.connect(self._conninfo, autocommit=True)
        try:
            for name, question in _QUESTIONS.items():
                session.pgconn.send_prepare(name, question, [_INT8])
                if reply(session.pgconn, REPLY_SECONDS).status != pq.ExecStatus.COMMAND_OK:
                    raise StoreUnavailable("the database has ended the session")
        except (psycopg.Error, StoreUnavailable):
            session.close()
            raise
        return session

    @staticmethod
    def _ask(session: psycopg.Connection, name: bytes, command: UUID) -> bool:
        number = command.bytes[:8]  # as PostgreSQL reads an int8
        session.pgconn.send_query_prepared(name, [number], [pq.Format.BINARY], pq.Format.BINARY)
        result = reply(session.pgconn, REPLY_SECONDS)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise StoreUnavailable("the database has ended the session")
        return result.get_value(0, 0) == b"\1"

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session, self._spoilt = None, False
