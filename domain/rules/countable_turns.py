"""What a reception does to the turn of the one who receives (T18-T28, T33): at the assignment, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from ..queue_state import Reception
from ..rulebook import Row, merged
from ..sales_turn_queue import OTHER, Asked, Channel, Choice, Effect, EffectKind
from .floor import Floor, standing_to
from .line import leaves_the_door, make_up


class Verdict(msgspec.Struct, frozen=True):
    """Whether a reception is a turn taken; `place`: what becomes of the place in the line; `owed`: the make-up that it
    grants; `a_customer`: whether the visitor came for what makes one."""

    taken: bool
    place: str
    owed: tuple[Effect, ...]
    clauses: tuple[str, ...]
    a_customer: bool = True


def row_of_counts(floor: Floor, choice: Choice, asked: Asked, channel: Channel) -> Row:
    """The row of `turns.counts` for a reception as it was assigned. What a manager arranged is out of the order
    (T37)."""
    assert choice.staff is not None
    case = {
        "as": "set_aside" if choice.arranged else choice.because,
        "visitor": standing_to(asked, choice.staff),
        "channel": channel,
        "in_turn": "yes" if choice.in_turn else "no",
        "appointment": "yes" if asked.appointment else "no",
    }
    return floor.edition.row_for("turns.counts", case)


def at_assignment(
    floor: Floor, asked: Asked, choice: Choice, channel: Channel
) -> tuple[tuple[Effect, ...], tuple[str, ...]]:
    """What an assignment does to the receiver's turn, and the clauses that say so. A turn counts from its assignment; a
    make-up that the reception grants comes when it is over."""
    staff = choice.staff
    if staff is None or not floor.takes_turns(staff):
        return (), ()
    clauses: tuple[str, ...] = ()
    if asked.purpose is not None and choice.because in ("turn", "make_up"):
        purpose = row_of_purpose(floor, asked.purpose, "at_start", False, channel)
        clauses = purpose.clauses
        if purpose.then["turn"] in ("given_back", "last_receives"):
            return (), clauses
    row = row_of_counts(floor, choice, asked, channel)
    # Where the greeter receives, all visitors of the quarter hour are his; elsewhere the stint ends (T9, T34).
    door = () if floor.switch("turns.door_receives") else leaves_the_door(floor, staff)
    effects = (*_turn(floor, row, staff, channel), *_place(floor, row, staff, channel), *door)
    return effects, merged(clauses, row.clauses)


def _turn(floor: Floor, row: Row, staff: UUID, channel: Channel) -> list[Effect]:
    if row.then["turn"] != "taken":
        return []
    effects = [Effect("turn", staff, channel, clauses=row.clauses)]
    if staff in floor.queue.double_rounds:
        effects.append(Effect("owes_pass", staff, channel))
    return effects


def _place(floor: Floor, row: Row, staff: UUID, channel: Channel) -> list[Effect]:
    """What becomes of the place. `front` gives back one that was lost; at the assignment none has been. A pass is
    owed in the line that one stands in today (T23)."""
    place, clauses = row.then["place"], row.clauses
    if place == "end":
        return [Effect("to_end", staff, channel, clauses=clauses)]
    if place != "owes_pass":
        return []
    own = OTHER[channel] if floor.of_other_team(floor.members[staff], channel) else channel
    return [Effect("owes_pass", staff, own, clauses=clauses)]


def row_of_purpose(floor: Floor, purpose: str, known: str, short: bool, channel: Channel) -> Row:
    """The row of `turns.purpose`: what becomes of a turn by what the visitor came for."""
    case = {"purpose": purpose, "known": known, "short": "yes" if short else "no", "channel": channel}
    return floor.edition.row_for("turns.purpose", case)


def at_finish(floor: Floor, reception: Reception, asked: Asked, purpose: str | None) -> tuple[Verdict, list[Effect]]:
    """The verdict on a reception that is over, and what is still to be done to the receiver for it: nothing to one who
    takes no turns.

    `asked`: what is known by now of the one who came. Raises RulebookError where the rulebook fails to decide.
    """
    assert reception.receiver is not None
    staff = reception.receiver
    verdict = _verdict(floor, reception, asked, purpose, staff)
    effects: list[Effect] = []
    channel = reception.channel
    if verdict.taken and not reception.took_turn and not reception.served:
        row = row_of_counts(floor, reception.choice, asked, channel)
        effects += [*_turn(floor, row, staff, channel), *_place(floor, row, staff, channel)]
    if not verdict.taken and reception.took_turn:
        effects += back(reception, verdict.place == "front" and not verdict.owed, verdict.clauses)
    effects += _again(reception, verdict) if reception.served else verdict.owed
    if channel == "call" and verdict.a_customer and standing_to(asked, staff) in ("new", "referred"):
        effects.append(Effect("call_answered", staff))
    if not floor.takes_turns(staff):
        return Verdict(False, "keep", (), verdict.clauses), []
    return verdict, effects


def _again(reception: Reception, verdict: Verdict) -> Sequence[Effect]:
    """A make-up that turns out not to count is owed again, before those that came after it (words 2)."""
    if not verdict.owed and verdict.place != "front":
        return ()
    assert reception.receiver is not None
    return (Effect("make_up_first", reception.receiver, reception.channel, clauses=verdict.clauses),)


def back(reception: Reception, to_front: bool, clauses: tuple[str, ...]) -> list[Effect]:
    """What a reception that does not count did to the receiver, undone: the turn, the pass owed for it and, if so, the
    place (words 3)."""
    staff, channel = reception.receiver, reception.channel
    assert staff is not None
    undone: list[Effect] = []
    if reception.took_turn:
        undone.append(Effect("turn_back", staff, channel, clauses=clauses))
        if to_front:
            undone.append(Effect("to_front", staff, channel, clauses=clauses))
    if reception.owed_pass is not None:
        undone.append(Effect("pass_back", staff, reception.owed_pass, clauses=clauses))
    return undone


def of_the_first(reception: Reception, turn: str, clauses: tuple[str, ...]) -> list[Effect]:
    """What becomes of the turn of the one who received until the visitor was recognised (T33); `turn` as in
    Recognised."""
    staff, channel = reception.receiver, reception.channel
    if staff is None or turn == "counts":
        return []
    owed = turn in ("make_up", "make_up_first")
    effects = back(reception, not owed, clauses)
    if reception.served:
        return [Effect("make_up_first", staff, channel, clauses=clauses)]
    if owed:
        kind: EffectKind = "make_up_first" if turn == "make_up_first" else "make_up"
        effects.append(Effect(kind, staff, channel, clauses=clauses))
    return effects


def _verdict(floor: Floor, reception: Reception, asked: Asked, purpose: str | None, staff: UUID) -> Verdict:
    choice, channel = reception.choice, reception.channel
    if reception.revealed is not None and reception.revealed != "counts" and not asked.as_new:
        return _revealed(reception, staff)
    why: tuple[str, ...] = reception.revealed_by
    if choice.because in ("turn", "make_up"):
        known, short = known_when(floor, reception, asked), is_short(floor, reception, asked)
        row = row_of_purpose(floor, purpose or asked.purpose or "buy", known, short, channel)
        if row.then["turn"] in ("given_back", "last_receives"):
            return Verdict(False, "front", (), row.clauses, a_customer=False)
        if row.then["turn"] == "make_up":
            one = Effect("make_up", staff, channel, clauses=row.clauses)
            return Verdict(False, "keep", (one,), row.clauses, a_customer=False)
        if purpose or asked.purpose:
            why = merged(why, row.clauses)
    row = row_of_counts(floor, choice, asked, channel)
    # Who has supported the other team is owed a turn at the post he came from (T15).
    owed_at = OTHER[channel] if choice.because == "support" else channel
    owed = tuple(make_up(row, staff, owed_at))
    return Verdict(row.then["turn"] == "taken", row.then["place"], owed, merged(why, row.clauses))


def _revealed(reception: Reception, staff: UUID) -> Verdict:
    clauses = reception.revealed_by
    if reception.revealed == "given_back":
        return Verdict(False, "front", (), clauses)
    kind: EffectKind = "make_up_first" if reception.revealed == "make_up_first" else "make_up"
    return Verdict(False, "keep", (Effect(kind, staff, reception.channel, clauses=clauses),), clauses)


def known_when(floor: Floor, reception: Reception, asked: Asked) -> str:
    """When it is known what the visitor came for, if it comes out now: at_start, early, by_end."""
    if asked.purpose is not None:
        return "at_start"
    early = floor.number("turns.early_knowledge_minutes")
    return "early" if early is not None and floor.minutes_since(reception.assigned_at) <= early else "by_end"


def is_short(floor: Floor, reception: Reception, asked: Asked) -> bool:
    """Whether the reception, were it over now, is no more than a short look."""
    short = floor.number("turns.short_look_minutes")
    return asked.purpose is None and short is not None and floor.minutes_since(reception.assigned_at) <= short
