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
from psycopg.rows import TupleRow

from .appending import StoreUnavailable
from .postgres import patient

REPLY_SECONDS = 5.0


class CommandLocks:
    """Those of this process, for all of its threads; not to be shared with a forked one. The session is opened when it
    is first needed, and anew where it broke. One command is taken by one thread at a time: who tells the threads of a
    process apart is the caller."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._session: psycopg.Connection[TupleRow] | None = None
        self._using = threading.Lock()

    def take(self, command: UUID) -> bool:
        """Whether no other process is carrying it out; then it is ours until given back. Raises StoreUnavailable."""
        with self._alone():
            if self._session is not None:
                with contextlib.suppress(psycopg.Error):  # it may have broken while nobody used it
                    return self._ask(self._session, "SELECT pg_try_advisory_lock(%s)", command)
            try:
                self._session = patient(REPLY_SECONDS).connect(
                    self._uri, autocommit=True, connect_timeout=int(REPLY_SECONDS)
                )
                return self._ask(self._session, "SELECT pg_try_advisory_lock(%s)", command)
            except psycopg.Error:
                raise StoreUnavailable("the database does not answer") from None

    def give_back(self, command: UUID) -> None:
        """Let go of it. Where its session broke meanwhile, it is free already."""
        with contextlib.suppress(StoreUnavailable, psycopg.Error), self._alone():
            if self._session is not None:
                self._ask(self._session, "SELECT pg_advisory_unlock(%s)", command)

    def close(self) -> None:
        """Let go of everything."""
        with self._alone():
            if self._session is not None:
                self._session.close()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._using.acquire(timeout=REPLY_SECONDS):
            raise StoreUnavailable("the database does not answer")
        try:
            yield
        finally:
            self._using.release()

    @staticmethod
    def _ask(session: psycopg.Connection[TupleRow], question: str, command: UUID) -> bool:
        number = int.from_bytes(command.bytes[:8], "big", signed=True)
        try:
            row = session.execute(question, [number], prepare=True, binary=True).fetchone()
        except psycopg.Error:
            session.close()  # whatever it held is free; a late reply must not be taken for another's
            raise
        assert row is not None
        return bool(row[0])
