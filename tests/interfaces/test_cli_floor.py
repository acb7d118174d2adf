"""The turn queue worked from a terminal: attendance, order, discipline, receptions - what is answered, and one clear line
for whatever can't be right."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from interfaces import cli_floor_receptions
from tests.interfaces.conftest import Lunpai
from tests.interfaces.desks import DAY, FOUR, MASKED, NEXT_DAY, PHONE, VISITOR, Desk


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A desk under front-desk-order."""
    return Desk(monkeypatch, capsys)


# Attendance and order


def test_signing_in_says_everybodys_place(desk: Desk) -> None:
    assert desk.says("08:50", "sign-in 林芳 王磊 陈静") == [
        "林芳 signed in; place 1 in the line for visits, place 1 in the line for calls",
        "王磊 signed in; place 2 in the line for visits, place 2 in the line for calls",
        "陈静 signed in; takes no turns",
    ]
    assert desk.says("08:55", "sign-in 周敏", language="zh") == ["周敏签到；来访队列第3位、来电队列第3位"]
    assert desk.says("17:30", "sign-out 林芳 周敏") == ["林芳 signed out", "周敏 signed out"]


def test_whoever_has_signed_in_already_stops_nobody_else(desk: Desk) -> None:
    desk.does("08:50", "sign-in 王磊")
    said = desk("08:55", "sign-in 林芳 王磊 周敏")
    assert said.status == 1 and [line.split()[0] for line in said.out.splitlines()] == ["林芳", "周敏"]
    assert said.err.startswith("lunpai: wrong_state: ") and "王磊: signed in already" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_an_unknown_name_among_several_signs_in_nobody(desk: Desk) -> None:
    said = desk("08:50", "sign-in 林芳 谁也不是")
    assert (said.status, said.out) == (1, "") and "unknown_staff" in said.err
    assert desk("08:51", "sign-in 林芳").status == 0


def test_leaving_the_floor_and_coming_back(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}")
    assert desk.says("09:00", "step-out 林芳 --for approved_business") == [
        "林芳 left the floor: out on approved business"
    ]
    assert desk.says("09:05", "unreachable 林芳") == ["林芳 could not be reached"]
    back = desk.says("09:30", "step-back 林芳", language="zh")
    assert back == ["林芳回岗；来访队列第1位、来电队列第1位"]
    assert desk.says("09:31", "not-ready 林芳 --reason untested") == ["林芳 takes no turns: has a test to pass first"]
    assert desk.says("09:40", "ready 林芳") == ["林芳 takes turns again"]


def test_leave_posts_door_and_kind_of_day(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}")
    assert desk.says("09:00", "permit 林芳 --for second_visitor --by 陈静") == [
        "林芳 may take a second visitor; leave given by 陈静"
    ]
    assert desk.says("09:01", "post 王磊 A") == ["王磊 is at post A"]
    assert desk.says("09:02", "door 周敏") == ["周敏 stands at the door"]
    assert desk.says("09:03", "day media --by 陈静") == ["it is a media day"]
    assert desk.says("09:04", "rank 赵云 林芳 --by 陈静") == ["the order is now: 赵云, 林芳"]


def test_who_is_relieved_at_the_door_is_told_what_is_owed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(monkeypatch, capsys, "half-hour-stand")
    desk.does("08:50", f"sign-in {FOUR}", "door 林芳")
    assert desk.says("09:00", "door 王磊") == [
        "王磊 stands at the door",
        "林芳 is relieved at the door, and owes 20 minutes",
    ]
    assert desk.says("09:00", "sign-out 赵云") == ["赵云 signed out; keeps the place for tomorrow"]


