"""The live board: first as it stands, then every change once - for any number who watch, over breaks, until they may no
more or the server ends."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from application.access_keys import revoke
from application.event_store.migrations import prepare_store
from application.event_store.record import Record
from application.issuer_keys import IssuerUnavailable
from application.privacy import Keyring
from interfaces.api import live
from interfaces.api.errors import Problem
from interfaces.floor_board import board
from interfaces.store import store_at
from tests.api.house import House, now, store_in_memory

PATIENCE_SECONDS = 8


class Event(NamedTuple):
    id: int
    kind: str
    data: Any


class Stream:
    """An open stream, read event by event."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.comments = 0

    def lines(self) -> dict[str, str] | None:
        """The fields of what comes next; None at the end."""
        found: dict[str, str] = {}
        while line := self.response.readline().decode():
            if line == "\n":
                return found
            name, _, value = line.rstrip("\n").partition(": ")
            self.comments += name == ""
            found[name] = value
        return None

    def event(self) -> Event | None:
        while (found := self.lines()) is not None:
            if "event" in found:
                return Event(int(found.get("id", 0)), found["event"], json.loads(found["data"]))
        return None


class Served:
    def __init__(self, house: House, port: int) -> None:
        self.house, self.port = house, port
        self.live = house.app.extensions["lunpai"].live

    @contextmanager
    def watch(self, who: str = "desk", query: str = "", **headers: str) -> Iterator[Stream]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            key = {"Authorization": f"Bearer {self.house.keys[who]}"}
            connection.request("GET", f"{self.house.url('queue/events')}{query}", headers={**key, **headers})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            with closing(response):
                yield Stream(response)

    def until(self, met: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not met():
            assert time.monotonic() < deadline
            time.sleep(0.02)


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@pytest.fixture(params=["memory", "postgres"])
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.4)
    with ExitStack() as stack:
        store = store_in_memory()
        if request.param == "postgres":
            uri, schema = request.getfixturevalue("postgres_uri"), request.getfixturevalue("schema")
            prepare_store(uri, schema, Keyring(b"k" * 32, lambda persons: {}).fingerprint())
            store = store_at(uri, schema, b"k" * 32)
            stack.callback(store.record.close)
        house = House(store, most_streams=6)
        server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=Quiet)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        served = Served(house, server.server_port)
        yield served
        served.live.close()
        served.until(lambda: served.live.taken == 0)
        served.until(lambda: not followers())
        server.shutdown()
        thread.join()
        server.server_close()


def followers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, live.Follower)]


def sign_in(served: Served, who: str) -> int:
    told = served.house.does("queue/sign-in", {"who": str(served.house.staff[who])}, "desk")
    return int(told["position"])


def events_until(stream: Stream, position: int) -> list[Event]:
    found: list[Event] = []
    while not found or found[-1].id < position:
        event = stream.event()
        assert event is not None
        found.append(event)
    return found


def same_as_shown(served: Served, event: Event) -> None:
    """What the stream tells is what is answered to whoever asks for the board of that instant."""
    at = event.data["at"].replace("+", "%2B")
    assert served.house.reads(f"queue?at={at}", "desk") == event.data


def test_first_as_it_stands_then_every_change_and_what_proxies_must_know(served: Served) -> None:
    sign_in(served, "consultant")
    with served.watch() as stream:
        headers = stream.response.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-store" and headers["X-Accel-Buffering"] == "no"
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Request-Id"]
        assert stream.lines() == {"retry": "2000"}
        first = stream.event()
        assert first is not None and first.kind == "board" and first.id == served.house.position
        assert first.data["next"]["visit"]["staff"] == "员工consultant"
        position = sign_in(served, "colleague")
        (told,) = events_until(stream, position)
        same_as_shown(served, told)
        assert told.data["order"]["visit"] == ["员工consultant", "员工colleague"]
        # A registration is nothing to a board, and another site's floor is another's.
        served.house.register("consultant", "赵强", "13900000001")
        came = served.house.does("receptions", {"channel": "visit"}, "desk")
        (received,) = events_until(stream, came["position"])
        same_as_shown(served, received)
        assert received.data["receptions"][0]["receiver"] == "员工consultant" and "赵" not in str(received.data)
        served.until(lambda: (stream.lines() or stream.comments) and stream.comments)


