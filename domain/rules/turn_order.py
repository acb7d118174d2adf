"""Who receives: the one order in which everybody who could is asked, each with a coded reason (T1-T17, words 10).

Ties can't happen: every step asks people in a written order - of the line, of the make-ups, of the staff list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec
from msgspec.structs import replace

from ..sales_turn_queue import OTHER, Asked, Channel, Choice, Effect, PassedOver
from .floor import Floor
from .line import Walk, walk

NOT_RESERVED = "not_reserved"
"""The reason why somebody was passed over for whom the rulebook does not keep such a visitor."""


class Chosen(msgspec.Struct, frozen=True):
    """The record of a choice, and what choosing did to those who were passed over."""

    choice: Choice
    effects: tuple[Effect, ...] = ()


class Search(msgspec.Struct, frozen=True):
    """Looking for a receiver: who came, on which channel, who did not come when called (`but`), the way down the line,
    and who has been asked before it."""

    floor: Floor
    asked: Asked
    channel: Channel
    but: frozenset[UUID]
    line: Walk
    before: list[PassedOver]

    def chosen(
        self,
        staff: UUID,
        because: str,
        clauses: tuple[str, ...],
        *,
        passed: Sequence[PassedOver] = (),
        effects: Sequence[Effect] = (),
    ) -> Chosen:
        free = self.line.free
        choice = Choice(
            staff=staff,
            because=because,
            line=self.floor.queue.line(self.channel),
            passed=(*self.before, *passed),
            otherwise=next((one for one in free if one != staff), None),
            in_turn=bool(free) and free[0] == staff,
            clauses=clauses,
        )
        return Chosen(choice, tuple(effects))

    def nobody(self, clauses: tuple[str, ...]) -> Chosen:
        """When nobody is free, nobody's place changes (words 4)."""
        passed = (*self.before, *self.line.passed)
        line = self.floor.queue.line(self.channel)
        return Chosen(Choice(staff=None, because="", line=line, passed=passed, clauses=clauses))


def choose(floor: Floor, asked: Asked, channel: Channel, but: frozenset[UUID] = frozenset()) -> Chosen:
    """Who receives the one who came; nobody when nobody can. `but`: who was called and did not come.

    Raises RulebookError where the rulebook fails to decide.
    """
    search = Search(floor, asked, channel, but, walk(floor, channel, but), [])
    if channel == "visit" and floor.queue.kind == "media" and not floor.switch("turns.media_day_receives"):
        return search.nobody(floor.clauses("turns.media_day_receives"))
    for step in (_claimed, _last_receives, _on_duty, _at_the_door, _made_up, _supported, _next, _set_aside):
        found = step(search)
        if found is not None:
            return found
    return search.nobody(floor.clauses("turns.when_nobody_is_free"))


# The steps, in the order in which they are asked


def _claimed(search: Search) -> Chosen | None:
    """The one asked for, the inviter, the client's consultant, the owner - or who stands in for them (words 10)."""
    floor, asked, but = search.floor, search.asked, search.but
    for ground, claimant in _claims(asked):
        busy = floor.busy(claimant)
        state = "away" if claimant in but or not floor.can_receive(claimant) else "busy" if busy else "free"
        entrusted = asked.entrusted_to if claimant == asked.owner and state != "free" else None
        if entrusted is not None and (floor.busy(entrusted) or not floor.can_receive(entrusted)):
            entrusted = None
        case = {
            "ground": ground,
            "channel": search.channel,
            "bought": "yes" if asked.bought or (ground == "referrer" and asked.referrer_bought) else "no",
            "tie": asked.tie if ground == "owner" else "none",
            "claimant": state,
            "entrusted": "yes" if entrusted else "no",
        }
        row = floor.edition.row_for("turns.claimed", case)
        who = row.then["who"]
        if not _reserved(floor, case):
            search.before.append(PassedOver(claimant, 0, NOT_RESERVED, row.clauses))
            continue
        if who == "claimant":
            return search.chosen(claimant, ground, row.clauses)
        reason = "did_not_come" if claimant in but else busy or floor.hindrance(claimant, search.channel) or "absent"
        search.before.append(PassedOver(claimant, 0, reason, row.clauses))
        if who != "line" and (stand_in := _stand_in(search, who, claimant, entrusted)) is not None:
            found = search.chosen(stand_in, "stand_in", row.clauses)
            as_told = who == "entrusted"
            return replace(found, choice=replace(found.choice, instead_of=claimant, ground=ground, entrusted=as_told))
    return None


