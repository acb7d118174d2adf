"""The check of the log against its tables finds every kind of damage; else its silence would mean nothing."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from application.privacy import Keyring

from .history_check import check_history
from .offices import Store, open_office, phone_number, stamp

DAMAGE = {
    "a claim is gone": "DELETE FROM claim WHERE kind = 'phone'",
    "a name is not held": "DELETE FROM claim WHERE kind = 'name'",
    "a claim of nobody's": "INSERT INTO claim VALUES ('phone', 'x', gen_random_uuid())",
    "a claim of another's": "UPDATE claim SET subject = gen_random_uuid() WHERE kind = 'unit'",
    "a key without a fact": "INSERT INTO person_key VALUES (gen_random_uuid(), '')",
    "a command without facts": "INSERT INTO command VALUES (gen_random_uuid(), gen_random_uuid(), '', gen_random_uuid(), 1, 1)",
    "a command is gone": "DELETE FROM command WHERE facts = 2",
    "half of a command": "UPDATE command SET facts = 1 WHERE facts = 2",
    "the head is ahead": "UPDATE head SET position = position + 1",
    "the last fact is gone": "DELETE FROM fact WHERE position = (SELECT max(position) FROM fact)",
    "a fact in the middle is gone": "DELETE FROM fact WHERE position = 3",
    "a version is missing": "UPDATE fact SET version = version + 1 WHERE position = (SELECT max(position) FROM fact)",
    "a fact before its time": "UPDATE fact SET recorded_at = recorded_at - interval '1 day' WHERE position = 4",
    "a command carried out twice": (
        "INSERT INTO fact SELECT last.position + 1, last.stream, last.version + 1, f.name, f.body, clock_timestamp() "
        "FROM fact f, (SELECT * FROM fact ORDER BY position DESC LIMIT 1) last WHERE f.name = 'visitor.followed_up.v1'; "
        "UPDATE head SET position = position + 1"
    ),
}


@pytest.fixture
def busy_store(store: Store) -> tuple[Store, UUID]:
    """A store with a visitor registered twice, followed up and sold to."""
    with store.record() as record:
        staffed = open_office(record, Keyring(store.master, record.person_keys), 1)
        office, (desk,) = store.office(record, staffed.site), staffed.consultants
        for _ in range(2):
            entry = office.register(stamp(desk), by=desk, name="王小明", phone=phone_number(1)).entry
            assert entry is not None
        office.follow_up(stamp(desk), entry=entry, by=desk)
        office.sell(stamp(desk), entry=entry, by=[desk], amount=Decimal(1), unit="1-101")
    check_history(store, staffed.site)
    return store, staffed.site


@pytest.mark.parametrize("statements", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.damages
def test_damage_is_found(busy_store: tuple[Store, UUID], statements: str) -> None:
    store, site = busy_store
    with psycopg.connect(store.uri) as owner:
        owner.execute(f"SET search_path = {store.schema}")
        owner.execute("SET session_replication_role = replica")  # no trigger stands in the way
        owner.execute(statements)
    with pytest.raises(AssertionError):
        check_history(store, site)
