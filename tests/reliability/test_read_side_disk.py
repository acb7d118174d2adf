"""The disk of the database fills up under the read side: a worker and a rebuild say so in one clear line, the live views
stay and can be read, and both go on when there is room again."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from application.event_store.appending import StoreUnavailable
from projections.live import ReadSide
from projections.rebuild import rebuild
from projections.tables import FRESH
from tests.bench.filling import Store as BenchStore
from tests.projections.engine import SMALL_VIEWS, check_rows, kept, positions, rows_in, tables_in

from . import test_disk_full
from .processes import eventually
from .servers import Server
from .test_disk_full import Ballast

server = test_disk_full.server
ballast = test_disk_full.ballast

FACTS = 25_000
"""Not so many that other processes would fold them, which know the small views not."""

FULL = ("No space left on device", "Check free disk space")
"""What PostgreSQL says, depending on whether the last piece fitted by half."""


@pytest.fixture
def filled(server: Server) -> Iterator[BenchStore]:
    """A store with so many facts that its views take more room than the disk will have."""
    store = BenchStore(server.uri, server.new_store().schema + "_filled", FACTS)
    store.fill(lambda facts: None)
    yield store
    store.close()


def to_the_brim(server: Server, ballast: Ballast) -> None:
    """Leave no room for a table to grow, but some in the write-ahead log, so that PostgreSQL itself can live on."""
    test_disk_full.at_start_of_log_file(server)
    ballast.fill(room=50_000)


def test_a_rebuild_on_a_full_disk(server: Server, ballast: Ballast, filled: BenchStore) -> None:
    side = ReadSide(filled.recorder, SMALL_VIEWS)
    rebuild(side)
    before = {view.name: rows_in(side, view) for view in SMALL_VIEWS}
    to_the_brim(server, ballast)
    with pytest.raises((psycopg.Error, StoreUnavailable)) as full:
        rebuild(side)
    assert any(words in str(full.value) for words in FULL)
    assert {view.name: rows_in(side, view) for view in SMALL_VIEWS} == before
    ballast.remove()
    found = rebuild(side)
    assert found.differences == 0
    assert not [name for name in tables_in(side) if name.startswith(FRESH)]
    with side.connection() as connection:
        query = sql.SQL("SELECT status, message FROM {} ORDER BY id").format(side.table("rebuild"))
        statuses = connection.execute(query).fetchall()
    assert [status for status, _ in statuses] == ["done", "failed", "done"]
    assert statuses[1][1] and "\n" not in statuses[1][1]


def test_live_on_a_full_disk(server: Server, ballast: Ballast) -> None:
    """The worker lives, says it in one line a time, and takes everything in when there is room."""
    store = BenchStore(server.uri, server.new_store().schema + "_live", FACTS)
    try:
        side = ReadSide(store.recorder, SMALL_VIEWS)
        rebuild(side)
        store.fill(lambda facts: None)
        to_the_brim(server, ballast)
        with kept(side) as keeper:
            eventually(lambda: bool(keeper.said) or not keeper.alive, "it says so", 60)
            assert keeper.alive and any(words in said for words in FULL for said in keeper.said), keeper.said
            assert all("\n" not in said for said in keeper.said)
            position = min(positions(side).values())
            assert position < FACTS
            check_up_to(side, store, position)
            ballast.remove()
            eventually(lambda: min(positions(side).values()) == FACTS or not keeper.alive, "it goes on", 120)
            assert keeper.alive
        check_rows(side, store.record)
    finally:
        store.close()


def check_up_to(side: ReadSide, store: BenchStore, position: int) -> None:
    """What is there is of the facts up to the position, no more and no less."""
    with side.connection() as connection:
        counted = connection.execute(sql.SQL("SELECT sum(count)::bigint FROM {}").format(side.table("counted")))
        [(found,)] = counted.fetchall()
        query = sql.SQL("SELECT count(*) FROM {} WHERE position <= %s AND name LIKE 'visitor.%%'")
        fact = sql.Identifier(store.schema, "fact")
        [(wanted,)] = connection.execute(query.format(fact), [position]).fetchall()
    assert (found or 0) == wanted
