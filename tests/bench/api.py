"""Requests a second of the API beside those of a bare Flask view that does one INSERT, or one SELECT; and how long
answers take at half of the most that either can do."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
import psycopg

from application.access_keys import issue
from application.commands import Stamp
from application.event_store.migrations import prepare_store
from application.privacy import Keyring
from application.sales_office import SalesOffice, open_site
from interfaces.store import store_at
from projections.rebuild import rebuild

from .figures import Figure, beside
from .http_load import Load, Requests, request, wait_until_it_listens
from .http_server import BARE_TABLE, THREADS, Task

WORKERS = 2
CONNECTIONS = WORKERS * THREADS
SCHEMA, RULEBOOK = "bench_api", "forty-three-articles"
CONSULTANTS, VISITORS = 10, 1_000
WARM_UP_SECONDS = 1.0
SLICES = 8
PERCENT = 99


class Office(NamedTuple):
    """What requests to our API are made with."""

    site: UUID
    key: str
    visitors: list[UUID]


class Measured(NamedTuple):
    """A request of ours, the bare one it stands beside, and how much of that one's rate it must reach."""

    what: str
    ours: Requests
    bare: str
    at_least: float | None


def measure(uri: str, rounds: int, seconds: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Every request in `rounds` rounds, ours and the bare one by turns; then both at half of their own median rate."""
    master = secrets.token_bytes(32)
    office = _office(uri, master, progress)
    _bare_table(uri)
    with ExitStack() as stack:
        loads = {
            name: stack.enter_context(_served(Task(uri, _free_port(), WORKERS, schema, master)))
            for name, schema in (("ours", SCHEMA), ("bare", None))
        }
        for measured in _measured(office):
            yield from _beside(measured, loads["ours"], loads["bare"], rounds, seconds, progress)


def _beside(
    measured: Measured, ours: Load, bare: Load, rounds: int, seconds: float, progress: Callable[[str], None]
) -> Iterator[Figure]:
    what, mine, theirs, name = measured.what, measured.ours, BARE[measured.bare], f"bare Flask, {measured.bare}"
    for load, requests in ((ours, mine), (bare, theirs)):
        load.at_most(requests, WARM_UP_SECONDS)
    rates: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        progress(f"api, {what}: round {number + 1} of {rounds}")
        for found, rate in zip(rates, _by_turns((ours, mine), (bare, theirs), seconds), strict=True):
            found.append(rate)
    figure = beside(f"api: {what}", "requests/s", rates[0], name, rates[1], at_least=measured.at_least)
    yield figure
    slow: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        progress(f"api, {what} at half of the load: round {number + 1} of {rounds}")
        slow[0].append(_slow(ours, mine, figure.ours / 2, seconds))
        slow[1].append(_slow(bare, theirs, figure.theirs / 2, seconds))
    yield beside(f"api: {what}, p{PERCENT} at half of its own load", "ms", slow[0], name, slow[1])


def _by_turns(ours: tuple[Load, Requests], bare: tuple[Load, Requests], seconds: float) -> tuple[float, float]:
    """Answers a second of both in one round, cut into turns, so that what else the machine does hits both alike."""
    counts, times = [0, 0], [0.0, 0.0]
    for number in range(SLICES):
        for place in (0, 1) if number % 2 else (1, 0):
            load, requests = (ours, bare)[place]
            count, took = load.at_most(requests, seconds / SLICES)
            counts[place] += count
            times[place] += took
    return counts[0] / times[0], counts[1] / times[1]


def _slow(load: Load, requests: Requests, rate: float, seconds: float) -> float:
    """Milliseconds within which 99 of 100 answers have come."""
    return 1000 * quantiles(load.paced(requests, rate, seconds), n=100)[PERCENT - 1]


# What is asked


def _measured(office: Office) -> tuple[Measured, ...]:
    site, key = f"/v1/sites/{office.site}", {"Authorization": f"Bearer {office.key}"}

    def register(number: int) -> bytes:
        named = {**key, "Idempotency-Key": f"bench-{number}"}
        return request("POST", f"{site}/registrations", named, _visitor(number))

    def show_visitor(number: int) -> bytes:
        return request("GET", f"{site}/visitors/{office.visitors[number % len(office.visitors)]}", key)

    day = datetime.now(UTC).date()
    return (
        Measured("register a visitor", register, "one INSERT", 0.4),
        Measured("show a visitor", show_visitor, "one SELECT", 0.5),
        Measured("the board", lambda number: request("GET", f"{site}/queue", key), "one SELECT", None),
        Measured(
            "the report of a day", lambda number: request("GET", f"{site}/reports/daily?day={day}", key), "one SELECT", None
        ),
    )  # fmt: skip


def _visitor(number: int) -> bytes:
    """Somebody new, each time."""
    return msgspec.json.encode({"name": f"客户{number}", "phone": f"139{number:08d}"})


BARE: dict[str, Requests] = {
    "one INSERT": lambda number: request("POST", "/visitors", {}, _visitor(number)),
    "one SELECT": lambda number: request("GET", f"/visitors/{number % VISITORS + 1}", {}),
}


# What there is


def _office(uri: str, master: bytes, progress: Callable[[str], None]) -> Office:
    """An office with so many visitors, on a day on which everybody is there, and some receive."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for schema in (SCHEMA, f"{SCHEMA}_views"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    prepare_store(uri, SCHEMA, Keyring(master, lambda persons: {}).fingerprint())
    store = store_at(uri, SCHEMA, master)
    with closing(store.record):
        since = datetime(2000, 1, 2, tzinfo=UTC)
        office = open_site(
            store.record, store.keyring, store.shelf, name="滨江一号", timezone="Asia/Shanghai", stamp=_then(since)
        )
        office.adopt(_then(since), rulebook=RULEBOOK)
        manager = _enrol(office, since, "陈经理", "manager")
        team = [_enrol(office, since, f"顾问{number}", "consultant") for number in range(CONSULTANTS)]
        visitors = []
        for number in range(VISITORS):
            if number % 100 == 0:
                progress(f"api: visitor {number} of {VISITORS}")
            name, phone = f"老客户{number}", f"138{number:08d}"
            entry = office.register(_now(), by=team[number % CONSULTANTS], name=name, phone=phone).entry
            assert entry is not None
            visitors.append(entry.visitor)
        for one in team:
            office.floor.sign_in(_now(), who=one)
        for _ in range(CONSULTANTS // 2):
            office.floor.receive(_now(), channel="visit")
        rebuild(store.read_side)
        return Office(office.site_id, issue(office, _now(), staff=manager).text, visitors)


def _enrol(office: SalesOffice, since: datetime, name: str, role: str) -> UUID:
    staff = office.enrol_staff(_then(since), name=name, role=role).subject
    assert staff is not None
    return staff


def _then(at: datetime) -> Stamp:
    return Stamp(actor=uuid4(), at=at, entered_at=at)


def _now() -> Stamp:
    return Stamp(actor=uuid4(), at=datetime.now(UTC) - timedelta(seconds=1), at_given=False)


def _bare_table(uri: str) -> None:
    schema = BARE_TABLE.partition(".")[0]
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute(f"CREATE SCHEMA {schema}")
        columns = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, phone text NOT NULL"
        connection.execute(f"CREATE TABLE {BARE_TABLE} ({columns})")
        fill = f"INSERT INTO {BARE_TABLE} (name, phone) SELECT 'old ' || n, '138' || n FROM generate_series(1, %s) n"
        connection.execute(fill, [VISITORS])


@contextmanager
def _served(task: Task) -> Iterator[Load]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.http_server"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(task) + b"\n")
        process.stdin.flush()
        wait_until_it_listens(task.port)
        yield Load(task.port, CONNECTIONS)
    finally:
        process.stdin.close()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
