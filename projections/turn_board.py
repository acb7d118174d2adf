"""A day on the floor, person by person: attendance, places, turns, what is owed, who was passed over and why (Q2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.calendar import end_of
from domain.queue_state import Queue
from domain.record import Envelope
from domain.rules.floor import Floor
from domain.sales_turn_queue import (
    CHANNELS,
    CallConverted,
    CarriedOn,
    Effect,
    Finished,
    GivenUp,
    ReceiverChanged,
    ReceptionOpened,
    Recognised,
    SignedIn,
    SignedOut,
    SteppedBack,
    SteppedOut,
    Unanswered,
)

from .assignments import passed_over
from .dossier import QUEUE, Judged
from .view import Column, Row, View


class _Clock:
    """How long something has gone on, also where it goes on several times at once. (What was entered late may begin
    after it ends: that is no time at all.)"""

    def __init__(self) -> None:
        self.seconds, self._running = 0, 0
        self._since: datetime | None = None

    def start(self, at: datetime) -> None:
        if not self._running:
            self._since = at
        self._running += 1

    def stop(self, at: datetime) -> None:
        if self._running:
            self._running -= 1
            if not self._running and self._since is not None:
                self.seconds += max(0, int((at - self._since).total_seconds()))

    def stop_all(self, at: datetime) -> None:
        self._running = min(self._running, 1)
        self.stop(at)


class _Person:
    """What a day's facts come to for one of the staff."""

    def __init__(self) -> None:
        self.signed_in_at: datetime | None = None
        self.signed_out_at: datetime | None = None
        self.on_floor, self.receiving = _Clock(), _Clock()
        self.effects: Counter[str] = Counter()
        self.fines_yuan = self.absences = self.gave_up = self.gave_up_against = 0


class _Day:
    """A day's facts, told person by person."""

    def __init__(self, floor: Floor, facts: Sequence[Envelope]) -> None:
        self.people: dict[UUID, _Person] = {}
        self.passed: dict[UUID, Counter[str]] = {}
        self.ends = end_of(floor.queue.day, floor.zone)
        self._receivers: dict[str, UUID | None] = {}
        for envelope in facts:
            self._take(envelope)
        # What a manager puts on record in the evening does not say that anybody is still there.
        last = max((envelope.occurred_at for envelope in facts if type(envelope.fact) in _TOLD), default=self.ends)
        for person in self.people.values():
            person.on_floor.stop_all(min(last, self.ends))
            person.receiving.stop_all(last)

    def person(self, staff: UUID) -> _Person:
        return self.people.setdefault(staff, _Person())

    def _take(self, envelope: Envelope) -> None:
        fact, at = envelope.fact, envelope.occurred_at
        if isinstance(fact, CarriedOn):
            return  # of the day on which the reception began, and counted there
        label = getattr(fact, "reception", None)
        if label is not None and label not in self._receivers and not isinstance(fact, ReceptionOpened):
            return  # as queue_state.evolve has it
        staff = getattr(fact, "staff", None)
        if staff is not None and not isinstance(fact, CallConverted):
            self.person(staff)
        if (told := _TOLD.get(type(fact))) is not None:
            told(self, fact, at)
        for one, reason in passed_over(envelope).items():
            self.passed.setdefault(one, Counter())[reason] += 1
        for effect in getattr(fact, "effects", ()):
            self._affected(effect)

    def _affected(self, effect: Effect) -> None:
        person = self.person(effect.staff)
        person.effects[effect.kind] += 1
        if effect.kind == "fine":
            person.fines_yuan += effect.yuan

    def came(self, fact: SignedIn, at: datetime) -> None:
        person = self.person(fact.staff)
        person.signed_in_at, person.signed_out_at = person.signed_in_at or at, None
        person.on_floor.start(min(at, self.ends))

    def went(self, fact: SignedOut, at: datetime) -> None:
        person = self.person(fact.staff)
        person.signed_out_at = at
        person.on_floor.stop_all(min(at, self.ends))

    def left(self, fact: SteppedOut, at: datetime) -> None:
        self.person(fact.staff).on_floor.stop_all(min(at, self.ends))

    def back(self, fact: SteppedBack, at: datetime) -> None:
        self.person(fact.staff).on_floor.start(min(at, self.ends))

    def received(self, fact: ReceptionOpened | ReceiverChanged | Recognised, at: datetime) -> None:
        before, staff = self._receivers.get(fact.reception), fact.choice.staff
        if isinstance(fact, ReceiverChanged) and fact.why == "absent" and before is not None:
            self.person(before).absences += 1
        self._receivers[fact.reception] = staff
        if staff == before:
            return
        if before is not None:
            self.person(before).receiving.stop(at)
        if staff is not None:
            self.person(staff).receiving.start(at)

    def over(self, fact: Finished | Unanswered, at: datetime) -> None:
        receiver, self._receivers[fact.reception] = self._receivers[fact.reception], None
        if receiver is not None:
            self.person(receiver).receiving.stop(at)

    def gave_up(self, fact: GivenUp, at: datetime) -> None:
        person = self.person(fact.staff)
        person.gave_up += 1
        person.gave_up_against += not fact.accepted


