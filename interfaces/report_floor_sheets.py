"""The floor as sheets: a day's board, receptions one by one, turns and attendance of a period, what stands of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from projections.floor_reports import Assigned, OnFloor, Standing, Turns, assignments, turn_board, turns
from projections.source import Holds

from . import floor_words as words
from .report_sheets import Asked, Cell, Found, Sheet, Times, every
from .report_words import AS, PASSED, RECEPTION_STATUS, WHEREABOUTS, Word, word


def _said(table: Mapping[str, tuple[str, str]], code: str | None) -> Word | None:
    return None if code is None else Word(code, table[code])


def times(table: Mapping[str, tuple[str, str]], counts: Mapping[str, int]) -> Times:
    """How often each was so, the most frequent first."""
    often = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return {Word(code, table[code]): number for code, number in often}


# A day on the floor

BOARD = (
    "staff", "whereabouts", "signed_in_at", "signed_out_at", "visit_place", "call_place", "visit_turns", "call_turns",
    "visit_turns_period", "call_turns_period", "received", "received_as", "helped", "unanswered", "make_ups_granted",
    "make_ups_served", "make_ups_owed", "visit_make_ups_owed", "call_make_ups_owed", "passes_owed",
    "visit_passes_owed", "call_passes_owed", "passed_over", "passed", "absences", "gave_up", "gave_up_against",
    "fines", "warnings", "month_fines", "month_warnings", "suspended", "day_lost", "not_ready", "no_calls",
    "double_rounds", "on_floor_minutes", "receiving_minutes", "door_stints", "door_owed_minutes", "edition", "position",
)  # fmt: skip
BOARD_BRIEF = (
    *("staff", "whereabouts", "signed_in_at", "visit_place", "call_place", "visit_turns", "call_turns", "received"),
    *("passed", "absences", "make_ups_owed"),
)


def board_sheets(asked: Asked) -> Found:
    """A day on the floor, and its receptions."""
    rows, more, holds = every(
        lambda **page: turn_board(asked.source, asked.first, asked.last, staff=asked.whose, **page), asked.most
    )
    there = [row for row in rows if row.signed_in_at is not None]
    away = [row for row in rows if row.signed_in_at is None]
    cells = [_on_floor(asked, row) for row in (*sorted(there, key=_in_line), *away)]
    board = Sheet(code="board", columns=BOARD, brief=BOARD_BRIEF, rows=cells, more=more)
    receptions, also = _every_reception(asked)
    return Found([board, receptions], min(holds, also, key=lambda held: held.position))


def _in_line(row: OnFloor) -> tuple[int, int]:
    last = 10**9
    return row.visit_place or last, row.call_place or last


def _on_floor(asked: Asked, row: OnFloor) -> tuple[Cell, ...]:
    return (
        asked.staff(row.staff), _whereabouts(row), row.signed_in_at, row.signed_out_at, row.visit_place, row.call_place,
        row.visit_turns, row.call_turns, row.visit_turns_period, row.call_turns_period, row.received,
        times(AS, row.receptions), row.helped, row.unanswered, row.make_ups_granted, row.make_ups_served,
        row.visit_make_ups_owed + row.call_make_ups_owed, row.visit_make_ups_owed, row.call_make_ups_owed,
        row.visit_passes_owed + row.call_passes_owed, row.visit_passes_owed, row.call_passes_owed, row.passed_over,
        times(PASSED, row.passed), row.absences, row.gave_up, row.gave_up_against, row.fines_yuan, row.warnings,
        row.month_fines_yuan, row.month_warnings, list(row.suspended), row.day_lost, _said(words.STATES, row.not_ready),
        row.no_calls, row.double_rounds, row.on_floor_seconds // 60, row.receiving_seconds // 60, row.door_stints,
        row.door_owed_minutes, row.edition, row.position,
    )  # fmt: skip


def _whereabouts(row: OnFloor) -> Word:
    if row.out is not None:
        return word(words.AWAY, row.out)
    if row.present:
        return word(WHEREABOUTS, "present")
    return word(WHEREABOUTS, "signed_out" if row.signed_out_at is not None else "not_signed_in")


# Receptions

ASSIGNED = (
    "came_at", "assigned_at", "over_at", "reception", "channel", "state", "receiver", "received_as", "instead_of",
    "owner", "found_by", "party", "purpose", "standing", "counted", "helpers", "called", "passed_over", "clauses",
    "edition", "positions", "file", "registration",
)  # fmt: skip
ASSIGNED_BRIEF = (
    *("came_at", "reception", "channel", "receiver", "received_as", "owner", "purpose", "passed_over", "state"),
    "counted",
)


def assignments_sheets(asked: Asked) -> Found:
    """Every reception of a period (T43)."""
    sheet, holds = _every_reception(asked)
    return Found([sheet], holds)


def _every_reception(asked: Asked) -> tuple[Sheet, Holds]:
    rows, more, holds = every(
        lambda **page: assignments(asked.source, asked.first, asked.last, receiver=asked.whose, **page), asked.most
    )
    cells = [_assigned(asked, row) for row in rows]
    return Sheet(code="assignments", columns=ASSIGNED, brief=ASSIGNED_BRIEF, rows=cells, more=more), holds


def _assigned(asked: Asked, row: Assigned) -> tuple[Cell, ...]:
    return (
        row.opened_at, row.assigned_at, row.finished_at, row.label, word(words.CHANNELS, row.channel),
        word(RECEPTION_STATUS, row.status), asked.staff(row.receiver), _said(AS, row.because),
        asked.staff(row.instead_of), asked.staff(row.owner), _said(words.FOUND_BY, row.found_by), row.party,
        _said(words.PURPOSES, row.purpose), _said(words.STANDINGS, row.standing), row.counted,
        [asked.office.files.staff_name(one) for one in row.helpers], row.called, row.passed_over,
        [clause.partition("/")[2] or clause for clause in row.clauses], row.edition,
        list(row.positions), row.file, row.registration,
    )  # fmt: skip


# Turns and attendance

TURNS = (
    "staff", "visit_turns", "call_turns", "received", "received_as", "helped", "unanswered", "make_ups_granted",
    "make_ups_served", "make_ups_owed", "passes_owed", "passed_over", "passed", "absences", "gave_up",
    "gave_up_against",
)  # fmt: skip
TURNS_BRIEF = (
    *("staff", "visit_turns", "call_turns", "received", "make_ups_granted", "make_ups_served", "make_ups_owed"),
    *("passed", "absences", "gave_up"),
)
ATTENDANCE = (
    *("staff", "days_present", "on_floor_minutes", "receiving_minutes", "door_stints", "door_owed_minutes", "fines"),
    "warnings",
)
SCORED = (
    *("days_present", "visit_turns", "call_turns", "received", "make_ups_owed", "passed_over", "absences", "gave_up"),
    *("fines", "warnings", "on_floor_minutes", "receiving_minutes"),
)
"""What of somebody's turns stands in the scoreboard."""


