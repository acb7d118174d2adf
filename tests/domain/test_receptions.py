"""Decisions on receptions: who receives, what it does to turns, and what is refused."""

from __future__ import annotations

import pytest

from domain import attendance, receptions
from domain.sales_turn_queue import Asked, Finished, NotReached, ReceiverChanged, Recognised
from tests.domain.floors import ZHOU, Office, amended, refused
from tests.domain.given import CHEN, LIN, WANG, ZHAO

OWN = {"owner": LIN, "tie": "met", "found_by": "phone"}


def office(rulebook: str = "sign-in-roster", **amend: object) -> Office:
    here = Office(amended(rulebook, **amend))
    here.sign_in(LIN, WANG, ZHAO)
    here.wait(30)
    return here


def test_the_record_of_a_choice_tells_the_line_the_passed_and_the_one_after() -> None:
    here = office()
    here.receive()
    choice = here.receive()
    assert (choice.staff, choice.because, choice.otherwise) == (WANG, "turn", ZHAO)
    assert choice.line == (WANG, ZHAO, LIN) and choice.passed == () and choice.clauses
    here.finish("r2")
    here.do(attendance.step_out, ZHAO, "private")
    choice = here.receive()
    assert choice.staff == WANG
    assert [(one.staff, one.place, one.reason) for one in choice.passed] == [(ZHAO, 1, "private"), (LIN, 2, "busy_new")]
    assert all(one.clauses for one in choice.passed)


def test_nobody_free_is_no_refusal_and_moves_nobody() -> None:
    here = office()
    for _ in range(3):
        here.receive()
    line = here.floor.queue.line("visit")
    choice = here.receive()
    assert choice.staff is None and here.floor.queue.line("visit") == line
    assert {one.reason for one in choice.passed} == {"busy_new"}
    refused("wrong_state", here, receptions.finish, "r4", Asked(), None, None)


@pytest.mark.parametrize(
    ("label", "channel", "asked", "code"),
    [
        ("r1", "visit", Asked(), "duplicate_label"),
        ("x", "letter", Asked(), "bad_value"),
        ("x", "visit", Asked(purpose="tea"), "bad_value"),
        ("x", "visit", Asked(party=0), "bad_value"),
        ("x", "visit", Asked(party=1001), "bad_value"),
    ],
)
def test_what_cant_be_received(label: str, channel: str, asked: Asked, code: str) -> None:
    here = office()
    here.receive()
    refused(code, here, receptions.receive, label, channel, asked)


def test_finishing_counts_once() -> None:
    here = office()
    here.receive()
    fact = here.finish("r1")
    assert isinstance(fact, Finished) and fact.counts and here.turns()[LIN] == 1
    refused("wrong_state", here, receptions.finish, "r1", Asked(), None, None)
    refused("unknown_reception", here, receptions.finish, "r9", Asked(), None, None)
    refused("bad_value", here, receptions.receive, "r2", "visit", Asked(purpose="x"))


def test_a_turn_that_does_not_count_is_taken_back_and_the_place_given_back() -> None:
    here = office("longfor-showroom")
    here.receive()
    assert here.turns()[LIN] == 1
    fact = here.finish("r1", "directions")
    assert isinstance(fact, Finished) and not fact.counts and fact.clauses
    assert here.turns()[LIN] == 0 and here.floor.queue.line("visit")[0] == LIN


@pytest.mark.parametrize(
    ("minutes", "purpose", "counts"), [(5, None, False), (5.1, None, True), (60, "research", False)]
)
def test_short_looks_and_researchers_found_out_by_ab_post(minutes: float, purpose: str | None, counts: bool) -> None:
    here = office("ab-post")
    here.receive()
    here.wait(minutes)
    fact = here.finish("r1", purpose)
    assert isinstance(fact, Finished) and fact.counts is counts


def test_a_make_up_that_does_not_count_is_owed_again() -> None:
    here = office("two-rosters")
    here.receive(**OWN)
    here.receive()
    here.finish("r1")
    assert here.receive().because == "make_up"
    assert here.floor.queue.make_ups["visit"] == ()
    here.do(receptions.finish, "r3", Asked(**OWN), None, None)
    assert [one.staff for one in here.floor.queue.make_ups["visit"]] == [LIN]


# Absent


@pytest.mark.parametrize(("seconds", "code"), [(59, "too_soon"), (60, None)])
def test_forfeited_after_a_grace(seconds: int, code: str | None) -> None:
    here = office("two-halves")
    here.at_time("09:10")
    here.receive()
    here.wait(seconds / 60)
    assert here.tried(receptions.absent, "r1") == code
    if code is None:
        assert here.floor.queue.receptions["r1"].receiver == WANG
        assert here.turns() == {LIN: 0, WANG: 1, ZHAO: 0, ZHOU: 0}
        assert here.floor.queue.line("visit") == (ZHAO, LIN, WANG)


@pytest.mark.parametrize(("minutes", "first"), [(4.9, LIN), (5, ZHAO)])
def test_the_next_receives_at_once_and_the_place_is_kept_for_the_grace(minutes: float, first: object) -> None:
    here = office("two-rosters")
    here.receive()
    here.wait(minutes)
    fact = here.do(receptions.absent, "r1")
    assert isinstance(fact, ReceiverChanged) and fact.choice.staff == WANG
    assert here.floor.queue.line("visit")[0] == first


