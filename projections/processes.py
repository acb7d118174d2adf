"""Folding on all processors: each process takes part after part and hands the rows over as they are ready."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from queue import Queue
from threading import Event, Thread, current_thread, main_thread
from typing import Any, cast

import msgspec
import psycopg
from psycopg import sql

from .courtesy import step_back, step_back_here
from .partition import Bounds, Folded, Part, Plan, Reader, fold_part
from .room import Room
from .view import View

ALONE_BELOW_FACTS = 30_000
"""Fewer facts are folded sooner than another process is started."""


MOST_WAITING = 8
"""So many thousand dossiers' rows may wait for being copied in."""

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
Tell = Callable[[Told | str | None], None]
"""Tells what is folded; what went wrong; None: that a part is done."""


def processes_for(facts: int) -> int:
    """How many processes fold so many facts best: as many as there are processors, or this one alone."""
    return 1 if facts < ALONE_BELOW_FACTS else max(1, len(os.sched_getaffinity(0)))


def steps_back(facts: int) -> bool:
    """Whether so many facts are taken behind everybody else. Few are done in a second, but on a machine where others
    never rest, each statement could wait for its turn as long."""
    return facts >= ALONE_BELOW_FACTS


def fold_all(job: Callable[[], Job], views: Sequence[View], processes: int, room: Room) -> Iterator[Told]:
    """Fold the whole log; gives what is ready and how many facts that were. What is to be done is asked for when the
    processes are getting ready, which takes them as long. Raises FoldingFailed, psycopg.Error."""
    if processes == 1:
        yield from _alone(job(), views, room)
        return
    context = get_context("spawn")
    pipes: dict[Connection, Any] = {}
    try:
        with undisturbed():
            for _ in range(processes):
                here, there = context.Pipe()
                process = context.Process(target=_serve, args=(there, room), daemon=True)
                start(process)
                there.close()
                pipes[here] = process
        planned = job()
        todo = list(planned.plan.parts)
        for pipe in pipes:
            _send(pipe, planned)
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


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits until this is over. To block the signal is not enough: another thread may get it, and it is the main
    thread that is interrupted then - between starting a process and telling it what it is for."""
    before = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or before is None:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def start(process: Any) -> None:
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
    _send(pipe, todo.pop(0))
    return True


def _send(pipe: Connection, what: Job | Part) -> None:
    try:
        pipe.send(what)
    except OSError:
        raise FoldingFailed(ENDED_EARLY) from None


def _alone(job: Job, views: Sequence[View], room: Room) -> Iterator[Told]:
    with _connected(job) as connection:
        reader = Reader(connection, sql.Identifier(job.schema, "fact"), job.plan, job.bounds)
        for part in job.plan.parts:
            yield from fold_part(reader, part, views, room)


def _connected(job: Job) -> psycopg.Connection:
    connection = psycopg.connect(job.uri, autocommit=True, connect_timeout=10)
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(job.role)))
    if steps_back(job.bounds.until):
        step_back(connection)
    return connection


def _serve(pipe: Connection, room: Room) -> None:
    """One process: is told what to do, and folds the parts it is given until the other end hangs up."""
    step_back_here()  # those who serve people go first
    gc.freeze()
    gc.disable()  # dossiers are small and without cycles; what is left over is collected after each part
    with suppress(EOFError, ConnectionError), _telling(pipe) as tell:
        try:
            _fold_parts(pipe, tell, room)
        except psycopg.Error as error:
            tell(" ".join(str(error).split()) or "the database does not answer")


def _fold_parts(pipe: Connection, tell: Tell, room: Room) -> None:
    """Raises EOFError when the other end has hung up."""
    from .views import VIEWS

    job: Job = pipe.recv()
    views = [VIEWS[name] for name in job.views]
    with _connected(job) as connection:
        reader = Reader(connection, sql.Identifier(job.schema, "fact"), job.plan, job.bounds)
        while True:
            for told in fold_part(reader, pipe.recv(), views, room):
                tell(told)
            tell(None)


@contextmanager
def _telling(pipe: Connection) -> Iterator[Tell]:
    """Sends while folding goes on: whoever is told copies rows in now and then, and a pipe holds less than what is
    folded meanwhile. What tells raises ConnectionError once the other end has hung up."""
    waiting: Queue[Any] = Queue(MOST_WAITING)
    hung_up = Event()
    end = object()

    def send() -> None:
        for told in iter(waiting.get, end):
            try:
                if not hung_up.is_set():
                    pipe.send(told)
            except OSError:
                hung_up.set()

    def tell(told: Told | str | None) -> None:
        if hung_up.is_set():
            raise ConnectionError
        waiting.put(told)

    sender = Thread(target=send, daemon=True)
    sender.start()
    try:
        yield tell
    finally:
        waiting.put(end)
        sender.join()
