"""An office's floor in a few words, through the real commands; and the rows that the views make of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from application.desk import Answer
from application.sales_floor import SalesFloor
from projections.assignments import ASSIGNMENTS
from projections.turn_board import TURN_BOARD
from tests.projections.given import House, judged, rows

DAY = "2026-03-02"
THREE = ("lin", "wang", "zhao")


class Floor:
    """The floor of a house; `clock` texts are times of `day`, or whole."""

    def __init__(self, house: House, day: str = DAY) -> None:
        self.house, self.day = house, day

    @property
    def commands(self) -> SalesFloor:
        return self.house.office.floor

    def at(self, text: str) -> str:
        return text if len(text) > 5 else f"{self.day} {text}"

    def _do(self, command: str, at: str, known: str | None = None, **what: Any) -> Answer:
        named = {
            key: self.house.staff.get(value, value) if isinstance(value, str) else value for key, value in what.items()
        }
        answer: Answer = getattr(self.commands, command)(self.house.stamp(self.at(at), known=known), **named)
        return answer

    def sign_in(self, at: str, *labels: str) -> None:
        for label in labels:
            self._do("sign_in", at, who=label)

    def sign_out(self, at: str, *labels: str) -> None:
        for label in labels:
            self._do("sign_out", at, who=label)

    def receive(self, at: str, reception: str = "r1", channel: str = "visit", **asked: Any) -> None:
        self._do("receive", at, reception=reception, channel=channel, **asked)

    def finish(self, at: str, reception: str = "r1", **what: Any) -> None:
        self._do("finish", at, reception=reception, **what)

    def visit(self, began: str, over: str, reception: str, **asked: Any) -> None:
        """A reception from its beginning to its end."""
        self.receive(began, reception, **asked)
        self.finish(over, reception)

    def __getattr__(self, command: str) -> Any:
        """Any other command: at(...), then its arguments by name, staff by label."""
        return lambda at, known=None, **what: self._do(command, at, known, **what)

    # What the views say

    def board(self, day: str | None = None, **at: Any) -> dict[str, dict[str, Any]]:
        """The rows of a day by the label of the staff; those of the floor's own day unless named."""
        labels = {staff: label for label, staff in self.house.staff.items()}
        wanted = date.fromisoformat(day or self.day)
        return {labels[row["staff"]]: row for row in rows(TURN_BOARD, judged(self.house, **at)) if row["day"] == wanted}

    def column(self, name: str, day: str | None = None) -> dict[str, Any]:
        """One column of everybody of whom it says something."""
        return {
            label: row[name] for label, row in self.board(day).items() if row[name] not in (None, 0, "{}", (), False)
        }

    def receptions(self) -> list[dict[str, Any]]:
        return rows(ASSIGNMENTS, judged(self.house))

    def assigned(self) -> dict[str, dict[str, Any]]:
        """The receptions by label."""
        return {row["label"]: row for row in self.receptions()}