_TOLD: Mapping[type, Callable[[_Day, Any, datetime], None]] = {
    SignedIn: _Day.came,
    SignedOut: _Day.went,
    SteppedOut: _Day.left,
    SteppedBack: _Day.back,
    ReceptionOpened: _Day.received,
    ReceiverChanged: _Day.received,
    Recognised: _Day.received,
    Finished: _Day.over,
    Unanswered: _Day.over,
    GivenUp: _Day.gave_up,
}


class _Receptions:
    """The receptions of a day by who received in the end; who helped; whose calls nobody answered."""

    def __init__(self, queue: Queue) -> None:
        self.by: dict[UUID, Counter[str]] = {}
        self.helped: Counter[UUID] = Counter()
        self.unanswered: Counter[UUID] = Counter()
        for reception in queue.receptions.values():
            receiver = reception.receiver
            self.helped.update(reception.helpers)
            if receiver is None:
                continue
            if reception.over and reception.finished is None:
                self.unanswered[receiver] += 1
            else:
                self.by.setdefault(receiver, Counter())[reception.choice.because] += 1


def _rows(judged: Judged) -> Iterator[Row]:
    floor, facts = judged.floor, judged.positions
    if floor is None:
        return
    queue = floor.queue
    day, receptions = _Day(floor, judged.facts), _Receptions(queue)
    places = {
        channel: [one for one in queue.line(channel) if queue.present(one) and floor.barred(one, channel) is None]
        for channel in CHANNELS
    }
    for staff in sorted({*day.people, *receptions.helped, *_of_whom_something_stands(queue)}):
        told = day.people.get(staff) or _Person()
        values = (
            *(queue.id, staff, judged.site, queue.day, told.signed_in_at, told.signed_out_at),
            *(queue.present(staff), queue.person(staff).out),
            *(places[channel].index(staff) + 1 if staff in places[channel] else None for channel in CHANNELS),
            *_turns(queue, staff),
            *_received(receptions, staff),
            *(told.effects["make_up"] + told.effects["make_up_first"], told.effects["make_up_served"]),
            *(sum(1 for owed in queue.make_ups[channel] if owed.staff == staff) for channel in CHANNELS),
            *(queue.counted(queue.passes, channel, staff) for channel in CHANNELS),
            *_counted(day.passed.get(staff)),
            *(told.absences, told.gave_up, told.gave_up_against),
            *_discipline(queue, staff, told),
            *(told.on_floor.seconds, told.receiving.seconds),
            *_at_the_door(queue, staff),
            *(judged.facts[-1].edition, facts[-1]),
        )
        yield Row(values, facts)


def _of_whom_something_stands(queue: Queue) -> set[UUID]:
    """Whom the day leaves with something owed, or that a manager must know of, whether they came or not."""
    owed = {one.staff for owed in queue.make_ups.values() for one in owed}
    owing = {staff for counts in queue.passes.values() for staff, number in counts.items() if number}
    barred = {*queue.suspended, *queue.not_ready, *queue.no_calls, *queue.double_rounds}
    return owed | owing | barred | {staff for staff, n in (*queue.fines.items(), *queue.warnings.items()) if n}


def _turns(queue: Queue, staff: UUID) -> tuple[int, ...]:
    """Those of the day by channel, and those of the roster period."""
    period = [queue.counted(queue.turns, channel, staff) for channel in CHANNELS]
    before = [queue.counted(queue.carried.turns, channel, staff) for channel in CHANNELS]
    return (*(now - then for now, then in zip(period, before, strict=True)), *period)


def _received(receptions: _Receptions, staff: UUID) -> tuple[Any, ...]:
    """received, receptions, helped, unanswered."""
    return (*_counted(receptions.by.get(staff)), receptions.helped[staff], receptions.unanswered[staff])


def _counted(counts: Counter[str] | None) -> tuple[int, str]:
    """How many, and how many of each as a JSON object."""
    counts = counts or Counter()
    return counts.total(), msgspec.json.encode(counts, order="sorted").decode()


