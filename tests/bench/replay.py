"""Milliseconds for the replay of one visitor in a small store and in a large one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import UUID

from application.replay.lines import Replay
from application.replay.matter import find_matter
from application.replay.report import Asked, replay

from .figures import Figure, beside
from .filling import ASKED_AT, COMMON_EVERY, COMMON_NAME, SAMPLE_FACTS, Store

SMALL, LARGE = 10_000, 1_000_000
REPLAYS_AT_LEAST = 30
AT_MOST = 1.5


def filled(uri: str, facts: int, progress: Callable[[str], None]) -> Store:
    """A store of so many facts."""
    store = Store(uri, f"bench_{facts}", facts)
    store.fill(lambda done: progress(f"filling a store of {facts:,} facts: {done:,}"))
    return store


def measure(small: Store, large: Store, rounds: int, progress: Callable[[str], None]) -> Iterator[Figure]:
    """The same visitors in both stores in turn, at least 30 times: the whole replay, and what of it is the store's."""
    repeat = max(REPLAYS_AT_LEAST, rounds * len(small.samples))
    _check_alike(*(_replay(store, store.samples[0]) for store in (small, large)))
    namesakes = len(large.office().files.held_by("name", COMMON_NAME))
    names = f"replay, {namesakes:,} visitors of the same name (1 in {COMMON_EVERY})"
    for what, act, samples, number, at_most, checked in (
        (f"replay of {SAMPLE_FACTS} facts", _replay, small.samples, repeat, AT_MOST, True),
        ("of it, finding and reading the visitor", _read, small.samples, repeat, AT_MOST, False),
        (names, _replay, [small.namesake], rounds, None, False),
    ):
        times = _in_turn(small, large, act, samples, number, partial(_tell, progress, what))
        yield beside(
            f"{what}, {large.facts:,} in store",
            "ms",
            times[1],
            f"{small.facts:,} in store",
            times[0],
            at_most=at_most,
            checked=checked,
        )


def _tell(progress: Callable[[str], None], what: str, done: str) -> None:
    progress(f"{what}: {done}")


def _in_turn(
    small: Store,
    large: Store,
    act: Callable[[Store, UUID], object],
    samples: Sequence[UUID],
    repeat: int,
    progress: Callable[[str], None],
) -> tuple[list[float], list[float]]:
    """Milliseconds in the small and in the large store. The samples have the same ids in both."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(repeat):
        progress(f"{number + 1} of {repeat}")
        visitor = samples[number % len(samples)]
        for place in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            act((small, large)[place], visitor)
            times[place].append((time.perf_counter() - start) * 1000)
    return times


def _replay(store: Store, visitor: UUID) -> Replay:
    """All that one replay takes for somebody who has nothing of the store in memory."""
    office = store.office()
    return replay(office, find_matter(office, str(visitor)), Asked(at=ASKED_AT))


def _read(store: Store, visitor: UUID) -> None:
    office = store.office()
    find_matter(office, str(visitor))
    office.files.site()
    office.files.customer_files(visitor)


def _check_alike(one: Replay, other: Replay) -> None:
    """The two stores must give the same work: the same steps, rivals and changes, and somebody who owns the visitor."""
    shapes = [
        (replay.ground, replay.until, [step.effect for step in replay.steps], len(replay.rivals), len(replay.changes))
        for replay in (one, other)
    ]
    if shapes[0] != shapes[1] or one.owner is None or len(one.facts) != SAMPLE_FACTS:
        raise AssertionError(f"the samples differ: {shapes}")
