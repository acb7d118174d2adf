"""Scenario files: our own hold on both stores; a file that does not follow the page is refused with line and reason."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from decimal import InvalidOperation
from pathlib import Path

import pytest

from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import SHIPPED, Shelf
from application.scenarios.format import (
    CODES_TO_COME,
    COMMANDS,
    COMMANDS_TO_COME,
    EXPECTATIONS,
    EXPECTATIONS_TO_COME,
    LARGEST_BYTES,
    NotBuiltYet,
    parse_scenario,
    read_scenario,
)
from application.scenarios.run import Outcome, find_files, run_file
from application.yaml_files import FileProblem
from tests.conftest import schema_of_its_own

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FILES = sorted(SCENARIOS.rglob("*.yaml"))

Run = Callable[[Path], Outcome]
Try = Callable[[str], Outcome]


def runner(record: Record) -> Run:
    keyring, shelf = Keyring(secrets.token_bytes(32), record.person_keys), Shelf()
    return lambda path: run_file(path, record, keyring, shelf)


@pytest.fixture(scope="module", params=["memory", "postgres"])
def run_on_both(request: pytest.FixtureRequest) -> Iterator[Run]:
    """One record serves all files: every scenario opens a site of its own."""
    if request.param == "memory":
        yield runner(Record(MemoryRecorder()))
        return
    uri = request.getfixturevalue("postgres_uri")
    with schema_of_its_own(uri) as schema:
        prepare_store(uri, schema, b"test")
        record = Record(PostgresRecorder(uri, schema=schema))
        yield runner(record)
        record.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_our_own_scenarios_hold(run_on_both: Run, path: Path) -> None:
    outcome = run_on_both(path)
    assert outcome.status == "passed", "\n".join(outcome.problems)
    assert outcome.checks > 0 and outcome.name and not outcome.problems


HEAD = """name: An office
rulebook: revised-reception
staff:
  lin: {name: 林芳}
  wang: {name: 王磊, team: A}
  chen: {name: 陈静, role: manager}
steps:
  - {at: 2026-03-02 09:00, register: {visitor: v1, name: 赵强, phone: "13900000001", by: lin}}
  - {at: 09:30, sell: {sale: s1, visitor: v1, by: lin, amount: "100.00", unit: 1-101}}
  - {at: 09:40, dispute: {dispute: d1, about: v1, by: wang}}
