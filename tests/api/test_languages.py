"""In which language a client is answered: the one it asks for, and English where it asks for none that is spoken."""

from __future__ import annotations

import pytest

from interfaces.api.errors import ERRORS
from tests.api.house import House


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("zh-CN", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh-cn", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("zh-Hans-CN, zh-Hans;q=0.9, en;q=0.8", "zh-CN"),
        ("fr, zh;q=0.2, en;q=0.1", "zh-CN"),
        ("en-GB", "en"),
        ("en;q=0.9, zh-CN;q=0.8", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        (";;;,=", "en"),
        ("zh;q=0, en;q=0.1", "en"),
        ("en;q=0, zh;q=0.1", "zh-CN"),
        ("../../etc/passwd, zh_CN.UTF-8", "zh-CN"),
        ("x" * 2000, "en"),
        (None, "en"),
    ],
)
def test_the_language_asked_for(house: House, asked: str | None, spoken: str) -> None:
    headers = {} if asked is None else {"Accept-Language": asked}
    response = house.ask("GET", "/v1/none", headers=headers)
    told = house.refused(response, 404, "not_found")
    assert response.headers["Content-Language"] == spoken
    assert told["title"] == ERRORS["not_found"][1 if spoken == "en" else 2]
    assert {"Accept-Language", "Authorization"} <= set(response.vary)


def test_one_client_after_another(house: House) -> None:
    titles = [house.ask("GET", "/v1/none", headers={"Accept-Language": one}).json or {} for one in ("zh", "en", "zh")]
    assert [one["title"] for one in titles] == ["没有此内容", "there is nothing here", "没有此内容"]
