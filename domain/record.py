"""The shape of the record: what a fact is, the names facts are stored under for ever, and the envelope that
says who put a
fact on record, when it happened and when it became known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Something that happened. Subclasses are declared with `@stored_as(name)`; the name belongs to history."""

    stored_name: ClassVar[str] = ""


F = TypeVar("F", bound="type[Fact]")

FACTS: dict[str, type[Fact]] = {}
"""Stored name -> the type that reads it."""

RETIRED: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""Retired name -> (its successor, a pure function that turns the old content into the successor's)."""


def stored_as(name: str) -> Callable[[F], F]:
    """Class decorator: facts of this type are stored under `name`, never renamed and never reused."""

    def declare(cls: F) -> F:
        if name in FACTS or name in RETIRED:
            raise ValueError(f"the stored name {name} is taken")
        cls.stored_name = name
        FACTS[name] = cls
        return cls

    return declare


def retire(name: str, successor: str, upcast: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Declare that facts stored as `name` are read as `successor` (which may itself be retired by a later name)."""
    if name in FACTS or name in RETIRED:
        raise ValueError(f"the stored name {name} is taken")
    RETIRED[name] = (successor, upcast)


def present_name(name: str) -> str:
    """The name that a stored name has led to since; itself, unless it was retired."""
    while name in RETIRED:
        name = RETIRED[name][0]
    return name


def names_read_as(*facts: type[Fact]) -> list[str]:
    """All stored names, retired ones included, that are read as one of these facts."""
    wanted = {fact.stored_name for fact in facts}
    return sorted(name for name in (*FACTS, *RETIRED) if present_name(name) in wanted)


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact about to be put on record, and all that the envelope says of it except when and where that was.

    `occurred_at` is when it happened (None: as it is recorded); `entered_at` is given where an older record (a
    sign-in sheet, a
    spreadsheet) says when
    it had been entered there. Both are aware, in UTC. `version` is the place in the stream, from 1. `edition` names the
    rulebook edition in force for the decision. Every fact belongs to a `site`, and is seen from there alone.
    """

    site: UUID
    stream: UUID
    version: int
    occurred_at: datetime | None
    entered_at: datetime | None
    actor: UUID
    command_id: UUID
    correlation_id: UUID
    edition: str | None
    fact: Fact

    # The event-sourcing library calls the same two things by these names.
    @property
    def originator_id(self) -> UUID:
        return self.stream

    @property
    def originator_version(self) -> int:
        return self.version


class Envelope(Draft, frozen=True, kw_only=True, gc=False):
    """A fact on record: `position` is its gap-free place in the whole log, from 1; `recorded_at` the
    database's clock."""

    occurred_at: datetime
    position: int
    recorded_at: datetime

    @property
    def known_at(self) -> datetime:
        """When the office could first know of it: the entry in the older record, else the entry here."""
        return self.entered_at or self.recorded_at
