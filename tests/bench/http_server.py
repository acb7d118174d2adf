"""Servers that are measured, each a program of its own under the settings of `lunpai serve`: our API, and a Flask
application that does nothing but one INSERT or one SELECT. Ends when its input does."""

from __future__ import annotations

import sys
import threading
from os import getpid, kill
from signal import SIGTERM

import msgspec
from flask import Flask, jsonify, request
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from interfaces.api.serving import Server

THREADS = 8
BARE_TABLE = "bench_bare_http.visitor"


class Task(msgspec.Struct, frozen=True):
    """`schema`, `master`: of our store; None serves the bare application."""

    uri: str
    port: int
    workers: int
    schema: str | None = None
    master: bytes = b""


def bare(uri: str) -> Flask:
    """A table of visitors, and nothing else: what Flask and psycopg give to somebody who wants no more."""
    app = Flask("bare")
    pool = ConnectionPool(uri, min_size=THREADS, max_size=THREADS, open=True)

    @app.post("/visitors")
    def register() -> object:
        body = request.get_json()
        with pool.connection() as connection:  # it commits at the end
            row = connection.execute(
                f"INSERT INTO {BARE_TABLE} (name, phone) VALUES (%s, %s) RETURNING id", (body["name"], body["phone"])
            ).fetchone()
        assert row is not None
        return jsonify(id=row[0])

    @app.get("/visitors/<int:visitor>")
    def show(visitor: int) -> object:
        with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(f"SELECT id, name, phone FROM {BARE_TABLE} WHERE id = %s", (visitor,)).fetchone()
        return jsonify(row)

    return app


def ours(task: Task) -> Flask:
    from interfaces.api.app import create_app
    from interfaces.store import store_at

    assert task.schema is not None
    return create_app(store_at(task.uri, task.schema, task.master))


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_end_with_input, daemon=True).start()
    make = (lambda: bare(task.uri)) if task.schema is None else (lambda: ours(task))
    Server(make, lambda: None, host="127.0.0.1", port=task.port, workers=task.workers, threads=THREADS).run()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    kill(getpid(), SIGTERM)


if __name__ == "__main__":
    main()
