"""The office on which a simulation is played: opened, staffed, and its rulebook in force; nobody in it exists."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from domain.calendar import start_of
from domain.queue_state import Queue
from domain.rulebook import Edition
from domain.sales_turn_queue import Channel
from domain.visitor import Entry

from .commands import Stamp
from .event_store.record import Record
from .privacy import Keyring
from .rulebooks import Shelf
from .sales_office import open_site
from .simulation_report import BOTH, Standing
from .simulation_script import Coming, Plan

ZONE = ZoneInfo("Asia/Shanghai")
FIRST_DAY = date(2026, 3, 2)
"""A Monday; a rulebook that begins later is played from its own first day."""


class Customer(msgspec.Struct):
    """Somebody on the register, and who received him last."""

    name: str
    phone: str
    entry: Entry
    receiver: UUID


class Visitor(msgspec.Struct, eq=False):
    """Somebody who has come. `missed`: the one called did not come, and that happens to nobody twice."""

    coming: Coming
    came_at: datetime
    customer: Customer | None
    missed: bool = False


class MadeUpOffice:
    """Consultants - in two teams where the rulebook has teams take turns -, then a manager and a supervisor.

    `names` and `teams` of all of them, by id; `disciplines`: who may put misconduct on record, if one of them may.
    Raises Refusal unknown_rulebook, unknown_parameter, bad_value, wrong_state for a rulebook that says nothing on
    turns.
    """

    def __init__(self, plan: Plan, record: Record, keyring: Keyring, shelf: Shelf) -> None:
        began = shelf.edition(plan.rulebook)[0].in_force_from
        self.first = max(FIRST_DAY, began)
        self._since = start_of(began, ZONE)
        opened = start_of(self.first, ZONE)
        stamp = Stamp(actor=UUID(int=0), at=opened, entered_at=opened)
        self.office = open_site(record, keyring, shelf, name="simulation", timezone=ZONE.key, stamp=stamp)
        self.floor = self.office.floor
        self.office.adopt(self._stamp(), rulebook=plan.rulebook, amend=plan.amend)
        self.edition: Edition = self.office.edition(opened)
        self.floor.floor(opened)  # refused where the rulebook says nothing on turns
        self.names: dict[UUID, str] = {}
        self.teams: dict[UUID, str | None] = {}
        self.consultants = self._consultants(plan.staff)
        self.manager = self._enrol("M", "manager", None)
        self.supervisor = self._enrol("S", "supervisor", None)
        heads, may = {"manager": self.manager, "supervisor": self.supervisor}, self.edition.codes("turns.hand_over_by")
        self.disciplines = next((who for role, who in heads.items() if role in may), None)

    def _stamp(self) -> Stamp:
        return Stamp(actor=self.office.site_id, at=self._since, entered_at=self._since)

    def _consultants(self, size: int) -> list[UUID]:
        turns = self.edition.codes("turns.taken_by")
        role = "consultant" if "consultant" in turns or not turns else turns[0]
        if self.text("turns.teams") == "together":
            return [self._enrol(f"C{index:0{len(str(size))}}", role, None) for index in range(1, size + 1)]
        half = (size + 1) // 2
        wide = len(str(half))
        places = [(team, index) for team, most in (("A", half), ("B", size - half)) for index in range(1, most + 1)]
        return [self._enrol(f"{team}{index:0{wide}}", role, team) for team, index in places]

    def _enrol(self, name: str, role: str, team: str | None) -> UUID:
        staff = self.office.enrol_staff(self._stamp(), name=name, role=role, team=team).subject
        assert staff is not None
        self.names[staff], self.teams[staff] = name, team
        return staff

    def text(self, name: str) -> str:
        """A parameter's code."""
        return str(self.edition.parameter(name).value)

    def minutes(self, name: str) -> int:
        """A parameter in minutes; 0 where it is none."""
        value = self.edition.parameter(name).value
        return value if isinstance(value, int) else 0

    def switch(self, name: str) -> bool:
        return self.edition.parameter(name).value is True

    def queue(self, day: date) -> Queue:
        """The queue of a day on which somebody has signed in."""
        queue = self.office.files.queue(day)
        assert queue is not None, day
        return queue

    def standing(self, channel: Channel, at: datetime) -> Standing:
        """Who stands in a line now and is present."""
        floor = self.floor.floor(at)
        there = (one for one in self.consultants if floor.queue.present(one) and floor.barred(one, channel) is None)
        return Standing(BOTH if floor.queue.shared else channel, frozenset(there))

    def out_for_leads(self, staff: UUID, day: date) -> bool:
        """Whether somebody belongs to the half that does not come to the floor on a day (T6)."""
        team = self.queue(day).visits_team if self.text("turns.teams") == "halves" else None
        return team is not None and self.teams[staff] not in (team, None)
