"""Runs scenarios through the JSON API: every step is a request with the key of whoever takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from application.access import SCOPES
from application.access_keys import issue
from application.commands import Stamp
from application.scenarios.expectations import Mismatch
from application.scenarios.format import Scenario, Step
from application.scenarios.run import ExpectationChecker, Outcome, Runner, run_by
from domain.refusals import REFUSALS, Refusal
from domain.visitor import Entry

from .commands import REQUESTS, Request, Wording, beside
from .expectations import HttpChecker
from .rehearsal import Refused, Rehearsal

OFFICE = {"desk": "desk", "manager": "manager", "auditor": "auditor"}
"""Those of the office whom a scenario does not name: who tells what nobody is said to tell, and who asks."""

TELLS_OF_ONESELF = ("consultant", "supervisor", "manager", "desk")
"""Roles that may say of themselves that they are there; of others, the desk says it."""

REFUSED_EARLIER = {
    "access_denied": ("not_permitted",),
    "bad_fields": ("bad_value",),
    "unauthenticated": ("unknown_staff", "not_owner", "not_permitted", "wrong_state"),
}
"""What the API refuses before the rules are asked -> as what the rules would refuse it: the table of rights knows
roles too, the schemas shapes; and who has left is let in no more, whatever the rules would say."""


def run_file(path: Path, served: Rehearsal) -> Outcome:
    """Run one file over HTTP; every scenario has a site of its own, so one server serves any number."""
    return run_by(path, lambda scenario: HttpRunner(scenario, served))


class HttpRunner(Runner):
    """The office is opened, staffed and given its keys on the machine, as an operator does; all that happens then is
    said and asked over HTTP."""

    def __init__(self, scenario: Scenario, served: Rehearsal) -> None:
        store = served.store
        super().__init__(scenario, store.record, store.keyring, store.shelf)
        self.served = served
        self.words = Wording(self.labels, lambda rulebook: beside(scenario.file, rulebook, served.on_shelf))
        self.keys: dict[str, str] = {}
        self.gone: set[str] = set()

    def set_up(self) -> None:
        super().set_up()
        first = self.scenario.steps[0].at
        self.site = f"/v1/sites/{self.office.site_id}"
        for label in self.scenario.staff:
            self.keys[label] = self._key(self.labels.staff[label])
        for label, role in OFFICE.items():
            entered = Stamp(actor=self.office.site_id, at=first, entered_at=first)
            staff = self.office.enrol_staff(entered, name=f"office {label}", role=role).subject
            assert staff is not None
            self.keys[f"office {label}"] = self._key(staff)

    def _key(self, staff: UUID) -> str:
        stamp = Stamp(actor=self.office.site_id, at=datetime.now(UTC), at_given=False)
        return issue(self.office, stamp, staff=staff, scopes=tuple(SCOPES)).text

    # Ways to the office

    def position(self) -> int:
        return int(self.served.ask("GET", "/readyz")["position"])

    def step(self, step: Step) -> None:
        self.served.at = step.now
        try:
            super().step(step)
        except Refused as refused:
            self._problem(step, f"$.{step.command}", f"the API answers {refused}", [])

    def checker(self, step: Step, answer: Any) -> ExpectationChecker:
        def ask(method: str, path: str, body: Any = None) -> Any:
            try:
                return self.served.ask(method, f"{self.site}/{path}", self.keys["office auditor"], body)
            except Refused as refused:
                raise Mismatch(f"can't be answered: {refused}") from None

        return HttpChecker(self.scenario, self.words, step, answer, ask)

    def carry_out(self, step: Step) -> Any:
        assert step.command is not None
        request = REQUESTS[step.command](self.words, step.value)
        body = {**request.body, "at": step.at.isoformat()}
        try:
            told = self.served.ask("POST", f"{self.site}/{request.path}", self._shown(request, step), body)
        except Refused as refused:
            raise _refusal(refused, step.refused) from None
        self._keep(step, told)
        return told

    def _shown(self, request: Request, step: Step) -> str:
        """The key of whoever gives the command. Raises Refusal unknown_staff: who is on no list has no key."""
        if request.hand in OFFICE:
            return self.keys[f"office {request.hand}"]
        label = step.value[request.hand]
        label = label[0] if isinstance(label, list) else label
        if request.hand == "who":
            member = self.scenario.staff.get(label)
            tells = member is not None and member.role in TELLS_OF_ONESELF and label not in self.gone
            return self.keys[label] if tells else self.keys["office desk"]
        self.labels.person(label)
        return self.keys[label]

    def _keep(self, step: Step, told: Any) -> None:
        """What a label stands for from now on."""
        value, labels = step.value, self.labels
        if step.command == "register":
            labels.visitors[value["visitor"]] = Entry(UUID(told["visitor"]["visitor"]), told["visitor"]["registration"])
        elif step.command == "sell":
            labels.sales[value["sale"]] = UUID(told["subject"])
        elif step.command == "dispute":
            labels.disputes[value["dispute"]] = UUID(told["subject"])
        elif step.command == "receive":
            labels.receptions.add(value["reception"])
        elif step.command == "depart":
            self.gone.add(value["who"])


def _refusal(refused: Refused, expected: str | None) -> Refusal:
    """A problem as the refusal that it is. Raises Refused for what is no refusal of a command."""
    earlier = REFUSED_EARLIER.get(refused.code)
    if earlier is not None:
        return Refusal(expected if expected in earlier else earlier[0], str(refused))
    if refused.code not in REFUSALS:
        raise refused
    return Refusal(refused.code, refused.detail)
