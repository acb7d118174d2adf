"""A rebuild goes behind everybody else: its own processes, and those of the database that work for it here.

A lower priority alone does nothing of the sort. Linux gives every session a share of its own ("autogroup"), every
process of PostgreSQL is a session, and priority counts within one only. And a process at work keeps its processor for
the rest of its slice - in effect until the next tick, 4 ms - whoever wakes up, unless that one's slice is shorter; an
append wakes somebody three times. So: the lowest class, which others need not wait for; a long slice; and a small share
for the whole session - a tenth of what others have who never rest, lest a rebuild beside them come to a standstill.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from errno import EAGAIN
from pathlib import Path
from threading import get_native_id
from typing import TypeVar

import psycopg

T = TypeVar("T")

NICENESS = 10
LONG_SLICE_NS = 20_000_000
"""Seven times everybody's. Were it longer, a turn beside others who never rest would be longer in coming, too."""

TRIES, PAUSE_SECONDS = 10, 0.05
"""Linux lets a session's share be changed ten times a second, by all users together."""

SETTINGS = (
    # Helpers would work with the priority of those who serve people.
    "SET max_parallel_workers_per_gather = 0",
    "SET max_parallel_maintenance_workers = 0",
    # What is written goes to the disk bit by bit, not in one go when it is committed: appends wait for the same disk.
    "SET backend_flush_after = '512kB'",
)
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")


def step_back(connection: psycopg.Connection) -> None:
    """Put the database's process behind a connection behind all others. On a server elsewhere, or another account's, it
    is for that server to say who goes first."""
    for setting in SETTINGS:
        connection.execute(setting)
    if not connection.info.host.startswith("/"):
        return
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    _behind_all(row[0])


def step_back_here() -> None:
    """Put this process behind all others. It leaves the session of whoever started it, and the terminal with it."""
    with suppress(PermissionError):  # it leads a session already
        os.setsid()
    _behind_all(os.getpid())


def behind(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """What `work` gives, done by a thread of its own behind all others: one that has stepped back may not be let come
    forward again. The processes that it starts are behind from their first moment. Ctrl-C calls `stop`, and `work` is
    waited for."""
    with ThreadPoolExecutor(1, "behind", initializer=_thread_last_of_all) as pool:
        found = pool.submit(work)
        try:
            return found.result()
        except KeyboardInterrupt:
            stop()
            raise


def _behind_all(process: int) -> None:
    """As far as the system knows how to, and lets us."""
    _last_of_all(process)
    if sys.platform != "linux":
        return
    share = Path("/proc", str(process), "autogroup")
    for _ in range(TRIES):
        try:
            share.write_text(str(NICENESS))
        except OSError as error:  # without autogroups there is no such file
            if error.errno != EAGAIN:
                return
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _thread_last_of_all() -> None:
    if sys.platform == "linux":  # elsewhere priorities are of whole processes
        _last_of_all(get_native_id())


def _last_of_all(thread: int) -> None:
    """A thread, or a process that has but one."""
    with suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
    if sys.platform != "linux":
        return
    _take_long_slices(thread)
    with suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


def _take_long_slices(process: int) -> None:
    """Linux 6.12 and newer; older ones ignore it. The class of idle processes keeps the slice it comes with."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        wanted = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_BATCH, 0, NICENESS, 0, LONG_SLICE_NS, 0, 0)
        ctypes.CDLL(None).syscall(number, process, wanted, 0)
