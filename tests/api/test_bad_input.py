"""What is not a request, or not one of ours: the right problem each time, and nothing on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from application.access_keys import Gate, revoke
from interfaces.api.bodies import LARGEST_BYTES
from interfaces.api.errors import ERRORS, STATUS
from interfaces.api.words import in_chinese
from tests.api.house import House, now


@pytest.fixture
def house() -> Iterator[House]:
    """An office in which nothing happens."""
    house = House()
    before = house.position
    yield house
    assert house.position == before, "something was put on record"


def body(text: str) -> bytes:
    return text.encode()


NOBODYS = "11111111-2222-4333-8444-555555555555"
DEEP = '{"a":' * 40 + "1" + "}" * 40
MANY = json.dumps({"order": [NOBODYS for _ in range(1000)]})


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"", 400, "bad_body"),
        (b"{", 400, "bad_body"),
        (b"[]", 400, "bad_body"),
        (b"null", 400, "bad_body"),
        (b'"text"', 400, "bad_body"),
        (b"\xff\xfe{}", 400, "bad_body"),
        (b'{"who": NaN}', 400, "bad_body"),
        (b'{"who": 1' + b"0" * 5000 + b"}", 400, "bad_body"),
        (b'{"who": "a", "who": "b"}', 400, "bad_body"),
        (body(DEEP), 400, "bad_body"),
        (b"[" * 60_000, 400, "bad_body"),
        (body('{"a":' * 12_000 + "1" + "}" * 12_000)[: LARGEST_BYTES - 1], 400, "bad_body"),
        (body(MANY), 400, "bad_body"),
        (b'{"who": "' + b"x" * LARGEST_BYTES + b'"}', 413, "too_large"),
        (b'{"who": "' + b"x" * 3000 + b'"}', 422, "bad_fields"),
        (b'{"who": "a\\u0000b"}', 422, "bad_fields"),
        (b'{"who": "a\\u001b[2Jb"}', 422, "bad_fields"),
        (b'{"who": "\\ud800"}', 422, "bad_fields"),
        (b'{"\\ud800": 1}', 422, "bad_fields"),
        (b"{}", 422, "bad_fields"),
        (b'{"who": null}', 422, "bad_fields"),
        (b'{"who": 7}', 422, "bad_fields"),
        (b'{"who": ["7"]}', 422, "bad_fields"),
        (b'{"who": {}}', 422, "bad_fields"),
        (b'{"who": "not an id"}', 422, "bad_fields"),
    ],
)  # fmt: skip
def test_a_body_that_is_none(house: House, sent: bytes, status: int, code: str) -> None:
    house.refused(house.ask("POST", "queue/sign-in", "desk", sent), status, code)


@pytest.mark.parametrize(
    ("path", "given", "field"),
    [
        ("registrations", {"name": ""}, "name"),
        ("registrations", {"name": "x" * 101}, "name"),
        ("registrations", {"name": "赵强", "phone": "1" * 41}, "phone"),
        ("registrations", {"name": "赵强", "via": "carrier pigeon"}, "via"),
        ("registrations", {"name": "赵强", "nickname": "强"}, "nickname"),
        ("registrations", {"name": "赵强", "at": "2026-03-02T10:02:00"}, "at"),
        ("registrations", {"name": "赵强", "at": "yesterday"}, "at"),
        ("registrations", {"name": "赵强", "at": "0001-01-01T00:00:00+14:00"}, "at"),
        ("registrations", {"name": "赵强", "at": 1}, "at"),
        ("receptions", {"channel": "visit", "party": 0}, "party"),
        ("receptions", {"channel": "visit", "party": "2"}, "party"),
        ("receptions", {"channel": "visit", "party": 1.5}, "party"),
        ("receptions", {"channel": "visit", "appointment": "yes"}, "appointment"),
        ("receptions", {"channel": "visit", "appointment": 1}, "appointment"),
        ("receptions", {"channel": "visit", "visitor": "x"}, "visitor"),
        ("receptions", {"channel": "visit", "visitor": {"visitor": NOBODYS, "more": 1}}, "visitor"),
        ("queue/rankings", {"order": []}, "order"),
        ("sales", {"visitor": {"visitor": NOBODYS}, "amount": "1e9"}, "amount"),
        ("sales", {"visitor": {"visitor": NOBODYS}, "amount": "１２"}, "amount"),
        ("sales", {"visitor": {"visitor": NOBODYS}, "amount": 12}, "amount"),
        (f"sales/{NOBODYS}/agreements", {"shares": {NOBODYS: "1e999999999"}, "by": [NOBODYS]}, "shares"),
        (f"sales/{NOBODYS}/agreements", {"shares": {"me": "1"}, "by": [NOBODYS]}, "shares"),
        ("rulebook/adoptions", {"rulebook": "../../etc/passwd.yaml"}, "rulebook"),
        ("rulebook/adoptions", {"rulebook": "rules.yaml"}, "rulebook"),
        ("replays", {"visitor": {"visitor": NOBODYS}, "under": "file.yml"}, "under"),
        ("replays", {}, "_schema"),
        ("replays", {"sale": NOBODYS, "dispute": NOBODYS}, "_schema"),
        ("visitors/look-up", {"phone": "1", "name": "2"}, "_schema"),
        ("visitors/look-up", {"phone": "13900000001", "min_position": "0"}, "min_position"),
        ("visitors/look-up", {"phone": "13900000001", "min_position": 0.5}, "min_position"),
        ("disputes", {"label": "D1"}, "_schema"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named(house: House, path: str, given: dict[str, Any], field: str) -> None:
    response = house.ask("POST", path, "manager", given, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    told = house.refused(response, 422, "bad_fields")
    assert list(told["errors"]["json"]) == [field]
    assert told["title"] == "字段缺失、未知或格式不对"
    assert in_chinese(told["errors"]) == told["errors"]
    assert not any("A" <= letter <= "Z" for letter in sentences(told["errors"]).replace("UUID", "").replace("T10", ""))


@pytest.mark.parametrize("path", ["visitors/look-up", "replays", "registrations"])
def test_what_comes_with_a_body_says_all_in_it(house: House, path: str) -> None:
    """Personal data in an address would be in every log on the way."""
    response = house.ask("POST", f"{path}?min_position=99999&phone=13900000001", "manager", {"phone": "13900000001"})
    told = house.refused(response, 422, "bad_fields")
    assert told["errors"] == {"query": {"min_position": ["Unknown field."], "phone": ["Unknown field."]}}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_day_that_nobody_means(house: House, day: str) -> None:
    paths = (
        f"receptions/r1?day={day}",
        f"reveals?first={day}&last={day}",
        f"look-ups?first={day}&last={day}",
    )
    for path in paths:
        house.refused(house.ask("GET", path, "manager"), 422, "bad_fields")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON knows one kind of number."""
    body = b'{"phone": "13900000001", "min_position": 1.0}'
    assert House().ask("POST", "visitors/look-up", "manager", body).status_code == 200


