"""What holds of the rows of a floor whatever happened on it: they fit their columns, add up, and agree with the queue."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.attendance import line_of
from domain.queue_state import Queue
from domain.record import Envelope
from domain.rulebook import single
from domain.sales_turn_queue import CHANNELS, queue_id
from domain.site import Site
from projections.assignments import ASSIGNMENTS
from projections.dossier import QUEUE, Context, Judged
from projections.turn_board import TURN_BOARD
from tests.domain import queue_facts
from tests.domain.floors import CONSULTANTS, SITE, Office
from tests.domain.given import ZONE, instant
from tests.domain.test_turn_properties import ANY_RULEBOOK, STEPS, office, play
from tests.projections.given import rows

Steps = list[tuple[str, int, int, int]]


def days(here: Office, facts: list[Envelope]) -> list[Judged]:
    """The days of facts, judged."""
    streams: dict[UUID, list[Envelope]] = defaultdict(list)
    for envelope in facts:
        streams[envelope.stream].append(envelope)
    since = instant("2000-01-01 00:00")
    site = Site(id=SITE, version=1, name="", timezone=ZONE.key, opened_at=here.at, staff=here.members, adoptions=())
    context = Context(site, ZONE, single(here.edition, since), {}, since)
    return [Judged(QUEUE, found, context) for found in streams.values()]


def queue_of(day: Judged) -> Queue:
    assert day.floor is not None
    return day.floor.queue


@ANY_RULEBOOK
@settings(max_examples=20)
@for_all(steps=STEPS)
def test_a_days_rows_add_up_and_say_what_the_queue_says(rulebook: str, steps: Steps) -> None:
    here = office(rulebook)
    here.sign_in(*CONSULTANTS)
    play(here, steps)
    for day in days(here, here.facts):
        queue, board = queue_of(day), {row["staff"]: row for row in rows(TURN_BOARD, [day])}
        done = Counter((effect.staff, effect.kind) for e in day.facts for effect in getattr(e.fact, "effects", ()))
        for staff, row in board.items():
            owed = sum(one.staff == staff for owed in queue.carried.make_ups.values() for one in owed)
            assert owed + row["make_ups_granted"] - row["make_ups_served"] == _both(row, "make_ups_owed")
            assert _both(row, "turns") == done[staff, "turn"] - done[staff, "turn_back"]
            assert row["present"] == queue.present(staff)
            assert row["passed_over"] == sum(json.loads(row["passed"]).values())
            assert row["received"] == sum(json.loads(row["receptions"]).values())
            assert row["receiving_seconds"] >= 0 and row["on_floor_seconds"] >= 0
            assert row["month_fines_yuan"] == queue.fines.get(staff, 0)
        _places_are_the_lines(day, board)
        _receptions_are_all_there(day, board)


def _both(row: dict[str, Any], what: str) -> int:
    return sum(row[f"{channel}_{what}"] for channel in CHANNELS)


def _places_are_the_lines(day: Judged, board: dict[UUID, dict[str, Any]]) -> None:
    assert day.floor is not None
    for channel in CHANNELS:
        line = [one for one in line_of(day.floor, channel) if day.floor.queue.present(one)]
        found = {row[f"{channel}_place"]: staff for staff, row in board.items() if row[f"{channel}_place"]}
        assert [found[place] for place in sorted(found)] == line and sorted(found) == [*range(1, len(line) + 1)]


def _receptions_are_all_there(day: Judged, board: dict[UUID, dict[str, Any]]) -> None:
    listed = {row["label"]: row for row in rows(ASSIGNMENTS, [day])}
    assert listed.keys() == queue_of(day).receptions.keys()
    received = Counter(row["receiver"] for row in listed.values() if row["status"] in ("open", "finished"))
    assert received == Counter({staff: row["received"] for staff, row in board.items() if row["received"]})
    unanswered = sum(row["status"] == "unanswered" for row in listed.values())
    assert unanswered == sum(row["unanswered"] for row in board.values())
    assert sum(row["passed_over"] for row in listed.values()) >= sum(row["passed_over"] for row in board.values())
    spoken = {position for row in listed.values() for position in row["positions"]}
    assert spoken == {e.position for e in day.facts if getattr(e.fact, "reception", None) in listed}


@ANY_RULEBOOK
@settings(max_examples=5)
@for_all(steps=STEPS, cut=st.integers(1, 60))
def test_what_comes_later_takes_nothing_back_of_what_a_person_did(rulebook: str, steps: Steps, cut: int) -> None:
    here = office(rulebook)
    here.sign_in(*CONSULTANTS)
    play(here, steps)
    grows = ("make_ups_granted", "make_ups_served", "absences", "gave_up", "fines_yuan", "warnings", "passed_over")
    early = {(row["queue"], row["staff"]): row for row in rows(TURN_BOARD, days(here, here.facts[:cut]))}
    late = {(row["queue"], row["staff"]): row for row in rows(TURN_BOARD, days(here, here.facts))}
    for key, row in early.items():
        assert key in late or not any(row[name] for name in grows)
        assert all(row[name] <= late[key][name] for name in grows if key in late)


@settings(max_examples=200)
@for_all(
    facts=st.lists(
        st.one_of([made for name, made in queue_facts.FACTS.items() if name.startswith("queue.")]), max_size=12
    ),
    opened=queue_facts.FACTS["queue.opened.v1"],
    minutes=st.lists(st.integers(0, 3000), min_size=13, max_size=13),
)
def test_any_facts_at_all_make_rows_that_fit(facts: list[Any], opened: Any, minutes: list[int]) -> None:
    """Also unlawful ones, in any order of time."""
    here = office("revised-reception")
    envelopes = []
    for number, fact in enumerate([opened, *facts]):
        here.at = instant("2026-03-02 00:00")
        here.wait(minutes[number])
        envelopes.append(_on_record(here, fact, number + 1))
    (day,) = days(here, envelopes)
    rows(TURN_BOARD, [day])
    rows(ASSIGNMENTS, [day])


def _on_record(here: Office, fact: Any, number: int) -> Envelope:
    return Envelope(
        site=SITE, stream=queue_id(SITE, instant("2026-03-02 00:00").date()), version=number, occurred_at=here.at,
        entered_at=None, actor=SITE, command_id=SITE, correlation_id=SITE, edition=None, fact=fact, position=number,
        recorded_at=here.at,
    )  # fmt: skip
