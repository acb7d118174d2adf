"""Reports on the floor, read from PostgreSQL: boards, receptions, turns of a period, what stands of whom."""

from __future__ import annotations

from datetime import date, timedelta

from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from projections.as_of import as_of
from projections.floor_reports import Turns, assignments, standing, turn_board, turns
from projections.live import ReadSide
from projections.period_reports import morning_list, scoreboard
from projections.rebuild import rebuild
from projections.source import Source
from projections.views import VIEWS
from tests.projections.floors import DAY, THREE, Floor
from tests.projections.given import ZONE, House, Reader, an_office, instant
from tests.projections.test_reports import day, paged

NEXT_DAY, LATER = "2026-03-03", "2026-03-09"


def two_days(house: House) -> Floor:
    """lin is passed over while busy with an earlier visitor, and is owed a make-up; wang does not come when called."""
    floor = Floor(house)
    entry = house.register("2026-03-01 09:00", "lin")
    floor.sign_in("08:50", *THREE)
    floor.receive("09:00", "r1", visitor=entry)
    floor.receive("09:10", "r2")  # wang's, who is not there; then zhao's
    floor.absent("09:12", reception="r2")
    floor.finish("09:40", "r1")
    floor.finish("10:10", "r2")
    floor.visit("10:20", "10:30", "c1", channel="call")
    floor.sign_out("18:00", *THREE)
    floor.sign_in("2026-03-03 08:50", "wang")
    floor.visit("2026-03-03 09:00", "2026-03-03 09:30", "r1")
    floor.sign_out("2026-03-03 18:00", "wang")
    return floor


def labels(house: House) -> dict[object, str]:
    return {staff: label for label, staff in house.staff.items()}


# Boards and receptions


def test_the_boards_of_some_days_come_in_pages(house: House, reader: Reader) -> None:
    two_days(house)
    source = reader.read(house)
    found = paged(lambda **asked: turn_board(source, day(DAY), day(NEXT_DAY), **asked))
    assert [(row.day, row.staff) for row in found] == sorted((row.day, row.staff) for row in found)
    assert {labels(house)[row.staff] for row in found if row.day == day(NEXT_DAY)} == {"wang", "lin"}
    (own,) = turn_board(source, day(DAY), day(DAY), staff=house.lin).rows
    assert own.passed == {"busy_earlier": 1} and own.receptions == {"owner": 1, "turn": 1}
    assert own.suspended == () and own.on_floor_seconds == (9 * 60 + 10) * 60
    assert turn_board(source, day(LATER), day(LATER)).rows == ()


def test_receptions_come_in_pages_in_the_order_in_which_they_began(house: House, reader: Reader) -> None:
    two_days(house)
    source = reader.read(house)
    found = paged(lambda **asked: assignments(source, day(DAY), day(NEXT_DAY), **asked))
    assert [(row.day, row.label) for row in found] == [
        (day(DAY), "r1"), (day(DAY), "r2"), (day(DAY), "c1"), (day(NEXT_DAY), "r1"),
    ]  # fmt: skip
    assert [row.called for row in found] == [1, 2, 1, 1] and all(row.clauses and row.positions for row in found)
    own = assignments(source, day(DAY), day(NEXT_DAY), receiver=house.zhao).rows
    assert [(row.label, row.helpers) for row in own] == [("r2", ())]


def test_answers_say_up_to_where_they_hold(house: House, reader: Reader) -> None:
    two_days(house)
    source = reader.read(house)
    held = {
        report.holds.position
        for report in (
            turn_board(source, day(DAY), day(DAY)), assignments(source, day(DAY), day(DAY)),
            turns(source, day(DAY), day(DAY)), standing(source, day(DAY)),
        )
    }  # fmt: skip
    assert held == {house.record.position()}


# Turns of a period


def test_turns_of_a_period_add_up(house: House, reader: Reader) -> None:
    two_days(house)
    source = reader.read(house)
    found = {labels(house)[one.staff]: one for one in turns(source, day(DAY), day(NEXT_DAY)).answer}
    assert found.keys() == set(THREE)
    wang = found["wang"]
    assert (wang.days_present, wang.visit_turns, wang.absences, wang.received) == (2, 1, 1, 1)
    assert wang.on_floor_seconds == 2 * (9 * 60 + 10) * 60 and wang.receiving_seconds == (2 + 30) * 60
    lin = found["lin"]
    assert (lin.make_ups_granted, lin.make_ups_served, lin.make_ups_owed) == (1, 0, 1)
    assert (lin.passed, lin.receptions, lin.call_turns) == ({"busy_earlier": 1}, {"owner": 1, "turn": 1}, 1)
    assert [one.days_present for one in turns(source, day(DAY), day(DAY), staff=house.wang).answer] == [1]
    assert turns(source, day(LATER), day(LATER)).answer == ()


def test_the_scoreboard_holds_the_turns_of_the_month(house: House, reader: Reader) -> None:
    two_days(house)
    scores = {
        labels(house)[one.staff]: one for one in scoreboard(reader.read(house), day(DAY), staff=[house.chen]).answer
    }
    assert scores["wang"].turns.days_present == 2 and scores["zhao"].turns.visit_turns == 1
    assert scores["chen"].turns == Turns(staff=house.chen)


