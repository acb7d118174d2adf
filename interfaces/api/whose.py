"""Whether something is the caller's own, where the table of rights grants only that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.refusals import Refusal
from domain.visitor import Entry

from .caller import Caller, Whose


def anybody(caller: Caller, given: Any, **path: Any) -> bool:
    """Of everybody, but told less of what is not one's own."""
    return True


def said_of_oneself(name: str) -> Whose:
    """Nobody else is named as the one whom it concerns, or who did it."""

    def whose(caller: Caller, given: Any, **path: Any) -> bool:
        named = given.get(name)
        return named is None or named == caller.staff or named == [caller.staff]

    return whose


def owns(caller: Caller, entry: Entry) -> bool:
    """The customer is the caller's, or nobody's."""
    return owner_of(caller, entry) in (None, caller.staff)


def owner_of(caller: Caller, entry: Entry) -> UUID | None:
    """Whose the customer is. An entry that is not in the file counts as its first: somebody whose customer it is not
    must not learn from the refusal how many there are. Raises Refusal unknown_visitor."""
    there = entry.registration <= len(caller.office.files.visitor(entry.visitor).registrations)
    known = entry if there else Entry(entry.visitor, 1)
    return caller.office.attribution(known, caller.moment()).owner


def own_visitor(caller: Caller, given: Any, *, visitor: UUID, **path: Any) -> bool:
    return owns(caller, Entry(visitor, given.get("registration", 1)))


def owned_visitor(caller: Caller, given: Any, *, visitor: UUID) -> bool:
    """The customer is the caller's; nobody's is not enough."""
    return owner_of(caller, Entry(visitor, given.get("registration", 1))) == caller.staff


def both_are_own(caller: Caller, given: Any, *, visitor: UUID) -> bool:
    """Two visitors to be joined are both the caller's, or nobody's: who has the older of the two gets the other too."""
    return own_visitor(caller, given, visitor=visitor) and owns(caller, given["to"])


def at_reception(caller: Caller, given: Any, *, reception: str) -> bool:
    """The caller receives, or helps."""
    # One that is over still tells whose it was: a command that ended it may come a second time.
    known = caller.office.floor.queues.day_of_reception(reception, caller.now()).floor.queue.receptions.get(reception)
    if known is None:
        raise Refusal("unknown_reception", reception)
    return caller.staff == known.receiver or caller.staff in known.helpers


def concerned_by_sale(caller: Caller, given: Any, *, sale: UUID) -> bool:
    """The caller closed the sale, owns the customer, or claims either."""
    found = caller.office.files.sale(sale)
    claimants = {
        caller.office.files.dispute(one).matter.by for one in caller.office.files.held_by("disputed", str(sale))
    }
    return caller.staff in found.terms.by or caller.staff in claimants or owns(caller, found.terms.visitor)


def concerned_by_dispute(caller: Caller, given: Any, *, dispute: UUID) -> bool:
    matter = caller.office.files.dispute(dispute).matter
    if matter.by == caller.staff:
        return True
    return concerned_by_sale(caller, given, sale=matter.sale) if matter.sale else owns(caller, matter.visitor)


def concerned_by_matter(caller: Caller, given: Any, **path: Any) -> bool:
    """One of the three, as a replay names it."""
    if given.get("sale") is not None:
        return concerned_by_sale(caller, given, sale=given["sale"])
    if given.get("dispute") is not None:
        return concerned_by_dispute(caller, given, dispute=given["dispute"])
    return owns(caller, given["visitor"])
