"""`lunpai work` keeps the read side; `lunpai schedule` says what is checked and rebuilt by itself, and when."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from application.embedded_postgres import default_home
from projections.job_queue import Outcome, defer, last_outcomes, note, prepare_queue, queue_of, waiting, workers
from projections.jobs import perform
from projections.rebuild import Tell
from projections.records import NotThere
from projections.schedule import DEFAULT, FILE, Schedule, Task, following, read_schedule
from projections.view import View
from projections.views import VIEWS
from projections.worker import work as work_until

from .arguments import say
from .building import Building
from .store import Store, open_store


@click.command(short_help="Keep the views live and do what the schedule asks for.")
@click.option("--no-schedule", is_flag=True, help="Only keep the views live.")
@click.pass_obj
def work(language: str, no_schedule: bool) -> None:
    """Build the views that are not built, keep all of them live, and check and rebuild them by the schedule.

    Runs until Ctrl-C or SIGTERM. Any number may run: one keeps the views live, the others stand by; what falls due
    is done once. See `lunpai lag` for where the views stand, `lunpai schedule` for what is due.
    """
    schedule = None if no_schedule else read_schedule(schedule_file(), VIEWS)
    with open_store(say) as store:
        keep(store, language, schedule)


def keep(store: Store, language: str, schedule: Schedule | None) -> None:
    """Work until somebody asks to end."""
    stop, log = stopped(), Log()
    with Building(language) as building:

        def tell(views: Sequence[View]) -> Tell:
            log(f"views: building {', '.join(view.name for view in views)}")
            return building

        zone = _zone(store, schedule or DEFAULT)
        if schedule is not None:
            for name, task in schedule.tasks.items():
                at = following(task.cron, zone, datetime.now(UTC))
                log(f"schedule: {name}: next at {at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})")
        work_until(store.read_side, stop, log, schedule=schedule, zone=zone, tell=tell)
    log("ended")


class Log:
    """The lines of a program that runs for long, each with its time; what repeats itself is said once."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def __call__(self, line: str) -> None:
        subject = line.partition(":")[0]
        if self._last.get(subject) != line:
            self._last[subject] = line
            say(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}")


def stopped() -> Event:
    """Set by Ctrl-C or a request to end. Whoever asks again a second later need not wait for good order."""
    stop = Event()
    asked_at = 0.0

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal asked_at
        if not stop.is_set():
            asked_at = time.monotonic()
            stop.set()
        elif time.monotonic() - asked_at > 1:  # some tools send it twice
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return stop


def schedule_file() -> Path:
    return default_home() / FILE


def _zone(store: Store, schedule: Schedule) -> ZoneInfo:
    """On whose clock the schedule is: the file says so, else the sites do."""
    return ZoneInfo(schedule.timezone) if schedule.timezone else store.zone


# What is due


@click.group()
def schedule() -> None:
    """What is checked and rebuilt by itself (LUNPAI_HOME/schedule.yaml; all views every night, if there is none)."""


class Due(msgspec.Struct, frozen=True):
    """A task of the schedule: when it falls due next, whether it waits or is at work, and what became of it last."""

    task: str
    what: str
    views: list[str] | None
    cron: str
    next: datetime
    queued: str | None
    last: Outcome | None


@schedule.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_tasks(language: str, as_json: bool) -> None:
    """The tasks, when each falls due next, and what became of it last."""
    planned = read_schedule(schedule_file(), VIEWS)
    with open_store(say) as store:
        read_side, zone = store.read_side, _zone(store, planned)
        prepare_queue(read_side.recorder.uri, read_side.recorder.schema)
        with queue_of(read_side) as connection:
            queued = {each.task: each.status for each in waiting(connection)}
            last, alive = last_outcomes(connection), workers(connection)
    now = datetime.now(UTC)
    due = [
        Due(name, task.what, None if task.views is None else list(task.views), task.cron,
            following(task.cron, zone, now), queued.get(name), last.get(name))
        for name, task in planned.tasks.items()
    ]  # fmt: skip
    if as_json:
        answer = {"timezone": zone.key, "workers": alive, "tasks": due}
        click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
        return
    _show(due, zone, alive, planned is DEFAULT, language)


def _show(due: Sequence[Due], zone: ZoneInfo, alive: int, default: bool, language: str) -> None:
    english = language == "en"
    where = f"{schedule_file()}" + (
        (" (not there: the default)" if english else "（无此文件：默认）") if default else ""
    )
    click.echo(f"{where} - {zone.key}")
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    english_headings, chinese_headings = (
        ("task", "what", "views", "times", "next"),
        ("任务", "内容", "视图", "时间", "下次"),
    )
    for heading in english_headings if english else chinese_headings:
        table.add_column(heading, overflow="fold", no_wrap=heading not in ("views", "视图"))
    for each in due:
        what = each.what if english else {"check": "核对", "rebuild": "重建"}[each.what]
        views = ", ".join(each.views) if each.views else ("all" if english else "全部")
        table.add_row(each.task, what, views, each.cron, _minute(each.next, zone))
    Console().print(table)
    for each in due:
        for line in _became(each, zone, english):
            click.echo(f"{each.task}: {line}" if english else f"{each.task}：{line}")
    if not alive:
        click.echo("no worker is running: start lunpai work" if english else "没有工作进程：请运行 lunpai work")


def _became(due: Due, zone: ZoneInfo, english: bool) -> Iterator[str]:
    """What a task is about, and what became of it last."""
    if due.queued is not None:
        english_words, chinese_words = {"todo": ("waiting", "排队中"), "doing": ("at work", "进行中")}[due.queued]
        yield english_words if english else chinese_words
    if due.last is not None:
        statuses = {"done": "完成", "skipped": "跳过", "failed": "失败", "cancelled": "已取消"}
        status = due.last.status if english else statuses[due.last.status]
        yield f"{_minute(due.last.started_at, zone)} {status}: {due.last.message}"


def _minute(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


@schedule.command("run")
@click.argument("name")
@click.option("--here", is_flag=True, help="Do it in this process, instead of leaving it to a worker.")
@click.pass_obj
def run_task(language: str, name: str, here: bool) -> int:
    """Do the task NAME now: a worker takes it up - or this process does (--here).

    With --here the exit status is 1 when rows differ, streams are left out, or another rebuild was running.
    """
    task = read_schedule(schedule_file(), VIEWS).tasks.get(name)
    if task is None:
        raise NotThere(f"the schedule has no task {name}: see lunpai schedule list")
    with open_store(say) as store:
        prepare_queue(store.read_side.recorder.uri, store.read_side.recorder.schema)
        return _do_here(store, name, task, language) if here else _leave_to_workers(store, name, task, language)


def _leave_to_workers(store: Store, name: str, task: Task, language: str) -> int:
    english = language == "en"
    if defer(store.read_side, name, task):
        click.echo(f"{name}: waiting for a worker" if english else f"{name}：已排队，等待工作进程")
    else:
        click.echo(f"{name}: was waiting for a worker already" if english else f"{name}：早已在排队")
    with queue_of(store.read_side) as connection:
        if not workers(connection):
            say(
                "no worker is running: start lunpai work, or add --here"
                if english
                else "没有工作进程：请运行 lunpai work，或加 --here"
            )
    return 0


def _do_here(store: Store, name: str, task: Task, language: str) -> int:
    with Building(language) as building:
        outcome = perform(store.read_side, name, task, asked_by=f"schedule: {name}, by hand", tell=building)
    note(store.read_side, outcome)
    click.echo(f"{name}: {outcome.status}: {outcome.message}")
    return 0 if outcome.status == "done" and outcome.clean else 1
