"""Scheduled checks and rebuilds at work: each falls due once however many workers there are, is tried again when the
database was away, and leaves its outcome on record."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from croniter import croniter
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException, JobAborted, UniqueViolation
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from procrastinate.periodic import PeriodicTask
from psycopg import sql

from application.event_store.appending import StoreUnavailable
from application.event_store.migrations import ROLE, jobs_schema
from application.event_store.postgres import RECONNECT_SECONDS

from .job_queue import ALIVE_SECONDS, LOCK, TASK, Outcome, arguments, asked_by_job, note
from .live import LONGEST_PAUSE_SECONDS, ReadSide, Say
from .processes import FoldingFailed
from .rebuild import Cancelled, Progress, RebuildRefused, Tell
from .records import one_line, run
from .schedule import Schedule, Task, clock

MOST_TRIES = 6
WAIT_BASE_SECONDS = 4
"""A task is tried again after 4, 16, 64, 256 and 1024 seconds."""

MADE_UP_SECONDS_AT_LEAST = 600.0
"""Even where nothing is to be made up, a worker may be this late: it wakes a moment after the time."""

PATIENCE_SECONDS = 5.0
"""After so long without a connection a worker begins anew."""

RECLAIM_SECONDS = 60.0
LOOK_SECONDS = 0.2

WORTH_ANOTHER_TRY = (StoreUnavailable, psycopg.OperationalError, psycopg.InterfaceError, FoldingFailed)


# One task


def perform(
    read_side: ReadSide, name: str, task: Task, *, asked_by: str, tell: Tell = lambda progress: None
) -> Outcome:
    """Do a task now. A rebuild that runs already makes it `skipped`.

    Raises Cancelled, StoreUnavailable, FoldingFailed.
    """
    started = datetime.now(UTC)
    known = {view.name: view for view in read_side.views}
    if unknown := [view for view in task.views or () if view not in known]:
        return Outcome(task=name, status="failed", started_at=started, message=f"no such view: {', '.join(unknown)}")
    views = None if task.views is None else [known[view] for view in task.views]
    try:
        result = run(read_side, views, check=task.what == "check", asked_by=asked_by, tell=tell)
    except RebuildRefused:
        return Outcome(task=name, status="skipped", started_at=started, message="another rebuild was running")
    message = (
        f"{task.what} {result.id}: {result.differences} differences in {len(result.compared)} of {len(result.views)} "
        f"views, {result.position} facts, {result.seconds:.1f} s"
    )
    if result.parked:
        message += f", {result.parked} streams left out"
    if result.differences:
        message += f"; see lunpai rebuild --differences {result.id}"
    clean = not result.differences and not result.parked and (task.what == "rebuild" or result.compared == result.views)
    return Outcome(task=name, status="done", started_at=started, rebuild=result.id, clean=clean, message=message)


class _Performer:
    """Does what the queue hands out, and says so."""

    def __init__(self, read_side: ReadSide, zone: ZoneInfo, say: Say) -> None:
        self.read_side, self.zone, self.say = read_side, zone, say

    def __call__(
        self, context: JobContext, *, task: str, what: Any, views: list[str] | None, timestamp: int | None = None,
        requested: bool = False,
    ) -> None:  # fmt: skip
        started = datetime.now(UTC)
        due = "" if timestamp is None else f", due {datetime.fromtimestamp(timestamp, self.zone):%Y-%m-%d %H:%M}"
        self.say(f"schedule: {task}: {what} of {'all views' if views is None else ', '.join(views)} begins{due}")
        asked = Task(what=what, cron="", views=None if views is None else tuple(views))

        def tell(progress: Progress) -> None:
            if context.abort_reason() is AbortReason.USER_REQUEST:
                raise Cancelled("somebody asked for it; the live views are as they were")
            if context.should_abort():
                raise Cancelled("the worker is ending; another, or the next, does it again")

        def became(outcome: Outcome) -> Outcome:
            return msgspec.structs.replace(outcome, job=context.job.id, what=what, views=views)

        asked_by = asked_by_job(context.job.id) if requested else f"schedule: {task}"
        try:
            outcome = perform(self.read_side, task, asked, asked_by=asked_by, tell=tell)
        except Cancelled as cancelled:
            if context.abort_reason() is AbortReason.SHUTDOWN:
                self.say(f"schedule: {task}: {cancelled}")
                raise JobAborted from None
            outcome = Outcome(task=task, status="cancelled", started_at=started, message=one_line(cancelled))
        except WORTH_ANOTHER_TRY as error:
            # What somebody asked to end is not tried again.
            last = context.job.attempts + 1 >= MOST_TRIES or context.abort_reason() is AbortReason.USER_REQUEST
            self.say(f"schedule: {task}: {one_line(error)}; {'given up' if last else 'it will be tried again'}")
            if last:
                self._note_failure(became(_failure(task, started, error)))
            raise
        except BaseException as error:
            self._note_failure(became(_failure(task, started, error)))
            raise
        self.say(f"schedule: {task}: {outcome.status}: {outcome.message}")
        note(self.read_side, became(outcome))

    def _note_failure(self, failure: Outcome) -> None:
        with contextlib.suppress(StoreUnavailable):
            note(self.read_side, failure)


def _failure(task: str, started: datetime, error: BaseException) -> Outcome:
    return Outcome(task=task, status="failed", started_at=started, message=one_line(error))


# The queue's own program


class _TaskInZone(PeriodicTask):
    """A periodic task on the clock of a zone: the library itself only knows UTC."""

    zone: ZoneInfo

    def __init__(self, zone: ZoneInfo, **fields: Any) -> None:
        super().__init__(**fields)
        object.__setattr__(self, "zone", zone)  # its kind is frozen

    @cached_property
    def croniter(self) -> croniter:
        return clock(self.cron, self.zone)


class _Manager(JobManager):
    async def retry_job_by_id_async(self, job_id: int, *arguments: Any, **more: Any) -> None:
        """A job that is tried again waits in the queue, where another of the same task may wait already: two must not.
        That one does what there was to do, and this one is over - left as it is, it would hold up all others."""
        try:
            await super().retry_job_by_id_async(job_id, *arguments, **more)
        except UniqueViolation:
            await self.finish_job_by_id_async(job_id, Status.FAILED, delete_job=True)


class _App(App):
    def __init__(self, *, connector: PsycopgConnector, **more: Any) -> None:
        super().__init__(connector=connector, **more)
        self.job_manager = _Manager(connector)


def application(
    read_side: ReadSide, schedule: Schedule, zone: ZoneInfo, say: Say, *, wait_base_seconds: int = WAIT_BASE_SECONDS
) -> App:
    """procrastinate's application for the queue of a store, not yet opened, with all that falls due."""
    recorder = read_side.recorder

    async def configure(connection: psycopg.AsyncConnection) -> None:
        await connection.set_autocommit(True)
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ROLE)))
        await connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(jobs_schema(recorder.schema))))

    connector = PsycopgConnector(
        conninfo=recorder.uri,
        kwargs={"connect_timeout": 10, "application_name": f"lunpai schedule of {recorder.schema}"},
        configure=configure,
        min_size=0,
        max_size=4,
        timeout=PATIENCE_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
    )
    app = _App(
        connector=connector,
        periodic_defaults={"max_delay": max(MADE_UP_SECONDS_AT_LEAST, schedule.make_up_hours * 3600)},
    )
    retry = RetryStrategy(
        max_attempts=MOST_TRIES - 1,
        exponential_wait=wait_base_seconds,
        retry_exceptions=[*WORTH_ANOTHER_TRY, JobAborted],
    )
    task = app.task(name=TASK, queue=recorder.schema, lock=LOCK, retry=retry, pass_context=True)(
        _Performer(read_side, zone, say).__call__
    )
    for name, what in schedule.tasks.items():
        # A queue of the store's own: procrastinate tells of new jobs on a channel by the queue's name, and other
        # stores in the same database number their jobs as we do.
        options = {"queue": recorder.schema, "lock": LOCK, "queueing_lock": name, "task_kwargs": arguments(name, what)}
        app.periodic_registry.periodic_tasks[TASK, name] = _TaskInZone(
            zone, task=task, cron=what.cron, periodic_id=name, configure_kwargs=options
        )
    return app


