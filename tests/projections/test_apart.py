"""A rebuild in a process of its own: all is told and answered as by one in this process, and whatever happens to either
of the two processes, the live views are as they were, nothing else is left, and the next rebuild works."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator

import psutil
import psycopg
import pytest

from projections import apart, processes
from projections.apart import rebuild_apart
from projections.processes import FoldingFailed
from projections.rebuild import Cancelled, Progress, RebuildRefused, rebuild
from projections.views import VIEWS

from .engine import (
    ALL_VIEWS,
    BEFORE_THE_EXCHANGE,
    SMALL_VIEWS,
    Opened,
    at,
    check_rows,
    check_untouched,
    opened,
    rows_now,
    spawned,
    statuses,
)


@pytest.fixture
def office(postgres_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """An office with a short history under all views, for which a process of its own is worth while."""
    monkeypatch.setattr(processes, "ALONE_BELOW_FACTS", 0)
    with opened(postgres_uri, ALL_VIEWS, steps=40, build=False) as office:
        rebuild(office.side)
        yield office


def _the_other_process() -> psutil.Process:
    (one,) = spawned()
    return one


def test_as_one_in_this_process(office: Opened) -> None:
    told: list[Progress] = []
    sessions: set[int] = set()

    def tell(progress: Progress) -> None:
        told.append(progress)
        if progress.stage == "folding":
            sessions.add(os.getsid(_the_other_process().pid))

    result = rebuild_apart(office.side, asked_by="a test", tell=tell)
    assert (result.mode, result.differences, result.views) == ("rebuild", 0, tuple(VIEWS))
    assert list(dict.fromkeys(p.stage for p in told)) == [*BEFORE_THE_EXCHANGE, "done"]
    assert told[-1].folded == told[-1].facts == result.position
    assert sessions and os.getsid(0) not in sessions, "of a session of its own"
    assert office.owner("SELECT asked_by FROM {r} WHERE id = %s", result.id, r="rebuild") == [("a test",)]
    check_rows(office.side, office.record)


def test_a_check_of_one_view_finds_what_differs(office: Opened) -> None:
    office.owner("UPDATE {o} SET has_name = NOT has_name", o="ownership")
    before = rows_now(office)
    result = rebuild_apart(office.side, [VIEWS["ownership"]], check=True)
    assert (result.mode, result.views) == ("check", ("ownership",))
    assert result.differences == len(before["ownership"]) > 0
    assert rows_now(office) == before


def test_few_facts_are_not_worth_a_process(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ALONE_BELOW_FACTS", 1_000_000)
    monkeypatch.setattr(apart, "start", lambda process: pytest.fail("a process was started"))
    assert rebuild_apart(office.side).differences == 0


@pytest.mark.parametrize("stage", BEFORE_THE_EXCHANGE)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whoever_is_told_ends_it(
    office: Opened, stage: str, error: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    """The other process goes on for a moment meanwhile: the last stages may be over."""
    before = rows_now(office)

    def end() -> None:
        raise error("no more")

    with pytest.raises(error, match="no more"):
        rebuild_apart(office.side, tell=at(stage, end))
    status = statuses(office)[-1][0]
    assert status == "cancelled" or (status == "done" and stage in ("catching up", "comparing", "swapping"))
    check_untouched(office, before)
    assert rebuild_apart(office.side).differences == 0
    assert capfd.readouterr().err == ""


def test_cancelled_by_somebody_else(office: Opened) -> None:
    before = rows_now(office)

    def cancel() -> None:
        office.owner("UPDATE {r} SET cancel = true WHERE status = 'running'", r="rebuild")

    with pytest.raises(Cancelled, match="the live views are as they were"):
        rebuild_apart(office.side, tell=at("planning", cancel))
    assert statuses(office)[-1][0] == "cancelled"
    check_untouched(office, before)


def test_another_one_runs(office: Opened) -> None:
    refused: list[str] = []

    def again() -> None:
        with pytest.raises(RebuildRefused) as refusal:
            rebuild_apart(office.side)
        refused.append(str(refusal.value))

    assert rebuild(office.side, tell=at("catching up", again)).differences == 0
    assert len(refused) == 1 and "another rebuild is running" in refused[0]


def test_the_other_process_is_killed(office: Opened) -> None:
    before = rows_now(office)
    with pytest.raises(FoldingFailed, match="ended before its work did"):
        rebuild_apart(office.side, tell=at("planning", lambda: _the_other_process().kill()))
    check_untouched(office, before)
    assert rebuild_apart(office.side).differences == 0
    assert [status for status, _ in statuses(office)] == ["done", "failed", "done"]


def test_what_the_database_says_arrives(office: Opened) -> None:
    """As the same error with the same code: whoever asked for it may try again by that."""
    office.owner("ALTER TABLE {r} ADD CHECK (stage <> 'indexing')", r="rebuild")
    with pytest.raises(psycopg.errors.CheckViolation) as failed:
        rebuild_apart(office.side)
    assert failed.value.sqlstate == "23514" and "rebuild_stage_check" in str(failed.value)
    assert statuses(office)[-1][0] == "failed"


EXPECTED = [error("what\nis said") for error in apart.EXPECTED]


@pytest.mark.parametrize("error", EXPECTED, ids=lambda error: type(error).__name__)
def test_what_is_expected_can_be_sent(error: Exception) -> None:
    sent = pickle.loads(pickle.dumps(error))
    assert type(sent) is type(error) and str(sent) == str(error)


def test_a_fault_of_the_program_is_shown_by_the_process_that_met_it(
    postgres_uri: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with opened(postgres_uri, SMALL_VIEWS) as office:
        monkeypatch.setattr(processes, "ALONE_BELOW_FACTS", 0)
        with pytest.raises(FoldingFailed, match="ended before its work did"):
            rebuild_apart(office.side)  # of views that only this process knows
        assert "KeyError: 'owned'" in capfd.readouterr().err
