"""Customers as the views have them: the register and who owns whom, whom nobody owns, whom to look after.

Names and phones are told masked. A consultant is shown the own customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import fields, validate

from application.replay.lines import Text
from application.replay.wording import GROUND
from projections.follow_ups_due import FOLLOW_UPS_DUE
from projections.names import shown
from projections.ownership import OWNERSHIP
from projections.reports import (
    FIRST_DUE,
    FIRST_ENTRY,
    LAST_NUMBER,
    WITHIN_DAYS,
    Due,
    Owned,
    follow_ups_due,
    lapsing,
    open_pool,
    register,
)
from projections.source import LAST_ID, LAST_INSTANT, Holds, Page

from .answers import EntryLine, names
from .caller import Caller
from .fields import code
from .operations import Resource
from .reading import OfDay, Paged, cursor, key_after, source_of, today, whom
from .whose import said_of_oneself

customers = Resource("customers", "Customers: the register, who owns whom, whom to look after, from the views")
SITE = "/sites/<uuid:site>"
BOTH_DUE = (FOLLOW_UPS_DUE, OWNERSHIP)
OF_OWN = said_of_oneself("owner")


class PagedOfDay(OfDay, Paged):
    pass


class OfRegister(PagedOfDay):
    owner = fields.UUID(metadata={"description": "Only whom this one owns."})
    status = code(["owned", "unowned", "bought"], metadata={"description": "Only those who stand so on the day."})


class OfDue(PagedOfDay):
    owner = fields.UUID(metadata={"description": "Only whom this one owns."})
    within_days = fields.Integer(
        load_default=WITHIN_DAYS,
        validate=validate.Range(min=0, max=366),
        metadata={"description": "Days that protection may still last.", "example": WITHIN_DAYS},
    )


class OwnedVisitor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the register, masked, and who owns the customer on the day asked about (None: nobody).

    `erased`: nothing can be shown any more. `customer`: the first entry of the customer that this person is one with.
    `until`: the last protected day; `days_left`: protected days after the one asked about."""

    visitor: UUID
    registration: int
    name: str | None
    phone: str | None
    erased: bool
    customer: EntryLine
    owner: UUID | None
    ground: str
    ground_text: Text
    since: datetime | None
    until: date | None
    days_left: int | None
    bought: bool
    ruled: bool
    last_owner: UUID | None
    ended_at: datetime | None
    registered_at: datetime
    last_contact_at: datetime
    edition: str


