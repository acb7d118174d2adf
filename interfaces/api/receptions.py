"""Receptions: somebody came or called - who receives, what becomes of it, and why."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from msgspec.structs import replace

from application.desk import Answer
from domain.calendar import day_of
from domain.rules.turn_vocabulary import PURPOSES
from domain.sales_turn_queue import CHANNELS

from ..floor_why import Why, lately, why
from .caller import Caller
from .examples import COLLEAGUE, STAFF, VISITOR
from .fields import CommandSchema, Flag, QuerySchema, VisitorSchema, code, count, phone, text
from .operations import Resource
from .reading import Day
from .whose import anybody, at_reception, said_of_oneself

receptions = Resource("receptions", "Receptions: who receives whom, whether it is a turn, and why")
ALL = "/sites/<uuid:site>/receptions"
ONE = f"{ALL}/<reception>"
ENTRY = {"visitor": VISITOR, "registration": 1}
GONE = ["unknown_reception", "wrong_state"]


class Arrival(CommandSchema):
    reception = text(metadata={"description": "How it is called from now on; left out: the day's next number."})
    channel = code(CHANNELS, required=True)
    name = text()
    phone = phone()
    visitor = fields.Nested(VisitorSchema)
    asks_for = fields.UUID()
    describes = fields.UUID()
    invited_by = fields.UUID()
    brought_by = fields.Nested(VisitorSchema)
    purpose = code(PURPOSES)
    appointment = Flag()
    party = count(1, 1000)


class Recognition(CommandSchema):
    visitor = fields.Nested(VisitorSchema, required=True)


class Helper(CommandSchema):
    who = fields.UUID(required=True)


class HandOver(CommandSchema):
    to = fields.UUID(required=True)


class End(CommandSchema):
    visitor = fields.Nested(VisitorSchema)
    purpose = code(PURPOSES)


class OfDay(QuerySchema):
    day = Day(metadata={"example": "2026-03-02", "description": "Left out: today, or last night."})


@receptions.command(
    ALL, Arrival, action="receptions.open", example={"channel": "visit", "phone": "13900000001", "asks_for": STAFF},
    refuses=["unknown_staff", "unknown_visitor", "duplicate_label", "wrong_state"],
)  # fmt: skip
def receive(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody came or called: the queue assigns a consultant, or nobody."""
    told = {name: value for name, value in given.items() if name != "at"}
    return caller.office.floor.receive(caller.stamp(given), **told)


@receptions.query(
    ONE, Why, action="receptions.explain", schema=OfDay, whose=anybody, refuses=["unknown_reception"]
)  # fmt: skip
def explain_reception(caller: Caller, given: dict[str, Any], *, reception: str) -> Why:
    """Why it went to whom it went: the line, who was passed over, the clauses; and what followed.

    A consultant who was not at it is told nothing of the visitor."""
    office = caller.office
    if given.get("day") is not None:
        found = why(office, reception, given["day"])
    else:
        found = lately(office, reception, day_of(caller.now(), office.files.site().zone))
    return found if caller.grant == "any" or _was_at(found, office.files.staff_name(caller.staff)) else _discreet(found)


def _was_at(found: Why, name: str) -> bool:
    """Whether somebody receives, received or helped."""
    return name == found.receiver or any(name == step.before or name in step.joined for step in found.steps)


def _discreet(found: Why) -> Why:
    steps = tuple(
        replace(step, asked=step.asked and replace(step.asked, visitor=None, phone=None, brought_by=None))
        for step in found.steps
    )
    return replace(found, steps=steps)


@receptions.command(f"{ONE}/absence", CommandSchema, action="receptions.reassign", example={},
                    refuses=[*GONE, "too_soon"])  # fmt: skip
def absent(caller: Caller, given: dict[str, Any], *, reception: str) -> Answer:
    """The one called did not come; the next is."""
    return caller.office.floor.absent(caller.stamp(given), reception=reception)


@receptions.command(f"{ONE}/hand-over", HandOver, action="receptions.hand_over", example={"to": COLLEAGUE},
                    refuses=[*GONE, "unknown_staff", "not_permitted", "not_signed_in", "not_free"])  # fmt: skip
def hand_over(caller: Caller, given: dict[str, Any], *, reception: str) -> Answer:
    """Another receives from now on, as the owner, the receiver or a leader says; the rulebook says who may."""
    return caller.office.floor.hand_over(caller.stamp(given), reception=reception, to=given["to"], by=caller.staff)


@receptions.command(f"{ONE}/help", Helper, action="receptions.help", example={"who": STAFF},
                    whose=said_of_oneself("who"),
                    refuses=[*GONE, "unknown_staff", "not_signed_in", "not_free"])  # fmt: skip
def help_with(caller: Caller, given: dict[str, Any], *, reception: str) -> Answer:
    """Somebody joins a reception."""
    return caller.office.floor.help_with(caller.stamp(given), reception=reception, who=given["who"])


@receptions.command(f"{ONE}/recognition", Recognition, action="receptions.conduct", example={"visitor": ENTRY},
                    whose=at_reception, refuses=[*GONE, "unknown_visitor"])  # fmt: skip
def recognise(caller: Caller, given: dict[str, Any], *, reception: str) -> Answer:
    """The one being received turns out to be a known customer."""
    return caller.office.floor.recognise(caller.stamp(given), reception=reception, visitor=given["visitor"])


@receptions.command(f"{ONE}/unanswered", CommandSchema, action="receptions.conduct", example={},
                    whose=at_reception, refuses=GONE)  # fmt: skip
def unanswered(caller: Caller, given: dict[str, Any], *, reception: str) -> Answer:
    """Nobody answered the call."""
    return caller.office.floor.unanswered(caller.stamp(given), reception=reception)


@receptions.command(f"{ONE}/finish", End, action="receptions.conduct", example={"visitor": ENTRY, "purpose": "buy"},
                    whose=at_reception, refuses=[*GONE, "unknown_visitor"])  # fmt: skip
def finish(caller: Caller, given: dict[str, Any], *, reception: str) -> Answer:
    """The reception is over; whether it counts as a turn is decided here."""
    told = {name: value for name, value in given.items() if name != "at"}
    return caller.office.floor.finish(caller.stamp(given), reception=reception, **told)
