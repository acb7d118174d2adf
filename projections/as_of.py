"""Views as they stood at any instant, by what was known then or by what is known now: folded from the facts into
temporary tables of one connection, which the database throws away when it ends, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import psycopg
from psycopg import sql

from .filling import fill
from .folding import Parked
from .live import ReadSide
from .partition import Bounds
from .processes import steps_back
from .room import watched
from .tables import Tables
from .view import View

SCHEMA = "pg_temp"


class Instant(msgspec.Struct, frozen=True):
    """Views as of an instant: where they can be read (`schema`, over `connection` alone), and what was left out."""

    connection: psycopg.Connection
    schema: str
    at: datetime
    known_at: datetime
    position: int
    parked: tuple[Parked, ...]


@contextmanager
def as_of(
    read_side: ReadSide,
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
    views: Sequence[View] | None = None,
    tell: Callable[[int, int], None] = lambda folded, facts: None,
) -> Iterator[Instant]:
    """Views at the instant `at`, by what was on record at `known_at`; either left out means now.

    `tell` is given how many of how many facts are folded. Raises FoldingFailed, psycopg.Error.
    """
    now = datetime.now(UTC)
    tables = Tables(SCHEMA, views if views is not None else read_side.views)
    head = read_side.head()
    with read_side.connection() as connection:
        tables.create(connection)
        bounds = Bounds(head, known_at, at)
        with watched(read_side, long=steps_back(head)) as room:
            filled = fill(read_side, connection, tables, bounds, room, lambda folded: tell(folded, head))
        for view in tables.views:
            tables.index(connection, view)
        _note_where_they_stand(read_side, connection, tables, head, min(known_at or now, at or now))
        for parked in filled.parked:
            read_side.park(connection, parked.view, [parked], set(), schema=SCHEMA)
        yield Instant(connection, SCHEMA, at or now, known_at or now, head, filled.parked)


def _note_where_they_stand(
    read_side: ReadSide, connection: psycopg.Connection, tables: Tables, position: int, until: datetime
) -> None:
    """The tables that say where views stand, as the live schema has them, so that the same questions can be asked."""
    for name in ("view", "parked"):
        like = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
        connection.execute(like.format(sql.Identifier(SCHEMA, name), read_side.table(name)))
    table = sql.Identifier(SCHEMA, "view")
    insert = sql.SQL("INSERT INTO {} (name, position, known_until, code) VALUES (%s, %s, %s, %s)").format(table)
    for view in tables.views:
        connection.execute(insert, [view.name, position, until, read_side.code])
