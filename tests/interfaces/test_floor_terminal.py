"""The board on the terminal: words for every code in both languages, how everybody stands, at any width."""

from __future__ import annotations

import json
import re
import string
from datetime import date
from typing import get_args

import pytest

from domain.record import FACTS
from domain.rules.turn_vocabulary import (
    AS,
    AWAY,
    GROUNDS,
    MISCONDUCTS,
    NOT_READY,
    PURPOSES,
    STANDINGS,
    TIES,
    TURN_TABLES,
)
from domain.sales_turn_queue import CHANNELS, EffectKind, PassedOver, Why
from interfaces import floor_board
from interfaces import floor_words as words
from interfaces.floor_board import board
from interfaces.floor_why import ASKED_AS
from tests.interfaces.desks import DAY, NEXT_DAY, PHONE, SITE, STAFF, Desk, OpenDesk, at_time, opener, section

TABLES = {name: table for name, table in vars(words).items() if name.isupper() and name != "TURN_CONDITIONS"}
SAYS_NOTHING = {("TIES", "none"), ("LABELS", "received_as")}
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> OpenDesk:
    return opener(monkeypatch, capsys)


# Words


def test_every_code_of_the_floor_has_words() -> None:
    assert PassedOver.__doc__ is not None
    reasons = PassedOver.__doc__.partition("`reason`:")[2].replace("(by the rules such a visitor is nobody's)", "")
    named = {one.strip() for one in reasons.partition(", or why")[0].split(",")}
    assert {"did_not_come", "not_reserved", "owes_pass"} <= named
    assert words.STATES.keys() == named | {*AWAY, *NOT_READY, "free", "takes_no_turns"}
    assert words.AWAY.keys() == set(AWAY) == set(get_args(Why)) and words.NOT_READY.keys() == set(NOT_READY)
    assert words.EFFECTS.keys() == {*get_args(EffectKind), "keeps_place"}
    assert words.AS.keys() == set(AS) and words.STANDINGS.keys() == set(STANDINGS)
    assert words.PURPOSES.keys() == set(PURPOSES) and words.MISCONDUCTS.keys() == set(MISCONDUCTS)
    assert words.TIES.keys() == {*TIES, "none"}
    assert words.AS_ASKED.keys() == {*GROUNDS, "make_up"} == {*ASKED_AS.values(), "make_up"}
    assert words.TURN.keys() == set(TURN_TABLES["turns.revealed"].effects["turn"])
    assert words.CHANNELS.keys() == words.FOR.keys() == set(CHANNELS)
    assert words.HOW.keys() >= {*AS, *(f"stand_in_{ground}" for ground in GROUNDS)} - {"turn", "stand_in"}


def test_every_fact_of_the_floor_has_words() -> None:
    stored = {name.split(".")[1] for name in FACTS if name.startswith("queue.")}
    assert stored <= words.HAPPENED.keys()


@pytest.mark.parametrize("name", TABLES)
def test_both_languages_say_the_same(name: str) -> None:
    for code, (english, chinese) in TABLES[name].items():
        blanks = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (english, chinese)]
        assert blanks[0] == blanks[1] or name == "EFFECTS", code
        if (name, code) not in SAYS_NOTHING:
            assert english and CHINESE.search(chinese) and not CHINESE.search(english), code


# The board


def a_morning(opened: OpenDesk) -> Desk:
    """王磊 with a new visitor, 周敏 with one of his own, 林芳 out, 赵云 not there yet."""
    desk = opened("front-desk-order", "林芳 王磊 周敏 孙一")
    desk.registers("08:52", "周敏")
    desk.does("08:55", "step-out 林芳 --for approved_business")
    desk.does("09:00", "receive --channel visit", f"receive --channel visit --phone {PHONE}")
    desk.does("09:01", "permit 王磊 --for second_visitor --by 陈静")
    return desk


