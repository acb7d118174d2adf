"""Client processes and threads that append for a while, all at once; started and connected before the clock starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from uuid import uuid4

from .peers import PEERS, Peer

START_AFTER_SECONDS = 0.1
"""From the parent's word to the common start, so that every client has heard it and waits."""


class Clients:
    """`processes` times `threads` clients, each connected to every peer; a context manager."""

    def __init__(self, uri: str, processes: int, threads: int, bodies: Sequence[bytes]) -> None:
        context = get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(processes):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, uri, threads, bodies), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def append(self, peer: str, seconds: float) -> tuple[int, float]:
        """All clients append to one peer for so long: how many appends they did together, and in which time exactly."""
        start = time.monotonic() + START_AFTER_SECONDS
        for pipe in self._pipes:
            pipe.send((peer, start, seconds))
        done = [pipe.recv() for pipe in self._pipes]
        return sum(count for count, _ in done), max(end for _, end in done) - start

    def __enter__(self) -> Clients:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join()


def _serve(pipe: Connection, uri: str, threads: int, bodies: Sequence[bytes]) -> None:
    """One process: connects, says so, and appends whenever told to, until the parent hangs up."""
    peers = {name: peer(uri, threads) for name, peer in PEERS.items()}
    with ThreadPoolExecutor(threads) as executor:
        pipe.send("connected")
        try:
            while True:
                name, start, seconds = pipe.recv()
                if threads == 1:
                    pipe.send(_append(peers[name], 0, start, seconds, bodies))
                else:
                    runs = [
                        executor.submit(_append, peers[name], thread, start, seconds, bodies)
                        for thread in range(threads)
                    ]
                    done = [run.result() for run in runs]
                    pipe.send((sum(count for count, _ in done), max(end for _, end in done)))
        except EOFError:
            pass
    for peer in peers.values():
        peer.close()


def _append(peer: Peer, thread: int, start: float, seconds: float, bodies: Sequence[bytes]) -> tuple[int, float]:
    """One client's loop: how many appends it did, and when it was done. The clock is the same in every process."""
    append, clock, end, number = peer.append, time.monotonic, start + seconds, len(bodies)
    time.sleep(max(0.0, start - clock()))
    count = 0
    while (now := clock()) < end:
        append(thread, uuid4(), bodies[count % number])
        count += 1
    return count, now
