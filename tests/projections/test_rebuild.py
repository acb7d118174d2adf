"""Rebuilding beside the live views: the same rows as live, whatever comes in meanwhile and however the work is parted; no
fact lost, no view emptied, no view taken back; one version after the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg import sql

from application.event_store.migrations import views_schema
from domain import record as recorded
from domain.visitor import VisitorRelated
from projections import code, filling, partition
from projections import rebuild as rebuilding
from projections.rebuild import rebuild
from projections.view import View
from tests.conftest import schema_of_its_own
from tests.reliability.offices import Store

from .engine import (
    ALL_VIEWS,
    BEFORE_THE_EXCHANGE,
    COUNTED,
    OWNED,
    SMALL_VIEWS,
    Opened,
    at,
    body_of,
    catch_up,
    check_rows,
    kept,
    opened,
    positions,
    put_on_record,
    rows_now,
    statuses,
)


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    """An office with a short history, under the two small views."""
    with opened(postgres_uri, steps=40) as office:
        yield office


@pytest.fixture
def whole_office(postgres_uri: str) -> Iterator[Opened]:
    """The same under all views."""
    with opened(postgres_uri, ALL_VIEWS, steps=40) as office:
        yield office


# The same rows


def test_a_rebuild_gives_what_the_facts_say(whole_office: Opened) -> None:
    for seed in range(3):
        whole_office.play.steps(40, seed)
        found = rebuild(whole_office.side)
        assert found.position == whole_office.record.position()
        assert found.differences == 0 and found.parked == 0
        check_rows(whole_office.side, whole_office.record)


def test_a_second_rebuild_in_place_empties_nothing(whole_office: Opened) -> None:
    before = rows_now(whole_office)
    assert all(before[name] for name in ("ownership", "timeline", "activity"))
    for _ in range(3):
        found = rebuild(whole_office.side)
        assert found.compared == found.views and found.differences == 0
        assert rows_now(whole_office) == before


def test_a_rebuild_of_one_view_leaves_the_others(office: Opened) -> None:
    before = positions(office.side)
    office.play.steps(10, 3)
    rebuild(office.side, [COUNTED])
    after = positions(office.side)
    assert after == {"owned": before["owned"], "counted": office.record.position()}
    check_rows(office.side, office.record, [COUNTED])
    catch_up(office.side)
    check_rows(office.side, office.record)


@pytest.mark.parametrize("facts_a_part", [1, 13, 100])
def test_any_number_of_parts(whole_office: Opened, monkeypatch: pytest.MonkeyPatch, facts_a_part: int) -> None:
    monkeypatch.setattr(partition, "PART_FACTS", facts_a_part)
    monkeypatch.setattr(partition, "FETCHED_AT_ONCE", 1)
    monkeypatch.setattr(partition, "TELL_EVERY_DOSSIERS", 2)
    assert rebuild(whole_office.side).differences == 0
    check_rows(whole_office.side, whole_office.record)


def test_several_processes(whole_office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "processes_for", lambda facts: 3)
    assert rebuild(whole_office.side).differences == 0
    check_rows(whole_office.side, whole_office.record)


def test_a_tie_under_a_retired_name(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored under an older name of the same fact ties streams together as well."""
    monkeypatch.setitem(recorded.RETIRED, "visitor.related.v0", (VisitorRelated.stored_name, lambda content: content))
    office.play.step("register", 0, 0)
    office.play.step("register", 1, 0)
    visitor, to = office.play.entries[-2:]
    body = body_of(office.site, VisitorRelated(visitor=visitor, to=to, relation="spouse", proven=True))
    both = [(entry.visitor, office.version(entry.visitor) + 1, "visitor.related.v0", body) for entry in (visitor, to)]
    put_on_record(office.record, *both)
    catch_up(office.side)
    check_rows(office.side, office.record)
    assert rebuild(office.side).differences == 0
    check_rows(office.side, office.record)


# What comes in meanwhile


@pytest.mark.parametrize("keep", [False, True], ids=["nobody keeps them live", "kept live"])
@pytest.mark.parametrize("stage", BEFORE_THE_EXCHANGE)
def test_facts_that_come_in_at_any_stage(office: Opened, stage: str, keep: bool) -> None:
    def come_in() -> None:
        office.play.steps(25, 7)
        if keep:
            catch_up(office.side)

    found = rebuild(office.side, tell=at(stage, come_in))
    assert found.differences == 0
    if keep:
        assert set(positions(office.side).values()) == {office.record.position()}, "a view went back"
    catch_up(office.side)
    check_rows(office.side, office.record)
    assert rebuild(office.side, check=True).differences == 0


