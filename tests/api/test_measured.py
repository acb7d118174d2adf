"""Requests in numbers: by operation and never by path, and added up over processes whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter

import pytest
from prometheus_client import values
from prometheus_client.parser import text_string_to_metric_families

from domain.disclosure import Limits
from interfaces.api.app import RESOURCES
from interfaces.api.measured import FOLDER, Requests, counted_together, forget_process
from tests.api.house import House

Numbers = dict[tuple[str, tuple[str, ...]], float]


def numbers(text: str) -> Numbers:
    """(name, values of labels in order of their names) -> number."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def measured(house: House) -> Numbers:
    return numbers(house.ask("GET", "/v1/metrics").text)


def test_requests_by_operation(house: House) -> None:
    visitor = house.register("consultant", "赵强", "13900000001")
    for _ in range(3):
        house.ask("GET", f"visitors/{visitor}", "desk")
    house.ask("GET", "/v1/赵强/13900000001")
    house.ask("GET", "/v1/nothing/here")
    house.ask("DELETE", "queue")
    house.client.open("/healthz", method="BREW")
    house.client.get("/healthz")
    found = measured(house)
    answered = {labels: value for (name, labels), value in found.items() if name == "lunpai_http_requests_total"}
    assert answered == {
        ("POST", "register", "2xx"): 1,
        ("GET", "show_visitor", "2xx"): 3,
        ("GET", "none", "4xx"): 2,
        ("DELETE", "none", "4xx"): 1,
        ("other", "none", "4xx"): 1,
        ("GET", "healthz", "2xx"): 1,
    }
    assert found["lunpai_http_request_seconds_count", ("show_visitor",)] == 3
    assert found["lunpai_http_request_seconds_bucket", ("+Inf", "show_visitor")] == 3
    assert 0 < found["lunpai_http_request_seconds_sum", ("show_visitor",)] < 3
    assert found["lunpai_http_requests_under_way", ()] == 1, "the one that asks"


def test_refusals_by_code() -> None:
    house = House(limits=Limits(look_ups_a_minute=1))
    for _ in range(3):
        house.ask("POST", "visitors/look-up", "desk", {"phone": "13900000001"})
    house.ask("GET", "", None)
    house.ask("GET", "", None, key="nonsense")
    house.ask("POST", "staff", "desk", {"name": "林芳"})
    house.ask("POST", "queue/sign-out", "desk", {"who": str(house.staff["consultant"])})
    found = measured(house)
    refused = {labels[0]: value for (name, labels), value in found.items() if name == "lunpai_http_problems_total"}
    assert refused == {"too_many_requests": 2, "unauthenticated": 2, "access_denied": 1, "not_signed_in": 1}


def test_no_number_tells_of_anybody(house: House) -> None:
    visitor = house.register("consultant", "赵强", "13900000001")
    house.ask("GET", f"visitors/{visitor}?phone=13900000001")
    text = house.ask("GET", "/v1/metrics").text
    told = [visitor, str(house.site), "赵强", "1390000", "员工", *(str(one) for one in house.staff.values())]
    assert not [secret for secret in told if secret in text]
    named = {endpoint.rpartition(".")[2] for one in RESOURCES for endpoint in one.policies}
    named |= {"none", "healthz", "readyz", "docs", "openapi"}
    labels = {one.labels.get("operation", "none") for f in text_string_to_metric_families(text) for one in f.samples}
    assert labels <= named


def test_what_fails_is_no_longer_under_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.store.record, "held_by", lambda *_: 1 / 0)
    assert house.ask("GET", "", None, key="lunpai_" + "0" * 16 + "_" + "A" * 43).status_code == 500
    monkeypatch.undo()
    found = measured(house)
    assert found["lunpai_http_requests_under_way", ()] == 1
    assert found["lunpai_http_problems_total", ("internal",)] == 1


def test_offices_count_for_themselves(house: House) -> None:
    House().client.get("/healthz")
    assert ("lunpai_http_requests_total", ("GET", "healthz", "2xx")) not in measured(house)


def _worker(how_many: int, stays: bool) -> None:
    house = House()
    for _ in range(how_many):
        house.client.get("/healthz")
    if stays:
        house.app.extensions["lunpai"].requests._under_way.inc()
    os._exit(0)


def test_numbers_of_several_processes() -> None:
    before = values.ValueClass
    with counted_together():
        requests = Requests()
        spawning = multiprocessing.get_context("spawn")
        ended = Counter[int]()
        for how_many, stays in ((3, False), (4, True), (5, True)):
            process = spawning.Process(target=_worker, args=(how_many, stays))
            process.start()
            process.join(60)
            assert process.exitcode == 0 and process.pid is not None
            ended[process.pid] = how_many
        found = numbers(requests.text())
        assert found["lunpai_http_requests_total", ("GET", "healthz", "2xx")] == 12
        assert found["lunpai_http_request_seconds_bucket", ("+Inf", "healthz")] == 12
        assert found["lunpai_http_requests_under_way", ()] == 2, "as far as anybody knows"
        for pid in ended:
            forget_process(pid)
        found = numbers(requests.text())
        assert found["lunpai_http_requests_total", ("GET", "healthz", "2xx")] == 12, "what was counted stays counted"
        assert found.get(("lunpai_http_requests_under_way", ()), 0) == 0
        folder = os.environ[FOLDER]
    assert not os.path.exists(folder) and FOLDER not in os.environ and values.ValueClass is before
