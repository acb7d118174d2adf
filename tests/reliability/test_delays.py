"""What is cut, lost, late or away: listeners make up for what they missed, writers come back, and who gives up says so
in one clear line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from uuid import uuid4

import msgspec
import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import sql
from psycopg.conninfo import make_conninfo

from application import commands
from application.event_store import subscription
from application.event_store.appending import Beside, CommandKey, CommandRepeated, StoreUnavailable
from application.event_store.postgres import RECONNECT_SECONDS, PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring

from .history_check import check_history
from .middleman import Middleman
from .offices import Store, open_office, phone_number, stamp
from .processes import eventually
from .servers import Server

AT_MOST_SECONDS = 20.0


def append(record: Record, facts: int = 1, size: int = 2) -> None:
    """Put on record so many facts in one go, of so many bytes each."""
    events = [StoredEvent(uuid4(), 1, "test.happened.v1", b"x" * size) for _ in range(facts)]
    record.recorder.insert_events(events)


class Listener:
    """Follows the record; keeps the positions it is handed, and when."""

    def __init__(self, record: Record) -> None:
        self.seen: list[int] = []
        self.subscription = record.recorder.subscribe(gt=0)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        with self.subscription as events:
            for event in events:
                self.seen.append(event.id)

    def sees(self, facts: int) -> float:
        """Wait until it has seen so many facts, all of them in order; how many seconds that took."""
        took = eventually(lambda: len(self.seen) >= facts, f"the listener sees {facts} facts", AT_MOST_SECONDS)
        assert self.seen == list(range(1, facts + 1))
        return took

    def close(self) -> None:
        self.subscription.stop()
        self._thread.join(AT_MOST_SECONDS)
        assert not self._thread.is_alive()


@contextmanager
def listening(store: Store) -> Iterator[Listener]:
    with store.record() as record:
        listener = Listener(record)
        try:
            yield listener
        finally:
            listener.close()


def listeners_of(store: Store) -> list[int]:
    """The server's processes that serve a LISTEN on this record's channel."""
    with psycopg.connect(store.uri) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND strpos(query, %s) > 0"
        return [row[0] for row in connection.execute(query, [store.schema]).fetchall()]


def cut(store: Store, processes: list[int]) -> None:
    with psycopg.connect(store.uri) as connection:
        for process in processes:
            connection.execute("SELECT pg_terminate_backend(%s)", [process])


def test_a_listener_whose_connection_is_cut_again_and_again(store: Store) -> None:
    with store.record() as record, listening(store) as listener:
        for number in range(1, 11):
            eventually(lambda: bool(listeners_of(store)), "it listens")
            cut(store, listeners_of(store))
            append(record, facts=3)
            listener.sees(3 * number)


def test_a_sleeping_listener_is_woken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far sooner than it would look by itself."""
    monkeypatch.setattr(subscription, "POLL_SECONDS", 60.0)
    with store.record() as record, listening(store) as listener:
        for number in range(1, 6):
            eventually(lambda: bool(listeners_of(store)), "it listens")
            append(record)
            listener.sees(number)


