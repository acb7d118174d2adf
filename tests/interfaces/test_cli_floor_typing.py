"""The floor's commands take names, days and times as people type them, and say in their language what can't be read."""

from __future__ import annotations

import json

import pytest

from tests.interfaces.desks import DAY, STAFF, Desk


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A desk under front-desk-order."""
    return Desk(monkeypatch, capsys)


def test_the_refusal_in_chinese(desk: Desk) -> None:
    assert desk("09:00", "finish r9", language="zh").err == "lunpai: unknown_reception：没有这次接待（r9）\n"


def test_what_a_refusal_is_about_in_chinese(desk: Desk) -> None:
    assert desk("09:00", "sign-in 谁也不是", language="zh").err.endswith("（谁也不是：名单上没有此名）\n")
    assert desk("09:00", "board --day 昨天", language="zh").err.endswith("（'昨天'不是日期，应如2026-03-31）\n")
    assert desk(None, "board --day 2999-01-01", language="zh").err.endswith("（2999-01-01还没到）\n")


def test_a_name_borne_twice_needs_the_id(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(monkeypatch, capsys, staff=(*STAFF, ("王磊", "consultant", None)))
    first, second = desk.office.files.staff_by_name()["王磊"]
    told = desk("08:50", "sign-in 王磊").err
    assert "several bear this name, give the id" in told and str(first) in told and str(second) in told
    assert desk.says("08:50", f"sign-in {first}")[0].startswith(f"王磊 ({str(first)[:4]}) signed in")
    shown = f"王磊 ({str(second)[:4]})"
    assert desk.says("08:50", f"sign-in '{shown}'")[0].startswith(f"{shown} signed in")


def test_a_time_that_is_none_is_told_once_as_typed(desk: Desk) -> None:
    said = desk.typed("floor sign-in 林芳 王磊 --at 25:00").err
    assert said.count("'25:00' is not a time such as 12:00") == 1 and "林芳" not in said


def test_times_of_today_need_no_day(desk: Desk) -> None:
    said = desk.typed("floor sign-in 林芳 --at 0:00:00 --json")
    assert json.loads(said.out)["facts"][0]["at"].endswith("T00:00:00+08:00")
    assert "bad_value" in desk.typed("floor sign-in 王磊 --at 25:00").err
    assert "bad_time" in desk.typed("floor sign-in 王磊 --at '2999-01-01 00:00'").err


def test_why_of_another_day_needs_the_day(desk: Desk) -> None:
    desk.does("09:00", "sign-in 林芳", "receive --channel visit")
    said = desk.typed("floor why r1")
    assert (said.status, said.out) == (1, "") and "unknown_reception" in said.err and "--day" in said.err
    assert desk.typed(f"floor why ' r1 ' --day {DAY}").status == 0