def test_a_field_of_a_query_stands_once(house: House) -> None:
    told = house.refused(house.ask("GET", "staff?min_position=1&min_position=2"), 422, "bad_fields")
    assert told["errors"] == {"query": {"min_position": ["Given twice."]}}


def sentences(errors: Any) -> str:
    if isinstance(errors, dict):
        return " ".join(map(sentences, errors.values()))
    return " ".join(map(sentences, errors)) if isinstance(errors, list) else str(errors)


@pytest.mark.parametrize(
    ("path", "given", "status", "code"),
    [
        ("registrations", {"name": "赵强", "phone": "110"}, 422, "bad_value"),
        ("registrations", {"name": "赵强", "at": "2099-01-01T00:00:00Z"}, 422, "bad_time"),
        ("registrations", {"name": "\u200b"}, 422, "bad_value"),
        ("rulebook/adoptions", {"rulebook": "nobodys-rulebook"}, 404, "unknown_rulebook"),
        ("rulebook/adoptions", {"amend": {"attribution.protection_days": {"a": 1}}}, 422, "bad_value"),
        ("rulebook/adoptions", {"amend": {"attribution.protection_days": 1e300}}, 422, "bad_value"),
        ("rulebook/adoptions", {"amend": {"no.such": 1}}, 422, "unknown_parameter"),
        ("queue/sign-in", {"who": NOBODYS}, 404, "unknown_staff"),
        (f"visitors/{NOBODYS}/follow-ups", {}, 404, "unknown_visitor"),
        ("receptions/r7/finish", {}, 404, "unknown_reception"),
        ("receptions/%00/finish", {}, 422, "bad_fields"),
        ("replays", {"sale": NOBODYS}, 404, "unknown_sale"),
        (f"disputes/{NOBODYS}/rulings", {"reason": "x"}, 404, "unknown_dispute"),
    ],
)  # fmt: skip
def test_what_the_office_refuses(house: House, path: str, given: dict[str, Any], status: int, code: str) -> None:
    response = house.ask("POST", path, "manager", given)
    house.refused(response, status, code)


