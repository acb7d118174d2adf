"""The state of a day's queue, and how each fact changes it: a small function a fact, one an effect; no rule, no
clock."""

# long because: one function a fact and one an effect - this page is the list of what changes a queue
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from . import sales_turn_queue as facts
from .record import Envelope, Fact
from .sales_turn_queue import CHANNELS, Asked, Carried, Channel, Choice, Effect, MakeUp
from .visitor import Entry


class Person(msgspec.Struct, frozen=True):
    """Somebody's day. `in_since`: when signed in; `out`: why off the floor; `free_since`: since when able to be called,
    from which waiting counts (words 12)."""

    staff: UUID
    in_since: datetime | None = None
    out: str | None = None
    out_since: datetime | None = None
    post: str | None = None
    free_since: datetime | None = None
    may_take_second: bool = False
    may_give_up: bool = False
    gave_up: int = 0
    day_lost: bool = False


NO_CHOICE = Choice(None, "", ())


class Reception(msgspec.Struct, frozen=True):
    """`took_turn`: the receiver has a turn for it; `owed_pass`: in which line a pass is owed for it;
    `served`: it was a make-up; `revealed`: what recognising the
    visitor does to the turn (see Recognised.turn); `present`: who was on the floor when it began; `first`: the
    choice that was made then."""

    label: str
    channel: Channel
    asked: Asked
    choice: Choice
    opened_at: datetime
    assigned_at: datetime
    first: Choice = NO_CHOICE
    helpers: tuple[UUID, ...] = ()
    took_turn: bool = False
    owed_pass: Channel | None = None
    served: bool = False
    revealed: str | None = None
    revealed_by: tuple[str, ...] = ()
    recognised: str = "no"
    recognised_at: datetime | None = None
    present: frozenset[UUID] = frozenset()
    finished: facts.Finished | None = None
    over: bool = False

    @property
    def receiver(self) -> UUID | None:
        return self.choice.staff


class Stint(msgspec.Struct, frozen=True):
    """Time at the door; `owed_minutes`: what is to be made up, having ended early."""

    staff: UUID
    since: datetime
    until: datetime | None = None
    owed_minutes: int = 0


