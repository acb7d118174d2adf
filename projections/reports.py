"""Answers about customers and matters, read from the views: who owns whom, what runs out, whom to call, what happened,
what is disputed, who is paid what.

A day is a day on the site's calendar; what has run out by then is worked out here. Names and phones stay sealed (see
`names`). Every list comes in pages: ask on with the page's `after`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from domain.calendar import end_of, start_of
from domain.refusals import Refusal
from domain.visitor import Entry

from .commission import COMMISSION
from .docket import DOCKET
from .follow_ups_due import FOLLOW_UPS_DUE
from .ownership import OWNERSHIP
from .source import (
    FIRST_ID,
    FIRST_INSTANT,
    LAST_ID,
    LAST_INSTANT,
    LIMIT,
    Key,
    Page,
    Report,
    Source,
    page_of,
    reading,
    rows,
)
from .timeline import TIMELINE, TimelineStep, decode_steps

WITHIN_DAYS = 3
FEWEST_FOLLOW_UPS = 2
"""P8: at least two follow-ups per new visitor."""

LAPSING, NOT_CALLED, FEW_FOLLOW_UPS = "lapsing", "not_called", "few_follow_ups"
ENTRY_KEY = ("file", "registration")
FIRST_ENTRY: Key = (FIRST_ID, 0)
LAST_NUMBER = 2**31 - 1


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """A person on the register and who owns them on the day asked about; see OWNERSHIP for what the fields hold.

    `days_left`: protected days after that day (0: it is the last one); None without an owner or a limit.
    """

    file: UUID
    registration: int
    customer_file: UUID
    customer_registration: int
    person: UUID
    sealed: bytes
    has_name: bool
    has_phone: bool
    owner: UUID | None
    ground: str
    since: datetime | None
    until: date | None
    bought: bool
    ruled: bool
    last_owner: UUID | None
    ended_at: datetime | None
    registered_at: datetime
    last_contact_at: datetime
    edition: str
    days_left: int | None = None


def standing_on(row: Owned, day: date, zone: ZoneInfo) -> Owned:
    """How a row of the view stands on a day: a claim that has run out unseen reads as one whose end is on record."""
    if row.owner is None or row.until is None:
        return row
    if row.until >= day:
        return msgspec.structs.replace(row, days_left=(row.until - day).days)
    return msgspec.structs.replace(
        row,
        owner=None,
        ground="lapsed",
        since=None,
        until=None,
        ruled=False,
        last_owner=row.owner,
        ended_at=end_of(row.until, zone),
    )


def _on(source: Source, day: date) -> Callable[[Owned], Owned]:
    return lambda row: standing_on(row, day, source.zone)


def ownership(
    source: Source,
    day: date,
    whose: UUID | Literal["all", "open_pool"] = "all",
    *,
    after: Key = FIRST_ENTRY,
    limit: int = LIMIT,
) -> Page[Owned]:
    """The persons on the register, everybody's, one owner's or those whom nobody owns, in the order of their files."""
    named = {"all": "ownership_of_all", "open_pool": "ownership_of_nobody"}
    query = "ownership_of_owner" if isinstance(whose, UUID) else named[whose]
    with reading(source, OWNERSHIP) as holds:
        return page_of(
            source, holds, query, Owned, _on(source, day), key=ENTRY_KEY, after=after, limit=limit, day=day, owner=whose
        )


def register(
    source: Source,
    day: date,
    *,
    owner: UUID | None = None,
    status: Literal["owned", "unowned", "bought"] | None = None,
    after: Key = FIRST_ENTRY,
    limit: int = LIMIT,
) -> Page[Owned]:
    """The persons on the register by whose they are and how they stand on a day, in the order of their files."""
    with reading(source, OWNERSHIP) as holds:
        return page_of(
            source, holds, "register", Owned, _on(source, day), key=ENTRY_KEY, after=after, limit=limit, day=day,
            owner=owner, status=status,
        )  # fmt: skip


def open_pool(
    source: Source, day: date, *, after: Key = (LAST_INSTANT, LAST_ID, LAST_NUMBER), limit: int = LIMIT
) -> Page[Owned]:
    """The customers whom nobody owns, each under the first of its entries, those last in touch first."""
    key = ("last_contact_at", *ENTRY_KEY)
    with reading(source, OWNERSHIP) as holds:
        return page_of(source, holds, "open_pool", Owned, _on(source, day), key=key, after=after, limit=limit, day=day)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A customer whom the owner has to look after; see FOLLOW_UPS_DUE for what the fields hold.

    `days_left` as in Owned. `reasons`: lapsing (protection ends within the days asked for), not_called (registered on
    the day and not followed up on it), few_follow_ups (fewer than FEWEST_FOLLOW_UPS since the claim was founded).
    """

    file: UUID
    registration: int
    person: UUID
    sealed: bytes
    has_name: bool
    has_phone: bool
    owner: UUID
    until: date | None
    registered_at: datetime
    visited_at: datetime
    follow_ups: int
    followed_up_at: datetime | None
    last_contact_at: datetime
    falls_due: date
    days_left: int | None = None
    reasons: tuple[str, ...] = ()


