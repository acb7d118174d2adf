"""Tables that somebody dropped or changed: it is said which, the other views go on, and a rebuild puts things right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from projections import live
from projections.live import lag
from projections.rebuild import rebuild
from tests.reliability.processes import eventually

from .engine import (
    COUNTED,
    OWNED,
    Opened,
    check_rows,
    kept,
    opened,
    parked,
    positions,
    put_on_record,
    rows_in,
)

DAMAGES = {
    "the table is dropped": "DROP TABLE {o}",
    "a column is dropped": "ALTER TABLE {o} DROP COLUMN until",
    "a column of the key is dropped": "ALTER TABLE {o} DROP COLUMN registration",
    "a column has another name": "ALTER TABLE {o} RENAME COLUMN until TO last_day",
    "a column has a narrower type": "ALTER TABLE {o} ALTER COLUMN ground TYPE varchar(3) USING left(ground, 3)",
    "a column has another type": "ALTER TABLE {o} ALTER COLUMN registration TYPE text",
    "a column more, which must be filled": "ALTER TABLE {o} ADD COLUMN more integer NOT NULL DEFAULT 0; "
    "ALTER TABLE {o} ALTER COLUMN more DROP DEFAULT",
    "the key is dropped": "ALTER TABLE {o} DROP CONSTRAINT {key}",
    "a rule that forbids what comes": "ALTER TABLE {o} ADD CHECK (registration < 0) NOT VALID",
    "another table in its place": "DROP TABLE {o}; CREATE TABLE {o} (file uuid)",
    "a view in its place": "DROP TABLE {o}; CREATE VIEW {o} AS SELECT 1 AS file",
    "somebody else's": "ALTER TABLE {o} OWNER TO CURRENT_USER",
}


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    """An office with a short history, under the two small views."""
    with opened(postgres_uri, steps=30) as office:
        yield office


def damage(office: Opened, how: str) -> None:
    query = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'"
    [(key,)] = office.owner(query, f'"{office.side.schema}".owned')
    office.owner(how.replace("{key}", str(key)), o="owned")


@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("when", ["at work", "before it starts"])
def test_the_other_views_go_on(office: Opened, how: str, when: str) -> None:
    """What is damaged is said, in the worker's words and in lag; a rebuild repairs it, and it is kept live again."""
    if when == "before it starts":
        damage(office, how)
    with kept(office.side) as keeper:
        if when == "at work":
            office.play.step("register", 0, 0)
            live_is(office, "owned", keeper.alive)
            damage(office, how)
        office.play.steps(10, 3)
        eventually(lambda: not keeper.alive or at_head(office, "counted"), "the other view goes on", 15)
        assert keeper.alive, "the worker has ended"
        check_rows(office.side, office.record, [COUNTED])
        with office.side.connection() as connection:
            owned, counted = lag(office.side, connection)
            assert counted.trouble is None
            assert (owned.trouble and "rebuild" in owned.trouble) or owned.facts == 0
            if owned.facts:
                assert any("owned" in said and "rebuild" in said for said in keeper.said)
                assert office.side.unbuilt(connection) == [OWNED]
        rebuild(office.side)
        check_rows(office.side, office.record)
        office.play.steps(10, 4)
        eventually(lambda: at_head(office, "owned") or not keeper.alive, "it is kept live again", 15)
        check_rows(office.side, office.record)
        assert len(keeper.said) < 20, "it says the same again and again"


def live_is(office: Opened, view: str, alive: bool) -> None:
    eventually(lambda: at_head(office, view), "it is live", 20)
    assert alive


def at_head(office: Opened, view: str) -> bool:
    return positions(office.side)[view] == office.record.position()


def test_a_damaged_view_does_not_keep_others_from_a_retry(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is parked in both; one of them has no table any more."""
    stream = office.staffed.manager
    put_on_record(office.record, (stream, 1, "martian.landed.v1", b"{}"))
    with office.side.connection() as connection:
        office.side.advance(connection)
    assert {row[0] for row in parked(office.side)} == {"owned", "counted"}
    damage(office, "DROP TABLE {o}")
    monkeypatch.setattr(live, "RETRY_PARKED_SECONDS", 0.1)
    with kept(office.side) as keeper:
        office.play.steps(5, 3)

        def tried() -> bool:
            return not keeper.alive or {row[0]: row[5] for row in parked(office.side)}["counted"] > 2

        eventually(tried, "it is tried again", 15)
        assert keeper.alive
        assert at_head(office, "counted")


def test_the_whole_read_side_is_thrown_away(office: Opened) -> None:
    """All of it can be thrown away and rebuilt, the schema says: a worker survives that, and whoever prepares the store
    gets it back."""
    with kept(office.side) as keeper:
        office.owner(f'DROP SCHEMA "{office.side.schema}" CASCADE')
        office.play.steps(5, 3)
        eventually(lambda: bool(keeper.said) or not keeper.alive, "it says so", 15)
        assert keeper.alive, "the worker has ended"
        office.store.prepare()
        rebuild(office.side)
        office.play.steps(5, 4)
        live_is(office, "owned", keeper.alive)
    check_rows(office.side, office.record)


def test_a_missing_index_changes_no_row(office: Opened) -> None:
    query = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary"
    [(index,)] = office.owner(query, f'"{office.side.schema}".owned')
    office.owner(f"DROP INDEX {index}")
    with kept(office.side):
        office.play.steps(5, 3)
        live_is(office, "owned", True)
    assert rebuild(office.side).differences == 0
    assert len(office.owner(query, f'"{office.side.schema}".owned')) == 1
    assert rows_in(office.side, OWNED)
