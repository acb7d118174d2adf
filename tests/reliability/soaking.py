"""A busy office over HTTP: many clients send mixed requests to a real server, again and again where an answer was lost
and at random where it was not, while workers of the server and the database are killed. Afterwards everything that was
acknowledged must be on record, once; and whoever asks again must be told the same.

`python -m tests.reliability.soaking` runs it in full; test_soak in small."""

from __future__ import annotations

import argparse
import http.client
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
from typing import Any
from uuid import UUID, uuid5

import msgspec
import psutil

from application.access_keys import issue
from application.event_store.appending import StoreUnavailable
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring, master_key
from application.sales_office import SalesOffice
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
from .offices import Staffed, Store, open_office, phone_number, stamp
from .processes import Program, eventually
from .servers import Server

CONSULTANTS = 8
PATIENCE_SECONDS = 120.0
ASKED_AGAIN = 0.15
"""Of the commands that were answered, so many are sent once more at once."""

TO_BE_TRIED_AGAIN = (409, 429, 503)
"""With these statuses - 409 only as still_running - a client sends the same again after a little."""

STEPS: dict[str, int] = {
    **{"register": 22, "follow_up": 16, "receive": 10, "finish": 10, "sign_in": 5, "sign_out": 2, "sell": 6},
    **{"dispute": 4, "rule": 3, "show_visitor": 10, "board": 6, "look_up": 2, "docket": 2, "staff": 2},
}
"""What is asked, and how often beside the rest."""


class Command(msgspec.Struct, frozen=True):
    """A command that was acknowledged: under which key and name, what was sent and what came back."""

    key: str
    name: str
    path: str
    body: dict[str, Any]
    answer: dict[str, Any]


class Lost(Exception):
    """No answer came."""


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


class Shared:
    """What clients know of each other's work: whom they go on with."""

    def __init__(self) -> None:
        self.visitors: list[dict[str, Any]] = []
        self.receptions: list[str] = []
        self.sales: list[str] = []
        self.disputes: list[str] = []


class Client:
    """One client with one connection, which asks as one member of staff. Its choices come from the seed; what it meets
    does not."""

    def __init__(
        self, port: int, staffed: Staffed, who: UUID, key: str, number: int, seed: int, shared: Shared
    ) -> None:
        self.port, self.staffed, self.who, self.key, self.number = port, staffed, who, key, number
        self.shared, self.chance = shared, random.Random(seed * 1_000 + number)
        self.acknowledged: list[Command] = []
        self.refused: Counter[str] = Counter()
        self.lost = self.sent_again = self.sent = 0
        self.slowest_seconds = 0.0
        self.last_refusal: dict[str, Any] = {}
        self._connection: http.client.HTTPConnection | None = None

    def step(self) -> None:
        """Ask one thing, until there is an answer."""
        self.sent += 1
        getattr(self, f"_{self.chance.choices(list(STEPS), list(STEPS.values()))[0]}")()

    # What is asked

    def _register(self) -> None:
        number = self.chance.randrange(3_000)  # so that many are registered by several
        body = {"name": f"客户{number}", "phone": phone_number(number), "via": self.chance.choice(["visit", "call"])}
        if (told := self._command("registrations", body)) is not None:
            self.shared.visitors.append(told["visitor"])

    def _follow_up(self) -> None:
        if (entry := self._one_of(self.shared.visitors)) is not None:
            body = {"registration": entry["registration"], "how": self.chance.choice(["call", "message"])}
            self._command(f"visitors/{entry['visitor']}/follow-ups", body)

    def _receive(self) -> None:
        if (told := self._command("receptions", {"channel": self.chance.choice(["visit", "call"])})) is not None:
            self.shared.receptions.append(told["reception"])

    def _finish(self) -> None:
        if self.shared.receptions:
            with suppress(IndexError):  # another client may have been faster
                self._command(f"receptions/{self.shared.receptions.pop(0)}/finish", {})

    def _sign_in(self) -> None:
        self._command("queue/sign-in", {"who": str(self.chance.choice(self.staffed.consultants))})

    def _sign_out(self) -> None:
        self._command("queue/sign-out", {"who": str(self.chance.choice(self.staffed.consultants))})

    def _sell(self) -> None:
        if (entry := self._one_of(self.shared.visitors)) is not None:
            unit = f"{self.number}-{self.sent}" if self.chance.random() < 0.9 else "1-1"
            body = {"visitor": entry, "amount": "12000.00", "unit": unit, "by": [str(self.staffed.consultants[0])]}
            if (told := self._command("sales", body)) is not None:
                self.shared.sales.append(told["subject"])

    def _dispute(self) -> None:
        if (sale := self._one_of(self.shared.sales)) is not None:
            body = {"sale": sale, "by": str(self.chance.choice(self.staffed.consultants))}
            if (told := self._command("disputes", body)) is not None:
                self.shared.disputes.append(told["subject"])

    def _rule(self) -> None:
        if (dispute := self._one_of(self.shared.disputes)) is not None:
            self._command(f"disputes/{dispute}/rulings", {"reason": "as the replay says"})

    def _show_visitor(self) -> None:
        if (entry := self._one_of(self.shared.visitors)) is not None:
            self._question("GET", f"visitors/{entry['visitor']}?registration={entry['registration']}")

    def _board(self) -> None:
        self._question("GET", "queue")

    def _look_up(self) -> None:
        self._question("POST", "visitors/look-up", {"phone": phone_number(self.chance.randrange(3_000))})

    def _docket(self) -> None:
        self._question("GET", "disputes?limit=20")

    def _staff(self) -> None:
        self._question("GET", "staff")

    def _one_of(self, known: Sequence[Any]) -> Any:
        return self.chance.choice(known) if known else None

    # How it is asked

    def _command(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """What it brought about; None where it was refused."""
        name = f"{self.number}-{self.sent}"
        told = self.ask("POST", path, body, name)
        if told is not None:
            self.acknowledged.append(Command(self.key, name, path, body, told))
            if self.chance.random() < ASKED_AGAIN:
                self.sent_again += 1
                assert same(self.ask("POST", path, body, name), told), f"{path}: another answer to the same command"
        return told

    def _question(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        self.ask(method, path, body)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, name: str = "") -> dict[str, Any] | None:
        """The answer, however often it takes; None where it was refused, which is counted. Questions that come too often
        are let be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        began = time.monotonic()
        while True:
            try:
                status, told = self._once(method, path, body, name)
            except Lost:
                self.lost += 1
            else:
                if status == 200:
                    self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
                    return told
                code = told["code"]
                again = status in TO_BE_TRIED_AGAIN and (status != 409 or code == "still_running")
                if not again or code == "too_many_requests":
                    assert status < 500, f"{path}: {told}"
                    self.refused[code] += 1
                    self.last_refusal = told
                    return None
            assert time.monotonic() < deadline, f"{path}: no answer for {PATIENCE_SECONDS:g} s"
            time.sleep(0.05 + 0.2 * self.chance.random())

    def _once(self, method: str, path: str, body: dict[str, Any] | None, name: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "Idempotency-Key": name}
        if not name:
            del headers["Idempotency-Key"]
        sent = None if body is None else json.dumps(body)
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._connection.request(method, f"/v1/sites/{self.staffed.site}/{path}", sent, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Lost from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def same(again: dict[str, Any] | None, first: dict[str, Any]) -> bool:
    """Whether it is the first answer once more; that it is a repeat is all that may differ."""
    return again is not None and again["repeated"] and {**again, "repeated": first["repeated"]} == first


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
    by_clients = {fact.command_id for fact in facts if fact.position > office.prepared}
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
