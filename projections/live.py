"""Keeping views live: facts in batches, rows and position in one transaction, woken by appends.

One worker keeps the views at a time (an advisory lock says who); others stand by and take over when it goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import cast
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from application.event_store.appending import StoreRefused, StoreUnavailable
from application.event_store.mapper import RecordedEvent
from application.event_store.migrations import ROLE, views_schema
from application.event_store.postgres import PostgresRecorder
from application.event_store.subscription import BUSY_POLL_SECONDS, BUSY_SECONDS, POLL_SECONDS, Waker
from application.event_store.waiting import KEEPALIVE, patient
from domain.record import names_read_as, present_name
from domain.site import RulebookAdopted
from domain.visitor import VisitorRegistered

from .code import fingerprint
from .dossier import SITE, kind_of
from .folding import Files, Left, Outcome, Parked, fold
from .tables import Tables, changes
from .view import View

BATCH = 500
"""Facts a transaction: many enough to be quick, few enough to be visible at once."""

CHUNK = 2000
"""Streams judged at a time where one fact touches a whole site."""

RETRY_PARKED_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0

REPLY_TIMEOUT_SECONDS = 10.0

TABLE_REFUSES = (
    *(psycopg.ProgrammingError, psycopg.DataError, psycopg.IntegrityError),
    *(psycopg.InternalError, psycopg.NotSupportedError),
)
"""What the database says when somebody has dropped a table, or made another of it."""

Say = Callable[[str], None]


def ends_early(held: int, end: int) -> StoreRefused:
    """The record has lost facts that views hold: it was put back to an earlier day."""
    return StoreRefused(f"views hold up to fact {held}, but the record ends with {end}: restore it")


class Standing(msgspec.Struct, frozen=True):
    """How a view stands in the table of views."""

    name: str
    position: int
    code: str
    trouble: str | None


class ReadSide:
    """The views of one store and the way facts come into them."""

    def __init__(self, recorder: PostgresRecorder, views: Sequence[View]) -> None:
        self.recorder, self.views = recorder, tuple(views)
        self.schema = views_schema(recorder.schema)
        self.live = Tables(self.schema, views)
        self.code = fingerprint()
        self.say: Say = lambda line: None

    @contextmanager
    def connection(self, reply_timeout_seconds: float | None = None) -> Iterator[psycopg.Connection]:
        """A connection of one's own, with the program's rights and no more. With a limit, a database that does not
        reply in time counts as away; a rebuild's statements may take as long as they take."""
        of = patient(reply_timeout_seconds) if reply_timeout_seconds is not None else psycopg.Connection
        uri = make_conninfo(self.recorder.uri, **KEEPALIVE)
        with of.connect(uri, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ROLE)))
            yield connection

    def table(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.schema, name)

    def head(self) -> int:
        """The position of the last fact on record; 0: there is none. Raises StoreUnavailable."""
        return self.recorder.max_notification_id() or 0

    # Where the views stand

    def standing(self, connection: psycopg.Connection, *, lock: bool = False) -> dict[str, Standing]:
        """How every view that was ever built stands; with `lock`, nobody changes them until the transaction ends."""
        query = sql.SQL("SELECT name, position, code, trouble FROM {} ORDER BY name").format(self.table("view"))
        rows = connection.execute(query + sql.SQL(" FOR UPDATE" if lock else "")).fetchall()
        return {row[0]: Standing(*row) for row in rows}

    def unbuilt(self, connection: psycopg.Connection) -> list[View]:
        """Views that must be rebuilt before they can be kept live: never built, made by other code, damaged."""
        standing, missing = self.standing(connection), self.live.missing(connection)
        return [
            view
            for view in self.views
            if view in missing or (s := standing.get(view.name)) is None or s.code != self.code or s.trouble is not None
        ]

    def kept(self, connection: psycopg.Connection, standing: dict[str, Standing] | None = None) -> list[View]:
        """The views that this program keeps live: made by its code, and in no trouble."""
        found = standing if standing is not None else self.standing(connection)
        return [v for v in self.views if (s := found.get(v.name)) and s.code == self.code and s.trouble is None]

    # Taking facts in

    def advance(self, connection: psycopg.Connection, limit: int = BATCH) -> int:
        """Take the next facts into the views; how many were taken. Raises psycopg.Error, StoreUnavailable."""
        with connection.transaction():
            standing = self.standing(connection, lock=True)
            kept = self.kept(connection, standing)
            if not kept:
                return 0
            start, *later = sorted({standing[view.name].position for view in kept})
            at_start = [view for view in kept if standing[view.name].position == start]
            # Who is behind catches up with the next, and goes on together with it.
            return self.take(connection, self.live, at_start, start, min([limit, *(p - start for p in later[:1])]))

    def take(
        self, connection: psycopg.Connection, tables: Tables, views: Sequence[View], start: int, limit: int
    ) -> int:
        """Take at most `limit` facts after `start` into tables that hold up to `start`, within a transaction."""
        events = self.events(start, limit)
        if not events:
            return 0
        end = events[-1].id
        parked = self.parked(connection, tables.prefix, views)
        for files in self.touched(connection, events):
            self.store(connection, tables, views, fold(views, files, start, parked))
        if tables.prefix == "":
            self.moved(connection, views, end, events[-1].recorded_at)
        return len(events)

    def events(self, start: int, limit: int) -> list[RecordedEvent]:
        """The next facts; an adoption, which may touch a whole site, always alone."""
        found = self.recorder.select_notifications(start, limit, inclusive_of_start=False)
        events = cast("list[RecordedEvent]", list(found))
        for place, event in enumerate(events):
            if _adopts(event):
                return events[: max(place, 1)]
        return events

    def touched(self, connection: psycopg.Connection, events: Sequence[RecordedEvent]) -> Iterator[Files]:
        """The dossiers that facts touch, as `events` gives them; where it is a whole site, some at a time."""
        end = events[-1].id
        # Sites apart: what they say is looked up when somebody's rows depend on it.
        streams = [cast("UUID", event.originator_id) for event in events if kind_of(event.topic) != SITE]
        if _adopts(events[0]):
            streams = self._customers_of(connection, events[0])
        seen: set[UUID] = set()
        while streams:
            files = Files(self.recorder.select_streams, end)
            chunk, streams = streams[:CHUNK], streams[CHUNK:]
            files.read(stream for stream in chunk if stream not in seen)
            seen.update(files.streams)
            yield files

    def _customers_of(self, connection: psycopg.Connection, event: RecordedEvent) -> list[UUID]:
        """The files of a site's visitors, in a stable order. A stored fact begins with its site."""
        begins = b'{"site":"' + str(event.originator_id).encode()
        query = sql.SQL(
            "SELECT stream FROM {} WHERE name = ANY(%s) AND version = 1 AND position < %s "
            "AND substring(body for %s) = %s ORDER BY stream"
        ).format(sql.Identifier(self.recorder.schema, "fact"))
        arguments = [names_read_as(VisitorRegistered), event.id, len(begins), begins]
        return [row[0] for row in connection.execute(query, arguments, binary=True).fetchall()]

    def store(
        self, connection: psycopg.Connection, tables: Tables, views: Sequence[View], outcomes: dict[str, Outcome]
    ) -> None:
        """Write what facts did to the views. A live view whose table does not take it is in trouble from then on, and
        stops no other."""
        for view in views:
            outcome = outcomes[view.name]
            try:
                with connection.transaction():
                    tables.apply(connection, view, changes(view, outcome.before, outcome.after))
                    self.park(connection, tables.prefix + view.name, outcome.parked, outcome.mended)
            except TABLE_REFUSES as error:
                if tables.prefix:
                    raise
                trouble = f"its table takes no more ({' '.join(str(error).split())}): run lunpai rebuild {view.name}"
                query = sql.SQL("UPDATE {} SET trouble = %s WHERE name = %s AND trouble IS NULL")
                connection.execute(query.format(self.table("view")), [trouble, view.name])
                self.say(f"views: {view.name}: {trouble}")

    def moved(self, connection: psycopg.Connection, views: Sequence[View], position: int, until: datetime) -> None:
        """Note how far the views have come, and tell those who wait for it."""
        names = [view.name for view in views]
        query = sql.SQL(
            "UPDATE {} SET position = %s, known_until = %s WHERE name = ANY(%s) AND trouble IS NULL"
        ).format(self.table("view"))
        connection.execute(query, [position, until, names])
        connection.execute(sql.SQL("NOTIFY {}").format(sql.Identifier(self.schema)))

    # What can't be taken

    def parked(
        self, connection: psycopg.Connection, prefix: str, views: Sequence[View]
    ) -> dict[tuple[str, UUID], Left]:
        """(view, stream) -> what is left out of it."""
        query = sql.SQL("SELECT view, stream, position, judged_until FROM {} WHERE view = ANY(%s)")
        names = [prefix + view.name for view in views]
        rows = connection.execute(query.format(self.table("parked")), [names]).fetchall()
        return {(name.removeprefix(prefix), stream): Left(*left) for name, stream, *left in rows}

    def park(
        self,
        connection: psycopg.Connection,
        view: str,
        parked: Sequence[Parked],
        mended: set[UUID],
        schema: str | None = None,
    ) -> None:
        """Put on record what a view could not take, and what it now could; in the live schema unless one is named."""
        table = sql.Identifier(schema or self.schema, "parked")
        if mended:
            query = sql.SQL("DELETE FROM {} WHERE view = %s AND stream = ANY(%s)").format(table)
            connection.execute(query, [view, list(mended)])
        query = sql.SQL(
            "INSERT INTO {} AS p VALUES (%s, %s, %s, %s, %s, clock_timestamp(), 1, %s) ON CONFLICT (view, stream) "
            "DO UPDATE SET position = excluded.position, reason = excluded.reason, name = excluded.name, "
            "judged_until = excluded.judged_until, tries = p.tries + 1"
        ).format(table)
        with connection.cursor() as cursor:
            cursor.executemany(
                query, [[view, p.stream, p.position, p.name, _storable(p.reason), p.judged_until] for p in parked]
            )

    def retry(self, connection: psycopg.Connection) -> int:
        """Try everything parked once more; how many streams are still parked."""
        with connection.transaction():
            standing = self.standing(connection, lock=True)
            for view in self.kept(connection, standing):
                parked = self.parked(connection, "", [view])
                if not parked:
                    continue
                start = standing[view.name].position
                files = Files(self.recorder.select_streams, start)
                files.read(stream for _, stream in parked)
                self.store(connection, self.live, [view], fold([view], files, start, parked))
        return len(self.parked(connection, "", self.views))


