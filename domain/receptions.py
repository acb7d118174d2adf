"""What is done to a reception from its opening to its end: decisions that assign, hand on, recognise and count.

Every decision takes the floor as it stands and gives facts, or refuses with a code; nothing here knows a clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from .queue_state import Queue, Reception
from .refusals import Refusal
from .rulebook import Row, merged
from .rules.countable_turns import at_assignment, at_finish, back, is_short, known_when, of_the_first, row_of_counts
from .rules.floor import Floor, standing_to
from .rules.line import walk
from .rules.turn_order import choose, is_new_by_rule
from .rules.turn_vocabulary import PURPOSES
from .sales_turn_queue import (
    CHANNELS,
    Asked,
    Channel,
    Choice,
    Effect,
    Finished,
    Helped,
    NotReached,
    ReceiverChanged,
    ReceptionOpened,
    Recognised,
    Unanswered,
)
from .visitor import Entry


def check_purpose(purpose: str | None) -> None:
    """Raises Refusal bad_value for an unknown one."""
    if purpose is not None and purpose not in PURPOSES:
        raise Refusal("bad_value", f"{purpose!r}; purposes are {', '.join(PURPOSES)}")


def next_label(queue: Queue, yesterday: Queue | None) -> str:
    """The day's next number (r1, r2, ...); not one that a reception going on since yesterday bears."""
    taken = {*queue.receptions, *(yesterday.open if yesterday else ())}
    numbers = [int(label[1:]) for label in queue.receptions if re.fullmatch(r"r\d{1,9}", label)]
    number = max(numbers, default=0) + 1
    while f"r{number}" in taken:
        number += 1
    return f"r{number}"


def receive(floor: Floor, label: str, channel: str, asked: Asked) -> ReceptionOpened:
    """The desk calls for a consultant. Nobody to assign is no refusal. Raises Refusal bad_value, duplicate_label."""
    if channel not in CHANNELS:
        raise Refusal("bad_value", f"{channel!r}; channels are visit and call")
    check_purpose(asked.purpose)
    if not 1 <= asked.party <= 1000:
        raise Refusal("bad_value", "a party has from 1 to 1000 persons")
    if label in floor.queue.receptions:
        raise Refusal("duplicate_label", label)
    chosen = choose(floor, asked, channel)
    asked = replace(asked, as_new=is_new_by_rule(asked, chosen.choice))
    choice, effects = _assigned(floor, asked, chosen.choice, channel)
    return ReceptionOpened(
        reception=label,
        channel=channel,
        asked=asked,
        choice=choice,
        effects=(*chosen.effects, *effects),
    )


def _assigned(floor: Floor, asked: Asked, choice: Choice, channel: Channel) -> tuple[Choice, tuple[Effect, ...]]:
    """The choice with all that its effect on the turn rests on, and that effect."""
    effects, clauses = at_assignment(floor, asked, choice, channel)
    return replace(choice, clauses=merged(choice.clauses, clauses)), effects


def reception_of(floor: Floor, label: str) -> Reception:
    """A reception that goes on. Raises Refusal unknown_reception, wrong_state when it is over, bad_time before it
    began."""
    reception = floor.queue.receptions.get(label)
    if reception is None:
        raise Refusal("unknown_reception", label)
    if reception.over:
        raise Refusal("wrong_state", "the reception is over")
    if floor.at < reception.opened_at:
        raise Refusal("bad_time", "the reception began later")
    return reception


def absent(floor: Floor, label: str) -> ReceiverChanged:
    """The one called did not come; the next receives (T12). Raises Refusal too_soon, unknown_reception, wrong_state."""
    reception = reception_of(floor, label)
    grace = floor.number("turns.absent_after_minutes") or 0
    over = floor.minutes_since(reception.assigned_at) >= grace
    forfeits = floor.text("turns.when_absent") == "forfeit_after_grace"
    if forfeits and not over:
        raise Refusal("too_soon", f"the grace is {grace} minutes")
    assert reception.receiver is not None
    gone = reception.receiver
    clauses = floor.clauses("turns.absent_after_minutes", "turns.when_absent")
    effects = back(reception, to_front=not over, clauses=clauses)
    if reception.served and not over:
        effects.append(Effect("make_up_first", gone, reception.channel, clauses=clauses))
    queue = floor.queue
    waiting = {one: r for one, r in queue.open.items() if one != label}
    # The next is looked for as if this reception had just begun: the one who did not come is not busy with it.
    chosen = choose(
        replace(floor, queue=replace(queue, open=waiting)), reception.asked, reception.channel, frozenset({gone})
    )
    choice, turn = _assigned(floor, reception.asked, chosen.choice, reception.channel)
    choice = replace(choice, clauses=merged(choice.clauses, clauses))
    effects += [effect for effect in chosen.effects if effect.staff != gone]
    effects += turn
    return ReceiverChanged(reception=label, why="absent", choice=choice, effects=tuple(effects))


