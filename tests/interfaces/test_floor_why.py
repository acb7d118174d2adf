"""`why` on the terminal: what somebody who quarrels about a turn needs to hear, in both languages - and no visitor's name
or number in full."""

from __future__ import annotations

import json
import re

import pytest

from tests.interfaces.desks import DAY, FOUR, MASKED, PHONE, SITE, STAFF, TEAMS, VISITOR, OpenDesk, opener, section


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> OpenDesk:
    return opener(monkeypatch, capsys)


def test_why_reads_like_an_answer_to_somebody_who_quarrels(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.does("09:50", "step-out 林芳 --for approved_business")
    desk.does("10:00", "receive --channel visit --asks-for 王磊")
    desk.does("10:02", "receive --channel visit --party 3")
    desk.does("10:20", "finish r2 --purpose research")
    lines = desk.says(None, f"why r2 --day {DAY}")
    assert lines[:7] == [
        f"Reception r2: visit, {DAY} 10:02",
        f"Site {SITE} (Asia/Shanghai)",
        "Rulebook front-desk-order@2000-01-01 (Order at the front desk)",
        "Visitor a visitor of whom nothing was known",
        "Said 3 persons",
        "Answer 周敏 receives: the first in the line who was free",
        "Now over at 10:20; it is no turn of 周敏 (received by turn; a new visitor; a market researcher)",
    ]
    line = " ".join(section(lines, "The line for visits at 10:02, as it stood"))
    for words_ in (
        "1 林芳 passed over: out on approved business since 09:50 3h-2-1(T13)",
        "2 王磊 passed over: with r1 since 10:00 our-second-visitor(T11)",
        "3 周敏 receives: the first in the line who was free",
        "4 赵云 would have been next, had 周敏 not been free",
    ):
        assert words_ in line
    decided = " ".join(section(lines, "What decided"))
    assert decided.startswith("周敏 receives: the first in the line who was free [3h-1, our-roster")
    assert decided.endswith("]. Had 周敏 not been free, 赵云 would have been next.")
    did = " ".join(section(lines, "What it did to turns"))
    assert "林芳 goes to the end of the line for visits; is owed a make-up for visits 3h-2-1(T13)" in did
    assert "周敏 takes a turn for visits; goes to the end of the line for visits 3h-4-1(T18,T25)" in did
    assert "王磊 keeps the place in the line for visits our-second-visitor(T11)" in did
    assert " ".join(section(lines, "What happened afterwards")) == (
        "10:20 The reception was over; it is no turn of 周敏 (received by turn; a new visitor; a market researcher)"
        " [3h-4-3]. 周敏: has the turn for visits taken back; is owed a make-up for visits [3h-4-3]"
    )
    cited = " ".join(section(lines, "Clauses in full"))
    assert "3h-2-1(T13) 第二条前段（接待客户轮排制度） Somebody out on business with the manager's leave" in cited
    assert "3h-4-3(T25)" in cited


def test_why_in_chinese(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.does("09:50", "step-out 林芳 --for approved_business")
    desk.does("10:02", "receive --channel visit")
    desk.does("10:20", "finish r1")
    lines = desk.says(None, f"why r1 --day {DAY}", language="zh")
    assert lines[0] == f"接待 r1：来访，{DAY} 10:02"
    assert "结论 王磊接待：队列中第一位空闲者" in lines
    assert "现状 10:20结束；计王磊一次轮次（按轮次接待；新客户；购房客户）" in lines
    line = section(lines, "10:02的来访队列")
    assert line[0] == "1 林芳 轮空：经批准因公外出（09:50起） 3h-2-1(T13)"
    assert line[2] == "3 周敏 若王磊不得空，即轮到此人"
    assert "林芳 排到来访队列末位；应补接来访一次 3h-2-1(T13)" in section(lines, "对轮次的影响")
    assert "若王磊不得空，即轮到周敏。" in section(lines, "判定")
    assert "轮到时经经理同意在外办公事的，可以补排。" in section(lines, "条款原文")
    assert not re.search("[a-z]{3,} [a-z]{3,}", " ".join(lines).replace(SITE, ""))


def test_an_owner_asked_before_the_line_and_a_stand_in(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.registers("08:52", "周敏")
    desk.does("08:55", "step-out 周敏 --for private")
    desk.does("09:00", f"receive --channel visit --phone {PHONE}")
    lines = desk.says(None, f"why r1 --day {DAY}")
    assert f"Visitor {MASKED}; a customer of 周敏 who has met the visitor; found by the phone number" in lines
    before = " ".join(section(lines, "Asked before the line"))
    assert before.startswith("周敏 whose customer the visitor is; out for private reasons since 08:55 3h-5-1(T22)")
    decided = " ".join(section(lines, "What decided"))
    assert decided.startswith("林芳 receives: stands in for 周敏, whose customer the visitor is [3h-5-1")
    assert "It was also the turn of 林芳. Had 林芳 not been free, 王磊 would have been next." in decided
    assert "3 周敏 not asked" in section(lines, "The line for visits at 09:00, as it stood")


def test_out_of_turn_by_name_says_whose_turn_it_was(opened: OpenDesk) -> None:
    desk = opened("longfor-showroom", "林芳 王磊 孙一", staff=TEAMS)
    desk.does("09:00", "receive --channel visit --asks-for 王磊")
    text = desk.why("r1")
    assert "王磊 receives: asked for by name [longfor-2-7]. By the line it was the turn of 林芳." in text
    assert "王磊 will be passed over once for visits, when next at the front longfor-2-7(T23)" in text
    board = section(desk.says("09:01", "board"), "Line for visits")
    assert board[-1] == "2 王磊 with r1 since 09:00 - - 1"
    desk.does("09:02", "finish r1")
    assert section(desk.says("09:03", "board"), "Line for visits")[-1] == (
        "2 王磊 free since 09:02; will be passed over once - - 1"
    )


def test_a_make_up_comes_before_the_line(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.does("09:00", "receive --channel visit", "finish r1 --purpose research", "receive --channel visit")
    text = desk.why("r2")
    assert "林芳 receives: owed a make-up, which comes before the line [our-make-up" in text
    assert "林芳 has the make-up for visits that was owed" in text
    assert desk.says("09:10", "finish r2") == [
        "r2: the reception was over; it was the make-up that 林芳 was owed, and no turn"
        " (received as a make-up; a new visitor; a buyer) [our-make-up]"
    ]
    desk.does("09:11", "receive --channel visit", "finish r3 --purpose press", "receive --channel visit")
    again = desk.says("09:12", "finish r4 --purpose press")
    assert "it is no turn of 王磊" in again[0] and again[1].startswith("王磊: is owed a make-up for visits, before all")


def test_absent_recognised_and_handed_over_are_told_in_order(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.registers("08:52", "赵云")
    desk.does("09:00", "receive --channel visit")
    desk.does("09:01", "absent r1")
    desk.does("09:05", f"recognise r1 {PHONE}")
    desk.does("09:06", "hand-over r1 周敏 --by 孙一")
    desk.does("09:30", "finish r1")
    lines = desk.says(None, f"why r1 --day {DAY}")
    later = " ".join(section(lines, "What happened afterwards"))
    told = [
        "09:01 林芳 was called and did not come; 王磊 receives: first in the line [",
        "林芳: has the turn for visits taken back [3h-seat-1",
        f"09:05 Turned out to be {MASKED}; a customer of 赵云 who has met the visitor; recognised later; 赵云 receives:"
        " the visitor is a customer of 赵云 [3h-own-2a-1",
        "王磊: has the turn for visits taken back; goes back to the front of the line for visits [3h-own-2a-1]",
        "09:06 孙一 named 周敏 to receive instead of 赵云 [3h-4-2, our-may-name-another",
        "09:30 The reception was over;",
    ]
    places = [later.index(text) for text in told]
    assert places == sorted(places)
    assert VISITOR not in str(lines) and PHONE not in str(lines)


def test_recognised_too_late_the_receiver_goes_on(opened: OpenDesk) -> None:
    desk = opened("two-rosters")
    desk.registers("08:52", "赵云")
    desk.does("09:00", "receive --channel visit")
    (said,) = desk.says("09:30", f"recognise r1 {PHONE}")
    assert "found out too late to hand over; 林芳 goes on receiving; the turn of 林芳 counts [" in said
    found = json.loads(desk(None, f"why r1 --day {DAY} --json").out)
    assert found["steps"][1]["choice"] is None and found["steps"][1]["in_time"] is False


def test_what_was_entered_later_says_so(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.does("09:00", "receive --channel visit")
    desk.clock = desk.clock.replace(hour=4)
    desk.does("09:40", "finish r1")
    assert "09:40 (entered 12:00) The reception was over" in desk.why("r1")


@pytest.mark.parametrize(
    ("rulebook", "before", "receive", "says"),
    [
        (
            "front-desk-order",
            ["post 赵云 A"],
            "--channel visit",
            "赵云 receives: at post A, which comes before the line",
        ),
        ("quarter-hour-greeter", ["door 周敏"], "--channel visit", "周敏 receives: stood at the door"),
        ("revised-reception", [], "--channel visit --purpose advertiser", "last of those free, to whom non-buyers go"),
        ("longfor-showroom", ["day media --by 陈静"], "--channel visit", "on a media day no visitors are received"),
        ("longfor-showroom", ["step-out 林芳 --for task"], "--channel visit", "supports the other team, where too few"),
        (
            "forty-three-articles",
            [f"receive --channel visit --asks-for {name}" for name in FOUR.split()],
            "--channel visit",
            "nobody was free, so the order was set aside",
        ),
        ("two-rosters", [f"step-out {name} --for leave" for name in FOUR.split()], "--channel call", "nobody was free"),
    ],
)
def test_what_else_may_decide(opened: OpenDesk, rulebook: str, before: list[str], receive: str, says: str) -> None:
    desk = opened(rulebook, staff=TEAMS if rulebook == "longfor-showroom" else STAFF)
    desk.does("09:00", *before)
    label = desk.says("09:01", f"receive {receive}")[0].partition(":")[0]
    assert says in " ".join(desk.says(None, f"why {label} --day {DAY}"))
    assert desk("09:02", "board").status == 0


def test_duty_outside_the_hours_of_turns(opened: OpenDesk) -> None:
    desk = opened("two-halves")
    desk.does("18:00", "receive --channel visit", "receive --channel visit", "receive --channel visit")
    assert "林芳 receives: on duty outside the hours of turns [3f-I-2-8" in desk.why("r1")
    assert "nobody receives: nobody on duty was free" in desk.why("r3")


def test_the_edition_of_the_decision_is_named_after_another_was_adopted(opened: OpenDesk) -> None:
    desk = opened("front-desk-order")
    desk.does("09:00", "receive --channel visit")
    assert desk.typed("adopt two-rosters --by 陈静", "09:05").status == 0
    desk.does("09:10", "finish r1")
    lines = desk.says(None, f"why r1 --day {DAY}")
    assert "Rulebook front-desk-order@2000-01-01 (Order at the front desk)" in lines
    found = json.loads(desk(None, f"why r1 --day {DAY} --json").out)
    assert [step["edition"] for step in found["steps"]] == ["front-desk-order@2000-01-01", "two-rosters@2000-01-01"]
    assert {clause["id"].partition("/")[0] for clause in found["clauses"]} == {"front-desk-order", "two-rosters"}
