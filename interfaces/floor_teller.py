"""What the answers about the floor have in common: a day's facts, names for ids, and what made it this person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import msgspec

from application.privacy import mask_name
from application.replay.lines import Citation, citations
from application.sales_office import SalesOffice
from domain.queue_state import Queue
from domain.record import Envelope
from domain.rules.countable_turns import row_of_purpose
from domain.rules.floor import Floor
from domain.rules.turn_vocabulary import AWAY
from domain.sales_turn_queue import Asked, Channel, Choice, Effect, queue_id
from domain.visitor import Entry

BUSY = frozenset({"busy_new", "busy_earlier", "helping"})


def happened(office: SalesOffice, day: date) -> list[Envelope]:
    """Everything on record of a day's floor, in order."""
    return office.record.load_since(queue_id(office.site_id, day), 0)


class EffectLine(msgspec.Struct, frozen=True, kw_only=True):
    staff: str
    kind: str
    channel: str | None
    yuan: int
    day: date | None
    clauses: tuple[str, ...]


class Teller:
    """Names for ids, site time for instants, words' codes for decisions."""

    def __init__(self, office: SalesOffice) -> None:
        self.office, self.files = office, office.files
        self.site = office.files.site()
        self.zone = self.site.zone

    def name(self, staff: UUID | None) -> str | None:
        return None if staff is None else self.files.staff_name(staff)

    def names(self, staff: Iterable[UUID]) -> tuple[str, ...]:
        return tuple(self.files.staff_name(one) for one in staff)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def staff_ids(self) -> dict[str, UUID]:
        return {self.files.staff_name(staff): staff for staff in self.site.staff}

    def visitor(self, entry: Entry | None) -> tuple[str | None, str | None]:
        """Name and phone of an entry, masked."""
        if entry is None:
            return None, None
        contact = self.files.contact(entry, {entry.visitor: self.files.visitor(entry.visitor)})
        if contact is None:
            return None, None
        return (mask_name(contact.name) if contact.name else None), contact.masked_phone

    def whereabouts(self, queue: Queue, staff: UUID, state: str) -> tuple[tuple[str, ...], datetime | None]:
        """The receptions somebody is at, and since when the state holds, as far as it is on record."""
        if state in BUSY:
            at = list(queue.busy_at(staff))
            since = [r.assigned_at for r in at if r.receiver == staff]
            return tuple(r.label for r in at), self.local(min(since)) if since else None
        if state in AWAY and queue.person(staff).out == state:
            left = queue.person(staff).out_since
            return (), self.local(left) if left else None
        free_since = queue.person(staff).free_since if state == "free" else None
        return (), self.local(free_since) if free_since else None

    def citations(self, ids: Iterable[str]) -> tuple[Citation, ...]:
        """Clauses with their texts, each once."""
        return citations(self.files.editions(), ids)

    def effects(self, effects: Iterable[Effect]) -> tuple[EffectLine, ...]:
        return tuple(
            EffectLine(
                staff=self.files.staff_name(effect.staff),
                kind=effect.kind,
                channel=effect.channel,
                yuan=effect.yuan,
                day=effect.day,
                clauses=effect.clauses,
            )
            for effect in effects
        )


def how_chosen(floor: Floor, choice: Choice, asked: Asked, channel: Channel) -> tuple[str, str | None]:
    """A code of floor_words.HOW, and the post it was."""
    staff, because = choice.staff, choice.because
    if staff is None:
        closed = floor.queue.kind == "media" and not floor.switch("turns.media_day_receives")
        if channel == "visit" and closed:
            return "nobody_on_media_day", None
        return ("nobody_on_duty" if floor.on_duty_hours() else "nobody"), None
    if because == "turn":
        return _by_turn(floor, choice, asked, channel)
    if because == "stand_in":
        return (f"stand_in_{choice.ground}" if choice.ground else "named_instead"), None
    if because == "duty" and not floor.on_duty_hours():
        return "door", None
    return because, None


def _by_turn(floor: Floor, choice: Choice, asked: Asked, channel: Channel) -> tuple[str, str | None]:
    assert choice.staff is not None
    if asked.purpose is not None:
        row = row_of_purpose(floor, asked.purpose, "at_start", False, channel)
        if row.then["turn"] == "last_receives":
            return "last", None
    post = floor.queue.person(choice.staff).post
    if floor.switch("turns.ab_posts") and post is not None:
        return "post", post
    return ("first" if choice.line[:1] == (choice.staff,) else "first_free"), None
