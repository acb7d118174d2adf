"""Shared ground for tests: one embedded PostgreSQL for the run, a fresh schema for each test that asks for one."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from application.embedded_postgres import EmbeddedPostgres
from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import jobs_schema, prepare_store, views_schema
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from domain.site import SiteOpened
from tests.projections.equality import assert_rebuilt_equals_live

settings.register_profile("house", deadline=None)
# Where a change is judged, the same examples each time: new ones are looked for wherever people work.
settings.register_profile("judged", deadline=None, derandomize=True)
settings.load_profile("judged" if os.environ.get("CI") else "house")


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL that the whole run shares (also between parallel workers)."""
    if given := os.environ.get("LUNPAI_TEST_DATABASE_URL"):
        yield given
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    home = Path(tempfile.gettempdir()) / f"lunpai-tests-{shared.name}-{os.getuid()}"
    with EmbeddedPostgres(home) as server:
        yield server.uri


@pytest.fixture
def master() -> bytes:
    return secrets.token_bytes(32)


@contextmanager
def schema_of_its_own(uri: str, *, check: bool = True) -> Iterator[str]:
    """The name of a schema, dropped afterwards. What was put on record there meanwhile is folded into views in small
    batches, and must be what a rebuild makes of it."""
    name = f"test_{secrets.token_hex(8)}"
    yield name
    if check:
        check_read_side(uri, name)
    with psycopg.connect(uri, autocommit=True) as connection:
        all_of_it = sql.SQL(", ").join(map(sql.Identifier, (name, views_schema(name), jobs_schema(name))))
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(all_of_it))


@pytest.fixture
def schema(postgres_uri: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a schema of this test's own."""
    damaged = request.node.get_closest_marker("damages") is not None
    with schema_of_its_own(postgres_uri, check=not damaged) as name:
        yield name


def check_read_side(uri: str, schema: str) -> None:
    """Rebuilt equals live, for a schema that holds the record of a sales office."""
    with psycopg.connect(uri, autocommit=True) as connection:
        there = connection.execute("SELECT to_regclass(%s)", [f"{schema}.fact"]).fetchone()
        if not there or there[0] is None:
            return
        named = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE name = %s)").format(sql.Identifier(schema, "fact"))
        opened = connection.execute(named, [SiteOpened.stored_name]).fetchone()
    if opened and opened[0]:
        recorder = PostgresRecorder(uri, schema=schema)
        try:
            assert_rebuilt_equals_live(recorder)
        finally:
            recorder.close()


@pytest.fixture
def make_recorder(postgres_uri: str, schema: str) -> Iterator[Callable[..., PostgresRecorder]]:
    """Makes recorders on this test's schema; all are closed at the end."""
    prepare_store(postgres_uri, schema, b"test")
    with ExitStack() as stack:

        def make(uri: str = postgres_uri, **options: float) -> PostgresRecorder:
            recorder = PostgresRecorder(uri, schema=schema, **options)  # type: ignore[arg-type]
            stack.callback(recorder.close)
            return recorder

        yield make


@pytest.fixture(params=["memory", "postgres"])
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """A record, once in memory and once on PostgreSQL: both make the same promises."""
    if request.param == "memory":
        recorder: MemoryRecorder | PostgresRecorder = MemoryRecorder()
    else:
        recorder = request.getfixturevalue("make_recorder")()
    record = Record(recorder)
    yield record
    record.close()


@pytest.fixture
def keyring(record: Record, master: bytes) -> Keyring:
    return Keyring(master, record.person_keys)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()
