"""A rebuild among readers, and one that is cancelled, interrupted, refused or loses a process: reads go on, the live views
stay as they were, and nothing else is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from projections import partition, processes
from projections import rebuild as rebuilding
from projections.processes import FoldingFailed
from projections.rebuild import Cancelled, Progress, RebuildRefused, rebuild
from projections.source import Source, reading
from tests.reliability.processes import eventually

from .engine import (
    ALL_VIEWS,
    BEFORE_THE_EXCHANGE,
    COUNTED,
    OWNED,
    SMALL_VIEWS,
    Opened,
    at,
    check_rows,
    check_untouched,
    opened,
    rows_in,
    rows_now,
    spawned,
    statuses,
    tables_in,
)


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    """An office with a short history, under the two small views."""
    with opened(postgres_uri, steps=40) as office:
        yield office


@pytest.fixture
def whole_office(postgres_uri: str) -> Iterator[Opened]:
    """The same under all views."""
    with opened(postgres_uri, ALL_VIEWS, steps=40) as office:
        yield office


# Readers


def test_a_reader_in_a_long_transaction_only_delays(office: Opened) -> None:
    entered, leave = threading.Event(), threading.Event()

    def read() -> None:
        with (held := source(office)).connection, reading(held, *SMALL_VIEWS):
            entered.set()
            leave.wait(20)

    reader = threading.Thread(target=read)
    reader.start()
    entered.wait(20)
    releasing = threading.Timer(1.5, leave.set)
    releasing.start()
    began = time.monotonic()
    assert rebuild(office.side).differences == 0
    assert 1 < time.monotonic() - began < 15
    reader.join()
    check_rows(office.side, office.record)


def source(office: Opened) -> Source:
    connection = psycopg.connect(office.store.uri, autocommit=True)
    return Source(connection, office.side.schema, office.site, office.office.files.site().zone)


def test_other_readers_are_not_kept_waiting_behind_a_long_one(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange that can't be made because of a reader is put off; those who come meanwhile never queue behind it."""
    monkeypatch.setattr(rebuilding, "TOLD_EVERY_SECONDS", 0.0)
    entered, leave, turned_away, reads, queued = threading.Event(), threading.Event(), [0], [0], list[str]()
    query = sql.SQL("SELECT count(*) FROM {}").format(office.side.table("owned"))

    def hold() -> None:
        with psycopg.connect(office.store.uri) as connection:
            connection.execute(query)
            entered.set()
            assert leave.wait(60)

    def read() -> None:
        with psycopg.connect(office.store.uri, autocommit=True, application_name=office.side.schema) as connection:
            while not leave.is_set():
                connection.execute(query)
                reads[0] += 1

    def watch() -> None:
        behind = "SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity WHERE application_name = %s"
        waits = f"SELECT query FROM pg_stat_activity WHERE pid IN ({behind}) AND cardinality(pg_blocking_pids(pid)) > 0"
        with psycopg.connect(office.store.uri, autocommit=True) as connection:
            while not leave.is_set():
                queued.extend(query for (query,) in connection.execute(waits, [office.side.schema]))

    def count(progress: Progress) -> None:
        turned_away[0] += progress.stage == "swapping"
        if turned_away[0] == 10:
            leave.set()

    threads = [threading.Thread(target=each) for each in (hold, read, watch)]
    for thread in threads:
        thread.start()
    assert entered.wait(60)
    rebuild(office.side, tell=count)
    for thread in threads:
        thread.join()
    assert turned_away[0] >= 10 and reads[0] > 0
    assert queued == [], "a reader queued behind an exchange that waited itself"


def test_readers_of_several_views_and_an_exchange_never_end_each_other(whole_office: Opened) -> None:
    """Whatever the order in which a reader comes to the views."""
    errors: list[BaseException] = []
    names = [view.name for view in ALL_VIEWS]

    def read() -> None:
        with psycopg.connect(whole_office.store.uri) as connection:
            try:
                for name in reversed(names):
                    connection.execute(sql.SQL("SELECT count(*) FROM {}").format(whole_office.side.table(name)))
                    time.sleep(0.2)  # a report that takes its time between the views
            except psycopg.Error as error:
                errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    try:
        begin = at("swapping", lambda: ([reader.start() for reader in readers], time.sleep(0.1)))
        rebuild(whole_office.side, tell=begin)
    finally:
        for reader in readers:
            reader.join()
    assert errors == []
    assert statuses(whole_office)[-1][0] == "done"


