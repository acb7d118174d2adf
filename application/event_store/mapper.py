"""Facts to stored bytes and back: JSON under stable names, types checked on reading, retired names upcast."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar, cast
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, Notification, StoredEvent

import domain.access
import domain.disclosure
import domain.four_eyes  # noqa: F401  (they declare facts that every reader of the record must know)
from domain.record import FACTS, RETIRED, Draft, Envelope, Fact


class UnreadableFact(Exception):
    """A stored fact that this program can't read: an unknown name, or content that does not fit its type."""


@dataclass(frozen=True)
class RecordedEvent(Notification):
    """A stored event with its place (`id`) and the time at which it was recorded."""

    recorded_at: datetime


Content = TypeVar("Content")


class _Stored(msgspec.Struct, Generic[Content], kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The JSON of a stored fact. Short keys stay readable: where, who, when, by which command, under which
    edition, what."""

    site: UUID
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None  # left out: when it was recorded
    entered: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    by: UUID
    command: UUID
    correlation: UUID | None = None
    edition: str | None = None
    fact: Content


_encoder = msgspec.json.Encoder()
_retired_decoder = msgspec.json.Decoder(_Stored[msgspec.Raw])
_decoders: dict[type[Fact] | None, msgspec.json.Decoder[_Stored[Fact]]] = {}
_building = threading.Lock()
"""msgspec learns a type when its first decoder is built, and that is not safe from several threads at once."""


def encode(draft: Draft) -> bytes:
    """The bytes that are stored for a fact."""
    correlation = None if draft.correlation_id == draft.command_id else draft.correlation_id
    return _encoder.encode(
        _Stored(
            site=draft.site,
            at=draft.occurred_at,
            entered=draft.entered_at,
            by=draft.actor,
            command=draft.command_id,
            correlation=correlation,
            edition=draft.edition,
            fact=msgspec.Raw(_encoder.encode(draft.fact)),
        )
    )


def decode(event: RecordedEvent) -> Envelope:
    """The envelope of a stored event. Raises UnreadableFact naming position and reason."""
    stream = cast("UUID", event.originator_id)
    return decode_row(event.id, stream, event.originator_version, event.topic, event.state, event.recorded_at)


def decode_row(
    position: int, stream: UUID, version: int, stored_name: str, body: bytes, recorded_at: datetime
) -> Envelope:
    """The envelope of a row of the record. Raises UnreadableFact naming position and reason."""
    try:
        if (decoder := _decoders.get(FACTS.get(stored_name))) is not None:
            stored = decoder.decode(body)
        else:
            stored = _decoded(position, stored_name, body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFact(f"position {position}, {stored_name}: {error}") from None
    return Envelope(
        site=stored.site,
        stream=stream,
        version=version,
        position=position,
        recorded_at=recorded_at,
        occurred_at=stored.at or recorded_at,
        entered_at=stored.entered,
        actor=stored.by,
        command_id=stored.command,
        correlation_id=stored.correlation or stored.command,
        edition=stored.edition,
        fact=stored.fact,
    )


def _decoded(position: int, name: str, body: bytes) -> _Stored[Fact]:
    """What is stored under a retired name, or one that is met for the first time."""
    if name in RETIRED:
        stored = _retired_decoder.decode(body)
        content: bytes | msgspec.Raw = stored.fact
        while name in RETIRED:
            name, upcast = RETIRED[name]
            content = _encoder.encode(upcast(msgspec.json.decode(content)))
        body = _encoder.encode(msgspec.structs.replace(stored, fact=msgspec.Raw(content)))
    if name not in FACTS:
        raise UnreadableFact(f"position {position}: no fact is named {name}")
    fact = FACTS[name]
    with _building:
        decoder = _decoders.setdefault(fact, msgspec.json.Decoder(_Stored[fact]))  # type: ignore[valid-type]
    return decoder.decode(body)


class FactMapper(Mapper[UUID]):
    """The library's mapper seam over `encode` and `decode`."""

    def __init__(self) -> None:
        super().__init__(transcoder=JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        assert isinstance(domain_event, Draft)
        return StoredEvent(
            originator_id=domain_event.stream,
            originator_version=domain_event.version,
            topic=domain_event.fact.stored_name,
            state=encode(domain_event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        assert isinstance(stored_event, RecordedEvent)
        return decode(stored_event)
