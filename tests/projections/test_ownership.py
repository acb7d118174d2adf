"""The view of ownership: who owns each person on the register, and how the last claim ended."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from projections.dossier import Judged
from projections.ownership import OWNERSHIP
from tests.domain.given import LIN, WANG, History
from tests.projections.given import (
    OTHER_PHONE,
    House,
    adopt_days,
    an_office,
    follow_up,
    instant,
    judged,
    judged_history,
    late,
    relate,
    rows,
    rule,
)


def owned(dossiers: list[Judged]) -> list[dict[str, Any]]:
    return rows(OWNERSHIP, dossiers)


def only(house: House) -> dict[str, Any]:
    (row,) = owned(judged(house))
    return row


def test_a_registration_gives_a_row_with_all_that_is_known() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-04 10:00", entry)
    row = only(house)
    sealed = row.pop("sealed")
    contact = house.keyring.open(row.pop("person"), sealed)
    assert contact and contact.name == "赵强" and "赵强".encode() not in sealed
    assert row == {
        "file": entry.visitor, "registration": 1, "site": house.office.site_id,
        "customer_file": entry.visitor, "customer_registration": 1, "first_entry": True,
        "owner": house.lin, "ground": "first_contact", "since": instant("2026-03-02 09:00"), "until": date(2026, 3, 11),
        "bought": False, "ruled": False, "last_owner": None, "ended_at": None, "has_name": True, "has_phone": True,
        "registered_at": instant("2026-03-02 09:00"), "last_contact_at": instant("2026-03-04 10:00"),
        "edition": "revised-reception@2000-01-01", "position": house.record.position(),
    }  # fmt: skip


def test_the_same_person_again_is_no_row_more() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    house.register("2026-03-03 09:00", "wang")
    row = only(house)
    assert (row["registration"], row["owner"], row["last_contact_at"]) == (1, house.lin, instant("2026-03-03 09:00"))


def test_another_name_under_the_phone_is_a_person_and_here_another_customer() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    house.register("2026-03-03 09:00", "wang", name="钱梅")
    first, second = owned(judged(house))
    assert (first["owner"], second["owner"], second["registration"]) == (house.lin, house.wang, 2)
    assert [row["customer_registration"] for row in (first, second)] == [1, 2]
    assert first["file"] == second["file"] == one.visitor


def test_what_founds_no_claim_is_on_the_register_all_the_same() -> None:
    house = an_office()
    house.register("2026-03-02 09:00", phone=None)
    row = only(house)
    assert (row["owner"], row["ground"], row["last_owner"], row["has_phone"]) == (None, "no_claim", None, False)


def test_a_lapse_shows_once_a_later_fact_has_come() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    assert (only(house)["owner"], only(house)["until"]) == (house.lin, date(2026, 3, 9))
    follow_up(house, "2026-03-09 23:59", entry, "wang")
    assert only(house)["owner"] == house.lin
    follow_up(house, "2026-03-10 00:00", entry, "wang")
    row = only(house)
    assert (row["owner"], row["ground"], row["since"], row["until"]) == (None, "lapsed", None, None)
    assert (row["last_owner"], row["ended_at"]) == (house.lin, instant("2026-03-10 00:00"))


def test_a_lapse_shows_at_an_instant_asked_for() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    at = {day: owned(judged(house, f"{day} 00:00"))[0]["owner"] for day in ("2026-03-09", "2026-03-10")}
    assert at == {"2026-03-09": house.lin, "2026-03-10": None}


def test_a_relation_makes_two_persons_one_customer() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    other = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    assert {row["owner"] for row in owned(judged(house))} == {house.lin, house.wang}
    relate(house, "2026-03-04 09:00", other, one, proven=False)
    assert {row["owner"] for row in owned(judged(house))} == {house.lin, house.wang}
    relate(house, "2026-03-05 09:00", other, one)
    found = owned(judged(house))
    assert {row["file"] for row in found} == {one.visitor, other.visitor}
    assert {(row["owner"], row["customer_file"], row["customer_registration"]) for row in found} == {
        (house.lin, one.visitor, 1)
    }


def test_a_ruling_names_the_owner() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    rule(house, "2026-03-05 09:00", house.dispute("2026-03-04 09:00", entry), "wang")
    row = only(house)
    assert (row["owner"], row["ground"], row["ruled"], row["until"]) == (house.wang, "ruling", True, date(2026, 3, 12))


def test_a_ruling_that_nobody_owns_stands_until_somebody_does() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    rule(house, "2026-03-12 09:00", house.dispute("2026-03-11 09:00", entry))
    row = only(house)
    assert (row["owner"], row["ruled"], row["ended_at"]) == (None, True, instant("2026-03-10 00:00"))
    house.register("2026-03-13 09:00", "wang")
    assert (only(house)["owner"], only(house)["ruled"]) == (house.wang, False)
    follow_up(house, "2026-03-30 09:00", entry, "lin")
    assert (only(house)["last_owner"], only(house)["ruled"]) == (house.wang, False)


def test_a_claim_taken_away_by_a_ruling_ended_with_it() -> None:
    history = History()
    entry = history.register("2026-03-02 09:00", LIN)
    history.rule("2026-03-04 09:00", None, entry)
    (row,) = owned(judged_history(history))
    assert (row["owner"], row["last_owner"], row["ended_at"]) == (None, LIN, instant("2026-03-04 09:00"))
    assert (row["ruled"], row["bought"]) == (True, False)


def test_another_rulebook_counts_the_period_anew_and_may_end_the_claim() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    adopt_days(house, "2026-03-05 09:00", 30)
    row = only(house)
    assert (row["until"], row["edition"]) == (date(2026, 4, 1), "revised-reception@2000-01-01*")
    adopt_days(house, "2026-03-06 09:00", 2)
    row = only(house)
    assert (row["owner"], row["last_owner"], row["ended_at"]) == (None, house.lin, instant("2026-03-06 09:00"))


def test_a_late_entry_protects_from_its_entry() -> None:
    house = an_office()
    late(house, "2026-03-02 09:00", known="2026-03-03 23:59")
    assert only(house)["until"] == date(2026, 3, 9)
    other = an_office()
    late(other, "2026-03-02 09:00", known="2026-03-04 00:00")
    row = only(other)
    assert (row["since"], row["until"]) == (instant("2026-03-04 00:00"), date(2026, 3, 11))
    assert row["registered_at"] == row["last_contact_at"] == instant("2026-03-02 09:00")


def test_a_sale_by_somebody_else_leaves_the_owner_for_good() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    house.sell("2026-03-05 09:00", entry, "wang")
    row = only(house)
    assert (row["owner"], row["bought"], row["until"], row["ground"]) == (house.lin, True, None, "first_contact")
    assert row["last_contact_at"] == instant("2026-03-05 09:00")


def test_a_buyer_on_the_register_has_bought_as_well() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    buyer = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    stamp = house.stamp("2026-03-05 09:00")
    house.office.sell(stamp, entry=one, by=[house.zhao], amount=Decimal(1), buyer=buyer)
    assert {(row["owner"], row["bought"]) for row in owned(judged(house))} == {(house.lin, True), (house.wang, True)}


def test_facts_of_another_customer_change_nothing() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    before = only(house)
    house.register("2026-03-20 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    assert before in owned(judged(house))


def test_members_of_a_household_are_owned_alike() -> None:
    history = History()
    one = history.register("2026-03-02 09:00", LIN)
    other = history.register("2026-03-03 09:00", WANG, phone=2)
    history.relate("2026-03-04 09:00", other, one, "spouse")
    assert [(row["file"], row["owner"], row["first_entry"]) for row in owned(judged_history(history))] == [
        (one.visitor, LIN, True), (other.visitor, LIN, False),
    ]  # fmt: skip