def test_a_reader_who_never_leaves(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rebuild gives up in one clear line; the live views are as they were."""
    monkeypatch.setattr(rebuilding, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(rebuilding, "SWAP_WITHIN_SECONDS", 1.0)
    before = rows_now(office)
    with psycopg.connect(office.store.uri) as connection:
        connection.execute(sql.SQL("SELECT count(*) FROM {}").format(office.side.table("owned")))
        with pytest.raises(Exception, match=r"^[^\n]+$"):
            rebuild(office.side)
        check_untouched(office, before)
    status, message = statuses(office)[-1]
    assert status == "failed" and message
    assert rebuild(office.side).differences == 0


def test_a_report_begun_before_the_exchange_reads_on_in_its_own_snapshot(office: Opened) -> None:
    before = len(rows_in(office.side, OWNED))
    found: list[int] = []

    def read() -> None:
        with (held := source(office)).connection, reading(held, *SMALL_VIEWS):
            began.set()
            eventually(lambda: len(statuses(office)) > 1 and waiting(office), "the exchange waits for us", 20)
            query = sql.SQL("SELECT count(*) FROM {}").format(office.side.table("owned"))
            found.append(held.connection.execute(query).fetchall()[0][0])

    began = threading.Event()
    reader = threading.Thread(target=read)
    rebuild(office.side, tell=at("swapping", lambda: (reader.start(), began.wait(20))))
    reader.join()
    assert found == [before]


def waiting(office: Opened) -> bool:
    """Whether the exchange has come to the point where it needs the tables for itself."""
    return bool(office.owner("SELECT 1 FROM {r} WHERE stage = 'swapping'", r="rebuild"))


# Cancelled, failed, refused


@pytest.mark.parametrize("stage", BEFORE_THE_EXCHANGE)
def test_cancelled_at_any_stage(office: Opened, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    """Somebody sets the column `cancel`; it is seen when the stage is entered, or a moment later."""
    monkeypatch.setattr(rebuilding, "TOLD_EVERY_SECONDS", 0.0)
    before = rows_now(office)

    def cancel() -> None:
        office.owner("UPDATE {r} SET cancel = true WHERE status = 'running'", r="rebuild")

    try:
        rebuild(office.side, tell=at(stage, cancel))
        assert stage == "swapping", "it was too late only for the last stage"
    except Cancelled as cancelled:
        assert "cancelled" in str(cancelled)
        assert statuses(office)[-1][0] == "cancelled"
    check_untouched(office, before)
    assert rebuild(office.side).differences == 0


@pytest.mark.parametrize("stage", BEFORE_THE_EXCHANGE)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_interrupted_at_any_stage(office: Opened, stage: str, error: type[BaseException]) -> None:
    before = rows_now(office)

    def interrupt() -> None:
        raise error("no more")

    with pytest.raises(error):
        rebuild(office.side, tell=at(stage, interrupt))
    assert statuses(office)[-1][0] == ("cancelled" if error is KeyboardInterrupt else "failed")
    check_untouched(office, before)
    assert rebuild(office.side).differences == 0


def test_what_a_killed_rebuild_left_is_cleared_by_any_other(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a rebuild of one view alone."""

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(rebuilding._Rebuild, "_failed", lambda self, error: None)  # a killed process says nothing
        with pytest.raises(KeyboardInterrupt):
            rebuild(office.side, tell=at("catching up", die))
    assert {"fresh_owned", "fresh_counted"} <= tables_in(office.side)
    rebuild(office.side, [COUNTED])
    assert [status for status, _ in statuses(office)] == ["done", "failed", "done"]
    assert not [name for name in tables_in(office.side) if name.startswith("fresh_")]


def test_two_at_once(office: Opened) -> None:
    refused: list[str] = []

    def again() -> None:
        with pytest.raises(RebuildRefused) as refusal:
            rebuild(office.side, check=True)
        refused.append(str(refusal.value))

    assert rebuild(office.side, tell=at("catching up", again)).differences == 0
    assert len(refused) == 1 and "another rebuild is running" in refused[0] and "\n" not in refused[0]
    assert [status for status, _ in statuses(office)] == ["done", "done"]


@pytest.mark.parametrize("after_facts", [0, 10, 20])
def test_a_folding_process_is_killed(whole_office: Opened, monkeypatch: pytest.MonkeyPatch, after_facts: int) -> None:
    """Whether it is just being handed work, at work, or in the middle of handing over rows."""
    monkeypatch.setattr(processes, "ALONE_BELOW_FACTS", 0)
    monkeypatch.setattr(partition, "PART_FACTS", 3)
    monkeypatch.setattr(rebuilding, "TOLD_EVERY_SECONDS", 0.0)
    before = rows_now(whole_office)
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed and progress.stage == "folding" and progress.folded > after_facts:
            mine = spawned()
            mine[0].kill()
            killed.append(mine[0].wait(20))

    with pytest.raises(FoldingFailed, match="ended before its work did"):
        rebuild(whole_office.side, tell=kill)
    assert killed
    check_untouched(whole_office, before)
    assert statuses(whole_office)[-1][0] == "failed"
    assert rebuild(whole_office.side).differences == 0


def test_what_folding_processes_say_when_it_is_over(
    whole_office: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing: that their work is no longer wanted is no error."""
    monkeypatch.setattr(processes, "ALONE_BELOW_FACTS", 0)
    monkeypatch.setattr(partition, "PART_FACTS", 1)
    monkeypatch.setattr(rebuilding, "TOLD_EVERY_SECONDS", 0.0)

    def cancel(progress: Progress) -> None:
        if progress.folded > 5:
            whole_office.owner("UPDATE {r} SET cancel = true WHERE status = 'running'", r="rebuild")

    with pytest.raises(Cancelled):
        rebuild(whole_office.side, tell=cancel)
    assert capfd.readouterr().err == ""
