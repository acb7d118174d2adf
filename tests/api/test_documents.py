"""The OpenAPI document and the page made of it: lawful, complete, and fetched from nowhere else."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from domain.record import FACTS
from interfaces.api.answers import HIDDEN
from interfaces.api.errors import ERRORS
from tests.api.house import House


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return dict(House().client.get("/openapi.json").json or {})


def operations(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for item in spec["paths"].values() for method, one in item.items() if method != "parameters"]


def test_the_document_is_openapi_3_1(spec: dict[str, Any]) -> None:
    assert spec["openapi"].startswith("3.1.")
    validate(spec)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in spec["components"]["schemas"])


def test_every_operation_says_all_it_has_to(spec: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(spec)]
    assert len(ids) == len(set(ids)) > 40
    for operation in operations(spec):
        assert operation["summary"].endswith("."), operation["operationId"]
        assert operation["x-roles"] and operation["x-scope"]
        assert {"401", "403", "422", "503"} <= operation["responses"].keys()
        for status, response in operation["responses"].items():
            if status != "200":
                named = response["content"]["application/problem+json"]["examples"]
                assert {ERRORS[code][0] for code in named} == {int(status)}
        if "requestBody" not in operation:
            asked = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
            assert "min_position" in asked, f"{operation['operationId']}: its query is not documented"
        if "requestBody" in operation:
            assert "example" in operation["requestBody"]["content"]["application/json"], operation["operationId"]


def test_every_answer_has_an_example_that_is_one(spec: dict[str, Any]) -> None:
    for operation in operations(spec):
        told_of = list(filter(None, operation["responses"]["200"]["content"].values()))  # OpenAPI shows no bytes
        assert told_of, operation["operationId"]
        for told in told_of:
            schema = {**told["schema"], "components": spec["components"]}
            Draft202012Validator(schema).validate(told["example"])
            assert told["example"], operation["operationId"]


def test_shapes_are_said_as_any_reader_of_schemas_reads_them(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    assert "\\\\Z" not in msgspec.json.encode(spec).decode()
    assert schemas["Agreement"]["properties"]["shares"] == {
        "type": "object", "minProperties": 1, "maxProperties": 50, "propertyNames": {"type": "string", "format": "uuid"},
        "additionalProperties": {"type": "string", "pattern": "^[0-9]{1,6}(/[0-9]{1,6})?$"},
    }  # fmt: skip
    assert schemas["LookUp"]["oneOf"] == [{"required": ["phone"]}, {"required": ["name"]}]


def test_links_lead_to_operations_and_their_parameters(spec: dict[str, Any]) -> None:
    parameters = {
        one["operationId"]: {part["name"] for part in item.get("parameters", [])}
        for item in spec["paths"].values()
        for method, one in item.items()
        if method != "parameters"
    }
    links = [link for one in operations(spec) for link in one["responses"]["200"].get("links", {}).values()]
    assert len(links) > 20
    for link in links:
        assert set(link["parameters"]) == parameters[link["operationId"]]


def test_both_ways_in_are_documented(spec: dict[str, Any]) -> None:
    schemes = spec["components"]["securitySchemes"]
    assert spec["security"] == [{"key": []}, {"token": []}] and schemes.keys() == {"key", "token"}
    assert {one["scheme"] for one in schemes.values()} == {"bearer"} and schemes["token"]["bearerFormat"] == "JWT"
    for operation in operations(spec):
        assert "issuer_unavailable" in operation["responses"]["503"]["description"]


def test_answers_are_what_the_document_says(spec: dict[str, Any], house: House) -> None:
    def fits(name: str, answer: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        Draft202012Validator(schema).validate(answer)

    house.does("queue/sign-in", {"who": str(house.staff["consultant"])})
    fits("Happened", house.does("receptions", {"channel": "visit"}))
    fits("Board", house.reads("queue"))
    fits("Why", house.reads("receptions/r1"))
    visitor = house.register("consultant", "赵强", "13900000001")
    fits("VisitorLine", house.reads(f"visitors/{visitor}"))
    fits("Replay", house.does("replays", {"visitor": {"visitor": visitor}}))
    fits("SaleLine", house.reads(f"sales/{house.sell('consultant', visitor, '1-1')}"))
    fits("ProblemLine", house.ask("GET", "/v1/none").json)


def test_no_fact_is_told_with_what_is_sealed() -> None:
    for name, fact in FACTS.items():
        sealed = {field.name for field in msgspec.structs.fields(fact) if "bytes" in str(field.type)}
        assert sealed <= HIDDEN, name


@pytest.mark.parametrize(("language", "heading"), [("en", "Problems"), ("zh-CN", "错误")])
def test_the_page_needs_nothing_from_elsewhere(language: str, heading: str) -> None:
    response = House().client.get("/docs", headers={"Accept-Language": language})
    page = response.text
    assert heading in page and "/v1/sites/{site}/receptions" in page and "not_your_turn" in page
    assert "<script" not in page and not re.search(r"(src|href)=.(https?:)?//", page) and "@import" not in page
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_health_and_readiness_ask_for_no_key(house: House) -> None:
    assert house.client.get("/healthz").json == {"status": "ok"}
    assert (house.client.get("/readyz").json or {})["position"] == house.position
