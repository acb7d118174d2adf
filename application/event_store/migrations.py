"""Schema versions: migrated in order, forward only, one program at a time; a schema newer than the program is refused.
And a store made ready, or thrown away."""

from __future__ import annotations

import re
from importlib.resources import files

import psycopg
from psycopg import sql

from .appending import StoreRefused
from .waiting import one_line

ROLE = "lunpai_program"
READER = "lunpai_reader"
"""Who reads the views for clients: it sees the rows of one site, and nothing of the record."""

READ_SIDE = (2, 3)  # the migrations that make the schema of the views
MIGRATION_LOCK = 0x6C756E706169  # "lunpai": the advisory lock under which one program migrates at a time


def scripts() -> list[tuple[int, str]]:
    """The migrations in order: (version, text). Names are NNNN_what.sql, numbered from 1 without gaps."""
    found = sorted(
        (int(match[1]), path.read_text("utf-8"))
        for path in files(__package__).joinpath("sql").iterdir()
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", path.name))
    )
    assert [version for version, _ in found] == list(range(1, len(found) + 1)), "migrations are numbered without gaps"
    return found


def channel_of(schema: str) -> str:
    """The channel on which appends to this schema are announced."""
    return f"{schema}_facts"


def views_schema(schema: str) -> str:
    """The schema of the read side that belongs to a schema of facts."""
    return f"{schema}_views"


def jobs_schema(schema: str) -> str:
    """The schema of the job queue that belongs to a schema of facts."""
    return f"{schema}_jobs"


def migrate(connection: psycopg.Connection, schema: str) -> int:
    """Bring the schema up to this program's version, in one transaction; returns the version.

    The connection's role must own the schema (or be able to create it). Raises StoreRefused for a schema that is newer
    than the program, or when one of the program's roles is missing and can't be created, or is not granted.
    """
    wanted = scripts()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        for role in (ROLE, READER):
            _create_role(cursor, role)
        present = cursor.execute("SELECT to_regclass(%s)", [f'"{schema}".schema_version']).fetchone()
        if present is None or present[0] is None:
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE {}.schema_version (version integer PRIMARY KEY, migrated_at timestamptz NOT NULL)"
                ).format(sql.Identifier(schema))
            )
        version_table = sql.Identifier(schema, "schema_version")
        row = cursor.execute(sql.SQL("SELECT max(version) FROM {}").format(version_table)).fetchone()
        current = (row[0] if row else None) or 0
        if current > len(wanted):
            raise StoreRefused(
                f"the store has schema version {current}, this program knows up to {len(wanted)}: use a newer lunpai"
            )
        for version, text in wanted[current:]:
            cursor.execute(_prepared(text, schema))
            cursor.execute(sql.SQL("INSERT INTO {} VALUES (%s, clock_timestamp())").format(version_table), [version])
        there = cursor.execute("SELECT to_regnamespace(%s)", [f'"{views_schema(schema)}"']).fetchone()
        if there is None or there[0] is None:  # thrown away, as it may be: facts give it anew
            for version, text in wanted:
                if version in READ_SIDE:
                    cursor.execute(_prepared(text, schema))
    return len(wanted)


def prepare_store(uri: str, schema: str, fingerprint: bytes) -> None:
    """Migrate the schema and bind it to the master key whose fingerprint is given.

    Raises StoreRefused: another master key than the store was made with, a newer schema, a server that can't
    be reached.
    """
    try:
        with psycopg.connect(uri, autocommit=True, connect_timeout=30) as connection:
            if connection.info.server_version < 150_000:
                raise StoreRefused("PostgreSQL 15 or newer is needed")
            migrate(connection, schema)
            table = sql.Identifier(schema, "master_key")
            connection.execute(
                sql.SQL("INSERT INTO {} (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING").format(table),
                [fingerprint],
            )
            row = connection.execute(sql.SQL("SELECT fingerprint FROM {}").format(table)).fetchone()
    except psycopg.Error as error:
        raise StoreRefused(f"the database can't be prepared: {one_line(error)}") from None
    if row is None or bytes(row[0]) != fingerprint:
        raise StoreRefused(
            "the master key is not the one this store was made with: set LUNPAI_MASTER_KEY, or restore the key file"
        )


def drop_schema(uri: str, schema: str) -> None:
    """Drop a scratch schema and all that is in it. Refuses any other."""
    if not schema.startswith("scratch_"):
        raise StoreRefused(f"{schema} is no scratch schema")
    with psycopg.connect(uri, autocommit=True, connect_timeout=30) as connection:
        all_of_it = sql.SQL(", ").join(map(sql.Identifier, (schema, views_schema(schema), jobs_schema(schema))))
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(all_of_it))


def _create_role(cursor: psycopg.Cursor, role: str) -> None:
    """The program works under roles that may do what it does, and nothing else."""
    there = cursor.execute(
        "SELECT pg_has_role(current_user, oid, 'MEMBER'), current_user FROM pg_roles WHERE rolname = %s", [role]
    ).fetchone()
    if there is not None:
        member, user = there
        if not member:
            grant = sql.SQL("GRANT {} TO {};").format(sql.Identifier(role), sql.Identifier(user)).as_string(cursor)
            raise StoreRefused(f"the database role {user} may not work as {role}: have an administrator run {grant}")
        return
    try:
        with cursor.connection.transaction():
            cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege:
        raise StoreRefused(
            f"the database role may not create roles: have an administrator run "
            f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO <this user>;"
        ) from None


def _prepared(text: str, schema: str) -> sql.SQL:
    """The script with the schemas, role and channel put in, quoted."""
    quoted = sql.Identifier(schema).as_string()
    filled = (
        text.replace("__schema__", quoted)
        .replace("__views__", sql.Identifier(views_schema(schema)).as_string())
        .replace("__role__", sql.Identifier(ROLE).as_string())
        .replace("__reader__", sql.Identifier(READER).as_string())
        .replace("'__channel__'", sql.Literal(channel_of(schema)).as_string())
    )
    # Only our own scripts and quoted names come here; parameters are not used, so % stays as it is.
    return sql.SQL(filled)
