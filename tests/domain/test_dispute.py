"""Decisions of a dispute: raised in time, ruled on once."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from domain.dispute import (
    Dispute,
    DisputeOpened,
    DisputeRuled,
    RuleDispute,
    evolve,
    open_dispute,
    rule_dispute,
)
from domain.refusals import Refusal
from domain.visitor import Entry
from tests.domain.given import CHEN, LIN, SALE, WANG, ZONE, file, given, instant, on_record

V1 = Entry(file(1), 1)
ABOUT_VISITOR = DisputeOpened(visitor=V1, sale=None, by=WANG, label="d1")
ABOUT_SALE = DisputeOpened(visitor=V1, sale=SALE, by=WANG, label="d1")
THIRDS = {LIN: Fraction(1, 3), WANG: Fraction(2, 3)}
STORED_THIRDS = {str(LIN): "1/3", str(WANG): "2/3"}


def raised(at: str, sold: str | None = "2026-03-02 10:00", within: int | None = 7) -> DisputeOpened:
    return open_dispute(
        V1,
        SALE,
        WANG,
        label="d1",
        sold_at=instant(sold) if sold else None,
        at=instant(at),
        within_days=within,
        zone=ZONE,
    )


def ruling(
    owner: UUID | None = None, shares: Mapping[UUID, Fraction] | None = None, reason: str = "met first", **found: Any
) -> RuleDispute:
    known = {"found_owner": None, "found_shares": None, **found}
    return RuleDispute(owner=owner, shares=shares, by=CHEN, reason=reason, **known)


@pytest.mark.parametrize("at", ["2026-03-02 10:00", "2026-03-09 23:59", "2026-03-02 09:00"])
def test_a_claim_is_raised_in_time(at: str) -> None:
    assert raised(at) == ABOUT_SALE


@pytest.mark.parametrize(("within", "at"), [(7, "2026-03-10 00:00"), (0, "2026-03-03 00:00"), (1, "2026-03-04 00:00")])
def test_a_claim_comes_too_late(within: int, at: str) -> None:
    with pytest.raises(Refusal, match="claim_too_late"):
        raised(at, within=within)


@pytest.mark.parametrize(("sold", "within"), [(None, 7), ("2026-03-02 10:00", None)])
def test_without_a_sale_or_a_limit_no_claim_is_late(sold: str | None, within: int | None) -> None:
    assert raised("2030-01-01 00:00", sold, within) == ABOUT_SALE


def test_a_manager_names_an_owner() -> None:
    fact = DisputeRuled(owner=WANG, shares=None, adopted=False, by=CHEN, reason="met first")
    given(evolve, ABOUT_VISITOR).when(rule_dispute, ruling(WANG, found_owner=LIN)).then(fact)


def test_a_manager_names_shares() -> None:
    fact = DisputeRuled(owner=None, shares=STORED_THIRDS, adopted=False, by=CHEN, reason="met first")
    given(evolve, ABOUT_SALE).when(rule_dispute, ruling(shares=THIRDS)).then(fact)


def test_naming_nothing_adopts_the_answer_of_the_replay() -> None:
    fact = DisputeRuled(owner=LIN, shares=None, adopted=True, by=CHEN, reason="met first")
    given(evolve, ABOUT_VISITOR).when(rule_dispute, ruling(found_owner=LIN)).then(fact)
    fact = DisputeRuled(owner=None, shares=STORED_THIRDS, adopted=True, by=CHEN, reason="met first")
    given(evolve, ABOUT_SALE).when(rule_dispute, ruling(found_shares=THIRDS)).then(fact)


def test_the_answer_may_be_that_nobody_owns() -> None:
    fact = DisputeRuled(owner=None, shares=None, adopted=True, by=CHEN, reason="met first")
    given(evolve, ABOUT_VISITOR).when(rule_dispute, ruling()).then(fact)


def test_a_dispute_is_ruled_on_once() -> None:
    ruled = DisputeRuled(owner=WANG, shares=None, adopted=False, by=CHEN, reason="met first")
    given(evolve, ABOUT_VISITOR, ruled).when(rule_dispute, ruling(LIN)).then_refused("wrong_state")


def test_shares_belong_to_a_sale_and_stand_instead_of_an_owner() -> None:
    given(evolve, ABOUT_VISITOR).when(rule_dispute, ruling(shares=THIRDS)).then_refused("bad_value")
    given(evolve, ABOUT_SALE).when(rule_dispute, ruling(LIN, THIRDS)).then_refused("bad_value")


@pytest.mark.parametrize("parts", [["1/2"], ["1/2", "2/3"], ["0", "1"]])
def test_ruled_shares_sum_to_one(parts: list[str]) -> None:
    shares = {UUID(int=i): Fraction(part) for i, part in enumerate(parts)}
    given(evolve, ABOUT_SALE).when(rule_dispute, ruling(shares=shares)).then_refused("bad_value")


def test_ruled_shares_name_somebody() -> None:
    given(evolve, ABOUT_SALE).when(rule_dispute, ruling(shares={})).then_refused("bad_value")


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_ruling_gives_its_reason(reason: str) -> None:
    given(evolve, ABOUT_VISITOR).when(rule_dispute, ruling(WANG, reason=reason)).then_refused("bad_value")


def test_the_state_tells_the_matter_and_the_ruling() -> None:
    ruled = DisputeRuled(owner=WANG, shares=None, adopted=False, by=CHEN, reason="met first")
    found = given(evolve, ABOUT_VISITOR, ruled).state
    assert isinstance(found, Dispute) and found.matter == ABOUT_VISITOR
    assert found.ruled and found.ruled.fact == ruled and found.version == 2
    assert evolve(None, on_record(ruled)) is None
