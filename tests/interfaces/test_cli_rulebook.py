"""`lunpai rulebook explain` and `compare`: what they print, in which language, and one clear line for what is wrong."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from application.rule_titles import RULES
from application.rulebook_comparison import compare
from application.rulebooks import Shelf
from domain.rules.vocabulary import PARAMETERS
from interfaces.rulebook_terminal import render
from tests.application.small_rulebook import ownership_only, small
from tests.interfaces.conftest import Lunpai

DOCS = Path(__file__).parents[2] / "docs" / "rulebooks.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TWO = ("two-rosters", "revised-reception")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without a server: rulebooks need none."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def own(home: Path) -> str:
    """A rulebook of the office's own on its shelf."""
    folder = home / "rulebooks" / "house"
    folder.mkdir(parents=True, exist_ok=True)
    text = Shelf().edition("two-rosters")[1].replace("rulebook: two-rosters", "rulebook: house")
    (folder / "2000-01-01.yaml").write_text(text.replace("en: Two rosters", "en: House rules"), "utf-8")
    return "house"


# explain


@pytest.mark.parametrize("rulebook", Shelf().ids())
def test_every_shipped_rulebook_is_explained(lunpai: Lunpai, rulebook: str) -> None:
    edition, _ = Shelf().edition(rulebook)
    for language, title in (("en", edition.title_en), ("zh", edition.title_zh)):
        said = lunpai("--language", language, "rulebook", "explain", rulebook)
        assert (said.status, said.err) == (0, "") and said.out.startswith(f"# {title}")
        assert all(f"`{parameter}`" in said.out for parameter in PARAMETERS)
        rows = [line for line in said.out.splitlines() if " → " in line]
        assert all(bool(CHINESE.search(row)) == (language == "zh") for row in rows)
        assert all(f"`{key.partition('/')[2]}`" in said.out for key in edition.clauses)


def test_explain_an_unknown_rulebook(lunpai: Lunpai) -> None:
    said = lunpai("rulebook", "explain", "nix")
    assert said.status == 1 and said.out == "" and said.err.startswith("lunpai: unknown_rulebook")


def test_a_page_steers_no_terminal(lunpai: Lunpai, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    text = Shelf().edition("two-rosters")[1]
    path.write_text(text.replace("en: Two rosters", 'en: "Two\\e[31m rosters"'), "utf-8")
    for arguments in (("explain", str(path)), ("compare", str(path), "--markdown"), ("compare", str(path))):
        said = lunpai("rulebook", *arguments)
        assert said.status == 0 and "\x1b" not in said.out


# compare


def test_compare_two_on_one_rule(lunpai: Lunpai) -> None:
    said = lunpai("rulebook", "compare", *TWO, "--rule", "C2")
    lines = said.out.splitlines()
    assert (said.status, said.err) == (0, "")
    assert lines[0] == "C2  A client's referral closed by a colleague"
    assert "3n-5b" in said.out and "2/3" in said.out
    assert [line.split() for line in lines if line.startswith("revised-reception")] == [["revised-reception", "silent"]]


def test_rules_come_in_their_order_each_once(lunpai: Lunpai) -> None:
    said = lunpai(
        "rulebook", "compare", "two-rosters", "--rule", "T19", "--rule", "A1", "--rule", "t2", "--rule", "T19"
    )
    assert re.findall(r"^([A-Z]\d+)  ", said.out, re.MULTILINE) == ["T2", "T19", "A1"]


def test_without_more_all_shipped_rulebooks_on_all_rules(lunpai: Lunpai, own: str) -> None:
    found = json.loads(lunpai("rulebook", "compare", "--json").out)
    assert [rulebook["rulebook"] for rulebook in found["rulebooks"]] == Shelf().ids()
    assert [rule["rule"] for rule in found["rules"]] == list(RULES)
    assert all([one["rulebook"] for one in rule["rulebooks"]] == Shelf().ids() for rule in found["rules"])


def test_for_programs_there_are_codes_and_both_languages(lunpai: Lunpai) -> None:
    said = lunpai("rulebook", "compare", *TWO, "--rule", "T12", "--json", "--language", "zh")
    found = json.loads(said.out)
    assert found["rulebooks"][0].keys() >= {"rulebook", "in_force_from", "title_en", "title_zh", "sha256"}
    (rule,) = found["rules"]
    assert rule["title"].keys() == {"en", "zh"}
    one, _ = rule["rulebooks"]
    assert one["silent"] is False and one["clauses"][0]["id"] == "3n-7"
    grace = next(each for each in one["parameters"] if each["name"] == "turns.absent_after_minutes")
    assert grace["value"] == 5 and grace["text"]["zh"] == "轮到而不在的宽限：5分钟"
    assert {"table", "when", "then", "otherwise", "clauses", "text"} <= one["rows"][0].keys()


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ((), (), "silent"),
        (("--language", "zh"), (), "未规定"),
        ((), ("--language", "zh"), "未规定"),
        (("--language", "zh"), ("--language", "en"), "silent"),
    ],
)
def test_the_language_of_the_command_goes_before_that_of_the_program(
    lunpai: Lunpai, before: tuple[str, ...], after: tuple[str, ...], says: str
) -> None:
    for form in ((), ("--markdown",)):
        said = lunpai(*before, "rulebook", "compare", *TWO, "--rule", "C2", *after, *form)
        assert said.status == 0 and says in said.out


