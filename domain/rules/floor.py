"""The floor at a moment, and what hinders somebody from taking a turn (T10): one coded reason, or none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from ..queue_state import Queue, Reception
from ..rulebook import Edition
from ..sales_turn_queue import Asked
from ..site import Member

EARLIER = frozenset({"own", "own_bought", "others", "others_bought", "again_today"})
"""Standings of a visitor who has been here before: busy with one of them is another matter than busy with a new one."""


class Floor(msgspec.Struct, frozen=True):
    """A day's queue at an instant, under the edition in force; `members`: the site's staff, in roster order."""

    queue: Queue
    edition: Edition
    members: Mapping[UUID, Member]
    zone: ZoneInfo
    at: datetime

    def text(self, name: str) -> str:
        value = self.edition.parameter(name).value
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> int | None:
        value = self.edition.parameter(name).value
        assert value is None or isinstance(value, int), name
        return value

    def switch(self, name: str) -> bool:
        return self.edition.parameter(name).value is True

    def clauses(self, *names: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clause for name in names for clause in self.edition.parameter(name).clauses))

    def minutes_since(self, instant: datetime) -> float:
        return (self.at - instant).total_seconds() / 60

    def takes_turns(self, staff: UUID) -> bool:
        """Whether somebody's post takes part in the line at all."""
        member = self.members.get(staff)
        return member is not None and not member.departed and member.role in self.edition.codes("turns.taken_by")

    def barred(self, staff: UUID, channel: str) -> str | None:
        """Why somebody stands in no line of that channel today, whether present or not."""
        queue, member = self.queue, self.members.get(staff)
        if member is None or member.departed:
            return "departed"
        if queue.day in queue.suspended.get(staff, ()):
            return "suspended"
        if staff in queue.not_ready:
            return queue.not_ready[staff]
        if queue.person(staff).day_lost:
            return "day_lost"
        if channel == "call" and staff in queue.no_calls:
            return "no_calls"
        return "other_team" if self.of_other_team(member, channel) else None

    def of_other_team(self, member: Member, channel: str) -> bool:
        team, teams = self.queue.visits_team, self.text("turns.teams")
        if team is None or teams == "together":
            return False
        return (member.team == team) != (channel == "visit" or teams == "halves")

    def hindrance(self, staff: UUID, channel: str) -> str | None:
        """Why somebody can't be called now: barred, absent, away, or busy (see PassedOver.reason); None: free."""
        if (barred := self.barred(staff, channel)) is not None:
            return barred
        person = self.queue.people.get(staff)
        if person is None or person.in_since is None:
            return "absent"
        return person.out or self.busy(staff)

    def busy(self, staff: UUID) -> str | None:
        """With whom somebody is busy: busy_new, busy_earlier, helping; None: not, or with leave for another (T11)."""
        at = list(self.queue.busy_at(staff))
        if not at or self.queue.person(staff).may_take_second:
            return None
        if any(r.receiver == staff and not _earlier(r) for r in at):
            return "busy_new"
        return "busy_earlier" if any(r.receiver == staff for r in at) else "helping"

    def with_a_buyer(self, staff: UUID) -> bool:
        """Whether somebody is with a customer who has bought (T20)."""
        return any(one.asked.bought for one in self.queue.busy_at(staff))

    def can_receive(self, staff: UUID) -> bool:
        """Whether a visitor of one's own can be brought to somebody: on the floor, and fit to receive."""
        queue, member = self.queue, self.members.get(staff)
        if member is None or member.departed or not queue.present(staff):
            return False
        return queue.day not in queue.suspended.get(staff, ()) and staff not in queue.not_ready

    def on_duty_hours(self) -> bool:
        """Whether the order of turns does not apply at this time of day (T14, T16)."""
        until, since = (self.edition.parameter(f"turns.duty_{end}").value for end in ("until", "from"))
        now = self.at.astimezone(self.zone).time()
        return (isinstance(until, str) and now < time.fromisoformat(until)) or (
            isinstance(since, str) and now >= time.fromisoformat(since)
        )


def _earlier(reception: Reception) -> bool:
    return standing_to(reception.asked, reception.receiver) in EARLIER


def standing_to(asked: Asked, receiver: UUID | None) -> str:
    """What the one who came is to the receiver (STANDINGS)."""
    if asked.as_new:
        return "new"
    if asked.again_today:
        return "again_today"
    if asked.owner is not None:
        return ("own" if asked.owner == receiver else "others") + ("_bought" if asked.bought else "")
    return "referred" if asked.brought_by is not None else "new"
