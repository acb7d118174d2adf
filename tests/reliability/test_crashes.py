"""The database and the program are killed under load: every fact that was acknowledged or shown to a subscriber is
there afterwards, once and the same, and nothing stands there by halves."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from application.commands import Stamp
from application.desk import Answer
from application.event_store.appending import StoreUnavailable
from application.event_store.mapper import RecordedEvent
from application.event_store.record import Record
from application.privacy import Keyring
from domain.record import Envelope
from domain.visitor import Entry

from .history_check import check_history
from .offices import Staffed, Store, open_office, phone_number, stamp
from .processes import Program, eventually
from .servers import Server
from .writing import Line, Task, give, told

DESKS = 4


class Ledger:
    """What the program has said: the commands it sent, and the answers it got."""

    def __init__(self, desks: int) -> None:
        self.sent: list[Line | None] = [None] * desks
        self.answers: dict[tuple[int, int], Line] = {}
        self.unavailable = 0

    def note(self, lines: Sequence[bytes]) -> None:
        for line in msgspec.json.decode(b"[" + b",".join(lines) + b"]", type=list[Line]):
            if not line.facts:
                self.sent[line.desk] = line
                continue
            assert (line.desk, line.number) not in self.answers, "a command was acknowledged twice"
            self.answers[line.desk, line.number] = line
            self.unavailable += line.unavailable

    def unanswered(self) -> list[Line]:
        """The commands whose answer nobody has seen, at most one a desk."""
        return [line for line in self.sent if line is not None and (line.desk, line.number) not in self.answers]

    def check(self, facts: Sequence[Envelope]) -> None:
        """Every acknowledged fact is there, the same in every part, and acknowledged to one command only."""
        acknowledged = [fact for answer in self.answers.values() for fact in answer.facts]
        there = dict(told(facts))
        lost = [position for position, content in acknowledged if there.get(position) != content]
        assert lost == [], f"acknowledged, but not there as they were: positions {lost[:10]}"
        assert len({position for position, _ in acknowledged}) == len(acknowledged)


class Watcher:
    """Follows the record by a subscription, through all crashes, and keeps what it was handed."""

    def __init__(self, record: Record) -> None:
        self.seen: list[RecordedEvent] = []
        self._subscription = record.recorder.subscribe(gt=0)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        with self._subscription as subscription:
            for event in subscription:
                assert isinstance(event, RecordedEvent)
                self.seen.append(event)

    def close(self) -> None:
        self._subscription.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def check(self, record: Record) -> None:
        """What it saw is what is there, in order and without a gap."""
        there = record.recorder.select_notifications(1, len(self.seen))
        assert [event.id for event in self.seen] == list(range(1, len(self.seen) + 1))
        assert self.seen == list(there)


@contextmanager
def watched(store: Store) -> Iterator[Watcher]:
    with store.record() as record:
        watcher = Watcher(record)
        try:
            yield watcher
        finally:
            watcher.close()


def staff(store: Store) -> Staffed:
    with store.record() as record:
        return open_office(record, Keyring(store.master, record.person_keys), DESKS)


def task_for(store: Store, staffed: Staffed) -> Task:
    """Everything happened within the last hours, so the commands of a task may go into thousands."""
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
    nothing: tuple[Entry | None, ...] = (None,) * DESKS
    return Task(
        store=store, site=staffed.site, desks=staffed.consultants, since=since, first=(0,) * DESKS, entries=nothing
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_is_killed_under_load(server: Server, seed: int) -> None:
    """Three deaths each: the first process alone, a backend, everything at once. The program goes on by itself."""
    chance, store = random.Random(seed), server.new_store()
    staffed = staff(store)
    ledger, deaths = Ledger(DESKS), [server.kill_first_process, server.kill_a_backend, server.kill_everything]
    chance.shuffle(deaths)
    began = time.monotonic()
    with Program("writing", task_for(store, staffed)) as program, watched(store) as watcher:

        def answered(more: int) -> float:
            wanted = len(ledger.answers) + more

            def enough() -> bool:
                ledger.note(program.waiting_lines(alive=True))
                return len(ledger.answers) >= wanted

            return eventually(enough, f"{more} more answers")

        for kill in deaths:
            answered(chance.randrange(50, 300))
            kill()
            ledger.note(program.waiting_lines(alive=True))  # what was answered before
            restarted = 0.0 if kill == server.kill_a_backend else server.restart()
            print(
                f"{kill.__name__}: restarted in {restarted:.2f} s, next answer {answered(2 * DESKS):.2f} s after that"
            )
        answered(100)
        assert program.finish() == 0
        ledger.note(program.waiting_lines())
        facts = check_history(store, staffed.site)
        eventually(lambda: len(watcher.seen) == len(facts), "the subscription has seen everything")
        with store.record() as record:
            watcher.check(record)
    ledger.check(facts)
    assert ledger.unanswered() == []
    repeated = sum(answer.repeated for answer in ledger.answers.values())
    print(
        f"{len(ledger.answers)} commands, {len(facts)} facts in {time.monotonic() - began:.1f} s; {repeated} found on "
        f"record by a retry, {ledger.unavailable} times a client was told to try again"
    )


class Reader:
    """Reads the log as it grows, as fast as it can; notes whatever appears out of order."""

    def __init__(self, record: Record) -> None:
        self.seen, self.gaps = 0, list[str]()
        self._record, self._stop = record, threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            for event in self._record.recorder.select_notifications(self.seen, 500, inclusive_of_start=False):
                if event.id != self.seen + 1:
                    self.gaps.append(f"{event.id} after {self.seen}")
                self.seen = event.id

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def test_the_program_is_killed_under_load(store: Store) -> None:
    """Five times. What it had no answer to is sent again by another program, and then stands on record once."""
    chance, staffed, ledger = random.Random(5), staff(store), Ledger(DESKS)
    task, found = task_for(store, staffed), 0
    with watched(store) as watcher, store.record() as record, closing(Reader(record)) as reader:
        office = store.office(record, staffed.site)
        for number in range(5):
            run_until_killed(task, ledger, f"writer-{number}", chance.randrange(30, 250))
            for line in ledger.unanswered():
                answer = give(office, task, line.desk, line.number, line.entry)
                found += answer.repeated
                ledger.note([msgspec.json.encode(answered(line, answer.facts, answer.entry))])
            ledger.check(list(record.read()))
            task = going_on(task, ledger)
        facts = check_history(store, staffed.site)
        eventually(lambda: len(watcher.seen) == reader.seen == len(facts), "both readers have seen everything")
        watcher.check(record)
    ledger.check(facts)
    assert reader.gaps == []
    print(f"{len(ledger.answers)} commands, {len(facts)} facts; {found} without an answer were on record already")


def run_until_killed(task: Task, ledger: Ledger, name: str, answers: int) -> None:
    """Run the program until so many answers have come, kill it, and wait until its sessions have ended."""
    store = msgspec.structs.replace(task.store, uri=make_conninfo(task.store.uri, application_name=name))
    with Program("writing", msgspec.structs.replace(task, store=store)) as program:
        wanted = len(ledger.answers) + answers

        def enough() -> bool:
            ledger.note(program.waiting_lines(alive=True))
            return len(ledger.answers) >= wanted

        eventually(enough, f"{answers} more answers")
        program.kill()
        ledger.note(program.waiting_lines())
    eventually(lambda: not sessions_of(task.store, name), "its sessions end")


def answered(line: Line, facts: Sequence[Envelope], entry: Entry | None) -> Line:
    """The line that the program would have said."""
    own = entry if line.number % 4 == 0 else line.entry
    return msgspec.structs.replace(line, facts=told(facts), entry=own)


def going_on(task: Task, ledger: Ledger) -> Task:
    """The task of the program's successor: every desk goes on after its last answered command."""
    last = [max((n for d, n in ledger.answers if d == desk), default=-1) for desk in range(DESKS)]
    entries = tuple(ledger.answers[desk, n].entry if n >= 0 else None for desk, n in enumerate(last))
    return msgspec.structs.replace(task, first=tuple(n + 1 for n in last), entries=entries)


