"""What kinds of parameters and tables a rulebook's vocabulary is made of, and whether a value fits its parameter."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Kind = Literal["days", "count", "code", "codes", "switch", "time"]

NUMBER = ("0 .. 100000",)
"""In place of an effect's codes: a whole number."""


class ParameterSpec(msgspec.Struct, frozen=True):
    """`kind`: days or count (a whole number up to `most`), code (one of `codes`), codes (a list of them), switch (true
    or false), time (of day, HH:MM). Where `may_be_none`, the file may say none instead."""

    kind: Kind
    zh: str
    en: str
    codes: tuple[str, ...] = ()
    may_be_none: bool = False
    most: int = 36_500


class TableSpec(msgspec.Struct, frozen=True):
    """`conditions`: name -> its codes; `effects`: name -> its codes, () for a fraction, NUMBER for a number;
    `required`: effects a row must have."""

    zh: str
    en: str
    conditions: dict[str, tuple[str, ...]]
    effects: dict[str, tuple[str, ...]]
    required: tuple[str, ...]


def wrong_for(spec: ParameterSpec, value: object) -> str | None:
    """None when a value fits, else what is wrong with it."""
    if value is None:
        return None if spec.may_be_none else "a value is needed, not none"
    wrong = _CHECKS[spec.kind](spec, value)
    return f"{wrong}, nor none" if wrong and spec.may_be_none else wrong


def _wrong_number(spec: ParameterSpec, value: object) -> str | None:
    what = "a whole number of days" if spec.kind == "days" else "a whole number"
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= spec.most
    return None if fits else f"{value!r} is not {what} from 0 to {spec.most}"


def _wrong_code(spec: ParameterSpec, value: object) -> str | None:
    return None if value in spec.codes else f"{value!r} is none of: {', '.join(spec.codes)}"


def _wrong_codes(spec: ParameterSpec, value: object) -> str | None:
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        return f"{value!r} is not a list of codes"
    unknown = [code for code in value if code not in spec.codes]
    if unknown:
        return f"unknown: {', '.join(unknown)}; allowed: {', '.join(spec.codes)}"
    return f"{value!r} names a code twice" if len(set(value)) < len(value) else None


def _wrong_switch(spec: ParameterSpec, value: object) -> str | None:
    return None if isinstance(value, bool) else f"{value!r} is neither true nor false"


def _wrong_time(spec: ParameterSpec, value: object) -> str | None:
    fits = isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)
    return None if fits else f"{value!r} is not a time of day such as 17:30"


_CHECKS = {
    "days": _wrong_number,
    "count": _wrong_number,
    "code": _wrong_code,
    "codes": _wrong_codes,
    "switch": _wrong_switch,
    "time": _wrong_time,
}
