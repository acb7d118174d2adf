"""The command line as people meet it: what it prints, where, with which status - and one clear line for every bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from interfaces import cli
from interfaces.cli_start import CONTESTED, MANAGER
from tests.interfaces.conftest import Lunpai

RULEBOOK = "forty-three-articles"
REGISTER = "日期,时间,客户姓名,联系电话,方式,接待人\n"


def test_run_loads_the_sample_office_once_and_tells_what_to_try(lunpai: Lunpai) -> None:
    first = lunpai("run", "--once")
    assert first.status == 0
    assert f"replay {CONTESTED}" in first.out
    again = lunpai("run", "--once")
    assert again.status == 0 and "loading" not in again.err and "facts added" not in again.out


def test_every_sale_of_the_sample_office_replays(lunpai: Lunpai, office: str) -> None:
    sample = Path(cli.__file__).parent / "sample_office" / "sales.csv"
    with sample.open(encoding="utf-8-sig") as file:
        units = [row["房号"] for row in csv.DictReader(file)]
    assert len(units) == 60
    for unit in units:
        said = lunpai("replay", unit, "--site", office, "--json")
        assert said.status == 0, said.err
        found = json.loads(said.out)
        assert found["owner"] and found["ground"] and found["clauses"] and found["facts"]
        assert {"until", "rivals"} <= found.keys()
        assert sum(float(amount) for amount in found["amounts"].values()) == pytest.approx(
            float(found["matter"]["commission"])
        )


def test_importing_again_adds_nothing(lunpai: Lunpai, office: str, tmp_path: Path) -> None:
    sample = Path(cli.__file__).parent / "sample_office"
    report = tmp_path / "report.csv"
    files = [str(path) for path in sorted(sample.glob("*.csv"))]
    said = lunpai("import", "--site", office, *files, "--report", str(report), "--json")
    assert said.status == 0
    result = json.loads(said.out)
    assert result["facts_added"] == 0
    assert [sheet["known"] for sheet in result["sheets"]] == [857, 1009, 60]
    assert len(report.read_text("utf-8-sig").splitlines()) == 1 + len(result["problems"])


def test_replay_for_people_and_as_a_page(lunpai: Lunpai, office: str, tmp_path: Path) -> None:
    said = lunpai("replay", CONTESTED, "--site", office)
    assert said.status == 0 and "Why not the others" in said.out and "3p-16-2" in said.out
    chinese = lunpai("--language", "zh", "replay", CONTESTED, "--site", office)
    assert chinese.status == 0 and "归属" in chinese.out
    page = tmp_path / "sale.html"
    said = lunpai("replay", CONTESTED, "--site", office, "--html", str(page))
    assert said.status == 0 and said.out == "" and str(page) in said.err
    assert "<svg" in page.read_text("utf-8")


def test_replay_under_other_rules_and_at_other_times(lunpai: Lunpai, office: str) -> None:
    def owner(*more: str) -> tuple[str, bool]:
        found = json.loads(lunpai("replay", CONTESTED, "--site", office, "--json", *more).out)
        return found["owner"], found["what_if"]

    assert owner() == ("柏建敏", False)
    assert owner("--amend", "attribution.protection_days=60") == ("云宇敏", True)
    assert owner("--under", "revised-reception")[1] is True
    assert owner("--as-of", "2026-04-01") == ("云宇敏", False)
    assert owner("--as-of", "2026-03-01") == (None, False)
    assert owner("--as-of", "2026-04-01 09:00", "--known-at", "2026-03-21") == (None, False)


def test_a_dispute_is_raised_replayed_and_ruled_on(lunpai: Lunpai, office: str) -> None:
    raised = lunpai("dispute", "9-2-1402", "--site", office, "--by", "柏建敏", "--label", "quarrel")
    assert (raised.status, raised.out) == (0, "quarrel\n")
    assert lunpai("dispute", "9-2-1402", "--site", office, "--by", "柏建敏", "--label", "quarrel").status == 1
    refused = lunpai("rule", "quarrel", "--by", "柏建敏", "--reason", "mine")
    assert refused.status == 1 and "not_permitted" in refused.err
    shares = ["--share", "柏建敏=1/3", "--share", "水雪=2/3"]
    assert lunpai("rule", "quarrel", "--by", MANAGER, "--reason", "both worked", *shares).status == 0
    found = json.loads(lunpai("replay", "quarrel", "--json").out)
    assert found["kind"] == "dispute" and found["shares"] == {"柏建敏": "1/3", "水雪": "2/3"}
    assert found["ruling"]["reason"] == "both worked" and found["ruling"]["without"] == "水雪"
    again = lunpai("rule", "quarrel", "--by", MANAGER, "--reason", "once more")
    assert again.status == 1 and "wrong_state" in again.err


def test_the_desk(lunpai: Lunpai, office: str) -> None:
    at = ["--site", office]
    for name in ("林一", "王二"):
        assert lunpai("enrol", name, *at).status == 0
    assert "--namesake" in lunpai("enrol", " 林一 ", *at).err
    assert lunpai("--language", "zh", "enrol", "林三", *at, "--role", "desk").out == "林三已列入名单：desk\n"
    first = lunpai("register", "张小三", *at, "--by", "林一", "--phone", "13912345678")
    assert first.status == 0 and "owner: 林一" in first.out and "3p-16-1" in first.out
    second = lunpai("register", "张小三", *at, "--by", "王二", "--phone", "+86 139 1234 5678")
    assert second.status == 0 and "owner: 林一" in second.out
    assert "not_owner" in lunpai("follow-up", "张小三", "--by", "王二").err
    assert lunpai("follow-up", "13912345678", "--by", "林一").status == 0
    sold = lunpai("sell", "张小三", "--by", "王二", "--amount", "1000.00", "--unit", "X-1")
    assert sold.status == 0 and "林一 1 = 1000.00" in sold.out
    assert "unit_already_sold" in lunpai("sell", "张小三", "--by", "王二", "--amount", "1", "--unit", "x - 1").err
    assert lunpai("register", "李小四", *at, "--by", "王二", "--phone", "13912345679").status == 0
    assert "owner: 林一" in lunpai("relate", "李小四", "spouse", "张小三", "--by", "王二").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay", "nothing-such"], "unknown_visitor"),
        (["replay", CONTESTED, "--as-of", "yesterday"], "not a time"),
        (["replay", CONTESTED, "--under", "nix"], "unknown_rulebook"),
        (["replay", CONTESTED, "--amend", "nix=1"], "unknown_parameter"),
        (["replay", CONTESTED, "--amend", "attribution.protection_days=abc"], "attribution.protection_days"),
        (["replay", CONTESTED, "--amend", "attribution.household=cousin"], "cousin"),
        (["replay", CONTESTED, "--amend", "protection"], "KEY=VALUE"),
        (["replay", CONTESTED, "--site", "nowhere"], "unknown_site"),
        (["dispute", CONTESTED, "--by", "谁也不是"], "unknown_staff"),
        (["rule", "no-such", "--by", MANAGER, "--reason", "x"], "unknown_visitor"),
        (["register", "   ", "--by", "水雪"], "bad_value"),
        (["register", "张三", "--by", "水雪", "--phone", "1391234"], "not a phone number"),
        (["register", "张三", "--by", "水雪", "--at", "2099-01-01"], "bad_time"),
        (["sell", "6-1-1204", "--by", "水雪", "--amount", "abc"], "amount"),
        (["sell", "6-1-1204", "--by", "水雪", "--amount", "NaN"], "amount"),
        (["adopt", "--by", MANAGER], "amend"),
        (["import", "--site", "new", "/dev/null"], "--rulebook"),
    ],
)
def test_bad_input_is_one_clear_line(lunpai: Lunpai, office: str, arguments: list[str], says: str) -> None:
    if "--site" not in arguments and arguments[0] not in ("rule", "import"):
        arguments = [*arguments, "--site", office]
    before = lunpai("health").out
    said = lunpai(*arguments)
    assert said.status == 1
    assert said.out == ""
    assert says in said.err and len(said.err.strip().splitlines()) == 1, said.err
    assert lunpai("health").out == before


def test_a_bad_file_imports_nothing(lunpai: Lunpai, office: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(REGISTER + "2026-03-05,10:00,赵新,13900000000,来访,水雪\n", "utf-8")
    bad.write_bytes("日期,时间,客户姓名,联系电话,方式,接待人\n".encode() + b"\xff\xfe\xfd\n")
    before = lunpai("health").out
    said = lunpai("import", "--site", office, str(good), str(bad))
    assert said.status == 1 and "bad.csv" in said.err and len(said.err.strip().splitlines()) == 1
    assert lunpai("import", "--site", "another", "--rulebook", RULEBOOK, str(bad)).status == 1
    assert lunpai("health").out == before  # not even the new site


def test_a_truncated_workbook_and_a_formula(lunpai: Lunpai, office: str, tmp_path: Path) -> None:
    book, path = Workbook(), tmp_path / "register.xlsx"
    sheet = book.active
    assert sheet is not None
    for row in (REGISTER.strip().split(","), ["2026-03-05", "10:00", "=A1", "13900000001", "来访", "水雪"]):
        sheet.append(row)
    book.save(path)
    said = lunpai("import", "--site", office, str(path), "--report", str(tmp_path / "report.csv"))
    assert said.status == 0 and "C2 holds a formula" in said.out and "1 not taken" in said.out
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(path.read_bytes()[:500])
    said = lunpai("import", "--site", office, str(cut))
    assert said.status == 1 and "cut.xlsx" in said.err


def test_rulebooks(lunpai: Lunpai, home: Path, tmp_path: Path) -> None:
    listed = json.loads(lunpai("rulebook", "list", "--json").out)
    assert {row["rulebook"] for row in listed} >= {RULEBOOK, "revised-reception"}
    assert "30" in lunpai("rulebook", "explain", RULEBOOK).out
    assert "保护期" in lunpai("--language", "zh", "rulebook", "explain", RULEBOOK).out
    text = lunpai("rulebook", "show", RULEBOOK).out
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(text, "utf-8")
    wrong.write_text(text.replace("value: 30", "value: thirty"), "utf-8")
    assert lunpai("rulebook", "check", str(right)).status == 0
    said = lunpai("rulebook", "check", str(right), str(wrong))
    assert said.status == 1 and "wrong.yaml:" in said.out and "protection_days" in said.out
    own = home / "rulebooks" / RULEBOOK
    own.mkdir(parents=True)
    earlier = own / "1999-01-01.yaml"
    try:
        earlier.write_text(text.replace("in_force_from: 2000-01-01", "in_force_from: 1999-01-01"), "utf-8")
        said = lunpai("rulebook", "list")
        assert said.status == 1 and "has been published" in said.err
    finally:
        earlier.unlink()
        own.rmdir()
        own.parent.rmdir()


@pytest.mark.parametrize("store", ["memory", "postgres"])
def test_scenarios(lunpai: Lunpai, tmp_path: Path, store: str) -> None:
    text = (
        "name: first contact\nrulebook: forty-three-articles\nstaff: {lin: {name: 林芳}}\nsteps:\n"
        '  - {at: 2026-03-02 09:00, register: {visitor: v1, name: 赵强, phone: "13900000001", by: lin},'
        " expect: {owner: {v1: OWNER}}}\n"
    )
    good, bad, later = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "later.yaml"
    good.write_text(text.replace("OWNER", "lin"), "utf-8")
    said = lunpai("scenario", "--store", store, str(good))
    assert (said.status, said.out.splitlines()[-1]) == (0, "1 passed")
    bad.write_text(text.replace("OWNER", "nobody"), "utf-8")
    later.write_text(text.replace("register:", "open_case:"), "utf-8")
    said = lunpai("scenario", "--store", store, str(tmp_path))
    assert said.status == 1
    assert "expected v1: nobody, found lin" in said.out and "bad.yaml:5: step 1" in said.out
    assert "first to receive" in said.out or "founds the claim" in said.out  # the trace of the decision
    assert "not built yet: open_case" in said.out
    assert said.out.splitlines()[-1] == "1 passed, 1 failed, 1 not built yet"


def test_no_database_is_one_clear_line(lunpai: Lunpai, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNPAI_EMBEDDED", "off")
    said = lunpai("health")
    assert said.status == 1 and "LUNPAI_DATABASE_URL" in said.err
    monkeypatch.setenv("LUNPAI_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    said = lunpai("health")
    assert said.status == 1 and len(said.err.strip().splitlines()) == 1


def test_another_master_key_is_refused(lunpai: Lunpai, office: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNPAI_MASTER_KEY", "A" * 43 + "=")
    said = lunpai("health")
    assert said.status == 1 and "master key" in said.err
    monkeypatch.setenv("LUNPAI_MASTER_KEY", "short")
    assert "base64" in lunpai("health").err


def test_help_is_there_for_every_command(lunpai: Lunpai) -> None:
    for name in cli.lunpai.commands:
        said = lunpai(name, "--help")
        assert said.status == 0 and said.out.startswith("Usage:")
    assert lunpai("--version").status == 0
    assert lunpai("no-such-command").status == 2


def test_a_new_office_without_a_history(lunpai: Lunpai) -> None:
    opened = lunpai("open", "新开案场", "--rulebook", "two-rosters")
    assert opened.status == 0 and "is open under two-rosters@2000-01-01" in opened.out
    at = ["--site", "新开案场"]
    for name, role in (("林芳", "consultant"), ("陈静", "manager")):
        assert lunpai("enrol", name, *at, "--role", role).status == 0
    assert lunpai("floor", "sign-in", "林芳", *at).status == 0
    assert "林芳" in lunpai("floor", "receive", "--channel", "visit", *at).out
    assert "duplicate_label" in lunpai("open", "新开案场", "--rulebook", "two-rosters").err
    assert "unknown_rulebook" in lunpai("open", "另一案场", "--rulebook", "none-such").err
    assert "bad_value" in lunpai("open", "另一案场", "--rulebook", "two-rosters", "--timezone", "Mars").err
