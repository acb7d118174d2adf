"""The queue of scheduled work: procrastinate's tables in a schema of their own on the same PostgreSQL, its migrations
applied in order, and what became of every task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.schema import SchemaManager
from psycopg import sql
from psycopg.rows import kwargs_row

from application.event_store.appending import StoreRefused
from application.event_store.migrations import MIGRATION_LOCK, ROLE, jobs_schema

from .live import ReadSide
from .records import in_one_line
from .schedule import Task

TASK = "read_side"
"""The one task there is; which check or rebuild is meant is told by its arguments."""

LOCK = "read_side"
"""Of the checks and rebuilds waiting in the queue, one is done at a time, however many workers there are."""

KEPT_OUTCOMES = 400
ALIVE_SECONDS = 30.0
"""A worker that gave no sign of life for so long is taken for dead."""

OWN_TABLES = """
CREATE TABLE migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE outcome (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task       text NOT NULL,
    status     text NOT NULL CHECK (status IN ('done', 'skipped', 'failed', 'cancelled')),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    rebuild    bigint,
    clean      boolean,
    message    text NOT NULL
);
"""


OWN_MIGRATIONS = {
    "own_01_jobs": """
ALTER TABLE outcome ADD COLUMN job bigint, ADD COLUMN what text, ADD COLUMN views text[];
CREATE INDEX outcome_job ON outcome (job);
-- Who asked for a job, and under which command: sent again, it is answered as the first time.
CREATE TABLE request (
    command      uuid PRIMARY KEY,
    content      bytea NOT NULL,  -- SHA-256 of what was asked
    job          bigint NOT NULL,
    site         uuid NOT NULL,
    staff        uuid NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX request_job ON request (job, requested_at);
""",
}
"""What was changed in our own tables since, in order."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a task. `skipped`: another rebuild was at work. `rebuild`: its number, where it was done.

    `clean`: no row differed, no stream was left out, and a check compared all it was to compare. `job`: its number in
    the queue (None: it was not done by a worker); `what`, `views` as it was told (views None: all).
    """

    task: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    rebuild: int | None = None
    clean: bool | None = None
    message: str
    job: int | None = None
    what: str | None = None
    views: list[str] | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A task in the queue. `status`: todo or doing. `not_before`: when it is tried again, after a failure."""

    task: str
    status: str
    not_before: datetime | None
    attempts: int


# Setting up


def prepare_queue(uri: str, schema: str) -> None:
    """Make the queue that belongs to a schema of facts, or bring it up to the procrastinate that is installed.

    Raises StoreRefused: the queue was made with a newer one; StoreUnavailable.
    """
    with in_one_line(), psycopg.connect(uri, autocommit=True, connect_timeout=30) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])  # until the connection ends
        name = jobs_schema(schema)
        present = connection.execute("SELECT to_regclass(%s)", [f'"{name}".migration']).fetchone()
        if present is None or present[0] is None:
            _make(connection, name)
        else:
            _migrate(connection, name)


def migrations() -> dict[str, str]:
    """Name -> text of procrastinate's migrations, in the order in which they are applied."""
    folder = Path(SchemaManager.get_migrations_path())
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.sql"))}


def _make(connection: psycopg.Connection, name: str) -> None:
    with connection.transaction():
        connection.execute(
            sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(name), sql.Identifier(ROLE))
        )
        _enter(connection, name)
        connection.execute(OWN_TABLES)
        connection.execute(SchemaManager.get_schema())
        for applied in migrations():
            connection.execute("INSERT INTO migration (name) VALUES (%s)", [applied])
        for migration, text in OWN_MIGRATIONS.items():
            _apply(connection, migration, text)


def _migrate(connection: psycopg.Connection, name: str) -> None:
    _enter(connection, name)
    applied = {row[0] for row in connection.execute("SELECT name FROM migration").fetchall()}
    known = {**migrations(), **OWN_MIGRATIONS}
    if unknown := sorted(applied - known.keys()):
        raise StoreRefused(f"the job queue was made with a newer procrastinate ({unknown[-1]}): use a newer lunpai")
    for migration, text in known.items():
        if migration not in applied:
            with connection.transaction():
                _apply(connection, migration, text)


