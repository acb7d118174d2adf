"""Shares as exact fractions and amounts to the fen that add up to the whole (C1, C5, C7, C8; word 16)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.rulebook import Edition, Row, Table
from domain.rules.shares import FEN, amounts, share_commission
from tests.domain.given import LIN, WANG, WITHIN_30_DAYS, ZHAO, shipped

STAFF = [UUID(int=number) for number in range(1, 9)]
weights = st.lists(st.integers(1, 10**6), min_size=1, max_size=8)
totals = st.integers(0, 10**14 - 1).map(lambda fen: Decimal(fen) * FEN)


def shares_of(parts: list[int]) -> dict[UUID, Fraction]:
    return {staff: Fraction(part, sum(parts)) for staff, part in zip(STAFF, parts, strict=False)}


@for_all(weights, totals)
def test_amounts_add_up_and_nobody_is_a_fen_away(parts: list[int], total: Decimal) -> None:
    shares = shares_of(parts)
    found = amounts(shares, total, STAFF)
    assert sum(found.values()) == total and found.keys() == shares.keys()
    assert all(abs(Fraction(found[staff]) - Fraction(total) * share) < Fraction(FEN) for staff, share in shares.items())
    assert all(amount >= 0 and amount == amount.quantize(FEN) for amount in found.values())


@for_all(weights, totals, st.permutations(STAFF))
def test_the_largest_remainders_get_the_fen_and_ties_go_by_place(
    parts: list[int], total: Decimal, order: list[UUID]
) -> None:
    shares = shares_of(parts)
    found = amounts(shares, total, order)
    fen = {staff: Fraction(total) * share * 100 for staff, share in shares.items()}
    down = {staff: exact.numerator // exact.denominator for staff, exact in fen.items()}
    ranked = sorted(shares, key=lambda staff: (down[staff] - fen[staff], order.index(staff)))
    more = int(total * 100) - sum(down.values())
    assert found == {staff: (down[staff] + (staff in ranked[:more])) * FEN for staff in shares}


@for_all(weights, totals, st.permutations(range(8)))
def test_the_order_of_the_shares_does_not_matter(parts: list[int], total: Decimal, order: list[int]) -> None:
    shares = list(shares_of(parts).items())
    shuffled = [shares[i] for i in order if i < len(shares)]
    assert amounts(dict(shuffled), total, STAFF) == amounts(dict(shares), total, STAFF)


@pytest.mark.parametrize(
    ("total", "parts", "expected"),
    [
        ("1000.00", [1, 2], ["333.33", "666.67"]),
        ("100.00", [1, 1, 1], ["33.34", "33.33", "33.33"]),
        ("0.02", [1, 1, 1], ["0.01", "0.01", "0.00"]),
        ("0.00", [1, 1], ["0.00", "0.00"]),
        ("10", [1], ["10.00"]),
        ("0.01", [1, 99], ["0.00", "0.01"]),
        ("999999999999.99", [1, 1], ["500000000000.00", "499999999999.99"]),
    ],
)
def test_amounts_as_a_cashier_would_count(total: str, parts: list[int], expected: list[str]) -> None:
    assert list(amounts(shares_of(parts), Decimal(total), STAFF).values()) == list(map(Decimal, expected))


def test_ties_go_by_the_staff_list_and_then_to_those_not_on_it() -> None:
    halves = {LIN: Fraction(1, 2), WANG: Fraction(1, 2)}
    assert amounts(halves, Decimal("0.01"), [WANG, LIN])[WANG] == FEN
    assert amounts(halves, Decimal("0.01"), [WANG])[WANG] == FEN


def test_shares_too_fine_for_decimals_still_add_up() -> None:
    sliver = Fraction(1, 10**40)
    shares = {LIN: Fraction(1, 3) - sliver, WANG: Fraction(1, 3) + sliver, ZHAO: Fraction(1, 3)}
    assert sum(amounts(shares, Decimal("300000000000.00"), STAFF).values()) == Decimal("300000000000.00")


# Who has which share


def with_rows(*rows: dict[str, str]) -> Edition:
    """An edition whose only case of commission is the last of these effects."""
    table = Table(
        name="commission.shares",
        rows=tuple(
            Row(when={}, within={}, outside={}, then=then, clauses=("house/c",), otherwise=True) for then in rows
        ),
    )
    edition = shipped(WITHIN_30_DAYS)
    return msgspec.structs.replace(edition, tables={**edition.tables, "commission.shares": table})


@pytest.mark.parametrize("closers", [[LIN], [WANG], [WANG, LIN], [WANG, ZHAO]])
def test_the_owner_has_all(closers: list[UUID]) -> None:
    found = share_commission(LIN, closers, None, shipped(WITHIN_30_DAYS))
    assert (found.shares, found.ground) == ({LIN: Fraction(1)}, "owner")
    assert found.clauses == (f"{WITHIN_30_DAYS}/our-whole-commission",)


@pytest.mark.parametrize("closers", [[LIN], [WANG, LIN], [WANG, ZHAO, LIN]])
def test_with_nobody_owning_the_closers_share_equally(closers: list[UUID]) -> None:
    found = share_commission(None, closers, None, shipped(WITHIN_30_DAYS))
    assert (found.shares, found.ground) == (dict.fromkeys(closers, Fraction(1, len(closers))), "closers_equally")


@pytest.mark.parametrize("owner", [None, LIN])
def test_an_agreement_holds(owner: UUID | None) -> None:
    agreed = {LIN: Fraction(1, 4), WANG: Fraction(3, 4)}
    found = share_commission(owner, [WANG], agreed, shipped(WITHIN_30_DAYS))
    assert (found.shares, found.ground) == (agreed, "agreement")


@pytest.mark.parametrize(
    ("closers", "expected"),
    [
        ([WANG], {WANG: Fraction(2, 3), LIN: Fraction(1, 3)}),
        ([WANG, ZHAO], {WANG: Fraction(1, 3), ZHAO: Fraction(1, 3), LIN: Fraction(1, 3)}),
        ([WANG, LIN], {WANG: Fraction(1, 3), LIN: Fraction(2, 3)}),
        ([LIN], {LIN: Fraction(1)}),
    ],
)
def test_a_split_divides_between_owner_and_closers(closers: list[UUID], expected: dict[UUID, Fraction]) -> None:
    split = with_rows({"shares": "split", "owner": "1/3", "closer": "2/3"})
    assert share_commission(LIN, closers, None, split).shares == expected


def test_nobody_is_listed_with_nothing() -> None:
    nothing = with_rows({"shares": "split", "owner": "0", "closer": "1"})
    assert share_commission(LIN, [WANG], None, nothing).shares == {WANG: Fraction(1)}
