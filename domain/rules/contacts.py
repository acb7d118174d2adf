"""What kind of contact a fact of a visitor's file is: the coded facts that the table `attribution.contact` works on."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from ..record import Fact
from ..rulebook import Edition, Row
from ..visitor import VisitorAssigned, VisitorBought, VisitorFollowedUp, VisitorRegistered


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """`what`: registration, follow_up, sale, distribution, inheritance, reassignment; `by`: who made it, or is
    given the
    visitor; `entry`: complete, incomplete, clerical (made by a post that does not receive), none."""

    what: str
    by: tuple[UUID, ...]
    via: str = "none"
    entry: str = "none"


def contact_of(fact: Fact, edition: Edition, roles: Mapping[UUID, str]) -> Contact:
    """The contact that a fact is. Facts of other kinds are no contacts and must not be asked about."""
    if isinstance(fact, VisitorFollowedUp):
        return Contact(what="follow_up", by=(fact.by,))
    if isinstance(fact, VisitorRegistered):
        role = roles.get(fact.by, "consultant")
        entry = edition.finding(_completeness, fact.has_name, fact.has_phone, role)
        return Contact(what="registration", by=(fact.by,), via=fact.via, entry=entry)
    if isinstance(fact, VisitorBought):
        return Contact(what="sale", by=fact.by)
    assert isinstance(fact, VisitorAssigned)
    return Contact(what=fact.how, by=(fact.to,))


def row_of_contact(edition: Edition, what: str, via: str, entry: str, claim: str, by: str) -> Row:
    """The row of `attribution.contact` for a contact; `claim` and `by`: how it finds the claim, and who makes it."""
    case = {"contact": what, "via": via, "entry": entry, "claim": claim, "by": by}
    return edition.row_for("attribution.contact", case)


def _completeness(edition: Edition, has_name: bool, has_phone: bool, role: str) -> str:
    given = {"name": has_name, "phone": has_phone}
    if not all(given[needed] for needed in edition.codes("attribution.required")):
        return "incomplete"
    return "complete" if role in edition.codes("attribution.owned_by") else "clerical"
