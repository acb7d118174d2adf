"""The sales of a period, read from the shares in their commissions: one row each, to be paged through."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.calendar import end_of, start_of

from .commission import COMMISSION
from .source import FIRST_ID, FIRST_INSTANT, LIMIT, Key, Page, Source, page_of, reading


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """A sale; see COMMISSION for what the fields hold. `shares` and `amounts_fen`: of everybody who has a share;
    `closers`: who of these closed it. Amounts in fen."""

    sale: UUID
    unit: str | None
    sold_at: datetime
    file: UUID
    registration: int
    total_fen: int
    ground: str
    owner: UUID | None
    ruled: bool
    agreed: bool
    edition: str
    shares: dict[UUID, str]
    amounts_fen: dict[UUID, int]
    closers: tuple[UUID, ...]


def _sold(*, staff: list[UUID], shares: list[str], amounts: list[int], closers: list[UUID], **columns: Any) -> Sold:
    return Sold(
        shares=dict(zip(staff, shares, strict=True)),
        amounts_fen=dict(zip(staff, amounts, strict=True)),
        closers=tuple(closers),
        **columns,
    )


def sales(
    source: Source,
    first: date,
    last: date,
    *,
    concerns: UUID | None = None,
    unit: str | None = None,
    ground: str | None = None,
    after: Key = (FIRST_INSTANT, FIRST_ID),
    limit: int = LIMIT,
) -> Page[Sold]:
    """The sales closed between two days, both included; all, or those in which somebody has a share or owns the
    customer (`concerns`)."""
    with reading(source, COMMISSION) as holds:
        return page_of(
            source, holds, "sales", _sold, lambda row: row, key=("sold_at", "sale"), after=after, limit=limit,
            begins=start_of(first, source.zone), ends=end_of(last, source.zone), concerns=concerns, unit=unit,
            ground=ground,
        )  # fmt: skip
