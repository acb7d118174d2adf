"""Personal data in full: having them shown, for a purpose, and who has looked at what."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from flask import current_app
from marshmallow import Schema, fields

from application.disclosures import LONGEST_NOTE, Look, Place, Shown, What, looks_on_record, reveal
from domain.disclosure import PURPOSES
from domain.visitor import Entry

from .answers import names
from .caller import Caller
from .fields import code, count, text
from .operations import Resource
from .reading import InPeriod, Paged, cursor, key_after
from .whose import owned_visitor

disclosures = Resource("disclosures", "Personal data in full: who is shown what, and why; all looks are on record")
SITE = "/sites/<uuid:site>"
FIRST_PLACE: Place = (date.max, UUID(int=0), 0)


class Reveal(Schema):
    registration = count(1, 10_000, load_default=1)
    purpose = code(PURPOSES, required=True)
    note = text(LONGEST_NOTE, metadata={"description": "Why, in words; needed where the purpose is `other`."})


class OfDays(InPeriod, Paged):
    longest_days = 31
    staff = fields.UUID(metadata={"description": "Only this one's."})


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at personal data, the latest day first, on a day person by person. `after`: what to ask on with; None: this
    is the end."""

    looks: tuple[Look, ...]
    after: str | None
    staff: dict[UUID, str]


@disclosures.command(
    f"{SITE}/visitors/<uuid:visitor>/reveals", Reveal, action="visitors.reveal", whose=owned_visitor, answer=Shown,
    example={"purpose": "contact"}, refuses=["unknown_visitor", "wrong_state", "too_many_reveals"],
)  # fmt: skip
def reveal_visitor(caller: Caller, given: dict[str, Any], *, visitor: UUID) -> Shown:
    """The name and phone of a visitor in full. That they were shown, to whom and why, is put on record; so many times
    a day for each member of staff."""
    entry = Entry(visitor, given["registration"])
    limits = current_app.extensions["lunpai"].limits
    why = {"purpose": given["purpose"], "note": given.get("note")}
    return reveal(caller.office, caller.stamp(given), limits, entry=entry, **why)


@disclosures.query(
    f"{SITE}/reveals", Looks, action="disclosures.read", schema=OfDays, refuses=["unknown_staff"]
)  # fmt: skip
def list_reveals(caller: Caller, given: dict[str, Any]) -> Looks:
    """Who had whose name and phone shown in full, and why, in pages."""
    return _page(caller, given, "reveals")


@disclosures.query(
    f"{SITE}/look-ups", Looks, action="disclosures.read", schema=OfDays, refuses=["unknown_staff"]
)  # fmt: skip
def list_look_ups(caller: Caller, given: dict[str, Any]) -> Looks:
    """Who looked up somebody, when and how many were found, in pages; what was asked is not kept."""
    return _page(caller, given, "look_ups")


def _page(caller: Caller, given: dict[str, Any], what: What) -> Looks:
    days = [given["last"] - timedelta(days=back) for back in range((given["last"] - given["first"]).days + 1)]
    after = key_after(given, FIRST_PLACE) if "after" in given else None
    asked = looks_on_record(caller.office, what, days, staff=given.get("staff"), after=after)
    found = list(itertools.islice(asked, given["limit"] + 1))
    page = found[: given["limit"]]
    return Looks(
        looks=tuple(look for _, look in page),
        after=cursor(page[-1][0] if len(found) > len(page) else None),
        staff=names(caller.office, [look.by for _, look in page]),
    )
