"""A busy office over HTTP among kills of workers and of the database, in small; `make soak` runs it in full."""

from __future__ import annotations

from .soaking import home_of_its_own, soak


def test_nothing_acknowledged_is_lost_or_doubled() -> None:
    """300 requests of 16 clients; a worker and the database are killed, each way once."""
    with home_of_its_own() as home:
        report = soak(home, requests=300, clients=16, kills=4, seed=7, tell=lambda line: None)
    print(*report.lines(), sep="\n")
    assert report.requests == 300 and report.acknowledged > 100
    assert set(report.kills.values()) == {1} and len(report.kills) == 4
