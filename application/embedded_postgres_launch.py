"""What the first user of an embedded PostgreSQL does while it alone holds the server's lock: make the data if
there are none, clear away what a crashed server left, and start the keeper.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from application import embedded_postgres_keeper as keeper
from application.embedded_postgres_binaries import (
    Account,
    Binaries,
    EmbeddedPostgresError,
    account_for,
    find_binaries,
    make_runnable,
    reaches,
    run_as,
)

POLL_SECONDS = 0.02
LOG_AT_MOST_BYTES = 10_000_000
SOCKET_PATH_AT_MOST_BYTES = 103  # sockaddr_un.sun_path: 108 on Linux, 104 on macOS, with a closing zero
PORT = "5432"
SETTINGS = {
    "listen_addresses": "",  # the socket's folder, closed to others, is the only way in
    "port": PORT,  # names the socket; PGPORT must not change it
    "max_connections": "100",
    "shared_buffers": "128MB",
    # A confirmed fact is on disk, whatever postgresql.conf says: the command line wins.
    "fsync": "on",
    "synchronous_commit": "on",
    # There are no replicas; so COPY into a fresh table, as in a rebuild, need not be logged as well.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The wheel is built without it: plans and times are the same with every PostgreSQL found.
    "jit": "off",
    # The log is quoted in error messages, and read beside facts, whose times are UTC.
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "lunpai",
}
# What PostgreSQL says went wrong, with what it adds to that; what it tells those who ask too early is no complaint.
COMPLAINT = re.compile(
    r"\b(?:FATAL|PANIC|ERROR|error):\s+(?!\s|the database system is|terminating connection)"
    r"(.*(?:\n.*\b(?:DETAIL|HINT|detail|hint):.*)*)"
)
BEFORE_WORDS = re.compile(r"^[-\d]+ [.:\d]+ \w+ \[\d+\] (?:[A-Z]+:\s+)?|^\w+: \w+: ")


class Patience:
    """Waits for what takes long, tells how long it takes, and gives up when the time for all is over."""

    def __init__(self, progress: Callable[[str], None], at_most_seconds: float) -> None:
        self.progress = progress
        self._at_most_seconds = at_most_seconds
        self._deadline = time.monotonic() + at_most_seconds

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Return when `done()` is true; raise EmbeddedPostgresError when time is over."""
        began = time.monotonic()
        told = 0
        while not done():
            now = time.monotonic()
            if now > self._deadline:
                raise EmbeddedPostgresError(
                    f"{what}: not done after {self._at_most_seconds:g} s; try again with more time"
                )
            if now - began >= told + 1:
                told = int(now - began)
                self.progress(f"{what} ... {told} s")
            time.sleep(POLL_SECONDS)


class Layout:
    """Where things lie in the program's data folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = home / "database"
        self.log = home / "postgres.log"
        self.sockets = home / "socket"  # the folder, or a link to it where home's path does not fit a socket
        self.users_lock = home / "users.lock"
        self.start_lock = home / "start.lock"
        self.server_lock = home / "server.lock"

    def address(self, database: str) -> str:
        """Address of a database for psycopg, over the socket."""
        folder = os.readlink(self.sockets) if self.sockets.is_symlink() else str(self.sockets)
        return f"postgresql://lunpai@/{database}?host={quote(folder, safe='')}&port={PORT}"


def launch(layout: Layout, server_lock: int, patience: Patience) -> bool:
    """Start a keeper with its server, both of which inherit the lock; true if the last server crashed.

    It is for the caller to wait until the server answers. Raises EmbeddedPostgresError and OSError.
    """
    binaries = find_binaries()
    check_version(layout.database, binaries)
    account = account_for(layout.database if layout.database.exists() else layout.home)
    sockets = make_socket_folder(layout.sockets, account)
    try:
        copies = layout.home if reaches(account, layout.home) else sockets
        programs = make_runnable(binaries, account, copies)
        if not layout.database.exists():
            create_database_folder(layout.database, programs, binaries.major, account, server_lock, patience)
        crashed = clear_stale_process_file(layout.database)
    except BaseException:
        shutil.rmtree(sockets, ignore_errors=True)
        raise
    start_keeper(layout, programs, account, sockets, server_lock)
    return crashed


def check_version(database: Path, binaries: Binaries) -> None:
    """Refuse data of another major version, whose format differs."""
    try:
        made_by = (database / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    if made_by != str(binaries.major):
        raise EmbeddedPostgresError(
            f"{database} was made by PostgreSQL {made_by}, but {binaries.folder} is PostgreSQL "
            f"{binaries.major}: set LUNPAI_PG_BIN to the folder with the binaries of a PostgreSQL {made_by}"
        )


def make_socket_folder(place: Path, account: Account | None) -> Path:
    """Make a folder that only its owner enters: at `place`, or a temporary one and `place` a link to it.

    The latter is for a path that does not fit a socket's address, or that the account can't enter. It is made under
    the name it had before, so that whoever knows a crashed server's address finds the next one there.
    """
    before: Path | None = None
    if place.is_symlink():
        before = Path(os.readlink(place))
        shutil.rmtree(before, ignore_errors=True)
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    if _fits_socket(place) and reaches(account, place.parent):
        folder = place
        folder.mkdir(0o700)
    else:
        parents = (Path(tempfile.gettempdir()), Path("/tmp"))
        fitting = (path for path in parents if _fits_socket(path / "lunpai-12345678") and reaches(account, path))
        parent = next(fitting, None)
        folder = _made_again(before, parent) or Path(tempfile.mkdtemp(prefix="lunpai-", dir=parent))
        place.symlink_to(folder)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def create_database_folder(
    database: Path,
    programs: Path,
    major: int,
    account: Account | None,
    server_lock: int,
    patience: Patience,
) -> None:
    """Run initdb; the folder takes its name only when it is complete, so that a failure leaves nothing."""
    what = "creating the embedded database, the first time only"
    patience.progress(what)
    for half_made in database.parent.glob("database-new-*"):
        shutil.rmtree(half_made)
    fresh = Path(tempfile.mkdtemp(prefix="database-new-", dir=database.parent))
    try:
        if account:
            os.chown(fresh, account.uid, account.gid)
        with _passed_on(fresh, account) as (name, inherited), tempfile.TemporaryFile() as said:
            with subprocess.Popen(
                [programs / "initdb", "-D", name, *_initdb_options(major)],
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=[server_lock, *inherited],
                **run_as(account),
            ) as initdb:
                try:
                    patience.until(lambda: initdb.poll() is not None, what)
                finally:
                    initdb.kill()
            if initdb.returncode != 0:
                said.seek(0)
                raise EmbeddedPostgresError(
                    f"PostgreSQL could not create its data in {database.parent}: {complaints(said.read())}; "
                    "put that right, or set LUNPAI_HOME to another folder"
                )
        fresh.rename(database)
        _sync(database.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def clear_stale_process_file(database: Path) -> bool:
    """Remove a crashed server's, since its process number may be another's by now; true if there was one.

    The server's lock says that none of ours runs; one started by hand is left alone and refused.
    """
    path = database / "postmaster.pid"
    try:
        number = path.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return False
    if number.isdigit() and _is_server(int(number), database):
        raise EmbeddedPostgresError(
            f"a PostgreSQL that lunpai did not start, process {number}, uses {database}: stop it first"
        )
    path.unlink()
    return True


def start_keeper(layout: Layout, programs: Path, account: Account | None, sockets: Path, server_lock: int) -> None:
    """Start the process that is the server's parent, detached from this one and its terminal."""
    with contextlib.suppress(FileNotFoundError):
        if layout.log.stat().st_size > LOG_AT_MOST_BYTES:
            layout.log.replace(layout.log.with_suffix(".log.1"))
    quoted = str(sockets).replace('"', '""')
    settings = SETTINGS | {"unix_socket_directories": f'"{quoted}"'}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (
        os.fdopen(open_own(layout.log, os.O_WRONLY | os.O_APPEND), "ab") as log,
        _passed_on(layout.database, account) as (name, inherited),
    ):
        task: keeper.Task = {
            "command": [str(programs / "postgres"), "-D", name, *options],
            "inherited": [server_lock, *inherited],
            "account": (account.uid, account.gid) if account else None,
            "users_lock": str(layout.users_lock),
            "discard": str(sockets) if sockets != layout.sockets else None,
        }
        # Isolated and without site: it needs neither the program's path nor the person's own settings.
        subprocess.run(
            [sys.executable, "-I", "-S", keeper.__file__, json.dumps(task)],
            check=False,  # what it could not do is in the log, like all that befalls it later
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=task["inherited"],
            start_new_session=True,
        )


