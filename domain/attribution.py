"""Who owns a visitor, and why: one pure fold over facts and the editions in force.

The command side, projections, the scenario runner and the auditor all call `attribute`; there is no second place that
decides ownership. It keeps every step with its clauses, so that it can also say why somebody else is not the owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from .calendar import day_of, end_of
from .chronology import Event, chronology
from .record import Envelope
from .rulebook import Edition, Editions, InForce, merged
from .rules.contacts import Contact, Treatment, contact_of, treatment_of
from .rules.identity import Customer, customer_of, links
from .rules.protection import PERIOD, has_lapsed, protected_until
from .rules.receptions import case_of, for_claimant, is_claimants, treatment_of_reception
from .visitor import (
    Entry,
    Moment,
    VisitorEntrusted,
    VisitorReceived,
    VisitorRelated,
    VisitorRuled,
)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim on a customer. `until`: last protected day (None: no limit); `ended_at`: when it was over, if it is.

    `contact_at` is what the period counts from; `tie`: what ties the owner to the visitor (met; called: by telephone or
    outreach only; inherited, given: nothing done since); `followed_up`: whether the owner has turned to the visitor
    since it began. `facts` (positions) and `clauses` are what it rests on.
    """

    owner: UUID
    ground: str
    since: datetime
    contact_at: datetime
    until: date | None
    bought: bool = False
    ruled: bool = False
    tie: str = "met"
    followed_up: bool = False
    ended_at: datetime | None = None
    clauses: tuple[str, ...] = ()
    facts: tuple[int, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened and what it did to the claim.

    `effect`: founds, renews, stays, nothing, closes, lapsed, ended_by_adoption, recounted, kept, ruled. `position` is
    None for what no fact says (a lapse). `claim` is the claim right after it, None when nobody owns. `on` is the site's
    day of `at`, where it was worked out.
    """

    at: datetime
    on: date | None = None
    known_at: datetime
    position: int | None
    what: str
    entry: Entry | None = None
    by: tuple[UUID, ...] = ()
    effect: str
    reason: str | None = None
    claim: Claim | None
    clauses: tuple[str, ...]
    edition: str
    late: bool = False


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """The complete answer for one customer at one moment."""

    entry: Entry
    moment: Moment
    claim: Claim | None
    last_claim: Claim | None
    customer: Customer
    steps: tuple[Step, ...]
    edition: Edition
    ruling: Envelope | None

    @property
    def owner(self) -> UUID | None:
        return self.claim.owner if self.claim else None

    @property
    def ground(self) -> str:
        if self.claim:
            return self.claim.ground
        return "lapsed" if self.last_claim else "no_claim"

    @property
    def until(self) -> date | None:
        return self.claim.until if self.claim else None

    @property
    def deciding_ruling(self) -> Envelope | None:
        """The ruling, while what it decided stands: its claim runs, or it said that nobody owns and nobody has
        since."""
        if self.claim is not None:
            return self.ruling if self.claim.ruled else None
        ruling, last = self.ruling, self.last_claim
        for_nobody = ruling is not None and isinstance(ruling.fact, VisitorRuled) and ruling.fact.owner is None
        if ruling is None or not for_nobody or (last is not None and last.since > ruling.occurred_at):
            return None
        return ruling

    @property
    def clauses(self) -> tuple[str, ...]:
        """What the answer rests on: the identity of the customer, then the claim (or what ended or prevented it)."""
        found = [c for link in (*self.customer.joined, *self.customer.apart) for c in link.clauses]
        if self.claim:
            found += self.claim.clauses
        else:
            found += [c for step in self.steps for c in step.clauses]
        return tuple(dict.fromkeys(found))

    @property
    def facts(self) -> tuple[int, ...]:
        """Positions of the facts that the answer used."""
        found = {p for link in self.customer.joined for p in link.facts}
        found |= {
            step.position for step in self.steps if step.position and (not self.claim or step.effect != "nothing")
        }
        return tuple(sorted(found))


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What `attribute` works on: the files of everybody who may be the same customer, and the rules of the site."""

    history: Sequence[Envelope]
    editions: Editions
    zone: ZoneInfo
    roles: Mapping[UUID, str]


def attribute(
    question: Question,
    entry: Entry,
    moment: Moment,
    *,
    rulings: bool = True,
    without: frozenset[int] = frozenset(),
) -> Attribution:
    """Who owns the customer that `entry` belongs to, at `moment.at`, by what was on record at `moment.known_at`.

    Relations say who people are, so they hold for all times once they are known; everything else counts from its time.
    Without `rulings` the rules speak alone (a what-if). `without` leaves facts (positions) out of account: what they
    did is not done, though a registration still tells who the visitor is. Raises RulebookError where the rulebook
    fails to decide.
    """
    edition = question.editions.at(moment.at)
    known = [envelope for envelope in question.history if envelope.known_at <= moment.known_at]
    telling = (
        [e for e in known if e.position not in without or not isinstance(e.fact, VisitorRelated)] if without else known
    )
    customer = customer_of(entry, links(telling, edition))
    fold = _Fold(question, rulings)
    for event in chronology(known, customer.entries, question.editions, question.zone, moment.at):
        if event.position not in without:
            fold.take(event)
    fold.lapse(moment.at)
    return Attribution(
        entry=entry,
        moment=moment,
        claim=fold.claim,
        last_claim=fold.last_claim,
        customer=customer,
        steps=tuple(fold.steps),
        edition=edition,
        ruling=fold.ruling,
    )


class _Fold:
    """The claim as it stands, taken through the events one by one."""

    def __init__(self, question: Question, rulings: bool) -> None:
        self.question = question
        self.zone = question.zone
        self.rulings = rulings
        self.claim: Claim | None = None
        self.last_claim: Claim | None = None
        self.ruling: Envelope | None = None
        self.steps: list[Step] = []
        self.complete: dict[Entry | None, bool] = {}

    def take(self, event: Event) -> None:
        self.lapse(event.at, event.on)
        if not isinstance(event.what, Envelope):
            self._adopt(event, event.what)
        elif type(event.what.fact) is VisitorRuled:
            self._rule(event, event.what, event.what.fact)
        elif type(event.what.fact) is VisitorEntrusted:
            self._put(event, event.what, "entrusted", (event.what.fact.by, event.what.fact.to), "nothing", None, ())
        else:
            self._contact(event, event.what)

    def lapse(self, at: datetime, on: date | None = None) -> None:
        """Notice that the claim has run out. Nothing is stored when it does: it is worked out whenever somebody looks
        (`on`: the day, where it is known already)."""
        claim = self.claim
        if (
            claim is None
            or claim.bought
            or claim.until is None
            or not has_lapsed(claim.until, on or day_of(at, self.zone))
        ):
            return
        ended_at = end_of(claim.until, self.zone)
        edition = self.question.editions.governing(ended_at)
        self._end(claim, ended_at, "lapsed", edition.parameter(PERIOD).clauses)

    def _end(self, claim: Claim, at: datetime, effect: str, clauses: tuple[str, ...]) -> None:
        self.last_claim = replace(claim, ended_at=at)
        self.claim = None
        self._step(at, None, "lapse", effect, clauses)

    def _adopt(self, event: Event, adoption: InForce) -> None:
        """Words, 8: a running claim goes on under the new edition, counted from the same contact; ruled and lapsed
        stay."""
        claim, at, effect = self.claim, adoption.since, "nothing"
        clauses: tuple[str, ...] = adoption.edition.parameter(PERIOD).clauses
        if claim is not None and not claim.bought:
            until = protected_until(day_of(claim.contact_at, self.zone), adoption.edition)
            if claim.ruled:
                effect = "kept"
            elif has_lapsed(until, event.on):
                self._end(replace(claim, until=until), at, "ended_by_adoption", clauses)
                return
            else:
                effect = "recounted"
                self.claim = replace(claim, until=until, clauses=merged(claim.clauses, clauses))
        self._step(at, adoption.position or None, "adoption", effect, clauses)

    def _rule(self, event: Event, envelope: Envelope, fact: VisitorRuled) -> None:
        """Words, 9: a ruling holds from the moment it is made and starts protection anew on its day."""
        if not self.rulings:
            return
        at, edition = event.at, event.edition
        bought = self.claim is not None and self.claim.bought
        clauses = edition.parameter("attribution.ruled_by").clauses
        self.ruling = envelope
        if fact.owner is None:
            self.last_claim, self.claim = self.claim or self.last_claim, None
        else:
            self.claim = Claim(
                owner=fact.owner,
                ground="ruling",
                since=at,
                contact_at=at,
                until=None if bought else protected_until(event.on, edition),
                bought=bought,
                ruled=True,
                clauses=clauses,
                facts=(envelope.position,),
            )
        self._put(event, envelope, "ruling", (), "ruled", None, clauses)

    def _contact(self, event: Event, envelope: Envelope) -> None:
        if type(envelope.fact) is VisitorReceived:
            contact, found = self._received(event, envelope.fact)
        else:
            contact = contact_of(envelope.fact, event.edition, self.question.roles)
            standing = self._standing(contact.by)
            found = event.edition.finding(treatment_of, contact.what, contact.via, contact.entry, *standing)
            if contact.what == "registration":
                self.complete[event.entry] = contact.entry != "incomplete"
        what, by = contact.what, contact.by
        effect, reason, clauses = found.effect, found.reason, found.clauses
        if effect == "renews" and self._comes_too_late(event):
            effect, reason = "nothing", "entered_after_lapse"
        if effect == "founds":
            self.claim, clauses = self._founded(event, contact, found), found.with_period
        elif effect == "renews" and self.claim is not None:
            self.claim, clauses = self._renewed(self.claim, event, contact, found), found.with_period
        if what == "sale" and self.claim is not None:
            effect = "closes" if effect == "stays" else effect
            self.claim = replace(
                self.claim,
                bought=True,
                until=None,
                clauses=merged(self.claim.clauses, found.clauses),
                facts=(*self.claim.facts, event.position),
            )
        self._put(event, envelope, what, by, effect, reason, clauses)

    def _received(self, event: Event, fact: VisitorReceived) -> tuple[Contact, Treatment]:
        """A reception, which the receiver may have had in somebody else's stead (A9, A10)."""
        claim, edition = self.claim, event.edition
        tie = "met" if fact.channel == "visit" else "called"
        new = claim is None or (claim.owner == fact.receiver and claim.since >= fact.began_at)
        if new and fact.in_stead_of is not None and is_claimants(fact, edition):
            contact = Contact(what="reception", by=(fact.in_stead_of, fact.receiver), tie=tie)
            return contact, edition.finding(for_claimant)
        case = case_of(fact, *self._standing((fact.receiver,)), claim, self.complete.get(event.entry, False), edition)
        return Contact(what="reception", by=(fact.receiver,), tie=tie), edition.finding(treatment_of_reception, case)

    def _standing(self, by: tuple[UUID, ...]) -> tuple[str, str]:
        """How the claim stands when a contact is made, and by whom it is: codes of the table `attribution.contact`."""
        claim = self.claim
        if claim is None:
            return "lapsed" if self.last_claim else "never", "other"
        return "bought" if claim.bought else "running", "owner" if claim.owner in by else "other"

    def _comes_too_late(self, event: Event) -> bool:
        """Words, 7: an entry never revives a claim that had lapsed before it was recorded. (By the day from which it
        counts, a claim that is there has not.)"""
        if self.claim is None or event.known_at == event.at:
            return False
        return has_lapsed(self.claim.until, day_of(event.known_at, self.zone))

    def _founded(self, event: Event, contact: Contact, found: Treatment) -> Claim:
        # Sold in the reception, before its end was entered: who received in somebody's stead sold in his stead.
        bought = contact.what == "reception" and self.claim is not None and self.claim.bought
        return Claim(
            owner=contact.by[0],
            ground=found.ground,
            since=event.at,
            contact_at=event.at,
            until=None if bought else protected_until(event.on, event.edition),
            bought=bought,
            tie=contact.tie,
            clauses=found.with_period,
            facts=(event.position,),
        )

    def _renewed(self, claim: Claim, event: Event, contact: Contact, found: Treatment) -> Claim:
        """The period starts anew; a renewal never shortens it."""
        until = protected_until(event.on, event.edition)
        longer = until is None or (claim.until is not None and until >= claim.until)
        # The reception (or an entry made in it) with which a claim began is no turning to the visitor since.
        fact = event.what.fact if isinstance(event.what, Envelope) else None
        since = fact.began_at if isinstance(fact, VisitorReceived) else event.at
        turned_to = contact.what != "registration" and since > claim.since
        return replace(
            claim,
            contact_at=max(event.at, claim.contact_at),
            until=until if longer else claim.until,
            tie="met" if contact.tie == "met" or claim.tie in ("inherited", "given") else claim.tie,
            followed_up=claim.followed_up or turned_to,
            clauses=merged(claim.clauses, found.clauses),
            facts=(*claim.facts, event.position),
        )

    def _put(
        self,
        event: Event,
        envelope: Envelope,
        what: str,
        by: tuple[UUID, ...],
        effect: str,
        reason: str | None,
        clauses: tuple[str, ...],
    ) -> None:
        at = envelope.occurred_at
        late = event.at != at
        self.steps.append(
            Step(
                at=at,
                on=None if late else event.on,
                known_at=event.known_at,
                position=event.position,
                what=what,
                entry=event.entry,
                by=by,
                effect=effect,
                reason=reason,
                claim=self.claim,
                clauses=clauses,
                edition=event.edition.label,
                late=late,
            )
        )

    def _step(self, at: datetime, position: int | None, what: str, effect: str, clauses: tuple[str, ...]) -> None:
        """A step that no contact made: a lapse, or another rulebook coming into force."""
        self.steps.append(
            Step(
                at=at,
                known_at=at,
                position=position,
                what=what,
                effect=effect,
                claim=self.claim,
                clauses=clauses,
                edition=self.question.editions.governing(at).label,
            )
        )
