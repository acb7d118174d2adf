"""A rebuild of all views as a program of its own, which may end itself at once at a stage: `test_read_side` runs it."""

from __future__ import annotations

import os
import signal
import sys

import msgspec

from application.event_store.postgres import PostgresRecorder
from projections import partition, processes
from projections import rebuild as rebuilding
from projections.apart import rebuild_apart
from projections.live import ReadSide
from projections.rebuild import Progress, rebuild
from projections.views import VIEWS

from .offices import Store


class Task(msgspec.Struct, frozen=True):
    """`die_at`: the stage at which it kills itself, when so many facts are folded. `parted`: on several processes, in
    small parts. `apart`: by a process of its own, which outlives it for a moment."""

    store: Store
    die_at: str | None = None
    die_after_facts: int = 0
    parted: bool = False
    apart: bool = False


class Told(msgspec.Struct, frozen=True):
    """A stage it has come to, or how it ended."""

    stage: str
    differences: int = 0
    position: int = 0


def say(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    # Tests that were started in the background begin with interrupts ignored, and their children too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    if task.apart:
        processes.ALONE_BELOW_FACTS = 0
    if task.parted:
        processes.ALONE_BELOW_FACTS, partition.PART_FACTS = 0, 100
        rebuilding.TOLD_EVERY_SECONDS = 0.0

    def tell(progress: Progress) -> None:
        say(Told(progress.stage))
        if progress.stage == task.die_at and progress.folded >= task.die_after_facts:
            os.kill(os.getpid(), signal.SIGKILL)

    with task.store.record() as record:
        assert isinstance(record.recorder, PostgresRecorder)
        try:
            do = rebuild_apart if task.apart else rebuild
            found = do(ReadSide(record.recorder, tuple(VIEWS.values())), tell=tell)
        except KeyboardInterrupt:
            say(Told("interrupted"))
        else:
            say(Told("ended", found.differences, found.position))


if __name__ == "__main__":
    main()
