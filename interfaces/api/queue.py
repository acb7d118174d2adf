"""The turn queue of a site: who is there, the order, discipline; and the board."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app, request
from marshmallow import fields, validate

from application.desk import Answer
from domain.rules.turn_vocabulary import AWAY, MISCONDUCTS, NOT_READY
from domain.sales_turn_queue import CHANNELS

from ..floor_board import Board, board
from .caller import Caller
from .errors import Problem
from .examples import AT, COLLEAGUE, STAFF
from .fields import CommandSchema, Instant, QuerySchema, code
from .live import Watcher
from .operations import Resource
from .spec import Events
from .whose import said_of_oneself

queue = Resource("queue", "The turn queue: attendance, order, discipline, and the board that shows all of it")
QUEUE = "/sites/<uuid:site>/queue"
OF_ONESELF = said_of_oneself("who")
WHO = {"who": STAFF}


class Who(CommandSchema):
    who = fields.UUID(required=True)


class SteppingOut(Who):
    why = code(AWAY, required=True)


class NotReady(Who):
    reason = code(NOT_READY, required=True)


class Leave(Who):
    what = code(["second_visitor", "giving_up"], required=True)


class Post(Who):
    post = code(["A", "B"], required=True)


class Ranking(CommandSchema):
    order = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=200))


class DayKind(CommandSchema):
    kind = code(["normal", "media"], required=True)


class GivingUp(Who):
    channel = code(CHANNELS, required=True)


class Offence(Who):
    what = code(MISCONDUCTS, required=True)


class BoardAt(QuerySchema):
    at = Instant(metadata={"example": AT, "description": "As it stood then; left out: now."})


class Seen(QuerySchema):
    after = fields.Integer(
        validate=validate.Range(min=0, max=2**62),
        metadata={"example": 0, "description": "The last position seen; left out: none yet."},
    )


@queue.query(QUEUE, Board, action="floor.read", schema=BoardAt, refuses=["wrong_state", "bad_time", "rulebook_silent"])
def show_board(caller: Caller, given: dict[str, Any]) -> Board:
    """Both lines in order, everybody's state, who is next, what goes on."""
    return board(caller.office, given.get("at") or caller.now())


@queue.query(
    f"{QUEUE}/events", Events, action="floor.read", schema=Seen,
    refuses=["wrong_state", "rulebook_silent", "too_many_streams"],
)  # fmt: skip
def follow_board(caller: Caller, given: dict[str, Any]) -> Events:
    """The board live (server-sent events): as it stands, then anew at every change.

    `id` is the position up to which a board holds, so that who comes back with it misses nothing and gets nothing
    twice. It ends when the key or its holder may look no more, and when the server ends: then come back. What changes
    by the clock alone is told with the next change."""
    parts = current_app.extensions["lunpai"]
    authorization, action = request.headers.get("Authorization", ""), parts.doorkeeper.policies["queue.follow_board"]
    seat = parts.live.seat(caller.staff)
    try:
        watcher = Watcher(
            parts.live,
            seat,
            caller.office.site_id,
            lambda: parts.doorkeeper.still_lets_in(authorization, caller.office.site_id, action),
            after=_last_seen(given),
            at=caller.now(),
        )
    except BaseException:
        seat.give_back()
        raise
    return Events(watcher.events(), seat.give_back)


def _last_seen(given: dict[str, Any]) -> int | None:
    """Raises Problem bad_fields."""
    shown = request.headers.get("Last-Event-ID")
    if shown is None:
        return given.get("after")
    if not re.fullmatch(r"\d{1,18}", shown, re.ASCII):
        raise Problem("bad_fields", errors={"headers": {"Last-Event-ID": ["Not a valid integer."]}})
    return int(shown)


@queue.command(
    f"{QUEUE}/sign-in", Who, action="floor.attend", example=WHO, whose=OF_ONESELF,
    refuses=["unknown_staff", "wrong_state"],
)  # fmt: skip
def sign_in(caller: Caller, given: dict[str, Any]) -> Answer:
    """Sign somebody in for the day."""
    return caller.office.floor.sign_in(caller.stamp(given), who=given["who"])


@queue.command(
    f"{QUEUE}/sign-out", Who, action="floor.attend", example=WHO, whose=OF_ONESELF,
    refuses=["unknown_staff", "not_signed_in"],
)  # fmt: skip
def sign_out(caller: Caller, given: dict[str, Any]) -> Answer:
    """Sign somebody out."""
    return caller.office.floor.sign_out(caller.stamp(given), who=given["who"])