def _storable(text: str) -> str:
    """A reason that may quote anything, in one line that the database takes."""
    return " ".join(text.replace("\0", " ").encode(errors="replace").decode().split())


def _adopts(event: RecordedEvent) -> bool:
    return present_name(event.topic) == RulebookAdopted.stored_name


def keep_live(read_side: ReadSide, stop: Event, say: Say, *, idle: Callable[[], None] = lambda: None) -> None:
    """Keep the views live until `stop` is set, whatever happens to the database meanwhile.

    `idle` is called whenever there is nothing to take in. Views that need a rebuild are left to who rebuilds them.
    """
    read_side.say = say
    waker = Waker(read_side.recorder.uri, read_side.recorder.channel)
    pause = FIRST_PAUSE_SECONDS
    try:
        while not stop.is_set():
            try:
                with read_side.connection(REPLY_TIMEOUT_SECONDS) as connection:
                    for _ in _keep(read_side, connection, waker, stop, idle):
                        pause = FIRST_PAUSE_SECONDS
            except (psycopg.Error, StoreUnavailable) as error:
                say(f"views: {' '.join(str(error).split())}; trying again")
                stop.wait(pause)
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
    finally:
        waker.close()


def _keep(
    read_side: ReadSide, connection: psycopg.Connection, waker: Waker, stop: Event, idle: Callable[[], None]
) -> Iterator[None]:
    """Yields whenever all has gone well."""
    lock = f"keep {read_side.schema}"
    found_at = retried_at = time.monotonic()
    leads = False
    while not stop.is_set():
        waker.listen()
        if not leads:
            row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [lock]).fetchone()
            leads = bool(row and row[0])
        now = time.monotonic()
        if leads and now - retried_at > RETRY_PARKED_SECONDS:
            read_side.retry(connection)
            retried_at = now
        if leads and read_side.advance(connection):
            found_at = time.monotonic()
            yield
            continue
        if leads and not read_side.kept(connection):  # by this code; somebody of other code may have some to keep
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [lock])
            leads = False
        yield
        idle()
        busy = leads and time.monotonic() - found_at < BUSY_SECONDS
        waker.wait(BUSY_POLL_SECONDS if busy else POLL_SECONDS)


