"""The schedule as people write it, and the times that follow from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from application.yaml_files import FileProblem
from projections.schedule import DEFAULT, FILE, Task, following, read_schedule, wrong_with
from projections.views import VIEWS

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def test_without_a_file_all_views_are_checked_every_night_and_rebuilt_on_sunday(tmp_path: Path) -> None:
    schedule = read_schedule(tmp_path / FILE, VIEWS)
    assert schedule is DEFAULT and {name: task.views for name, task in schedule.tasks.items()} == {
        "nightly-check": None,
        "weekly-rebuild": None,
    }
    friday = datetime(2026, 3, 6, 12, tzinfo=SHANGHAI)
    due = {name: following(task.cron, SHANGHAI, friday) for name, task in schedule.tasks.items()}
    assert due == {
        "nightly-check": datetime(2026, 3, 7, 2, 30, tzinfo=SHANGHAI),
        "weekly-rebuild": datetime(2026, 3, 8, 3, 30, tzinfo=SHANGHAI),
    }


def test_a_file_says_what_is_done_when_and_on_whose_clock(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(
        "timezone: Europe/Berlin\nmake_up_hours: 0\ntasks:\n"
        "  often: {what: check, cron: '*/15 8-20 * * mon-sat', views: [ownership, docket]}\n",
        "utf-8",
    )
    schedule = read_schedule(file, VIEWS)
    assert (schedule.timezone, schedule.make_up_hours) == ("Europe/Berlin", 0)
    assert schedule.tasks == {"often": Task(what="check", cron="*/15 8-20 * * mon-sat", views=("ownership", "docket"))}
    file.write_text("tasks: {}\n", "utf-8")
    assert read_schedule(file, VIEWS).tasks == {}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "the file is empty"),
        ("tasks: {}\ntask: {}\n", 1, "task"),
        ("tasks:\n  a: {what: check, cron: 1 2 * * *, view: [docket]}\n", 2, "view"),
        ("tasks:\n  a: {what: check}\n", 2, "cron"),
        ("tasks:\n  a: {what: burn, cron: 1 2 * * *}\n", 2, "$.tasks.a.what"),
        ("tasks:\n  a b: {what: check, cron: 1 2 * * *}\n", 2, "$.tasks"),
        ("tasks:\n  a: {what: check, cron: 1 2 * * *}\n  a: {what: check, cron: 1 2 * * *}\n", 3, "twice"),
        ("tasks:\n  a:\n    what: check\n    cron: 61 2 * * *\n", 4, "$.tasks.a.cron"),
        ("tasks:\n  a:\n    what: check\n    cron: 0 0 31 2 *\n", 4, "'0 0 31 2 *'"),
        ("tasks:\n  a:\n    what: check\n    cron: nightly\n", 4, "has 1 fields"),
        ("tasks:\n  a:\n    what: check\n    cron: '* * * * * *'\n", 4, "has 6 fields"),
        ("tasks:\n  a:\n    what: check\n    cron: '@daily'\n", 4, "has 1 fields"),
        ("tasks:\n  a:\n    what: check\n    cron: R R * * *\n", 4, "'R' is no minute"),
        ("tasks:\n  a: {what: check, cron: 1 2 * * *, views: [ownership, nix]}\n", 2, "no view is called 'nix'"),
        ("tasks:\n  a: {what: check, cron: 1 2 * * *, views: []}\n", 2, "names no view"),
        ("timezone: Mars/Olympus\ntasks: {}\n", 1, "not a time zone"),
        ("timezone: ../../etc/passwd\ntasks: {}\n", 1, "not a time zone"),
        ("make_up_hours: 1000\ntasks: {}\n", 1, "$.make_up_hours"),
        ("tasks: {}\nmake_up_hours: soon\n", 2, "$.make_up_hours"),
        ("tasks: [\n", 2, "not readable as YAML"),
        ("- tasks\n", 1, "object"),
    ],
)
def test_a_bad_file_is_one_line_with_file_line_and_path(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = tmp_path / FILE
    file.write_text(text, "utf-8")
    with pytest.raises(FileProblem) as problem:
        read_schedule(file, VIEWS)
    said = str(problem.value)
    assert said.startswith(f"{file}:{line}: ") and says in said and "\n" not in said, said


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_bytes(b"tasks: {}\n# \xff\n")
    with pytest.raises(FileProblem, match=r":2: not UTF-8"):
        read_schedule(file, VIEWS)


@pytest.mark.parametrize("cron", ["0 0 * * 7", "5,10-20/2 */3 1-7 jan-mar,dec MON", "59 23 31 12 0"])
def test_times_as_cron_knows_them(cron: str) -> None:
    assert wrong_with(cron) is None


def test_where_clocks_are_changed_a_time_is_never_left_out() -> None:
    def days(first: datetime, number: int) -> list[datetime]:
        found = [first]
        for _ in range(number):
            found.append(following("30 2 * * *", BERLIN, found[-1]).astimezone(BERLIN))
        return found[1:]

    spring = days(datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN), 2)
    assert [f"{at:%d %H:%M}" for at in spring] == ["29 03:00", "30 02:30"]
    autumn = days(datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN), 3)
    assert [f"{at:%d %H:%M %z}" for at in autumn] == ["25 02:30 +0200", "25 02:30 +0100", "26 02:30 +0100"]
