"""The view of commissions: shares that are exact and add up to the fen."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from projections.commission import COMMISSION, fen
from tests.projections.given import (
    OTHER_PHONE,
    House,
    an_office,
    instant,
    judged,
    relate,
    rows,
    rule,
)

THIRD = Fraction(1, 3)


def lines(house: House) -> list[dict[str, Any]]:
    return rows(COMMISSION, judged(house))


def sell(house: House, at: str, entry: Any, *by: str, amount: str = "1000.00", **more: Any) -> UUID:
    closers = [house.staff[label] for label in by]
    sold = house.office.sell(house.stamp(at), entry=entry, by=closers, amount=Decimal(amount), **more)
    assert sold.subject is not None
    return sold.subject


def test_the_owner_has_it_though_somebody_else_closed() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    sale = sell(house, "2026-03-05 09:00", entry, "wang", unit="1-101")
    assert lines(house) == [
        {
            "sale": sale, "staff": house.lin, "site": house.office.site_id, "unit": "1-101",
            "sold_at": instant("2026-03-05 09:00"), "file": entry.visitor, "registration": 1, "share": "1",
            "amount_fen": 100_000, "total_fen": 100_000, "ground": "owner", "owner": house.lin, "closer": False,
            "ruled": False, "agreed": False, "edition": "revised-reception@2000-01-01",
        }
    ]  # fmt: skip


def test_without_a_sale_there_is_none() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    assert lines(house) == []


def test_of_an_unregistered_buyers_sale_the_closers_have_equal_shares() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    sell(house, "2026-03-05 09:00", entry, "wang", "zhao", "chen", amount="100.00", buyer="孙丽")
    found = {row["staff"]: (row["share"], row["amount_fen"]) for row in lines(house)}
    assert found == {house.wang: ("1/3", 3334), house.zhao: ("1/3", 3333), house.chen: ("1/3", 3333)}
    assert {(row["owner"], row["ground"], row["closer"]) for row in lines(house)} == {(None, "closers_equally", True)}


def test_a_buyer_on_the_register_takes_the_claim_along() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    buyer = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    sell(house, "2026-03-05 09:00", one, "zhao", buyer=buyer)
    assert [(row["staff"], row["file"]) for row in lines(house)] == [(house.wang, one.visitor)]


def test_an_agreement_is_followed() -> None:
    house = an_office()
    sale = sell(house, "2026-03-05 09:00", house.register("2026-03-02 09:00"), "wang", amount="0.01")
    shares = {house.lin: THIRD, house.wang: 1 - THIRD}
    house.office.agree(house.stamp("2026-03-06 09:00"), sale=sale, shares=shares, by=[house.lin, house.wang])
    found = {row["staff"]: (row["share"], row["amount_fen"], row["agreed"], row["ruled"]) for row in lines(house)}
    assert found == {house.lin: ("1/3", 0, True, False), house.wang: ("2/3", 1, True, False)}


def test_a_ruling_comes_before_an_agreement() -> None:
    house = an_office()
    sale = sell(house, "2026-03-05 09:00", house.register("2026-03-02 09:00"), "wang")
    shares = {house.lin: THIRD, house.wang: 1 - THIRD}
    house.office.agree(house.stamp("2026-03-06 09:00"), sale=sale, shares=shares, by=[house.lin, house.wang])
    rule(house, "2026-03-08 09:00", house.dispute("2026-03-07 09:00", sale), "zhao")
    (row,) = lines(house)
    assert (row["staff"], row["owner"], row["share"]) == (house.zhao, house.zhao, "1")
    assert (row["ruled"], row["agreed"], row["closer"]) == (True, False, False)


def test_a_relation_that_becomes_known_later_moves_the_commission() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    other = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    sell(house, "2026-03-05 09:00", other, "wang")
    assert [row["staff"] for row in lines(house)] == [house.wang]
    relate(house, "2026-03-06 09:00", other, one)
    assert [row["staff"] for row in lines(house)] == [house.lin]


def test_after_a_lapse_who_closes_owns() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    sell(house, "2026-03-10 00:00", entry, "wang")
    assert [(row["staff"], row["owner"]) for row in lines(house)] == [(house.wang, house.wang)]


@pytest.mark.parametrize(
    ("yuan", "expected"), [("0", 0), ("0.01", 1), ("1", 100), ("12.3", 1230), ("999999999999.99", 99999999999999)]
)
def test_fen(yuan: str, expected: int) -> None:
    assert fen(Decimal(yuan)) == expected


@for_all(st.integers(0, 10**9), st.lists(st.sampled_from(["lin", "wang", "zhao", "chen"]), min_size=1, unique=True))
def test_amounts_add_up_to_the_total(total: int, closers: list[str]) -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    sell(house, "2026-03-05 09:00", entry, *closers, amount=str(Decimal(total) / 100), buyer="孙丽")
    found = lines(house)
    assert sum(row["amount_fen"] for row in found) == total == found[0]["total_fen"]
    assert sum(Fraction(row["share"]) for row in found) == 1