def _discipline(queue: Queue, staff: UUID, told: _Person) -> tuple[Any, ...]:
    """Of the day and the month, from fines_yuan to double_rounds."""
    return (
        told.fines_yuan,
        told.effects["warning"],
        queue.fines.get(staff, 0),
        queue.warnings.get(staff, 0),
        queue.suspended.get(staff, ()),
        queue.person(staff).day_lost,
        queue.not_ready.get(staff),
        staff in queue.no_calls,
        staff in queue.double_rounds,
    )


def _at_the_door(queue: Queue, staff: UUID) -> tuple[int, int]:
    stints = [stint for stint in queue.stints if stint.staff == staff]
    return len(stints), sum(stint.owed_minutes for stint in stints)


TURN_BOARD = View(
    name="turn_board",
    about_en="Each day's floor: who was there, places, turns and receptions, what is owed, passed over, fined; minutes",
    about_zh="每日轮排板：谁在岗、位次、轮次与接待、欠补接与应让、轮空原因、罚款停接、在岗与接待时长",
    columns=(
        Column("queue", "uuid", "the stream of the site's day"),
        Column("staff", "uuid", "the member of staff: who appears that day, or of whom something stands from before"),
        Column("site", "uuid", "the site"),
        Column("day", "date", "the day, on the site's calendar"),
        Column("signed_in_at", "timestamptz", "when signed in first", null=True),
        Column("signed_out_at", "timestamptz", "when signed out last; none: not, or in again", null=True),
        Column("present", "boolean", "whether signed in and not off the floor, after the day's last fact"),
        Column("out", "text", "why off the floor: approved_business, private, leave, task", null=True),
        Column("visit_place", "integer", "place in the line for visits among those present, from 1", null=True),
        Column("call_place", "integer", "place in the line for calls among those present, from 1", null=True),
        Column("visit_turns", "integer", "turns of visits taken that day"),
        Column("call_turns", "integer", "turns of calls taken that day"),
        Column("visit_turns_period", "integer", "turns of visits in the roster period up to that day"),
        Column("call_turns_period", "integer", "turns of calls in the roster period up to that day"),
        Column("received", "integer", "receptions begun that day, where this was the last receiver"),
        Column("receptions", "text", "how many of them as what (see Choice.because): a JSON object"),
        Column("helped", "integer", "receptions of others that were joined"),
        Column("unanswered", "integer", "calls that were assigned and nobody answered"),
        Column("make_ups_granted", "integer", "make-ups granted that day"),
        Column("make_ups_served", "integer", "make-ups served that day"),
        Column("visit_make_ups_owed", "integer", "make-ups of visits owed after the day's last fact"),
        Column("call_make_ups_owed", "integer", "make-ups of calls owed after the day's last fact"),
        Column("visit_passes_owed", "integer", "passes owed in the line for visits after the day's last fact"),
        Column("call_passes_owed", "integer", "passes owed in the line for calls after the day's last fact"),
        Column("passed_over", "integer", "times passed over in a line for somebody else"),
        Column("passed", "text", "how many of them why (see PassedOver.reason): a JSON object"),
        Column("absences", "integer", "times called and not there"),
        Column("gave_up", "integer", "turns given up"),
        Column("gave_up_against", "integer", "those of them that are held against the person"),
        Column("fines_yuan", "integer", "fines of that day"),
        Column("warnings", "integer", "warnings of that day"),
        Column("month_fines_yuan", "integer", "fines of the calendar month, as the queue has them after its last fact"),
        Column("month_warnings", "integer", "warnings of the calendar month, likewise"),
        Column("suspended", "date[]", "days without turns, of this month or still to come"),
        Column("day_lost", "boolean", "whether there are no more turns that day"),
        Column("not_ready", "text", "why not ready for turns (see PassedOver.reason); none: ready", null=True),
        Column("no_calls", "boolean", "whether no calls are assigned this month"),
        Column("double_rounds", "boolean", "whether two rounds count as one this month"),
        Column(
            "on_floor_seconds",
            "integer",
            "on the floor, through the day's last fact of attendance or receptions (or midnight)",
        ),
        Column("receiving_seconds", "integer", "with at least one visitor, likewise"),
        Column("door_stints", "integer", "stints at the door"),
        Column("door_owed_minutes", "integer", "what was not stood of them, to be made up"),
        Column("edition", "text", "the edition of the day's last fact", null=True),
        Column("position", "bigint", "last fact that was looked at"),
    ),
    key=2,
    indexes=("(site, day, staff)", "(site, staff, day)"),
    rows={QUEUE: _rows},
)