def open_own(path: Path, flags: int) -> int:
    """Open or make a file of the data folder; what root makes in another's folder is that other's."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0 and (owner := path.parent.stat()).st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def complaints(said: bytes) -> str:
    """The first that PostgreSQL complained of, which led to the rest, else the last that it said; in one line."""
    spoken = said.decode(errors="replace").strip()
    first = (COMPLAINT.findall(spoken) or ["\n".join(spoken.splitlines()[-3:])])[0]
    lines = [BEFORE_WORDS.sub("", line.strip()) for line in first.splitlines()]
    return "; ".join(line for line in lines if line)[:400] or "it did not say why"


def _made_again(before: Path | None, parent: Path | None) -> Path | None:
    """The folder of before, new and ours alone; None when there was none, or when somebody else has taken its name."""
    if before is None or before.parent != parent:
        return None
    try:
        before.mkdir(0o700)
    except OSError:
        return None
    return before


def _fits_socket(folder: Path) -> bool:
    # libpq takes a comma for the end of one host's name.
    path = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(path) <= SOCKET_PATH_AT_MOST_BYTES and b"," not in path


@contextlib.contextmanager
def _passed_on(folder: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name under which the account can use its folder, and the descriptors that it must inherit for that.

    Where it can't enter the folders above, whose modes are not ours to change, a descriptor takes it there.
    """
    if reaches(account, folder):
        yield str(folder), ()
    elif sys.platform == "linux":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", (descriptor,)
        finally:
            os.close(descriptor)
    else:
        name = account.name if account else ""
        raise EmbeddedPostgresError(
            f"account {name} can't enter {folder.parent}: set LUNPAI_HOME to a folder that it can enter"
        )


def _initdb_options(major: int) -> list[str]:
    # PostgreSQL's own C.UTF-8 sorts alike everywhere and for ever; before 17 it has the system's only.
    system_locale = "C.UTF-8" if sys.platform == "linux" else "C"
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    access = ["--auth-local=trust", "--auth-host=reject"]
    return ["-U", "lunpai", "-E", "UTF8", "--data-checksums", f"--locale={system_locale}", *builtin, *access]


def _environment() -> dict[str, str]:
    """The caller's, without what would steer PostgreSQL; with a time zone, which initdb else searches for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _is_server(process: int, database: Path) -> bool:
    """Whether the process is a PostgreSQL at work in the folder (other systems than Linux: is one at all)."""
    if sys.platform == "linux":
        known = Path("/proc", str(process))
        try:
            return (known / "comm").read_text() == "postgres\n" and (known / "cwd").samefile(database)
        except OSError:
            return False  # none, or another account's, and so not this folder's owner
    said = subprocess.run(["ps", "-o", "comm=", "-p", str(process)], capture_output=True, text=True)
    return "postgres" in said.stdout


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
