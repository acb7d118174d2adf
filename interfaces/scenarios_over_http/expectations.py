"""What a step of a scenario expects, checked against what the API answers to an auditor of the office."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from application.scenarios.expectations import FLOOR, ROUNDING, WANTED, Mismatch, check_cited, compare
from application.scenarios.format import BY_CHANNEL, Scenario, Step, Times
from domain.calendar import day_of

from .commands import Wording

Answer = Mapping[str, Any]
Ask = Callable[..., Any]
"""(method, path below the site, body) -> answer, as somebody who may ask everything."""


class _View(msgspec.Struct, frozen=True):
    """From where a question is asked. `asked`: what a replay is asked with; None: what holds now."""

    asked: Mapping[str, Any] | None = None


NOW = _View()


class HttpChecker:
    """`answer`: of the step's own command; None where it has none, or was refused."""

    def __init__(self, scenario: Scenario, words: Wording, step: Step, answer: Answer | None, ask: Ask) -> None:
        self.scenario, self.words, self.labels, self.step, self.answer = scenario, words, words.labels, step, answer
        self.ask = ask
        self.rules: set[str] = set()
        self.last_question: dict[str, Any] | None = None
        self._board: Answer | None = None

    def check(self, key: str) -> None:
        """Raises Mismatch when the expectation of that name does not hold, or can't be answered."""
        expected, now = self.step.expect[key], self.step.now.isoformat()
        if key == "cites":
            self._cites(expected)
        elif key == "as_of":
            self._check_all(expected, ("at", "known_at"), _View(self._times(expected)))
        elif key == "would_be":
            other: dict[str, Any] = {name: expected[name] for name in ("under", "amend") if expected.get(name)}
            if "under" in other:
                other["under"] = self.words.rulebook(other["under"])
            self._check_all(expected, ("under", "amend"), _View({"at": now, "known_at": now, **other}))
        else:
            self._check_one(key, expected, NOW)

    def _times(self, expected: Mapping[str, Any]) -> dict[str, str]:
        zone = ZoneInfo(self.scenario.timezone)
        times = Times(self.scenario.document, zone, day_of(self.step.at, zone))
        path = f"{self.step.path}.expect.as_of"
        at = times.read(expected["at"], f"{path}.at")
        known_at = times.read(expected["known_at"], f"{path}.known_at") if "known_at" in expected else self.step.now
        return {"at": at.isoformat(), "known_at": known_at.isoformat()}

    def _check_all(self, expected: Mapping[str, Any], own: tuple[str, ...], view: _View) -> None:
        for key, value in expected.items():
            if key not in own:
                self._check_one(key, value, view)

    def _check_one(self, key: str, expected: Any, view: _View) -> None:
        if key == "cites":
            self._cites(expected)
        elif key in ("same_customer", "different_customers"):
            self._customers(key, expected, view)
        elif key in ("assigned", "because"):
            self._assigned(key, expected)
        elif key in BY_CHANNEL:
            self._by_channel(key, expected)
        elif key in FLOOR:
            self._of_month(key, expected)
        else:
            for label, value in expected.items():
                compare(label, WANTED[key](value), getattr(self, f"_{key}")(label, view))

    # Visitors and sales

    def _visitor(self, label: str, view: _View) -> Answer:
        """Owner, last protected day and entries of a visitor, as `GET` or a replay gives them."""
        self.labels.visitor(label)
        visitor, registration = self.words.visitor(label)
        self.last_question = {"visitor": self.words.entry(label), **(view.asked or {"at": self.step.now.isoformat()})}
        if view.asked is None:
            told = self.ask("GET", f"visitors/{visitor}?registration={registration}")
            return self._cited({**told, **told["attribution"], "clauses": told["clauses"]})
        return self._cited(self.ask("POST", "replays", {"visitor": self.words.entry(label), **view.asked}))

    def _owner(self, label: str, view: _View) -> str:
        return self._label(self._visitor(label, view)["owner_id"])

    def _until(self, label: str, view: _View) -> date | None:
        until = self._visitor(label, view)["until"]
        return date.fromisoformat(until) if until else None

    def _shares(self, label: str, view: _View) -> dict[str, Fraction]:
        return {who: Fraction(share) for who, share in self._sale(label, view, "shares").items()}

    def _amounts(self, label: str, view: _View) -> dict[str, Decimal]:
        self.rules.add(ROUNDING)
        return {who: Decimal(amount) for who, amount in self._sale(label, view, "amounts").items()}

    def _sale(self, label: str, view: _View, what: str) -> dict[str, str]:
        """Shares or amounts of a sale by label."""
        self.labels.sale(label)
        sale = self.words.sale(label)
        self.last_question = {"sale": sale, **(view.asked or {"at": self.step.now.isoformat()})}
        if view.asked is None:
            told = self._cited(self.ask("GET", f"sales/{sale}"))
            return {self._label(who): value for who, value in told["settlement"][what].items()}
        told = self._cited(self.ask("POST", "replays", {"sale": sale, **view.asked}))
        if told[what] is None:
            raise Mismatch(f"{label} was not sold by then")
        ids = {member["name"]: member["staff"] for member in self.ask("GET", "staff")["staff"]}
        return {self._label(ids[name]): value for name, value in told[what].items()}

    def _customers(self, key: str, expected: list[str], view: _View) -> None:
        entries = [self.labels.visitor(label) for label in expected]
        customers = [
            {(UUID(e["visitor"]), e["registration"]) for e in self._visitor(label, view)["entries"]}
            for label in expected
        ]
        for i, customer in enumerate(customers):
            same = [
                expected[j]
                for j, entry in enumerate(entries)
                if j != i and (entry.visitor, entry.registration) in customer
            ]
            if key == "same_customer" and len(same) < len(entries) - 1:
                raise Mismatch(f"expected one customer, found {', '.join(expected)} apart")
            if key == "different_customers" and same:
                raise Mismatch(f"expected different customers, found {expected[i]} and {same[0]} are one")

    # The floor

    def _assigned(self, key: str, expected: Any) -> None:
        choice = self._choice()
        if choice is None:
            raise Mismatch(f"expected {expected}, but the step names no reception")
        found = self._label(choice["staff"]) if key == "assigned" else choice["because"]
        if found != expected:
            raise Mismatch(f"expected {expected}, found {found or 'nobody'}")

    def _choice(self) -> Answer | None:
        """Of the step's own command; else how the reception it names was last assigned."""
        for fact in reversed(self.answer["facts"] if self.answer else ()):
            if (choice := fact["content"].get("choice")) is not None:
                return dict(choice) | {"staff": choice.get("staff")}
        label = self.step.value.get("reception")
        if not isinstance(label, str):
            return None
        told = self._cited(self.ask("GET", f"receptions/{quote(label, safe='')}"))
        choices = [step["choice"] for step in told["steps"] if step["choice"] is not None]
        return {"because": choices[-1]["because"], "staff": told["staff_ids"].get(choices[-1]["staff"])}

    def board(self) -> Answer:
        if self._board is None:
            self._board = self._cited(self.ask("GET", "queue"))
        return self._board

    def _by_channel(self, key: str, expected: Mapping[str, Any]) -> None:
        for channel, wanted in expected.items():
            if key == "next":
                following = self._named(self.board()["next"][channel]["staff"])
                if following != wanted:
                    raise Mismatch(f"{channel}: expected {wanted}, found {following}")
            elif key == "order":
                if not isinstance(wanted, list):
                    raise Mismatch(f"{channel}: {wanted!r} is not a list of staff")
                for label in wanted:
                    self.labels.person(label)
                found = [self._named(name) for name in self.board()["order"][channel]]
                if found[: len(wanted)] != wanted:
                    there = ", ".join(found) or "nobody"
                    raise Mismatch(f"{channel}: expected {', '.join(wanted)}, found {there}")
            else:
                self._counts(wanted, self.board()[key][channel], 0, f"{channel}: ")

    def _of_month(self, key: str, expected: Any) -> None:
        month = {line["staff"]: line for line in self.board()["month"]}
        if key == "suspended":
            day = self.board()["day"]
            days = {who: [one for one in line["suspended"] if one[:7] >= day[:7]] for who, line in month.items()}
            self._counts(expected, days, [])
        else:
            field = {"fines": "fines_yuan", "warnings": "warnings"}[key]
            self._counts(expected, {who: line[field] for who, line in month.items()}, 0)

    def _counts(self, expected: Any, found: Mapping[str, Any], nothing: Any, where: str = "") -> None:
        if not isinstance(expected, Mapping):
            raise Mismatch(f"{where}{expected!r} is not staff and values")
        ids = {UUID(staff): name for name, staff in self.board()["staff_ids"].items()}
        for label, wanted in expected.items():
            counted = found.get(ids[self.labels.person(label)], nothing)
            if counted != wanted:
                raise Mismatch(f"{where}expected {label}: {wanted}, found {counted}")

    # Citations

    def _cited(self, told: Answer) -> Answer:
        self.rules.update(rule for clause in told["clauses"] for rule in clause["rules"])
        return told

    def _cites(self, expected: list[str]) -> None:
        """What the command's answer cites, and what this step asks about, wherever in the step it is asked."""
        if self.answer is not None:
            self._cited(self.answer)
        for key in self.step.expect:
            if key not in ("cites", "would_be", "as_of"):
                try:
                    self.check(key)
                except Mismatch:
                    continue  # reported where it stands
        check_cited(expected, self.rules)

    # Words

    def _label(self, staff: str | None) -> str:
        return self.labels.name_of(UUID(staff) if staff else None)

    def _named(self, name: str | None) -> str:
        return self._label(self.board()["staff_ids"].get(name))

    def trace(self) -> list[str]:
        """The decision behind the last answer, step by step, as a replay tells it."""
        if self.last_question is None:
            return []
        try:
            told = self.ask("POST", "replays", self.last_question)
        except Mismatch:
            return []
        return [
            f"{datetime.fromisoformat(step['at']):%Y-%m-%d %H:%M} {step['what_text']['en']} "
            f"{', '.join(step['by'])}: {step['effect_text']['en']}"
            for step in told["steps"]
        ]
