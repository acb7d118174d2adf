"""Rebuilding views beside the live ones: the log is read once, rows are folded in memory and copied into fresh tables,
what came in meanwhile is taken in, fresh and live rows are compared, and the fresh tables take the live ones' place in
one transaction. Nothing is refused meanwhile; stopped or killed at any stage, it leaves the live views as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

import msgspec
import psycopg
from psycopg import sql

from .compare import Compared, compare, explained
from .courtesy import come_forward_here, step_back
from .filling import fill
from .live import ReadSide, Standing, ends_early
from .partition import Bounds
from .processes import steps_back
from .room import Room, watched
from .side_by_side import side_by_side
from .tables import FRESH, Tables
from .view import View

NEARLY = 200
"""Facts that may be left for the last transaction, in which the live views wait."""

MOST_ROUNDS = 5

CATCH_UP_BATCH = 2_000
COMPARABLE_LAG = 20_000
"""Live views further behind than so many facts are not caught up for the sake of a comparison."""

LOCK_TIMEOUT = "3s"
SWAP_WITHIN_SECONDS, SWAP_PAUSE_SECONDS = 300.0, 0.05
TOLD_EVERY_SECONDS = 0.5


class RebuildRefused(Exception):
    """A rebuild that can't be started. One clear line."""


class Cancelled(Exception):
    """Somebody asked for the rebuild to be cancelled."""


class Progress(msgspec.Struct, frozen=True):
    """`stage`: planning, folding, indexing, catching up, comparing, swapping, done. `folded` of `facts` are done."""

    stage: str
    folded: int
    facts: int


class Result(msgspec.Struct, frozen=True):
    """What a rebuild or check came to. `compared`: the views whose rows were compared with the live ones."""

    id: int
    mode: str
    views: tuple[str, ...]
    position: int
    seconds: float
    compared: tuple[str, ...]
    differences: int
    parked: int


Tell = Callable[[Progress], None]


def rebuild(
    read_side: ReadSide,
    views: Sequence[View] | None = None,
    *,
    check: bool = False,
    asked_by: str = "command line",
    tell: Tell = lambda progress: None,
) -> Result:
    """Rebuild views (all, unless some are named); with `check`: compare without taking the live ones' place.

    Raises RebuildRefused (another one runs), Cancelled, FoldingFailed, psycopg.Error.
    """
    with read_side.connection() as connection:
        lock = f"rebuild {read_side.schema}"
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [lock]).fetchone()
        if not (row and row[0]):
            raise RebuildRefused("another rebuild is running: wait for it or cancel it (lunpai rebuild --list)")
        try:
            _end_those_that_died(read_side, connection)
            chosen = tuple(views) if views is not None else read_side.views
            return _Rebuild(read_side, connection, chosen, check, asked_by, tell).run()
        finally:
            # Left to the connection's end, the lock is there a moment longer, and the next rebuild might be refused.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [lock])


def _end_those_that_died(read_side: ReadSide, connection: psycopg.Connection) -> None:
    query = sql.SQL(
        "UPDATE {} SET status = 'failed', ended_at = clock_timestamp(), message = 'its process ended' "
        "WHERE status = 'running'"
    ).format(read_side.table("rebuild"))
    connection.execute(query)


