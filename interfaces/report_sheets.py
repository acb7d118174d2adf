"""Reports as sheets - columns and rows -, made from the answers of the views: with names, masked, in place of ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from application.replay.wording import EFFECT, GROUND, REASON, SHARES, WHAT
from application.sales_office import SalesOffice
from domain.visitor import Entry
from projections.activity import NOBODY as NOBODYS
from projections.names import Sealed, Shown, shown
from projections.reports import (
    CommissionLine,
    Disputed,
    Due,
    Owned,
    commission_statement,
    docket,
    follow_ups_due,
    lapsing,
    open_pool,
    ownership,
    timeline,
)
from projections.source import Holds, Page, Source
from projections.timeline import TimelineStep

from .report_words import DUE, ERASED, NO_LIMIT, NOBODY, STATUS, UNNAMED, Word, word

AT_ONCE = 1_000
"""Rows read at a time where all are asked for."""

Times = dict[Word, int]
"""How often each of several things was so."""

Several = list[Word] | list[str] | list[int] | list[date]
Cell = None | str | int | bool | Decimal | date | datetime | UUID | Word | Several | Times


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """`code`: what it is called (TITLES). `columns`: codes of its columns (HEADINGS, COUNTS); `brief`: those that a
    terminal has room for. `more`: there are more rows than were asked for."""

    code: str
    columns: tuple[str, ...]
    brief: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    more: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked. `most`: rows of a list, None: all."""

    source: Source
    office: SalesOffice
    day: date
    first: date
    last: date
    whose: UUID | None = None
    within_days: int = 3
    status: Literal["open", "ruled"] | None = None
    entry: Entry | None = None
    most: int | None = None

    def staff(self, staff: UUID | None) -> str | None:
        """What to call a member of staff; the nil id is nobody's."""
        return None if staff is None or staff == NOBODYS else self.office.files.staff_name(staff)


class Found(msgspec.Struct, frozen=True):
    """A report: its sheets, up to where they hold, and lines that sum them up (code of LINES, value)."""

    sheets: list[Sheet]
    holds: Holds
    lines: tuple[tuple[str, object], ...] = ()


def yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def every(ask: Callable[..., Page[Any]], most: int | None) -> tuple[list[Any], bool, Holds]:
    """All rows of a list, or at most so many; whether there are more; up to where they hold."""
    rows: list[Any] = []
    page = ask(limit=AT_ONCE if most is None else min(AT_ONCE, most))
    while True:
        rows.extend(page.rows)
        if page.after is None or (most is not None and len(rows) >= most):
            return rows, page.after is not None, page.holds
        page = ask(after=page.after, limit=AT_ONCE if most is None else min(AT_ONCE, most - len(rows)))


# Customers

OWNED = (
    "visitor", "phone", "owner", "ground", "since", "until", "days_left", "bought", "ruled", "last_owner", "ended_at",
    "registered_at", "last_contact_at", "edition", "file", "registration",
)  # fmt: skip
OWNED_BRIEF = ("visitor", "phone", "owner", "ground", "until", "days_left")
POOL_BRIEF = ("visitor", "phone", "last_owner", "ended_at", "last_contact_at")


def ownership_sheets(asked: Asked) -> Found:
    """Everybody on the register and who owns them; or one owner's."""
    return _ownership(asked, in_clear=False)


def register_sheets(asked: Asked) -> Found:
    """Everybody on the register and who owns them, or one owner's, with names and phones in full: for an export that
    was approved, and for nothing else."""
    return _ownership(asked, in_clear=True)


def _ownership(asked: Asked, *, in_clear: bool) -> Found:
    rows, more, holds = every(
        lambda **page: ownership(asked.source, asked.day, asked.whose or "all", **page), asked.most
    )
    named = _named(asked, rows, in_clear=in_clear)
    return Found([_owned(asked, "ownership", OWNED_BRIEF, named, more)], holds)


