"""Decisions of a visitor's file: registrations, follow-ups, relations, assignments."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.refusals import Refusal
from domain.rules.vocabulary import RELATIONS, VIAS
from domain.visitor import (
    HOWS,
    Entry,
    RegisterVisitor,
    VisitorAssigned,
    VisitorFile,
    VisitorFollowedUp,
    VisitorRegistered,
    VisitorRelated,
    assign,
    evolve,
    follow_up,
    register_visitor,
    relate,
    related_files,
)
from tests.domain.given import CHEN, LIN, PERSON, WANG, file, given, on_record

HERE = file(1)  # given() puts its facts into this file


def registered(number: int = 1, *, same_name_as: int | None = None, by: UUID = LIN) -> VisitorRegistered:
    return VisitorRegistered(
        registration=number,
        person=PERSON,
        sealed=b"x",
        has_name=True,
        has_phone=True,
        same_name_as=same_name_as,
        by=by,
        via="visit",
    )


def register(via: str = "visit") -> RegisterVisitor:
    return RegisterVisitor(
        person=PERSON, sealed=b"x", has_name=True, has_phone=True, same_name_as=None, by=LIN, via=via
    )


def test_the_first_registration_opens_a_file() -> None:
    given(evolve).when(register_visitor, register()).then(registered())


def test_the_next_registration_takes_the_next_number() -> None:
    given(evolve, registered(), registered(2)).when(register_visitor, register()).then(registered(3))


@pytest.mark.parametrize("via", VIAS)
def test_every_channel_is_taken(via: str) -> None:
    decided = given(evolve).when(register_visitor, register(via))
    assert isinstance(decided.fact, VisitorRegistered) and decided.fact.via == via


@pytest.mark.parametrize("via", ["", "Visit", "door", "none"])
def test_an_unknown_channel_is_refused(via: str) -> None:
    given(evolve).when(register_visitor, register(via)).then_refused("bad_value")


@pytest.mark.parametrize("how", HOWS)
def test_the_owner_follows_up(how: str) -> None:
    fact = VisitorFollowedUp(registration=1, by=LIN, how=how)  # type: ignore[arg-type]
    given(evolve, registered()).when(follow_up, 1, LIN, how, LIN).then(fact)


def test_with_no_owner_a_follow_up_is_kept() -> None:
    given(evolve, registered()).when(follow_up, 1, WANG, "call", None).then(
        VisitorFollowedUp(registration=1, by=WANG, how="call")
    )


def test_while_a_claim_runs_nobody_else_follows_up() -> None:
    given(evolve, registered()).when(follow_up, 1, WANG, "call", LIN).then_refused("not_owner")


@pytest.mark.parametrize("how", ["", "fax", "web"])
def test_an_unknown_way_of_following_up_is_refused(how: str) -> None:
    given(evolve, registered()).when(follow_up, 1, LIN, how, LIN).then_refused("bad_value")


@pytest.mark.parametrize("number", [0, -1, 2])
def test_there_is_no_other_registration(number: int) -> None:
    office = given(evolve, registered())
    office.when(follow_up, number, LIN, "call", LIN).then_refused("unknown_visitor")
    office.when(assign, number, LIN, "distribution", CHEN).then_refused("unknown_visitor")


@pytest.mark.parametrize("relation", RELATIONS)
def test_two_visitors_are_related(relation: str) -> None:
    one, other = Entry(HERE, 1), Entry(HERE, 2)
    office = given(evolve, registered(), registered(2))
    fact = VisitorRelated(visitor=one, to=other, relation=relation, proven=False)  # type: ignore[arg-type]
    office.when(relate, office.state, one, other, relation, False).then(fact)


def test_nobody_is_related_to_himself() -> None:
    office, one = given(evolve, registered()), Entry(HERE, 1)
    office.when(relate, office.state, one, one, "spouse", True).then_refused("bad_value")


@pytest.mark.parametrize(
    ("to", "relation", "code"), [(2, "cousin", "bad_value"), (2, "", "bad_value"), (3, "spouse", "unknown_visitor")]
)
def test_a_relation_needs_two_registered_and_a_word(to: int, relation: str, code: str) -> None:
    office = given(evolve, registered(), registered(2))
    office.when(relate, office.state, Entry(HERE, 1), Entry(HERE, to), relation, True).then_refused(code)


@pytest.mark.parametrize("how", ["distribution", "inheritance", "reassignment"])
def test_a_manager_gives_the_visitor_to_a_consultant(how: str) -> None:
    fact = VisitorAssigned(registration=1, to=WANG, by=CHEN, how=how, fault=True)  # type: ignore[arg-type]
    given(evolve, registered()).when(assign, 1, WANG, how, CHEN, True).then(fact)


def test_the_file_lists_registrations_and_keeps_every_fact() -> None:
    facts = [registered(), VisitorFollowedUp(registration=1, by=LIN, how="call"), registered(2, same_name_as=1)]
    found = given(evolve, *facts).state
    assert isinstance(found, VisitorFile)
    assert [r.number for r in found.registrations] == [1, 2] and found.registration(2).same_name_as == 1
    assert ([e.fact for e in found.history], found.version, found.id) == (facts, 3, HERE)
    with pytest.raises(Refusal, match="unknown_visitor"):
        found.registration(3)


def test_relations_lead_to_the_other_files() -> None:
    far = VisitorRelated(visitor=Entry(file(2), 1), to=Entry(HERE, 1), relation="spouse", proven=True)
    near = VisitorRelated(visitor=Entry(HERE, 1), to=Entry(HERE, 2), relation="child", proven=True)
    found = evolve(evolve(None, on_record(near)), on_record(far))
    assert related_files(found) == {file(2)}
