"""The rulebooks at hand: which there are, what an edition says, and the page that explains it."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from marshmallow import fields

from application.rulebook_page import explain_edition
from domain.rulebook import Edition

from .caller import Caller
from .errors import language
from .fields import QuerySchema
from .operations import Resource, Tagged
from .spec import Page

rulebooks = Resource("rulebooks", "Rulebooks: the offices' regulations as versioned data")
ONE = "/rulebooks/<rulebook_id:rulebook>"


class OfDay(QuerySchema):
    day = fields.Date(
        metadata={"example": "2026-03-02", "description": "The edition in force then; left out: the last."}
    )


class EditionLine(msgspec.Struct, frozen=True):
    """An edition of a rulebook."""

    in_force_from: date
    title_en: str
    title_zh: str
    source: str
    sha256: str


class RulebookLine(msgspec.Struct, frozen=True):
    """A rulebook and its editions, oldest first."""

    rulebook: str
    editions: tuple[EditionLine, ...]


class Rulebooks(msgspec.Struct, frozen=True):
    """The rulebooks at hand."""

    rulebooks: tuple[RulebookLine, ...]


@rulebooks.query("/rulebooks", Rulebooks, action="rulebooks.read")
def list_rulebooks(caller: Caller, given: dict[str, Any]) -> Rulebooks:
    """The rulebooks at hand: those shipped, and the installation's own."""
    shelf = caller.office.shelf
    return Rulebooks(tuple(RulebookLine(one, tuple(map(_line, shelf.editions(one)))) for one in shelf.ids()))


def _line(found: tuple[Edition, str]) -> EditionLine:
    edition, _ = found
    return EditionLine(edition.in_force_from, edition.title_en, edition.title_zh, edition.source, edition.sha256)


@rulebooks.query(ONE, Edition, action="rulebooks.read", schema=OfDay, refuses=["unknown_rulebook", "rulebook_silent"])
def show_rulebook(caller: Caller, given: dict[str, Any], *, rulebook: str) -> Tagged:
    """An edition: its parameters, tables and clauses."""
    edition, _ = caller.office.shelf.edition(rulebook, given.get("day"))
    return Tagged(edition, edition.sha256)


@rulebooks.query(
    f"{ONE}/page", Page, action="rulebooks.read", schema=OfDay, refuses=["unknown_rulebook", "rulebook_silent"]
)  # fmt: skip
def explain_rulebook(caller: Caller, given: dict[str, Any], *, rulebook: str) -> Page:
    """An edition as a page that an office manager can read, in English or Chinese (Accept-Language)."""
    edition, _ = caller.office.shelf.edition(rulebook, given.get("day"))
    return Page(explain_edition(edition, language()))
