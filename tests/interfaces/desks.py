"""A reception desk whose commands are typed as on a console, on a record in memory whose clock follows the times typed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from application.commands import Stamp
from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from interfaces import cli, cli_desk, cli_floor, cli_floor_receptions
from interfaces.store import Say, Store
from tests.interfaces.conftest import Said

ZONE = ZoneInfo("Asia/Shanghai")
DAY, NEXT_DAY = "2025-03-03", "2025-03-04"
SITE = "样板案场"
FOUR = "林芳 王磊 周敏 赵云"
Staff = tuple[tuple[str, str, str | None], ...]
LEADERS: Staff = (("孙一", "supervisor", None), ("陈静", "manager", None))
STAFF: Staff = (*((name, "consultant", None) for name in FOUR.split()), *LEADERS)
TEAMS: Staff = (*((name, "consultant", team) for name, team in zip(FOUR.split(), "AABB", strict=True)), *LEADERS)
VISITOR, PHONE, MASKED = "张三丰", "13900000001", "张** 139****0001"
TYPING: tuple[ModuleType, ...] = (cli_desk, cli_floor, cli_floor_receptions)
"""The modules whose commands open the store."""


def at_time(text: str, day: str = DAY) -> datetime:
    return datetime.fromisoformat(f"{day} {text}").replace(tzinfo=ZONE).astimezone(UTC)


class Desk:
    """One office under a rulebook; `desk("09:00", "sign-in 林芳")` is `lunpai floor sign-in 林芳 --at '... 09:00'`."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        rulebook: str = "front-desk-order",
        amend: dict[str, Any] | None = None,
        staff: Staff = STAFF,
    ) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.clock = at_time("08:00")
        self.record = Record(MemoryRecorder(lambda: self.clock))
        self.store = Store(self.record, Keyring(b"k" * 32, self.record.person_keys), Shelf())
        self.office = self._open(rulebook, amend)
        for name, role, team in staff:
            self.office.enrol_staff(self._before(), name=name, role=role, team=team)
        for module in TYPING:
            monkeypatch.setattr(module, "open_store", self._opened)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("LANG", "C.UTF-8")

    def _before(self) -> Stamp:
        since = datetime(2000, 1, 2, tzinfo=UTC)
        return Stamp(actor=uuid4(), at=since, entered_at=since)

    def _open(self, rulebook: str, amend: dict[str, Any] | None) -> SalesOffice:
        store = self.store
        office = open_site(
            store.record, store.keyring, store.shelf, name=SITE, timezone=str(ZONE), stamp=self._before()
        )
        office.adopt(self._before(), rulebook=rulebook, amend=amend)
        return office

    @contextmanager
    def _opened(self, say: Say) -> Iterator[Store]:
        yield self.store

    def __call__(self, time: str | None, command: str, *, day: str = DAY, language: str = "en") -> Said:
        """A command of the floor at a time of the day."""
        return self.typed(f"--language {language} floor {command}", time, day)

    def typed(self, line: str, time: str | None = None, day: str = DAY) -> Said:
        """Any command line."""
        if time is not None:
            self.clock = max(self.clock, at_time(time, day))
            line += f" --at '{day} {time}'"
        self.monkeypatch.setattr(sys, "argv", ["lunpai", *shlex.split(line)])
        cli._spoken.clear()
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = self.capsys.readouterr()
        return Said(int(ended.value.code or 0), captured.out, captured.err)

    def does(self, time: str, *commands: str, day: str = DAY) -> None:
        """Commands that are carried out, whatever they answer."""
        for command in commands:
            said = self(time, command, day=day)
            assert said.status == 0, (command, said.err)

    def says(self, time: str | None, command: str, *, day: str = DAY, language: str = "en") -> list[str]:
        """The lines that a command answers, blanks folded."""
        said = self(time, command, day=day, language=language)
        assert said.status == 0, said.err
        return [" ".join(line.split()) for line in said.out.splitlines()]

    def why(self, label: str, *, day: str = DAY, language: str = "en") -> str:
        """What `why` answers, blanks and line ends folded."""
        return " ".join(self.says(None, f"why {label} --day {day}", language=language))

    def registers(self, time: str, by: str, phone: str = PHONE, name: str = VISITOR) -> None:
        said = self.typed(f"register {name} --by {by} --phone {phone}", time)
        assert said.status == 0, said.err


OpenDesk = Callable[..., Desk]


def opener(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> OpenDesk:
    """Opens a desk under a rulebook, everybody in."""

    def open_desk(rulebook: str, signed_in: str = FOUR, **more: Any) -> Desk:
        desk = Desk(monkeypatch, capsys, rulebook, **more)
        desk.does("08:50", f"sign-in {signed_in}")
        return desk

    return open_desk


def section(lines: Sequence[str], heading: str) -> list[str]:
    """The lines under a heading, up to the next blank one."""
    below = list(lines)[list(lines).index(heading) + 1 :]
    return below[: below.index("")] if "" in below else below
