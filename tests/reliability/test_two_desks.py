"""Two desks call for consultants at once: nobody is sent to two visitors, no turn is lost, a repeat gets the same answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from application.commands import Stamp
from application.desk import Answer
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.refusals import Refusal
from domain.sales_turn_queue import ReceptionOpened, queue_id
from tests.domain.given import instant

NOBODY = uuid4()
ROUNDS = 25


def stamp(at: datetime | None = None, command: UUID | None = None) -> Stamp:
    now = at or datetime.now(UTC)
    return Stamp(actor=NOBODY, at=now, command_id=command or uuid4())


Desks = tuple[list[SalesOffice], list[UUID]]


@pytest.fixture
def desks(make_recorder: Callable[..., PostgresRecorder], master: bytes, shelf: Shelf) -> Desks:
    """Two programs on the same store, each with its own connections and its own memory of the day."""
    records = [Record(make_recorder()) for _ in range(2)]
    keyrings = [Keyring(master, record.person_keys) for record in records]
    long_ago = stamp(instant("2026-01-01 08:00"))
    first = open_site(records[0], keyrings[0], shelf, name="两张前台", timezone="Asia/Shanghai", stamp=long_ago)
    staff = [first.enrol_staff(stamp(), name=f"顾问{n}").subject for n in "甲乙丙丁戊己"]
    first.adopt(stamp(instant("2026-01-01 08:00")), rulebook="sign-in-roster")
    for one in staff:
        assert one is not None
        first.floor.sign_in(stamp(), who=one)
    second = SalesOffice(records[1], keyrings[1], shelf, first.site_id)
    return [first, second], [one for one in staff if one is not None]


def chosen(answer: Answer) -> UUID | None:
    return next(e.fact.choice.staff for e in answer.facts if isinstance(e.fact, ReceptionOpened))


def test_at_once_they_get_two_different_consultants_and_the_record_has_no_gap(desks: Desks) -> None:
    offices, staff = desks
    start = Barrier(2)

    def receive(desk: int, number: int) -> UUID | None:
        start.wait()
        return chosen(offices[desk].floor.receive(stamp(), reception=f"{desk}-{number}", channel="visit"))

    with ThreadPoolExecutor(2) as both:
        for number in range(ROUNDS):
            sent = list(both.map(receive, (0, 1), (number, number)))
            assert None not in sent and sent[0] != sent[1]
            for desk in (0, 1):
                offices[desk].floor.finish(stamp(), reception=f"{desk}-{number}")
    floor = offices[0].floor.floor(datetime.now(UTC))
    turns = [floor.queue.counted(floor.queue.turns, "visit", one) for one in staff]
    assert sum(turns) == 2 * ROUNDS and max(turns) - min(turns) <= 1
    facts = list(offices[1].record.load_since(queue_id(offices[0].site_id, floor.queue.day), 0))
    assert [e.version for e in facts] == list(range(1, len(facts) + 1))
    assert len(facts) == 1 + len(staff) + 4 * ROUNDS


def test_the_day_is_opened_once_by_whoever_comes_first(desks: Desks) -> None:
    offices, _ = desks
    tomorrow = datetime.now(UTC)
    floors = [office.floor.floor(tomorrow) for office in offices]
    assert floors[0].queue == floors[1].queue


def test_a_repeated_call_gets_the_same_consultant_also_from_the_other_desk(desks: Desks) -> None:
    offices, _ = desks
    command, at = uuid4(), datetime.now(UTC)
    first = offices[0].floor.receive(stamp(at, command), reception="r", channel="visit")
    position = offices[0].record.position()
    for office in (*offices, *offices):
        again = office.floor.receive(stamp(at, command), reception="r", channel="visit")
        assert again.repeated and chosen(again) == chosen(first) and again.position == first.position
    assert offices[0].record.position() == position


def test_two_desks_that_finish_the_same_reception_finish_it_once(desks: Desks) -> None:
    offices, _ = desks
    offices[0].floor.receive(stamp(), reception="r", channel="visit")
    start = Barrier(2)

    def finish(desk: int) -> str:
        start.wait()
        try:
            offices[desk].floor.finish(stamp(), reception="r")
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(finish, (0, 1))) == ["done", "wrong_state"]
