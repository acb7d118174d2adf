"""Commands a second: our append beside the event-sourcing library's and beside bare inserts, one client and sixteen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .clients import Clients
from .figures import Figure, beside
from .filling import registration_bodies
from .peers import BARE, BARE_ONE_KEY, OURS, PEERS, STOCK, set_up

SHAPES = {
    "1 client": (1, 1, True),
    "16 clients, 16 processes": (16, 1, True),
    "16 clients, 2 processes of 8 threads": (2, 8, False),
}
"""Name -> processes, threads in each, and whether the targets decide."""

AT_LEAST = {STOCK: 3.0, BARE: 0.5, BARE_ONE_KEY: None}
SLICES = 4
"""A round's time is cut into so many turns, so that what else the machine does hits all peers alike."""

WARM_UP_SECONDS = 0.5
BODIES = 256


def measure(uri: str, rounds: int, seconds: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Every shape of clients, every peer, `rounds` times for `seconds`."""
    set_up(uri)
    bodies = registration_bodies(BODIES)
    for shape, (processes, threads, checked) in SHAPES.items():
        progress(f"append, {shape}: connecting")
        with Clients(uri, processes, threads, bodies) as clients:
            for peer in PEERS:
                clients.append(peer, WARM_UP_SECONDS)
            rates: dict[str, list[float]] = {peer: [] for peer in PEERS}
            for number in range(rounds):
                progress(f"append, {shape}: round {number + 1} of {rounds}")
                for peer, rate in _round(clients, seconds).items():
                    rates[peer].append(rate)
        for peer, at_least in AT_LEAST.items():
            yield beside(
                f"append, {shape}",
                "commands/s",
                rates[OURS],
                peer,
                rates[peer],
                at_least=at_least,
                checked=checked,
            )


def _round(clients: Clients, seconds: float) -> dict[str, float]:
    """Appends a second of every peer in one round; each turn begins with another peer."""
    order = list(PEERS)
    counts, times = dict.fromkeys(order, 0), dict.fromkeys(order, 0.0)
    for _ in range(SLICES):
        for peer in order:
            count, took = clients.append(peer, seconds / SLICES)
            counts[peer] += count
            times[peer] += took
        order.append(order.pop(0))
    return {peer: counts[peer] / times[peer] for peer in PEERS}
