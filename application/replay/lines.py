"""The shape of a replay: the answer, its steps, rivals, clauses and facts, as plain values that go straight to JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.rulebook import Editions
from domain.visitor import Entry


class Text(msgspec.Struct, frozen=True):
    """The words for a code, in both languages."""

    en: str
    zh: str


class Citation(msgspec.Struct, frozen=True):
    """A clause: qualified id, rule numbers, article in the source, text."""

    id: str
    rules: tuple[str, ...]
    source: str
    en: str
    zh: str


def citations(editions: Editions, ids: Iterable[str]) -> tuple[Citation, ...]:
    """Clauses with their texts, each once."""
    return tuple(
        Citation(key, clause.rules, clause.source, clause.en, clause.zh) for key, clause in editions.clauses(ids)
    )


class FactLine(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that the answer used. Times in the site's zone; `recorded_at` is the database's own clock."""

    position: int
    name: str
    occurred_at: datetime
    known_at: datetime
    recorded_at: datetime
    by: tuple[str, ...]


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the history. `owner` and `until` are those right after it."""

    at: datetime
    known_at: datetime
    position: int | None
    what: str
    what_text: Text
    detail: Text | None
    visitor: str | None
    by: tuple[str, ...]
    effect: str
    effect_text: Text
    reason: str | None
    reason_text: Text | None
    late: bool
    owner: str | None
    until: date | None
    protected: bool
    clauses: tuple[str, ...]
    edition: str


class RivalLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose claim fails, and why."""

    staff: str
    staff_id: UUID
    reason: str
    reason_text: Text
    at: datetime | None
    clauses: tuple[str, ...]
    facts: tuple[int, ...]


class ChangeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that would have given another owner."""

    kind: str
    text: Text
    owner: str | None
    position: int | None
    value: int | None


class RulingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling that decides the answer; `without` is what the rules alone would give, `adopted` that it took
    just that."""

    at: datetime
    by: str
    reason: str
    adopted: bool
    without: str | None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A matter settled by replaying history.

    `owner`: a name, or None for nobody; `until`: the last protected day, None for no limit or nobody; `shares`: exact
    fractions, `amounts`: yuan, both by name; `entries`: all that are the same customer; `under`: the edition that
    decided, `amend`: what is changed in it; `position`: up to which fact the record was read. Instants are in the
    site's time zone.
    """

    kind: str
    site: str
    timezone: str
    matter: dict[str, Any]
    entries: tuple[Entry, ...]
    at: datetime
    known_at: datetime
    position: int
    under: str
    amend: dict[str, Any]
    what_if: bool
    owner: str | None
    owner_id: UUID | None
    ground: str
    ground_text: Text
    since: datetime | None
    until: date | None
    until_text: Text
    shares: dict[str, str] | None
    shares_text: Text | None
    amounts: dict[str, str] | None
    ruling: RulingLine | None
    clauses: tuple[Citation, ...]
    facts: tuple[FactLine, ...]
    steps: tuple[StepLine, ...]
    rivals: tuple[RivalLine, ...]
    changes: tuple[ChangeLine, ...]
