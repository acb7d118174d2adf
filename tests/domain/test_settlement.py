"""What a sale is worth to whom: the owner at the moment of sale, the buyer's case, agreements and rulings."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from domain.sale import Sale, SaleRecorded, SaleRuled, SharesAgreed
from domain.settlement import Settlement, settle
from domain.visitor import Entry
from tests.domain.given import (
    DISPUTE,
    LIN,
    PERSON,
    SALE,
    WANG,
    WITHIN_7_DAYS,
    WITHIN_30_DAYS,
    ZHAO,
    History,
    moment,
    on_record,
)

SOLD = "2026-03-05 10:00"


class Case(History):
    """One visitor registered by Lin and sold on 5 March; what is agreed and ruled on follows."""

    def __init__(self, rulebook: str = WITHIN_30_DAYS, at: str = SOLD, *by: UUID, **buyer: object) -> None:
        super().__init__(rulebook)
        self.v1 = self.register("2026-03-02 09:00", LIN)
        self.at, self.by, self.buyer = at, by or (WANG,), buyer
        self.sell(at, self.by, self.v1)
        self.agreements: list[tuple[str, dict[UUID, str]]] = []
        self.rulings: list[tuple[str, SaleRuled]] = []

    def agreed(self, at: str, **parts: str) -> None:
        self.agreements.append((at, {STAFF[label]: part for label, part in parts.items()}))

    def ruled(self, at: str, owner: UUID | None = None, **parts: str) -> None:
        shares = {str(STAFF[label]): part for label, part in parts.items()} or None
        self.rulings.append((at, SaleRuled(dispute=DISPUTE, shares=shares, owner=owner)))

    def settled(self, at: str = "2026-12-31 00:00", known: str | None = None, rulings: bool = True) -> Settlement:
        terms = SaleRecorded(visitor=self.v1, by=self.by, amount=Decimal("100.00"), unit=None, **self.buyer)  # type: ignore[arg-type]
        agreed = [
            on_record(SharesAgreed(shares={str(s): p for s, p in parts.items()}, by=tuple(parts)), day, stream=SALE)
            for day, parts in self.agreements
        ]
        sale = Sale(
            id=SALE,
            version=1,
            recorded=on_record(terms, self.at, stream=SALE),
            agreements=tuple(agreed),
            rulings=tuple(on_record(fact, day, stream=SALE) for day, fact in self.rulings),
        )
        return settle(self.question, sale, known_at=moment(at, known), staff_order=[LIN, WANG, ZHAO], rulings=rulings)


STAFF = {"lin": LIN, "wang": WANG, "zhao": ZHAO}
ALL_LIN, ALL_WANG = {LIN: Fraction(1)}, {WANG: Fraction(1)}


def test_the_owner_has_all_though_somebody_else_closes() -> None:
    found = Case().settled()
    assert (found.owner, found.shares, found.ground, found.buyer) == (LIN, ALL_LIN, "owner", "registered")
    assert found.amounts == {LIN: Decimal("100.00")}
    assert f"{WITHIN_30_DAYS}/our-whole-commission" in found.clauses


@pytest.mark.parametrize(("at", "owner"), [("2026-03-09 23:59", LIN), ("2026-03-10 00:00", WANG)])
def test_the_moment_of_sale_decides(at: str, owner: UUID) -> None:
    found = Case(WITHIN_7_DAYS, at).settled()
    assert (found.owner, found.shares) == (owner, {owner: Fraction(1)})


def test_nothing_after_the_sale_moves_the_shares() -> None:
    case = Case()
    case.rule("2026-03-06 10:00", ZHAO, case.v1)
    assert case.owner(case.v1, "2026-03-07 00:00") == ZHAO
    assert case.settled().shares == ALL_LIN


@pytest.mark.parametrize("rulebook", [WITHIN_7_DAYS, WITHIN_30_DAYS])
def test_a_buyer_who_is_the_visitors_wife(rulebook: str) -> None:
    case = Case(rulebook)
    wife = case.register("2026-03-03 09:00", ZHAO, phone=2)
    case.buyer = {"buyer": wife}
    case.relate("2026-03-04 09:00", wife, case.v1, "spouse")
    found = case.settled()
    assert (found.buyer, found.owner, found.shares) == ("same_customer", LIN, ALL_LIN)


@pytest.mark.parametrize(("rulebook", "owner"), [(WITHIN_7_DAYS, ZHAO), (WITHIN_30_DAYS, LIN)])
def test_a_buyer_on_the_register_who_is_a_stranger(rulebook: str, owner: UUID) -> None:
    case = Case(rulebook)
    stranger = case.register("2026-03-03 09:00", ZHAO, phone=2)
    case.buyer = {"buyer": stranger}
    found = case.settled()
    assert (found.buyer, found.owner, found.shares) == ("other", owner, {owner: Fraction(1)})
    assert found.attribution.entry == (stranger if owner == ZHAO else case.v1)


@pytest.mark.parametrize(
    ("rulebook", "owner", "shares"), [(WITHIN_7_DAYS, None, ALL_WANG), (WITHIN_30_DAYS, LIN, ALL_LIN)]
)
def test_a_buyer_who_is_on_no_register(rulebook: str, owner: UUID | None, shares: dict[UUID, Fraction]) -> None:
    found = Case(rulebook, SOLD, buyer_person=PERSON, buyer_sealed=b"x").settled()
    assert (found.buyer, found.owner, found.shares) == ("other", owner, shares)
    if owner is None:
        assert found.ground == "closers_equally" and f"{WITHIN_7_DAYS}/3a-11-5" in found.clauses


def test_with_nobody_owning_those_who_closed_share_equally() -> None:
    found = Case(WITHIN_7_DAYS, SOLD, WANG, ZHAO, LIN, buyer_person=PERSON, buyer_sealed=b"x").settled()
    assert found.shares == dict.fromkeys((WANG, ZHAO, LIN), Fraction(1, 3))
    assert found.amounts == {LIN: Decimal("33.34"), WANG: Decimal("33.33"), ZHAO: Decimal("33.33")}


def test_an_agreement_holds_from_its_moment_and_the_last_one_counts() -> None:
    case = Case()
    case.agreed("2026-03-06 10:00", lin="1/2", wang="1/2")
    case.agreed("2026-03-07 10:00", lin="1/3", wang="2/3")
    assert case.settled("2026-03-06 09:59").shares == ALL_LIN
    assert case.settled("2026-03-06 10:00").shares == {LIN: Fraction(1, 2), WANG: Fraction(1, 2)}
    found = case.settled("2026-03-07 10:00")
    assert (found.ground, found.shares[WANG]) == ("agreement", Fraction(2, 3))
    assert found.agreement and found.agreement.occurred_at == case.settled().agreement.occurred_at  # type: ignore[union-attr]


def test_what_was_not_yet_known_does_not_count() -> None:
    case = Case()
    case.agreed("2026-03-06 10:00", lin="1/2", wang="1/2")
    assert case.settled(known="2026-03-06 09:59").ground == "owner"


def test_a_ruling_on_shares_leaves_the_owner() -> None:
    case = Case()
    case.agreed("2026-03-06 10:00", lin="1/3", wang="2/3")
    case.ruled("2026-03-07 10:00", lin="1/4", zhao="3/4")
    found = case.settled()
    assert (found.owner, found.ground, found.shares) == (LIN, "ruling", {LIN: Fraction(1, 4), ZHAO: Fraction(3, 4)})
    assert found.ruling and f"{WITHIN_30_DAYS}/our-rulings" in found.clauses


def test_a_ruling_on_the_owner_gives_the_shares_that_follow() -> None:
    case = Case()
    case.ruled("2026-03-07 10:00", owner=ZHAO)
    found = case.settled()
    assert (found.owner, found.ground, found.shares) == (ZHAO, "owner", {ZHAO: Fraction(1)})
    assert case.settled("2026-03-07 09:59").owner == LIN


def test_the_last_ruling_counts_and_a_what_if_leaves_all_out() -> None:
    case = Case()
    case.agreed("2026-03-06 10:00", lin="1/2", wang="1/2")
    case.ruled("2026-03-07 10:00", owner=ZHAO)
    case.ruled("2026-03-08 10:00", wang="1")
    assert case.settled().shares == ALL_WANG
    what_if = case.settled(rulings=False)
    assert (what_if.shares, what_if.ruling, what_if.agreement) == (ALL_LIN, None, None)


def test_a_ruling_on_the_owner_overrides_what_others_agreed_before() -> None:
    case = Case()
    case.agreed("2026-03-06 10:00", lin="1/2", wang="1/2")
    case.ruled("2026-03-07 10:00", owner=ZHAO)
    assert case.settled().shares == {ZHAO: Fraction(1)}


def test_a_customers_other_entry_brings_the_same_owner() -> None:
    case = Case()
    again: Entry = case.again("2026-03-04 10:00", ZHAO, case.v1)
    case.buyer = {"buyer": again}
    assert (case.settled().buyer, case.settled().owner) == ("same_customer", LIN)
