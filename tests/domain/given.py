"""given(...).when(...).then(...) for decisions, and small histories in an office's own words for attribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from application.rulebooks import Shelf
from domain.attribution import Attribution, Question, attribute
from domain.record import Envelope, Fact
from domain.refusals import Refusal
from domain.rulebook import AmendmentValue, Edition, Editions, InForce
from domain.visitor import (
    Entry,
    Moment,
    VisitorAssigned,
    VisitorBought,
    VisitorFollowedUp,
    VisitorRegistered,
    VisitorRelated,
    VisitorRuled,
)

S = TypeVar("S")
ZONE = ZoneInfo("Asia/Shanghai")
LIN, WANG, ZHAO, CHEN, DESK = (UUID(int=number) for number in range(1, 6))
"""Three consultants, a manager, and the front desk."""
ROLES = {LIN: "consultant", WANG: "consultant", ZHAO: "consultant", CHEN: "manager", DESK: "desk"}
SALE, DISPUTE, PERSON = UUID(int=91), UUID(int=92), UUID(int=93)
FOREVER = "2099-12-31 23:59"
WITHIN_7_DAYS, WITHIN_30_DAYS = "revised-reception", "forty-three-articles"
_SHELF = Shelf()


def instant(text: str) -> datetime:
    """`2026-03-02 09:00` on the site's clock, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def shipped(rulebook: str = WITHIN_7_DAYS, **amend: AmendmentValue) -> Edition:
    """The newest edition of a shipped rulebook; `protection_days=3` amends `attribution.protection_days`."""
    edition, _ = _SHELF.edition(rulebook)
    return edition.amended({f"attribution.{name}": value for name, value in amend.items()})


def file(number: int) -> UUID:
    """The id of the visitor's file of that number."""
    return UUID(int=1000 + number)


SOME_STREAM = file(1)


def on_record(
    fact: Fact,
    at: str = "2026-03-02 09:00",
    *,
    known: str | None = None,
    stream: UUID = SOME_STREAM,
    position: int = 1,
    version: int = 1,
    command: UUID | None = None,
) -> Envelope:
    """The fact as it stands on record: it happened `at` and became `known` (default: at once)."""
    command_id = command or UUID(int=10_000 + position)
    return Envelope(
        site=UUID(int=9),
        stream=stream,
        version=version,
        occurred_at=instant(at),
        entered_at=instant(known or at),
        actor=CHEN,
        command_id=command_id,
        correlation_id=command_id,
        edition=None,
        fact=fact,
        position=position,
        recorded_at=instant(FOREVER),
    )


class given(Generic[S]):
    """The state that facts lead to; `when` decides on it."""

    def __init__(self, evolve: Callable[[S | None, Envelope], S | None], *facts: Fact) -> None:
        self.state: S | None = None
        for number, fact in enumerate(facts, start=1):
            self.state = evolve(self.state, on_record(fact, position=number, version=number))

    def when(self, decide: Callable[..., Fact], *command: Any, **more: Any) -> Decided:
        """What the decision makes of the state and a command."""
        try:
            return Decided(decide(self.state, *command, **more), None)
        except Refusal as refusal:
            return Decided(None, refusal)


class Decided:
    """What came of a command."""

    def __init__(self, fact: Fact | None, refusal: Refusal | None) -> None:
        self.fact, self.refusal = fact, refusal

    def then(self, fact: Fact) -> None:
        """It does just this."""
        assert self.refusal is None, self.refusal
        assert self.fact == fact

    def then_refused(self, code: str) -> None:
        """It is refused with this code."""
        if self.refusal is None:
            pytest.fail(f"expected {code}, carried out: {self.fact}")
        assert self.refusal.code == code


