"""A worker that keeps all views live, as a program of its own: `test_read_side` kills it. It says what it has to say, and
ends when its input does."""

from __future__ import annotations

import logging
import sys
import threading

import msgspec

from application.event_store.postgres import PostgresRecorder
from projections.live import ReadSide, keep_live
from projections.views import VIEWS

from .offices import Store


class Task(msgspec.Struct, frozen=True):
    """Whose views these are."""

    store: Store


class Said(msgspec.Struct, frozen=True):
    line: str


def say(line: str) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(Said(line)) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # that the database is away is no news here
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    with task.store.record() as record:
        assert isinstance(record.recorder, PostgresRecorder)
        side, stop = ReadSide(record.recorder, tuple(VIEWS.values())), threading.Event()
        keeping = threading.Thread(target=keep_live, args=(side, stop, say))
        keeping.start()
        sys.stdin.buffer.read()  # until the test has had enough
        stop.set()
        keeping.join()


if __name__ == "__main__":
    main()
