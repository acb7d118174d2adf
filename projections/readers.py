"""Connections for questions to the views, kept ready: opening one takes longer than most questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from application.event_store.migrations import READER
from application.event_store.postgres import RECONNECT_SECONDS
from application.event_store.waiting import KEEPALIVE, patient

from .live import ReadSide, wait_until
from .records import in_one_line
from .source import never_built, query
from .view import View

READERS = 8
"""Questions at a time in a process; more wait for their turn."""

MOST_WAITING = 4
"""Questions that may wait for views at a time: those that need not wait must still find somebody to answer them."""

SEEN = "SELECT set_config('lunpai.site', %s, false)"
REPLY_SECONDS = 30.0
TURN_SECONDS = 10.0


class Readers:
    """Hands out connections that see the rows of one site, whatever is asked through them, and can change nothing. They
    are none of the record's own, which lose what was prepared for appends when a transaction is rolled back."""

    def __init__(self, read_side: ReadSide, size: int = READERS) -> None:
        self.read_side = read_side
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._pool = ConnectionPool(
            make_conninfo(read_side.recorder.uri, **KEEPALIVE),
            connection_class=patient(REPLY_SECONDS + 1),
            min_size=0,
            max_size=size,
            timeout=TURN_SECONDS,
            reconnect_timeout=RECONNECT_SECONDS,
            # Nothing is prepared: a view that was exchanged is another table.
            kwargs={"autocommit": True, "connect_timeout": int(TURN_SECONDS), "prepare_threshold": None},
            configure=_configure,
            open=True,
        )

    @contextmanager
    def connection(self, site: UUID | None) -> Iterator[psycopg.Connection]:
        """A connection for a client of a site; None: one that sees no rows, only how far the views hold. Raises
        StoreUnavailable."""
        with in_one_line():
            connection = self._pool.getconn()
            try:
                connection.execute(SEEN, [str(site or "")])
                yield connection
            except (psycopg.OperationalError, psycopg.InterfaceError):
                connection.close()  # a late reply must not be taken for the answer to the next question
                self._pool.drain()  # what broke one connection has broken the idle ones too
                raise
            finally:
                self._pool.putconn(connection)

    def position(self, views: Sequence[View]) -> int:
        """Up to which fact all of these views hold. Raises NeverBuilt, StoreUnavailable."""
        names = [view.name for view in views]
        with self.connection(None) as connection:
            row = connection.execute(query("holds", self.read_side.schema), {"views": names}).fetchone()
        if row is None or row[0] != len(set(names)):
            raise never_built(views)
        return int(row[1])

    def wait_until(self, position: int, views: Sequence[View], timeout_seconds: float) -> bool:
        """Wait until all of these views hold up to a position; false when time is over, and at once where others wait
        in number. Raises NeverBuilt, StoreUnavailable."""
        if self.position(views) >= position:
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            with in_one_line():
                return wait_until(self.read_side, position, timeout_seconds, [view.name for view in views])
        finally:
            self._waiting.release()

    def close(self) -> None:
        self._pool.close()


def _configure(connection: psycopg.Connection) -> None:
    """The rights of readers, and of no one else."""
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(READER)))
    connection.execute("SET default_transaction_read_only = on")
    connection.execute(f"SET statement_timeout = '{int(REPLY_SECONDS)}s'")
