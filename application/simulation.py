"""A made-up sales floor played through the office's own commands: what a rulebook comes to when people work by it.

The simulation decides who comes, leaves and steps out. Who receives, whose turn counts and what is owed, the queue
decides - here as in an office."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any
from uuid import UUID

from domain import sales_turn_queue as facts
from domain.attendance import line_of
from domain.calendar import end_of, start_of
from domain.queue_state import Queue
from domain.record import Fact
from domain.refusals import Refusal
from domain.rules.floor import Floor
from domain.sales_turn_queue import CHANNELS, Choice, Effect

from .commands import Stamp
from .desk import Answer
from .event_store.record import Record
from .privacy import Keyring
from .rulebooks import Shelf
from .simulation_office import ZONE, Customer, MadeUpOffice, Visitor
from .simulation_report import Curve, PersonReport, Simulated, Standing, Tally, owed_to, report_of
from .simulation_script import CLOSES, MINUTE, OPENS, Coming, Day, Outing, Plan, Script, Shift

HEADS_COME = OPENS - 45 * MINUTE
"""When manager and supervisor come, in seconds after midnight."""

QUARTER_HOUR = 15
"""Minutes at the door where the rulebook does not say how long."""

TRY_AGAIN = timedelta(minutes=10)
"""How long somebody waits who wants to step out, or go home, and is busy."""

OF_RECEPTIONS = facts.ReceptionOpened | facts.ReceiverChanged | facts.Recognised | facts.Finished | facts.Unanswered
"""What happens without anybody's coming or going."""


class UnexpectedRefusal(Exception):
    """A command was refused that cannot be wrong: a fault of the simulation, or of the queue. One line."""


def simulate(
    plan: Plan, record: Record, keyring: Keyring, shelf: Shelf, done: Callable[[int], None] = lambda days: None
) -> Simulated:
    """Play a plan on a record, on a site of its own. `done` gets the number of days played after each.

    Raises Refusal unknown_rulebook, unknown_parameter, bad_value (of the plan), wrong_state for a rulebook that says
    nothing on turns; RulebookError where the rulebook fails to decide; UnexpectedRefusal.
    """
    simulation = _Simulation(plan, record, keyring, shelf)
    for number in range(plan.days):
        simulation.play(number)
        done(number + 1)
    return simulation.result()


Act = Callable[[datetime], None]


