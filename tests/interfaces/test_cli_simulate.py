"""`lunpai simulate` as people meet it: tables, JSON, a picture, speed on stderr, and one clear line for bad input."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from application.sales_floor import SalesFloor
from application.simulation import simulate
from application.simulation_office import ZONE
from application.simulation_report import Curve, Report, Simulated
from application.simulation_script import Plan
from domain.refusals import Refusal
from domain.rules.turn_vocabulary import AS, AWAY, NOT_READY
from interfaces import cli_simulate
from interfaces.simulation_chart import LEGEND_ROW, TOP, _apart, _step, draw
from interfaces.simulation_words import BECAUSE, COLUMNS, HEADINGS, LINES_OF, REASONS, SENTENCES
from interfaces.store import scratch_store
from tests.interfaces.conftest import Lunpai

SVG = "{http://www.w3.org/2000/svg}"
SMALL = ("simulate", "two-rosters", "--days", "2", "--staff", "3", "--seed", "7")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without a server: what is played in memory needs none."""
    return tmp_path_factory.mktemp("home")


def test_tables_for_people(lunpai: Lunpai) -> None:
    said = lunpai("--language", "en", *SMALL)
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "Simulation: two-rosters, 2 days, 3 consultants, seed 7"
    assert all(english in lines for english, _ in HEADINGS.values())
    assert [line.split()[0] for line in lines if line[:2] in ("C1", "C2", "C3")] == ["C1", "C2", "C3"] * 3
    assert "Make-ups: " in said.out and "DO NOT" not in said.out
    assert "days: 2, receptions: " in said.err and "a second)" in said.err


def test_tables_in_chinese(lunpai: Lunpai) -> None:
    said = lunpai("--language", "zh", *SMALL, "--amend", "turns.carry_over=true", "--plain")
    assert said.status == 0
    assert "模拟：two-rosters" in said.out and "本次改动：turns.carry_over=True" in said.out and "补接：" in said.out
    assert "每秒" in said.err


def test_json_for_programs(lunpai: Lunpai) -> None:
    first, again = lunpai(*SMALL, "--json"), lunpai(*SMALL, "--json")
    assert first.status == 0 and first.out == again.out
    found = json.loads(first.out)
    assert list(found) == list(Report.__struct_fields__)
    assert (found["rulebook"], found["days"], found["staff"], found["seed"]) == ("two-rosters", 2, 3, 7)
    person = found["consultants"][0]
    assert {"name", "days_present", "turns", "make_ups", "receptions", "passed_over", "fines_yuan"} <= person.keys()
    assert person["turns"].keys() == {"visit", "call"} and person["make_ups"].keys() == {"granted", "served", "owed"}
    assert found["make_ups_hold"] is True
    assert found["largest_lead"].keys() == {"turns", "line", "on", "at", "ahead", "behind"}


def test_a_switch_is_changed_by_true_and_false(lunpai: Lunpai) -> None:
    said = lunpai(*SMALL, "--json", "--amend", "turns.ab_posts=true", "--amend", "turns.absent_after_minutes=2")
    assert json.loads(said.out)["amend"] == {"turns.ab_posts": True, "turns.absent_after_minutes": 2}


def test_a_picture_beside_the_report(lunpai: Lunpai, tmp_path: Path) -> None:
    file = tmp_path / "turns.svg"
    said = lunpai("--language", "en", *SMALL, "--svg", str(file))
    assert said.status == 0 and str(file) in said.err and said.out
    root = ElementTree.parse(file).getroot()
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == "Turns over time: two-rosters, 3 consultants, seed 7"
    assert desc is not None and root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert [line.get("data-name") for line in curves_in(root)] == ["C1", "C2", "C3"]
    assert "href" not in file.read_text("utf-8")


def curves_in(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in root.iter(f"{SVG}path") if path.get("class") == "curve"]


def simulated(**changed: Any) -> Simulated:
    plan = Plan(rulebook="two-rosters", days=1, staff=2, seed=1, plain=True)
    with scratch_store("memory", lambda line: None) as store:
        return simulate(replace(plan, **changed), store.record, store.keyring, store.shelf)


