"""Who is on the floor and may take turns: opening a day, attendance, leave, posts, door duty, order and discipline.

Every decision takes the floor as it stands and gives facts, or refuses with a code; nothing here knows a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from .queue_state import Queue
from .record import Fact
from .refusals import Refusal
from .rulebook import Edition
from .rules.floor import Floor
from .rules.line import leaves_the_door, lost_meanwhile, missing_minutes
from .rules.turn_vocabulary import MISCONDUCTS, NOT_READY
from .sales_turn_queue import (
    CHANNELS,
    Carried,
    Channel,
    DayDeclared,
    DoorTaken,
    Effect,
    GivenUp,
    Misconduct,
    Permitted,
    PostTaken,
    QueueOpened,
    Ranked,
    ReadinessChanged,
    SignedIn,
    SignedOut,
    SteppedBack,
    SteppedOut,
    Warned,
)
from .site import Member

PERIOD_WEEKS = {"week": 1, "fortnight": 2}
PERIOD_MONTHS = {"month": 1, "two_months": 2}
CONVERSION = ("call_conversion_percent", "lowest_is_retested")


def open_day(previous: Queue | None, day: date, edition: Edition, members: Mapping[UUID, Member]) -> QueueOpened:
    """The day's first fact: what it takes over from the last day that had a queue (T5; counts of the month; T32)."""
    carry_over = edition.parameter("turns.carry_over").value is True
    first_day = previous.carried.first_day if previous else day
    began = first_day if carry_over else period_start(str(edition.parameter("turns.period").value), day)
    carried = Carried(first_day=first_day, period_began=began)
    if previous is not None:
        carried = _taken_over(previous, day, edition, began, carry_over)
    alternate = edition.parameter("turns.teams").value != "together"
    teams = _teams(edition, members) if alternate else []
    team = teams[(day - first_day).days % 2] if len(teams) > 1 else None
    shared = edition.parameter("turns.rosters").value == "shared"
    return QueueOpened(day=day, carried=carried, shared=shared, visits_team=team)


def _teams(edition: Edition, members: Mapping[UUID, Member]) -> list[str]:
    """The teams of those who take turns, in the order of the staff list; one whose people have all left is none."""
    taken_by = edition.codes("turns.taken_by")
    in_turn = [m for m in members.values() if m.team is not None and m.role in taken_by]
    there = {m.team for m in in_turn if not m.departed}
    return [team for team in dict.fromkeys(m.team for m in in_turn) if team is not None and team in there]


def period_start(period: str, day: date) -> date:
    """The first day of the roster period that a day belongs to. Weeks begin on Monday, pairs of weeks and of months
    with the odd one."""
    if period in PERIOD_WEEKS:
        weeks = PERIOD_WEEKS[period]
        monday = day - timedelta(days=day.weekday())
        return monday - timedelta(weeks=(day.isocalendar().week - 1) % weeks)
    if period in PERIOD_MONTHS:
        return day.replace(day=1, month=day.month - (day.month - 1) % PERIOD_MONTHS[period])
    return day


def _taken_over(previous: Queue, day: date, edition: Edition, began: date, carry_over: bool) -> Carried:
    same_month = (previous.day.year, previous.day.month) == (day.year, day.month)
    not_ready, no_calls = dict(previous.not_ready), tuple(sorted(previous.no_calls))
    if not same_month:
        no_calls, lowest = _conversions(previous, edition)
        not_ready |= dict.fromkeys(lowest, "untested")
    suspended = {
        staff: kept
        for staff, days in previous.suspended.items()
        if (kept := tuple(one for one in days if one >= day or (one.year, one.month) == (day.year, day.month)))
    }
    return Carried(
        first_day=previous.carried.first_day,
        period_began=began,
        lines=dict(previous.lines) if carry_over else {},
        last=dict(previous.last) if carry_over or began <= previous.day else {},
        turns=_counts(previous.turns) if carry_over or began <= previous.day else {},
        make_ups=dict(previous.make_ups),
        passes=_counts(previous.passes),
        ranked=previous.ranked,
        support=previous.support,
        not_ready=not_ready,
        no_calls=no_calls,
        double_rounds=tuple(sorted(previous.double_rounds)) if same_month else (),
        fines=dict(previous.fines) if same_month else {},
        warnings=dict(previous.warnings) if same_month else {},
        suspended=suspended,
        calls=dict(previous.calls) if same_month else {},
        converted=dict(previous.converted) if same_month else {},
    )


def _counts(counts: Mapping[str, Mapping[UUID, int]]) -> dict[str, dict[UUID, int]]:
    return {channel: {staff: n for staff, n in here.items() if n} for channel, here in counts.items()}


