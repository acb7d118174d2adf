"""The embedded PostgreSQL with real servers: its life from the first user to the last, and what may go wrong.

A user that is to be killed is a process of its own. Nothing waits for a fixed time; it polls for what must come.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from application import embedded_postgres_binaries as binaries
from application.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError

ROOT = Path(__file__).parents[2]
AT_MOST_SECONDS = 30
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux alone has")

USER = """
import sys
from pathlib import Path
from application.embedded_postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
print(postgres.start(), flush=True)
{extra}
sys.stdin.read()
postgres.stop()
"""
CHILDREN = """
import os, subprocess
subprocess.Popen(["cat"], stdout=subprocess.DEVNULL)
if os.fork() == 0:
    postgres.stop()
    sys.stdin.read()
    os._exit(0)
print("children run", flush=True)
"""


class User:
    """A process that uses the server until it is told to leave, or is killed."""

    def __init__(self, home: Path, extra: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER.format(extra=extra), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def says(self) -> str:
        """The next line of its output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leaves(self) -> str:
        """Let it end; the rest of its output, which ends with it and not with the server."""
        return self.process.communicate(timeout=AT_MOST_SECONDS)[0]

    def is_killed(self) -> None:
        """End it without a chance to tidy up; its children, if any, live on."""
        self.process.kill()
        self.process.wait(AT_MOST_SECONDS)

    def close(self) -> None:
        """End it and its children by the end of their input."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.kill()
        self.process.wait(AT_MOST_SECONDS)


@pytest.fixture
def user() -> Iterator[Callable[..., User]]:
    """Make users that end with the test."""
    users: list[User] = []

    def make(home: Path, extra: str = "") -> User:
        users.append(User(home, extra))
        return users[-1]

    yield make
    for one in users:
        one.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can enter, unlike those of tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="lunpai-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def server_of(home: Path) -> psutil.Process:
    """The server's first process; its parent is the keeper."""
    return psutil.Process(int((home / "database" / "postmaster.pid").read_text().split("\n")[0]))


def family_of(home: Path) -> list[psutil.Process]:
    """Keeper, server and all its children."""
    watcher = server_of(home).parent()
    assert watcher is not None
    return [watcher, *watcher.children(recursive=True)]


def eventually(holds: Callable[[], bool]) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + AT_MOST_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended, be it that nobody has asked for its exit status yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(family: list[psutil.Process]) -> None:
    """Wait until every one has ended."""
    for process in family:
        eventually(lambda process=process: gone(process))


def value(uri: str, query: str) -> object:
    """The one value that a query gives."""
    with psycopg.connect(uri) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def write(uri: str) -> None:
    """Put one row on record."""
    with psycopg.connect(uri) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")


def refusal(home: Path, **options: float) -> str:
    """The message with which a start fails, which is one line."""
    with pytest.raises(EmbeddedPostgresError) as raised:
        EmbeddedPostgres(home).start(**options)
    message = str(raised.value)
    assert "\n" not in message
    return message


def wrapped(folder: Path, name: str, script: str) -> Path:
    """A folder of binaries of which one is a script instead; `$REAL` is the true one."""
    real = binaries.find_binaries().folder
    for program in {"postgres", "initdb"} - {name}:
        text = f'#!/bin/sh\nexec "{real / program}" "$@"\n'
        (folder / program).write_text(text)
    (folder / name).write_text(f'#!/bin/sh\nREAL="{real / name}"\n{script}\n')
    for program in ("postgres", "initdb"):
        (folder / program).chmod(0o755)
    return folder


SLOW = '[ "$1" = --version ] || sleep 1.5\nexec "$REAL" "$@"'
FULL_DISK = 'echo "initdb: error: could not write file: No space left on device" >&2; exit 1'


def test_cold_and_warm_start_keep_the_data(open_folder: Path) -> None:
    """The first start makes everything, the next finds it; the settings are those of a database to rely on."""
    home = open_folder / 'a "b" c'
    told: list[str] = []
    postgres = EmbeddedPostgres(home)
    write(uri := postgres.start(progress=told.append))
    assert any("first time" in line for line in told)
    asked = {
        "SHOW data_checksums": "on",
        "SHOW fsync": "on",
        "SHOW synchronous_commit": "on",
        "SHOW server_encoding": "UTF8",
        "SHOW listen_addresses": "",
        "SELECT current_database()": "lunpai",
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'lunpai'": "lunpai",
        "SELECT rolsuper FROM pg_roles WHERE rolname = current_user": True,
    }
    assert {query: value(uri, query) for query in asked} == asked
    assert (home / "socket").stat().st_mode & 0o777 == 0o700
    family = family_of(home)
    postgres.stop()
    assert all(gone(process) for process in family), "the last user returns when the server has stopped"
    assert postgres.uri == ""

    os.truncate(home / "postgres.log", 10_000_001)
    told.clear()
    with postgres:
        assert value(postgres.uri, "SELECT number FROM kept") == 42
    assert not told
    assert (home / "postgres.log.1").stat().st_size == 10_000_001
    assert (home / "postgres.log").stat().st_size < 10_000


def test_the_server_lives_as_long_as_its_last_user(tmp_path: Path, user: Callable[..., User]) -> None:
    """Who started it is free to go; the terminal and pipes of its users are not the keeper's."""
    first, second = user(tmp_path), user(tmp_path)
    uri = first.says()
    assert second.says() == uri
    family = family_of(tmp_path)
    assert os.getsid(family[0].pid) != os.getsid(first.process.pid)
    with psycopg.connect(uri) as connection:
        assert first.leaves() == ""
        third = user(tmp_path)
        assert third.says() == uri
        second.is_killed()
        assert connection.execute("SELECT 1").fetchone() == (1,)
    third.is_killed()
    all_gone(family)


