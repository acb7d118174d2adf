"""Jobs: checks and rebuilds of the views - asking for one, ending it, what became of them, when they fall due.

They concern the whole store. Counts are told of all of it; who asked, only of the caller's site."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from flask import current_app
from marshmallow import Schema, fields, validate

from application.embedded_postgres import default_home
from application.yaml_files import FileProblem
from projections.job_requests import AnotherWaits, Job, JobDesk, NotYours, OtherRequest
from projections.records import NotThere
from projections.reports import LAST_NUMBER
from projections.schedule import FILE, following, read_schedule
from projections.views import VIEWS

from .answers import names
from .caller import Caller
from .errors import Problem
from .fields import code
from .operations import Resource
from .reading import Paged, cursor, key_after

jobs = Resource("jobs", "Jobs: checks and rebuilds of the views, what they found, and when they fall due")
SITE = "/sites/<uuid:site>"
ALL = f"{SITE}/jobs"


class JobAsked(Schema):
    what = code(["check", "rebuild"], required=True)
    views = fields.List(
        fields.String(validate=validate.OneOf(list(VIEWS))),
        validate=validate.Length(min=1, max=len(VIEWS)),
        metadata={"description": "Left out: all."},
    )


class Nothing(Schema):
    pass


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """A check or rebuild in the queue, or what became of it.

    `status`: waiting, running, done, skipped (another rebuild was at work), failed, cancelled; `ending`: it runs, and
    was asked to end. `views`: None for all. `requested_by`: who of this site asked for it (None: the schedule, the
    command line, another site). `not_before`: when it is tried again. `folded` of `position` facts are done. `clean`:
    no row differed, no stream was left out; `differences`: rows that did, in the whole store; `rebuild`: the number
    under which those of this site are told."""

    job: int | None
    task: str
    what: str | None
    views: list[str] | None
    status: str
    ending: bool
    attempts: int
    not_before: datetime | None
    requested_by: UUID | None
    requested_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    stage: str | None
    folded: int | None
    position: int | None
    clean: bool | None
    differences: int | None
    rebuild: int | None


class JobAccepted(msgspec.Struct, frozen=True):
    """The job that does what was asked. `already`: it was in the queue; `repeated`: this request was answered before;
    `workers`: how many take jobs from the queue (0: start lunpai work)."""

    job: int
    already: bool
    repeated: bool
    workers: int


class Jobs(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs in the queue, all on each page, and those that are over, the latest first. `after`: what to ask on with;
    `workers`: how many take jobs from the queue."""

    queued: tuple[JobLine, ...]
    over: tuple[JobLine, ...]
    after: str | None
    workers: int
    staff: dict[UUID, str]


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the schedule. `cron`: minute hour day month weekday; `queued`: waiting or running, where it is in the
    queue; `last`: what became of it last, if that is on record."""

    task: str
    what: str
    views: list[str] | None
    cron: str
    next: datetime
    queued: str | None
    last: JobLine | None


class ScheduleTold(msgspec.Struct, frozen=True):
    """What is checked and rebuilt by itself, on the clock of `timezone`. `workers`: how many see to it."""

    timezone: str
    tasks: tuple[TaskLine, ...]
    workers: int


@jobs.command(
    ALL, JobAsked, action="jobs.run", example={"what": "check", "views": ["ownership"]}, answer=JobAccepted,
    refuses=["views_missing", "job_waiting"],
)  # fmt: skip
def request_job(caller: Caller, given: dict[str, Any]) -> JobAccepted:
    """Ask for a check or a rebuild of views; a worker takes it up. Where the same is in the queue, that is the job."""
    assert caller.command_id is not None and caller.content is not None
    desk = _desk()
    try:
        found = desk.request(
            given["what"], given.get("views"), site=caller.office.site_id, staff=caller.staff,
            command=caller.command_id, content=caller.content,
        )  # fmt: skip
    except AnotherWaits as another:
        raise Problem("job_waiting", str(another)) from None
    except OtherRequest:
        raise Problem("command_reused") from None
    return JobAccepted(found.job, found.already, found.repeated, desk.queued()[1])


@jobs.query(ALL, Jobs, action="jobs.read", schema=Paged, refuses=["views_missing"])
def list_jobs(caller: Caller, given: dict[str, Any]) -> Jobs:
    """The jobs in the queue, and what became of the last, in pages."""
    desk, limit = _desk(), given["limit"]
    (before,) = key_after(given, (LAST_NUMBER,))
    waiting, workers = desk.queued()
    over = desk.over(limit + 1, before)
    lines = [_line(caller, one) for one in (*waiting, *over[:limit])]
    return Jobs(
        queued=tuple(lines[: len(waiting)]), over=tuple(lines[len(waiting) :]),
        after=cursor((over[limit - 1].number,) if len(over) > limit else None), workers=workers,
        staff=names(caller.office, [line.requested_by for line in lines]),
    )  # fmt: skip


@jobs.query(f"{ALL}/<int:job>", JobLine, action="jobs.read", refuses=["views_missing", "unknown_job"])
def show_job(caller: Caller, given: dict[str, Any], *, job: int) -> JobLine:
    """A job: how far it is, or what became of it."""
    with _known(job):
        return _line(caller, _desk().job(job))


@jobs.command(
    f"{ALL}/<int:job>/cancellation", Nothing, action="jobs.run", example={}, answer=JobLine,
    refuses=["views_missing", "unknown_job"],
)  # fmt: skip
def cancel_job(caller: Caller, given: dict[str, Any], *, job: int) -> JobLine:
    """End a job that somebody of this site asked for: out of the queue, or at its next step. The live views stay as
    they are; nothing happens to a job that is over."""
    with _known(job):
        try:
            return _line(caller, _desk().cancel(job, caller.office.site_id))
        except NotYours:
            raise Problem("access_denied", "this job was not asked for by anybody of this site") from None


@jobs.query(f"{SITE}/schedule", ScheduleTold, action="jobs.read", refuses=["views_missing", "schedule_unreadable"])
def show_schedule(caller: Caller, given: dict[str, Any]) -> ScheduleTold:
    """What is checked and rebuilt by itself: when next, and what became of it last."""
    desk = _desk()
    try:
        planned = read_schedule(default_home() / FILE, VIEWS)
    except FileProblem:
        raise Problem("schedule_unreadable") from None
    zone = ZoneInfo(planned.timezone) if planned.timezone is not None else current_app.extensions["lunpai"].store.zone
    waiting, workers = desk.queued()
    queued = {one.task: one.status for one in waiting}
    last = desk.last()
    now = datetime.now(UTC)
    tasks = tuple(
        TaskLine(
            task=name, what=task.what, views=None if task.views is None else list(task.views), cron=task.cron,
            next=following(task.cron, zone, now), queued=queued.get(name),
            last=_line(caller, last[name]) if name in last else None,
        )
        for name, task in planned.tasks.items()
    )  # fmt: skip
    return ScheduleTold(zone.key, tasks, workers)


def _desk() -> JobDesk:
    """Raises Problem views_missing where no views can be kept."""
    desk: JobDesk | None = current_app.extensions["lunpai"].jobs
    if desk is None:
        raise Problem("views_missing")
    return desk


@contextmanager
def _known(job: int) -> Iterator[None]:
    """Raises Problem unknown_job."""
    try:
        if job > LAST_NUMBER:
            raise NotThere
        yield
    except NotThere:
        raise Problem("unknown_job") from None


def _line(caller: Caller, one: Job) -> JobLine:
    here = one.site == caller.office.site_id
    return JobLine(
        job=one.job, task=one.task, what=one.what, views=one.views, status=one.status, ending=one.ending,
        attempts=one.attempts, not_before=one.not_before, requested_by=one.staff if here else None,
        requested_at=one.requested_at, started_at=one.started_at, ended_at=one.ended_at, seconds=one.seconds,
        stage=one.stage, folded=one.folded, position=one.position, clean=one.clean,
        differences=one.differences if one.compared else None, rebuild=one.rebuild,
    )  # fmt: skip