def test_coming_back_loses_nothing_and_gets_nothing_twice(served: Served) -> None:
    with served.watch() as stream:
        first = stream.event()
        assert first is not None
    positions = [sign_in(served, who) for who in ("consultant", "colleague", "supervisor")]
    served.house.register("consultant", "赵强", "13900000001")
    with served.watch(**{"Last-Event-ID": str(first.id)}) as stream:
        missed = events_until(stream, positions[-1])
        assert [event.id for event in missed if event.id in positions] == positions
        assert sorted({event.id for event in missed}) == [event.id for event in missed]
        for event in missed:
            if event.id in positions:
                same_as_shown(served, event)
        position = served.house.does(
            "queue/step-out", {"who": str(served.house.staff["colleague"]), "why": "private"}, "desk"
        )["position"]
        assert [event.id for event in events_until(stream, position)] == [position]
    # Where both are said, the header is the newer: a browser says it beside the address it was given.
    with served.watch(query=f"?after={first.id}", **{"Last-Event-ID": str(positions[1])}) as stream:
        assert [event.id for event in events_until(stream, position)] == [positions[2], position]


def test_two_who_watch_are_told_the_same_by_one_reader(served: Served) -> None:
    with served.watch("desk") as one, served.watch("consultant") as other:
        first = one.event()
        second = other.event()
        assert first is not None and second is not None and first.id == second.id
        position = sign_in(served, "consultant")
        assert events_until(one, position) == events_until(other, position)
        assert len(followers()) == 1 and served.live.taken == 2
    served.until(lambda: served.live.taken == 0)
    served.until(lambda: not followers())
    assert served.live._follower is None


