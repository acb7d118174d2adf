"""Decisions on attendance, leave, posts, order and discipline: each does it, refuses it with its code, or stays quiet."""

from __future__ import annotations

from datetime import date

import pytest

from domain import attendance
from domain.attendance import line_of, open_day, period_start
from domain.sales_turn_queue import GivenUp, Misconduct, Warned
from tests.domain.floors import ZHOU, Office, amended, refused
from tests.domain.given import CHEN, LIN, WANG, ZHAO, shipped


def office(rulebook: str = "sign-in-roster", **amend: object) -> Office:
    return Office(amended(rulebook, **amend))


# Attendance


def test_who_signs_in_stands_at_the_end() -> None:
    here = office()
    here.sign_in(ZHOU, LIN)
    assert line_of(here.floor, "visit") == [ZHOU, LIN] == line_of(here.floor, "call")


def test_signing_in_twice_is_refused() -> None:
    here = office()
    here.sign_in(LIN)
    refused("wrong_state", here, attendance.sign_in, LIN)


def test_a_manager_signs_in_and_stands_in_no_line() -> None:
    here = office()
    here.sign_in(CHEN)
    assert line_of(here.floor, "visit") == [] and here.floor.queue.present(CHEN)


def test_signing_out_leaves_the_line_and_signing_in_again_comes_to_its_end() -> None:
    here = office()
    here.sign_in(LIN, WANG)
    here.do(attendance.sign_out, LIN)
    assert line_of(here.floor, "visit") == [WANG]
    here.sign_in(LIN)
    assert line_of(here.floor, "visit") == [WANG, LIN]


@pytest.mark.parametrize("decide", [attendance.sign_out, attendance.step_back])
def test_who_has_not_signed_in_cant_leave(decide: object) -> None:
    refused("not_signed_in", office(), decide, LIN)


def test_stepping_out_and_back() -> None:
    here = office()
    here.sign_in(LIN)
    refused("wrong_state", here, attendance.step_back, LIN)
    refused("bad_value", here, attendance.step_out, LIN, "shopping")
    here.do(attendance.step_out, LIN, "private")
    assert not here.floor.queue.present(LIN)
    refused("wrong_state", here, attendance.step_out, LIN, "private")
    here.do(attendance.step_back, LIN)
    assert here.floor.queue.present(LIN)


@pytest.mark.parametrize("reason", ["trainee", "unwell", "task", "resigning", "untested"])
def test_who_is_not_ready_is_not_in_the_line_until_ready(reason: str) -> None:
    here = office()
    here.sign_in(LIN, WANG)
    here.do(attendance.change_readiness, LIN, reason)
    assert line_of(here.floor, "visit") == [WANG]
    refused("wrong_state", here, attendance.change_readiness, LIN, reason)
    here.do(attendance.change_readiness, LIN, None)
    assert set(line_of(here.floor, "visit")) == {LIN, WANG}
    refused("wrong_state", here, attendance.change_readiness, LIN, None)
    refused("bad_value", here, attendance.change_readiness, LIN, "tired")


# Order


def test_in_a_cycle_one_comes_to_ones_own_place() -> None:
    here = office(order="numbers")
    here.sign_in(ZHAO, LIN, WANG)
    assert line_of(here.floor, "visit") == [LIN, WANG, ZHAO]
    here.wait()
    assert here.receive().staff == LIN
    here.sign_in(ZHOU)  # the fourth, behind the third; the first has had a turn and is behind
    assert line_of(here.floor, "visit") == [WANG, ZHAO, ZHOU, LIN]


def test_whose_place_the_cycle_has_passed_comes_behind_those_whose_place_it_has_not() -> None:
    here = office(order="numbers")
    here.sign_in(LIN, ZHAO)
    here.wait()
    assert [here.receive().staff, here.receive().staff] == [LIN, ZHAO]
    here.sign_in(WANG)
    assert line_of(here.floor, "visit") == [LIN, WANG, ZHAO]