@queue.command(
    f"{QUEUE}/step-out", SteppingOut, action="floor.attend", example={**WHO, "why": "private"}, whose=OF_ONESELF,
    refuses=["unknown_staff", "not_signed_in", "wrong_state"],
)  # fmt: skip
def step_out(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody leaves the floor for a while."""
    return caller.office.floor.step_out(caller.stamp(given), who=given["who"], why=given["why"])


@queue.command(
    f"{QUEUE}/step-back", Who, action="floor.attend", example=WHO, whose=OF_ONESELF,
    refuses=["unknown_staff", "not_signed_in", "wrong_state"],
)  # fmt: skip
def step_back(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody is back on the floor."""
    return caller.office.floor.step_back(caller.stamp(given), who=given["who"])


@queue.command(
    f"{QUEUE}/not-ready", NotReady, action="floor.readiness", example={**WHO, "reason": "trainee"},
    refuses=["unknown_staff", "wrong_state"],
)  # fmt: skip
def not_ready(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody takes no turns until said to be ready."""
    return caller.office.floor.change_readiness(caller.stamp(given), who=given["who"], reason=given["reason"])


@queue.command(
    f"{QUEUE}/ready", Who, action="floor.readiness", example=WHO, refuses=["unknown_staff", "wrong_state"]
)  # fmt: skip
def ready(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody takes turns again."""
    return caller.office.floor.change_readiness(caller.stamp(given), who=given["who"], reason=None)


@queue.command(
    f"{QUEUE}/posts", Post, action="floor.attend", example={**WHO, "post": "A"}, whose=OF_ONESELF,
    refuses=["unknown_staff", "not_signed_in", "not_free", "not_eligible", "wrong_state"],
)  # fmt: skip
def take_post(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody takes post A (receives) or B (asks, stands ready)."""
    return caller.office.floor.take_post(caller.stamp(given), who=given["who"], post=given["post"])


@queue.command(
    f"{QUEUE}/door", Who, action="floor.attend", example=WHO, whose=OF_ONESELF,
    refuses=["unknown_staff", "not_signed_in", "not_free", "not_eligible", "wrong_state"],
)  # fmt: skip
def stand_at_the_door(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody stands at the door from now on."""
    return caller.office.floor.stand_at_the_door(caller.stamp(given), who=given["who"])


@queue.command(
    f"{QUEUE}/give-ups", GivingUp, action="floor.attend", example={**WHO, "channel": "visit"}, whose=OF_ONESELF,
    refuses=["unknown_staff", "not_signed_in", "not_your_turn", "not_eligible"],
)  # fmt: skip
def give_up(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody whose turn it is gives it up."""
    return caller.office.floor.give_up(caller.stamp(given), who=given["who"], channel=given["channel"])


@queue.command(
    f"{QUEUE}/unreachable", Who, action="floor.unreachable", example=WHO, refuses=["unknown_staff", "wrong_state"]
)  # fmt: skip
def unreachable(caller: Caller, given: dict[str, Any]) -> Answer:
    """Somebody who is away could not be reached."""
    return caller.office.floor.not_reached(caller.stamp(given), who=given["who"])


# The order


@queue.command(
    f"{QUEUE}/rankings", Ranking, action="floor.order", example={"order": [STAFF, COLLEAGUE]},
    refuses=["unknown_staff", "not_permitted", "wrong_state"],
)  # fmt: skip
def rank(caller: Caller, given: dict[str, Any]) -> Answer:
    """Put members of staff in the order of a ranking."""
    return caller.office.floor.rank(caller.stamp(given), order=given["order"], by=caller.staff)


@queue.command(
    f"{QUEUE}/day-kinds", DayKind, action="floor.order", example={"kind": "media"},
    refuses=["not_permitted", "wrong_state"],
)  # fmt: skip
def declare_day(caller: Caller, given: dict[str, Any]) -> Answer:
    """Say what kind of day it is."""
    return caller.office.floor.declare_day(caller.stamp(given), kind=given["kind"], by=caller.staff)


# Discipline


@queue.command(
    f"{QUEUE}/permissions", Leave, action="floor.discipline", example={**WHO, "what": "second_visitor"},
    refuses=["unknown_staff", "not_permitted", "not_signed_in", "wrong_state"],
)  # fmt: skip
def permit(caller: Caller, given: dict[str, Any]) -> Answer:
    """Give leave for a second visitor, or for giving up a turn."""
    return caller.office.floor.permit(caller.stamp(given), who=given["who"], what=given["what"], by=caller.staff)


@queue.command(
    f"{QUEUE}/warnings", Who, action="floor.discipline", example=WHO, refuses=["unknown_staff", "not_permitted"]
)  # fmt: skip
def warn(caller: Caller, given: dict[str, Any]) -> Answer:
    """Warn somebody."""
    return caller.office.floor.warn(caller.stamp(given), who=given["who"], by=caller.staff)


@queue.command(
    f"{QUEUE}/misconduct", Offence, action="floor.discipline", example={**WHO, "what": "picking"},
    refuses=["unknown_staff", "not_permitted"],
)  # fmt: skip
def put_misconduct_on_record(caller: Caller, given: dict[str, Any]) -> Answer:
    """Put misconduct on record."""
    floor = caller.office.floor
    return floor.put_misconduct_on_record(caller.stamp(given), who=given["who"], what=given["what"], by=caller.staff)