def _apply(connection: psycopg.Connection, name: str, text: str) -> None:
    connection.execute(text.encode())
    connection.execute("INSERT INTO migration (name) VALUES (%s)", [name])


def _enter(connection: psycopg.Connection, name: str) -> None:
    """Work with the program's rights, in the queue's schema."""
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ROLE)))
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(name)))


# Using it


@contextmanager
def queue_of(read_side: ReadSide) -> Iterator[psycopg.Connection]:
    """A connection that sees the queue. What goes wrong with the database comes out as StoreUnavailable."""
    with in_one_line(), read_side.connection() as connection:
        _enter(connection, jobs_schema(read_side.recorder.schema))
        yield connection


def arguments(name: str, task: Task) -> dict[str, object]:
    """What the job of a task is told."""
    return {"task": name, "what": task.what, "views": None if task.views is None else list(task.views)}


def asked_by_job(job: int | None) -> str:
    """Who asks for a rebuild or check that somebody requested, as its record says."""
    return f"job {job}"


def defer(read_side: ReadSide, name: str, task: Task) -> bool:
    """Put a task in the queue, now; false when it waits there already."""
    app = App(connector=SyncPsycopgConnector())
    with queue_of(read_side) as connection:
        job = app.configure_task(
            TASK, queue=read_side.recorder.schema, lock=LOCK, queueing_lock=name, connection=connection
        )
        try:
            job.defer(**arguments(name, task))  # type: ignore[arg-type]
        except AlreadyEnqueued:
            return False
    return True


def waiting(connection: psycopg.Connection) -> list[Waiting]:
    """The tasks in the queue."""
    query = (
        "SELECT args->>'task' AS task, status::text, scheduled_at AS not_before, attempts FROM procrastinate_jobs "
        "WHERE status IN ('todo', 'doing') ORDER BY id"
    )
    with connection.cursor(row_factory=kwargs_row(Waiting)) as cursor:
        return cursor.execute(query).fetchall()


def workers(connection: psycopg.Connection) -> int:
    """How many workers take tasks from the queue."""
    query = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - %s * interval '1 second'"
    row = connection.execute(query, [ALIVE_SECONDS]).fetchone()
    return int(row[0]) if row else 0


def last_outcomes(connection: psycopg.Connection) -> dict[str, Outcome]:
    """Task -> what became of it last."""
    query = (
        "SELECT DISTINCT ON (task) task, status, started_at, ended_at, rebuild, clean, message, job, what, views "
        "FROM outcome ORDER BY task, id DESC"
    )
    with connection.cursor(row_factory=kwargs_row(Outcome)) as cursor:
        return {outcome.task: outcome for outcome in cursor.execute(query).fetchall()}


def note(read_side: ReadSide, outcome: Outcome) -> None:
    """Put on record what became of a task; the oldest are forgotten. Raises StoreUnavailable."""
    with queue_of(read_side) as connection, connection.transaction():
        note_by(connection, outcome)


def note_by(connection: psycopg.Connection, outcome: Outcome) -> None:
    """The same, within a transaction on a connection that sees the queue."""
    connection.execute(
        "INSERT INTO outcome (task, status, started_at, rebuild, clean, message, job, what, views) "
        "VALUES (%(task)s, %(status)s, %(started_at)s, %(rebuild)s, %(clean)s, %(message)s, %(job)s, %(what)s, "
        "%(views)s)",
        msgspec.structs.asdict(outcome),
    )
    connection.execute(
        "DELETE FROM outcome WHERE id NOT IN (SELECT id FROM outcome ORDER BY id DESC LIMIT %s)", [KEPT_OUTCOMES]
    )
    connection.execute(
        "DELETE FROM request r WHERE NOT EXISTS (SELECT FROM outcome o WHERE o.job = r.job) "
        "AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.id = r.job)"
    )
