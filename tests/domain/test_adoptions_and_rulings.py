"""What adoptions and rulings do to a claim, in pairs around every boundary (words 8 and 9)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.attribution import Attribution
from domain.visitor import Entry
from tests.domain.given import LIN, WANG, WITHIN_7_DAYS, WITHIN_30_DAYS, ZHAO, History, shipped

MORNING = "2026-03-02 09:00"


def registered(rulebook: str = WITHIN_7_DAYS) -> tuple[History, Entry]:
    """Lin registers a visitor on 2 March."""
    history = History(rulebook)
    return history, history.register(MORNING, LIN)


def effects(found: Attribution) -> list[tuple[str, str, str | None]]:
    return [(step.what, step.effect, step.reason) for step in found.steps]


# Adoptions (word 8)


@pytest.mark.parametrize(("day", "until"), [("2026-03-09 23:59", "2026-04-01"), ("2026-03-10 00:00", None)])
def test_a_longer_protection_takes_running_claims_and_no_lapsed_ones(day: str, until: str | None) -> None:
    history, v1 = registered(WITHIN_7_DAYS)
    history.adopt(day, shipped(WITHIN_30_DAYS))
    assert history.until(v1, "2026-03-20 00:00") == until


@pytest.mark.parametrize(("day", "owner"), [("2026-03-09 23:59", LIN), ("2026-03-10 00:00", None)])
def test_a_shorter_protection_ends_what_its_new_end_has_passed(day: str, owner: UUID | None) -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    history.adopt(day, shipped(WITHIN_7_DAYS))
    found = history.ask(v1, day)
    assert found.owner == owner
    expected = ("adoption", "recounted", None) if owner else ("lapse", "ended_by_adoption", None)
    assert effects(found)[-1] == expected
    assert history.owner(v1, "2026-03-10 00:00") is None


def test_an_adoption_counts_from_the_same_contact() -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    history.follow_up("2026-03-05 10:00", LIN, v1)
    history.adopt("2026-03-08 10:00", shipped(WITHIN_7_DAYS))
    assert history.until(v1, "2026-03-08 10:00") == "2026-03-12"


def test_before_an_adoption_the_former_rulebook_holds() -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    history.adopt("2026-03-20 10:00", shipped(WITHIN_7_DAYS))
    assert (history.owner(v1, "2026-03-20 09:59"), history.owner(v1, "2026-03-20 10:00")) == (LIN, None)


def test_an_adoption_leaves_buyers_and_rulings_alone() -> None:
    sold, v1 = registered(WITHIN_30_DAYS)
    sold.sell("2026-03-03 10:00", LIN, v1)
    ruled, v2 = registered(WITHIN_30_DAYS)
    ruled.rule("2026-03-03 10:00", WANG, v2)
    for history in (sold, ruled):
        history.adopt("2026-03-20 10:00", shipped(WITHIN_7_DAYS))
    assert sold.owner(v1, "2026-03-21 00:00") == LIN
    assert (ruled.owner(v2, "2026-03-21 00:00"), ruled.until(v2, "2026-03-21 00:00")) == (WANG, "2026-04-02")
    assert effects(ruled.ask(v2, "2026-03-21 00:00"))[-1] == ("adoption", "kept", None)


def test_no_limit_becomes_a_limit_and_back() -> None:
    history = History(shipped(protection_days=None))
    v1 = history.register(MORNING, LIN)
    history.adopt("2026-03-09 10:00", shipped())
    history.adopt("2026-03-09 12:00", shipped(protection_days=None))
    assert history.until(v1, "2026-03-09 11:00") == "2026-03-09"
    assert (history.owner(v1, "2030-01-01 00:00"), history.until(v1, "2030-01-01 00:00")) == (LIN, None)


# Rulings (word 9)


def test_a_ruling_holds_from_its_moment_and_starts_protection_anew() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 10:00", WANG, v1)
    assert history.owner(v1, "2026-03-05 09:59") == LIN
    found = history.ask(v1, "2026-03-05 10:00")
    assert (found.owner, found.ground, str(found.until)) == (WANG, "ruling", "2026-03-12")
    assert found.ruling and found.ruling.position == 2
    assert (history.owner(v1, "2026-03-12 23:59"), history.owner(v1, "2026-03-13 00:00")) == (WANG, None)


def test_a_ruling_stands_until_the_next_and_a_what_if_leaves_both_out() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 10:00", WANG, v1)
    history.rule("2026-03-06 10:00", ZHAO, v1)
    assert [history.owner(v1, f"2026-03-0{day} 12:00") for day in (4, 5, 6)] == [LIN, WANG, ZHAO]
    what_if = history.ask(v1, "2026-03-06 12:00", rulings=False)
    assert (what_if.owner, str(what_if.until), what_if.ruling) == (LIN, "2026-03-09", None)


def test_a_ruling_may_leave_the_visitor_to_nobody() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 10:00", None, v1)
    found = history.ask(v1, "2026-03-05 12:00")
    assert (found.owner, effects(found)[-1]) == (None, ("ruling", "ruled", None))
    history.again("2026-03-06 10:00", WANG, v1)
    assert history.owner(v1, "2026-03-06 12:00") == WANG


def test_a_ruling_for_nobody_decides_no_more_once_somebody_has_owned_since() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 10:00", None, v1)
    assert history.ask(v1, "2026-03-05 12:00").deciding_ruling is not None
    history.again("2026-03-06 10:00", WANG, v1)
    lapsed = history.ask(v1, "2026-04-06 12:00")
    assert (lapsed.owner, lapsed.ground, lapsed.deciding_ruling) == (None, "lapsed", None)


def test_a_ruling_on_a_lapsed_or_bought_visitor_holds_too() -> None:
    lapsed, v1 = registered()
    lapsed.rule("2026-03-20 10:00", WANG, v1)
    assert (lapsed.owner(v1, "2026-03-20 12:00"), lapsed.until(v1, "2026-03-20 12:00")) == (WANG, "2026-03-27")
    bought, v2 = registered()
    bought.sell("2026-03-03 10:00", LIN, v2)
    bought.rule("2026-03-20 10:00", WANG, v2)
    assert (bought.owner(v2, "2027-01-01 00:00"), bought.until(v2, "2027-01-01 00:00")) == (WANG, None)


def test_the_one_ruled_to_be_owner_follows_up() -> None:
    history, v1 = registered()
    history.rule("2026-03-05 10:00", WANG, v1)
    history.follow_up("2026-03-10 10:00", WANG, v1)
    assert history.until(v1, "2026-03-10 12:00") == "2026-03-17"


def test_a_ruling_entered_late_holds_from_when_it_was_made() -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    history.rule("2026-03-05 10:00", WANG, v1, known="2026-03-15 10:00")
    assert history.owner(v1, "2026-03-10 00:00") == WANG
    assert history.owner(v1, "2026-03-10 00:00", known="2026-03-14 00:00") == LIN


def test_the_order_of_steps_is_the_order_in_which_they_count() -> None:
    history, v1 = registered()
    history.rule("2026-03-03 10:00", WANG, v1, known="2026-03-20 10:00")
    steps = history.ask(v1, "2026-03-25 00:00").steps
    assert [step.at for step in steps] == sorted(step.at for step in steps)
