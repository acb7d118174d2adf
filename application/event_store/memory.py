"""The record in memory, for trying rulebooks and for tests: the same promises as the real store, but it ends
with the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from .appending import SHARED, Appended, Beside, ClaimTaken, CommandRepeated, GroundsMoved, KnownCommand, StreamMoved
from .mapper import RecordedEvent


class MemoryRecorder(POPOApplicationRecorder):
    """`clock` gives the time of recording; it is never allowed to run backwards."""

    lives = 1

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._clock = clock
        self._recorded_at = datetime.min.replace(tzinfo=UTC)
        self._commands: dict[tuple[UUID, UUID], KnownCommand] = {}
        self._running: set[UUID] = set()
        self._claims: dict[tuple[str, bytes], set[UUID]] = {}
        self._keys: dict[UUID, bytes] = {}

    @contextmanager
    def running(self, command: UUID) -> Iterator[bool]:
        """Within, this thread carries out a command; false: another is doing so right now."""
        with self._database_lock:
            alone = command not in self._running
            self._running.add(command)
        try:
            yield alone
        finally:
            if alone:
                self._running.discard(command)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        appended = self.append(stored_events, kwargs.get("beside", Beside()))
        return [appended.first_position + i for i in range(len(stored_events))]

    def append(self, stored_events: Sequence[StoredEvent], beside: Beside) -> Appended:
        """All or nothing. Raises CommandRepeated, ClaimTaken, StreamMoved, GroundsMoved."""
        with self._database_lock:
            command = beside.command
            if command and (command.actor, command.id) in self._commands:
                raise CommandRepeated(str(command.id))
            taken: set[tuple[str, bytes]] = set()
            for claim in beside.claims:
                held = (claim.kind, claim.key)
                if claim.kind not in SHARED and (held in self._claims or held in taken):
                    raise ClaimTaken(claim.kind)
                taken.add(held)
            versions = {(event.originator_id, event.originator_version) for event in stored_events}
            if any(map(self._stands, versions)) or len(versions) < len(stored_events):
                raise StreamMoved("the stream has moved on")
            if any(self._stands((stream, read_until + 1)) for stream, read_until in beside.rests_on.items()):
                raise GroundsMoved("what it rests on has moved on")
            first = len(self._stored_events) + 1
            self._recorded_at = max(self._recorded_at, self._clock())
            self._update_table(
                [
                    RecordedEvent(
                        id=first + i,
                        originator_id=event.originator_id,
                        originator_version=event.originator_version,
                        topic=event.topic,
                        state=event.state,
                        recorded_at=self._recorded_at,
                    )
                    for i, event in enumerate(stored_events)
                ]
            )
            if command:
                last = first + len(stored_events) - 1
                self._commands[command.actor, command.id] = KnownCommand(command.digest, first, last)
            for claim in beside.claims:
                self._claims.setdefault((claim.kind, claim.key), set()).add(claim.subject)
            self._keys.update({key.person: key.wrapped for key in beside.keys})
            appended = Appended(first, self._recorded_at)
        self._notify_listeners()
        return appended

    def _stands(self, place: tuple[UUID | str, int]) -> bool:
        """Whether somebody has written that version of a stream."""
        stream, version = place
        return version in self._stored_events_index[str(stream)]

    def select_since(self, versions: Mapping[UUID, int]) -> Sequence[RecordedEvent]:
        """The facts of several streams, of each after a version, in the order of their positions."""
        found = [event for stream, known in versions.items() for event in self.select_events(stream, gt=known)]
        return sorted(map(self._recorded, found), key=lambda event: event.id)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        with self._database_lock:
            found = super().select_notifications(start, limit, stop, topics, inclusive_of_start=inclusive_of_start)
            return [self._recorded(self._stored_events[notification.id - 1]) for notification in found]

    @staticmethod
    def _recorded(event: StoredEvent) -> RecordedEvent:
        assert isinstance(event, RecordedEvent)
        return event

    def known_command(self, actor: UUID, command_id: UUID) -> KnownCommand | None:
        with self._database_lock:
            return self._commands.get((actor, command_id))

    def held_by(self, kind: str, key: bytes) -> list[UUID]:
        """Who holds a claim (one, or any number for names), in a stable order."""
        with self._database_lock:
            return sorted(self._claims.get((kind, key), ()))

    def subjects(self, kind: str) -> list[UUID]:
        """Everything held under a kind of claim, in a stable order."""
        with self._database_lock:
            held = [subjects for (known, _), subjects in self._claims.items() if known == kind]
            return sorted(subject for subjects in held for subject in subjects)

    def person_keys(self, persons: Sequence[UUID]) -> dict[UUID, bytes]:
        with self._database_lock:
            return {person: self._keys[person] for person in persons if person in self._keys}

    def make_durable(self) -> None:
        """Memory has no disk to wait for."""

    def close(self) -> None:
        """Nothing to close."""
