"""What can't be taken whole is left out alike wherever it is met: live, in a rebuild, as of an instant, in a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from application.event_store.appending import StoreRefused
from domain.rulebook import RulebookError
from projections import compare, folding
from projections.dossier import Judged
from projections.folding import Files, Problem, as_far_as_it_goes, whole
from projections.rebuild import rebuild
from projections.view import Row

from .engine import COUNTED, OWNED, Opened, catch_up, opened, parked, rows_in, with_rows
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


# Sums that no table holds

NO_SUMS: dict[str, Callable[[Row], Row]] = {
    "a number too large": lambda row: Row((*row.values[:2], 2**63), row.facts),
    "a text that PostgreSQL does not hold": lambda row: Row((row.values[0], "a\0b", 1), row.facts),
    "nothing where something must be": lambda row: Row((None, *row.values[1:]), row.facts),
    "too few values": lambda row: Row(row.values[:2], row.facts),
}


@pytest.mark.damages
@pytest.mark.parametrize("how", NO_SUMS.values(), ids=NO_SUMS.keys())
@pytest.mark.parametrize("first", ["live", "rebuild"])
def test_a_sum_that_no_table_holds(postgres_uri: str, how: Callable[[Row], Row], first: str) -> None:
    """It is parked, and everybody else is counted."""
    bad: set[UUID] = set()

    def rows(judged: Judged) -> Iterator[Row]:
        for row in COUNTED.rows["customer"](judged):
            yield how(row) if judged.facts[0].stream in bad else row

    view = with_rows(COUNTED, rows)
    with opened(postgres_uri, [view, OWNED], steps=20) as office:
        counted = rows_in(office.side, view)
        visitor = register(office)
        bad.add(visitor)
        if first == "live":
            catch_up(office.side)
        else:
            assert rebuild(office.side).parked == 1
        assert [row[:2] for row in parked(office.side)] == [("counted", visitor)]
        assert rows_in(office.side, view) == counted
        assert rebuild(office.side, check=True).differences == 0


# A record that ends early


def test_a_record_that_ends_before_what_is_to_be_looked_at_again(office: Opened) -> None:
    end = office.record.position()
    with office.side.connection() as connection, pytest.raises(StoreRefused, match=f"ends with {end}: restore it"):
        compare._touched(office.side, connection, office.side.views, end, end + 5)
