"""The view of activity: what is counted for whom, on which day."""

from __future__ import annotations

from decimal import Decimal

from projections.activity import ACTIVITY, WHAT
from tests.domain.given import LIN, WANG, History
from tests.projections.given import (
    OTHER_PHONE,
    adopt_days,
    an_office,
    counted,
    follow_up,
    judged_history,
    late,
    relate,
    rows,
    rule,
)


def test_a_first_visit_is_a_registration_and_a_new_client() -> None:
    house = an_office()
    house.register("2026-03-02 23:59")
    assert counted(house) == {
        ("2026-03-02", "lin", "registered.visit"): 1,
        ("2026-03-02", "lin", "new_client"): 1,
    }


def test_days_are_those_of_the_site() -> None:
    house = an_office()
    house.register("2026-03-02 00:00")
    house.register("2026-03-01 23:59", "wang", phone=OTHER_PHONE, name="钱梅")
    assert {(day, staff) for day, staff, _ in counted(house)} == {("2026-03-02", "lin"), ("2026-03-01", "wang")}


def test_channels_are_counted_apart_and_an_incomplete_entry_wins_no_client() -> None:
    house = an_office()
    for number, via in enumerate(("visit", "call", "web", "outreach")):
        house.office.register(
            house.stamp("2026-03-02 09:00"), by=house.lin, name="赵强", phone=f"1385671829{number}", via=via
        )
    house.office.register(house.stamp("2026-03-02 09:00"), by=house.lin, name="赵强", via="call")
    found = {what: count for (_, _, what), count in counted(house).items()}
    assert found == {
        "registered.visit": 1,
        "registered.call": 2,
        "registered.web": 1,
        "registered.outreach": 1,
        "new_client": 3,
    }


def test_a_second_visit_is_returning() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    house.register("2026-03-03 09:00", "wang")
    assert counted(house, "returning", "new_client") == {
        ("2026-03-02", "lin", "new_client"): 1,
        ("2026-03-03", "wang", "returning"): 1,
    }


def test_household_members_are_one_customer_once_it_is_known() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    other = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    assert len(counted(house, "new_client")) == 2
    relate(house, "2026-03-04 09:00", other, one)
    assert counted(house, "new_client", "returning") == {
        ("2026-03-02", "lin", "new_client"): 1,
        ("2026-03-03", "wang", "returning"): 1,
    }


def test_a_lapse_counts_on_the_first_day_without_protection_once_it_is_on_record() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    assert not counted(house, "lapsed")
    house.register("2026-03-20 09:00", "wang")
    assert counted(house, "lapsed", "refounded", "new_client") == {
        ("2026-03-02", "lin", "new_client"): 1,
        ("2026-03-10", "lin", "lapsed"): 1,
        ("2026-03-20", "wang", "refounded"): 1,
    }


def test_a_shorter_period_ends_a_claim_on_the_day_it_comes_into_force() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    adopt_days(house, "2026-03-06 09:00", 2)
    assert counted(house, "lapsed") == {("2026-03-06", "lin", "lapsed"): 1}


def test_follow_ups_are_counted_by_whether_they_did_something() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-03 09:00", entry)
    follow_up(house, "2026-03-03 10:00", entry)
    follow_up(house, "2026-03-03 11:00", entry, "wang")
    assert counted(house, "follow_up", "follow_up_without_effect") == {
        ("2026-03-03", "lin", "follow_up"): 2,
        ("2026-03-03", "wang", "follow_up_without_effect"): 1,
    }


def test_what_is_entered_late_happened_when_it_happened() -> None:
    house = an_office()
    late(house, "2026-03-02 09:00", known="2026-03-04 08:00")
    assert counted(house) == {
        ("2026-03-02", "lin", "registered.visit"): 1,
        ("2026-03-02", "lin", "new_client"): 1,
        ("2026-03-04", "lin", "entered_late"): 1,
    }


def test_the_day_after_is_not_late() -> None:
    house = an_office()
    late(house, "2026-03-02 09:00", known="2026-03-03 23:59")
    assert not counted(house, "entered_late")