DUE_KEY = ("falls_due", *ENTRY_KEY)
FIRST_DUE: Key = (date.min, *FIRST_ENTRY)


def _due(source: Source, day: date, through: date) -> Callable[[Due], Due]:
    begins, ends = start_of(day, source.zone), end_of(day, source.zone)

    def finish(row: Due) -> Due:
        called = row.followed_up_at is not None and row.followed_up_at >= begins
        found = {
            LAPSING: row.until is not None and row.until <= through,
            NOT_CALLED: begins <= row.visited_at < ends and not called,
            FEW_FOLLOW_UPS: row.follow_ups < FEWEST_FOLLOW_UPS,
        }
        days_left = None if row.until is None else (row.until - day).days
        return msgspec.structs.replace(
            row, days_left=days_left, reasons=tuple(reason for reason, holds in found.items() if holds)
        )

    return finish


def lapsing(
    source: Source,
    day: date,
    *,
    within_days: int = WITHIN_DAYS,
    owner: UUID | None = None,
    after: Key = FIRST_DUE,
    limit: int = LIMIT,
) -> Page[Due]:
    """The customers whose protection ends on the day or within so many days after it, the earliest first."""
    through = day + timedelta(days=within_days)
    with reading(source, FOLLOW_UPS_DUE, OWNERSHIP) as holds:
        return page_of(
            source, holds, "lapsing", Due, _due(source, day, through), key=DUE_KEY, after=after, limit=limit,
            day=day, through=through, owner=owner,
        )  # fmt: skip


def follow_ups_due(
    source: Source,
    day: date,
    *,
    within_days: int = WITHIN_DAYS,
    owner: UUID | None = None,
    after: Key = FIRST_DUE,
    limit: int = LIMIT,
) -> Page[Due]:
    """The customers to be followed up on the day, each with the reasons, those whose protection ends first before.

    (P8: every visitor of the day is called, a new one at least twice; A3: without a follow-up the claim lapses.)
    """
    through = day + timedelta(days=within_days)
    with reading(source, FOLLOW_UPS_DUE, OWNERSHIP) as holds:
        return page_of(
            source, holds, "follow_ups_due", Due, _due(source, day, through), key=DUE_KEY, after=after, limit=limit,
            day=day, through=through, owner=owner, fewest=FEWEST_FOLLOW_UPS,
            day_begins=start_of(day, source.zone), day_ends=end_of(day, source.zone),
        )  # fmt: skip


class Timeline(msgspec.Struct, frozen=True):
    """What happened to a customer, in the order in which it counts. `entry`: the first of the customer's entries."""

    entry: Entry
    steps: tuple[TimelineStep, ...]


