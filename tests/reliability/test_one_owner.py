"""Two programs with sixteen desks each register one phone at the same instant: one owner, and everybody is told who."""

from __future__ import annotations

import faulthandler
import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from application.privacy import Keyring
from domain.visitor import VisitorRegistered

from .history_check import check_history, owners_from_facts, read_tables
from .offices import Staffed, Store, open_office, phone_number
from .processes import Program
from .registering import Done, Round, Task, Told

DESKS_EACH = 16


def run_rounds(store: Store, staffed: Staffed, rounds: int) -> list[tuple[Told, ...]]:
    """The answers of all desks, round by round; both programs live through all rounds."""
    halves = staffed.consultants[:DESKS_EACH], staffed.consultants[DESKS_EACH:]
    one, other = (Task(store, staffed.site, half) for half in halves)
    told: list[tuple[Told, ...]] = []
    with Program("registering", one) as first, Program("registering", other) as second:
        for number in range(rounds):
            what = Round(phone_number(number), "王小明", datetime.now(UTC))
            first.tell(what)
            second.tell(what)
            lines = first.line(), second.line()
            assert all(lines), "a program broke down; its own words are above"
            told.append(tuple(a for line in lines for a in msgspec.json.decode(line, type=Done).answers))
        assert (first.finish(), second.finish()) == (0, 0)
    return told


def check_round(answers: tuple[Told, ...], consultants: frozenset[UUID]) -> None:
    """One file, 32 entries in it one after the other, and one owner in every answer: the one whose entry is first."""
    assert frozenset(told.by for told in answers) == consultants
    assert len({told.entry.visitor for told in answers}) == 1
    in_order = sorted(answers, key=lambda told: told.position)
    assert [told.entry.registration for told in in_order] == list(range(1, len(answers) + 1))
    winner = in_order[0].by
    assert {told.owner for told in answers} == {winner}
    assert {told.first for told in answers} == {(winner,)}
    assert not any(told.repeated for told in answers)


def race(store: Store, rounds: int) -> None:
    with store.record() as record:
        staffed = open_office(record, Keyring(store.master, record.person_keys), 2 * DESKS_EACH)
    began = time.monotonic()
    told = run_rounds(store, staffed, rounds)
    seconds = time.monotonic() - began
    for answers in told:
        check_round(answers, frozenset(staffed.consultants))
    facts = check_history(store, staffed.site)
    derived = owners_from_facts(facts)
    assert len(derived) == rounds, "one file each round"
    for answers in told:
        file = derived[answers[0].entry.visitor]
        assert sorted(file.registered_by) == sorted(staffed.consultants)
        assert file.owners == {answers[0].owner} == {file.registered_by[0]}
    registered = sum(isinstance(fact.fact, VisitorRegistered) for fact in facts)
    assert registered == rounds * 2 * DESKS_EACH
    assert sum(kind == "phone" for kind, _, _ in read_tables(store).claims) == rounds
    print(
        f"{rounds} rounds in {seconds:.1f} s: {registered / seconds:.0f} registrations/s, "
        f"checked in {time.monotonic() - began - seconds:.1f} s"
    )


def test_one_owner(store: Store) -> None:
    race(store, 25)


@pytest.mark.long
def test_one_owner_a_thousand_times(store: Store) -> None:
    faulthandler.cancel_dump_traceback_later()  # it takes longer than what pytest takes for a sign of hanging
    race(store, 1000)
