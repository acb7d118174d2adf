"""The bench itself, in small: verdicts, stores that are alike, and every peer's append."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import sql

from tests.bench import peers, replay
from tests.bench.clients import Clients
from tests.bench.figures import Figure, beside, missed
from tests.bench.filling import SAMPLE_FACTS, Store, registration_bodies, sample_days


@pytest.mark.parametrize(
    ("ours", "limits", "met"),
    [
        (3.0, (3, None), True),
        (2.9, (3, None), False),
        (1.5, (None, 1.5), True),
        (1.6, (None, 1.5), False),
        (1.0, (None, None), None),
    ],
)
def test_a_target_is_met_up_to_its_limit(
    ours: float, limits: tuple[float | None, float | None], met: bool | None
) -> None:
    """The limit itself is good enough."""
    at_least, at_most = limits
    assert beside("x", "ms", [ours], "other", [1.0], at_least=at_least, at_most=at_most).met is met


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    """Rounds in which the whole machine was slow do not count for or against anybody."""
    figure = beside("x", "1/s", [10, 1, 30], "other", [5, 1, 10])
    assert (figure.ratio, figure.low, figure.high, figure.ours, figure.theirs) == (2, 1, 3, 10, 5)


def test_only_what_is_checked_and_missed_counts() -> None:
    """Figures for information never fail a run."""
    decides, tells = (beside("x", "ms", [2.0], "other", [1.0], at_most=1.5, checked=c) for c in (True, False))
    assert missed([decides, tells]) == [decides]


def test_a_sample_has_its_facts_in_order() -> None:
    """Four registrations, and every fact on a day of its own."""
    days = sample_days()
    assert len(days) == SAMPLE_FACTS == len({day for day, _, _ in days})
    assert days == sorted(days) and sum(new for _, _, new in days) == 4


@pytest.fixture
def stores(postgres_uri: str) -> Iterator[tuple[Store, Store]]:
    """Two stores of different sizes, gone afterwards."""
    names = [f"test_{secrets.token_hex(8)}" for _ in range(2)]
    with ExitStack() as stack:
        made = [Store(postgres_uri, name, facts) for name, facts in zip(names, (2000, 3000), strict=True)]
        for store in made:
            stack.callback(store.close)
            store.fill(lambda done: None)
        yield made[0], made[1]
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def test_samples_are_alike_in_stores_of_any_size(stores: tuple[Store, Store]) -> None:
    """Every fact of a store can be read, and a replay of a sample is the same work in both (or measuring refuses)."""
    for store in stores:
        assert [envelope.position for envelope in store.record.read()] == list(range(1, store.facts + 1))
    figures: list[Figure] = list(replay.measure(*stores, 1, lambda line: None))
    assert [figure.checked for figure in figures] == [True, False, False]


def test_every_peer_appends(postgres_uri: str) -> None:
    """In several processes and threads, each at least once a thread."""
    peers.set_up(postgres_uri)
    with Clients(postgres_uri, 2, 2, registration_bodies(2)) as clients:
        for peer in peers.PEERS:
            count, seconds = clients.append(peer, 0.2)
            assert count >= 4 and seconds >= 0.2
