"""How a command travels: stamp, decision, append; tried again when somebody was faster, answered again when
repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from domain.record import Draft, Envelope, Fact
from domain.refusals import Refusal

from .event_store.appending import (
    Beside,
    ClaimOn,
    ClaimTaken,
    CommandKey,
    CommandRepeated,
    GroundsMoved,
    KnownCommand,
    PersonKey,
    StoreUnavailable,
    StreamMoved,
)
from .event_store.record import Record

MOST_TRIES = 200
"""Conflicts are quick and one writer wins each round, so this is many times the number of desks at one queue."""

GIVE_UP_AFTER_SECONDS = 60.0


class Grounds(msgspec.Struct, frozen=True):
    """What somebody's right was judged by: streams, with the version up to which each was read, in one life of the
    record."""

    streams: Mapping[UUID, int]
    lives: int


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Who gives a command and when what it tells happened.

    `command_id` makes a repeat harmless. `entered_at` is given only for what an older record holds: when it
    was entered there.
    `at_given` is False where the client named no time: what it tells then happened when it is recorded, and `at` only
    serves to look up what is in force. `content` is what a repeat is known by, where that is not what the
    command says: a
    row of a table is the same row even when it is taken to mean another entry. `grounds`: what the right to give it was
    judged by; once that has moved on it is not carried out, but judged anew by who judged it.
    """

    actor: UUID
    at: datetime
    entered_at: datetime | None = None
    at_given: bool = True
    content: str | None = None
    command_id: UUID = msgspec.field(default_factory=uuid4)
    correlation_id: UUID | None = None
    grounds: Grounds | None = None


class Decided(msgspec.Struct, frozen=True):
    """What a decision gives: facts by stream (with the version each stream had), and what is written beside them.

    `when_claimed` is the refusal code when something it claims is held already; None: look again and decide again.
    `rests_on`: streams that were read for it, with the version up to which each was; decided again once one has moved
    on.
    """

    facts: Sequence[tuple[UUID, int, Sequence[Fact]]]
    edition: str | None = None
    claims: tuple[ClaimOn, ...] = ()
    keys: tuple[PersonKey, ...] = ()
    when_claimed: str | None = None
    rests_on: Mapping[UUID, int] = {}


class Carried(msgspec.Struct, frozen=True):
    """A command carried out, now or - `repeated` - before. `envelopes` are its facts; none when it changed nothing."""

    envelopes: tuple[Envelope, ...]
    repeated: bool


def tries() -> Iterator[int]:
    """Numbers the tries of who may collide with others. Raises StoreUnavailable after too many."""
    for attempt in range(MOST_TRIES):
        if attempt > 3:  # spread desks that keep colliding
            time.sleep(random.uniform(0, 0.002))
        yield attempt
    raise StoreUnavailable("too many others write to the same file at once; try again")


class Patience:
    """Of who meets a store that has gone away: tries again after ever longer pauses, until it has lasted too long."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
        self._pause_seconds = 0.05

    def bear(self, error: Exception) -> None:
        """Wait a moment; raises the error once it has lasted too long."""
        if time.monotonic() > self._deadline:
            raise error
        time.sleep(self._pause_seconds)
        self._pause_seconds = min(2.0, 2 * self._pause_seconds)


def carry_out(record: Record, site: UUID, stamp: Stamp, digest: bytes, decide: Callable[[], Decided]) -> Carried:
    """Decide and append; decide anew on fresh facts when somebody was faster; never twice, even when a reply is lost.

    `digest` is a keyed hash of the command's content. Raises Refusal (command_reused: the same id with another
    content),
    StoreUnavailable when the store stays away. A stamp with grounds leaves it to who judged by them to begin anew:
    GroundsMoved once they have moved on, StoreUnavailable at once, as what was read may then be lost.
    """
    command = CommandKey(stamp.actor, stamp.command_id, digest)
    patience = Patience()
    for _ in tries():
        try:
            decided = decide()
            return _append(record, site, stamp, command, decided)
        except GroundsMoved:
            if stamp.grounds is not None:
                raise
        except StreamMoved:
            if stamp.grounds is not None and any(stream in stamp.grounds.streams for stream, *_ in decided.facts):
                raise GroundsMoved("the command writes to what it rests on") from None
        except ClaimTaken:
            if decided.when_claimed is not None:
                return repeated_or(record, command, Refusal(decided.when_claimed))
        except Refusal as refusal:
            # A repeat meets the state that its own first attempt left behind, so a refusal may only be an echo.
            return repeated_or(record, command, refusal)
        except CommandRepeated as conflict:
            return repeated_or(record, command, conflict)
        except StoreUnavailable as away:
            if stamp.grounds is not None:
                raise
            patience.bear(away)
    raise AssertionError("tries end by raising")


def repeated_or(record: Record, command: CommandKey, otherwise: Exception) -> Carried:
    """The first answer's facts when the command is on record; else `otherwise` is raised. Raises Refusal
    command_reused."""
    known: KnownCommand | None = record.known_command(command.actor, command.id)
    if known is None:
        raise otherwise
    if known.digest != command.digest:
        raise Refusal("command_reused")
    record.make_durable()  # the first attempt can be seen before it is on disk
    return Carried(tuple(record.read(known.first_position - 1, known.last_position)), repeated=True)


def _append(record: Record, site: UUID, stamp: Stamp, command: CommandKey, decided: Decided) -> Carried:
    drafts = [
        Draft(
            site=site,
            stream=stream,
            version=version + index,
            occurred_at=stamp.at if stamp.at_given else None,
            entered_at=stamp.entered_at,
            actor=stamp.actor,
            command_id=stamp.command_id,
            correlation_id=stamp.correlation_id or stamp.command_id,
            edition=decided.edition,
            fact=fact,
        )
        for stream, version, facts in decided.facts
        for index, fact in enumerate(facts, start=1)
    ]
    if not drafts:
        return Carried((), repeated=False)
    beside = Beside(command, decided.claims, decided.keys, decided.rests_on)
    return Carried(tuple(record.append(drafts, beside)), repeated=False)


def content_of(**content: Any) -> bytes:
    """The content of a command as bytes to be hashed; sorted, so that the order of arguments does not matter."""
    return msgspec.json.encode(content, order="sorted", enc_hook=str)
