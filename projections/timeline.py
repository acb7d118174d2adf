"""Every step of a customer's history and what it did to the claim (Q5), ready to be shown: one row per customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.attribution import Step
from domain.visitor import Entry

from .dossier import CUSTOMER, Judged
from .view import Column, Row, View


class TimelineStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the attribution (see `domain.attribution.Step`): `owner` and `until` are those after it.

    `position` is None for what no fact says; `entry` is the entry it is about (None: none).
    """

    position: int | None
    at: datetime
    known_at: datetime
    what: str
    effect: str
    reason: str | None
    by: tuple[UUID, ...]
    owner: UUID | None
    until: date | None
    clauses: tuple[str, ...]
    edition: str
    entry: Entry | None


class _Kind(msgspec.Struct, frozen=True, array_like=True):
    """What most steps of a customer have in common with others."""

    what: str
    effect: str
    reason: str | None
    clauses: tuple[str, ...]
    edition: str


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """A step as it is stored: people, files and kinds by their places in the row's lists, `known_at` only if later."""

    position: int | None
    at: datetime
    known_at: datetime | None
    kind: int
    by: tuple[int, ...]
    owner: int | None
    until: date | None
    file: int | None
    registration: int | None


class _Timeline(msgspec.Struct, frozen=True, array_like=True):
    ids: tuple[UUID, ...]
    kinds: tuple[_Kind, ...]
    steps: tuple[_Stored, ...]


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Timeline)


def decode_steps(data: bytes) -> tuple[TimelineStep, ...]:
    """The steps of a row, in the order in which they count. Raises msgspec.DecodeError when the bytes are no steps."""
    row = _decoder.decode(data)
    return tuple(_whole(stored, row) for stored in row.steps)


def _whole(stored: _Stored, row: _Timeline) -> TimelineStep:
    kind, ids = row.kinds[stored.kind], row.ids
    entry = None
    if stored.file is not None and stored.registration is not None:
        entry = Entry(ids[stored.file], stored.registration)
    return TimelineStep(
        position=stored.position,
        at=stored.at,
        known_at=stored.known_at or stored.at,
        what=kind.what,
        effect=kind.effect,
        reason=kind.reason,
        by=tuple(ids[place] for place in stored.by),
        owner=None if stored.owner is None else ids[stored.owner],
        until=stored.until,
        clauses=kind.clauses,
        edition=kind.edition,
        entry=entry,
    )


def encode_steps(steps: Iterable[Step]) -> bytes:
    """The steps of an attribution as a row holds them."""
    ids: dict[int, int] = {}  # UUIDs as whole numbers, which Python hashes and compares faster
    kinds: dict[tuple[Any, ...], int] = {}
    stored = []
    for step in steps:
        claim, entry, at, known_at = step.claim, step.entry, step.at, step.known_at
        kind = (step.what, step.effect, step.reason, step.clauses, step.edition)
        # Plain tuples are written just as the structs are, and are made in half the time.
        stored.append(
            (
                step.position,
                at,
                None if known_at == at else known_at,
                kinds.setdefault(kind, len(kinds)),
                [ids.setdefault(staff.int, len(ids)) for staff in step.by] if step.by else (),
                None if claim is None else ids.setdefault(claim.owner.int, len(ids)),
                None if claim is None else claim.until,
                None if entry is None else ids.setdefault(entry.visitor.int, len(ids)),
                None if entry is None else entry.registration,
            )
        )
    return _encode(([number.to_bytes(16) for number in ids], list(kinds), stored))


def _rows(judged: Judged) -> Iterator[Row]:
    facts = judged.positions
    for first, found in judged.customers:
        yield Row((first.visitor, first.registration, judged.site, encode_steps(found.steps), facts[-1]), facts)


TIMELINE = View(
    name="timeline",
    about_en="What happened to each customer, step by step, with the clause every step rests on",
    about_zh="每位客户从头到尾的经过：每一步做了什么、对归属有何作用、依据哪条",
    columns=(
        Column("file", "uuid", "file of the customer's first entry"),
        Column("registration", "integer", "number of that entry in its file"),
        Column("site", "uuid", "the site"),
        Column("steps", "bytea", "the steps in the order in which they count, as `decode_steps` reads them"),
        Column("position", "bigint", "last fact that was looked at"),
    ),
    key=2,
    rows={CUSTOMER: _rows},
)
