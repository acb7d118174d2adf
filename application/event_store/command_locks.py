"""Which commands are being carried out right now, told across the threads and processes that serve one database.

A command is an advisory lock of the session that carries it out, which belongs to it meanwhile: the append that puts it
on record lets go of the lock in the same round trip, and where the session or its process ends, so does the lock. It
spares a second one the work and tells its client to wait; that nothing is put on record twice does not hang on it (see
commands.py)."""

from __future__ import annotations

import threading
from uuid import UUID

import psycopg

from .asking import INT8, Question

TAKE = Question("take", "SELECT pg_try_advisory_lock($1)", [INT8])
GIVE = Question("give", "SELECT pg_advisory_unlock($1)", [INT8])


class Own(threading.local):
    """What a thread has for itself: the connection on which it carries out a command, and the command as long as its
    lock is held there."""

    connection: psycopg.Connection | None = None
    command: UUID | None = None


def lock_of(command: UUID) -> bytes:
    """The number of its lock, as PostgreSQL reads an int8."""
    return command.bytes[:8]
