"""Filling empty tables of views from the whole log: what a rebuild does beside the live tables, and what an answer as
of another instant does in temporary ones."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import psycopg
from psycopg import sql

from application.event_store.migrations import ROLE

from .courtesy import step_back
from .folding import Parked
from .live import ReadSide
from .partition import Bounds, plan
from .processes import Job, fold_all, processes_for, steps_back
from .room import Room
from .tables import Tables
from .view import Sums

COPY_AT_BYTES = 4_000_000


class Filled(msgspec.Struct, frozen=True):
    """How many facts were folded, and what could not be taken."""

    facts: int
    parked: tuple[Parked, ...]


def fill(
    read_side: ReadSide,
    connection: psycopg.Connection,
    tables: Tables,
    bounds: Bounds,
    room: Room,
    tell: Callable[[int], None] = lambda facts: None,
    *,
    own_transaction: bool = False,
) -> Filled:
    """Fold the log within bounds into tables just made, over the connection that made them.

    `room` is left to others; `tell` is given the number of facts folded so far; `own_transaction`: the tables were
    made in the transaction that is under way. Raises FoldingFailed, psycopg.Error.
    """
    views, recorder = tables.views, read_side.recorder
    processes = processes_for(bounds.until)

    def job() -> Job:
        with read_side.connection() as reader:
            if steps_back(bounds.until):
                step_back(reader)
            planned = plan(reader, sql.Identifier(recorder.schema, "fact"), bounds.until, processes)
        return Job(recorder.uri, recorder.schema, ROLE, tuple(view.name for view in views), planned, bounds)

    waiting: list[list[bytes]] = [[] for _ in views]
    sizes = [0] * len(views)
    sums = [Sums(view) for view in views]
    parked: list[Parked] = []
    done = 0
    for folded, facts in fold_all(job, views, processes, room):
        done += facts
        parked.extend(folded.parked)
        for place, view in enumerate(views):
            waiting[place].append(folded.rows[place])
            sizes[place] += len(folded.rows[place])
            if sizes[place] >= COPY_AT_BYTES:
                tables.copy(connection, view, waiting[place], own_transaction=own_transaction)
                waiting[place], sizes[place] = [], 0
        for place, counted in enumerate(folded.sums):
            sums[place].merge(counted)
        tell(done)
    for place, view in enumerate(views):
        rows = [*waiting[place], *sums[place].encoded()]
        tables.copy(connection, view, rows, own_transaction=own_transaction)
    return Filled(done, tuple(parked))
