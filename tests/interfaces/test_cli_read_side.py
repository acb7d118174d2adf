"""The read side on the command line: where the views stand, rebuilding, checking and cancelling, the schedule, workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from application.embedded_postgres import EmbeddedPostgres
from interfaces import cli
from projections import compare, rebuild
from projections.metrics import ABOUT
from projections.views import VIEWS
from tests.interfaces.conftest import Lunpai

VIEWS_SCHEMA = "lunpai_views"


@pytest.fixture
def built(lunpai: Lunpai, office: str) -> str:
    """The sample office with all views built anew."""
    assert lunpai("rebuild").status in (0, 1)  # 1: what another test did to them was found
    return office


@pytest.fixture
def database(home: Path) -> Iterator[psycopg.Connection]:
    with EmbeddedPostgres(home) as server, psycopg.connect(server.uri, autocommit=True) as connection:
        yield connection


@contextmanager
def rebuilding_elsewhere(database: psycopg.Connection) -> Iterator[None]:
    database.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"rebuild {VIEWS_SCHEMA}"])
    try:
        yield
    finally:
        database.execute("SELECT pg_advisory_unlock_all()")


# lag


def test_lag_says_what_was_never_built_and_by_its_status(
    lunpai: Lunpai, office: str, database: psycopg.Connection
) -> None:
    database.execute(f"DELETE FROM {VIEWS_SCHEMA}.view")
    said = lunpai("lag")
    assert said.status == 1 and "never built: run lunpai rebuild" in said.out and said.err == ""
    assert "no worker keeps the views live: start lunpai work" in said.out
    assert lunpai("rebuild").status == 0
    said = lunpai("lag")
    assert said.status == 0 and "ownership" in said.out and "last rebuild" in said.out
    assert "落后条数" in lunpai("--language", "zh", "lag").out


def test_being_behind_is_no_failure(lunpai: Lunpai, built: str) -> None:
    before = json.loads(lunpai("lag", "--json").out)
    assert lunpai("enrol", "甲乙", "--site", built).status == 0
    said = lunpai("lag", "--json")
    after = json.loads(said.out)
    assert said.status == 0 and after["position"] == before["position"] + 1
    assert {view["view"]: view["facts"] for view in after["views"]} == dict.fromkeys(VIEWS, 1)
    assert after["kept_by"] is None and after["parked"] == [] and after["last_rebuild"]["status"] == "done"


def test_streams_left_out_are_shown_and_tried_again(lunpai: Lunpai, built: str, database: psycopg.Connection) -> None:
    database.execute(
        f"INSERT INTO {VIEWS_SCHEMA}.parked SELECT 'ownership', stream, position, name, 'its page was torn', now(), 1, position "
        "FROM lunpai.fact WHERE name = 'visitor.registered.v1' ORDER BY position LIMIT 1"
    )
    said = lunpai("lag")
    assert said.status == 1 and "its page was torn" in said.out and "lunpai lag --retry" in said.out
    said = lunpai("lag", "--retry")
    assert said.status == 0 and "torn" not in said.out
    assert lunpai("rebuild", "--check").status == 0


def test_metrics_are_what_prometheus_reads(lunpai: Lunpai, built: str) -> None:
    said = lunpai("lag", "--metrics")
    families = {family.name: family for family in text_string_to_metric_families(said.out)}
    assert said.status == 0 and families.keys() <= ABOUT.keys()
    assert {sample.labels["view"] for sample in families["lunpai_view_behind_facts"].samples} == VIEWS.keys()
    assert families["lunpai_record_position"].documentation == ABOUT["lunpai_record_position"]


# rebuild


def test_every_difference_is_shown_with_the_facts_behind_it(
    lunpai: Lunpai, built: str, database: psycopg.Connection
) -> None:
    assert lunpai("rebuild", "--check").status == 0
    database.execute(
        f"UPDATE {VIEWS_SCHEMA}.ownership SET ground = 'ruling' WHERE (file, registration) = "
        f"(SELECT file, registration FROM {VIEWS_SCHEMA}.ownership WHERE ground = 'first_contact' LIMIT 1)"
    )
    database.execute(
        f"DELETE FROM {VIEWS_SCHEMA}.commission WHERE sale = (SELECT sale FROM {VIEWS_SCHEMA}.commission LIMIT 1)"
    )
    said = lunpai("rebuild", "--check")
    assert said.status == 1
    assert "1. ownership: file=" in said.out and 'ground: live "ruling", by the facts "first_contact"' in said.out
    assert "2. commission: sale=" in said.out and "live: (no such row)" in said.out
    assert "facts: " in said.out and "visitor.registered.v1" in said.out and "2 differences" in said.out
    for stage in ("planning", "folding: ", "comparing"):
        assert stage in said.err
    number = said.out.partition("check ")[2].partition(":")[0]
    shown = lunpai("rebuild", "--differences", number)
    assert shown.status == 0 and "1. ownership: file=" in shown.out
    found = json.loads(lunpai("rebuild", "--differences", number, "--json").out)
    assert found["rebuild"]["differences"] == 2 and [one["view"] for one in found["found"]] == [
        "ownership",
        "commission",
    ]
    assert all(one["facts"] for one in found["found"])
    said = lunpai("rebuild", "--json")  # finds the same, and puts it right
    assert said.status == 1 and json.loads(said.out)["result"]["differences"] == 2
    assert lunpai("rebuild", "--check").status == 0
    assert "无差异" in lunpai("--language", "zh", "rebuild", "--check").out


def test_some_views_and_the_list(lunpai: Lunpai, built: str) -> None:
    assert lunpai("rebuild", "docket", "commission", "docket").status == 0
    listed = json.loads(lunpai("rebuild", "--list", "--json").out)
    assert listed[0]["views"] == ["docket", "commission"] and listed[0]["asked_by"] == "command line"
    said = lunpai("rebuild", "--list")
    assert said.status == 0 and "docket" in said.out and "command line" in said.out


def test_a_check_with_nothing_to_compare_is_no_success(
    lunpai: Lunpai, built: str, database: psycopg.Connection
) -> None:
    database.execute(f"DROP TABLE {VIEWS_SCHEMA}.docket")
    said = lunpai("rebuild", "--check")
    assert said.status == 1 and "not compared" in said.out and "docket" in said.out
    assert lunpai("rebuild").status == 0


def test_one_rebuild_at_a_time(lunpai: Lunpai, built: str, database: psycopg.Connection) -> None:
    with rebuilding_elsewhere(database):
        said = lunpai("rebuild")
        assert (said.status, said.out) == (1, "")
        assert said.err == "lunpai: another rebuild is running: wait for it or cancel it (lunpai rebuild --list)\n"


def test_ctrl_c_cancels_and_leaves_the_views_as_they_are(
    lunpai: Lunpai, built: str, monkeypatch: pytest.MonkeyPatch, database: psycopg.Connection
) -> None:
    before = database.execute(f"SELECT '{VIEWS_SCHEMA}.ownership'::regclass::oid").fetchone()

    def pressed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuild, "compare", pressed)
    said = lunpai("rebuild")
    assert said.status == 130 and said.err.endswith("lunpai: stopped\n")
    monkeypatch.setattr(rebuild, "compare", compare.compare)
    assert json.loads(lunpai("rebuild", "--list", "--json").out)[0]["status"] == "cancelled"
    assert database.execute(f"SELECT '{VIEWS_SCHEMA}.ownership'::regclass::oid").fetchone() == before
    assert lunpai("rebuild", "--check").status == 0


def test_cancelling_from_elsewhere(
    lunpai: Lunpai, built: str, monkeypatch: pytest.MonkeyPatch, database: psycopg.Connection
) -> None:
    def compare_cancelled(*arguments: object) -> compare.Compared:
        database.execute(f"UPDATE {VIEWS_SCHEMA}.rebuild SET cancel = true WHERE status = 'running'")
        return compare.compare(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuild, "compare", compare_cancelled)
    said = lunpai("rebuild")
    assert said.status == 1 and "the rebuild was cancelled; the live views are as they were" in said.err
    assert lunpai("lag").status == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rebuild", "ownership", "nix"], "no view is called 'nix': there are ownership"),
        (["rebuild", "--cancel"], "no rebuild is running"),
        (["rebuild", "--differences", "987654"], "no rebuild has the number 987654"),
        (["schedule", "run", "nix"], "the schedule has no task nix: see lunpai schedule list"),
    ],
)
def test_bad_input_is_one_clear_line(lunpai: Lunpai, built: str, arguments: list[str], says: str) -> None:
    said = lunpai(*arguments)
    assert (said.status, said.out) == (1, "")
    assert says in said.err and len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--list", "--cancel"], ["ownership", "--list"], ["--check", "--cancel"], ["--differences", "x"], ["--nix"]],
)
def test_what_can_not_be_asked_together(lunpai: Lunpai, arguments: list[str]) -> None:
    said = lunpai("rebuild", *arguments)
    assert (said.status, said.out) == (2, "") and "Error: " in said.err


# schedule


def test_the_schedule_is_listed_and_its_tasks_are_done_by_hand(lunpai: Lunpai, built: str) -> None:
    said = lunpai("schedule", "list")
    assert said.status == 0 and "schedule.yaml (not there: the default) - Asia/Shanghai" in said.out
    assert "30 2 * * *" in said.out and "no worker is running: start lunpai work" in said.out
    done = lunpai("schedule", "run", "nightly-check", "--here")
    assert done.status == 0 and done.out.startswith("nightly-check: done: check ")
    listed = json.loads(lunpai("schedule", "list", "--json").out)
    tasks = {task["task"]: task for task in listed["tasks"]}
    assert listed["timezone"] == "Asia/Shanghai" and listed["workers"] == 0
    assert (tasks["nightly-check"]["last"]["status"], tasks["weekly-rebuild"]["last"]) == ("done", None)
    assert tasks["weekly-rebuild"]["next"].endswith("T19:30:00Z")  # 03:30 in Shanghai
    left = lunpai("schedule", "run", "weekly-rebuild")
    assert left.status == 0 and "waiting for a worker" in left.out and "start lunpai work" in left.err
    assert "already" in lunpai("schedule", "run", "weekly-rebuild").out
    assert "weekly-rebuild: waiting" in lunpai("schedule", "list").out
    assert "weekly-rebuild：排队中" in lunpai("--language", "zh", "schedule", "list").out


def test_a_task_that_could_not_be_done_is_no_success(lunpai: Lunpai, built: str, database: psycopg.Connection) -> None:
    with rebuilding_elsewhere(database):
        said = lunpai("schedule", "run", "nightly-check", "--here")
    assert said.status == 1 and said.out == "nightly-check: skipped: another rebuild was running\n"
    database.execute(f"UPDATE {VIEWS_SCHEMA}.ownership SET ruled = NOT ruled")
    said = lunpai("schedule", "run", "nightly-check", "--here")
    assert said.status == 1 and "lunpai rebuild --differences" in said.out


@pytest.mark.parametrize("command", [["work"], ["schedule", "list"], ["schedule", "run", "a"], ["run"]])
def test_a_bad_schedule_file_is_one_clear_line(lunpai: Lunpai, home: Path, command: list[str]) -> None:
    file = home / "schedule.yaml"
    file.write_text("tasks:\n  a: {what: check, cron: 1 2 * * *, views: [nix]}\n", "utf-8")
    try:
        said = lunpai(*command)
    finally:
        file.unlink()
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith(f"lunpai: {file}:2: $.tasks.a.views[0]: no view is called 'nix'")
    assert len(said.err.splitlines()) == 1


# work, run


@contextmanager
def started(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "LUNPAI_HOME": str(home), "LANG": "C.UTF-8"}
    environment.pop("LUNPAI_DATABASE_URL", None)
    command = [sys.executable, "-m", "interfaces.cli", *arguments]
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=Path(cli.__file__).parents[1],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def heard(process: subprocess.Popen[str], text: str) -> str:
    """What the process says on stderr up to a line with that text."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


def test_a_worker_works_until_it_is_asked_to_end(lunpai: Lunpai, built: str, home: Path) -> None:
    with started(home, "work") as worker:
        said = heard(worker, "views: kept live by this worker")
        assert "schedule: nightly-check: next at " in said
        assert lunpai("schedule", "run", "nightly-check").status == 0
        heard(worker, "schedule: nightly-check: done: ")
        assert "kept live by lunpai work, process " in lunpai("lag").out
        with started(home, "work", "--no-schedule") as other:
            assert "schedule" not in heard(other, "kept live by another worker; this one stands by")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
            heard(other, "views: kept live by this worker")
            other.send_signal(signal.SIGINT)
            assert other.wait(60) == 0


def test_run_keeps_the_views_live(lunpai: Lunpai, built: str, home: Path) -> None:
    with started(home, "run") as running:
        heard(running, "views: kept live by this worker")
        assert lunpai("enrol", "丙丁", "--site", built).status == 0
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
        assert running.stdout is not None
        told = running.stdout.read()
    for what in ("lunpai lag", "lunpai rebuild --check", "lunpai report"):
        assert what in told