def hand_over(floor: Floor, label: str, to: UUID, by: UUID) -> ReceiverChanged:
    """The owner, or whose role permits it, names another receiver (T22, T37).

    Raises Refusal unknown_reception, wrong_state, not_permitted, not_signed_in, not_free, not_eligible.
    """
    reception = reception_of(floor, label)
    owner, role = reception.asked.owner, floor.members[by].role
    if by not in (owner, reception.receiver) and role not in floor.edition.codes("turns.hand_over_by"):
        raise Refusal("not_permitted", "naming another receiver")
    if to == reception.receiver:
        raise Refusal("wrong_state", "receives already")
    if (why := floor.queue.not_ready.get(to)) is not None:
        raise Refusal("not_eligible", why)
    mine = to == owner  # nobody stands in for himself
    _may_join(floor, to, mine=mine)
    clauses = floor.clauses("turns.hand_over_by")
    if mine and reception.choice.instead_of == to:
        clauses = merged(clauses, reception.choice.clauses)
    choice = Choice(
        staff=to,
        because="owner" if mine else "stand_in",
        line=floor.queue.line(reception.channel),
        instead_of=None if mine else reception.receiver,
        arranged=not mine and by not in (owner, reception.receiver),
        clauses=clauses,
    )
    owed = reception.revealed if reception.revealed in ("make_up", "make_up_first") else "given_back"
    effects = of_the_first(reception, owed, clauses)
    choice, turn = _assigned(floor, reception.asked, choice, reception.channel)
    effects += turn
    return ReceiverChanged(reception=label, why="handed_over", choice=choice, by=by, effects=tuple(effects))


def _may_join(floor: Floor, staff: UUID, *, mine: bool = False) -> None:
    """`mine`: the visitor is the person's own, whom one may always take beside another (T22)."""
    if floor.queue.person(staff).in_since is None:
        raise Refusal("not_signed_in")
    if floor.members[staff].departed:
        raise Refusal("not_eligible", "departed")
    if floor.queue.day in floor.queue.suspended.get(staff, ()):
        raise Refusal("not_eligible", "suspended")
    if floor.queue.person(staff).out is not None or (floor.busy(staff) is not None and not mine):
        raise Refusal("not_free")


def help_with(floor: Floor, label: str, staff: UUID) -> Helped:
    """Somebody joins a reception (T17, T21), a trainee only when nobody is free (T10).

    Raises Refusal unknown_reception, wrong_state, not_signed_in, not_free, not_eligible, not_your_turn (large parties
    get helpers in turn order).
    """
    reception = reception_of(floor, label)
    if staff == reception.receiver or staff in reception.helpers:
        raise Refusal("wrong_state", "is there already")
    if (why := floor.queue.not_ready.get(staff)) is not None and not (why == "trainee" and _overrun(floor, reception)):
        raise Refusal("not_eligible", why)
    _may_join(floor, staff)
    size, waiting = floor.number("turns.large_party"), walk(floor, reception.channel).free
    if size is not None and reception.asked.party >= size and waiting and staff != waiting[0]:
        raise Refusal("not_your_turn", "a large party gets helpers in turn order")
    return Helped(reception=label, staff=staff)


def _overrun(floor: Floor, reception: Reception) -> bool:
    """Whether nobody of the line is free, so that a trainee may assist (T10)."""
    return all(floor.hindrance(one, reception.channel) is not None for one in floor.queue.line(reception.channel))


