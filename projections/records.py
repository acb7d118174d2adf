"""What is on record of the read side itself: rebuilds and checks with the differences they found, streams that views
could not take, and who keeps the views live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import kwargs_row

from application.event_store.appending import StoreUnavailable

from .apart import rebuild_apart
from .live import ReadSide
from .rebuild import Result, Tell
from .source import query
from .view import View

T = TypeVar("T")

KEPT_REBUILDS = 400
"""So many rebuilds and checks stay on record, with what they found."""

ITS_PROCESS_ENDED = {"status": "failed", "message": "its process ended"}
"""What stands as running when nothing runs; the next rebuild puts it on record."""


class NotThere(Exception):
    """Something was asked for that is not there. One clear line."""


class RebuildRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A rebuild or check. While it folds, `folded` of `position` facts are done."""

    id: int
    mode: str
    views: list[str]
    asked_by: str
    status: str
    stage: str
    started_at: datetime
    ended_at: datetime | None
    position: int
    folded: int
    seconds: float | None
    compared: bool
    differences: int
    cancel: bool
    message: str | None

    @property
    def percent(self) -> int | None:
        """How much of the folding is done; None when it is not folding."""
        folding = self.status == "running" and self.stage == "folding"
        return self.folded * 100 // max(1, self.position) if folding else None


class DifferenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not the same live and folded anew (None: there was none), and the positions of its facts."""

    number: int
    view: str
    key: list[str]
    columns: list[str]
    live: dict[str, Any] | None
    fresh: dict[str, Any] | None
    facts: list[int]
    note: str | None


class ParkedStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream whose facts from `position` on are left out of a view until a retry succeeds."""

    view: str
    stream: UUID
    position: int
    name: str
    reason: str
    since: datetime
    tries: int


@contextmanager
def reached(read_side: ReadSide) -> Iterator[psycopg.Connection]:
    """A connection to the read side; what goes wrong with the database comes out in one line, as StoreUnavailable."""
    with in_one_line(), read_side.connection() as connection:
        yield connection


@contextmanager
def in_one_line() -> Iterator[None]:
    """Errors of the database come out as StoreUnavailable."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnavailable(one_line(error) or "the database does not answer") from error


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _rows(
    read_side: ReadSide, connection: psycopg.Connection, name: str, cls: Callable[..., T], **values: Any
) -> list[T]:
    with connection.cursor(row_factory=kwargs_row(cls)) as cursor:
        return cursor.execute(query(name, read_side.schema), values).fetchall()


# Rebuilds


def run(read_side: ReadSide, views: Sequence[View] | None, *, check: bool, asked_by: str, tell: Tell) -> Result:
    """A rebuild or check, after which old records are pruned. Raises RebuildRefused, Cancelled, FoldingFailed,
    StoreUnavailable."""
    with in_one_line():
        result = rebuild_apart(read_side, views, check=check, asked_by=asked_by, tell=tell)
        with read_side.connection() as connection:
            connection.execute(query("rebuilds_pruned", read_side.schema), {"keep": KEPT_REBUILDS})
        return result


def rebuilds(
    read_side: ReadSide,
    connection: psycopg.Connection,
    most: int,
    done: Literal["rebuild", "check"] | None = None,
    *,
    before: int | None = None,
) -> list[RebuildRecord]:
    """The latest rebuilds and checks - or those of one mode that were done, or before a number -, the latest first."""
    asked = {"most": most, "mode": done, "before": before}
    found = _rows(read_side, connection, "rebuilds", RebuildRecord, **asked)
    if any(one.status == "running" for one in found) and rebuilding(read_side, connection) is None:
        # It may have ended just now; what still stands as running then has no process any more.
        found = _rows(read_side, connection, "rebuilds", RebuildRecord, **asked)
        return [one if one.status != "running" else msgspec.structs.replace(one, **ITS_PROCESS_ENDED) for one in found]
    return found


def rebuild_of_number(
    read_side: ReadSide, connection: psycopg.Connection, number: int
) -> tuple[RebuildRecord, list[DifferenceRecord]]:
    """A rebuild or check on record, and what it found. Raises NotThere."""
    found = _rows(read_side, connection, "rebuild_of_number", RebuildRecord, id=number)
    if not found:
        raise NotThere(f"no rebuild has the number {number}: see lunpai rebuild --list")
    return found[0], _rows(read_side, connection, "differences_of", DifferenceRecord, id=number)


def differences_of_site(
    read_side: ReadSide, connection: psycopg.Connection, number: int, site: UUID, *, after: int = 0, most: int
) -> tuple[list[DifferenceRecord], int]:
    """What a rebuild or check found of one site, a page of it in its order, and how much that is in all."""
    page = _rows(
        read_side, connection, "differences_of_site", DifferenceRecord, id=number, site=site, after=after, most=most
    )
    asked = {"id": number, "site": site}
    row = connection.execute(query("differences_of_site_count", read_side.schema), asked).fetchone()
    return page, int(row[0]) if row else 0


def cancel(read_side: ReadSide, connection: psycopg.Connection) -> int:
    """Ask the rebuild that runs to end; its number. Raises NotThere."""
    if rebuilding(read_side, connection) is not None:
        row = connection.execute(query("rebuild_cancelled", read_side.schema)).fetchone()
        if row is not None:
            return int(row[0])
    raise NotThere("no rebuild is running")


def names_of(read_side: ReadSide, connection: psycopg.Connection, positions: Sequence[int]) -> dict[int, str]:
    """Position -> stored name of the fact there."""
    named = sql.SQL("SELECT position, name FROM {} WHERE position = ANY(%s)").format(
        sql.Identifier(read_side.recorder.schema, "fact")
    )
    return dict(connection.execute(named, [list(positions)]).fetchall())


# Who is at work


def keeping(read_side: ReadSide, connection: psycopg.Connection) -> str | None:
    """What the worker calls itself that keeps the views live; None when none does."""
    return _holder(read_side, connection, f"keep {read_side.schema}")


def rebuilding(read_side: ReadSide, connection: psycopg.Connection) -> str | None:
    """What the program calls itself that is rebuilding or checking views; None when none is."""
    return _holder(read_side, connection, f"rebuild {read_side.schema}")


def _holder(read_side: ReadSide, connection: psycopg.Connection, lock: str) -> str | None:
    row = connection.execute(query("holder_of_lock", read_side.schema), {"lock": lock}).fetchone()
    return row[0] if row else None


def parked(read_side: ReadSide, connection: psycopg.Connection) -> list[ParkedStream]:
    """What the views could not take."""
    names = [view.name for view in read_side.views]
    return _rows(read_side, connection, "parked_streams", ParkedStream, views=names)
