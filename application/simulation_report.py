"""What a simulated floor came to: who had how many turns and why, how even that was at every moment, who waited how
long. Everything is counted from the facts that the commands put on record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil
from uuid import UUID

import msgspec

from domain.record import Envelope
from domain.rulebook import AmendmentValue, Edition
from domain.sales_turn_queue import (
    CHANNELS,
    Choice,
    Effect,
    Finished,
    MakeUp,
    ReceiverChanged,
    ReceptionOpened,
    Recognised,
    SignedIn,
)

from .simulation_script import Plan

BOTH = "both"
"""The line where calls and visits share one."""


class MakeUps(msgspec.Struct, frozen=True):
    """Turns owed to somebody: `granted` (also once more, where one turned out not to count), `served`, and still
    `owed` by the queue in the end."""

    granted: int
    served: int
    owed: int

    @property
    def hold(self) -> bool:
        """Whether none was lost, and none came from nowhere."""
        return self.granted == self.served + self.owed


class PersonReport(msgspec.Struct, frozen=True, kw_only=True):
    """One consultant's run. `receptions` by SCENARIOS' word for why; `passed_over` in the line, by PassedOver.reason;
    `fines_yuan` and `warnings` of the whole run; `suspended_days`: how many days."""

    name: str
    team: str | None
    days_present: int
    turns: dict[str, int]
    turns_per_day_present: float
    make_ups: MakeUps
    receptions: dict[str, int]
    passed_over: dict[str, int]
    fines_yuan: int
    warnings: int
    suspended_days: int


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """So many turns more `ahead` had taken than `behind` that day, while both were present and stood in that line."""

    turns: int
    line: str
    on: date
    at: datetime
    ahead: str
    behind: str


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """Of those who had to wait, whether somebody received them in the end or not; in minutes."""

    number: int
    mean_minutes: float
    p95_minutes: float
    longest_minutes: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The same for the same plan. `leads`: the largest of each day on which there was one; `receptions`: finished, by
    why; `refusals` by code; `commands` carried out."""

    rulebook: str
    edition: str
    amend: dict[str, AmendmentValue]
    days: int
    staff: int
    visitors: int
    seed: int
    plain: bool
    first_day: date
    last_day: date
    consultants: tuple[PersonReport, ...]
    largest_lead: Lead | None
    leads: tuple[Lead, ...]
    waits: Waits
    came: int
    received: int
    unanswered: int
    not_received: int
    receptions: dict[str, int]
    make_ups: MakeUps
    make_ups_hold: bool
    refusals: dict[str, int]
    commands: int


class Curve(msgspec.Struct, frozen=True):
    """Somebody's turns so far: after each instant at which they changed, how many."""

    name: str
    points: tuple[tuple[datetime, int], ...]


class Simulated(msgspec.Struct, frozen=True):
    """`span`: from the first day's beginning to the last day's end."""

    report: Report
    curves: tuple[Curve, ...]
    span: tuple[datetime, datetime]


class Standing(msgspec.Struct, frozen=True):
    """Who stands in a line (visit, call, both) and is present."""

    line: str
    staff: frozenset[UUID]


