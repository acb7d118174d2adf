"""What the desk is told after a command on attendance, order or discipline: a line a fact, and one for each person to
whom it did something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from application.replay.wording import Language
from application.sales_office import SalesOffice
from domain import sales_turn_queue as facts
from domain.calendar import day_of
from domain.record import Envelope
from domain.rules.floor import Floor
from domain.sales_turn_queue import CHANNELS

from . import floor_words as words
from .floor_sentences import FloorInWords
from .floor_teller import Teller


def told(office: SalesOffice, envelope: Envelope, language: Language) -> Iterator[str]:
    """The lines for a fact of the floor that is about no reception."""
    fact: Any = envelope.fact
    said = FloorInWords(language, day_of(envelope.occurred_at, office.files.site().zone))
    name = office.files.staff_name
    floor = office.floor.floor(envelope.occurred_at)
    filled = {"who": name(fact.staff) if hasattr(fact, "staff") else ""}
    filled["by"] = name(fact.by) if getattr(fact, "by", None) else said.label("the_office")
    code = fact.stored_name.split(".")[1]
    match fact:
        case facts.SteppedOut():
            filled["what"] = said.word(words.AWAY, fact.why)
        case facts.ReadinessChanged(reason=None):
            code = "ready"
        case facts.ReadinessChanged(reason=str(reason)):
            filled["what"] = said.word(words.NOT_READY, reason)
        case facts.Permitted():
            filled["what"] = said.word(words.LEAVE, fact.what)
        case facts.PostTaken():
            filled["what"] = fact.post
        case facts.Ranked():
            filled["what"] = said.listed(map(name, fact.order))
        case facts.DayDeclared():
            filled["what"] = said.word(words.DAYS, fact.kind)
        case facts.GivenUp():
            filled["what"] = said.word(words.CHANNELS, fact.channel)
        case facts.Misconduct():
            filled["what"] = said.word(words.MISCONDUCTS, fact.what)
    more = _more(said, floor, fact, filled["who"])
    yield said.joined([said.word(words.HAPPENED, code, **filled), more]) + said.cited(getattr(fact, "clauses", ()))
    if isinstance(fact, facts.DoorTaken) and fact.relieved is not None:
        relieved = "relieved_owing" if fact.owed_minutes else "relieved"
        yield "  " + said.word(words.HAPPENED, relieved, who=name(fact.relieved), minutes=fact.owed_minutes)
    line = "both" if floor.queue.shared else ""
    for effect in Teller(office).effects(getattr(fact, "effects", ())):
        if isinstance(fact, facts.Warned) and effect.kind == "warning":
            continue
        text = said.effect(effect, line)
        yield f"  {effect.staff}{': ' if said.english else '：'}{text}{said.cited(effect.clauses)}"


def _more(said: FloorInWords, floor: Floor, fact: Any, who: str) -> str:
    """What people ask next: the place of one who comes, and whether giving up is held against somebody."""
    match fact:
        case facts.SignedIn() | facts.SteppedBack():
            return _places(said, floor, fact.staff)
        case facts.SignedOut(keeps_place=True):
            return said.label("keeps_place")
        case facts.GivenUp():
            return said.label("accepted") if fact.accepted else said.label("held_against", who=who)
        case facts.Warned():
            return said.label("warnings_now", number=floor.queue.warnings.get(fact.staff, 0))
    return ""


def _places(said: FloorInWords, floor: Floor, staff: Any) -> str:
    queue = floor.queue
    if not floor.takes_turns(staff):
        return said.label("no_place")
    channels = CHANNELS[:1] if queue.shared else CHANNELS
    places = [(channel, queue.line(channel).index(staff) + 1) for channel in channels if staff in queue.line(channel)]
    at = "both" if queue.shared else ""
    return said.listed(
        said.label("places", place=place, line=said.word(words.LINES, at or channel)) for channel, place in places
    )
