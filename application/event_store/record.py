"""The record as the application sees it: load a stream into a state, append what a command decided, read the log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import reduce
from typing import Any, TypeVar, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import InfrastructureFactory, Mapper
from eventsourcing.popo import POPOFactory
from eventsourcing.utils import Environment

from domain.record import Draft, Envelope

from .appending import Appended, Beside, KnownCommand, StoreRefused
from .mapper import FactMapper, RecordedEvent, decode
from .memory import MemoryRecorder
from .postgres import PostgresRecorder

S = TypeVar("S")
Recorder = MemoryRecorder | PostgresRecorder
BATCH = 2000


class Record(Application[UUID]):
    """The event-sourcing library's application over one of our recorders and our mapper."""

    def __init__(self, recorder: Recorder) -> None:
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS"):
            raise StoreRefused(
                "POSTGRES_ENABLE_DB_FUNCTIONS is set: it takes the lock and the tracking out of the event-sourcing "
                "library; unset it"
            )
        self._own_recorder = recorder
        super().__init__()

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return POPOFactory(env)

    def construct_mapper(self) -> Mapper[UUID]:
        return FactMapper()

    def construct_recorder(self) -> Recorder:
        return self._own_recorder

    def load(self, stream: UUID, evolve: Callable[[S | None, Envelope], S | None]) -> S | None:
        """The state of a stream, folded from its facts; None when the stream is empty."""

        def project(initial: S | None, envelopes: Iterable[Envelope]) -> S | None:
            return reduce(evolve, envelopes, initial)

        try:
            return cast("S", self.repository.get(stream, projector_func=project))  # type: ignore[type-var]
        except AggregateNotFoundError:
            return None

    def load_since(self, stream: UUID, version: int) -> list[Envelope]:
        """The facts of a stream after a version."""
        return [decode(cast("RecordedEvent", event)) for event in self._own_recorder.select_events(stream, gt=version)]

    def load_since_each(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Envelope]]:
        """The facts of up to three streams, of each after a version, read together. Stream -> version."""
        found: dict[UUID, list[Envelope]] = {stream: [] for stream in versions}
        for event in self._own_recorder.select_since(versions):
            envelope = decode(event)
            found[envelope.stream].append(envelope)
        return found

    @property
    def lives(self) -> int:
        """Changes when what was read may have been lost since: whoever keeps it must read it anew."""
        return self._own_recorder.lives

    def append(self, drafts: Sequence[Draft], beside: Beside) -> list[Envelope]:
        """Put facts on record, all or nothing; what comes back is what was stored.

        Raises StreamMoved, GroundsMoved, CommandRepeated, ClaimTaken, StoreUnavailable.
        """
        stored = [self.mapper.to_stored_event(draft) for draft in drafts]
        appended: Appended = self._own_recorder.append(stored, beside)
        return [
            Envelope(
                site=draft.site,
                stream=draft.stream,
                version=draft.version,
                occurred_at=draft.occurred_at or appended.recorded_at,
                entered_at=draft.entered_at,
                actor=draft.actor,
                command_id=draft.command_id,
                correlation_id=draft.correlation_id,
                edition=draft.edition,
                fact=draft.fact,
                position=position,
                recorded_at=appended.recorded_at,
            )
            for position, draft in enumerate(drafts, start=appended.first_position)
        ]

    def known_command(self, actor: UUID, command_id: UUID) -> KnownCommand | None:
        return self._own_recorder.known_command(actor, command_id)

    def held_by(self, kind: str, key: bytes) -> list[UUID]:
        """Who holds a claim: none or one, for names any number."""
        return self._own_recorder.held_by(kind, key)

    def subjects(self, kind: str) -> list[UUID]:
        """Everything held under a kind of claim."""
        return self._own_recorder.subjects(kind)

    def person_keys(self, persons: Sequence[UUID]) -> dict[UUID, bytes]:
        return self._own_recorder.person_keys(persons)

    def running(self, command: UUID) -> AbstractContextManager[bool]:
        """Within, this thread carries out a command; false: somebody else is doing so right now, in this process or
        another that shares the record. Raises StoreUnavailable."""
        return self._own_recorder.running(command)

    def make_durable(self) -> None:
        """What has been read so far is on disk once this returns."""
        self._own_recorder.make_durable()

    def position(self) -> int:
        """The position of the last fact; 0 when there is none."""
        return self._own_recorder.max_notification_id() or 0

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Envelope]:
        """All facts after a position, in order, in batches."""
        while True:
            found = self._own_recorder.select_notifications(after, BATCH, until, inclusive_of_start=False)
            for event in found:
                yield decode(cast("RecordedEvent", event))
            if len(found) < BATCH:
                return
            after = found[-1].id

    def close(self) -> None:
        super().close()
        self._own_recorder.close()