class History:
    """What happened to visitors, put down line by line; every line is the next position. Asks `attribute`."""

    def __init__(self, edition: Edition | str = WITHIN_7_DAYS, since: str = "2000-01-01 00:00") -> None:
        first = shipped(edition) if isinstance(edition, str) else edition
        self.editions = [InForce(instant(since), first)]
        self.facts: list[Envelope] = []
        self._registrations: dict[UUID, int] = {}

    def add(self, fact: Fact, at: str, known: str | None, *streams: UUID) -> None:
        command = UUID(int=10_000 + len(self.facts))
        for stream in streams:
            self.facts.append(
                on_record(fact, at, known=known, stream=stream, position=len(self.facts) + 1, command=command)
            )

    def register(
        self,
        at: str,
        by: UUID,
        *,
        phone: int = 1,
        known: str | None = None,
        via: str = "visit",
        has_name: bool = True,
        has_phone: bool = True,
        same_name_as: int | None = None,
    ) -> Entry:
        """A registration in the file of that phone; a name of its own unless it is the same as another's."""
        stream = file(phone)
        number = self._registrations[stream] = self._registrations.get(stream, 0) + 1
        self.add(
            VisitorRegistered(
                registration=number,
                person=PERSON,
                sealed=b"",
                has_name=has_name,
                has_phone=has_phone,
                same_name_as=same_name_as,
                by=by,
                via=via,  # type: ignore[arg-type]
            ),
            at,
            known,
            stream,
        )
        return Entry(stream, number)

    def again(self, at: str, by: UUID, entry: Entry, *, known: str | None = None, via: str = "visit") -> Entry:
        """The same person under the same phone once more."""
        phone = entry.visitor.int - 1000
        return self.register(at, by, phone=phone, known=known, via=via, same_name_as=entry.registration)

    def follow_up(self, at: str, by: UUID, entry: Entry, *, known: str | None = None) -> None:
        fact = VisitorFollowedUp(registration=entry.registration, by=by, how="call")
        self.add(fact, at, known, entry.visitor)

    def sell(self, at: str, by: UUID | Sequence[UUID], entry: Entry, *, known: str | None = None) -> None:
        closers = (by,) if isinstance(by, UUID) else tuple(by)
        fact = VisitorBought(registration=entry.registration, sale=SALE, by=closers)
        self.add(fact, at, known, entry.visitor)

    def rule(self, at: str, owner: UUID | None, entry: Entry, *, known: str | None = None) -> None:
        fact = VisitorRuled(registration=entry.registration, dispute=DISPUTE, owner=owner)
        self.add(fact, at, known, entry.visitor)

    def assign(self, at: str, to: UUID, entry: Entry, how: str = "distribution") -> None:
        fact = VisitorAssigned(registration=entry.registration, to=to, by=CHEN, how=how)  # type: ignore[arg-type]
        self.add(fact, at, None, entry.visitor)

    def relate(
        self, at: str, visitor: Entry, to: Entry, relation: str, *, proven: bool = True, known: str | None = None
    ) -> None:
        """One fact, in both files."""
        fact = VisitorRelated(visitor=visitor, to=to, relation=relation, proven=proven)  # type: ignore[arg-type]
        self.add(fact, at, known, *{visitor.visitor: 1, to.visitor: 1})

    def adopt(self, at: str, edition: Edition) -> None:
        self.editions.append(InForce(instant(at), edition, 5000 + len(self.editions)))

    @property
    def question(self) -> Question:
        return Question(history=self.facts, editions=Editions(tuple(self.editions)), zone=ZONE, roles=ROLES)

    def ask(self, entry: Entry, at: str, *, known: str | None = None, rulings: bool = True) -> Attribution:
        """Who owns the visitor `at` that moment, by what was `known` (default: all that is on record)."""
        return attribute(self.question, entry, moment(at, known), rulings=rulings)

    def owner(self, entry: Entry, at: str, *, known: str | None = None, rulings: bool = True) -> UUID | None:
        return self.ask(entry, at, known=known, rulings=rulings).owner

    def until(self, entry: Entry, at: str, *, known: str | None = None) -> str | None:
        day: date | None = self.ask(entry, at, known=known).until
        return day.isoformat() if day else None


def moment(at: str, known: str | None = None) -> Moment:
    return Moment(instant(at), instant(known or FOREVER))
