"""Why the others are not the owner: every rival claim with the reason why it fails, and what would have
changed the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from .attribution import Attribution, Question, Step, attribute
from .calendar import day_of, end_of
from .record import Envelope
from .rulebook import Editions, InForce
from .visitor import Entry, Moment, VisitorFollowedUp, VisitorRegistered, VisitorRelated, entry_of

PERIOD = "attribution.protection_days"
MOST_TRIED = 60
"""So many differences of a kind are tried, so that the answer comes at once however long the history."""


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a claim of their own that does not hold. `reason` is a code; `at` their (first) contact, if any."""

    staff: UUID
    reason: str
    step: Step | None
    clauses: tuple[str, ...]
    facts: tuple[int, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that would have changed the owner.

    `kind`: without_fact (the fact at `position` had not been), parameter (`name` had been `value`),
    follow_up_in_time (`staff`
    had followed up through `day`). `owner`: who would then own (None: nobody).
    """

    kind: str
    owner: UUID | None
    position: int | None = None
    name: str | None = None
    value: int | None = None
    staff: UUID | None = None
    day: str | None = None


class Homonym(msgspec.Struct, frozen=True):
    """An entry elsewhere under the same name but another phone (A7)."""

    entry: Entry
    by: UUID
    position: int


class _OwnerWith(Protocol):
    """Who would own with another history, other editions, or without some facts."""

    def __call__(
        self,
        history: Sequence[Envelope] | None = None,
        editions: Editions | None = None,
        without: frozenset[int] = frozenset(),
    ) -> UUID | None: ...


def rivals_of(
    found: Attribution,
    owner: UUID | None,
    *,
    history: Sequence[Envelope],
    homonyms: Iterable[Homonym] = (),
    claimants: Iterable[UUID] = (),
    otherwise: str = "replaced",
) -> list[Rival]:
    """Every other person with a contact, an entry that is no part of this customer, or a dispute - and why not they.

    `otherwise`: the reason why a claim that stands fails all the same (ruled_otherwise, buyer_not_family).
    """
    rivals: dict[UUID, Rival] = {}
    for step in found.steps:
        for staff in _people(step):
            if staff != owner and staff not in rivals:
                rivals[staff] = _rival(staff, found, otherwise)
    registered = {
        entry: (envelope.fact.by, envelope.position)
        for envelope in history
        if isinstance(envelope.fact, VisitorRegistered) and (entry := entry_of(envelope)) is not None
    }
    for link in found.customer.apart:
        for end in (link.one, link.other):
            if end in registered and end not in found.customer.entries:
                staff, position = registered[end]
                if staff != owner and staff not in rivals:
                    rivals[staff] = Rival(
                        staff=staff,
                        reason="different_customer",
                        step=None,
                        clauses=link.clauses,
                        facts=(*link.facts, position),
                    )
    case = {"link": "same_name", "names": "same", "relation": "none", "proven": "no"}
    for homonym in homonyms:
        if homonym.by != owner and homonym.by not in rivals and homonym.entry not in found.customer.entries:
            rivals[homonym.by] = Rival(
                staff=homonym.by,
                reason="same_name_unproven",
                step=None,
                clauses=found.edition.row_for("attribution.same_customer", case).clauses,
                facts=(homonym.position,),
            )
    for staff in claimants:
        if staff != owner and staff not in rivals:
            rivals[staff] = Rival(staff=staff, reason="claimed_without_record", step=None, clauses=(), facts=())
    return list(rivals.values())


def _people(step: Step) -> tuple[UUID, ...]:
    """Who made the step, or was made the owner by it."""
    return (step.claim.owner,) if step.effect == "ruled" and step.claim else step.by


def _rival(staff: UUID, found: Attribution, otherwise: str) -> Rival:
    own = [step for step in found.steps if staff in _people(step)]
    facts = tuple(step.position for step in own if step.position)
    founded = [step for step in own if step.effect in ("founds", "ruled") and step.claim and step.claim.owner == staff]
    if founded:
        reason, clauses = _how_it_ended(staff, founded[-1], found, otherwise)
        return Rival(staff=staff, reason=reason, step=founded[-1], clauses=clauses, facts=facts)
    telling = next((step for step in own if step.reason and step.what == "registration"), None)
    telling = telling or next((step for step in own if step.what != "entrusted"), own[0])
    reason = telling.reason or "replaced"
    if telling.what in ("sale", "entrusted"):
        reason = {"sale": "only_closed", "entrusted": "only_entrusted"}[telling.what]
    elif telling.what == "reception" and telling.effect == "founds":  # but somebody else's claim
        reason = "received_in_ones_stead"
    return Rival(staff=staff, reason=reason, step=telling, clauses=telling.clauses, facts=facts)


def _how_it_ended(staff: UUID, founded: Step, found: Attribution, otherwise: str) -> tuple[str, tuple[str, ...]]:
    """Why a claim that had been founded is not the one that counts."""
    before: UUID | None = staff
    for step in found.steps[found.steps.index(founded) :]:
        after = step.claim.owner if step.claim else None
        if before == staff and after != staff:
            reason = {"lapse": "lapsed", "ruling": "ruled_otherwise"}.get(step.what, "replaced")
            return reason, step.clauses
        before = after
    return otherwise, founded.clauses


def changes_to(
    question: Question, entry: Entry, moment: Moment, found: Attribution, *, rulings: bool = True
) -> list[Change]:
    """What would have changed the owner: facts taken away one by one, another period, a follow-up in time.

    Deterministic; each is found by replaying the same history with that one difference. Of long histories the
    first fact
    and the latest are tried, and the day distances nearest to the present period (MOST_TRIED of each).
    """

    def owner_with(
        history: Sequence[Envelope] | None = None,
        editions: Editions | None = None,
        without: frozenset[int] = frozenset(),
    ) -> UUID | None:
        other = msgspec.structs.replace(
            question,
            history=question.history if history is None else history,
            editions=question.editions if editions is None else editions,
        )
        return attribute(other, entry, moment, rulings=rulings, without=without).owner

    return [
        *_without_facts(question, found, owner_with),
        *_other_periods(question, moment, found, owner_with),
        *_followed_up_in_time(question, found, owner_with),
    ]


def _without_facts(question: Question, found: Attribution, owner_with: _OwnerWith) -> list[Change]:
    changes = []
    for position in (*found.facts[:1], *found.facts[1:][-MOST_TRIED:]):
        owner = owner_with(without=_copies(question.history, position))
        if owner != found.owner:
            changes.append(Change(kind="without_fact", position=position, owner=owner))
    return changes


def _copies(history: Sequence[Envelope], position: int) -> frozenset[int]:
    """The places of a fact: a relation stands in two files."""
    commands = {e.command_id for e in history if e.position == position and isinstance(e.fact, VisitorRelated)}
    return frozenset({position, *(e.position for e in history if e.command_id in commands)})


def _other_periods(question: Question, moment: Moment, found: Attribution, owner_with: _OwnerWith) -> list[Change]:
    """The nearest shorter and the nearest longer protection that give another owner. Only day distances can matter."""
    current = found.edition.days(PERIOD)
    days = [day_of(step.at, question.zone) for step in found.steps if step.position]
    days.append(day_of(moment.at, question.zone))
    distances = {(late - early).days for i, early in enumerate(days) for late in days[i + 1 :]}
    candidates = sorted({n for d in distances for n in (d - 1, d) if n >= 0})
    shorter = [n for n in reversed(candidates) if current is None or n < current]
    longer = [n for n in candidates if current is not None and n > current]
    changes = []
    for trial in (shorter, longer):
        for value in trial[:MOST_TRIED]:
            owner = owner_with(editions=_with_period(question.editions, value))
            if owner != found.owner:
                changes.append(Change(kind="parameter", name=PERIOD, value=value, owner=owner))
                break
    return changes


def _with_period(editions: Editions, value: int) -> Editions:
    return Editions(
        tuple(InForce(item.since, item.edition.amended({PERIOD: value}), item.position) for item in editions.in_force)
    )


def _followed_up_in_time(question: Question, found: Attribution, owner_with: _OwnerWith) -> list[Change]:
    changes = []
    last = max((envelope.position for envelope in question.history), default=0)
    for before, step in zip(found.steps, found.steps[1:], strict=False):
        claim = before.claim
        if step.what != "lapse" or claim is None or claim.until is None:
            continue
        model = next(envelope for envelope in question.history if envelope.position == claim.facts[0])
        at = end_of(claim.until, question.zone) - timedelta(seconds=1)
        made = entry_of(model)
        imagined = msgspec.structs.replace(
            model,
            position=last + 1,
            occurred_at=at,
            recorded_at=at,
            entered_at=None,
            fact=VisitorFollowedUp(registration=made.registration if made else 1, by=claim.owner, how="call"),
        )
        owner = owner_with(history=[*question.history, imagined])
        if owner != found.owner:
            changes.append(
                Change(kind="follow_up_in_time", staff=claim.owner, day=claim.until.isoformat(), owner=owner)
            )
    return changes
