"""The queue of a site and business day: what may happen on the floor, as facts.

A decision works out its effects by the rulebook; the fact carries them, and `queue_state.evolve` only carries them
out. So a day loads for ever as it was, whatever the rules have become since. One stream a site and day keeps streams
short."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID, uuid5

import msgspec

from .record import Fact, stored_as
from .visitor import Entry

Channel = Literal["visit", "call"]
CHANNELS: tuple[Channel, Channel] = ("visit", "call")
OTHER: dict[str, Channel] = {"visit": "call", "call": "visit"}

EffectKind = Literal[
    "to_end",
    "to_front",
    "turn",
    "turn_back",
    "make_up",
    "make_up_first",
    "make_up_served",
    "owes_pass",
    "pass_paid",
    "pass_back",
    "double_rounds",
    "fine",
    "warning",
    "suspended",
    "day_lost",
    "support_moves_on",
    "call_answered",
    "door_left",
]
"""to_end, to_front: one's place in the line; turn, turn_back: a turn taken, or taken back; make_up: one is owed
(`first`: before others), or the oldest is served; owes_pass, pass_paid: a pass is owed (SCENARIOS, words 5), or was
made; double_rounds: two rounds count as one from now on; fine, warning; suspended: for a day; day_lost: no more turns
today; support_moves_on: somebody has been called to support
the other team, and is the last to be called again; call_answered: one
that may become a customer (T32); door_left: a stint at the door has ended early, so many minutes of it are owed."""


class Effect(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a decision does to one person. `yuan` of a fine, `minutes` of a stint at the door, `day` of a suspension;
    `clauses`: what it rests on."""

    kind: EffectKind
    staff: UUID
    channel: Channel | None = None
    yuan: int = 0
    minutes: int = 0
    day: date | None = None
    clauses: tuple[str, ...] = ()


class MakeUp(msgspec.Struct, frozen=True, gc=False):
    """A make-up owed since a day, for what a reception brought (its label on that day); `first`: before others."""

    staff: UUID
    first: bool
    since: date
    reception: str
    clauses: tuple[str, ...]


