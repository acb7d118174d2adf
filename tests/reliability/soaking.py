"""A busy office over HTTP: many clients send mixed requests to a real server, again and again where an answer was lost
and at random where it was not, while workers of the server and the database are killed. Afterwards everything that was
acknowledged must be on record, once; and whoever asks again must be told the same.

`python -m tests.reliability.soaking` runs it in full; test_soak in small."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

import msgspec
import psutil

from application.access_keys import issue
from application.event_store.appending import StoreUnavailable
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring, master_key
from application.sales_office import SalesOffice
from domain.disclosure import LookedUp
from interfaces.api.caller import COMMANDS
from interfaces.floor_board import board
from interfaces.store import SCHEMA
from projections.live import ReadSide
from projections.rebuild import rebuild
from projections.views import VIEWS
from tests.api.serving import serving
from tests.projections.engine import check_rows, positions

from . import keeping
from .history_check import check_history
from .offices import Store, open_office, stamp
from .processes import Program, eventually
from .servers import Server
from .soaking_client import Client, Shared, same

CONSULTANTS = 8


class Report(msgspec.Struct, kw_only=True):
    """What a run did and saw."""

    requests: int
    seconds: float
    acknowledged: int
    refused: dict[str, int]
    lost: int
    sent_again: int
    kills: dict[str, int]
    facts: int
    slowest_seconds: float

    def lines(self) -> Iterator[str]:
        yield f"{self.requests:,} requests in {self.seconds:.0f} s, the slowest answered after {self.slowest_seconds:.1f} s"
        yield f"killed: {', '.join(f'{what} {count}' for what, count in self.kills.items()) or 'nothing'}"
        yield f"answers that never came: {self.lost}; sent again though answered: {self.sent_again}"
        yield f"commands acknowledged: {self.acknowledged:,}; refused: {self.refused}"
        yield f"facts on record: {self.facts:,}; every acknowledged one is there, once; every answer the same when asked again"
        yield "every view equal to a rebuild, row by row; the board equal to one worked out anew"


class Office:
    """A server of the database, a sales office on it, its views kept, and the API served."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.server = Server(home)
        stack.callback(self.server.postgres.stop)
        self.store = Store(uri=self.server.uri, schema=SCHEMA, master=master_key(home)).prepare()
        self.record: Record = stack.enter_context(self.store.record())
        self.office = self._opened()
        self.prepared = self.record.position()
        rebuild(self.side)
        self.keeper = stack.enter_context(Program("keeping", keeping.Task(self.store)))
        self.process, self.port = stack.enter_context(serving(home))

    def _opened(self) -> SalesOffice:
        self.staffed = open_office(self.record, Keyring(self.store.master, self.record.person_keys), CONSULTANTS)
        office = self.store.office(self.record, self.staffed.site)
        people = [self.staffed.manager, *self.staffed.consultants]
        self.keys = {one: issue(office, stamp(one), staff=one).text for one in people}
        return office

    @property
    def side(self) -> ReadSide:
        assert isinstance(self.record.recorder, PostgresRecorder)
        return ReadSide(self.record.recorder, tuple(VIEWS.values()))

    def clients(self, count: int, seed: int) -> list[Client]:
        """The manager's, for the most part: who may do everything."""
        shared = Shared()
        people = [self.staffed.manager, *self.staffed.consultants]
        found = []
        for number in range(count):
            who = people[number % len(people)] if number % 4 == 3 else people[0]
            found.append(Client(self.port, self.staffed, who, self.keys[who], number, seed, shared))
        return found

    def kills(self) -> dict[str, Callable[[], None]]:
        return {
            "a worker": self._kill_a_worker,
            "the database": self._kill_the_database,
            "a backend": self.server.kill_a_backend,
            "the database at once": self._kill_all_of_the_database,
        }

    def _kill_a_worker(self) -> None:
        workers = psutil.Process(self.process.pid).children()
        random.Random(len(workers)).choice(workers).kill()

    def _kill_the_database(self) -> None:
        self.server.kill_first_process()
        self.server.restart()

    def _kill_all_of_the_database(self) -> None:
        self.server.kill_everything()
        self.server.restart()

    def answers(self) -> bool:
        with suppress(StoreUnavailable):
            return self.record.position() > 0
        return False


def soak(home: Path, *, requests: int, clients: int, kills: int, seed: int, tell: Callable[[str], None]) -> Report:
    """Run it; AssertionError where something acknowledged is lost, doubled or told differently."""
    with ExitStack() as stack:
        office = Office(home, stack)
        crowd = office.clients(clients, seed)
        began = time.monotonic()
        killed = _at_work(office, crowd, requests, kills, seed, tell)
        seconds = time.monotonic() - began
        eventually(office.answers, "the database is back")
        tell("asking everything again")
        _ask_again(crowd)
        tell("checking the record")
        facts = _check_record(office, crowd)
        tell("checking the views")
        _check_views(office, crowd)
        return Report(
            requests=sum(one.sent for one in crowd),
            seconds=seconds,
            acknowledged=sum(len(one.acknowledged) for one in crowd),
            refused=dict(sum((one.refused for one in crowd), Counter[str]())),
            lost=sum(one.lost for one in crowd),
            sent_again=sum(one.sent_again for one in crowd),
            kills=dict(killed),
            facts=facts,
            slowest_seconds=max(one.slowest_seconds for one in crowd),
        )


