"""Disputes and sales in lists, as the views have them, as far as it is no visitor's name or phone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from marshmallow import fields

from application.replay.wording import SHARES
from projections.commission import COMMISSION
from projections.docket import DOCKET
from projections.reports import Disputed, docket
from projections.sales_report import Sold, sales
from projections.source import FIRST_ID, FIRST_INSTANT, Holds

from .answers import names
from .caller import Caller
from .fields import code, text
from .operations import Resource
from .reading import InPeriod, Paged, cursor, key_after, source_of, whom
from .whose import said_of_oneself

matters = Resource("matters", "Matters: lists of disputes and of sales, from the views")
SITE = "/sites/<uuid:site>"


class OfStatus(Paged):
    status = code(["open", "ruled"], metadata={"example": "open"})


class OfSales(InPeriod, Paged):
    staff = fields.UUID(metadata={"description": "Only those in which this one has a share, or owns the customer."})
    unit = text(metadata={"description": "Only those of this unit."})
    ground = code(list(SHARES), metadata={"description": "Only those shared on this ground."})


class Docket(msgspec.Struct, frozen=True, kw_only=True):
    """Disputes, oldest first. `after`: what to ask on with; None: this is the end."""

    disputes: tuple[Disputed, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


class SaleList(msgspec.Struct, frozen=True, kw_only=True):
    """Sales in the order in which they were closed. `after`: what to ask on with; None: this is the end."""

    sales: tuple[Sold, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


@matters.query(f"{SITE}/disputes", Docket, action="reports.disputes", schema=OfStatus, reads=[DOCKET])
def list_disputes(caller: Caller, given: dict[str, Any]) -> Docket:
    """The disputes, all or those of one status, in pages."""
    after = key_after(given, (FIRST_INSTANT, FIRST_ID))
    with source_of(caller) as source:
        page = docket(source, given.get("status"), after=after, limit=given["limit"])
    return Docket(
        disputes=page.rows, after=cursor(page.after), holds=page.holds,
        staff=names(caller.office, [who for row in page.rows for who in (row.raised_by, row.ruled_by, row.owner)]),
    )  # fmt: skip


@matters.query(
    f"{SITE}/sales", SaleList, action="sales.list", schema=OfSales, whose=said_of_oneself("staff"), reads=[COMMISSION]
)  # fmt: skip
def list_sales(caller: Caller, given: dict[str, Any]) -> SaleList:
    """The sales closed between two days with everybody's shares, in pages; a consultant's are the own ones."""
    after = key_after(given, (FIRST_INSTANT, FIRST_ID))
    asked = {name: given[name] for name in ("unit", "ground") if name in given}
    with source_of(caller) as source:
        page = sales(
            source, given["first"], given["last"], concerns=whom(caller, given, "staff"), after=after,
            limit=given["limit"], **asked,
        )  # fmt: skip
    return SaleList(
        sales=page.rows, after=cursor(page.after), holds=page.holds,
        staff=names(caller.office, [who for row in page.rows for who in (*row.shares, row.owner)]),
    )  # fmt: skip
