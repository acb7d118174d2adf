"""The read side on the terminal: where the views stand, rebuilds and checks, and the rows that differed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.metrics import Overview
from projections.rebuild import Result
from projections.records import DifferenceRecord, RebuildRecord
from projections.views import VIEWS

from .replay_words import plain

LONGEST_VALUE = 120
MOST_FACTS = 12

WORDS: dict[str, tuple[str, str]] = {
    "view": ("view", "视图"),
    "holds": ("holds", "已含事实"),
    "facts": ("facts behind", "落后条数"),
    "seconds": ("seconds", "落后秒数"),
    "parked": ("left out", "搁置"),
    "rebuilt": ("rebuilt", "上次重建"),
    "number": ("no.", "编号"),
    "mode": ("what", "内容"),
    "views": ("views", "视图"),
    "status": ("status", "状态"),
    "started": ("began", "开始"),
    "duration": ("s", "秒"),
    "differences": ("differ", "差异"),
    "asked": ("asked by", "发起"),
    "all": ("all", "全部"),
    "rebuild": ("rebuild", "重建"),
    "check": ("check", "核对"),
    "running": ("running", "进行中"),
    "done": ("done", "完成"),
    "failed": ("failed", "失败"),
    "cancelled": ("cancelled", "已取消"),
    "record": ("record: {} facts; times of {}", "记录：{}条事实；时区 {}"),
    "kept": ("kept live by {}", "实时维护：{}"),
    "not_kept": ("no worker keeps the views live: start lunpai work", "没有工作进程维护视图：请运行 lunpai work"),
    "left_out": ("{}: stream {} is left out from fact {} on: {}", "{}：流 {} 自第{}条事实起搁置：{}"),
    "retry": ("try again with lunpai lag --retry", "可用 lunpai lag --retry 重试"),
    "last": ("last {}: no. {}, {}, {:.1f} s, {}", "上次{}：第{}号，{}，{:.1f}秒，{}"),
    "found": ("{} differences", "{}处差异"),
    "found_none": ("no differences", "无差异"),
    "not_compared": ("nothing was compared", "未比对"),
    "ended": ("{} {}: {} views up to fact {}, {:.1f} s", "{}第{}号：{}个视图，至第{}条事实，{:.1f}秒"),
    "without_live": ("not compared, for want of live rows by this program: {}", "未比对（无本程序的现有行）：{}"),
    "streams_left_out": ("{} streams could not be taken: see lunpai lag", "{}条流无法读入：见 lunpai lag"),
    "live": ("live", "现有"),
    "fresh": ("by the facts", "按事实"),
    "no_row": ("(no such row)", "（无此行）"),
    "behind": ("facts: {}", "所据事实：{}"),
    "and_more": ("... and {} more", "…… 另有{}条"),
    "more_counted": ("{} more were counted, but not kept", "另有{}处只计数，未保留"),
}


class ReadSidePrinter:
    """Prints in one language, times in one zone."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.place = 0 if language == "en" else 1
        self.zone = zone

    def word(self, code: str, *values: object) -> str:
        return WORDS[code][self.place].format(*values)

    def _time(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}" if at else "-"

    def _table(self, *codes: str, right: Sequence[str] = (), folded: Sequence[str] = ()) -> Table:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for code in codes:
            justify: Literal["left", "right"] = "right" if code in right else "left"
            table.add_column(self.word(code), justify=justify, overflow="fold", no_wrap=code not in folded)
        return table

    def overview(self, found: Overview) -> None:
        click.echo(self.word("record", found.position, self.zone.key))
        numbers = ("holds", "facts", "seconds", "parked")
        table = self._table("view", *numbers, "rebuilt", right=numbers)
        troubles: dict[str, list[str]] = {}
        for view in found.views:
            values = (str(view.position), str(view.facts), f"{view.seconds:.1f}", str(view.parked))
            table.add_row(view.view, *values, self._time(view.rebuilt_at))
            if view.trouble:
                troubles.setdefault(view.trouble, []).append(view.view)
        Console().print(table)
        for trouble, views in troubles.items():
            click.echo(f"! {', '.join(views)}: {plain(trouble)}")
        for stream in found.parked:
            click.echo("! " + self.word("left_out", stream.view, stream.stream, stream.position, plain(stream.reason)))
        if found.parked:
            click.echo(self.word("retry"))
        for last in (found.last_rebuild, found.last_check):
            if last is not None:
                when = self._time(last.ended_at)
                click.echo(self.word("last", self.word(last.mode), last.id, when, last.seconds or 0, self._found(last)))
        kept_by = found.kept_by
        click.echo(self.word("not_kept") if kept_by is None else self.word("kept", plain(kept_by) or "?"))

    def _found(self, record: RebuildRecord) -> str:
        if not record.compared:
            return self.word("not_compared")
        return self.word("found", record.differences) if record.differences else self.word("found_none")

    def rebuilds(self, records: Sequence[RebuildRecord]) -> None:
        table = self._table(
            "number", "mode", "views", "status", "started", "duration", "differences", "asked",
            right=("number", "duration", "differences"), folded=("views", "status", "asked"),
        )  # fmt: skip
        for record in records:
            seconds = f"{record.seconds:.1f}" if record.seconds is not None else ""
            differ = str(record.differences) if record.compared else "-"
            table.add_row(
                str(record.id),
                self.word(record.mode),
                self.word("all") if set(record.views) == VIEWS.keys() else ", ".join(record.views),
                self._status(record),
                self._time(record.started_at),
                seconds,
                differ,
                _cell(record.asked_by),
            )
        Console().print(table)
        for record in records:
            if record.status == "failed" and record.message:
                click.echo(f"! {record.id}: {plain(record.message)}")

    def _status(self, record: RebuildRecord) -> str:
        status = self.word(record.status)
        if record.status != "running":
            return status
        percent = "" if record.percent is None else f" {record.percent} %"
        return f"{status}: {record.stage}{percent}"

    def result(self, result: Result) -> None:
        """What a rebuild or check came to, in a few lines."""
        click.echo(
            self.word("ended", self.word(result.mode), result.id, len(result.views), result.position, result.seconds)
        )
        left_out = [name for name in result.views if name not in result.compared]
        if left_out:
            click.echo(self.word("without_live", ", ".join(left_out)))
        if result.compared:
            click.echo(self.word("found", result.differences) if result.differences else self.word("found_none"))
        if result.parked:
            click.echo(self.word("streams_left_out", result.parked))

    def differences(self, found: Sequence[DifferenceRecord], counted: int, names: Mapping[int, str]) -> None:
        """Every row that differed, with its key, the columns, both values, and the facts behind it."""
        for difference in found:
            columns = VIEWS[difference.view].key_columns if difference.view in VIEWS else ()
            key = ", ".join(f"{name}={part}" for name, part in zip(columns, difference.key, strict=False))
            click.echo(f"{difference.number}. {difference.view}: {plain(key or ', '.join(difference.key))}")
            self._values(difference)
            facts = [f"{position} {names.get(position, '')}".strip() for position in difference.facts[:MOST_FACTS]]
            if len(difference.facts) > MOST_FACTS:
                facts.append(self.word("and_more", len(difference.facts) - MOST_FACTS))
            click.echo(f"   {self.word('behind', ', '.join(facts) or '-')}")
            if difference.note:
                click.echo(f"   ! {plain(difference.note)}")
        if counted > len(found):
            click.echo(self.word("more_counted", counted - len(found)))

    def _values(self, difference: DifferenceRecord) -> None:
        for code, row in (("live", difference.live), ("fresh", difference.fresh)):
            if row is None:
                click.echo(f"   {self.word(code)}: {self.word('no_row')}")
        if difference.live is not None and difference.fresh is not None:
            for column in difference.columns:
                here, there = _value(difference.live.get(column)), _value(difference.fresh.get(column))
                click.echo(f"   {column}: {self.word('live')} {here}, {self.word('fresh')} {there}")
        else:
            for column, value in (difference.live or difference.fresh or {}).items():
                click.echo(f"   {column}: {_value(value)}")


def _value(value: Any) -> str:
    text = plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _cell(text: str) -> Text:
    return Text(plain(text), overflow="fold")