def _at_work(
    office: Office, crowd: Sequence[Client], requests: int, kills: int, seed: int, tell: Callable[[str], None]
) -> Counter[str]:
    """All clients at once, until so many requests are sent; meanwhile kills, at moments drawn from the seed."""
    ended = threading.Event()

    def work(client: Client) -> None:
        with closing(client):
            for _ in range(requests // len(crowd) + (client.number < requests % len(crowd))):
                if ended.is_set():
                    return
                client.step()

    pool = ThreadPoolExecutor(len(crowd))
    working = [pool.submit(work, client) for client in crowd]
    chance, killed, ways = random.Random(seed), Counter[str](), office.kills()
    moments = sorted(chance.randrange(requests // 20, requests) for _ in range(kills))
    while not all(one.done() for one in working) and not any(one.done() and one.exception() for one in working):
        sent = sum(client.sent for client in crowd)
        tell(f"{sent:,} of {requests:,} requests, {killed.total()} kills")
        if moments and sent >= moments[0]:
            moments.pop(0)
            # The first ones are of each kind, so that none is left to chance.
            what = list(ways)[killed.total()] if killed.total() < len(ways) else chance.choice(list(ways))
            eventually(office.answers, "the database is back")
            ways[what]()
            killed[what] += 1
        time.sleep(0.02)
    ended.set()
    for one in working:
        one.result()
    pool.shutdown()
    return killed


def _ask_again(crowd: Sequence[Client]) -> None:
    """Every command that was acknowledged, once more: the same answer."""

    def again(client: Client) -> None:
        with closing(client):
            for one in client.acknowledged:
                told = client.ask("POST", one.path, one.body, one.name)
                assert same(told, one.answer), (
                    f"{one.path}: {one.answer} at first, {told or client.last_refusal} when asked again"
                )

    with ThreadPoolExecutor(len(crowd)) as pool:
        list(pool.map(again, crowd))


def _check_record(office: Office, crowd: Sequence[Client]) -> int:
    """What was acknowledged is on record as it was told, under its own command alone; what was refused is not there, and
    nothing else is either. How many facts there are."""
    position = office.record.position()
    facts = check_history(office.store, office.staffed.site)
    assert len(facts) == position, "asking again has put something on record"
    of_command: dict[UUID, list[tuple[int, str]]] = {}
    for fact in facts:
        of_command.setdefault(fact.command_id, []).append((fact.position, fact.fact.stored_name))
    expected: set[UUID] = set()
    for client in crowd:
        key = client.key.split("_")[1]
        for one in client.acknowledged:
            command = uuid5(COMMANDS, f"{key} {one.name}")
            told = [(fact["position"], fact["fact"]) for fact in one.answer["facts"]]
            there = [found for found in of_command.get(command, []) if found[1] != "queue.opened.v1"]
            assert told == there, f"{one.path}: told {told}, on record {there}"
            expected.add(command)
    later = [fact for fact in facts if fact.position > office.prepared]
    # A look-up is a question that leaves a fact, and no command of the client's: asked again, it is on record twice.
    looked = sum(type(fact.fact) is LookedUp for fact in later)
    assert looked >= sum(client.looked_up for client in crowd), "a look-up that was answered is not on record"
    by_clients = {fact.command_id for fact in later if type(fact.fact) is not LookedUp}
    assert by_clients <= expected, "there is something on record that nobody was told of"
    return len(facts)


def _check_views(office: Office, crowd: Sequence[Client]) -> None:
    position = office.record.position()
    eventually(lambda: min(positions(office.side).values()) >= position, "the views are live")
    assert office.keeper.process.poll() is None, "who keeps the views has died"
    check_rows(office.side, office.record)
    assert rebuild(office.side).differences == 0
    check_rows(office.side, office.record)
    told = crowd[0].ask("GET", "queue")
    crowd[0].close()
    assert told is not None
    with office.store.record() as record:
        anew = office.store.office(record, office.staffed.site)
        at = datetime.fromisoformat(told["at"])
        right = json.loads(msgspec.json.encode(board(anew, at)))
        wrong = {name: (value, right[name]) for name, value in told.items() if value != right[name]}
        assert wrong == {}, f"the board is not what the record says: {wrong}"


@contextmanager
def home_of_its_own() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="lunpai-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soaking", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with home_of_its_own() as home:
        report = soak(
            home,
            requests=options.requests,
            clients=options.clients,
            kills=options.kills,
            seed=options.seed,
            tell=_tell(),
        )
    for line in report.lines():
        print(line)
    return 0


def _tell() -> Callable[[str], None]:
    """On a terminal one line that changes; otherwise a line now and then."""
    last = 0.0

    def tell(line: str) -> None:
        nonlocal last
        if sys.stderr.isatty():
            print(f"\r{line}\033[K", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last > 5:
            last = time.monotonic()
            print(line, file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