"""
LINE = HEAD.count("\n") + 1
"""The line of the step that a test adds."""


@pytest.fixture
def try_out(tmp_path: Path) -> Try:
    """Runs a text as a file, in memory."""

    def run(text: str) -> Outcome:
        path = tmp_path / "case.yaml"
        path.write_text(text, "utf-8")
        return runner(Record(MemoryRecorder()))(path)

    return run


def with_step(step: str) -> str:
    return f"{HEAD}  - {step}\n"


def test_the_head_alone_passes(try_out: Try) -> None:
    assert try_out(HEAD).status == "passed"


# What a file must look like


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("name: An office\n", "", 1, "missing required field `name`"),
        ("name: An office\n", "title: An office\n", 1, "unknown field `title`"),
        ("name: An office\n", "name: 7\n", 1, "Expected `str`"),
        ("rulebook: revised-reception\n", "rulebook: nobodys\n", 2, "nobodys"),
        ("rulebook: revised-reception\n", "rulebook: nobodys.yaml\n", 2, "no file"),
        ("steps:", "amend: {attribution.mood: 3}\nsteps:", 7, "unknown_parameter"),
        ("steps:", "amend: {attribution.protection_days: soon}\nsteps:", 7, "bad_value"),
        ("steps:", "timezone: Mars/Base\nsteps:", 7, "not a time zone"),
        ("{name: 陈静, role: manager}", "{name: 陈静, role: boss}", 6, "unknown role 'boss'"),
        ("{name: 陈静, role: manager}", "{name: 陈静, post: manager}", 3, "unknown field `post`"),
        ("  wang: {", "  lin: {", 5, "the key lin stands here twice"),
        ("at: 2026-03-02 09:00", "at: 09:00", 8, "the first step names its day"),
        ("at: 2026-03-02 09:00", "at: 2026-02-30 09:00", 8, "is not a time"),
        ("at: 09:30", "at: 9:30", 9, "is not a time"),
        ("at: 09:30", "at: 24:00", 9, "is not a time"),
        ("at: 09:30", "at: 570", 9, "is not a time"),
        ("at: 09:30", "at: 08:59", 9, "times never run backwards"),
        ("at: 09:30", "at: 2026-03-01 09:30", 9, "times never run backwards"),
        ("at: 09:30, ", "", 9, "a step has an `at`"),
        ("{at: 09:30, sell", "{at: 09:30, recorded_at: noon, sell", 9, "is not a time"),
        ("{at: 09:30, sell", "{at: 09:30, sale", 9, "unknown key sale"),
        ("{at: 09:30, sell", "{at: 09:30, note: x, sell", 9, "unknown key note"),
        ("{at: 09:30, sell", "{at: 09:30, depart: {who: lin, by: chen}, sell", 9, "at most one command a step, not depart and sell"),
        ("visitor: v1, by: lin, amount", "visitor: v1, by: lin, price", 9, "unknown key price of sell"),
        ('amount: "100.00", ', "", 9, "sell needs amount"),
        ("sell: {sale: s1, visitor: v1, by: lin, amount: \"100.00\", unit: 1-101}", "sell: s1", 9, "sell takes keys: sale"),
        ("{at: 09:30, sell", "{at: 09:30, refused: oops, sell", 9, "unknown code 'oops'"),
        ("{at: 09:30, sell", "{at: 09:30, expect: lin, sell", 9, "`expect` takes keys and values"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {owned: {v1: lin}}, sell", 9, "unknown key owned"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {owner: lin}, sell", 9, "owner takes labels and values"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {cites: A1}, sell", 9, "cites takes a list"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {same_customer: v1}, sell", 9, "same_customer takes a list"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {as_of: {owner: {v1: lin}}}, sell", 9, "`as_of` has an `at`"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {as_of: {at: 09:00, when: 09:00}}, sell", 9, "unknown key when"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {would_be: {owner: {v1: lin}}}, sell", 9, "`would_be` has `under` or `amend`"),
        ("{at: 09:30, sell", "{at: 09:30, expect: {would_be: {under: x, as_of: {}}}, sell", 9, "unknown key as_of"),
        ("  - {at: 09:40, dispute: {dispute: d1, about: v1, by: wang}}\n", "  - {at: 09:40, refused: not_owner}\n", 10, "`refused` needs a command"),
        ("  - {at: 09:40", "  - {at: 09:40, at: 09:41", 10, "stands here twice"),
        ("  - {at: 09:40", "  - [at: 09:40", 10, "not readable as YAML"),
        ("about: v1, by: wang", "about: !v v1, by: wang", 10, "tags"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_follow_the_page_is_refused(
    try_out: Try, old: str, new: str, line: int, says: str
) -> None:
    assert old in HEAD
    outcome = try_out(HEAD.replace(old, new, 1))
    [problem] = outcome.problems
    assert outcome.status == "refused" and says in problem
    assert re.search(rf"case\.yaml:{line}: ", problem), problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("[]", "Expected `object`"),
        (HEAD[: HEAD.index("  - {at")].replace("steps:", "steps: []"), "at least one step"),
        (re.sub(r"staff:\n(  .*\n){3}", "staff: {}\n", HEAD), "somebody on the staff"),
    ],
)
def test_a_scenario_has_people_and_steps(try_out: Try, text: str, says: str) -> None:
    outcome = try_out(text)
    assert outcome.status == "refused" and says in outcome.problems[0]


def test_what_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_bytes(b"name: x\nrulebook: " + "四十三条".encode("gbk"))
    with pytest.raises(FileProblem, match=r"case\.yaml:2: not UTF-8"):
        read_scenario(path)
    path.write_bytes(b"#" * (LARGEST_BYTES + 1))
    with pytest.raises(FileProblem, match="larger than"):
        read_scenario(path)
    path.write_text("\ufeff" + HEAD, "utf-8")
    assert read_scenario(path).name == "An office"
    with pytest.raises(FileProblem, match=r"none\.yaml: No such file"):
        read_scenario(tmp_path / "none.yaml")


CRASHES = (TypeError, AttributeError, KeyError, IndexError, ValueError, InvalidOperation)


@pytest.mark.parametrize(
    "step",
    [
        "{at: 10:00, register: {visitor: v2, by: lin, name: [a]}}",
        "{at: 10:00, register: {visitor: v2, by: lin, phone: true}}",
        "{at: 10:00, register: {visitor: v2, by: [], name: 钱伟}}",
        "{at: 10:00, register: {visitor: v2, by: lin, via: [visit]}}",
        "{at: 10:00, follow_up: {visitor: [v1], by: lin}}",
        "{at: 10:00, relate: {visitor: v1, to: v1, as: spouse, proven: maybe}}",
        "{at: 10:00, sell: {sale: s2, visitor: v1, by: lin, amount: .nan}}",
        "{at: 10:00, sell: {sale: s2, visitor: v1, by: [[lin]], amount: 1}}",
        "{at: 10:00, agree: {sale: s1, shares: [lin], by: lin}}",
        "{at: 10:00, change_consultant: {visitor: v1, to: wang, fault: maybe, by: chen}}",
        "{at: 10:00, rule: {dispute: [d1], by: chen, reason: x}}",
        "{at: 10:00, rule: {dispute: d1, by: chen, reason: null}}",
        "{at: 10:00, adopt: {rulebook: nobodys}}",
        "{at: 10:00, expect: {owner: {v9: lin}}}",
        "{at: 10:00, expect: {until: {v1: 5}}}",
        "{at: 10:00, expect: {shares: {s1: lin}}}",
        "{at: 10:00, expect: {would_be: {under: nobodys, owner: {v1: lin}}}}",
        "{at: 10:00, expect: {as_of: {at: 1999-01-01 10:00, owner: {v1: lin}}}}",
    ],
)
def test_a_value_of_the_wrong_kind_fails_the_step(try_out: Try, step: str) -> None:
    outcome = try_out(with_step(step))
    assert outcome.status in ("failed", "refused") and len(outcome.problems) == 1


@pytest.mark.parametrize(
    "step",
    [
        "{at: 10:00, register: {visitor: [v2], by: lin}}",
        "{at: 10:00, register: {visitor: v2, by: 5}}",
        "{at: 10:00, register: {visitor: v2, by: {a: b}}}",
        "{at: 10:00, sell: {sale: [s2], visitor: v1, by: lin, amount: 1}}",
        "{at: 10:00, sell: {sale: s2, visitor: v1, by: 5, amount: 1}}",
        "{at: 10:00, agree: {sale: s1, shares: {lin: 1}, by: 5}}",
        "{at: 10:00, depart: {who: lin, by: chen, heirs: [v1]}}",
        "{at: 10:00, dispute: {dispute: [d2], about: v1, by: wang}}",
        "{at: 10:00, dispute: {dispute: d2, about: [v1], by: wang}}",
        "{at: 10:00, adopt: {rulebook: 5}}",
        "{at: 10:00, adopt: {amend: 5}}",
        "{at: 10:00, adopt: {amend: [a]}}",
        "{at: 10:00, adopt: {rulebook: revised-reception, by: 5}}",
        "{at: 10:00, refused: [bad_value], register: {visitor: v2, by: lin}}",
        "{at: 10:00, expect: {until: {v1: 2026-02-30}}}",
        "{at: 10:00, expect: {amounts: {s1: {lin: abc}}}}",
        "{at: 10:00, expect: {same_customer: []}}",
        "{at: 10:00, expect: {would_be: {under: 5, owner: {v1: lin}}}}",
        "{at: 10:00, expect: {would_be: {amend: 5, owner: {v1: lin}}}}",
    ],
)
def test_no_value_ends_in_a_python_error(try_out: Try, step: str) -> None:
    outcome = try_out(with_step(step))
    assert outcome.status in ("failed", "refused") and f":{LINE}:" in outcome.problems[0]


@pytest.mark.parametrize(
    "step",
    [
        "{at: 10:00, expect: {would_be: {under: forty-three-articles}}}",
        "{at: 10:00, expect: {as_of: {at: 09:00}}}",
        "{at: 10:00, expect: {same_customer: [v1]}}",
        "{at: 10:00, adopt: {}}",
    ],
)
def test_what_checks_nothing_is_refused(try_out: Try, step: str) -> None:
    assert try_out(with_step(step)).status != "passed"


# What is not built yet


@pytest.mark.parametrize("command", sorted(COMMANDS_TO_COME))
def test_a_command_to_come_fails_and_says_so(try_out: Try, command: str) -> None:
    outcome = try_out(with_step(f"{{at: 10:00, {command}: lin}}"))
    assert (outcome.status, outcome.problems) == ("not_built_yet", (f"not built yet: {command}",))


@pytest.mark.parametrize("expectation", sorted(EXPECTATIONS_TO_COME))
def test_an_expectation_to_come_fails_and_says_so(try_out: Try, expectation: str) -> None:
    outcome = try_out(with_step(f"{{at: 10:00, expect: {{{expectation}: {{}}}}}}"))
    assert outcome.status == "not_built_yet" and f"expecting {expectation}" in outcome.problems[0]


def test_a_mistake_comes_before_what_is_not_built_yet() -> None:
    with pytest.raises(FileProblem, match="unknown key signin"):
        parse_scenario(with_step("{at: 10:00, open_case: {}}") + "  - {at: 11:00, signin: lin}\n", "case.yaml")
    for code in sorted(CODES_TO_COME):
        parse_scenario(with_step(f"{{at: 10:00, refused: {code}, follow_up: {{visitor: v1, by: lin}}}}"), "case.yaml")
    with pytest.raises(NotBuiltYet, match=r"^open_case, praise$"):
        parse_scenario(
            with_step("{at: 10:00, open_case: {}}") + "  - {at: 11:00, praise: {}}\n  - {at: 12:00, open_case: {}}\n",
            "x",
        )


def test_nothing_is_both_built_and_to_come() -> None:
    assert not COMMANDS.keys() & COMMANDS_TO_COME and not EXPECTATIONS & EXPECTATIONS_TO_COME


# What fails, and how it says so


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("{at: 10:00, expect: {owner: {v1: wang}}}", "expect.owner: expected v1: wang, found lin"),
        ("{at: 10:00, expect: {until: {v1: 2026-03-09}}}", "expect.until: expected v1: 2026-03-09, found none"),
        ("{at: 10:00, expect: {shares: {s1: {wang: 1}}}}", "expect.shares: expected s1: {wang: 1}, found {lin: 1}"),
        ("{at: 10:00, expect: {amounts: {s1: {lin: 1}}}}", "expect.amounts: expected s1: {lin: 1}, found {lin: 100.00}"),
        ("{at: 10:00, expect: {cites: [A15]}}", "expect.cites: expected A15 to be cited, found nothing"),
        ("{at: 10:00, expect: {owner: {v1: lin}, cites: [A15]}}", "expected A15 to be cited, found A1, A2"),
        ("{at: 10:00, expect: {different_customers: [v1, v1]}}", "expected different customers, found v1 and v1 are one"),
        ("{at: 10:00, expect: {as_of: {at: 08:59, owner: {v1: lin}}}}", "expect.as_of: expected v1: lin, found nobody"),
        ("{at: 10:00, expect: {would_be: {amend: {attribution.protection_days: 3}, owner: {v1: wang}}}}", "expect.would_be: expected v1: wang, found lin"),
        ("{at: 10:00, refused: not_owner, follow_up: {visitor: v1, by: lin}}", "follow_up: expected refused: not_owner, found carried out"),
        ("{at: 10:00, follow_up: {visitor: v1, by: wang}}", "follow_up: expected carried out, found not_owner"),
        ("{at: 10:00, refused: bad_time, follow_up: {visitor: v1, by: wang}}", "follow_up: expected refused: bad_time, found not_owner"),
    ],
)  # fmt: skip
def test_a_failing_step_names_place_wanted_and_found(try_out: Try, step: str, says: str) -> None:
    outcome = try_out(with_step(step))
    [problem] = outcome.problems
    assert outcome.status == "failed" and says in problem
    assert f"case.yaml:{LINE}: step 4, " in problem
    if "found lin" in problem:
        assert "\n    2026-03-02 09:00 registered lin: founds the claim" in problem  # the trace of the decision


def test_every_failure_of_a_file_is_told(try_out: Try) -> None:
    text = with_step("{at: 10:00, expect: {owner: {v1: wang}, until: {v1: 2026-03-09}}}")
    outcome = try_out(text + "  - {at: 11:00, expect: {owner: {v1: lin}}}\n")
    assert (outcome.status, len(outcome.problems), outcome.checks) == ("failed", 2, 3)


def test_a_refusal_is_expected_and_nothing_changes(try_out: Try) -> None:
    step = "{at: 10:00, refused: unit_already_sold, sell: {sale: s2, visitor: v1, by: lin, amount: 1, unit: 1 - 101}}"
    outcome = try_out(with_step(step))
    assert (outcome.status, outcome.checks) == ("passed", 1)


@pytest.mark.parametrize("phone", ["13900000001", "+8613900000001", "139 0000 0001"])
def test_phones_may_stand_without_quotes(try_out: Try, phone: str) -> None:
    text = with_step(f"{{at: 10:00, register: {{visitor: v2, name: 赵强, phone: {phone}, by: wang}}}}")
    outcome = try_out(text + "  - {at: 11:00, expect: {same_customer: [v1, v2], owner: {v2: lin}}}\n")
    assert outcome.status == "passed", outcome.problems


def test_a_rulebook_may_lie_beside_the_file(tmp_path: Path) -> None:
    text = (SHIPPED / "revised-reception" / "2000-01-01.yaml").read_text("utf-8").replace("value: 7,", "value: 3,", 1)
    (tmp_path / "house.yaml").write_text(text, "utf-8")
    case = tmp_path / "case.yaml"
    lines = [
        HEAD.replace("rulebook: revised-reception", "rulebook: house.yaml").rstrip(),
        '  - {at: 10:00, register: {visitor: v2, name: 钱伟, phone: "13900000002", by: lin}, expect: {until: {v2: 2026-03-05}}}',
        "  - {at: 11:00, adopt: {rulebook: revised-reception}, expect: {until: {v2: 2026-03-09}}}",
        "  - {at: 12:00, expect: {would_be: {under: house.yaml, until: {v2: 2026-03-05}}}}",
    ]
    case.write_text("\n".join(lines), "utf-8")
    outcome = runner(Record(MemoryRecorder()))(case)
    assert outcome.status == "passed", outcome.problems
    (tmp_path / "house.yaml").write_text(text.replace("office:", "bureau:"), "utf-8")
    outcome = runner(Record(MemoryRecorder()))(case)
    assert outcome.status == "refused" and "house.yaml" in outcome.problems[0]


def test_as_of_knows_only_the_adoptions_known_then(try_out: Try) -> None:
    lines = [
        '  - {at: 10:00, register: {visitor: v2, name: 钱伟, phone: "13900000002", by: lin}}',
        "  - {at: 2026-03-08 09:00, recorded_at: 2026-03-20 09:00, adopt: {rulebook: forty-three-articles}}",
        "  - {at: 2026-03-21 09:00, expect: {as_of: {at: 2026-03-12 09:00, known_at: 2026-03-15 09:00, owner: {v2: nobody}}}}",
    ]
    assert try_out(HEAD + "\n".join(lines)).status == "passed"


def test_files_are_found_by_name_and_below_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    paths = [tmp_path / "a" / "b" / "two.yml", tmp_path / "a" / "one.yaml", tmp_path / "a" / "notes.txt"]
    for path in paths:
        path.write_text(HEAD, "utf-8")
    assert find_files([tmp_path / "a"]) == sorted(paths[:2])
    assert find_files([paths[2], paths[1]]) == [paths[2], paths[1]]
    with pytest.raises(FileProblem, match="no scenario"):
        (tmp_path / "empty").mkdir()
        find_files([tmp_path / "empty"])
    with pytest.raises(FileProblem, match="no such file or folder"):
        find_files([tmp_path / "none"])
