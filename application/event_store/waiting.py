"""Waiting for a database, but not for ever: one that has fallen silent must not hang everybody."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from .appending import StoreUnavailable

KEEPALIVE = {"keepalives_idle": "30", "keepalives_interval": "5", "keepalives_count": "3"}
"""Of connections that say nothing for long: how a database that has fallen silent is noticed."""


class _PatientConnection(psycopg.Connection[TupleRow]):
    """A connection that waits for a reply only so long: a database that has fallen silent must not hang everybody."""

    reply_timeout_seconds: float = 30

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        limit = timeout or self.reply_timeout_seconds
        deadline = time.monotonic() + limit
        try:
            return super().wait(gen, interval=interval, timeout=limit)
        except psycopg.OperationalError as error:
            if time.monotonic() < deadline:
                raise
            raise psycopg.OperationalError("the database did not reply in time") from error


def patient(reply_timeout_seconds: float) -> type[psycopg.Connection[TupleRow]]:
    """Connections that wait so long for a reply."""
    return type("Connection", (_PatientConnection,), {"reply_timeout_seconds": reply_timeout_seconds})


def reply(pgconn: pq.abc.PGconn, timeout_seconds: float) -> pq.abc.PGresult:
    """The last result of what was sent to libpq directly. Raises StoreUnavailable when it does not come in this time;
    the connection is closed then, or broken: a late reply must not be taken for the answer to the next question."""
    deadline = time.monotonic() + timeout_seconds
    poll = select.poll()
    unsent = pgconn.flush()
    poll.register(pgconn.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
    result: pq.abc.PGresult | None = None
    while True:
        while pgconn.is_busy():
            left = deadline - time.monotonic()
            if left <= 0:
                pgconn.finish()
                raise StoreUnavailable("the database did not reply in time")
            if poll.poll(left * 1000):
                pgconn.consume_input()
                if unsent and not (unsent := pgconn.flush()):
                    poll.modify(pgconn.socket, select.POLLIN)
        following = pgconn.get_result()
        if following is None:
            break
        result = following
    if result is None or pgconn.status != pq.ConnStatus.OK:
        raise StoreUnavailable("the connection to the database broke")
    return result


def one_line(error: Exception) -> str:
    """What an error of the database says, which may be several lines."""
    return " ".join(str(error).split())
