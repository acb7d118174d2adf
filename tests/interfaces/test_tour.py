"""The tour of the documentation is true: its commands run as they stand there, and answer what it says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.interfaces.conftest import Lunpai

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
MARK = "=-=-= block"
BLOCKS = re.compile(r"```bash\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)

if missing := [program for program in ("bash", "curl", "grep", "cut") if shutil.which(program) is None]:
    pytest.skip(f"the tour needs {', '.join(missing)}", allow_module_level=True)


@pytest.fixture(scope="module")
def served(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which the tour is walked: a served office, and `lunpai` to type."""
    programs = tmp_path_factory.mktemp("programs")
    (programs / "lunpai").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m interfaces.cli "$@"\n')
    (programs / "lunpai").chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "LUNPAI_HOME": str(home),
        "LANG": "C.UTF-8",
        "LUNPAI": f"http://127.0.0.1:{port}",
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "*",
    }
    environment.pop("LUNPAI_DATABASE_URL", None)
    command = [sys.executable, "-m", "interfaces.cli", "serve", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                urlopen(f"{environment['LUNPAI']}/healthz", timeout=5).close()
                break
            except (URLError, OSError):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
        yield environment
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


def blocks_of(page: str) -> list[tuple[str, str]]:
    """The commands of a page, each with what it is told to answer."""
    return BLOCKS.findall((ROOT / "docs" / page).read_text("utf-8"))


def test_the_tour_is_the_same_in_chinese() -> None:
    assert blocks_of("tour.zh-CN.md") == blocks_of("tour.md")


def test_the_tour(lunpai: Lunpai, office: str, served: dict[str, str]) -> None:
    blocks = blocks_of("tour.md")
    assert len(blocks) > 10
    script = "\n".join(f'printf "\\n{MARK} {number}\\n"\n{commands}' for number, (commands, _) in enumerate(blocks))
    walked = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, env=served, capture_output=True, text=True, timeout=300
    )
    assert walked.returncode == 0, (walked.stdout[-2000:], walked.stderr[-2000:])
    answers = re.split(rf"^{MARK} \d+\n", walked.stdout, flags=re.MULTILINE)[1:]
    assert len(answers) == len(blocks)
    for (commands, told), answer in zip(blocks, answers, strict=True):
        lines = [line for line in answer.splitlines() if line]
        for expected in told.splitlines():
            # Each line told is a line answered, in that order.
            pattern = re.compile(".*".join(map(re.escape, expected.split("…"))))
            while lines and not pattern.fullmatch(lines[0]):
                lines.pop(0)
            assert lines, f"{commands}\nanswers no line such as\n{expected}\nbut\n{answer[:4000]}"
            lines.pop(0)
    assert "13900000001" not in walked.stdout and "赵强" not in walked.stdout