def test_the_phone_is_never_repeated(house: House) -> None:
    response = house.ask("POST", "visitors/look-up", "desk", {"phone": "139000000011111"})
    assert "13900000" not in str(house.refused(response, 422, "bad_value"))


def test_headers(house: House) -> None:
    given = {"who": str(house.staff["desk"])}

    def send(**headers: str) -> TestResponse:
        return house.ask(
            "POST", "queue/sign-in", "desk", given, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    house.refused(send(Content_Type="text/plain"), 415, "not_json")
    house.refused(send(Content_Type="application/json; charset=gb18030"), 415, "not_json")
    house.refused(send(Content_Encoding="gzip"), 415, "not_json")
    house.refused(send(Idempotency_Key=""), 400, "idempotency_key_malformed")
    house.refused(send(Idempotency_Key="x" * 201), 400, "idempotency_key_malformed")
    house.refused(send(Idempotency_Key="a\tb"), 400, "idempotency_key_malformed")
    house.refused(send(If_Match="yesterday's"), 400, "bad_precondition")
    key = {"Authorization": f"Bearer {house.keys['desk']}", "Content-Type": "application/json"}
    house.refused(
        house.client.post(house.url("queue/sign-in"), json=given, headers=key), 400, "idempotency_key_missing"
    )


def test_what_a_request_calls_itself_can_not_break_a_header(house: House) -> None:
    for shown in ("a b", "x" * 65, "id;drop", "编号"):
        response = house.ask("GET", "", headers={"X-Request-Id": shown.encode().decode("latin-1")})
        assert response.status_code == 200
        assert response.headers["X-Request-Id"] != shown and len(response.headers["X-Request-Id"]) == 36
    assert house.ask("GET", "", headers={"X-Request-Id": "trace-1.2_3"}).headers["X-Request-Id"] == "trace-1.2_3"


def test_queries(house: House) -> None:
    house.refused(house.ask("GET", "queue?at=now"), 422, "bad_fields")
    house.refused(house.ask("GET", "queue?phone=13900000001"), 422, "bad_fields")
    house.refused(house.ask("GET", "queue?min_position=-1"), 422, "bad_fields")
    house.refused(house.ask("GET", "queue?min_position=%00"), 422, "bad_fields")
    house.refused(house.ask("GET", f"queue?min_position={house.position + 1}"), 503, "behind")
    assert house.ask("GET", f"queue?min_position={house.position}").status_code == 200
    house.refused(house.ask("POST", "queue/sign-in?x=1", "desk", {"who": str(house.staff["desk"])}), 422, "bad_fields")


def test_paths_and_methods(house: House) -> None:
    house.refused(house.ask("GET", "/v1/nothing"), 404, "not_found")
    house.refused(house.ask("GET", "/v1/sites/7"), 404, "not_found")
    house.refused(house.ask("GET", "/v1/rulebooks/..%2Fx"), 404, "not_found")
    house.refused(house.ask("GET", "/v1/rulebooks/rules.yaml"), 404, "not_found")
    response = house.ask("DELETE", "staff")
    house.refused(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_keys(house: House) -> None:
    good = house.keys["manager"]
    ids, secret = good[:-43], good[-43:]
    wrong = [
        *("", "x", "lunpai", good[:-1], good + "A", ids + secret.swapcase(), "lunpai_" + "0" * 16 + "_" + secret),
        *(good.upper(), " ", house.keys["desk"][:24] + secret),
    ]
    answers = {
        house.ask("GET", "", None, headers={"Authorization": f"Bearer {key}"}).get_json()["code"] for key in wrong
    }
    assert answers == {"unauthenticated"}
    for shown in (good, f"Basic {good}", f"Token {good}", "Bearer"):
        response = house.ask("GET", "", None, headers={"Authorization": shown})
        house.refused(response, 401, "unauthenticated")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="lunpai"'
    house.refused(house.ask("GET", "", None), 401, "unauthenticated")


def test_the_site_of_somebody_else(house: House) -> None:
    for path in (f"/v1/sites/{uuid4()}", f"/v1/sites/{uuid4()}/queue"):
        house.refused(house.ask("GET", path), 404, "unknown_site")
    house.refused(
        house.ask("POST", f"/v1/sites/{uuid4()}/registrations", "manager", {"name": "赵强"}), 404, "unknown_site"
    )


def test_every_refusal_has_a_status_and_every_problem_two_titles() -> None:
    for code, (status, english, chinese) in ERRORS.items():
        assert 400 <= status <= 503 and english and any(letter >= "\u4e00" for letter in chinese), code
    assert set(STATUS) <= set(ERRORS)


def test_keys_that_open_no_more() -> None:
    house = House()
    day = timedelta(days=1)
    ends = datetime.now(UTC) + day
    key = house.key("manager", expires_at=ends)
    gate = Gate(house.store.record)
    assert gate.whose(key, ends - day) and gate.whose(key, ends) is None
    assert house.ask("GET", "", None, key=key).status_code == 200
    revoke(house.office, now(), key=key.split("_")[1])
    assert gate.whose(key, ends - day) is None
    house.refused(house.ask("GET", "", None, key=key), 401, "unauthenticated")
    assert house.ask("GET", "", "manager").status_code == 200, "another key of the same person"


def test_another_sites_ids_are_unknown_here() -> None:
    here = House()
    there = here.open("江畔二号")
    staff = there.enrol_staff(now(), name="外人").subject
    assert staff is not None
    entry = there.register(now(), by=staff, name="赵强", phone="13900000001").entry
    assert entry is not None
    visitor = entry.visitor
    sale = there.sell(now(), entry=entry, by=[staff], amount=Decimal(100)).subject
    before = here.position
    here.refused(here.ask("GET", f"/v1/sites/{there.site_id}/staff"), 404, "unknown_site")
    here.refused(here.ask("GET", f"visitors/{visitor}"), 404, "unknown_visitor")
    here.refused(here.ask("GET", f"sales/{sale}"), 404, "unknown_sale")
    here.refused(here.ask("POST", "queue/sign-in", "desk", {"who": str(staff)}), 404, "unknown_staff")
    here.refused(here.ask("POST", f"visitors/{visitor}/follow-ups", "desk", {}), 404, "unknown_visitor")
    here.refused(here.ask("POST", "replays", "manager", {"visitor": {"visitor": str(visitor)}}), 404, "unknown_visitor")
    assert here.position == before
    assert here.does("visitors/look-up", {"phone": "13900000001"}, "desk") == {"found": []}
