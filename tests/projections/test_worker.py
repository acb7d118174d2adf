"""The worker: builds what is not built, keeps the views live, stands by while another does; and views brought up to the
record's end where there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from projections import worker
from projections.live import ReadSide, wait_until
from projections.metrics import ABOUT, measure
from projections.rebuild import Cancelled, Progress, Tell, rebuild
from projections.records import NotThere, cancel, keeping, parked, rebuilding, rebuilds
from projections.schedule import Schedule, Task
from projections.view import View
from projections.views import VIEWS
from projections.worker import bring_up, build, work
from tests.application.test_sales_office import OTHER_PHONE, House

PATIENCE_SECONDS = 60
UTC = ZoneInfo("UTC")


@pytest.fixture
def house(make_recorder: Callable[..., PostgresRecorder], master: bytes) -> House:
    record = Record(make_recorder())
    house = House(record, Keyring(master, record.person_keys))
    house.register("2026-03-02 09:00")
    return house


@pytest.fixture
def read_side(house: House, make_recorder: Callable[..., PostgresRecorder]) -> ReadSide:
    return ReadSide(make_recorder(), tuple(VIEWS.values()))


class Worker:
    """`work` in a thread of this process; `heard` waits for something to be said."""

    def __init__(self, side: ReadSide, schedule: Schedule | None = None) -> None:
        self.said: list[str] = []
        self.built: list[str] = []
        self.problems: list[BaseException] = []
        self.stop = threading.Event()
        self._told = threading.Condition()
        self._thread = threading.Thread(target=self._work, args=(side, schedule))
        self._thread.start()

    def _work(self, side: ReadSide, schedule: Schedule | None) -> None:
        try:
            work(side, self.stop, self._say, schedule=schedule, zone=UTC, tell=self._tell)
        except BaseException as error:
            self.problems.append(error)
            raise

    def _tell(self, views: Sequence[View]) -> Tell:
        self.built.extend(view.name for view in views)
        return lambda progress: None

    def _say(self, line: str) -> None:
        with self._told:
            self.said.append(line)
            self._told.notify_all()

    def heard(self, text: str) -> None:
        with self._told:
            heard = self._told.wait_for(lambda: any(text in line for line in self.said), PATIENCE_SECONDS)
        assert heard, self.said

    def end(self) -> None:
        self.stop.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


@contextmanager
def working(side: ReadSide, schedule: Schedule | None = None) -> Iterator[Worker]:
    one = Worker(side, schedule)
    try:
        yield one
    finally:
        one.end()
    assert one.problems == []


def head(side: ReadSide) -> int:
    return side.recorder.max_notification_id() or 0


def test_a_worker_builds_keeps_and_follows(read_side: ReadSide, house: House) -> None:
    with working(read_side) as one:
        one.heard("kept live by this worker")
        assert wait_until(read_side, head(read_side), PATIENCE_SECONDS)
        assert one.built == list(VIEWS)
        house.register("2026-03-03 09:00", phone=OTHER_PHONE, name="钱多")
        assert wait_until(read_side, head(read_side), PATIENCE_SECONDS)
        with read_side.connection() as connection:
            assert (keeping(read_side, connection) or "").startswith("lunpai work, process ")


def test_another_worker_stands_by_and_takes_over(read_side: ReadSide) -> None:
    with working(read_side) as one:
        one.heard("kept live by this worker")
        with working(read_side) as other:
            other.heard("kept live by another worker; this one stands by")
            one.end()
            other.heard("kept live by this worker")


def test_a_worker_carries_out_the_schedule(read_side: ReadSide) -> None:
    schedule = Schedule(tasks={"every-minute": Task(what="check", cron="* * * * *")})
    with working(read_side, schedule) as one:
        one.heard("every-minute: done")


def test_a_worker_waits_for_a_rebuild_that_runs(read_side: ReadSide) -> None:
    with read_side.connection() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"rebuild {read_side.schema}"])
        one = Worker(read_side)
        one.heard("another rebuild is running; waiting for it")
        assert one.built == list(VIEWS)
    assert wait_until(read_side, head(read_side), PATIENCE_SECONDS)
    one.end()


def test_a_worker_that_is_asked_to_end_leaves_off_building(
    read_side: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def long_run(*arguments: Any, tell: Callable[[Progress], None], **options: Any) -> Any:
        begun.set()
        while True:
            tell(Progress("folding", 0, 1))

    monkeypatch.setattr(worker, "run", long_run)
    with working(read_side):
        assert begun.wait(PATIENCE_SECONDS)
    with read_side.connection() as connection:
        assert len(read_side.unbuilt(connection)) == len(VIEWS)


def test_what_ends_a_worker_unasked_comes_out(read_side: ReadSide, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*arguments: Any, **options: Any) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(worker, "keep_live", mistaken)
    with pytest.raises(ValueError, match="a mistake"):
        work(read_side, threading.Event(), print, schedule=None, zone=UTC)


def test_building_that_somebody_cancels_is_left_to_people(read_side: ReadSide, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*arguments: Any, **options: Any) -> Any:
        raise Cancelled("the rebuild was cancelled; the live views are as they were")

    monkeypatch.setattr(worker, "run", cancelled)
    said: list[str] = []
    build(read_side, threading.Event(), said.append, asked_by="test")
    assert said == ["views: the rebuild was cancelled; the live views are as they were; build them with lunpai rebuild"]


def test_views_are_brought_up_without_a_worker(read_side: ReadSide, house: House) -> None:
    two = [VIEWS["ownership"], VIEWS["docket"]]
    bring_up(read_side, two, print, asked_by="report")
    with read_side.connection() as connection:
        assert set(read_side.standing(connection)) == {"ownership", "docket"}
    for number in range(3):
        house.register("2026-03-03 09:00", phone=f"1385671830{number}", name="钱多")
    bring_up(read_side, two, print, asked_by="report")
    with read_side.connection() as connection:
        positions = {name: standing.position for name, standing in read_side.standing(connection).items()}
        assert positions == dict.fromkeys(("ownership", "docket"), head(read_side))
        connection.execute(f'DROP TABLE "{read_side.schema}".docket')
        bring_up(read_side, two, print, asked_by="report")
        assert [one.views for one in rebuilds(read_side, connection, 5)] == [["docket"], ["ownership", "docket"]]


def test_measures(read_side: ReadSide, house: House) -> None:
    def measured() -> dict[tuple[str, ...], float]:
        with read_side.connection() as connection:
            found = measure(read_side, connection)
        assert {one.name for one in found} <= ABOUT.keys()
        return {(one.name, *one.labels.values()): one.value for one in found}

    before = measured()
    with read_side.connection() as connection:
        assert keeping(read_side, connection) is None
    assert before["lunpai_view_in_trouble", "ownership"] == 1 and before["lunpai_views_kept",] == 0
    assert not any(name.startswith("lunpai_rebuild") for name, *_ in before)
    rebuild(read_side)
    house.register("2026-03-03 09:00", phone=OTHER_PHONE, name="钱多")
    after = measured()
    assert after["lunpai_view_in_trouble", "ownership"] == 0
    assert after["lunpai_view_behind_facts", "ownership"] == 1 and after["lunpai_view_behind_seconds", "docket"] > 0
    assert after["lunpai_rebuild_seconds", "rebuild"] > 0
    assert ("lunpai_rebuild_differences", "rebuild") not in after  # there was nothing to compare with
    rebuild(read_side, check=True)
    assert measured()["lunpai_rebuild_differences", "check"] == 0


def test_nothing_to_cancel_and_what_a_dead_rebuild_left(read_side: ReadSide) -> None:
    with read_side.connection() as connection:
        with pytest.raises(NotThere, match="no rebuild is running"):
            cancel(read_side, connection)
        connection.execute(
            f'INSERT INTO "{read_side.schema}".rebuild (mode, views, asked_by, status, stage) '
            "VALUES ('rebuild', '{docket}', 'test', 'running', 'folding')"
        )
        assert rebuilding(read_side, connection) is None
        (dead,) = rebuilds(read_side, connection, 1)
        assert (dead.status, dead.message) == ("failed", "its process ended")
        with pytest.raises(NotThere, match="no rebuild is running"):
            cancel(read_side, connection)
        with psycopg.connect(read_side.recorder.uri) as other:
            other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"rebuild {read_side.schema}"])
            assert rebuilds(read_side, connection, 1)[0].percent == 0
            assert cancel(read_side, connection) == dead.id
        assert parked(read_side, connection) == []
