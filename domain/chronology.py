"""The facts about a customer and the adoptions of rulebooks in the order in which they count. It is not always that of
the record: what is entered in time counts from when it happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

import msgspec

from .calendar import day_of
from .record import Envelope
from .rulebook import Edition, Editions, InForce
from .rules.protection import counts_from
from .visitor import OF_AN_ENTRY, Entry, VisitorFollowedUp, VisitorReceived, VisitorRegistered

MAY_BE_ENTERED_LATE = frozenset({VisitorRegistered, VisitorFollowedUp, VisitorReceived})


class Event(msgspec.Struct, frozen=True):
    """A fact about an entry of the customer, or the adoption of a rulebook; `at`: from when it counts, `on`: the site's
    day of that, `edition`: the one that governs it."""

    at: datetime
    on: date
    known_at: datetime
    position: int
    entry: Entry | None
    edition: Edition
    what: Envelope | InForce


def chronology(
    known: Iterable[Envelope], entries: Iterable[Entry], editions: Editions, zone: ZoneInfo, until: datetime
) -> list[Event]:
    """Of the facts known, those about entries of one customer, and the adoptions, up to an instant."""
    events = [
        Event(item.since, day_of(item.since, zone), item.since, item.position, None, item.edition, item)
        for item in editions.changes()
        if item.since <= until
    ]
    # Looked up by whole numbers: Python hashes and compares UUIDs, and so entries, in Python.
    wanted = {(entry.visitor.int, entry.registration): entry for entry in entries}
    for envelope in known:
        fact = envelope.fact
        if type(fact) not in OF_AN_ENTRY:
            continue
        entry = wanted.get((envelope.stream.int, fact.registration))  # type: ignore[attr-defined]
        if entry is not None:
            event = _event(envelope, entry, editions, zone)
            if event.at <= until:
                events.append(event)
    events.sort(key=attrgetter("position"))
    events.sort(key=attrgetter("at"))  # one after the other is quicker than by pairs
    return events


def _event(envelope: Envelope, entry: Entry, editions: Editions, zone: ZoneInfo) -> Event:
    """Contacts entered late count from their entry (words, 7); sales, rulings and assignments from when they
    were made."""
    at, known_at = envelope.occurred_at, envelope.known_at
    edition = editions.governing(at)
    if known_at != at and type(envelope.fact) in MAY_BE_ENTERED_LATE:
        counted = counts_from(at, known_at, edition, zone)
        if counted != at:
            at, edition = counted, editions.governing(counted)
    return Event(at, day_of(at, zone), known_at, envelope.position, entry, edition, envelope)
