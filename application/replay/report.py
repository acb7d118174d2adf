"""A replay as plain values: the answer, its steps, rivals, clauses and facts - what terminal, page and
programs all show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.attribution import Attribution, Step, attribute
from domain.calendar import start_of
from domain.dispute import Dispute, DisputeRuled
from domain.record import Envelope
from domain.rivals import Change, Homonym, Rival, changes_to, rivals_of
from domain.rulebook import Editions, single
from domain.sale import Sale
from domain.settlement import Settlement, settle
from domain.visitor import Entry, Moment, VisitorEntrusted, VisitorFile, VisitorRegistered, VisitorRelated

from ..office_files import amended
from ..privacy import mask_name
from ..sales_office import SalesOffice
from .lines import (
    ChangeLine,
    Citation,
    FactLine,
    Replay,
    RivalLine,
    RulingLine,
    StepLine,
    Text,
    citations,
)
from .matter import Matter
from .wording import EFFECT, GROUND, REASON, RELATION, SHARES, VIA, WHAT, WHAT_NOUN


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How a replay is asked for: both times (None: now, or the moment of the sale), and other rules (a what-if)."""

    at: datetime | None = None
    known_at: datetime | None = None
    under: str | None = None
    amend: Mapping[str, object] = {}

    @property
    def what_if(self) -> bool:
        return self.under is not None or bool(self.amend)


def replay(office: SalesOffice, matter: Matter, asked: Asked) -> Replay:
    """Settle a matter by replaying history. Raises Refusal (unknown rulebook or parameter), RulebookError."""
    return _Builder(office, matter, asked).build()