class _Rebuild:
    """One run, from the plan to the exchange."""

    def __init__(
        self,
        read_side: ReadSide,
        connection: psycopg.Connection,
        views: Sequence[View],
        check: bool,
        asked_by: str,
        tell: Tell,
    ) -> None:
        self.read_side, self.connection, self.views = read_side, connection, tuple(views)
        self.check, self.tell = check, tell
        self.fresh = Tables(read_side.schema, views, FRESH)
        self.live = Tables(read_side.schema, views)
        self.position = self.facts = self.folded = 0
        self.parked = 0
        self.stage = "planning"
        self.started, self.told_at = time.monotonic(), 0.0
        query = sql.SQL(
            "INSERT INTO {} (mode, views, asked_by, status, stage) "
            "VALUES (%s, %s, %s, 'running', 'planning') RETURNING id"
        ).format(read_side.table("rebuild"))
        mode = "check" if check else "rebuild"
        row = connection.execute(query, [mode, [view.name for view in views], asked_by]).fetchone()
        assert row is not None
        self.id, self.mode = int(row[0]), mode

    def run(self) -> Result:
        try:
            self._plan()
            with watched(self.read_side, long=self.steps_back) as room:
                self._fold(room)
                self._index()
                self._catch_up()
                compared = self._compare_and_swap()
        except BaseException as error:
            self._failed(error)
            raise
        return self._done(compared)

    # Stages

    def _enter(self, stage: str) -> None:
        self.stage, self.told_at = stage, 0.0
        self._report()

    def _report(self) -> None:
        """Put progress on record and look whether somebody wants to cancel, a few times a second at most."""
        now = time.monotonic()
        if now - self.told_at < TOLD_EVERY_SECONDS:
            return
        self.told_at = now
        query = sql.SQL("UPDATE {} SET stage = %s, folded = %s, position = %s WHERE id = %s RETURNING cancel").format(
            self.read_side.table("rebuild")
        )
        row = self.connection.execute(query, [self.stage, self.folded, self.position, self.id]).fetchone()
        self.tell(Progress(self.stage, self.folded, self.facts))
        if row and row[0]:
            raise Cancelled("the rebuild was cancelled; the live views are as they were")

    def _plan(self) -> None:
        self._report()
        self.position = self.facts = self.read_side.head()

    @property
    def steps_back(self) -> bool:
        return steps_back(self.facts)

    @contextmanager
    def _connection_behind(self) -> Iterator[psycopg.Connection]:
        with self.read_side.connection() as connection:
            if self.steps_back:
                step_back(connection)
            yield connection

    def _fold(self, room: Room) -> None:
        """Fold the log up to its present end into fresh tables, in a transaction of its own."""
        read_side = self.read_side
        with self._connection_behind() as filler, filler.transaction():
            self._clear_up(filler)
            self.fresh.create(filler)
            self._enter("folding")
            bounds = Bounds(self.position)
            filled = fill(read_side, filler, self.fresh, bounds, room, self._folded, own_transaction=True)
            self.parked = len(filled.parked)
            for parked in filled.parked:
                read_side.park(filler, FRESH + parked.view, [parked], set())

    def _clear_up(self, connection: psycopg.Connection) -> None:
        """Take away what a rebuild of any views left that was killed."""
        Tables(self.read_side.schema, self.read_side.views, FRESH).drop(connection)
        self._forget_parked(connection, FRESH)

    def _folded(self, facts: int) -> None:
        self.folded = facts
        self._report()

    def _index(self) -> None:
        self._enter("indexing")
        side_by_side(self.read_side, self.views, self.fresh.index, self._report, behind=self.steps_back)

    def _catch_up(self) -> None:
        """Bring fresh and live views to nearly the same fact. Writers, who may never pause, are not waited for: when
        several rounds have not done it, the rest is taken while the live views wait."""
        self._enter("catching up")
        with self._connection_behind() as connection:
            for _ in range(MOST_ROUNDS):
                standing = self.read_side.standing(connection)
                live = [standing[view.name].position for view in self._comparable(standing)]
                behind, ahead = min(live, default=self.position), max(live, default=self.position)
                if self.position - NEARLY <= behind and ahead <= self.position + NEARLY:
                    return
                while self.position < ahead:
                    step = min(ahead, self.position + CATCH_UP_BATCH)
                    with connection.transaction():
                        self._bring(connection, self.fresh, self.views, self.position, step)
                    self.position = step
                    self._report()
                while behind < self.position and (taken := self.read_side.advance(connection, CATCH_UP_BATCH)):
                    behind += taken
                    self._report()

    def _compare_and_swap(self) -> Compared:
        comparable = self._comparable(self.read_side.standing(self.connection))
        self._enter("comparing")
        compared = compare(self.read_side, self.fresh, self.live, comparable, self.position, self._report)
        self._enter("comparing" if self.check else "swapping")
        come_forward_here()
        deadline = time.monotonic() + SWAP_WITHIN_SECONDS
        while True:
            try:
                with self.connection.transaction():
                    self._final(compared)
                break
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):  # readers go first
                if time.monotonic() > deadline:
                    raise
                self._report()
                time.sleep(SWAP_PAUSE_SECONDS)
        explained(self.read_side, self.id, compared, self.position)
        return compared

    def _comparable(self, standing: dict[str, Standing]) -> list[View]:
        """Views whose live rows this program keeps, and that are not too far behind to be brought to the same fact."""
        missing = self.live.missing(self.connection)
        return [
            view
            for view in self.views
            if (s := standing.get(view.name)) is not None
            and s.code == self.read_side.code
            and view not in missing
            and self.position - s.position <= COMPARABLE_LAG
        ]

    def _final(self, compared: Compared) -> None:
        """With the live views held still: bring both sides to the same fact, look again at what differed, exchange."""
        connection = self.connection
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        standing = self.read_side.standing(connection, lock=True)
        if not self.check:
            self._lock_tables(connection)
        position = self.position
        # No view ever goes back, whoever kept it.
        target = max([position, *(standing[view.name].position for view in self.views if view.name in standing)])
        self._bring(connection, self.fresh, self.views, position, target)
        for at in sorted({standing[view.name].position for view in compared.views}):
            those = [view for view in compared.views if standing[view.name].position == at]
            self._bring(connection, self.live, those, at, target)
        compared.look_again(self.read_side, connection, self.fresh, self.live, target)
        if not self.check:
            self._swap(connection, target)
        else:
            self.fresh.drop(connection)
            self._forget_parked(connection, FRESH)
        self.position = target

    def _bring(
        self, connection: psycopg.Connection, tables: Tables, views: Sequence[View], position: int, target: int
    ) -> None:
        """Take facts into tables up to a fact that others hold up to already."""
        while position < target:
            limit = min(CATCH_UP_BATCH, target - position)
            taken = self.read_side.take(connection, tables, views, position, limit)
            if not taken:
                raise ends_early(target, position)
            position += taken

    def _lock_tables(self, connection: psycopg.Connection) -> None:
        """Have the tables to oneself, all or none and at once: readers would queue behind a lock that is waited for.

        Raises psycopg.errors.LockNotAvailable.
        """
        there = self.live.existing(connection)
        if there:
            tables = sql.SQL(", ").join(map(self.live.table, there))
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT").format(tables))

    def _swap(self, connection: psycopg.Connection, position: int) -> None:
        self.fresh.take_the_place_of(connection, self.live)
        self._forget_parked(connection, "")
        parked = self.read_side.table("parked")
        query = sql.SQL("UPDATE {} SET view = substr(view, %s) WHERE view = ANY(%s)").format(parked)
        connection.execute(query, [len(FRESH) + 1, [FRESH + view.name for view in self.views]])
        query = sql.SQL(
            "INSERT INTO {} (name, position, known_until, code, rebuilt_at) VALUES (%s, %s, %s, %s, clock_timestamp()) "
            "ON CONFLICT (name) DO UPDATE SET position = excluded.position, known_until = excluded.known_until, "
            "code = excluded.code, rebuilt_at = excluded.rebuilt_at, trouble = NULL"
        ).format(self.read_side.table("view"))
        until = self._recorded_at(connection, position)
        for view in self.views:
            connection.execute(query, [view.name, position, until, self.read_side.code])
        connection.execute(sql.SQL("NOTIFY {}").format(sql.Identifier(self.read_side.schema)))

    def _forget_parked(self, connection: psycopg.Connection, prefix: str) -> None:
        query = sql.SQL("DELETE FROM {} WHERE view = ANY(%s)").format(self.read_side.table("parked"))
        connection.execute(query, [[prefix + view.name for view in self.views]])

    def _recorded_at(self, connection: psycopg.Connection, position: int) -> datetime | None:
        fact = sql.Identifier(self.read_side.recorder.schema, "fact")
        query = sql.SQL("SELECT recorded_at FROM {} WHERE position = %s").format(fact)
        row = connection.execute(query, [position]).fetchone()
        return row[0] if row else None

    # The end

    def _done(self, compared: Compared) -> Result:
        seconds = time.monotonic() - self.started
        query = sql.SQL(
            "UPDATE {} SET status = 'done', stage = 'done', ended_at = clock_timestamp(), position = %s, folded = %s, "
            "seconds = %s, compared = %s, differences = %s, message = %s WHERE id = %s"
        ).format(self.read_side.table("rebuild"))
        names = tuple(view.name for view in compared.views)
        left_out = [view.name for view in self.views if view.name not in names]
        message = f"not compared, for want of live rows by this code: {', '.join(left_out)}" if left_out else None
        self.connection.execute(
            query, [self.position, self.folded, seconds, bool(names), compared.number, message, self.id]
        )
        self.stage = "done"
        self.tell(Progress("done", self.folded, self.facts))
        views = tuple(view.name for view in self.views)
        return Result(self.id, self.mode, views, self.position, seconds, names, compared.number, self.parked)

    def _failed(self, error: BaseException) -> None:
        """Leave nothing behind but the word of it; the live views were not touched."""
        status = "cancelled" if isinstance(error, Cancelled | KeyboardInterrupt) else "failed"
        message = " ".join(str(error).split()) or type(error).__name__
        query = sql.SQL(
            "UPDATE {} SET status = %s, ended_at = clock_timestamp(), seconds = %s, message = %s WHERE id = %s"
        ).format(self.read_side.table("rebuild"))
        try:
            with self.read_side.connection() as connection:
                self.fresh.drop(connection)
                self._forget_parked(connection, FRESH)
                connection.execute(query, [status, time.monotonic() - self.started, message, self.id])
        except psycopg.Error:
            return  # the database is away: the next rebuild clears up
