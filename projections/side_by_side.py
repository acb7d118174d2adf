"""Something done in the database for every view: several at a time, each over a connection of its own, as what the
database does for one connection keeps one processor busy and no more."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import psycopg

from .courtesy import step_back
from .live import ReadSide
from .view import View

T = TypeVar("T")


def side_by_side(
    read_side: ReadSide,
    views: Sequence[View],
    do: Callable[[psycopg.Connection, View], T],
    tell: Callable[[], None] = lambda: None,
    *,
    behind: bool,
) -> dict[str, T]:
    """What `do` gives for every view, by its name; `behind`: behind everybody else who works here. `tell` is called
    after each; where it or `do` raises, the statements that are running are cancelled, and no more is begun."""
    if not views:
        return {}

    open_ones: set[psycopg.Connection] = set()

    def over_its_own(view: View) -> T:
        with read_side.connection() as connection:
            open_ones.add(connection)
            if behind:
                step_back(connection)
            try:
                return do(connection, view)
            finally:
                open_ones.discard(connection)

    with ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool:
        begun = {pool.submit(over_its_own, view): view for view in views}
        try:
            for done in as_completed(begun):
                done.result()
                tell()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for connection in open_ones.copy():
                connection.cancel_safe()
            raise
    return {view.name: done.result() for done, view in begun.items()}
