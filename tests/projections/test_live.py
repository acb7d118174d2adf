"""Keeping views live: whatever the pieces in which facts are taken in, the rows are what the facts say; rows and position
go together; what is lost, cut or late only delays."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from application.commands import Stamp
from projections import live
from projections.live import lag, wait_until
from projections.rebuild import rebuild
from tests.bench.filling import Store as BenchStore
from tests.conftest import schema_of_its_own
from tests.reliability.offices import Store, phone_number
from tests.reliability.processes import eventually

from .engine import (
    ALL_VIEWS,
    OWNED,
    SMALL_VIEWS,
    Keeper,
    Opened,
    catch_up,
    check_rows,
    kept,
    opened,
    positions,
    rows_in,
)
from .playing import STEPS


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    """An office with a short history, under the two small views."""
    with opened(postgres_uri, steps=30) as office:
        yield office


def came_to(office: Opened, keeper: Keeper) -> None:
    """The worker takes in all there is, and the rows are right."""

    def live_or_dead() -> bool:
        return not keeper.alive or set(positions(office.side).values()) == {office.record.position()}

    eventually(live_or_dead, "the views are live", 20)
    assert keeper.alive, f"the worker has ended; it said {keeper.said}"
    check_rows(office.side, office.record)


# The same rows, whatever the pieces


@pytest.mark.parametrize("limit", [1, 7, 5000])
def test_pieces_of_any_size(postgres_uri: str, limit: int) -> None:
    with opened(postgres_uri, ALL_VIEWS) as office:
        for seed in range(3):
            office.play.steps(60, seed)
            catch_up(office.side, limit)
            check_rows(office.side, office.record)
        assert rebuild(office.side, check=True).differences == 0


steps = st.tuples(st.sampled_from(list(STEPS)), st.integers(0, 50), st.integers(0, 50))
pieces = st.lists(st.tuples(st.lists(steps, min_size=1, max_size=12), st.integers(1, 30)), min_size=1, max_size=4)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=pieces)
def test_live_in_pieces_equals_a_rebuild(
    postgres_uri: str, history: list[tuple[list[tuple[str, int, int]], int]]
) -> None:
    """Every view, row by row, after every piece; then the rebuild finds nothing else, and leaves the same rows."""
    with opened(postgres_uri, ALL_VIEWS) as office:
        for commands, limit in history:
            for what, one, two in commands:
                office.play.step(what, one, two)
            catch_up(office.side, limit)
            check_rows(office.side, office.record)
        before = {view.name: rows_in(office.side, view) for view in ALL_VIEWS}
        assert rebuild(office.side).differences == 0
        assert {view.name: rows_in(office.side, view) for view in ALL_VIEWS} == before


def test_a_relation_makes_two_customers_one(office: Opened) -> None:
    """The row of the second goes away, and the sums stay what they were but for the new facts."""
    for number in (1001, 1002):
        stamp = Stamp(actor=uuid4(), at=datetime.now(UTC))
        by, phone = office.staffed.consultants[0], phone_number(number)
        entry = office.office.register(stamp, by=by, name="王小明", phone=phone).entry
        assert entry is not None
        office.play.entries.append(entry)
    first, second = office.play.entries[-2:]
    catch_up(office.side, 1)
    rows = rows_in(office.side, OWNED)
    assert {(first.visitor, 1), (second.visitor, 1)} <= rows.keys()
    together = Stamp(actor=uuid4(), at=datetime.now(UTC))
    office.office.relate(together, visitor=first, to=second, relation="spouse", proven=True)
    catch_up(office.side, 1)  # one of the two files learns of it before the other
    assert len(rows_in(office.side, OWNED)) == len(rows) - 1
    check_rows(office.side, office.record)


def test_a_batch_ends_before_an_adoption(office: Opened) -> None:
    """And the adoption, which changes what is said of everybody, is taken in alone."""
    office.play.step("register", 0, 0)
    office.play.step("adopt", 0, 9)
    office.play.step("register", 1, 0)
    with office.side.connection() as connection:
        assert [office.side.advance(connection) for _ in range(4)] == [1, 1, 1, 0]
    check_rows(office.side, office.record)


def test_an_adoption_touches_a_site_in_pieces(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CHUNK", 3)
    for days in (4, 30):
        office.play.steps(20, days)
        office.play.step("adopt", 0, days)
        catch_up(office.side)
        check_rows(office.side, office.record)


def test_batches_of_thousands(postgres_uri: str) -> None:
    """Also where a view lags behind another: they come together and go on together."""
    with schema_of_its_own(postgres_uri, check=False) as schema:
        store = BenchStore(postgres_uri, schema, 6_000)
        side = live.ReadSide(store.recorder, SMALL_VIEWS)
        try:
            rebuild(side)
            store.fill(lambda facts: None)
            alone = live.ReadSide(store.recorder, [OWNED])
            with alone.connection() as connection:
                assert alone.advance(connection, 2_500) == 2_500
            with side.connection() as connection:
                began = positions(side)["counted"]
                assert side.advance(connection, 5_000) == 2_500, "the one behind stops where the other stands"
                assert set(positions(side).values()) == {began + 2_500}
            catch_up(side, 5_000)
            assert set(positions(side).values()) == {6_000}
            check_rows(side, store.record)
        finally:
            store.close()


def test_a_store_without_facts(postgres_uri: str) -> None:
    """Views built before anything happened hold nothing, and take in everything."""
    with schema_of_its_own(postgres_uri, check=False) as schema:
        empty = Store(uri=postgres_uri, schema=schema, master=secrets.token_bytes(32)).prepare()
        with empty.record() as record:
            assert rebuild(live.ReadSide(record.recorder, SMALL_VIEWS)).position == 0  # type: ignore[arg-type]
            other = Opened(empty, record, SMALL_VIEWS)
            other.play.steps(20, 3)
            catch_up(other.side, 3)
            check_rows(other.side, record)


# Rows and position


def test_rows_and_position_are_seen_together(office: Opened) -> None:
    """Whoever looks, and whenever: as many facts are counted as there are up to the view's position."""
    query = sql.SQL(
        "SELECT (SELECT position FROM {view} WHERE name = 'counted'), (SELECT sum(count)::bigint FROM {counted})"
    ).format(view=office.side.table("view"), counted=office.side.table("counted"))
    counted = sql.SQL("SELECT count(*) FROM {} WHERE position <= %s AND name ~ '^(visitor|sale)'").format(
        sql.Identifier(office.store.schema, "fact")
    )
    seen: dict[int, int] = {}
    done = threading.Event()

    def look() -> None:
        with psycopg.connect(office.store.uri, autocommit=True) as connection:
            while not done.is_set():
                position, found = connection.execute(query).fetchone() or (0, 0)
                seen[position] = found

    looking = threading.Thread(target=look)
    with kept(office.side):
        looking.start()
        office.play.steps(150, 4)
        eventually(lambda: office.record.position() in seen, "the last fact is seen")
        done.set()
        looking.join()
    with psycopg.connect(office.store.uri) as connection:
        for position, found in seen.items():
            assert (found,) == connection.execute(counted, [position]).fetchone(), f"at position {position}"
    assert len(seen) > 3


