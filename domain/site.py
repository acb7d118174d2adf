"""A site (sales office): its staff, its time zone and which rulebook it has put in force when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from .record import Envelope, Fact, stored_as
from .refusals import Refusal
from .rulebook import AmendmentValue

Role = Literal["consultant", "manager", "supervisor", "desk", "finance", "legal", "officer", "auditor"]
ROLES: tuple[str, ...] = Role.__args__  # type: ignore[attr-defined]


@stored_as("site.opened.v1")
class SiteOpened(Fact, frozen=True, kw_only=True):
    name: str
    timezone: str


@stored_as("staff.enrolled.v1")
class StaffEnrolled(Fact, frozen=True, kw_only=True):
    """`sealed` is the name, encrypted with the person's own key; facts never hold a name in the clear."""

    staff: UUID
    sealed: bytes
    role: Role
    team: str | None = None


@stored_as("staff.departed.v1")
class StaffDeparted(Fact, frozen=True, kw_only=True):
    """Somebody has left the company (A13). Files named for an heir follow as facts of each visitor."""

    staff: UUID
    by: UUID | None


@stored_as("rulebook.adopted.v1")
class RulebookAdopted(Fact, frozen=True, kw_only=True):
    """A rulebook edition put in force from `occurred_at` on, carried whole so that replay never depends on a file."""

    rulebook: str
    in_force_from: str
    text: str
    sha256: str
    amend: dict[str, Any]
    by: UUID | None


class Member(msgspec.Struct, frozen=True):
    staff: UUID
    sealed: bytes
    role: str
    team: str | None
    departed: bool = False


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a site's stream. `adoptions` are the envelopes of RulebookAdopted, oldest first."""

    id: UUID
    version: int
    name: str
    timezone: str
    opened_at: datetime
    staff: dict[UUID, Member]
    adoptions: tuple[Envelope, ...]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def member(self, staff: UUID) -> Member:
        """The member of staff. Raises Refusal unknown_staff."""
        if staff not in self.staff:
            raise Refusal("unknown_staff", str(staff))
        return self.staff[staff]

    def require_role(self, staff: UUID, roles: Sequence[str], what: str) -> None:
        """Raises Refusal not_permitted unless the member of staff has one of the roles."""
        if self.member(staff).role not in roles:
            raise Refusal("not_permitted", f"{what} takes one of: {', '.join(roles)}")


def evolve(site: Site | None, envelope: Envelope) -> Site | None:
    """Total: any lawful past loads; facts of other kinds only move the version on."""
    fact = envelope.fact
    if isinstance(fact, SiteOpened):
        return Site(
            id=envelope.stream,
            version=envelope.version,
            name=fact.name,
            timezone=fact.timezone,
            opened_at=envelope.occurred_at,
            staff={},
            adoptions=(),
        )
    if site is None:
        return None
    staff, adoptions = site.staff, site.adoptions
    if isinstance(fact, StaffEnrolled):
        staff = {**staff, fact.staff: Member(fact.staff, fact.sealed, fact.role, fact.team)}
    elif isinstance(fact, StaffDeparted) and fact.staff in staff:
        staff = {**staff, fact.staff: msgspec.structs.replace(staff[fact.staff], departed=True)}
    elif isinstance(fact, RulebookAdopted):
        adoptions = (*adoptions, envelope)
    return msgspec.structs.replace(site, version=envelope.version, staff=staff, adoptions=adoptions)


class EnrolStaff(msgspec.Struct, frozen=True, kw_only=True):
    staff: UUID
    sealed: bytes
    role: str
    team: str | None = None


def enrol_staff(site: Site, command: EnrolStaff) -> StaffEnrolled:
    """Raises Refusal duplicate_label for a known member, bad_value for an unknown role."""
    if command.staff in site.staff:
        raise Refusal("duplicate_label", str(command.staff))
    if command.role not in ROLES:
        raise Refusal("bad_value", f"role {command.role!r}; roles are {', '.join(ROLES)}")
    return StaffEnrolled(staff=command.staff, sealed=command.sealed, role=command.role, team=command.team)  # type: ignore[arg-type]


class AdoptRulebook(msgspec.Struct, frozen=True, kw_only=True):
    rulebook: str
    in_force_from: str
    text: str
    sha256: str
    amend: dict[str, AmendmentValue]
    at: datetime
    by: UUID | None


def adopt_rulebook(site: Site, command: AdoptRulebook) -> RulebookAdopted:
    """Put an edition in force from `command.at` on.

    Raises Refusal unknown_staff, not_permitted (only a manager adopts) and bad_time: an adoption may not be
    dated before
    the one in force, or what was decided under that one would change under people's feet.
    """
    if command.by is not None:
        site.require_role(command.by, ("manager",), "adopting a rulebook")
    if site.adoptions and command.at < site.adoptions[-1].occurred_at:
        raise Refusal("bad_time", "an adoption can't be dated before the last one")
    return RulebookAdopted(
        rulebook=command.rulebook,
        in_force_from=command.in_force_from,
        text=command.text,
        sha256=command.sha256,
        amend=dict(command.amend),
        by=command.by,
    )


class DepartStaff(msgspec.Struct, frozen=True, kw_only=True):
    staff: UUID
    by: UUID | None


def depart_staff(site: Site, command: DepartStaff) -> StaffDeparted:
    """Somebody leaves. A supervisor may say so of consultants alone: who leads or watches the supervisors is not theirs
    to remove. Raises Refusal unknown_staff, not_permitted, wrong_state (left before)."""
    leaver = site.member(command.staff)
    if leaver.departed:
        raise Refusal("wrong_state", "this person has left before")
    if command.by is not None:
        roles = ("manager", "supervisor") if leaver.role == "consultant" else ("manager",)
        site.require_role(command.by, roles, f"recording the departure of this {leaver.role}")
    return StaffDeparted(staff=command.staff, by=command.by)
