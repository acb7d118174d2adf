"""Milliseconds for one `receive` on a day of many facts and of few, and a year on the floor of a made-up office."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from application.commands import Stamp
from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site

from .figures import Figure, beside

SHORT, LONG = 100, 2_000
AT_MOST = 2.0
RECEIVES = 40
RULEBOOK, STAFF = "two-rosters", 10
YEAR_DAYS, YEAR_VISITORS, YEAR_SECONDS = 365, 200, 60.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Floor:
    """An office with a day of so many facts behind it."""

    def __init__(self, record: Record, master: bytes) -> None:
        self.record, self.keyring = record, Keyring(master, record.person_keys)
        self.at = datetime(2026, 3, 2, 1, tzinfo=UTC)
        name = f"bench {secrets.token_hex(4)}"
        self.office = open_site(
            record, self.keyring, Shelf(), name=name, timezone="Asia/Shanghai", stamp=self.stamp(LONG_AGO)
        )
        enrolled = [self.office.enrol_staff(self.stamp(LONG_AGO), name=f"顾问{n}") for n in range(STAFF)]
        self.staff: list[UUID] = [answer.subject for answer in enrolled if answer.subject is not None]
        self.office.adopt(self.stamp(LONG_AGO), rulebook=RULEBOOK)
        self.receptions = 0

    def stamp(self, at: datetime | None = None) -> Stamp:
        at = at or self.at
        return Stamp(actor=uuid4(), at=at, entered_at=at)

    def sign_in(self) -> None:
        for one in self.staff:
            self.office.floor.sign_in(self.stamp(), who=one)

    def sign_out(self) -> None:
        for one in self.staff:
            self.office.floor.sign_out(self.stamp(), who=one)

    def receive(self) -> str:
        """Somebody new comes; the reception's label."""
        self.receptions += 1
        self.at += timedelta(seconds=20)
        label = f"r{self.receptions}"
        self.office.floor.receive(self.stamp(), reception=label, channel="visit")
        return label

    def finish(self, label: str) -> None:
        self.office.floor.finish(self.stamp(), reception=label)

    def fill(self, facts: int) -> None:
        """Receive and finish until the day has so many facts."""
        self.sign_in()
        while self.office.floor.floor(self.at).queue.version + 2 <= facts:
            self.finish(self.receive())

    def anew(self) -> SalesOffice:
        """The same office for somebody who has nothing of it in memory."""
        return SalesOffice(self.record, self.keyring, Shelf(), self.office.site_id)


def measure(uri: str, rounds: int, progress: Callable[[str], None]) -> Iterator[Figure]:
    """One `receive` beside the same on a short day, both with the day at hand; then with nothing in memory; then a year."""
    prepare_store(uri, "bench_queue", b"bench")
    recorder = PostgresRecorder(uri, schema="bench_queue")
    with closing(recorder):
        record, master = Record(recorder), secrets.token_bytes(32)
        floors = [Floor(record, master), Floor(record, master)]
        for floor, facts in zip(floors, (SHORT, LONG), strict=True):
            progress(f"filling a day of {facts:,} facts")
            floor.fill(facts)
        progress("receiving on both days")
        warm, cold = _receives(floors, rounds), _loads(floors, rounds)
    day = f"on a day of {LONG:,} facts"
    yield beside(f"receive {day}", "ms", warm[1], f"on a day of {SHORT}", warm[0], at_most=AT_MOST)
    yield beside(f"loading the floor {day}", "ms", cold[1], f"on a day of {SHORT}", cold[0])
    progress(f"{YEAR_DAYS} days of {YEAR_VISITORS} receptions")
    seconds = [_year(progress)]
    what = f"{YEAR_DAYS} days x {YEAR_VISITORS} receptions x {STAFF} consultants in memory"
    yield beside(what, "s", seconds, "the limit", [YEAR_SECONDS], at_most=1.0)


def _receives(floors: list[Floor], rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds a `receive`, in turn on both days; each reception is over at once, so that all stay free."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(RECEIVES * rounds):
        for place in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            label = floors[place].receive()
            times[place].append(1000 * (time.perf_counter() - began))
            floors[place].finish(label)
        if number % RECEIVES == 0:  # keep the short day short
            floors[0].at += timedelta(days=1)
            floors[0].fill(SHORT)
    return times


def _loads(floors: list[Floor], rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds until somebody who has nothing in memory sees the floor."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for place, floor in enumerate(floors):
            office = floor.anew()
            began = time.perf_counter()
            office.floor.floor(floor.at)
            times[place].append(1000 * (time.perf_counter() - began))
    return times


def _year(progress: Callable[[str], None]) -> float:
    """Seconds for a year through the real commands, on the store in memory."""
    floor = Floor(Record(MemoryRecorder()), secrets.token_bytes(32))
    began = time.perf_counter()
    for day in range(YEAR_DAYS):
        floor.at = datetime(2026, 1, 1, 1, tzinfo=UTC) + timedelta(days=day)
        floor.sign_in()
        going_on: list[str] = []
        for _ in range(YEAR_VISITORS):
            floor.at += timedelta(minutes=2)
            going_on.append(floor.receive())
            if len(going_on) > STAFF // 2:
                floor.finish(going_on.pop(0))
        for label in going_on:
            floor.finish(label)
        floor.sign_out()
        if day % 30 == 0:
            progress(f"a year on the floor: day {day}")
    return time.perf_counter() - began
