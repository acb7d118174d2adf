"""`python -m tests.bench`: measure, print the figures as a table or as JSON, exit 1 when one misses its target."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import msgspec
from rich.console import Console

from . import api, append, importing, live, queue, read_side, reading, replay
from .figures import Figure, missed, show
from .server import environment, server

WIDTH = 160
"""Of the table in a file or pipe, which has none of its own."""

PARTS = ("append", "replay", "decode", "attribute", "import", "queue", "api", "rebuild", "live")


def main() -> int:
    """Exit status 0 when every target is met (or --no-check)."""
    options = _options()
    errors = Console(stderr=True)
    with errors.status("starting PostgreSQL") as status, server(status.update) as (uri, home):
        began = time.monotonic()
        found = {"measured": datetime.now(UTC).isoformat(timespec="minutes"), **environment(uri, home)}
        figures = list(_measure(uri, options, _told(errors, status.update)))
        found["took"] = f"{time.monotonic() - began:.0f} s, {options.rounds} rounds of {options.seconds:g} s"
    if options.json:
        result = {"environment": found, "figures": msgspec.to_builtins(figures), "missed": len(missed(figures))}
        print(json.dumps(result, ensure_ascii=False, indent=2))
    show(Console(stderr=options.json, width=None if sys.stdout.isatty() else WIDTH), found, figures)
    return 1 if missed(figures) and not options.no_check else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every measurement (default: 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds per peer and round (default: 2)")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be given again")
    parser.add_argument(
        "--facts",
        type=int,
        default=read_side.FACTS,
        help="facts in the store for rebuild and live (default: 1,000,000)",
    )
    parser.add_argument(
        "--live-seconds", type=float, default=300.0, help="how long facts come in steadily (default: 300)"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON on stdout, the table on stderr")
    parser.add_argument("--no-check", action="store_true", help="exit 0 even when a target is missed")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("there must be at least one round, of more than no time")
    return options


def _measure(uri: str, options: argparse.Namespace, progress: Callable[[str], None]) -> Iterator[Figure]:
    """The parts that are asked for, in the order in which they disturb each other least."""
    parts, rounds, seconds = options.only or PARTS, options.rounds, options.seconds
    if "append" in parts:
        yield from append.measure(uri, rounds, seconds, progress)
    if "import" in parts:
        yield from importing.measure(uri, rounds, progress)
    if "queue" in parts:
        yield from queue.measure(uri, rounds, progress)
    if "api" in parts:
        yield from api.measure(uri, rounds, seconds, progress)
    if {"rebuild", "live"} & set(parts):
        with closing(read_side.crowd(uri, options.facts, progress)) as crowd:
            if "rebuild" in parts:
                yield from read_side.measure_rebuild(crowd, rounds, seconds, progress)
                yield from live.measure_appends_meanwhile(crowd, rounds, progress)
            if "live" in parts:
                yield from live.measure_live(crowd, options.live_seconds, progress)
    if not {"replay", "decode", "attribute"} & set(parts):
        return
    with ExitStack() as stack:
        small = replay.filled(uri, replay.SMALL, progress)
        stack.callback(small.close)
        if "decode" in parts:
            yield from reading.measure_decode(small, rounds, seconds, progress)
        if "attribute" in parts:
            yield from reading.measure_attribution(small, rounds, seconds, progress)
        if "replay" in parts:
            large = replay.filled(uri, replay.LARGE, progress)
            stack.callback(large.close)
            yield from replay.measure(small, large, rounds, progress)


def _told(console: Console, update: Callable[[str], None]) -> Callable[[str], None]:
    """Progress for people who look at a terminal, and one line per measurement for those who keep a log."""
    last = ""

    def tell(line: str) -> None:
        nonlocal last
        what = line.partition(":")[0]
        if not console.is_terminal and what != last:
            console.print(line, highlight=False)
        last = what
        update(line)

    return tell


if __name__ == "__main__":
    sys.exit(main())