def turns_sheets(asked: Asked) -> Found:
    """Turns and attendance of a period, a line a person."""
    report = turns(asked.source, asked.first, asked.last, staff=asked.whose)
    return Found([turns_sheet(asked, "turns", report.answer), _attendance(asked, report.answer)], report.holds)


def turns_sheet(asked: Asked, code: str, found: Sequence[Turns]) -> Sheet:
    """Turns of a period or of a day, a line a person."""
    rows = [tuple(_cell(asked, one, column) for column in TURNS) for one in found]
    return Sheet(code=code, columns=TURNS, brief=TURNS_BRIEF, rows=rows)


def _attendance(asked: Asked, found: Sequence[Turns]) -> Sheet:
    rows = [tuple(_cell(asked, one, column) for column in ATTENDANCE) for one in found]
    return Sheet(code="attendance", columns=ATTENDANCE, brief=ATTENDANCE, rows=rows)


def scored(asked: Asked, one: Turns) -> list[Cell]:
    """The cells of SCORED."""
    return [_cell(asked, one, column) for column in SCORED]


def _cell(asked: Asked, one: Turns, column: str) -> Cell:
    match column:
        case "staff":
            return asked.staff(one.staff)
        case "received_as":
            return times(AS, one.receptions)
        case "passed":
            return times(PASSED, one.passed)
        case "fines":
            return one.fines_yuan
        case "on_floor_minutes":
            return one.on_floor_seconds // 60
        case "receiving_minutes":
            return one.receiving_seconds // 60
        case _:
            number: int = getattr(one, column)
            return number


# What stands of whom

STANDING = (
    "staff", "make_ups_owed", "passes_owed", "suspended_today", "suspended", "not_ready", "no_calls", "double_rounds",
    "month_fines", "month_warnings",
)  # fmt: skip
STANDING_BRIEF = (
    *("staff", "make_ups_owed", "passes_owed", "suspended_today", "not_ready", "no_calls", "month_fines"),
    "month_warnings",
)


def standing_sheet(asked: Asked, found: Sequence[Standing]) -> Sheet:
    """What stands of whom on the day: make-ups and passes owed, who is barred, fines of the month."""
    rows: list[tuple[Cell, ...]] = [
        (
            asked.staff(one.staff), one.make_ups_owed, one.passes_owed, asked.day in one.suspended, list(one.suspended),
            _said(words.STATES, one.not_ready), one.no_calls, one.double_rounds, one.fines_yuan, one.warnings,
        )
        for one in found
    ]  # fmt: skip
    return Sheet(code="standing", columns=STANDING, brief=STANDING_BRIEF, rows=rows)
