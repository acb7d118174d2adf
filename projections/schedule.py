"""When the read side is checked and rebuilt by itself: the file LUNPAI_HOME/schedule.yaml, read strictly, and the
times that follow from it on the clock of a zone."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from croniter import CroniterError, croniter

from application.sales_office import time_zone
from application.yaml_files import Document, FileProblem
from domain.refusals import Refusal

FILE = "schedule.yaml"
NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")
FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
PART = r"(\*|(\d{1,2}|[a-z]{3})(-(\d{1,2}|[a-z]{3}))?)(/\d{1,2})?"
FIELD = re.compile(f"{PART}(,{PART})*", re.ASCII | re.IGNORECASE)
"""What a field of a time is made of. The library takes more: random times, years, seconds."""


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done, and when. `cron`: minute hour day month weekday. `views`: their names; None: all."""

    what: Literal["check", "rebuild"]
    cron: str
    views: tuple[str, ...] | None = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks by name. `timezone`: on whose clock; None: on that of the sites.

    `make_up_hours`: what fell due while no worker ran is made up by a worker that starts within so many hours.
    """

    tasks: dict[str, Task]
    timezone: str | None = None
    make_up_hours: int = 12


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A schedule as it is written."""

    tasks: dict[str, Any]
    timezone: str | None = None
    make_up_hours: Annotated[int, msgspec.Meta(ge=0, le=168)] = 12


DEFAULT = Schedule(
    tasks={
        "nightly-check": Task(what="check", cron="30 2 * * *"),
        "weekly-rebuild": Task(what="rebuild", cron="30 3 * * sun"),
    }
)


def read_schedule(path: Path, views: Collection[str]) -> Schedule:
    """The schedule in a file; the default where there is none. Raises FileProblem: file, line, path, what is wrong."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return DEFAULT
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FileProblem(str(path), line, "", "not UTF-8") from None
    document = Document(text, str(path))
    file = document.convert(_File)
    if file.timezone is not None:
        try:
            time_zone(file.timezone)
        except Refusal as refusal:
            raise document.problem("$.timezone", refusal.detail) from None
    tasks = {name: _task(document, name, data, views) for name, data in file.tasks.items()}
    return Schedule(tasks=tasks, timezone=file.timezone, make_up_hours=file.make_up_hours)


def _task(document: Document, name: str, data: Any, views: Collection[str]) -> Task:
    where = f"$.tasks.{name}"
    if not NAME.fullmatch(name):
        raise document.problem(where, "a task's name is made of small letters, digits and -, at most 40")
    # Left to itself, the conversion says of a wrong value only that it stands in some task.
    task = document.convert(Task, {} if data is None else data, where)
    if wrong := wrong_with(task.cron):
        raise document.problem(f"{where}.cron", wrong)
    if task.views == ():
        raise document.problem(f"{where}.views", "names no view: leave it out for all")
    for place, view in enumerate(task.views or ()):
        if view not in views:
            raise document.problem(f"{where}.views[{place}]", f"no view is called {view!r}: {', '.join(views)}")
    return task


def wrong_with(cron: str) -> str | None:
    """What is wrong with a time, in words; None when nothing is."""
    fields = cron.split()
    if len(fields) != len(FIELDS):
        return f"{cron!r} has {len(fields)} fields, not five as in '30 2 * * *': {', '.join(FIELDS)}"
    for name, field in zip(FIELDS, fields, strict=True):
        if not FIELD.fullmatch(field):
            return f"{field!r} is no {name}: a number, *, a range 1-5, a list 1,3 or a step */2"
    try:
        croniter(cron).get_next(float)
    except CroniterError as error:
        return f"{cron!r}: {error}"
    return None


def clock(cron: str, zone: ZoneInfo) -> croniter:
    """The times of a cron expression on the clock of a zone.

    One that is left out when clocks are put forward comes at the next full hour; one that is there twice, twice.
    """
    # The library keeps the zone of the instant it is made with, also when it is asked about others.
    return croniter(cron, datetime.now(zone))


def following(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """The first instant of a cron expression after another."""
    return datetime.fromtimestamp(clock(cron, zone).get_next(float, start_time=after.timestamp()), UTC)