class _StoredTimeline(msgspec.Struct, frozen=True):
    file: UUID
    registration: int
    steps: bytes
    position: int


def timeline(source: Source, file: UUID, registration: int) -> Report[Timeline]:
    """What happened to the customer that an entry belongs to. Raises Refusal unknown_visitor."""
    asked = Entry(file, registration)
    with reading(source, TIMELINE, OWNERSHIP) as holds:
        # A person's later registrations have no row of their own; that they are steps tells whose they are.
        for row in rows(source, "timelines_of_file", _StoredTimeline, file=file):
            steps = decode_steps(row.steps)
            if any(step.entry == asked for step in steps):
                return Report(Timeline(Entry(row.file, row.registration), steps), holds)
    raise Refusal("unknown_visitor", f"{file} has no registration {registration}")


class Disputed(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute; see DOCKET for what the fields hold. `shares`: staff -> fraction as text."""

    dispute: UUID
    label: str
    about_file: UUID
    about_registration: int
    sale: UUID | None
    raised_by: UUID
    opened_at: datetime
    status: str
    ruled_at: datetime | None
    ruled_by: UUID | None
    reason: str | None
    owner: UUID | None
    shares: dict[UUID, str] | None
    adopted: bool | None
    edition: str | None


def _disputed(**columns: object) -> Disputed:
    shares = columns.pop("shares")
    assert shares is None or isinstance(shares, str)
    read = None if shares is None else msgspec.json.decode(shares, type=dict[UUID, str])
    return Disputed(**columns, shares=read)  # type: ignore[arg-type]


def docket(
    source: Source,
    status: Literal["open", "ruled"] | None = None,
    *,
    after: Key = (FIRST_INSTANT, FIRST_ID),
    limit: int = LIMIT,
) -> Page[Disputed]:
    """The disputes, all or those of one status, oldest first."""
    with reading(source, DOCKET) as holds:
        return page_of(
            source, holds, "docket", _disputed, lambda row: row, key=("opened_at", "dispute"), after=after, limit=limit,
            status=status,
        )  # fmt: skip


class CommissionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A share in the commission of a sale; see COMMISSION for what the fields hold. Amounts in fen."""

    sale: UUID
    staff: UUID
    unit: str | None
    sold_at: datetime
    file: UUID
    registration: int
    share: str
    amount_fen: int
    total_fen: int
    ground: str
    owner: UUID | None
    closer: bool
    ruled: bool
    agreed: bool
    edition: str


class CommissionSum(msgspec.Struct, frozen=True):
    """What a member of staff has from all sales of the period; `sales`: in how many there is a share."""

    staff: UUID
    sales: int
    amount_fen: int


class CommissionStatement(msgspec.Struct, frozen=True):
    """`lines`: a page of shares, in the order of the sales; `sums` and `amount_fen`: over the whole period."""

    lines: Page[CommissionLine]
    sums: tuple[CommissionSum, ...]
    amount_fen: int


def commission_statement(
    source: Source,
    first: date,
    last: date,
    *,
    staff: UUID | None = None,
    after: Key = (FIRST_INSTANT, FIRST_ID, FIRST_ID),
    limit: int = LIMIT,
) -> CommissionStatement:
    """Who is paid what for the sales closed between two days, both included; one member's shares, or everybody's."""
    period = {"begins": start_of(first, source.zone), "ends": end_of(last, source.zone)}
    with reading(source, COMMISSION) as holds:
        lines = page_of(
            source, holds, "commission_lines", CommissionLine, lambda line: line, key=("sold_at", "sale", "staff"),
            after=after, limit=limit, staff=staff, **period,
        )  # fmt: skip
        sums = rows(source, "commission_sums", CommissionSum, staff=staff, **period)
    return CommissionStatement(lines, tuple(sums), sum(one.amount_fen for one in sums))
