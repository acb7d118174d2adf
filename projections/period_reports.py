"""What a day or a month brought, who did what in it, and what is to be done this morning: reports that add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec

from domain.calendar import end_of, start_of

from .activity import (
    ACTIVITY,
    CONVERTED,
    DISPUTE_RAISED,
    ENTERED_LATE,
    FOLLOW_UP,
    LAPSED,
    NEW_CLIENT,
    REFOUNDED,
    REGISTERED,
    RETURNING,
    RULED,
    SOLD,
    TRANSFERRED,
    WITHOUT_EFFECT,
)
from .commission import COMMISSION
from .docket import DOCKET
from .floor_reports import Standing, Turns, standing, turns
from .follow_ups_due import FOLLOW_UPS_DUE
from .ownership import OWNERSHIP
from .reports import (
    CommissionLine,
    CommissionSum,
    Disputed,
    Due,
    commission_statement,
    docket,
    follow_ups_due,
    lapsing,
)
from .source import LIMIT, Page, Report, Source, reading, rows
from .turn_board import TURN_BOARD

Counted = Mapping[str, int]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, counted; see activity.WHAT for what counts as what. `registered`: by channel.

    `lapsed` holds also the claims that ran out and nothing has happened since that would have put it on record.
    """

    registered: dict[str, int]
    new_clients: int
    returning: int
    refounded: int
    transferred: int
    lapsed: int
    follow_ups: int
    follow_ups_without_effect: int
    entered_late: int
    converted: int
    sold: int
    disputes_raised: int
    ruled: int


class _Counted(msgspec.Struct, frozen=True):
    staff: UUID
    what: str
    count: int


class _Unseen(msgspec.Struct, frozen=True):
    staff: UUID
    count: int


class _Sales(msgspec.Struct, frozen=True):
    sales: int
    commission_fen: int


class _Customers(msgspec.Struct, frozen=True):
    customers: int


def _counts(found: Counted) -> Counts:
    return Counts(
        registered={via: found.get(code, 0) for via, code in REGISTERED.items()},
        new_clients=found.get(NEW_CLIENT, 0),
        returning=found.get(RETURNING, 0),
        refounded=found.get(REFOUNDED, 0),
        transferred=found.get(TRANSFERRED, 0),
        lapsed=found.get(LAPSED, 0),
        follow_ups=found.get(FOLLOW_UP, 0),
        follow_ups_without_effect=found.get(WITHOUT_EFFECT, 0),
        entered_late=found.get(ENTERED_LATE, 0),
        converted=found.get(CONVERTED, 0),
        sold=found.get(SOLD, 0),
        disputes_raised=found.get(DISPUTE_RAISED, 0),
        ruled=found.get(RULED, 0),
    )


def _by_staff(source: Source, first: date, last: date) -> dict[UUID, Counted]:
    """What each member of staff did between two days, unseen lapses included. Nobody's is under the nil id."""
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for row in rows(source, "activity_between", _Counted, first=first, last=last):
        found[row.staff][row.what] = row.count
    for unseen in rows(source, "lapses_unseen", _Unseen, first=first, last=last):
        counted = found[unseen.staff]
        counted[LAPSED] = counted.get(LAPSED, 0) + unseen.count
    return {staff: found[staff] for staff in sorted(found)}


def _added(counted: Iterable[Counted]) -> Counted:
    total: dict[str, int] = defaultdict(int)
    for one in counted:
        for what, count in one.items():
            total[what] += count
    return total


class PeriodReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the days `first` to `last` brought the whole site (Q1, Q3).

    In `counts`, a sale is `sold` once for each of its closers; `sales` counts sales. `commission_fen`: of those sales.
    """

    first: date
    last: date
    counts: Counts
    sales: int
    commission_fen: int


def _period(source: Source, first: date, last: date) -> Report[PeriodReport]:
    with reading(source, ACTIVITY, OWNERSHIP, COMMISSION) as holds:
        counted = _added(_by_staff(source, first, last).values())
        begins, ends = start_of(first, source.zone), end_of(last, source.zone)
        (sold,) = rows(source, "sales_between", _Sales, begins=begins, ends=ends)
    report = PeriodReport(
        first=first, last=last, counts=_counts(counted), sales=sold.sales, commission_fen=sold.commission_fen
    )
    return Report(report, holds)


def daily(source: Source, day: date) -> Report[PeriodReport]:
    """What a day brought: calls and visits, clients won and lost, sales, disputes (Q1)."""
    return _period(source, day, day)


def month_of(month: date, on: date | None = None) -> tuple[date, date]:
    """The first and the last day of the month that a day lies in; of a month that runs, the last day is `on`."""
    first = month.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first, last if on is None else max(first, min(last, on))


def monthly(source: Source, month: date, on: date | None = None) -> Report[PeriodReport]:
    """What the month that a day lies in brought, through `on` (the reader's own day, where the month still runs)."""
    return _period(source, *month_of(month, on))


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff in the scoreboard (Q2). Equal results share a rank, and the next rank is left free for each."""

    staff: UUID
    rank: int
    counts: Counts
    commission_fen: int
    turns: Turns


def scoreboard(
    source: Source, month: date, on: date | None = None, *, staff: Sequence[UUID] = ()
) -> Report[tuple[Score, ...]]:
    """Everybody who did something in a month - and everybody in `staff` -, the best first.

    Ranked by commission, then by sales closed (D3). One line per person: the list is not paged.
    """
    first, last = month_of(month, on)
    with reading(source, ACTIVITY, OWNERSHIP, COMMISSION, TURN_BOARD) as holds:
        counted = _by_staff(source, first, last)
        on_floor = {one.staff: one for one in turns(source, first, last).answer}
        begins, ends = start_of(first, source.zone), end_of(last, source.zone)
        sums = rows(source, "commission_sums", CommissionSum, staff=None, begins=begins, ends=ends)
    paid = {one.staff: one.amount_fen for one in sums}
    everybody = sorted({*staff, *counted, *paid, *on_floor} - {UUID(int=0)})
    results = {one: (paid.get(one, 0), counted.get(one, {}).get(SOLD, 0)) for one in everybody}
    order = sorted(results.values(), reverse=True)
    scores = [
        Score(
            staff=one,
            rank=order.index(result) + 1,
            counts=_counts(counted.get(one, {})),
            commission_fen=result[0],
            turns=on_floor.get(one) or Turns(staff=one),
        )
        for one, result in results.items()
    ]
    return Report(tuple(sorted(scores, key=lambda score: (score.rank, score.staff))), holds)


class Morning(msgspec.Struct, frozen=True, kw_only=True):
    """What the manager looks at in the morning of `day`: what everybody did the day before, what is to be done today.

    The lists are first pages: `lapsing`, `follow_ups_due`, `docket` and `commission_statement` go on with them.
    `yesterdays_turns`: of whoever was on the floor; `standing`: what is owed, who is barred, fines of the month.
    """

    day: date
    yesterday: dict[UUID, Counts]
    yesterdays_turns: tuple[Turns, ...]
    standing: tuple[Standing, ...]
    yesterdays_sales: Page[CommissionLine]
    lapsing: Page[Due]
    follow_ups_due: Page[Due]
    open_disputes: Page[Disputed]
    open_pool: int


def morning_list(source: Source, day: date, *, limit: int = LIMIT) -> Report[Morning]:
    """The morning list of a day; all of it from one snapshot."""
    before = day - timedelta(days=1)
    with reading(source, ACTIVITY, OWNERSHIP, COMMISSION, FOLLOW_UPS_DUE, DOCKET, TURN_BOARD) as holds:
        (pool,) = rows(source, "open_pool_size", _Customers, day=day)
        morning = Morning(
            day=day,
            yesterday={staff: _counts(found) for staff, found in _by_staff(source, before, before).items()},
            yesterdays_turns=turns(source, before, before).answer,
            standing=standing(source, day).answer,
            yesterdays_sales=commission_statement(source, before, before, limit=limit).lines,
            lapsing=lapsing(source, day, limit=limit),
            follow_ups_due=follow_ups_due(source, day, limit=limit),
            open_disputes=docket(source, "open", limit=limit),
            open_pool=pool.customers,
        )
    return Report(morning, holds)
