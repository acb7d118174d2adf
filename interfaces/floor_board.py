"""The board of the floor at an instant: both lines with everybody's state, turns and what is owed; who is next, and
what goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from application.replay.lines import Citation
from application.sales_office import SalesOffice
from domain import queue_state, receptions
from domain.attendance import line_of
from domain.queue_state import Queue, Reception
from domain.rules.floor import Floor
from domain.sales_turn_queue import CHANNELS, Asked

from .floor_teller import Teller, happened, how_chosen


class PlaceLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a place in a line (`place` from 1), or on the floor without one (None). `state`: free, or why not;
    `since`: from when; `receptions`: those somebody is at; `turns`: of the roster period, today's among them."""

    place: int | None
    staff: str
    state: str
    since: datetime | None
    receptions: tuple[str, ...]
    may_take_second: bool
    turns_today: int
    turns: int
    make_ups: int
    passes: int


class OpenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reception that goes on; `day`: on which it began."""

    reception: str
    day: date
    channel: str
    receiver: str | None
    because: str
    since: datetime
    helpers: tuple[str, ...]


class NextLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who would be given an unknown visitor."""

    staff: str | None
    because: str
    how: str
    post: str | None
    instead_of: str | None
    clauses: tuple[str, ...]


class DoorLine(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: free, or why whoever took the door can't be called."""

    staff: str
    since: datetime
    state: str


class MonthLine(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has had this month, and what still matters of it."""

    staff: str
    fines_yuan: int
    warnings: int
    suspended: tuple[date, ...]
    double_rounds: bool
    no_calls: bool


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The floor at an instant. `lines`: by channel, one (visit) where the rosters are shared; `aside`: others who are
    there or could be.

    By channel: `order`, who stands in the line now, signed in and not barred; `turns` and `make_ups` of those who have
    any, of the roster period. `clauses`: what order and counts rest on, and who is next."""

    site: str
    timezone: str
    day: date
    at: datetime
    edition: str
    kind: str
    visits_team: str | None
    shared: bool
    period_began: date
    next: dict[str, NextLine]
    lines: dict[str, tuple[PlaceLine, ...]]
    aside: tuple[PlaceLine, ...]
    receptions: tuple[OpenLine, ...]
    door: DoorLine | None
    owed_at_the_door: dict[str, int]
    posts: dict[str, str]
    month: tuple[MonthLine, ...]
    order: dict[str, tuple[str, ...]]
    turns: dict[str, dict[str, int]]
    make_ups: dict[str, dict[str, int]]
    clauses: tuple[Citation, ...]
    staff_ids: dict[str, UUID]


ORDERED_BY = ("turns.order", "turns.carry_over", "turns.period", "turns.rosters")
"""Parameters that order and counts rest on."""


def floor_at(office: SalesOffice, at: datetime) -> Floor:
    """The floor as it stood at an instant. Raises Refusal wrong_state where the rulebook says nothing on turns,
    bad_time."""
    floor = office.floor.floor(at)
    queue = _queue_at(office, floor.queue, at)
    return floor if queue is floor.queue else replace(floor, queue=queue)


def _queue_at(office: SalesOffice, now: Queue, at: datetime) -> Queue:
    """The queue of a day by what had happened until an instant; at least its opening. `now`: as it stands."""
    if now.latest <= at:
        return now
    queue: Queue | None = None
    for envelope in happened(office, now.day):
        if queue is None or envelope.occurred_at <= at:
            queue = queue_state.evolve(queue, envelope)
    return queue or now


def board(office: SalesOffice, at: datetime) -> Board:
    """The floor as it stood at an instant. Raises Refusal wrong_state, bad_time."""
    floor = floor_at(office, at)
    teller, queue = Teller(office), floor.queue
    yesterday = office.files.queue(queue.day - timedelta(days=1))
    # Where the rosters are shared there is one line, in which both are counted.
    channels: tuple[str, ...] = CHANNELS[:1] if queue.shared else CHANNELS
    also = CHANNELS[1:] if queue.shared else ()
    lines = {
        channel: tuple(
            _place(teller, floor, staff, place, channel, *also)
            for place, staff in enumerate(queue.line(channel), start=1)
        )
        for channel in channels
    }
    following: dict[str, NextLine] = {channel: _next(teller, floor, channel) for channel in CHANNELS}
    return Board(
        site=teller.site.name,
        timezone=teller.site.timezone,
        day=queue.day,
        at=teller.local(at),
        edition=floor.edition.label,
        kind=queue.kind,
        visits_team=queue.visits_team,
        shared=queue.shared,
        period_began=queue.carried.period_began,
        next=following,
        lines=lines,
        aside=tuple(_aside(teller, floor)),
        receptions=tuple(_open(teller, queue, yesterday and _queue_at(office, yesterday, at))),
        door=_door(teller, floor),
        owed_at_the_door=_owed_at_the_door(teller, queue),
        posts={p.post: teller.names([p.staff])[0] for p in queue.people.values() if p.post is not None},
        month=tuple(_month(teller, floor)),
        order={channel: teller.names(line_of(floor, channel)) for channel in CHANNELS},
        turns={channel: _named(teller, queue.turns.get(channel, {})) for channel in CHANNELS},
        make_ups={
            channel: _named(teller, Counter(owed.staff for owed in queue.make_ups[channel])) for channel in CHANNELS
        },
        clauses=teller.citations(_cited(floor, following.values())),
        staff_ids=teller.staff_ids(),
    )


def _named(teller: Teller, counts: Mapping[UUID, int]) -> dict[str, int]:
    return {teller.names([staff])[0]: count for staff, count in counts.items() if count}


def _cited(floor: Floor, following: Iterable[NextLine]) -> Iterator[str]:
    parameters = (floor.edition.parameters.get(name) for name in ORDERED_BY)
    yield from (clause for parameter in parameters if parameter for clause in parameter.clauses)
    yield from (clause for line in following for clause in line.clauses)


def _next(teller: Teller, floor: Floor, channel: Any) -> NextLine:
    asked = Asked()
    choice = receptions.receive(floor, "", channel, asked).choice
    how, post = how_chosen(floor, choice, asked, channel)
    return NextLine(
        staff=teller.name(choice.staff),
        because=choice.because,
        how=how,
        post=post,
        instead_of=teller.name(choice.instead_of),
        clauses=choice.clauses,
    )


def _place(teller: Teller, floor: Floor, staff: UUID, place: int | None, channel: str, *more: str) -> PlaceLine:
    """`channel`: by which somebody is free or not; what is counted is of all channels named."""
    queue, channels = floor.queue, (channel, *more)
    state = _state(floor, staff, channel)
    second = queue.person(staff).may_take_second and any(queue.busy_at(staff))
    labels, since = teller.whereabouts(queue, staff, "busy_new" if second and state == "free" else state)
    turns = sum(queue.counted(queue.turns, one, staff) for one in channels)
    return PlaceLine(
        place=place,
        staff=teller.names([staff])[0],
        state=state,
        since=since,
        receptions=labels,
        may_take_second=second,
        turns_today=turns - sum(queue.counted(queue.carried.turns, one, staff) for one in channels),
        turns=turns,
        make_ups=sum(1 for one in channels for owed in queue.make_ups[one] if owed.staff == staff),
        passes=sum(queue.counted(queue.passes, one, staff) for one in channels),
    )


def _state(floor: Floor, staff: UUID, channel: str) -> str:
    """Free, or why not. Who takes no turns anyway is not barred from any."""
    if floor.takes_turns(staff):
        return floor.hindrance(staff, channel) or "free"
    person = floor.queue.person(staff)
    if person.in_since is None:
        return "absent"
    return person.out or floor.busy(staff) or "takes_no_turns"


def _aside(teller: Teller, floor: Floor) -> Iterator[PlaceLine]:
    """Who is there without a place in a line, and who takes turns and is not there."""
    placed = {staff for channel in CHANNELS for staff in floor.queue.line(channel)}
    for staff, member in floor.members.items():
        there = floor.queue.person(staff).in_since is not None
        if staff not in placed and not member.departed and (there or floor.takes_turns(staff)):
            yield _place(teller, floor, staff, None, *CHANNELS)


def _open(teller: Teller, today: Queue, yesterday: Queue | None) -> Iterator[OpenLine]:
    """What goes on, also what has gone on since before midnight."""
    for queue in (yesterday, today):
        for reception in queue.open.values() if queue else ():
            yield _open_line(teller, queue.day if queue else today.day, reception)


def _open_line(teller: Teller, day: date, reception: Reception) -> OpenLine:
    return OpenLine(
        reception=reception.label,
        day=day,
        channel=reception.channel,
        receiver=teller.name(reception.receiver),
        because=reception.choice.because,
        since=teller.local(reception.assigned_at),
        helpers=teller.names(reception.helpers),
    )


def _door(teller: Teller, floor: Floor) -> DoorLine | None:
    stint = floor.queue.at_the_door()
    if stint is None:
        return None
    state = _state(floor, stint.staff, "visit")
    return DoorLine(staff=teller.names([stint.staff])[0], since=teller.local(stint.since), state=state)


def _owed_at_the_door(teller: Teller, queue: Queue) -> dict[str, int]:
    owed: dict[str, int] = {}
    for stint in queue.stints:
        if stint.owed_minutes:
            (name,) = teller.names([stint.staff])
            owed[name] = owed.get(name, 0) + stint.owed_minutes
    return owed


def _month(teller: Teller, floor: Floor) -> Iterator[MonthLine]:
    queue = floor.queue
    for staff in floor.members:
        days = queue.suspended.get(staff, ())
        line = MonthLine(
            staff=teller.names([staff])[0],
            fines_yuan=queue.fines.get(staff, 0),
            warnings=queue.warnings.get(staff, 0),
            suspended=tuple(day for day in days if day >= queue.day.replace(day=1)),
            double_rounds=staff in queue.double_rounds,
            no_calls=staff in queue.no_calls,
        )
        if line.fines_yuan or line.warnings or line.suspended or line.double_rounds or line.no_calls:
            yield line
