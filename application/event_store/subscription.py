"""Following the record on PostgreSQL: listen first, then pull, never wait without a limit."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import psycopg
from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription
from psycopg import sql

from .appending import StoreUnavailable

if TYPE_CHECKING:
    from .postgres import PostgresRecorder

POLL_SECONDS = 1.0
"""The longest wait for a wake-up: a lost one delays, it never loses."""

BUSY_SECONDS = 0.1
"""After the last fact found, so long the record is polled often. Longer than the 20 ms of quiet that make
`append` notify,
so a listener sleeps only when the next append will wake it."""

BUSY_POLL_SECONDS = 0.005
BATCH = 500


class Waker:
    """Sleeps until facts may have been appended: listens on the store's channel, and never waits without a limit."""

    def __init__(self, uri: str, channel: str) -> None:
        self._uri, self._channel = uri, channel
        self._listener: psycopg.Connection | None = None

    def listen(self) -> None:
        """Begin to listen, or again where the connection broke; to be called before pulling, so nothing is missed."""
        if self._listener is not None and not self._listener.closed:
            return
        self.close()
        with contextlib.suppress(psycopg.OperationalError):
            self._listener = psycopg.connect(self._uri, autocommit=True, connect_timeout=5)
            self._listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))

    def wait(self, seconds: float) -> None:
        """Until woken, at most so long."""
        if self._listener is None:
            time.sleep(seconds)
            return
        try:
            for _ in self._listener.notifies(timeout=seconds, stop_after=1):
                pass
        except psycopg.OperationalError:
            self.close()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


class PostgresSubscription(Subscription[ApplicationRecorder]):
    """Iterates over facts after `gt`, for ever, until stopped. What it hands out is on disk."""

    def __init__(self, recorder: PostgresRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._postgres = recorder
        self._position = gt or 0
        self._waiting: list[Notification] = []
        self._waker = Waker(recorder.uri, recorder.channel)

    def __next__(self) -> Notification:
        found_at = time.monotonic()
        while not self._has_been_stopped:
            if self._waiting:
                return self._waiting.pop(0)
            self._waker.listen()
            if self._pull():
                continue
            busy = time.monotonic() - found_at < BUSY_SECONDS
            self._waker.wait(BUSY_POLL_SECONDS if busy else POLL_SECONDS)
        self._waker.close()
        raise StopIteration

    def __exit__(self, *args: object, **kwargs: object) -> None:
        super().__exit__(*args)
        self._waker.close()

    def _pull(self) -> bool:
        try:
            found = self._postgres.select_notifications(
                self._position, BATCH, topics=self._topics, inclusive_of_start=False
            )
            if found:
                self._postgres.make_durable()
        except StoreUnavailable:  # it comes back, or somebody stops us
            return False
        if found:
            self._position = found[-1].id
            self._waiting = list(found)
        return bool(found)
