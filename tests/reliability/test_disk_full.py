"""The disk of the database fills up: a command is refused in one clear line and leaves nothing; with room again,
everything goes on, and what was acknowledged is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from application.embedded_postgres import EmbeddedPostgresError
from application.event_store.appending import Appended, Beside, ClaimOn, CommandKey, PersonKey, StoreUnavailable
from application.event_store.postgres import PostgresRecorder

from .history_check import read_tables
from .offices import Store
from .processes import eventually
from .servers import Server

SIZE = "512m"
SOME_BYTES = 100_000  # more than a page, less than what a socket takes at once


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server on a small disk of its own, in memory."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    home = Path(tempfile.mkdtemp(prefix="lunpai-"))
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", home], capture_output=True)
    if mount.returncode != 0:
        home.rmdir()
        pytest.skip(f"no disk can be mounted here: {mount.stderr.decode().strip()}")
    try:
        server = Server(home)
        yield server
        server.postgres.stop()
    finally:
        subprocess.run(["umount", home], check=True)
        home.rmdir()


class Ballast:
    """A file that takes up all that is left of a disk, but for some room."""

    def __init__(self, disk: Path) -> None:
        self.disk, self.path = disk, disk / "ballast"

    def fill(self, room: int = 0) -> None:
        self.remove()
        with self.path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.disk).free - room)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


@pytest.fixture
def ballast(server: Server) -> Iterator[Ballast]:
    ballast = Ballast(server.home)
    yield ballast
    ballast.remove()


TABLES = ("fact", "command", "claim", "person_key", "head")


def append(recorder: PostgresRecorder, number: int, key: CommandKey) -> Appended:
    """A fact with all that may stand beside one."""
    stream = uuid4()
    beside = Beside(key, (ClaimOn("phone", number.to_bytes(4), stream),), (PersonKey(uuid4(), b"key"),))
    return recorder.append([StoredEvent(stream, 1, "test.happened.v1", os.urandom(SOME_BYTES))], beside)


def rows(store: Store) -> dict[str, int]:
    """How many rows every table holds, and where the head stands."""
    tables = read_tables(store)
    with store.record() as record:
        facts = len(record.recorder.select_notifications(1, 10_000))
    counts = facts, len(tables.commands), len(tables.claims), len(tables.persons), tables.position
    return dict(zip(TABLES, counts, strict=True))


def fill_up(recorder: PostgresRecorder, acknowledged: dict[int, CommandKey]) -> tuple[CommandKey, str]:
    """Append until the disk is full; the command that failed, and what was said."""
    number = len(acknowledged)
    while True:
        key = CommandKey(uuid4(), uuid4(), b"digest")
        try:
            position = append(recorder, number, key).first_position
        except StoreUnavailable as error:
            assert "\n" not in str(error)
            return key, str(error)
        assert position == number + 1
        acknowledged[position] = key
        number += 1


def test_a_table_that_cannot_grow(server: Server, ballast: Ballast) -> None:
    """The write-ahead log has room, so the command alone fails, and nothing need be started anew."""
    store, acknowledged = server.new_store(), dict[int, CommandKey]()
    with store.record() as record:
        recorder = record.recorder
        assert isinstance(recorder, PostgresRecorder)
        at_start_of_log_file(server)
        ballast.fill(room=2_000_000)
        failed, said = fill_up(recorder, acknowledged)
        assert "No space left on device" in said
        assert rows(store) == dict.fromkeys(TABLES, len(acknowledged))
        assert recorder.known_command(failed.actor, failed.id) is None
        ballast.remove()
        append(recorder, len(acknowledged), failed)
        assert rows(store) == dict.fromkeys(TABLES, len(acknowledged) + 1)
    print(f"{len(acknowledged)} appended before: {said}")


def test_a_write_ahead_log_that_cannot_grow(server: Server, ballast: Ballast) -> None:
    """PostgreSQL gives up, for it can promise nothing any more. With room again it can be started again; what was
    acknowledged is there, and what failed can be sent again."""
    store, acknowledged = server.new_store(), dict[int, CommandKey]()
    with store.record(connect_timeout_seconds=2) as record:
        recorder = record.recorder
        assert isinstance(recorder, PostgresRecorder)
        at_end_of_log_file(server)
        ballast.fill(room=8_000_000)  # for tables; a file of the log takes 16 MB
        failed, said = fill_up(recorder, acknowledged)
        assert acknowledged
        assert "No space left on device" in complaints_of(server)
        try:
            server.postgres.start()
            print("it recovered while the disk was full")
        except EmbeddedPostgresError as error:
            assert "\n" not in str(error) and "No space left on device" in str(error)
            print(f"while the disk was full: {error}")
        ballast.remove()
        server.restart()
        eventually(lambda: sent(recorder, len(acknowledged), failed, acknowledged), "it goes on")
        for position, key in acknowledged.items():
            known = recorder.known_command(key.actor, key.id)
            assert known is not None and known.first_position == position
        assert rows(store) == dict.fromkeys(TABLES, len(acknowledged))
    print(f"{len(acknowledged) - 1} appended before: {said}")


def sent(recorder: PostgresRecorder, number: int, key: CommandKey, acknowledged: dict[int, CommandKey]) -> bool:
    """Whether the command has now been carried out."""
    try:
        acknowledged[append(recorder, number, key).first_position] = key
    except StoreUnavailable:
        return False
    return True


def at_start_of_log_file(server: Server) -> None:
    """Have PostgreSQL begin a new file of its write-ahead log."""
    with psycopg.connect(server.uri, autocommit=True) as control:
        control.execute("CHECKPOINT")
        control.execute("SELECT pg_switch_wal()")


def at_end_of_log_file(server: Server) -> None:
    """Have PostgreSQL use up its write-ahead log but for a few kilobytes, so that the next file is to be made anew."""
    log = server.home / "database" / "pg_wal"
    with psycopg.connect(server.uri, autocommit=True) as control:
        control.execute("CHECKPOINT")
        while True:
            row = control.execute(
                "SELECT pg_walfile_name(pg_current_wal_lsn()), 16777216 - (pg_current_wal_lsn() - '0/0') % 16777216"
            ).fetchone()
            assert row is not None
            current, left = row[0], int(row[1])
            spare = [path.name for path in log.iterdir() if len(path.name) == 24 and path.name > current]
            if not spare and left < 3_000_000:
                return
            some = min(left, 1_000_000)
            control.execute("SELECT pg_logical_emit_message(false, '', repeat('x', %s))", [some])


def complaints_of(server: Server) -> str:
    """What the server's log says."""
    return (server.home / "postgres.log").read_text(errors="replace")
