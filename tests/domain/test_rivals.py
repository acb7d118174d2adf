"""Why the others are not the owner, and what would have changed the answer."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.rivals import PERIOD, Change, Homonym, Rival, changes_to, rivals_of
from domain.visitor import Entry
from tests.domain.given import (
    DESK,
    LIN,
    WANG,
    WITHIN_7_DAYS,
    WITHIN_30_DAYS,
    ZHAO,
    History,
    file,
    moment,
    shipped,
)

MORNING = "2026-03-02 09:00"


def registered(rulebook: str = WITHIN_7_DAYS) -> tuple[History, Entry]:
    history = History(rulebook)
    return history, history.register(MORNING, LIN)


def rivals(history: History, entry: Entry, at: str, **more: object) -> dict[UUID, Rival]:
    found = history.ask(entry, at)
    listed = rivals_of(found, found.owner, history=history.facts, **more)  # type: ignore[arg-type]
    assert len({rival.staff for rival in listed}) == len(listed)
    assert found.owner not in {rival.staff for rival in listed}
    return {rival.staff: rival for rival in listed}


def changes(history: History, entry: Entry, at: str, **options: bool) -> list[Change]:
    found = history.ask(entry, at, **options)
    listed = changes_to(history.question, entry, moment(at), found, **options)
    assert all(change.owner != found.owner for change in listed)
    return listed


# Rivals


def test_a_later_receiver_came_while_a_claim_ran() -> None:
    history, v1 = registered()
    history.again("2026-03-05 09:00", WANG, v1)
    rival = rivals(history, v1, "2026-03-06 00:00")[WANG]
    assert (rival.reason, rival.facts) == ("claim_of_another_ran", (2,))
    assert rival.clauses and rival.step and rival.step.position == 2


def test_a_lapsed_claim_is_a_rival_that_lapsed() -> None:
    history, v1 = registered()
    history.again("2026-03-10 09:00", WANG, v1)
    rival = rivals(history, v1, "2026-03-11 00:00")[LIN]
    assert rival.reason == "lapsed" and f"{WITHIN_7_DAYS}/3a-11" in rival.clauses


@pytest.mark.parametrize("how", ["distribution", "inheritance", "reassignment"])
def test_a_claim_given_away_was_replaced(how: str) -> None:
    history, v1 = registered()
    history.assign("2026-03-05 09:00", WANG, v1, how)
    assert rivals(history, v1, "2026-03-06 00:00")[LIN].reason == "replaced"


def test_a_claim_ruled_away_was_ruled_otherwise() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 09:00", WANG, v1)
    found = rivals(history, v1, "2026-03-06 00:00")
    assert {staff: rival.reason for staff, rival in found.items()} == {LIN: "ruled_otherwise"}


def test_a_closer_who_does_not_own_only_closed() -> None:
    history, v1 = registered()
    history.sell("2026-03-05 09:00", [WANG, LIN], v1)
    assert rivals(history, v1, "2026-03-06 00:00")[WANG].reason == "only_closed"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [({"has_phone": False}, "registration_incomplete"), ({"by": DESK}, "not_a_receiver")],
)
def test_an_entry_that_founds_nothing_says_why(entry: dict[str, object], reason: str) -> None:
    history = History()
    v1 = history.register(MORNING, **{"by": WANG, **entry})  # type: ignore[arg-type]
    history.again("2026-03-02 10:00", LIN, v1)
    assert {rival.reason for rival in rivals(history, v1, "2026-03-03 00:00").values()} == {reason}


def test_a_follow_up_entered_too_late_does_not_help() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-09 09:00", LIN, v1, known="2026-03-10 09:00")
    history.again("2026-03-10 10:00", WANG, v1)
    rival = rivals(history, v1, "2026-03-11 00:00")[LIN]
    assert (rival.reason, rival.facts) == ("lapsed", (1, 2))


def test_whoever_registered_another_customer_under_the_same_phone() -> None:
    history, v1 = registered(WITHIN_7_DAYS)
    history.register("2026-03-03 09:00", WANG)
    rival = rivals(history, v1, "2026-03-04 00:00")[WANG]
    assert (rival.reason, rival.facts, rival.step) == ("different_customer", (1, 2, 2), None)
    assert f"{WITHIN_7_DAYS}/3a-11-3" in rival.clauses


def test_a_namesake_under_another_phone_is_unproven() -> None:
    history, v1 = registered()
    homonym = Homonym(Entry(file(9), 1), WANG, 40)
    rival = rivals(history, v1, "2026-03-04 00:00", homonyms=[homonym])[WANG]
    assert (rival.reason, rival.facts) == ("same_name_unproven", (40,))
    assert rival.clauses == (f"{WITHIN_7_DAYS}/3a-11-2",)
    assert not rivals(history, v1, "2026-03-04 00:00", homonyms=[Homonym(v1, WANG, 1)])


def test_a_claimant_with_nothing_on_record() -> None:
    history, v1 = registered()
    found = rivals(history, v1, "2026-03-04 00:00", claimants=[ZHAO, LIN, ZHAO])
    assert {staff: (rival.reason, rival.facts) for staff, rival in found.items()} == {
        ZHAO: ("claimed_without_record", ())
    }


def test_nobody_else_came_near() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-05 09:00", LIN, v1)
    assert rivals(history, v1, "2026-03-06 00:00") == {}


# What would have changed the answer


def without(history: History, entry: Entry, at: str) -> dict[int | None, UUID | None]:
    return {c.position: c.owner for c in changes(history, entry, at) if c.kind == "without_fact"}


def test_without_the_fact_it_rests_on_the_owner_would_be_another() -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    again = history.again("2026-03-05 09:00", WANG, v1)
    assert without(history, again, "2026-03-06 00:00")[1] == WANG
    assert without(history, v1, "2026-03-04 00:00") == {1: None}


@pytest.mark.parametrize("asked", [1, 2])
def test_without_one_of_two_registrations_the_other_speaks(asked: int) -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    again = history.again("2026-03-05 09:00", WANG, v1)
    assert without(history, again if asked == 2 else v1, "2026-03-06 00:00") == {1: WANG}


def test_without_a_follow_up_the_claim_would_have_lapsed() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-08 09:00", LIN, v1)
    history.again("2026-03-11 09:00", WANG, v1)
    assert without(history, v1, "2026-03-12 00:00")[2] == WANG


def test_a_ruling_is_a_fact_that_decides() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 09:00", WANG, v1)
    assert without(history, v1, "2026-03-06 00:00") == {2: LIN}
    assert changes(history, v1, "2026-03-06 00:00", rulings=False)[0] == Change(
        kind="without_fact", position=1, owner=None
    )


def test_without_the_relation_the_owner_would_be_another() -> None:
    history, v1 = registered()
    v2 = history.register("2026-03-03 09:00", WANG, phone=2)
    history.relate("2026-03-04 09:00", v2, v1, "spouse")
    assert history.owner(v2, "2026-03-05 00:00") == LIN
    assert {3, 4} & without(history, v2, "2026-03-05 00:00").keys()


def other_periods(history: History, entry: Entry, at: str) -> set[tuple[int | None, UUID | None]]:
    return {(c.value, c.owner) for c in changes(history, entry, at) if c.kind == "parameter" and c.name == PERIOD}


@pytest.mark.parametrize(("came", "shorter"), [("2026-03-05 09:00", {(2, WANG)}), ("2026-03-02 10:00", set())])
def test_the_nearest_shorter_period_that_gives_another_owner(came: str, shorter: set[tuple[int, UUID]]) -> None:
    history, v1 = registered()
    history.again(came, WANG, v1)
    assert {pair for pair in other_periods(history, v1, came) if pair[0] is not None and pair[0] < 7} == shorter


def test_the_nearest_longer_period_that_gives_another_owner() -> None:
    history, v1 = registered()
    history.again("2026-03-12 09:00", WANG, v1)
    assert (10, LIN) in other_periods(history, v1, "2026-03-12 12:00")


def test_with_no_limit_only_shorter_periods_can_matter() -> None:
    history = History(shipped(protection_days=None))
    v1 = history.register(MORNING, LIN)
    history.again("2026-03-12 09:00", WANG, v1)
    assert other_periods(history, v1, "2026-03-12 12:00") == {(9, WANG)}


def test_a_follow_up_in_time_would_have_kept_the_claim() -> None:
    history, v1 = registered()
    history.again("2026-03-12 09:00", WANG, v1)
    kept = [c for c in changes(history, v1, "2026-03-12 12:00") if c.kind == "follow_up_in_time"]
    assert kept == [Change(kind="follow_up_in_time", staff=LIN, day="2026-03-09", owner=LIN)]


def test_a_follow_up_in_time_would_not_have_been_enough() -> None:
    history, v1 = registered()
    history.again("2026-04-12 09:00", WANG, v1)
    assert not [c for c in changes(history, v1, "2026-04-12 12:00") if c.kind == "follow_up_in_time"]


def test_nothing_else_would_have_changed_it() -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    assert [c.kind for c in changes(history, v1, "2026-03-02 12:00")] == ["without_fact"]
