"""What a day or a month brought, the scoreboard and the morning list as sheets."""

from __future__ import annotations

from typing import Any

from domain.rules.vocabulary import VIAS
from projections.period_reports import Counts, Morning, daily, monthly, morning_list, scoreboard

from .report_floor_sheets import SCORED, scored, standing_sheet, turns_sheet
from .report_sheets import AT_ONCE, Asked, Cell, Found, Sheet, commission_sheet, dispute_sheet, due_sheet, yuan
from .report_words import COUNTS, word

CODE_OF = {"ruled": "rulings"}
"""Field of Counts -> its code, where HEADINGS has the field's name for something else."""

COUNTED_FIELDS = tuple(name for name in Counts.__struct_fields__ if name != "registered")
COUNTED = (*(f"registered_{via}" for via in VIAS), *(CODE_OF.get(name, name) for name in COUNTED_FIELDS))
SCORE_BRIEF = (
    *("rank", "staff", "commission", "sold", "converted", "new_clients", "follow_ups", "lapsed"),
    *("visit_turns", "call_turns"),
)
YESTERDAY_BRIEF = ("staff", "new_clients", "follow_ups", "follow_ups_without_effect", "sold", "lapsed")


def counted(counts: Counts) -> dict[str, int]:
    """The counts under the codes of COUNTED, in that order."""
    numbers = (*(counts.registered[via] for via in VIAS), *(getattr(counts, name) for name in COUNTED_FIELDS))
    return dict(zip(COUNTED, numbers, strict=True))


def daily_sheets(asked: Asked) -> Found:
    """What a day brought."""
    return _period("daily", daily(asked.source, asked.day))


def monthly_sheets(asked: Asked) -> Found:
    """What a month brought."""
    return _period("monthly", monthly(asked.source, asked.first, asked.day))


def _period(code: str, report: Any) -> Found:
    answer = report.answer
    rows: list[tuple[Cell, ...]] = [(word(COUNTS, name), number) for name, number in counted(answer.counts).items()]
    sums: list[tuple[Cell, ...]] = [(answer.sales, yuan(answer.commission_fen))]
    sheets = [
        Sheet(code=code, columns=("what", "count"), brief=("what", "count"), rows=rows),
        Sheet(code="sales", columns=("sales", "commission"), brief=("sales", "commission"), rows=sums),
    ]
    return Found(sheets, report.holds)


def scoreboard_sheets(asked: Asked) -> Found:
    """Everybody's month, the best first."""
    everybody = list(asked.office.files.site().staff)
    report = scoreboard(asked.source, asked.first, asked.day, staff=everybody)
    rows: list[tuple[Cell, ...]] = [
        (
            score.rank, asked.staff(score.staff), yuan(score.commission_fen), *counted(score.counts).values(),
            *scored(asked, score.turns),
        )
        for score in report.answer
    ]  # fmt: skip
    columns = ("rank", "staff", "commission", *COUNTED, *SCORED)
    return Found([Sheet(code="scoreboard", columns=columns, brief=SCORE_BRIEF, rows=rows)], report.holds)


def morning_sheets(asked: Asked) -> Found:
    """What is to be done this morning, and what was done the day before."""
    report = morning_list(asked.source, asked.day, limit=asked.most or AT_ONCE)
    morning = report.answer
    sheets = [*_to_be_done(asked, morning), *_done(asked, morning)]
    return Found(sheets, report.holds, (("open_pool_size", morning.open_pool),))


def _to_be_done(asked: Asked, morning: Morning) -> list[Sheet]:
    lapsing, due, disputes = morning.lapsing, morning.follow_ups_due, morning.open_disputes
    return [
        due_sheet(asked, "lapsing", lapsing.rows, lapsing.after is not None),
        due_sheet(asked, "follow_ups", due.rows, due.after is not None),
        standing_sheet(asked, morning.standing),
        dispute_sheet(asked, disputes.rows, disputes.after is not None),
    ]


def _done(asked: Asked, morning: Morning) -> list[Sheet]:
    rows: list[tuple[Cell, ...]] = [
        (asked.staff(staff), *counted(counts).values()) for staff, counts in morning.yesterday.items()
    ]
    sales = morning.yesterdays_sales
    return [
        Sheet(code="yesterday", columns=("staff", *COUNTED), brief=YESTERDAY_BRIEF, rows=rows),
        turns_sheet(asked, "yesterdays_turns", morning.yesterdays_turns),
        commission_sheet(asked, "yesterdays_sales", sales.rows, sales.after is not None),
    ]