def test_a_ranking_orders_the_lines_at_once_and_tomorrow() -> None:
    here = office(order="ranking")
    here.sign_in(LIN, WANG, ZHAO)
    here.do(attendance.rank, [ZHAO, LIN, WANG], CHEN)
    assert line_of(here.floor, "visit") == [ZHAO, LIN, WANG]
    here.at_time("2026-03-03 08:30")
    here.sign_in(WANG, LIN, ZHAO)
    assert line_of(here.floor, "visit") == [ZHAO, LIN, WANG]
    refused("not_permitted", here, attendance.rank, [LIN], WANG)
    refused("bad_value", here, attendance.rank, [LIN, LIN], CHEN)


# The next day


def test_a_day_takes_over_line_and_counts_only_where_the_rulebook_says_so() -> None:
    for carry_over, turns, line in ((True, 1, [WANG, LIN]), (False, 0, [LIN, WANG])):
        here = office(carry_over=carry_over)
        here.sign_in(LIN, WANG)
        here.wait()
        here.receive()
        here.at_time("2026-03-03 08:30")
        here.sign_in(LIN, WANG)
        assert line_of(here.floor, "visit") == line
        assert here.turns()[LIN] == turns


def test_make_ups_and_fines_outlast_the_day_but_fines_not_the_month() -> None:
    here = office("two-rosters")
    here.at_time("2026-03-31 08:30")
    here.sign_in(LIN, WANG)
    here.receive(owner=LIN, tie="met", found_by="phone")
    assert here.receive().staff == WANG  # lin is passed with an earlier visitor of hers
    here.do(attendance.put_misconduct_on_record, LIN, "picking", CHEN)
    here.at_time("2026-04-01 08:30")
    assert [one.staff for one in here.floor.queue.make_ups["visit"]] == [LIN]
    assert here.floor.queue.fines == {} and here.floor.queue.double_rounds == frozenset()


@pytest.mark.parametrize(
    ("period", "day", "begins"),
    [
        ("day", date(2026, 3, 4), date(2026, 3, 4)),
        ("week", date(2026, 3, 1), date(2026, 2, 23)),
        ("week", date(2026, 3, 2), date(2026, 3, 2)),
        ("fortnight", date(2026, 3, 8), date(2026, 2, 23)),
        ("fortnight", date(2026, 3, 9), date(2026, 3, 9)),
        ("month", date(2026, 3, 31), date(2026, 3, 1)),
        ("two_months", date(2026, 4, 30), date(2026, 3, 1)),
        ("two_months", date(2026, 5, 1), date(2026, 5, 1)),
    ],
)
def test_a_roster_period_begins(period: str, day: date, begins: date) -> None:
    assert period_start(period, day) == begins


def test_teams_swap_every_day() -> None:
    teams = ["A", "A", "B", "B"]
    here = Office(shipped("longfor-showroom"), teams=teams)
    on_visits = []
    for day in (2, 3, 5):
        here.at_time(f"2026-03-0{day} 08:30")
        on_visits.append(open_day(here.queue, here.day, here.edition, here.members).visits_team)
        here.sign_in(LIN)
    assert on_visits == ["A", "B", "B"]


# Leave, posts, door


def test_leave_for_a_second_visitor_is_for_one() -> None:
    here = office("revised-reception")
    here.sign_in(LIN)
    assert here.receive().staff == LIN and here.receive().staff is None
    refused("not_permitted", here, attendance.permit, LIN, "second_visitor", WANG)
    refused("bad_value", here, attendance.permit, LIN, "holiday", CHEN)
    refused("not_signed_in", here, attendance.permit, WANG, "second_visitor", CHEN)
    here.do(attendance.permit, LIN, "second_visitor", CHEN)
    refused("wrong_state", here, attendance.permit, LIN, "second_visitor", CHEN)
    assert here.receive().staff == LIN and here.receive().staff is None


