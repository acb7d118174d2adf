"""Folding on all processors: each process takes part after part and hands the rows over as they are ready."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator, Sequence
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, cast

import msgspec
import psycopg
from psycopg import sql

from .courtesy import step_back, step_back_here
from .partition import Bounds, Folded, Part, Plan, Reader, fold_part, parts
from .view import View

ALONE_BELOW_FACTS = 30_000
"""Fewer facts are folded sooner than another process is started."""


ENDED_EARLY = "a process that folded facts ended before its work did"


class FoldingFailed(Exception):
    """A process that folded facts ended before its work did."""


class Job(msgspec.Struct, frozen=True):
    """What every process needs to know."""

    uri: str
    schema: str
    role: str
    views: tuple[str, ...]
    plan: Plan
    bounds: Bounds


Told = tuple[Folded, int]


def processes_for(facts: int) -> int:
    """How many processes fold so many facts best: as many as there are processors, or this one alone."""
    return 1 if facts < ALONE_BELOW_FACTS else max(1, len(os.sched_getaffinity(0)))


def steps_back(facts: int) -> bool:
    """Whether so many facts are taken behind everybody else. Few are done in a second, but on a machine where others
    never rest, each statement could wait for its turn as long."""
    return facts >= ALONE_BELOW_FACTS


def fold_all(job: Job, views: Sequence[View], processes: int) -> Iterator[Told]:
    """Fold the whole log; gives what is ready and how many facts that were. Raises FoldingFailed, psycopg.Error."""
    if processes == 1:
        yield from _alone(job, views)
        return
    context = get_context("spawn")
    pipes: dict[Connection, Any] = {}
    todo = parts(job.plan.parts)
    try:
        for _ in range(processes):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, job), daemon=True)
            _start(process)
            there.close()
            pipes[here] = process
        idle = {pipe for pipe in pipes if _next(pipe, todo)}
        while idle:
            for ready in wait(list(idle)):
                pipe = cast("Connection", ready)
                try:
                    told = pipe.recv()
                except (EOFError, OSError):
                    raise FoldingFailed(ENDED_EARLY) from None
                if isinstance(told, str):
                    raise FoldingFailed(told)
                if told is not None:
                    yield told
                elif not _next(pipe, todo):
                    idle.discard(pipe)
    finally:
        for pipe, process in pipes.items():
            pipe.close()
            process.join(0.2)
            if process.is_alive():
                process.kill()
                process.join()


def _start(process: Any) -> None:
    """Start a process that Ctrl-C does not reach: whoever started it ends it."""
    resource_tracker.ensure_running()  # the first to ask for it would unblock the signal again
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)


def _next(pipe: Connection, todo: list[Part]) -> bool:
    """Hand the next part to a process; false when there is none."""
    if not todo:
        return False
    try:
        pipe.send(todo.pop(0))
    except OSError:
        raise FoldingFailed(ENDED_EARLY) from None
    return True


def _alone(job: Job, views: Sequence[View]) -> Iterator[Told]:
    with _connected(job) as connection:
        reader = Reader(connection, sql.Identifier(job.schema, "fact"), job.plan, job.bounds)
        for part in parts(job.plan.parts):
            yield from fold_part(reader, part, views)


def _connected(job: Job) -> psycopg.Connection:
    connection = psycopg.connect(job.uri, autocommit=True, connect_timeout=10)
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(job.role)))
    if steps_back(job.bounds.until):
        step_back(connection)
    return connection


def _serve(pipe: Connection, job: Job) -> None:
    """One process: folds the parts it is given until the other end hangs up."""
    from .views import VIEWS

    step_back_here()  # those who serve people go first
    gc.freeze()
    gc.disable()  # dossiers are small and without cycles; what is left over is collected after each part
    views = [VIEWS[name] for name in job.views]
    try:
        with _connected(job) as connection:
            reader = Reader(connection, sql.Identifier(job.schema, "fact"), job.plan, job.bounds)
            while True:
                for told in fold_part(reader, pipe.recv(), views):
                    pipe.send(told)
                pipe.send(None)
    except (EOFError, ConnectionError):
        pass  # the other end has hung up: nothing more to do
    except psycopg.Error as error:
        pipe.send(" ".join(str(error).split()) or "the database does not answer")
