"""How far a rebuild is: one line a stage in a log, a bar on a terminal that is gone afterwards."""

from __future__ import annotations

import sys

import pytest

from interfaces.building import STAGES, Building
from projections.rebuild import Progress

RUN = [
    Progress("planning", 0, 0),
    Progress("folding", 0, 20),
    Progress("folding", 10, 20),
    Progress("comparing", 20, 20),
    Progress("done", 20, 20),
]


@pytest.mark.parametrize(
    ("language", "lines"),
    [("en", ["planning", "folding: 20 facts", "comparing"]), ("zh", ["准备", "折叠事实：20条", "比对"])],
)
def test_in_a_log_every_stage_is_one_line(capsys: pytest.CaptureFixture[str], language: str, lines: list[str]) -> None:
    with Building(language) as building:
        for progress in RUN:
            building(progress)
    assert capsys.readouterr() == ("", "".join(f"{line}\n" for line in lines))


def test_the_bar_is_taken_away_however_the_rebuild_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(KeyboardInterrupt), Building("en") as building:
        for progress in RUN[:3]:
            building(progress)
        bar = building._bar
        assert bar is not None and (bar[0].tasks[0].completed, bar[0].tasks[0].total) == (10, 20)
        raise KeyboardInterrupt
    assert bar[0].live.is_started is False and building._bar is None
    assert capsys.readouterr().out == ""


def test_every_stage_has_a_word_in_chinese() -> None:
    assert Progress.__doc__ is not None
    named = Progress.__doc__.partition("`stage`:")[2].partition(".")[0]
    assert {stage.strip() for stage in named.split(",")} == STAGES.keys()
