"""Examples of answers, made from the very types that answers are made of: so each has all fields, and none is forgotten
when a type changes. What a field holds is told by its name."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from .examples import AT, COLLEAGUE, DISPUTE, PARAMETER, RECEPTION, RULEBOOK, SALE, SITE, STAFF, VISITOR

CLAUSE = f"{RULEBOOK}@2000-01-01#12"
NAME = "林芳"
DAY = "2026-03-02"

IDS = {"site": SITE, "visitor": VISITOR, "file": VISITOR, "about_file": VISITOR, "sale": SALE, "dispute": DISPUTE}
"""Name of a field -> the id that it holds; any other id is of a member of staff."""

WORDS: dict[str, Any] = {
    **dict.fromkeys(("staff", "owner", "receiver", "by", "helpers", "before", "joined", "line", "asks_for"), NAME),
    **dict.fromkeys(("shares", "share"), "1/2"),
    **dict.fromkeys(("amounts", "amount"), "6000.00"),
    **dict.fromkeys(("edition", "under", "editions"), f"{RULEBOOK}@2000-01-01"),
    **dict.fromkeys(("clauses", "id"), CLAUSE),
    **dict.fromkeys(("reception", "receptions"), RECEPTION),
    **dict.fromkeys(("rulebook", "rulebooks"), RULEBOOK),
    **dict.fromkeys(("title_en", "en"), "A customer is protected for so many days after the last follow-up."),
    **dict.fromkeys(("title_zh", "zh"), "最后一次跟进之后若干日内，客户受保护。"),
    **dict.fromkeys(("ground", "because"), "protected"),
    "site": "滨江一号",
    "fact": "visitor.registered.v1",
    "label": "D1",
    "dispute": "D1",
    "name": "赵*",
    "phone": "139****0001",
    "unit": "6-1-1204",
    "timezone": "Asia/Shanghai",
    "role": "consultant",
    "team": "A",
    "channel": "visit",
    "state": "open",
    "status": "open",
    "rules": "R12",
    "source": "art. 12",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "reason": "met the customer first",
    "after": None,
    "position": 2017,
    "registration": 1,
    "registrations": 1,
    "total_fen": 1_200_000,
    "amount_fen": 600_000,
    "repeated": False,
    "departed": False,
    "amend": {PARAMETER: 30},
    "content": {"by": STAFF, "registration": 1, "via": "visit"},
    "matter": {"sale": SALE, "unit": "6-1-1204"},
}
"""Name of a field -> what it holds, or what the members of the list or table that it is hold."""

KEYS = {"clauses": CLAUSE, "parameters": PARAMETER, "posts": "A", "staff_ids": NAME, "next": "visit", "lines": "visit"}
"""Name of a field -> a key of the table that it is; any other has a member of staff, by id, or a word."""


def example_of(answer: type[msgspec.Struct]) -> Any:
    """An example of an answer, as JSON would hold it."""
    return _made(inspect.type_info(answer), "")


def _made(kind: Any, name: str) -> Any:
    match kind:
        case inspect.StructType():
            return {field.encode_name: _made(field.type, field.encode_name) for field in kind.fields}
        case inspect.UnionType():
            return _of_union(kind, name)
        case inspect.ListType() | inspect.SetType() | inspect.CollectionType() | inspect.VarTupleType():
            return [_made(kind.item_type, name)]
        case inspect.TupleType():
            return [_made(part, name) for part in kind.item_types]
        case inspect.DictType():
            return _table(kind, name)
        case inspect.LiteralType():
            return WORDS.get(name) if WORDS.get(name) in kind.values else kind.values[0]
        case inspect.DateTimeType():
            return AT
        case inspect.DateType():
            return DAY
        case inspect.UUIDType():
            return IDS.get(name, STAFF)
        case inspect.BoolType():
            return WORDS.get(name, True)
        case inspect.IntType():
            word = WORDS.get(name)
            return word if isinstance(word, int) else 1
        case inspect.FloatType():
            return 0.5
        case _:
            return WORDS.get(name, name.replace("_", " "))


def _of_union(kind: inspect.UnionType, name: str) -> Any:
    """Nothing where there is no word for it, else an example of the first kind that is something."""
    something = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if WORDS.get(name, "") is None or (isinstance(something, inspect.StrType) and name not in WORDS):
        return None
    return _made(something, name)


def _table(kind: inspect.DictType, name: str) -> Any:
    if isinstance(WORDS.get(name), dict):
        return WORDS[name]
    key = KEYS.get(name) or (COLLEAGUE if isinstance(kind.key_type, inspect.UUIDType) else NAME)
    return {key: _made(kind.value_type, name)}