ALWAYS_LASTS = ("make_up", "make_up_first", "make_up_served", "owes_pass", "pass_paid", "pass_back", "suspended")
LASTS_THE_MONTH = ("fine", "warning", "double_rounds", "call_answered")


def lasting_effects(fact: Fact, of: date, later: Queue) -> tuple[Effect, ...]:
    """Of what a fact of one day brought, what a later day that is open already would have taken over from it."""
    lasting = {*ALWAYS_LASTS, *(LASTS_THE_MONTH if (of.year, of.month) == (later.day.year, later.day.month) else ())}
    if later.carried.period_began <= of:
        lasting |= {"turn", "turn_back"}
    if later.carried.lines:
        lasting |= {"to_end", "to_front"}
    return tuple(effect for effect in getattr(fact, "effects", ()) if effect.kind in lasting)


def counts_conversions(edition: Edition) -> bool:
    """Whether a rulebook asks what became of calls (T32)."""
    least, lowest = (edition.parameters.get(f"turns.{name}") for name in CONVERSION)
    return (least is not None and least.value is not None) or (lowest is not None and lowest.value is True)


def _conversions(month: Queue, edition: Edition) -> tuple[tuple[UUID, ...], list[UUID]]:
    """Who gets no calls after a month of too low a conversion, and who had the lowest (T32)."""
    rates = {staff: 100 * month.converted.get(staff, 0) / calls for staff, calls in month.calls.items() if calls}
    least = edition.parameter("turns.call_conversion_percent").value
    too_low = [staff for staff, rate in rates.items() if isinstance(least, int) and rate < least]
    lowest = min(rates.values(), default=None)
    retested = edition.parameter("turns.lowest_is_retested").value is True and len(set(rates.values())) > 1
    return tuple(sorted(too_low)), [staff for staff, rate in rates.items() if retested and rate == lowest]


# Attendance


def sign_in(floor: Floor, staff: UUID) -> SignedIn:
    """Raises Refusal wrong_state when signed in already (or gone from the company)."""
    queue = floor.queue
    if queue.person(staff).in_since is not None:
        raise Refusal("wrong_state", "signed in already")
    if floor.members[staff].departed:
        raise Refusal("wrong_state", "has left the company")
    if not floor.takes_turns(staff):
        return SignedIn(staff=staff, before={})
    before = {c: _place_of(floor, staff, c) for c in CHANNELS if not (queue.shared and c == "call")}
    keeps = floor.switch("turns.carry_over")
    return SignedIn(
        staff=staff, before={c: place for c, place in before.items() if not (keeps and staff in queue.lines[c])}
    )


def _place_of(floor: Floor, staff: UUID, channel: Channel) -> UUID | None:
    """In whose place somebody comes: by sign-in at the end (None), else at one's own place in the cycle, which goes on
    behind the one who went to the end last."""
    if floor.text("turns.order") == "sign_in":
        return None
    ranked, last = floor.queue.ranked or (), floor.queue.last.get(channel)
    cycle = [*ranked, *(one for one in floor.members if one not in ranked)]
    begin = cycle.index(last) + 1 if last in cycle else 0
    place = {one: (index - begin) % len(cycle) for index, one in enumerate(cycle)}
    line = floor.queue.lines[channel]
    return next((one for one in line if one != staff and place.get(one, 0) > place[staff]), None)


def sign_out(floor: Floor, staff: UUID) -> SignedOut:
    """Raises Refusal not_signed_in."""
    _here(floor, staff)
    return SignedOut(staff=staff, keeps_place=floor.switch("turns.carry_over"), effects=leaves_the_door(floor, staff))


def _here(floor: Floor, staff: UUID) -> None:
    if floor.queue.person(staff).in_since is None:
        raise Refusal("not_signed_in")


def step_out(floor: Floor, staff: UUID, why: str) -> SteppedOut:
    """Raises Refusal not_signed_in, wrong_state when out already, bad_value for an unknown reason."""
    _here(floor, staff)
    if floor.queue.person(staff).out is not None:
        raise Refusal("wrong_state", "stepped out already")
    if why not in ("approved_business", "private", "leave", "task"):
        raise Refusal("bad_value", f"{why!r}; one steps out for approved_business, private, leave or task")
    return SteppedOut(staff=staff, why=why, effects=leaves_the_door(floor, staff))  # type: ignore[arg-type]


def step_back(floor: Floor, staff: UUID) -> SteppedBack:
    """Raises Refusal not_signed_in, wrong_state when not out."""
    _here(floor, staff)
    if floor.queue.person(staff).out is None:
        raise Refusal("wrong_state", "has not stepped out")
    effects = [effect for channel in CHANNELS for effect in lost_meanwhile(floor, channel, staff)]
    return SteppedBack(staff=staff, effects=tuple(effects))


