"""Reports: what the views say, as far as it is no visitor's name or phone.

Lists come in pages, asked on with `after`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import current_app
from marshmallow import ValidationError, fields, validate, validates_schema

from application.event_store.appending import StoreRefused
from projections.floor_reports import Turns, turns
from projections.period_reports import PeriodReport, daily, monthly
from projections.records import reached
from projections.reports import CommissionLine, CommissionSum, Disputed, commission_statement, docket
from projections.source import FIRST_ID, FIRST_INSTANT, LIMIT, Holds, Key, Source

from .answers import names
from .caller import Caller
from .errors import Problem
from .fields import QuerySchema, code
from .operations import Resource

reports = Resource("reports", "Reports: what the views say, up to which fact, under which editions")
SITE = "/sites/<uuid:site>"
MOST_ROWS = 500
LONGEST_PERIOD_DAYS = 366


class Paged(QuerySchema):
    after = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The `after` of the page before; left out: the first page."},
    )
    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(min=1, max=MOST_ROWS), metadata={"example": 100})


class OfStatus(Paged):
    status = code(["open", "ruled"], metadata={"example": "open"})


class Day(QuerySchema):
    day = fields.Date(required=True, metadata={"example": "2026-03-02"})


class Period(QuerySchema):
    first = fields.Date(required=True, metadata={"example": "2026-03-01"})
    last = fields.Date(required=True, metadata={"example": "2026-03-31", "description": "Included."})
    staff = fields.UUID(metadata={"description": "Only this one's."})

    @validates_schema
    def in_order(self, given: dict[str, Any], **more: Any) -> None:
        if not 0 <= (given["last"] - given["first"]).days < LONGEST_PERIOD_DAYS:
            raise ValidationError(f"Give a period of 1 to {LONGEST_PERIOD_DAYS} days.")


class PeriodPaged(Period, Paged):
    pass


class Docket(msgspec.Struct, frozen=True, kw_only=True):
    """Disputes, oldest first. `after`: what to ask on with; None: this is the end."""

    disputes: tuple[Disputed, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


class Commission(msgspec.Struct, frozen=True, kw_only=True):
    """Shares in the commission, in the order of the sales; `sums` and `amount_fen`: over the whole period, in fen."""

    lines: tuple[CommissionLine, ...]
    after: str | None
    sums: tuple[CommissionSum, ...]
    amount_fen: int
    staff: dict[UUID, str]
    holds: Holds


class PeriodTold(msgspec.Struct, frozen=True):
    """What a day or a month brought."""

    report: PeriodReport
    holds: Holds


class TurnsTold(msgspec.Struct, frozen=True):
    """Turns and attendance, a line each for everybody who was on the floor."""

    turns: tuple[Turns, ...]
    staff: dict[UUID, str]
    holds: Holds


@reports.query(f"{SITE}/disputes", Docket, action="reports.disputes", schema=OfStatus, refuses=["views_missing"])
def list_disputes(caller: Caller, given: dict[str, Any]) -> Docket:
    """The disputes, all or those of one status, in pages."""
    after = _key(given, (FIRST_INSTANT, FIRST_ID))
    with source_of(caller) as source:
        page = docket(source, given.get("status"), after=after, limit=given["limit"])
    return Docket(
        disputes=page.rows, after=_cursor(page.after), holds=page.holds,
        staff=names(caller.office, [who for row in page.rows for who in (row.raised_by, row.ruled_by, row.owner)]),
    )  # fmt: skip


@reports.query(
    f"{SITE}/reports/commission", Commission, action="reports.money", schema=PeriodPaged, refuses=["views_missing"]
)  # fmt: skip
def report_commission(caller: Caller, given: dict[str, Any]) -> Commission:
    """Who is paid what for the sales closed between two days, in pages."""
    after = _key(given, (FIRST_INSTANT, FIRST_ID, FIRST_ID))
    with source_of(caller) as source:
        found = commission_statement(
            source, given["first"], given["last"], staff=given.get("staff"), after=after, limit=given["limit"]
        )
    mentioned = [*(one.staff for one in found.sums), *(line.owner for line in found.lines.rows)]
    return Commission(
        lines=found.lines.rows, after=_cursor(found.lines.after), sums=found.sums, amount_fen=found.amount_fen,
        staff=names(caller.office, mentioned), holds=found.lines.holds,
    )  # fmt: skip


@reports.query(f"{SITE}/reports/daily", PeriodTold, action="reports.money", schema=Day, refuses=["views_missing"])
def report_day(caller: Caller, given: dict[str, Any]) -> PeriodTold:
    """What a day brought: calls and visits, clients won and lost, sales, disputes."""
    with source_of(caller) as source:
        found = daily(source, given["day"])
    return PeriodTold(found.answer, found.holds)


@reports.query(f"{SITE}/reports/monthly", PeriodTold, action="reports.money", schema=Day, refuses=["views_missing"])
def report_month(caller: Caller, given: dict[str, Any]) -> PeriodTold:
    """What the month that a day lies in brought."""
    with source_of(caller) as source:
        found = monthly(source, given["day"], _today(caller))
    return PeriodTold(found.answer, found.holds)


@reports.query(f"{SITE}/reports/turns", TurnsTold, action="reports.floor", schema=Period, refuses=["views_missing"])
def report_turns(caller: Caller, given: dict[str, Any]) -> TurnsTold:
    """Turns, make-ups, absences, fines of a period, person by person."""
    with source_of(caller) as source:
        found = turns(source, given["first"], given["last"], staff=given.get("staff"))
    return TurnsTold(found.answer, names(caller.office, [one.staff for one in found.answer]), found.holds)


@contextmanager
def source_of(caller: Caller) -> Iterator[Source]:
    """The live views of the caller's site. Raises Problem views_missing where a worker has never kept them."""
    store = current_app.extensions["lunpai"].store
    if not store.keeps_views:
        raise Problem("views_missing")
    files = caller.office.files
    site = files.site()
    editions = files.editions().labels() if site.adoptions else ()
    try:
        # Not one of the record's own: a transaction that is rolled back costs it what was prepared for appends.
        with reached(store.read_side) as connection:
            yield Source(connection, store.read_side.schema, site.id, site.zone, editions)
    except StoreRefused:
        raise Problem("views_missing") from None


def _today(caller: Caller) -> date:
    return caller.now().astimezone(caller.office.files.site().zone).date()


def _cursor(after: Key | None) -> str | None:
    """A key as it is handed to the client: opaque, and of harmless characters."""
    return None if after is None else base64.urlsafe_b64encode(msgspec.json.encode(after)).decode().rstrip("=")


def _key(given: dict[str, Any], first: Key) -> Key:
    """The key that a client goes on after. Raises Problem bad_fields for what is none."""
    shown = given.get("after")
    if shown is None:
        return first
    try:
        text = base64.b64decode(shown + "=" * (-len(shown) % 4), altchars=b"-_", validate=True)
        kinds: Any = tuple[tuple(KINDS[type(part)] for part in first)]  # type: ignore[misc]
        key: Key = msgspec.json.decode(text, type=kinds)
    except (ValueError, msgspec.DecodeError):
        raise Problem("bad_fields", errors={"query": {"after": ["Not the after of a page."]}}) from None
    return key


KINDS: dict[type, Any] = {datetime: Annotated[datetime, msgspec.Meta(tz=True)], UUID: UUID}
"""What the parts of a key are, as they are read back."""
