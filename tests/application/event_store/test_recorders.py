"""Both recorders pass the event-sourcing library's own cases, and ours for what those miss."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.tests.persistence import ApplicationRecorderTestCase

from application.event_store import migrations
from application.event_store.appending import (
    Beside,
    ClaimOn,
    ClaimTaken,
    CommandKey,
    CommandRepeated,
    GroundsMoved,
    PersonKey,
    StoreRefused,
    StreamMoved,
)
from application.event_store.mapper import RecordedEvent
from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import migrate, prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record

Recorder = MemoryRecorder | PostgresRecorder


class TestMemoryLibraryCases(ApplicationRecorderTestCase):
    def create_recorder(self) -> MemoryRecorder:
        return MemoryRecorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestPostgresLibraryCases(ApplicationRecorderTestCase):
    @pytest.fixture(autouse=True)
    def _recorder(self, make_recorder: Callable[..., PostgresRecorder]) -> None:
        self.make_recorder = make_recorder

    def create_recorder(self) -> PostgresRecorder:
        return self.make_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


@pytest.fixture(params=["memory", "postgres"])
def recorder(request: pytest.FixtureRequest) -> Recorder:
    if request.param == "memory":
        return MemoryRecorder()
    return request.getfixturevalue("make_recorder")()


def event(version: int = 1, stream=None, body: bytes = b"{}") -> StoredEvent:  # type: ignore[no-untyped-def]
    return StoredEvent(stream or uuid4(), version, "test.happened.v1", body)


def test_an_append_tells_position_and_time(recorder: Recorder) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    first = recorder.append([event(), event()], Beside())
    second = recorder.append([event()], Beside())
    assert (first.first_position, second.first_position) == (1, 3)
    assert before < first.recorded_at <= second.recorded_at < datetime.now(UTC) + timedelta(seconds=1)
    stored = recorder.select_notifications(1, 10)
    assert [e.recorded_at for e in stored if isinstance(e, RecordedEvent)] == [
        first.recorded_at,
        first.recorded_at,
        second.recorded_at,
    ]


def test_a_repeated_command_is_refused_and_found(recorder: Recorder) -> None:
    key = CommandKey(uuid4(), uuid4(), b"digest")
    recorder.append([event()], Beside())
    recorder.append([event(), event()], Beside(command=key))
    with pytest.raises(CommandRepeated):
        recorder.append([event()], Beside(command=key))
    known = recorder.known_command(key.actor, key.id)
    assert known is not None and (known.digest, known.first_position, known.last_position) == (b"digest", 2, 3)
    assert recorder.max_notification_id() == 3
    assert recorder.known_command(uuid4(), key.id) is None  # unique per actor


def test_a_claim_is_held_once_and_names_are_shared(recorder: Recorder) -> None:
    one, other = uuid4(), uuid4()
    recorder.append([event()], Beside(claims=(ClaimOn("phone", b"k", one), ClaimOn("name", b"n", one))))
    with pytest.raises(ClaimTaken):
        recorder.append([event()], Beside(claims=(ClaimOn("name", b"n", other), ClaimOn("phone", b"k", other))))
    assert recorder.held_by("phone", b"k") == [one]
    assert recorder.held_by("name", b"n") == [one]  # the failed append left nothing
    recorder.append([event()], Beside(claims=(ClaimOn("name", b"n", other),)))
    assert recorder.held_by("name", b"n") == sorted([one, other])
    assert recorder.held_by("unit", b"k") == []


def test_what_fails_leaves_nothing(recorder: Recorder) -> None:
    stream, person = uuid4(), uuid4()
    recorder.append([event(stream=stream)], Beside())
    with pytest.raises(StreamMoved):
        recorder.append(
            [event(), event(stream=stream)],
            Beside(CommandKey(uuid4(), uuid4(), b""), (ClaimOn("phone", b"x", stream),), (PersonKey(person, b"w"),)),
        )
    assert recorder.max_notification_id() == 1
    assert recorder.held_by("phone", b"x") == []
    assert recorder.person_keys([person]) == {}
    assert recorder.append([event()], Beside()).first_position == 2


def test_nothing_rests_on_what_has_moved_on(recorder: Recorder) -> None:
    site, key, claim = uuid4(), CommandKey(uuid4(), uuid4(), b""), ClaimOn("phone", b"x", uuid4())
    recorder.append([event(), event(1, site), event(2, site)], Beside())
    for read_until in (0, 1):
        for rests_on in ({site: read_until}, {uuid4(): 0, site: read_until}, {site: read_until, uuid4(): 0}):
            with pytest.raises(GroundsMoved):
                recorder.append([event()], Beside(key, (claim,), rests_on=rests_on))
    assert recorder.max_notification_id() == 3 and recorder.held_by("phone", b"x") == []
    assert recorder.append([event()], Beside(key, (claim,), rests_on={site: 2})).first_position == 4
    assert recorder.append([event(3, site)], Beside(rests_on={site: 2})).first_position == 5, "on itself"
    with pytest.raises(StreamMoved) as own:
        recorder.append([event(3, site)], Beside(rests_on={site: 2}))
    assert type(own.value) is StreamMoved, "its own place was taken"
    assert recorder.append([event()], Beside(rests_on={uuid4(): 0})).first_position == 6, "on what is not there yet"


def test_what_rests_on_a_stream_stands_before_all_that_moves_it(recorder: Recorder) -> None:
    """Some write, one moves the stream meanwhile: what was written says truly up to where the stream was."""
    site, stop = uuid4(), threading.Event()
    said: list[tuple[int, int]] = []

    def write() -> None:
        while not stop.is_set():
            read_until = len(recorder.select_events(site))
            with suppress(StreamMoved):
                said.append(
                    (recorder.append([event()], Beside(rests_on={site: read_until})).first_position, read_until)
                )

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    moved = [recorder.append([event(version, site)], Beside()).first_position for version in range(1, 101)]
    stop.set()
    for writer in writers:
        writer.join()
    assert said and all(sum(1 for one in moved if one < position) == read_until for position, read_until in said)


def test_streams_are_read_together(recorder: Recorder) -> None:
    one, other = uuid4(), uuid4()
    for version in (1, 2, 3):
        recorder.append([event(version, one), event(), event(version, other)], Beside())
    found = recorder.select_since({one: 1, other: 2})
    assert [(e.originator_id, e.originator_version) for e in found] == [(one, 2), (one, 3), (other, 3)]
    assert [e.originator_version for e in recorder.select_since({other: 0})] == [1, 2, 3]
    last = found[-1]
    assert (last.topic, bytes(last.state)) == (event().topic, event().state) and last.recorded_at.tzinfo is UTC
    third = uuid4()
    recorder.append([event(1, third)], Beside())
    found = recorder.select_since({third: 0, one: 1, other: 2})
    told = [(e.originator_id, e.originator_version) for e in found]
    assert told == [(one, 2), (one, 3), (other, 3), (third, 1)]
    assert recorder.select_since({uuid4(): 0, uuid4(): 7}) == []


def test_a_command_is_carried_out_by_one_at_a_time(recorder: Recorder) -> None:
    command, found = uuid4(), list[bool]()

    def another() -> None:
        with recorder.running(command) as alone:
            found.append(alone)

    def elsewhere() -> list[bool]:
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        return found

    with recorder.running(command) as alone:
        assert alone and elsewhere() == [False] and elsewhere() == [False, False]
    with pytest.raises(ZeroDivisionError), recorder.running(command):
        1 / 0  # noqa: B018
    assert elsewhere()[-1] is True


def test_writers_side_by_side_leave_no_gap(recorder: Recorder) -> None:
    streams = [uuid4() for _ in range(4)]
    won: list[int] = []

    def write() -> None:
        for version in range(1, 26):
            for stream in streams:
                try:
                    won.append(recorder.append([event(version, stream)], Beside()).first_position)
                except IntegrityError:
                    continue

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(1, 101))
    positions = [n.id for n in recorder.select_notifications(1, 1000)]
    assert positions == list(range(1, 101))


def test_readers_never_see_a_gap_or_a_later_fact_first(make_recorder: Callable[..., PostgresRecorder]) -> None:
    recorder, stop = make_recorder(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            recorder.append([event(), event()], Beside())

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    seen = 0
    try:
        while seen < 2000:
            for found in recorder.select_notifications(seen, 500, inclusive_of_start=False):
                assert found.id == seen + 1
                seen = found.id
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def test_facts_are_never_changed(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str
) -> None:
    make_recorder().append([event()], Beside(command=CommandKey(uuid4(), uuid4(), b"")))
    with psycopg.connect(postgres_uri, autocommit=True) as owner:
        for table in ("fact", "command"):
            for statement in (
                f"UPDATE {schema}.{table} SET stream = stream",
                f"DELETE FROM {schema}.{table}",
                f"TRUNCATE {schema}.{table}",
            ):
                with pytest.raises(psycopg.errors.RestrictViolation):
                    owner.execute(statement)  # type: ignore[arg-type]


def test_the_program_may_read_and_append_only(make_recorder: Callable[..., PostgresRecorder], schema: str) -> None:
    recorder = make_recorder()
    recorder.append([event()], Beside())
    with recorder.connection() as connection:
        for statement in (
            f"INSERT INTO {schema}.fact SELECT 99, stream, 99, name, body, recorded_at FROM {schema}.fact",
            f"UPDATE {schema}.head SET position = 7",
            f"DELETE FROM {schema}.claim",
            f"DELETE FROM {schema}.person_key",
            f"CREATE TABLE {schema}.more (x int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type]


def test_schemas_live_side_by_side(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str
) -> None:
    make_recorder().append([event(), event()], Beside())
    prepare_store(postgres_uri, schema + "_b", b"test")
    other = PostgresRecorder(postgres_uri, schema=schema + "_b")
    try:
        assert other.append([event()], Beside()).first_position == 1
    finally:
        other.close()
        with psycopg.connect(postgres_uri, autocommit=True) as owner:
            owner.execute(f"DROP SCHEMA {schema}_b CASCADE")  # type: ignore[arg-type]


def test_a_listener_is_woken_or_finds_out_itself(make_recorder: Callable[..., PostgresRecorder]) -> None:
    recorder, seen, enough = make_recorder(), [], threading.Event()

    def listen() -> None:
        with recorder.subscribe(gt=0) as subscription:
            for notification in subscription:
                seen.append(notification.id)
                if len(seen) == 300:
                    enough.set()
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    for _ in range(300):
        recorder.append([event()], Beside())
    assert enough.wait(20)
    listener.join()
    assert seen == list(range(1, 301))


def test_a_newer_schema_is_refused(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str
) -> None:
    prepare_store(postgres_uri, schema, b"test")  # once more: nothing to do
    with psycopg.connect(postgres_uri, autocommit=True) as owner:
        owner.execute(f"INSERT INTO {schema}.schema_version VALUES (999, now())")  # type: ignore[arg-type]
    with pytest.raises(StoreRefused, match="use a newer lunpai"):
        prepare_store(postgres_uri, schema, b"test")


def test_a_store_of_an_older_program_goes_on(postgres_uri: str, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = migrations.scripts()
    for first in range(1, len(newest)):
        older = f"{schema}_{first}"
        monkeypatch.setattr(migrations, "scripts", lambda first=first: newest[:first])
        prepare_store(postgres_uri, older, b"test")
        monkeypatch.setattr(migrations, "scripts", lambda: newest)
        prepare_store(postgres_uri, older, b"test")
        recorder = PostgresRecorder(postgres_uri, schema=older)
        try:
            assert recorder.append([event()], Beside(rests_on={uuid4(): 0})).first_position == 1
        finally:
            recorder.close()
            with psycopg.connect(postgres_uri, autocommit=True) as owner:
                owner.execute(f"DROP SCHEMA {older}, {older}_views CASCADE")  # type: ignore[arg-type]


def test_another_master_key_is_refused(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str
) -> None:
    with pytest.raises(StoreRefused, match="master key"):
        prepare_store(postgres_uri, schema, b"another")


@pytest.mark.parametrize(("held", "missing"), [(None, "lunpai_program"), ("lunpai_program", "lunpai_reader")])
def test_who_is_not_granted_the_programs_roles_is_told_which(
    make_recorder: Callable[..., PostgresRecorder], postgres_uri: str, schema: str, held: str | None, missing: str
) -> None:
    user = f"{schema}_user"
    with psycopg.connect(postgres_uri) as connection:  # nothing of it stays
        connection.execute(f"CREATE ROLE {user}")  # type: ignore[arg-type]
        if held is not None:
            connection.execute(f"GRANT {held} TO {user}")  # type: ignore[arg-type]
        connection.execute(f"SET LOCAL ROLE {user}")  # type: ignore[arg-type]
        with pytest.raises(StoreRefused, match=f'GRANT "{missing}" TO "{user}";'):
            migrate(connection, schema)
        connection.rollback()


def test_programs_migrate_one_at_a_time(postgres_uri: str, schema: str) -> None:
    failures: list[BaseException] = []

    def prepare() -> None:
        try:
            prepare_store(postgres_uri, schema, b"test")
        except StoreRefused as refused:
            failures.append(refused)

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_librarys_database_functions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(StoreRefused, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        Record(MemoryRecorder())
