"""A rebuild goes behind everybody else: its own processes, and those of the database that work for it here.

A lower priority alone does nothing of the sort. Linux gives every session a share of its own ("autogroup"), every
process of PostgreSQL is a session, and priority counts within one only. And a process at work keeps its processor for
the rest of its slice - in effect until the next tick, 4 ms - whoever wakes up, unless that one's slice is shorter; an
append wakes somebody three times. So: the lowest class, which others need not wait for; a long slice; and a small share
for the whole session - a thirtieth of what others have who never rest: with more, one who worked for a millisecond and
waits for the disk has had too much when it wakes up; with less, a rebuild beside them would come to a standstill.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import time
from contextlib import suppress
from errno import EAGAIN
from pathlib import Path

import psycopg

NICENESS = 15
"""Of the processes and of the session's share: a thirtieth."""
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


def come_forward_here() -> None:
    """Give this process its share back, as far as that may be had, before it holds what others wait for."""
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_IDLE and os.getsid(0) == os.getpid():
        _share(os.getpid(), 0)


def _behind_all(process: int) -> None:
    """As far as the system knows how to, and lets us."""
    with suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, process, NICENESS)
    if sys.platform != "linux":
        return
    _take_long_slices(process)
    with suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))
    _share(process, NICENESS)


def _share(process: int, niceness: int) -> None:
    """Of the session that a process belongs to."""
    share = Path("/proc", str(process), "autogroup")
    for _ in range(TRIES):
        try:
            share.write_text(str(niceness))
        except OSError as error:  # without autogroups there is no such file
            if error.errno != EAGAIN:
                return
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _take_long_slices(process: int) -> None:
    """Linux 6.12 and newer; older ones ignore it. The class of idle processes keeps the slice it comes with."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        wanted = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_BATCH, 0, NICENESS, 0, LONG_SLICE_NS, 0, 0)
        ctypes.CDLL(None).syscall(number, process, wanted, 0)