def test_more_comes_in_than_is_left_for_the_last_transaction(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "NEARLY", 3)
    monkeypatch.setattr(rebuilding, "CATCH_UP_BATCH", 5)

    def come_in() -> None:
        office.play.steps(40, 8)
        catch_up(office.side)

    assert rebuild(office.side, tell=at("indexing", come_in)).differences == 0
    assert set(positions(office.side).values()) == {office.record.position()}
    check_rows(office.side, office.record)


def test_no_view_goes_back_to_an_earlier_fact(office: Opened) -> None:
    """Whoever has seen a fact in a view sees it there ever after, also when the view is taken over by other code."""
    new = office.with_views(SMALL_VIEWS, code="new")

    def old_goes_on() -> None:
        office.play.steps(5, 3)
        catch_up(office.side)

    rebuild(new, tell=at("comparing", old_goes_on))
    assert min(positions(new).values()) >= office.record.position(), "what could be seen before can't be seen now"
    check_rows(new, office.record)


# Versions


def test_a_store_from_before_there_were_views_is_migrated(postgres_uri: str) -> None:
    """It gets a read side, and its facts are in the views."""
    with schema_of_its_own(postgres_uri, check=False) as schema:
        store = Store(uri=postgres_uri, schema=schema, master=b"m" * 32)
        store.prepare()
        with store.record() as record:
            office = Opened(store, record, ALL_VIEWS)
            office.play.steps(40, 6)
            with psycopg.connect(postgres_uri, autocommit=True) as owner:
                owner.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(views_schema(schema))))
                version = sql.Identifier(schema, "schema_version")
                owner.execute(sql.SQL("DELETE FROM {} WHERE version > 1").format(version))
            store.prepare()
            rebuild(office.side)
            check_rows(office.side, record)


def test_other_code_takes_the_views_over_by_a_rebuild(office: Opened) -> None:
    new = office.with_views([renamed(OWNED), COUNTED], code="new")
    with new.connection() as connection:
        assert new.unbuilt(connection) == list(new.views)
    found = rebuild(new)
    assert found.compared == () and "not compared" in (statuses(office)[-1][1] or "")
    with new.connection() as connection:
        assert new.unbuilt(connection) == []
        assert office.side.unbuilt(connection) == list(office.side.views)
    with kept(office.side) as old:
        office.play.steps(5, 1)
        catch_up(new)
        assert old.alive
    check_rows(new, office.record)


def renamed(view: View) -> View:
    """The view as another version has it: its last column under another name."""
    last = msgspec.structs.replace(view.columns[-1], name="last_day")
    return msgspec.structs.replace(view, columns=(*view.columns[:-1], last))


KEEPS_FACTS_AND_SECRETS = ("application/event_store/", "application/privacy.py")
"""What puts facts on record and takes them out again unchanged, and what only opens what is sealed: rows don't depend on
it. (The mapper, which reads facts, is counted.)"""


def test_all_code_that_makes_rows_is_in_the_fingerprint() -> None:
    counted = {path.relative_to(code.ROOT) for pattern in code.FOLDED_BY for path in code.ROOT.glob(pattern)}
    used = imported_from(Path("projections/views.py"))
    assert Path("application/rulebooks.py") in used
    left_out = {path for path in used - counted if not path.as_posix().startswith(KEEPS_FACTS_AND_SECRETS)}
    assert left_out == set()


def imported_from(first: Path) -> set[Path]:
    """The modules of ours that a module imports, near and far."""
    found, to_read = {first}, [first]
    while to_read:
        path = to_read.pop()
        for node in ast.walk(ast.parse((code.ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                above = path.parents[node.level - 1] if node.level else Path()
                base = above / (node.module or "").replace(".", "/")
                names = [base.with_suffix(".py"), *((base / alias.name).with_suffix(".py") for alias in node.names)]
                new = {name for name in names if (code.ROOT / name).exists()} - found
                found |= new
                to_read.extend(new)
    return found
