"""Answers about the floor, read from the views: a day's board, what every reception was, who had how many turns, and
what stands of whom. A day is a day on the site's calendar; lists come in pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from .assignments import ASSIGNMENTS
from .source import FIRST_ID, FIRST_INSTANT, LIMIT, Key, Page, Report, Source, page_of, reading, rows
from .turn_board import TURN_BOARD

Counts = dict[str, int]
_counts = msgspec.json.Decoder(Counts).decode


class OnFloor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's day; see TURN_BOARD for what the fields hold. `receptions`: as what -> how many; `passed`: why -> how
    often."""

    staff: UUID
    day: date
    signed_in_at: datetime | None
    signed_out_at: datetime | None
    present: bool
    out: str | None
    visit_place: int | None
    call_place: int | None
    visit_turns: int
    call_turns: int
    visit_turns_period: int
    call_turns_period: int
    received: int
    receptions: Counts
    helped: int
    unanswered: int
    make_ups_granted: int
    make_ups_served: int
    visit_make_ups_owed: int
    call_make_ups_owed: int
    visit_passes_owed: int
    call_passes_owed: int
    passed_over: int
    passed: Counts
    absences: int
    gave_up: int
    gave_up_against: int
    fines_yuan: int
    warnings: int
    month_fines_yuan: int
    month_warnings: int
    suspended: tuple[date, ...]
    day_lost: bool
    not_ready: str | None
    no_calls: bool
    double_rounds: bool
    on_floor_seconds: int
    receiving_seconds: int
    door_stints: int
    door_owed_minutes: int
    edition: str | None
    position: int


def _on_floor(*, receptions: str, passed: str, suspended: Sequence[date], **columns: Any) -> OnFloor:
    return OnFloor(receptions=_counts(receptions), passed=_counts(passed), suspended=tuple(suspended), **columns)


def turn_board(
    source: Source,
    first: date,
    last: date,
    *,
    staff: UUID | None = None,
    after: Key = (date.min, FIRST_ID),
    limit: int = LIMIT,
) -> Page[OnFloor]:
    """The floor of each day from `first` to `last`, everybody's or one person's days, day by day."""
    with reading(source, TURN_BOARD) as holds:
        return page_of(
            source, holds, "turn_board", _on_floor, lambda row: row, key=("day", "staff"), after=after, limit=limit,
            first=first, last=last, staff=staff,
        )  # fmt: skip


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """A reception; see ASSIGNMENTS for what the fields hold."""

    queue: UUID
    label: str
    day: date
    channel: str
    opened_at: datetime
    assigned_at: datetime | None
    finished_at: datetime | None
    status: str
    receiver: UUID | None
    because: str | None
    instead_of: UUID | None
    owner: UUID | None
    found_by: str | None
    file: UUID | None
    registration: int | None
    party: int
    purpose: str | None
    standing: str | None
    counted: bool | None
    helpers: tuple[UUID, ...]
    called: int
    passed_over: int
    clauses: tuple[str, ...]
    edition: str | None
    positions: tuple[int, ...]


def _assigned(*, helpers: Sequence[UUID], clauses: Sequence[str], positions: Sequence[int], **columns: Any) -> Assigned:
    return Assigned(helpers=tuple(helpers), clauses=tuple(clauses), positions=tuple(positions), **columns)


def assignments(
    source: Source,
    first: date,
    last: date,
    *,
    receiver: UUID | None = None,
    present: UUID | None = None,
    status: str | None = None,
    channel: str | None = None,
    after: Key = (FIRST_INSTANT, FIRST_ID, ""),
    limit: int = LIMIT,
) -> Page[Assigned]:
    """The receptions begun from `first` to `last`, everybody's, one receiver's or those that somebody was at
    (`present`: received or helped), in the order in which they began."""
    with reading(source, ASSIGNMENTS) as holds:
        return page_of(
            source, holds, "assignments", _assigned, lambda row: row, key=("opened_at", "queue", "label"), after=after,
            limit=limit, first=first, last=last, receiver=receiver, present=present, status=status, channel=channel,
        )  # fmt: skip


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of somebody on a day, after the last day on the floor until then (that day itself, where there was
    one). `suspended`: days without turns, of this month or still to come; fines and warnings of the month."""

    staff: UUID
    make_ups_owed: int
    passes_owed: int
    suspended: tuple[date, ...]
    not_ready: str | None
    no_calls: bool
    double_rounds: bool
    fines_yuan: int
    warnings: int

    @property
    def anything(self) -> bool:
        numbers = self.make_ups_owed or self.passes_owed or self.fines_yuan or self.warnings
        return bool(numbers or self.suspended or self.not_ready or self.no_calls or self.double_rounds)


def standing(source: Source, day: date) -> Report[tuple[Standing, ...]]:
    """Everybody of whom something stands on a day: what is owed, who is barred, fines and warnings of the month."""
    with reading(source, TURN_BOARD) as holds:
        found = rows(source, "standing", _standing, day=day)
    return Report(tuple(one for one in found if one.anything), holds)


def _standing(*, suspended: Sequence[date], **columns: Any) -> Standing:
    return Standing(suspended=tuple(suspended), **columns)


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody's days on the floor add up to; see TURN_BOARD for what is counted. `make_ups_owed` and
    `passes_owed`: at the end. Where somebody has not been on the floor, all are nothing."""

    staff: UUID
    days_present: int = 0
    visit_turns: int = 0
    call_turns: int = 0
    received: int = 0
    receptions: Counts = {}
    helped: int = 0
    unanswered: int = 0
    make_ups_granted: int = 0
    make_ups_served: int = 0
    make_ups_owed: int = 0
    passes_owed: int = 0
    passed_over: int = 0
    passed: Counts = {}
    absences: int = 0
    gave_up: int = 0
    gave_up_against: int = 0
    fines_yuan: int = 0
    warnings: int = 0
    on_floor_seconds: int = 0
    receiving_seconds: int = 0
    door_stints: int = 0
    door_owed_minutes: int = 0


class _ByCode(msgspec.Struct, frozen=True):
    staff: UUID
    what: str
    code: str
    count: int


def turns(source: Source, first: date, last: date, *, staff: UUID | None = None) -> Report[tuple[Turns, ...]]:
    """Turns and attendance of everybody - or of one - who was on the floor from `first` to `last`, or was fined or
    warned then (Q2). One line a person: the list is not paged."""
    with reading(source, TURN_BOARD) as holds:
        counts: dict[tuple[UUID, str], Counts] = defaultdict(dict)
        for one in rows(source, "turns_between_by_code", _ByCode, first=first, last=last, staff=staff):
            counts[one.staff, one.what][one.code] = one.count
        stands = {one.staff: one for one in standing(source, last).answer}

        def whole(**columns: Any) -> Turns:
            who = columns["staff"]
            owed = stands.get(who)
            return Turns(
                receptions=counts[who, "receptions"],
                passed=counts[who, "passed"],
                make_ups_owed=owed.make_ups_owed if owed else 0,
                passes_owed=owed.passes_owed if owed else 0,
                **columns,
            )

        found = rows(source, "turns_between", whole, first=first, last=last, staff=staff)
    return Report(tuple(found), holds)