class _Simulation:
    def __init__(self, plan: Plan, record: Record, keyring: Keyring, shelf: Shelf) -> None:
        self.plan, self.script = plan, Script(plan)
        self.made_up = MadeUpOffice(plan, record, keyring, shelf)
        self.office, self.floor, self.day = self.made_up.office, self.made_up.floor, self.made_up.first
        self.consultants = self.made_up.consultants
        self.tally = Tally(self.made_up.names)
        self.customers: list[Customer] = []
        self.waiting: list[Visitor] = []
        self.labels, self.order = count(1), count()
        self.agenda: list[tuple[datetime, int, Act]] = []
        self.standing: dict[str, Standing] = {}
        self.posts = self.made_up.switch("turns.ab_posts")
        minutes = self.made_up.minutes("turns.door_minutes")
        self.door = minutes > 0 or self.made_up.switch("turns.door_receives")
        self.stint = timedelta(minutes=minutes or QUARTER_HOUR)

    # Time

    def _at(self, seconds: int) -> datetime:
        """So many seconds after the day's midnight, in UTC."""
        return start_of(self.day, ZONE) + timedelta(seconds=seconds)

    def _then(self, at: datetime, act: Callable[..., None], *arguments: Any) -> None:
        planned: Act = partial(act, *arguments)
        heappush(self.agenda, (at, next(self.order), planned))

    def play(self, number: int) -> None:
        """Play the day of that number, from 0, until the last has gone home."""
        self.day = self.made_up.first + timedelta(days=number)
        self.tally.new_day()
        self.standing.clear()
        self._plan_day(self.script.day(number))
        opens, closes = self._at(OPENS), self._at(CLOSES)
        while self.agenda:
            at, _, act = heappop(self.agenda)
            act(at)
            if self.posts:
                self._fill_posts(at)
            if self.door and opens <= at < closes:
                self._keep_the_door(at)

    def _plan_day(self, script: Day) -> None:
        for head in (self.made_up.manager, self.made_up.supervisor):
            self._then(self._at(HEADS_COME), self._sign_in, head)
            self._then(self._at(CLOSES), self._go_home, head)
        self._then(self._at(HEADS_COME), self._pass_tests)
        for staff, shift in zip(self.consultants, script.shifts, strict=True):
            if shift is not None:
                self._then(self._at(shift.arrives), self._arrive, staff, shift)
        for seconds in range(OPENS, CLOSES, int(self.stint.total_seconds())) if self.door else ():
            self._then(self._at(seconds), lambda at: None)
        for coming in script.comings:
            self._then(self._at(coming.at), self._come, coming)
        self._then(self._at(CLOSES), self._close)

    # Commands

    def _do(
        self, command: Callable[..., Answer], at: datetime, *, lawful: tuple[str, ...] = (), **content: Any
    ) -> Answer | None:
        """Give a command; None when it was refused with a code that is `lawful` here."""
        stamp = Stamp(actor=self.office.site_id, at=at, entered_at=at)
        try:
            answer = command(stamp, **content)
        except Refusal as refusal:
            if refusal.code not in lawful:
                told = f"{command.__name__} at {at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
                raise UnexpectedRefusal(f"simulation, {self.made_up.edition.label}, {told}: {refusal}") from refusal
            self.tally.refusals[refusal.code] += 1
            return None
        self.tally.commands += 1
        for envelope in answer.facts:
            self.tally.take(envelope, self.day, self._standing(envelope.fact, at))
        return answer

    def _standing(self, fact: Fact, at: datetime) -> Standing | None:
        """Who stood in a line and was present when a turn was taken; kept until somebody comes or goes."""
        effects: tuple[Effect, ...] = getattr(fact, "effects", ())
        if not isinstance(fact, OF_RECEPTIONS) or any(effect.kind == "day_lost" for effect in effects):
            self.standing.clear()
        channel = next((effect.channel for effect in effects if effect.kind == "turn"), None)
        if channel is None:
            return None
        if channel not in self.standing:
            self.standing[channel] = self.made_up.standing(channel, at)
        return self.standing[channel]

    def _queue(self) -> Queue:
        return self.made_up.queue(self.day)

    def _is_free(self, staff: UUID) -> bool:
        queue = self._queue()
        return queue.present(staff) and next(queue.busy_at(staff), None) is None

    # Attendance

    def _arrive(self, staff: UUID, shift: Shift, at: datetime) -> None:
        """A consultant's day begins, unless it is a day out for leads."""
        if self.made_up.out_for_leads(staff, self.day):
            return
        self._sign_in(staff, at)
        self._then(self._at(shift.leaves), self._go_home, staff)
        if shift.outing is not None:
            self._then(max(at, self._at(shift.outing.at)), self._step_out, staff, shift.outing)
        if shift.gives_up is not None:
            self._then(max(at, self._at(shift.gives_up[0])), self._give_up, staff, shift.gives_up[1])
        if shift.misconduct is not None:
            self._then(max(at, self._at(shift.misconduct[0])), self._misbehave, staff, shift.misconduct[1])

    def _sign_in(self, staff: UUID, at: datetime) -> None:
        self._do(self.floor.sign_in, at, who=staff)
        self._call_again(at)

    def _go_home(self, staff: UUID, at: datetime) -> None:
        if next(self._queue().busy_at(staff), None) is not None:
            self._then(at + TRY_AGAIN, self._go_home, staff)
        else:
            self._do(self.floor.sign_out, at, who=staff)

    def _step_out(self, staff: UUID, outing: Outing, at: datetime) -> None:
        back = at + timedelta(seconds=outing.seconds)
        if back >= self._at(CLOSES):
            return
        if not self._is_free(staff):
            self._then(at + TRY_AGAIN, self._step_out, staff, outing)
            return
        self._do(self.floor.step_out, at, who=staff, why=outing.why)
        self._then(back, self._step_back, staff)

    def _step_back(self, staff: UUID, at: datetime) -> None:
        self._do(self.floor.step_back, at, who=staff)
        self._call_again(at)

    def _give_up(self, staff: UUID, channel: str, at: datetime) -> None:
        """Somebody would rather not: refused unless it is that person's turn."""
        if self._is_free(staff):
            lawful = ("not_your_turn", "not_eligible")
            self._do(self.floor.give_up, at, lawful=lawful, who=staff, channel=channel)

    def _misbehave(self, staff: UUID, what: str, at: datetime) -> None:
        if self.made_up.disciplines is not None:
            self._do(self.floor.put_misconduct_on_record, at, who=staff, what=what, by=self.made_up.disciplines)

    def _pass_tests(self, at: datetime) -> None:
        """Nothing is sold here, so no call leads to a sale; who is barred for that (T32) is tested the same morning."""
        queue = self._queue()
        for staff in self.consultants:
            if staff in queue.no_calls or queue.not_ready.get(staff) == "untested":
                self._do(self.floor.change_readiness, at, who=staff, reason=None)

    def _fill_posts(self, at: datetime) -> None:
        """The first who are free in the line stand at posts A and B (T8)."""
        floor = self.floor.floor(at)
        held = {person.post for person in floor.queue.people.values()}
        for post in ("A", "B"):
            if post not in held and (staff := next(self._ready(floor), None)) is not None:
                self._do(self.floor.take_post, at, who=staff, post=post)
                floor = self.floor.floor(at)

    def _ready(self, floor: Floor) -> Iterator[UUID]:
        """Who is free in the line of visits and stands at no post, in order."""
        for staff in line_of(floor, "visit"):
            if self._is_free(staff) and floor.queue.person(staff).post is None:
                yield staff

    def _keep_the_door(self, at: datetime) -> None:
        """Who has stood least today relieves who has stood long enough, or is not free any more (T9)."""
        floor = self.floor.floor(at)
        now = floor.queue.at_the_door()
        if now is not None and at < now.since + self.stint and self._is_free(now.staff):
            return
        stood = [one.staff for one in floor.queue.stints]
        free = [staff for staff in self._ready(floor) if now is None or staff != now.staff]
        if free:
            self._do(self.floor.stand_at_the_door, at, who=min(free, key=stood.count))

    # Visitors

    def _come(self, coming: Coming, at: datetime) -> None:
        customer = None
        if coming.earlier is not None and self.customers:
            customer = self.customers[int(coming.earlier * len(self.customers))]
        visitor = Visitor(coming, at, customer)
        self.tally.came += 1
        if not self._call(visitor, at):
            self._wait(visitor, at)

    def _wait(self, visitor: Visitor, at: datetime) -> None:
        self.waiting.append(visitor)
        self.waiting.sort(key=lambda one: one.came_at)
        patient_until = visitor.came_at + timedelta(seconds=visitor.coming.patience)
        self._then(max(at, patient_until), self._lose_patience, visitor)

    def _lose_patience(self, visitor: Visitor, at: datetime) -> None:
        if visitor in self.waiting:
            self.waiting.remove(visitor)
            self.tally.not_received += 1
            self.tally.waits.append(at - visitor.came_at)

    def _close(self, at: datetime) -> None:
        """Nobody waits any longer."""
        for visitor in list(self.waiting):
            self._lose_patience(visitor, at)

    def _call_again(self, at: datetime) -> None:
        """Those who wait, in the order in which they came. Where there is nobody for one who is anybody's, there is
        nobody for the next one either."""
        for channel in CHANNELS:
            nobody = False
            for visitor in [one for one in self.waiting if one.coming.channel == channel]:
                anybodys = visitor.customer is None and visitor.coming.asks_for is None
                if nobody and anybodys:
                    continue
                if self._call(visitor, at):
                    self.waiting.remove(visitor)
                else:
                    nobody = nobody or anybodys

    def _call(self, visitor: Visitor, at: datetime) -> bool:
        """The desk calls for a consultant. False when there is nobody."""
        coming, customer, label = visitor.coming, visitor.customer, f"r{next(self.labels)}"
        asks_for = None
        if coming.asks_for is not None:
            anyone = self.consultants[int(coming.asks_for * len(self.consultants))]
            asks_for = customer.receiver if customer is not None else anyone
        contact: dict[str, Any] = {}
        if customer is not None and coming.by == "phone":
            contact = {"name": customer.name, "phone": customer.phone}
        who = {"asks_for": asks_for, "purpose": coming.said, **contact}
        answer = self._do(self.floor.receive, at, reception=label, channel=coming.channel, **who)
        assert answer is not None
        return self._called(visitor, label, _choice_in(answer), at)

    def _called(self, visitor: Visitor, label: str, choice: Choice, at: datetime) -> bool:
        coming = visitor.coming
        if choice.staff is None:
            return False
        if coming.absent_after is not None and not visitor.missed:
            self._then(at + timedelta(seconds=coming.absent_after), self._miss, visitor, label)
            return True
        if at > visitor.came_at:
            self.tally.waits.append(at - visitor.came_at)
        if coming.unanswered:
            self._then(at + timedelta(seconds=MINUTE), self._unanswered, label)
            return True
        if visitor.customer is not None and coming.by == "recognising":
            self._then(at + timedelta(seconds=coming.recognised_after), self._recognise, visitor, label)
        self._then(at + timedelta(seconds=coming.seconds), self._finish, visitor, label)
        return True

    def _miss(self, visitor: Visitor, label: str, at: datetime) -> None:
        """The one called has not come; too soon to say so where there is a grace, and said again when it is over."""
        answer = self._do(self.floor.absent, at, lawful=("too_soon",), reception=label)
        if answer is None:
            grace = timedelta(minutes=self.made_up.minutes("turns.absent_after_minutes"))
            self._then(self._queue().receptions[label].assigned_at + grace, self._miss, visitor, label)
            return
        visitor.missed = True
        if not self._called(visitor, label, _choice_in(answer), at):
            self._wait(visitor, at)
        self._call_again(at)

    def _unanswered(self, label: str, at: datetime) -> None:
        self._do(self.floor.unanswered, at, reception=label)
        self.tally.unanswered += 1
        self._call_again(at)

    def _recognise(self, visitor: Visitor, label: str, at: datetime) -> None:
        assert visitor.customer is not None
        self._do(self.floor.recognise, at, reception=label, visitor=visitor.customer.entry)
        self._call_again(at)

    def _finish(self, visitor: Visitor, label: str, at: datetime) -> None:
        """Those who are new leave name and phone, or not; earlier customers are found on the register at the latest
        now."""
        coming, customer, entry = visitor.coming, visitor.customer, None
        receiver = self.tally.receiver(label)
        if (customer is None and coming.leaves_contact) or (customer is not None and coming.by == "nothing"):
            who = customer or coming
            register = self.office.register
            answer = self._do(register, at, by=receiver, name=who.name, phone=who.phone, via=coming.channel)
            assert answer is not None and answer.entry is not None
            entry = answer.entry
            if customer is None:
                self.customers.append(Customer(coming.name, coming.phone, entry, receiver))
        purpose = coming.found if customer is None else None
        self._do(self.floor.finish, at, reception=label, visitor=entry, purpose=purpose)
        if customer is not None:
            customer.receiver = receiver
        self._call_again(at)

    # In the end

    def result(self) -> Simulated:
        """The report, and the curves of those who take turns."""
        made_up, queue = self.made_up, self.office.files.queue(self.day)
        owed = owed_to(one for channel in CHANNELS for one in (queue.make_ups[channel] if queue else ()))
        people: list[PersonReport] = []
        for staff, name in made_up.names.items():
            person = self.tally.person(staff, name, made_up.teams[staff], owed[staff])
            if staff in self.consultants or person.receptions or owed[staff]:
                people.append(person)
        report = report_of(self.plan, self.tally, people, edition=made_up.edition, first_day=made_up.first)
        curves = [Curve(made_up.names[staff], tuple(self.tally.points.get(staff, ()))) for staff in self.consultants]
        return Simulated(report, tuple(curves), (start_of(made_up.first, ZONE), end_of(self.day, ZONE)))


def _choice_in(answer: Answer) -> Choice:
    choice = answer.facts[-1].fact.choice  # type: ignore[attr-defined]
    assert isinstance(choice, Choice)
    return choice
