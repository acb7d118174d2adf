"""The tables of views: made, filled, changed row by row, compared and exchanged. A view's table bears its name; the one
that a rebuild fills beside it is called fresh_<name>."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from application.event_store.migrations import READER

from .view import COPY_END, COPY_HEAD, Column, Row, View

FRESH = "fresh_"

LOCKED = sql.SQL(
    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY own_site ON {table} FOR SELECT TO {reader} "
    "USING (site = (SELECT nullif(current_setting('lunpai.site', true), '')::uuid)); "
    "GRANT SELECT ON {table} TO {reader}"
)
"""Readers for clients see the rows of the site that the setting lunpai.site names, without it none. It goes with the
table when it takes another's name. Owners, who fill and compare, are not held by it, and no policy slows them."""

Key = tuple[Any, ...]


class Changes(msgspec.Struct):
    """What a batch of facts does to one view: rows to put (by key), keys to take away; sums to add (by key)."""

    put: dict[Key, tuple[Any, ...]]
    gone: set[Key]

    @property
    def keys(self) -> set[Key]:
        return self.gone | self.put.keys()


def changes(view: View, before: Iterable[Row], after: Iterable[Row]) -> Changes:
    """What turns the rows of some dossiers as they were into those that they give now."""
    if view.sums:
        return Changes(_difference(view, before, after), set())
    was = {row.values[: view.key]: row.values for row in before}
    now = {row.values[: view.key]: row.values for row in after}
    put = {key: values for key, values in now.items() if was.get(key) != values}
    return Changes(put, was.keys() - now.keys())


def _difference(view: View, before: Iterable[Row], after: Iterable[Row]) -> dict[Key, tuple[Any, ...]]:
    sums: dict[Key, list[Any]] = {}
    first = len(view.columns) - view.sums
    for sign, rows in ((-1, before), (1, after)):
        for row in rows:
            counted = sums.setdefault(row.values[:first], [0] * view.sums)
            for place, value in enumerate(row.values[first:]):
                counted[place] += sign * value
    return {key: (*key, *counted) for key, counted in sums.items() if any(counted)}