def open_pool_sheets(asked: Asked) -> Found:
    """Customers whom nobody owns."""
    rows, more, holds = every(lambda **page: open_pool(asked.source, asked.day, **page), asked.most)
    return Found([_owned(asked, "open_pool", POOL_BRIEF, _named(asked, rows), more)], holds)


def _owned(asked: Asked, code: str, brief: tuple[str, ...], named: Iterable[tuple[Owned, Shown]], more: bool) -> Sheet:
    cells: list[tuple[Cell, ...]] = [
        (
            *_person(seen), asked.staff(row.owner), word(GROUND, row.ground), row.since, _until(row.owner, row.until),
            row.days_left, row.bought, row.ruled, asked.staff(row.last_owner), row.ended_at, row.registered_at,
            row.last_contact_at, row.edition, row.file, row.registration,
        )
        for row, seen in named
    ]  # fmt: skip
    return Sheet(code=code, columns=OWNED, brief=brief, rows=cells, more=more)


DUE_COLUMNS = (
    "visitor", "phone", "owner", "until", "days_left", "reasons", "follow_ups", "followed_up_at", "last_contact_at",
    "visited_at", "registered_at", "file", "registration",
)  # fmt: skip
DUE_BRIEF = ("visitor", "phone", "owner", "until", "days_left", "reasons")


def lapsing_sheets(asked: Asked) -> Found:
    """Customers whose protection is about to end."""
    rows, more, holds = every(
        lambda **page: lapsing(asked.source, asked.day, within_days=asked.within_days, owner=asked.whose, **page),
        asked.most,
    )
    return Found([due_sheet(asked, "lapsing", rows, more)], holds)


def follow_ups_sheets(asked: Asked) -> Found:
    """Customers to be followed up, and why."""
    rows, more, holds = every(
        lambda **page: follow_ups_due(
            asked.source, asked.day, within_days=asked.within_days, owner=asked.whose, **page
        ),
        asked.most,
    )
    return Found([due_sheet(asked, "follow_ups", rows, more)], holds)


def due_sheet(asked: Asked, code: str, rows: Sequence[Due], more: bool) -> Sheet:
    cells: list[tuple[Cell, ...]] = [
        (
            *_person(seen), asked.staff(row.owner), _until(row.owner, row.until), row.days_left,
            [word(DUE, reason) for reason in row.reasons], row.follow_ups, row.followed_up_at, row.last_contact_at,
            row.visited_at, row.registered_at, row.file, row.registration,
        )
        for row, seen in _named(asked, rows)
    ]  # fmt: skip
    return Sheet(code=code, columns=DUE_COLUMNS, brief=DUE_BRIEF, rows=cells, more=more)


def _named(asked: Asked, rows: Sequence[Any], *, in_clear: bool = False) -> Iterable[tuple[Any, Shown]]:
    sealed: Sequence[Sealed] = rows
    return zip(rows, shown(asked.office.keyring, sealed, in_clear=in_clear), strict=True)


def _person(seen: Shown) -> tuple[Cell, Cell]:
    if seen.erased:
        return Word(None, ERASED), None
    return seen.name or Word(None, UNNAMED), seen.phone


def _until(owner: UUID | None, until: date | None) -> Cell:
    return Word(None, NO_LIMIT) if until is None and owner is not None else until


TIMELINE_COLUMNS = (
    "at", "known_at", "what", "by", "effect", "reason", "owner", "until", "clauses", "edition", "position",
)  # fmt: skip
TIMELINE_BRIEF = ("at", "what", "by", "effect", "owner", "until", "clauses")


def timeline_sheets(asked: Asked) -> Found:
    """What happened to a customer."""
    assert asked.entry is not None
    report = timeline(asked.source, asked.entry.visitor, asked.entry.registration)
    rows = [_step(asked, step) for step in report.answer.steps]
    sheet = Sheet(code="timeline", columns=TIMELINE_COLUMNS, brief=TIMELINE_BRIEF, rows=rows)
    return Found([sheet], report.holds)


