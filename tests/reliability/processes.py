"""Programs that a test runs beside itself, talks to in lines of JSON, and may kill."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec

ROOT = Path(__file__).parents[2]
AT_MOST_SECONDS = 60.0


def eventually(holds: Callable[[], bool], what: str, at_most_seconds: float = AT_MOST_SECONDS) -> float:
    """Poll until it holds; how many seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < at_most_seconds, f"waited {at_most_seconds:g} s in vain: {what}"
        time.sleep(0.005)
    return time.monotonic() - began


class Program:
    """A module of this folder as a process of its own. Its first line of input is its task; the rest is its own affair."""

    def __init__(self, module: str, task: msgspec.Struct) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.reliability.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.tell(task)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def tell(self, message: msgspec.Struct) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(message) + b"\n")
        self.process.stdin.flush()

    def line(self, at_most_seconds: float = AT_MOST_SECONDS) -> bytes:
        """The next line of its output; b"" when it has ended. A line cut short by its death does not count."""
        try:
            said = self._lines.get(timeout=at_most_seconds)
        except queue.Empty:
            raise AssertionError(f"{self.process.args!r} said nothing for {at_most_seconds:g} s") from None
        return said if said.endswith(b"\n") else b""

    def waiting_lines(self, *, alive: bool = False) -> list[bytes]:
        """The lines that it has said and nobody has read yet. `alive`: it must not have ended by itself."""
        found: list[bytes] = []
        while not self._lines.empty():
            said = self._lines.get()
            if said.endswith(b"\n"):
                found.append(said)
            elif alive:
                raise AssertionError(f"{self.process.args!r} has ended with {self.process.wait(AT_MOST_SECONDS)}")
        return found

    def finish(self) -> int:
        """Close its input and wait for its end; its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        status = self.process.wait(AT_MOST_SECONDS)
        self._reader.join(AT_MOST_SECONDS)
        return status

    def kill(self) -> None:
        """End it at once, without a chance to tidy up; what it had said until then can still be read."""
        self.process.kill()
        self.process.wait(AT_MOST_SECONDS)
        self._reader.join(AT_MOST_SECONDS)

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            if not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