class Tables:
    """The tables of some views in one schema, live or - with the prefix `fresh_` - those a rebuild fills."""

    def __init__(self, schema: str, views: Sequence[View], prefix: str = "") -> None:
        self.schema, self.views, self.prefix = schema, tuple(views), prefix

    def table(self, view: View) -> sql.Identifier:
        return sql.Identifier(self.schema, self.prefix + view.name)

    def create(self, connection: psycopg.Connection) -> None:
        """Make the tables, locked by site, without the indexes that only readers need."""
        for view in self.views:
            columns = [_declared(column) for column in view.columns]
            key = sql.SQL("PRIMARY KEY ({})").format(_names(view.key_columns))
            connection.execute(
                sql.SQL("CREATE TABLE {} ({})").format(self.table(view), sql.SQL(", ").join([*columns, key]))
            )
            connection.execute(LOCKED.format(table=self.table(view), reader=sql.Identifier(READER)))

    def index(self, connection: psycopg.Connection, view: View) -> None:
        """Make the readers' indexes, and tell the planner what is in the table."""
        for columns in view.indexes:
            connection.execute(sql.SQL("CREATE INDEX ON {} {}").format(self.table(view), sql.SQL(columns)))
        connection.execute(sql.SQL("ANALYZE {}").format(self.table(view)))

    def drop(self, connection: psycopg.Connection) -> None:
        """Drop the tables, and whatever somebody else has put in their place."""
        foreign = (
            "SELECT relname, relkind = 'v' FROM pg_class "
            "WHERE relnamespace = to_regnamespace(%s) AND relname = ANY(%s) "
            "AND (relkind = 'v' OR relkind = 'r' AND pg_get_userbyid(relowner) <> current_user)"
        )
        names = [self.prefix + view.name for view in self.views]
        for name, is_view in connection.execute(foreign, [f'"{self.schema}"', names]).fetchall():
            row = connection.execute("SELECT current_user").fetchone()
            assert row is not None
            kind = sql.SQL("VIEW" if is_view else "TABLE")
            connection.execute("RESET ROLE")  # only the owner of all may drop what is not the program's
            connection.execute(sql.SQL("DROP {} {} CASCADE").format(kind, sql.Identifier(self.schema, name)))
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(row[0])))
        for view in self.views:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self.table(view)))

    def existing(self, connection: psycopg.Connection) -> list[View]:
        """Views that have a table of the program's own, whatever it looks like."""
        query = (
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' "
            "AND pg_get_userbyid(relowner) = current_user"
        )
        there = {row[0] for row in connection.execute(query, [f'"{self.schema}"']).fetchall()}
        return [view for view in self.views if self.prefix + view.name in there]

    def missing(self, connection: psycopg.Connection) -> list[View]:
        """Views whose table does not exist, is not the program's own, or has not the columns it should have."""
        query = (
            "SELECT c.relname, array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) "
            "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
            "WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r' "
            "AND pg_get_userbyid(c.relowner) = current_user GROUP BY 1"
        )
        there: dict[str, list[str]] = dict(connection.execute(query, [f'"{self.schema}"']).fetchall())
        return [v for v in self.views if there.get(self.prefix + v.name) != [_as_told(column) for column in v.columns]]

    def copy(
        self, connection: psycopg.Connection, view: View, rows: Iterable[bytes], *, own_transaction: bool = False
    ) -> None:
        """Copy rows in that are encoded already.

        In the transaction that made the table they are marked as visible to all at once. Else whoever reads them first
        marks them, and as each marked page goes into the log, the appends would wait for the whole table to be flushed.
        """
        frozen = sql.SQL(", FREEZE" if own_transaction else "")
        statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY{})").format(self.table(view), frozen)
        _copy(connection, statement, rows)

    def apply(self, connection: psycopg.Connection, view: View, change: Changes) -> None:
        """Carry out changes: one COPY of the rows into a staging table, one statement each to put and to take away."""
        if change.gone:
            self._take_away(connection, view, change.gone)
        if change.put:
            self._put(connection, view, change.put.values())

    def _put(self, connection: psycopg.Connection, view: View, rows: Iterable[tuple[Any, ...]]) -> None:
        staging = self._staged(connection, view, view.columns, map(view.encoder(), rows))
        key, others = _names(view.key_columns), view.other_columns
        if view.sums:
            update = [sql.SQL("{0} = t.{0} + excluded.{0}").format(sql.Identifier(n)) for n in view.sum_columns]
        else:
            update = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others]
        on_conflict = sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(update)) if update else sql.SQL("NOTHING")
        connection.execute(
            sql.SQL("INSERT INTO {} AS t SELECT * FROM {} ON CONFLICT ({}) DO {}").format(
                self.table(view), staging, key, on_conflict
            )
        )
        if view.sums:  # what adds up to nothing is no row: a rebuild would not have it either
            zero = [sql.SQL("t.{} = 0").format(sql.Identifier(name)) for name in view.sum_columns]
            connection.execute(
                sql.SQL("DELETE FROM {} t USING {} s WHERE {} AND {}").format(
                    self.table(view), staging, _same("t", "s", view.key_columns), sql.SQL(" AND ").join(zero)
                )
            )
        connection.execute(sql.SQL("TRUNCATE {}").format(staging))

    def _take_away(self, connection: psycopg.Connection, view: View, keys: Iterable[Key]) -> None:
        columns = view.columns[: view.key]
        encode = msgspec.structs.replace(view, columns=columns, sums=0).encoder()
        staging = self._staged(connection, view, columns, map(encode, keys), "keys")
        connection.execute(
            sql.SQL("DELETE FROM {} t USING {} s WHERE {}").format(
                self.table(view), staging, _same("t", "s", view.key_columns)
            )
        )
        connection.execute(sql.SQL("TRUNCATE {}").format(staging))

    def _staged(
        self,
        connection: psycopg.Connection,
        view: View,
        columns: Sequence[Column],
        rows: Iterable[bytes],
        what: str = "rows",
    ) -> sql.Identifier:
        staging = sql.Identifier(f"staged_{what}_{view.name}")
        declared = sql.SQL(", ").join(map(_declared, columns))
        connection.execute(sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} ({})").format(staging, declared))
        _copy(connection, sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(staging), rows)
        return staging

    def differing(
        self, connection: psycopg.Connection, view: View, other: Tables, keys: Iterable[Key] | None = None
    ) -> list[tuple[Key, dict[str, Any] | None, dict[str, Any] | None]]:
        """The rows of a view that are not the same here and there: key, the row here, the row there, None for none.

        With `keys`: of these keys only.
        """
        names = [column.name for column in view.columns]
        here, there = (sql.SQL("ROW({})").format(_names(names, side)) for side in ("a", "b"))
        only: sql.Composable = sql.SQL("")
        if keys is not None:
            columns = view.columns[: view.key]
            encode = msgspec.structs.replace(view, columns=columns, sums=0).encoder()
            staging = self._staged(connection, view, columns, map(encode, keys), "looked_at")
            only = sql.SQL("WHERE ({}) IN (SELECT * FROM {})").format(_names(view.key_columns), staging)
        query = sql.SQL(
            "SELECT {key}, CASE WHEN a.{first} IS NOT NULL THEN to_jsonb(a) END, "
            "CASE WHEN b.{first} IS NOT NULL THEN to_jsonb(b) END "
            "FROM (SELECT * FROM {here_table} {only}) a FULL JOIN (SELECT * FROM {there_table} {only}) b USING ({key}) "
            "WHERE {here} IS DISTINCT FROM {there} ORDER BY {key}"
        ).format(
            key=_names(view.key_columns),
            first=sql.Identifier(view.key_columns[0]),
            here_table=self.table(view),
            there_table=other.table(view),
            only=only,
            here=here,
            there=there,
        )
        rows = connection.execute(query).fetchall()
        if keys is not None:
            connection.execute(sql.SQL("TRUNCATE {}").format(staging))
        return [(tuple(row[: view.key]), row[-2], row[-1]) for row in rows]

    def take_the_place_of(self, connection: psycopg.Connection, other: Tables) -> None:
        """Drop the other tables and give these their names."""
        other.drop(connection)
        for view in self.views:
            connection.execute(
                sql.SQL("ALTER TABLE {} RENAME TO {}").format(
                    self.table(view), sql.Identifier(other.prefix + view.name)
                )
            )


def _copy(connection: psycopg.Connection, statement: sql.Composed, rows: Iterable[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(COPY_HEAD)
        for row in rows:
            copy.write(row)
        copy.write(COPY_END)


def _as_told(column: Column) -> str:
    """A column as the catalogue tells of it."""
    return f"{column.name} {column.type.replace('timestamptz', 'timestamp with time zone')}"


def _declared(column: Column) -> sql.Composed:
    null = sql.SQL("") if column.null else sql.SQL(" NOT NULL")
    return sql.SQL("{} {}{}").format(sql.Identifier(column.name), sql.SQL(column.type), null)


def _names(names: Iterable[str], of: str | None = None) -> sql.Composed:
    found = (sql.Identifier(of, name) if of else sql.Identifier(name) for name in names)
    return sql.SQL(", ").join(found)


def _same(one: str, other: str, names: Iterable[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one, name), sql.Identifier(other, name)) for name in names
    )
