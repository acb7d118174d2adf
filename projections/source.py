"""Where reports are read from, and up to which fact and instant an answer holds: every report reads all it needs in
one snapshot of the views."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from psycopg import pq, sql
from psycopg.rows import kwargs_row

from application.event_store.appending import StoreRefused

from .view import View

T = TypeVar("T")
S = TypeVar("S")

LIMIT = 100
"""Rows a page, unless asked otherwise."""

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
FIRST_INSTANT, LAST_INSTANT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""Before and after every key, for the first page of a list."""

Key = tuple[Any, ...]


class Source(msgspec.Struct, frozen=True):
    """The views of one site: a connection, the schema of the views, the site and its zone.

    `editions`: labels of the editions in force there, which every answer names.
    """

    connection: psycopg.Connection
    views: str
    site: UUID
    zone: ZoneInfo
    editions: tuple[str, ...] = ()


class Holds(msgspec.Struct, frozen=True):
    """Up to which fact and instant an answer holds, and under which editions.

    `left_out`: how many streams could not be taken into the views it was read from.
    """

    position: int
    known_until: datetime
    left_out: int
    editions: tuple[str, ...]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list. `after`: what to ask on with; None when this is the end."""

    rows: tuple[T, ...]
    after: Key | None
    holds: Holds


class Report(msgspec.Struct, Generic[T], frozen=True):
    answer: T
    holds: Holds


@contextmanager
def reading(source: Source, *views: View) -> Iterator[Holds]:
    """One snapshot of the views for all that is read inside.

    Opens a transaction unless the caller is in one, whose isolation is then the caller's affair. Raises NeverBuilt
    for a view that has never been built.
    """
    if source.connection.info.transaction_status != pq.TransactionStatus.IDLE:
        yield _holds(source, views)
        return
    with source.connection.transaction():
        _fix(source, views)
        yield _holds(source, views)


def _fix(source: Source, views: Sequence[View]) -> None:
    """The tables are locked before the snapshot is taken: a rebuild that exchanged them in between would leave us with
    a table that our snapshot can't see into."""
    tables = sql.SQL(", ").join(sql.Identifier(source.views, view.name) for view in views)
    statement = sql.SQL(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL TIME ZONE 'UTC'; "
        "LOCK TABLE {} IN ACCESS SHARE MODE"
    )
    try:
        source.connection.execute(statement.format(tables))
    except psycopg.errors.UndefinedTable:
        raise never_built(views) from None


def _holds(source: Source, views: Sequence[View]) -> Holds:
    names = [view.name for view in views]
    row = source.connection.execute(query("holds", source.views), {"views": names}).fetchone()
    if row is None or row[0] != len(names):
        raise never_built(views)
    return Holds(position=row[1], known_until=row[2], left_out=row[3], editions=source.editions)


class NeverBuilt(StoreRefused):
    """A view that is asked for is not there: a worker, or a rebuild, must make it first."""


def never_built(views: Sequence[View]) -> NeverBuilt:
    """Views that a question needs are not there yet."""
    names = " ".join(view.name for view in views)
    return NeverBuilt(f"a view that this report needs has never been built: run lunpai rebuild {names}")


def rows(source: Source, name: str, cls: Callable[..., T], **values: Any) -> list[T]:
    """The rows of a named query, each made by `cls` from its columns."""
    with source.connection.cursor(row_factory=kwargs_row(cls)) as cursor:
        return cursor.execute(query(name, source.views), {"site": source.site, **values}).fetchall()


def page_of(
    source: Source, holds: Holds, name: str, cls: Callable[..., S], finish: Callable[[S], T], *, key: Sequence[str],
    after: Key, limit: int, **values: Any,
) -> Page[T]:  # fmt: skip
    """A page of a named query in the order of its `key`: `limit` rows after the key `after`, each one finished.

    The query takes the parts of `after` as after_<name> and `most`, the number of rows.
    """
    given = {f"after_{column}": part for column, part in zip(key, after, strict=True)}
    found = rows(source, name, cls, most=limit + 1, **given, **values)
    more = len(found) > limit
    last = tuple(getattr(found[limit - 1], column) for column in key) if more else None
    return Page(tuple(map(finish, found[:limit])), last, holds)


@cache
def _queries() -> Mapping[str, str]:
    """Name -> text of every query in sql/. A query begins with a line `-- name --`."""
    found: dict[str, str] = {}
    for path in sorted(files(__package__).joinpath("sql").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".sql"):
            _, *parts = re.split(r"^-- (\w+) --$", path.read_text("utf-8"), flags=re.MULTILINE)
            for name, text in zip(parts[::2], parts[1::2], strict=True):
                assert name not in found, f"two queries are called {name}"
                found[name] = text
    return found


@cache
def query(name: str, views: str) -> bytes:
    """The query of that name on the views of a schema."""
    return _queries()[name].replace("__views__", sql.Identifier(views).as_string()).encode()
