"""Scenarios through the API: whatever a file can say, a client can say, and is answered the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import SHIPPED, Shelf
from application.scenarios import run as in_process
from application.scenarios.format import COMMANDS, EXPECTATIONS, Scenario, read_scenario
from application.scenarios.run import Outcome
from interfaces.scenarios_over_http.commands import REQUESTS
from interfaces.scenarios_over_http.rehearsal import rehearsal
from interfaces.scenarios_over_http.run import run_file
from tests.api.house import store_in_memory
from tests.interfaces.conftest import Lunpai

FILES = sorted((Path(__file__).parents[1] / "scenarios").rglob("*.yaml"))
Run = Callable[[Path], Outcome]


def said(scenario: Scenario) -> set[tuple[str, ...]]:
    """What a scenario says, in kinds: commands with their keys, expectations with theirs, refusals, the rulebook."""
    found: set[tuple[str, ...]] = {("rulebook", scenario.rulebook)}
    for step in scenario.steps:
        if step.command is not None:
            found |= {(step.command, key) for key in (*step.value, f"refused {step.refused}")}
        for key, value in step.expect.items():
            found |= {(key,)} | ({(key, inner) for inner in value} if key in ("as_of", "would_be") else set())
    return found


def few_that_say_everything() -> list[Path]:
    """Files that together say all that any of them says."""
    kinds = {path: said(read_scenario(path)) for path in FILES}
    missing, chosen = set[tuple[str, ...]]().union(*kinds.values()), []
    while missing:
        best = max(FILES, key=lambda path: len(kinds[path] & missing))
        chosen.append(best)
        missing -= kinds[best]
    return sorted(chosen)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with rehearsal(store_in_memory()) as served:
        yield lambda path: run_file(path, served)


def test_every_command_has_a_request_and_the_files_say_all_there_is() -> None:
    assert REQUESTS.keys() == COMMANDS.keys()
    kinds = set[tuple[str, ...]]().union(*(said(read_scenario(path)) for path in few_that_say_everything()))
    assert {kind[0] for kind in kinds} >= {*COMMANDS, *EXPECTATIONS}


@pytest.mark.parametrize("path", few_that_say_everything(), ids=lambda path: path.stem)
def test_scenarios_hold_over_http(run: Run, path: Path) -> None:
    outcome = run(path)
    assert outcome.status == "passed" and outcome.checks, "\n".join(outcome.problems)


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_holds_over_http(run: Run, path: Path) -> None:
    outcome = run(path)
    assert outcome.status == "passed", "\n".join(outcome.problems)


CASE = """name: An office
rulebook: revised-reception
staff:
  lin: {name: 林芳}
  wang: {name: 王磊}
  chen: {name: 陈静, role: manager}
steps:
  - {at: 2026-03-02 09:00, register: {visitor: v1, name: 赵强, phone: "13900000001", by: lin}}
  - {at: 09:10, sign_in: lin}
  - {at: 09:20, receive: {reception: r1, channel: visit}, expect: {assigned: lin}}
  - {at: 09:30, sell: {sale: s1, visitor: v1, by: lin, amount: "100.00", unit: 1-101}}
"""


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("expect: {owner: {v1: wang}}", "expected v1: wang, found lin\n    2026-03-02 09:00 registered 林芳"),
        ("expect: {until: {v1: 2026-03-09}}", "expected v1: 2026-03-09, found none"),
        ("expect: {shares: {s1: {wang: 1}}}", "expected s1: {wang: 1}, found {lin: 1}"),
        ("expect: {amounts: {s1: {lin: 1}}}", "expected s1: {lin: 1}, found {lin: 100.00}"),
        ("expect: {cites: [A15]}", "expected A15 to be cited, found nothing"),
        ("expect: {different_customers: [v1, v1]}", "found v1 and v1 are one"),
        ("expect: {owner: {v9: lin}}", "can't be answered: unknown_visitor"),
        ("expect: {turns: {visit: {lin: 2}}}", "expected lin: 2, found"),
        ("expect: {order: {visit: [wang]}}", "expected wang, found lin"),
        ("expect: {next: {visit: wang}}", "expected wang, found nobody"),
        ("expect: {fines: {lin: 50}}", "expected lin: 50, found 0"),
        ("expect: {as_of: {at: 08:59, owner: {v1: lin}}}", "expected v1: lin, found nobody"),
        ("expect: {would_be: {under: nobodys, owner: {v1: lin}}}", "can't be answered: unknown_rulebook"),
        ("refused: not_owner, follow_up: {visitor: v1, by: lin}", "expected refused: not_owner, found carried out"),
        ("rule: {dispute: d1, by: lin, reason: x}", "expected carried out, found not_permitted (access_denied)"),
        ("sell: {sale: s2, visitor: v1, by: lin, amount: one}", "expected carried out, found bad_value (bad_fields"),
        ("sign_in: zhao", "expected carried out, found unknown_staff"),
    ],
)
def test_what_does_not_hold_is_told_as_it_is_in_process(run: Run, tmp_path: Path, step: str, says: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(CASE + f"  - {{at: 10:00, {step}}}\n", "utf-8")
    outcome = run(path)
    assert outcome.status == "failed" and len(outcome.problems) == 1
    assert says in outcome.problems[0]
    record = Record(MemoryRecorder())
    plain = in_process.run_file(path, record, Keyring(b"k" * 32, record.person_keys), Shelf())
    assert plain.status == "failed" and len(plain.problems) == 1


def test_a_rulebook_may_lie_beside_the_file(run: Run, tmp_path: Path) -> None:
    text = (SHIPPED / "revised-reception" / "2000-01-01.yaml").read_text("utf-8").replace("value: 7,", "value: 3,", 1)
    (tmp_path / "house.yaml").write_text(text, "utf-8")
    case = tmp_path / "case.yaml"
    lines = [
        '  - {at: 10:00, register: {visitor: v2, name: 钱伟, phone: "13900000002", by: lin}, expect: {until: {v2: 2026-03-09}}}',
        "  - {at: 12:00, expect: {would_be: {under: house.yaml, until: {v2: 2026-03-05}}}}",
        "  - {at: 13:00, adopt: {rulebook: house.yaml}, expect: {until: {v2: 2026-03-05}}}",
        "  - {at: 14:00, adopt: {rulebook: nothing.yaml}, refused: unknown_rulebook}",
    ]
    case.write_text(CASE + "\n".join(lines), "utf-8")
    outcome = run(case)
    assert outcome.status == "passed", outcome.problems


@pytest.mark.parametrize("store", ["memory", "postgres"])
def test_on_the_command_line(lunpai: Lunpai, tmp_path: Path, store: str) -> None:
    (tmp_path / "a.yaml").write_text(CASE, "utf-8")
    (tmp_path / "b.yaml").write_text(CASE + "  - {at: 10:00, open_case: {}}\n", "utf-8")
    (tmp_path / "c.yaml").write_text(CASE + "  - {at: 10:00, expect: {owner: {v1: nobody}}}\n", "utf-8")
    told = lunpai("scenario", "--over-http", "--store", store, str(tmp_path))
    assert told.status == 1 and told.out.splitlines()[-1] == "1 passed, 1 failed, 1 not built yet"
    assert "expected v1: nobody, found lin" in told.out and told.err == ""
    told = lunpai("scenario", "--over-http", "--store", store, "--json", str(tmp_path / "a.yaml"))
    assert told.status == 0 and [one["status"] for one in json.loads(told.out)] == ["passed"]
