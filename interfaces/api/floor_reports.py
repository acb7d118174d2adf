"""The floor in reports: receptions one by one, everybody's days, turns and attendance of a period."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import fields

from domain.sales_turn_queue import CHANNELS
from projections.assignments import ASSIGNMENTS, FINISHED, NOBODY, OPEN, UNANSWERED
from projections.floor_reports import Assigned, OnFloor, Turns, assignments, turn_board, turns
from projections.source import FIRST_ID, FIRST_INSTANT, Holds
from projections.turn_board import TURN_BOARD

from .answers import names
from .caller import Caller
from .fields import QuerySchema, code
from .operations import Resource
from .reading import InPeriod, Paged, PeriodPaged, cursor, key_after, source_of, whom
from .whose import said_of_oneself

floor_reports = Resource("floor", "The floor in reports: receptions, days, turns and attendance, from the views")
SITE = "/sites/<uuid:site>"
OF_OWN = said_of_oneself("staff")


class Period(InPeriod, QuerySchema):
    staff = fields.UUID(metadata={"description": "Only this one's."})


class OfReceptions(InPeriod, Paged):
    receiver = fields.UUID(metadata={"description": "Only those that this one received in the end."})
    status = code([OPEN, FINISHED, UNANSWERED, NOBODY], metadata={"description": "Only those that stand so."})
    channel = code(CHANNELS, metadata={"description": "Only these."})


class ReceptionList(msgspec.Struct, frozen=True, kw_only=True):
    """Receptions in the order in which they began. `after`: what to ask on with; None: this is the end."""

    receptions: tuple[Assigned, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


class DaysOnFloor(msgspec.Struct, frozen=True, kw_only=True):
    """Days on the floor, person by person, day by day. `after`: what to ask on with; None: this is the end."""

    days: tuple[OnFloor, ...]
    after: str | None
    staff: dict[UUID, str]
    holds: Holds


class TurnsTold(msgspec.Struct, frozen=True):
    """Turns and attendance, a line each for everybody who was on the floor."""

    turns: tuple[Turns, ...]
    staff: dict[UUID, str]
    holds: Holds


@floor_reports.query(
    f"{SITE}/receptions", ReceptionList, action="receptions.list", schema=OfReceptions,
    whose=said_of_oneself("receiver"), reads=[ASSIGNMENTS],
)  # fmt: skip
def list_receptions(caller: Caller, given: dict[str, Any]) -> ReceptionList:
    """The receptions begun between two days, who was called and why, in pages; a consultant's are those he was at."""
    after = key_after(given, (FIRST_INSTANT, FIRST_ID, ""))
    asked = {name: given[name] for name in ("receiver", "status", "channel") if name in given}
    with source_of(caller) as source:
        page = assignments(
            source,
            given["first"],
            given["last"],
            present=caller.only_own_of,
            after=after,
            limit=given["limit"],
            **asked,
        )
    mentioned = [who for row in page.rows for who in (row.receiver, row.instead_of, row.owner, *row.helpers)]
    return ReceptionList(
        receptions=page.rows, after=cursor(page.after), staff=names(caller.office, mentioned), holds=page.holds
    )


@floor_reports.query(
    f"{SITE}/reports/board", DaysOnFloor, action="reports.floor", schema=PeriodPaged, whose=OF_OWN, reads=[TURN_BOARD]
)  # fmt: skip
def report_board(caller: Caller, given: dict[str, Any]) -> DaysOnFloor:
    """Everybody's days on the floor with all that is counted, in pages; a consultant's are the own ones."""
    after = key_after(given, (date.min, FIRST_ID))
    with source_of(caller) as source:
        page = turn_board(
            source, given["first"], given["last"], staff=whom(caller, given, "staff"), after=after, limit=given["limit"]
        )
    return DaysOnFloor(
        days=page.rows, after=cursor(page.after), staff=names(caller.office, [row.staff for row in page.rows]),
        holds=page.holds,
    )  # fmt: skip


@floor_reports.query(
    f"{SITE}/reports/turns", TurnsTold, action="reports.floor", schema=Period, whose=OF_OWN, reads=[TURN_BOARD]
)  # fmt: skip
def report_turns(caller: Caller, given: dict[str, Any]) -> TurnsTold:
    """Turns, make-ups, absences, fines of a period, person by person; a consultant's are the own ones."""
    with source_of(caller) as source:
        found = turns(source, given["first"], given["last"], staff=whom(caller, given, "staff"))
    return TurnsTold(found.answer, names(caller.office, [one.staff for one in found.answer]), found.holds)