def sessions_of(store: Store, application: str) -> list[tuple[int, str | None]]:
    """The sessions of a program by the name it gave itself: process, and on what kind of thing it waits."""
    with psycopg.connect(store.uri) as connection:
        query = "SELECT pid, wait_event_type FROM pg_stat_activity WHERE application_name = %s"
        return connection.execute(query, [application]).fetchall()


class Registration:
    """A client that registers a visitor, and asks again until it is answered."""

    def __init__(self, store: Store, staffed: Staffed, its: Stamp, visitor: int = 1) -> None:
        self.store, self.staffed, self.its, self.visitor = store, staffed, its, visitor
        self.answer: Answer | None = None
        self.thread = threading.Thread(target=self._give)
        self.thread.start()

    def _give(self) -> None:
        with self.store.record() as record:
            office = self.store.office(record, self.staffed.site)
            while self.answer is None:
                with suppress(StoreUnavailable):
                    self.answer = office.register(
                        self.its, by=self.its.actor, name="王小明", phone=phone_number(self.visitor)
                    )


@contextmanager
def stopped_before_the_disk(server: Server, store: Store, staffed: Staffed) -> Iterator[Registration]:
    """A registration that has committed, so that all see it, and is stopped while it waits for the disk; in the end the
    whole database dies, is started anew, and the registration gets its answer."""
    with store.record() as record:
        for visitor in range(1, MOST_ATTEMPTS + 1):
            first, process = _stopped_once_seen(server, store, record, staffed, visitor)
            if not reaches_the_disk(store):
                break
            process.resume()  # it was stopped too late, or before it began to write: once more
            first.thread.join(60)
        else:
            raise AssertionError("no registration could be stopped between its commit and the disk")
        try:
            yield first
        finally:
            server.kill_everything()
            server.restart()
            first.thread.join(60)
    assert first.answer is not None


