"""Checks and rebuilds that somebody asks for, in the queue beside those of the schedule: asking, looking, ending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec
import psycopg
from procrastinate import App, SyncPsycopgConnector
from psycopg.rows import kwargs_row

from .job_queue import (
    LOCK,
    TASK,
    Outcome,
    arguments,
    note_by,
    prepare_queue,
    queue_of,
    workers,
)
from .live import ReadSide
from .records import NotThere
from .schedule import Task

What = Literal["check", "rebuild"]
REQUESTED: dict[What, str] = {"check": "requested check", "rebuild": "requested rebuild"}
"""What such jobs are called; no task of a schedule can have a name with a blank."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the queue, or what became of one.

    `status`: waiting, running, done, skipped (another rebuild was at work), failed, cancelled. `number`: orders those
    that are over (0: it is in the queue). `not_before`: when it is tried again. `ending`: somebody has asked it to end.
    `site`, `staff`: who asked for it; None: the schedule or the command line. Of its rebuild or check: `stage` and
    `folded` of `position` facts while it runs, then `seconds`, `compared` and `differences`.
    """

    number: int = 0
    job: int | None
    task: str
    what: str | None
    views: list[str] | None
    status: str
    attempts: int = 0
    not_before: datetime | None = None
    ending: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    clean: bool | None = None
    site: UUID | None
    staff: UUID | None
    requested_at: datetime | None
    rebuild: int | None
    stage: str | None
    folded: int | None
    position: int | None
    seconds: float | None
    compared: bool | None
    differences: int | None


class Requested(msgspec.Struct, frozen=True):
    """The job that does what was asked. `already`: it was in the queue for somebody; `repeated`: this very request was
    answered before."""

    job: int
    already: bool
    repeated: bool


class AnotherWaits(Exception):
    """Another job of the kind is in the queue that would do something else."""

    def __init__(self, job: int) -> None:
        super().__init__(f"job {job} is in the queue")
        self.job = job


class OtherRequest(Exception):
    """The same command was used for another request."""


class NotYours(Exception):
    """The job was asked for by somebody else."""


QUEUED = """
SELECT j.id AS job, j.args->>'task' AS task, j.args->>'what' AS what,
       ARRAY(SELECT jsonb_array_elements_text(nullif(j.args->'views', 'null'))) AS views,
       j.args->'views' = 'null' AS every,
       CASE j.status WHEN 'todo' THEN 'waiting' ELSE 'running' END AS status, j.attempts, j.scheduled_at AS not_before,
       j.abort_requested AS ending, b.started_at, r.site, r.staff, r.requested_at, b.id AS rebuild, b.stage, b.folded,
       b.position, b.seconds, NULL::boolean AS compared, NULL::bigint AS differences
FROM procrastinate_jobs j
LEFT JOIN LATERAL (SELECT * FROM request WHERE job = j.id ORDER BY requested_at LIMIT 1) r ON true
LEFT JOIN {rebuild} b ON j.status = 'doing' AND b.status = 'running'
     AND b.asked_by IN ('job ' || j.id, 'schedule: ' || (j.args->>'task'))
WHERE j.status IN ('todo', 'doing') AND (%(job)s::bigint IS NULL OR j.id = %(job)s)
ORDER BY j.id
"""
OVER = """
SELECT o.id AS number, o.job, o.task, o.what, o.views, o.status, o.started_at, o.ended_at, o.clean,
       r.site, r.staff, r.requested_at, o.rebuild, b.stage, b.folded, b.position, b.seconds, b.compared, b.differences
FROM outcome o
LEFT JOIN LATERAL (SELECT * FROM request WHERE job = o.job ORDER BY requested_at LIMIT 1) r ON true
LEFT JOIN {rebuild} b ON b.id = o.rebuild
WHERE (%(job)s::bigint IS NULL OR o.job = %(job)s) AND (%(before)s::bigint IS NULL OR o.id < %(before)s)
  AND (NOT %(last)s OR o.id IN (SELECT max(id) FROM outcome GROUP BY task))
