"""Decisions of a sale: its terms, agreed shares, and amounts as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.refusals import Refusal
from domain.sale import (
    RecordSale,
    Sale,
    SaleRecorded,
    SaleRuled,
    SharesAgreed,
    agree_shares,
    check_shares,
    evolve,
    parse_amount,
    record_sale,
    shares_of,
)
from domain.visitor import Entry
from tests.domain.given import DISPUTE, LIN, WANG, ZHAO, file, given, on_record

V1 = Entry(file(1), 1)
RECORDED = SaleRecorded(visitor=V1, by=(LIN,), amount=Decimal("1000.00"), unit="1-101")
HALVES = {LIN: Fraction(1, 2), WANG: Fraction(1, 2)}
CONCERNED = frozenset([LIN, WANG])


def sale(by: tuple[UUID, ...] = (LIN,), amount: str = "1000.00") -> RecordSale:
    return RecordSale(visitor=V1, by=by, amount=Decimal(amount), unit="1-101")


@pytest.mark.parametrize("amount", ["0", "0.01", "1000.00", "1000", "999999999999.99", "1E+3"])
def test_a_sale_is_recorded(amount: str) -> None:
    fact = record_sale(sale((LIN, WANG), amount))
    assert fact == SaleRecorded(visitor=V1, by=(LIN, WANG), amount=Decimal(amount), unit="1-101")


@pytest.mark.parametrize("amount", ["-0.01", "0.001", "1000000000000", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_sum_of_yuan_and_fen_is_refused(amount: str) -> None:
    with pytest.raises(Refusal, match="bad_value"):
        record_sale(sale(amount=amount))


@pytest.mark.parametrize("by", [(), (LIN, LIN), (LIN, WANG, LIN)])
def test_a_sale_has_one_or_several_different_closers(by: tuple[UUID, ...]) -> None:
    with pytest.raises(Refusal, match="bad_value"):
        record_sale(sale(by))


@pytest.mark.parametrize(("text", "amount"), [("0", "0"), (" 12.5 ", "12.5"), ("1234.50", "1234.50")])
def test_an_amount_is_read(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["", " ", "abc", "NaN", "-5", "+5", "1e3", "0.001", "1,000", "5.", ".5", "１２", "1" * 13, "0x10", "1_000"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="bad_value"):
        parse_amount(text)


def test_those_concerned_agree() -> None:
    fact = SharesAgreed(shares={str(LIN): "1/2", str(WANG): "1/2"}, by=(LIN, WANG))
    given(evolve, RECORDED).when(agree_shares, HALVES, [LIN, WANG], CONCERNED).then(fact)


def test_they_may_agree_again() -> None:
    office = given(evolve, RECORDED, SharesAgreed(shares={str(LIN): "1"}, by=(LIN, WANG)))
    assert office.when(agree_shares, HALVES, [LIN, WANG], CONCERNED).fact


@pytest.mark.parametrize(
    ("shares", "by"),
    [
        (HALVES, [LIN]),  # one concerned is missing
        ({LIN: Fraction(1, 2), ZHAO: Fraction(1, 2)}, [LIN, WANG]),  # somebody who gets a share is missing
        ({LIN: Fraction(1)}, []),
    ],
)
def test_everybody_concerned_must_agree(shares: Mapping[UUID, Fraction], by: list[UUID]) -> None:
    given(evolve, RECORDED).when(agree_shares, shares, by, CONCERNED).then_refused("not_permitted")


def test_after_a_ruling_nothing_is_left_to_agree() -> None:
    ruled = SaleRuled(dispute=DISPUTE, shares={str(LIN): "1"}, owner=None)
    given(evolve, RECORDED, ruled).when(agree_shares, HALVES, [LIN, WANG], CONCERNED).then_refused("wrong_state")


@pytest.mark.parametrize("parts", [[], ["1/2"], ["1/2", "2/3"], ["0", "1"], ["-1/2", "3/2"], ["1/3", "1/3", "1/4"]])
def test_shares_are_positive_and_sum_to_one(parts: list[str]) -> None:
    shares = {UUID(int=i): Fraction(part) for i, part in enumerate(parts)}
    with pytest.raises(Refusal, match="bad_value"):
        check_shares(shares)
    given(evolve, RECORDED).when(agree_shares, shares, list(shares), CONCERNED).then_refused("bad_value")


@for_all(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_stored_shares_read_back_exactly(weights: list[int]) -> None:
    shares = {UUID(int=i): Fraction(weight, sum(weights)) for i, weight in enumerate(weights)}
    assert shares_of(check_shares(shares)) == shares


def test_the_state_keeps_agreements_and_rulings_in_order() -> None:
    agreed = SharesAgreed(shares={str(LIN): "1"}, by=(LIN,))
    ruled = SaleRuled(dispute=DISPUTE, shares=None, owner=WANG)
    found = given(evolve, RECORDED, agreed, ruled, agreed).state
    assert isinstance(found, Sale) and found.terms == RECORDED and found.version == 4
    assert [e.version for e in found.agreements] == [2, 4] and [e.version for e in found.rulings] == [3]
    assert evolve(None, on_record(agreed)) is None
