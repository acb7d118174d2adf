"""The closed vocabulary of rulebooks: which parameters and tables there are, and which codes they may use.

A rulebook file is checked against this page, so an office whose rules nobody has seen yet is set up by writing a file.
An edition covers whole areas: who owns and is paid, always; turns and discipline, where its document speaks of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from fractions import Fraction

from ..refusals import Refusal
from ..rulebook import AmendmentValue, Edition, RulebookError
from . import attribution_vocabulary, turn_vocabulary
from .attribution_vocabulary import ATTRIBUTION_PARAMETERS, ATTRIBUTION_TABLES, CONTACTS, RELATIONS, VIAS
from .specs import ParameterSpec, TableSpec, wrong_for
from .turn_vocabulary import TURN_PARAMETERS, TURN_TABLES

__all__ = ["CONTACTS", "RELATIONS", "VIAS"]

PARAMETERS: dict[str, ParameterSpec] = {**ATTRIBUTION_PARAMETERS, **TURN_PARAMETERS}
TABLES: dict[str, TableSpec] = {**ATTRIBUTION_TABLES, **TURN_TABLES}


def covers_turns(edition: Edition) -> bool:
    """Whether an edition says anything on turns and discipline; if so, it must say all of it."""
    return not edition.parameters.keys().isdisjoint(TURN_PARAMETERS) or not edition.tables.keys().isdisjoint(
        TURN_TABLES
    )


def needed(edition: Edition) -> tuple[list[str], list[str]]:
    """The parameters and the tables that an edition must have, for the areas it covers."""
    if covers_turns(edition):
        return list(PARAMETERS), list(TABLES)
    return list(ATTRIBUTION_PARAMETERS), list(ATTRIBUTION_TABLES)


def check_value(name: str, value: object) -> str | None:
    """None when the value fits the parameter of that name, else what is wrong with it."""
    spec = PARAMETERS.get(name)
    return f"unknown parameter {name}" if spec is None else wrong_for(spec, value)


def check_amendment(edition: Edition, amend: Mapping[str, object]) -> dict[str, AmendmentValue]:
    """The amendment, checked against the edition. Raises Refusal unknown_parameter or bad_value; `none` means
    no limit."""
    checked: dict[str, AmendmentValue] = {}
    for name, raw in amend.items():
        if name not in edition.parameters:
            raise Refusal("unknown_parameter", f"{edition.label} has no {name}")
        value = None if raw == "none" else raw
        if wrong := check_value(name, value):
            raise Refusal("bad_value", f"{name}: {wrong}")
        checked[name] = value  # type: ignore[assignment]
    return checked


def amend_edition(edition: Edition, amend: Mapping[str, object]) -> Edition:
    """The edition with parameters changed, still deciding every case. Raises Refusal unknown_parameter, bad_value."""
    changed = edition.amended(check_amendment(edition, amend))
    leaning = [
        name
        for name, table in edition.tables.items()
        if any(not amend.keys().isdisjoint((*row.within.values(), *row.outside.values())) for row in table.rows)
    ]
    if found := undecided(changed, leaning):
        raise Refusal("bad_value", found[1])
    return changed


def undecided(edition: Edition, tables: Collection[str]) -> tuple[str, str] | None:
    """The first of the tables that does not decide every case that can arise by exactly one fitting row, and what is
    wrong."""
    for name in tables:
        spec = TABLES[name]
        for codes in itertools.product(*spec.conditions.values()):
            case = dict(zip(spec.conditions, codes, strict=True))
            if not possible(name, case):
                continue
            try:
                row = edition.row_for(name, case)
            except RulebookError as error:
                return name, str(error)
            fits = turn_vocabulary.fits if name in TURN_TABLES else attribution_vocabulary.fits
            if not fits(name, case, row):
                return name, f"{edition.label}, table {name}: {row} can't be carried out for {case}"
    return None


def possible(table: str, case: Mapping[str, str]) -> bool:
    """Whether such a case can arise at all (a follow-up has no channel of entry; only an owner's claim has an
    owner)."""
    if table in TURN_TABLES:
        return turn_vocabulary.possible(table, case)
    return attribution_vocabulary.possible(table, case)


def fraction(text: str) -> Fraction:
    """A share such as 1/3 or 1. Raises Refusal bad_value unless it lies from 0 to 1."""
    try:
        share = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise Refusal("bad_value", f"{text!r} is not a fraction such as 1/3") from None
    if not 0 <= share <= 1:
        raise Refusal("bad_value", f"{text!r} is not a share between 0 and 1")
    return share