# Woken, late, cut off


def test_a_worker_is_woken(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far sooner than it would look by itself; and so is whoever waits for it."""
    monkeypatch.setattr(live, "POLL_SECONDS", 30.0)
    keeper = Keeper(office.side)
    for number in range(5):
        eventually(lambda: listening(office) >= 1, "it listens", 20)
        office.play.step("register", number, 0)
        assert wait_until(office.side, office.record.position(), 10)
    monkeypatch.setattr(live, "POLL_SECONDS", 0.1)
    office.play.step("register", 0, 0)  # wakes it, so that it sees that it is to stop
    keeper.close()


def listening(office: Opened) -> int:
    query = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND strpos(query, %s) > 0"
    return len(office.owner(query, f"{office.store.schema}_facts"))


def test_a_lost_wake_up_only_delays(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is notified while the log counts as busy; here it does so for an hour."""
    monkeypatch.setattr(live, "POLL_SECONDS", 0.3)
    head = sql.Identifier(office.store.schema, "head").as_string()
    office.owner(f"UPDATE {head} SET appended_at = clock_timestamp() + interval '1 hour'")
    with kept(office.side) as keeper:
        for number in range(3):
            office.play.step("register", number, 0)
            came_to(office, keeper)


def test_a_worker_whose_connections_are_cut_again_and_again(office: Opened) -> None:
    with kept(office.side) as keeper:
        for number in range(5):
            eventually(lambda: bool(keepers(office)), "it leads", 20)
            cut(office)
            office.play.steps(5, number)
            came_to(office, keeper)


def test_troubles_far_apart_are_each_a_first_one(office: Opened) -> None:
    """The pause after the last of them is not the longer for those before, after which all was well."""
    pauses: list[float] = []
    with kept(office.side) as keeper:
        for number in range(5):
            eventually(lambda: bool(keepers(office)), "it leads", 20)
            office.play.step("register", number, 0)
            came_to(office, keeper)
            [before] = keepers(office)
            began = time.monotonic()
            cut(office)
            eventually(lambda before=before: keepers(office) not in ([], [before]), "it leads again", 20)  # type: ignore[misc]
            pauses.append(time.monotonic() - began)
    assert pauses[-1] < 1.5, f"it was away for {pauses} s"


def keepers(office: Opened) -> list[int]:
    """The sessions that hold the lock of who keeps these views live."""
    query = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
        "(classid::bigint << 32) + objid::bigint = hashtextextended(%s, 0)"
    )
    return [row[0] for row in office.owner(query, f"keep {office.side.schema}")]


