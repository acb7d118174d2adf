"""What a view is: its columns, its key, and the pure function that gives a dossier's rows; and how rows are written in
PostgreSQL's binary format, which COPY takes without parsing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

_DAY_ZERO = date(2000, 1, 1).toordinal()
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = struct.pack("!i", -1)
_int4 = struct.Struct("!i").pack
_field_int4 = struct.Struct("!ii").pack
_field_int8 = struct.Struct("!iq").pack


def _uuid(value: UUID) -> bytes:
    return b"\0\0\0\x10" + value.bytes


def _bytes(value: bytes) -> bytes:
    return _int4(len(value)) + value


def _text(value: str) -> bytes:
    if "\0" in value:
        raise ValueError("a text with a zero character, which PostgreSQL does not hold")
    data = value.encode()
    return _int4(len(data)) + data


def _instant(value: datetime) -> bytes:
    since = value - _EPOCH
    return _field_int8(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _day(value: date) -> bytes:
    return _field_int4(4, value.toordinal() - _DAY_ZERO)


def _array(element_oid: int, items: Iterable[bytes]) -> bytes:
    """A one-dimensional array of fields that carry their lengths already."""
    fields = list(items)
    head = (
        struct.pack("!iiiii", 1, 0, element_oid, len(fields), 1) if fields else struct.pack("!iii", 0, 0, element_oid)
    )
    return _bytes(head + b"".join(fields))


ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    "uuid": _uuid,
    "text": _text,
    "bytea": _bytes,
    "integer": lambda value: _field_int4(4, value),
    "bigint": lambda value: _field_int8(8, value),
    "boolean": lambda value: b"\0\0\0\1\1" if value else b"\0\0\0\1\0",
    "date": _day,
    "timestamptz": _instant,
    "uuid[]": lambda value: _array(2950, map(_uuid, value)),
    "text[]": lambda value: _array(25, map(_text, value)),
}
"""PostgreSQL type -> how a value of it is written as a field of a binary COPY."""

COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"


class Column(msgspec.Struct, frozen=True):
    """`type`: one of ENCODERS. `about`: what it holds, with its unit."""

    name: str
    type: str
    about: str
    null: bool = False


class Row(NamedTuple):
    """One row of a view as a dossier gives it: the values of all columns, and the positions of the facts behind it.

    In a view that adds up, the last `sums` values are added to those of other dossiers with the same key.
    """

    values: tuple[Any, ...]
    facts: tuple[int, ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One question, answered ahead.

    `key`: how many of the first columns are the primary key. `sums`: how many of the last columns add up over dossiers
    (0: each row belongs to one dossier alone). `rows`: kind of dossier -> what one judged dossier gives.
    """

    name: str
    about_en: str
    about_zh: str
    columns: tuple[Column, ...]
    key: int
    sums: int = 0
    indexes: tuple[str, ...] = ()
    rows: Mapping[str, Callable[[Any], Iterable[Row]]]

    @property
    def key_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns[: self.key])

    @property
    def other_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns[self.key :])

    @property
    def sum_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns[len(self.columns) - self.sums :])

    def encoder(self) -> Callable[[Sequence[Any]], bytes]:
        """Writes a row's values as one row of a binary COPY."""
        encoders = [ENCODERS[column.type] for column in self.columns]
        filled = [place for place, column in enumerate(self.columns) if not column.null]
        head = struct.pack("!h", len(encoders))

        def encode(values: Sequence[Any]) -> bytes:
            fields = [_NULL if value is None else write(value) for write, value in zip(encoders, values, strict=True)]
            if _NULL in fields and any(values[place] is None for place in filled):
                raise ValueError("nothing in a column that must hold something")
            return head + b"".join(fields)

        return encode
