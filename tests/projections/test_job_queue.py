"""The queue that carries the schedule out: once however many workers there are, again after the database was away,
skipped while another rebuild is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from procrastinate import App

from application.event_store.appending import StoreRefused, StoreUnavailable
from application.event_store.migrations import jobs_schema
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from projections import job_queue, jobs, records
from projections.job_queue import defer, last_outcomes, migrations, prepare_queue, queue_of, waiting, workers
from projections.jobs import application, perform, work_off
from projections.live import ReadSide
from projections.rebuild import Progress, rebuild
from projections.schedule import Schedule, Task
from projections.views import VIEWS
from tests.application.test_sales_office import House

CHECK, REBUILD = Task(what="check", cron="0 0 1 1 *"), Task(what="rebuild", cron="0 0 1 1 *")
PATIENCE_SECONDS = 60
ALL = len(VIEWS)


# The queue's tables


def functions(uri: str, schema: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(uri) as connection:
        query = (
            "SELECT p.proname, pg_get_function_identity_arguments(p.oid), p.prosrc FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s"
        )
        found = connection.execute(query, [schema]).fetchall()
    return {(name, arguments.replace(f"{schema}.", ""), " ".join(text.split())) for name, arguments, text in found}


def test_an_older_queue_is_migrated_in_order_and_a_newer_one_refused(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str
) -> None:
    make_recorder()
    prepare_queue(postgres_uri, schema)
    prepare_queue(postgres_uri, schema)  # nothing left to do
    made = functions(postgres_uri, jobs_schema(schema))
    names = list(migrations())
    assert made and names == sorted(names)

    older = names.index("03.00.00_01_pre_cancel_notification")
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {jobs_schema(schema)} CASCADE")
        connection.execute(f"CREATE SCHEMA {jobs_schema(schema)} AUTHORIZATION lunpai_program")
        connection.execute("SET ROLE lunpai_program")
        connection.execute(f"SET search_path TO {jobs_schema(schema)}")
        connection.execute(job_queue.OWN_TABLES)
        for name in names[:older]:
            connection.execute(migrations()[name].encode())
            connection.execute("INSERT INTO migration (name) VALUES (%s)", [name])
    prepare_queue(postgres_uri, schema)
    assert functions(postgres_uri, jobs_schema(schema)) >= made

    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f"INSERT INTO {jobs_schema(schema)}.migration (name) VALUES ('04.00.00_01_pre_better')")
    with pytest.raises(StoreRefused, match=r"newer procrastinate \(04.00.00_01_pre_better\): use a newer lunpai"):
        prepare_queue(postgres_uri, schema)


def test_two_programs_that_start_at_once_make_one_queue(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str
) -> None:
    make_recorder()
    problems: list[BaseException] = []

    def start() -> None:
        try:
            prepare_queue(postgres_uri, schema)
        except BaseException as error:
            problems.append(error)
            raise

    both = [threading.Thread(target=start) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert problems == []


# At work


@pytest.fixture
def read_side(
    make_recorder: Callable[..., PostgresRecorder], master: bytes, postgres_uri: str, schema: str
) -> ReadSide:
    """The views of a small office, built, and a queue."""
    record = Record(make_recorder())
    house = House(record, Keyring(master, record.person_keys))
    house.register("2026-03-02 09:00")
    side = ReadSide(make_recorder(), tuple(VIEWS.values()))
    rebuild(side)
    prepare_queue(postgres_uri, schema)
    return side


class Workers:
    """Take tasks from the queue in threads of this process; `heard` waits for something to be said by any of them."""

    def __init__(self, side: ReadSide, schedule: Schedule, number: int, make: Callable[..., App]) -> None:
        self.said: list[str] = []
        self._told = threading.Condition()
        self._stop = threading.Event()
        arguments = (side, schedule, ZoneInfo("UTC"), self._stop, self._say)
        self._threads = [
            threading.Thread(target=work_off, args=arguments, kwargs={"make": make}) for _ in range(number)
        ]
        for thread in self._threads:
            thread.start()

    def _say(self, line: str) -> None:
        with self._told:
            self.said.append(line)
            self._told.notify_all()

    def heard(self, text: str) -> None:
        with self._told:
            heard = self._told.wait_for(lambda: any(text in line for line in self.said), PATIENCE_SECONDS)
        assert heard, self.said

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


NOTHING_DUE = Schedule(tasks={})
AT_ONCE = partial(application, wait_base_seconds=0)
"""What failed is tried again without waiting."""


@contextmanager
def working(
    side: ReadSide, schedule: Schedule = NOTHING_DUE, number: int = 1, make: Callable[..., App] = AT_ONCE
) -> Iterator[Workers]:
    workers = Workers(side, schedule, number, make)
    try:
        yield workers
    finally:
        workers.stop()


def outcomes(side: ReadSide) -> list[tuple[Any, ...]]:
    with queue_of(side) as connection:
        return connection.execute("SELECT task, status, clean, message FROM outcome ORDER BY id").fetchall()


def test_a_task_is_done_by_a_worker_and_its_outcome_kept(read_side: ReadSide) -> None:
    assert defer(read_side, "by-hand", CHECK)
    assert not defer(read_side, "by-hand", CHECK)  # it waits there already
    with queue_of(read_side) as connection:
        assert [(each.task, each.status) for each in waiting(connection)] == [("by-hand", "todo")]
        assert workers(connection) == 0
    with working(read_side) as worker:
        worker.heard("by-hand: done")
    with queue_of(read_side) as connection:
        assert waiting(connection) == []
        last = last_outcomes(connection)["by-hand"]
    assert (last.status, last.clean) == ("done", True) and f"0 differences in {ALL} of {ALL} views" in last.message
    with read_side.connection() as connection:
        (found,) = records.rebuilds(read_side, connection, 1)
    assert (found.id, found.mode, found.asked_by, found.status) == (last.rebuild, "check", "schedule: by-hand", "done")


def test_a_task_for_some_views_rebuilds_these(read_side: ReadSide) -> None:
    outcome = perform(read_side, "some", Task(what="rebuild", cron="", views=("docket", "ownership")), asked_by="test")
    assert outcome.status == "done" and "2 of 2 views" in outcome.message
    gone = perform(
        read_side, "some", Task(what="rebuild", cron="", views=("docket", "of_another_day")), asked_by="test"
    )
    assert (gone.status, gone.message) == ("failed", "no such view: of_another_day")


def test_a_check_that_found_something_says_where_to_look(read_side: ReadSide) -> None:
    with read_side.connection() as connection:
        connection.execute(f'UPDATE "{read_side.schema}".ownership SET has_phone = NOT has_phone')
    outcome = perform(read_side, "audit", CHECK, asked_by="test")
    assert (outcome.status, outcome.clean) == ("done", False)
    assert f"1 differences in {ALL} of {ALL} views" in outcome.message
    assert f"lunpai rebuild --differences {outcome.rebuild}" in outcome.message
    with read_side.connection() as connection:
        number, (found,) = records.rebuild_of_number(read_side, connection, outcome.rebuild or 0)
        assert (number.differences, found.view, found.columns) == (1, "ownership", ["has_phone"])
        connection.execute(f'DELETE FROM "{read_side.schema}".rebuild')


def test_while_another_rebuild_runs_a_task_is_skipped(read_side: ReadSide) -> None:
    defer(read_side, "unlucky", REBUILD)
    with read_side.connection() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"rebuild {read_side.schema}"])
        with working(read_side) as worker:
            worker.heard("unlucky: skipped: another rebuild was running")
    assert outcomes(read_side) == [("unlucky", "skipped", None, "another rebuild was running")]


def test_what_fell_due_is_made_up_once_however_many_workers_there_are(read_side: ReadSide) -> None:
    due = datetime.now(UTC) - timedelta(hours=2)
    cron = f"{due.minute} {due.hour} * * *"
    schedule = Schedule(tasks={"daily": Task(what="check", cron=cron)})
    with working(read_side, schedule, number=3) as workers:
        workers.heard("daily: done")
    with working(read_side, schedule) as later:  # finds that it was done
        defer(read_side, "last", CHECK)
        later.heard("last: done")
    assert [task for task, *_ in outcomes(read_side)] == ["daily", "last"]
    longer_ago = Schedule(tasks={"other": Task(what="check", cron=cron)}, make_up_hours=1)
    with working(read_side, longer_ago) as worker:
        defer(read_side, "more", CHECK)
        worker.heard("more: done")
    assert [task for task, *_ in outcomes(read_side)] == ["daily", "last", "more"]


def run_that(monkeypatch: pytest.MonkeyPatch, *ends: BaseException | None) -> None:
    """Every run of a rebuild ends so, one after the other; None: as ever."""
    left, as_ever = list(ends), jobs.run

    def run(*arguments: Any, **options: Any) -> Any:
        if left and (end := left.pop(0)) is not None:
            raise end
        return as_ever(*arguments, **options)

    monkeypatch.setattr(jobs, "run", run)


def test_when_the_database_was_away_a_task_is_tried_again(read_side: ReadSide, monkeypatch: pytest.MonkeyPatch) -> None:
    run_that(monkeypatch, StoreUnavailable("gone"), psycopg.OperationalError("gone again"), None)
    defer(read_side, "patient", CHECK)
    with working(read_side) as worker:
        worker.heard("patient: done")
    tried = [line for line in worker.said if "it will be tried again" in line]
    assert tried == [f"schedule: patient: {why}; it will be tried again" for why in ("gone", "gone again")]
    assert [status for _, status, *_ in outcomes(read_side)] == ["done"]


def test_at_last_a_task_is_given_up_as_failed(read_side: ReadSide, monkeypatch: pytest.MonkeyPatch) -> None:
    run_that(monkeypatch, *[StoreUnavailable("gone")] * jobs.MOST_TRIES)
    defer(read_side, "hopeless", CHECK)
    with working(read_side) as worker:
        worker.heard("hopeless: gone; given up")
    assert outcomes(read_side) == [("hopeless", "failed", None, "gone")]
    with queue_of(read_side) as connection:
        assert waiting(connection) == []


def test_what_nobody_expected_fails_at_once_and_stops_nobody(
    read_side: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_that(monkeypatch, ValueError("a mistake"), None)
    defer(read_side, "broken", CHECK)
    defer(read_side, "whole", CHECK)
    with working(read_side) as worker:
        worker.heard("whole: done")
    assert [(task, status) for task, status, *_ in outcomes(read_side)] == [("broken", "failed"), ("whole", "done")]


def test_a_task_at_work_when_the_worker_ends_is_left_to_the_next(
    read_side: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, as_ever = threading.Event(), jobs.run

    def long_run(*arguments: Any, tell: Callable[[Progress], None], **options: Any) -> Any:
        begun.set()
        while True:  # until somebody wants it to end
            tell(Progress("folding", 0, 1))

    monkeypatch.setattr(jobs, "run", long_run)
    defer(read_side, "long", CHECK)
    with working(read_side) as worker:
        assert begun.wait(PATIENCE_SECONDS)
    assert any("another, or the next, does it again" in line for line in worker.said)
    with queue_of(read_side) as connection:
        assert [(each.task, each.status, each.attempts) for each in waiting(connection)] == [("long", "todo", 1)]
    monkeypatch.setattr(jobs, "run", as_ever)
    with working(read_side) as next_worker:
        next_worker.heard("long: done")


@pytest.mark.parametrize("ends", ["the worker ends", "the worker dies", "the database was away"])
def test_a_task_at_work_while_the_same_waits_is_left_to_that(
    read_side: ReadSide, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    as_ever = jobs.run

    def run(*arguments: Any, tell: Callable[[Progress], None], **options: Any) -> Any:
        monkeypatch.setattr(jobs, "run", as_ever)
        assert defer(read_side, "twice", CHECK)  # it falls due again
        if ends == "the database was away":
            raise StoreUnavailable("gone")
        begun.set()
        while True:
            tell(Progress("folding", 0, 1))

    begun = threading.Event()
    defer(read_side, "twice", CHECK)
    if ends == "the worker dies":
        with queue_of(read_side) as connection:
            connection.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
        assert defer(read_side, "twice", CHECK)
    else:
        monkeypatch.setattr(jobs, "run", run)
        with working(read_side) as worker:
            if ends == "the worker ends":
                assert begun.wait(PATIENCE_SECONDS)
            else:
                worker.heard("twice: done")
    with working(read_side) as worker:
        defer(read_side, "another", CHECK)
        worker.heard("another: done")
    assert [(task, status) for task, status, *_ in outcomes(read_side)] == [("twice", "done"), ("another", "done")]
    with queue_of(read_side) as connection:
        assert waiting(connection) == []


def test_what_a_dead_worker_had_taken_is_done_by_another(read_side: ReadSide) -> None:
    defer(read_side, "orphan", CHECK)
    with queue_of(read_side) as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    with working(read_side) as worker:
        worker.heard("orphan: done")


def test_a_worker_whose_connections_are_cut_goes_on(read_side: ReadSide) -> None:
    with working(read_side) as worker:
        defer(read_side, "before", CHECK)
        worker.heard("before: done")
        with psycopg.connect(read_side.recorder.uri, autocommit=True) as connection:
            cut = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                [f"lunpai schedule of {read_side.recorder.schema}"],
            ).fetchall()
        assert cut
        defer(read_side, "after", CHECK)
        worker.heard("after: done")


def test_a_worker_waits_for_a_database_that_is_away(read_side: ReadSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.1)
    here, nowhere = read_side.recorder.uri, "postgresql://127.0.0.1:1/nowhere"
    addresses = [nowhere, nowhere]

    def make(side: ReadSide, *arguments: Any) -> App:
        side.recorder.uri = addresses.pop() if addresses else here
        return application(side, *arguments)

    defer(read_side, "late", CHECK)
    with working(read_side, make=make) as worker:
        worker.heard("trying again")
        worker.heard("late: done")


def test_old_records_are_forgotten(read_side: ReadSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "KEPT_REBUILDS", 2)
    monkeypatch.setattr(job_queue, "KEPT_OUTCOMES", 2)
    for name in ("one", "two", "three"):
        job_queue.note(read_side, perform(read_side, name, CHECK, asked_by=name))
    assert [task for task, *_ in outcomes(read_side)] == ["two", "three"]
    with read_side.connection() as connection:
        assert [one.asked_by for one in records.rebuilds(read_side, connection, 10)] == ["three", "two"]