def test_children_of_a_user_do_not_keep_the_server(tmp_path: Path, user: Callable[..., User]) -> None:
    """Neither a forked child nor a started program inherits the use, and the child can't end its parent's."""
    parent = user(tmp_path, CHILDREN)
    uri = parent.says()
    assert parent.says() == "children run"
    assert value(uri, "SELECT 1") == 1
    family = family_of(tmp_path)
    children = psutil.Process(parent.process.pid).children()
    parent.is_killed()
    all_gone(family)
    assert len(children) == 2
    assert not any(gone(child) for child in children)


def test_four_first_users_at_once_start_one_server(tmp_path: Path, user: Callable[..., User]) -> None:
    """One of them starts it, the others wait for that one."""
    users = [user(tmp_path) for _ in range(4)]
    assert len({one.says() for one in users}) == 1
    assert (tmp_path / "postgres.log").read_text().count("database system is ready") == 1


def test_coming_and_going_without_end(tmp_path: Path) -> None:
    """Who comes while the last server stops gets the next one."""
    failed: list[Exception] = []

    def come_and_go() -> None:
        try:
            for _ in range(8):
                with EmbeddedPostgres(tmp_path) as postgres:
                    assert value(postgres.uri, "SELECT 1") == 1
        except (AssertionError, psycopg.Error, EmbeddedPostgresError) as error:
            failed.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_killed_server_recovers(tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same user starts it again, and is told how long that takes; nothing on record is lost."""
    with EmbeddedPostgres(tmp_path) as postgres:
        write(postgres.uri)
        family = family_of(tmp_path)
        server_of(tmp_path).kill()
        all_gone(family)
        monkeypatch.setenv("LUNPAI_PG_BIN", str(wrapped(open_folder, "postgres", SLOW)))
        told: list[str] = []
        uri = postgres.start(progress=told.append)
        assert told
        assert {line.partition(" ... ")[0] for line in told} == {"PostgreSQL is recovering after a crash"}
        assert value(uri, "SELECT number FROM kept") == 42


@linux_only
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_keeper_takes_the_server_along(tmp_path: Path, how: signal.Signals) -> None:
    """It shuts down, and the next start finds nothing in its way."""
    with EmbeddedPostgres(tmp_path) as postgres:
        write(postgres.uri)
        family = family_of(tmp_path)
        family[0].send_signal(how)
        all_gone(family)
        assert "database system is shut down" in (tmp_path / "postgres.log").read_text()
        assert value(postgres.start(), "SELECT number FROM kept") == 42


def test_a_stale_process_file_with_a_reused_number(tmp_path: Path) -> None:
    """The number in it is by now that of another program of the same account."""
    with EmbeddedPostgres(tmp_path) as postgres:
        write(postgres.uri)
        family = family_of(tmp_path)
        for process in (server_of(tmp_path), family[0]):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        all_gone(family)
    owner = (tmp_path / "database").stat().st_uid
    stale = tmp_path / "database" / "postmaster.pid"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=owner) as other:
        stale.write_text(f"{other.pid}\n" + stale.read_text().partition("\n")[2])
        with postgres:
            assert value(postgres.uri, "SELECT number FROM kept") == 42


@linux_only
def test_a_server_started_by_hand_is_left_alone(tmp_path: Path) -> None:
    """Two servers on one folder would ruin it."""
    (tmp_path / "database").mkdir()
    impostor = shutil.copy(shutil.which("cat") or "", tmp_path / "postgres")
    with subprocess.Popen([impostor], stdin=subprocess.PIPE, cwd=tmp_path / "database") as running:
        (tmp_path / "database" / "postmaster.pid").write_text(f"{running.pid}\n")
        eventually(lambda: psutil.Process(running.pid).name() == "postgres")
        assert f"process {running.pid}" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["long" * 30, "a, b"])
def test_a_home_unfit_for_a_socket(name: str, open_folder: Path, user: Callable[..., User]) -> None:
    """Its socket lies elsewhere, where a second user finds it, and which is removed with the server."""
    home = open_folder / name
    with EmbeddedPostgres(home) as postgres:
        other = user(home)
        assert other.says() == postgres.uri
        elsewhere = Path(os.readlink(home / "socket"))
        assert elsewhere.stat().st_mode & 0o777 == 0o700
        other.leaves()
    assert not elsewhere.exists()


def test_a_full_disk_leaves_nothing_that_blocks_the_next_try(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data are whole or not there."""
    monkeypatch.setenv("LUNPAI_PG_BIN", str(wrapped(open_folder, "initdb", FULL_DISK)))
    assert "No space left on device" in refusal(tmp_path)
    assert not list(tmp_path.glob("database*"))
    monkeypatch.delenv("LUNPAI_PG_BIN")
    with EmbeddedPostgres(tmp_path) as postgres:
        assert value(postgres.uri, "SELECT 1") == 1


def test_a_start_that_fails_or_takes_too_long(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both say why in one line, and do not block the next."""
    with EmbeddedPostgres(tmp_path):
        pass
    with monkeypatch.context() as slow:
        slow.setenv("LUNPAI_PG_BIN", str(wrapped(open_folder, "postgres", SLOW)))
        assert "not done after 0.5 s" in refusal(tmp_path, start_timeout_seconds=0.5)
    with EmbeddedPostgres(tmp_path) as postgres:
        assert value(postgres.uri, "SELECT 1") == 1
    with (tmp_path / "database" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    assert "contains errors" in refusal(tmp_path)


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    """Here, because a file is where a folder should be."""
    (tmp_path / "file").touch()
    assert f"cannot use {tmp_path / 'file' / 'home'}" in refusal(tmp_path / "file" / "home")
