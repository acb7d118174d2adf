"""A site in a store of its own with the read side of it, and what its views must hold by the facts alone: what the tests
of the engine share, here and in tests/reliability."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psutil
import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import sql

from application.event_store.mapper import encode
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from domain.record import Draft, Envelope, Fact
from domain.visitor import VisitorRegistered
from projections.dossier import CUSTOMER, SITE, Judged, context_of, dossiers, kind_of
from projections.folding import judge, rows_of
from projections.live import ReadSide, keep_live
from projections.rebuild import Progress, rebuild
from projections.tables import Key
from projections.view import Column, Row, View
from projections.views import VIEWS
from tests.conftest import schema_of_its_own
from tests.projections.playing import Play
from tests.reliability.offices import Store, open_office

Rows = dict[Key, tuple[Any, ...]]
ALL_VIEWS = tuple(VIEWS.values())


# Two small views: a row for every customer, and a sum over all of them


def _owned(judged: Judged) -> Iterator[Row]:
    for entry, found in judged.customers:
        values = (entry.visitor, entry.registration, judged.site, found.owner, found.ground, found.until)
        yield Row(values, judged.positions)


def _counted(judged: Judged) -> Iterator[Row]:
    for envelope in judged.facts:
        yield Row((judged.site, envelope.fact.stored_name, 1), (envelope.position,))


OWNED = View(
    name="owned",
    about_en="who owns whom",
    about_zh="归属",
    columns=(
        Column("file", "uuid", ""),
        Column("registration", "integer", ""),
        Column("site", "uuid", ""),
        Column("owner", "uuid", "", null=True),
        Column("ground", "text", ""),
        Column("until", "date", "", null=True),
    ),
    key=2,
    indexes=("(site, owner)",),
    rows={CUSTOMER: _owned},
)
COUNTED = View(
    name="counted",
    about_en="how many facts of every name",
    about_zh="各类事实计数",
    columns=(Column("site", "uuid", ""), Column("what", "text", ""), Column("count", "bigint", "")),
    key=2,
    sums=1,
    rows={CUSTOMER: _counted},
)
SMALL_VIEWS = (OWNED, COUNTED)


# What a view must hold, and what it holds


def expected(record: Record, views: Sequence[View]) -> dict[str, Rows]:
    """The rows of views by the facts alone: the whole log in memory, put together at once, without any table."""
    streams: dict[UUID, list[Envelope]] = defaultdict(list)
    sites: dict[UUID, list[Envelope]] = defaultdict(list)
    for envelope in record.read():
        where = sites if kind_of(envelope.fact.stored_name) == SITE else streams
        where[envelope.stream].append(envelope)
    contexts = {site: context_of(facts) for site, facts in sites.items()}
    found: dict[str, Rows] = {view.name: {} for view in views}
    for facts in dossiers(streams):
        judged = judge(facts, contexts[facts[0].site])
        if judged is None:
            assert kind_of(facts[0].fact.stored_name) is None  # such as keys: no view speaks of them
            continue
        for view in views:
            for row in rows_of(view, judged):
                _put(found[view.name], view, row.values)
    return found


def _put(rows: Rows, view: View, values: tuple[Any, ...]) -> None:
    key, before = values[: view.key], rows.get(values[: view.key])
    if before is None:
        rows[key] = values
        return
    assert view.sums, f"{view.name}: {key} stands twice"
    first = len(values) - view.sums
    rows[key] = (*values[:first], *(one + other for one, other in zip(before[first:], values[first:], strict=True)))


def rows_in(side: ReadSide, view: View, prefix: str = "") -> Rows:
    """The rows that a view's table holds."""
    with side.connection() as connection:
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(side.schema, prefix + view.name))
        rows = connection.execute(query).fetchall()
    plain = [tuple(tuple(part) if isinstance(part, list) else part for part in row) for row in rows]
    return {row[: view.key]: row for row in plain}


def check_rows(side: ReadSide, record: Record, views: Iterable[View] | None = None) -> None:
    """Every view holds what the facts say, row by row, and nothing else."""
    views = tuple(side.views if views is None else views)
    right = expected(record, views)
    for view in views:
        there = rows_in(side, view)
        wrong = [key for key in {**there, **right[view.name]} if there.get(key) != right[view.name].get(key)]
        assert wrong == [], (
            f"{view.name}: {len(wrong)} of {len(right[view.name])} rows are wrong, the first is "
            f"{there.get(wrong[0])} where the facts say {right[view.name].get(wrong[0])}"
        )


def catch_up(side: ReadSide, limit: int = 500) -> None:
    """Take all there is into the live views, so many facts at a time."""
    with side.connection() as connection:
        while side.advance(connection, limit):
            pass


def positions(side: ReadSide) -> dict[str, int]:
    """Up to which fact every view holds."""
    with side.connection() as connection:
        return {name: standing.position for name, standing in side.standing(connection).items()}


def spawned() -> list[psutil.Process]:
    """The processes that this one has started for its work."""
    return [c for c in psutil.Process().children() if any("spawn_main" in word for word in c.cmdline())]


def tables_in(side: ReadSide) -> set[str]:
    """The names of the tables of the read side."""
    with side.connection() as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        return {row[0] for row in connection.execute(query, [side.schema]).fetchall()}


