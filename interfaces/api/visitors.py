"""Visitors: registrations, follow-ups, relations, entrusting, giving to a consultant; looking up, and who owns whom."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from flask import current_app
from marshmallow import fields

from application.desk import Answer
from application.disclosures import look_up_on_record
from application.looking_up import Found
from application.privacy import mask_name
from application.replay.lines import Citation
from domain.rules.vocabulary import RELATIONS, VIAS
from domain.visitor import HOWS, Entry

from .answers import EntryLine, Standing, citations, standing_of
from .caller import Caller
from .examples import COLLEAGUE, RELATIVE, STAFF
from .fields import CommandSchema, Flag, OneOf, PostedQuerySchema, QuerySchema, VisitorSchema, code, count, phone, text
from .operations import Resource
from .whose import anybody, both_are_own, own_visitor, said_of_oneself

visitors = Resource("visitors", "Visitors: the public register, follow-ups, relations, and who owns whom")
SITE = "/sites/<uuid:site>"
ONE = f"{SITE}/visitors/<uuid:visitor>"


class Register(CommandSchema):
    name = text()
    phone = phone()
    via = code(VIAS)
    number = text(metadata={"description": "The number in the public register."})
    by = fields.UUID(metadata={"description": "Who receives; left out: the caller."})


class OfEntry(CommandSchema):
    registration = count(1, 10_000, load_default=1)


class FollowUp(OfEntry):
    how = code(HOWS)
    by = fields.UUID(metadata={"description": "Who followed up; left out: the caller."})


class Relation(OfEntry):
    to = fields.Nested(VisitorSchema, required=True)
    relation = code(RELATIONS, required=True)
    proven = Flag(load_default=True)


class Entrusting(OfEntry):
    to = fields.UUID(required=True)
    by = fields.UUID(metadata={"description": "The owner who asks; left out: the caller."})


class Assignment(OfEntry):
    to = fields.UUID(required=True)
    how = code(["distribution", "reassignment"], required=True)
    fault = Flag(load_default=False)


class LookUp(OneOf, PostedQuerySchema):
    one_of = ("phone", "name")
    phone = phone()
    name = text()


class OfRegistration(QuerySchema):
    registration = fields.Integer(load_default=1, metadata={"example": 1})


class Finds(msgspec.Struct, frozen=True):
    """The entries of the register that were found."""

    found: tuple[Found, ...]


class VisitorLine(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor, masked, and who owns the customer now; `entries`: all that are the same customer."""

    visitor: UUID
    registration: int
    name: str | None
    phone: str | None
    attribution: Standing
    entries: tuple[EntryLine, ...]
    clauses: tuple[Citation, ...]


@visitors.command(
    f"{SITE}/registrations", Register, action="visitors.register", whose=said_of_oneself("by"),
    example={"name": "赵强", "phone": "13900000001", "via": "visit", "by": STAFF}, refuses=["unknown_staff"],
)  # fmt: skip
def register(caller: Caller, given: dict[str, Any]) -> Answer:
    """Enter somebody in the public register; answers who owns the visitor, and why. Of a colleague's customer a
    consultant is told only whose it is."""
    told = {name: given[name] for name in ("name", "phone", "via", "number") if name in given}
    return caller.office.register(caller.stamp(given), by=caller.by(given), **told)


@visitors.query(
    f"{SITE}/visitors/look-up", Finds, action="visitors.look_up", schema=LookUp, whose=anybody,
    example={"phone": "13900000001"}, refuses=["bad_value", "too_many_requests"],
)  # fmt: skip
def look_up_visitor(caller: Caller, given: dict[str, Any]) -> Finds:
    """Who somebody is, by phone or full name. A consultant learns of another's customer only whose it is.

    That it was asked is put on record, each time; so many times a minute and a day for each member of staff."""
    limits = current_app.extensions["lunpai"].limits
    return Finds(look_up_on_record(caller.office, caller.stamp({}), limits, only_own_of=caller.only_own_of, **given))


@visitors.query(
    ONE, VisitorLine, action="visitors.read", schema=OfRegistration, whose=own_visitor, refuses=["unknown_visitor"]
)  # fmt: skip
def show_visitor(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> VisitorLine:
    """A visitor, masked, and who owns the customer now."""
    entry = Entry(visitor, given["registration"])
    files = caller.office.files.customer_files(visitor)
    contact = caller.office.files.contact(entry, files)
    found = caller.office.attribute(entry, files, caller.moment())
    return VisitorLine(
        visitor=visitor,
        registration=entry.registration,
        name=mask_name(contact.name) if contact and contact.name else None,
        phone=contact.masked_phone if contact else None,
        attribution=standing_of(caller.office, found),
        entries=tuple(EntryLine(e.visitor, e.registration) for e in sorted(found.customer.entries)),
        clauses=citations(caller.office, found.clauses),
    )


@visitors.command(
    f"{ONE}/follow-ups", FollowUp, action="visitors.follow_up", whose=said_of_oneself("by"),
    example={"how": "call", "by": STAFF}, refuses=["unknown_visitor", "unknown_staff", "not_owner"],
)  # fmt: skip
def follow_up(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> Answer:
    """Put a follow-up on record; refused while another's claim runs."""
    entry = Entry(visitor, given["registration"])
    how = {"how": given["how"]} if "how" in given else {}
    return caller.office.follow_up(caller.stamp(given), entry=entry, by=caller.by(given), **how)


@visitors.command(
    f"{ONE}/relations", Relation, action="visitors.relate", whose=both_are_own,
    example={"to": {"visitor": RELATIVE}, "relation": "spouse"}, refuses=["unknown_visitor"],
)  # fmt: skip
def relate(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> Answer:
    """Put on record that the visitor is the spouse (parent, child, ...) of another. A consultant may say so of two who
    are both the own customers, or nobody's."""
    entry = Entry(visitor, given["registration"])
    told = {name: given[name] for name in ("to", "relation", "proven")}
    return caller.office.relate(caller.stamp(given), visitor=entry, **told)


@visitors.command(
    f"{ONE}/entrustments", Entrusting, action="visitors.entrust", whose=said_of_oneself("by"),
    example={"to": COLLEAGUE, "by": STAFF}, refuses=["unknown_visitor", "unknown_staff", "not_owner"],
)  # fmt: skip
def entrust(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> Answer:
    """The owner asks a colleague to look after the visitor."""
    entry = Entry(visitor, given["registration"])
    return caller.office.floor.entrust(caller.stamp(given), visitor=entry, to=given["to"], by=caller.by(given))


@visitors.command(
    f"{ONE}/assignments", Assignment, action="visitors.assign", example={"to": STAFF, "how": "distribution"},
    refuses=["unknown_visitor", "unknown_staff", "not_permitted"],
)  # fmt: skip
def assign(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> Answer:
    """Give a lead to a consultant, or the visitor another consultant."""
    entry = Entry(visitor, given["registration"])
    told = {name: given[name] for name in ("to", "how", "fault")}
    return caller.office.assign(caller.stamp(given), entry=entry, by=caller.staff, **told)