class VisitorList(msgspec.Struct, frozen=True, kw_only=True):
    """Persons on the register on a day. `after`: what to ask on with; None: this is the end."""

    day: date
    visitors: tuple[OwnedVisitor, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


class DueVisitor(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, masked, whom the owner has to look after.

    `reasons`: lapsing (protection ends within the days asked for), not_called (came on the day and was not followed up
    since), few_follow_ups (fewer than two since the claim was founded). `until`, `days_left` as in OwnedVisitor."""

    visitor: UUID
    registration: int
    name: str | None
    phone: str | None
    erased: bool
    owner: UUID
    until: date | None
    days_left: int | None
    reasons: tuple[str, ...]
    follow_ups: int
    followed_up_at: datetime | None
    last_contact_at: datetime
    visited_at: datetime
    registered_at: datetime


class DueList(msgspec.Struct, frozen=True, kw_only=True):
    """Customers to look after, those whose protection ends first before the others. `after`: what to ask on with."""

    day: date
    visitors: tuple[DueVisitor, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


@customers.query(
    f"{SITE}/visitors", VisitorList, action="visitors.list", schema=OfRegister, whose=OF_OWN, reads=[OWNERSHIP]
)  # fmt: skip
def list_visitors(caller: Caller, given: dict[str, Any]) -> VisitorList:
    """The persons on the register and who owns them, in pages; a consultant's are the own customers."""
    day = given.get("day") or today(caller)
    owner, status, after = whom(caller, given, "owner"), given.get("status"), key_after(given, FIRST_ENTRY)
    with source_of(caller) as source:
        page = register(source, day, owner=owner, status=status, after=after, limit=given["limit"])
    return _register(caller, day, page)


@customers.query(
    f"{SITE}/reports/open-pool", VisitorList, action="reports.open_pool", schema=PagedOfDay, reads=[OWNERSHIP]
)  # fmt: skip
def list_open_pool(caller: Caller, given: dict[str, Any]) -> VisitorList:
    """The customers whom nobody owns on a day, those last in touch first, in pages."""
    day = given.get("day") or today(caller)
    after = key_after(given, (LAST_INSTANT, LAST_ID, LAST_NUMBER))
    with source_of(caller) as source:
        page = open_pool(source, day, after=after, limit=given["limit"])
    return _register(caller, day, page)


@customers.query(
    f"{SITE}/reports/lapsing", DueList, action="reports.customers", schema=OfDue, whose=OF_OWN, reads=BOTH_DUE
)  # fmt: skip
def list_lapsing(caller: Caller, given: dict[str, Any]) -> DueList:
    """The customers whose protection ends within some days, the earliest first, in pages."""
    return _due(caller, given, lapsing)


@customers.query(
    f"{SITE}/reports/follow-ups", DueList, action="reports.customers", schema=OfDue, whose=OF_OWN, reads=BOTH_DUE
)  # fmt: skip
def list_follow_ups_due(caller: Caller, given: dict[str, Any]) -> DueList:
    """The customers to be followed up on a day, each with the reasons, in pages."""
    return _due(caller, given, follow_ups_due)


def _register(caller: Caller, day: date, page: Page[Owned]) -> VisitorList:
    seen = shown(caller.office.keyring, page.rows)
    visitors = tuple(
        OwnedVisitor(
            visitor=row.file, registration=row.registration, name=one.name, phone=one.phone, erased=one.erased,
            customer=EntryLine(row.customer_file, row.customer_registration), owner=row.owner, ground=row.ground,
            ground_text=Text(*GROUND[row.ground]), since=row.since, until=row.until, days_left=row.days_left,
            bought=row.bought, ruled=row.ruled, last_owner=row.last_owner, ended_at=row.ended_at,
            registered_at=row.registered_at, last_contact_at=row.last_contact_at, edition=row.edition,
        )
        for row, one in zip(page.rows, seen, strict=True)
    )  # fmt: skip
    mentioned = [who for row in page.rows for who in (row.owner, row.last_owner)]
    return VisitorList(
        day=day, visitors=visitors, after=cursor(page.after), staff=names(caller.office, mentioned), holds=page.holds
    )


def _due(caller: Caller, given: dict[str, Any], ask: Any) -> DueList:
    day = given.get("day") or today(caller)
    owner, after = whom(caller, given, "owner"), key_after(given, FIRST_DUE)
    with source_of(caller) as source:
        page = ask(source, day, within_days=given["within_days"], owner=owner, after=after, limit=given["limit"])
    return due_list(caller, day, page)


def due_list(caller: Caller, day: date, page: Page[Due]) -> DueList:
    """Customers to look after as they are told."""
    return DueList(
        day=day, visitors=_due_visitors(caller, page.rows), after=cursor(page.after),
        staff=names(caller.office, [row.owner for row in page.rows]), holds=page.holds,
    )  # fmt: skip


def _due_visitors(caller: Caller, rows: Sequence[Due]) -> tuple[DueVisitor, ...]:
    return tuple(
        DueVisitor(
            visitor=row.file, registration=row.registration, name=one.name, phone=one.phone, erased=one.erased,
            owner=row.owner, until=row.until, days_left=row.days_left, reasons=row.reasons, follow_ups=row.follow_ups,
            followed_up_at=row.followed_up_at, last_contact_at=row.last_contact_at, visited_at=row.visited_at,
            registered_at=row.registered_at,
        )
        for row, one in zip(rows, shown(caller.office.keyring, rows), strict=True)
    )  # fmt: skip
