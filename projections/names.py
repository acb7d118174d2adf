"""Names and phones of people in a report, opened when it is read: the views hold ciphertext, so that whoever destroys a
person's key has erased the person here too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from application.privacy import Keyring, mask_name, mask_phone


class Sealed(Protocol):
    """A row that names a person."""

    @property
    def person(self) -> UUID: ...

    @property
    def sealed(self) -> bytes: ...


class Shown(msgspec.Struct, frozen=True):
    """`erased`: the person's key has been destroyed, and nothing can be shown."""

    name: str | None
    phone: str | None
    erased: bool = False


ERASED = Shown(None, None, erased=True)


def shown(keyring: Keyring, rows: Sequence[Sealed], *, in_clear: bool = False) -> list[Shown]:
    """Name and phone for every row, masked unless `in_clear` (whoever asks for that has the permission, on record)."""
    keyring.load([row.person for row in rows])
    return [_shown(keyring, row, in_clear) for row in rows]


def _shown(keyring: Keyring, row: Sealed, in_clear: bool) -> Shown:
    contact = keyring.open(row.person, row.sealed)
    if contact is None:
        return ERASED
    if in_clear:
        return Shown(contact.name, contact.phone)
    return Shown(contact.name and mask_name(contact.name), contact.phone and mask_phone(contact.phone))
