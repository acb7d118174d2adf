"""How people come into facts: the person behind a registration, and the buyer of a sale, sealed and claimed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from domain import visitor as visitors
from domain.visitor import Entry, VisitorFile

from .commands import Decided
from .event_store.appending import ClaimOn, PersonKey
from .office_files import OfficeFiles
from .privacy import Contact, Keyring, clean_name, names_agree


def registration(
    files: OfficeFiles, file: VisitorFile | None, contact: Contact, *, by: UUID, via: str, number: str | None
) -> Decided:
    """The same name under the same phone is the same person, with the same key."""
    same, known = _same_name(files.keyring, file, contact.name)
    keys: tuple[PersonKey, ...] = ()
    if file is not None and same is not None:
        person = file.registration(same).person
    else:
        new = files.keyring.new_person()
        person, keys = new.person, (new,)
    fact = visitors.register_visitor(
        file,
        visitors.RegisterVisitor(
            person=person,
            sealed=files.keyring.seal(person, contact),
            has_name=contact.name is not None,
            has_phone=contact.phone is not None,
            same_name_as=same,
            by=by,
            via=via,
            number=number,
        ),
    )
    visitor = file.id if file else uuid4()
    claims: list[ClaimOn] = []
    if contact.phone and not file:
        claims.append(ClaimOn("phone", files.key("phone", contact.phone), visitor))
    if contact.name and not known:
        claims.append(ClaimOn("name", files.key("name", contact.name), visitor))
    return Decided(
        [(visitor, file.version if file else 0, [fact])],
        claims=tuple(claims),
        keys=keys,
    )


def _same_name(keyring: Keyring, file: VisitorFile | None, name: str | None) -> tuple[int | None, bool]:
    """The first registration of this file that is the same person's by name, and whether the very name is known in it.

    A title agrees with one full name of its surname, not with two: after 赵先生 and 赵强, 赵刚 is somebody else.
    """
    if file is None or name is None:
        return None, False
    people: dict[int, set[str]] = {}
    for registration in file.registrations:
        contact = keyring.open(registration.person, registration.sealed)
        if contact is not None and contact.name:
            people.setdefault(registration.same_name_as or registration.number, set()).add(contact.name)
    for number, names in people.items():
        if name in names:
            return number, True
    fitting = [number for number, names in people.items() if all(names_agree(name, other) for other in names)]
    return (fitting[0] if len(fitting) == 1 else None), False


def buyer_of(
    files: OfficeFiles, entry: Entry, buyer: Entry | str | None, read: Mapping[UUID, VisitorFile]
) -> tuple[dict[str, Any], tuple[PersonKey, ...]]:
    """The buyer as the sale records it; a name that is the visitor's own, or a relation's on file, is no
    other buyer."""
    if isinstance(buyer, Entry):
        if buyer != entry:
            file = read.get(buyer.visitor) or files.visitor(buyer.visitor)
            file.registration(buyer.registration)
            return {"buyer": buyer}, ()
        return {}, ()
    if buyer is None:
        return {}, ()
    name = clean_name(buyer)
    entries = [entry, *(Entry(f.id, r.number) for f in read.values() for r in f.registrations)]
    for candidate in entries:
        contact = files.contact(candidate, read)
        if contact is not None and contact.name == name:
            return ({} if candidate == entry else {"buyer": candidate}), ()
    person = files.keyring.new_person()
    sealed = files.keyring.seal(person.person, Contact(name=name))
    return {"buyer_person": person.person, "buyer_sealed": sealed}, (person,)


def unit_key(unit: str) -> str:
    """How units are told apart: without blanks, whatever the case (NFKC)."""
    return "".join(unicodedata.normalize("NFKC", unit).split()).casefold()