class Leads:
    """By how much anybody is ahead of anybody else: of two people, only turns taken while both stood in the line and
    were present."""

    def __init__(self, names: Mapping[UUID, str]) -> None:
        self._names = list(names.values())
        self._places = {staff: place for place, staff in enumerate(names)}
        self._ahead: dict[str, list[list[int]]] = {}
        self._against: dict[tuple[str, int], tuple[str, list[int]]] = {}
        self.by_day: dict[date, Lead] = {}

    def new_day(self) -> None:
        self._ahead.clear()
        self._against.clear()

    def taken(self, reception: str, staff: UUID, standing: Standing, on: date, at: datetime) -> None:
        """Somebody takes a turn for a reception."""
        one, size, line = self._places[staff], len(self._names), standing.line
        others = [self._places[other] for other in standing.staff if other != staff]
        self._against[reception, one] = line, others
        ahead = self._ahead.setdefault(line, [[0] * size for _ in range(size)])
        self._change(ahead, one, others, 1)
        if not others:
            return
        behind = min(others, key=lambda other: (-ahead[one][other], other))
        most, largest = ahead[one][behind], self.by_day.get(on)
        if most > (largest.turns if largest else 0):
            names = self._names
            self.by_day[on] = Lead(turns=most, line=line, on=on, at=at, ahead=names[one], behind=names[behind])

    def taken_back(self, reception: str, staff: UUID) -> None:
        one = self._places[staff]
        if (reception, one) in self._against:
            line, others = self._against.pop((reception, one))
            self._change(self._ahead[line], one, others, -1)

    @staticmethod
    def _change(ahead: list[list[int]], one: int, others: Sequence[int], more: int) -> None:
        for other in others:
            ahead[one][other] += more
            ahead[other][one] -= more


class Tally:
    """Counts facts as they come. `names`: of everybody on the staff list."""

    def __init__(self, names: Mapping[UUID, str]) -> None:
        self.leads = Leads(names)
        self.turns: Counter[tuple[UUID, str]] = Counter()
        self.points: dict[UUID, list[tuple[datetime, int]]] = {}
        self.granted: Counter[UUID] = Counter()
        self.served: Counter[UUID] = Counter()
        self.receptions: Counter[tuple[UUID, str]] = Counter()
        self.passed_over: Counter[tuple[UUID, str]] = Counter()
        self.present: Counter[UUID] = Counter()
        self.fines: Counter[UUID] = Counter()
        self.warnings: Counter[UUID] = Counter()
        self.suspended: set[tuple[UUID, date | None]] = set()
        self.refusals: Counter[str] = Counter()
        self.waits: list[timedelta] = []
        self.came = self.unanswered = self.not_received = self.commands = 0
        self._receiver: dict[str, Choice] = {}
        self._seen: set[tuple[UUID, date]] = set()

    def new_day(self) -> None:
        self._receiver.clear()
        self._seen.clear()
        self.leads.new_day()

    def receiver(self, reception: str) -> UUID:
        """Who receives, in a reception that goes on."""
        staff = self._receiver[reception].staff
        assert staff is not None
        return staff

    def take(self, envelope: Envelope, on: date, standing: Standing | None) -> None:
        """A fact of that day. `standing`: where a turn was taken, those between whom it is counted."""
        fact = envelope.fact
        if isinstance(fact, SignedIn) and (fact.staff, on) not in self._seen:
            self._seen.add((fact.staff, on))
            self.present[fact.staff] += 1
        if isinstance(fact, ReceptionOpened | ReceiverChanged | Recognised):
            self._chosen(fact.reception, fact.choice, recognised=isinstance(fact, Recognised))
        elif isinstance(fact, Finished):
            choice = self._receiver.pop(fact.reception)
            assert choice.staff is not None
            self.receptions[choice.staff, choice.because] += 1
        for effect in getattr(fact, "effects", ()):
            self._effect(effect, getattr(fact, "reception", ""), envelope.occurred_at, on, standing)

    def _chosen(self, reception: str, choice: Choice, *, recognised: bool) -> None:
        """Where nobody was free nobody was passed over, nor is one whose team has another line that day; and who is
        recognised is no new choice from the line."""
        self._receiver[reception] = choice
        if choice.staff is not None and not recognised:
            passed = (one for one in choice.passed if one.place > 0 and one.reason != "other_team")
            self.passed_over.update((one.staff, one.reason) for one in passed)

    def _effect(self, effect: Effect, reception: str, at: datetime, on: date, standing: Standing | None) -> None:
        staff = effect.staff
        match effect.kind:
            case "turn":
                # One of the other team who is asked for by name takes a turn without standing in that line.
                if standing is not None and staff in standing.staff:
                    self.leads.taken(reception, staff, standing, on, at)
                self._turns(staff, effect.channel or "visit", 1, at)
            case "turn_back":
                self.leads.taken_back(reception, staff)
                self._turns(staff, effect.channel or "visit", -1, at)
            case "make_up" | "make_up_first":
                self.granted[staff] += 1
            case "make_up_served":
                self.served[staff] += 1
            case "fine":
                self.fines[staff] += effect.yuan
            case "warning":
                self.warnings[staff] += 1
            case "suspended":
                self.suspended.add((staff, effect.day))

    def _turns(self, staff: UUID, channel: str, more: int, at: datetime) -> None:
        self.turns[staff, channel] += more
        points = self.points.setdefault(staff, [])
        points.append((at, (points[-1][1] if points else 0) + more))

    # In the end

    def person(self, staff: UUID, name: str, team: str | None, owed: int) -> PersonReport:
        """`owed`: make-ups that the queue owes in the end."""
        turns: dict[str, int] = {channel: self.turns[staff, channel] for channel in CHANNELS}
        present = self.present[staff]
        return PersonReport(
            name=name,
            team=team,
            days_present=present,
            turns=turns,
            turns_per_day_present=round(sum(turns.values()) / present, 2) if present else 0.0,
            make_ups=MakeUps(self.granted[staff], self.served[staff], owed),
            receptions=_of(self.receptions, staff),
            passed_over=_of(self.passed_over, staff),
            fines_yuan=self.fines[staff],
            warnings=self.warnings[staff],
            suspended_days=sum(1 for one, _ in self.suspended if one == staff),
        )