def parked(side: ReadSide) -> list[tuple[Any, ...]]:
    """View, stream, position, name, reason and tries of all that is parked."""
    with side.connection() as connection:
        query = sql.SQL("SELECT view, stream, position, name, reason, tries FROM {} ORDER BY 1, 2")
        return connection.execute(query.format(side.table("parked"))).fetchall()


class Keeper:
    """A worker that keeps the views live, in a thread of this process."""

    def __init__(self, side: ReadSide) -> None:
        self.said: list[str] = []
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self._ended = self._thread.submit(keep_live, side, self._stop, self.said.append)

    @property
    def alive(self) -> bool:
        return not self._ended.done()

    def close(self) -> None:
        """Have it stop, which it does soon and without an error."""
        self._stop.set()
        self._thread.shutdown(wait=True)
        self._ended.result(0)


@contextmanager
def kept(side: ReadSide) -> Iterator[Keeper]:
    keeper = Keeper(side)
    try:
        yield keeper
    finally:
        keeper.close()


def as_owner(store: Store, statement: str, *arguments: Any, **tables: str) -> list[tuple[Any, ...]]:
    """Carry out something as the database's owner. {name} stands for the table `tables[name]` of the read side."""
    named = {name: sql.Identifier(f"{store.schema}_views", table) for name, table in tables.items()}
    with psycopg.connect(store.uri, autocommit=True) as connection:
        result = connection.execute(sql.SQL(statement).format(**named), arguments or None)
        return result.fetchall() if result.description else []


def put_on_record(record: Record, *facts: tuple[UUID, int, str, bytes]) -> int:
    """Append facts as they are - stream, version, stored name, body -, good or bad; the position of the last."""
    record.recorder.insert_events([StoredEvent(*fact) for fact in facts])
    return record.position()


def body_of(site: UUID, fact: Fact, at: datetime | None = None) -> bytes:
    """A fact as it is stored. `at`: when it happened, if not when it was recorded."""
    command = uuid4()
    draft = Draft(
        site=site,
        stream=site,
        version=1,
        occurred_at=at,
        entered_at=None,
        actor=command,
        command_id=command,
        correlation_id=command,
        edition=None,
        fact=fact,
    )
    return encode(draft)


def a_registration(by: UUID) -> VisitorRegistered:
    """Of somebody whose name and phone nobody can read."""
    return VisitorRegistered(
        registration=1, person=uuid4(), sealed=b"", has_name=True, has_phone=True, same_name_as=None, by=by, via="visit"
    )


class Opened:
    """An office on a store of its own, and the read side of that."""

    def __init__(self, store: Store, record: Record, views: Sequence[View], consultants: int = 3) -> None:
        self.store, self.record = store, record
        self.staffed = open_office(record, Keyring(store.master, record.person_keys), consultants)
        self.site = self.staffed.site
        self.play = Play(store, record, self.staffed)
        self.office = self.play.office
        self.side = self.with_views(views)

    def with_views(self, views: Sequence[View], code: str | None = None) -> ReadSide:
        """The read side with other views, or as another program has it."""
        assert isinstance(self.record.recorder, PostgresRecorder)
        side = ReadSide(self.record.recorder, views)
        side.code = code or side.code
        return side

    def version(self, visitor: UUID) -> int:
        return self.office.files.visitor(visitor).version

    def owner(self, statement: str, *arguments: Any, **tables: str) -> list[tuple[Any, ...]]:
        return as_owner(self.store, statement, *arguments, **tables)


@contextmanager
def opened(
    uri: str, views: Sequence[View] = SMALL_VIEWS, *, steps: int = 0, build: bool = True, seed: int = 1
) -> Iterator[Opened]:
    """An office after so many steps, with its views built."""
    with schema_of_its_own(uri, check=False) as schema:
        store = Store(uri=uri, schema=schema, master=secrets.token_bytes(32)).prepare()
        with store.record() as record:
            office = Opened(store, record, views)
            office.play.steps(steps, seed)
            if build:
                rebuild(office.side)
            yield office


def with_rows(view: View, rows: Callable[[Judged], Iterable[Row]]) -> View:
    """The view with another fold."""
    return msgspec.structs.replace(view, rows={CUSTOMER: rows})


# A rebuild and what becomes of it

BEFORE_THE_EXCHANGE = ("planning", "folding", "indexing", "catching up", "comparing", "swapping")


def at(stage: str, do: Callable[[], object]) -> Callable[[Progress], None]:
    """Something done once, when a rebuild comes to a stage."""
    done: list[str] = []

    def tell(progress: Progress) -> None:
        if progress.stage == stage and not done:
            done.append(stage)
            do()

    return tell


def statuses(office: Opened) -> list[tuple[str, str | None]]:
    """What became of all rebuilds so far: status and message."""
    return [(row[0], row[1]) for row in office.owner("SELECT status, message FROM {r} ORDER BY id", r="rebuild")]


def check_untouched(office: Opened, before: dict[str, Any]) -> None:
    """The live views are as they were and can be kept; nothing else is left."""
    assert {view.name: rows_in(office.side, view) for view in office.side.views} == before
    assert not [name for name in tables_in(office.side) if name.startswith("fresh_")]
    assert office.owner("SELECT view FROM {p} WHERE view LIKE 'fresh%%' OR view LIKE 'fresh%'", p="parked") == []
    office.play.steps(5, 99)
    catch_up(office.side)
    check_rows(office.side, office.record)


def rows_now(office: Opened) -> dict[str, Any]:
    return {view.name: rows_in(office.side, view) for view in office.side.views}
