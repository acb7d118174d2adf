"""What people do at a sales office, one method per command: look up, decide, append, answer.

Every method takes a Stamp (who, when, command id), raises Refusal with a code when the command can't be right,
and gives
the same answer when the same command comes again.
"""

# long because: one method per command - this page is the list of what people can do at an office
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec

from domain import dispute as disputes
from domain import sale as sales
from domain import site as sites
from domain import visitor as visitors
from domain.calendar import day_of, start_of
from domain.record import Envelope, Fact
from domain.refusals import Refusal
from domain.rules.vocabulary import amend_edition
from domain.visitor import Entry, Moment, VisitorBought, VisitorFile, VisitorRegistered, VisitorRuled

from .commands import Decided, Stamp, carry_out, content_of
from .desk import Answer, Desk
from .entries import buyer_of, registration, unit_key
from .event_store.appending import ClaimOn
from .event_store.record import Record
from .privacy import Contact, Keyring, clean_name, clean_phone, clean_text
from .rulebooks import Shelf
from .sales_floor import SalesFloor


def open_site(record: Record, keyring: Keyring, shelf: Shelf, *, name: str, timezone: str, stamp: Stamp) -> SalesOffice:
    """Open a site. Raises Refusal bad_value (blank name, unknown time zone), duplicate_label (the name is taken)."""
    name = clean_name(name)
    time_zone(timezone)
    site = uuid4()
    claim = ClaimOn("site", name.encode(), site)
    fact = sites.SiteOpened(name=name, timezone=timezone)

    def decide() -> Decided:
        return Decided([(site, 0, [fact])], claims=(claim,), when_claimed="duplicate_label")

    carried = carry_out(record, site, stamp, content_of(open_site=name, timezone=timezone), decide)
    return SalesOffice(record, keyring, shelf, carried.envelopes[0].stream)


def time_zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises Refusal bad_value."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refusal("bad_value", f"{name!r} is not a time zone such as Asia/Shanghai") from None


def find_site(record: Record, keyring: Keyring, shelf: Shelf, name: str) -> SalesOffice:
    """The site of that name. Raises Refusal unknown_site."""
    held = record.held_by("site", clean_name(name).encode())
    if not held:
        raise Refusal("unknown_site", repr(name))
    return SalesOffice(record, keyring, shelf, held[0])


def site_names(record: Record) -> list[str]:
    """The names of all sites, sorted."""
    opened = [record.load(site, sites.evolve) for site in record.subjects("site")]
    return sorted(site.name for site in opened if site is not None)


