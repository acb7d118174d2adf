"""Clients of a busy office: each asks mixed things over one connection, again where an answer was lost, and at random
where it was not. `soaking` runs many of them."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec

from .offices import Staffed, phone_number

PATIENCE_SECONDS = 120.0
ASKED_AGAIN = 0.15
"""Of the commands that were answered, so many are sent once more at once."""

TO_BE_TRIED_AGAIN = (409, 429, 503)
"""With these statuses - 409 only as still_running - a client sends the same again after a little."""

STEPS: dict[str, int] = {
    **{"register": 22, "follow_up": 16, "receive": 10, "finish": 10, "sign_in": 5, "sign_out": 2, "sell": 6},
    **{"dispute": 4, "rule": 3, "show_visitor": 10, "board": 6, "look_up": 2, "docket": 2, "staff": 2},
}
"""What is asked, and how often beside the rest."""


class Command(msgspec.Struct, frozen=True):
    """A command that was acknowledged: under which key and name, what was sent and what came back."""

    key: str
    name: str
    path: str
    body: dict[str, Any]
    answer: dict[str, Any]


class Lost(Exception):
    """No answer came."""


class Shared:
    """What clients know of each other's work: whom they go on with."""

    def __init__(self) -> None:
        self.visitors: list[dict[str, Any]] = []
        self.receptions: list[str] = []
        self.sales: list[str] = []
        self.disputes: list[str] = []


class Client:
    """One client with one connection, which asks as one member of staff. Its choices come from the seed; what it meets
    does not."""

    def __init__(
        self, port: int, staffed: Staffed, who: UUID, key: str, number: int, seed: int, shared: Shared
    ) -> None:
        self.port, self.staffed, self.who, self.key, self.number = port, staffed, who, key, number
        self.shared, self.chance = shared, random.Random(seed * 1_000 + number)
        self.acknowledged: list[Command] = []
        self.refused: Counter[str] = Counter()
        self.lost = self.sent_again = self.sent = self.looked_up = 0
        self.slowest_seconds = 0.0
        self.last_refusal: dict[str, Any] = {}
        self._connection: http.client.HTTPConnection | None = None

    def step(self) -> None:
        """Ask one thing, until there is an answer."""
        self.sent += 1
        getattr(self, f"_{self.chance.choices(list(STEPS), list(STEPS.values()))[0]}")()

    # What is asked

    def _register(self) -> None:
        number = self.chance.randrange(3_000)  # so that many are registered by several
        body = {"name": f"客户{number}", "phone": phone_number(number), "via": self.chance.choice(["visit", "call"])}
        if (told := self._command("registrations", body)) is not None:
            self.shared.visitors.append(told["visitor"])

    def _follow_up(self) -> None:
        if (entry := self._one_of(self.shared.visitors)) is not None:
            body = {"registration": entry["registration"], "how": self.chance.choice(["call", "message"])}
            self._command(f"visitors/{entry['visitor']}/follow-ups", body)

    def _receive(self) -> None:
        if (told := self._command("receptions", {"channel": self.chance.choice(["visit", "call"])})) is not None:
            self.shared.receptions.append(told["reception"])

    def _finish(self) -> None:
        if self.shared.receptions:
            with suppress(IndexError):  # another client may have been faster
                self._command(f"receptions/{self.shared.receptions.pop(0)}/finish", {})

    def _sign_in(self) -> None:
        self._command("queue/sign-in", {"who": str(self.chance.choice(self.staffed.consultants))})

    def _sign_out(self) -> None:
        self._command("queue/sign-out", {"who": str(self.chance.choice(self.staffed.consultants))})

    def _sell(self) -> None:
        if (entry := self._one_of(self.shared.visitors)) is not None:
            unit = f"{self.number}-{self.sent}" if self.chance.random() < 0.9 else "1-1"
            body = {"visitor": entry, "amount": "12000.00", "unit": unit, "by": [str(self.staffed.consultants[0])]}
            if (told := self._command("sales", body)) is not None:
                self.shared.sales.append(told["subject"])

    def _dispute(self) -> None:
        if (sale := self._one_of(self.shared.sales)) is not None:
            body = {"sale": sale, "by": str(self.chance.choice(self.staffed.consultants))}
            if (told := self._command("disputes", body)) is not None:
                self.shared.disputes.append(told["subject"])

    def _rule(self) -> None:
        if (dispute := self._one_of(self.shared.disputes)) is not None:
            self._command(f"disputes/{dispute}/rulings", {"reason": "as the replay says"})

    def _show_visitor(self) -> None:
        if (entry := self._one_of(self.shared.visitors)) is not None:
            self._question("GET", f"visitors/{entry['visitor']}?registration={entry['registration']}")

    def _board(self) -> None:
        self._question("GET", "queue")

    def _look_up(self) -> None:
        asked = {"phone": phone_number(self.chance.randrange(3_000))}
        self.looked_up += self._question("POST", "visitors/look-up", asked)

    def _docket(self) -> None:
        self._question("GET", "disputes?limit=20")

    def _staff(self) -> None:
        self._question("GET", "staff")

    def _one_of(self, known: Sequence[Any]) -> Any:
        return self.chance.choice(known) if known else None

    # How it is asked

    def _command(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """What it brought about; None where it was refused."""
        name = f"{self.number}-{self.sent}"
        told = self.ask("POST", path, body, name)
        if told is not None:
            self.acknowledged.append(Command(self.key, name, path, body, told))
            if self.chance.random() < ASKED_AGAIN:
                self.sent_again += 1
                assert same(self.ask("POST", path, body, name), told), f"{path}: another answer to the same command"
        return told

    def _question(self, method: str, path: str, body: dict[str, Any] | None = None) -> bool:
        """Whether it was answered."""
        return self.ask(method, path, body) is not None

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, name: str = "") -> dict[str, Any] | None:
        """The answer, however often it takes; None where it was refused, which is counted. Questions that come too often
        are let be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        began = time.monotonic()
        while True:
            try:
                status, told = self._once(method, path, body, name)
            except Lost:
                self.lost += 1
            else:
                if status == 200:
                    self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
                    return told
                code = told["code"]
                again = status in TO_BE_TRIED_AGAIN and (status != 409 or code == "still_running")
                if not again or code == "too_many_requests":
                    assert status < 500, f"{path}: {told}"
                    self.refused[code] += 1
                    self.last_refusal = told
                    return None
            assert time.monotonic() < deadline, f"{path}: no answer for {PATIENCE_SECONDS:g} s"
            time.sleep(0.05 + 0.2 * self.chance.random())

    def _once(self, method: str, path: str, body: dict[str, Any] | None, name: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "Idempotency-Key": name}
        if not name:
            del headers["Idempotency-Key"]
        sent = None if body is None else json.dumps(body)
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._connection.request(method, f"/v1/sites/{self.staffed.site}/{path}", sent, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Lost from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def same(again: dict[str, Any] | None, first: dict[str, Any]) -> bool:
    """Whether it is the first answer once more; that it is a repeat is all that may differ."""
    return again is not None and again["repeated"] and {**again, "repeated": first["repeated"]} == first