def cut(office: Opened) -> None:
    """Cut the worker's connection, and whatever else speaks of this store."""
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE (pid = ANY(%s) OR strpos(query, %s) > 0) AND pid <> pg_backend_pid()"
    )
    office.owner(query, keepers(office), office.store.schema)


def test_a_database_that_takes_no_writes_for_a_while(office: Opened) -> None:
    """As after a fail-over, or where a provider stops a disk from filling up: the worker waits, and goes on."""
    role = f"reader_{secrets.token_hex(4)}"
    office.owner(f"CREATE ROLE {role} LOGIN SUPERUSER")
    uri = psycopg.conninfo.make_conninfo(office.store.uri, user=role)
    try:
        with msgspec.structs.replace(office.store, uri=uri).record() as record:
            side = live.ReadSide(record.recorder, SMALL_VIEWS)  # type: ignore[arg-type]
            office.owner(f"ALTER ROLE {role} SET default_transaction_read_only = on")
            with kept(side) as keeper:
                office.play.step("register", 0, 0)
                eventually(lambda: bool(keeper.said) or not keeper.alive, "it says so", 20)
                office.owner(f"ALTER ROLE {role} RESET default_transaction_read_only")
                came_to(office, keeper)
    finally:
        office.owner(f"DROP OWNED BY {role}; DROP ROLE {role}")


# Several workers


def test_several_workers_take_nothing_in_twice(office: Opened) -> None:
    keepers_ = [Keeper(office.with_views(SMALL_VIEWS)) for _ in range(3)]
    try:
        for seed in range(4):
            office.play.steps(30, seed)
            came_to(office, keepers_[0])
        assert len(keepers(office)) == 1
    finally:
        for keeper in keepers_:
            keeper.close()


def test_another_worker_takes_over(office: Opened) -> None:
    with kept(office.with_views(SMALL_VIEWS)) as second:
        first = Keeper(office.side)
        office.play.steps(10, 1)
        came_to(office, first)
        first.close()
        office.play.steps(10, 2)
        came_to(office, second)


def test_a_worker_with_other_code_keeps_its_hands_off(office: Opened) -> None:
    other = office.with_views(SMALL_VIEWS, code="other")
    with kept(other) as keeper:
        office.play.steps(5, 1)
        before = {view.name: rows_in(office.side, view) for view in SMALL_VIEWS}
        eventually(lambda: len(keepers(office)) == 1, "it is at work")
        assert not wait_until(other, office.record.position(), 1.0)
        assert {view.name: rows_in(office.side, view) for view in SMALL_VIEWS} == before
        with other.connection() as connection:
            assert all(one.trouble and "other code" in one.trouble for one in lag(other, connection))
            assert [view.name for view in other.unbuilt(connection)] == ["owned", "counted"]
        assert keeper.alive


def test_a_worker_with_old_code_does_not_stand_in_the_new_ones_way(office: Opened) -> None:
    """As when a new version is started beside the old one and has rebuilt the views."""
    new = office.with_views(SMALL_VIEWS, code="new")
    with kept(office.side):
        eventually(lambda: len(keepers(office)) == 1, "the old one leads")
        rebuild(new)
        with kept(new):
            office.play.steps(5, 1)
            assert wait_until(new, office.record.position(), 10), "nobody keeps the views live"
    check_rows(new, office.record)


# Waiting and lag


def test_waiting_ends_also_after_facts_that_concern_no_view(office: Opened) -> None:
    with kept(office.side):
        for number in range(3):
            office.play.step("enrol", number, 0)
            assert wait_until(office.side, office.record.position(), 10)


def test_waiting_in_vain_is_over_in_time(office: Opened) -> None:
    began = time.monotonic()
    assert not wait_until(office.side, office.record.position() + 1, 0.5)
    assert 0.5 <= time.monotonic() - began < 3
    assert not wait_until(office.with_views([*SMALL_VIEWS, ALL_VIEWS[0]]), 1, 0.2), "one of them was never built"
    assert wait_until(office.side, 1, 0)


def test_waiting_for_no_view(office: Opened) -> None:
    assert wait_until(office.side, office.record.position(), 0.2, views=[])


def test_lag_in_facts_and_seconds(office: Opened) -> None:
    side = office.with_views([*SMALL_VIEWS, ALL_VIEWS[0]])
    with side.connection() as connection:
        assert [(one.view, one.facts, one.seconds) for one in lag(side, connection)][:2] == [
            ("owned", 0, 0.0),
            ("counted", 0, 0.0),
        ]
        never = lag(side, connection)[2]
        assert never.facts == office.record.position() and "never built" in (never.trouble or "")
        before = office.record.position()
        office.play.steps(10, 5)
        found = lag(side, connection)[0]
        assert found.facts == office.record.position() - before > 0
        assert 0 < found.seconds < 20
