"""A sale: who closed it, for which commission; rulings and agreements on its shares. Shares are worked out,
never stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from .record import Envelope, Fact, stored_as
from .refusals import Refusal
from .visitor import Entry


@stored_as("sale.recorded.v1")
class SaleRecorded(Fact, frozen=True, kw_only=True):
    """`amount`: the commission to share, in yuan. `date_only`: the record gave no time, so 18:00 of that day was taken.

    When the buyer is another than the visitor, `buyer` is the buyer's entry in the register, or, for somebody
    not on it,
    `buyer_person` and `buyer_sealed` hold the name.
    """

    visitor: Entry
    by: tuple[UUID, ...]
    amount: Decimal
    unit: str | None
    buyer: Entry | None = None
    buyer_person: UUID | None = None
    buyer_sealed: bytes | None = None
    date_only: bool = False


@stored_as("sale.agreed.v1")
class SharesAgreed(Fact, frozen=True, kw_only=True):
    """Those concerned agree on the shares (C8): fractions as text, of sum 1."""

    shares: dict[str, str]
    by: tuple[UUID, ...]


@stored_as("sale.ruled.v1")
class SaleRuled(Fact, frozen=True, kw_only=True):
    """A manager's ruling: the shares themselves, or the owner from whom the rules derive them."""

    dispute: UUID
    shares: dict[str, str] | None
    owner: UUID | None


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a sale's stream. `recorded` is the envelope of SaleRecorded; the last agreement and ruling count."""

    id: UUID
    version: int
    recorded: Envelope
    agreements: tuple[Envelope, ...]
    rulings: tuple[Envelope, ...]

    @property
    def terms(self) -> SaleRecorded:
        fact = self.recorded.fact
        assert isinstance(fact, SaleRecorded)
        return fact

    def until(self, position: int) -> Sale:
        """The sale as it stood in the record up to a position."""
        return msgspec.structs.replace(
            self,
            agreements=tuple(e for e in self.agreements if e.position <= position),
            rulings=tuple(e for e in self.rulings if e.position <= position),
        )


def evolve(sale: Sale | None, envelope: Envelope) -> Sale | None:
    """Total: agreements and rulings are kept in order; anything else only moves the version on."""
    fact = envelope.fact
    if isinstance(fact, SaleRecorded):
        return Sale(id=envelope.stream, version=envelope.version, recorded=envelope, agreements=(), rulings=())
    if sale is None:
        return None
    agreements = (*sale.agreements, envelope) if isinstance(fact, SharesAgreed) else sale.agreements
    rulings = (*sale.rulings, envelope) if isinstance(fact, SaleRuled) else sale.rulings
    return msgspec.structs.replace(sale, version=envelope.version, agreements=agreements, rulings=rulings)


MOST_YUAN = Decimal(10) ** 12


def parse_amount(text: str) -> Decimal:
    """An amount in yuan with at most two decimals, as text. Raises Refusal bad_value (abc, NaN, -5, 1e3, 0.001)."""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", text.strip(), re.ASCII):
        raise Refusal("bad_value", f"{text!r} is not an amount in yuan such as 1234.50")
    return Decimal(text.strip())


class RecordSale(msgspec.Struct, frozen=True, kw_only=True):
    visitor: Entry
    by: tuple[UUID, ...]
    amount: Decimal
    unit: str | None = None
    buyer: Entry | None = None
    buyer_person: UUID | None = None
    buyer_sealed: bytes | None = None
    date_only: bool = False


def record_sale(command: RecordSale) -> SaleRecorded:
    """A sale is closed. (That a unit is sold once only is the store's word: the unit is claimed with the append.)

    Raises Refusal bad_value: no closer, the same closer twice, an amount that is no sum of yuan and fen.
    """
    if not command.by or len(set(command.by)) < len(command.by):
        raise Refusal("bad_value", "a sale has one or several different closers")
    amount = command.amount
    if not amount.is_finite() or not 0 <= amount < MOST_YUAN or amount != amount.quantize(Decimal("0.01")):
        raise Refusal("bad_value", f"{amount} is not an amount in yuan with at most two decimals")
    return SaleRecorded(
        visitor=command.visitor,
        by=command.by,
        amount=amount,
        unit=command.unit,
        buyer=command.buyer,
        buyer_person=command.buyer_person,
        buyer_sealed=command.buyer_sealed,
        date_only=command.date_only,
    )


def check_shares(shares: Mapping[UUID, Fraction]) -> dict[str, str]:
    """Shares as they are stored. Raises Refusal bad_value unless they are positive and sum to 1."""
    if not shares or any(share <= 0 for share in shares.values()) or sum(shares.values()) != 1:
        raise Refusal("bad_value", "shares are positive fractions that sum to 1")
    return {str(staff): str(share) for staff, share in shares.items()}


def agree_shares(
    sale: Sale, shares: Mapping[UUID, Fraction], by: Sequence[UUID], concerned: frozenset[UUID]
) -> SharesAgreed:
    """Those concerned - the owner and the closers - agree on shares (C8).

    Raises Refusal bad_value, and not_permitted when somebody concerned, or somebody given a share, has not agreed.
    """
    stored = check_shares(shares)
    missing = (concerned | set(shares)) - set(by)
    if missing:
        raise Refusal("not_permitted", "everybody concerned must agree")
    if sale.rulings:
        raise Refusal("wrong_state", "the shares of this sale have been ruled on")
    return SharesAgreed(shares=stored, by=tuple(by))


def shares_of(stored: Mapping[str, str]) -> dict[UUID, Fraction]:
    """Stored shares as fractions."""
    return {UUID(staff): Fraction(share) for staff, share in stored.items()}