MOST_ATTEMPTS = 50


def _stopped_once_seen(
    server: Server, store: Store, record: Record, staffed: Staffed, visitor: int
) -> tuple[Registration, psutil.Process]:
    name, its = f"stopped-{visitor}", stamp(staffed.consultants[0])
    slow = server.with_settings(application_name=name, commit_delay="100000", commit_siblings="0")  # 0.1 s a flush
    first = Registration(msgspec.structs.replace(store, uri=slow), staffed, its, visitor)
    eventually(lambda: sessions_of(store, name), "it has a session")
    [(number, _)] = sessions_of(store, name)
    process = psutil.Process(number)
    eventually(lambda: record.known_command(its.actor, its.command_id) is not None, "it is seen by others")
    process.suspend()
    return first, process


def reaches_the_disk(store: Store) -> bool:
    """Whether what is written now gets to the disk within a second, as it does unless who writes it stands still."""
    with psycopg.connect(store.uri, autocommit=True) as connection:
        written = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
        query = "SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn"
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            if connection.execute(query, written).fetchone() == (True,):
                return True
            time.sleep(0.05)
    return False


def waits_for_disk(store: Store, application: str) -> bool:
    """Whether a session of that program waits for another that writes the log to disk."""
    return any(waits == "LWLock" for _, waits in sessions_of(store, application))


def test_a_repeat_is_answered_only_with_what_is_on_disk(server: Server) -> None:
    """A repeat that finds the first attempt's fact acknowledges it, so it has to wait for the disk as the first does."""
    store = server.new_store()
    staffed = staff(store)
    acknowledged: Answer | None
    with stopped_before_the_disk(server, store, staffed) as first:
        again = server.with_settings(application_name="again")
        repeat = Registration(msgspec.structs.replace(store, uri=again), staffed, first.its, first.visitor)
        eventually(
            lambda: repeat.answer is not None or waits_for_disk(store, "again"), "it is answered, or waits for the disk"
        )
        acknowledged = repeat.answer
    repeat.thread.join(60)
    facts = check_history(store, staffed.site)
    for answer in (acknowledged, repeat.answer):
        assert answer is None or set(told(answer.facts)) <= set(told(facts)), "acknowledged, and lost"
    assert repeat.answer is not None


def test_a_subscriber_is_handed_only_what_is_on_disk(server: Server) -> None:
    store = server.new_store()
    staffed = staff(store)
    listening = msgspec.structs.replace(store, uri=server.with_settings(application_name="listening"))
    with ExitStack() as following:
        with stopped_before_the_disk(server, store, staffed):
            # One that listened before could have brought the fact to the disk itself, before the registration began to.
            watcher = following.enter_context(watched(listening))
            eventually(lambda: waits_for_disk(store, "listening"), "the subscription waits for the disk")
            assert watcher.seen == []
        facts = check_history(store, staffed.site)
        eventually(lambda: len(watcher.seen) == len(facts), "the subscription has seen everything")
        with store.record() as record:
            watcher.check(record)


def test_a_server_started_anew_is_found_by_those_who_used_it() -> None:
    """Also where its socket lies in a temporary folder, because the path of the data is too long for one."""
    folder = Path(tempfile.mkdtemp(prefix="lunpai-"))
    folder.chmod(0o755)
    server = Server(folder / ("long" * 30))
    try:
        with server.new_store().record(connect_timeout_seconds=5) as record:
            assert record.position() == 0
            server.kill_first_process()
            server.postgres.start()
            eventually(lambda: reads(record), "the record is found again", 10)
    finally:
        server.postgres.stop()
        shutil.rmtree(folder)


def reads(record: Record) -> bool:
    with suppress(StoreUnavailable):
        return record.position() == 0
    return False
