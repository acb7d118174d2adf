"""What a day or a month brought, who is paid what, everybody's month, and the list for the morning."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from projections.activity import ACTIVITY
from projections.activity import NOBODY as NOBODYS
from projections.commission import COMMISSION
from projections.docket import DOCKET
from projections.floor_reports import Standing, Turns
from projections.follow_ups_due import FOLLOW_UPS_DUE
from projections.ownership import OWNERSHIP
from projections.period_reports import Counts, PeriodReport, Score, daily, monthly, morning_list, scoreboard
from projections.reports import CommissionLine, CommissionSum, Disputed, commission_statement
from projections.source import FIRST_ID, FIRST_INSTANT, Holds
from projections.turn_board import TURN_BOARD

from .answers import names
from .caller import Caller
from .customers import DueList, due_list
from .fields import QuerySchema
from .operations import Resource
from .reading import Day, OfDay, PeriodPaged, cursor, key_after, source_of, today, whom
from .whose import anybody, said_of_oneself

reports = Resource("reports", "Reports: what days and months brought, who is paid what, what is to be done")
SITE = "/sites/<uuid:site>"
SUMMED = (ACTIVITY, OWNERSHIP, COMMISSION)
MORNING_ROWS = 100


class OfOneDay(QuerySchema):
    day = Day(required=True, metadata={"example": "2026-03-02"})


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


class Scoreboard(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody's month through a day, the best first; equal results share a rank. A consultant is told the own line,
    with its rank among all."""

    scores: tuple[Score, ...]
    staff: dict[UUID, str]
    holds: Holds


class OnFloorStands(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of somebody on a day: turns and passes owed, days without turns, fines and warnings of the month."""

    staff: UUID
    make_ups_owed: int
    passes_owed: int
    suspended: tuple[date, ...]
    not_ready: str | None
    no_calls: bool
    double_rounds: bool
    fines_yuan: int
    warnings: int


class MorningList(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done on a day, and what was done the day before.

    `yesterday`: what everybody did, counted (under the nil id: what nobody did). The lists are first pages; their
    `after` goes on with the report of that name. `open_pool`: customers whom nobody owns."""

    day: date
    yesterday: dict[UUID, Counts]
    yesterdays_turns: tuple[Turns, ...]
    standing: tuple[OnFloorStands, ...]
    yesterdays_sales: tuple[CommissionLine, ...]
    sales_after: str | None
    lapsing: DueList
    follow_ups_due: DueList
    open_disputes: tuple[Disputed, ...]
    disputes_after: str | None
    open_pool: int
    staff: dict[UUID, str]
    holds: Holds


@reports.query(
    f"{SITE}/reports/commission", Commission, action="reports.commission", schema=PeriodPaged,
    whose=said_of_oneself("staff"), reads=[COMMISSION],
)  # fmt: skip
def report_commission(caller: Caller, given: dict[str, Any]) -> Commission:
    """Who is paid what for the sales closed between two days, in pages; a consultant's are the own shares."""
    after = key_after(given, (FIRST_INSTANT, FIRST_ID, FIRST_ID))
    staff = whom(caller, given, "staff")
    with source_of(caller) as source:
        found = commission_statement(
            source, given["first"], given["last"], staff=staff, after=after, limit=given["limit"]
        )
    mentioned = [*(one.staff for one in found.sums), *(line.owner for line in found.lines.rows)]
    return Commission(
        lines=found.lines.rows, after=cursor(found.lines.after), sums=found.sums, amount_fen=found.amount_fen,
        staff=names(caller.office, mentioned), holds=found.lines.holds,
    )  # fmt: skip


@reports.query(f"{SITE}/reports/daily", PeriodTold, action="reports.money", schema=OfOneDay, reads=SUMMED)
def report_day(caller: Caller, given: dict[str, Any]) -> PeriodTold:
    """What a day brought: calls and visits, clients won and lost, sales, disputes."""
    with source_of(caller) as source:
        found = daily(source, given["day"])
    return PeriodTold(found.answer, found.holds)


@reports.query(f"{SITE}/reports/monthly", PeriodTold, action="reports.money", schema=OfOneDay, reads=SUMMED)
def report_month(caller: Caller, given: dict[str, Any]) -> PeriodTold:
    """What the month that a day lies in brought."""
    with source_of(caller) as source:
        found = monthly(source, given["day"], today(caller))
    return PeriodTold(found.answer, found.holds)


@reports.query(
    f"{SITE}/reports/scoreboard", Scoreboard, action="reports.scoreboard", schema=OfDay, whose=anybody,
    reads=[*SUMMED, TURN_BOARD],
)  # fmt: skip
def report_scoreboard(caller: Caller, given: dict[str, Any]) -> Scoreboard:
    """Everybody's month that a day lies in, the best first; a consultant is told the own line."""
    now = today(caller)
    with source_of(caller) as source:
        everybody = list(caller.office.files.site().staff)
        found = scoreboard(source, given.get("day") or now, now, staff=everybody)
    scores = tuple(one for one in found.answer if caller.only_own_of in (None, one.staff))
    return Scoreboard(scores=scores, staff=names(caller.office, [one.staff for one in scores]), holds=found.holds)


@reports.query(
    f"{SITE}/reports/morning", MorningList, action="reports.morning", schema=OfDay,
    reads=[*SUMMED, FOLLOW_UPS_DUE, DOCKET, TURN_BOARD],
)  # fmt: skip
def report_morning(caller: Caller, given: dict[str, Any]) -> MorningList:
    """What is to be done this morning - whom to look after, what stands, what is disputed - and what yesterday
    brought."""
    day = given.get("day") or today(caller)
    with source_of(caller) as source:
        found = morning_list(source, day, limit=MORNING_ROWS)
    morning = found.answer
    mentioned = [
        *morning.yesterday, *(one.staff for one in morning.yesterdays_turns), *(one.staff for one in morning.standing),
        *(who for line in morning.yesterdays_sales.rows for who in (line.staff, line.owner)),
        *(row.raised_by for row in morning.open_disputes.rows),
    ]  # fmt: skip
    return MorningList(
        day=day, yesterday=morning.yesterday, yesterdays_turns=morning.yesterdays_turns,
        standing=tuple(map(_stands, morning.standing)), yesterdays_sales=morning.yesterdays_sales.rows,
        sales_after=cursor(morning.yesterdays_sales.after), lapsing=due_list(caller, day, morning.lapsing),
        follow_ups_due=due_list(caller, day, morning.follow_ups_due), open_disputes=morning.open_disputes.rows,
        disputes_after=cursor(morning.open_disputes.after), open_pool=morning.open_pool,
        staff=names(caller.office, [one for one in mentioned if one != NOBODYS]), holds=found.holds,
    )  # fmt: skip


def _stands(one: Standing) -> OnFloorStands:
    return msgspec.convert(one, OnFloorStands, from_attributes=True)
