"""What schemathesis is told beside generated.toml: the ids that stand in the examples are those of the office that is
served, every command has a name of its own, and what a schema can't say of a request is checked here."""

from __future__ import annotations

import json
import os
import re
import unicodedata
import uuid
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import strategies as st

from interfaces.api.bodies import NOT_IN_TEXT

OF_THE_RULES = {"bad_value", "bad_time", "unknown_parameter", "rulebook_silent"}
"""Codes of 422 that speak of what was asked for, not of the form it was asked in."""

BEYOND_SCHEMAS = (
    r"Not the after of a page\.",  # handed out by the server, with every page
    r"Give a period of 1 to \d+ days\.",  # two days beside each other
    r"Not a time between 2000 and 2100\.",
)
"""What is wrong with the form of a request, and can't be said in a schema."""

NAME_OF_A_COMMAND = re.compile(r'"?[!-~]{1,200}"?')

schemathesis.openapi.format("phone", st.from_regex(r"\A1[39][0-9]{9}\Z"))
schemathesis.openapi.format("parameter", st.sampled_from(["attribution.protection_days"]))


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """In the place of the ids of the examples, those of the office that is served."""
    text = json.dumps(raw_schema)
    for example, real in json.loads(os.environ["LUNPAI_EXAMPLES"]).items():
        text = text.replace(example, real)
    raw_schema.update(json.loads(text))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """A name of its own for every command that has a lawful one: the same twice would be a repeat."""
    shown = (case.headers or {}).get("Idempotency-Key")
    if isinstance(shown, str) and NAME_OF_A_COMMAND.fullmatch(shown):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex


@schemathesis.check
def refusals_say_why(context: Any, response: Any, case: Any) -> None:
    """A well-formed request is refused by the rules alone; and 503 is said only of a position that is not there yet."""
    if response.status_code == 503:
        told = response.json()
        assert told["code"] == "behind" and "Retry-After" in {name.title() for name in response.headers}
        asked = (case.query or {}).get("min_position") or case.body["min_position"]
        there = re.fullmatch(r"the record holds (\d+)", told["detail"])
        # Nobody keeps the views live here: they stay behind what the requests have put on record.
        assert int(asked) > int(there[1]) if there else told["detail"] == "the views do not hold it yet"
    generated = case.meta is not None and case.meta.generation.mode.is_positive
    if response.status_code == 422 and generated:
        told = response.json()
        if told["code"] == "bad_fields":
            for sentence in _sentences(told.get("errors", [])):
                assert any(re.fullmatch(beyond, sentence) for beyond in BEYOND_SCHEMAS), told["errors"]
            assert "errors" in told or any(map(_no_text, [case.query, case.body, case.path_parameters]))
        else:
            assert told["code"] in OF_THE_RULES, told["code"]


def _no_text(given: Any) -> bool:
    """Whether there is a character in it that no text holds; \\p{C}, which not every reader of patterns
    knows."""
    if isinstance(given, str):
        return any(unicodedata.category(character) in NOT_IN_TEXT for character in unquote(given))
    if isinstance(given, dict):
        return any(map(_no_text, [*given, *given.values()]))
    return isinstance(given, list) and any(map(_no_text, given))


def _sentences(errors: Any) -> list[str]:
    if isinstance(errors, dict):
        return [one for inner in errors.values() for one in _sentences(inner)]
    return [one for inner in errors for one in _sentences(inner)] if isinstance(errors, list) else [str(errors)]
