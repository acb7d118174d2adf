"""A rebuild is an audit: every row that is not the same live and in the fresh tables, with the facts behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from .dossier import dossiers
from .folding import Files, as_far_as_it_goes, fold, whole
from .live import ReadSide, ends_early
from .partition import Bounds, Reader, plan
from .processes import steps_back
from .side_by_side import side_by_side
from .tables import Key, Tables
from .view import View

MOST_RECORDED = 1_000
"""So many differences are put on record with all that is known of them; all are counted."""

BATCH = 2_000
WORK_MEM = "128MB"
"""A million facts' rows are compared within memory: in less than half the time that it takes over files."""

NOT_TWICE = "its fold does not give the same result twice"


class Difference(msgspec.Struct):
    """A row that differs: as it is live and as the facts give it anew (None: there is none), and the columns."""

    view: str
    key: Key
    live: dict[str, Any] | None
    fresh: dict[str, Any] | None

    @property
    def columns(self) -> list[str]:
        live, fresh = self.live or {}, self.fresh or {}
        return [name for name in {**live, **fresh} if live.get(name) != fresh.get(name)]


class Compared(msgspec.Struct):
    """The views compared, from where on facts may have come into one side only, and what differs."""

    views: list[View]
    start: int
    candidates: dict[str, set[Key]]
    differences: list[Difference]

    @property
    def number(self) -> int:
        return len(self.differences)

    def look_again(
        self, read_side: ReadSide, connection: psycopg.Connection, fresh: Tables, live: Tables, position: int
    ) -> None:
        """With both sides at the same fact, compare what differed before, and all that facts have touched since."""
        touched = _touched(read_side, connection, self.views, self.start, position) if self.views else {}
        self.differences = [
            Difference(view.name, key, here, there)
            for view in self.views
            if (keys := self.candidates[view.name] | touched[view.name])
            for key, here, there in live.differing(connection, view, fresh, keys)
        ]


def compare(
    read_side: ReadSide,
    fresh: Tables,
    live: Tables,
    views: Sequence[View],
    position: int,
    tell: Callable[[], None],
) -> Compared:
    """Compare all rows while facts go on coming in: what is found here may only be a fact that one side has not yet.

    `position`: up to which fact the fresh rows hold.
    """

    def compared(connection: psycopg.Connection, view: View) -> tuple[int, set[Key]]:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
            start = read_side.standing(connection)[view.name].position
            return start, {key for key, *_ in live.differing(connection, view, fresh)}

    found = side_by_side(read_side, views, compared, tell, behind=steps_back(position))
    start = min([position, *(start for start, _ in found.values())])
    return Compared(list(views), start, {name: keys for name, (_, keys) in found.items()}, [])


def _touched(
    read_side: ReadSide, connection: psycopg.Connection, views: Sequence[View], start: int, until: int
) -> dict[str, set[Key]]:
    """The keys of rows of which facts after `start` and up to `until` speak."""
    keys: dict[str, set[Key]] = {view.name: set() for view in views}
    while start < until:
        events = read_side.events(start, min(BATCH, until - start))
        if not events:
            raise ends_early(until, start)
        end = events[-1].id
        for files in read_side.touched(connection, events):
            outcomes = fold(views, files, start, {})
            for view in views:
                outcome = outcomes[view.name]
                keys[view.name].update(row.values[: view.key] for row in (*outcome.before, *outcome.after))
        start = end
    return keys


def explained(read_side: ReadSide, rebuild: int, compared: Compared, until: int) -> None:
    """Put the differences on record, each with the facts behind it and whether its fold gives the same result twice."""
    recorded = compared.differences[:MOST_RECORDED]
    if not recorded:
        return
    views = {view.name: view for view in compared.views}
    sums = {(d.view, d.key) for d in recorded if views[d.view].sums}
    facts_of_sums = _facts_of_sums(read_side, [v for v in compared.views if v.sums], sums, until) if sums else {}
    query = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)").format(read_side.table("difference"))
    with read_side.connection() as connection, connection.transaction():
        for number, found in enumerate(recorded, start=1):
            if views[found.view].sums:
                facts, note = facts_of_sums.get((found.view, found.key), ((), None))
            else:
                facts, note = _facts_behind(read_side, views[found.view], found.key, until)
            connection.execute(
                query,
                [
                    rebuild,
                    number,
                    found.view,
                    Jsonb([str(part) for part in found.key]),
                    found.columns,
                    _json(found.live),
                    _json(found.fresh),
                    list(facts),
                    note,
                ],
            )


def _facts_behind(read_side: ReadSide, view: View, key: Key, until: int) -> tuple[Sequence[int], str | None]:
    """The facts of the dossier that a row's key - whose first column is a stream - belongs to."""
    files = Files(read_side.recorder.select_streams, until)
    files.read([key[0]])
    groups = dossiers(files.streams)
    if not groups:
        return (), "no fact speaks of it"
    facts = groups[0]
    context = files.context(facts[0].site, until)
    problem = files.problem(files.streams, facts)
    first, again = (as_far_as_it_goes(view, whole(facts, context, problem))[0] for _ in range(2))
    note = None if first == again else NOT_TWICE
    row = next((row for row in first if row.values[: view.key] == key), None)
    return (row.facts if row and row.facts else [envelope.position for envelope in facts]), note


def _facts_of_sums(
    read_side: ReadSide, views: Sequence[View], wanted: set[tuple[str, Key]], until: int
) -> dict[tuple[str, Key], tuple[Sequence[int], str | None]]:
    """The facts that were counted under some keys: the log read once more."""
    found: dict[tuple[str, Key], set[int]] = {}
    unsteady: set[tuple[str, Key]] = set()
    fact = sql.Identifier(read_side.recorder.schema, "fact")
    with read_side.connection() as connection:
        planned = plan(connection, fact, until, 1)
        reader = Reader(connection, fact, planned, Bounds(until))
        for part in planned.parts:
            for rows in reader.groups(part):
                dossier = reader.judged(rows)
                if dossier is None:
                    continue
                for view in views:
                    first, again = (as_far_as_it_goes(view, dossier)[0] for _ in range(2))
                    for row in first:
                        if (key := (view.name, row.values[: view.key])) in wanted:
                            found.setdefault(key, set()).update(row.facts)
                    unsteady.update((view.name, row.values[: view.key]) for row in {*first} ^ {*again})
    return {key: (sorted(found.get(key, ())), NOT_TWICE if key in unsteady else None) for key in wanted}


def _json(row: dict[str, Any] | None) -> Jsonb | None:
    return None if row is None else Jsonb(row)
