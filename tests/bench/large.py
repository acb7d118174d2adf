"""`python -m tests.bench.large`: a rebuild of all views from very many facts, once - its time, its peak memory, and what a
fact costs beside the same with few facts. Exits 1 when a target is missed."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from datetime import UTC, datetime

import psutil
from rich.console import Console

from projections.rebuild import rebuild

from .crowd import Crowd
from .figures import Figure, beside, missed, show
from .read_side import crowd, read_side_of
from .server import environment, server

LARGE, SMALL = 10_000_000, 100_000
MOST_MIB = 1536.0
COST_AT_MOST = 1.3
SMALL_ROUNDS = 5
SAMPLED_EVERY_SECONDS = 0.2


class Peak:
    """The most memory that this process and its children, PostgreSQL apart, had resident at any time."""

    def __init__(self) -> None:
        self.mib, self._stop = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        here = psutil.Process()
        while not self._stop.wait(SAMPLED_EVERY_SECONDS):
            resident = 0
            for process in (here, *here.children(recursive=True)):
                try:
                    if "postgres" not in process.name():
                        resident += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.mib = max(self.mib, resident / 2**20)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.large", description=__doc__)
    parser.add_argument("--facts", type=int, default=LARGE, help="facts in the large store (default: 10,000,000)")
    options = parser.parse_args()
    console = Console(stderr=True)

    def progress(line: str) -> None:
        console.print(line, highlight=False, end="\r" if console.is_terminal else "\n")

    with server(progress) as (uri, home):
        found = {"measured": datetime.now(UTC).isoformat(timespec="minutes"), **environment(uri, home)}
        small = crowd(uri, SMALL, lambda line: None)
        small_seconds = [_seconds(small) for _ in range(SMALL_ROUNDS)]
        large = crowd(uri, options.facts, lambda line: None)
        progress(f"filled {options.facts:,} facts")
        with Peak() as peak:
            seconds = _seconds(large)
        figures = list(_figures(options.facts, seconds, small_seconds, peak.mib))
    show(Console(width=160), found, figures)
    return 1 if missed(figures) else 0


def _seconds(store: Crowd) -> float:
    start = time.perf_counter()
    result = rebuild(read_side_of(store))
    assert (result.position, result.parked) == (store.facts, 0), result
    return time.perf_counter() - start


def _figures(facts: int, seconds: float, small_seconds: list[float], mib: float) -> list[Figure]:
    a_fact = [seconds / facts * 1e6] * len(small_seconds)
    return [
        beside(f"rebuild of {facts:,} facts", "s", [seconds], "hour", [3600.0]),
        beside(f"rebuild of {facts:,} facts: peak memory", "MiB", [mib], "limit", [MOST_MIB], at_most=1.0),
        beside(
            f"rebuild of {facts:,} facts: a fact",
            "µs",
            a_fact,
            f"with {SMALL:,}",
            [took / SMALL * 1e6 for took in small_seconds],
            at_most=COST_AT_MOST,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
