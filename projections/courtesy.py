"""A rebuild goes behind everybody else: its own processes, and those of the database that work for it here."""

from __future__ import annotations

import os
from contextlib import suppress

import psycopg

NICENESS = 10


def step_back(connection: psycopg.Connection) -> None:
    """Lower the priority of the database's process behind a connection. On a server elsewhere, or another account's, it
    is for that server to say who goes first."""
    if not connection.info.host.startswith("/"):
        return
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    with suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, row[0], NICENESS)