def wait_until(read_side: ReadSide, position: int, timeout_seconds: float, views: Sequence[str] | None = None) -> bool:
    """Wait until views hold up to a position, also where the facts up to there do not concern them.

    False when time is over. `views`: all that are kept, unless named.
    """
    deadline = time.monotonic() + timeout_seconds
    names = list(views) if views is not None else [view.name for view in read_side.views]
    if not names:
        return True
    waker = Waker(read_side.recorder.uri, read_side.schema)
    query = sql.SQL("SELECT min(position), count(*) FROM {} WHERE name = ANY(%s)").format(read_side.table("view"))
    try:
        with read_side.connection() as connection:
            while True:
                waker.listen()
                row = connection.execute(query, [names]).fetchone()
                if row is not None and row[1] == len(set(names)) and row[0] >= position:
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                waker.wait(min(left, POLL_SECONDS))
    finally:
        waker.close()


class Lag(msgspec.Struct, frozen=True):
    """How far a view is behind: in facts, and in seconds since the oldest fact it has not taken was recorded."""

    view: str
    position: int
    facts: int
    seconds: float
    parked: int
    rebuilt_at: datetime | None
    trouble: str | None


def lag(read_side: ReadSide, connection: psycopg.Connection) -> list[Lag]:
    """How far every view is behind the record."""
    query = sql.SQL(
        "SELECT v.name, v.position, h.position - v.position, "
        "coalesce(extract(epoch FROM clock_timestamp() - f.recorded_at), 0)::float8, "
        "(SELECT count(*) FROM {parked} p WHERE p.view = v.name), v.rebuilt_at, v.trouble, v.code "
        "FROM {view} v CROSS JOIN {head} h LEFT JOIN {fact} f ON f.position = v.position + 1"
    ).format(
        parked=read_side.table("parked"),
        view=read_side.table("view"),
        head=sql.Identifier(read_side.recorder.schema, "head"),
        fact=sql.Identifier(read_side.recorder.schema, "fact"),
    )
    found = {row[0]: row for row in connection.execute(query).fetchall()}
    head = read_side.head()
    lags = []
    for view in read_side.views:
        row = found.get(view.name)
        if row is None:
            lags.append(Lag(view.name, 0, head, 0.0, 0, None, "never built: run lunpai rebuild"))
            continue
        trouble = row[6] or ("made by other code: run lunpai rebuild" if row[7] != read_side.code else None)
        lags.append(Lag(row[0], row[1], row[2], row[3], row[4], _utc(row[5]), trouble))
    return lags


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
