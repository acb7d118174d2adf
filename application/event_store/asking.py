"""Questions that are put to PostgreSQL again and again: prepared once on a connection, then asked of libpq itself - to
adapt parameters and to make cursors would take longer than the answers do. And PostgreSQL's binary formats."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import pq

from .waiting import reply

BYTEA, INT8, INT4, TEXT, TIMESTAMPTZ, UUID_ = 17, 20, 23, 25, 1184, 2950
BYTEAS, INT4S, TEXTS, UUIDS = 1001, 1007, 1009, 2951
"""The types of parameters by PostgreSQL's numbers; arrays have names in the plural."""

_ELEMENT = {UUIDS: UUID_, INT4S: INT4, TEXTS: TEXT, BYTEAS: BYTEA}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
int4 = struct.Struct("!i").pack


class Question:
    """A statement that answers with rows. `types`: of its parameters $1, $2, ..., which are given in binary, as the
    answer is."""

    def __init__(self, name: str, text: str, types: Sequence[int]) -> None:
        self._name, self._text, self._types = name.encode(), text.encode(), types
        self._formats = [pq.Format.BINARY] * len(types)

    def prepare(self, connection: psycopg.Connection, timeout_seconds: float) -> None:
        """Once on each connection on which it is asked. Raises psycopg.Error, StoreUnavailable."""
        connection.pgconn.send_prepare(self._name, self._text, self._types)
        result = reply(connection.pgconn, timeout_seconds)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)

    def ask(
        self, connection: psycopg.Connection, parameters: Sequence[bytes | None], timeout_seconds: float
    ) -> pq.abc.PGresult:
        """Raises psycopg.Error, StoreUnavailable where no reply comes in this time."""
        connection.pgconn.send_query_prepared(self._name, parameters, self._formats, pq.Format.BINARY)
        result = reply(connection.pgconn, timeout_seconds)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.errors.error_from_result(result)
        return result


def array(kind: int, items: Sequence[bytes]) -> bytes:
    """A one-dimensional array; `kind`: the array's own type."""
    if not items:
        return struct.pack("!iii", 0, 0, _ELEMENT[kind])
    head = struct.pack("!iiiii", 1, 0, _ELEMENT[kind], len(items), 1)
    return head + b"".join(int4(len(item)) + item for item in items)


def number(value: bytes | None) -> int:
    """Of an integer of any size."""
    return int.from_bytes(value or b"", "big", signed=True)


def instant(value: bytes | None) -> datetime:
    """Of a timestamptz."""
    return _EPOCH + timedelta(microseconds=number(value))