# What stands of whom


def test_what_is_owed_stands_until_it_is_served(house: House, reader: Reader) -> None:
    floor = two_days(house)
    source = reader.read(house)
    for on in (DAY, NEXT_DAY, LATER, "2026-05-01"):
        (lin,) = standing(source, day(on)).answer
        assert (lin.staff, lin.make_ups_owed, lin.passes_owed) == (house.lin, 1, 0)
    assert standing(source, day("2026-03-01")).answer == ()
    floor.sign_in("2026-03-09 08:50", "lin")
    floor.receive("2026-03-09 09:00")
    assert standing(reader.read(house), day(LATER)).answer == ()


def test_fines_are_those_of_the_month(reader: Reader) -> None:
    house = an_office("sign-in-roster")
    floor = Floor(house)
    floor.sign_in("08:50", "lin", "wang")
    floor.put_misconduct_on_record("09:00", who="lin", what="grabbing", by="chen")
    floor.sign_in("2026-03-03 08:50", "wang")
    floor.put_misconduct_on_record("2026-03-03 09:00", who="lin", what="picking", by="chen")
    # Put on record when the next day had begun already: that day's queue does not know of it.
    floor.put_misconduct_on_record("10:00", who="wang", what="picking", by="chen")
    source = reader.read(house)
    found = {labels(house)[one.staff]: one for one in standing(source, day(NEXT_DAY)).answer}
    assert {label: one.fines_yuan for label, one in found.items()} == {"lin": 100, "wang": 50}
    assert found["lin"].suspended == (day(NEXT_DAY), day("2026-03-04"))
    assert {label: one.fines_yuan for label, one in found.items()} == {
        labels(house)[one.staff]: one.fines_yuan for one in standing(source, day("2026-03-31")).answer
    }
    assert not any(one.fines_yuan for one in standing(source, day("2026-04-01")).answer)


def test_the_morning_list_tells_of_the_floor(house: House, reader: Reader) -> None:
    two_days(house)
    morning = morning_list(reader.read(house), day(NEXT_DAY)).answer
    done = {labels(house)[one.staff]: one for one in morning.yesterdays_turns}
    assert {label: (one.visit_turns, one.passed) for label, one in done.items()} == {
        "lin": (0, {"busy_earlier": 1}), "wang": (0, {}), "zhao": (1, {}),
    }  # fmt: skip
    assert [(one.staff, one.make_ups_owed) for one in morning.standing] == [(house.lin, 1)]


def test_another_sites_floor_is_not_seen(house: House, reader: Reader) -> None:
    two_days(house)
    read = reader.read(house)
    source = Source(read.connection, read.views, an_office().office.site_id, ZONE)
    assert turn_board(source, day(DAY), day(LATER)).rows == () == assignments(source, day(DAY), day(LATER)).rows
    assert standing(source, day(DAY)).answer == () == turns(source, day(DAY), day(DAY)).answer


# The real read side


def test_live_rebuilt_and_as_of(make_recorder: object, master: bytes) -> None:
    """What facts did to the views one after the other is what a rebuild gives; and the floor as it stood at any time.

    With a day that goes on past midnight, an adoption in the middle of one, and somebody who leaves the company.
    """
    recorder: PostgresRecorder = make_recorder()  # type: ignore[operator]
    record = Record(recorder)
    house = House(record, Keyring(master, record.person_keys))
    side = ReadSide(recorder, tuple(VIEWS.values()))
    rebuild(side)
    floor = two_days(house)
    floor.sign_in("2026-03-04 22:00", *THREE)
    floor.receive("2026-03-04 23:50", "late")
    house.office.adopt(house.stamp("2026-03-04 23:55"), amend={"turns.passed_while_busy": "keep"}, by=house.chen)
    floor.sign_in("2026-03-05 00:05", "wang")
    floor.finish("2026-03-05 00:20", "late")
    house.office.depart(house.stamp("2026-03-05 09:00"), who=house.zhao, heirs=[], by=house.chen)
    with side.connection() as connection:
        while side.advance(connection, 3):
            pass
    assert rebuild(side, check=True).differences == 0
    for at, place, received in (("08:55", 1, 0), ("09:05", 1, 1), ("12:00", 1, 2)):
        then = instant(f"{DAY} {at}")
        with as_of(side, at=then, known_at=then) as made:
            source = Source(made.connection, made.schema, house.office.site_id, ZONE)
            (lin,) = turn_board(source, day(DAY), day(DAY) + timedelta(days=9), staff=house.lin).rows
            assert (lin.visit_place, lin.received) == (place, received), at
            assert len(assignments(source, date.min, date.max).rows) <= 3
    with as_of(side, known_at=instant(f"{DAY} 09:05")) as made:
        source = Source(made.connection, made.schema, house.office.site_id, ZONE)
        (open_one,) = assignments(source, date.min, date.max).rows
        assert (open_one.label, open_one.status) == ("r1", "open")
