"""Who owns a visitor, and why: one pure fold over facts and the editions in force.

The command side, projections, the scenario runner and the auditor all call `attribute`; there is no second place that
decides ownership. It keeps every step with its clauses, so that it can also say why somebody else is not the owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from .calendar import end_of
from .record import Envelope
from .rulebook import Edition, Editions, InForce, Row
from .rules.contacts import contact_of
from .rules.identity import Customer, customer_of, links
from .rules.protection import counts_from, has_lapsed, protected_until
from .visitor import (
    Entry,
    Moment,
    VisitorFollowedUp,
    VisitorRegistered,
    VisitorRelated,
    VisitorRuled,
    entry_of,
)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim on a customer. `until`: last protected day (None: no limit); `ended_at`: when it was over, if it is.

    `contact_at` is what the period counts from; `facts` (positions) and `clauses` are what it rests on.
    """

    owner: UUID
    ground: str
    since: datetime
    contact_at: datetime
    until: date | None
    bought: bool = False
    ruled: bool = False
    ended_at: datetime | None = None
    clauses: tuple[str, ...] = ()
    facts: tuple[int, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened and what it did to the claim.

    `effect`: founds, renews, stays, nothing, closes, lapsed, ended_by_adoption, recounted, kept, ruled. `position` is
    None for what no fact says (a lapse). `claim` is the claim right after it, None when nobody owns.
    """

    at: datetime
    known_at: datetime
    position: int | None
    what: str
    entry: Entry | None
    by: tuple[UUID, ...]
    effect: str
    reason: str | None
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
        fact = self.ruling.fact if self.ruling else None
        return self.ruling if isinstance(fact, VisitorRuled) and fact.owner is None else None

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


class _Event(msgspec.Struct, frozen=True):
    at: datetime
    position: int
    envelope: Envelope | None
    adoption: InForce | None


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
    Without `rulings` the rules speak alone (a what-if). `without` leaves facts (positions) out of account:
    what they did is
    not done, though a registration still tells who the visitor is. Raises RulebookError where the rulebook
    fails to decide.
    """
    edition = question.editions.at(moment.at)
    known = [envelope for envelope in question.history if envelope.known_at <= moment.known_at]
    telling = [e for e in known if e.position not in without or not isinstance(e.fact, VisitorRelated)]
    customer = customer_of(entry, links(telling, edition))
    fold = _Fold(question, rulings)
    for event in _events(question, known, customer, moment):
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


def _events(question: Question, known: Sequence[Envelope], customer: Customer, moment: Moment) -> Iterator[_Event]:
    """Contacts of the customer and adoptions of rulebooks, in the order in which they count, up to the moment."""
    events = [
        _Event(item.since, item.position, None, item) for item in question.editions.changes() if item.since <= moment.at
    ]
    for envelope in known:
        if entry_of(envelope) in customer.entries:
            counted = _counts_from(question, envelope)
            if counted <= moment.at:
                events.append(_Event(counted, envelope.position, envelope, None))
    return iter(sorted(events, key=lambda event: (event.at, event.position)))


def _counts_from(question: Question, envelope: Envelope) -> datetime:
    """Contacts entered late count from their entry (words, 7); sales, rulings and assignments from when they
    were made."""
    if not isinstance(envelope.fact, VisitorRegistered | VisitorFollowedUp):
        return envelope.occurred_at
    governing = question.editions.at(max(envelope.occurred_at, question.editions.in_force[0].since))
    return counts_from(envelope.occurred_at, envelope.known_at, governing, question.zone)


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

    def take(self, event: _Event) -> None:
        self.lapse(event.at)
        if event.adoption is not None:
            self._adopt(event.adoption)
        elif event.envelope is not None and isinstance(event.envelope.fact, VisitorRuled):
            self._rule(event.envelope, event.envelope.fact)
        elif event.envelope is not None:
            self._contact(event.at, event.envelope)

    def _edition(self, at: datetime) -> Edition:
        """The edition that governs what happened at an instant: what is older than the first edition comes
        under that."""
        return self.question.editions.at(max(at, self.question.editions.in_force[0].since))

    def lapse(self, at: datetime) -> None:
        """Notice that the claim has run out. Nothing is stored when it does: it is worked out whenever
        somebody looks."""
        claim = self.claim
        if claim is None or claim.bought or claim.until is None or not has_lapsed(claim.until, at, self.zone):
            return
        ended_at = end_of(claim.until, self.zone)
        period = self._edition(ended_at).parameter("attribution.protection_days")
        self._end(claim, ended_at, "lapsed", period.clauses)

    def _end(self, claim: Claim, at: datetime, effect: str, clauses: tuple[str, ...]) -> None:
        self.last_claim = msgspec.structs.replace(claim, ended_at=at)
        self.claim = None
        self._step(at, None, "lapse", effect, clauses)

    def _adopt(self, adoption: InForce) -> None:
        """Words, 8: a running claim goes on under the new edition, counted from the same contact; ruled and
        lapsed stay."""
        claim, at, effect = self.claim, adoption.since, "nothing"
        clauses: tuple[str, ...] = adoption.edition.parameter("attribution.protection_days").clauses
        if claim is not None and not claim.bought:
            until = protected_until(claim.contact_at, adoption.edition, self.zone)
            if claim.ruled:
                effect = "kept"
            elif has_lapsed(until, at, self.zone):
                self._end(msgspec.structs.replace(claim, until=until), at, "ended_by_adoption", clauses)
                return
            else:
                effect = "recounted"
                merged = tuple(dict.fromkeys((*claim.clauses, *clauses)))
                self.claim = msgspec.structs.replace(claim, until=until, clauses=merged)
        self._step(at, adoption.position or None, "adoption", effect, clauses)

    def _rule(self, envelope: Envelope, fact: VisitorRuled) -> None:
        """Words, 9: a ruling holds from the moment it is made and starts protection anew on its day."""
        if not self.rulings:
            return
        at = envelope.occurred_at
        edition = self._edition(at)
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
                until=None if bought else protected_until(at, edition, self.zone),
                bought=bought,
                ruled=True,
                clauses=clauses,
                facts=(envelope.position,),
            )
        self._put(envelope, at, "ruling", (), "ruled", None, clauses, edition)

    def _contact(self, at: datetime, envelope: Envelope) -> None:
        edition = self._edition(at)
        what, by, case = self._case(envelope, edition)
        row = edition.row_for("attribution.contact", case)
        effect, reason = row.then["claim"], row.then.get("reason")
        if effect == "renews" and self._comes_too_late(envelope):
            effect, reason = "nothing", "entered_after_lapse"
        if effect == "founds":
            self.claim = self._found(envelope, at, by[0], row, edition)
        elif effect == "renews" and self.claim is not None:
            self.claim = self._renewed(self.claim, envelope, at, row, edition)
        if what == "sale" and self.claim is not None:
            effect = "closes" if effect == "stays" else effect
            self.claim = msgspec.structs.replace(
                self.claim,
                bought=True,
                until=None,
                clauses=tuple(dict.fromkeys((*self.claim.clauses, *row.clauses))),
                facts=(*self.claim.facts, envelope.position),
            )
        clauses = row.clauses
        if effect in ("founds", "renews"):
            clauses = tuple(dict.fromkeys((*clauses, *edition.parameter("attribution.protection_days").clauses)))
        self._put(envelope, at, what, by, effect, reason, clauses, edition)

    def _case(self, envelope: Envelope, edition: Edition) -> tuple[str, tuple[UUID, ...], dict[str, str]]:
        """The coded facts of a contact, as the table `attribution.contact` asks for them."""
        contact = contact_of(envelope.fact, edition, self.question.roles)
        claim = "running"
        if self.claim is None:
            claim = "lapsed" if self.last_claim else "never"
        elif self.claim.bought:
            claim = "bought"
        by = "owner" if self.claim is not None and self.claim.owner in contact.by else "other"
        case = {"contact": contact.what, "via": contact.via, "entry": contact.entry, "claim": claim, "by": by}
        return contact.what, contact.by, case

    def _comes_too_late(self, envelope: Envelope) -> bool:
        """Words, 7: an entry never revives a claim that had lapsed before it was recorded."""
        assert self.claim is not None
        return has_lapsed(self.claim.until, envelope.known_at, self.zone)

    def _found(self, envelope: Envelope, at: datetime, owner: UUID, row: Row, edition: Edition) -> Claim:
        period = edition.parameter("attribution.protection_days").clauses
        return Claim(
            owner=owner,
            ground=row.then["ground"],
            since=at,
            contact_at=at,
            until=protected_until(at, edition, self.zone),
            clauses=tuple(dict.fromkeys((*row.clauses, *period))),
            facts=(envelope.position,),
        )

    def _renewed(self, claim: Claim, envelope: Envelope, at: datetime, row: Row, edition: Edition) -> Claim:
        """The period starts anew; a renewal never shortens it."""
        until = protected_until(at, edition, self.zone)
        longer = until is None or (claim.until is not None and until >= claim.until)
        return msgspec.structs.replace(
            claim,
            contact_at=max(at, claim.contact_at),
            until=until if longer else claim.until,
            clauses=tuple(dict.fromkeys((*claim.clauses, *row.clauses))),
            facts=(*claim.facts, envelope.position),
        )

    def _put(
        self,
        envelope: Envelope,
        at: datetime,
        what: str,
        by: tuple[UUID, ...],
        effect: str,
        reason: str | None,
        clauses: tuple[str, ...],
        edition: Edition,
    ) -> None:
        self.steps.append(
            Step(
                at=envelope.occurred_at,
                known_at=envelope.known_at,
                position=envelope.position,
                what=what,
                entry=entry_of(envelope),
                by=by,
                effect=effect,
                reason=reason,
                claim=self.claim,
                clauses=clauses,
                edition=edition.label,
                late=at != envelope.occurred_at,
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
                entry=None,
                by=(),
                effect=effect,
                reason=None,
                claim=self.claim,
                clauses=clauses,
                edition=self._edition(at).label,
            )
        )
