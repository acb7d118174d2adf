"""What holds of the turn queue whatever happens on the floor."""

from __future__ import annotations

from collections import Counter
from random import Random
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from application.rulebooks import Shelf
from domain import attendance, receptions
from domain.queue_state import evolve
from domain.rulebook import Edition
from domain.rules.vocabulary import covers_turns
from domain.sales_turn_queue import Asked
from tests.domain.floors import CONSULTANTS, Office
from tests.domain.given import CHEN, LIN

EDITIONS = {edition.rulebook: edition for edition in Shelf().all() if covers_turns(edition)}
ANY_RULEBOOK = pytest.mark.parametrize("rulebook", EDITIONS)
COUNTING = [name for name, edition in EDITIONS.items() if edition.parameter("turns.door_receives").value is False]


def office(rulebook: str, **amend: object) -> Office:
    changed: Edition = EDITIONS[rulebook].amended({f"turns.{name}": value for name, value in amend.items()})  # type: ignore[arg-type,misc]
    return Office(changed)


def lead(turns: dict[UUID, int]) -> int:
    return max(turns.values()) - min(turns.values())


@pytest.mark.parametrize("rulebook", COUNTING)
@pytest.mark.parametrize("channel", ["visit", "call"])
def test_with_everybody_there_and_every_visitor_new_nobody_leads_by_more_than_one_turn(
    rulebook: str, channel: str
) -> None:
    here = office(rulebook, period="month", carry_over=True)
    for day in range(2, 7):
        here.at_time(f"2026-03-0{day} 08:30")
        here.sign_in(*CONSULTANTS)
        here.at_time("09:00")
        for _ in range(32):
            here.wait(2)
            choice = here.receive(channel)
            assert choice.staff is not None and choice.because == "turn"
            assert lead(here.turns(channel)) <= 1
            here.wait(8)
            here.finish(f"r{here.labels}")
    assert lead(here.turns(channel)) == 0  # 160 for four people


@pytest.mark.parametrize("rulebook", COUNTING)
@pytest.mark.parametrize("seed", range(3))
def test_being_busy_starves_nobody(rulebook: str, seed: int) -> None:
    """Four consultants, each away with a visitor for the next one to three arrivals, a thousand arrivals."""
    here, chance = office(rulebook, carry_over=True), Random(seed)
    here.sign_in(*CONSULTANTS)
    here.at_time("09:00")
    busy: list[tuple[int, str]] = []
    for arrival in range(1000):
        here.wait(0.25)
        for until, label in [one for one in busy if one[0] <= arrival]:
            here.finish(label)
            busy.remove((until, label))
        assert here.receive().staff is not None
        busy.append((arrival + 1 + chance.randint(1, 3), f"r{here.labels}"))
    assert lead(here.turns()) <= 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *(
                    "sign_in",
                    "sign_in",
                    "sign_out",
                    "step_out",
                    "step_back",
                    "not_ready",
                    "ready",
                    "permit",
                    "next_day",
                ),
                *("receive", "receive", "receive", "own", "named", "finish", "finish", "absent", "hand_over", "help"),
                *("recognise", "give_up", "misconduct", "warn", "unanswered", "post", "door"),
            ]
        ),
        st.integers(0, 3),
        st.integers(0, 5),
        st.sampled_from([1, 5, 31]),
    ),
    min_size=5,
    max_size=60,
)


def play(here: Office, steps: list[tuple[str, int, int, int]]) -> None:
    """Do what can be done of it; what can't is refused and changes nothing."""
    for what, person, other, minutes in steps:
        here.wait(minutes)
        who, facts, before = CONSULTANTS[person], len(here.facts), here.floor.queue
        opened = list(before.open)
        label = opened[other % len(opened)] if opened else "none"
        channel = "call" if other % 3 == 0 else "visit"
        refused = _step(here, what, who, CONSULTANTS[other % 4], label, channel, minutes)
        if refused is not None:
            assert here.floor.queue == before or len(here.facts) > facts  # a new day may have been opened


