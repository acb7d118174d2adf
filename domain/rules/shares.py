"""Who is paid what: shares as exact fractions, amounts to the fen that add up to the whole (C1, C5, C7, C8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from ..rulebook import Edition, Row, RulebookError
from .vocabulary import fraction

FEN = Decimal("0.01")


class Shares(msgspec.Struct, frozen=True):
    """`ground`: owner, closers_equally, split, agreement - as the row says -, or ruling."""

    shares: dict[UUID, Fraction]
    ground: str
    clauses: tuple[str, ...]


def share_commission(
    owner: UUID | None,
    closers: Sequence[UUID],
    agreed: Mapping[UUID, Fraction] | None,
    edition: Edition,
    reception: str = "none",
) -> Shares:
    """The shares of a commission by the edition's table `commission.shares`; `reception`: how the closers, when none of
    them is the owner, had received the customer (CIRCUMSTANCES). Raises RulebookError when it does not decide."""
    closer = "others"
    if owner in closers:
        closer = "owner_alone" if len(closers) == 1 else "owner_among"
    reception = reception if owner and closer == "others" else "none"
    row = edition.finding(
        _row_of_shares, "present" if owner else "nobody", closer, "yes" if agreed else "no", reception
    )
    how = row.then["shares"]
    equally = {staff: Fraction(1, len(closers)) for staff in closers}
    if how == "agreement" and agreed:
        shares = dict(agreed)
    elif how == "owner" and owner:
        shares = {owner: Fraction(1)}
    elif how == "split" and owner:
        shares = {staff: part * fraction(row.then["closer"]) for staff, part in equally.items()}
        shares[owner] = shares.get(owner, Fraction(0)) + fraction(row.then["owner"])
    elif how == "closers_equally":
        shares = equally
    else:
        raise RulebookError(f"{edition.label}, table commission.shares: {row} can't be carried out for {closer}")
    return Shares({staff: share for staff, share in shares.items() if share}, how, row.clauses)


def _row_of_shares(edition: Edition, owner: str, closer: str, agreed: str, reception: str) -> Row:
    case = {"owner": owner, "closer": closer, "agreed": agreed, "reception": reception}
    return edition.row_for("commission.shares", case)


def amounts(shares: Mapping[UUID, Fraction], total: Decimal, order: Sequence[UUID]) -> dict[UUID, Decimal]:
    """`total` yuan divided by the shares: each rounded down to the fen, the missing fen to the largest remainders.

    Ties go by the place in `order` (the staff list). The amounts add up to `total`. (C7; SCENARIOS, words 16)
    """
    if list(shares.values()) == [1]:  # as most are
        return {staff: total.quantize(FEN, ROUND_DOWN) for staff in shares}
    place = {staff: index for index, staff in enumerate(order)}
    exact = {staff: Fraction(total) * share for staff, share in shares.items()}
    rounded = {
        staff: (Decimal(value.numerator) / Decimal(value.denominator)).quantize(FEN, ROUND_DOWN)
        for staff, value in exact.items()
    }
    missing = int((total - sum(rounded.values(), Decimal(0))) / FEN)
    by_remainder = sorted(
        exact, key=lambda staff: (Fraction(rounded[staff]) - exact[staff], place.get(staff, len(place)))
    )
    for staff in by_remainder[:missing]:
        rounded[staff] += FEN
    return rounded
