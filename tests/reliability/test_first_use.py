"""A program that has just started is asked many things at once: the first use of its types, readers and rulebooks by
many threads ends well, every time."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from .processes import AT_MOST_SECONDS, ROOT


@pytest.mark.parametrize(("what", "tries"), [("facts", 200), ("contacts", 200), ("rulebook", 60)])
def test_many_threads_use_it_for_the_first_time(what: str, tries: int) -> None:
    """-11 is SIGSEGV: msgspec builds what it knows of a type on first use, and not under a lock of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.reliability.first_use", what, str(tries)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=AT_MOST_SECONDS,
        check=True,
    ).stdout
    assert msgspec.json.decode(said) == {"0": tries}