def change_readiness(floor: Floor, staff: UUID, reason: str | None) -> ReadinessChanged:
    """Raises Refusal bad_value for an unknown reason, wrong_state for a change that changes nothing."""
    if reason is not None and reason not in NOT_READY:
        raise Refusal("bad_value", f"{reason!r}; reasons are {', '.join(NOT_READY)}")
    if floor.queue.not_ready.get(staff) == reason and (reason is not None or staff not in floor.queue.no_calls):
        raise Refusal("wrong_state", "so already")
    return ReadinessChanged(staff=staff, reason=reason)


def permit(floor: Floor, staff: UUID, what: str, by: UUID) -> Permitted:
    """T11, T29. Raises Refusal not_signed_in, not_permitted, bad_value, wrong_state for leave given already."""
    if what not in ("second_visitor", "giving_up"):
        raise Refusal("bad_value", f"{what!r}; leave is given for second_visitor or giving_up")
    if floor.members[by].role not in floor.edition.codes("turns.second_visitor_by"):
        raise Refusal("not_permitted", "giving leave")
    _here(floor, staff)
    person = floor.queue.person(staff)
    if person.may_take_second if what == "second_visitor" else person.may_give_up:
        raise Refusal("wrong_state", "leave has been given already")
    return Permitted(staff=staff, what=what, by=by)  # type: ignore[arg-type]


def take_post(floor: Floor, staff: UUID, post: str) -> PostTaken:
    """T8. Raises Refusal bad_value, not_signed_in, not_free, not_eligible, wrong_state for a post held already."""
    if post not in ("A", "B"):
        raise Refusal("bad_value", f"{post!r}; posts are A and B")
    _may_stand(floor, staff)
    if floor.queue.person(staff).post == post:
        raise Refusal("wrong_state", "holds the post already")
    return PostTaken(staff=staff, post=post)  # type: ignore[arg-type]


def _may_stand(floor: Floor, staff: UUID) -> None:
    _here(floor, staff)
    if floor.barred(staff, "visit") not in (None, "other_team") or not floor.takes_turns(staff):
        raise Refusal("not_eligible", floor.barred(staff, "visit") or "takes no turns")
    if floor.busy(staff) is not None or floor.queue.person(staff).out is not None:
        raise Refusal("not_free")


def stand_at_the_door(floor: Floor, staff: UUID) -> DoorTaken:
    """T9. The one relieved owes what is missing of the stint. Raises Refusal not_signed_in, not_free, wrong_state."""
    _may_stand(floor, staff)
    stint = floor.queue.at_the_door()
    if stint is not None and stint.staff == staff:
        raise Refusal("wrong_state", "stands at the door already")
    owed = missing_minutes(floor, stint) if stint else 0
    return DoorTaken(staff=staff, relieved=stint.staff if stint else None, owed_minutes=owed)


def rank(floor: Floor, order: Sequence[UUID], by: UUID | None) -> Ranked:
    """T3. Where the order goes by sign-in it is kept for when it will not. Raises Refusal not_permitted, bad_value for
    somebody twice."""
    _require(floor, by, "ranking")
    if len(set(order)) < len(order) or not order:
        raise Refusal("bad_value", "an order names everybody once")
    by_rank = floor.text("turns.order") != "sign_in"
    lines = {c: _ordered(line, order, floor.queue.last.get(c)) for c, line in floor.queue.lines.items() if by_rank}
    return Ranked(order=tuple(order), by=by, lines=lines)


def _ordered(line: Sequence[UUID], order: Sequence[UUID], last: UUID | None) -> tuple[UUID, ...]:
    """The line as the order has it, going on behind the one who went to the end last; who is not ranked comes last."""
    begin = order.index(last) + 1 if last in order else 0
    place = {staff: (index - begin) % len(order) for index, staff in enumerate(order)}
    return tuple(sorted(line, key=lambda staff: place.get(staff, len(order))))


def _require(floor: Floor, by: UUID | None, what: str) -> None:
    if by is not None and floor.members[by].role not in floor.edition.codes("turns.hand_over_by"):
        raise Refusal("not_permitted", what)


def declare_day(floor: Floor, kind: str, by: UUID | None) -> DayDeclared:
    """T30. Raises Refusal bad_value, not_permitted, wrong_state for a day that is of that kind already."""
    if kind not in ("normal", "media"):
        raise Refusal("bad_value", f"{kind!r}; days are normal or media")
    _require(floor, by, "declaring the kind of day")
    if floor.queue.kind == kind:
        raise Refusal("wrong_state", "so already")
    return DayDeclared(kind=kind, by=by)  # type: ignore[arg-type]


# Giving up, warnings, misconduct


