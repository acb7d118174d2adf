"""How a command travels: stamp, decision, append; tried again when somebody was faster, answered again when
repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
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
    KnownCommand,
    PersonKey,
    StoreUnavailable,
    StreamMoved,
)
from .event_store.record import Record

MOST_TRIES = 200
"""Conflicts are quick and one writer wins each round, so this is many times the number of desks at one queue."""

GIVE_UP_AFTER_SECONDS = 60.0


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Who gives a command and when what it tells happened.

    `command_id` makes a repeat harmless. `entered_at` is given only for what an older record holds: when it
    was entered there.
    `at_given` is False where the client named no time: what it tells then happened when it is recorded, and `at` only
    serves to look up what is in force. `content` is what a repeat is known by, where that is not what the
    command says: a
    row of a table is the same row even when it is taken to mean another entry.
    """

    actor: UUID
    at: datetime
    entered_at: datetime | None = None
    at_given: bool = True
    content: str | None = None
    command_id: UUID = msgspec.field(default_factory=uuid4)
    correlation_id: UUID | None = None


class Decided(msgspec.Struct, frozen=True):
    """What a decision gives: facts by stream (with the version each stream had), and what is written beside them.

    `when_claimed` is the refusal code when something it claims is held already; None: look again and decide again.
    `rests_on`: a stream that was read for it, with the version up to which it was; decided again where it has moved on.
    """

    facts: Sequence[tuple[UUID, int, Sequence[Fact]]]
    edition: str | None = None
    claims: tuple[ClaimOn, ...] = ()
    keys: tuple[PersonKey, ...] = ()
    when_claimed: str | None = None
    rests_on: tuple[UUID, int] | None = None


class Carried(msgspec.Struct, frozen=True):
    """A command carried out, now or - `repeated` - before. `envelopes` are its facts; none when it changed nothing."""

    envelopes: tuple[Envelope, ...]
    repeated: bool


def carry_out(record: Record, site: UUID, stamp: Stamp, digest: bytes, decide: Callable[[], Decided]) -> Carried:
    """Decide and append; decide anew on fresh facts when somebody was faster; never twice, even when a reply is lost.

    `digest` is a keyed hash of the command's content. Raises Refusal (command_reused: the same id with another
    content),
    StoreUnavailable when the store stays away.
    """
    command = CommandKey(stamp.actor, stamp.command_id, digest)
    deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
    for attempt in range(MOST_TRIES):
        try:
            decided = decide()
            return _append(record, site, stamp, command, decided)
        except StreamMoved:
            pass
        except ClaimTaken:
            if decided.when_claimed is not None:
                return repeated_or(record, command, Refusal(decided.when_claimed))
        except Refusal as refusal:
            # A repeat meets the state that its own first attempt left behind, so a refusal may only be an echo.
            return repeated_or(record, command, refusal)
        except CommandRepeated as conflict:
            return repeated_or(record, command, conflict)
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(min(2.0, 0.05 * 2**attempt))
            continue
        if attempt > 2:  # spread desks that keep colliding
            time.sleep(random.uniform(0, 0.002))
    raise StoreUnavailable("too many others write to the same file at once; try again")


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