class SalesOffice(Desk):
    """One site's commands. `historic`: what an older record holds is taken as it was, even where a rule would
    have refused it."""

    @cached_property
    def floor(self) -> SalesFloor:
        """Attendance, turns and receptions, on the same files."""
        return SalesFloor(self.record, self.keyring, self.shelf, self.site_id, self.files)

    # Staff and rulebooks

    def enrol_staff(self, stamp: Stamp, *, name: str, role: str = "consultant", team: str | None = None) -> Answer:
        """Put somebody on the staff list. Raises Refusal bad_value."""
        name, team = clean_name(name), None if team is None else clean_text(team, "team")
        person = self.keyring.new_person()
        sealed = self.keyring.seal(person.person, Contact(name=name))

        def decide() -> Decided:
            site = self.files.site()
            command = sites.EnrolStaff(staff=person.person, sealed=sealed, role=role, team=team)
            return Decided([(site.id, site.version, [sites.enrol_staff(site, command)])], keys=(person,))

        carried = self.carry_out(stamp, decide, enrol=name, role=role, team=team)
        fact = carried.envelopes[0].fact
        assert isinstance(fact, sites.StaffEnrolled)
        return self.answer(carried, subject=fact.staff)

    def adopt(
        self,
        stamp: Stamp,
        *,
        rulebook: str | None = None,
        amend: Mapping[str, object] | None = None,
        by: UUID | None = None,
        instead_of: int | None = None,
    ) -> Answer:
        """Put a rulebook in force, or (without `rulebook`) the present one with parameters changed.

        The first adoption holds from the day the edition itself is in force. `instead_of`: the position of the adoption
        that it is meant to replace. Raises Refusal unknown_rulebook, unknown_parameter, bad_value, bad_time,
        not_permitted, changed_meanwhile (another one has been adopted since).
        """

        def decide() -> Decided:
            site = self.files.site()
            if instead_of is not None and instead_of != (site.adoptions[-1].position if site.adoptions else 0):
                raise Refusal("changed_meanwhile", "another adoption is in force")
            day = day_of(stamp.at, site.zone)
            if rulebook is not None:
                edition, text = self.shelf.edition(rulebook, day)
                changed: dict[str, object] = dict(amend or {})
            else:
                edition = self.edition(stamp.at)
                text = _adopted(site.adoptions[-1]).text
                changed = {**edition.amend, **(amend or {})}
            command = sites.AdoptRulebook(
                rulebook=edition.rulebook,
                in_force_from=edition.in_force_from.isoformat(),
                text=text,
                sha256=edition.sha256,
                amend=amend_edition(edition, changed).amend,
                at=stamp.at,
                by=by,
            )
            return Decided([(site.id, site.version, [sites.adopt_rulebook(site, command)])])

        content = {"adopt": rulebook, "amend": amend, "staff": by}
        return self.answer(self.carry_out(stamp, decide, **content), subject=self.site_id)

    def in_force_since(self, rulebook: str, day: date) -> datetime:
        """From when a first adoption of that rulebook on that day would hold: its edition's own first day."""
        edition, _ = self.shelf.edition(rulebook, day)
        return start_of(edition.in_force_from, self.files.site().zone)

    # Visitors

    def register(
        self,
        stamp: Stamp,
        *,
        by: UUID,
        name: str | None = None,
        phone: str | None = None,
        via: str = "visit",
        number: str | None = None,
        historic: bool = False,
    ) -> Answer:
        """Enter a visitor in the public register; the answer says who owns the visitor and why.

        A known phone adds to its file. What is incomplete is kept and founds no claim (A2). Raises Refusal bad_value,
        unknown_staff, bad_time.
        """
        number = None if number is None else clean_text(number, "number")
        contact = Contact(
            name=None if name is None else clean_name(name),
            phone=None if phone is None else clean_phone(phone),
        )
        read: dict[UUID, VisitorFile] = {}
        presumed_new = iter([True])  # most are: whether the phone is known is looked up once the record says that it is

        def decide() -> Decided:
            self.known_staff(by)
            held = [] if next(presumed_new, False) or not contact.phone else self.files.held_by("phone", contact.phone)
            read.clear()
            read.update(self.files.customer_files(held[0]) if held else {})
            decided = registration(self.files, read[held[0]] if held else None, contact, by=by, via=via, number=number)
            return msgspec.structs.replace(decided, edition=self.edition(stamp.at).label)

        content = {"register": [contact.name, contact.phone], "staff": by, "via": via, "number": number}
        carried = self.carry_out(stamp, decide, **content)
        entry = _entry(carried.envelopes[0])
        return self.answer(carried, entry=entry, files=read, brief=historic)

    def follow_up(self, stamp: Stamp, *, entry: Entry, by: UUID, how: str = "call", historic: bool = False) -> Answer:
        """Put a follow-up on record. Raises Refusal not_owner while another's claim runs (kept when `historic`)."""
        read: dict[UUID, VisitorFile] = {}

        def decide() -> Decided:
            self.known_staff(by)
            read.clear()
            read.update(self.files.customer_files(entry.visitor))
            file = read[entry.visitor]
            file.registration(entry.registration)
            known_at = stamp.entered_at or self.now()
            owner = None if historic else self.attribute(entry, read, Moment(known_at, known_at)).owner
            fact = visitors.follow_up(file, entry.registration, by, how, owner)
            return self._on_visitor(stamp, file, fact)

        carried = self.carry_out(stamp, decide, follow_up=entry, staff=by, how=how)
        return self.answer(carried, entry=entry, files=read, brief=historic)

    def relate(self, stamp: Stamp, *, visitor: Entry, to: Entry, relation: str, proven: bool = True) -> Answer:
        """Put on record that `visitor` is the spouse (parent, ...) of `to`; the fact stands in both files."""
        read: dict[UUID, VisitorFile] = {}

        def decide() -> Decided:
            read.clear()
            read.update(self.files.customer_files(visitor.visitor))
            if to.visitor not in read:
                read.update(self.files.customer_files(to.visitor))
            fact = visitors.relate(read[visitor.visitor], read[to.visitor], visitor, to, relation, proven)
            both = [(file, read[file].version, [fact]) for file in {visitor.visitor: 1, to.visitor: 1}]
            return Decided(both, edition=self.edition(stamp.at).label)

        carried = self.carry_out(stamp, decide, relate=[visitor, to], relation=relation, proven=proven)
        return self.answer(carried, entry=visitor, files=read)

    def assign(
        self,
        stamp: Stamp,
        *,
        entry: Entry,
        to: UUID,
        how: Literal["distribution", "inheritance", "reassignment"],
        by: UUID | None,
        fault: bool = False,
    ) -> Answer:
        """A manager gives the visitor to a consultant: a lead (A15), a leaver's file (A13), or a change (A12)."""
        read: dict[UUID, VisitorFile] = {}

        def decide() -> Decided:
            self.known_staff(to)
            edition = self.edition(stamp.at)
            if by is not None:
                roles = edition.codes("attribution.distributed_by")
                self.files.site().require_role(by, roles, "giving a visitor to a consultant")
            read.clear()
            read.update(self.files.customer_files(entry.visitor))
            file = read[entry.visitor]
            return self._on_visitor(stamp, file, visitors.assign(file, entry.registration, to, how, by, fault))

        carried = self.carry_out(stamp, decide, assign=entry, to=to, how=how, staff=by, fault=fault)
        return self.answer(carried, entry=entry, files=read)

    def depart(self, stamp: Stamp, *, who: UUID, heirs: Sequence[tuple[Entry, UUID]], by: UUID | None) -> Answer:
        """A consultant leaves the company; `heirs` take over visitors (A13). All in one step."""

        def decide() -> Decided:
            site = self.files.site()
            gone = sites.depart_staff(site, sites.DepartStaff(staff=who, by=by))
            by_file: dict[UUID, list[Fact]] = {}
            versions: dict[UUID, int] = {}
            known_at = self.known_at(stamp)
            for entry, heir in heirs:
                self.known_staff(heir)
                files = self.files.customer_files(entry.visitor)
                file = files[entry.visitor]
                if self.attribute(entry, files, Moment(known_at, known_at)).owner not in (who, None):
                    raise Refusal("not_owner", "a leaver hands over the leaver's own visitors")
                versions[file.id] = file.version
                fact = visitors.assign(file, entry.registration, heir, "inheritance", by)
                by_file.setdefault(file.id, []).append(fact)
            facts = [(visitor, versions[visitor], inherited) for visitor, inherited in by_file.items()]
            return Decided([(site.id, site.version, [gone]), *facts])

        return self.answer(self.carry_out(stamp, decide, depart=who, heirs=list(heirs), staff=by), subject=who)

    def _on_visitor(self, stamp: Stamp, file: VisitorFile, fact: Fact) -> Decided:
        return Decided([(file.id, file.version, [fact])], edition=self.edition(stamp.at).label)

    # Sales

    def sell(
        self,
        stamp: Stamp,
        *,
        entry: Entry,
        by: Sequence[UUID],
        amount: Decimal,
        unit: str | None = None,
        buyer: Entry | str | None = None,
        date_only: bool = False,
        historic: bool = False,
    ) -> Answer:
        """A sale is closed. `amount`: the commission to share, in yuan; `buyer`: when another than the visitor buys.

        Raises Refusal bad_value, unknown_staff, unknown_visitor, unit_already_sold.
        """
        unit = None if unit is None else clean_text(unit, "unit")
        read: dict[UUID, VisitorFile] = {}

        def decide() -> Decided:
            for closer in by:
                self.known_staff(closer)
            read.clear()
            read.update(self.files.customer_files(entry.visitor))
            file = read[entry.visitor]
            file.registration(entry.registration)
            sale = uuid4()
            other, keys = buyer_of(self.files, entry, buyer, read)
            fact = sales.record_sale(
                sales.RecordSale(visitor=entry, by=tuple(by), amount=amount, unit=unit, date_only=date_only, **other)
            )
            bought = VisitorBought(registration=entry.registration, sale=sale, by=tuple(by))
            facts: list[tuple[UUID, int, Sequence[Fact]]] = [
                (sale, 0, [fact]),
                (file.id, file.version, [bought]),
            ]
            if fact.buyer is not None and fact.buyer.visitor != file.id:
                other_file = read.get(fact.buyer.visitor) or self.files.visitor(fact.buyer.visitor)
                noted = VisitorBought(registration=fact.buyer.registration, sale=sale, by=tuple(by))
                facts.append((other_file.id, other_file.version, [noted]))
            if not historic:
                facts += self.floor.conversions(stamp, read.values(), by, sale)
            claims = (ClaimOn("unit", self.files.key("unit", unit_key(unit)), sale),) if unit else ()
            edition = self.edition(stamp.at).label
            return Decided(facts, edition, claims, keys, when_claimed="unit_already_sold")

        content = {"sell": entry, "staff": list(by), "amount": str(amount), "unit": unit, "buyer": buyer}
        carried = self.carry_out(stamp, decide, **content)
        sale = carried.envelopes[0].stream
        return self.answer(carried, entry=entry, files=read, subject=sale, settled=True, brief=historic)

    def agree(self, stamp: Stamp, *, sale: UUID, shares: Mapping[UUID, Fraction], by: Sequence[UUID]) -> Answer:
        """The owner and the closers agree on shares (C8). Raises Refusal not_permitted when one of them has
        not agreed."""

        def decide() -> Decided:
            for staff in (*by, *shares):
                self.known_staff(staff)
            found = self.files.sale(sale)
            owner = self.settlement(found, Moment(stamp.at, self.known_at(stamp))).owner
            concerned = frozenset(found.terms.by) | ({owner} if owner else frozenset())
            fact = sales.agree_shares(found, shares, by, concerned)
            return Decided([(sale, found.version, [fact])])

        content = {"agree": sale, "shares": {str(k): str(v) for k, v in shares.items()}, "staff": list(by)}
        return self.answer(self.carry_out(stamp, decide, **content), subject=sale, settled=True)

    # Disputes

    def open_dispute(self, stamp: Stamp, *, about: Entry | UUID, by: UUID, label: str | None = None) -> Answer:
        """Claim a visitor (an Entry) or a sale (its id); without a label it goes by the next free D-number.

        Raises Refusal claim_too_late, duplicate_label.
        """
        given = None if label is None else clean_text(label, "label")

        def decide() -> Decided:
            self.known_staff(by)
            label = given or self._next_dispute()
            site, dispute = self.files.site(), uuid4()
            if isinstance(about, Entry):
                self.files.visitor(about.visitor).registration(about.registration)
                sold_at, visitor, sale = self._last_sale(about, stamp), about, None
            else:
                found = self.files.sale(about)
                sold_at, visitor, sale = found.recorded.occurred_at, found.terms.visitor, about
            edition = self.edition(stamp.at)
            fact = disputes.open_dispute(
                visitor,
                sale,
                by,
                label=label,
                sold_at=sold_at,
                at=stamp.at,
                within_days=edition.days("attribution.claim_within_days"),
                zone=site.zone,
            )
            subject = str(sale or visitor.visitor)
            claims = (
                ClaimOn("dispute", self.files.key("dispute", label), dispute),
                ClaimOn("disputed", self.files.key("disputed", subject), dispute),
            )
            # A number that somebody else was faster with is no refusal: the next one is taken.
            when_claimed = None if given is None else "duplicate_label"
            return Decided([(dispute, 0, [fact])], edition.label, claims, when_claimed=when_claimed)

        carried = self.carry_out(stamp, decide, dispute=about, staff=by, label=given)
        return self.answer(carried, subject=carried.envelopes[0].stream)

    def _next_dispute(self) -> str:
        number = len(self.record.subjects("dispute")) + 1
        while self.files.held_by("dispute", f"D{number}"):
            number += 1
        return f"D{number}"

    def _last_sale(self, about: Entry, stamp: Stamp) -> datetime | None:
        """When the customer last bought: a claim on the visitor after that is a claim on the sale (A4)."""
        files = self.files.customer_files(about.visitor)
        found = self.attribute(about, files, Moment(stamp.at, self.known_at(stamp)))
        return max((step.at for step in found.steps if step.what == "sale"), default=None)

    def rule(
        self,
        stamp: Stamp,
        *,
        dispute: UUID,
        by: UUID,
        reason: str,
        owner: UUID | None = None,
        shares: Mapping[UUID, Fraction] | None = None,
    ) -> Answer:
        """A manager rules; without `owner` and `shares` the answer of the replay is adopted.

        Raises Refusal not_permitted (role), wrong_state (ruled before), bad_value.
        """
        reason = reason.strip()

        def decide() -> Decided:
            found = self.files.dispute(dispute)
            edition = self.edition(stamp.at)
            self.files.site().require_role(by, edition.codes("attribution.ruled_by"), "ruling on a dispute")
            for staff in (*([owner] if owner else []), *(shares or {})):
                self.known_staff(staff)
            moment, matter = Moment(stamp.at, self.known_at(stamp)), found.matter
            sale = self.files.sale(matter.sale) if matter.sale else None
            settled = self.settlement(sale, moment) if sale else None
            files = self.files.customer_files(matter.visitor.visitor)
            command = disputes.RuleDispute(
                owner=owner,
                shares=shares,
                found_owner=None if settled else self.attribute(matter.visitor, files, moment).owner,
                found_shares=settled.shares if settled else None,
                by=by,
                reason=reason,
            )
            fact = disputes.rule_dispute(found, command)
            facts: list[tuple[UUID, int, Sequence[Fact]]] = [(dispute, found.version, [fact])]
            if sale is not None:
                ruled = sales.SaleRuled(dispute=dispute, shares=fact.shares, owner=fact.owner)
                facts.append((sale.id, sale.version, [ruled]))
            if sale is None or fact.owner is not None:
                file = files[matter.visitor.visitor]
                noted = VisitorRuled(registration=matter.visitor.registration, dispute=dispute, owner=fact.owner)
                facts.append((file.id, file.version, [noted]))
            return Decided(facts, edition.label)

        given = None if shares is None else {str(k): str(v) for k, v in shares.items()}
        content = {"rule": dispute, "staff": by, "owner": owner, "shares": given, "reason": reason}
        carried = self.carry_out(stamp, decide, **content)
        return self.answer(carried, subject=dispute)


def _adopted(envelope: Envelope) -> sites.RulebookAdopted:
    assert isinstance(envelope.fact, sites.RulebookAdopted)
    return envelope.fact


def _entry(envelope: Envelope) -> Entry:
    assert isinstance(envelope.fact, VisitorRegistered)
    return Entry(envelope.stream, envelope.fact.registration)
