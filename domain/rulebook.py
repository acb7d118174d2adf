"""Rulebooks as values: an edition's clauses, parameters and decision tables, and which edition is in force at a moment.

A parameter is a number or principle in which offices differ; a decision table says which case is treated how.
Exactly one
row of a table applies to a case; two or none is an error that shows the rows and their clauses (never a silent
default).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, cached_property, lru_cache
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import msgspec

Case = ParamSpec("Case")
Found = TypeVar("Found")

AmendmentValue = int | str | bool | list[str] | None
"""What a parameter may hold: a number, a code, a switch, a list of codes, or None where the file says `none`."""


class RulebookError(Exception):
    """A rulebook that contradicts itself, is silent where it must speak, or is asked outside its time. One
    clear line."""


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clause of the regulation: the rule numbers it stands for, its article in the source, its text in our
    own words."""

    id: str
    rules: tuple[str, ...]
    source: str
    zh: str
    en: str


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: AmendmentValue
    clauses: tuple[str, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One case and how it is treated.

    `when`: condition -> the codes it admits; `within`: condition -> the parameter whose list of codes it
    admits (so that
    amending the parameter amends the row), `outside`: the reverse. A condition in none of them admits all.
    `then`: effect ->
    code or text.
    """

    when: dict[str, tuple[str, ...]]
    within: dict[str, str]
    outside: dict[str, str]
    then: dict[str, str]
    clauses: tuple[str, ...]
    otherwise: bool = False

    def __str__(self) -> str:
        named = [f"{k}: {'/'.join(v)}" for k, v in self.when.items()]
        named += [f"{k} in {p}" for k, p in self.within.items()] + [f"{k} not in {p}" for k, p in self.outside.items()]
        return f"[{'otherwise' if self.otherwise else ', '.join(named)}] by {', '.join(self.clauses)}"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    rows: tuple[Row, ...]


class Edition(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One dated edition of a rulebook, as loaded and checked; `amend` holds what was changed in it for this use.

    Beside its fields (hence `dict`) it keeps what rules have found in it; a copy, amended or not, starts anew.
    """

    rulebook: str
    title_zh: str
    title_en: str
    office: str
    in_force_from: date
    adopted_on: date | None
    source: str
    clauses: dict[str, Clause]
    parameters: dict[str, Parameter]
    tables: dict[str, Table]
    sha256: str
    amend: dict[str, AmendmentValue] = {}

    @cached_property
    def label(self) -> str:
        """How decisions name it: id, day, and a mark when amended."""
        return f"{self.rulebook}@{self.in_force_from.isoformat()}" + ("*" if self.amend else "")

    def parameter(self, name: str) -> Parameter:
        """Raises RulebookError naming the edition when it has no such parameter."""
        if name not in self.parameters:
            raise RulebookError(f"{self.label} has no parameter {name}")
        return self.parameters[name]

    def days(self, name: str) -> int | None:
        """A parameter in days; None is 'no limit'."""
        value = self.parameter(name).value
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise RulebookError(f"{self.label}: {name} is not a number of days")
        return value

    def codes(self, name: str) -> tuple[str, ...]:
        """A parameter that lists codes."""
        value = self.parameter(name).value
        if not isinstance(value, list):
            raise RulebookError(f"{self.label}: {name} is not a list")
        return tuple(value)

    @cached_property
    def finding(self) -> Finding:
        """`finding(rule, *case)`: what a pure rule finds here for a case of codes. It is asked once for each case; what
        it raises, it raises every time."""
        return cache(lambda rule, *case: rule(self, *case))

    def row_for(self, table: str, case: Mapping[str, str]) -> Row:
        """The one row of a table that applies to a case of coded facts.

        Raises RulebookError when none or several do, naming the edition, the rows and their clauses.
        """
        if table not in self.tables:
            raise RulebookError(f"{self.label} has no table {table}")
        rows = self.tables[table].rows
        found = [row for row in rows if not row.otherwise and self.admits(row, case)]
        if not found:
            found = [row for row in rows if row.otherwise]
        if len(found) == 1:
            return found[0]
        what = "; ".join(map(str, found)) if found else "no row applies"
        facts = ", ".join(f"{k}={v}" for k, v in case.items())
        raise RulebookError(f"{self.label}, table {table}: {len(found)} rows for ({facts}): {what}")

    def admits(self, row: Row, case: Mapping[str, str]) -> bool:
        """Whether a row's conditions hold for a case."""
        return (
            all(case[condition] in codes for condition, codes in row.when.items())
            and all(case[condition] in self.codes(name) for condition, name in row.within.items())
            and all(case[condition] not in self.codes(name) for condition, name in row.outside.items())
        )

    def amended(self, amend: Mapping[str, AmendmentValue]) -> Edition:
        """This edition with parameters changed. Values must have been checked (see
        rules.vocabulary.check_amendment)."""
        if not amend:
            return self
        changed = {name: msgspec.structs.replace(self.parameter(name), value=value) for name, value in amend.items()}
        return msgspec.structs.replace(self, parameters={**self.parameters, **changed}, amend={**self.amend, **amend})


class Finding(Protocol):
    """Calls a rule on an edition and a case."""

    def __call__(
        self, rule: Callable[Concatenate[Edition, Case], Found], *case: Case.args, **_: Case.kwargs
    ) -> Found: ...


class InForce(msgspec.Struct, frozen=True):
    """An edition put in force at an instant; `position` is the adoption's place in the log (0: not from the log)."""

    since: datetime
    edition: Edition
    position: int = 0


class Editions(msgspec.Struct, frozen=True):
    """The editions of one site in the order in which they came into force (never empty)."""

    in_force: tuple[InForce, ...]

    def clauses(self, ids: Iterable[str]) -> list[tuple[str, Clause]]:
        """The clauses that findings cite, in order, each with its qualified id."""
        latest_first = [item.edition.clauses for item in reversed(self.in_force)]
        return [(key, next(known[key] for known in latest_first if key in known)) for key in dict.fromkeys(ids)]

    def at(self, instant: datetime) -> Edition:
        """The edition in force at an instant. Raises RulebookError for an instant before the first."""
        for item in reversed(self.in_force):
            if item.since <= instant:
                return item.edition
        first = self.in_force[0]
        raise RulebookError(
            f"{instant.isoformat()} lies before {first.edition.label} came into force ({first.since.isoformat()})"
        )

    def governing(self, instant: datetime) -> Edition:
        """The edition that governs what happened at an instant: what is older than the first edition comes under
        that."""
        for item in reversed(self.in_force):
            if item.since <= instant:
                return item.edition
        return self.in_force[0].edition

    def labels(self, until: datetime | None = None) -> tuple[str, ...]:
        """Of the editions in force up to an instant, each once; of the first, where it came into force later."""
        known = [item.edition.label for item in self.in_force if until is None or item.since <= until]
        return tuple(dict.fromkeys(known or [self.in_force[0].edition.label]))

    def changes(self) -> Sequence[InForce]:
        """Every adoption after the first."""
        return self.in_force[1:]


@lru_cache(maxsize=4096)
def merged(clauses: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """The clauses cited here and there: each once, in order."""
    return tuple(dict.fromkeys((*clauses, *more)))


def single(edition: Edition, since: datetime) -> Editions:
    """One edition for all time from `since` on: what a what-if replays under."""
    return Editions((InForce(since, edition),))
