"""Checks and rebuilds asked for over HTTP: once however often they are asked for, done by a worker, told to each site
as far as they concern it, ended when somebody wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from projections import jobs
from projections.job_queue import Outcome, defer, note, queue_of
from projections.rebuild import Progress
from projections.records import run
from projections.schedule import Task
from projections.views import VIEWS
from tests.api.house import House, store_on_disk
from tests.projections.test_job_queue import working

CHECK = {"what": "check"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def houses(home: Path) -> Iterator[tuple[House, House]]:
    """Two sites of one store, whose views are kept."""
    with store_on_disk(home) as store:
        here, there = House(store), House(store, "江畔二号")
        for house in (here, there):
            for number in range(3):
                house.register("consultant", f"客户{number}", f"1390000000{number}")
        run(store.read_side, None, check=False, asked_by="test", tell=lambda progress: None)
        yield here, there


@pytest.fixture
def house(houses: tuple[House, House]) -> House:
    """An office whose queue is empty."""
    house = houses[0]
    house.reads("jobs")
    with queue_of(house.store.read_side) as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
    return house


@pytest.fixture
def there(houses: tuple[House, House]) -> House:
    return houses[1]


def state(house: House, job: int, who: str = "auditor") -> dict[str, Any]:
    return house.reads(f"jobs/{job}", who)


def test_a_job_is_asked_for_once_however_often(house: House, there: House) -> None:
    asked = house.does("jobs", CHECK, idempotency="once")
    assert (asked["already"], asked["repeated"], asked["workers"]) == (False, False, 0)
    job = asked["job"]
    assert house.does("jobs", CHECK, idempotency="once") == {**asked, "already": True, "repeated": True}
    house.refused(house.ask("POST", "jobs", body={"what": "rebuild"}, idempotency="once"), 422, "command_reused")
    assert house.does("jobs", CHECK) == {**asked, "already": True}
    assert there.does("jobs", CHECK) == {**asked, "already": True}
    told = house.refused(house.ask("POST", "jobs", body={**CHECK, "views": ["docket"]}), 409, "job_waiting")
    assert told["detail"] == f"job {job} is in the queue"
    assert house.does("jobs", {"what": "rebuild", "views": ["docket"]})["job"] != job
    waiting = state(house, job)
    assert (waiting["status"], waiting["what"], waiting["views"]) == ("waiting", "check", None)
    assert waiting["requested_by"] == str(house.staff["manager"]) and waiting["requested_at"]
    assert state(there, job)["requested_by"] is None
    listed = house.reads("jobs")
    assert [one["job"] for one in listed["queued"]] == [job, job + 1] and listed["workers"] == 0
    assert listed["queued"][1]["views"] == ["docket"]
    house.fits("get", "jobs", listed)
    house.fits("post", "jobs", asked)
    assert listed["staff"] == {str(house.staff["manager"]): "员工manager"}


def test_a_worker_does_it_and_what_came_of_it_is_kept(house: House) -> None:
    job = house.does("jobs", {"what": "check", "views": ["ownership", "docket"]})["job"]
    with working(house.store.read_side) as worker:
        worker.heard("requested check: done")
        alive = house.reads("jobs")["workers"]
    done = state(house, job)
    assert alive == 1 and (done["status"], done["clean"], done["differences"]) == ("done", True, 0)
    assert done["seconds"] > 0 and done["position"] == house.position and done["views"] == ["docket", "ownership"]
    assert done["started_at"] <= done["ended_at"]
    record = house.reads(f"rebuilds/{done['rebuild']}", "auditor")
    assert record["rebuild"]["asked_by"] == f"job {job}" and record["rebuild"]["mode"] == "check"
    assert (record["here"], record["found"], record["after"]) == (0, [], None)
    house.fits("get", "jobs/{job}", done)
    assert house.reads("jobs")["over"][0] == done


def test_what_differs_is_told_to_the_site_that_it_concerns(house: House, there: House) -> None:
    read_side = house.store.read_side
    with read_side.connection() as connection:
        connection.execute(f'UPDATE "{read_side.schema}".ownership SET ground = $$lapsed$$')
        connection.execute(f'DELETE FROM "{read_side.schema}".timeline WHERE site = %s', [house.site])
    job = house.does("jobs", CHECK)["job"]
    with working(read_side) as worker:
        worker.heard("requested check: done")
    done = state(house, job)
    assert (done["clean"], done["differences"]) == (False, 9)
    number = f"rebuilds/{done['rebuild']}"
    whole, other = house.reads(number), there.reads(number)
    assert (whole["here"], other["here"], whole["rebuild"]["differences"]) == (6, 3, 9)
    assert {one["view"] for one in whole["found"]} == {"ownership", "timeline"}
    assert {one["fresh"]["site"] for one in whole["found"]} == {str(house.site)}
    assert {one["fresh"]["site"] for one in other["found"]} == {str(there.site)}
    assert house.pages(number, "found") == whole["found"] == house.pages(number, "found", limit=4)
    house.fits("get", "rebuilds/{rebuild}", whole)
    house.fits("get", "rebuilds", house.reads("rebuilds"))
    ground = next(one for one in whole["found"] if one["view"] == "ownership")
    assert ground["columns"] == ["ground"] and ground["live"]["ground"] == "lapsed" and ground["facts"]
    gone = next(one for one in whole["found"] if one["view"] == "timeline")
    assert gone["live"] is None and gone["fresh"]["file"] == gone["key"][0]
    text = house.ask("GET", number).get_data(as_text=True)
    assert "sealed" not in text and "person" not in text and str(there.site) not in text
    house.does("jobs", {"what": "rebuild"})
    with working(read_side) as worker:
        worker.heard("requested rebuild: done")
    house.does("jobs", CHECK)
    with working(read_side) as worker:
        worker.heard("requested check: done")
    assert house.reads("jobs")["over"][0]["clean"]


def test_one_that_waits_is_taken_out_of_the_queue(house: House, there: House) -> None:
    job = house.does("jobs", CHECK)["job"]
    there.refused(there.ask("POST", f"jobs/{job}/cancellation", body={}), 403, "access_denied")
    assert state(house, job)["status"] == "waiting"
    ended = house.does(f"jobs/{job}/cancellation", {})
    assert (ended["status"], ended["requested_by"]) == ("cancelled", str(house.staff["manager"]))
    assert house.does(f"jobs/{job}/cancellation", {}) == ended == state(house, job)
    assert house.reads("jobs")["queued"] == []
    assert house.does("jobs", CHECK)["job"] > job


def test_one_that_runs_ends_at_its_next_step(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    running, pause = threading.Event(), threading.Event()

    def goes_on(*given: Any, tell: Any, **more: Any) -> None:
        running.set()
        while True:
            tell(Progress("folding", 0, 1))  # raises once somebody has asked for it
            pause.wait(0.01)

    monkeypatch.setattr(jobs, "run", goes_on)
    job = house.does("jobs", CHECK)["job"]
    with working(house.store.read_side) as worker:
        assert running.wait(60)
        assert state(house, job)["status"] == "running"
        assert house.does("jobs", CHECK) == {"job": job, "already": True, "repeated": False, "workers": 1}
        told = house.does(f"jobs/{job}/cancellation", {})
        assert (told["status"], told["ending"]) in (("running", True), ("cancelled", False))
        worker.heard("requested check: cancelled")
    over = state(house, job)
    assert (over["status"], over["job"]) == ("cancelled", job)
    assert house.reads("jobs")["queued"] == []


def test_a_worker_that_ends_leaves_the_job_to_the_next(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    running, pause = threading.Event(), threading.Event()

    def goes_on(*given: Any, tell: Any, **more: Any) -> None:
        running.set()
        while True:
            tell(Progress("folding", 0, 1))
            pause.wait(0.01)

    job = house.does("jobs", CHECK)["job"]
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "run", goes_on)
        with working(house.store.read_side):
            assert running.wait(60)
    assert state(house, job)["status"] == "waiting"
    with working(house.store.read_side) as worker:
        worker.heard("requested check: done")
    assert state(house, job)["status"] == "done"


def test_a_job_of_the_schedule_is_nobodys_to_end(house: House) -> None:
    assert defer(house.store.read_side, "nightly-check", Task(what="check", cron=""))
    (one,) = house.reads("jobs")["queued"]
    assert (one["task"], one["requested_by"], one["requested_at"]) == ("nightly-check", None, None)
    house.refused(house.ask("POST", f"jobs/{one['job']}/cancellation", body={}), 403, "access_denied")
    assert state(house, one["job"])["status"] == "waiting"


def test_jobs_and_rebuilds_in_pages(house: House) -> None:
    for _ in range(3):
        house.does(f"jobs/{house.does('jobs', CHECK)['job']}/cancellation", {})
    whole = house.reads("jobs?limit=500")["over"]
    assert house.pages("jobs", "over") == whole and len(whole) >= 3
    numbers = [one["rebuild"] for one in house.reads("rebuilds?limit=500")["rebuilds"]]
    assert numbers == sorted(numbers, reverse=True) == [one["rebuild"] for one in house.pages("rebuilds", "rebuilds")]


def test_the_schedule(house: House, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNPAI_HOME", str(home))
    told = house.reads("schedule", "auditor")
    assert told["timezone"] == "Asia/Shanghai" and told["workers"] == 0
    house.fits("get", "schedule", told)
    nightly, weekly = told["tasks"]
    assert (nightly["task"], nightly["what"], weekly["what"]) == ("nightly-check", "check", "rebuild")
    assert datetime.fromisoformat(nightly["next"]).utcoffset() is not None
    defer(house.store.read_side, "weekly-rebuild", Task(what="rebuild", cron="", views=("docket",)))
    assert house.reads("schedule")["tasks"][1]["queued"] == "waiting"
    with working(house.store.read_side) as worker:
        worker.heard("weekly-rebuild: done")
    last = house.reads("schedule")["tasks"][1]["last"]
    assert (last["status"], last["what"], last["views"]) == ("done", "rebuild", ["docket"])
    failed = Outcome(task="weekly-rebuild", status="failed", started_at=datetime.now(UTC), message="gone")
    note(house.store.read_side, failed)
    assert house.reads("schedule")["tasks"][1]["last"]["status"] == "failed", "the last one, whatever was before"

    file = home / "schedule.yaml"
    file.write_text("timezone: Europe/Berlin\ntasks:\n  hourly: {what: check, cron: '0 * * * *', views: [docket]}\n")
    told = house.reads("schedule")
    assert told["timezone"] == "Europe/Berlin" and [one["views"] for one in told["tasks"]] == [["docket"]]
    file.write_text("tasks: [")
    house.refused(house.ask("GET", "schedule"), 503, "schedule_unreadable")
    file.unlink()


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"what": "drop"}, {"what": "check", "views": []}, {"what": "check", "views": ["fact"]}),
        *({"what": "check", "views": "docket"}, {"what": "check", "at": "2026-03-02T10:02:00+08:00"}),
        {"what": "check", "views": [*VIEWS, "docket"]},
        {"what": "check", "views": ["docket; DROP TABLE fact"]},
    ],
)
def test_what_can_not_be_asked_for(house: House, body: dict[str, Any]) -> None:
    house.refused(house.ask("POST", "jobs", body=body), 422, "bad_fields")
    assert house.reads("jobs")["queued"] == []


def test_jobs_that_there_are_not(house: House) -> None:
    for number in (0, 999_999, 10**30):
        house.refused(house.ask("GET", f"jobs/{number}"), 404, "unknown_job")
        house.refused(house.ask("POST", f"jobs/{number}/cancellation", body={}), 404, "unknown_job")
        house.refused(house.ask("GET", f"rebuilds/{number}"), 404, "unknown_rebuild")
    house.refused(house.ask("GET", "jobs/-1"), 404, "not_found")
    for query in ("after=x", "after=WyJhIl0", "after=Wy0xXQ", "limit=0"):
        house.refused(house.ask("GET", f"jobs?{query}"), 422, "bad_fields")
        house.refused(house.ask("GET", f"rebuilds?{query}"), 422, "bad_fields")
    house.refused(house.ask("GET", f"/v1/sites/{uuid4()}/jobs"), 404, "unknown_site")


def test_a_store_in_memory_has_no_jobs() -> None:
    house = House()
    for path in ("jobs", "jobs/1", "rebuilds", "rebuilds/1", "schedule"):
        house.refused(house.ask("GET", path), 503, "views_missing")
    house.refused(house.ask("POST", "jobs", body=CHECK), 503, "views_missing")


def test_two_managers_at_once_get_one_job(house: House, there: House) -> None:
    found: list[Any] = []

    def ask(which: House) -> None:
        found.append(which.does("jobs", CHECK))

    both = [threading.Thread(target=ask, args=(which,)) for which in (house, there, house, there)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert len({one["job"] for one in found}) == 1 and [one["already"] for one in found].count(False) == 1