def _claims(asked: Asked) -> Iterator[tuple[str, UUID]]:
    for ground, claimant in (
        ("named", asked.asks_for),
        ("inviter", asked.invited_by),
        ("referrer", asked.referrer),
        ("owner", asked.owner),
    ):
        if claimant is not None:
            yield ground, claimant


def _reserved(floor: Floor, case: dict[str, str]) -> bool:
    """Whether such a visitor is kept for the claimant at all: were he free, he would receive."""
    free = {**case, "claimant": "free", "entrusted": "no"}
    return floor.edition.row_for("turns.claimed", free).then["who"] != "line"


def is_kept_for_the_owner(floor: Floor, asked: Asked, channel: Channel) -> bool:
    """Whether the rulebook keeps a visitor who has an owner for that owner (not, for example, one who has only
    called)."""
    case = {"ground": "owner", "channel": channel, "bought": "yes" if asked.bought else "no", "tie": asked.tie}
    return asked.owner is None or asked.tie == "none" or _reserved(floor, case)


def is_new_by_rule(asked: Asked, choice: Choice) -> bool:
    """Whether a visitor who has an owner was received as anybody's (A8, A13)."""
    return any(one.staff == asked.owner and one.reason == NOT_RESERVED for one in choice.passed)


def _stand_in(search: Search, who: str, claimant: UUID, entrusted: UUID | None) -> UUID | None:
    """Who stands in; where the rules ask for it, the next in line of the claimant's own team, if one is free (T22)."""
    floor, free = search.floor, search.line.free
    if who == "entrusted":
        return entrusted
    if who == "supervisor":
        for staff, member in floor.members.items():
            if member.role == "supervisor" and floor.can_receive(staff) and not floor.busy(staff):
                return staff
    stint = floor.queue.at_the_door()
    if who == "next" and stint is not None and stint.staff in free and floor.switch("turns.door_receives"):
        return stint.staff
    if not free:
        return None
    if who == "last":
        return free[-1]
    own = floor.members[claimant].team if floor.switch("turns.stand_in_of_own_team") else None
    return next((one for one in free if own is not None and floor.members[one].team == own), free[0])


def _last_receives(search: Search) -> Chosen | None:
    """Who says at once that he is no buyer goes, by some rulebooks, to the last in order (T25)."""
    purpose, free = search.asked.purpose, search.line.free
    if purpose is None or not free:
        return None
    case = {"purpose": purpose, "known": "at_start", "short": "no", "channel": search.channel}
    row = search.floor.edition.row_for("turns.purpose", case)
    return search.chosen(free[-1], "turn", row.clauses) if row.then["turn"] == "last_receives" else None


def _on_duty(search: Search) -> Chosen | None:
    """Outside the hours of turns the first of the line are on duty, and the order does not apply (T14, T16)."""
    floor, channel = search.floor, search.channel
    if not floor.on_duty_hours():
        return None
    queue = floor.queue
    here = [one for one in queue.line(channel) if queue.present(one) and floor.barred(one, channel) is None]
    on_duty = here[: floor.number("turns.on_duty")]
    clauses = floor.clauses("turns.duty_until", "turns.duty_from", "turns.on_duty")
    free = next((staff for staff in search.line.free if staff in on_duty), None)
    return search.nobody(clauses) if free is None else search.chosen(free, "duty", clauses)


def _at_the_door(search: Search) -> Chosen | None:
    """Where who greets at the door receives the new visitors (T34)."""
    floor = search.floor
    stint = floor.queue.at_the_door()
    if search.channel != "visit" or stint is None or not floor.switch("turns.door_receives"):
        return None
    minutes = floor.number("turns.door_minutes")
    if minutes is not None and floor.minutes_since(stint.since) >= minutes:
        return None  # the next visitors are the next greeter's
    if stint.staff in search.but or floor.hindrance(stint.staff, search.channel) is not None:
        return None
    return search.chosen(stint.staff, "duty", floor.clauses("turns.door_receives", "turns.door_minutes"))


