"""Rebuilt equals live: what facts did to the views one batch after the other is what they give when folded anew."""

from __future__ import annotations

import psycopg

from application.event_store.postgres import PostgresRecorder
from projections.live import ReadSide
from projections.rebuild import rebuild
from projections.tables import Tables
from projections.view import View
from projections.views import VIEWS

ODD_BATCH = 7
"""Small and prime, so that customers and sites fall apart over batches."""


def start_empty(read_side: ReadSide, connection: psycopg.Connection) -> None:
    """Make the views as they are before the first fact, whatever the log holds."""
    with connection.transaction():
        Tables(read_side.schema, read_side.views).drop(connection)
        read_side.live.create(connection)
        for view in read_side.views:
            read_side.live.index(connection, view)
            connection.execute(
                f'INSERT INTO "{read_side.schema}".view (name, position, code) VALUES (%s, 0, %s) '
                "ON CONFLICT (name) DO UPDATE SET position = 0, code = excluded.code, trouble = NULL",
                [view.name, read_side.code],
            )


def assert_rebuilt_equals_live(recorder: PostgresRecorder, views: tuple[View, ...] = tuple(VIEWS.values())) -> None:
    """Take all facts in live, in small batches, and compare with a rebuild."""
    read_side = ReadSide(recorder, views)
    with read_side.connection() as connection:
        start_empty(read_side, connection)
        while read_side.advance(connection, ODD_BATCH):
            pass
        result = rebuild(read_side, check=True)
        found = connection.execute(
            f'SELECT view, key, columns, live, fresh, facts FROM "{read_side.schema}".difference'
        ).fetchall()
        parked = connection.execute(f'SELECT view, position, reason FROM "{read_side.schema}".parked').fetchall()
    assert (result.differences, found) == (0, [])
    assert set(result.compared) == {view.name for view in views}
    assert not parked
