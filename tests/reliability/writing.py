"""A program under load: threads that register, follow up, contend for phones and sell, and say on its output what they
send and what they were answered. `test_crashes` kills it, or the database under it.

The commands are determined by task, thread and number, so that whoever got no answer can send the same one again.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID, uuid5

import msgspec

from application.commands import Stamp
from application.desk import Answer
from application.event_store.appending import StoreUnavailable
from application.event_store.mapper import encode
from application.sales_office import SalesOffice
from domain.record import Envelope
from domain.visitor import Entry

from .offices import Store, phone_number


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Whose threads these are: one a desk. `since`: when the first command's matter happened; each is a second later.

    `first` and `entries` tell where every desk goes on: the number of its next command, and its last visitor.
    """

    store: Store
    site: UUID
    desks: tuple[UUID, ...]
    since: datetime
    first: tuple[int, ...]
    entries: tuple[Entry | None, ...]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of output: a command sent (no facts yet), or answered with these facts."""

    desk: int
    number: int
    entry: Entry | None = None
    facts: tuple[tuple[int, str], ...] = ()
    repeated: bool = False
    unavailable: int = 0


def fingerprint(envelope: Envelope) -> str:
    """Tells whether a fact is the same in every part: what, where, who, when, and when recorded."""
    place = f"{envelope.stream} {envelope.version} {envelope.recorded_at.isoformat()} {envelope.fact.stored_name} "
    return sha256(place.encode() + encode(envelope)).hexdigest()


def give(office: SalesOffice, task: Task, desk: int, number: int, entry: Entry | None) -> Answer:
    """The command of that desk and number; `entry` is the visitor the desk registered last."""
    by = task.desks[desk]
    stamp = Stamp(
        actor=by,
        at=task.since + timedelta(seconds=number),
        command_id=uuid5(task.site, f"{desk} {number}"),
    )
    match number % 4:
        case 0:
            mine = phone_number((desk + 1) * 1_000_000 + number)
            return office.register(stamp, by=by, name=f"客户 {desk} {number}", phone=mine)
        case 1:
            return office.follow_up(stamp, entry=_known(entry), by=by)
        case 2:  # one phone for all desks: they contend for the claim, then for the file
            return office.register(stamp, by=by, name="大家的客户", phone=phone_number(number))
        case _:
            unit = f"{desk}-{number}"
            return office.sell(stamp, entry=_known(entry), by=[by], amount=Decimal(number + 1), unit=unit)


def _known(entry: Entry | None) -> Entry:
    assert entry is not None
    return entry


def last_entry(number: int, before: Entry | None, answer: Answer) -> Entry | None:
    """The visitor that the desk's next commands are about: the last that is its own."""
    return answer.entry if number % 4 == 0 else before


class Writer:
    """One desk: sends command after command, each until it is answered, and says so."""

    def __init__(self, office: SalesOffice, task: Task, desk: int, stop: threading.Event) -> None:
        self.office, self.task, self.desk, self.stop = office, task, desk, stop

    def run(self) -> None:
        number, entry = self.task.first[self.desk], self.task.entries[self.desk]
        while not self.stop.is_set():
            say(Line(desk=self.desk, number=number, entry=entry))
            answer, unavailable = self._answered(number, entry)
            entry = last_entry(number, entry, answer)
            say(
                Line(
                    desk=self.desk,
                    number=number,
                    entry=entry,
                    facts=told(answer.facts),
                    repeated=answer.repeated,
                    unavailable=unavailable,
                )
            )
            number += 1

    def _answered(self, number: int, entry: Entry | None) -> tuple[Answer, int]:
        """The answer, and how often the client was told that the store is unavailable before it came."""
        unavailable = 0
        while True:
            try:
                return give(self.office, self.task, self.desk, number, entry), unavailable
            except StoreUnavailable:
                unavailable += 1


def told(facts: Sequence[Envelope]) -> tuple[tuple[int, str], ...]:
    return tuple((fact.position, fingerprint(fact)) for fact in facts)


_saying = threading.Lock()


def say(line: Line) -> None:
    """One whole line at a time, at once."""
    with _saying:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # that the database is away is no news here
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    stop = threading.Event()
    with task.store.record() as record:
        office = task.store.office(record, task.site)
        writers = [Writer(office, task, desk, stop) for desk in range(len(task.desks))]
        threads = [threading.Thread(target=writer.run) for writer in writers]
        for thread in threads:
            thread.start()
        sys.stdin.buffer.read()  # until the test has had enough
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
