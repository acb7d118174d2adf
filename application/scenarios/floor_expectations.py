"""What a step expects of the floor: who was assigned, the line, turns, make-ups, fines - and the clauses they rest
on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal
from uuid import UUID

from domain.attendance import line_of
from domain.rules.floor import Floor
from domain.sales_turn_queue import Choice, Effect

from ..desk import Answer
from ..sales_floor import SalesFloor
from .format import Step
from .labels import Labels

Channel = Literal["visit", "call"]


class FloorChecker:
    def __init__(self, floor: SalesFloor, labels: Labels, step: Step, answer: Answer | None) -> None:
        self.office, self.labels, self.step, self.answer = floor, labels, step, answer

    def check(self, key: str, expected: Any) -> tuple[tuple[str, ...], str | None]:
        """The clauses that what is asked rests on, and what is wrong (None: it holds)."""
        if key in ("assigned", "because"):
            return self._assigned(key, expected)
        if key == "next":
            return self._next(expected)
        floor = self.office.floor(self.step.now)
        if key == "order":
            return self._order(floor, expected)
        if key in ("turns", "make_ups"):
            clauses = floor.clauses("turns.period", "turns.carry_over", "turns.rosters")
            for channel, counts in expected.items():
                if wrong := self._counts(counts, partial(_COUNTS[key], floor, channel)):
                    return clauses, f"{channel}: {wrong}"
            return clauses, None
        return (), self._counts(expected, partial(_OF_MONTH[key], floor))

    def _counts(self, expected: Any, count: Callable[[UUID], Any]) -> str | None:
        if not isinstance(expected, Mapping):
            return f"{expected!r} is not staff and values"
        for label, wanted in expected.items():
            found = count(self.labels.person(label))
            if found != wanted:
                return f"expected {label}: {wanted}, found {found}"
        return None

    # Of the reception named in this step

    def choice(self) -> Choice | None:
        """The choice that the step's own command made."""
        facts = self.answer.facts if self.answer else ()
        return next((choice for e in reversed(facts) if (choice := getattr(e.fact, "choice", None))), None)

    def _assigned(self, key: str, expected: Any) -> tuple[tuple[str, ...], str | None]:
        choice = self.choice()
        if choice is None:
            choice = self._of_reception()
        if choice is None:
            return (), f"expected {expected}, but the step names no reception"
        found = self.labels.name_of(choice.staff) if key == "assigned" else choice.because
        wrong = None if found == expected else f"expected {expected}, found {found or 'nobody'}: {self._shown(choice)}"
        return choice.clauses, wrong

    def _of_reception(self) -> Choice | None:
        label = self.step.value.get("reception")
        if not isinstance(label, str):
            return None
        reception = self.office.queues.day_of_reception(label, self.step.at).floor.queue.receptions.get(label)
        return reception.choice if reception else None

    def _shown(self, choice: Choice) -> str:
        name = self.labels.name_of
        line = ", ".join(map(name, choice.line)) or "nobody"
        passed = ", ".join(f"{name(one.staff)} ({one.reason})" for one in choice.passed)
        return f"the line was {line}" + (f"; passed over: {passed}" if passed else "")

    # Of the floor as it stands

    def _next(self, expected: Any) -> tuple[tuple[str, ...], str | None]:
        clauses: tuple[str, ...] = ()
        for channel, wanted in expected.items():
            choice = self.office.next(self.step.now, channel)
            clauses += choice.clauses
            found = self.labels.name_of(choice.staff)
            if found != wanted:
                return clauses, f"{channel}: expected {wanted}, found {found}: {self._shown(choice)}"
        return clauses, None

    def _order(self, floor: Floor, expected: Any) -> tuple[tuple[str, ...], str | None]:
        clauses = floor.clauses("turns.order", "turns.carry_over")
        for channel, wanted in expected.items():
            if not isinstance(wanted, list):
                return clauses, f"{channel}: {wanted!r} is not a list of staff"
            found = [self.labels.name_of(staff) for staff in line_of(floor, channel)]
            for label in wanted:
                self.labels.person(label)
            if found[: len(wanted)] != wanted:
                return clauses, f"{channel}: expected {', '.join(wanted)}, found {', '.join(found) or 'nobody'}"
        return clauses, None

    # What the step's decision rests on

    def clauses(self) -> tuple[str, ...]:
        """Every clause that the step's own facts cite: their own, of their choice, of whom it passed over, of
        effects."""
        found: list[str] = []
        for envelope in self.answer.facts if self.answer else ():
            fact = envelope.fact
            found += getattr(fact, "clauses", ())
            choice: Choice | None = getattr(fact, "choice", None)
            if choice is not None:
                found += choice.clauses
                found += [clause for one in choice.passed for clause in one.clauses]
            effects: tuple[Effect, ...] = getattr(fact, "effects", ())
            found += [clause for effect in effects for clause in effect.clauses]
        return tuple(dict.fromkeys(found))


def _turns(floor: Floor, channel: Channel, staff: UUID) -> int:
    return floor.queue.counted(floor.queue.turns, channel, staff)


def _make_ups(floor: Floor, channel: Channel, staff: UUID) -> int:
    return sum(1 for owed in floor.queue.make_ups[channel] if owed.staff == staff)


def _suspended(floor: Floor, staff: UUID) -> list[str]:
    day = floor.queue.day
    days = floor.queue.suspended.get(staff, ())
    return [one.isoformat() for one in days if (one.year, one.month) >= (day.year, day.month)]


_COUNTS: dict[str, Callable[[Floor, Any, UUID], int]] = {"turns": _turns, "make_ups": _make_ups}
_OF_MONTH: dict[str, Callable[[Floor, UUID], Any]] = {
    "fines": lambda floor, staff: floor.queue.fines.get(staff, 0),
    "warnings": lambda floor, staff: floor.queue.warnings.get(staff, 0),
    "suspended": _suspended,
}
