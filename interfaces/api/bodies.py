"""Reading what a client sends: JSON and nothing else, of limited size, depth and length, without control characters."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import Request, g
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser

from .errors import Problem

JSON = "application/json"
LARGEST_BYTES = 64 * 1024
DEEPEST = 6
LONGEST_TEXT = 2000
MOST_ITEMS = 1000
NOT_IN_TEXT = ("Cc", "Cs", "Cn", "Co")
"""Control characters, half a surrogate pair, what no text holds."""


class StrictParser(FlaskParser):
    """Hands schemas the body as it was read here, and lets no unknown field pass, wherever it stands."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}  # noqa: RUF012 (the library's own way)

    def load_json(self, req: Request, schema: Schema) -> Any:
        return g.body


def read_body(request: Request) -> dict[str, Any]:
    """The JSON object that a request carries. Raises Problem not_json, bad_body, bad_fields."""
    if request.content_type != JSON and (
        request.mimetype != JSON or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8"
    ):
        raise Problem("not_json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("not_json")
    try:
        body = json.loads(request.get_data().decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem("bad_body") from None
    if not isinstance(body, dict):
        raise Problem("bad_body")
    _check(body)
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check(body: dict[str, Any]) -> None:
    for items, (depth, value) in enumerate(_walk(body), start=1):
        if depth > DEEPEST or items > MOST_ITEMS:
            raise Problem("bad_body")
        if isinstance(value, str):
            check_text(value)


def _walk(body: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Everything in a body with its depth, names of fields included; without recursion, however deep it is."""
    waiting: list[tuple[int, Any]] = [(1, body)]
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        if isinstance(value, dict):
            waiting += [(depth + 1, inner) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            waiting += [(depth + 1, inner) for inner in value]


def check_text(text: str) -> None:
    """Raises Problem bad_fields for text that is too long or holds what no text holds."""
    if len(text) <= LONGEST_TEXT and text.isprintable():
        return  # nearly every text: looking at each character takes longer than all else that is checked
    if len(text) > LONGEST_TEXT or any(unicodedata.category(character) in NOT_IN_TEXT for character in text):
        raise Problem("bad_fields", f"a text is longer than {LONGEST_TEXT} characters, or holds control characters")
