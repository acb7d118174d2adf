"""The docket: disputes as they are raised and ruled on."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from projections.docket import DOCKET
from tests.projections.given import House, an_office, instant, judged, rows, rule

HALF = Fraction(1, 2)


def docket(house: House) -> list[dict[str, Any]]:
    return sorted(rows(DOCKET, judged(house)), key=lambda row: row["opened_at"])


def test_a_dispute_is_open() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    dispute = house.dispute("2026-03-04 09:00", entry, "d1")
    assert docket(house) == [
        {
            "dispute": dispute, "site": house.office.site_id, "label": "d1", "about_file": entry.visitor,
            "about_registration": 1, "sale": None, "raised_by": house.wang, "opened_at": instant("2026-03-04 09:00"),
            "status": "open", "ruled_at": None, "ruled_by": None, "reason": None, "owner": None, "shares": None,
            "adopted": None, "edition": "revised-reception@2000-01-01",
        }
    ]  # fmt: skip


def test_a_ruling_closes_it() -> None:
    house = an_office()
    rule(house, "2026-03-05 09:00", house.dispute("2026-03-04 09:00", house.register("2026-03-02 09:00")), "wang")
    (row,) = docket(house)
    assert (row["status"], row["ruled_by"], row["reason"]) == ("ruled", house.chen, "met first")
    assert (row["owner"], row["adopted"], row["shares"]) == (house.wang, False, None)
    assert row["ruled_at"] == instant("2026-03-05 09:00")


def test_a_ruling_may_adopt_what_the_rules_say() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    rule(house, "2026-03-05 09:00", house.dispute("2026-03-04 09:00", entry))
    rule(house, "2026-03-16 09:00", house.dispute("2026-03-15 09:00", entry, "d2"))
    assert [(row["owner"], row["adopted"]) for row in docket(house)] == [(house.lin, True), (None, True)]


def test_a_dispute_about_a_sale_is_ruled_on_with_shares() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    sale = house.sell("2026-03-03 09:00", entry, "wang")
    dispute = house.dispute("2026-03-04 09:00", sale)
    stamp, shares = house.stamp("2026-03-05 09:00"), {house.wang: HALF, house.lin: HALF}
    house.office.rule(stamp, dispute=dispute, by=house.chen, reason="both worked", shares=shares)
    (row,) = docket(house)
    assert (row["sale"], row["about_file"], row["owner"]) == (sale, entry.visitor, None)
    assert json.loads(row["shares"]) == {str(house.lin): "1/2", str(house.wang): "1/2"}


def test_an_office_without_disputes_has_an_empty_docket() -> None:
    house = an_office()
    house.register("2026-03-02 09:00")
    assert docket(house) == []
