"""The commands of the floor, from a step of a scenario to the application's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.refusals import Refusal

from ..commands import Stamp
from ..desk import Answer
from ..sales_floor import SalesFloor
from .labels import Labels
from .shapes import text_of

Value = Mapping[str, Any]


def _receive(floor: SalesFloor, labels: Labels, stamp: Stamp, value: Value) -> Answer:
    """A label names one reception of the whole file."""
    label = value["reception"]
    if label in labels.receptions:
        raise Refusal("duplicate_label", label)
    staff = {key: labels.person(value[key]) for key in ("asks_for", "describes", "invited_by") if key in value}
    visitors = {key: labels.visitor(value[key]) for key in ("visitor", "brought_by") if key in value}
    appointment, party = value.get("appointment", False), value.get("party", 1)
    if not isinstance(appointment, bool) or isinstance(party, bool) or not isinstance(party, int):
        raise Refusal("bad_value", "appointment is true or false, party a number of persons")
    answer = floor.receive(
        stamp,
        reception=label,
        channel=value["channel"],
        name=text_of(value.get("name")),
        phone=text_of(value.get("phone")),
        purpose=text_of(value.get("purpose")),
        appointment=appointment,
        party=party,
        asks_for=staff.get("asks_for"),
        describes=staff.get("describes"),
        invited_by=staff.get("invited_by"),
        visitor=visitors.get("visitor"),
        brought_by=visitors.get("brought_by"),
    )
    labels.receptions.add(label)
    return answer


def _finish(floor: SalesFloor, labels: Labels, stamp: Stamp, value: Value) -> Answer:
    visitor = labels.visitor(value["visitor"]) if "visitor" in value else None
    return floor.finish(stamp, reception=value["reception"], visitor=visitor, purpose=text_of(value.get("purpose")))


FLOOR_COMMANDS: dict[str, Callable[[SalesFloor, Labels, Stamp, Value], Answer]] = {
    "sign_in": lambda floor, labels, stamp, v: floor.sign_in(stamp, who=labels.person(v["who"])),
    "sign_out": lambda floor, labels, stamp, v: floor.sign_out(stamp, who=labels.person(v["who"])),
    "step_out": lambda floor, labels, stamp, v: floor.step_out(stamp, who=labels.person(v["who"]), why=v["for"]),
    "step_back": lambda floor, labels, stamp, v: floor.step_back(stamp, who=labels.person(v["who"])),
    "not_ready": lambda floor, labels, stamp, v: floor.change_readiness(
        stamp, who=labels.person(v["who"]), reason=v["reason"] or ""
    ),
    "ready": lambda floor, labels, stamp, v: floor.change_readiness(stamp, who=labels.person(v["who"]), reason=None),
    "permit": lambda floor, labels, stamp, v: floor.permit(
        stamp, who=labels.person(v["who"]), what=v["for"], by=labels.person(v["by"])
    ),
    "post": lambda floor, labels, stamp, v: floor.take_post(stamp, who=labels.person(v["who"]), post=v["as"]),
    "door_duty": lambda floor, labels, stamp, v: floor.stand_at_the_door(stamp, who=labels.person(v["who"])),
    "rank": lambda floor, labels, stamp, v: floor.rank(
        stamp, order=[labels.person(one) for one in v["order"]], by=labels.person(v["by"])
    ),
    "day": lambda floor, labels, stamp, v: floor.declare_day(stamp, kind=v["kind"], by=labels.person(v["by"])),
    "receive": _receive,
    "absent": lambda floor, labels, stamp, v: floor.absent(stamp, reception=v["reception"]),
    "unreachable": lambda floor, labels, stamp, v: floor.not_reached(stamp, who=labels.person(v["who"])),
    "give_up": lambda floor, labels, stamp, v: floor.give_up(stamp, who=labels.person(v["who"]), channel=v["channel"]),
    "recognise": lambda floor, labels, stamp, v: floor.recognise(
        stamp, reception=v["reception"], visitor=labels.visitor(v["as"])
    ),
    "help": lambda floor, labels, stamp, v: floor.help_with(
        stamp, reception=v["reception"], who=labels.person(v["who"])
    ),
    "hand_over": lambda floor, labels, stamp, v: floor.hand_over(
        stamp, reception=v["reception"], to=labels.person(v["to"]), by=labels.person(v["by"])
    ),
    "unanswered": lambda floor, labels, stamp, v: floor.unanswered(stamp, reception=v["reception"]),
    "finish": _finish,
    "misconduct": lambda floor, labels, stamp, v: floor.put_misconduct_on_record(
        stamp, who=labels.person(v["who"]), what=v["what"], by=labels.person(v["by"])
    ),
    "warn": lambda floor, labels, stamp, v: floor.warn(stamp, who=labels.person(v["who"]), by=labels.person(v["by"])),
}
