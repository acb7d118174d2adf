"""The shapes of values in a scenario's steps: what is a label, what text, what a mapping. Meaning is the
commands' business."""

from __future__ import annotations

from typing import Any

from domain.refusals import Refusal

KINDS = {
    "name": "text",
    "phone": "text",
    "number": "text",
    "unit": "text",
    "buyer": "text",
    "amount": "text",
    "reason": "text",
    "shares": "texts by label",
    "heirs": "labels by label",
    "amend": "values by name",
    "proven": "anything",
    "fault": "anything",
    "appointment": "anything",
    "party": "anything",
    "order": "labels",
    "purpose": "text",
}
"""Key -> kind of value; keys that are not here take a label."""

TAKES_SEVERAL = {("sell", "by"), ("agree", "by")}


def is_text(value: Any) -> bool:
    """Text, or a number that somebody wrote without quotes."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def wrong_value(command: str, key: str, value: Any) -> str | None:
    """What is wrong with the value of a command's key; None when its shape is right."""
    kind = KINDS.get(key, "label")
    if kind == "anything" or (kind == "text" and value is None):
        return None
    if kind == "label":
        if isinstance(value, str):
            return None
        several = (command, key) in TAKES_SEVERAL
        if several and isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return None
        return f"{key} takes a label" + (", or a list of them" if several else "")
    if kind == "labels":
        fits = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
        return None if fits else f"{key} takes a list of labels"
    if kind == "text":
        return None if is_text(value) else f"{key} takes text"
    if not isinstance(value, dict):
        return f"{key} takes {kind}"
    if kind == "labels by label" and not all(isinstance(item, str) for item in value.values()):
        return f"{key} takes {kind}"
    return None


def text_of(value: Any) -> str | None:
    """Text as people write it: numbers (a phone without quotes) are taken as they stand. Raises Refusal bad_value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal("bad_value", f"{value!r} is not text")
    return str(value)
