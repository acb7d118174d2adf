"""How fast the log is read into facts, and how long it takes to work out who owns a visitor; for information."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql

from application.event_store.record import BATCH
from domain.attribution import attribute
from domain.visitor import Entry, Moment

from .figures import Figure, beside
from .filling import ASKED_AT, SAMPLE_FACTS, Store


def measure_decode(store: Store, rounds: int, seconds: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Facts a second through Record.read, beside the same rows fetched in the same batches and left as they are."""
    ours: list[float] = []
    rows: list[float] = []
    with psycopg.connect(store.uri, autocommit=True) as connection:
        for number in range(rounds):
            progress(f"reading the log: round {number + 1} of {rounds}")
            ours.append(_per_second(lambda: sum(1 for _ in store.record.read()), seconds))
            rows.append(_per_second(lambda: _fetch(connection, store), seconds))
    yield beside(f"reading the log of {store.facts:,} facts", "facts/s", ours, "rows alone", rows)


def measure_attribution(store: Store, rounds: int, seconds: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Microseconds for `attribute` on one customer, beside reading that customer's facts from the store."""
    office, visitor = store.office(), store.samples[0]
    question = office.files.question(office.files.customer_files(visitor))
    moment = Moment(ASKED_AT, ASKED_AT)

    def work_out() -> int:
        found = attribute(question, Entry(visitor, 1), moment)
        assert found.owner is not None
        return 1

    def read() -> int:
        assert len(store.record.load_since(visitor, 0)) == SAMPLE_FACTS
        return 1

    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds):
        progress(f"attribution: round {number + 1} of {rounds}")
        ours.append(1e6 / _per_second(work_out, seconds))
        theirs.append(1e6 / _per_second(read, seconds))
    yield beside(f"attribution of {SAMPLE_FACTS} facts", "µs", ours, "reading them from the store", theirs)


def _per_second(act: Callable[[], int], seconds: float) -> float:
    """`act` again and again for so long; how much it says it did, a second."""
    start, done = time.perf_counter(), 0
    while (took := time.perf_counter() - start) < seconds:
        done += act()
    return done / took


def _fetch(connection: psycopg.Connection, store: Store) -> int:
    query = sql.SQL(
        "SELECT position, stream, version, name, body, recorded_at FROM {} "
        "WHERE position > %s ORDER BY position LIMIT %s"
    ).format(sql.Identifier(store.schema, "fact"))
    after = 0
    while rows := connection.execute(query, [after, BATCH], prepare=True, binary=True).fetchall():
        after = rows[-1][0]
    return after
