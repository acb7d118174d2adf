"""Reading the views over HTTP: for which site, up to which fact, page by page, of which days, and of whom."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from flask import current_app
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from projections.source import LIMIT, Key, NeverBuilt, Source
from projections.view import View

from .caller import Caller
from .errors import Problem
from .fields import QuerySchema

MOST_ROWS = 500
LONGEST_PERIOD_DAYS = 366
WAIT_SECONDS = 5.0
"""So long a question waits for views that do not hold up to its `min_position` yet."""

T = TypeVar("T")


class Day(fields.Date):
    """A day on the site's calendar, in a century in which there is something to ask about."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> date:
        found: date = super()._deserialize(value, attr, data, **more)
        if not 2000 <= found.year <= 2100:
            raise ValidationError("Not a time between 2000 and 2100.")
        return found


class Paged(QuerySchema):
    after = fields.String(
        validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,200}$"),
        metadata={"description": "The `after` of the page before; left out: the first page."},
    )
    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(min=1, max=MOST_ROWS), metadata={"example": 100})


class OfDay(QuerySchema):
    day = Day(metadata={"example": "2026-03-02", "description": "Left out: today, on the site's calendar."})


class InPeriod(Schema):
    """Days from one to another, no more than `longest_days`."""

    longest_days = LONGEST_PERIOD_DAYS
    first = Day(required=True, metadata={"example": "2026-03-01"})
    last = Day(required=True, metadata={"example": "2026-03-31", "description": "Included."})

    @validates_schema
    def in_order(self, given: dict[str, Any], **more: Any) -> None:
        if not 0 <= (given["last"] - given["first"]).days < self.longest_days:
            raise ValidationError(f"Give a period of 1 to {self.longest_days} days.")


class PeriodPaged(InPeriod, Paged):
    staff = fields.UUID(metadata={"description": "Only this one's."})


@contextmanager
def source_of(caller: Caller) -> Iterator[Source]:
    """The live views of the caller's site. Raises Problem views_missing where a worker has never kept them."""
    parts = current_app.extensions["lunpai"]
    if parts.readers is None:
        raise Problem("views_missing")
    files = caller.office.files
    site = files.site()
    editions = files.editions().labels() if site.adoptions else ()
    try:
        with parts.readers.connection(site.id) as connection:
            yield Source(connection, parts.readers.read_side.schema, site.id, site.zone, editions)
    except NeverBuilt:
        raise Problem("views_missing") from None


def wait_for_views(position: int, views: Sequence[View]) -> None:
    """Wait a little until views hold up to a position. Raises Problem behind, views_missing."""
    readers = current_app.extensions["lunpai"].readers
    if readers is None:
        raise Problem("views_missing")
    try:
        there = readers.wait_until(position, views, WAIT_SECONDS)
    except NeverBuilt:
        raise Problem("views_missing") from None
    if not there:
        raise Problem("behind", "the views do not hold it yet", headers={"Retry-After": "1"})


def today(caller: Caller) -> date:
    return caller.now().astimezone(caller.office.files.site().zone).date()


def whom(caller: Caller, given: Mapping[str, Any], name: str) -> UUID | None:
    """Of whom the rows are: where only one's own is granted, the caller; else the one named, if any."""
    return caller.only_own_of or given.get(name)


# Pages


def cursor(after: Key | None) -> str | None:
    """A key as it is handed to the client: opaque, and of harmless characters."""
    return None if after is None else base64.urlsafe_b64encode(msgspec.json.encode(after)).decode().rstrip("=")


def key_after(given: Mapping[str, Any], first: Key) -> Key:
    """The key that a client goes on after; `first` on the first page. Raises Problem bad_fields for what is none."""
    shown = given.get("after")
    if shown is None:
        return first
    try:
        text = base64.b64decode(shown + "=" * (-len(shown) % 4), altchars=b"-_", validate=True)
        kinds: Any = tuple[tuple(KINDS[type(part)] for part in first)]  # type: ignore[misc]
        key: Key = msgspec.json.decode(text, type=kinds)
    except (ValueError, msgspec.DecodeError):
        raise Problem("bad_fields", errors={"query": {"after": ["Not the after of a page."]}}) from None
    return key


KINDS: dict[type, Any] = {
    datetime: Annotated[datetime, msgspec.Meta(tz=True)],
    UUID: UUID,
    date: date,
    int: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)],
    str: Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[!-~]*$")],
}
"""What the parts of a key are, as they are read back: nothing that a column could not hold."""