def test_giving_up_warnings_and_misconduct(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(monkeypatch, capsys, "forty-three-articles")
    desk.does("08:50", f"sign-in {FOUR}")
    assert desk.says("09:00", "give-up 林芳 --channel visit") == [
        "林芳 gave up a turn (visit); accepted [our-giving-up]",
        "林芳: goes to the end of the line for visits",
    ]
    for number in (1, 2, 3):
        assert desk.says("09:05", "warn 王磊 --by 陈静") == [
            f"王磊 was warned by 陈静; the warnings of the month: {number} [3p-41-2-1]"
        ]
    assert desk.says("09:06", "warn 王磊 --by 陈静", language="zh") == [
        "陈静警告王磊；本月第4次警告 [3p-41-2-1]",
        "王磊：罚款30元 [3p-41-2-1]",
    ]
    first, *effects = desk.says("09:07", "misconduct 周敏 grabbing --by 孙一")
    assert first.startswith("put on record of 周敏: grabbing a visitor out of turn (by 孙一) [3p-41-1-1")
    assert effects and effects[0].startswith("周敏: gets a warning")


def test_facts_for_programs_bear_names(desk: Desk) -> None:
    said = json.loads(desk("08:50", "sign-in 林芳 王磊 --json").out)
    assert [(fact["fact"], fact["staff"]) for fact in said["facts"]] == [
        ("queue.signed_in.v1", "林芳"),
        ("queue.signed_in.v1", "王磊"),
    ]
    assert said["facts"][0]["at"] == f"{DAY}T08:50:00+08:00"
    assert said["facts"][0]["edition"] == "front-desk-order@2000-01-01"
    assert said["position"] == desk.record.position()


# Receptions


def test_receiving_says_who_because_of_what_and_who_was_passed_over(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}", "step-out 林芳 --for approved_business")
    first, passed = desk.says("09:00", "receive --channel visit")
    assert first.startswith("r1: 王磊 receives: the first in the line who was free [3h-1, our-roster")
    assert passed.startswith(
        "passed over: 林芳 (out on approved business since 08:50; goes to the end of the line for visits;"
        " is owed a make-up for visits) [3h-2-1"
    )
    (again,) = desk.says("09:01", "receive --channel visit", language="zh")
    assert again.startswith("r2：周敏接待：排在首位 [3h-1, our-roster")
    assert desk.says("09:02", "receive quarrel --channel visit")[0].startswith(
        "quarrel: 赵云 receives: first in the line"
    )
    nobody, passed, anew = desk.says("09:03", "receive --channel call")
    assert anew.endswith("say `lunpai floor receive` anew")
    assert nobody.startswith("r3: nobody receives: nobody was free [")
    assert "王磊 (with r1 since 09:00)" in passed and "赵云 (with quarrel since 09:02)" in passed


def test_labels_are_the_next_free_numbers_of_the_day(desk: Desk) -> None:
    desk.does("22:50", f"sign-in {FOUR}", "receive r7 --channel visit")
    assert desk.says("23:00", "receive --channel visit")[0].startswith("r8: ")
    assert "duplicate_label" in desk("23:01", "receive r8 --channel visit").err
    desk.does("00:05", "sign-in 赵云", day=NEXT_DAY)
    # r7 and r8 still go on since before midnight.
    assert desk.says("00:06", "receive --channel visit", day=NEXT_DAY)[0].startswith("r1: 赵云")
    desk.does("00:07", "receive r6 --channel visit", day=NEXT_DAY)
    assert desk.says("00:08", "receive --channel visit", day=NEXT_DAY)[0].startswith("r9: ")
    assert desk.says("00:10", "finish r7", day=NEXT_DAY)[0].startswith("r7: the reception was over")


def test_a_known_visitor_by_phone_typed_unseen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.does("08:50", f"sign-in {FOUR}")
    desk.registers("08:55", "周敏")
    asked = []
    monkeypatch.setattr(click, "prompt", lambda text, **how: asked.append((text, how["hide_input"])) or PHONE)
    (said,) = desk.says("09:00", "receive --channel visit --phone -")
    assert said.startswith("r1: 周敏 receives: the visitor is a customer of 周敏 [")
    assert asked == [("phone", True)]
    first = desk.says("09:10", "finish r1 --visitor -")[0]
    assert first.startswith(
        f"r1: the reception was over; it was {MASKED}; it is no turn of 周敏 (received as the owner;"
    )
    assert asked[1:] == [("visitor", True)]


def test_asked_for_described_invited_brought_by_name(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}")
    desk.registers("08:55", "周敏")
    assert "赵云 receives: asked for by name" in desk.says("09:00", "receive --channel visit --asks-for 赵云")[0]
    assert "王磊 receives: invited the visitor" in desk.says("09:01", "receive --channel visit --invited-by 王磊")[0]
    brought = desk.says("09:02", f"receive --channel visit --brought-by {PHONE} --party 3 --appointment")
    assert "周敏 receives: the visitor was brought by a client of 周敏" in brought[0]
    described = desk.says("09:03", "receive --channel visit --describes 林芳")
    assert "林芳 receives: the visitor is a customer of 林芳" in described[0]
    desk.does("09:04", "finish r3")
    known = desk.says("09:05", f"receive --channel visit --visitor {VISITOR} --purpose press")
    assert "周敏 receives: the visitor is a customer of 周敏" in known[0]


def test_absent_too_soon_and_then_the_next(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(monkeypatch, capsys, "two-halves")
    desk.does("08:50", f"sign-in {FOUR}")
    desk.does("09:00", "receive --channel visit")
    said = desk("09:00", "absent r1")
    assert said.status == 1 and said.err.startswith("lunpai: too_soon: ") and "1 minutes" in said.err
    lines = desk.says("09:02", "absent r1")
    assert lines[0].startswith("r1: 林芳 was called and did not come; 王磊 receives: first in the line [")
    assert any(line.startswith("林芳: has the turn for visits taken back") for line in lines[1:])
    assert not any("passed over" in line for line in lines)


def test_recognised_handed_over_helped_and_finished(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}")
    desk.registers("08:55", "赵云")
    desk.does("09:00", "receive --channel visit")
    assert desk.says("09:01", "help-with r1 周敏") == ["r1: 周敏 joined"]
    lines = desk.says("09:05", f"recognise r1 {PHONE}")
    assert lines[0].startswith(f"r1: turned out to be {MASKED}; a customer of 赵云 who has met the visitor")
    assert "赵云 receives: the visitor is a customer of 赵云 [3h-own-2a-1" in lines[0]
    assert lines[1].startswith(
        "林芳: has the turn for visits taken back; goes back to the front of the line for visits"
    )
    assert "not_permitted" in desk("09:06", "hand-over r1 王磊 --by 周敏").err
    assert desk.says("09:07", "hand-over r1 王磊 --by 陈静")[0].startswith(
        "r1: 陈静 named 王磊 to receive instead of 赵云 [3h-4-2, our-may-name-another"
    )
    (over,) = desk.says("09:30", "finish r1")
    assert over.startswith("r1: the reception was over; it was 张** 139****0001; it is no turn of 王磊 (received with")


def test_an_unanswered_call_is_no_turn(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}", "receive --channel call", "receive --channel visit")
    lines = desk.says("09:00", "unanswered r1")
    assert lines[0] == "r1: nobody answered the call; it is no turn of 林芳"
    assert lines[1].startswith("林芳: has the turn for calls taken back; goes back to the front of the line for calls")
    assert "wrong_state" in desk("09:01", "unanswered r2").err


def test_finishing_says_whether_it_counts_and_why(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}", "receive --channel visit", "receive --channel visit")
    assert desk.says("09:00", "finish r1") == [
        "r1: the reception was over; it counts as a turn of 林芳 (received by turn; a new visitor; a buyer) [3h-4-1]"
    ]
    first, effect = desk.says("09:00", "finish r2 --purpose research", language="zh")
    assert first == "r2：接待结束；不计王磊的轮次（按轮次接待；新客户；市调人员） [3h-4-3]"
    assert effect == "王磊：撤回来访轮次一次；应补接来访一次 [3h-4-3]"


def test_a_visitor_is_entrusted_by_the_owner_alone(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}")
    desk.registers("08:55", "赵云")
    assert "not_owner" in desk("09:00", f"entrust {PHONE} 王磊 --by 周敏").err
    assert desk.says("09:00", f"entrust {PHONE} 王磊 --by 赵云") == ["王磊 looks after the visitor, as 赵云 asked"]
    said = json.loads(desk("09:01", f"entrust {PHONE} 周敏 --by 赵云 --json").out)
    assert (said["facts"][0]["to"], said["facts"][0]["by"]) == ("周敏", "赵云")
    desk.does("09:02", "step-out 赵云 --for private")
    (first, *_) = desk.says("09:03", f"receive --channel visit --phone {PHONE}")
    assert "周敏 receives: stands in for 赵云, whose customer the visitor is; as 赵云 had asked" in first


def test_a_reception_for_programs_is_what_why_answers(desk: Desk) -> None:
    desk.does("08:50", f"sign-in {FOUR}", "step-out 林芳 --for leave")
    said = json.loads(desk("09:00", "receive --channel visit --json").out)
    assert (said["reception"], said["receiver"], said["state"]) == ("r1", "王磊", "open")
    (step,) = said["steps"]
    assert (step["what"], step["choice"]["because"], step["choice"]["how"]) == ("opened", "turn", "first_free")
    assert [(one["staff"], one["reason"]) for one in step["choice"]["passed"]] == [("林芳", "leave")]
    assert said == json.loads(desk(None, f"why r1 --day {DAY} --json").out)


# Bad input

MORNING = (
    f"sign-in {FOUR}",
    "receive --channel visit",
    "receive --channel visit",
    "finish r2",
    "step-out 周敏 --for task",
)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("sign-in 谁也不是", "unknown_staff"),
        ("sign-in 林芳", "wrong_state"),
        ("sign-out 孙一", "not_signed_in"),
        ("step-out 孙一 --for task", "not_signed_in"),
        ("step-out 周敏 --for task", "stepped out already"),
        ("step-back 林芳", "has not stepped out"),
        ("ready 林芳", "so already"),
        ("permit 林芳 --for giving_up --by 王磊", "not_permitted"),
        ("post 林芳 A", "not_free"),
        ("post 孙一 A", "not_signed_in"),
        ("door 周敏", "not_free"),
        ("rank 林芳 林芳 --by 陈静", "bad_value"),
        ("rank 林芳 --by 王磊", "not_permitted"),
        ("day normal --by 陈静", "wrong_state"),
        ("give-up 赵云 --channel visit", "not_your_turn"),
        ("warn 林芳 --by 王磊", "not_permitted"),
        ("misconduct 林芳 quarrel --by 林芳", "not_permitted"),
        ("unreachable 林芳", "wrong_state"),
        ("receive r1 --channel visit", "duplicate_label"),
        ("receive ' ' --channel visit", "bad_value"),
        ("receive --channel visit --phone 1391234", "not a phone number"),
        ("receive --channel visit --visitor 没有此人", "unknown_visitor"),
        ("receive --channel visit --asks-for 谁也不是", "unknown_staff"),
        ("absent r9", "unknown_reception"),
        ("absent r2", "wrong_state"),
        ("finish r2", "the reception is over"),
        ("finish r9", "unknown_reception"),
        ("finish r1 --visitor 没有此人", "unknown_visitor"),
        ("recognise r1 没有此人", "unknown_visitor"),
        ("hand-over r1 林芳 --by 陈静", "receives already"),
        ("hand-over r1 周敏 --by 陈静", "not_free"),
        ("hand-over r1 王磊 --by 赵云", "not_permitted"),
        ("help-with r1 林芳", "is there already"),
        ("help-with r1 孙一", "not_signed_in"),
        ("unanswered r1", "only a call"),
        ("entrust 没有此人 王磊 --by 林芳", "unknown_visitor"),
        ("sign-in 孙一 --site nowhere", "unknown_site"),
        ("board --day 2025-02-30", "not a day such as"),
        ("board --day 2999-01-01", "does not lie on"),
    ],
)
def test_bad_input_is_one_clear_line_and_changes_nothing(desk: Desk, command: str, says: str) -> None:
    desk.does("08:50", *MORNING)
    before = desk.record.position()
    said = desk("09:30", command)
    assert (said.status, said.out) == (1, "")
    assert says in said.err and len(said.err.strip().splitlines()) == 1, said.err
    assert desk.record.position() == before


