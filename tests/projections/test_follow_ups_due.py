"""The view of follow-ups due: whose claim is there, and what the owner has done for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from projections.follow_ups_due import FOLLOW_UPS_DUE
from tests.domain.given import LIN, WANG, History
from tests.projections.given import (
    OTHER_PHONE,
    House,
    an_office,
    follow_up,
    instant,
    judged,
    judged_history,
    relate,
    rows,
    rule,
)


def due(house: House) -> list[dict[str, Any]]:
    return rows(FOLLOW_UPS_DUE, judged(house))


def test_a_customer_with_an_owner_is_to_be_followed_up() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-04 10:00", entry)
    house.register("2026-03-05 11:00", "wang")
    assert due(house) == [
        {
            "file": entry.visitor, "registration": 1, "site": house.office.site_id, "owner": house.lin,
            "until": date(2026, 3, 11), "registered_at": instant("2026-03-02 09:00"),
            "visited_at": instant("2026-03-05 11:00"), "follow_ups": 1,
            "followed_up_at": instant("2026-03-04 10:00"), "last_contact_at": instant("2026-03-05 11:00"),
        }
    ]  # fmt: skip


def test_nobodys_customer_and_a_buyer_are_not() -> None:
    house = an_office()
    house.register("2026-03-02 09:00", phone=None)
    entry = house.register("2026-03-02 09:00", phone=OTHER_PHONE, name="钱梅")
    house.sell("2026-03-05 09:00", entry)
    assert due(house) == []


def test_a_follow_up_that_did_nothing_is_none() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-03 09:00", entry, "wang")
    assert [(row["follow_ups"], row["followed_up_at"]) for row in due(house)] == [(0, None)]
    assert due(house)[0]["last_contact_at"] == instant("2026-03-03 09:00")


def test_follow_ups_are_counted_from_the_present_claim_on() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-03 09:00", entry)
    house.register("2026-03-20 09:00")
    assert [row["follow_ups"] for row in due(house)] == [0]
    follow_up(house, "2026-03-21 09:00", entry)
    follow_up(house, "2026-03-22 09:00", entry)
    assert [row["follow_ups"] for row in due(house)] == [2]


def test_a_new_owner_begins_with_none() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-03 09:00", entry)
    rule(house, "2026-03-05 09:00", house.dispute("2026-03-04 09:00", entry), "wang")
    assert [(row["owner"], row["follow_ups"], row["followed_up_at"]) for row in due(house)] == [(house.wang, 0, None)]


def test_a_claim_that_ran_out_unseen_is_for_the_reader_to_see() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    assert [row["until"] for row in due(house)] == [date(2026, 3, 9)]
    follow_up(house, "2026-03-10 00:00", entry, "wang")
    assert due(house) == []


def test_a_household_is_followed_up_once() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    other = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    relate(house, "2026-03-04 09:00", other, one)
    follow_up(house, "2026-03-05 09:00", other)
    (row,) = due(house)
    assert (row["file"], row["follow_ups"], row["visited_at"]) == (one.visitor, 1, instant("2026-03-03 09:00"))


def test_the_last_of_several_follow_ups_is_the_latest_to_have_happened() -> None:
    history = History()
    entry = history.register("2026-03-02 09:00", LIN)
    history.follow_up("2026-03-03 09:00", LIN, entry, known="2026-03-06 09:00")
    history.follow_up("2026-03-05 09:00", LIN, entry)
    history.follow_up("2026-03-05 10:00", WANG, entry)
    (row,) = rows(FOLLOW_UPS_DUE, judged_history(history))
    assert (row["follow_ups"], row["followed_up_at"]) == (2, instant("2026-03-05 09:00"))
