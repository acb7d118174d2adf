"""A scenario's own names for people, visitors and things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from domain.refusals import Refusal
from domain.visitor import Entry

T = TypeVar("T")


class Labels:
    """The scenario's own names for things. Looking one up raises the Refusal for things of that kind."""

    def __init__(self) -> None:
        self.staff: dict[str, UUID] = {}
        self.visitors: dict[str, Entry] = {}
        self.sales: dict[str, UUID] = {}
        self.disputes: dict[str, UUID] = {}
        self.receptions: set[str] = set()

    def person(self, label: Any) -> UUID:
        return _look_up(self.staff, label, "unknown_staff")

    def visitor(self, label: Any) -> Entry:
        return _look_up(self.visitors, label, "unknown_visitor")

    def sale(self, label: Any) -> UUID:
        return _look_up(self.sales, label, "unknown_sale")

    def dispute(self, label: Any) -> UUID:
        return _look_up(self.disputes, label, "unknown_dispute")

    def matter(self, label: Any) -> Entry | UUID:
        return self.sales[label] if label in self.sales else self.visitor(label)

    def name_of(self, staff: UUID | None) -> str:
        return next((label for label, known in self.staff.items() if known == staff), "nobody")


def _look_up(known: Mapping[str, T], label: Any, code: str) -> T:
    if not isinstance(label, str) or label not in known:
        raise Refusal(code, str(label))
    return known[label]
