"""What a scenario file may say. Unknown keys are errors with their line; what the product does not do yet is
named as such."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from domain.refusals import REFUSALS
from domain.sales_turn_queue import CHANNELS
from domain.site import ROLES

from ..yaml_files import Document, FileProblem
from .shapes import wrong_value

LARGEST_BYTES = 2_000_000

COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "register": (("visitor", "by"), ("name", "phone", "via", "number")),
    "follow_up": (("visitor", "by"), ("how",)),
    "relate": (("visitor", "to", "as"), ("proven",)),
    "sell": (("sale", "visitor", "by", "amount"), ("unit", "buyer")),
    "agree": (("sale", "shares", "by"), ()),
    "change_consultant": (("visitor", "to", "fault", "by"), ()),
    "distribute": (("visitor", "to", "by"), ()),
    "depart": (("who", "by"), ("heirs",)),
    "dispute": (("dispute", "about", "by"), ()),
    "rule": (("dispute", "by", "reason"), ("owner", "shares")),
    "adopt": ((), ("rulebook", "amend", "by")),
    "sign_in": (("who",), ()),
    "sign_out": (("who",), ()),
    "step_out": (("who", "for"), ()),
    "step_back": (("who",), ()),
    "not_ready": (("who", "reason"), ()),
    "ready": (("who",), ()),
    "permit": (("who", "by", "for"), ()),
    "post": (("who", "as"), ()),
    "door_duty": (("who",), ()),
    "rank": (("order", "by"), ()),
    "day": (("kind", "by"), ()),
    "receive": (
        ("reception", "channel"),
        (
            *("name", "phone", "visitor", "asks_for", "describes", "invited_by", "brought_by"),
            *("purpose", "appointment", "party"),
        ),
    ),
    "absent": (("reception",), ()),
    "unreachable": (("who",), ()),
    "give_up": (("who", "channel"), ()),
    "recognise": (("reception", "as"), ()),
    "help": (("reception", "who"), ()),
    "hand_over": (("reception", "to", "by"), ()),
    "unanswered": (("reception",), ()),
    "finish": (("reception",), ("visitor", "purpose")),
    "entrust": (("visitor", "to", "by"), ()),
    "misconduct": (("who", "what", "by"), ()),
    "warn": (("who", "by"), ()),
}
"""Command -> (keys it must have, keys it may have)."""

ONE_LABEL = {
    **dict.fromkeys(["sign_in", "sign_out", "step_back", "ready", "door_duty", "unreachable"], "who"),
    **dict.fromkeys(["absent", "unanswered"], "reception"),
}
"""Commands that take a bare label -> which key it is."""

COMMANDS_TO_COME = frozenset(
    [
        *("open_case", "reclassify", "verify", "transfer", "report_up", "draft", "sign", "send", "done", "cost"),
        *("call_back", "close", "reopen", "praise"),
    ]
)
BY_LABEL = ("owner", "until", "shares", "amounts", "fines", "warnings", "suspended")
BY_CHANNEL = ("next", "order", "turns", "make_ups")
EXPECTATIONS = frozenset(
    [
        *BY_LABEL,
        *BY_CHANNEL,
        *("assigned", "because", "same_customer", "different_customers", "cites", "would_be", "as_of"),
    ]
)
EXPECTATIONS_TO_COME = frozenset(["case"])
CODES_TO_COME = frozenset(["missing_signatures", "not_verified"])


class NotBuiltYet(Exception):
    """The file asks for something of SCENARIOS.md that the product does not do yet."""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    role: str = "consultant"
    team: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`now` is when the office learns of it: `recorded_at`, else `at`. All aware, in UTC."""

    number: int
    path: str
    at: datetime
    now: datetime
    command: str | None
    value: dict[str, Any]
    refused: str | None
    expect: dict[str, Any]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    name: str
    rulebook: str
    amend: dict[str, Any]
    timezone: str
    staff: dict[str, Person]
    steps: tuple[Step, ...]
    document: Document


