"""The kinds of fields that requests are made of: shape only, no rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from domain.visitor import Entry

from .examples import AT, VISITOR


class Instant(fields.AwareDateTime):
    """An instant with its offset (RFC 3339); in UTC once loaded."""

    def __init__(self, **more: Any) -> None:
        super().__init__(format="iso", **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> datetime:
        found: datetime = super()._deserialize(value, attr, data, **more)
        if not 2000 <= found.year <= 2100:
            raise ValidationError("Not a time between 2000 and 2100.")
        return found.astimezone(UTC)


class Flag(fields.Boolean):
    """true or false, and no other way to say it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A whole number; in JSON, 2.0 is one too."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        whole = isinstance(value, float) and value.is_integer()
        return super()._deserialize(int(value) if whole else value, attr, data, **more)


def text(longest: int = 100, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=longest), **more)


def phone(**more: Any) -> fields.String:
    """A phone number as people write it: with or without +86, spaces, hyphens."""
    return text(40, metadata={"format": "phone", "example": "13900000001"}, **more)


def code(codes: Sequence[str], **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(codes), **more)


def count(least: int, most: int, **more: Any) -> fields.Integer:
    return Whole(validate=validate.Range(min=least, max=most), **more)


def rulebook(**more: Any) -> fields.String:
    """The id of a rulebook; never a path."""
    return fields.String(validate=validate.Regexp(RULEBOOK), **more)


RULEBOOK = r"[a-z0-9][a-z0-9-]{0,63}\Z"
SHARE = r"[0-9]{1,6}(/[0-9]{1,6})?\Z"
AMOUNT = r"[0-9]{1,12}(\.[0-9]{1,2})?\Z"


def shares(**more: Any) -> fields.Dict:
    """Staff -> fraction as text."""
    each = fields.String(validate=validate.Regexp(SHARE))
    return fields.Dict(keys=fields.UUID(), values=each, validate=validate.Length(min=1, max=50), **more)


def amendment(**more: Any) -> fields.Dict:
    """Parameter -> value; which there are, and what they may hold, the rulebook says."""
    names = fields.String(validate=validate.Length(min=1, max=100))
    return fields.Dict(keys=names, values=fields.Raw(allow_none=True), validate=validate.Length(max=50), **more)


class VisitorSchema(Schema):
    """An entry in the public register: the visitor's file, and which of its registrations."""

    visitor = fields.UUID(required=True, metadata={"example": VISITOR})
    registration = count(1, 10_000, load_default=1)

    @post_load
    def entry(self, given: dict[str, Any], **more: Any) -> Entry:
        return Entry(given["visitor"], given["registration"])


class CommandSchema(Schema):
    """What every command may say: when it happened. Without it, it happens as it is put on record."""

    at = Instant(metadata={"example": AT, "description": "When it happened, with its offset; left out: now."})


def position(kind: type[fields.Integer]) -> fields.Integer:
    """A position of the record."""
    return kind(
        validate=validate.Range(min=0, max=2**62),
        metadata={"description": "Answer by a record that holds at least this position, else 503.", "example": 0},
    )


class QuerySchema(Schema):
    """What every question may say in its query."""

    min_position = position(fields.Integer)


class PostedQuerySchema(Schema):
    """What every question may say that comes with a body."""

    min_position = position(Whole)


class OneOf(Schema):
    """A body in which exactly one of some fields is given."""

    one_of: tuple[str, ...] = ()

    @validates_schema
    def exactly_one(self, given: dict[str, Any], **more: Any) -> None:
        if sum(given.get(name) is not None for name in self.one_of) != 1:
            raise ValidationError(f"Give exactly one of {', '.join(self.one_of)}.")