def test_with_nobody_left_the_reception_is_over() -> None:
    here = office()
    here.do(attendance.sign_out, WANG)
    here.do(attendance.sign_out, ZHAO)
    here.receive()
    fact = here.do(receptions.absent, "r1")
    assert isinstance(fact, ReceiverChanged) and fact.choice.staff is None
    assert here.floor.queue.open == {} and here.turns()[LIN] == 0
    refused("wrong_state", here, receptions.absent, "r1")


# Help, hand over, unanswered


def test_who_may_help() -> None:
    here = office()
    here.receive()
    refused("wrong_state", here, receptions.help_with, "r1", LIN)
    refused("not_signed_in", here, receptions.help_with, "r1", ZHOU)
    here.do(receptions.help_with, "r1", WANG)
    refused("wrong_state", here, receptions.help_with, "r1", WANG)
    here.receive()
    refused("not_free", here, receptions.help_with, "r1", ZHAO)
    assert here.floor.hindrance(WANG, "visit") == "helping"
    here.finish("r1")
    assert here.floor.hindrance(WANG, "visit") is None


def test_who_may_hand_over() -> None:
    here = office()
    here.receive(**OWN)
    refused("not_permitted", here, receptions.hand_over, "r1", ZHAO, WANG)
    refused("not_signed_in", here, receptions.hand_over, "r1", ZHOU, CHEN)
    refused("wrong_state", here, receptions.hand_over, "r1", LIN, CHEN)
    here.receive()
    refused("not_free", here, receptions.hand_over, "r1", WANG, LIN)
    fact = here.do(receptions.hand_over, "r1", ZHAO, LIN)
    assert isinstance(fact, ReceiverChanged)
    assert (fact.choice.staff, fact.choice.because, fact.choice.instead_of) == (ZHAO, "stand_in", LIN)


def test_an_owner_may_take_a_visitor_beside_another() -> None:
    here = office("revised-reception")
    here.receive()  # lin is busy, so the last in order stands in for her
    choice = here.receive(**OWN)
    assert (choice.staff, choice.because, choice.instead_of) == (ZHAO, "stand_in", LIN)
    here.do(receptions.hand_over, "r2", LIN, LIN)
    assert {r.label for r in here.floor.queue.busy_at(LIN)} == {"r1", "r2"}


def test_an_unanswered_call_is_no_turn() -> None:
    here = office("longfor-showroom")
    here.receive("call")
    assert here.turns("call")[LIN] == 1
    here.do(receptions.unanswered, "r1")
    assert here.turns("call")[LIN] == 0 and here.floor.queue.line("call")[0] == LIN
    here.receive()
    refused("wrong_state", here, receptions.unanswered, "r2")


# Recognised


@pytest.mark.parametrize(("minutes", "receiver"), [(10, LIN), (10.1, WANG)])
def test_recognised_in_time_is_handed_back(minutes: float, receiver: object) -> None:
    here = office("two-rosters")
    here.do(attendance.step_out, LIN, "task")
    assert here.receive().staff == WANG
    here.do(attendance.step_back, LIN)
    here.wait(minutes)
    fact = here.do(receptions.recognise, "r1", Asked(owner=LIN, tie="met", found_by="recognised"))
    assert isinstance(fact, Recognised) and fact.choice.staff == receiver
    refused("wrong_state", here, receptions.recognise, "r1", Asked(owner=LIN))


def test_a_colleagues_visitor_received_unknowingly_is_made_up_first() -> None:
    here = office("revised-reception")
    here.do(attendance.step_out, LIN, "task")
    assert here.receive().staff == WANG
    here.do(attendance.step_back, LIN)
    here.do(receptions.recognise, "r1", Asked(owner=LIN, tie="met", found_by="recognised"))
    assert here.floor.queue.receptions["r1"].receiver == LIN
    assert here.turns()[WANG] == 0
    assert [(one.staff, one.first) for one in here.floor.queue.make_ups["visit"]] == [(WANG, True)]


def test_nobody_is_unreachable_who_stands_on_the_floor() -> None:
    here = office()
    refused("wrong_state", here, receptions.not_reached, LIN)
    assert here.do(receptions.not_reached, ZHOU) == NotReached(staff=ZHOU)


# Claims


@pytest.mark.parametrize(
    ("asked", "staff", "because"),
    [
        ({"asks_for": WANG, "invited_by": ZHAO, **OWN}, WANG, "named"),
        ({"invited_by": ZHAO, **OWN}, ZHAO, "inviter"),
        ({"referrer": WANG, **OWN}, WANG, "referrer"),
        (OWN, LIN, "owner"),
        ({"asks_for": ZHOU}, LIN, "turn"),
    ],
)
def test_who_is_asked_in_which_order(asked: dict[str, object], staff: object, because: str) -> None:
    choice = office("forty-three-articles").receive(**asked)
    assert (choice.staff, choice.because) == (staff, because)


def test_an_absent_owner_is_told_of_and_the_line_receives() -> None:
    here = office("two-rosters")
    choice = here.receive(owner=ZHOU, tie="met", found_by="phone")
    assert (choice.staff, choice.because) == (LIN, "turn")
    assert [(one.staff, one.place, one.reason) for one in choice.passed] == [(ZHOU, 0, "absent")]


def test_the_one_entrusted_stands_in_for_an_absent_owner() -> None:
    here = office("inbound-calls")
    choice = here.receive(owner=ZHOU, tie="met", found_by="phone", entrusted_to=ZHAO)
    assert (choice.staff, choice.because, choice.instead_of, choice.entrusted) == (ZHAO, "stand_in", ZHOU, True)
