"""What is logged: every request once, and nothing that anybody typed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from application.event_store.appending import StoreUnavailable
from application.sales_office import SalesOffice
from interfaces.api.logs import JsonLines
from tests.api.house import House

SECRETS = ("赵强", "13900000001", "139", "钱多多", "lunpai_", "bad luck")


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    handler, log = Lines(), logging.getLogger()
    ours, level = logging.getLogger("lunpai.api"), logging.getLogger("lunpai.api").level
    log.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield handler.lines
    log.removeHandler(handler)
    ours.setLevel(level)


def test_a_line_a_request_without_personal_data(house: House, lines: list[str]) -> None:
    visitor = house.register("consultant", "赵强", "13900000001")
    house.does("visitors/look-up", {"phone": "13900000001"})
    house.ask("POST", "visitors/look-up", body={"phone": "13900000001", "钱多多": 1})
    house.ask("GET", "queue?phone=13900000001")
    house.ask("GET", "receptions/赵强13900000001")
    house.ask("GET", "/v1/赵强/13900000001")
    house.ask("POST", "registrations", body=b'{"name": "13900000001')
    house.ask("GET", f"visitors/{visitor}", headers={"X-Request-Id": "mine-1"})
    told = [json.loads(line) for line in lines]
    assert [line["status"] for line in told] == [200, 200, 422, 422, 404, 404, 400, 200]
    assert told[-1]["request_id"] == "mine-1" and told[-1]["route"] == "/v1/sites/<uuid:site>/visitors/<uuid:visitor>"
    assert told[4]["code"] == "unknown_reception" and "route" not in told[5]
    assert all(len(line["key"]) == 16 for line in told if line["status"] == 200)
    assert not [secret for secret in SECRETS for line in told for v in words(line) if secret in v]


def words(line: dict[str, Any]) -> list[str]:
    """What a line says, but for ids, in which any digits may stand."""
    return [str(v) for k, v in line.items() if k not in ("at", "request_id", "site", "key", "milliseconds")]


def test_a_mistake_of_ours_is_logged_by_kind_and_place(
    house: House, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: Any, **more: Any) -> None:
        raise ZeroDivisionError("bad luck with 赵强 13900000001")

    monkeypatch.setattr(SalesOffice, "register", fails)
    response = house.ask("POST", "registrations", body={"name": "赵强", "phone": "13900000001"})
    told = house.refused(response, 500, "internal")
    assert "赵" not in str(told) and "luck" not in str(told)
    failed, request = (json.loads(line) for line in lines)
    assert failed["error"] == "ZeroDivisionError" and any("fails" in frame for frame in failed["frames"])
    assert request["status"] == 500 and not [secret for secret in SECRETS if secret in lines[0].replace("lunpai_", "")]


def test_a_store_that_is_away(house: House, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: Any) -> None:
        try:
            raise TimeoutError("13900000001")
        except TimeoutError:
            raise StoreUnavailable("connection to 13900000001 lost") from None

    monkeypatch.setattr(house.store.record, "held_by", away)
    response = house.ask("GET", "", None, key="lunpai_" + "0" * 16 + "_" + "A" * 43)
    house.refused(response, 503, "store_unavailable")
    assert response.headers["Retry-After"] == "1"
    why, _ = map(json.loads, lines)
    assert (why["event"], why["error"]) == ("store unavailable", "TimeoutError"), "its kind, and not its words"
    assert "139" not in "".join(words(why))


def test_what_other_programs_warn_of_is_told_without_what_they_quote() -> None:
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 1, "Error handling %s in %d", ("/赵强", 7), None)
    assert json.loads(JsonLines().format(record))["event"] == "Error handling %s in %d 7"
