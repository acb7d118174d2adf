"""An office at work as a program of its own: threads that register, follow up, relate, sell, adopt, until its input ends.
It then says what it did, and what it was refused. `test_read_side` runs several."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from uuid import UUID

import msgspec

from application.event_store.appending import StoreUnavailable
from tests.projections.playing import STEPS, Play

from .offices import Staffed, Store

DAILY = {**STEPS, "adopt": 0}
ADOPT_EVERY_STEPS = 400
"""An adoption is judged anew for everybody; offices adopt a few times a year."""

PAUSE_SECONDS = 0.05
"""A desk takes its time between two commands, or the processors would be the writers' alone."""

MOST_STEPS = 1_000
"""Relations by chance end in one customer of thousands of facts, judged as a whole at every step."""


class Task(msgspec.Struct, frozen=True):
    """Whose office it is, and where its numbers begin, so that no two programs use the same."""

    store: Store
    site: UUID
    manager: UUID
    consultants: tuple[UUID, ...]
    first: int
    threads: int = 2


class Done(msgspec.Struct, frozen=True):
    """Steps taken; what was refused, by code; commands the store was not there for; the longest that one took."""

    steps: int
    refused: dict[str, int]
    unavailable: int
    slowest_seconds: float


class _Desk:
    """One thread."""

    def __init__(self, task: Task, number: int) -> None:
        self.number, self.steps, self.unavailable = number, 0, 0
        self._record = task.store.record()
        staffed = Staffed(task.site, task.manager, task.consultants)
        self.play = Play(task.store, self._record.__enter__(), staffed, task.first + 10_000 * number)

    def run(self, stop: threading.Event) -> None:
        while self.steps < MOST_STEPS and not stop.wait(PAUSE_SECONDS):
            self.steps += 1
            try:
                if self.steps % ADOPT_EVERY_STEPS == 0:
                    self.play.step("adopt", 0, self.steps)
                self.play.steps(1, self.number * 1_000_000 + self.steps, DAILY)
            except StoreUnavailable:
                self.unavailable += 1
        self._record.__exit__(None, None, None)


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    stop = threading.Event()
    desks = [_Desk(task, number) for number in range(task.threads)]
    threads = [threading.Thread(target=desk.run, args=(stop,)) for desk in desks]
    for thread in threads:
        thread.start()
    sys.stdin.buffer.read()  # until the test has had enough
    stop.set()
    for thread in threads:
        thread.join()
    refused = sum((Counter(desk.play.refused) for desk in desks), Counter[str]())
    done = Done(
        sum(desk.steps for desk in desks),
        dict(refused),
        sum(desk.unavailable for desk in desks),
        max(desk.play.slowest_seconds for desk in desks),
    )
    sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
