"""What a step of a scenario expects, checked against what the application answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from domain.attribution import Attribution, attribute
from domain.calendar import start_of
from domain.rulebook import Editions, single
from domain.rules.identity import customer_of, links
from domain.rules.vocabulary import fraction
from domain.settlement import Settlement, settle
from domain.visitor import Moment

from ..desk import Answer
from ..office_files import amended
from ..replay.wording import describe_step
from ..sales_office import SalesOffice
from .floor_expectations import FloorChecker
from .format import BY_CHANNEL, Scenario, Step, Times
from .labels import Labels

ROUNDING = "C7"
"""The rule that amounts rest on; it is ours and the same in every rulebook."""

FLOOR = frozenset([*BY_CHANNEL, "assigned", "because", "fines", "warnings", "suspended"])

RULES_OF_COMMANDS: dict[str, tuple[str, ...]] = {
    "dispute": ("attribution.claim_within_days",),
    "rule": ("attribution.ruled_by",),
    "register": ("attribution.required",),
    "depart": ("attribution.distributed_by",),
    "sign_in": ("turns.order", "turns.taken_by"),
    "not_ready": ("turns.taken_by",),
    "ready": ("turns.taken_by", "turns.lowest_is_retested", "turns.call_conversion_percent"),
    "permit": ("turns.second_visitor_by",),
    "post": ("turns.ab_posts",),
    "door_duty": ("turns.door_minutes", "turns.door_receives"),
    "rank": ("turns.order",),
    "day": ("turns.media_day_receives",),
    "help": ("turns.large_party", "turns.taken_by"),
}
"""Commands that parameters decide: their clauses are what the decision rests on."""


class Mismatch(Exception):
    """An expectation that does not hold: what was expected, what was found."""


class _View(msgspec.Struct, frozen=True):
    """From where a question is asked: at which moment, under which rules, with or without rulings."""

    moment: Moment
    editions: Editions | None = None
    rulings: bool = True


class Checker:
    def __init__(
        self, scenario: Scenario, office: SalesOffice, labels: Labels, step: Step, answer: Answer | None
    ) -> None:
        self.scenario, self.office, self.labels, self.step, self.answer = (
            scenario,
            office,
            labels,
            step,
            answer,
        )
        self.asked: list[Attribution] = []
        self.rules: set[str] = set()
        self.floor = FloorChecker(office.floor, labels, step, answer)

    def check(self, key: str) -> None:
        """Raises Mismatch when the expectation of that name does not hold."""
        expected, now = self.step.expect[key], _View(Moment(self.step.now, self.step.now))
        if key == "cites":
            self._cites(expected)
        elif key == "as_of":
            zone = self.office.files.site().zone
            times = Times(self.scenario.document, zone, self.step.at.astimezone(zone).date())
            path = f"{self.step.path}.expect.as_of"
            at = times.read(expected["at"], f"{path}.at")
            known_at = times.read(expected["known_at"], f"{path}.known_at") if "known_at" in expected else self.step.now
            self._check_all(expected, ("at", "known_at"), _View(Moment(at, known_at)))
        elif key == "would_be":
            view = _View(now.moment, self._other_editions(expected), rulings=False)
            self._check_all(expected, ("under", "amend"), view)
        else:
            self._check_one(key, expected, now)

    def _check_all(self, expected: Mapping[str, Any], own: tuple[str, ...], view: _View) -> None:
        for key, value in expected.items():
            if key not in own:
                self._check_one(key, value, view)

    def _other_editions(self, expected: Mapping[str, Any]) -> Editions:
        editions = self.office.files.editions()
        if "under" in expected:
            rulebook = expected["under"]
            if rulebook.endswith((".yaml", ".yml")):
                rulebook = str(Path(self.scenario.file).parent / rulebook)
            zone = self.office.files.site().zone
            edition, _ = self.office.shelf.edition(rulebook, self.step.now.astimezone(zone).date())
            editions = single(edition, min(editions.in_force[0].since, start_of(edition.in_force_from, zone)))
        return amended(editions, expected.get("amend") or {})

    def _check_one(self, key: str, expected: Any, view: _View) -> None:
        if key in ("same_customer", "different_customers"):
            self._customers(key, expected, view)
            return
        if key == "cites":
            self._cites(expected)
            return
        if key in FLOOR:
            self._on_floor(key, expected)
            return
        for label, value in expected.items():
            found = getattr(self, f"_{key}")(label, view)
            compare(label, WANTED[key](value), found)

    def _on_floor(self, key: str, expected: Any) -> None:
        clauses, wrong = self.floor.check(key, expected)
        self._rest_on(clauses, self.office.files.editions())
        if wrong:
            raise Mismatch(wrong)

    def _editions(self, view: _View) -> Editions:
        return view.editions or self.office.files.editions(known_at=view.moment.known_at)

    # Findings

    def _attribution(self, label: str, view: _View) -> Attribution:
        entry = self.labels.visitor(label)
        files = self.office.files.customer_files(entry.visitor)
        question = self.office.files.question(files, editions=self._editions(view))
        found = attribute(question, entry, view.moment, rulings=view.rulings)
        self.asked.append(found)
        self._rest_on(found.clauses, question.editions)
        return found

    def _settlement(self, label: str, view: _View) -> Settlement:
        office, sale = self.office, self.office.files.sale(self.labels.sale(label))
        files = office.files.customer_files(sale.terms.visitor.visitor)
        if sale.terms.buyer is not None:
            files.update(office.files.customer_files(sale.terms.buyer.visitor))
        question = office.files.question(files, editions=self._editions(view))
        order = list(office.files.site().staff)
        found = settle(question, sale, known_at=view.moment, staff_order=order, rulings=view.rulings)
        self.asked.append(found.attribution)
        self._rest_on(found.clauses, question.editions)
        return found

    def _owner(self, label: str, view: _View) -> str:
        return self.labels.name_of(self._attribution(label, view).owner)

    def _until(self, label: str, view: _View) -> date | None:
        return self._attribution(label, view).until

    def _shares(self, label: str, view: _View) -> dict[str, Fraction]:
        return {self.labels.name_of(staff): share for staff, share in self._settlement(label, view).shares.items()}

    def _amounts(self, label: str, view: _View) -> dict[str, Decimal]:
        self.rules.add(ROUNDING)
        found = self._settlement(label, view).amounts
        return {self.labels.name_of(staff): amount for staff, amount in found.items()}

    def _customers(self, key: str, expected: list[str], view: _View) -> None:
        entries = [self.labels.visitor(label) for label in expected]
        files = self.office.files.customer_files(entries[0].visitor)
        for entry in entries[1:]:
            if entry.visitor not in files:
                files.update(self.office.files.customer_files(entry.visitor))
        question = self.office.files.question(files, editions=self._editions(view))
        known = [e for e in question.history if e.known_at <= view.moment.known_at]
        found = links(known, question.editions.at(view.moment.at))
        customers = [customer_of(entry, found).entries for entry in entries]
        for link in found:
            if link.one in entries or link.other in entries:
                self._rest_on(link.clauses, question.editions)
        if key == "same_customer":
            if any(entry not in customers[0] for entry in entries):
                raise Mismatch(f"expected one customer, found {', '.join(expected)} apart")
        else:
            for i, customer in enumerate(customers):
                same = [expected[j] for j, entry in enumerate(entries) if j != i and entry in customer]
                if same:
                    raise Mismatch(f"expected different customers, found {expected[i]} and {same[0]} are one")

    # Citations

    def _rest_on(self, clauses: tuple[str, ...], editions: Editions) -> None:
        self.rules.update(rule for _, clause in editions.clauses(clauses) for rule in clause.rules)

    def _cites(self, expected: list[str]) -> None:
        editions = self.office.files.editions()
        answer = self.answer
        self._rest_on(self.floor.clauses(), editions)
        if answer is not None and answer.attribution is not None:
            found = answer.attribution
            last = found.steps[-1].clauses if found.steps else ()
            self._rest_on((*found.clauses, *last), editions)
        if answer is not None and answer.settlement is not None:
            self._rest_on(answer.settlement.clauses, editions)
        if self.step.command in RULES_OF_COMMANDS:
            edition = editions.at(self.step.now)
            for name in RULES_OF_COMMANDS[self.step.command]:
                self._rest_on(edition.parameter(name).clauses, editions)
        for key in self.step.expect:
            if key not in ("cites", "would_be", "as_of"):
                self._check_quietly(key)
        check_cited(expected, self.rules)

    def _check_quietly(self, key: str) -> None:
        """What the step asks about counts among the citations wherever in the step it is asked."""
        try:
            self.check(key)
        except Mismatch:
            return  # reported where it stands

    def trace(self) -> list[str]:
        """The decision behind the last answer, step by step."""
        if not self.asked:
            return []
        found = self.asked[-1]
        zone = self.office.files.site().zone
        return [describe_step(step, zone, self.labels.name_of) for step in found.steps]


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Mismatch(f"{value!r} is not staff and values")
    return value


def _wanted_until(value: Any) -> date | None:
    if value is None or value == "none":
        return None
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Mismatch(f"{value!r} is not a day such as 2026-03-09, nor none")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Mismatch(f"there is no day {value}") from None


def _wanted_shares(value: Any) -> dict[str, Fraction]:
    found = {label: fraction(str(share)) for label, share in _mapping(value).items()}
    return {label: share for label, share in found.items() if share}


def _wanted_amounts(value: Any) -> dict[str, Decimal]:
    try:
        return {label: Decimal(str(amount)) for label, amount in _mapping(value).items()}
    except ArithmeticError:
        raise Mismatch(f"{value!r} does not hold amounts") from None


WANTED: dict[str, Callable[[Any], Any]] = {
    "owner": str,
    "until": _wanted_until,
    "shares": _wanted_shares,
    "amounts": _wanted_amounts,
}
"""Expectation by label -> what a value in a file says, as it is compared. Raises Mismatch for what says nothing."""


def compare(label: str, wanted: Any, found: Any) -> None:
    """Raises Mismatch where they differ."""
    if found != wanted:
        raise Mismatch(f"expected {label}: {_shown(wanted)}, found {_shown(found)}")


def check_cited(expected: list[str], cited: Collection[str]) -> None:
    """Raises Mismatch where an expected rule is not among those cited."""
    missing = [rule for rule in expected if rule not in cited]
    if missing:
        found = ", ".join(sorted(cited, key=_rule_order)) or "nothing"
        raise Mismatch(f"expected {', '.join(missing)} to be cited, found {found}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{label}: {item}" for label, item in sorted(value.items())) + "}"
    return "none" if value is None else str(value)


def _rule_order(rule: str) -> tuple[str, int]:
    return rule[:1], int(rule[1:]) if rule[1:].isdigit() else 0