def test_assignments_transfer() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    for at, to, how in (
        ("2026-03-03 09:00", house.wang, "reassignment"),
        ("2026-03-04 09:00", house.wang, "distribution"),
        ("2026-03-05 09:00", house.zhao, "inheritance"),
    ):
        house.office.assign(house.stamp(at), entry=entry, to=to, how=how, by=house.chen)  # type: ignore[arg-type]
    assert counted(house, "transferred") == {
        ("2026-03-03", "wang", "transferred"): 1,
        ("2026-03-05", "zhao", "transferred"): 1,
    }


def test_a_public_lead_is_transferred_to_whom_it_is_given() -> None:
    house = an_office()
    entry = house.office.register(
        house.stamp("2026-03-02 09:00"), by=house.desk, name="赵强", phone="13856718294", via="web"
    ).entry
    assert entry is not None
    stamp = house.stamp("2026-03-03 09:00")
    house.office.assign(stamp, entry=entry, to=house.zhao, how="distribution", by=house.chen)
    assert counted(house) == {
        ("2026-03-02", "desk", "registered.web"): 1,
        ("2026-03-03", "zhao", "transferred"): 1,
    }


def test_a_ruling_transfers_only_to_another_owner() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    rule(house, "2026-03-04 09:00", house.dispute("2026-03-03 09:00", entry), "lin")
    assert not counted(house, "transferred")
    rule(house, "2026-03-05 09:00", house.dispute("2026-03-03 10:00", entry, "d2"), "wang")
    assert counted(house, "transferred", "dispute_raised", "ruled") == {
        ("2026-03-03", "wang", "dispute_raised"): 2,
        ("2026-03-04", "chen", "ruled"): 1,
        ("2026-03-05", "chen", "ruled"): 1,
        ("2026-03-05", "wang", "transferred"): 1,
    }


def test_a_sale_is_sold_by_its_closers_and_converts_the_owners_client() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    stamp = house.stamp("2026-03-05 09:00")
    house.office.sell(stamp, entry=entry, by=[house.wang, house.zhao], amount=Decimal(1000))
    assert counted(house, "sold", "converted") == {
        ("2026-03-05", "lin", "converted"): 1,
        ("2026-03-05", "wang", "sold"): 1,
        ("2026-03-05", "zhao", "sold"): 1,
    }


def test_a_sale_of_nobodys_customer_converts_nobodys_client() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    house.sell("2026-03-20 09:00", entry, "wang", unit="1-101")
    assert counted(house, "sold", "converted", "refounded") == {
        ("2026-03-20", "wang", "sold"): 1,
        ("2026-03-20", "wang", "refounded"): 1,
    }
    house.sell("2026-03-21 09:00", entry, "zhao", unit="1-102")
    assert counted(house, "converted") == {("2026-03-21", "wang", "converted"): 1}


def test_a_ruling_on_the_sale_says_whose_client_was_converted() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    sale = house.sell("2026-03-05 09:00", entry, "wang")
    rule(house, "2026-03-07 09:00", house.dispute("2026-03-06 09:00", sale), "zhao")
    assert counted(house, "converted") == {("2026-03-05", "zhao", "converted"): 1}


def test_a_buyer_elsewhere_on_the_register_is_one_sale_all_the_same() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    buyer = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    stamp = house.stamp("2026-03-05 09:00")
    house.office.sell(stamp, entry=one, by=[house.zhao], amount=Decimal(1), buyer=buyer)
    assert counted(house, "sold", "converted") == {
        ("2026-03-05", "zhao", "sold"): 1,
        ("2026-03-05", "wang", "converted"): 1,
    }


def test_a_claim_that_nobody_lost_by_himself_is_no_lapse() -> None:
    history = History()
    entry = history.register("2026-03-02 09:00", LIN)
    history.rule("2026-03-04 09:00", None, entry)
    history.again("2026-03-05 09:00", WANG, entry)
    found = {(row["what"], row["staff"]): row["count"] for row in rows(ACTIVITY, judged_history(history))}
    assert found == {
        ("registered.visit", LIN): 1,
        ("new_client", LIN): 1,
        ("registered.visit", WANG): 1,
        ("returning", WANG): 1,
        ("refounded", WANG): 1,
    }


def test_every_code_is_explained() -> None:
    assert all(WHAT.values()) and "registered.call" in WHAT