def test_lines_are_told_apart_without_colours() -> None:
    found = simulated(staff=20)
    root = ElementTree.fromstring(draw(found, ZONE, "en").encode())
    looks = [(line.get("stroke-dasharray"), line.get("stroke-width")) for line in curves_in(root)]
    assert len(looks) == len(set(looks)) == 20
    legend = [text.text for text in root.iter(f"{SVG}text") if text.text and text.text[0] == "C"]
    assert len(legend) == 20
    assert f"C01  {found.curves[0].points[-1][1]}" in legend


def test_a_line_ends_with_the_last_turn_and_names_cannot_break_the_picture() -> None:
    found = simulated()
    turns = tuple((at, number) for at, number in found.curves[0].points)
    odd = replace(found, curves=(Curve("<&\x00>", turns), Curve("none", ())))
    root = ElementTree.fromstring(draw(odd, ZONE, "zh").encode())
    first, second = curves_in(root)
    assert second.get("d", "").count("V") == 0
    assert first.get("d", "").count("V") == len({at for at, _ in turns})


def test_the_legend_keeps_its_rows_apart() -> None:
    placed = _apart([TOP, TOP, TOP + 1, 300.0], 400.0)
    assert all(later - earlier >= LEGEND_ROW for earlier, later in pairwise(placed))
    assert placed[-1] == 300.0
    at_the_bottom = _apart([400.0, 400.0, 400.0], 400.0)
    assert at_the_bottom[-1] <= 400.0 - LEGEND_ROW / 2 and at_the_bottom[0] < at_the_bottom[1] < at_the_bottom[2]


@pytest.mark.parametrize(("highest", "step"), [(0, 1), (8, 1), (9, 2), (17, 5), (40, 5), (41, 10), (7588, 1000)])
def test_steps_of_the_axis_of_turns(highest: int, step: int) -> None:
    assert _step(highest) == step


BAD = [
    (("--days", "0"), 2, "--days"),
    (("--staff", "1"), 2, "--staff"),
    (("--visitors", "-1"), 2, "--visitors"),
    (("--seed", "x"), 2, "--seed"),
    (("--amend", "turns.order"), 1, "bad_value"),
    (("--amend", "turns.order=alphabet"), 1, "bad_value"),
    (("--amend", "turns.carry_over=maybe"), 1, "bad_value"),
    (("--amend", "turns.none=1"), 1, "unknown_parameter"),
    (("--svg", "no-such-folder/turns.svg"), 1, "No such file"),
]


@pytest.mark.parametrize(("typed", "status", "told"), BAD, ids=lambda value: str(value))
def test_bad_input_is_one_clear_line(lunpai: Lunpai, typed: tuple[str, ...], status: int, told: str) -> None:
    said = lunpai(*SMALL, *typed)
    assert (said.status, said.out) == (status, "")
    assert told in said.err.splitlines()[-1]


def test_an_unknown_rulebook_is_refused(lunpai: Lunpai) -> None:
    said = lunpai("simulate", "no-such", *SMALL[2:])
    assert said.status == 1 and "unknown_rulebook" in said.err


def test_an_unexpected_refusal_is_told(lunpai: Lunpai, monkeypatch: pytest.MonkeyPatch) -> None:
    def sign_out(*_: object, **__: object) -> None:
        raise Refusal("wrong_state", "a fault")

    monkeypatch.setattr(SalesFloor, "sign_out", sign_out)
    said = lunpai(*SMALL)
    assert said.status == 1 and "sign_out at 2026-03-02" in said.err and "a fault" in said.err


def test_make_ups_that_do_not_add_up_are_a_failure(lunpai: Lunpai, monkeypatch: pytest.MonkeyPatch) -> None:
    found = simulated()
    report = replace(found.report, make_ups_hold=False)
    monkeypatch.setattr(cli_simulate, "simulate", lambda *_: replace(found, report=report))
    said = lunpai("--language", "en", *SMALL)
    assert said.status == 1 and "Make-ups DO NOT ADD UP" in said.out


def test_every_code_has_words_in_both_languages() -> None:
    assert set(AS) <= BECAUSE.keys()
    assert {*AWAY, *NOT_READY} <= REASONS.keys()
    for table in (BECAUSE, REASONS, COLUMNS, HEADINGS, LINES_OF, SENTENCES):
        assert all(english and chinese for english, chinese in table.values())