class Carried(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a day takes over from the one before.

    `first_day`: of the site's queues, from which teams swap; `period_began`: from when turns count. `fines`,
    `warnings`, `double_rounds`, `calls` (answered) and `converted` are this month's; `suspended` those days that
    still matter; `no_calls`: who gets no calls this month (T32).
    """

    first_day: date
    period_began: date
    lines: dict[str, tuple[UUID, ...]] = {}
    last: dict[str, UUID] = {}
    turns: dict[str, dict[UUID, int]] = {}
    make_ups: dict[str, tuple[MakeUp, ...]] = {}
    passes: dict[str, dict[UUID, int]] = {}
    ranked: tuple[UUID, ...] | None = None
    support: tuple[UUID, ...] = ()
    not_ready: dict[UUID, str] = {}
    no_calls: tuple[UUID, ...] = ()
    double_rounds: tuple[UUID, ...] = ()
    fines: dict[UUID, int] = {}
    warnings: dict[UUID, int] = {}
    suspended: dict[UUID, tuple[date, ...]] = {}
    calls: dict[UUID, int] = {}
    converted: dict[UUID, int] = {}


@stored_as("queue.opened.v1")
class QueueOpened(Fact, frozen=True, kw_only=True):
    """The first fact of a day. `visits_team` has the visits (in halves: the floor) today; None: teams do not count."""

    day: date
    carried: Carried
    shared: bool
    visits_team: str | None = None


@stored_as("queue.signed_in.v1")
class SignedIn(Fact, frozen=True, kw_only=True):
    """`before`: in whose place in each line the person comes (None: at its end); no lines for who takes no turns, or
    has kept a place."""

    staff: UUID
    before: dict[str, UUID | None]


@stored_as("queue.signed_out.v1")
class SignedOut(Fact, frozen=True, kw_only=True):
    """`keeps_place`: the line goes on tomorrow, and a place in it with it."""

    staff: UUID
    keeps_place: bool
    effects: tuple[Effect, ...] = ()


Why = Literal["approved_business", "private", "leave", "task"]


@stored_as("queue.stepped_out.v1")
class SteppedOut(Fact, frozen=True, kw_only=True):
    staff: UUID
    why: Why
    effects: tuple[Effect, ...] = ()


@stored_as("queue.stepped_back.v1")
class SteppedBack(Fact, frozen=True, kw_only=True):
    """`effects`: what it costs to have been away too long when the turn came (T12)."""

    staff: UUID
    effects: tuple[Effect, ...] = ()


@stored_as("queue.readiness_changed.v1")
class ReadinessChanged(Fact, frozen=True, kw_only=True):
    """`reason` why somebody may not take turns (trainee, unwell, task, resigning, untested); None: ready again."""

    staff: UUID
    reason: str | None


@stored_as("queue.permitted.v1")
class Permitted(Fact, frozen=True, kw_only=True):
    staff: UUID
    what: Literal["second_visitor", "giving_up"]
    by: UUID


@stored_as("queue.post_taken.v1")
class PostTaken(Fact, frozen=True, kw_only=True):
    staff: UUID
    post: Literal["A", "B"]


@stored_as("queue.door_taken.v1")
class DoorTaken(Fact, frozen=True, kw_only=True):
    """Somebody stands at the door from now; `owed_minutes`: what the one relieved has not stood of the stint."""

    staff: UUID
    relieved: UUID | None = None
    owed_minutes: int = 0


@stored_as("queue.ranked.v1")
class Ranked(Fact, frozen=True, kw_only=True):
    """`lines`: as they stand from now on; none where the order goes by sign-in, and the ranking is for later."""

    order: tuple[UUID, ...]
    by: UUID | None
    lines: dict[str, tuple[UUID, ...]]


@stored_as("queue.day_declared.v1")
class DayDeclared(Fact, frozen=True, kw_only=True):
    kind: Literal["normal", "media"]
    by: UUID | None


class PassedOver(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A candidate before the one who was chosen. `place`: in the line, from 1 (0: asked before the line); `reason`:
    absent, approved_business, private, leave, task, busy_new, busy_earlier, helping, owes_pass, suspended, day_lost,
    no_calls, other_team, did_not_come, departed, not_reserved (by the rules such a visitor is nobody's), or why not
    ready."""

    staff: UUID
    place: int
    reason: str
    clauses: tuple[str, ...] = ()


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """An assignment's record: the line as it stood, who was passed over and why, what made it this person.

    `because`: SCENARIOS' word ("" with nobody); `instead_of`: for whom the receiver stands in, on which `ground` (see
    GROUNDS; `entrusted`: as the owner had asked); `otherwise`: who would have been next, had the receiver not been
    free; `in_turn`: whether the receiver was the next of the line anyway."""

    staff: UUID | None
    because: str
    line: tuple[UUID, ...]
    passed: tuple[PassedOver, ...] = ()
    instead_of: UUID | None = None
    ground: str | None = None
    entrusted: bool = False
    arranged: bool = False
    otherwise: UUID | None = None
    in_turn: bool = False
    clauses: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What is known of the one who came. Phone and name only led to `entry`, and are not kept here.

    `as_new`: known, but by the rules a new visitor all the same (A8, A11, A13). `found_by`: phone, visitor, describes
    - how `owner` was found; `tie`: what ties the owner to the visitor (see TIES); `entrusted_to`: whom the owner
    asked to look after the visitor. `referrer`: the consultant of the client `brought_by`.
    """

    entry: Entry | None = None
    owner: UUID | None = None
    bought: bool = False
    tie: str = "none"
    found_by: str | None = None
    entrusted_to: UUID | None = None
    again_today: bool = False
    as_new: bool = False
    describes: UUID | None = None
    asks_for: UUID | None = None
    invited_by: UUID | None = None
    brought_by: Entry | None = None
    referrer: UUID | None = None
    referrer_bought: bool = False
    purpose: str | None = None
    appointment: bool = False
    party: int = 1


@stored_as("queue.reception_opened.v1")
class ReceptionOpened(Fact, frozen=True, kw_only=True):
    """The desk called for a consultant and got one, or nobody."""

    reception: str
    channel: Channel
    asked: Asked
    choice: Choice
    effects: tuple[Effect, ...] = ()


@stored_as("queue.receiver_changed.v1")
class ReceiverChanged(Fact, frozen=True, kw_only=True):
    """Somebody else receives: the one called did not come (absent), or another was named (handed_over)."""

    reception: str
    why: Literal["absent", "handed_over"]
    choice: Choice
    by: UUID | None = None
    effects: tuple[Effect, ...] = ()


@stored_as("queue.recognised.v1")
class Recognised(Fact, frozen=True, kw_only=True):
    """The one being received turned out to be known. `choice`: who receives from now on; `turn`: what becomes of the
    turn of the one who received so far (counts, given_back, make_up, make_up_first)."""

    reception: str
    asked: Asked
    in_time: bool
    turn: str
    clauses: tuple[str, ...]
    choice: Choice
    effects: tuple[Effect, ...] = ()


@stored_as("queue.helped.v1")
class Helped(Fact, frozen=True, kw_only=True):
    reception: str
    staff: UUID


@stored_as("queue.unanswered.v1")
class Unanswered(Fact, frozen=True, kw_only=True):
    reception: str
    effects: tuple[Effect, ...] = ()


@stored_as("queue.finished.v1")
class Finished(Fact, frozen=True, kw_only=True):
    """The reception is over. `counts`: whether it is a turn taken, by which clauses; `asked`: what was known of the one
    received, as it was when he came; `standing`: what he is to the receiver; `known`: when it was known what he came
    for (at_start, early, by_end); `short`: a short look."""

    reception: str
    entry: Entry | None
    asked: Asked
    standing: str
    purpose: str
    known: str
    short: bool
    counts: bool
    clauses: tuple[str, ...]
    effects: tuple[Effect, ...] = ()


@stored_as("queue.given_up.v1")
class GivenUp(Fact, frozen=True, kw_only=True):
    """`accepted`: for a cause that counts (a long wait, the manager's word), so that it is not held against anybody."""

    staff: UUID
    channel: Channel
    waited_seconds: int
    accepted: bool
    clauses: tuple[str, ...]
    effects: tuple[Effect, ...] = ()


@stored_as("queue.not_reached.v1")
class NotReached(Fact, frozen=True, kw_only=True):
    """The desk tried to reach an owner who is away, and could not."""

    staff: UUID


@stored_as("queue.misconduct.v1")
class Misconduct(Fact, frozen=True, kw_only=True):
    staff: UUID
    what: str
    by: UUID
    clauses: tuple[str, ...]
    effects: tuple[Effect, ...] = ()


@stored_as("queue.warned.v1")
class Warned(Fact, frozen=True, kw_only=True):
    staff: UUID
    by: UUID
    clauses: tuple[str, ...]
    effects: tuple[Effect, ...] = ()


@stored_as("queue.carried_on.v1")
class CarriedOn(Fact, frozen=True, kw_only=True):
    """What a reception that went on past midnight brought, for the day that had been opened by then."""

    of: date
    reception: str
    effects: tuple[Effect, ...]


@stored_as("queue.call_converted.v1")
class CallConverted(Fact, frozen=True, kw_only=True):
    """A customer whom somebody knew from a call has bought from that somebody (what T32 counts)."""

    staff: UUID
    sale: UUID


def queue_id(site: UUID, day: date) -> UUID:
    """The stream of a site's day: the same for every desk, so that two who open it meet there."""
    return uuid5(site, f"queue {day.isoformat()}")