def test_the_board_of_an_instant_is_the_same_read_from_any_later_one(
    opened: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of now it goes on from the queue as it stands, of earlier from what had happened until then: both tell the same."""
    desk = opened("front-desk-order", "林芳 王磊 周敏 孙一")
    read: list[date] = []
    happened = floor_board.happened
    monkeypatch.setattr(floor_board, "happened", lambda office, day: read.append(day) or happened(office, day))
    told = {}
    for clock, command in (
        ("08:55", "step-out 林芳 --for approved_business"),
        ("09:00", "receive --channel visit"),
        ("09:10", "permit 王磊 --for second_visitor --by 陈静"),
        ("09:20", "step-back 林芳"),
        ("09:30", "finish r1 --purpose buy"),
        ("10:00", "receive --channel call"),
    ):
        desk.does(clock, command)
        told[clock] = board(desk.office, at_time(clock))
    assert read == []
    for clock, then in told.items():
        assert board(desk.office, at_time(clock)) == then
    assert read == [date.fromisoformat(DAY)] * (len(told) - 1)


def test_the_board_says_who_stands_where_and_how(opened: OpenDesk) -> None:
    lines = a_morning(opened).says("09:10", "board")
    assert lines[0] == f"Floor of {SITE}, {DAY} 09:10"
    assert lines[1:4] == [
        "Rulebook front-desk-order@2000-01-01",
        "Next for a visit 王磊 receives: the first in the line who was free",
        "Next for a call 王磊 receives: the first in the line who was free",
    ]
    visits = section(lines, "Line for visits")
    assert visits[0] == "who now turns make-ups passes"
    assert sorted(" ".join(line.split()[1:]) for line in visits[2:]) == [
        "周敏 with r2, an earlier visitor since 09:00 - - -",
        "林芳 out on approved business since 08:55 - 1 -",
        "王磊 with r1 since 09:00; may take a second visitor 1 - -",
    ]
    assert [line.split()[0] for line in visits[2:]] == ["1", "2", "3"]
    assert section(lines, "Not in a line") == ["赵云 not signed in", "孙一 takes no turns"]
    assert section(lines, "Receptions going on")[2:] == [
        "r1 visit 王磊 09:00 by turn",
        "r2 visit 周敏 09:00 as the owner",
    ]
    assert "At the door" not in str(lines) and "This month" not in lines


def test_the_board_in_chinese(opened: OpenDesk) -> None:
    lines = a_morning(opened).says("09:10", "board", language="zh")
    assert lines[0] == f"{SITE}轮排板 {DAY} 09:10"
    assert "下一来访 王磊接待：队列中第一位空闲者" in lines
    visits = [" ".join(line.split()[1:]) for line in section(lines, "来访队列")[2:]]
    assert sorted(visits) == [
        "周敏 正在接待老客户r2（09:00起） - - -",
        "林芳 经批准因公外出（08:55起） - 1 -",
        "王磊 正在接待r1（09:00起）；可同时接待第二组 1 - -",
    ]
    assert section(lines, "不在队列") == ["赵云 未签到", "孙一 不参加轮排"]


def test_the_board_as_it_stood_earlier(opened: OpenDesk) -> None:
    desk = a_morning(opened)
    then = desk.says("08:53", "board")
    assert section(then, "Line for visits")[2:] == [
        "1 林芳 free since 08:50 - - -",
        "2 王磊 free since 08:50 - - -",
        "3 周敏 free since 08:50 - - -",
    ]
    assert section(then, "Receptions going on") == ["none"]
    ended = [" ".join(line.split()) for line in desk.typed(f"floor board --day {DAY}").out.splitlines()]
    assert ended[0] == f"Floor of {SITE}, {DAY} 23:59" and "r1 visit 王磊 09:00 by turn" in ended
    early = desk.typed(f"floor board --day {DAY} --at 7:00").out
    assert f"{DAY} 07:00" in early and "Nobody had a place in it." in early
    assert desk.typed(f"floor board --day {DAY} --at '{NEXT_DAY} 07:00'").err.startswith("lunpai: bad_value")


def test_fines_warnings_and_suspensions_of_the_month(opened: OpenDesk) -> None:
    desk = opened("sign-in-roster")
    desk.does("09:00", "misconduct 周敏 grabbing --by 陈静")
    month = section(desk.says("09:05", "board"), "This month")
    assert month == [f"周敏 50 yuan in fines; no turns on {NEXT_DAY}"]
    tomorrow = desk.says("08:00", "board", day=NEXT_DAY)
    assert section(tomorrow, "This month") == month
    desk.does("08:10", "sign-in 周敏", day=NEXT_DAY)
    later = desk.says("08:11", "board", day=NEXT_DAY)
    assert "周敏 suspended for the day" in " ".join(section(later, "Line for visits"))
    chinese = desk.says("08:12", "board", day=NEXT_DAY, language="zh")
    assert section(chinese, "本月") == [f"周敏 罚款50元；停接：{NEXT_DAY}"]


def test_posts_the_door_and_the_kind_of_day(opened: OpenDesk) -> None:
    desk = opened("half-hour-stand")
    desk.does("09:00", "door 林芳", "post 赵云 A", "post 周敏 B", "day media --by 陈静")
    desk.does("09:10", "door 王磊")
    lines = desk.says("09:15", "board")
    assert "At the door 王磊 since 09:10; 林芳 owes 20 minutes" in lines
    assert "Posts A 赵云, B 周敏" in lines and "Day a media day" in lines


def test_turns_of_the_period_beside_todays(opened: OpenDesk) -> None:
    desk = opened("periodic-rotation")
    desk.does("09:00", "receive --channel visit", "finish r1")
    desk.does("08:50", "sign-in 林芳 王磊", day=NEXT_DAY)
    visits = section(desk.says("09:00", "board", day=NEXT_DAY), "Line for visits")
    assert visits[0] == "who now turns since 03-01 make-ups passes"
    assert "2 林芳 free since 08:50 - 1 - -" in visits


def test_one_line_where_the_rosters_are_shared(opened: OpenDesk) -> None:
    desk = opened("front-desk-order", amend={"turns.rosters": "shared"})
    said = desk("09:00", "receive --channel call")
    assert "goes to the end of the line" in " ".join(desk.why("r1").split()) and said.status == 0
    lines = desk.says("09:05", "board")
    assert "Line for visits" not in lines and "Line for calls" not in lines
    assert section(lines, "Line for visits and calls")[-1] == "4 林芳 with r1 since 09:00 1 - -"


def test_receptions_of_before_midnight_go_on(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.does("23:50", "receive --channel visit")
    lines = desk.says("00:10", "board", day=NEXT_DAY)
    assert f"r1 visit 林芳 {DAY} 23:50 by turn" in section(lines, "Receptions going on")


def test_the_board_for_programs(opened: OpenDesk) -> None:
    desk = a_morning(opened)
    found = json.loads(desk("09:10", "board --json").out)
    assert found["next"]["visit"]["staff"] == "王磊" and found["edition"] == "front-desk-order@2000-01-01"
    (wang,) = (one for one in found["lines"]["visit"] if one["staff"] == "王磊")
    assert (wang["state"], wang["receptions"], wang["turns_today"]) == ("free", ["r1"], 1)
    assert found["staff_ids"].keys() == {name for name, _, _ in STAFF}
    assert [one["reception"] for one in found["receptions"]] == ["r1", "r2"]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_at_any_width_nothing_is_lost(opened: OpenDesk, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    desk = a_morning(opened)
    monkeypatch.setenv("COLUMNS", str(width))
    for command in ("board", f"why r2 --day {DAY}"):
        said = desk(None if "why" in command else "09:10", command)
        assert said.status == 0 and "…" not in said.out
        assert all(len(line) <= width for line in said.out.splitlines())


def test_names_steer_nothing(opened: OpenDesk) -> None:
    desk = opened("front-desk-order", "[red]周", staff=(("[red]周", "consultant", None), *STAFF))
    desk.does("09:00", "receive x --channel visit")
    assert "[red]周 receives: first in the line" in desk.why("x")
    assert "x visit [red]周" in " ".join(desk.says("09:01", "board"))
