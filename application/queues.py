"""The floor of a site at an instant: its queue of the day, opened with what the last day leaves it where there is
none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from domain import queue_state
from domain.attendance import open_day
from domain.calendar import day_of
from domain.queue_state import Queue
from domain.record import Envelope, Fact
from domain.refusals import Refusal
from domain.rulebook import Edition
from domain.rules.floor import Floor
from domain.rules.vocabulary import covers_turns
from domain.sales_turn_queue import queue_id

from .office_files import OfficeFiles


class Day(msgspec.Struct, frozen=True):
    """A floor, and what must be put on record before anything else: the day's opening, unless it is there already."""

    floor: Floor
    opening: tuple[Fact, ...]

    def facts(self, *more: Fact) -> tuple[UUID, int, Sequence[Fact]]:
        """Facts for the day's stream, as decisions hand them to be appended."""
        queue = self.floor.queue
        return queue.id, queue.version - len(self.opening), (*self.opening, *more)


class Queues:
    """The queues of a site, for decisions."""

    def __init__(self, files: OfficeFiles, edition: Callable[[datetime], Edition]) -> None:
        self.files, self.edition = files, edition

    def day(self, at: datetime) -> Day:
        """The floor at an instant. Raises Refusal wrong_state where the rulebook says nothing on turns, bad_time."""
        return self._day(at, day_of(at, self.files.site().zone))

    def day_of_reception(self, label: str, at: datetime) -> Day:
        """The floor of the day on which a reception began: today's, or yesterday's for one that went on past
        midnight."""
        today = self.day(at)
        if label in today.floor.queue.receptions:
            return today
        yesterday = today.floor.queue.day - timedelta(days=1)
        before = self.files.queue(yesterday)
        return self._day(at, yesterday) if before is not None and label in before.receptions else today

    def _day(self, at: datetime, day: date) -> Day:
        edition, site = self.edition(at), self.files.site()
        if not covers_turns(edition):
            raise Refusal("wrong_state", f"{edition.label} says nothing on turns")
        queue = self.files.queue(day)
        opening: tuple[Fact, ...] = ()
        if queue is None:
            fact = open_day(self.files.queue_before(day), day, edition, site.staff)
            queue, opening = self._opened(at, day, fact), (fact,)
        return Day(Floor(queue, edition, site.staff, site.zone, at), opening)

    def _opened(self, at: datetime, day: date, fact: Fact) -> Queue:
        """The queue as it will be once its opening is on record."""
        envelope = Envelope(
            site=self.files.site_id,
            stream=queue_id(self.files.site_id, day),
            version=1,
            occurred_at=at,
            entered_at=None,
            actor=self.files.site_id,
            command_id=uuid4(),
            correlation_id=uuid4(),
            edition=None,
            fact=fact,
            position=0,
            recorded_at=at,
        )
        queue = queue_state.evolve(None, envelope)
        assert queue is not None
        return queue