def _step(asked: Asked, step: TimelineStep) -> tuple[Cell, ...]:
    return (
        step.at,
        step.known_at,
        word(WHAT, step.what),
        [asked.office.files.staff_name(staff) for staff in step.by],
        word(EFFECT, step.effect),
        word(REASON, step.reason) if step.reason else None,
        asked.staff(step.owner),
        _until(step.owner, step.until),
        [clause.partition("/")[2] for clause in step.clauses],
        step.edition,
        step.position,
    )


# Matters

DISPUTE_COLUMNS = (
    "label", "visitor", "phone", "raised_by", "opened_at", "status", "ruled_at", "ruled_by", "ruled_owner", "shares",
    "adopted", "reason", "edition",
)  # fmt: skip
DISPUTE_BRIEF = ("label", "visitor", "raised_by", "opened_at", "status", "ruled_owner", "shares")


def disputes_sheets(asked: Asked) -> Found:
    """Disputes, open or ruled on."""
    rows, more, holds = every(lambda **page: docket(asked.source, asked.status, **page), asked.most)
    return Found([dispute_sheet(asked, rows, more)], holds)


def dispute_sheet(asked: Asked, rows: Sequence[Disputed], more: bool) -> Sheet:
    return Sheet(
        code="disputes",
        columns=DISPUTE_COLUMNS,
        brief=DISPUTE_BRIEF,
        rows=[_dispute(asked, row) for row in rows],
        more=more,
    )


def _dispute(asked: Asked, row: Disputed) -> tuple[Cell, ...]:
    shares = [f"{asked.staff(staff)} {share}" for staff, share in (row.shares or {}).items()]
    nobody = row.ruled_at is not None and row.owner is None and not row.shares
    return (
        row.label, *_person(_of_entry(asked, row.about_file, row.about_registration)), asked.staff(row.raised_by),
        row.opened_at, word(STATUS, row.status), row.ruled_at, asked.staff(row.ruled_by),
        Word("nobody", NOBODY) if nobody else asked.staff(row.owner),
        shares, row.adopted, row.reason, row.edition,
    )  # fmt: skip


def _of_entry(asked: Asked, file: UUID, registration: int) -> Shown:
    """Name and phone of an entry that has no row at hand."""
    number = asked.office.files.visitor(file).registration(registration)
    return shown(asked.office.keyring, [number])[0]


COMMISSION_COLUMNS = (
    "sold_at", "unit", "staff", "share", "amount", "total", "ground", "owner", "closer", "ruled", "agreed", "edition",
    "sale",
)  # fmt: skip
COMMISSION_BRIEF = ("sold_at", "unit", "staff", "share", "amount", "ground")
SUMS = ("staff", "sales", "amount")


def commission_sheets(asked: Asked) -> Found:
    """Who is paid what for the sales of a period."""

    def ask(**page: Any) -> Page[CommissionLine]:
        return commission_statement(asked.source, asked.first, asked.last, staff=asked.whose, **page).lines

    rows, more, holds = every(ask, asked.most)
    statement = commission_statement(asked.source, asked.first, asked.last, staff=asked.whose, limit=1)
    sums: list[tuple[Cell, ...]] = [(asked.staff(one.staff), one.sales, yuan(one.amount_fen)) for one in statement.sums]
    sheets = [
        commission_sheet(asked, "commission", rows, more),
        Sheet(code="commission_sums", columns=SUMS, brief=SUMS, rows=sums),
    ]
    return Found(sheets, holds, (("total", yuan(statement.amount_fen)),))


def commission_sheet(asked: Asked, code: str, rows: Sequence[CommissionLine], more: bool) -> Sheet:
    cells: list[tuple[Cell, ...]] = [
        (
            row.sold_at, row.unit, asked.staff(row.staff), row.share, yuan(row.amount_fen), yuan(row.total_fen),
            word(SHARES, row.ground), asked.staff(row.owner), row.closer, row.ruled, row.agreed, row.edition, row.sale,
        )
        for row in rows
    ]  # fmt: skip
    return Sheet(code=code, columns=COMMISSION_COLUMNS, brief=COMMISSION_BRIEF, rows=cells, more=more)
