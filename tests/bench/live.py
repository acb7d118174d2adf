"""Views kept live: from the commit of a fact until it can be read there; and what a rebuild does to appends meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from application.event_store.appending import Beside, CommandKey
from application.event_store.mapper import FactMapper
from application.event_store.postgres import PostgresRecorder
from projections.apart import rebuild_apart
from projections.live import ReadSide, keep_live, wait_until
from projections.rebuild import rebuild
from projections.views import VIEWS

from .crowd import Crowd
from .figures import Figure, beside
from .filling import START

STEADY_PER_SECOND, BURST_PER_SECOND = 200, 2_000
BURST_SECONDS, BURSTS = 5, 3
VISIBLE_WITHIN_MS = 250.0
DRAINED_WITHIN_SECONDS = 1.0
APPENDS_AT_MOST = 2.0


@contextmanager
def worker(store: Crowd) -> Iterator[None]:
    """A process of its own that keeps all views of the store live."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, store.uri, store.schema), daemon=True)
    process.start()
    assert here.recv() == "ready"
    try:
        yield
    finally:
        here.close()
        process.join(20)


def _work(pipe: Connection, uri: str, schema: str) -> None:
    recorder = PostgresRecorder(uri, schema=schema)
    stop = threading.Event()
    read_side = ReadSide(recorder, list(VIEWS.values()))
    thread = threading.Thread(target=keep_live, args=(read_side, stop, print))
    thread.start()
    pipe.send("ready")
    try:
        pipe.recv()
    except EOFError:
        stop.set()
    thread.join()
    recorder.close()


class Writer:
    """Appends facts of the crowd's kind at a rate, one a command; when each was acknowledged, and how long it took."""

    def __init__(self, store: Crowd) -> None:
        self._store, self._mapper, self._actor = store, FactMapper(), uuid4()
        self._puts = store._facts()
        self.acknowledged: dict[int, float] = {}
        self.took: list[float] = []

    def write(self, per_second: float, seconds: float) -> None:
        """Open loop: each append has its time, and what comes late is not left out."""
        start = time.monotonic()
        for number in itertools.count():
            due = start + number / per_second
            if due >= start + seconds:
                return
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            self.append(due)

    def append(self, due: float) -> None:
        draft = self._store._draft(next(self._puts), START)
        event = self._mapper.to_stored_event(draft)
        command = CommandKey(self._actor, uuid4(), bytes(32))
        began = time.monotonic()
        appended = self._store.recorder.append([event], Beside(command=command))
        now = time.monotonic()
        self.acknowledged[appended.first_position] = now
        self.took.append((now - min(began, due)) * 1000)


class Watcher:
    """When each position could be read in all views: looks whenever the views say that they have moved."""

    def __init__(self, store: Crowd) -> None:
        self._read_side = ReadSide(store.recorder, list(VIEWS.values()))
        self._stop = threading.Event()
        self.seen: list[tuple[int, float]] = []
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        schema = self._read_side.schema
        query = sql.SQL("SELECT min(position) FROM {}").format(sql.Identifier(schema, "view"))
        with psycopg.connect(self._read_side.recorder.uri, autocommit=True) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(schema)))
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=0.2, stop_after=1):
                    pass
                row = connection.execute(query).fetchone()
                assert row is not None
                self.seen.append((row[0], time.monotonic()))

    def delays_ms(self, acknowledged: dict[int, float]) -> list[float]:
        """From acknowledgement to visibility, per position."""
        seen, delays, place = self.seen, [], 0
        for position, at in sorted(acknowledged.items()):
            while seen[place][0] < position:
                place += 1
            delays.append(max(0.0, (seen[place][1] - at) * 1000))
        return delays


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def measure_live(store: Crowd, seconds: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """200 facts a second for so long; then bursts of 2,000 a second, and how long after each the views are there."""
    read_side = ReadSide(store.recorder, list(VIEWS.values()))
    rebuild(read_side)
    with worker(store), Watcher(store) as watcher:
        writer = Writer(store)
        progress(f"live: {STEADY_PER_SECOND} facts a second for {seconds:g} s")
        writer.write(STEADY_PER_SECOND, seconds)
        assert wait_until(read_side, max(writer.acknowledged), 30)
        time.sleep(0.3)
        delays = watcher.delays_ms(writer.acknowledged)
        for share, name in ((0.5, "median"), (0.99, "p99")):
            yield beside(
                f"live, {STEADY_PER_SECOND} facts/s for {seconds:g} s: commit to visible, {name}",
                "ms",
                [percentile(delays, share)],
                "limit",
                [VISIBLE_WITHIN_MS],
                at_most=1.0,
                checked=share > 0.9,
            )
        left: list[float] = []
        for number in range(BURSTS):
            progress(f"live: burst {number + 1} of {BURSTS}")
            writers = [Writer(store) for _ in range(4)]
            threads = [
                threading.Thread(target=w.write, args=(BURST_PER_SECOND / len(writers), BURST_SECONDS)) for w in writers
            ]
            _run(threads)
            ended = time.monotonic()
            assert wait_until(read_side, max(max(w.acknowledged) for w in writers), 60)
            left.append(max(time.monotonic() - ended, 1e-3))
        yield beside(
            f"live, bursts of {BURST_PER_SECOND:,} facts/s for {BURST_SECONDS} s: drained after the last",
            "s",
            left,
            "limit",
            [DRAINED_WITHIN_SECONDS] * len(left),
            at_most=1.0,
        )
    result = rebuild(read_side, check=True)
    assert result.differences == 0, result


def _run(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure_appends_meanwhile(store: Crowd, rounds: int, progress: Callable[[str], None]) -> Iterator[Figure]:
    """p99 of appends at 200 a second: while a rebuild of all views runs, and without, in turn."""
    context = get_context("spawn")
    during: list[float] = []
    without: list[float] = []
    for number in range(rounds):
        progress(f"appends during a rebuild: round {number + 1} of {rounds}")
        here, there = context.Pipe()
        process: Any = context.Process(target=_rebuild_when_told, args=(there, store.uri, store.schema))
        process.start()
        there.close()  # so that its end is noticed, however it comes
        assert here.recv() == "ready"
        writer = Writer(store)
        here.send("go")
        while not here.poll():
            writer.write(STEADY_PER_SECOND, 0.5)
        seconds = here.recv()
        process.join()
        during.append(percentile(writer.took, 0.99))
        quiet = Writer(store)
        quiet.write(STEADY_PER_SECOND, max(seconds, 2.0))
        without.append(percentile(quiet.took, 0.99))
    yield beside(
        f"append p99 during a rebuild of {store.facts:,} facts",
        "ms",
        during,
        "append p99 without",
        without,
        at_most=APPENDS_AT_MOST,
    )


def _rebuild_when_told(pipe: Connection, uri: str, schema: str) -> None:
    recorder = PostgresRecorder(uri, schema=schema)
    pipe.send("ready")
    pipe.recv()
    result = rebuild_apart(ReadSide(recorder, list(VIEWS.values())))
    pipe.send(result.seconds)
    recorder.close()
