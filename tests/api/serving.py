"""`lunpai serve` as a process of its own, for tests that need the real server."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(
    home: Path, *, workers: int = 2, database: str | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server of the store in a folder, and its port, once it answers; ended afterwards, if it lives. `database`: an
    address, in the place of the embedded database of that folder. What it logs is in `serve.log` in the folder."""
    port = free_port()
    environment = {**os.environ, "LUNPAI_HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    environment.pop("LUNPAI_DATABASE_URL", None)
    if database is not None:
        environment["LUNPAI_DATABASE_URL"] = database
    command = [sys.executable, "-m", "interfaces.cli", "serve", "--port", str(port), "--workers", str(workers)]
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
    try:
        _wait_until_it_answers(process, port)
        yield process, port
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", "/healthz")
                assert connection.getresponse().status == 200
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
