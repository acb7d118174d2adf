"""Checks and rebuilds on record, and the rows that they found not to be the same.

They concern the whole store. Counts are told of all of it; what differs, of the caller's site alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from flask import current_app

from projections.live import ReadSide
from projections.records import (
    DifferenceRecord,
    NotThere,
    RebuildRecord,
    differences_of_site,
    reached,
    rebuild_of_number,
    rebuilds,
)
from projections.reports import LAST_NUMBER

from .caller import Caller
from .errors import Problem
from .operations import Resource
from .reading import Paged, cursor, key_after

checks = Resource("rebuilds", "Rebuilds: checks and rebuilds of the views on record, and what they found")
SITE = "/sites/<uuid:site>"
HIDDEN = frozenset({"sealed", "person", "steps"})
"""Columns of a row that are not told: ciphertext, whose key it is under, what is no text."""


class RebuildLine(msgspec.Struct, frozen=True, kw_only=True):
    """A check or rebuild, whoever asked for it. `compared`: live rows were there to compare; `differences`: rows of the
    whole store that differed. While it runs, `folded` of `position` facts are done."""

    rebuild: int
    mode: str
    views: list[str]
    asked_by: str
    status: str
    stage: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    folded: int
    position: int
    compared: bool
    differences: int
    ending: bool


class Rebuilds(msgspec.Struct, frozen=True):
    """Checks and rebuilds, the latest first. `after`: what to ask on with; None: this is the end."""

    rebuilds: tuple[RebuildLine, ...]
    after: str | None


class DifferenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not the same live and made anew (None: there was none), in which columns, and the facts behind it
    by position. Of both rows all is told but what is sealed."""

    number: int
    view: str
    key: list[str]
    columns: list[str]
    live: dict[str, Any] | None
    fresh: dict[str, Any] | None
    facts: list[int]
    note: str | None


class RebuildFound(msgspec.Struct, frozen=True):
    """A check or rebuild and what it found of this site: a page of it, and how many are on record. The first thousand
    of the store are."""

    rebuild: RebuildLine
    here: int
    found: tuple[DifferenceLine, ...]
    after: str | None


@checks.query(f"{SITE}/rebuilds", Rebuilds, action="jobs.read", schema=Paged, refuses=["views_missing"])
def list_rebuilds(caller: Caller, given: dict[str, Any]) -> Rebuilds:
    """Every check and rebuild on record, whoever asked for it, in pages."""
    (before,), limit = key_after(given, (LAST_NUMBER,)), given["limit"]
    read_side = _read_side()
    with reached(read_side) as connection:
        found = rebuilds(read_side, connection, limit + 1, before=before)
    after = (found[limit - 1].id,) if len(found) > limit else None
    return Rebuilds(tuple(map(_rebuild, found[:limit])), cursor(after))


@checks.query(
    f"{SITE}/rebuilds/<int:rebuild>", RebuildFound, action="jobs.read", schema=Paged,
    refuses=["views_missing", "unknown_rebuild"],
)  # fmt: skip
def show_rebuild(caller: Caller, given: dict[str, Any], *, rebuild: int) -> RebuildFound:
    """A check or rebuild, and what it found of this site, in pages."""
    (after,), limit = key_after(given, (0,)), given["limit"]
    read_side = _read_side()
    with reached(read_side) as connection:
        record = _record(read_side, connection, rebuild)
        found, here = differences_of_site(
            read_side, connection, rebuild, caller.office.site_id, after=after, most=limit + 1
        )
    more = cursor((found[limit - 1].number,)) if len(found) > limit else None
    return RebuildFound(_rebuild(record), here, tuple(map(_difference, found[:limit])), more)


def _read_side() -> ReadSide:
    """Raises Problem views_missing where no views can be kept."""
    store = current_app.extensions["lunpai"].store
    if not store.keeps_views:
        raise Problem("views_missing")
    read_side: ReadSide = store.read_side
    return read_side


def _record(read_side: ReadSide, connection: Any, rebuild: int) -> RebuildRecord:
    try:
        if rebuild > LAST_NUMBER:
            raise NotThere
        return rebuild_of_number(read_side, connection, rebuild)[0]
    except NotThere:
        raise Problem("unknown_rebuild") from None


def _rebuild(one: RebuildRecord) -> RebuildLine:
    return RebuildLine(
        rebuild=one.id, mode=one.mode, views=one.views, asked_by=one.asked_by, status=one.status, stage=one.stage,
        started_at=one.started_at, ended_at=one.ended_at, seconds=one.seconds, folded=one.folded,
        position=one.position, compared=one.compared, differences=one.differences, ending=one.cancel,
    )  # fmt: skip


def _difference(one: DifferenceRecord) -> DifferenceLine:
    return DifferenceLine(
        number=one.number, view=one.view, key=one.key, columns=one.columns, live=_told(one.live),
        fresh=_told(one.fresh), facts=one.facts, note=one.note,
    )  # fmt: skip


def _told(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name not in HIDDEN}
