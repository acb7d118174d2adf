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


class PostgresSubscription(Subscription[ApplicationRecorder]):
    """Iterates over facts after `gt`, for ever, until stopped. What it hands out is on disk."""

    def __init__(self, recorder: PostgresRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._postgres = recorder
        self._position = gt or 0
        self._waiting: list[Notification] = []
        self._listener: psycopg.Connection | None = None

    def __next__(self) -> Notification:
        found_at = time.monotonic()
        while not self._has_been_stopped:
            if self._waiting:
                return self._waiting.pop(0)
            if self._listener is None or self._listener.closed:
                self._listen()
            if self._pull():
                continue
            busy = time.monotonic() - found_at < BUSY_SECONDS
            self._wait(BUSY_POLL_SECONDS if busy else POLL_SECONDS)
        self._close()
        raise StopIteration

    def __exit__(self, *args: object, **kwargs: object) -> None:
        super().__exit__(*args)
        self._close()

    def _listen(self) -> None:
        self._close()
        with contextlib.suppress(psycopg.OperationalError):
            self._listener = psycopg.connect(self._postgres.uri, autocommit=True, connect_timeout=5)
            self._listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._postgres.channel)))

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

    def _wait(self, seconds: float) -> None:
        if self._listener is None:
            time.sleep(seconds)
            return
        try:
            for _ in self._listener.notifies(timeout=seconds, stop_after=1):
                pass
        except psycopg.OperationalError:
            self._close()

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