def work_off(
    read_side: ReadSide,
    schedule: Schedule,
    zone: ZoneInfo,
    stop: Event,
    say: Say,
    *,
    make: Callable[..., App] = application,
) -> None:
    """Take tasks from the queue, and put into it what falls due, until `stop` is set, whatever happens to the database
    meanwhile. A rebuild that is at work then is cancelled and left to the next worker."""
    with _in_lines("procrastinate", say):
        asyncio.run(_work_off(lambda: make(read_side, schedule, zone, say), stop, say))


async def _work_off(make: Callable[[], App], stop: Event, say: Say) -> None:
    pause = 0.5
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        serving = asyncio.create_task(_serve(make()))
        while not stop.is_set() and not serving.done():
            await asyncio.wait([serving], timeout=LOOK_SECONDS)
        if stop.is_set():
            serving.cancel()  # for procrastinate, a request to end in good order
        try:
            await serving
        except asyncio.CancelledError:
            return
        except (ConnectorException, psycopg.Error) as error:
            say(_away(error))
        if asyncio.get_running_loop().time() - began > ALIVE_SECONDS:
            pause = 0.5
        until = asyncio.get_running_loop().time() + pause
        while not stop.is_set() and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK_SECONDS)
        pause = min(LONGEST_PAUSE_SECONDS, pause * 2)


async def _serve(app: App) -> None:
    """One life of a procrastinate worker; ends when it can't go on, and when it is cancelled."""
    async with app.open_async():
        reclaiming = asyncio.create_task(_reclaim(app))
        try:
            await app.run_worker_async(
                queues=[app.tasks[TASK].queue],
                concurrency=1,
                install_signal_handlers=False,
                delete_jobs="always",  # what became of them is in `outcome`
                shutdown_graceful_timeout=0,
                stalled_worker_timeout=ALIVE_SECONDS,
            )
        finally:
            reclaiming.cancel()
            await asyncio.gather(reclaiming, return_exceptions=True)


async def _reclaim(app: App) -> None:
    """Put back into the queue, now and then, what workers had taken that are dead: until then it holds up the rest."""
    manager = app.job_manager
    while True:
        with contextlib.suppress(ConnectorException):  # the worker beside this sees to it; or another was first
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=ALIVE_SECONDS):
                if job.attempts + 1 < MOST_TRIES:
                    await manager.retry_job(job)
                else:
                    await manager.finish_job(job, Status.FAILED, delete_job=True)
        await asyncio.sleep(RECLAIM_SECONDS)


def _away(error: BaseException) -> str:
    return f"schedule: {one_line(error.__cause__ or error)}; trying again"


@contextlib.contextmanager
def _in_lines(name: str, say: Say) -> Iterator[None]:
    """What a library logs as an error comes out as one line."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, ConnectorException):
                say(_away(error))
            else:
                say(f"schedule: {' '.join(record.getMessage().split())}" + (f": {error!r}" if error else ""))

    logger, handler = logging.getLogger(name), Lines(logging.ERROR)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