def _step(here: Office, what: str, who: UUID, other: UUID, label: str, channel: str, minutes: int) -> str | None:
    def received(**asked: object) -> str | None:
        here.labels += 1
        return here.tried(receptions.receive, f"r{here.labels}", channel, Asked(**asked))  # type: ignore[arg-type]

    reception = here.floor.queue.receptions.get(label)
    known = reception.asked if reception else Asked()
    steps = {
        "sign_in": lambda: here.tried(attendance.sign_in, who),
        "sign_out": lambda: here.tried(attendance.sign_out, who),
        "step_out": lambda: here.tried(attendance.step_out, who, "private" if minutes == 5 else "approved_business"),
        "step_back": lambda: here.tried(attendance.step_back, who),
        "not_ready": lambda: here.tried(attendance.change_readiness, who, "unwell"),
        "ready": lambda: here.tried(attendance.change_readiness, who, None),
        "permit": lambda: here.tried(attendance.permit, who, "second_visitor", CHEN),
        "post": lambda: here.tried(attendance.take_post, who, "A" if minutes == 1 else "B"),
        "door": lambda: here.tried(attendance.stand_at_the_door, who),
        "receive": lambda: received(party=minutes),
        "own": lambda: received(owner=who, tie="met", found_by="phone", bought=minutes == 5),
        "named": lambda: received(asks_for=who),
        "finish": lambda: here.tried(receptions.finish, label, known, None, "research" if minutes == 1 else None),
        "absent": lambda: here.tried(receptions.absent, label),
        "hand_over": lambda: here.tried(receptions.hand_over, label, who, CHEN),
        "help": lambda: here.tried(receptions.help_with, label, who),
        "recognise": lambda: here.tried(
            receptions.recognise, label, Asked(owner=other, tie="met", found_by="recognised")
        ),
        "unanswered": lambda: here.tried(receptions.unanswered, label),
        "give_up": lambda: here.tried(attendance.give_up, who, channel),
        "misconduct": lambda: here.tried(attendance.put_misconduct_on_record, who, "picking", CHEN),
        "warn": lambda: here.tried(attendance.warn, who, CHEN),
        "next_day": lambda: here.wait(60 * 24),
    }
    return steps[what]()


@ANY_RULEBOOK
@settings(max_examples=25)
@for_all(steps=STEPS)
def test_every_debit_in_make_ups_has_its_credit(rulebook: str, steps: list[tuple[str, int, int, int]]) -> None:
    here = office(rulebook)
    here.sign_in(*CONSULTANTS)
    play(here, steps)
    ledger: Counter[tuple[UUID, str]] = Counter()
    for envelope in here.facts:
        for effect in getattr(envelope.fact, "effects", ()):
            if effect.kind in ("make_up", "make_up_first"):
                ledger[effect.staff, effect.channel] += 1
            elif effect.kind == "make_up_served":
                ledger[effect.staff, effect.channel] -= 1
                assert ledger[effect.staff, effect.channel] >= 0, "served without having been owed"
    owed = Counter((one.staff, channel) for channel, all_owed in here.floor.queue.make_ups.items() for one in all_owed)
    assert +ledger == owed


@ANY_RULEBOOK
@settings(max_examples=15)
@for_all(steps=STEPS)
def test_any_prefix_of_a_day_loads_and_leads_on_to_the_same(
    rulebook: str, steps: list[tuple[str, int, int, int]]
) -> None:
    here = office(rulebook)
    here.sign_in(*CONSULTANTS)
    play(here, steps)
    states = {}
    for envelope in here.facts:
        states[envelope.stream] = evolve(states.get(envelope.stream), envelope)
        queue = states[envelope.stream]
        assert queue is not None and queue.version == envelope.version
        for channel in ("visit", "call"):
            line = queue.line(channel)
            assert len(set(line)) == len(line), "somebody stands in line twice"
            assert all(count >= 0 for count in queue.turns.get(channel, {}).values())
            assert all(count >= 0 for count in queue.passes.get(channel, {}).values())
    assert states[here.facts[-1].stream] == here.queue


@ANY_RULEBOOK
@settings(max_examples=15)
@for_all(steps=STEPS)
def test_joining_or_leaving_never_resets_a_count(rulebook: str, steps: list[tuple[str, int, int, int]]) -> None:
    here = office(rulebook)
    here.sign_in(*CONSULTANTS)
    play(here, steps)
    queue = here.floor.queue
    counts = (queue.turns, queue.make_ups, queue.passes, queue.fines, queue.warnings)
    for decide in (attendance.sign_in, attendance.sign_out, attendance.sign_in, attendance.sign_out):
        here.tried(decide, LIN)
        queue = here.floor.queue
        assert (queue.turns, queue.make_ups, queue.passes, queue.fines, queue.warnings) == counts


@ANY_RULEBOOK
@settings(max_examples=15)
@for_all(steps=STEPS)
def test_an_assignment_tells_of_everybody_before_the_one_chosen(
    rulebook: str, steps: list[tuple[str, int, int, int]]
) -> None:
    here = office(rulebook)
    here.sign_in(*CONSULTANTS)
    play(here, steps)
    for envelope in here.facts:
        choice = getattr(envelope.fact, "choice", None)
        if choice is None or choice.because != "turn" or choice.staff not in choice.line:
            continue
        before = choice.line[: choice.line.index(choice.staff)]
        told = {one.staff for one in choice.passed}
        posted = EDITIONS[rulebook].parameter("turns.ab_posts").value is True
        assert posted or told >= set(before)
        assert all(one.reason for one in choice.passed)
