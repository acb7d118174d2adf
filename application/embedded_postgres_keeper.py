"""Parent process of an embedded PostgreSQL: starts the server, and stops it when its last user has gone.

A script of its own, with a `Task` in JSON as its one argument, and on the standard library alone, so that it
starts at once wherever the program lies.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TypedDict

PR_SET_PDEATHSIG = 1
# A fast shutdown waits for a checkpoint of all shared buffers, which takes long on a very slow disk only.
FAST_SHUTDOWN_AT_MOST_SECONDS = 300


class Task(TypedDict):
    """What the keeper is told: the server's command line, the descriptors it inherits, and who may run it."""

    command: list[str]
    inherited: list[int]
    account: tuple[int, int] | None  # user id, group id; None: the keeper's own
    users_lock: str  # every user holds a shared lock on this file
    discard: str | None  # a folder to remove at the end


def keep(task: Task) -> None:
    """Run the server until it ends by itself or nobody holds the users' lock any more."""
    # Handlers, unlike ignored signals, do not pass to the server. The terminal's Ctrl-C is for the users.
    for terminal_signal in (signal.SIGINT, signal.SIGHUP):
        signal.signal(terminal_signal, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    users_lock = os.open(task["users_lock"], os.O_RDWR | os.O_CLOEXEC)
    server = start(task)
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(signal.SIGINT))
    threading.Thread(target=stop_when_unused, args=(server, users_lock), daemon=True).start()
    server.wait()
    if task["discard"]:
        shutil.rmtree(task["discard"], ignore_errors=True)


def start(task: Task) -> subprocess.Popen[bytes]:
    """Start the server so that, on Linux, the keeper's death is its fast shutdown, however that came."""
    keeper = os.getpid()
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def die_with_keeper() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(1)

    user, group = task["account"] or (None, None)
    return subprocess.Popen(
        task["command"],
        cwd="/",
        user=user,
        group=group,
        extra_groups=None if user is None else (),
        pass_fds=task["inherited"],
        preexec_fn=die_with_keeper,
    )


def stop_when_unused(server: subprocess.Popen[bytes], users_lock: int) -> None:
    """Wait for the exclusive lock, which the kernel grants when the last user has gone; shut the server down.

    The lock is kept until the keeper ends: a user who comes meanwhile waits, and then starts a new server.
    """
    fcntl.flock(users_lock, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)
    time.sleep(FAST_SHUTDOWN_AT_MOST_SECONDS)
    server.send_signal(signal.SIGQUIT)


if __name__ == "__main__":
    # The caller waits for its child only; the grandchild, which is the keeper, leaves it no zombie.
    if os.fork() == 0:
        try:
            keep(json.loads(sys.argv[1]))
        except OSError as error:
            sys.exit(f"FATAL:  cannot run PostgreSQL: {error}")
