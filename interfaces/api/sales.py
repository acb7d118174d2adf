"""Sales: recording them, agreeing on shares, and how the commission is shared."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import fields, validate

from application.desk import Answer
from application.replay.lines import Citation
from domain.rules.vocabulary import fraction
from domain.sale import parse_amount

from .answers import EntryLine, Shares, citations, names, shares_of
from .caller import Caller
from .examples import COLLEAGUE, STAFF, VISITOR
from .fields import AMOUNT, CommandSchema, VisitorSchema, shares, text
from .operations import Resource
from .whose import concerned_by_sale, said_of_oneself

sales = Resource("sales", "Sales: closing, agreements on shares, who is paid what")
ALL = "/sites/<uuid:site>/sales"
ONE = f"{ALL}/<uuid:sale>"


class Sale(CommandSchema):
    visitor = fields.Nested(VisitorSchema, required=True)
    by = fields.List(
        fields.UUID(),
        validate=validate.Length(min=1, max=20),
        metadata={"description": "Who closed it; left out: the caller."},
    )
    amount = fields.String(
        required=True,
        validate=validate.Regexp(AMOUNT),
        metadata={"description": "The commission to share, in yuan."},
    )
    unit = text()
    buyer = fields.Nested(VisitorSchema, metadata={"description": "Another on the register who buys."})
    buyer_name = text(metadata={"description": "... or one who is not on the register."})


class Agreement(CommandSchema):
    shares = shares(required=True)
    by = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=50))


class SaleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sale as it stands: what was sold, who closed it, and who has which share. `amount`: the commission, in yuan."""

    sale: UUID
    visitor: EntryLine
    unit: str | None
    sold_at: datetime
    amount: str
    closers: tuple[UUID, ...]
    owner_id: UUID | None
    settlement: Shares
    clauses: tuple[Citation, ...]
    staff: dict[UUID, str]


@sales.command(
    ALL, Sale, action="sales.record", whose=said_of_oneself("by"),
    example={"visitor": {"visitor": VISITOR}, "by": [STAFF], "amount": "12000.00", "unit": "6-1-1204"},
    refuses=["unknown_visitor", "unknown_staff", "unit_already_sold"],
)  # fmt: skip
def sell(caller: Caller, given: dict[str, Any]) -> Answer:
    """A sale is closed; answers how the commission is shared, and why."""
    return caller.office.sell(
        caller.stamp(given),
        entry=given["visitor"],
        by=given.get("by") or [caller.staff],
        amount=parse_amount(given["amount"]),
        unit=given.get("unit"),
        buyer=given.get("buyer") or given.get("buyer_name"),
    )


@sales.query(ONE, SaleLine, action="sales.read", whose=concerned_by_sale, refuses=["unknown_sale"])
def show_sale(caller: Caller, given: dict[str, Any], *, sale: UUID) -> SaleLine:
    """A sale, and who is paid what for it."""
    office = caller.office
    found = office.files.sale(sale)
    terms, settlement = found.terms, office.settlement(found, caller.moment())
    return SaleLine(
        sale=sale,
        visitor=EntryLine(terms.visitor.visitor, terms.visitor.registration),
        unit=terms.unit,
        sold_at=found.recorded.occurred_at.astimezone(office.files.site().zone),
        amount=str(terms.amount),
        closers=terms.by,
        owner_id=settlement.owner,
        settlement=shares_of(settlement),
        clauses=citations(office, settlement.clauses),
        staff=names(office, [*terms.by, settlement.owner, *settlement.shares]),
    )


@sales.command(
    f"{ONE}/agreements", Agreement, action="sales.agree",
    example={"shares": {STAFF: "1/2", COLLEAGUE: "1/2"}, "by": [STAFF, COLLEAGUE]},
    refuses=["unknown_sale", "unknown_staff", "not_permitted", "wrong_state"],
)  # fmt: skip
def agree(caller: Caller, given: dict[str, Any], *, sale: UUID) -> Answer:
    """Those concerned (`by`: all of them) have agreed on shares; a leader or the accounts put it on record."""
    agreed = {staff: fraction(share) for staff, share in given["shares"].items()}
    return caller.office.agree(caller.stamp(given), sale=sale, shares=agreed, by=given["by"])
