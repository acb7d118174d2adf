"""A command over HTTP while the store goes away and comes back: carried out once, answered in the end, and never decided
on what may be lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from application import commands
from application.access_keys import revoke
from application.event_store.appending import StoreUnavailable
from application.event_store.memory import MemoryRecorder
from application.sales_office import SalesOffice
from domain.access import access_id
from interfaces.store import SCHEMA
from tests.api.house import House, now, store_on_disk
from tests.api.test_judged_anew import meanwhile
from tests.reliability.processes import eventually

SOMEBODY = {"name": "钱多", "phone": "13900000002"}


@pytest.fixture
def known(house: House) -> House:
    """This process has read the office before."""
    house.register("consultant", "赵强", "13900000001")
    return house


def breaks(house: House, monkeypatch: pytest.MonkeyPatch, name: str, times: int, *, after: bool = False) -> list[int]:
    """So many calls of the record break the connection, before or after they did what they should; how many came."""
    record, came = house.store.record, list[int]()
    whole: Callable[..., Any] = getattr(record, name)

    def broken(*given: Any) -> Any:
        came.append(1)
        if len(came) > times:
            return whole(*given)
        if after:
            whole(*given)
        monkeypatch.setattr(record.recorder, "lives", record.lives + 1)
        raise StoreUnavailable("the connection broke")

    monkeypatch.setattr(record, name, broken)
    return came


def test_a_reply_that_is_lost(known: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """... and then the next readings fail as well, as where a database starts again."""
    tried = breaks(known, monkeypatch, "append", 1, after=True)
    looked = breaks(known, monkeypatch, "load_since_each", 2)
    position = known.position
    told = known.does("registrations", SOMEBODY, "consultant")
    assert told["repeated"] and told["position"] == known.position == position + 1
    assert len(tried) == 2 and len(looked) == 3


def test_a_store_that_takes_nothing_is_asked_ever_more_rarely(known: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "GIVE_UP_AFTER_SECONDS", 1.0)
    tried = breaks(known, monkeypatch, "append", 1000)
    position, began = known.position, time.monotonic()
    known.refused(known.ask("POST", "registrations", body=SOMEBODY), 503, "store_unavailable")
    assert 2 <= len(tried) <= 6 and time.monotonic() - began >= 1, "after pauses of 0.05, 0.1, 0.2, 0.4, 0.8 s"
    assert known.position == position


def test_a_store_that_is_away_from_the_beginning(known: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been begun: the client is told at once."""
    tried = breaks(known, monkeypatch, "running", 1)
    known.refused(known.ask("POST", "registrations", body=SOMEBODY), 503, "store_unavailable")
    assert len(tried) == 1


def test_what_was_read_and_lost_while_somebody_was_let_in(known: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact that never reached the disk; in its place stands a revocation that nobody here has read. Another thread
    notices the break after the keys were read, and before anything is decided."""
    record, recorder = known.store.record, known.store.record.recorder
    assert isinstance(recorder, MemoryRecorder)
    known.key("desk")
    known.reads("queue")
    recorder._stored_events.pop()
    versions = recorder._stored_events_index[str(access_id(known.site))]
    del versions[max(versions)]
    elsewhere = SalesOffice(record, known.store.keyring, known.store.shelf, known.site)
    revoke(elsewhere, now(), key=known.keys["consultant"].split("_")[1])
    position = known.position
    door = known.app.extensions["lunpai"].doorkeeper
    member = door._member

    def noticed(credential: Any) -> Any:
        monkeypatch.setattr(door, "_member", member)
        monkeypatch.setattr(recorder, "lives", record.lives + 1)
        return member(credential)

    monkeypatch.setattr(door, "_member", noticed)
    known.refused(known.ask("POST", "registrations", "consultant", SOMEBODY), 401, "unauthenticated")
    assert known.position == position


@pytest.fixture
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home: Path = tmp_path_factory.mktemp("home")
    home.chmod(0o755)
    with store_on_disk(home) as store:
        house = House(store)
        house.register("consultant", "赵强", "13900000001")
        yield house


def test_on_postgresql(on_disk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An append whose reply does not come in time: the session that is given up still holds the command's lock. And a
    key that is revoked between decision and append."""
    house, record = on_disk, on_disk.store.record
    monkeypatch.setattr(record.recorder, "_reply_timeout_seconds", 0.5)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(house.ask("POST", "registrations", body=SOMEBODY)))
    with psycopg.connect(record.recorder.uri) as blocker:
        blocker.execute(sql.SQL("SELECT FROM {} FOR UPDATE").format(sql.Identifier(SCHEMA, "head")))
        asking.start()
        time.sleep(1.5)
        assert asking.is_alive()
    asking.join(60)
    assert answers[0].status_code == 200 and answers[0].json["position"] == house.position
    monkeypatch.undo()

    elsewhere = SalesOffice(record, house.store.keyring, house.store.shelf, house.site)
    house.register("consultant", "孙立", "13900000003")
    position = house.position
    key = house.keys["consultant"].split("_")[1]
    tried = meanwhile(house, monkeypatch, lambda: revoke(elsewhere, now(), key=key))
    house.refused(house.ask("POST", "registrations", "consultant", {"name": "周到"}), 401, "unauthenticated")
    assert (house.position, len(tried)) == (position + 1, 1), "the revocation alone"
    with psycopg.connect(record.recorder.uri, autocommit=True) as connection:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        eventually(lambda: connection.execute(held).fetchone() == (0,), "no lock of a command is left", 20)
