"""The board of each day: attendance, places, turns, what is owed, who was passed over and why, minutes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from domain.sales_turn_queue import queue_id
from projections.turn_board import TURN_BOARD
from tests.projections.floors import DAY, THREE, Floor
from tests.projections.given import House, an_office, instant, judged, rows

NEXT_DAY = "2026-03-03"


def a_floor(rulebook: str = "revised-reception", **amend: Any) -> Floor:
    """The floor of an office of five; `amend`: parameters of turns."""
    house = an_office(rulebook)
    if amend:
        changed = {f"turns.{name}": value for name, value in amend.items()}
        house.office.adopt(house.stamp("2026-01-01 09:00"), amend=changed, by=house.chen)
    return Floor(house)


def test_the_row_of_one_who_received_a_visitor() -> None:
    floor = a_floor()
    floor.sign_in("08:50", "lin", "wang")
    floor.visit("09:00", "09:40", "r1")
    house = floor.house
    assert floor.board()["lin"] == {
        "queue": queue_id(house.office.site_id, date(2026, 3, 2)), "staff": house.lin, "site": house.office.site_id,
        "day": date(2026, 3, 2), "signed_in_at": instant("2026-03-02 08:50"), "signed_out_at": None, "present": True,
        "out": None, "visit_place": 2, "call_place": 1, "visit_turns": 1, "call_turns": 0, "visit_turns_period": 1,
        "call_turns_period": 0, "received": 1, "receptions": '{"turn":1}', "helped": 0, "unanswered": 0,
        "make_ups_granted": 0, "make_ups_served": 0, "visit_make_ups_owed": 0, "call_make_ups_owed": 0,
        "visit_passes_owed": 0, "call_passes_owed": 0, "passed_over": 0, "passed": "{}", "absences": 0, "gave_up": 0,
        "gave_up_against": 0, "fines_yuan": 0, "warnings": 0, "month_fines_yuan": 0, "month_warnings": 0,
        "suspended": (), "day_lost": False, "not_ready": None, "no_calls": False, "double_rounds": False,
        "on_floor_seconds": 50 * 60, "receiving_seconds": 40 * 60, "door_stints": 0, "door_owed_minutes": 0,
        "edition": "revised-reception@2000-01-01", "position": house.record.position(),
    }  # fmt: skip


# Who has a row, and a place


def test_only_who_appears_has_a_row() -> None:
    floor = a_floor("two-halves")
    floor.sign_in("08:50", "lin")
    assert floor.board().keys() == {"lin"}
    floor.receive("09:00", asks_for="wang")
    assert floor.board().keys() == {"lin"}, "to be asked for is not to appear"


def test_who_did_not_come_has_a_row_while_something_stands_of_them() -> None:
    floor = a_floor("forty-three-articles")
    floor.sign_in("08:50", "lin", "wang")
    floor.warn("09:00", who="zhao", by="chen")
    assert floor.board()["zhao"]["warnings"] == 1 and floor.board()["zhao"]["signed_in_at"] is None
    floor.sign_in("2026-03-03 08:50", "lin")
    assert floor.board(NEXT_DAY).keys() == {"lin", "zhao"}
    assert [floor.board(NEXT_DAY)["zhao"][name] for name in ("warnings", "month_warnings")] == [0, 1]
    floor.sign_in("2026-04-01 08:50", "lin")
    assert floor.board("2026-04-01").keys() == {"lin"}


def test_places_are_those_among_who_is_present_and_may_take_turns() -> None:
    floor = a_floor()
    floor.sign_in("08:50", *THREE, "chen")
    assert floor.column("visit_place") == {"lin": 1, "wang": 2, "zhao": 3}
    floor.step_out("09:00", who="lin", why="approved_business")
    assert floor.column("visit_place") == {"wang": 1, "zhao": 2} and floor.board()["lin"]["out"] == "approved_business"
    floor.step_back("09:10", who="lin")
    floor.change_readiness("09:11", who="wang", reason="unwell")
    assert floor.column("visit_place") == {"lin": 1, "zhao": 2} and floor.column("not_ready") == {"wang": "unwell"}
    floor.receive("09:20")
    assert floor.column("visit_place") == {"zhao": 1, "lin": 2} and floor.column("call_place") == {"lin": 1, "zhao": 2}
    floor.sign_out("09:30", "zhao")
    assert floor.column("visit_place") == {"lin": 1} and floor.board()["chen"]["present"]
    assert floor.board()["zhao"]["signed_out_at"] == instant("2026-03-02 09:30")


def test_a_teams_places_are_in_its_own_line() -> None:
    house = an_office("longfor-showroom")
    enrol = house.office.enrol_staff
    for label, team in (("a1", "A"), ("a2", "A"), ("b1", "B")):
        subject = enrol(house.stamp("2000-01-01 00:00"), name=label, role="consultant", team=team).subject
        assert subject is not None
        house.staff[label] = subject
    floor = Floor(house)
    floor.sign_in("08:50", "b1", "a1", "a2")
    assert floor.column("visit_place") == {"a1": 1, "a2": 2} and floor.column("call_place") == {"b1": 1}
    floor.receive("09:00")
    assert floor.column("passed_over") == {}, "the other team has no turn to be passed over at"


def test_one_line_for_both_gives_one_place() -> None:
    floor = a_floor(rosters="shared")
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00", channel="call")
    assert floor.column("visit_place") == floor.column("call_place") == {"wang": 1, "zhao": 2, "lin": 3}
    assert floor.column("call_turns") == {"lin": 1} and floor.column("visit_turns") == {}


# Turns and receptions


def test_turns_of_the_day_and_of_the_period() -> None:
    floor = a_floor(period="month")
    floor.sign_in("08:50", "lin")
    floor.visit("09:00", "09:10", "r1")
    floor.visit("09:20", "09:30", "c1", channel="call")
    floor.sign_in("2026-03-03 08:50", "lin")
    floor.visit("2026-03-03 09:00", "2026-03-03 09:10", "r1")
    names = ("visit_turns", "call_turns", "visit_turns_period", "call_turns_period")
    assert [floor.board(NEXT_DAY)["lin"][name] for name in names] == [1, 0, 2, 1]
    assert [floor.board()["lin"][name] for name in names] == [1, 1, 1, 1]


def test_a_turn_that_is_taken_back_is_none() -> None:
    floor = a_floor()
    floor.sign_in("08:50", "lin", "wang")
    floor.receive("09:00")
    assert floor.column("visit_turns") == {"lin": 1}
    floor.finish("09:10", purpose="directions")
    assert floor.column("visit_turns") == {} and floor.column("received") == {"lin": 1}


def test_receptions_are_whose_who_received_in_the_end() -> None:
    floor = a_floor()
    entry = floor.house.register("2026-03-01 09:00", "wang")
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00", "r1")
    floor.receive("09:05", "r2", visitor=entry)
    floor.receive("09:10", "c1", "call")
    floor.unanswered("09:11", reception="c1")
    floor.hand_over("09:15", reception="r1", to="zhao", by="chen")
    floor.help_with("09:20", reception="r2", who="lin")
    found = {label: json.loads(text) for label, text in floor.column("receptions").items()}
    assert found == {"zhao": {"stand_in": 1}, "wang": {"owner": 1}}
    assert floor.column("received") == {"zhao": 1, "wang": 1}
    assert floor.column("helped") == {"lin": 1} and floor.column("unanswered") == {"zhao": 1}


# What is owed, and who was passed over


def test_make_ups_granted_served_and_owed() -> None:
    floor = a_floor()
    entry = floor.house.register("2026-03-01 09:00", "lin")
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00", "r1", visitor=entry)
    floor.visit("09:10", "09:20", "r2")  # lin's turn, who is busy with an earlier visitor
    assert floor.column("make_ups_granted") == floor.column("visit_make_ups_owed") == {"lin": 1}
    assert json.loads(floor.board()["lin"]["passed"]) == {"busy_earlier": 1}
    floor.sign_in("2026-03-03 08:50", "wang")
    assert floor.column("visit_make_ups_owed", NEXT_DAY) == {"lin": 1}, "it stands though lin has the day off"
    floor.sign_in("2026-03-03 08:55", "lin")
    floor.receive("2026-03-03 09:00", "r1")
    assert floor.column("make_ups_served", NEXT_DAY) == {"lin": 1} and floor.column("make_ups_granted", NEXT_DAY) == {}
    assert floor.column("visit_make_ups_owed", NEXT_DAY) == {}
    assert json.loads(floor.board(NEXT_DAY)["lin"]["receptions"]) == {"make_up": 1}


def test_passes_owed() -> None:
    floor = a_floor("longfor-showroom")
    floor.sign_in("08:50", *THREE)
    floor.visit("09:00", "09:10", "r1", asks_for="zhao")
    assert floor.column("visit_passes_owed") == {"zhao": 1}


def test_why_people_were_passed_over() -> None:
    floor = a_floor()
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00", "r1")  # lin
    floor.step_out("09:05", who="wang", why="task")
    floor.receive("09:10", "r2")  # zhao; wang is away
    floor.receive("09:20", "r3")  # nobody is free: nobody was passed over for anybody
    assert {label: json.loads(text) for label, text in floor.column("passed").items()} == {"wang": {"task": 1}}
    assert floor.assigned()["r3"]["status"] == "nobody" and floor.column("passed_over") == {"wang": 1}


def test_absences_are_no_passing_over() -> None:
    floor = a_floor()
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00")
    floor.absent("09:02", reception="r1")
    assert floor.column("absences") == {"lin": 1} and floor.column("received") == {"wang": 1}
    assert floor.column("passed_over") == {}


def test_turns_given_up() -> None:
    floor = a_floor("ab-post")
    floor.sign_in("08:50", "lin", "wang")
    floor.give_up("09:00", who="lin", channel="visit")
    floor.give_up("09:40", who="wang", channel="visit")
    assert floor.column("gave_up") == {"lin": 1, "wang": 1} and floor.column("gave_up_against") == {"lin": 1}


# Discipline


def test_fines_warnings_and_suspension() -> None:
    floor = a_floor("forty-three-articles")
    floor.sign_in("08:50", "lin", "wang")
    for minute in range(4):
        floor.warn(f"09:0{minute}", who="lin", by="chen")
    assert [floor.board()["lin"][name] for name in ("fines_yuan", "warnings", "month_fines_yuan")] == [30, 4, 30]
    floor.sign_in("2026-03-03 08:50", "lin")
    found = floor.board(NEXT_DAY)["lin"]
    names = ("fines_yuan", "warnings", "month_fines_yuan", "month_warnings")
    assert [found[name] for name in names] == [0, 0, 30, 4]


def test_who_is_suspended_has_no_place() -> None:
    floor = a_floor("sign-in-roster")
    floor.sign_in("08:50", "lin", "wang")
    floor.put_misconduct_on_record("09:00", who="lin", what="grabbing", by="chen")
    row = floor.board()["lin"]
    assert (row["visit_place"], row["suspended"], row["fines_yuan"]) == (1, (date(2026, 3, 3),), 50)
    floor.sign_in("2026-03-03 08:50", "lin", "wang")
    row = floor.board(NEXT_DAY)["lin"]
    assert (row["visit_place"], row["present"], row["month_fines_yuan"]) == (None, True, 50)
    assert floor.column("visit_place", NEXT_DAY) == {"wang": 1}


def test_two_rounds_that_count_as_one() -> None:
    floor = a_floor("two-rosters")
    floor.sign_in("08:50", "lin", "wang")
    floor.put_misconduct_on_record("09:00", who="lin", what="picking", by="chen")
    assert floor.column("double_rounds") == {"lin": True}


# Time


def test_minutes_on_the_floor_and_with_visitors() -> None:
    floor = a_floor()
    floor.sign_in("08:00", "lin")
    floor.step_out("09:00", who="lin", why="private")
    floor.step_back("09:30", who="lin")
    floor.permit("09:40", who="lin", what="second_visitor", by="chen")
    floor.receive("10:00", "r1")
    floor.permit("10:05", who="lin", what="second_visitor", by="chen")
    floor.receive("10:10", "r2")
    floor.finish("10:20", "r1")
    floor.finish("10:30", "r2")
    floor.sign_out("12:00", "lin")
    row = floor.board()["lin"]
    assert row["on_floor_seconds"] == (60 + 150) * 60
    assert row["receiving_seconds"] == 30 * 60, "two visitors at once take no more time than one"
    floor.sign_in("13:00", "lin")
    floor.sign_out("14:00", "lin")
    row = floor.board()["lin"]
    assert row["on_floor_seconds"] == (60 + 150 + 60) * 60
    assert (row["signed_in_at"], row["signed_out_at"]) == (instant(f"{DAY} 08:00"), instant(f"{DAY} 14:00"))


def test_who_never_signs_out_is_there_through_the_last_that_happened_on_the_floor() -> None:
    floor = a_floor()
    floor.sign_in("08:00", "lin", "wang")
    floor.receive("10:00")
    assert floor.column("on_floor_seconds") == {"lin": 7200, "wang": 7200}
    floor.finish("11:00")
    floor.put_misconduct_on_record("22:00", who="wang", what="no_form", by="chen")
    assert floor.column("on_floor_seconds") == {"lin": 10800, "wang": 10800}


def test_what_was_entered_late_takes_no_time_back() -> None:
    floor = a_floor()
    floor.sign_in("09:00", "lin")
    floor.sign_out("10:00", "lin")
    floor.sign_in("08:00", "lin")  # put on record later, as having happened before
    assert floor.column("on_floor_seconds") == {"lin": 3 * 3600}


def test_a_day_that_goes_on_past_midnight() -> None:
    floor = a_floor()
    floor.sign_in("22:00", "lin", "wang")
    floor.receive("23:30", "r1")
    floor.sign_in("2026-03-03 00:10", "wang")
    floor.finish("2026-03-03 00:40", "r1")
    row = floor.board()["lin"]
    assert (row["on_floor_seconds"], row["receiving_seconds"]) == (2 * 3600, 70 * 60)
    assert row["visit_turns"] == 1 and floor.board(NEXT_DAY).keys() == {"wang"}
    assigned = floor.assigned()["r1"]
    assert (assigned["day"], assigned["finished_at"]) == (date(2026, 3, 2), instant("2026-03-03 00:40"))
    assert assigned["status"] == "finished" and assigned["counted"]


def test_what_a_reception_brings_after_midnight_is_counted_on_its_day_and_owed_on_the_next() -> None:
    floor = a_floor()
    floor.sign_in("22:00", "lin", "wang")
    floor.receive("23:50", "r1")
    floor.sign_in("2026-03-03 00:05", "wang")
    floor.finish("2026-03-03 00:20", "r1", purpose="sales_call")
    floor.visit("2026-03-03 00:30", "2026-03-03 00:40", "r1")  # another one of the same name, of the new day
    assert floor.column("make_ups_granted") == floor.column("visit_make_ups_owed") == {"lin": 1}
    assert floor.column("make_ups_granted", NEXT_DAY) == {}
    assert floor.column("visit_make_ups_owed", NEXT_DAY) == {"lin": 1}
    assert [
        (row["day"].day, row["status"], len(row["positions"]))
        for row in sorted(floor.receptions(), key=lambda row: row["day"])
    ] == [(2, "finished", 2), (3, "finished", 2)]


def test_door_duty() -> None:
    floor = a_floor("half-hour-stand")
    floor.sign_in("08:50", *THREE)
    floor.stand_at_the_door("09:00", who="lin")
    floor.stand_at_the_door("09:20", who="wang")
    floor.stand_at_the_door("09:50", who="lin")
    assert floor.column("door_stints") == {"lin": 2, "wang": 1} and floor.column("door_owed_minutes") == {"lin": 10}


# What the site says later


def test_an_adoption_in_the_middle_of_the_day_changes_what_is_decided_afterwards_only() -> None:
    floor = a_floor()
    entry = floor.house.register("2026-03-01 09:00", "lin")
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00", "r1", visitor=entry)
    floor.visit("09:10", "09:15", "r2")
    before = floor.board()
    house = floor.house
    house.office.adopt(house.stamp(f"{DAY} 12:00"), amend={"turns.passed_while_busy": "keep"}, by=house.chen)
    assert floor.board() == before
    floor.sign_in("12:10", "desk")
    assert {row["edition"] for row in floor.board().values()} == {"revised-reception@2000-01-01*"}
    changed = {
        name
        for label, row in floor.board().items()
        if label in before
        for name in row
        if row[name] != before[label][name]
    }
    assert changed == {"edition", "position", "on_floor_seconds", "receiving_seconds"}


@pytest.mark.parametrize("teams", ["together", "channels_alternate"])
def test_another_way_of_teams_put_in_force_later_moves_nobody(teams: str) -> None:
    floor = a_floor()
    floor.sign_in("08:50", *THREE)
    before = floor.board()
    house = floor.house
    house.office.adopt(house.stamp(f"{DAY} 12:00"), amend={"turns.teams": teams}, by=house.chen)
    house.office.adopt(house.stamp(f"{DAY} 13:00"), rulebook="forty-three-articles", by=house.chen)
    house.office.depart(house.stamp(f"{DAY} 14:00"), who=house.lin, heirs=[], by=house.chen)
    assert floor.board() == before


def test_facts_without_their_day_are_no_row() -> None:
    house: House = an_office()
    Floor(house).sign_in("08:50", "lin")
    (day,) = [one for one in judged(house) if one.kind == "queue"]
    day.facts = day.facts[1:]
    assert rows(TURN_BOARD, [day]) == []
