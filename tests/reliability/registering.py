"""A program with many desks that all register one phone at the same instant, round after round: `test_one_owner` runs
two of it."""

from __future__ import annotations

import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import msgspec

from application.commands import Stamp
from application.sales_office import SalesOffice
from domain.visitor import Entry

from .offices import Store


class Task(msgspec.Struct, frozen=True):
    """Whose desks these are: one thread each."""

    store: Store
    site: UUID
    desks: tuple[UUID, ...]


class Round(msgspec.Struct, frozen=True):
    """What every desk registers, as of one and the same instant: only the record can tell who was first."""

    phone: str
    name: str
    at: datetime


class Told(msgspec.Struct, frozen=True):
    """What one desk was answered: its entry, its place in the log, who owns the visitor, and who is said to be first."""

    by: UUID
    command: UUID
    entry: Entry
    position: int
    owner: UUID | None
    first: tuple[UUID, ...]
    repeated: bool


class Done(msgspec.Struct, frozen=True):
    """All answers of a round."""

    answers: tuple[Told, ...]


def register(office: SalesOffice, desk: UUID, what: Round, together: threading.Barrier) -> Told:
    """One desk's registration, started together with all others'."""
    stamp = Stamp(actor=desk, at=what.at)
    together.wait(60)
    answer = office.register(stamp, by=desk, name=what.name, phone=what.phone)
    assert answer.attribution is not None and answer.entry is not None
    return Told(
        by=desk,
        command=stamp.command_id,
        entry=answer.entry,
        position=answer.position,
        owner=answer.attribution.owner,
        first=next(step.by for step in answer.attribution.steps if step.what == "registration"),
        repeated=answer.repeated,
    )


def main() -> None:
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # if the test dies, so does its database
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    together = threading.Barrier(len(task.desks))
    with task.store.record() as record, ThreadPoolExecutor(len(task.desks)) as desks:
        office = task.store.office(record, task.site)
        office.files.editions()
        for line in sys.stdin.buffer:
            what = msgspec.json.decode(line, type=Round)
            answered = [desks.submit(register, office, desk, what, together) for desk in task.desks]
            done = Done(tuple(future.result() for future in answered))
            sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
