"""The read side among deaths: workers, rebuilds and the database itself are killed at any moment, under load; afterwards the
views are what the facts say, and nothing is left lying about."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec
import psutil
import pytest
from psycopg.conninfo import make_conninfo

from application.event_store.appending import StoreUnavailable
from application.event_store.record import Record
from projections.live import POLL_SECONDS
from projections.rebuild import rebuild
from tests.projections.engine import (
    ALL_VIEWS,
    BEFORE_THE_EXCHANGE,
    Keeper,
    Opened,
    catch_up,
    check_rows,
    check_untouched,
    kept,
    opened,
    positions,
    rows_now,
    statuses,
    tables_in,
)

from . import keeping, rebuilding, working
from .processes import Program, eventually
from .servers import Server


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    with opened(postgres_uri, ALL_VIEWS, steps=60) as office:
        yield office


REFUSED_BY_CHANCE = {
    # Two that adopt at once; a visitor related to himself; and what several desks do on one floor, each by chance.
    *("bad_time", "bad_value", "wrong_state", "not_signed_in", "not_free", "not_eligible", "too_soon"),
    *("unknown_reception", "not_permitted"),
}


@contextmanager
def at_work(office: Opened, programs: int, threads: int = 2) -> Iterator[list[Program]]:
    """So many programs that work at this office; none of them is refused for want of a database."""
    staffed = office.staffed
    with ExitStack() as stack:
        found = []
        for number in range(programs):
            first = 1_000_000 * (number + 1)
            task = working.Task(office.store, staffed.site, staffed.manager, staffed.consultants, first, threads)
            found.append(stack.enter_context(Program("working", task)))
        yield found
        for program in found:
            assert program.finish() == 0
            [said] = program.waiting_lines()
            done = msgspec.json.decode(said, type=working.Done)
            print(f"{done.steps} steps, refused by the rules: {done.refused}, slowest {done.slowest_seconds:.2f} s")
            assert done.unavailable == 0 and done.steps > 0
            assert done.refused.keys() <= REFUSED_BY_CHANCE


def facts_more(office: Opened, more: int) -> None:
    wanted = office.record.position() + more
    eventually(lambda: office.record.position() >= wanted, f"{more} more facts")


def is_live(office: Opened, at_least: int | None = None) -> bool:
    position = office.record.position() if at_least is None else at_least
    return min(positions(office.side).values()) >= position


# The worker


def test_the_worker_is_killed_at_any_moment(office: Opened) -> None:
    """Again and again; what it had taken in when it died is right, and its successor goes on from there."""
    chance = random.Random(11)
    with at_work(office, 1):
        for _ in range(8):
            with Program("keeping", keeping.Task(office.store)) as worker:
                wanted = office.record.position() + chance.randrange(1, 60)
                eventually(lambda wanted=wanted: is_live(office, wanted), "it keeps the views")  # type: ignore[misc]
                worker.kill()
    with Program("keeping", keeping.Task(office.store)) as worker:
        eventually(lambda: is_live(office), "the last one catches up")
        assert worker.finish() == 0
    check_rows(office.side, office.record)
    before = rows_now(office)
    assert rebuild(office.side).differences == 0
    assert rows_now(office) == before


def test_another_worker_takes_over_from_one_that_was_killed(office: Opened) -> None:
    """Three are started; whoever leads is killed, one after the other; nothing is taken in twice."""
    with ExitStack() as stack, at_work(office, 1):
        workers: dict[str, Program] = {}
        for number in range(3):
            name = f"worker {number}"
            store = msgspec.structs.replace(office.store, uri=make_conninfo(office.store.uri, application_name=name))
            workers[name] = stack.enter_context(Program("keeping", keeping.Task(store)))
        for left in (3, 2, 1):
            wanted = office.record.position() + 20
            eventually(lambda wanted=wanted: is_live(office, wanted), f"one of {left} leads")  # type: ignore[misc]
            [leader] = leaders(office)
            workers.pop(leader).kill()
            eventually(lambda leader=leader: leader not in leaders(office), "its session ends")  # type: ignore[misc]
    catch_up(office.side)
    check_rows(office.side, office.record)
    assert rebuild(office.side, check=True).differences == 0


def leaders(office: Opened) -> list[str]:
    """Who holds the lock of who keeps the views live, by the name that it gave itself."""
    query = (
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
        "AND l.granted AND (l.classid::bigint << 32) + l.objid::bigint = hashtextextended(%s, 0)"
    )
    return [row[0] for row in office.owner(query, f"keep {office.side.schema}")]


def test_a_worker_stops_while_the_database_is_silent(server: Server) -> None:
    """Its processes stand still, so that nothing is answered; the worker gives up waiting, and ends when it is told to."""
    store = server.new_store()
    with store.record(reply_timeout_seconds=1, connect_timeout_seconds=2) as record:
        office = Opened(store, record, ALL_VIEWS)
        rebuild(office.side)
        keeper = Keeper(office.side)
        office.play.steps(10, 1)
        eventually(lambda: is_live(office), "it keeps the views")
        with server.frozen():
            threading.Event().wait(2 * POLL_SECONDS)  # by then it has asked for what there is
            ended = threading.Thread(target=keeper.close)
            ended.start()
            ended.join(15)
            silent = ended.is_alive()
        ended.join(30)
        assert not silent, "it waits for an answer for ever"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_dies_under_the_worker(server: Server, seed: int) -> None:
    """The first process alone, a backend, everything at once: the worker lives, comes back and goes on."""
    chance, store = random.Random(seed), server.new_store()
    with store.record() as record:
        office = Opened(store, record, ALL_VIEWS)
        rebuild(office.side)
        with Program("keeping", keeping.Task(store)) as worker:
            for kill in chance.sample([server.kill_first_process, server.kill_a_backend, server.kill_everything], 3):
                office.play.steps(30, seed)
                eventually(lambda: is_live(office), "it keeps the views")
                kill()
                if kill != server.kill_a_backend:
                    server.restart()
                eventually(lambda: _answers(record), "the database is back")
            office.play.steps(30, 9)
            took = eventually(lambda: is_live(office), "it goes on")
            assert worker.process.poll() is None
            print(f"live again after {took:.2f} s; it said {len(worker.waiting_lines())} lines")
        check_rows(office.side, record)
        assert rebuild(office.side).differences == 0


def _answers(record: Record) -> bool:
    """Whether the database is back for those who used it before."""
    try:
        return record.position() > 0
    except StoreUnavailable:
        return False


# A rebuild


def test_a_rebuild_among_many_writers(office: Opened) -> None:
    """Several programs write, a worker keeps the views; no command is refused, and no fact is lost: neither by the
    first rebuild nor by the next, in place."""
    with Program("keeping", keeping.Task(office.store)), at_work(office, 3):
        for _ in range(4):
            facts_more(office, 100)
            with Program("rebuilding", rebuilding.Task(office.store, parted=True)) as program:
                while (told := msgspec.json.decode(program.line(), type=rebuilding.Told)).stage != "ended":
                    pass
            assert told.differences == 0
    catch_up(office.side)
    check_rows(office.side, office.record)
    before = rows_now(office)
    for _ in range(2):
        assert rebuild(office.side).differences == 0
        assert rows_now(office) == before


@pytest.mark.parametrize("parted", [False, True], ids=["alone", "on several processes"])
@pytest.mark.parametrize("stage", BEFORE_THE_EXCHANGE)
def test_a_rebuild_is_killed_at_any_stage(office: Opened, stage: str, parted: bool) -> None:
    """The live views are right and can be read and kept; the next rebuild works and clears up."""
    before = rows_now(office)
    task = rebuilding.Task(
        office.store, die_at=stage, die_after_facts=1 if stage == "folding" and parted else 0, parted=parted
    )
    with Program("rebuilding", task) as program:
        children: list[psutil.Process] = []
        while said := program.line():
            if psutil.pid_exists(program.process.pid):
                children = _children(program)
            assert msgspec.json.decode(said, type=rebuilding.Told).stage != "ended"
        assert program.process.wait(60) == -signal.SIGKILL
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == [], "its processes live on"
    assert rows_now(office) == before
    office.play.steps(10, 5)
    catch_up(office.side)
    check_rows(office.side, office.record)
    eventually(lambda: _free(office), "its sessions end", 30)
    assert rebuild(office.side).differences == 0
    assert [status for status, _ in statuses(office)] == ["done", "failed", "done"]
    assert not [name for name in tables_in(office.side) if name.startswith("fresh_")]
    check_rows(office.side, office.record)


@pytest.mark.parametrize("stage", BEFORE_THE_EXCHANGE)
def test_who_asked_for_a_rebuild_is_killed(office: Opened, stage: str) -> None:
    """The process that does it ends as well, by itself, and clears up; it may be done with the last stages by then."""
    before = rows_now(office)
    with Program("rebuilding", rebuilding.Task(office.store, die_at=stage, apart=True)) as program:
        children: list[psutil.Process] = []
        while program.line():
            children = _children(program) or children
        assert program.process.wait(60) == -signal.SIGKILL
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == [], "its process lives on"
    assert rows_now(office) == before
    eventually(lambda: _free(office), "its sessions end", 30)
    assert rebuild(office.side).differences == 0
    assert [status for status, _ in statuses(office)][1:] in (["cancelled", "done"], ["done", "done"])
    assert not [name for name in tables_in(office.side) if name.startswith("fresh_")]
    check_rows(office.side, office.record)


def _children(program: Program) -> list[psutil.Process]:
    try:
        return psutil.Process(program.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _free(office: Opened) -> bool:
    """Whether nobody holds the lock of who rebuilds."""
    query = (
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
        "(classid::bigint << 32) + objid::bigint = hashtextextended(%s, 0)"
    )
    return office.owner(query, f"rebuild {office.side.schema}") == []


@pytest.mark.parametrize("stage", ["folding", "catching up", "comparing"])
def test_ctrl_c(office: Opened, stage: str, capfd: pytest.CaptureFixture[str]) -> None:
    """To the rebuild and all its processes, as a terminal sends it: it ends, says that it was cancelled, and nobody
    complains."""
    before = rows_now(office)
    with Program("rebuilding", rebuilding.Task(office.store, parted=True)) as program:
        while msgspec.json.decode(program.line(), type=rebuilding.Told).stage != stage:
            pass
        for process in [*_children(program), psutil.Process(program.process.pid)]:
            process.send_signal(signal.SIGINT)
        last = b""
        while said := program.line():
            last = said
        told = msgspec.json.decode(last, type=rebuilding.Told).stage
        assert program.finish() == 0
    if told == "ended":
        assert stage == "comparing", "only the end may have been too near"
    else:
        assert told == "interrupted" and statuses(office)[-1][0] == "cancelled"
        check_untouched(office, before)
    assert "Traceback" not in capfd.readouterr().err


def test_the_database_dies_under_a_rebuild(server: Server) -> None:
    """It fails, the live views are as they were, and the next one works."""
    store = server.new_store()
    with store.record() as record:
        office = Opened(store, record, ALL_VIEWS)
        office.play.steps(60, 1)
        rebuild(office.side)
        before = rows_now(office)
        for stage in ("folding", "catching up", "swapping"):
            done: list[str] = []

            def die(progress: object, stage: str = stage, done: list[str] = done) -> None:
                if getattr(progress, "stage", "") == stage and not done:
                    done.append(stage)
                    server.kill_first_process()

            with pytest.raises(Exception, match=r"\S"):
                rebuild(office.side, tell=die)
            server.restart()
            eventually(lambda: _answers(record), "the database is back")
            assert rows_now(office) == before
        assert rebuild(office.side).differences == 0
        assert "running" not in {status for status, _ in statuses(office)}
        check_rows(office.side, record)


@pytest.mark.long
def test_deaths_by_chance(server: Server) -> None:
    """Workers, rebuilds and the database die by chance for minutes while two programs write."""
    chance, store = random.Random(3), server.new_store()
    with store.record() as record:
        office = Opened(store, record, ALL_VIEWS)
        rebuild(office.side)
        for _ in range(12):
            with ExitStack() as stack:
                worker = stack.enter_context(Program("keeping", keeping.Task(store)))
                rebuilder = stack.enter_context(Program("rebuilding", rebuilding.Task(store, parted=True)))
                office.play.steps(chance.randrange(20, 120), chance.randrange(1000))
                chance.choice([worker.kill, rebuilder.kill, server.kill_a_backend, lambda: None])()
                office.play.steps(chance.randrange(20, 60), chance.randrange(1000))
            eventually(lambda: _free(office), "the rebuild's sessions end")
            with kept(office.side) as keeper:
                eventually(lambda: is_live(office), "the views are live")
                assert keeper.alive
            check_rows(office.side, record)
