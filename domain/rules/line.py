"""Down the line: who is free, who is passed over on the way and why, and what that does to them (T10-T14, T21)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from ..queue_state import Stint
from ..rulebook import Row
from ..sales_turn_queue import Channel, Effect, PassedOver
from .floor import Floor
from .turn_vocabulary import NOT_READY

PASSED_BY = frozenset({"absent", "suspended", "day_lost", "no_calls", "departed", *NOT_READY})
"""Reasons for which the order goes by somebody as by one who has the day off: to the end, nothing owed. The other team
is not passed by: its line goes on where it stopped, on its own day (T5, T6)."""

RESTS_ON: dict[str, tuple[str, ...]] = {
    "other_team": ("turns.teams",),
    "busy_new": ("turns.second_visitor_by", "turns.taken_by"),
    "no_calls": ("turns.call_conversion_percent",),
    "untested": ("turns.lowest_is_retested", "turns.taken_by"),
    "did_not_come": ("turns.when_absent",),
}
"""Why somebody was passed over -> the parameters that say so, where it is not `turns.taken_by`."""


class Walk(msgspec.Struct):
    """Down a line: who is free, in order, who was passed over before the first, and what that does to them."""

    free: list[UUID]
    passed: list[PassedOver]
    effects: list[Effect]


def walk(floor: Floor, channel: Channel, but: frozenset[UUID] = frozenset()) -> Walk:
    """The line of a channel, from its front; `but`: who was called and did not come."""
    queue, found = floor.queue, Walk([], [], [])
    line, owing_and_free = queue.line(channel), list[UUID]()
    for staff in _posted(floor, line) if channel == "visit" else line:
        reason = "did_not_come" if staff in but else floor.hindrance(staff, channel)
        owing = queue.counted(queue.passes, channel, staff) > 0
        if reason is None and owing:
            reason = "owes_pass"
            owing_and_free.append(staff)
        if reason is None:
            found.free.append(staff)
        elif not found.free:
            effects, clauses = _passed(floor, channel, staff, reason, owing)
            found.effects += effects
            found.passed.append(PassedOver(staff, line.index(staff) + 1, reason, clauses))
    # Passed over once, and at the end of the line now: rather one of them than nobody.
    found.free += owing_and_free
    return found


def _posted(floor: Floor, line: Sequence[UUID]) -> list[UUID]:
    """The line, behind those at posts A and B where there are such posts (T8)."""
    if not floor.switch("turns.ab_posts"):
        return list(line)
    posts = {person.post: person.staff for person in floor.queue.people.values() if person.post in ("A", "B")}
    front = [posts[post] for post in ("A", "B") if posts.get(post) in line]
    return [*front, *(staff for staff in line if staff not in front)]


def _passed(
    floor: Floor, channel: Channel, staff: UUID, reason: str, owing: bool
) -> tuple[list[Effect], tuple[str, ...]]:
    """What it does to somebody to be passed over, and by which clauses."""
    if owing and reason not in ("busy_new", "absent", "other_team", "did_not_come"):
        return [Effect("pass_paid", staff, channel), Effect("to_end", staff, channel)], ()
    if reason == floor.queue.person(staff).out:
        return _away(floor, channel, staff, reason)
    if reason in ("busy_earlier", "helping"):
        clauses = floor.clauses("turns.passed_while_busy")
        policy = floor.text("turns.passed_while_busy")
        moved = [Effect("to_end", staff, channel, clauses=clauses)] if policy != "keep" else []
        if policy != "make_up":
            return moved, clauses
        first = floor.switch("turns.buyers_make_up_first") and floor.with_a_buyer(staff)
        return [*moved, Effect("make_up_first" if first else "make_up", staff, channel, clauses=clauses)], clauses
    clauses = floor.clauses(*RESTS_ON.get(reason, ("turns.taken_by",)))
    return [Effect("to_end", staff, channel)] if reason in PASSED_BY else [], clauses


def _away(floor: Floor, channel: Channel, staff: UUID, why: str) -> tuple[list[Effect], tuple[str, ...]]:
    """T13: off the floor when the turn came. Where the next receives at once, the place is kept for the grace (T12)."""
    over = _grace_is_over_at(floor, staff)
    if over is not None and floor.at < over:
        return [], floor.clauses("turns.when_absent", "turns.absent_after_minutes")
    return _lost(floor, channel, staff, why)


def _grace_is_over_at(floor: Floor, staff: UUID) -> datetime | None:
    """Until when somebody who has stepped out keeps the place, where there is such a grace."""
    since, grace = floor.queue.person(staff).out_since, floor.number("turns.absent_after_minutes") or 0
    at_once = floor.text("turns.when_absent") == "next_at_once"
    return since + timedelta(minutes=grace) if at_once and since is not None else None


def lost_meanwhile(floor: Floor, channel: Channel, staff: UUID) -> list[Effect]:
    """What it costs somebody who comes back to have been passed over within the grace and to have outstayed it."""
    person, over = floor.queue.person(staff), _grace_is_over_at(floor, staff)
    if over is None or floor.at < over or person.out is None or person.out_since is None:
        return []
    passed_at = [
        reception.opened_at
        for reception in floor.queue.receptions.values()
        if reception.channel == channel
        and reception.opened_at >= person.out_since
        and any(one.staff == staff and one.reason == person.out for one in reception.first.passed)
    ]
    if not passed_at or any(at >= over for at in passed_at):
        return []  # not called meanwhile, or lost by then
    return _lost(floor, channel, staff, person.out)[0]


def _lost(floor: Floor, channel: Channel, staff: UUID, why: str) -> tuple[list[Effect], tuple[str, ...]]:
    row = floor.edition.row_for("turns.passed", {"away": why})
    effects: list[Effect] = []
    if row.then["place"] == "end":
        effects.append(Effect("to_end", staff, channel, clauses=row.clauses))
    effects += make_up(row, staff, channel)
    if fine := int(row.then["fine_yuan"]):
        effects.append(Effect("fine", staff, yuan=fine, clauses=row.clauses))
    if row.then["day"] == "lost":
        effects.append(Effect("day_lost", staff, clauses=row.clauses))
    return effects, row.clauses


def missing_minutes(floor: Floor, stint: Stint) -> int:
    """What is missing of a stint at the door that ends now (T9)."""
    minutes = floor.number("turns.door_minutes")
    return max(0, minutes - int(floor.minutes_since(stint.since))) if minutes is not None else 0


def leaves_the_door(floor: Floor, staff: UUID) -> tuple[Effect, ...]:
    """The end of a stint for the one who leaves the door; nothing for anybody else."""
    stint = floor.queue.at_the_door()
    if stint is None or stint.staff != staff:
        return ()
    return (
        Effect("door_left", staff, minutes=missing_minutes(floor, stint), clauses=floor.clauses("turns.door_minutes")),
    )


def make_up(row: Row, staff: UUID, channel: Channel) -> list[Effect]:
    """The make-up that a row grants, if it does."""
    how = row.then["make_up"]
    if how == "none":
        return []
    return [Effect("make_up_first" if how == "first" else "make_up", staff, channel, clauses=row.clauses)]