ORDER BY o.id DESC
LIMIT %(most)s
"""


class JobDesk:
    """Where jobs are asked for. The queue is made when it is first needed. Everything raises StoreUnavailable."""

    def __init__(self, read_side: ReadSide) -> None:
        self.read_side = read_side
        self._ready = False
        self._lock = threading.Lock()

    @contextmanager
    def _queue(self) -> Iterator[psycopg.Connection]:
        with self._lock:
            if not self._ready:
                prepare_queue(self.read_side.recorder.uri, self.read_side.recorder.schema)
                self._ready = True
        with queue_of(self.read_side) as connection:
            yield connection

    def request(
        self, what: What, views: Sequence[str] | None, *, site: UUID, staff: UUID, command: UUID, content: str
    ) -> Requested:
        """Put a check or rebuild of views (None: all) in the queue, unless the same is there already.

        One of a kind at a time, whoever asks: a job that failed and one that waits could not both go back. Raises
        AnotherWaits, OtherRequest.
        """
        digest = sha256(content.encode()).digest()
        named = None if views is None else tuple(sorted(set(views)))
        with self._queue() as connection, connection.transaction():
            lock = f"requests {self.read_side.schema}"
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
            known = connection.execute("SELECT job, content FROM request WHERE command = %s", [command]).fetchone()
            if known is not None:
                if bytes(known[1]) != digest:
                    raise OtherRequest
                return Requested(int(known[0]), already=True, repeated=True)
            task = Task(what=what, cron="", views=named)
            there = connection.execute(
                "SELECT id, args->'views' FROM procrastinate_jobs WHERE queueing_lock = %s AND status IN "
                "('todo', 'doing')",
                [REQUESTED[what]],
            ).fetchone()
            if there is not None and there[1] != (None if named is None else list(named)):
                raise AnotherWaits(int(there[0]))
            job = int(there[0]) if there is not None else self._defer(connection, task)
            connection.execute(
                "INSERT INTO request (command, content, job, site, staff) VALUES (%s, %s, %s, %s, %s)",
                [command, digest, job, site, staff],
            )
        return Requested(job, already=there is not None, repeated=False)

    def _defer(self, connection: psycopg.Connection, task: Task) -> int:
        name = REQUESTED[task.what]
        queue = App(connector=SyncPsycopgConnector()).configure_task(
            TASK, queue=self.read_side.recorder.schema, lock=LOCK, queueing_lock=name, connection=connection
        )
        told = {**arguments(name, task), "requested": True}
        return queue.defer(**told)  # type: ignore[arg-type]

    def queued(self, job: int | None = None) -> tuple[list[Job], int]:
        """The jobs in the queue, the first first, or one of them; and how many workers take jobs from it."""
        with self._queue() as connection:
            return self._rows(connection, QUEUED, _queued, job=job), workers(connection)

    def over(self, most: int, before: int | None = None) -> list[Job]:
        """What became of jobs, the latest first; before a number of such a list."""
        with self._queue() as connection:
            return self._over(connection, before=before, most=most)

    def last(self) -> dict[str, Job]:
        """Task -> what became of it last."""
        with self._queue() as connection:
            found = self._over(connection, last=True)
        return {one.task: one for one in found}

    def job(self, job: int) -> Job:
        """One job. Raises NotThere: none, or one of long ago."""
        with self._queue() as connection, connection.transaction():
            return self._one(connection, job)

    def cancel(self, job: int, site: UUID) -> Job:
        """End a job that the site asked for: it is taken out of the queue, or ends at its next step. Nothing happens to
        one that is over. Raises NotThere, NotYours."""
        with self._queue() as connection, connection.transaction():
            # Whoever takes it up, or brings it to an end, waits; then it can be seen what it has come to.
            connection.execute("SELECT FROM procrastinate_jobs WHERE id = %s FOR UPDATE", [job])
            found = self._one(connection, job)
            if found.site != site:
                raise NotYours
            if found.number:
                return found
            manager = App(connector=SyncPsycopgConnector()).job_manager
            manager.cancel_job_by_id(job, abort=True, delete_job=True, connection=connection)
            if found.status == "waiting":
                outcome = Outcome(
                    task=found.task, status="cancelled", started_at=datetime.now(UTC), job=job, what=found.what,
                    views=found.views, message="taken out of the queue",
                )  # fmt: skip
                note_by(connection, outcome)
            return self._one(connection, job)

    def _one(self, connection: psycopg.Connection, job: int) -> Job:
        # A job that is at its end may stand in both.
        found = self._over(connection, job=job, most=1)
        found = found or self._rows(connection, QUEUED, _queued, job=job)
        if not found:
            raise NotThere(f"no job has the number {job}")
        return found[0]

    def _over(
        self,
        connection: psycopg.Connection,
        *,
        job: int | None = None,
        before: int | None = None,
        most: int | None = None,
        last: bool = False,
    ) -> list[Job]:
        return self._rows(connection, OVER, Job, job=job, before=before, most=most, last=last)

    def _rows(
        self, connection: psycopg.Connection, query: str, cls: Callable[..., Job], **values: int | None
    ) -> list[Job]:
        rebuild = self.read_side.table("rebuild").as_string(connection)
        with connection.cursor(row_factory=kwargs_row(cls)) as cursor:
            return cursor.execute(query.replace("{rebuild}", rebuild).encode(), values).fetchall()


def _queued(*, every: bool, views: list[str], **columns: object) -> Job:
    return Job(views=None if every else views, **columns)  # type: ignore[arg-type]
