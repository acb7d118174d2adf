"""What a consultant learns of another's customer from being refused: nothing that was not said in the asking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from interfaces.api import examples
from tests.api.house import House
from tests.api.test_rights import OPERATIONS, World

OF_VISITORS = {examples.VISITOR, examples.RELATIVE, examples.SALE, examples.DISPUTE}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def example_of(name: str) -> Any:
    operation = OPERATIONS[name][2]
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example", {})


def takes_a_visitor(name: str) -> bool:
    path, example = OPERATIONS[name][1], example_of(name)
    return any(part in path for part in ("{visitor}", "{sale}", "{dispute}")) or not OF_VISITORS.isdisjoint(
        _texts(example)
    )


OF_A_VISITOR = sorted(filter(takes_a_visitor, OPERATIONS))


def with_registration(value: Any, number: int) -> Any:
    """The body with another registration wherever it names a visitor."""
    if isinstance(value, dict):
        changed = {key: with_registration(inner, number) for key, inner in value.items()}
        return {**changed, "registration": number} if "visitor" in value or "registration" in value else changed
    return [with_registration(inner, number) for inner in value] if isinstance(value, list) else value


def bodies(world: World, name: str) -> Iterator[Any]:
    """Lawful in shape, about a colleague's customer, and each refused for another reason."""
    body = world.filled(example_of(name), "colleague")
    me, other = str(world.house.staff["consultant"]), str(world.house.staff["colleague"])
    yield body
    yield with_registration(body, 2)
    yield {**body, "registration": 7}
    for who in (me, other):
        for field in ("by", "to", "who"):
            if field in body and isinstance(body[field], str):
                yield {**body, field: who}
        if isinstance(body.get("by"), list):
            yield {**body, "by": [who]}
    if "unit" in body:
        yield {**body, "by": [me], "unit": "6-1-1202"}
    if name == "open_dispute":
        yield {"visitor": {"visitor": world.things["colleague"][examples.VISITOR]}, "by": me, "label": "D2"}
    if name == "replay_matter":
        things = world.things["colleague"]
        yield from ({"sale": things[examples.SALE]}, {"visitor": {"visitor": things[examples.VISITOR]}})


def secrets_of(house: House, things: dict[str, str]) -> set[str]:
    """All that could be told of the colleague's customers and what became of them."""
    told = {things[example] for example in OF_VISITORS} | {"3900000002", "3800000002", "客户2", "亲属2", "139****0002"}
    names = [house.office.files.staff_name(house.staff[who]) for who in ("colleague", "consultant", "manager")]
    return told | set(names) | {str(house.staff[who]) for who in ("colleague", "manager")} | {"6-1-1202"}


def test_there_are_such_operations() -> None:
    assert {"show_visitor", "reveal_visitor", "follow_up", "relate", "entrust", "assign", "sell", "open_dispute",
            "replay_matter", "recognise", "finish", "show_sale", "show_dispute", "rule"} <= set(OF_A_VISITOR)  # fmt: skip


@pytest.mark.parametrize("name", OF_A_VISITOR)
def test_a_refusal_says_nothing_of_a_colleagues_customer(name: str) -> None:
    world = World()
    house = world.house
    method, path, _ = OPERATIONS[name]
    refused = 0
    for part, example in examples.PATHS.items():
        path = path.replace(f"{{{part}}}", world.filled(example, "colleague"))
    asked = list(bodies(world, name)) if method == "POST" else [None]
    paths = [path] if method == "POST" or "/visitors/" not in path else [path, f"{path}?registration=2"]
    for body in asked:
        for each in paths:
            response = house.ask(method, each, "consultant", body)
            if response.status_code == 200:
                continue
            refused += 1
            sent = each + json.dumps(body, ensure_ascii=False)
            told = response.get_data(as_text=True) + str(response.headers)
            leaked = {one for one in secrets_of(house, world.things["colleague"]) if one in told and one not in sent}
            assert not leaked, (name, body, told)
    assert refused, f"{name}: nothing was refused"


def test_how_often_a_colleagues_customer_is_registered_is_not_told() -> None:
    house = House()
    visitor = house.register("colleague", "钱多多", "13900000002")
    told = [
        house.refused(house.ask(method, path, "consultant", body), 403, "access_denied")
        for number in (1, 2)
        for method, path, body in (
            ("GET", f"visitors/{visitor}?registration={number}", None),
            ("POST", f"visitors/{visitor}/reveals", {"purpose": "contact", "registration": number}),
            ("POST", "replays", {"visitor": {"visitor": visitor, "registration": number}}),
        )
    ]
    for one in told:
        one.pop("request_id")
    assert told[:3] == told[3:]
