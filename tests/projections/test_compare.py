"""A rebuild is an audit: whatever is not as the facts say is named with view, key, columns and facts; what is right is
never called wrong, however much comes in meanwhile; and a check changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from psycopg import sql

from projections import compare
from projections.dossier import Judged
from projections.rebuild import rebuild
from projections.view import Row

from .engine import (
    ALL_VIEWS,
    COUNTED,
    OWNED,
    SMALL_VIEWS,
    Opened,
    at,
    catch_up,
    check_rows,
    kept,
    opened,
    positions,
    rows_in,
    rows_now,
    tables_in,
    with_rows,
)


class Found(msgspec.Struct, frozen=True):
    """A difference as it is on record."""

    view: str
    key: list[str]
    columns: set[str]
    live: dict[str, Any] | None
    fresh: dict[str, Any] | None
    facts: list[int]
    note: str | None


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    """An office with a short history, under the two small views."""
    with opened(postgres_uri, steps=40) as office:
        yield office


def differences(office: Opened) -> list[Found]:
    """What the last check or rebuild found."""
    query = (
        "SELECT view, key, columns, live, fresh, facts, note FROM {d} "
        "WHERE rebuild = (SELECT max(id) FROM {r}) ORDER BY number"
    )
    rows = office.owner(query, d="difference", r="rebuild")
    return [Found(row[0], row[1], set(row[2]), *row[3:]) for row in rows]


def check(office: Opened) -> list[Found]:
    """Check the views; what is found is on record, and counted right."""
    found = rebuild(office.side, check=True)
    assert found.mode == "check" and found.compared == found.views
    [(recorded, compared)] = office.owner("SELECT differences, compared FROM {r} WHERE id = %s", found.id, r="rebuild")
    assert compared and recorded == found.differences
    named = differences(office)
    assert len(named) == min(found.differences, compare.MOST_RECORDED)
    return named


def facts_of(office: Opened, visitor: UUID) -> list[int]:
    """The positions of all facts about whoever is tied to a visitor, by the command side."""
    files = office.office.files.customer_files(visitor)
    return [envelope.position for file in files.values() for envelope in file.history]


def alone(office: Opened) -> UUID:
    """A visitor newly registered, whom nothing ties to anybody."""
    office.play.step("register", 0, 0)
    catch_up(office.side)
    return office.play.entries[-1].visitor


# What is wrong is named


def test_a_falsified_row(office: Opened) -> None:
    visitor = alone(office)
    office.owner("UPDATE {o} SET owner = NULL, ground = 'favour' WHERE file = %s", visitor, o="owned")
    [found] = check(office)
    assert (found.view, found.key, found.columns) == ("owned", [str(visitor), "1"], {"owner", "ground"})
    assert found.live and found.fresh
    assert (found.live["owner"], found.live["ground"]) == (None, "favour")
    assert found.fresh["owner"] == str(office.staffed.consultants[0])
    assert found.facts == facts_of(office, visitor) and found.note is None


def test_a_deleted_row(office: Opened) -> None:
    visitor = alone(office)
    office.owner("DELETE FROM {o} WHERE file = %s", visitor, o="owned")
    [found] = check(office)
    assert (found.view, found.key, found.live) == ("owned", [str(visitor), "1"], None)
    assert found.fresh and found.fresh["file"] == str(visitor)
    assert found.facts == facts_of(office, visitor)


def test_an_invented_row(office: Opened) -> None:
    visitor = uuid4()
    office.owner("INSERT INTO {o} VALUES (%s, 1, %s, NULL, 'favour', NULL)", visitor, office.site, o="owned")
    [found] = check(office)
    assert (found.view, found.key, found.fresh) == ("owned", [str(visitor), "1"], None)
    assert found.live and found.live["ground"] == "favour"
    assert found.facts == [] and found.note


def test_an_invented_row_of_somebody_there_is(office: Opened) -> None:
    visitor = alone(office)
    office.owner("INSERT INTO {o} VALUES (%s, 7, %s, NULL, 'favour', NULL)", visitor, office.site, o="owned")
    [found] = check(office)
    assert (found.key, found.fresh) == ([str(visitor), "7"], None)
    assert found.facts == facts_of(office, visitor)


def test_a_wrong_sum(office: Opened) -> None:
    what = "visitor.registered.v1"
    office.owner("UPDATE {c} SET count = count + 2 WHERE what = %s", what, c="counted")
    [found] = check(office)
    assert (found.view, found.key, found.columns) == ("counted", [str(office.site), what], {"count"})
    assert found.live and found.fresh and found.live["count"] == found.fresh["count"] + 2
    assert found.facts == [e.position for e in office.record.read() if e.fact.stored_name == what]


@pytest.mark.parametrize("change", ["DELETE FROM {c}", "INSERT INTO {c} SELECT site, 'nothing', 3 FROM {c} LIMIT 1"])
def test_sums_that_are_not_there_or_should_not_be(office: Opened, change: str) -> None:
    kinds = len(rows_in(office.side, COUNTED))
    office.owner(change, c="counted")
    found = check(office)
    assert len(found) == (kinds if change.startswith("DELETE") else 1)
    assert all((one.live is None) != (one.fresh is None) for one in found)


def test_every_column_of_every_view(postgres_uri: str) -> None:
    """One value changed in one row of each: the very column is named."""
    other = {
        "uuid": "gen_random_uuid()",
        "text": "'other'",
        "bytea": "'\\x00'",
        "integer": "coalesce({0}, 0) + 1",
        "bigint": "{0} + 1",
        "boolean": "{0} IS NOT TRUE",
        "date": "coalesce({0}, current_date) + 1",
        "timestamptz": "coalesce({0}, now()) + interval '1 microsecond'",
        "uuid[]": "{0} || gen_random_uuid()",
        "text[]": "{0} || 'other'::text",
        "bigint[]": "{0} || 1::bigint",
        "date[]": "{0} || current_date",
    }
    with opened(postgres_uri, ALL_VIEWS, steps=120) as office:
        wanted: dict[tuple[str, tuple[str, ...]], set[str]] = {}
        for view in ALL_VIEWS:
            for key, column in zip(cycle(sorted(rows_in(office.side, view))), view.columns[view.key :], strict=False):
                named = " AND ".join(f"{name} = %s" for name in view.key_columns)
                value = other[column.type].format(column.name)
                office.owner(f"UPDATE {{t}} SET {column.name} = {value} WHERE {named}", *key, t=view.name)
                wanted.setdefault((view.name, tuple(map(str, key))), set()).add(column.name)
        found = check(office)
        assert {(one.view, tuple(one.key)): one.columns for one in found} == wanted
        assert all(one.facts for one in found)


def test_more_than_are_put_on_record(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "MOST_RECORDED", 2)
    kinds = len(rows_in(office.side, COUNTED))
    office.owner("UPDATE {c} SET count = count + 1", c="counted")
    assert len(check(office)) == 2 < kinds


def test_a_rebuild_names_what_it_puts_right(office: Opened) -> None:
    visitor = alone(office)
    office.owner("UPDATE {o} SET ground = 'favour' WHERE file = %s", visitor, o="owned")
    assert rebuild(office.side).differences == 1
    [found] = differences(office)
    assert (found.key, found.columns) == ([str(visitor), "1"], {"ground"})
    check_rows(office.side, office.record)
    assert check(office) == []


# A fold that does not give the same twice


def test_a_fold_that_does_not_give_the_same_twice(postgres_uri: str) -> None:
    """A row that changes with every fold is a difference, and said to come from the fold."""
    number = count()

    def rows(judged: Judged) -> Iterator[Row]:
        for entry, found in judged.customers:
            values = (entry.visitor, entry.registration, judged.site, found.owner, f"{next(number)}", found.until)
            yield Row(values, judged.positions)

    with opened(postgres_uri, [with_rows(OWNED, rows), COUNTED], steps=20) as office:
        found = check(office)
        assert found and {one.view for one in found} == {"owned"}
        assert all(one.note and "same result twice" in one.note and one.facts for one in found)


def test_a_sum_that_does_not_come_out_the_same_twice(postgres_uri: str) -> None:
    number = count()

    def rows(judged: Judged) -> Iterator[Row]:
        yield Row((judged.site, "something", next(number)), judged.positions)

    with opened(postgres_uri, [OWNED, with_rows(COUNTED, rows)], steps=20) as office:
        [found] = check(office)
        assert found.view == "counted" and found.facts
        assert found.note and "same result twice" in found.note


# What is right is not called wrong


def test_a_check_changes_nothing(office: Opened) -> None:
    visitor = alone(office)
    office.owner("UPDATE {o} SET ground = 'favour' WHERE file = %s", visitor, o="owned")
    query = sql.SQL("SELECT xmin::text, * FROM {} ORDER BY 2, 3").as_string()
    before = [office.owner(query.replace("{}", "{t}"), t=view.name) for view in SMALL_VIEWS]
    standing, tables = office.owner("SELECT * FROM {v}", v="view"), tables_in(office.side)
    for _ in range(2):
        assert len(check(office)) == 1
    assert [office.owner(query.replace("{}", "{t}"), t=view.name) for view in SMALL_VIEWS] == before
    assert office.owner("SELECT * FROM {v}", v="view") == standing
    assert tables_in(office.side) == tables


def test_a_check_of_views_that_lag_behind(office: Opened) -> None:
    """They are brought to the same fact first: what they have not yet is no difference."""
    office.play.steps(30, 3)
    assert check(office) == []
    catch_up(office.side)
    check_rows(office.side, office.record)


def test_what_was_falsified_in_the_last_moment(office: Opened) -> None:
    """Live took a fact in that fresh does not have yet, and was then put back to what it was before."""

    def falsify() -> None:
        office.play.step("register", 0, 0)
        catch_up(office.side)
        office.owner("UPDATE {c} SET count = count - 1 WHERE what = 'visitor.registered.v1'", c="counted")

    assert rebuild(office.side, check=True, tell=at("comparing", falsify)).differences == 1


MOST_STEPS = 1_000
"""Relations by chance end in one customer of thousands of facts, judged as a whole at every step."""


def test_no_false_differences_under_load(postgres_uri: str) -> None:
    """Many checks while everything goes on: registrations, relations, adoptions - and a worker that keeps the views."""
    with opened(postgres_uri, ALL_VIEWS, steps=60) as office, kept(office.side) as keeper:
        done = threading.Event()

        def work() -> None:
            for seed in range(MOST_STEPS):
                if done.wait(0.02):
                    return
                office.play.steps(1, seed)

        working = threading.Thread(target=work)
        working.start()
        try:
            began = office.record.position()
            for _ in range(12):
                assert check(office) == []
                assert rows_now(office).keys() == positions(office.side).keys()
        finally:
            done.set()
            working.join()
        assert office.record.position() > began + 100 and keeper.alive
        catch_up(office.side)
        check_rows(office.side, office.record)
