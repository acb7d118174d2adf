"""What the OpenAPI document says of the shape of bodies where the library leaves it unsaid, or says it as only Python
would read it."""

from __future__ import annotations

from typing import Any

from flask_smorest import Api
from marshmallow import fields

from .fields import OneOf

ENDS = {r"\Z": "$"}
"""The end of a text, in Python's patterns and in those of JSON Schema (ECMA-262)."""


def say_shapes(api: Api) -> None:
    """Teach the registry of operations; before any is registered."""
    converter = api.ma_plugin.converter
    for said in (size_of_table, anchored_pattern):
        converter.add_attribute_function(said)


def size_of_table(self: Any, field: fields.Field, ret: dict[str, Any], **more: Any) -> dict[str, Any]:
    """How many entries a table has, and what its keys are."""
    if not isinstance(field, fields.Dict):
        return {}
    sizes = {"minProperties": ret.pop("minLength", None), "maxProperties": ret.pop("maxLength", None)}
    keys = {"propertyNames": self.field2property(field.key_field)} if field.key_field else {}
    return {**{name: size for name, size in sizes.items() if size is not None}, **keys}


def anchored_pattern(self: Any, field: fields.Field, ret: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Python's patterns hold from the beginning of a text; in a schema they hold anywhere unless it is said."""
    pattern = ret.get("pattern")
    if pattern is None:
        return {}
    for python, ecma in ENDS.items():
        pattern = pattern.replace(python, ecma)
    return {"pattern": f"^{pattern}"}


def choices(schemas: dict[str, Any]) -> None:
    """Say of the bodies in which exactly one of some fields is given that it is so."""
    for body in OneOf.__subclasses__():
        if (said := schemas.get(body.__name__)) is not None:
            said["oneOf"] = [{"required": [name]} for name in body.one_of]