@pytest.mark.parametrize(
    "command",
    [
        "step-out 林芳 --for lunch",
        "not-ready 林芳 --reason lazy",
        "post 林芳 C",
        "receive --channel mail",
        "receive",
        "receive --channel visit --party 0",
        "receive --channel visit --purpose fun",
        "misconduct 林芳 smoking --by 陈静",
        "warn 林芳",
        "no-such",
    ],
)
def test_what_is_no_command_shows_how_to_use_it(desk: Desk, command: str) -> None:
    said = desk("09:30", command)
    assert said.status == 2 and "Usage:" in said.err and said.out == ""


def test_every_command_has_help(desk: Desk) -> None:
    names = cli_floor_receptions.floor.commands
    assert len(names) == 25
    for name in names:
        said = desk.typed(f"floor {name} --help")
        assert said.status == 0 and said.out.startswith("Usage:")


# On the real store


def test_a_morning_on_the_database(lunpai: Lunpai, tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    register.write_text(
        f"日期,时间,客户姓名,联系电话,方式,接待人\n2025-03-01,10:00,{VISITOR},{PHONE},来访,林芳\n", "utf-8"
    )
    assert lunpai("import", "--site", "晨会案场", "--rulebook", "front-desk-order", str(register)).status == 0
    at = ("--site", "晨会案场")
    assert lunpai("enrol", "王磊", *at).status == 0
    assert lunpai("floor", "sign-in", "林芳", "王磊", *at).out.count("signed in; place") == 2
    first = lunpai("floor", "receive", "--channel", "visit", *at)
    assert first.status == 0 and first.out.startswith("r1: 林芳 receives: first in the line"), first.err
    assert lunpai("floor", "receive", "--channel", "visit", *at).out.startswith("r2: 王磊 receives")
    board = json.loads(lunpai("floor", "board", *at, "--json").out)
    assert [one["state"] for one in board["lines"]["visit"]] == ["busy_new", "busy_new"]
    assert lunpai("floor", "finish", "r1", "--visitor", PHONE, *at).status == 0
    why = lunpai("floor", "why", "r1", *at)
    assert why.status == 0 and MASKED in why.out and PHONE not in why.out
    assert "unknown_reception" in lunpai("floor", "why", "r1", "--day", "2025-03-03", *at).err
