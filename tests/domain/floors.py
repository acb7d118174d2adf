"""A day's floor for tests of decisions: what the office does, in its own words, with an envelope around each fact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import attendance, receptions
from domain.attendance import open_day
from domain.queue_state import Queue, evolve
from domain.record import Envelope, Fact
from domain.refusals import Refusal
from domain.rulebook import Edition
from domain.rules.floor import Floor
from domain.sales_turn_queue import Asked, Choice, queue_id
from domain.site import Member

from .given import CHEN, LIN, WANG, ZHAO, ZONE, instant, shipped

SITE = UUID(int=9)
ZHOU = UUID(int=6)
CONSULTANTS = (LIN, WANG, ZHAO, ZHOU)


def amended(rulebook: str, **amend: object) -> Edition:
    """A shipped edition with some of its `turns.` parameters changed."""
    return shipped(rulebook).amended({f"turns.{name}": value for name, value in amend.items()})  # type: ignore[arg-type,misc]


def refused(code: str, here: Office, decide: Callable[..., Fact], *what: Any) -> None:
    """Check that it is refused with the code, and that nothing has changed."""
    before = here.floor.queue
    with pytest.raises(Refusal) as caught:
        here.do(decide, *what)
    assert caught.value.code == code
    assert here.floor.queue == before


class Office:
    """Its staff, its rulebook, its clock, and all facts of its days so far."""

    def __init__(self, edition: Edition, staff: Sequence[UUID] = CONSULTANTS, teams: Sequence[str | None] = ()) -> None:
        self.edition = edition
        self.members = {one: Member(one, b"", "consultant", teams[n] if teams else None) for n, one in enumerate(staff)}
        self.members[CHEN] = Member(CHEN, b"", "manager", None)
        self.at = instant("2026-03-02 08:30")
        self.facts: list[Envelope] = []
        self.queue: Queue | None = None
        self.labels = 0

    @property
    def floor(self) -> Floor:
        if self.queue is None or self.queue.day != self.day:
            self._put(open_day(self.queue, self.day, self.edition, self.members))
        assert self.queue is not None
        return Floor(self.queue, self.edition, self.members, ZONE, self.at)

    @property
    def day(self) -> date:
        return self.at.astimezone(ZONE).date()

    def wait(self, minutes: float = 1) -> None:
        self.at += timedelta(minutes=minutes)

    def at_time(self, text: str) -> datetime:
        """`2026-03-03 08:30`, or a time of the same day."""
        self.at = instant(text if len(text) > 5 else f"{self.day} {text}")
        return self.at

    def do(self, decide: Callable[..., Fact], *what: Any) -> Fact:
        """Decide on the floor as it stands and put the fact on record. Raises Refusal."""
        fact = decide(self.floor, *what)
        self._put(fact)
        return fact

    def tried(self, decide: Callable[..., Fact], *what: Any) -> str | None:
        """The code with which it is refused; None when it is done."""
        try:
            self.do(decide, *what)
        except Refusal as refusal:
            return refusal.code
        return None

    def _put(self, fact: Fact) -> None:
        same_day = self.queue is not None and self.queue.day == self.day
        version = self.queue.version + 1 if same_day and self.queue else 1
        envelope = Envelope(
            site=SITE,
            stream=queue_id(SITE, self.day),
            version=version,
            occurred_at=self.at,
            entered_at=None,
            actor=CHEN,
            command_id=UUID(int=7),
            correlation_id=UUID(int=7),
            edition=None,
            fact=fact,
            position=len(self.facts) + 1,
            recorded_at=self.at,
        )
        self.facts.append(envelope)
        self.queue = evolve(self.queue if same_day else None, envelope)

    # The office's words

    def sign_in(self, *staff: UUID) -> None:
        for one in staff:
            self.do(attendance.sign_in, one)

    def receive(self, channel: str = "visit", label: str | None = None, **asked: Any) -> Choice:
        """Somebody came; the choice that was made."""
        self.labels += 1
        fact = self.do(receptions.receive, label or f"r{self.labels}", channel, Asked(**asked))
        choice: Choice = fact.choice  # type: ignore[attr-defined]
        return choice

    def finish(self, label: str, purpose: str | None = None) -> Fact:
        reception = self.floor.queue.receptions.get(label)
        asked = reception.asked if reception else Asked()
        return self.do(receptions.finish, label, asked, None, purpose)

    def turns(self, channel: str = "visit") -> dict[UUID, int]:
        queue = self.floor.queue
        return {one: queue.counted(queue.turns, channel, one) for one in self.members if one != CHEN}