def _of(counts: Counter[tuple[UUID, str]], staff: UUID) -> dict[str, int]:
    return {why: number for (one, why), number in sorted(counts.items(), key=lambda item: item[0][1]) if one == staff}


def waits_of(waits: Sequence[timedelta]) -> Waits:
    """The 95th percentile is the least wait that 95 of 100 did not exceed (nearest rank)."""
    minutes = sorted(Fraction(round(wait.total_seconds()), 60) for wait in waits)
    if not minutes:
        return Waits(number=0, mean_minutes=0.0, p95_minutes=0.0, longest_minutes=0.0)
    mean, p95 = sum(minutes) / len(minutes), minutes[ceil(len(minutes) * Fraction(95, 100)) - 1]
    return Waits(
        number=len(minutes),
        mean_minutes=round(float(mean), 1),
        p95_minutes=round(float(p95), 1),
        longest_minutes=round(float(minutes[-1]), 1),
    )


def owed_to(make_ups: Iterable[MakeUp]) -> Counter[UUID]:
    """How many make-ups the queue owes to whom."""
    return Counter(one.staff for one in make_ups)


def report_of(
    plan: Plan,
    tally: Tally,
    people: Sequence[PersonReport],
    *,
    edition: Edition,
    first_day: date,
) -> Report:
    """The report on all `people`."""
    receptions: Counter[str] = Counter()
    for person in people:
        receptions.update(person.receptions)
    granted, served = sum(p.make_ups.granted for p in people), sum(p.make_ups.served for p in people)
    leads = [tally.leads.by_day[day] for day in sorted(tally.leads.by_day)]
    return Report(
        rulebook=plan.rulebook,
        edition=edition.label,
        amend=dict(edition.amend),
        days=plan.days,
        staff=plan.staff,
        visitors=plan.visitors,
        seed=plan.seed,
        plain=plan.plain,
        first_day=first_day,
        last_day=first_day + timedelta(days=max(plan.days, 1) - 1),
        consultants=tuple(people),
        largest_lead=max(leads, key=lambda lead: lead.turns, default=None),
        leads=tuple(leads),
        waits=waits_of(tally.waits),
        came=tally.came,
        received=sum(receptions.values()),
        unanswered=tally.unanswered,
        not_received=tally.not_received,
        receptions=dict(receptions.most_common()),
        make_ups=MakeUps(granted, served, sum(p.make_ups.owed for p in people)),
        make_ups_hold=all(person.make_ups.hold for person in people),
        refusals=dict(sorted(tally.refusals.items())),
        commands=tally.commands,
    )
