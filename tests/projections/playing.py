"""An office at work: commands chosen by numbers and carried out one by one, as the tests of the read side need them by
the hundred."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from application.commands import Stamp
from application.event_store.record import Record
from domain.refusals import Refusal
from domain.sales_turn_queue import ReceptionOpened
from domain.visitor import Entry
from tests.reliability.offices import Staffed, Store, phone_number

OFTEN, SELDOM = 6, 1
STEPS: Mapping[str, int] = {
    "register": OFTEN,
    "again": OFTEN,
    "follow_up": OFTEN,
    "imported": OFTEN,
    "late": SELDOM,
    "relate": SELDOM,
    "sell": SELDOM,
    "assign": SELDOM,
    "dispute": SELDOM,
    "enrol": SELDOM,
    "adopt": SELDOM,
    "attend": OFTEN,
    "receive": OFTEN // 2,
    "go_on": OFTEN,
}
"""What may happen -> how often, among so many."""


class Play:
    """Commands chosen by numbers, so that the same numbers give the same commands. What the office's rules refuse is
    no failure."""

    def __init__(self, store: Store, record: Record, staffed: Staffed, first: int = 0) -> None:
        self.record, self.staffed = record, staffed
        self.office = store.office(record, staffed.site)
        self.entries: list[Entry] = []
        self.receptions: list[tuple[str, int]] = []
        self.refused: dict[str, int] = {}
        self.slowest_seconds = 0.0
        self._number = first
        self._doing: dict[str, Callable[[int, int], object]] = {
            "register": self._register,
            "again": self._again,
            "follow_up": self._follow_up,
            "imported": self._imported,
            "late": self._late,
            "relate": self._relate,
            "sell": self._sell,
            "assign": self._assign,
            "dispute": self._dispute,
            "enrol": self._enrol,
            "adopt": self._adopt,
            "attend": self._attend,
            "receive": self._receive,
            "go_on": self._go_on,
        }

    def step(self, what: str, one: int, two: int) -> None:
        if not self.entries and what not in ("register", "imported", "enrol", "adopt", "attend", "receive", "go_on"):
            what = "register"
        began = time.monotonic()
        try:
            self._doing[what](one, two)
        except Refusal as refusal:
            self.refused[refusal.code] = self.refused.get(refusal.code, 0) + 1
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)

    def steps(self, number: int, seed: int, often: Mapping[str, int] = STEPS) -> None:
        """So many steps by chance."""
        chance = random.Random(seed)
        for what in chance.choices(list(often), list(often.values()), k=number):
            self.step(what, chance.randrange(1000), chance.randrange(1000))

    def _stamp(self, days_ago: int = 0, entered: bool = False) -> Stamp:
        at = datetime.now(UTC) - timedelta(days=days_ago)
        return Stamp(actor=uuid4(), at=at, entered_at=at if entered else None, at_given=days_ago > 0)

    def _by(self, number: int) -> UUID:
        return self.staffed.consultants[number % len(self.staffed.consultants)]

    def _entry(self, number: int) -> Entry:
        return self.entries[number % len(self.entries)]

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _enter(self, stamp: Stamp, by: UUID, phone: int) -> None:
        name = f"客户{phone % 3}"  # sometimes another name under the same phone
        entry = self.office.register(stamp, by=by, name=name, phone=phone_number(phone), historic=True).entry
        assert entry is not None
        if entry not in self.entries:
            self.entries.append(entry)

    def _register(self, one: int, two: int) -> None:
        self._enter(self._stamp(), self._by(one), self._next())

    def _again(self, one: int, two: int) -> None:
        self._enter(self._stamp(), self._by(two), 1 + one % max(1, self._number))

    def _imported(self, one: int, two: int) -> None:
        self._enter(self._stamp(5 + two % 60, entered=True), self._by(one), 1 + one % (self._number + 1))

    def _late(self, one: int, two: int) -> None:
        stamp = Stamp(actor=uuid4(), at=datetime.now(UTC) - timedelta(days=1 + two % 20))
        self.office.follow_up(stamp, entry=self._entry(one), by=self._by(two), historic=True)

    def _follow_up(self, one: int, two: int) -> None:
        stamp = self._stamp(two % 40, entered=two % 2 == 1 and two % 40 > 0)
        self.office.follow_up(stamp, entry=self._entry(one), by=self._by(two), historic=True)

    def _relate(self, one: int, two: int) -> None:
        relation = ("spouse", "parent", "sibling", "other")[(one + two) % 4]
        visitor, to = self._entry(one), self._entry(two)
        self.office.relate(self._stamp(), visitor=visitor, to=to, relation=relation, proven=one % 3 > 0)

    def _sell(self, one: int, two: int) -> None:
        buyer = self._entry(two) if two % 3 == 0 else None
        closers = list(dict.fromkeys([self._by(one), self._by(two)]))
        sale = self.office.sell(self._stamp(), entry=self._entry(one), by=closers, amount=Decimal(one + 1), buyer=buyer)
        if one % 2:
            label = f"争议 {sale.subject}"
            assert sale.subject is not None
            self.office.open_dispute(self._stamp(), about=sale.subject, by=self._by(two), label=label)

    def _assign(self, one: int, two: int) -> None:
        how: Any = ("distribution", "inheritance", "reassignment")[one % 3]
        self.office.assign(self._stamp(), entry=self._entry(one), to=self._by(two), how=how, by=self.staffed.manager)

    def _dispute(self, one: int, two: int) -> None:
        label = f"争议 {uuid4().hex}"
        opened = self.office.open_dispute(self._stamp(), about=self._entry(one), by=self._by(two), label=label)
        assert opened.subject is not None
        owner = self._by(one) if two % 2 else None
        self.office.rule(self._stamp(), dispute=opened.subject, by=self.staffed.manager, reason="谁先接待", owner=owner)

    def _enrol(self, one: int, two: int) -> None:
        self.office.enrol_staff(self._stamp(), name=f"顾问 {uuid4().hex[:6]}", role=("consultant", "desk")[one % 2])

    def _adopt(self, one: int, two: int) -> None:
        self.office.adopt(self._stamp(), amend={"attribution.protection_days": 3 + two % 40})

    # On the floor, today or the day before

    def _on_floor(self, days_ago: int) -> Stamp:
        return self._stamp(days_ago, entered=days_ago > 0)

    def _attend(self, one: int, two: int) -> None:
        stamp, who, floor = self._on_floor(two % 4 // 3), self._by(one), self.office.floor
        match one // 7 % 9:
            case 0:
                floor.sign_out(stamp, who=who)
            case 1:
                floor.step_out(stamp, who=who, why=("approved_business", "private", "leave", "task")[two % 4])
            case 2:
                floor.step_back(stamp, who=who)
            case 3:
                floor.put_misconduct_on_record(stamp, who=who, what="picking", by=self.staffed.manager)
            case _:
                floor.sign_in(stamp, who=who)

    def _receive(self, one: int, two: int) -> None:
        label, days_ago = f"r{self._next()}", two % 4 // 3
        asked = {"asks_for": self._by(two)} if one % 5 == 0 else {}
        visitor = self._entry(two) if self.entries and one % 3 == 0 else None
        channel = "call" if one % 4 == 0 else "visit"
        floor, stamp = self.office.floor, self._on_floor(days_ago)
        opened = floor.receive(stamp, reception=label, channel=channel, visitor=visitor, **asked).facts[-1].fact
        assert isinstance(opened, ReceptionOpened)
        if opened.choice.staff is not None:
            self.receptions.append((label, days_ago))

    def _go_on(self, one: int, two: int) -> None:
        """One of the last receptions is over, or goes on otherwise."""
        if not self.receptions:
            return
        label, days_ago = self.receptions[-1 - one % min(3, len(self.receptions))]
        stamp, floor = self._on_floor(days_ago), self.office.floor
        match one // 5 % 6:
            case 0:
                floor.absent(stamp, reception=label)
            case 1 if self.entries:
                floor.recognise(stamp, reception=label, visitor=self._entry(two))
            case 2:
                floor.hand_over(stamp, reception=label, to=self._by(two), by=self.staffed.manager)
            case _:
                floor.finish(stamp, reception=label, visitor=self._entry(one) if self.entries and two % 2 else None)
                self.receptions.remove((label, days_ago))
