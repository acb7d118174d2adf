"""An embedded PostgreSQL in the program's data folder: the first process that needs it starts it, others
share it, and it stops when the last one has gone, however that one went.
"""

# Three files of the data folder are locked with flock, which the kernel gives up when a process dies:
#   users.lock   shared by every user; wanted exclusively by the keeper, which then stops the server
#   start.lock   held while one process looks after the start
#   server.lock  held by keeper and server together; who gets it knows that nothing of an old server is left

import contextlib
import errno
import fcntl
import os
import re
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import platformdirs
import psycopg

from application.embedded_postgres_binaries import EmbeddedPostgresError, reaches, unprivileged_account
from application.embedded_postgres_launch import (
    POLL_SECONDS,
    Layout,
    Patience,
    complaints,
    launch,
    open_own,
)

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "default_home"]

STOP_AT_MOST_SECONDS = 60
# What a server refuses a connection with for good, that is, neither because it starts nor because it stops.
REFUSED_FOR_GOOD = re.compile(r"FATAL:\s+(?!\s|the database system is|terminating connection)(.*)")


def default_home() -> Path:
    """The program's data folder: LUNPAI_HOME, else the user's of this platform.

    Root's own is often closed to the account that PostgreSQL then runs under; where it is, the system's for
    state (/var/lib on Linux).
    """
    if named := os.environ.get("LUNPAI_HOME"):
        return Path(named).absolute()
    home = platformdirs.user_data_path("lunpai")
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if os.geteuid() == 0 and not reaches(unprivileged_account(), existing):
        return platformdirs.site_state_path("lunpai")
    return home


class EmbeddedPostgres:
    """One use of the PostgreSQL in a data folder; also a context manager.

    `uri` is the address of the database "lunpai" while in use, else empty.
    """

    def __init__(self, home: Path) -> None:
        self.uri = ""
        self._layout = Layout(home.absolute())
        self._users: _LockFile | None = None

    def start(self, *, progress: Callable[[str], None] | None = None, start_timeout_seconds: float = 600) -> str:
        """Return the address of the running database "lunpai", starting the server if none runs here.

        May be called again, for instance after the server has crashed. `progress` is told in one line, once a
        second, what takes long. Raises EmbeddedPostgresError.
        """
        patience = Patience(progress or (lambda line: None), start_timeout_seconds)
        try:
            self._make_home()
            if self._users is None or self._users.closed:
                self._users = _LockFile(self._layout.users_lock)
            patience.until(self._users.try_shared, "waiting for the last PostgreSQL here to stop")
            with _LockFile(self._layout.start_lock) as mutex:
                patience.until(mutex.try_exclusive, "waiting for another process that starts PostgreSQL")
                self._bring_up(patience)
                self.uri = self._layout.address("lunpai")
        except (OSError, psycopg.Error) as error:
            self._leave()
            raise self._in_one_line(error) from error
        except BaseException:
            self._leave()
            raise
        return self.uri

    def stop(self) -> None:
        """Stop using the server. Whoever is the last to do so returns when the server has stopped."""
        if self._users is None or self._users.closed:
            return
        self._leave()
        with (
            contextlib.suppress(OSError),
            _LockFile(self._layout.users_lock) as users,
            _LockFile(self._layout.server_lock) as server,
        ):
            deadline = time.monotonic() + STOP_AT_MOST_SECONDS
            # Two who leave at the same moment may take each other's look for a user: hence two looks.
            others_seen = 0
            while others_seen < 2 and not server.try_exclusive() and time.monotonic() < deadline:
                nobody = users.try_exclusive()
                others_seen = others_seen + 1 if not nobody and users.try_shared() else 0
                users.unlock()
                time.sleep(POLL_SECONDS)

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_home(self) -> None:
        if not self._layout.home.exists():
            self._layout.home.mkdir(parents=True, exist_ok=True)
            # Under root, the account of PostgreSQL passes through it, but can't list it.
            self._layout.home.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _leave(self) -> None:
        self.uri = ""
        if self._users is not None:
            self._users.close()

    def _bring_up(self, patience: Patience) -> None:
        with _LockFile(self._layout.server_lock) as server:
            if self._answers_before_gone(server, patience, "waiting for PostgreSQL"):
                return
            log = self._layout.log
            log_start = log.stat().st_size if log.exists() else 0
            crashed = launch(self._layout, server.descriptor, patience)
        with _LockFile(self._layout.server_lock) as server:
            what = "PostgreSQL is recovering after a crash" if crashed else "PostgreSQL is starting"
            if not self._answers_before_gone(server, patience, what):
                said = log.read_bytes()
                raise EmbeddedPostgresError(
                    f"PostgreSQL stopped while starting: {complaints(said[log_start:] or said)} (log: {log})"
                )

    def _answers_before_gone(self, server: "_LockFile", patience: Patience, what: str) -> bool:
        """Wait until the server answers (true) or nothing is left of it (false; `server` is then locked)."""
        answers = False

        def settled() -> bool:
            nonlocal answers
            answers = self._answers()
            return answers or server.try_exclusive()

        patience.until(settled, what)
        return answers

    def _answers(self) -> bool:
        """Whether the server takes connections; if so, it has the database "lunpai" afterwards."""
        try:
            with psycopg.connect(self._layout.address("postgres"), autocommit=True, connect_timeout=5) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'lunpai'").fetchone():
                    connection.execute("CREATE DATABASE lunpai")
        except psycopg.OperationalError as error:
            # Class 57 is a server that shuts down; a failed connection has no code, but says why.
            if (error.sqlstate or "57").startswith("57") and not REFUSED_FOR_GOOD.search(str(error)):
                return False
            raise
        return True

    def _in_one_line(self, error: OSError | psycopg.Error) -> EmbeddedPostgresError:
        home = self._layout.home
        if isinstance(error, psycopg.Error):
            return EmbeddedPostgresError(
                f"PostgreSQL in {home} refuses: {complaints(str(error).encode())} (log: {self._layout.log})"
            )
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
        return EmbeddedPostgresError(
            f"cannot use {home} as the data folder, {reason} ({error.filename or error}): "
            "put that right, or set LUNPAI_HOME to a folder with room that you can write to"
        )


class _LockFile:
    """An open lock file of the data folder; closed in forked children, so that its opener alone holds it."""

    descriptor = -1

    def __init__(self, path: Path) -> None:
        self.descriptor = open_own(path, os.O_RDWR)
        _open_lock_files.add(self)

    @property
    def closed(self) -> bool:
        return self.descriptor < 0

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def unlock(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give up the lock; whoever inherited it keeps it, as it would not after unlocking."""
        if not self.closed:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> "_LockFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_open_lock_files: "weakref.WeakSet[_LockFile]" = weakref.WeakSet()


def _close_all() -> None:
    for lock_file in list(_open_lock_files):
        lock_file.close()


os.register_at_fork(after_in_child=_close_all)
