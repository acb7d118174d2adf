"""What kind of contact a fact of a visitor's file is: the coded facts that the table `attribution.contact` works on."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from ..record import Fact
from ..rulebook import Edition, Row, merged
from ..visitor import VisitorAssigned, VisitorBought, VisitorFollowedUp, VisitorRegistered
from .protection import PERIOD

TIES = {"distribution": "given", "reassignment": "given", "inheritance": "inherited"}


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """`what`: registration, follow_up, sale, distribution, inheritance, reassignment, reception; `by`: who made it,
    or is given the visitor; `entry`: complete, incomplete, clerical (made by a post that does not receive), none;
    `tie`: what it ties an owner to the visitor by (see Claim.tie; "": nothing new)."""

    what: str
    by: tuple[UUID, ...]
    via: str = "none"
    entry: str = "none"
    tie: str = ""


def contact_of(fact: Fact, edition: Edition, roles: Mapping[UUID, str]) -> Contact:
    """The contact that a fact is. Facts of other kinds are no contacts and must not be asked about."""
    # `type is` where most facts fail: Python asks the metaclass before it denies that a struct is an instance.
    if type(fact) is VisitorFollowedUp:
        return Contact(what="follow_up", by=(fact.by,), tie="met" if fact.how == "visit" else "")
    if type(fact) is VisitorRegistered:
        role = roles.get(fact.by, "consultant")
        entry = edition.finding(_completeness, fact.has_name, fact.has_phone, role)
        tie = "met" if fact.via == "visit" else "called"
        return Contact(what="registration", by=(fact.by,), via=fact.via, entry=entry, tie=tie)
    if type(fact) is VisitorBought:
        return Contact(what="sale", by=fact.by, tie="met")
    assert isinstance(fact, VisitorAssigned)
    return Contact(what=fact.how, by=(fact.to,), tie=TIES[fact.how])


class Treatment(msgspec.Struct, frozen=True):
    """What a contact does to the claim and why, by the clauses of its row; `with_period`: and by those of the period,
    where protection starts anew. `ground`: that of a claim it founds."""

    effect: str
    ground: str
    reason: str | None
    clauses: tuple[str, ...]
    with_period: tuple[str, ...]


def treatment_of(edition: Edition, what: str, via: str, entry: str, claim: str, by: str) -> Treatment:
    """How `attribution.contact` treats a contact; `claim` and `by`: how it finds the claim, and who makes it."""
    case = {"contact": what, "via": via, "entry": entry, "claim": claim, "by": by}
    return treatment(edition, edition.row_for("attribution.contact", case))


def treatment(edition: Edition, row: Row) -> Treatment:
    """What a row of `attribution.contact` or `attribution.reception` says."""
    effect = row.then["claim"]
    ground = row.then["ground"] if effect == "founds" else ""
    with_period = merged(row.clauses, edition.parameter(PERIOD).clauses)
    return Treatment(effect, ground, row.then.get("reason"), row.clauses, with_period)


def _completeness(edition: Edition, has_name: bool, has_phone: bool, role: str) -> str:
    given = {"name": has_name, "phone": has_phone}
    if not all(given[needed] for needed in edition.codes("attribution.required")):
        return "incomplete"
    return "complete" if role in edition.codes("attribution.owned_by") else "clerical"
