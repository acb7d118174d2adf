"""Reports on the command line: right up to the record's end without anybody having built anything, as of any instant,
masked, in two languages, for people, programs and spreadsheets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from domain.rules import turn_vocabulary
from domain.rules.line import PASSED_BY
from interfaces import floor_words
from interfaces.cli_start import CONTESTED
from interfaces.report_floor_sheets import ASSIGNED, ATTENDANCE, BOARD, SCORED, STANDING, TURNS
from interfaces.report_words import AS, COUNTS, HEADINGS, PASSED, RECEPTION_STATUS, TITLES
from projections.assignments import FINISHED, NOBODY, OPEN, UNANSWERED
from tests.interfaces.conftest import Lunpai

REPORTS = (
    ["ownership"], ["open-pool"], ["lapsing"], ["follow-ups"], ["timeline", CONTESTED], ["disputes"], ["commission"],
    ["daily"], ["monthly"], ["scoreboard"], ["morning"], ["board"], ["turns"], ["assignments"],
)  # fmt: skip
WHOLE_PHONE = re.compile(r"(?<![\w-])(\+86)?1[3-9]\d{9}\b")


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report[0])
def test_every_report_says_up_to_where_it_holds_and_under_which_editions(
    lunpai: Lunpai, office: str, report: list[str]
) -> None:
    said = lunpai("report", *report, "--site", office)
    assert said.status == 0, said.err
    assert TITLES[report[0].replace("-", "_")][0] in said.out and office in said.out
    assert re.search(r"Holds up to fact \d+, recorded 20.*times of Asia/Shanghai", said.out)
    assert "forty-three-articles@2000-01-01" in said.out
    chinese = lunpai("--language", "zh", "report", *report, "--site", office)
    assert chinese.status == 0 and "适用制度" in chinese.out and not WHOLE_PHONE.search(said.out + chinese.out)
    found = json.loads(lunpai("report", *report, "--site", office, "--json").out)
    assert found["holds"]["position"] > 0 and found["holds"]["editions"] and found["site"] == office
    assert not WHOLE_PHONE.search(json.dumps(found["sheets"]))


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report[0])
def test_every_report_as_of_another_day(lunpai: Lunpai, office: str, report: list[str], tmp_path: Path) -> None:
    book = tmp_path / "report.xlsx"
    then = ["--site", office, "--as-of", "2026-05-10 12:00", "--known-at", "2026-05-11"]
    said = lunpai("report", *report, *then, "--xlsx", str(book))
    assert (said.status, said.out) == (0, ""), said.err
    pages = load_workbook(book)
    assert pages.sheetnames[-1] == "About" and TITLES[report[0].replace("-", "_")][0][:31] in (
        *pages.sheetnames,
        pages["About"]["A1"].value,
    )
    about = [row[0] for row in pages["About"].iter_rows(values_only=True)]
    assert "As it stood at 2026-05-10 12:00" in about and "By what was known at 2026-05-11 23:59" in about
    found = json.loads(lunpai("report", *report, *then, "--json").out)
    for code, sheet in found["sheets"].items():
        assert not sheet["more"]
        if TITLES[code][0][:31] in pages.sheetnames:
            assert pages[TITLES[code][0][:31]].max_row == len(sheet["rows"]) + 1


def test_a_report_needs_no_worker_and_no_rebuild(lunpai: Lunpai, office: str) -> None:
    assert lunpai("enrol", "岳一", "--site", office).status == 0
    assert lunpai("register", "穆小七", "--site", office, "--by", "岳一", "--phone", "13987650001").status == 0
    found = json.loads(lunpai("report", "ownership", "--site", office, "--owner", "岳一", "--json").out)
    (row,) = found["sheets"]["ownership"]["rows"]
    assert (row["visitor"], row["phone"], row["owner"]) == ("穆**", "139****0001", "岳一")
    assert (row["ground"], row["days_left"], row["bought"]) == ("first_contact", 30, False)
    due = json.loads(lunpai("report", "follow-ups", "--site", office, "--owner", "岳一", "--json").out)
    assert due["sheets"]["follow_ups"]["rows"][0]["reasons"] == ["not_called", "few_follow_ups"]
    today = json.loads(lunpai("report", "daily", "--site", office, "--json").out)
    assert {"what": "registered_visit", "count": 1} in today["sheets"]["daily"]["rows"]


def test_what_a_report_says_is_what_a_replay_says(lunpai: Lunpai, office: str) -> None:
    asked = ["--site", office, "--as-of", "2026-04-10"]
    replayed = json.loads(lunpai("replay", CONTESTED, *asked, "--json").out)
    found = json.loads(lunpai("report", "timeline", CONTESTED, *asked, "--json").out)
    assert found["sheets"]["timeline"]["rows"][-1]["owner"] == replayed["owner"] == "云宇敏"
    now = json.loads(lunpai("report", "timeline", CONTESTED, "--site", office, "--json").out)
    assert now["sheets"]["timeline"]["rows"][-1]["owner"] == "柏建敏"


def test_a_month_and_its_commission(lunpai: Lunpai, office: str) -> None:
    april = ["--site", office, "--month", "2026-04", "--json"]
    month = json.loads(lunpai("report", "monthly", *april).out)
    assert (month["first"], month["last"]) == ("2026-04-01", "2026-04-30")
    ((sales,),) = (month["sheets"]["sales"]["rows"],)
    paid = json.loads(lunpai("report", "commission", *april).out)
    assert paid["total"] == sales["commission"] and len(paid["sheets"]["commission"]["rows"]) == sales["sales"]
    scores = json.loads(lunpai("report", "scoreboard", *april).out)["sheets"]["scoreboard"]["rows"]
    assert sum(float(row["commission"]) for row in scores) == pytest.approx(float(paid["total"]))
    assert [row["rank"] for row in scores] == sorted(row["rank"] for row in scores)
    one = json.loads(lunpai("report", "commission", *april, "--staff", scores[0]["staff"]).out)
    assert one["total"] == scores[0]["commission"]
    day = json.loads(lunpai("report", "commission", "--site", office, "--day", "2026-04-15", "--json").out)
    assert (day["first"], day["last"]) == ("2026-04-15", "2026-04-15")


FLOOR = (
    ("2026-03-03 08:50", "sign-in", "苗磊涛", "水雪", "华静明"),
    ("2026-03-03 09:00", "receive", "r1", "--channel", "visit"),
    ("2026-03-03 09:05", "step-out", "水雪", "--for", "approved_business"),
    ("2026-03-03 09:10", "receive", "r2", "--channel", "visit"),
    ("2026-03-03 09:30", "finish", "r1"),
    ("2026-03-03 09:40", "misconduct", "水雪", "false_record", "--by", "陈经理"),
    ("2026-03-03 18:00", "sign-out", "苗磊涛", "水雪", "华静明"),
)


def test_a_day_on_the_floor_in_every_report_that_tells_of_it(lunpai: Lunpai, office: str) -> None:
    for at, *command in FLOOR:
        said = lunpai("floor", *command, "--site", office, "--at", at)
        assert said.status == 0, said.err

    def sheets(*report: str) -> dict[str, list[dict[str, object]]]:
        found = json.loads(lunpai("report", *report, "--site", office, "--json").out)["sheets"]
        return {code: sheet["rows"] for code, sheet in found.items()}

    day = sheets("board", "--day", "2026-03-03")
    board = {row["staff"]: row for row in day["board"]}
    assert board.keys() == {"苗磊涛", "水雪", "华静明"}
    assert [board["水雪"][code] for code in ("whereabouts", "passed", "fines")] == [
        "signed_out", {"approved_business": 1}, 30,
    ]  # fmt: skip
    assert [(row["reception"], row["receiver"], row["received_as"], row["state"]) for row in day["assignments"]] == [
        ("r1", "苗磊涛", "turn", "finished"), ("r2", "华静明", "turn", "open"),
    ]  # fmt: skip
    period = sheets("turns", "--from", "2026-03-02", "--to", "2026-03-03", "--staff", "苗磊涛")
    assert [(row["visit_turns"], row["received_as"]) for row in period["turns"]] == [(1, {"turn": 1})]
    assert [(row["days_present"], row["on_floor_minutes"]) for row in period["attendance"]] == [(1, 550)]
    assert len(sheets("assignments", "--from", "2026-03-03", "--to", "2026-03-03")["assignments"]) == 2
    scores = {row["staff"]: row for row in sheets("scoreboard", "--month", "2026-03")["scoreboard"]}
    assert (scores["华静明"]["visit_turns"], scores["水雪"]["fines"]) == (1, 30)
    morning = sheets("morning", "--day", "2026-03-04")
    assert {row["staff"] for row in morning["yesterdays_turns"]} == board.keys()
    assert [(row["staff"], row["month_fines"], row["suspended_today"]) for row in morning["standing"]] == [
        ("水雪", 30, False)
    ]
    said = lunpai("report", "board", "--site", office, "--day", "2026-03-03")
    assert "business ×1" in said.out and re.search(r"09:00 +r1 +visit +苗磊涛 +turn", said.out)
    chinese = lunpai("--language", "zh", "report", "morning", "--site", office, "--day", "2026-03-04").out
    assert "公出×1" in chinese and "昨日轮次" in chinese and "欠补接、停接、罚款" in chinese


def test_every_code_of_the_floor_has_its_words() -> None:
    assert AS.keys() == {*turn_vocabulary.AS} and floor_words.FOUND_BY.keys() >= {"phone", "visitor", "describes"}
    assert PASSED.keys() >= {*PASSED_BY, *turn_vocabulary.AWAY, *turn_vocabulary.NOT_READY}
    assert PASSED.keys() == floor_words.STATES.keys() - {
        *("free", "other_team", "did_not_come", "not_reserved", "takes_no_turns")
    }
    assert RECEPTION_STATUS.keys() == {OPEN, FINISHED, UNANSWERED, NOBODY}
    for sheet in (BOARD, ASSIGNED, TURNS, ATTENDANCE, STANDING, SCORED):
        assert {*sheet} <= HEADINGS.keys() | COUNTS.keys()
    for words in (*AS.values(), *PASSED.values(), *HEADINGS.values(), *TITLES.values()):
        assert all(words) and len(words) == 2


def test_a_long_list_is_cut_on_a_terminal_only(lunpai: Lunpai, office: str) -> None:
    said = lunpai("report", "ownership", "--site", office, "--rows", "3")
    assert "... and more: ask with --rows, --json or --xlsx" in said.out
    cut = json.loads(lunpai("report", "ownership", "--site", office, "--rows", "3", "--json").out)
    assert len(cut["sheets"]["ownership"]["rows"]) == 3 and cut["sheets"]["ownership"]["more"]
    whole = json.loads(lunpai("report", "ownership", "--site", office, "--json").out)
    assert len(whole["sheets"]["ownership"]["rows"]) > 600 and not whole["sheets"]["ownership"]["more"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["daily", "--day", "2026-02-30"], "not a day such as"),
        (["monthly", "--month", "2026-13"], "not a month such as"),
        (["monthly", "--month", "April"], "not a month such as"),
        (["ownership", "--as-of", "yesterday"], "not a time"),
        (["turns", "--from", "2026-04-31"], "not a day such as"),
        (["turns", "--from", "2026-04-02", "--to", "2026-04-01"], "2026-04-02 comes after 2026-04-01"),
        (["board", "--staff", "谁也不是"], "unknown_staff"),
        (["ownership", "--owner", "谁也不是"], "unknown_staff"),
        (["ownership", "--site", "nowhere"], "unknown_site"),
        (["timeline", "nothing-such"], "unknown_visitor"),
        (["daily", "--xlsx", "no/such/folder/x.xlsx"], "No such file or directory"),
    ],
)
def test_bad_input_is_one_clear_line(lunpai: Lunpai, office: str, arguments: list[str], says: str) -> None:
    site = [] if "--site" in arguments else ["--site", office]
    lunpai("report", "morning", "--site", office)  # so that nothing has to be built
    said = lunpai("report", *arguments, *site)
    assert (said.status, said.out) == (1, "")
    assert says in said.err and len(said.err.splitlines()) == 1, said.err


def test_a_code_means_one_thing() -> None:
    for code in COUNTS.keys() & HEADINGS.keys():
        assert COUNTS[code] == HEADINGS[code]
