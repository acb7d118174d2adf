"""While facts come in, folding pauses most of the time.

To go behind everybody else (`courtesy`) is not enough. One who wakes up is let forward at once only if it has not had
more than its share just before, and if the processor it last had is not taken by somebody more important; otherwise it
waits for the next tick - 4 ms, more than a whole append takes - unless a processor falls idle sooner. So processors are
let fall idle every millisecond. While nobody records anything, a rebuild has them all to itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import c_bool
from multiprocessing.sharedctypes import RawValue
from threading import Event, Thread

import psycopg

from application.event_store.appending import StoreUnavailable

from .live import ReadSide

LOOKS_EVERY_SECONDS = 0.25
WANTED_FOR_SECONDS = 2.0
"""So long after the last fact somebody may still be recording."""

WORK_SECONDS, PAUSE_SECONDS = 0.001, 0.002


class Room:
    """Whether others need room. Processes that are given it when they start share it."""

    def __init__(self) -> None:
        self._wanted = RawValue(c_bool, False)
        self._worked_since = 0.0

    @property
    def wanted(self) -> bool:
        """Whether facts came in a moment ago."""
        return bool(self._wanted.value)

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted.value = wanted

    def leave(self) -> None:
        """Called at short intervals by one that works: pauses now and then while others need room."""
        if self._wanted.value and time.monotonic() - self._worked_since > WORK_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._worked_since = time.monotonic()


@contextmanager
def watched(read_side: ReadSide, *, long: bool) -> Iterator[Room]:
    """Room that is wanted whenever facts come in; for what is not `long`, never."""
    room, over = Room(), Event()
    if not long:
        yield room
        return
    watch = Thread(target=_watch, args=(read_side, room, over), name="room")
    watch.start()
    try:
        yield room
    finally:
        over.set()
        watch.join()


def _watch(read_side: ReadSide, room: Room, over: Event) -> None:
    """Ends by itself when the database is away: the rebuild will say so."""
    with suppress(psycopg.Error, StoreUnavailable):
        last, last_at = read_side.head(), -WANTED_FOR_SECONDS
        while not over.wait(LOOKS_EVERY_SECONDS):
            now, at = read_side.head(), time.monotonic()
            if now != last:
                last, last_at = now, at
            room.wanted = at - last_at < WANTED_FOR_SECONDS
