"""Runs scenarios: every step through the application's own commands, every expectation against the
application's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import msgspec

from domain.calendar import start_of
from domain.refusals import Refusal
from domain.rulebook import RulebookError
from domain.rules.vocabulary import fraction
from domain.sale import parse_amount
from domain.visitor import Entry

from ..commands import Stamp
from ..desk import Answer
from ..event_store.record import Record
from ..privacy import Keyring
from ..rulebooks import Shelf
from ..sales_office import SalesOffice, open_site
from ..yaml_files import FileProblem
from .expectations import Checker, Mismatch
from .floor_commands import FLOOR_COMMANDS
from .format import NotBuiltYet, Scenario, Step, read_scenario
from .labels import Labels
from .shapes import text_of


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one file. `status`: passed, failed, refused (not a scenario), not_built_yet."""

    file: str
    name: str
    status: str
    problems: tuple[str, ...] = ()
    checks: int = 0


class ExpectationChecker(Protocol):
    """Checks what a step expects, one expectation at a time."""

    def check(self, key: str) -> None:
        """Raises Mismatch when the expectation of that name does not hold, Refusal when it can't be answered."""

    def trace(self) -> list[str]:
        """The decision behind the last answer, step by step."""


def find_files(paths: list[Path]) -> list[Path]:
    """The scenario files that paths name: files themselves, and every *.yaml below folders. Raises FileProblem."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for pattern in ("*.yaml", "*.yml") for p in path.rglob(pattern))
            if not inside:
                raise FileProblem(str(path), None, "", "the folder holds no scenario (*.yaml)")
            found.extend(inside)
        elif path.is_file():
            found.append(path)
        else:
            raise FileProblem(str(path), None, "", "there is no such file or folder")
    return found


def run_file(path: Path, record: Record, keyring: Keyring, shelf: Shelf) -> Outcome:
    """Run one file on a record; every scenario opens a site of its own, so one record serves any number."""
    return run_by(path, lambda scenario: Runner(scenario, record, keyring, shelf))


def run_by(path: Path, runner_of: Callable[[Scenario], Runner]) -> Outcome:
    """Run one file by a runner made for it."""
    try:
        scenario = read_scenario(path)
    except FileProblem as problem:
        return Outcome(file=str(path), name="", status="refused", problems=(str(problem),))
    except NotBuiltYet as missing:
        return Outcome(file=str(path), name="", status="not_built_yet", problems=(f"not built yet: {missing}",))
    runner = runner_of(scenario)
    try:
        runner.set_up()
        for step in scenario.steps:
            runner.step(step)
    except FileProblem as problem:
        return runner.outcome("refused", str(problem))
    except (Refusal, RulebookError) as error:
        return runner.outcome("failed", f"{scenario.file}: {error}")
    return runner.outcome("failed" if runner.problems else "passed")


class Runner:
    """Carries a scenario out, step by step. `carry_out`, `checker` and `position` are the ways to the office; another
    runner may go other ways."""

    def __init__(self, scenario: Scenario, record: Record, keyring: Keyring, shelf: Shelf) -> None:
        self.scenario, self.record, self.keyring, self.shelf = scenario, record, keyring, shelf
        self.labels = Labels()
        self.problems: list[str] = []
        self.checks = 0
        self.office: SalesOffice

    def outcome(self, status: str, *more: str) -> Outcome:
        return Outcome(
            file=self.scenario.file,
            name=self.scenario.name,
            status=status,
            problems=(*self.problems, *more),
            checks=self.checks,
        )

    def set_up(self) -> None:
        """The office as the scenario finds it: open, staffed, its rulebook in force from the edition's own
        first day."""
        scenario, first = self.scenario, self.scenario.steps[0].at
        nobody = uuid4()
        rulebook = scenario.rulebook
        if rulebook.endswith((".yaml", ".yml")):
            rulebook = str(Path(scenario.file).parent / rulebook)
        self.office = open_site(
            self.record,
            self.keyring,
            self.shelf,
            name=f"scenario {uuid4().hex}",
            timezone=scenario.timezone,
            stamp=Stamp(actor=nobody, at=first, entered_at=first),
        )
        zone = self.office.files.site().zone
        try:
            edition, _ = self.shelf.edition(rulebook, first.astimezone(zone).date())
        except (Refusal, RulebookError) as error:
            raise scenario.document.problem("$.rulebook", str(error)) from None
        since = start_of(edition.in_force_from, zone)
        stamp = Stamp(actor=nobody, at=since, entered_at=since)
        for label, person in scenario.staff.items():
            enrolled = self.office.enrol_staff(
                msgspec.structs.replace(stamp, command_id=uuid4()),
                name=person.name,
                role=person.role,
                team=person.team,
            )
            assert enrolled.subject is not None
            self.labels.staff[label] = enrolled.subject
        try:
            self.office.adopt(
                msgspec.structs.replace(stamp, command_id=uuid4()), rulebook=rulebook, amend=scenario.amend
            )
        except Refusal as refusal:
            raise scenario.document.problem("$.amend", str(refusal)) from None

    def step(self, step: Step) -> None:
        before = self.position()
        answer: Any = None
        refusal: Refusal | None = None
        if step.command is not None:
            try:
                answer = self.carry_out(step)
            except Refusal as refused:
                refusal = refused
            self._check_refusal(step, refusal, before)
        checker = self.checker(step, answer)
        for expected in step.expect:
            self.checks += 1
            try:
                checker.check(expected)
            except Mismatch as mismatch:
                self._problem(step, f"$.expect.{expected}", str(mismatch), checker.trace())
            except Refusal as refused:
                self._problem(step, f"$.expect.{expected}", f"can't be answered: {refused}", [])

    def _check_refusal(self, step: Step, refusal: Refusal | None, before: int) -> None:
        found = refusal.code if refusal else "carried out"
        if step.refused is not None:
            self.checks += 1
        if found != (step.refused or "carried out"):
            detail = f" ({refusal.detail})" if refusal and refusal.detail else ""
            expected = f"refused: {step.refused}" if step.refused else "carried out"
            self._problem(step, f"$.{step.command}", f"expected {expected}, found {found}{detail}", [])
        elif refusal is not None and self.position() != before:
            self._problem(step, f"$.{step.command}", "refused, yet something was put on record", [])

    def _problem(self, step: Step, path: str, message: str, trace: list[str]) -> None:
        document = self.scenario.document
        line = document.line(step.path + path.removeprefix("$"))
        where = f"{self.scenario.file}:{line}: step {step.number}, {path.removeprefix('$.')}: {message}"
        self.problems.append("\n".join([where, *(f"    {line}" for line in trace)]))

    # Ways to the office

    def position(self) -> int:
        return self.record.position()

    def checker(self, step: Step, answer: Any) -> ExpectationChecker:
        """What checks the step's expectations; `answer`: what `carry_out` gave, None where nothing was carried out."""
        return Checker(self.scenario, self.office, self.labels, step, answer)

    def carry_out(self, step: Step) -> Any:
        """What came of the step's command. Raises Refusal."""
        value = step.value
        by = value.get("by")
        actor = self.labels.person(by if isinstance(by, str) else by[0]) if by else self.office.site_id
        stamp = Stamp(actor=actor, at=step.at, entered_at=step.now)
        if step.command in FLOOR_COMMANDS:
            return FLOOR_COMMANDS[step.command](self.office.floor, self.labels, stamp, value)
        answer: Answer = getattr(self, f"_{step.command}")(stamp, value)
        return answer

    def _register(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        label = value["visitor"]
        if label in self.labels.visitors:
            raise Refusal("duplicate_label", label)
        answer = self.office.register(
            stamp,
            by=stamp.actor,
            name=text_of(value.get("name")),
            phone=text_of(value.get("phone")),
            via=value.get("via", "visit"),
            number=text_of(value.get("number")),
        )
        assert answer.entry is not None
        self.labels.visitors[label] = answer.entry
        return answer

    def _follow_up(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        entry = self.labels.visitor(value["visitor"])
        return self.office.follow_up(stamp, entry=entry, by=stamp.actor, how=value.get("how", "call"))

    def _relate(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        visitor, to = self.labels.visitor(value["visitor"]), self.labels.visitor(value["to"])
        proven = value.get("proven", True)
        if not isinstance(proven, bool):
            raise Refusal("bad_value", "proven is true or false")
        return self.office.relate(stamp, visitor=visitor, to=to, relation=value["as"], proven=proven)

    def _sell(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        if value["sale"] in self.labels.sales:
            raise Refusal("duplicate_label", value["sale"])
        entry = self.labels.visitor(value["visitor"])
        by = value["by"] if isinstance(value["by"], list) else [value["by"]]
        buyer = text_of(value.get("buyer"))
        answer = self.office.sell(
            stamp,
            entry=entry,
            by=[self.labels.person(label) for label in by],
            amount=parse_amount(text_of(value["amount"]) or ""),
            unit=text_of(value.get("unit")),
            buyer=self.labels.visitors.get(buyer, buyer) if buyer is not None else None,
        )
        assert answer.subject is not None
        self.labels.sales[value["sale"]] = answer.subject
        return answer

    def _agree(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        by = value["by"] if isinstance(value["by"], list) else [value["by"]]
        return self.office.agree(
            stamp,
            sale=self.labels.sale(value["sale"]),
            shares=self._shares(value["shares"]),
            by=[self.labels.person(label) for label in by],
        )

    def _distribute(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        entry, to = self.labels.visitor(value["visitor"]), self.labels.person(value["to"])
        return self.office.assign(stamp, entry=entry, to=to, how="distribution", by=stamp.actor)

    def _change_consultant(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        entry, to = self.labels.visitor(value["visitor"]), self.labels.person(value["to"])
        if not isinstance(value["fault"], bool):
            raise Refusal("bad_value", "fault is true or false")
        return self.office.assign(stamp, entry=entry, to=to, how="reassignment", by=stamp.actor, fault=value["fault"])

    def _depart(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        heirs = [
            (self.labels.visitor(visitor), self.labels.person(heir))
            for visitor, heir in (value.get("heirs") or {}).items()
        ]
        return self.office.depart(stamp, who=self.labels.person(value["who"]), heirs=heirs, by=stamp.actor)

    def _dispute(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        label = value["dispute"]
        if label in self.labels.disputes:
            raise Refusal("duplicate_label", label)
        about: Entry | UUID = self.labels.matter(value["about"])
        answer = self.office.open_dispute(stamp, about=about, by=stamp.actor, label=str(label))
        assert answer.subject is not None
        self.labels.disputes[label] = answer.subject
        return answer

    def _rule(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        owner, shares = value.get("owner"), value.get("shares")
        return self.office.rule(
            stamp,
            dispute=self.labels.dispute(value["dispute"]),
            by=stamp.actor,
            reason=text_of(value["reason"]) or "",
            owner=self.labels.person(owner) if owner is not None else None,
            shares=self._shares(shares) if shares is not None else None,
        )

    def _adopt(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        rulebook = value.get("rulebook")
        if rulebook is not None and rulebook.endswith((".yaml", ".yml")):
            rulebook = str(Path(self.scenario.file).parent / rulebook)
        by = self.labels.person(value["by"]) if "by" in value else None
        return self.office.adopt(stamp, rulebook=rulebook, amend=value.get("amend"), by=by)

    def _entrust(self, stamp: Stamp, value: Mapping[str, Any]) -> Answer:
        visitor, to = self.labels.visitor(value["visitor"]), self.labels.person(value["to"])
        return self.office.floor.entrust(stamp, visitor=visitor, to=to, by=stamp.actor)

    def _shares(self, value: Any) -> dict[UUID, Fraction]:
        if not isinstance(value, dict):
            raise Refusal("bad_value", "shares are staff and fractions")
        return {self.labels.person(label): fraction(str(share)) for label, share in value.items()}
