"""What a view is: its columns, its key, and the pure function that gives a dossier's rows; and how rows are written in
PostgreSQL's binary format, which COPY takes without parsing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import msgspec

_UUID_HEAD = 16 << 128
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_ZERO = date(2000, 1, 1).toordinal()
_NULL = struct.pack("!i", -1)
_BOOLEANS = {True: b"\0\0\0\1\1", False: b"\0\0\0\1\0"}
_int4 = struct.Struct("!i").pack
_field_int4 = struct.Struct("!ii").pack
_field_int8 = struct.Struct("!iq").pack


def _bytes(value: bytes) -> bytes:
    return _int4(len(value)) + value


@lru_cache(maxsize=1024)  # most texts are codes
def _text(value: str) -> bytes:
    if "\0" in value:
        raise ValueError("a text with a zero character, which PostgreSQL does not hold")
    data = value.encode()
    return _int4(len(data)) + data


def _array(element_oid: int, items: Iterable[bytes]) -> bytes:
    """A one-dimensional array of fields that carry their lengths already."""
    fields = list(items)
    head = (
        struct.pack("!iiiii", 1, 0, element_oid, len(fields), 1) if fields else struct.pack("!iii", 0, 0, element_oid)
    )
    return _bytes(head + b"".join(fields))


WRITTEN_AS: Mapping[str, str] = {
    "uuid": "({0}.int | _UUID_HEAD).to_bytes(20)",
    "text": "_text({0})",
    "bytea": "_bytes({0})",
    "integer": "_field_int4(4, {0})",
    "bigint": "_field_int8(8, {0})",
    "boolean": "_BOOLEANS[{0}]",
    "date": "_field_int4(4, {0}.toordinal() - _DAY_ZERO)",
    "timestamptz": "_field_int8(8, ({0} - _EPOCH) // _MICROSECOND)",
    "uuid[]": "_array(2950, [(one.int | _UUID_HEAD).to_bytes(20) for one in {0}])",
    "text[]": "_array(25, map(_text, {0}))",
    "bigint[]": "_array(20, [_field_int8(8, one) for one in {0}])",
    "date[]": "_array(1082, [_field_int4(4, one.toordinal() - _DAY_ZERO) for one in {0}])",
}
"""PostgreSQL type -> the expression that writes a value of it as a field of a binary COPY."""

COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"


Encode = Callable[[Sequence[Any]], bytes]


class Column(msgspec.Struct, frozen=True, cache_hash=True):
    """`type`: one of WRITTEN_AS. `about`: what it holds, with its unit."""

    name: str
    type: str
    about: str
    null: bool = False


class Row(msgspec.Struct, frozen=True):
    """One row of a view as a dossier gives it: the values of all columns, and the positions of the facts behind it.

    In a view that adds up, the last `sums` values are added to those of other dossiers with the same key.
    """

    values: tuple[Any, ...]
    facts: tuple[int, ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One question, answered ahead.

    `key`: how many of the first columns are the primary key. `sums`: how many of the last columns, all bigint, add up
    over dossiers (0: each row belongs to one dossier alone). `rows`: kind of dossier -> what one judged dossier gives.
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

    def encoder(self) -> Encode:
        """Writes a row's values as one row of a binary COPY. Raises what folding.FOLD_FAILS_WITH names for values that
        the columns can't hold."""
        return _encoder(self.columns)


@cache
def _encoder(columns: tuple[Column, ...]) -> Encode:
    """Put together as source, as a NamedTuple's constructor is: to call a function for each field would take longer
    than to write it."""
    names = [f"v{place}" for place in range(len(columns))]
    fields = [WRITTEN_AS[column.type].format(name) for name, column in zip(names, columns, strict=True)]
    nullable = [
        f"_NULL if {name} is None else {field}" if column.null else field
        for name, field, column in zip(names, fields, columns, strict=True)
    ]
    source = f"""
def encode(values):
    {", ".join(names)}, = values
    try:
        return b"".join(({struct.pack("!h", len(columns))!r}, {", ".join(nullable)}))
    except (AttributeError, KeyError, TypeError, struct.error):
        _refuse(columns, values)
        raise
"""
    found: dict[str, Encode] = {}
    exec(source, {**globals(), "columns": columns}, found)
    return found["encode"]


def _refuse(columns: Sequence[Column], values: Sequence[Any]) -> None:
    if any(value is None and not column.null for column, value in zip(columns, values, strict=True)):
        raise ValueError("nothing in a column that must hold something") from None


_SUM_BYTES = 12


class Sums:
    """What rows of a view that adds up come to. They are counted under their keys as COPY takes them: bytes are hashed
    and compared faster than UUIDs, and what no table can hold is known before it is counted."""

    def __init__(self, view: View) -> None:
        self._first, self._end = len(view.columns) - view.sums, -_SUM_BYTES * view.sums
        self.counted: dict[bytes, list[int]] = {}

    def add(self, encoded: Iterable[bytes], rows: Iterable[Row]) -> None:
        """Count rows, each as it is and as it is encoded."""
        counted, first, end = self.counted, self._first, self._end
        for data, row in zip(encoded, rows, strict=True):
            key = data[:end]
            sums = counted.get(key)
            if sums is None:
                counted[key] = list(row.values[first:])
            else:
                for place, value in enumerate(row.values[first:]):
                    sums[place] += value

    def merge(self, counted: Mapping[bytes, Sequence[int]]) -> None:
        """Add what was counted elsewhere."""
        for key, more in counted.items():
            sums = self.counted.setdefault(key, [0] * len(more))
            for place, value in enumerate(more):
                sums[place] += value

    def encoded(self) -> Iterator[bytes]:
        """The rows as COPY takes them; what adds up to nothing is no row."""
        for key, sums in self.counted.items():
            if any(sums):
                yield key + b"".join(_field_int8(8, value) for value in sums)
