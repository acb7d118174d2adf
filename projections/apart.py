"""A rebuild in a process of its own, so that all of it can go behind everybody else: whoever asks for one serves people
as well, or is in one session with those who do, and the processes of a session share one share of the processors."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from types import FrameType

import msgspec
import psycopg

from application.event_store.appending import StoreRefused, StoreUnavailable
from application.event_store.postgres import PostgresRecorder

from .courtesy import step_back_here
from .live import ReadSide
from .processes import FoldingFailed, start, steps_back, undisturbed
from .rebuild import Cancelled, Progress, RebuildRefused, Result, Tell, rebuild
from .view import View
from .views import VIEWS

EXPECTED = (RebuildRefused, Cancelled, FoldingFailed, StoreRefused, StoreUnavailable, psycopg.Error)
"""What is raised where the rebuild was asked for. Anything else is a fault of the program: it is shown by the process
that met it."""

ENDED_EARLY = "the process that rebuilt ended before its work did"


class _Task(msgspec.Struct, frozen=True):
    uri: str
    schema: str
    of_store: tuple[str, ...]
    views: tuple[str, ...] | None
    check: bool
    asked_by: str


def rebuild_apart(
    read_side: ReadSide,
    views: Sequence[View] | None = None,
    *,
    check: bool = False,
    asked_by: str = "command line",
    tell: Tell = lambda progress: None,
) -> Result:
    """As `rebuild` does, in a process of its own where there is much to do. It ends together with this one, and when
    `tell` raises or Ctrl-C is pressed it leaves everything as it was first.

    Raises what `rebuild` does, and FoldingFailed when the process is killed.
    """
    if not steps_back(read_side.head()):
        return rebuild(read_side, views, check=check, asked_by=asked_by, tell=tell)
    of_store = tuple(view.name for view in read_side.views)
    chosen = tuple(view.name for view in views) if views is not None else None
    task = _Task(read_side.recorder.uri, read_side.recorder.schema, of_store, chosen, check, asked_by)
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, task))
    try:
        with undisturbed():
            start(process)
            there.close()
        while True:
            match _told(here):
                case Progress() as progress:
                    tell(progress)
                case Result() as result:
                    return result
                case error:
                    raise error
    finally:
        here.close()
        process.join()


def _told(pipe: Connection) -> Progress | Result | BaseException:
    try:
        told: Progress | Result | BaseException = pipe.recv()
    except (EOFError, OSError):
        raise FoldingFailed(ENDED_EARLY) from None
    return told


def _serve(pipe: Connection, task: _Task) -> None:
    step_back_here()
    Thread(target=_end_with, args=(pipe,), daemon=True).start()
    signal.signal(signal.SIGINT, _interrupted)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    try:
        told = _done(pipe, task)
    except KeyboardInterrupt:
        return  # nobody waits for it any more
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is told hangs up
    with suppress(OSError):
        pipe.send(told)


def _interrupted(number: int, frame: FrameType | None) -> None:
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # that statements under way break off is no news
    raise KeyboardInterrupt


def _end_with(pipe: Connection) -> None:
    """Nobody sends anything: when this returns, the other end has hung up."""
    pipe.poll(None)
    os.kill(os.getpid(), signal.SIGINT)


def _done(pipe: Connection, task: _Task) -> Result | BaseException:
    def tell(progress: Progress) -> None:
        try:
            pipe.send(progress)
        except OSError:
            raise KeyboardInterrupt from None

    recorder = PostgresRecorder(task.uri, schema=task.schema)
    try:
        read_side = ReadSide(recorder, [VIEWS[name] for name in task.of_store])
        views = [VIEWS[name] for name in task.views] if task.views is not None else None
        return rebuild(read_side, views, check=task.check, asked_by=task.asked_by, tell=tell)
    except EXPECTED as error:
        return error
    finally:
        recorder.close()
