"""A PostgreSQL of the tests' own, which they may freeze, kill and fill."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from application.embedded_postgres import EmbeddedPostgres

from .offices import Store
from .processes import eventually


class Server:
    """An embedded PostgreSQL in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.postgres = EmbeddedPostgres(home)
        self.uri = self.postgres.start()

    def new_store(self) -> Store:
        """An empty record."""
        return Store(uri=self.uri, schema=f"test_{secrets.token_hex(8)}", master=secrets.token_bytes(32)).prepare()

    def first_process(self) -> psutil.Process:
        """The postmaster, from which all others descend."""
        return psutil.Process(int((self.home / "database" / "postmaster.pid").read_text().split("\n")[0]))

    def stop_where_it_is(self) -> list[psutil.Process]:
        """Stop all its processes, the first one first, so that it makes no others meanwhile; which they are."""
        stopped = [self.first_process()]
        _signal(stopped[0], signal.SIGSTOP)
        eventually(lambda: stopped[0].status() == psutil.STATUS_STOPPED, "the first process stands still")
        stopped += stopped[0].children(recursive=True)
        for process in stopped:
            _signal(process, signal.SIGSTOP)
        return stopped

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Meanwhile all its processes stand still where they are."""
        stopped = self.stop_where_it_is()
        try:
            yield
        finally:
            for process in stopped:
                _signal(process, signal.SIGCONT)

    def kill_first_process(self) -> None:
        """What it has started outlives it only until it next waits: so this waits for it, and that, to be gone."""
        first = self.first_process()
        started = first.children()
        first.kill()
        first.wait(10)
        psutil.wait_procs(started, timeout=2)

    def kill_a_backend(self) -> None:
        """Kill one that serves a client: PostgreSQL then ends all others, and recovers by itself."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            row = connection.execute(query).fetchone()
        assert row is not None
        _signal(psutil.Process(row[0]), signal.SIGKILL)

    def kill_everything(self) -> None:
        """As when the machine loses its memory: none of them lives a moment longer than another; keeper included."""
        keeper = self.first_process().parent()
        assert keeper is not None
        for process in [*self.stop_where_it_is(), keeper]:
            _signal(process, signal.SIGKILL)

    def restart(self) -> float:
        """Start it anew after a crash, at the same address; how many seconds that took."""
        began = time.monotonic()
        assert self.postgres.start() == self.uri
        return time.monotonic() - began

    def with_settings(self, **settings: str) -> str:
        """The address for sessions with settings of their own."""
        return make_conninfo(self.uri, options=" ".join(f"-c {name}={value}" for name, value in settings.items()))


def _signal(process: psutil.Process, how: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(how)
