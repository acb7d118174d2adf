"""The worker: builds the views that are not built, keeps all of them live, and does what the schedule asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from socket import gethostname
from threading import Event
from zoneinfo import ZoneInfo

import psycopg

from application.event_store.appending import StoreUnavailable

from .job_queue import prepare_queue
from .jobs import work_off
from .live import BATCH, LONGEST_PAUSE_SECONDS, ReadSide, Say, keep_live
from .processes import FoldingFailed
from .rebuild import Cancelled, Progress, RebuildRefused, Tell
from .records import in_one_line, one_line, reached, run
from .schedule import Schedule
from .view import View


class _Watched(ReadSide):
    """A read side that notices whether it is this worker who keeps the views (only that one takes facts in), and tells
    the database the worker's name."""

    def __init__(self, read_side: ReadSide, say: Say) -> None:
        super().__init__(read_side.recorder, read_side.views)
        self._say = say
        self._taking = False
        self._leads: bool | None = None

    @contextmanager
    def connection(self, reply_timeout_seconds: float | None = None) -> Iterator[psycopg.Connection]:
        name = f"lunpai work, process {os.getpid()} on {gethostname()}"
        with super().connection(reply_timeout_seconds) as connection:
            connection.execute("SELECT set_config('application_name', %s, false)", [name])
            yield connection

    def advance(self, connection: psycopg.Connection, limit: int = BATCH) -> int:
        self._taking = True
        if self._leads is not True:
            self._leads = True
            self._say("views: kept live by this worker")
        return super().advance(connection, limit)

    def idle(self) -> None:
        """To be called when there was nothing to do."""
        if not self._taking and self._leads is not False:
            self._leads = False
            self._say("views: kept live by another worker; this one stands by")
        self._taking = False


def work(
    read_side: ReadSide,
    stop: Event,
    say: Say,
    *,
    schedule: Schedule | None,
    zone: ZoneInfo,
    tell: Callable[[Sequence[View]], Tell] = lambda views: lambda progress: None,
) -> None:
    """Work until `stop` is set. Without a schedule: only keep the views.

    `tell` is given the views about to be built and answers with who is told how far that is. Raises StoreRefused,
    StoreUnavailable when the queue can't be set up; after that, an absent database is waited for.
    """
    if schedule is not None:
        prepare_queue(read_side.recorder.uri, read_side.recorder.schema)
    watched = _Watched(read_side, say)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="worker") as threads:

        def ended(future: Future[None]) -> None:
            stop.set()

        try:
            working = [threads.submit(keep_live, watched, stop, say, idle=watched.idle)]
            build(read_side, stop, say, tell=tell, asked_by="worker")
            if schedule is not None and not stop.is_set():
                working.append(threads.submit(work_off, read_side, schedule, zone, stop, say))
            for future in working:
                future.add_done_callback(ended)
            stop.wait()
        finally:
            stop.set()
    with in_one_line():
        for future in working:
            future.result()  # what ended it unasked comes out here


def build(
    read_side: ReadSide,
    stop: Event,
    say: Say,
    *,
    tell: Callable[[Sequence[View]], Tell] = lambda views: lambda progress: None,
    asked_by: str,
    only: Sequence[View] | None = None,
) -> None:
    """Build the views (of these) that were never built, are damaged or were made by other code.

    Waits for a rebuild that runs already, and for a database that is away. Somebody's cancelling ends it.
    """
    pause, waited = 0.5, False
    while not stop.is_set():
        try:
            with reached(read_side) as connection:
                views = [view for view in read_side.unbuilt(connection) if only is None or view in only]
            if not views:
                return
            run(read_side, views, check=False, asked_by=asked_by, tell=_until(stop, tell(views)))
            continue
        except RebuildRefused:
            if not waited:
                say("views: another rebuild is running; waiting for it")
            waited, pause = True, 0.5
        except Cancelled as cancelled:
            if not stop.is_set():
                say(f"views: {one_line(cancelled)}; build them with lunpai rebuild")
            return
        except (StoreUnavailable, FoldingFailed) as error:
            say(f"views: {one_line(error)}; trying again")
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
        stop.wait(pause)


def _until(stop: Event, tell: Tell) -> Tell:
    def told(progress: Progress) -> None:
        tell(progress)
        if stop.is_set():
            raise Cancelled("stopped; the live views are as they were")

    return told


def bring_up(
    read_side: ReadSide,
    views: Sequence[View],
    say: Say,
    *,
    tell: Callable[[Sequence[View]], Tell] = lambda views: lambda progress: None,
    asked_by: str,
) -> None:
    """Bring views up to the record's present end, worker or none, so that what is read from them is right now.

    Raises StoreUnavailable.
    """
    build(read_side, Event(), say, tell=tell, asked_by=asked_by, only=views)
    target = read_side.head()
    with reached(read_side) as connection:
        while True:
            standing = read_side.standing(connection)
            behind = [view for view in views if view.name in standing and standing[view.name].position < target]
            if not behind or not read_side.advance(connection):
                return