def test_a_rule_that_no_rulebook_covers(lunpai: Lunpai) -> None:
    silent = next(rule.rule for rule in compare([Shelf().edition("two-rosters")[0]]) if rule.silent)
    said = lunpai("rulebook", "compare", "two-rosters", "--rule", silent)
    assert said.status == 0 and said.out.splitlines()[1].strip() == "All are silent."
    said = lunpai("rulebook", "compare", "two-rosters", "--rule", silent, "--language", "zh")
    assert said.out.splitlines()[1].strip() == "各制度均未规定。"


def test_the_offices_own_rulebooks_and_files_may_be_named(lunpai: Lunpai, own: str, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(Shelf().edition("revised-reception")[1], "utf-8")
    said = lunpai("rulebook", "compare", own, str(path), own, "--rule", "A3", "--json")
    assert [one["rulebook"] for one in json.loads(said.out)["rulebooks"]] == ["house", "revised-reception"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("nix",), 1, "unknown_rulebook"),
        (("two-rosters", "nix"), 1, "unknown_rulebook"),
        (("../two-rosters",), 1, "unknown_rulebook"),
        (("nix.yaml",), 1, "unknown_rulebook"),
        (("--rule", "T99"), 1, "'T99' is no rule"),
        (("two-rosters", "--rule", "T1", "--rule", "R1"), 1, "'R1' is no rule"),
        (("--rule", ""), 1, "'' is no rule"),
        (("--language", "fr"), 2, "'fr' is not one of"),
        (("--json", "--markdown"), 2, "not both"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(lunpai: Lunpai, arguments: tuple[str, ...], status: int, says: str) -> None:
    said = lunpai("rulebook", "compare", *arguments)
    assert (said.status, said.out) == (status, "") and says in said.err
    assert status == 2 or len(said.err.splitlines()) == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_the_terminal(width: int) -> None:
    console = Console(file=StringIO(), width=width)
    render(compare([small(), ownership_only()]), console, "zh")
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in written and "按签到先后排序" in written
    assert all(Console(width=10_000).measure(line).maximum <= width for line in written.splitlines())


def test_the_page_of_all_shipped_rulebooks_is_what_the_command_gives(lunpai: Lunpai) -> None:
    said = lunpai("rulebook", "compare", "--language", "en", "--markdown")
    assert said.status == 0
    again = "lunpai rulebook compare --language en --markdown > docs/rulebooks.md"
    assert DOCS.is_file(), f"make it: {again}"
    assert DOCS.read_text("utf-8") == said.out, f"the rulebooks have changed since: {again}"