def test_a_lost_wake_up_is_made_up_by_the_poll(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is notified while the log counts as busy; here it does so for an hour."""
    monkeypatch.setattr(subscription, "POLL_SECONDS", 0.3)
    with (
        store.record() as record,
        listening(store) as listener,
        psycopg.connect(store.uri, autocommit=True) as control,
    ):
        head = sql.Identifier(store.schema, "head")
        control.execute(sql.SQL("UPDATE {} SET appended_at = clock_timestamp() + interval '1 hour'").format(head))
        control.execute(sql.SQL("LISTEN {}").format(sql.Identifier(f"{store.schema}_facts")))
        eventually(lambda: len(listeners_of(store)) == 2, "it listens")
        for number in range(1, 6):
            append(record)
            took = listener.sees(number)
            assert took < 5
        assert list(control.notifies(timeout=0)) == [], "somebody was woken after all"


def test_a_listener_that_cannot_listen_goes_on_by_polling(store: Store) -> None:
    """Its connection is cut and it gets no other; those of the pool still stand."""
    with (
        store.record() as straight,
        Middleman(store.uri) as middleman,
        listening(msgspec.structs.replace(store, uri=middleman.uri)) as listener,
    ):
        append(straight)
        listener.sees(1)
        eventually(lambda: bool(listeners_of(store)), "it listens")
        middleman.refuses.set()
        cut(store, listeners_of(store))
        eventually(lambda: not listeners_of(store), "it listens no more")
        append(straight, facts=5)
        listener.sees(6)
        assert listeners_of(store) == []
        middleman.refuses.clear()
        eventually(lambda: bool(listeners_of(store)), "it listens again")
        append(straight)
        listener.sees(7)


def test_a_listener_stops_while_the_database_is_away(store: Store) -> None:
    with Middleman(store.uri) as middleman:
        away = msgspec.structs.replace(store, uri=middleman.uri)
        with away.record(connect_timeout_seconds=1) as record:
            middleman.refuses.set()
            Listener(record).close()


# What does not come


def in_time(work: Callable[[], object], at_most_seconds: float) -> str:
    """What `work` says when it gives up, in one line, and in time."""
    said: list[str] = []

    def wait_for_it() -> None:
        try:
            work()
        except StoreUnavailable as error:
            said.append(str(error))
        else:
            said.append("done")

    began = time.monotonic()
    threading.Thread(target=wait_for_it, daemon=True).start()
    eventually(lambda: bool(said), "an answer or an error", at_most_seconds)
    print(f"gave up after {time.monotonic() - began:.2f} s: {said[0]}")
    assert said[0] and "\n" not in said[0]
    return said[0]


def test_a_database_that_cannot_be_reached(store: Store) -> None:
    with Middleman(store.uri) as middleman:
        middleman.refuses.set()
        away = msgspec.structs.replace(store, uri=middleman.uri)
        with away.record(connect_timeout_seconds=1) as record:
            assert in_time(lambda: append(record), 5) == "the database can't be reached"
            assert in_time(record.position, 5) == "the database can't be reached"


def test_a_database_that_stays_away_from_a_command(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again until the time for that is over."""
    monkeypatch.setattr(commands, "GIVE_UP_AFTER_SECONDS", 2.0)
    with store.record() as straight, Middleman(store.uri) as middleman:
        staffed = open_office(straight, Keyring(store.master, straight.person_keys), 1)
        before, desk = straight.position(), staffed.consultants[0]
        with msgspec.structs.replace(store, uri=middleman.uri).record(connect_timeout_seconds=1) as record:
            office = store.office(record, staffed.site)
            middleman.refuses.set()
            its = stamp(desk)
            give = lambda: office.register(its, by=desk, name="王小明", phone=phone_number(1))  # noqa: E731
            assert in_time(give, 10) == "the database can't be reached"
            assert straight.position() == before
            middleman.refuses.clear()
            assert in_time(give, 10) == "done"
    check_history(store, staffed.site)


def test_who_waits_for_a_database_is_let_in_once_it_is_back(store: Store) -> None:
    """However long it was away, and though nobody else asks meanwhile: the pool itself has long given up."""
    with Middleman(store.uri) as middleman:
        behind = msgspec.structs.replace(store, uri=middleman.uri)
        with behind.record(connect_timeout_seconds=30) as record:
            middleman.refuses.set()
            back = threading.Timer(2 * RECONNECT_SECONDS, middleman.refuses.clear)
            back.start()
            assert in_time(record.position, 3 * RECONNECT_SECONDS + 2) == "done"
            back.join()


SILENT: dict[str, Callable[[Record], object]] = {
    "append": append,
    "position": lambda record: record.position(),
    "read": lambda record: list(record.read()),
    "known_command": lambda record: record.known_command(uuid4(), uuid4()),
    "held_by": lambda record: record.held_by("phone", b""),
    "person_keys": lambda record: record.person_keys([uuid4()]),
    "running": lambda record: record.running(uuid4()).__enter__(),
}


@pytest.mark.parametrize("work", SILENT.values(), ids=SILENT)
def test_a_database_that_falls_silent(store: Store, work: Callable[[Record], object]) -> None:
    """The connection stands, but nothing comes any more: a cable is out, a machine is frozen."""
    with Middleman(store.uri) as middleman:
        behind = msgspec.structs.replace(store, uri=middleman.uri)
        with behind.record(reply_timeout_seconds=0.5, connect_timeout_seconds=1) as record:
            record.position()
            middleman.talks.clear()
            try:
                assert "did not reply in time" in in_time(lambda: work(record), 5)
            finally:
                middleman.talks.set()


def test_after_all_connections_were_cut_a_command_is_carried_out_soon(store: Store) -> None:
    """As after a restart of the database: every connection of the pool is stale, and each may cost one try."""
    pool = 16
    behind = msgspec.structs.replace(store, uri=make_conninfo(store.uri, application_name=store.schema))
    with behind.record(pool_size=pool) as record:
        staffed = open_office(record, Keyring(store.master, record.person_keys), 1)
        desk, recorder = staffed.consultants[0], record.recorder
        assert isinstance(recorder, PostgresRecorder)
        office = store.office(record, staffed.site)
        together, held = threading.Barrier(pool), list[int]()

        def hold() -> None:
            with recorder.connection() as connection:
                together.wait(AT_MOST_SECONDS)
                held.append(connection.info.backend_pid)

        holders = [threading.Thread(target=hold) for _ in range(pool)]
        for holder in holders:
            holder.start()
        for holder in holders:
            holder.join()
        assert len(set(held)) == pool
        cut(store, held)
        its = stamp(desk)

        def is_answered() -> bool:
            with suppress(StoreUnavailable):
                office.register(its, by=desk, name="王小明", phone=phone_number(1))
                return True
            return False

        took = eventually(is_answered, "an answer")
    print(f"answered {took:.2f} s after {pool} connections were cut")
    assert took < 5
    check_history(store, staffed.site)


@pytest.mark.long
def test_a_database_that_was_away_for_long_is_found_again_soon(store: Store) -> None:
    """However long it was away, who asks again when it is back need not wait long."""
    with Middleman(store.uri) as middleman:
        away = msgspec.structs.replace(store, uri=middleman.uri)
        with away.record(connect_timeout_seconds=2) as record:
            append(record)
            middleman.refuses.set()
            cut(store, sessions_of(store))
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with pytest.raises(StoreUnavailable):
                    append(record)
            middleman.refuses.clear()

            def is_back() -> bool:
                with suppress(StoreUnavailable):
                    append(record)
                    return True
                return False

            took = eventually(is_back, "an append succeeds")
    print(f"found again {took:.2f} s after it was back")
    assert took < 5


def sessions_of(store: Store) -> list[int]:
    """The server's processes that last worked on this record."""
    with psycopg.connect(store.uri) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE strpos(query, %s) > 0 AND pid <> pg_backend_pid()"
        return [row[0] for row in connection.execute(query, [store.schema]).fetchall()]


@pytest.mark.parametrize(("facts", "size"), [(1, 1_000_000), (2000, 300), (1, 20_000_000)])
def test_an_append_larger_than_the_sockets_buffer(store: Store, facts: int, size: int) -> None:
    """It goes out piece by piece, as the server takes it."""
    with store.record(reply_timeout_seconds=10) as record:
        append(record, facts, size)
        assert record.position() == facts


class Repeater:
    """Appends one fact after the other, and gives every command again and again until it has its place in the log."""

    def __init__(self, record: Record) -> None:
        self.positions: list[int] = []
        self.given_up = 0
        self._record, self._actor, self._stop = record, uuid4(), threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        while not self._stop.is_set():
            key, position = CommandKey(self._actor, uuid4(), b""), None
            while position is None:
                try:
                    position = self._place(key)
                except StoreUnavailable:
                    self.given_up += 1
            self.positions.append(position)

    def _place(self, key: CommandKey) -> int:
        recorder = self._record.recorder
        assert isinstance(recorder, PostgresRecorder)
        try:
            return recorder.append([StoredEvent(uuid4(), 1, "test.happened.v1", b"{}")], Beside(key)).first_position
        except CommandRepeated:
            known = recorder.known_command(key.actor, key.id)
            assert known is not None
            return known.first_position

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def test_a_frozen_database(server: Server) -> None:
    """Its processes stand still for longer than a reply may take: every command is on record once when they go on, be
    it by the first try, which the server carries out late, or by another."""
    store = server.new_store()
    with ExitStack() as stack:
        record = stack.enter_context(store.record(reply_timeout_seconds=0.3, connect_timeout_seconds=2))
        writers = [stack.enter_context(closing(Repeater(record))) for _ in range(4)]
        for number in range(1, 4):
            enough = 20 * number
            eventually(lambda: min(len(writer.positions) for writer in writers) > enough, "they write")  # noqa: B023
            with server.frozen():
                before = [writer.given_up for writer in writers]
                eventually(lambda: all(w.given_up > n for w, n in zip(writers, before, strict=True)), "all give up")  # noqa: B023
    positions = sorted(position for writer in writers for position in writer.positions)
    with store.record() as record:
        assert positions == list(range(1, record.position() + 1))
    print(f"{len(positions)} commands, {sum(writer.given_up for writer in writers)} tries given up")
