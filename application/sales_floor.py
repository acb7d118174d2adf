"""What happens on the floor of a sales office, one method per command: attendance, turns, receptions, discipline.

Every method takes a Stamp, raises Refusal with a code when the command can't be right, and gives the same answer when
the same command comes again. The answer's facts carry the decision: the choice with everybody passed over, and its
clauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec.structs import replace

from domain import attendance, receptions
from domain import visitor as visitors
from domain.attendance import counts_conversions, lasting_effects
from domain.calendar import day_of
from domain.queue_state import Queue
from domain.record import Fact
from domain.refusals import Refusal
from domain.rules.floor import Floor
from domain.rules.receptions import taken_as_new
from domain.rules.turn_order import is_kept_for_the_owner
from domain.sales_turn_queue import CHANNELS, Asked, CallConverted, CarriedOn, Choice
from domain.visitor import (
    Entry,
    Moment,
    VisitorBought,
    VisitorFile,
    VisitorReceived,
)

from .commands import Decided, Stamp
from .desk import Answer, Desk
from .event_store.record import Record
from .office_files import OfficeFiles
from .privacy import Keyring, clean_name, clean_phone
from .queues import Day, Queues
from .receptions import answered_by, entrusted_to, received, reception_label
from .rulebooks import Shelf


class SalesFloor(Desk):
    """One site's floor."""

    def __init__(
        self, record: Record, keyring: Keyring, shelf: Shelf, site: UUID, files: OfficeFiles | None = None
    ) -> None:
        super().__init__(record, keyring, shelf, site, files)
        self.queues = Queues(self.files, self.edition)

    # Attendance and order

    def sign_in(self, stamp: Stamp, *, who: UUID) -> Answer:
        """Raises Refusal unknown_staff, wrong_state (signed in already)."""
        return self._attend(stamp, lambda floor: attendance.sign_in(floor, who), sign_in=who)

    def sign_out(self, stamp: Stamp, *, who: UUID) -> Answer:
        """Raises Refusal unknown_staff, not_signed_in."""
        return self._attend(stamp, lambda floor: attendance.sign_out(floor, who), sign_out=who)

    def step_out(self, stamp: Stamp, *, who: UUID, why: str) -> Answer:
        """Leave the floor for approved_business, private, leave or task. Raises Refusal not_signed_in, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.step_out(floor, who, why), step_out=who, why=why)

    def step_back(self, stamp: Stamp, *, who: UUID) -> Answer:
        """Raises Refusal not_signed_in, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.step_back(floor, who), step_back=who)

    def change_readiness(self, stamp: Stamp, *, who: UUID, reason: str | None) -> Answer:
        """Not ready for turns for a `reason`, or (None) ready again. Raises Refusal bad_value, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.change_readiness(floor, who, reason), who=who, ready=reason)

    def permit(self, stamp: Stamp, *, who: UUID, what: str, by: UUID) -> Answer:
        """Leave for a second visitor (T11), or for giving up (T29). Raises Refusal not_permitted, not_signed_in."""
        return self._attend(stamp, lambda floor: attendance.permit(floor, who, what, by), permit=[who, by], what=what)

    def take_post(self, stamp: Stamp, *, who: UUID, post: str) -> Answer:
        """Take post A or B (T8). Raises Refusal not_signed_in, not_free, not_eligible, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.take_post(floor, who, post), post=who, what=post)

    def stand_at_the_door(self, stamp: Stamp, *, who: UUID) -> Answer:
        """Stand at the door from now (T9). Raises Refusal not_signed_in, not_free, not_eligible, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.stand_at_the_door(floor, who), door=who)

    def rank(self, stamp: Stamp, *, order: Sequence[UUID], by: UUID | None) -> Answer:
        """The order by ranking or results (T3). Raises Refusal unknown_staff, not_permitted, bad_value, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.rank(floor, order, by), *order, rank=list(order), by=by)

    def declare_day(self, stamp: Stamp, *, kind: str, by: UUID | None) -> Answer:
        """A media or a normal day (T30). Raises Refusal bad_value, not_permitted, wrong_state."""
        return self._attend(stamp, lambda floor: attendance.declare_day(floor, kind, by), day=kind, by=by)

    def give_up(self, stamp: Stamp, *, who: UUID, channel: str) -> Answer:
        """Pass one's own turn (T29). Raises Refusal not_signed_in, not_your_turn, not_eligible, bad_value."""
        if channel not in CHANNELS:
            raise Refusal("bad_value", f"{channel!r}; channels are visit and call")
        return self._attend(stamp, lambda floor: attendance.give_up(floor, who, channel), give_up=who, on=channel)

    def warn(self, stamp: Stamp, *, who: UUID, by: UUID) -> Answer:
        """Raises Refusal not_permitted."""
        return self._attend(stamp, lambda floor: attendance.warn(floor, who, by), warn=who, by=by)

    def put_misconduct_on_record(self, stamp: Stamp, *, who: UUID, what: str, by: UUID) -> Answer:
        """Raises Refusal not_permitted, bad_value."""
        return self._attend(
            stamp, lambda floor: attendance.put_misconduct_on_record(floor, who, what, by), misconduct=[who, what, by]
        )

    def not_reached(self, stamp: Stamp, *, who: UUID) -> Answer:
        """The desk could not reach somebody who is away. Raises Refusal wrong_state when the person is here."""
        return self._attend(stamp, lambda floor: receptions.not_reached(floor, who), unreachable=who)

    def _attend(self, stamp: Stamp, decide: Callable[[Floor], Fact], *staff: UUID, **content: Any) -> Answer:
        def decided() -> Decided:
            self._all_known(*staff, *content.values())
            return self._on_floor(stamp, self.queues.day(stamp.at), decide)

        return self.answer(self.carry_out(stamp, decided, **content), subject=self.site_id)

    def _all_known(self, *said: Any) -> None:
        """Refuses unknown_staff where anyone named in what was said, alone or in a list, is not of the office."""
        for value in said:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, UUID):
                    self.known_staff(one)

    def _on_floor(self, stamp: Stamp, day: Day, decide: Callable[[Floor], Fact]) -> Decided:
        return Decided(self._facts(stamp, day, decide(day.floor)), day.floor.edition.label)

    def _facts(self, stamp: Stamp, day: Day, fact: Fact) -> list[tuple[UUID, int, Sequence[Fact]]]:
        """The fact for the day's stream; and what lasts of its effects for the last day that is open already, where it
        is told of later (a late entry, a reception that went on past midnight)."""
        of, facts = day.floor.queue.day, [day.facts(fact)]
        later = self._last_open(stamp, day.floor)
        if later is not None and (lasting := lasting_effects(fact, of, later)):
            carried = CarriedOn(of=of, reception=getattr(fact, "reception", ""), effects=lasting)
            facts.append((later.id, later.version, [carried]))
        return facts

    def _last_open(self, stamp: Stamp, floor: Floor) -> Queue | None:
        """The last day after the floor's that had a queue when this became known; None: it is the last itself."""
        known_on = day_of(self.known_at(stamp), floor.zone)
        if known_on <= floor.queue.day:
            return None
        last = self.files.queue(known_on) or self.files.queue_before(known_on)
        return last if last is not None and last.day > floor.queue.day else None

    # Receptions

    def receive(
        self,
        stamp: Stamp,
        *,
        reception: str | None = None,
        channel: str,
        name: str | None = None,
        phone: str | None = None,
        visitor: Entry | None = None,
        asks_for: UUID | None = None,
        describes: UUID | None = None,
        invited_by: UUID | None = None,
        brought_by: Entry | None = None,
        purpose: str | None = None,
        appointment: bool = False,
        party: int = 1,
    ) -> Answer:
        """The desk calls for a consultant; the queue assigns one, or nobody. The fact carries the whole choice.

        `reception`: how it is called from now on (None: by the day's next number). Raises Refusal bad_value,
        duplicate_label, unknown_staff, unknown_visitor, wrong_state.
        """
        label = None if reception is None else reception_label(reception)
        name, phone = name if name is None else clean_name(name), phone if phone is None else clean_phone(phone)
        told = Asked(
            asks_for=asks_for,
            invited_by=invited_by,
            brought_by=brought_by,
            purpose=purpose,
            appointment=appointment,
            party=party,
        )

        def decide() -> Decided:
            for staff in (asks_for, describes, invited_by):
                if staff is not None:
                    self.known_staff(staff)
            day = self.queues.day(stamp.at)
            asked = self._who_came(day.floor, told, Moment(stamp.at, self.known_at(stamp)), name, phone, visitor)
            if asked.owner is None and describes is not None:
                asked = replace(asked, owner=describes, tie="met", found_by="describes", describes=describes)
            called = label or self._next_label(day)
            return self._on_floor(stamp, day, lambda floor: receptions.receive(floor, called, channel, asked))

        content = {"receive": label, "channel": channel, "contact": [name, phone], "visitor": visitor, "told": told}
        return self.answer(self.carry_out(stamp, decide, describes=describes, **content), subject=self.site_id)

    def _next_label(self, day: Day) -> str:
        queue = day.floor.queue
        return receptions.next_label(queue, self.files.queue(queue.day - timedelta(days=1)))

    def _who_came(
        self, floor: Floor, told: Asked, moment: Moment, name: str | None, phone: str | None, visitor: Entry | None
    ) -> Asked:
        """What attribution knows of the one who came, by phone or as the desk recognised him."""
        entry, found_by = visitor, "visitor" if visitor else None
        if entry is None and phone is not None and (held := self.files.held_by("phone", phone)):
            entry, found_by = self.files.entry_of_name(held[0], name), "phone"
        asked = told if entry is None else self._known(floor, told, entry, moment, found_by)
        if told.brought_by is not None:
            client = self.attribution(told.brought_by, moment)
            bought = client.claim is not None and client.claim.bought
            asked = replace(asked, referrer=client.owner, referrer_bought=bought)
        return asked

    def _known(
        self,
        floor: Floor,
        told: Asked,
        entry: Entry,
        moment: Moment,
        found_by: str | None,
        fact: VisitorReceived | None = None,
        but: str = "",
    ) -> Asked:
        """What is known of an entry at a moment; `fact`: its reception `but`, which is over."""
        files = self.files.customer_files(entry.visitor)
        registration = files[entry.visitor].registration(entry.registration)
        found = self.attribute(entry, files, moment)
        as_new = told.as_new
        if fact is not None and found.claim is not None and not found.claim.bought:
            given = {"name": registration.has_name, "phone": registration.has_phone}
            complete = all(given[needed] for needed in floor.edition.codes("attribution.required"))
            as_new = as_new or taken_as_new(fact, found.claim, complete, floor.edition)
        counted = {
            r.finished.entry
            for r in floor.queue.receptions.values()
            if r.finished is not None and r.finished.counts and r.label != but
        }
        asked = replace(
            told,
            entry=entry,
            owner=found.owner,
            bought=found.claim is not None and found.claim.bought,
            tie=found.claim.tie if found.claim else "none",
            found_by=found_by,
            entrusted_to=entrusted_to(found, files.values()),
            as_new=as_new,
            again_today=not counted.isdisjoint(found.customer.entries),
        )
        kept = fact is None or is_kept_for_the_owner(floor, asked, fact.channel)
        return asked if kept else replace(asked, as_new=True)

    def absent(self, stamp: Stamp, *, reception: str) -> Answer:
        """The one assigned did not come; the next is (T12). Raises Refusal too_soon, unknown_reception, wrong_state."""
        return self._at(stamp, reception, lambda floor: receptions.absent(floor, reception), absent=reception)

    def help_with(self, stamp: Stamp, *, reception: str, who: UUID) -> Answer:
        """Somebody joins a reception. Raises Refusal not_signed_in, not_free, unknown_reception, wrong_state."""
        return self._at(stamp, reception, lambda floor: receptions.help_with(floor, reception, who), helps=who)

    def hand_over(self, stamp: Stamp, *, reception: str, to: UUID, by: UUID) -> Answer:
        """Another receives from now on (T22, T37). Raises Refusal not_permitted, not_signed_in, not_free."""
        return self._at(stamp, reception, lambda floor: receptions.hand_over(floor, reception, to, by), to=to, by=by)

    def unanswered(self, stamp: Stamp, *, reception: str) -> Answer:
        """Nobody answered the call (T27). Raises Refusal wrong_state, unknown_reception."""
        return self._at(stamp, reception, lambda floor: receptions.unanswered(floor, reception), unanswered=reception)

    def recognise(self, stamp: Stamp, *, reception: str, visitor: Entry) -> Answer:
        """The one being received turns out to be a known customer (A11, T33). Raises Refusal unknown_reception,
        unknown_visitor, wrong_state."""

        def decide(floor: Floor) -> Fact:
            known = receptions.reception_of(floor, reception)
            moment = Moment(known.opened_at, self.known_at(stamp))
            asked = self._known(floor, known.asked, visitor, moment, "recognised", but=reception)
            return receptions.recognise(floor, reception, asked)

        return self._at(stamp, reception, decide, recognise=visitor)

    def _at(self, stamp: Stamp, reception: str, decide: Callable[[Floor], Fact], **content: Any) -> Answer:
        def decided() -> Decided:
            self._all_known(*content.values())
            return self._on_floor(stamp, self.queues.day_of_reception(reception, stamp.at), decide)

        carried = self.carry_out(stamp, decided, reception=reception, **content)
        return self.answer(carried, subject=self.site_id)

    def finish(
        self, stamp: Stamp, *, reception: str, visitor: Entry | None = None, purpose: str | None = None
    ) -> Answer:
        """The reception ends, with the visitor it was for; whether it counts as a turn is decided here.

        Raises Refusal unknown_reception, unknown_visitor, wrong_state, bad_value.
        """

        def decide() -> Decided:
            day = self.queues.day_of_reception(reception, stamp.at)
            known = receptions.reception_of(day.floor, reception)
            entry, asked = visitor or known.asked.entry, known.asked
            # Read before anything is decided on it: what is put in the file meanwhile makes this version a conflict.
            file = None if entry is None else self.files.visitor(entry.visitor)
            if entry is not None:
                moment = Moment(known.opened_at, self.known_at(stamp))
                asked = self._known(day.floor, asked, entry, moment, asked.found_by, received(known, entry), reception)
            fact = receptions.finish(day.floor, reception, asked, entry, purpose)
            facts = self._facts(stamp, day, fact)
            if entry is not None and file is not None:
                facts.append((file.id, file.version, [received(known, entry)]))
            return Decided(facts, day.floor.edition.label)

        carried = self.carry_out(stamp, decide, finish=reception, visitor=visitor, purpose=purpose)
        return self.answer(carried, entry=visitor, subject=self.site_id)

    def entrust(self, stamp: Stamp, *, visitor: Entry, to: UUID, by: UUID) -> Answer:
        """The owner asks a colleague to look after a visitor (C8). Raises Refusal not_owner, unknown_visitor."""

        def decide() -> Decided:
            self.known_staff(to)
            self.known_staff(by)
            known_at = self.known_at(stamp)
            files = self.files.customer_files(visitor.visitor)
            owner = self.attribute(visitor, files, Moment(known_at, known_at)).owner
            fact = visitors.entrust(files[visitor.visitor], visitor.registration, to, by, owner)
            file = files[visitor.visitor]
            return Decided([(file.id, file.version, [fact])], self.edition(stamp.at).label)

        return self.answer(self.carry_out(stamp, decide, entrust=visitor, to=to, by=by), entry=visitor)

    def conversions(
        self, stamp: Stamp, files: Iterable[VisitorFile], closers: Sequence[UUID], sale: UUID
    ) -> list[tuple[UUID, int, Sequence[Fact]]]:
        """The facts of the day's queue by which a sale shows that calls have been turned into a customer (T32): for
        each closer who had answered the customer's call; none where the rulebook does not count them."""
        edition = self.edition(stamp.at)
        if not counts_conversions(edition):
            return []
        facts_of = [envelope.fact for file in files for envelope in file.history]
        answered = {who for fact in facts_of if (who := answered_by(fact))}
        sold = {one for fact in facts_of if isinstance(fact, VisitorBought) for one in fact.by}
        converting = [one for one in dict.fromkeys(closers) if one in answered - sold]
        facts = [CallConverted(staff=one, sale=sale) for one in converting]
        if not facts:
            return []
        day = self.queues.day(stamp.at)
        later, month = self._last_open(stamp, day.floor), (day.floor.queue.day.year, day.floor.queue.day.month)
        if later is not None and (later.day.year, later.day.month) == month:
            # Told of later: what counts is the last day's account of the month.
            return [(later.id, later.version, facts)]
        return [day.facts(*facts)]

    # Questions

    def floor(self, at: datetime) -> Floor:
        """The floor as it stands. Raises Refusal wrong_state where the rulebook says nothing on turns."""
        return self.queues.day(at).floor

    def next(self, at: datetime, channel: Literal["visit", "call"]) -> Choice:
        """Who would be given an unknown visitor now, and why."""
        return receptions.receive(self.floor(at), "", channel, Asked()).choice