def recognise(floor: Floor, label: str, asked: Asked) -> Recognised:
    """The one being received turns out to be known; `asked`: with what is known now (A11, T33).

    Raises Refusal unknown_reception, wrong_state when recognised already.
    """
    reception = reception_of(floor, label)
    if reception.recognised != "no" or (reception.asked.owner is not None and reception.asked.owner == asked.owner):
        raise Refusal("wrong_state", "is known already")
    within = floor.number("turns.recognised_within_minutes")
    in_time = within is None or floor.minutes_since(reception.opened_at) <= within
    stays = replace(reception.choice, clauses=())
    if asked.owner is None:
        return Recognised(reception=label, asked=asked, in_time=in_time, turn="counts", clauses=(), choice=stays)
    entrusted = asked.entrusted_to
    case = {
        "owner": _where_the_owner_is(floor, reception, asked.owner, entrusted),
        "bought": "yes" if asked.bought else "no",
        "in_time": "yes" if in_time else "no",
    }
    row = floor.edition.row_for("turns.revealed", case)
    receives, turn = row.then["receives"], row.then["turn"]
    if receives == "stays":
        choice = replace(stays, clauses=row.clauses)
        effects = back(reception, turn == "given_back", row.clauses) if turn != "counts" else []
        return _recognised(label, asked, in_time, row, choice, effects)
    to = asked.owner if receives == "owner" else entrusted
    choice = Choice(
        staff=to,
        because="owner" if receives == "owner" else "stand_in",
        line=floor.queue.line(reception.channel),
        instead_of=None if receives == "owner" else asked.owner,
        ground=None if receives == "owner" else "owner",
        entrusted=receives == "entrusted",
        clauses=row.clauses,
    )
    effects = of_the_first(reception, turn, row.clauses)
    choice, more = _assigned(floor, asked, choice, reception.channel)
    effects += more
    return _recognised(label, asked, in_time, row, choice, effects)


def _recognised(
    label: str, asked: Asked, in_time: bool, row: Row, choice: Choice, effects: Sequence[Effect]
) -> Recognised:
    return Recognised(
        reception=label,
        asked=asked,
        in_time=in_time,
        turn=row.then["turn"],
        clauses=row.clauses,
        choice=choice,
        effects=tuple(effects),
    )


def _where_the_owner_is(floor: Floor, reception: Reception, owner: UUID, entrusted: UUID | None) -> str:
    """Code of `turns.revealed`: oneself, present, has entrusted somebody who is there, or not reached (words 10)."""
    if owner == reception.receiver:
        return "self"
    if floor.can_receive(owner):
        return "present"
    if entrusted is not None and entrusted != reception.receiver and floor.can_receive(entrusted):
        return "entrusted"
    return "not_reached"


def unanswered(floor: Floor, label: str) -> Unanswered:
    """Nobody answered the call: no turn, and the place is given back (T27). Raises Refusal wrong_state for a visit."""
    reception = reception_of(floor, label)
    if reception.channel != "call":
        raise Refusal("wrong_state", "only a call goes unanswered")
    clauses = row_of_counts(floor, reception.choice, reception.asked, "call").clauses
    return Unanswered(reception=label, effects=tuple(of_the_first(reception, "given_back", clauses)))


def finish(floor: Floor, label: str, asked: Asked, entry: Entry | None, purpose: str | None) -> Finished:
    """The reception ends. `asked`: what is known by now, as it was when the reception began; `entry`: who it was.

    Raises Refusal unknown_reception, wrong_state, bad_value.
    """
    reception = reception_of(floor, label)
    check_purpose(purpose)
    verdict, effects = at_finish(floor, reception, asked, purpose)
    return Finished(
        reception=label,
        entry=entry,
        asked=asked,
        standing=standing_to(asked, reception.receiver),
        purpose=purpose or asked.purpose or "buy",
        known=known_when(floor, reception, asked),
        short=is_short(floor, reception, asked),
        counts=verdict.taken,
        clauses=verdict.clauses,
        effects=tuple(effects),
    )


def not_reached(floor: Floor, staff: UUID) -> NotReached:
    """The desk could not reach somebody who is away. Raises Refusal wrong_state when the person is on the floor."""
    if floor.queue.present(staff):
        raise Refusal("wrong_state", "is on the floor")
    return NotReached(staff=staff)
