"""The read side: a rebuild of all views beside merely reading the log, and beside the library's own projection runner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from psycopg import sql

from projections.apart import rebuild_apart
from projections.live import ReadSide
from projections.partition import copy_out, decoded, stream_of
from projections.views import VIEWS

from .crowd import Crowd
from .figures import Figure, beside
from .stock_runner import LastContact, Ownership, facts_a_second

FACTS = 1_000_000
TIMES_READING_AT_MOST = 5.0
TIMES_RUNNER_AT_LEAST = 50.0


def crowd(uri: str, facts: int, progress: Callable[[str], None]) -> Crowd:
    """A store of so many facts, five a visitor."""
    store = Crowd(uri, f"bench_crowd_{facts}", facts)
    store.fill(lambda done: progress(f"filling a crowd of {facts:,} facts: {done:,}"))
    return store


def read_side_of(store: Crowd) -> ReadSide:
    """All views of a store."""
    return ReadSide(store.recorder, list(VIEWS.values()))


def measure_rebuild(store: Crowd, rounds: int, seconds: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Seconds for all views from the whole log, and for copying it out and decoding it in one process, in turn."""
    ours: list[float] = []
    reading: list[float] = []
    runners: dict[type[LastContact] | type[Ownership], list[float]] = {Ownership: [], LastContact: []}
    for number in range(rounds):
        progress(f"rebuild of {store.facts:,} facts: round {number + 1} of {rounds}")
        reading.append(_read_all(store))
        start = time.perf_counter()
        result = rebuild_apart(read_side_of(store))
        ours.append(time.perf_counter() - start)
        assert (result.position, result.differences, result.parked) == (store.facts, 0, 0), result
        for runner, rates in runners.items():
            rates.append(facts_a_second(store, runner, seconds))
    yield beside(
        f"rebuild of {len(VIEWS)} views, {store.facts:,} facts",
        "s",
        ours,
        "COPY out and decode, 1 process",
        reading,
        at_most=TIMES_READING_AT_MOST,
    )
    rates_ours = [store.facts / took for took in ours]
    names = {Ownership: "library's runner, ownership alone", LastContact: "library's runner, two columns"}
    for runner, rates in runners.items():
        yield beside(
            f"rebuild of {len(VIEWS)} views, {store.facts:,} facts",
            "facts/s",
            rates_ours,
            names[runner],
            rates,
            at_least=TIMES_RUNNER_AT_LEAST,
            checked=runner is Ownership,
        )


def _read_all(store: Crowd) -> float:
    """Seconds to copy the facts out in binary and decode them, in this process alone."""
    start, count = time.perf_counter(), 0
    with read_side_of(store).connection() as connection:
        for row in copy_out(connection, sql.Identifier(store.schema, "fact"), sql.SQL("true")):
            decoded(row, stream_of(row))
            count += 1
    assert count == store.facts
    return time.perf_counter() - start
