"""Every reception that the desk called for and what became of it (T43): one row each, to be paged through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.queue_state import Reception, entry_received
from domain.record import Envelope
from domain.sales_turn_queue import CarriedOn, Choice, Finished, ReceiverChanged, ReceptionOpened, Unanswered

from .dossier import QUEUE, Judged
from .view import Column, Row, View

OPEN, FINISHED, UNANSWERED, NOBODY = "open", "finished", "unanswered", "nobody"


def _rows(judged: Judged) -> Iterator[Row]:
    if judged.floor is None:
        return
    queue = judged.floor.queue
    of_reception: dict[str, list[Envelope]] = defaultdict(list)
    for envelope in judged.facts:
        label = getattr(envelope.fact, "reception", None)
        if label is not None and not isinstance(envelope.fact, CarriedOn):  # that one is of another day
            of_reception[label].append(envelope)
    for label, reception in queue.receptions.items():
        facts = of_reception[label]
        positions = tuple(envelope.position for envelope in facts)
        head = (queue.id, label, judged.site, queue.day, reception.channel)
        yield Row((*head, *_times(reception, facts), *_found(reception, facts), positions), positions)


def _times(reception: Reception, facts: list[Envelope]) -> tuple[Any, ...]:
    """opened_at, assigned_at, finished_at, status."""
    assigned_at = None if reception.receiver is None else reception.assigned_at
    ended: datetime | None = None
    for envelope in facts:
        if isinstance(envelope.fact, Finished | Unanswered):
            ended = envelope.occurred_at
    status = OPEN
    if reception.over:
        status = FINISHED if reception.finished else NOBODY if reception.receiver is None else UNANSWERED
    return reception.opened_at, assigned_at, ended, status


def _found(reception: Reception, facts: list[Envelope]) -> tuple[Any, ...]:
    """receiver, because, instead_of, owner, found_by, file, registration, party, purpose, standing, counted, helpers,
    called, passed_over, clauses, edition."""
    asked, choice, finished = reception.asked, reception.choice, reception.finished
    entry = entry_received(reception)
    called = [one.staff for one in map(_choice, facts) if one is not None]
    return (
        choice.staff,
        choice.because or None,
        choice.instead_of,
        asked.owner,
        asked.found_by,
        entry.visitor if entry else None,
        entry.registration if entry else None,
        asked.party,
        finished.purpose if finished else asked.purpose,
        finished.standing if finished else None,
        finished.counts if finished else False if reception.over else None,
        reception.helpers,
        sum(1 for place, staff in enumerate(called) if staff is not None and staff not in called[:place]),
        sum(len(passed_over(envelope)) for envelope in facts),
        _clauses(facts),
        facts[-1].edition,
    )


def _choice(envelope: Envelope) -> Choice | None:
    return getattr(envelope.fact, "choice", None)


def passed_over(envelope: Envelope) -> dict[UUID, str]:
    """Who of the line was passed over for somebody else by a fact, and why; not who was called and did not come, nor
    the other team, whose line it is not."""
    fact = envelope.fact
    looked = isinstance(fact, ReceptionOpened) or (isinstance(fact, ReceiverChanged) and fact.why == "absent")
    choice = _choice(envelope)
    if not looked or choice is None or choice.staff is None:
        return {}
    return {
        one.staff: one.reason
        for one in choice.passed
        if one.place > 0 and one.staff != choice.staff and one.reason not in ("did_not_come", "other_team")
    }


def _clauses(facts: list[Envelope]) -> tuple[str, ...]:
    """All that the choices and the verdict rest on: each clause once, in the order in which they were cited."""
    cited: dict[str, None] = {}
    for envelope in facts:
        choice = _choice(envelope)
        if choice is not None:
            cited.update(dict.fromkeys(choice.clauses))
        cited.update(dict.fromkeys(getattr(envelope.fact, "clauses", ())))
    return tuple(cited)


ASSIGNMENTS = View(
    name="assignments",
    about_en="Receptions: who was called for whom and why, who was passed over, and whether it counted as a turn",
    about_zh="每次接待的派单记录：派给谁、依据何在、轮空几人、是否计轮次",
    columns=(
        Column("queue", "uuid", "the stream of the site's day on which it began"),
        Column("label", "text", "what the desk calls it"),
        Column("site", "uuid", "the site"),
        Column("day", "date", "the day on which it began, on the site's calendar"),
        Column("channel", "text", "visit or call"),
        Column("opened_at", "timestamptz", "when the desk called for a consultant"),
        Column("assigned_at", "timestamptz", "when the last receiver was named; none: nobody could be", null=True),
        Column("finished_at", "timestamptz", "when it was over", null=True),
        Column("status", "text", "open, finished, unanswered, or nobody: there was nobody to assign"),
        Column("receiver", "uuid", "who received, in the end", null=True),
        Column("because", "text", "as what (see Choice); none with nobody", null=True),
        Column("instead_of", "uuid", "for whom the receiver stood in", null=True),
        Column("owner", "uuid", "whose customer it was, as far as was known at the reception", null=True),
        Column("found_by", "text", "how the owner was found: phone, visitor, describes, recognised", null=True),
        Column("file", "uuid", "file of the visitor, as far as it is on record", null=True),
        Column("registration", "integer", "number of the registration in it", null=True),
        Column("party", "integer", "persons who came"),
        Column("purpose", "text", "what they came for; none: not said, and not over", null=True),
        Column(
            "standing", "text", "what the visitor turned out to be to the receiver; none before it is over", null=True
        ),
        Column("counted", "boolean", "whether it was a turn taken; none before it is over", null=True),
        Column("helpers", "uuid[]", "who joined"),
        Column("called", "integer", "how many have been called to receive, one after the other"),
        Column("passed_over", "integer", "how many of the line were passed over for somebody else"),
        Column("clauses", "text[]", "the clauses that the choices and the verdict rest on"),
        Column("edition", "text", "the edition of its last fact", null=True),
        Column("positions", "bigint[]", "its facts"),
    ),
    key=2,
    indexes=("(site, opened_at, queue, label)", "(site, receiver, opened_at, queue, label)"),
    rows={QUEUE: _rows},
)
