"""Finding what people mean when they ask for a replay: a unit, a sale, a dispute, or a visitor."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.dispute import Dispute
from domain.refusals import Refusal
from domain.sale import Sale
from domain.visitor import Entry

from ..entries import unit_key
from ..privacy import clean_name, clean_phone, clean_text
from ..sales_office import SalesOffice


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay is about. `kind`: sale, visitor or dispute; `disputes`: those raised about it, oldest first."""

    kind: str
    entry: Entry
    sale: Sale | None
    disputes: tuple[Dispute, ...]


def find_matter(office: SalesOffice, text: str) -> Matter:
    """A unit, the label or id of a dispute, the id of a sale or visitor, or a visitor's phone or full name.

    Raises Refusal unknown_visitor when nothing of that kind is on record, bad_value when several visitors bear
    the name.
    """
    files = office.files
    wanted = text.strip()
    if (dispute := find_dispute(office, wanted)) is not None:
        return matter_of_dispute(office, dispute)
    if wanted and (sales := files.held_by("unit", unit_key(wanted))):
        return matter_of_sale(office, sales[0])
    if (identity := _uuid(wanted)) is not None:
        return _by_id(office, identity)
    for visitors in (_by_phone(office, wanted), _by_name(office, wanted)):
        if len(visitors) > 1:
            raise Refusal("bad_value", f"{len(visitors)} visitors bear this name; give the phone or the visitor's id")
        if visitors:
            return matter_of_visitor(office, files.entry_of_name(visitors[0], _cleaned(wanted)))
    raise Refusal("unknown_visitor", "no unit, sale, dispute or visitor goes by this")


def find_dispute(office: SalesOffice, label: str) -> UUID | None:
    """The dispute of that label, spelled as people spell it."""
    try:
        held = office.files.held_by("dispute", clean_text(label, "label"))
    except Refusal:
        return None
    return held[0] if held else None


def _by_id(office: SalesOffice, identity: UUID) -> Matter:
    for find in (matter_of_sale, matter_of_dispute, _of_visitor_id):
        try:
            return find(office, identity)
        except Refusal as refusal:
            if not refusal.code.startswith("unknown_"):
                raise
    raise Refusal("unknown_visitor", f"no sale, dispute or visitor has the id {identity}")


def _of_visitor_id(office: SalesOffice, visitor: UUID) -> Matter:
    return matter_of_visitor(office, Entry(visitor, 1))


def matter_of_sale(office: SalesOffice, sale: UUID) -> Matter:
    """Raises Refusal unknown_sale."""
    found = office.files.sale(sale)
    return Matter(kind="sale", entry=found.terms.visitor, sale=found, disputes=_disputes_about(office, sale))


def matter_of_dispute(office: SalesOffice, dispute: UUID) -> Matter:
    """Raises Refusal unknown_dispute."""
    found = office.files.dispute(dispute)
    sale = office.files.sale(found.matter.sale) if found.matter.sale else None
    return Matter(kind="dispute", entry=found.matter.visitor, sale=sale, disputes=(found,))


def matter_of_visitor(office: SalesOffice, entry: Entry) -> Matter:
    """Raises Refusal unknown_visitor."""
    office.files.visitor(entry.visitor).registration(entry.registration)
    return Matter(kind="visitor", entry=entry, sale=None, disputes=_disputes_about(office, entry.visitor))


def _disputes_about(office: SalesOffice, subject: UUID) -> tuple[Dispute, ...]:
    disputes = [office.files.dispute(dispute) for dispute in office.files.held_by("disputed", str(subject))]
    return tuple(sorted(disputes, key=lambda dispute: dispute.opened.position))


def _by_phone(office: SalesOffice, text: str) -> Sequence[UUID]:
    try:
        return office.files.held_by("phone", clean_phone(text))
    except Refusal:
        return []


def _by_name(office: SalesOffice, text: str) -> Sequence[UUID]:
    try:
        return office.files.held_by("name", clean_name(text))
    except Refusal:
        return []


def _cleaned(name: str) -> str | None:
    try:
        return clean_name(name)
    except Refusal:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
