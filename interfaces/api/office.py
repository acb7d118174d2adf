"""The office: its site, its staff, and the rulebook in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import Schema, fields, validate

from application.desk import Answer
from application.sales_office import SalesOffice
from domain.site import ROLES

from .caller import Caller
from .examples import PARAMETER, STAFF, VISITOR
from .fields import CommandSchema, VisitorSchema, amendment, code, rulebook, text
from .operations import Resource, Tagged

office = Resource("office", "The office: sites, staff, and the rulebook in force")
SITE = "/sites/<uuid:site>"


class Enrolment(CommandSchema):
    name = text(required=True)
    role = code(ROLES)
    team = text()


class Heir(Schema):
    visitor = fields.Nested(VisitorSchema, required=True)
    to = fields.UUID(required=True)


class Departure(CommandSchema):
    heirs = fields.List(fields.Nested(Heir), load_default=list, validate=validate.Length(max=100))


class Adoption(CommandSchema):
    rulebook = rulebook(metadata={"description": "Left out: the present one, with `amend`."})
    amend = amendment()


class SiteLine(msgspec.Struct, frozen=True):
    """A site. `rulebook`: the label of the edition in force, if there is one."""

    site: UUID
    name: str
    timezone: str
    rulebook: str | None


class Sites(msgspec.Struct, frozen=True):
    """The sites that the caller's key, or token, opens."""

    sites: tuple[SiteLine, ...]


class MemberLine(msgspec.Struct, frozen=True):
    """Somebody on the staff list; `departed`: has left the company."""

    staff: UUID
    name: str
    role: str
    team: str | None
    departed: bool


class StaffList(msgspec.Struct, frozen=True):
    """The staff list, in roster order."""

    staff: tuple[MemberLine, ...]


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """The rulebook in force. `position`: of the adoption; it is the ETag too. `amend`: what is changed in it."""

    rulebook: str
    label: str
    since: datetime
    position: int
    sha256: str
    amend: dict[str, Any]


def _site(office: SalesOffice) -> SiteLine:
    site = office.files.site()
    label = office.files.editions().in_force[-1].edition.label if site.adoptions else None
    return SiteLine(site.id, site.name, site.timezone, label)


@office.query("/sites", Sites, action="site.read")
def list_sites(caller: Caller, given: dict[str, Any]) -> Sites:
    """The sites that the caller's key, or token, opens."""
    return Sites(tuple(_site(one) for one in caller.offices))


@office.query(SITE, SiteLine, action="site.read")
def show_site(caller: Caller, given: dict[str, Any]) -> SiteLine:
    """A site."""
    return _site(caller.office)


@office.query(f"{SITE}/staff", StaffList, action="staff.read")
def list_staff(caller: Caller, given: dict[str, Any]) -> StaffList:
    """The staff list."""
    files = caller.office.files
    return StaffList(
        tuple(
            MemberLine(m.staff, files.staff_name(m.staff), m.role, m.team, m.departed)
            for m in files.site().staff.values()
        )
    )


@office.command(f"{SITE}/staff", Enrolment, action="staff.enrol", example={"name": "林芳", "role": "consultant"})
def enrol(caller: Caller, given: dict[str, Any]) -> Answer:
    """Put somebody on the staff list."""
    told = {name: given[name] for name in ("role", "team") if name in given}
    return caller.office.enrol_staff(caller.stamp(given), name=given["name"], **told)


@office.command(
    f"{SITE}/staff/<uuid:staff>/departure", Departure, action="staff.depart",
    example={"heirs": [{"visitor": {"visitor": VISITOR}, "to": STAFF}]},
    refuses=["unknown_staff", "unknown_visitor", "not_owner", "not_permitted", "wrong_state"],
)  # fmt: skip
def depart(caller: Caller, given: dict[str, Any], *, staff: UUID) -> Answer:
    """Somebody leaves the company; heirs take over visitors. Keys of theirs open nothing from then on. A supervisor may
    say so of consultants alone."""
    heirs = [(heir["visitor"], heir["to"]) for heir in given["heirs"]]
    return caller.office.depart(caller.stamp(given), who=staff, heirs=heirs, by=caller.staff)


@office.query(f"{SITE}/rulebook", InForce, action="rulebooks.read", refuses=["wrong_state"])
def show_rulebook_in_force(caller: Caller, given: dict[str, Any]) -> Tagged:
    """The rulebook in force, with an ETag for who adopts another in its place."""
    last = caller.office.files.editions().in_force[-1]
    found = InForce(
        rulebook=last.edition.rulebook,
        label=last.edition.label,
        since=last.since.astimezone(caller.office.files.site().zone),
        position=last.position,
        sha256=last.edition.sha256,
        amend=dict(last.edition.amend),
    )
    return Tagged(found, str(last.position))


@office.command(
    f"{SITE}/rulebook/adoptions", Adoption, action="rulebooks.adopt", example={"amend": {PARAMETER: 30}},
    refuses=["unknown_rulebook", "unknown_parameter", "not_permitted", "changed_meanwhile", "wrong_state"],
)  # fmt: skip
def adopt(caller: Caller, given: dict[str, Any]) -> Answer:
    """Put a rulebook, or changed parameters, in force. If-Match: only instead of the adoption of that ETag."""
    return caller.office.adopt(
        caller.stamp(given),
        rulebook=given.get("rulebook"),
        amend=given.get("amend"),
        by=caller.staff,
        instead_of=caller.instead_of,
    )