def _supported(search: Search) -> Chosen | None:
    """Too few of the team are waiting for visits, or nobody is free for a call: the other team supports (T15)."""
    floor = search.floor
    least = floor.number("turns.at_least_waiting") or 0 if search.channel == "visit" else 0
    if floor.text("turns.when_nobody_is_free") != "other_team" or len(search.line.free) >= max(1, least):
        return None
    staff = next((one for one in _supporters(floor, search.channel) if one not in search.but), None)
    if staff is None:
        return None
    clauses = floor.clauses("turns.when_nobody_is_free", "turns.at_least_waiting")
    moves_on = Effect("support_moves_on", staff, clauses=clauses)
    return search.chosen(staff, "support", clauses, passed=search.line.passed, effects=(moves_on,))


def _supporters(floor: Floor, channel: Channel) -> list[UUID]:
    """The free people of the other team, in the order in which they support."""
    place = {staff: index for index, staff in enumerate(floor.queue.support)}
    others = [
        staff
        for staff, member in floor.members.items()
        if floor.takes_turns(staff)
        and floor.of_other_team(member, channel)
        and floor.hindrance(staff, OTHER[channel]) is None
    ]
    # Whoever has not supported yet comes first, in the order of the staff list.
    return sorted(others, key=lambda staff: place.get(staff, -1))


def _made_up(search: Search) -> Chosen | None:
    """Make-ups come before the line, oldest first, when their holder is free (words 2)."""
    floor, channel = search.floor, search.channel
    waiting: list[PassedOver] = []
    for owed in floor.queue.make_ups[channel]:
        hindrance = "did_not_come" if owed.staff in search.but else floor.hindrance(owed.staff, channel)
        if hindrance is None:
            served = Effect("make_up_served", owed.staff, channel)
            return search.chosen(owed.staff, "make_up", (), passed=waiting, effects=(served,))
        waiting.append(PassedOver(owed.staff, 0, hindrance))
    return None


def _next(search: Search) -> Chosen | None:
    line = search.line
    if not line.free:
        return None
    clauses = _of_the_line(search.floor, line.free[0], search.channel)
    return search.chosen(line.free[0], "turn", clauses, passed=line.passed, effects=line.effects)


def _of_the_line(floor: Floor, staff: UUID, channel: Channel) -> tuple[str, ...]:
    """The clauses that make the line what it is here, and let somebody be called from it."""
    names = ["turns.order", "turns.carry_over", "turns.rosters", "turns.taken_by", "turns.ab_posts"]
    if floor.queue.visits_team is not None:
        names.append("turns.teams")
        if floor.number("turns.at_least_waiting"):
            names.append("turns.at_least_waiting")
    if channel == "call" and floor.number("turns.call_conversion_percent") is not None:
        names.append("turns.call_conversion_percent")
    if floor.queue.person(staff).may_take_second:
        names.append("turns.second_visitor_by")
    return floor.clauses(*names)


def _set_aside(search: Search) -> Chosen | None:
    """Everybody is busy: the order is set aside, and who has fewest visitors takes one more (T17).

    Nobody is called from the telephone to a visitor, nor the other way round (words 1).
    """
    floor, channel = search.floor, search.channel
    if floor.text("turns.when_nobody_is_free") != "set_aside":
        return None
    queue = floor.queue
    here: list[tuple[int, int, UUID]] = []
    for place, staff in enumerate(queue.line(channel)):
        at = list(queue.busy_at(staff))
        fit = staff not in search.but and queue.present(staff) and floor.barred(staff, channel) is None
        if fit and all(one.channel == channel for one in at):
            here.append((len(at), place, staff))
    if not here:
        return None
    clauses = floor.clauses("turns.when_nobody_is_free")
    staff = min(here)[2]
    passed = [one for one in search.line.passed if one.staff != staff]
    return search.chosen(staff, "set_aside", clauses, passed=passed)