def test_who_is_at_post_a_receives_and_b_moves_up() -> None:
    here = office("ab-post")
    here.sign_in(LIN, WANG, ZHAO)
    here.do(attendance.take_post, ZHAO, "A")
    here.do(attendance.take_post, WANG, "B")
    assert [here.receive().staff, here.receive().staff] == [ZHAO, WANG]
    refused("not_free", here, attendance.take_post, ZHAO, "A")
    refused("bad_value", here, attendance.take_post, LIN, "C")
    refused("not_signed_in", here, attendance.take_post, ZHOU, "A")


def test_the_door_is_handed_on_and_what_is_missing_of_a_stint_is_owed() -> None:
    here = office("quarter-hour-greeter")
    here.sign_in(LIN, WANG)
    here.do(attendance.stand_at_the_door, LIN)
    refused("wrong_state", here, attendance.stand_at_the_door, LIN)
    here.wait(10)
    here.do(attendance.stand_at_the_door, WANG)
    first, second = here.floor.queue.stints
    assert (first.owed_minutes, second.until) == (5, None)


# Giving up, warnings, misconduct


def test_giving_up_is_for_who_is_first() -> None:
    here = office("ab-post")
    here.sign_in(LIN, WANG)
    refused("not_your_turn", here, attendance.give_up, WANG, "visit")
    refused("not_signed_in", here, attendance.give_up, ZHAO, "visit")
    fact = here.do(attendance.give_up, LIN, "visit")
    assert isinstance(fact, GivenUp) and not fact.accepted
    assert line_of(here.floor, "visit") == [WANG, LIN] and here.turns()[LIN] == 0


@pytest.mark.parametrize(("minutes", "accepted"), [(29, False), (30, True)])
def test_a_long_wait_is_a_cause(minutes: int, accepted: bool) -> None:
    here = office("ab-post")
    here.sign_in(LIN)
    here.wait(minutes)
    fact = here.do(attendance.give_up, LIN, "visit")
    assert isinstance(fact, GivenUp) and fact.accepted is accepted


def test_giving_up_twice_in_a_day_is_punished_once() -> None:
    here = office("ab-post")
    here.sign_in(LIN)
    for fined in (0, 50, 50):
        here.do(attendance.give_up, LIN, "visit")
        assert here.floor.queue.fines.get(LIN, 0) == fined
    assert here.floor.queue.suspended[LIN] == (date(2026, 3, 3),)


def test_more_than_three_warnings_in_a_month_cost_thirty() -> None:
    here = office("forty-three-articles")
    for number in range(1, 6):
        fact = here.do(attendance.warn, LIN, CHEN)
        assert isinstance(fact, Warned) and here.floor.queue.warnings[LIN] == number
        assert here.floor.queue.fines.get(LIN, 0) == (30 if number > 3 else 0)
    refused("not_permitted", here, attendance.warn, LIN, WANG)


def test_misconduct_costs_what_the_rulebook_says_and_the_next_day() -> None:
    here = office()
    here.sign_in(LIN, WANG)
    fact = here.do(attendance.put_misconduct_on_record, LIN, "picking", CHEN)
    assert isinstance(fact, Misconduct) and here.floor.queue.fines[LIN] == 50
    assert LIN in line_of(here.floor, "visit")
    here.at_time("2026-03-03 08:30")
    here.sign_in(LIN, WANG)
    assert line_of(here.floor, "visit") == [WANG]
    here.at_time("2026-03-04 08:30")
    here.sign_in(LIN)
    assert line_of(here.floor, "visit") == [LIN]
    refused("bad_value", here, attendance.put_misconduct_on_record, LIN, "whistling", CHEN)
    refused("not_permitted", here, attendance.put_misconduct_on_record, LIN, "picking", WANG)


def test_a_media_day_receives_nobody_where_the_rulebook_says_so() -> None:
    here = office("longfor-showroom")
    here.sign_in(LIN)
    here.do(attendance.declare_day, "media", CHEN)
    refused("wrong_state", here, attendance.declare_day, "media", CHEN)
    refused("bad_value", here, attendance.declare_day, "rainy", CHEN)
    refused("not_permitted", here, attendance.declare_day, "normal", WANG)
    assert here.receive().staff is None
    here.do(attendance.declare_day, "normal", CHEN)
    assert here.receive().staff == LIN
