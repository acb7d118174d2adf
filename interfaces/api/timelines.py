"""What happened to a customer, step by step, as the views have it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from application.replay.lines import Citation, Text
from application.replay.wording import EFFECT, REASON, WHAT
from projections.ownership import OWNERSHIP
from projections.reports import timeline
from projections.source import Holds
from projections.timeline import TIMELINE, TimelineStep

from .answers import EntryLine, citations, names
from .caller import Caller
from .operations import Resource
from .reading import source_of
from .visitors import OfRegistration
from .whose import own_visitor

timelines = Resource("timelines", "Timelines: what happened to a customer, step by step, from the views")
SITE = "/sites/<uuid:site>"


class HistoryStep(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, and what it did to the claim; `owner` and `until` are those after it. `position`: of the fact
    (None: no fact says it, as when a claim runs out)."""

    position: int | None
    at: datetime
    known_at: datetime
    what: str
    what_text: Text
    by: tuple[UUID, ...]
    effect: str
    effect_text: Text
    reason: str | None
    reason_text: Text | None
    owner: UUID | None
    until: date | None
    edition: str
    clauses: tuple[str, ...]
    entry: EntryLine | None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a customer, in the order in which it counts. `customer`: the first of the customer's entries."""

    customer: EntryLine
    steps: tuple[HistoryStep, ...]
    clauses: tuple[Citation, ...]
    staff: dict[UUID, str]
    holds: Holds


@timelines.query(
    f"{SITE}/visitors/<uuid:visitor>/timeline", History, action="matters.replay", schema=OfRegistration,
    whose=own_visitor, reads=[TIMELINE, OWNERSHIP], refuses=["unknown_visitor"],
)  # fmt: skip
def show_timeline(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> History:
    """What happened to the customer that a visitor belongs to, step by step, with the clauses."""
    with source_of(caller) as source:
        found = timeline(source, visitor, given["registration"])
    entry, steps = found.answer.entry, found.answer.steps
    mentioned = [who for step in steps for who in (*step.by, step.owner)]
    return History(
        customer=EntryLine(entry.visitor, entry.registration),
        steps=tuple(map(_step, steps)),
        clauses=citations(caller.office, [clause for step in steps for clause in step.clauses]),
        staff=names(caller.office, mentioned),
        holds=found.holds,
    )


def _step(step: TimelineStep) -> HistoryStep:
    return HistoryStep(
        position=step.position, at=step.at, known_at=step.known_at, what=step.what, what_text=Text(*WHAT[step.what]),
        by=step.by, effect=step.effect, effect_text=Text(*EFFECT[step.effect]), reason=step.reason,
        reason_text=Text(*REASON[step.reason]) if step.reason else None, owner=step.owner, until=step.until,
        edition=step.edition, clauses=step.clauses,
        entry=EntryLine(step.entry.visitor, step.entry.registration) if step.entry else None,
    )  # fmt: skip