def test_too_many_are_sent_away_and_a_place_comes_free(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(served.watch("desk"))
        refused = served.house.ask("GET", "queue/events", "desk")
        served.house.refused(refused, 503, "too_many_streams")
        assert refused.headers["Retry-After"] == "5"
        for who in ("consultant", "colleague", "officer"):  # nobody takes all the places
            stack.enter_context(served.watch(who))
        served.house.refused(served.house.ask("GET", "queue/events", "manager"), 503, "too_many_streams")
    served.until(lambda: served.live.taken == 0)
    assert not served.live._held
    with served.watch() as stream:
        assert stream.event() is not None


@pytest.mark.parametrize(("most", "of_one"), [(0, 0), (1, 1), (2, 1), (5, 2)])
def test_places_of_a_person_and_of_all(most: int, of_one: int) -> None:
    """Of a process with one thread nobody can watch: that thread would answer nobody else."""
    places = live.Live(store_in_memory(), most)
    taken = []
    for who in [uuid4() for _ in range(3)]:
        for _ in range(most + 1):
            with suppress(Problem):
                taken.append((who, places.seat(who)))
    assert len(taken) == most and max(Counter(who for who, _ in taken).values(), default=0) == of_one
    for _, seat in taken:
        seat.give_back()
    assert places.taken == 0


def test_it_ends_where_the_issuer_of_its_token_is_silent(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*given: Any) -> None:
        raise IssuerUnavailable("it does not answer")

    monkeypatch.setattr(served.house.app.extensions["lunpai"].doorkeeper, "still_lets_in", silent)
    with served.watch() as stream:
        assert stream.event() is not None
        assert stream.event() is None
        assert stream.response.read() == b""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_broke_ends_all_and_is_replaced(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mistake(Exception):
        pass

    def broken(*given: Any) -> None:
        raise Mistake

    with served.watch() as stream:
        assert stream.event() is not None
        with monkeypatch.context() as patched:
            patched.setattr(live.Follower, "_put", broken)
            sign_in(served, "consultant")
            assert stream.event() is None
    with served.watch("colleague") as stream:
        first = stream.event()
        assert first is not None
        assert events_until(stream, sign_in(served, "colleague"))


def test_who_comes_back_from_very_long_ago_is_told_how_things_stand(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "FAR_BEHIND", 2)
    monkeypatch.setattr(live.Live, "missed", lambda *given: pytest.fail("it looked for what was missed"))
    before = served.house.position
    for who in ("consultant", "colleague", "supervisor"):
        sign_in(served, who)
    served.house.register("consultant", "赵强", "13900000001")  # nothing to a board
    with served.watch(query=f"?after={before}") as stream:
        first = stream.event()
        assert first is not None and first.id == served.house.position
        position = sign_in(served, "manager")
        assert [event.id for event in events_until(stream, position)] == [position]


def test_no_board_rests_on_what_may_be_lost(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    record, boards = served.house.store.record, served.live
    told: list[str] = []
    monkeypatch.setattr(record, "position", lambda: told.append("position") or Record.position(record))
    monkeypatch.setattr(record, "make_durable", lambda: told.append("durable") or Record.make_durable(record))
    monkeypatch.setattr(live, "board", lambda *given: told.append("board") or board(*given))
    with served.watch() as stream:
        first = stream.event()
        assert first is not None
        assert "".join(one[0] for one in told) == "pdpdb", "the reader's beginning, then the watcher's board"
        position = sign_in(served, "consultant")
        *_, event = events_until(stream, position)
        change = live.Change(position, datetime.fromisoformat(event.data["at"]))
        told.clear()
        kept, office = boards.after(served.house.site, change), boards._offices[served.house.site]
        assert told == [] and json.loads(kept) == event.data
        monkeypatch.setattr(record.recorder, "lives", record.lives + 1)
        assert boards.after(served.house.site, change) == kept
        assert told == ["board"] and boards._offices[served.house.site] is not office


@pytest.mark.parametrize("how", ["revoked", "departed"])
def test_who_may_no_more_sees_no_more(served: Served, how: str) -> None:
    house = served.house
    with served.watch("colleague") as stream:
        assert stream.event() is not None
        if how == "revoked":
            revoke(house.office, now(), key=house.keys["colleague"].split("_")[1])
        else:
            house.does(f"staff/{house.staff['colleague']}/departure", {})
        began = time.monotonic()
        assert stream.event() is None
        assert time.monotonic() - began < 5
    house.refused(house.ask("GET", "queue/events", "colleague"), 401, "unauthenticated")


def test_all_end_with_the_server_and_none_begins(served: Served) -> None:
    with served.watch() as stream:
        assert stream.event() is not None
        served.live.close()
        assert stream.event() is None
    served.house.refused(served.house.ask("GET", "queue/events", "desk"), 503, "too_many_streams")


def test_what_is_refused_takes_no_place(served: Served) -> None:
    house = served.house
    ahead = house.ask("GET", f"queue/events?after={house.position + 1}", "desk")
    house.refused(ahead, 503, "behind")
    for header in ("x", "-1", "1" * 19, "1;2"):
        told = house.refused(
            house.ask("GET", "queue/events", "desk", headers={"Last-Event-ID": header}), 422, "bad_fields"
        )
        assert told["errors"]["headers"]
    house.refused(house.ask("GET", "queue/events?after=-1", "desk"), 422, "bad_fields")
    house.refused(house.ask("GET", "queue/events", "finance"), 403, "access_denied")
    house.refused(house.ask("GET", "queue/events", None), 401, "unauthenticated")
    with house.ask("HEAD", "queue/events", "desk") as head:
        assert head.status_code == 200
    served.until(lambda: served.live.taken == 0)


def test_who_missed_very_many_is_told_the_last(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_MISSED", 3)
    before = served.house.position
    positions = [sign_in(served, who) for who in ("consultant", "colleague", "supervisor", "manager")]
    with served.watch(query=f"?after={before}") as stream:
        assert [event.id for event in events_until(stream, positions[-1])] == [positions[-1]]
    # ... and who reads too slowly: what was forgotten meanwhile is not told in bits.
    with served.watch() as stream:
        follower = followers()[0]
        assert stream.event() is not None
        follower._forgotten[served.house.site] = position = served.house.position + 10_000
        follower._changes[served.house.site].extend(
            live.Change(position + n, served.house.office.now()) for n in (1, 2)
        )
        assert [one.position for one in follower.wait(served.house.site, positions[-1], 0)] == [position + 2]
        follower._changes.clear()
        follower._forgotten.clear()


def test_a_rulebook_that_is_silent_on_turns_ends_it_with_a_word(served: Served) -> None:
    with served.watch() as stream:
        assert stream.event() is not None
        served.house.does("rulebook/adoptions", {"rulebook": "client-stages"})
        last = stream.event()
        if last is not None and last.kind == "board":  # that rulebook speaks of turns
            same_as_shown(served, last)
        else:
            assert last == Event(0, "problem", {"code": "wrong_state"}) and stream.event() is None


def test_it_is_in_the_document(house: House) -> None:
    spec = house.client.get("/openapi.json").json
    assert spec is not None
    operation = spec["paths"]["/v1/sites/{site}/queue/events"]["get"]
    (told,) = operation["responses"]["200"]["content"].items()
    assert told[0] == "text/event-stream" and told[1]["schema"] == {"type": "string"} and "id: " in told[1]["example"]
    assert {one["name"] for one in operation["parameters"]} == {"after", "min_position", "Last-Event-ID"}
    assert "too_many_streams" in operation["responses"]["503"]["description"]
