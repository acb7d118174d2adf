"""Who owns a visitor, in pairs around every boundary: days, late entries, lapses, sales (words 6 and 7)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.attribution import Attribution
from domain.rulebook import RulebookError
from domain.visitor import Entry
from tests.domain.given import CHEN, DESK, LIN, WANG, WITHIN_7_DAYS, WITHIN_30_DAYS, ZHAO, History, shipped

MORNING = "2026-03-02 09:00"


def registered(rulebook: str = WITHIN_7_DAYS) -> tuple[History, Entry]:
    """Lin registers a visitor on 2 March."""
    history = History(rulebook)
    return history, history.register(MORNING, LIN)


def effects(found: Attribution) -> list[tuple[str, str, str | None]]:
    return [(step.what, step.effect, step.reason) for step in found.steps]


# Days (word 6)


@pytest.mark.parametrize(
    ("rulebook", "last", "after"),
    [
        (WITHIN_7_DAYS, "2026-03-09 23:59", "2026-03-10 00:00"),
        (WITHIN_30_DAYS, "2026-04-01 23:59", "2026-04-02 00:00"),
    ],
)
def test_protection_runs_through_the_end_of_its_last_day(rulebook: str, last: str, after: str) -> None:
    history, v1 = registered(rulebook)
    assert (history.owner(v1, last), history.until(v1, last)) == (LIN, last[:10])
    lapsed = history.ask(v1, after)
    assert (lapsed.owner, lapsed.until, lapsed.ground) == (None, None, "lapsed")
    assert lapsed.last_claim and lapsed.last_claim.owner == LIN and lapsed.last_claim.ended_at


@pytest.mark.parametrize("at", ["2026-03-02 00:00", "2026-03-02 23:59"])
def test_the_hour_of_the_first_day_does_not_matter(at: str) -> None:
    history = History()
    v1 = history.register(at, LIN)
    assert history.owner(v1, "2026-03-09 23:59") == LIN
    assert history.owner(v1, "2026-03-10 00:00") is None


def test_no_days_is_the_same_day_and_none_is_no_limit() -> None:
    for days, owner_next_day, until in ((0, None, "2026-03-02"), (None, LIN, None)):
        history = History(shipped(protection_days=days))
        v1 = history.register(MORNING, LIN)
        assert (history.owner(v1, "2026-03-02 23:59"), history.until(v1, "2026-03-02 23:59")) == (LIN, until)
        assert history.owner(v1, "2026-03-03 00:00") == owner_next_day


def test_before_the_first_contact_nobody_owns() -> None:
    history, v1 = registered()
    before = history.ask(v1, "2026-03-02 08:59")
    assert (before.owner, before.ground, before.steps) == (None, "no_claim", ())
    assert history.owner(v1, MORNING) == LIN


def test_a_day_before_every_edition_is_an_error() -> None:
    history = History(since="2026-03-02 00:00")
    v1 = history.register(MORNING, LIN)
    with pytest.raises(RulebookError, match="before"):
        history.ask(v1, "2026-03-01 23:59")


def test_what_came_before_the_first_edition_is_governed_by_it() -> None:
    history = History(since="2026-03-05 00:00")
    v1 = history.register(MORNING, LIN)
    assert (history.owner(v1, "2026-03-05 00:00"), history.until(v1, "2026-03-05 00:00")) == (LIN, "2026-03-09")


def test_a_claim_may_have_lapsed_before_the_first_edition() -> None:
    history = History(since="2026-03-20 00:00")
    v1 = history.register(MORNING, LIN)
    assert history.owner(v1, "2026-03-20 09:00") is None


# Follow-ups and late entries (word 7)


@pytest.mark.parametrize(
    ("made", "entered", "until"),
    [
        ("2026-03-09 23:59", "2026-03-09 23:59", "2026-03-16"),  # on the last day
        ("2026-03-08 10:00", "2026-03-09 23:59", "2026-03-15"),  # entered by the end of the next day: as it happened
        ("2026-03-07 10:00", "2026-03-09 00:00", "2026-03-16"),  # later: from its entry
        ("2026-03-09 10:00", "2026-03-10 00:00", None),  # made in time, entered after the lapse
        ("2026-03-08 10:00", "2026-03-10 00:00", None),
        ("2026-03-10 00:00", "2026-03-10 00:00", None),  # made after the lapse
    ],
)
def test_a_follow_up_counts_from_when_it_happened_if_entered_in_time(
    made: str, entered: str, until: str | None
) -> None:
    history, v1 = registered()
    history.follow_up(made, LIN, v1, known=entered)
    assert history.until(v1, "2026-03-10 12:00") == until
    assert history.owner(v1, "2026-03-10 12:00") == (LIN if until else None)


def test_an_entry_too_late_says_so() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-09 10:00", LIN, v1, known="2026-03-10 09:00")
    found = history.ask(v1, "2026-03-10 12:00")
    assert effects(found)[1] == ("follow_up", "nothing", "entered_after_lapse")
    assert effects(found)[2] == ("lapse", "lapsed", None)


@pytest.mark.parametrize(("days", "until"), [(0, "2026-03-13"), (1, "2026-03-13"), (2, "2026-03-11")])
def test_how_late_an_entry_may_be_is_the_rulebooks_word(days: int, until: str) -> None:
    history = History(shipped(late_entry_days=days))
    v1 = history.register(MORNING, LIN)
    history.follow_up("2026-03-04 10:00", LIN, v1, known="2026-03-06 09:00")
    assert history.until(v1, "2026-03-06 12:00") == until


def test_follow_ups_are_the_owners() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-05 10:00", WANG, v1)
    assert history.until(v1, "2026-03-05 12:00") == "2026-03-09"
    assert effects(history.ask(v1, "2026-03-05 12:00"))[-1] == ("follow_up", "nothing", "claim_of_another_ran")


def test_with_no_owner_a_follow_up_is_without_effect() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-12 10:00", LIN, v1)
    found = history.ask(v1, "2026-03-12 12:00")
    assert found.owner is None and effects(found)[-1] == ("follow_up", "nothing", "nobody_owned")


def test_an_heir_follows_up() -> None:
    history, v1 = registered()
    history.assign("2026-03-04 10:00", WANG, v1, "inheritance")
    history.follow_up("2026-03-06 10:00", WANG, v1)
    assert (history.owner(v1, "2026-03-13 23:59"), history.owner(v1, "2026-03-14 00:00")) == (WANG, None)
    assert history.ask(v1, "2026-03-06 12:00").ground == "inherited"


def test_a_registration_by_the_owner_counts_as_a_follow_up() -> None:
    history, v1 = registered()
    history.again("2026-03-09 10:00", LIN, v1)
    assert history.until(v1, "2026-03-09 12:00") == "2026-03-16"


def test_an_owners_registration_entered_after_the_lapse_founds_again() -> None:
    history, v1 = registered()
    history.again("2026-03-12 10:00", LIN, v1)
    found = history.ask(v1, "2026-03-12 12:00")
    assert (found.owner, found.ground, str(found.until)) == (LIN, "next_receiver", "2026-03-19")


@pytest.mark.parametrize(
    ("at", "owner", "ground"), [("2026-03-09 23:59", None, "lapsed"), ("2026-03-10 00:00", WANG, "next_receiver")]
)
def test_a_registration_founds_nothing_while_a_claim_runs_then_or_later(
    at: str, owner: UUID | None, ground: str
) -> None:
    history, v1 = registered()
    history.again(at, WANG, v1)
    found = history.ask(v1, "2026-03-10 00:00")
    assert (found.owner, found.ground) == (owner, ground)
    assert history.owner(v1, "2026-03-10 00:00") == owner


@pytest.mark.parametrize(("days", "until"), [(1, "2026-03-09"), (0, "2026-03-10")])
def test_a_late_registration_counts_from_its_entry(days: int, until: str) -> None:
    history = History(shipped(late_entry_days=days))
    v1 = history.register(MORNING, LIN, known="2026-03-03 09:00")
    assert history.until(v1, "2026-03-04 00:00") == until


@pytest.mark.parametrize(("entered", "owner"), [("2026-03-03 23:59", LIN), ("2026-03-04 00:00", WANG)])
def test_of_two_registrations_the_earlier_counts_if_entered_in_time(entered: str, owner: UUID) -> None:
    history = History()
    v1 = history.register("2026-03-03 08:00", WANG)
    history.again("2026-03-02 10:00", LIN, v1, known=entered)
    assert history.owner(v1, "2026-03-05 00:00") == owner


def test_at_the_same_moment_the_earlier_position_counts() -> None:
    history = History()
    v1 = history.register(MORNING, WANG)
    history.again(MORNING, LIN, v1)
    assert history.owner(v1, MORNING) == WANG


def test_a_renewal_never_shortens() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-06 10:00", LIN, v1)
    history.follow_up("2026-03-04 10:00", LIN, v1, known="2026-03-05 10:00")
    assert history.until(v1, "2026-03-06 12:00") == "2026-03-13"


@pytest.mark.parametrize("closer", [LIN, WANG])
def test_a_sale_ends_the_clock_and_the_buyer_stays_the_owners(closer: UUID) -> None:
    history, v1 = registered()
    history.sell("2026-03-09 23:59", closer, v1)
    history.again("2027-01-01 10:00", WANG, v1)
    found = history.ask(v1, "2027-01-02 00:00")
    assert found.claim and (found.owner, found.until, found.claim.bought) == (LIN, None, True)
    assert effects(found)[1] == ("sale", "closes", "owner_keeps")
    assert effects(found)[2] == ("registration", "nothing", "bought_already")


def test_a_sale_counts_from_when_it_was_made_whenever_entered() -> None:
    history, v1 = registered()
    history.again("2026-03-12 10:00", WANG, v1)
    history.sell("2026-03-05 10:00", LIN, v1, known="2026-03-20 10:00")
    assert history.owner(v1, "2026-03-25 00:00", known="2026-03-20 09:59") is None
    assert history.owner(v1, "2026-03-25 00:00") == LIN


def test_after_a_lapse_the_closer_owns() -> None:
    history, v1 = registered()
    history.sell("2026-03-10 00:00", [WANG, ZHAO], v1)
    found = history.ask(v1, "2027-01-01 00:00")
    assert (found.owner, found.ground, found.until) == (WANG, "closed_the_sale", None)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"has_phone": False}, "registration_incomplete"),
        ({"has_name": False}, "registration_incomplete"),
        ({"by": DESK}, "not_a_receiver"),
        ({"via": "web"}, "lead_awaits_distribution"),
        ({"via": "web", "by": DESK}, "lead_awaits_distribution"),
    ],
)
def test_what_founds_no_claim_is_kept_with_its_reason(entry: dict[str, object], reason: str) -> None:
    history = History()
    v1 = history.register(MORNING, **{"by": LIN, **entry})  # type: ignore[arg-type]
    found = history.ask(v1, "2026-03-02 12:00")
    assert (found.owner, found.ground) == (None, "no_claim")
    assert effects(found) == [("registration", "nothing", reason)] and found.clauses


def test_somebody_off_the_staff_list_counts_as_a_consultant() -> None:
    history = History()
    v1 = history.register(MORNING, UUID(int=77))
    assert history.owner(v1, MORNING) == UUID(int=77)


@pytest.mark.parametrize(
    ("how", "ground"), [("distribution", "distributed"), ("inheritance", "inherited"), ("reassignment", "reassigned")]
)
def test_whoever_is_given_the_visitor_owns_from_then_on(how: str, ground: str) -> None:
    history, v1 = registered()
    history.assign("2026-03-04 10:00", WANG, v1, how)
    assert history.owner(v1, "2026-03-04 09:59") == LIN
    found = history.ask(v1, "2026-03-04 10:00")
    assert (found.owner, found.ground, str(found.until)) == (WANG, ground, "2026-03-11")


def test_a_buyer_is_not_given_to_anybody() -> None:
    history, v1 = registered()
    history.sell("2026-03-03 10:00", LIN, v1)
    history.assign("2026-03-04 10:00", WANG, v1)
    assert history.owner(v1, "2026-03-05 00:00") == LIN


# Two times


def test_an_answer_holds_by_what_was_on_record() -> None:
    history, v1 = registered()
    history.follow_up("2026-03-05 10:00", LIN, v1, known="2026-03-06 10:00")
    assert history.until(v1, "2026-03-05 12:00", known="2026-03-06 09:59") == "2026-03-09"
    assert history.until(v1, "2026-03-05 12:00", known="2026-03-06 10:00") == "2026-03-12"


def test_the_answer_is_complete() -> None:
    history, v1 = registered(WITHIN_30_DAYS)
    history.follow_up("2026-03-05 10:00", LIN, v1)
    history.again("2026-03-06 10:00", CHEN, v1)
    found = history.ask(v1, "2026-03-07 00:00")
    assert found.claim and found.claim.facts == (1, 2)
    assert {f"{WITHIN_30_DAYS}/{c}" for c in ("3p-16-1", "3p-17", "3p-10", "3p-15-3")} <= set(found.clauses)
    assert found.facts == (1, 2, 3)  # the last one joins the entries
    assert all(step.clauses and step.edition.startswith(WITHIN_30_DAYS) for step in found.steps)