class _File(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    rulebook: str
    staff: dict[str, Person]
    steps: list[dict[str, Any]]
    amend: dict[str, Any] = {}
    timezone: str = "Asia/Shanghai"


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises FileProblem (file, line, reason), NotBuiltYet."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileProblem(str(path), None, "", error.strerror or "can't be read") from None
    if len(content) > LARGEST_BYTES:
        raise FileProblem(str(path), None, "", f"larger than {LARGEST_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileProblem(str(path), content[: error.start].count(b"\n") + 1, "", "not UTF-8") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, file: str) -> Scenario:
    """The scenario in a text; `file` is what errors call it. Raises FileProblem, NotBuiltYet."""
    document = Document(text, file)
    raw = document.convert(_File)
    try:
        zone = ZoneInfo(raw.timezone)
    except (KeyError, ValueError, OSError):
        raise document.problem("$.timezone", f"{raw.timezone!r} is not a time zone") from None
    for label, person in raw.staff.items():
        if person.role not in ROLES:
            raise document.problem(f"$.staff.{label}.role", f"unknown role {person.role!r}")
    if not raw.staff:
        raise document.problem("$.staff", "a scenario needs somebody on the staff")
    steps = _Steps(document, zone).read(raw.steps)
    return Scenario(
        file=file,
        name=raw.name,
        rulebook=raw.rulebook,
        amend=raw.amend,
        timezone=raw.timezone,
        staff=raw.staff,
        steps=steps,
        document=document,
    )


class Times:
    """Reads the times of a file; a bare time is on the day of the time read before it."""

    def __init__(self, document: Document, zone: ZoneInfo, day: date | None = None) -> None:
        self.document, self.zone, self.day = document, zone, day

    def read(self, value: Any, path: str) -> datetime:
        """`2026-03-02 08:50[:30]`, or `08:50[:30]` on the day of the step before; in UTC."""
        match = (
            re.fullmatch(r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d)?)", value) if isinstance(value, str) else None
        )
        try:
            if match is None:
                raise ValueError
            if match[1]:
                self.day = date.fromisoformat(match[1])
            if self.day is None:
                raise self.document.problem(path, "the first step names its day")
            local = datetime.combine(self.day, time.fromisoformat(match[2]), tzinfo=self.zone)
        except ValueError:
            raise self.document.problem(path, f"{value!r} is not a time such as 2026-03-02 08:50 or 08:50") from None
        return local.astimezone(UTC)


class _Steps:
    def __init__(self, document: Document, zone: ZoneInfo) -> None:
        self.document, self.times = document, Times(document, zone)
        self.now: datetime | None = None
        self.to_come: list[str] = []

    def read(self, raw_steps: list[dict[str, Any]]) -> tuple[Step, ...]:
        steps = tuple(self._step(number, raw) for number, raw in enumerate(raw_steps, start=1))
        if not steps:
            raise self.document.problem("$.steps", "a scenario needs at least one step")
        if self.to_come:
            raise NotBuiltYet(", ".join(dict.fromkeys(self.to_come)))
        return steps

    def _step(self, number: int, raw: dict[str, Any]) -> Step:
        path = f"$.steps[{number - 1}]"
        if "at" not in raw:
            raise self.document.problem(path, "a step has an `at`")
        at = self.times.read(raw["at"], f"{path}.at")
        day = self.times.day
        now = self.times.read(raw["recorded_at"], f"{path}.recorded_at") if "recorded_at" in raw else at
        self.times.day = day  # the next bare time is on the day of this `at`
        if self.now is not None and now < self.now:
            raise self.document.problem(f"{path}.at", "times never run backwards")
        self.now = now
        command, value = self._command(raw, path)
        expect = self._expect(raw.get("expect", {}), f"{path}.expect")
        refused = raw.get("refused")
        if refused is not None and not isinstance(refused, str):
            raise self.document.problem(f"{path}.refused", "refused takes a code")
        if refused is not None and refused not in REFUSALS and refused not in CODES_TO_COME:
            raise self.document.problem(f"{path}.refused", f"unknown code {refused!r}")
        if refused is not None and command is None and not self.to_come:
            raise self.document.problem(path, "`refused` needs a command")
        return Step(
            number=number,
            path=path,
            at=at,
            now=now,
            command=command,
            value=value,
            refused=refused,
            expect=expect,
        )

    def _command(self, raw: dict[str, Any], path: str) -> tuple[str | None, dict[str, Any]]:
        found = [key for key in raw if key not in ("at", "recorded_at", "refused", "expect")]
        for key in found:
            if key not in COMMANDS and key not in COMMANDS_TO_COME:
                raise self.document.problem(f"{path}.{key}", f"unknown key {key}")
        if len(found) > 1:
            raise self.document.problem(path, f"at most one command a step, not {' and '.join(found)}")
        if not found:
            return None, {}
        command = found[0]
        if command in COMMANDS_TO_COME:
            self.to_come.append(command)
            return None, {}
        value, (needed, allowed) = raw[command], COMMANDS[command]
        where = f"{path}.{command}"
        if command in ONE_LABEL and not isinstance(value, dict):
            value = {ONE_LABEL[command]: value}
        if not isinstance(value, dict):
            raise self.document.problem(where, f"{command} takes keys: {', '.join((*needed, *allowed))}")
        for key in value:
            if key not in needed and key not in allowed:
                raise self.document.problem(f"{where}.{key}", f"unknown key {key} of {command}")
        missing = [key for key in needed if key not in value]
        if missing:
            raise self.document.problem(where, f"{command} needs {', '.join(missing)}")
        for key, item in value.items():
            if wrong := wrong_value(command, key, item):
                raise self.document.problem(f"{where}.{key}", wrong)
        if command == "adopt" and not (value.keys() & {"rulebook", "amend"}):
            raise self.document.problem(where, "adopt names a rulebook, or what to amend")
        return command, value

    def _expect(self, expect: Any, path: str) -> dict[str, Any]:
        if not isinstance(expect, dict):
            raise self.document.problem(path, "`expect` takes keys and values")
        for key, value in expect.items():
            where = f"{path}.{key}"
            if key in EXPECTATIONS_TO_COME:
                self.to_come.append(f"expecting {key}")
            elif key not in EXPECTATIONS:
                raise self.document.problem(where, f"unknown key {key}")
            elif key in ("would_be", "as_of"):
                self._inner(key, value, where)
            elif key in ("same_customer", "different_customers", "cites"):
                if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                    raise self.document.problem(where, f"{key} takes a list")
                if len(value) < (1 if key == "cites" else 2):
                    raise self.document.problem(where, f"{key} with so few asks nothing")
            elif key in ("assigned", "because"):
                if not isinstance(value, str):
                    raise self.document.problem(
                        where, f"{key} takes a label" if key == "assigned" else f"{key} takes a code"
                    )
            elif not isinstance(value, dict):
                raise self.document.problem(where, f"{key} takes labels and values")
            elif key in BY_CHANNEL and (unknown := [channel for channel in value if channel not in CHANNELS]):
                raise self.document.problem(f"{where}.{unknown[0]}", "channels are visit and call")
        return expect

    def _inner(self, key: str, value: Any, path: str) -> None:
        own = ("under", "amend") if key == "would_be" else ("at", "known_at")
        if not isinstance(value, dict):
            raise self.document.problem(path, f"{key} takes keys and values")
        inner = {name: item for name, item in value.items() if name not in own}
        for name in inner:
            if name in ("would_be", "as_of"):
                raise self.document.problem(f"{path}.{name}", f"unknown key {name}")
        self._expect(inner, path)
        if key == "as_of" and "at" not in value:
            raise self.document.problem(path, "`as_of` has an `at`")
        if key == "would_be" and not any(name in value for name in own):
            raise self.document.problem(path, "`would_be` has `under` or `amend`")
        if not inner:
            raise self.document.problem(path, f"`{key}` asks nothing")
        if not isinstance(value.get("under", ""), str) or not isinstance(value.get("amend", {}), dict):
            raise self.document.problem(path, "`under` takes a rulebook, `amend` names and values")
