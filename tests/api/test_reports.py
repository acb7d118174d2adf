"""Reports over HTTP, from views that a worker keeps in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from projections.records import run
from tests.api.house import House, store_on_disk

TODAY = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An office with three sales, each disputed, whose views are kept."""
    home = tmp_path_factory.mktemp("reports")
    with store_on_disk(home) as store:
        house = House(store)
        house.refused(house.ask("GET", "disputes"), 503, "views_missing")
        house.does("queue/sign-in", {"who": str(house.staff["consultant"])})
        for number in range(3):
            visitor = house.register("consultant", f"客户{number}", f"1390000000{number}")
            house.dispute("colleague", house.sell("consultant", visitor, f"6-1-120{number}"))
        run(house.store.read_side, None, check=False, asked_by="test", tell=lambda progress: None)
        yield house


def test_disputes_come_in_pages(house: House) -> None:
    whole = house.reads("disputes")
    assert [one["label"] for one in whole["disputes"]] == ["D1", "D2", "D3"] and whole["after"] is None
    assert whole["staff"] == {str(house.staff[who]): f"员工{who}" for who in ("colleague",)}
    assert whole["holds"]["position"] == house.position and whole["holds"]["editions"]
    found, after = [], ""
    for _ in range(3):
        page = house.reads(f"disputes?limit=1{after}", "auditor")
        found += page["disputes"]
        after = f"&after={page['after']}"
    assert found == whole["disputes"] and page["after"] is None
    assert house.reads("disputes?status=ruled")["disputes"] == []


def test_commission_in_pages_and_in_sum(house: House) -> None:
    period = f"reports/commission?first={TODAY}&last={TODAY}"
    whole = house.reads(period, "finance")
    (one,) = whole["sums"]
    assert one == {"staff": str(house.staff["consultant"]), "sales": 3, "amount_fen": 3_600_000}
    page = house.reads(f"{period}&limit=2", "finance")
    rest = house.reads(f"{period}&limit=2&after={page['after']}", "finance")
    assert page["lines"] + rest["lines"] == whole["lines"] and len(whole["lines"]) == 3 and rest["after"] is None
    assert page["sums"] == whole["sums"]
    assert house.reads(f"{period}&staff={house.staff['colleague']}", "finance")["lines"] == []


def test_day_month_and_turns(house: House) -> None:
    for path in (f"reports/daily?day={TODAY}", f"reports/monthly?day={TODAY}"):
        told = house.reads(path)["report"]
        assert (told["sales"], told["commission_fen"], told["counts"]["disputes_raised"]) == (3, 3_600_000, 3)
    (line,) = house.reads(f"reports/turns?first={TODAY}&last={TODAY}", "officer")["turns"]
    assert (line["staff"], line["days_present"]) == (str(house.staff["consultant"]), 1)


def test_no_name_or_phone_of_a_visitor_is_told(house: House) -> None:
    for path in ("disputes", f"reports/commission?first={TODAY}&last={TODAY}", f"reports/daily?day={TODAY}"):
        text = house.ask("GET", path).get_data(as_text=True)
        assert "客户" not in text and "1390000000" not in text


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=WzFd", "after=W10", "after=%00", "limit=0", "limit=501", "limit=many", "status=lost",
     "after=WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgIjViMGQ2YTNlLThmNmMtNGE1Ny05YTNjLTZiNWYwZDZhNGMwMSJd"],  # no offset
)  # fmt: skip
def test_pages_that_there_are_not(house: House, query: str) -> None:
    house.refused(house.ask("GET", f"disputes?{query}"), 422, "bad_fields")


@pytest.mark.parametrize("period", ["first=2026-03-02&last=2026-03-01", "first=2020-01-01&last=2026-01-01", "first=x"])
def test_periods_that_there_are_not(house: House, period: str) -> None:
    house.refused(house.ask("GET", f"reports/turns?{period}"), 422, "bad_fields")


def test_another_sites_reports_are_unknown_here(house: House) -> None:
    there = house.open("江畔二号").site_id
    house.refused(house.ask("GET", f"/v1/sites/{there}/disputes"), 404, "unknown_site")