def give_up(floor: Floor, staff: UUID, channel: Channel) -> GivenUp:
    """T29. Raises Refusal not_signed_in, not_eligible, not_your_turn."""
    queue = floor.queue
    _here(floor, staff)
    hindrance = floor.barred(staff, channel) if floor.takes_turns(staff) else "takes no turns"
    if hindrance is not None:
        raise Refusal("not_eligible", hindrance)
    first = next((one for one in queue.line(channel) if _in_line(floor, one, channel)), None)
    if staff != first:
        raise Refusal("not_your_turn")
    person, after = queue.person(staff), floor.number("turns.give_up_after_minutes")
    waited = _waited(floor, staff, channel)
    accepted = after is None or waited >= after or person.may_give_up or floor.busy(staff) is not None
    effects = [Effect("to_end", staff, channel)]
    clauses = floor.clauses("turns.give_up_after_minutes")
    least = floor.number("turns.give_ups_before_fine")
    if not accepted and least is not None and person.gave_up + 1 == least:
        clauses = floor.clauses("turns.give_ups_before_fine", "turns.give_up_fine_yuan")
        effects += _punished(floor, staff, floor.number("turns.give_up_fine_yuan") or 0,
                             floor.number("turns.give_up_suspended_days") or 0, clauses)  # fmt: skip
    seconds = int(60 * waited)
    return GivenUp(
        staff=staff, channel=channel, waited_seconds=seconds, accepted=accepted, clauses=clauses, effects=tuple(effects)
    )


def _waited(floor: Floor, staff: UUID, channel: Channel) -> float:
    """Minutes since becoming the first in line, or being free again after that."""
    front = floor.queue.fronts.get("visit" if floor.queue.shared else channel)
    free_since = floor.queue.person(staff).free_since
    since = [at for at in (front[1] if front and front[0] == staff else None, free_since) if at is not None]
    return floor.minutes_since(max(since)) if since else 0


def _in_line(floor: Floor, staff: UUID, channel: Channel) -> bool:
    """Whether somebody stands in the line as others see it: signed in, and not barred."""
    return floor.queue.person(staff).in_since is not None and floor.barred(staff, channel) is None


def line_of(floor: Floor, channel: Channel) -> list[UUID]:
    """The line as it stands, of those who are there and may take turns (SCENARIOS, `order`)."""
    return [one for one in floor.queue.line(channel) if _in_line(floor, one, channel)]


def _punished(floor: Floor, staff: UUID, yuan: int, days: int, clauses: tuple[str, ...]) -> list[Effect]:
    """A fine, and suspension from the next calendar day on (words 6)."""
    effects = [Effect("fine", staff, yuan=yuan, clauses=clauses)] if yuan else []
    for number in range(1, days + 1):
        day = floor.queue.day + timedelta(days=number)
        effects.append(Effect("suspended", staff, day=day, clauses=clauses))
    return effects


def warn(floor: Floor, staff: UUID, by: UUID) -> Warned:
    """D2. Raises Refusal not_permitted."""
    _require(floor, by, "warning somebody")
    effects = _warning(floor, staff, floor.clauses("discipline.warnings_before_fine"))
    return Warned(staff=staff, by=by, clauses=effects[-1].clauses, effects=tuple(effects))


def _warning(floor: Floor, staff: UUID, clauses: tuple[str, ...]) -> list[Effect]:
    """The one warning that is too many in a month costs a fine."""
    effects = [Effect("warning", staff, clauses=clauses)]
    most, yuan = floor.number("discipline.warnings_before_fine"), floor.number("discipline.warnings_fine_yuan") or 0
    if most is not None and yuan and floor.queue.warnings.get(staff, 0) == most:
        both = floor.clauses("discipline.warnings_before_fine", "discipline.warnings_fine_yuan")
        effects.append(Effect("fine", staff, yuan=yuan, clauses=both))
    return effects


def put_misconduct_on_record(floor: Floor, staff: UUID, what: str, by: UUID) -> Misconduct:
    """T31, T45, D1, D2. Raises Refusal not_permitted, bad_value."""
    _require(floor, by, "putting misconduct on record")
    if what not in MISCONDUCTS:
        raise Refusal("bad_value", f"{what!r}; there is {', '.join(MISCONDUCTS)}")
    row = floor.edition.row_for("discipline.misconduct", {"what": what})
    effects: list[Effect] = _punished(
        floor, staff, int(row.then["fine_yuan"]), int(row.then["suspended_days"]), row.clauses
    )
    if row.then["warning"] == "yes":
        effects += _warning(floor, staff, row.clauses)
    if row.then["rounds"] == "double":
        effects.append(Effect("double_rounds", staff, clauses=row.clauses))
    return Misconduct(staff=staff, what=what, by=by, clauses=row.clauses, effects=tuple(effects))
