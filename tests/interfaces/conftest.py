"""What tests of the command line share: a data folder, a way to type commands, the sample office."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from application.embedded_postgres import EmbeddedPostgres
from interfaces import cli
from interfaces.cli_start import SITE


class Said(NamedTuple):
    status: int
    out: str
    err: str


Lunpai = Callable[..., Said]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose server stays up for the whole module."""
    home = tmp_path_factory.mktemp("home")
    with EmbeddedPostgres(home):
        yield home


@pytest.fixture
def lunpai(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lunpai:
    """Runs a command line in this process, as the console script does."""
    monkeypatch.setenv("LUNPAI_HOME", str(home))
    monkeypatch.delenv("LUNPAI_DATABASE_URL", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["lunpai", *arguments])
        cli._spoken.clear()
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capfd.readouterr()
        return Said(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def office(lunpai: Lunpai) -> str:
    """The sample office, loaded once for the module."""
    assert lunpai("run", "--once").status == 0
    return SITE
