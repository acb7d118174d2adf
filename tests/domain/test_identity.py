"""Who is one customer: phones and names, households, companies - under each shipped rulebook (A5, A6, A7)."""

from __future__ import annotations

import pytest

from domain.rules.identity import customer_of, links
from domain.rules.vocabulary import RELATIONS
from domain.visitor import Entry
from tests.domain.given import LIN, WANG, WITHIN_7_DAYS, WITHIN_30_DAYS, ZHAO, History, shipped


def one_customer(history: History, one: Entry, other: Entry) -> bool:
    return other in customer_of(one, links(history.facts, history.editions[0].edition)).entries


def two_visitors(rulebook: str = WITHIN_7_DAYS) -> tuple[History, Entry, Entry]:
    history = History(rulebook)
    v1 = history.register("2026-03-02 09:00", LIN, phone=1)
    return history, v1, history.register("2026-03-03 09:00", WANG, phone=2)


@pytest.mark.parametrize(("rulebook", "same"), [(WITHIN_7_DAYS, False), (WITHIN_30_DAYS, True)])
def test_the_same_phone_under_another_name(rulebook: str, same: bool) -> None:
    history = History(rulebook)
    v1 = history.register("2026-03-02 09:00", LIN)
    v2 = history.register("2026-03-03 09:00", WANG)
    assert one_customer(history, v1, v2) is same
    assert history.owner(v2, "2026-03-04 00:00") == (LIN if same else WANG)


@pytest.mark.parametrize("rulebook", [WITHIN_7_DAYS, WITHIN_30_DAYS])
def test_the_same_phone_under_the_same_name_or_without_one(rulebook: str) -> None:
    history = History(rulebook)
    v1 = history.register("2026-03-02 09:00", LIN)
    again = history.again("2026-03-03 09:00", WANG, v1)
    unnamed = history.register("2026-03-03 10:00", WANG, has_name=False)
    assert one_customer(history, v1, again) and one_customer(history, v1, unnamed)
    assert history.owner(unnamed, "2026-03-04 00:00") == LIN


def test_other_phones_are_other_customers() -> None:
    history, v1, v2 = two_visitors()
    assert not one_customer(history, v1, v2)
    assert (history.owner(v1, "2026-03-04 00:00"), history.owner(v2, "2026-03-04 00:00")) == (LIN, WANG)


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize(
    ("rulebook", "joining"),
    [(WITHIN_7_DAYS, {"spouse", "parent"}), (WITHIN_30_DAYS, {"spouse", "parent", "child", "shareholder"})],
)
def test_which_relations_make_one_customer(rulebook: str, joining: set[str], relation: str) -> None:
    history, v1, v2 = two_visitors(rulebook)
    history.relate("2026-03-04 09:00", v2, v1, relation)
    assert one_customer(history, v1, v2) is one_customer(history, v2, v1) is (relation in joining)
    assert history.owner(v2, "2026-03-05 00:00") == (LIN if relation in joining else WANG)


def test_what_is_unproven_joins_nobody() -> None:
    history, v1, v2 = two_visitors()
    history.relate("2026-03-04 09:00", v2, v1, "spouse", proven=False)
    assert not one_customer(history, v1, v2)
    history.relate("2026-03-05 09:00", v2, v1, "spouse")
    assert one_customer(history, v1, v2)


def test_the_amended_household_decides() -> None:
    history, v1, v2 = two_visitors()
    history.relate("2026-03-04 09:00", v2, v1, "sibling")
    wider = shipped(household=["spouse", "parent", "sibling"])
    assert not one_customer(history, v1, v2)
    assert v2 in customer_of(v1, links(history.facts, wider)).entries


def test_a_company_and_a_household_never_contradict() -> None:
    history, v1, v2 = two_visitors(WITHIN_30_DAYS)
    history.relate("2026-03-04 09:00", v2, v1, "shareholder")
    both = shipped(WITHIN_30_DAYS, household=["shareholder"], company=["shareholder"])
    assert v2 in customer_of(v1, links(history.facts, both)).entries


def test_joining_is_transitive_and_across_files() -> None:
    history, v1, v2 = two_visitors()
    v3 = history.register("2026-03-03 12:00", ZHAO, phone=3)
    stranger = history.register("2026-03-03 13:00", ZHAO, phone=3)
    history.relate("2026-03-04 09:00", v2, v1, "spouse")
    history.relate("2026-03-04 10:00", v3, v2, "parent")
    found = customer_of(v1, links(history.facts, shipped()))
    assert found.entries == {v1, v2, v3}
    assert [(link.one, link.other) for link in found.apart] == [(v3, stranger)]


def test_close_family_under_one_phone_is_one_customer() -> None:
    history = History()
    v1 = history.register("2026-03-02 09:00", LIN)
    v2 = history.register("2026-03-03 09:00", WANG)
    history.relate("2026-03-04 09:00", v2, v1, "spouse")
    assert one_customer(history, v1, v2)
    assert history.owner(v2, "2026-03-05 00:00") == LIN


def test_a_relation_in_two_files_is_one_link() -> None:
    history, v1, v2 = two_visitors()
    history.relate("2026-03-04 09:00", v2, v1, "spouse")
    assert len(history.facts) == 4 and len(links(history.facts, shipped())) == 1


def test_a_relation_holds_for_all_times_once_it_is_known() -> None:
    history, v1, v2 = two_visitors()
    history.relate("2026-03-20 09:00", v2, v1, "spouse")
    assert history.owner(v2, "2026-03-04 00:00", known="2026-03-20 08:59") == WANG
    assert history.owner(v2, "2026-03-04 00:00", known="2026-03-20 09:00") == LIN


@pytest.mark.parametrize(("married", "owner"), [("2026-03-05 09:00", LIN), ("2026-03-20 09:00", None)])
def test_a_registration_founds_nothing_while_a_relatives_claim_ran(married: str, owner: object) -> None:
    history, v1, v2 = two_visitors()
    history.relate(married, v2, v1, "spouse")
    assert history.owner(v2, "2026-03-09 12:00") == LIN
    assert history.owner(v2, "2026-03-21 00:00") is None


def test_a_relatives_follow_up_renews_for_all() -> None:
    history, v1, v2 = two_visitors()
    history.relate("2026-03-04 09:00", v2, v1, "spouse")
    history.follow_up("2026-03-06 09:00", LIN, v2)
    assert history.until(v1, "2026-03-07 00:00") == history.until(v2, "2026-03-07 00:00") == "2026-03-13"


def test_the_order_of_the_list_does_not_matter_beyond_positions() -> None:
    history = History()
    v1 = history.register("2026-03-02 09:00", LIN)
    again = history.again("2026-03-12 09:00", WANG, v1)
    answer = history.owner(v1, "2026-03-12 12:00")
    history.facts.reverse()
    assert (answer, history.owner(v1, "2026-03-12 12:00")) == (WANG, WANG)
    assert one_customer(history, v1, again)
