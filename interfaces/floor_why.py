"""Why a reception went to whom it went, and what became of it: read from the day's facts, folded once more up to each
of the reception's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from application.replay.lines import Citation, Text
from application.sales_office import SalesOffice
from domain import queue_state
from domain import sales_turn_queue as facts
from domain.queue_state import Queue
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rulebook import Edition
from domain.rules.floor import Floor
from domain.sales_turn_queue import Asked, Channel, Choice, PassedOver

from .floor_teller import EffectLine, Teller, happened, how_chosen

ASKED_AS = {"asks_for": "named", "invited_by": "inviter", "referrer": "referrer", "owner": "owner"}
"""Field of Asked -> as what somebody was asked before the line."""


class PassedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody passed over. `place` 0: asked before the line, `asked_as`: as what (named, inviter, referrer, owner,
    make_up)."""

    staff: str
    place: int
    asked_as: str | None
    reason: str
    since: datetime | None
    receptions: tuple[str, ...]
    clauses: tuple[str, ...]


class ChoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who was chosen (None: nobody), because of what; `how`: the same told apart further (see floor_words.HOW)."""

    staff: str | None
    because: str
    how: str
    post: str | None
    line: tuple[str, ...]
    passed: tuple[PassedLine, ...]
    instead_of: str | None
    entrusted: bool
    otherwise: str | None
    in_turn: bool
    clauses: tuple[str, ...]


class AskedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of the one who came; `visitor`, `phone` and `brought_by` are masked."""

    known: bool
    visitor: str | None
    phone: str | None
    owner: str | None
    bought: bool
    tie: str
    found_by: str | None
    entrusted_to: str | None
    again_today: bool
    as_new: bool
    asks_for: str | None
    invited_by: str | None
    brought: bool
    brought_by: str | None
    referrer: str | None
    purpose: str | None
    appointment: bool
    party: int


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of a reception. `what`: opened, absent, handed_over, recognised, helped, unanswered, finished.

    `choice`: None where nobody else receives; `line`: which line was asked (visit, call, both); `before`: who received
    until then; `turn`: what becomes of that one's turn; `revealed`: what being recognised did to the turn of who goes
    on; of a reception that is over, `received_as`, `standing` and `purpose`: as what it was received, what the visitor
    was to the receiver and came for.
    """

    position: int
    at: datetime
    known_at: datetime
    what: str
    by: str | None
    edition: str
    line: str
    before: str | None
    choice: ChoiceLine | None
    asked: AskedLine | None
    joined: tuple[str, ...]
    in_time: bool | None
    turn: str | None
    revealed: str | None
    counts: bool | None
    received_as: str | None
    standing: str | None
    purpose: str | None
    effects: tuple[EffectLine, ...]
    clauses: tuple[str, ...]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """How a reception was assigned and what became of it. `state`: open, over, nobody (nobody could be called)."""

    reception: str
    site: str
    timezone: str
    day: date
    channel: str
    edition: str
    title: Text
    state: str
    receiver: str | None
    steps: tuple[StepLine, ...]
    clauses: tuple[Citation, ...]
    staff_ids: dict[str, UUID]


class _Teller(Teller):
    """... and the parts of a step."""

    def choice(self, floor: Floor, choice: Choice, asked: Asked, channel: Channel) -> ChoiceLine:
        how, post = how_chosen(floor, choice, asked, channel)
        return ChoiceLine(
            staff=self.name(choice.staff),
            because=choice.because,
            how=how,
            post=post,
            line=self.names(choice.line),
            passed=tuple(self._passed(floor.queue, choice.passed, asked)),
            instead_of=self.name(choice.instead_of),
            entrusted=choice.entrusted,
            otherwise=self.name(choice.otherwise),
            in_turn=choice.in_turn,
            clauses=choice.clauses,
        )

    def _passed(self, queue: Queue, passed: Sequence[PassedOver], asked: Asked) -> Iterator[PassedLine]:
        """Whoever was asked before the line was so for each claim in turn, then for a make-up owed."""
        claims = {
            one.staff: [code for field, code in ASKED_AS.items() if getattr(asked, field) == one.staff]
            for one in passed
        }
        for one in passed:
            labels, since = self.whereabouts(queue, one.staff, one.reason)
            asked_as = None
            if one.place == 0:
                asked_as = claims[one.staff].pop(0) if claims[one.staff] else "make_up"
            yield PassedLine(
                staff=self.files.staff_name(one.staff),
                place=one.place,
                asked_as=asked_as,
                reason=one.reason,
                since=since,
                receptions=labels,
                clauses=one.clauses,
            )

    def asked(self, asked: Asked) -> AskedLine:
        visitor, phone = self.visitor(asked.entry)
        return AskedLine(
            known=asked.entry is not None,
            visitor=visitor,
            phone=phone,
            owner=self.name(asked.owner),
            bought=asked.bought,
            tie=asked.tie,
            found_by=asked.found_by,
            entrusted_to=self.name(asked.entrusted_to),
            again_today=asked.again_today,
            as_new=asked.as_new,
            asks_for=self.name(asked.asks_for),
            invited_by=self.name(asked.invited_by),
            brought=asked.brought_by is not None,
            brought_by=self.visitor(asked.brought_by)[0],
            referrer=self.name(asked.referrer),
            purpose=asked.purpose,
            appointment=asked.appointment,
            party=asked.party,
        )


def lately(office: SalesOffice, label: str, today: date) -> Why:
    """The same for a reception of today, or one of the night before. Raises Refusal unknown_reception."""
    try:
        return why(office, label, today)
    except Refusal as refusal:
        yesterday = today - timedelta(days=1)
        if refusal.code != "unknown_reception" or not _is_of(office, label, yesterday):
            raise
        return why(office, label, yesterday)


def _is_of(office: SalesOffice, label: str, day: date) -> bool:
    queue = office.files.queue(day)
    return queue is not None and label in queue.receptions


def why(office: SalesOffice, label: str, day: date) -> Why:
    """How a reception of a day was assigned, and what became of it. Raises Refusal unknown_reception."""
    teller, steps, citations = _Teller(office), list[StepLine](), dict[str, Citation]()
    queue: Queue | None = None
    edition: Edition | None = None
    for envelope in happened(office, day):
        if queue is not None and getattr(envelope.fact, "reception", None) == label:
            in_force = _edition_of(office, envelope)
            edition = edition or in_force
            steps.append(_step(teller, in_force, queue, envelope))
            citations |= _cited(in_force, steps[-1], citations)
        queue = queue_state.evolve(queue, envelope)
    if queue is None or edition is None or (reception := queue.receptions.get(label)) is None:
        raise Refusal("unknown_reception", f"{label} on {day}; --day names another day")
    state = "open" if not reception.over else "nobody" if reception.receiver is None else "over"
    return Why(
        reception=label,
        site=teller.site.name,
        timezone=teller.site.timezone,
        day=day,
        channel=reception.channel,
        edition=edition.label,
        title=Text(edition.title_en, edition.title_zh),
        state=state,
        receiver=teller.name(reception.receiver),
        steps=tuple(steps),
        clauses=tuple(citations.values()),
        staff_ids=teller.staff_ids(),
    )


def _edition_of(office: SalesOffice, envelope: Envelope) -> Edition:
    """The edition under which a fact was decided."""
    editions = office.files.editions(until_position=envelope.position)
    named = [item.edition for item in editions.in_force if item.edition.label == envelope.edition]
    return named[-1] if named else editions.governing(envelope.occurred_at)


def _step(teller: _Teller, edition: Edition, queue: Queue, envelope: Envelope) -> StepLine:
    fact: Any = envelope.fact
    reception = queue.receptions.get(fact.reception)
    floor = Floor(queue, edition, teller.site.staff, teller.zone, envelope.occurred_at)
    what = getattr(fact, "why", None) or fact.stored_name.split(".")[1].removeprefix("reception_")
    asked: Asked | None = getattr(fact, "asked", None)
    known = asked or (reception.asked if reception else Asked())
    channel = reception.channel if reception else fact.channel
    choice: Choice | None = getattr(fact, "choice", None)
    if what == "recognised" and choice is not None and reception is not None and choice.staff == reception.receiver:
        choice = None
    finished = fact if isinstance(fact, facts.Finished) else None
    if finished is not None and reception is not None:
        asked = replace(reception.asked, entry=finished.entry)
    by = getattr(fact, "by", None) or (envelope.actor if envelope.actor in teller.site.staff else None)
    return StepLine(
        position=envelope.position,
        at=teller.local(envelope.occurred_at),
        known_at=teller.local(envelope.known_at),
        what=what,
        by=teller.name(by),
        edition=edition.label,
        line="both" if queue.shared else channel,
        before=teller.name(reception.receiver) if reception else None,
        choice=teller.choice(floor, choice, known, channel) if choice else None,
        asked=teller.asked(asked) if asked else None,
        joined=teller.names((*getattr(fact, "helpers", ()), *([fact.staff] if what == "helped" else []))),
        in_time=getattr(fact, "in_time", None),
        turn=getattr(fact, "turn", None),
        revealed=reception.revealed if reception and finished else None,
        counts=finished.counts if finished else None,
        received_as=_received_as(reception.choice) if reception and finished else None,
        standing=finished.standing if finished else None,
        purpose=finished.purpose if finished else None,
        effects=teller.effects(getattr(fact, "effects", ())),
        clauses=getattr(fact, "clauses", ()),
    )


def _received_as(choice: Choice) -> str:
    """As what a reception counts: what a manager arranged is out of the order."""
    return "set_aside" if choice.arranged else choice.because


def _cited(edition: Edition, step: StepLine, known: Mapping[str, Citation]) -> dict[str, Citation]:
    """The clauses that a step cites for the first time."""
    cited = [*step.clauses]
    if step.choice is not None:
        cited += [*step.choice.clauses, *(clause for one in step.choice.passed for clause in one.clauses)]
    cited += [clause for effect in step.effects for clause in effect.clauses]
    found: dict[str, Citation] = {}
    for one in cited:
        if one not in known and (clause := edition.clauses.get(one)) is not None:
            found[one] = Citation(one, clause.rules, clause.source, clause.en, clause.zh)
    return found