class _Builder:
    def __init__(self, office: SalesOffice, matter: Matter, asked: Asked) -> None:
        self.office, self.matter, self.asked = office, matter, asked
        self.site = office.files.site()
        self.zone = self.site.zone
        sale = matter.sale
        self.files: dict[UUID, VisitorFile] = office.files.customer_files(matter.entry.visitor)
        if sale and sale.terms.buyer and sale.terms.buyer.visitor not in self.files:
            self.files.update(office.files.customer_files(sale.terms.buyer.visitor))
        now = office.now()
        self.known_at = asked.known_at or now
        self.now = Moment(asked.at or now, self.known_at)
        self.moment = Moment(sale.recorded.occurred_at, self.known_at) if sale and asked.at is None else self.now
        self.question = office.files.question(self.files, editions=self._editions())

    def _editions(self) -> Editions:
        own = self.office.files.editions(known_at=self.known_at)
        if self.asked.under is not None:
            day = self.moment.at.astimezone(self.zone).date()
            edition, _ = self.office.shelf.edition(self.asked.under, day)
            own = single(edition, min(own.in_force[0].since, start_of(edition.in_force_from, self.zone)))
        return amended(own, self.asked.amend)

    def build(self) -> Replay:
        rulings = not self.asked.what_if
        settlement = self._settle(rulings)
        if settlement is not None:
            found, owner, clauses = settlement.attribution, settlement.owner, settlement.clauses
        else:
            found = attribute(self.question, self.matter.entry, self.moment, rulings=rulings)
            owner, clauses = found.owner, found.clauses
        ruled, falls = settlement is not None and settlement.owner_ruled, found.owner is not None and owner is None
        ground = "ruling" if ruled else "buyer_not_family" if falls else found.ground
        rivals = self._rivals(found, owner, settlement, "buyer_not_family" if falls else "replaced")
        changes = changes_to(self.question, found.entry, self.moment, found, rulings=rulings)
        cited = [
            *clauses,
            *(c for rival in rivals for c in rival.clauses),
            *(c for s in found.steps for c in s.clauses),
        ]
        until = found.until if owner and not ruled else None
        since = found.claim.since if found.claim and owner else None
        if settlement is not None and settlement.ruling is not None and ruled:
            since = settlement.ruling.occurred_at
        return Replay(
            kind=self.matter.kind,
            site=self.site.name,
            timezone=self.site.timezone,
            matter=self._matter(),
            entries=tuple(sorted(found.customer.entries)),
            at=self._local(self.moment.at),
            known_at=self._local(self.known_at),
            position=self.office.record.position(),
            under=found.edition.label,
            amend=dict(found.edition.amend),
            what_if=self.asked.what_if,
            owner=self._name(owner),
            owner_id=owner,
            ground=ground,
            ground_text=_text(GROUND[ground]),
            since=self._local(since) if since else None,
            until=until,
            until_text=self._until(owner, until),
            shares={self._known(s): str(f) for s, f in settlement.shares.items()} if settlement else None,
            shares_text=_text(SHARES[settlement.ground]) if settlement else None,
            amounts={self._known(s): str(a) for s, a in settlement.amounts.items()} if settlement else None,
            ruling=self._ruling(found, settlement),
            clauses=self._citations(cited),
            facts=self._facts(found, settlement),
            steps=tuple(self._step(step) for step in found.steps),
            rivals=tuple(self._rival(rival) for rival in rivals),
            changes=tuple(self._change(change, found) for change in changes),
        )

    def _settle(self, rulings: bool) -> Settlement | None:
        sale: Sale | None = self.matter.sale
        if sale is None or (self.asked.at is not None and self.asked.at < sale.recorded.occurred_at):
            return None
        order = list(self.site.staff)
        return settle(self.question, sale, known_at=self.now, staff_order=order, rulings=rulings)

    def _rivals(
        self, found: Attribution, owner: UUID | None, settlement: Settlement | None, otherwise: str
    ) -> list[Rival]:
        ruled = settlement is not None and settlement.owner_ruled
        rivals = rivals_of(
            found,
            owner,
            history=self.question.history,
            homonyms=self._homonyms(found),
            claimants=[dispute.matter.by for dispute in self._disputes()],
            otherwise="ruled_otherwise" if ruled else otherwise,
        )
        return rivals + self._owner_of_visitor(settlement, owner, {rival.staff for rival in rivals})

    def _owner_of_visitor(self, settlement: Settlement | None, owner: UUID | None, named: set[UUID]) -> list[Rival]:
        """Where the buyer brought an owner of his own: the owner of the visitor who is registered (A7)."""
        if settlement is None or settlement.attribution.entry == self.matter.entry:
            return []
        found = attribute(self.question, self.matter.entry, self.moment, rulings=not self.asked.what_if)
        if found.claim is None or found.owner == owner or found.claim.owner in named:
            return []
        clauses = found.edition.row_for("attribution.buyer", {"buyer": "other"}).clauses
        return [
            Rival(
                staff=found.claim.owner,
                reason="buyer_not_family",
                step=None,
                clauses=clauses,
                facts=found.claim.facts,
            )
        ]

    def _homonyms(self, found: Attribution) -> Iterable[Homonym]:
        """Entries elsewhere under a name of this customer (A7)."""
        names = set()
        for entry in found.customer.entries:
            contact = self.office.files.contact(entry, self.files)
            if contact is not None and contact.name:
                names.add(contact.name)
        for name in sorted(names):
            for visitor in self.office.files.held_by("name", name):
                if visitor in self.files:
                    continue
                for envelope in self.office.files.visitor(visitor).history:
                    fact = envelope.fact
                    if isinstance(fact, VisitorRegistered) and envelope.known_at <= self.known_at:
                        yield Homonym(Entry(visitor, fact.registration), fact.by, envelope.position)

    # Lines

    def _matter(self) -> dict[str, Any]:
        contact = self.office.files.contact(self.matter.entry, self.files)
        described: dict[str, Any] = {
            "visitor_id": self.matter.entry.visitor,
            "registration": self.matter.entry.registration,
            "visitor": mask_name(contact.name) if contact and contact.name else None,
            "phone": contact.masked_phone if contact else None,
        }
        if self.matter.sale is not None:
            terms = self.matter.sale.terms
            described |= {
                "sale_id": self.matter.sale.id,
                "unit": terms.unit,
                "sold_at": self._local(self.matter.sale.recorded.occurred_at),
                "date_only": terms.date_only,
                "closers": [self._known(staff) for staff in terms.by],
                "commission": str(terms.amount),
            }
        described["disputes"] = [self._dispute(dispute) for dispute in self._disputes()]
        return described

    def _disputes(self) -> list[Dispute]:
        """The disputes that were on record by then."""
        return [dispute for dispute in self.matter.disputes if dispute.opened.known_at <= self.known_at]

    def _dispute(self, dispute: Dispute) -> dict[str, Any]:
        return {
            "label": dispute.matter.label,
            "by": self._known(dispute.matter.by),
            "at": self._local(dispute.opened.occurred_at),
            "ruled": dispute.ruled is not None and dispute.ruled.known_at <= self.known_at,
        }

    def _ruling(self, found: Attribution, settlement: Settlement | None) -> RulingLine | None:
        envelope = settlement.ruling if settlement and settlement.ruling else found.deciding_ruling
        if envelope is None:
            return None
        dispute = self.office.files.dispute(envelope.fact.dispute)  # type: ignore[attr-defined]
        assert dispute.ruled is not None and isinstance(dispute.ruled.fact, DisputeRuled)
        plain = attribute(self.question, self.matter.entry, self.moment, rulings=False)
        return RulingLine(
            at=self._local(envelope.occurred_at),
            by=self._known(dispute.ruled.fact.by),
            reason=dispute.ruled.fact.reason,
            adopted=dispute.ruled.fact.adopted,
            without=self._name(plain.owner),
        )

    def _facts(self, found: Attribution, settlement: Settlement | None) -> tuple[FactLine, ...]:
        positions = set(found.facts)
        used = {
            e.position: e
            for e in self.question.history
            if e.position in positions and (e.occurred_at <= self.moment.at or isinstance(e.fact, VisitorRelated))
        }
        if settlement is not None and self.matter.sale is not None:
            sale = self.matter.sale.recorded
            more = [sale, *(e for e in (settlement.ruling, settlement.agreement) if e)]
            used.update({envelope.position: envelope for envelope in more})
        return tuple(self._fact(used[position]) for position in sorted(used))

    def _fact(self, envelope: Envelope) -> FactLine:
        by = getattr(envelope.fact, "by", getattr(envelope.fact, "receiver", None))
        staff = by if isinstance(by, tuple) else (by,) if by else ()
        return FactLine(
            position=envelope.position,
            name=envelope.fact.stored_name,
            occurred_at=self._local(envelope.occurred_at),
            known_at=self._local(envelope.known_at),
            recorded_at=self._local(envelope.recorded_at),
            by=tuple(self._known(one) for one in staff),
        )

    def _step(self, step: Step) -> StepLine:
        claim = step.claim
        return StepLine(
            at=self._local(step.at),
            known_at=self._local(step.known_at),
            position=step.position,
            what=step.what,
            what_text=_text(WHAT[step.what]),
            detail=self._detail(step),
            visitor=self._visitor(step.entry) if step.entry else None,
            by=tuple(self._known(staff) for staff in step.by),
            effect=step.effect,
            effect_text=_text(EFFECT[step.effect]),
            reason=step.reason,
            reason_text=_text(REASON[step.reason]) if step.reason else None,
            late=step.late,
            owner=self._name(claim.owner) if claim else None,
            until=claim.until if claim else None,
            protected=claim is not None,
            clauses=step.clauses,
            edition=step.edition,
        )

    def _detail(self, step: Step) -> Text | None:
        """How it happened: the channel of a registration or reception, the means of a follow-up; to whom the visitor
        was entrusted."""
        envelope = next((e for e in self.question.history if e.position == step.position), None)
        if envelope is not None and isinstance(envelope.fact, VisitorEntrusted):
            name = self._known(envelope.fact.to)
            return Text(name, name)
        found = (getattr(envelope.fact, name, None) for name in ("via", "how", "channel")) if envelope else ()
        code = next((code for code in found if code), None)
        return _text(VIA[code]) if code in VIA else None

    def _rival(self, rival: Rival) -> RivalLine:
        return RivalLine(
            staff=self._known(rival.staff),
            staff_id=rival.staff,
            reason=rival.reason,
            reason_text=_text(REASON[rival.reason]),
            at=self._local(rival.step.at) if rival.step else None,
            clauses=rival.clauses,
            facts=rival.facts,
        )

    def _change(self, change: Change, found: Attribution) -> ChangeLine:
        en, zh = self._change_words(change, found)
        owner = self._name(change.owner)
        return ChangeLine(
            kind=change.kind,
            text=Text(f"{en}, {owner or 'nobody'} would own the visitor", f"{zh}，则归属{owner or '无人'}"),
            owner=owner,
            position=change.position,
            value=change.value,
        )

    def _change_words(self, change: Change, found: Attribution) -> tuple[str, str]:
        if change.kind == "parameter":
            return f"with a protection of {change.value} days", f"如果保护期为{change.value}天"
        if change.kind == "follow_up_in_time" and change.staff:
            name = self._known(change.staff)
            return f"had {name} followed up by {change.day}", f"如果{name}在{change.day}前跟进过"
        step = next((step for step in found.steps if step.position == change.position), None)
        if step is not None:
            when = self._local(step.at).strftime("%Y-%m-%d %H:%M")
            what = WHAT_NOUN[step.what]
            return f"without the {what[0]} of {when}", f"如果没有{when}的{what[1]}"
        envelope = next(e for e in self.question.history if e.position == change.position)
        when = self._local(envelope.occurred_at).strftime("%Y-%m-%d %H:%M")
        assert isinstance(envelope.fact, VisitorRelated)
        relation = RELATION[envelope.fact.relation]
        return f"without the relation ({relation[0]}) of {when}", f"如果没有{when}登记的关系（{relation[1]}）"

    def _citations(self, ids: Sequence[str]) -> tuple[Citation, ...]:
        return citations(self.question.editions, ids)

    # Words

    def _local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def _name(self, staff: UUID | None) -> str | None:
        return self.office.files.staff_name(staff) if staff else None

    def _known(self, staff: UUID) -> str:
        return self.office.files.staff_name(staff)

    def _visitor(self, entry: Entry) -> str | None:
        contact = self.office.files.contact(entry, self.files) if entry.visitor in self.files else None
        return mask_name(contact.name) if contact and contact.name else None

    def _until(self, owner: UUID | None, until: date | None) -> Text:
        if owner is None:
            return Text("nobody owns the visitor", "无人拥有该客户")
        if until is None:
            return Text("without limit", "不限期")
        return Text(f"through {until.isoformat()}", f"至{until.isoformat()}")


def _text(words: tuple[str, str]) -> Text:
    return Text(*words)