class Queue(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The state of a day. `latest`: when the latest of its facts happened; `lines`: per channel everybody who has a
    place, present or not (one line where rosters are shared); `last`: who went to the end of each last; `fronts`: who
    of those here is its first, since when; `receptions`: of the day by label, `open`: those not over."""

    id: UUID
    site: UUID
    day: date
    version: int
    latest: datetime
    carried: Carried
    shared: bool
    visits_team: str | None
    kind: str
    people: Mapping[UUID, Person]
    lines: Mapping[str, tuple[UUID, ...]]
    last: Mapping[str, UUID]
    fronts: Mapping[str, tuple[UUID, datetime]]
    turns: Mapping[str, Mapping[UUID, int]]
    make_ups: Mapping[str, tuple[MakeUp, ...]]
    passes: Mapping[str, Mapping[UUID, int]]
    not_ready: Mapping[UUID, str]
    no_calls: frozenset[UUID]
    double_rounds: frozenset[UUID]
    fines: Mapping[UUID, int]
    warnings: Mapping[UUID, int]
    suspended: Mapping[UUID, tuple[date, ...]]
    ranked: tuple[UUID, ...] | None
    support: tuple[UUID, ...]
    receptions: Mapping[str, Reception]
    open: Mapping[str, Reception]
    stints: tuple[Stint, ...]
    calls: Mapping[UUID, int]
    converted: Mapping[UUID, int]

    def person(self, staff: UUID) -> Person:
        return self.people.get(staff) or Person(staff)

    def line(self, channel: str) -> tuple[UUID, ...]:
        return self.lines["visit" if self.shared else channel]

    def present(self, staff: UUID) -> bool:
        """Signed in and not stepped out (words 11)."""
        person = self.people.get(staff)
        return person is not None and person.in_since is not None and person.out is None

    def busy_at(self, staff: UUID) -> Iterator[Reception]:
        """The receptions somebody is at, as receiver or helper."""
        return iter(self._busy.get(staff, ()))

    @cached_property
    def _busy(self) -> Mapping[UUID, list[Reception]]:
        busy: dict[UUID, list[Reception]] = {}
        for reception in self.open.values():
            for staff in {reception.receiver, *reception.helpers}:
                if staff is not None:
                    busy.setdefault(staff, []).append(reception)
        return busy

    def at_the_door(self) -> Stint | None:
        return self.stints[-1] if self.stints and self.stints[-1].until is None else None

    def counted(self, counts: Mapping[str, Mapping[UUID, int]], channel: str, staff: UUID) -> int:
        return counts.get(channel, {}).get(staff, 0)


def evolve(queue: Queue | None, envelope: Envelope) -> Queue | None:
    """Total: any lawful past loads; facts of other kinds only move the version on."""
    fact = envelope.fact
    if isinstance(fact, facts.QueueOpened):
        queue = _opened(envelope, fact)
    elif queue is not None and _concerns_nothing(queue, fact):
        pass
    elif queue is not None and (apply := _APPLY.get(type(fact))) is not None:
        queue = apply(queue, envelope, fact)
        for effect in getattr(fact, "effects", ()):
            if effect.kind == "door_left":
                queue = _off_the_door(queue, envelope.occurred_at, effect.minutes)
            elif effect.kind in ("make_up", "make_up_first"):
                queue = _owed(queue, effect, fact)
            else:
                queue = _EFFECTS[effect.kind](queue, effect)
    if queue is None:
        return None
    latest = max(queue.latest, envelope.occurred_at)
    return replace(queue, version=envelope.version, latest=latest, fronts=_fronts(queue, envelope))


def _concerns_nothing(queue: Queue, fact: Fact) -> bool:
    """Whether a fact is about a reception that is not on record; nothing lawful is, but a fold takes any past."""
    label = None if isinstance(fact, facts.CarriedOn) else getattr(fact, "reception", None)
    return label is not None and label not in queue.receptions and not isinstance(fact, facts.ReceptionOpened)


def _opened(envelope: Envelope, fact: facts.QueueOpened) -> Queue:
    carried = fact.carried
    return Queue(
        id=envelope.stream,
        site=envelope.site,
        day=fact.day,
        version=0,
        latest=envelope.occurred_at,
        carried=carried,
        shared=fact.shared,
        visits_team=fact.visits_team,
        kind="normal",
        people={},
        lines={channel: carried.lines.get(channel, ()) for channel in CHANNELS},
        last=carried.last,
        fronts={},
        turns=carried.turns,
        make_ups={channel: carried.make_ups.get(channel, ()) for channel in CHANNELS},
        passes=carried.passes,
        not_ready=carried.not_ready,
        no_calls=frozenset(carried.no_calls),
        double_rounds=frozenset(carried.double_rounds),
        fines=carried.fines,
        warnings=carried.warnings,
        suspended=carried.suspended,
        ranked=carried.ranked,
        support=carried.support,
        receptions={},
        open={},
        stints=(),
        calls=carried.calls,
        converted=carried.converted,
    )


def _fronts(queue: Queue, envelope: Envelope) -> Mapping[str, tuple[UUID, datetime]]:
    """Who of those signed in is the first of each line, and since when."""
    fronts: dict[str, tuple[UUID, datetime]] = {}
    for channel, line in queue.lines.items():
        front = next((one for one in line if queue.person(one).in_since is not None), None)
        if front is not None:
            known = queue.fronts.get(channel)
            fronts[channel] = known if known and known[0] == front else (front, envelope.occurred_at)
    return fronts


def _with_person(queue: Queue, staff: UUID, **changed: Any) -> Queue:
    return replace(queue, people={**queue.people, staff: replace(queue.person(staff), **changed)})


def _signed_in(queue: Queue, envelope: Envelope, fact: facts.SignedIn) -> Queue:
    lines = dict(queue.lines)
    for channel, before in fact.before.items():
        line = [one for one in lines[channel] if one != fact.staff]
        line.insert(line.index(before) if before in line else len(line), fact.staff)
        lines[channel] = tuple(line)
    at = envelope.occurred_at
    return _with_person(replace(queue, lines=lines), fact.staff, in_since=at, out=None, free_since=at)


def _signed_out(queue: Queue, envelope: Envelope, fact: facts.SignedOut) -> Queue:
    if not fact.keeps_place:
        lines = {channel: tuple(one for one in line if one != fact.staff) for channel, line in queue.lines.items()}
        queue = replace(queue, lines=lines)
    return _with_person(queue, fact.staff, in_since=None, out=None, post=None)


def _stepped_out(queue: Queue, envelope: Envelope, fact: facts.SteppedOut) -> Queue:
    return _with_person(queue, fact.staff, out=fact.why, out_since=envelope.occurred_at, post=None)


def _stepped_back(queue: Queue, envelope: Envelope, fact: facts.SteppedBack) -> Queue:
    return _with_person(queue, fact.staff, out=None, free_since=envelope.occurred_at)


def _readiness(queue: Queue, envelope: Envelope, fact: facts.ReadinessChanged) -> Queue:
    not_ready = {staff: reason for staff, reason in queue.not_ready.items() if staff != fact.staff}
    if fact.reason is not None:
        return replace(queue, not_ready={**not_ready, fact.staff: fact.reason})
    return replace(queue, not_ready=not_ready, no_calls=queue.no_calls - {fact.staff})


def _permitted(queue: Queue, envelope: Envelope, fact: facts.Permitted) -> Queue:
    leave = "may_take_second" if fact.what == "second_visitor" else "may_give_up"
    return _with_person(queue, fact.staff, **{leave: True})


def _post(queue: Queue, envelope: Envelope, fact: facts.PostTaken) -> Queue:
    for staff, person in queue.people.items():
        if person.post == fact.post:
            queue = _with_person(queue, staff, post=None)
    return _with_person(queue, fact.staff, post=fact.post)


def _door(queue: Queue, envelope: Envelope, fact: facts.DoorTaken) -> Queue:
    queue = _off_the_door(queue, envelope.occurred_at, fact.owed_minutes)
    return replace(queue, stints=(*queue.stints, Stint(fact.staff, envelope.occurred_at)))


def _off_the_door(queue: Queue, at: datetime, owed_minutes: int) -> Queue:
    stint = queue.at_the_door()
    if stint is None:
        return queue
    return replace(queue, stints=(*queue.stints[:-1], replace(stint, until=at, owed_minutes=owed_minutes)))


def _ranked(queue: Queue, envelope: Envelope, fact: facts.Ranked) -> Queue:
    return replace(queue, ranked=fact.order, lines={**queue.lines, **fact.lines})


def _declared(queue: Queue, envelope: Envelope, fact: facts.DayDeclared) -> Queue:
    return replace(queue, kind=fact.kind)


def _put(queue: Queue, reception: Reception) -> Queue:
    open_now = {label: one for label, one in queue.open.items() if label != reception.label}
    if not reception.over:
        open_now[reception.label] = reception
    return replace(queue, receptions={**queue.receptions, reception.label: reception}, open=open_now)


def _called(queue: Queue, staff: UUID | None) -> Queue:
    """Whoever is called leaves post, leave and waiting behind; the one at post B moves up."""
    if staff is None or staff not in queue.people:
        return queue
    if queue.people[staff].post == "A":
        for other, person in queue.people.items():
            if person.post == "B" and other != staff:
                queue = _with_person(queue, other, post="A")
    return _with_person(queue, staff, may_take_second=False, post=None)


def _released(queue: Queue, at: datetime, *staff: UUID | None) -> Queue:
    for one in staff:
        if one is not None and one in queue.people:
            queue = _with_person(queue, one, free_since=at)
    return queue


def _did(fact: Any, kind: str, staff: UUID | None) -> bool:
    return any(effect.kind == kind and effect.staff == staff for effect in fact.effects)


def _pass_for(fact: Any, staff: UUID | None) -> Channel | None:
    """In which line a fact made the receiver owe a pass."""
    owing = (effect for effect in fact.effects if effect.kind == "owes_pass" and effect.staff == staff)
    channel: Channel | None = next((effect.channel for effect in owing), None)
    return channel


def _reception(queue: Queue, envelope: Envelope, fact: facts.ReceptionOpened) -> Queue:
    at, staff = envelope.occurred_at, fact.choice.staff
    reception = Reception(
        label=fact.reception,
        channel=fact.channel,
        asked=fact.asked,
        choice=fact.choice,
        first=fact.choice,
        opened_at=at,
        assigned_at=at,
        took_turn=_did(fact, "turn", staff),
        owed_pass=_pass_for(fact, staff),
        served=_did(fact, "make_up_served", staff),
        present=frozenset(one for one in queue.people if queue.present(one)),
        over=staff is None,
    )
    return _called(_put(queue, reception), staff)


def _receiver(queue: Queue, envelope: Envelope, fact: facts.ReceiverChanged) -> Queue:
    before, staff = queue.receptions[fact.reception], fact.choice.staff
    after = replace(
        before,
        choice=fact.choice,
        assigned_at=envelope.occurred_at,
        took_turn=_did(fact, "turn", staff),
        owed_pass=_pass_for(fact, staff),
        served=_did(fact, "make_up_served", staff),
        revealed=None,
        over=staff is None,
    )
    queue = _released(_put(queue, after), envelope.occurred_at, before.receiver)
    return _called(queue, staff)


def _recognised(queue: Queue, envelope: Envelope, fact: facts.Recognised) -> Queue:
    before, staff = queue.receptions[fact.reception], fact.choice.staff
    changed = before.receiver != staff
    after = replace(
        before,
        asked=fact.asked,
        choice=fact.choice,
        recognised="in_time" if fact.in_time else "late",
        recognised_at=envelope.occurred_at,
        assigned_at=envelope.occurred_at if changed else before.assigned_at,
        revealed=None if changed else fact.turn,
        revealed_by=fact.clauses,
        took_turn=_did(fact, "turn", staff) if changed else before.took_turn and not _did(fact, "turn_back", staff),
        owed_pass=_pass_for(fact, staff) if changed else before.owed_pass,
        served=before.served and not changed,
    )
    queue = _put(queue, after)
    return _called(_released(queue, envelope.occurred_at, before.receiver), staff) if changed else queue


def _helped(queue: Queue, envelope: Envelope, fact: facts.Helped) -> Queue:
    before = queue.receptions[fact.reception]
    return _put(queue, replace(before, helpers=(*before.helpers, fact.staff)))


def _over(queue: Queue, envelope: Envelope, fact: facts.Finished | facts.Unanswered) -> Queue:
    before = queue.receptions[fact.reception]
    finished = fact if isinstance(fact, facts.Finished) else None
    queue = _put(queue, replace(before, over=True, finished=finished))
    return _released(queue, envelope.occurred_at, before.receiver, *before.helpers)


def _given_up(queue: Queue, envelope: Envelope, fact: facts.GivenUp) -> Queue:
    gave_up = queue.person(fact.staff).gave_up + (0 if fact.accepted else 1)
    return _with_person(
        queue, fact.staff, gave_up=gave_up, may_give_up=False, free_since=envelope.occurred_at, post=None
    )


def _converted(queue: Queue, envelope: Envelope, fact: facts.CallConverted) -> Queue:
    return replace(queue, converted={**queue.converted, fact.staff: queue.converted.get(fact.staff, 0) + 1})


def _nothing(queue: Queue, envelope: Envelope, fact: Fact) -> Queue:
    return queue


_APPLY: Mapping[type, Callable[..., Queue]] = {
    facts.SignedIn: _signed_in,
    facts.SignedOut: _signed_out,
    facts.SteppedOut: _stepped_out,
    facts.SteppedBack: _stepped_back,
    facts.ReadinessChanged: _readiness,
    facts.Permitted: _permitted,
    facts.PostTaken: _post,
    facts.DoorTaken: _door,
    facts.Ranked: _ranked,
    facts.DayDeclared: _declared,
    facts.ReceptionOpened: _reception,
    facts.ReceiverChanged: _receiver,
    facts.Recognised: _recognised,
    facts.Helped: _helped,
    facts.Finished: _over,
    facts.Unanswered: _over,
    facts.GivenUp: _given_up,
    facts.NotReached: _nothing,
    facts.Misconduct: _nothing,
    facts.Warned: _nothing,
    facts.CarriedOn: _nothing,
    facts.CallConverted: _converted,
}


# Effects


def _at(queue: Queue, effect: Effect) -> str:
    return "visit" if queue.shared else effect.channel or "visit"


def _to_front(queue: Queue, effect: Effect) -> Queue:
    at = _at(queue, effect)
    if effect.staff not in queue.lines[at]:
        return queue
    rest = (one for one in queue.lines[at] if one != effect.staff)
    return replace(queue, lines={**queue.lines, at: (effect.staff, *rest)})


def _to_end(queue: Queue, effect: Effect) -> Queue:
    at = _at(queue, effect)
    if effect.staff not in queue.lines[at]:
        return queue
    rest = (one for one in queue.lines[at] if one != effect.staff)
    last = {**queue.last, at: effect.staff}
    return replace(queue, lines={**queue.lines, at: (*rest, effect.staff)}, last=last)


def _count(counts: Mapping[str, Mapping[UUID, int]], effect: Effect, more: int) -> dict[str, Mapping[UUID, int]]:
    channel = effect.channel or "visit"
    here = counts.get(channel, {})
    return {**counts, channel: {**here, effect.staff: here.get(effect.staff, 0) + more}}


def _pass_back(queue: Queue, effect: Effect) -> Queue:
    """Nothing, where the pass has been made meanwhile."""
    owes = queue.counted(queue.passes, effect.channel or "visit", effect.staff) > 0
    return replace(queue, passes=_count(queue.passes, effect, -1)) if owes else queue


def _owed(queue: Queue, effect: Effect, fact: Fact) -> Queue:
    channel, first = effect.channel or "visit", effect.kind == "make_up_first"
    day = fact.of if isinstance(fact, facts.CarriedOn) else queue.day
    one = MakeUp(effect.staff, first, day, getattr(fact, "reception", ""), effect.clauses)
    owed = queue.make_ups[channel]
    place = sum(1 for other in owed if other.first) if first else len(owed)
    return replace(queue, make_ups={**queue.make_ups, channel: (*owed[:place], one, *owed[place:])})


def _served(queue: Queue, effect: Effect) -> Queue:
    channel = effect.channel or "visit"
    owed = list(queue.make_ups[channel])
    mine = next((place for place, one in enumerate(owed) if one.staff == effect.staff), None)
    if mine is not None:
        owed.pop(mine)
    return replace(queue, make_ups={**queue.make_ups, channel: tuple(owed)})


def _suspended(queue: Queue, effect: Effect) -> Queue:
    days = {*queue.suspended.get(effect.staff, ()), *([effect.day] if effect.day else [])}
    return replace(queue, suspended={**queue.suspended, effect.staff: tuple(sorted(days))})


def _fined(queue: Queue, effect: Effect) -> Queue:
    return replace(queue, fines={**queue.fines, effect.staff: queue.fines.get(effect.staff, 0) + effect.yuan})


def _warned(queue: Queue, effect: Effect) -> Queue:
    return replace(queue, warnings={**queue.warnings, effect.staff: queue.warnings.get(effect.staff, 0) + 1})


def _answered(queue: Queue, effect: Effect) -> Queue:
    return replace(queue, calls={**queue.calls, effect.staff: queue.calls.get(effect.staff, 0) + 1})


def _support(queue: Queue, effect: Effect) -> Queue:
    """The support's own order moves on whether or not the supporter comes to receive (T15)."""
    support = (*(one for one in queue.support if one != effect.staff), effect.staff)
    return replace(queue, support=support)


_EFFECTS: Mapping[str, Callable[[Queue, Effect], Queue]] = {
    "to_end": _to_end,
    "to_front": _to_front,
    "turn": lambda queue, effect: replace(queue, turns=_count(queue.turns, effect, 1)),
    "turn_back": lambda queue, effect: replace(queue, turns=_count(queue.turns, effect, -1)),
    "make_up_served": _served,
    "owes_pass": lambda queue, effect: replace(queue, passes=_count(queue.passes, effect, 1)),
    "pass_paid": lambda queue, effect: replace(queue, passes=_count(queue.passes, effect, -1)),
    "pass_back": _pass_back,
    "double_rounds": lambda queue, effect: replace(queue, double_rounds=queue.double_rounds | {effect.staff}),
    "fine": _fined,
    "warning": _warned,
    "suspended": _suspended,
    "day_lost": lambda queue, effect: _with_person(queue, effect.staff, day_lost=True),
    "support_moves_on": _support,
    "call_answered": _answered,
}


def entry_received(reception: Reception) -> Entry | None:
    """Who was received, as far as it is on record."""
    return reception.finished.entry if reception.finished else reception.asked.entry
