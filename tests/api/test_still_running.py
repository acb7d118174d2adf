"""The same command at two processes at once: the second is told to wait, whatever becomes of the first."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from application.event_store.appending import StoreUnavailable
from application.event_store.command_locks import CommandLocks
from application.event_store.postgres import PostgresRecorder
from tests.api.house import House, store_on_disk
from tests.reliability.processes import eventually

ROOT = Path(__file__).parents[2]
COMMAND, OTHER = UUID(int=1 << 127), UUID(int=1)
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


def test_locks_of_two_processes(shared: Shared) -> None:
    one, two = CommandLocks(shared.uri), CommandLocks(shared.uri)
    assert one.take(COMMAND) and not two.take(COMMAND) and two.take(OTHER)
    one.give_back(COMMAND)
    assert two.take(COMMAND)
    two.close()
    eventually(lambda: one.take(COMMAND), "the end of a session lets go")
    assert one.take(OTHER)
    one.close()
    eventually(lambda: held(shared) == 0, "the end of a session lets go")


def test_a_broken_session_is_replaced(shared: Shared) -> None:
    one, two = CommandLocks(shared.uri), CommandLocks(shared.uri)
    assert one.take(COMMAND)
    with psycopg.connect(shared.uri, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")
    one.give_back(COMMAND)
    assert two.take(COMMAND) and not one.take(COMMAND) and one.take(OTHER)
    one.close()
    two.close()


def test_what_could_not_be_given_back_goes_with_its_session(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = CommandLocks(shared.uri), CommandLocks(shared.uri)
    assert one.take(COMMAND)
    with monkeypatch.context() as patched, one._using:
        patched.setattr("application.event_store.command_locks.REPLY_SECONDS", 0.01)
        one.give_back(COMMAND)  # another thread has the session, and does not get on
    assert not two.take(COMMAND) and one.take(OTHER)
    eventually(lambda: two.take(COMMAND), "the session was given up")
    one.close()
    two.close()


def test_no_database(shared: Shared) -> None:
    locks = CommandLocks("postgresql://127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        locks.take(COMMAND)
    locks.give_back(COMMAND)
    locks.close()


def test_a_database_that_falls_silent_hangs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets somebody in, and then says nothing more."""
    monkeypatch.setattr("application.event_store.command_locks.REPLY_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def let_in() -> None:
            connection, _ = server.accept()
            with connection:
                (length,) = struct.unpack("!i", connection.recv(4))
                connection.recv(length)
                connection.sendall(b"R" + struct.pack("!ii", 8, 0) + b"Z" + struct.pack("!i", 5) + b"I")
                while connection.recv(1000):
                    pass

        thread = threading.Thread(target=let_in)
        thread.start()
        uri = f"postgresql://somebody@127.0.0.1:{server.getsockname()[1]}/x?sslmode=disable&gssencmode=disable"
        locks = CommandLocks(uri)
        with pytest.raises(StoreUnavailable, match="in time"):
            locks.take(COMMAND)
        thread.join(10)
        assert not thread.is_alive(), "the connection was closed"
        locks.close()


def held(shared: Shared) -> int:
    with psycopg.connect(shared.uri) as connection:
        row = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert row is not None
    return int(row[0])
