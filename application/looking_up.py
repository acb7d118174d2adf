"""Looking up who somebody is by phone or name: the entries of the register, masked, and who owns each customer.

A consultant learns of another's customer only that it is taken, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import msgspec

from domain.visitor import Entry, Moment

from .privacy import clean_name, clean_phone, mask_name
from .sales_office import SalesOffice

MOST_FOUND = 20


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was found. Where nothing but `owner` is given, the customer is another consultant's."""

    visitor: UUID | None = None
    registration: int | None = None
    name: str | None = None
    phone: str | None = None
    owner: str | None
    owner_id: UUID | None
    ground: str | None = None
    until: date | None = None


def look_up(
    office: SalesOffice, *, phone: str | None = None, name: str | None = None, only_own_of: UUID | None = None
) -> tuple[Found, ...]:
    """What the register holds under a phone, or under a full name; at most 20 entries.

    `only_own_of`: the consultant who asks; by name, another's customers are left out altogether. Raises Refusal
    bad_value.
    """
    by_phone = phone is not None
    files = office.files
    held = files.held_by("phone", clean_phone(phone)) if phone is not None else ()
    wanted = None if name is None else clean_name(name)
    held = held if wanted is None else files.held_by("name", wanted)
    now = office.now()
    found: list[Found] = []
    for visitor in held[:MOST_FOUND]:
        for entry in _entries(office, visitor, wanted):
            told = _found(office, entry, Moment(now, now), only_own_of)
            if by_phone or told.visitor is not None:
                found.append(told)
    return tuple(dict.fromkeys(found))[:MOST_FOUND]


def _entries(office: SalesOffice, visitor: UUID, name: str | None) -> Iterator[Entry]:
    """The persons in a file, each under the first of its registrations; those of a name, where one is asked for."""
    file = office.files.visitor(visitor)
    for registration in file.registrations:
        contact = office.files.keyring.open(registration.person, registration.sealed)
        known = contact is not None and contact.name == name
        if known if name is not None else registration.same_name_as is None:
            yield Entry(visitor, registration.number)


def _found(office: SalesOffice, entry: Entry, moment: Moment, only_own_of: UUID | None) -> Found:
    files = office.files.customer_files(entry.visitor)
    standing = office.attribute(entry, files, moment)
    owner = office.files.staff_name(standing.owner) if standing.owner else None
    if only_own_of is not None and standing.owner not in (None, only_own_of):
        return Found(owner=owner, owner_id=standing.owner)
    contact = office.files.contact(entry, files)
    return Found(
        visitor=entry.visitor,
        registration=entry.registration,
        name=mask_name(contact.name) if contact and contact.name else None,
        phone=contact.masked_phone if contact else None,
        owner=owner,
        owner_id=standing.owner,
        ground=standing.ground,
        until=standing.until,
    )
