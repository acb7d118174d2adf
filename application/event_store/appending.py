"""What one append carries besides its facts, and how it can fail - the same for every store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from eventsourcing.persistence import IntegrityError, OperationalError

SHARED = ("name", "disputed")
"""Kinds of claims that any number may hold (the schema's partial index says the same)."""


class ClaimOn(msgspec.Struct, frozen=True):
    """Something held once (kind phone, unit, label) - or shared (SHARED). `key` is a keyed hash or a
    label's bytes."""

    kind: str
    key: bytes
    subject: UUID


class PersonKey(msgspec.Struct, frozen=True):
    """A person's key, wrapped by the master key."""

    person: UUID
    wrapped: bytes


class CommandKey(msgspec.Struct, frozen=True):
    """A command: unique by actor and id; `digest` is the hash of its content, so that the id can't be used for
    another."""

    actor: UUID
    id: UUID
    digest: bytes


class Beside(msgspec.Struct, frozen=True):
    """All that an append writes in its own transaction beside the facts - and `rests_on`, streams with the version up
    to which each was read when the facts were decided: nothing is written once one has moved on."""

    command: CommandKey | None = None
    claims: tuple[ClaimOn, ...] = ()
    keys: tuple[PersonKey, ...] = ()
    rests_on: Mapping[UUID, int] = {}


class Appended(msgspec.Struct, frozen=True):
    """Where and when the facts of an append stand in the record."""

    first_position: int
    recorded_at: datetime


class KnownCommand(msgspec.Struct, frozen=True):
    """A command on record: its digest, and its facts from `first_position` to `last_position`."""

    digest: bytes
    first_position: int
    last_position: int


class StreamMoved(IntegrityError):
    """Somebody else has appended to the stream since it was read: read and decide again."""


class GroundsMoved(StreamMoved):
    """Somebody else has appended to a stream that the facts rest on."""


class CommandRepeated(IntegrityError):
    """The command is on record already."""


class ClaimTaken(IntegrityError):
    """A phone, unit or label is held already. `kind` says which."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(f"{kind or 'a claim'} is held already")
        self.kind = kind


class StoreUnavailable(OperationalError):
    """The database did not answer. Whether the append took place is unknown: look the command up."""


class StoreRefused(Exception):
    """The store can't be used as it is. One clear line saying what to do."""
