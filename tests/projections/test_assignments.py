"""The list of receptions: who was called for whom, as what, with which clauses, and what came of it (T43)."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.sales_turn_queue import queue_id
from tests.projections.floors import DAY, THREE, Floor
from tests.projections.given import an_office, instant


def a_floor(rulebook: str = "revised-reception") -> Floor:
    floor = Floor(an_office(rulebook))
    floor.sign_in("08:50", *THREE)
    return floor


def said(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_a_reception_from_its_beginning_to_its_end() -> None:
    floor = a_floor()
    house = floor.house
    entry = house.register("2026-03-01 09:00", "wang")
    floor.step_out("08:55", who="wang", why="approved_business")
    floor.step_out("08:55", who="lin", why="approved_business")
    floor.receive("09:00", visitor=entry, party=3, purpose="buy")
    opened = house.record.position()
    floor.finish("09:40")
    row = floor.assigned()["r1"]
    clauses = row.pop("clauses")
    assert row == {
        "queue": queue_id(house.office.site_id, date(2026, 3, 2)), "label": "r1", "site": house.office.site_id,
        "day": date(2026, 3, 2), "channel": "visit", "opened_at": instant(f"{DAY} 09:00"),
        "assigned_at": instant(f"{DAY} 09:00"), "finished_at": instant(f"{DAY} 09:40"), "status": "finished",
        "receiver": house.zhao, "because": "turn", "instead_of": None, "owner": house.wang,
        "found_by": "visitor", "file": entry.visitor, "registration": 1, "party": 3, "purpose": "buy",
        "standing": "others", "counted": False, "helpers": (), "called": 1, "passed_over": 2,
        "edition": "revised-reception@2000-01-01", "positions": (opened, opened + 1),
    }  # fmt: skip
    assert clauses and all(clause.startswith("revised-reception/") for clause in clauses)
    assert len(set(clauses)) == len(clauses)


def test_in_whose_stead_somebody_received() -> None:
    floor = a_floor()
    floor.receive("09:00")
    floor.hand_over("09:10", reception="r1", to="zhao", by="chen")
    row, house = floor.assigned()["r1"], floor.house
    assert said(row, "receiver", "because", "instead_of", "called") == (house.zhao, "stand_in", house.lin, 2)


def test_while_it_goes_on_nothing_is_said_of_its_end() -> None:
    floor = a_floor()
    floor.receive("09:00")
    row = floor.assigned()["r1"]
    names = ("status", "finished_at", "counted", "standing", "purpose", "owner", "file")
    assert said(row, *names) == ("open", None, None, None, None, None, None)


def test_nobody_to_assign_is_on_the_list_too() -> None:
    floor = Floor(an_office())
    floor.receive("09:00")
    row = floor.assigned()["r1"]
    names = ("status", "receiver", "because", "assigned_at", "counted", "called")
    assert said(row, *names) == ("nobody", None, None, None, False, 0)


def test_a_call_that_nobody_answered() -> None:
    floor = a_floor()
    floor.receive("09:00", channel="call")
    floor.unanswered("09:01", reception="r1")
    row = floor.assigned()["r1"]
    assert said(row, "status", "finished_at", "counted") == ("unanswered", instant(f"{DAY} 09:01"), False)


def test_who_did_not_come_was_called_all_the_same() -> None:
    floor = a_floor()
    floor.receive("09:00")
    floor.absent("09:02", reception="r1")
    floor.absent("09:05", reception="r1")
    floor.help_with("09:10", reception="r1", who="lin")
    row = floor.assigned()["r1"]
    house = floor.house
    assert said(row, "receiver", "called", "helpers") == (house.zhao, 3, (house.lin,))
    assert said(row, "opened_at", "assigned_at") == (instant(f"{DAY} 09:00"), instant(f"{DAY} 09:05"))
    assert len(row["positions"]) == 4


def test_who_was_recognised_is_whose_it_is() -> None:
    floor = a_floor()
    house = floor.house
    entry = house.register("2026-03-01 09:00", "wang")
    floor.receive("09:00")
    floor.recognise("09:05", reception="r1", visitor=entry)
    row = floor.assigned()["r1"]
    assert said(row, "owner", "found_by", "file", "called") == (house.wang, "recognised", entry.visitor, 2)
    assert said(row, "receiver", "because") == (house.wang, "owner")


def test_who_it_was_is_known_at_the_end() -> None:
    floor = a_floor()
    floor.receive("09:00")
    entry = floor.house.register(f"{DAY} 09:30")
    floor.finish("09:40", visitor=entry, purpose="research")
    row = floor.assigned()["r1"]
    assert said(row, "file", "registration", "purpose") == (entry.visitor, 1, "research")


def test_how_many_were_passed_over() -> None:
    floor = a_floor()
    floor.receive("09:00", "r1")
    floor.step_out("09:01", who="wang", why="task")
    floor.receive("09:10", "r2")
    assert {label: row["passed_over"] for label, row in floor.assigned().items()} == {"r1": 0, "r2": 1}


def test_the_edition_is_that_of_its_own_last_fact() -> None:
    floor = a_floor()
    house = floor.house
    floor.receive("09:00", "r1")
    floor.visit("09:10", "09:20", "r2")
    house.office.adopt(house.stamp(f"{DAY} 12:00"), rulebook="forty-three-articles", by=house.chen)
    before = floor.assigned()
    floor.finish("12:30", "r1")
    after = floor.assigned()
    assert {row["edition"] for row in before.values()} == {"revised-reception@2000-01-01"}
    assert after["r2"] == before["r2"] and after["r1"]["edition"] == "forty-three-articles@2000-01-01"
    assert {clause.partition("/")[0] for clause in after["r1"]["clauses"]} == {
        "revised-reception", "forty-three-articles",
    }  # fmt: skip


def test_the_same_label_on_another_day_is_another_reception() -> None:
    floor = a_floor()
    floor.visit("09:00", "09:10", "r1")
    floor.sign_in("2026-03-03 08:50", "lin")
    floor.visit("2026-03-03 09:00", "2026-03-03 09:10", "r1")
    assert len(floor.receptions()) == 2
