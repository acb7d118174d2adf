"""While facts come in, folding pauses most of the time; otherwise never."""

from __future__ import annotations

import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection

import psycopg
import pytest

from projections import room as rooms
from projections.room import PAUSE_SECONDS, Room, watched
from tests.reliability.processes import eventually

from .engine import Opened, opened


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    with opened(postgres_uri, steps=5) as office:
        yield office


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was paused, each time, by a clock that goes on a quarter of a millisecond whenever it is looked at."""
    slept: list[float] = []
    now = [0.0]

    def clock() -> float:
        now[0] += 0.00025
        return now[0]

    monkeypatch.setattr(rooms.time, "sleep", slept.append)
    monkeypatch.setattr(rooms.time, "monotonic", clock)
    return slept


def test_nobody_needs_room(paused: list[float]) -> None:
    room = Room()
    for _ in range(100):
        room.leave()
    assert paused == []


def test_a_pause_after_a_millisecond_of_work(paused: list[float]) -> None:
    room = Room()
    room.wanted = True
    for _ in range(100):
        room.leave()
    assert set(paused) == {PAUSE_SECONDS} and 15 <= len(paused) <= 25
    room.wanted = False
    paused.clear()
    room.leave()
    assert paused == []


def _wait_for_it(pipe: Connection, room: Room) -> None:
    pipe.send(room.wanted)
    pipe.recv()
    pipe.send(room.wanted)


def test_processes_share_it() -> None:
    room, context = Room(), get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_wait_for_it, args=(there, room), daemon=True)
    process.start()
    assert here.recv() is False
    room.wanted = True
    here.send(None)
    assert here.recv() is True
    process.join(20)


def test_wanted_while_facts_come_in(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "LOOKS_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(rooms, "WANTED_FOR_SECONDS", 0.3)
    with watched(office.side, long=True) as room:
        time.sleep(0.1)
        assert not room.wanted, "what was recorded before is over"
        office.play.steps(3, 7)
        eventually(lambda: room.wanted, "room is wanted")
        eventually(lambda: not room.wanted, "it is quiet again")


def test_what_is_not_long_is_not_watched(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office.side.recorder, "max_notification_id", lambda: pytest.fail("it was looked"))
    with watched(office.side, long=False) as room:
        assert not room.wanted


def test_the_database_is_away(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who rebuilds will hear of it; who watches does not add to it."""
    looked: list[int] = []

    def away() -> int:
        looked.append(1)
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(office.side.recorder, "max_notification_id", away)
    with watched(office.side, long=True) as room:
        eventually(lambda: bool(looked), "it was asked")
    assert not room.wanted and len(looked) == 1
