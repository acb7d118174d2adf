"""What can't be taken whole is left out alike wherever it is met: live, in a rebuild, as of an instant, in a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.rulebook import RulebookError
from projections import compare, folding
from projections.dossier import Judged
from projections.folding import Files, Problem, as_far_as_it_goes, whole
from projections.view import Row

from .engine import OWNED, Opened, opened, with_rows
from .test_parking import register


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    with opened(postgres_uri, steps=20) as office:
        yield office


def files_of(office: Opened, visitor: UUID) -> Files:
    files = Files(office.record.recorder.select_streams, office.record.position())  # type: ignore[attr-defined]
    files.read([visitor])
    return files


def silent(*_: object) -> Judged | None:
    raise RulebookError("the rulebook is silent")


# A dossier that the rules do not decide


def test_the_rules_do_not_decide(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is a problem of its last fact, and no error."""
    visitor = register(office)
    facts = files_of(office, visitor).streams[visitor]
    monkeypatch.setattr(folding, "judge", silent)
    found = whole(facts, None, None)
    assert found.judged is None
    last = facts[-1]
    assert found.problem == Problem(last.position, last.fact.stored_name, "RulebookError: the rulebook is silent")


def test_the_rules_do_not_decide_who_is_behind_a_difference(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference is put on record with all facts of the dossier."""
    visitor = register(office)
    position = office.record.position()
    monkeypatch.setattr(folding, "judge", silent)
    facts, note = compare._facts_behind(office.side, OWNED, (visitor, 1), position)
    assert (list(facts), note) == ([position], None)


# As of an instant


def test_the_good_part_is_judged_as_of_the_instant_too(office: Opened) -> None:
    visitor = register(office)
    files = files_of(office, visitor)
    facts = files.streams[visitor]
    context = files.context(office.site, files.until)
    moments: list[datetime] = []

    def rows(judged: Judged) -> Iterator[Row]:
        moments.append(judged.moment.at)
        yield Row((visitor, 1, judged.site, 1, "owner", None), judged.positions)

    at = datetime.now(UTC) + timedelta(days=400)
    beyond = Problem(facts[-1].position + 1, "visitor.waved.v1", "no fact is named that")
    as_far_as_it_goes(with_rows(OWNED, rows), whole(facts, context, beyond, at))
    assert moments == [at]
