"""A rebuild goes behind everybody else, as far as the system lets it; where it may not, it is done all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from projections import courtesy
from projections.courtesy import LONG_SLICE_NS, NICENESS, step_back

from .engine import ALL_VIEWS, Opened, opened

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="classes and sessions of Linux")


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    with opened(postgres_uri, ALL_VIEWS, steps=40) as office:
        yield office


def _behind_all(process: int) -> bool:
    autogroup = Path("/proc", str(process), "autogroup")
    share = autogroup.read_text() if autogroup.exists() else ""
    return (
        os.sched_getscheduler(process) == os.SCHED_IDLE
        and os.getpriority(os.PRIO_PROCESS, process) == NICENESS
        and (not share or share.endswith(f" nice {NICENESS}\n"))
    )


@on_linux
def test_a_process_of_the_rebuild() -> None:
    script = (
        "import os, sys; from projections.courtesy import step_back_here; step_back_here(); "
        "print(os.getsid(0) == os.getpid(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert _behind_all(process.pid)
        process.communicate()


@on_linux
@pytest.mark.parametrize("behind", [True, False])
def test_a_process_gets_its_share_back(behind: bool) -> None:
    """Only one that gave it away: in another's session it is not for it to say."""
    script = (
        "import sys; from pathlib import Path; from projections.courtesy import come_forward_here, step_back_here; "
        "share = Path('/proc/self/autogroup'); 'behind' in sys.argv and step_back_here(); "
        "before = share.read_text() if share.exists() else ''; come_forward_here(); "
        "print(before.split()[-1:], share.read_text().split()[-1:] if share.exists() else [], sep=';')"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, "behind" if behind else "-"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        start_new_session=True,
    ).stdout
    if said == "[];[]\n":
        pytest.skip("a system without shares for sessions")
    assert said == (f"['{NICENESS}'];['0']\n" if behind else "['0'];['0']\n")


@on_linux
def test_the_process_of_the_database(postgres_uri: str) -> None:
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        pid = connection.info.backend_pid
        if not connection.info.host.startswith("/") or os.geteuid() not in (0, Path("/proc", str(pid)).stat().st_uid):
            pytest.skip("another account's server, or one elsewhere")
        step_back(connection)
        assert _behind_all(pid)
        assert _setting(connection, "max_parallel_maintenance_workers") == "0"
        assert _setting(connection, "backend_flush_after") == "512kB"


def _setting(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


@on_linux
def test_where_it_may_not(postgres_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    for name in ("setpriority", "sched_setscheduler"):
        monkeypatch.setattr(os, name, refused)
    monkeypatch.setattr(Path, "write_text", refused)
    monkeypatch.setattr(courtesy, "_SCHED_SETATTR", {})
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        step_back(connection)
        assert os.sched_getscheduler(connection.info.backend_pid) != os.SCHED_IDLE


@on_linux
def test_another_changed_a_share_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def busy_at_first(path: Path, text: str) -> int:
        tried.append(str(path))
        if len(tried) < 3:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return len(text)

    monkeypatch.setattr(Path, "write_text", busy_at_first)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        courtesy._behind_all(process.pid)
        process.communicate(b"\n")
    assert tried == [f"/proc/{process.pid}/autogroup"] * 3


def test_the_slice_is_one_that_linux_takes() -> None:
    assert 100_000 <= LONG_SLICE_NS <= 100_000_000


def test_rows_are_copied_in_visible_to_all(office: Opened) -> None:
    """Else the first to read them marks every page, and all of them go through the log that appends wait for."""
    query = (
        "SELECT relname, relpages, relallvisible FROM pg_class "
        "WHERE relnamespace = to_regnamespace(%s) AND relname = ANY(%s) AND reltuples > 0"
    )
    with office.side.connection() as connection:
        schema = sql.Identifier(office.side.schema).as_string(connection)
        rows = connection.execute(query, [schema, [view.name for view in ALL_VIEWS]]).fetchall()
    assert len(rows) > 2
    assert all(pages == visible for _, pages, visible in rows), rows
