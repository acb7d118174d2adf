"""Clocks that disagree, and clients that name no time: what has been told to one desk is not told differently to the
next."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg import sql

from application.privacy import Keyring
from domain.refusals import Refusal

from .history_check import check_history
from .offices import Store, open_office, phone_number, stamp


def test_desks_that_name_no_time_are_told_one_owner(store: Store) -> None:
    """Eight desks register one phone at once and leave the time to the program: whoever is told to own the visitor is
    not replaced by the next answer."""
    with store.record() as record:
        staffed = open_office(record, Keyring(store.master, record.person_keys), 8)
        office = store.office(record, staffed.site)
        differently: list[int] = []

        def register(desk: UUID, number: int, together: threading.Barrier) -> UUID | None:
            together.wait(20)
            its = msgspec.structs.replace(stamp(desk), at_given=False)
            told = office.register(its, by=desk, name="王小明", phone=phone_number(number)).attribution
            assert told is not None
            return told.owner

        with ThreadPoolExecutor(8) as desks:
            for number in range(20):
                together = threading.Barrier(8)
                answers = [desks.submit(register, desk, number, together) for desk in staffed.consultants]
                if len({answer.result() for answer in answers}) > 1:
                    differently.append(number)
    check_history(store, staffed.site)
    assert differently == [], f"{len(differently)} of 20 phones: desks were told different owners"


def test_a_database_whose_clock_is_ahead(store: Store) -> None:
    """What is on record is known, whatever the program's clock says: the record's time does not run backwards, so after
    the database's clock has been put right it is ahead of everybody's for a while."""
    with store.record() as record, psycopg.connect(store.uri, autocommit=True) as control:
        staffed = open_office(record, Keyring(store.master, record.person_keys), 2)
        office, (one, other) = store.office(record, staffed.site), staffed.consultants
        head = sql.Identifier(store.schema, "head")
        control.execute(sql.SQL("UPDATE {} SET appended_at = clock_timestamp() + interval '1 hour'").format(head))
        registered = office.register(stamp(one), by=one, name="王小明", phone=phone_number(1))
        assert registered.entry is not None and registered.attribution is not None
        assert registered.attribution.owner == one
        with pytest.raises(Refusal) as refused:
            office.follow_up(stamp(other), entry=registered.entry, by=other)
        assert refused.value.code == "not_owner"
        followed = office.follow_up(stamp(one), entry=registered.entry, by=one)
        assert followed.attribution is not None and followed.attribution.owner == one
    check_history(store, staffed.site)
