"""The record as it stood at a position, for answers about how things stood then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from uuid import UUID

from domain.record import Envelope

from .record import Record

S = TypeVar("S")


class RecordUntil(Record):
    """Another way to read a record: nothing is there after position `until`, which may move on. For streams only:
    claims and keys are held as they are now."""

    def __init__(self, record: Record, until: int) -> None:
        super().__init__(record._own_recorder)
        self.until = until

    def load(self, stream: UUID, evolve: Callable[[S | None, Envelope], S | None]) -> S | None:
        state: S | None = None
        for envelope in self.load_since(stream, 0):
            state = evolve(state, envelope)
        return state

    def load_since(self, stream: UUID, version: int) -> list[Envelope]:
        return [envelope for envelope in super().load_since(stream, version) if envelope.position <= self.until]

    def load_since_each(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Envelope]]:
        return {stream: self.load_since(stream, version) for stream, version in versions.items()}

    def position(self) -> int:
        return min(self.until, super().position())

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        return super().read(after, self.until if until is None else min(until, self.until))

    def close(self) -> None:
        """Nothing: what it reads through is the record's, and the library closes what nobody holds any more."""
