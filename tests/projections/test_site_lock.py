"""The second lock of the read side: a query that forgets its site still sees one site's rows only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from application.event_store.migrations import READ_SIDE, READER, ROLE, migrate, views_schema
from application.sales_office import SalesOffice
from interfaces.store import SCHEMA
from projections.live import ReadSide
from projections.readers import Readers
from projections.records import reached, run
from projections.tables import FRESH, Tables
from projections.views import VIEWS
from tests.api.house import House, now, store_on_disk

VIEWS_SCHEMA = views_schema(SCHEMA)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two offices on one store, each with a customer, a sale and a dispute, whose views are kept."""
    home: Path = tmp_path_factory.mktemp("lock")
    with store_on_disk(home) as store:
        house = House(store)
        other = house.open("江畔二号")
        for office in (house.office, other):
            fill(office)
        rebuild(house.store.read_side)
        yield house


def fill(office: SalesOffice) -> None:
    staff = office.enrol_staff(now(), name="林芳").subject
    assert staff is not None
    office.floor.sign_in(now(), who=staff)
    office.floor.receive(now(), channel="visit", phone="13900000009")
    entry = office.register(now(), by=staff, name="赵强", phone="13900000001").entry
    assert entry is not None
    office.register(now(), by=staff, name="钱多", phone="13900000002")
    sale = office.sell(now(), entry=entry, by=[staff], amount=Decimal(100)).subject
    assert sale is not None
    office.open_dispute(now(), about=sale, by=staff)


def rebuild(read_side: ReadSide) -> None:
    result = run(read_side, None, check=False, asked_by="test", tell=lambda progress: None)
    assert not result.parked


def sites_in(connection: psycopg.Connection, view: str) -> set[UUID]:
    """The sites whose rows a query sees that names none."""
    query = sql.SQL("SELECT DISTINCT site FROM {}").format(sql.Identifier(VIEWS_SCHEMA, view))
    return {row[0] for row in connection.execute(query).fetchall()}


@contextmanager
def reached_for(read_side: ReadSide, site: UUID) -> Iterator[psycopg.Connection]:
    """A reader's connection for a client of a site."""
    with closing(Readers(read_side)) as readers, readers.connection(site) as connection:
        yield connection


def assert_locked(house: House) -> None:
    read_side = house.store.read_side
    with reached(read_side) as owner:
        both = {view: sites_in(owner, view) for view in VIEWS}
    assert all(len(sites) == 2 for sites in both.values()), both
    for site in both["ownership"]:
        with reached_for(read_side, site) as connection:
            assert {view: sites_in(connection, view) for view in VIEWS} == {view: {site} for view in VIEWS}


def test_a_query_that_forgets_its_site_sees_one_site(house: House) -> None:
    assert_locked(house)


def test_without_the_setting_there_is_nothing(house: House) -> None:
    for setting in ("RESET lunpai.site", "SET lunpai.site = ''"):
        with reached_for(house.store.read_side, house.site) as connection:
            connection.execute(setting.encode())
            assert all(sites_in(connection, view) == set() for view in VIEWS)


def test_the_lock_goes_with_a_rebuild(house: House) -> None:
    rebuild(house.store.read_side)
    assert_locked(house)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {views}.ownership",
        "UPDATE {views}.ownership SET owner = NULL",
        "TRUNCATE {views}.ownership",
        "ALTER TABLE {views}.ownership DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_site ON {views}.ownership",
        "SELECT reason FROM {views}.parked",
        "SELECT * FROM {views}.rebuild",
        "SELECT * FROM {views}.difference",
        "SELECT * FROM {facts}.fact",
        "SELECT * FROM {facts}.person_key",
    ],
)
def test_a_reader_does_nothing_but_read_its_views(house: House, statement: str) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        psycopg.connect(house.store.read_side.recorder.uri) as connection,
    ):
        connection.execute(f"SET ROLE {READER}; SET lunpai.site = '{house.site}'")  # type: ignore[arg-type]
        connection.execute(statement.format(views=VIEWS_SCHEMA, facts=SCHEMA))  # type: ignore[arg-type]


def test_the_role_of_readers_bypasses_nothing(house: House) -> None:
    with reached(house.store.read_side) as connection:
        found = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcanlogin, pg_has_role(rolname, %s, 'MEMBER') FROM pg_roles "
            "WHERE rolname = %s",
            [ROLE, READER],
        ).fetchone()
    assert found == (False, False, False, False)


def test_tables_made_before_the_lock_get_it(house: House) -> None:
    read_side = house.store.read_side
    with psycopg.connect(read_side.recorder.uri, autocommit=True) as owner:
        for view in VIEWS:
            table = sql.Identifier(VIEWS_SCHEMA, view)
            owner.execute(sql.SQL("DROP POLICY own_site ON {}").format(table))
            owner.execute(sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(table))
        owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {VIEWS_SCHEMA} FROM {READER}")  # type: ignore[arg-type]
        owner.execute(f"REVOKE ALL ON SCHEMA {VIEWS_SCHEMA} FROM {READER}")  # type: ignore[arg-type]
        owner.execute(f"DELETE FROM {SCHEMA}.schema_version WHERE version >= {READ_SIDE[-1]}")  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
            owner.execute(f"SET LOCAL ROLE {READER}; SELECT * FROM {VIEWS_SCHEMA}.ownership")  # type: ignore[arg-type]
        migrate(owner, SCHEMA)
    assert_locked(house)
    assert house.reads("disputes")["disputes"][0]["label"] == "D1"


def test_whoever_fills_and_compares_is_held_by_no_policy(house: House) -> None:
    """What the planner says: no filter by site for the owner, one for readers."""
    query = sql.SQL("EXPLAIN SELECT * FROM {}").format(sql.Identifier(VIEWS_SCHEMA, "ownership"))
    with reached(house.store.read_side) as owner:
        plan = "\n".join(row[0] for row in owner.execute(query).fetchall())
    with reached_for(house.store.read_side, house.site) as reader:
        held = "\n".join(row[0] for row in reader.execute(query).fetchall())
    assert "site" not in plan and "current_setting" not in plan and "site = " in held


def test_fresh_tables_are_locked_as_they_are_made(house: House) -> None:
    fresh = Tables(VIEWS_SCHEMA, tuple(VIEWS.values()), FRESH)
    with reached(house.store.read_side) as connection, connection.transaction(force_rollback=True):
        fresh.create(connection)
        found = connection.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
            "WHERE c.relnamespace = to_regnamespace(%s) AND c.relname LIKE 'fresh\\_%%' AND c.relrowsecurity",
            [VIEWS_SCHEMA],
        ).fetchone()
    assert found == (len(VIEWS),)
