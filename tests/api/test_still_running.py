"""The same command at two processes at once: the second is told to wait, whatever becomes of the first."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from application.event_store.appending import Beside, CommandKey, CommandRepeated, StoreUnavailable, StreamMoved
from application.event_store.postgres import PostgresRecorder
from interfaces.store import SCHEMA
from tests.api.house import House, store_on_disk
from tests.reliability.processes import eventually

ROOT = Path(__file__).parents[2]
COMMAND, OTHER = UUID(int=1 << 127), UUID(int=1 << 64)
"""Two commands; the number of the first is negative as PostgreSQL reads it."""


class Shared:
    """An office on a database that other processes reach too."""

    def __init__(self, house: House, home: Path) -> None:
        recorder = house.store.record.recorder
        assert isinstance(recorder, PostgresRecorder)
        self.house, self.home, self.uri = house, home, recorder.uri

    @contextmanager
    def desk(self, idempotency: str) -> Iterator[subprocess.Popen[str]]:
        """Another process that is in the middle of registering somebody."""
        house = self.house
        task = [self.uri, str(self.home), house.url("registrations"), house.keys["manager"], idempotency]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.api.slow_desk", *task],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        with process:
            try:
                assert process.stdout.readline() == "inside\n"
                yield process
            finally:
                process.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    home = tmp_path_factory.mktemp("shared")
    with store_on_disk(home) as store:
        yield Shared(House(store), home)


def test_the_second_waits_for_the_first(shared: Shared) -> None:
    house, body = shared.house, {"name": "赵强"}
    with shared.desk("twice") as desk:
        before = house.position
        told = house.ask("POST", "registrations", body=body, idempotency="twice")
        house.refused(told, 409, "still_running")
        assert told.headers["Retry-After"] == "1" and house.position == before
        assert house.ask("POST", "registrations", body=body, idempotency="another").status_code == 200
        assert desk.stdin is not None and desk.stdout is not None
        print("go on", file=desk.stdin, flush=True)
        assert desk.stdout.readline() == "200\n"
    assert house.does("registrations", body, idempotency="twice")["repeated"] is True


def test_a_killed_process_lets_go(shared: Shared) -> None:
    house, body = shared.house, {"name": "钱多"}
    with shared.desk("killed") as desk:
        house.refused(
            house.ask("POST", "registrations", body={"name": "赵强"}, idempotency="killed"), 409, "still_running"
        )
        desk.kill()
        desk.wait()
        eventually(lambda: held(shared) == 0, "its command is nobody's any more")
    assert house.does("registrations", body, idempotency="killed")["repeated"] is False


def test_what_fails_lets_go(shared: Shared) -> None:
    house, who = shared.house, {"who": str(shared.house.staff["consultant"])}
    for _ in range(2):
        house.refused(house.ask("POST", "queue/sign-out", body=who, idempotency="out"), 409, "not_signed_in")
    assert held(shared) == 0


@pytest.fixture
def two(shared: Shared) -> Iterator[tuple[PostgresRecorder, PostgresRecorder]]:
    """What two processes have of one store."""
    one, other = (PostgresRecorder(shared.uri, schema=SCHEMA) for _ in range(2))
    yield one, other
    one.close()
    other.close()
    eventually(lambda: held(shared) == 0, "the end of a session lets go")


Two = tuple[PostgresRecorder, PostgresRecorder]


def test_one_of_two_carries_it_out(two: Two) -> None:
    one, other = two
    with one.running(COMMAND) as first, other.running(COMMAND) as second:
        assert first and not second
    with one.running(COMMAND) as first, other.running(OTHER) as second:
        assert first and second
    with one.running(COMMAND) as first:
        found = list[bool]()
        thread = threading.Thread(target=lambda: found.append(ran(one, COMMAND)))
        thread.start()
        thread.join()
        assert first and found == [False], "threads are told apart too"
    assert ran(other, COMMAND)


def test_what_is_on_record_runs_no_longer(two: Two, shared: Shared) -> None:
    """The append lets go of the lock: whoever repeats the command from then on is answered."""
    one, other = two
    with one.running(COMMAND):
        key = CommandKey(uuid4(), OTHER, b"")
        one.append([some_event()], Beside(command=key))
        assert not ran(other, COMMAND), "another command was put on record"
        with pytest.raises(CommandRepeated):
            one.append([some_event()], Beside(command=key))
        with pytest.raises(StreamMoved):
            event = some_event()
            one.append([event, event], Beside(command=CommandKey(uuid4(), COMMAND, b"")))
        assert not ran(other, COMMAND), "nothing was put on record"
        one.append([some_event()], Beside(command=CommandKey(uuid4(), COMMAND, b"")))
        assert ran(other, COMMAND)
    assert held(shared) == 0 and ran(one, COMMAND)


def test_a_broken_session_lets_go(two: Two, shared: Shared) -> None:
    one, other = two
    with one.running(COMMAND):
        cut(shared)
        assert ran(other, COMMAND)
        with pytest.raises(StoreUnavailable):
            one.max_notification_id()
        assert one.max_notification_id() is not None, "it goes on by another connection"
        one.append([some_event()], Beside(command=CommandKey(uuid4(), COMMAND, b"")))
    with one.running(COMMAND) as alone:
        cut(shared)
        assert alone
    assert ran(one, COMMAND), "what could not be given back went with its session"


def test_a_broken_session_leaves_its_place_to_another(shared: Shared) -> None:
    only_one = PostgresRecorder(shared.uri, schema=SCHEMA, pool_size=1, connect_timeout_seconds=5)
    with only_one.running(COMMAND):
        cut(shared)
        with pytest.raises(StoreUnavailable):
            only_one.max_notification_id()
        assert only_one.max_notification_id() is not None
    assert ran(only_one, OTHER)
    only_one.close()


def test_no_database() -> None:
    nowhere = PostgresRecorder("postgresql://127.0.0.1:1/none", connect_timeout_seconds=0.2)
    with pytest.raises(StoreUnavailable):
        ran(nowhere, COMMAND)
    nowhere.close()


def ran(recorder: PostgresRecorder, command: UUID) -> bool:
    with recorder.running(command) as alone:
        return alone


def some_event() -> StoredEvent:
    return StoredEvent(uuid4(), 1, "test.happened.v1", b"{}")


def cut(shared: Shared) -> None:
    """End every session that carries out a command."""
    with psycopg.connect(shared.uri, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")


def held(shared: Shared) -> int:
    with psycopg.connect(shared.uri) as connection:
        row = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert row is not None
    return int(row[0])
