"""Reports that add up: days, months, the scoreboard and the morning list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from projections.period_reports import Counts, daily, month_of, monthly, morning_list, scoreboard
from tests.projections.given import OTHER_PHONE, House, Reader, adopt_days, follow_up, late, rule
from tests.projections.test_reports import crowd, day


def said(counts: Counts) -> dict[str, int]:
    """What is not nothing."""
    found = {name: getattr(counts, name) for name in Counts.__struct_fields__ if name != "registered"}
    return {name: count for name, count in {**found, **counts.registered}.items() if count}


def test_a_day_is_counted(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    house.register("2026-03-02 10:00", "wang")
    house.office.register(house.stamp("2026-03-02 11:00"), by=house.zhao, name="钱梅", phone=OTHER_PHONE, via="call")
    follow_up(house, "2026-03-02 12:00", entry)
    house.sell("2026-03-02 13:00", entry, "wang")
    house.dispute("2026-03-02 14:00", entry)
    source = reader.read(house)
    report = daily(source, day("2026-03-02"))
    assert said(report.answer.counts) == {
        "visit": 2, "call": 1, "new_clients": 2, "returning": 1, "follow_ups": 1, "converted": 1, "sold": 1,
        "disputes_raised": 1,
    }  # fmt: skip
    assert (report.answer.sales, report.answer.commission_fen) == (1, 100_000)
    assert report.holds.position == house.record.position()
    assert said(daily(source, day("2026-03-03")).answer.counts) == {}


def test_a_sale_of_two_closers_is_one_sale(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    stamp = house.stamp("2026-03-05 09:00")
    house.office.sell(stamp, entry=entry, by=[house.wang, house.zhao], amount=Decimal("0.01"), buyer="孙丽")
    report = daily(reader.read(house), day("2026-03-05")).answer
    assert (report.sales, report.counts.sold, report.commission_fen) == (1, 2, 1)


def test_a_lapse_is_counted_on_its_day_seen_or_unseen(house: House, reader: Reader) -> None:
    house.register("2026-03-02 09:00")
    source = reader.read(house)
    unseen = [daily(source, day(f"2026-03-{number:02}")).answer.counts.lapsed for number in (9, 10, 11)]
    house.register("2026-03-20 09:00", "wang")
    source = reader.read(house)
    seen = [daily(source, day(f"2026-03-{number:02}")).answer.counts.lapsed for number in (9, 10, 11)]
    assert unseen == seen == [0, 1, 0]


def test_a_month_that_runs_counts_only_what_has_lapsed_already(house: House, reader: Reader) -> None:
    crowd(house, "2026-03-02 09:00", "2026-03-03 09:00", "2026-03-30 09:00")
    source = reader.read(house)
    asked = {
        on: monthly(source, day("2026-03-15"), day(on)).answer for on in ("2026-03-10", "2026-03-11", "2026-04-30")
    }
    assert {on: report.counts.lapsed for on, report in asked.items()} == {
        "2026-03-10": 1, "2026-03-11": 2, "2026-04-30": 2,
    }  # fmt: skip
    assert (asked["2026-04-30"].first, asked["2026-04-30"].last) == (day("2026-03-01"), day("2026-03-31"))
    assert monthly(source, day("2026-03-01")).answer.counts.lapsed == 2
    assert monthly(source, day("2026-04-01")).answer.counts.lapsed == 1


def test_a_month_adds_up_its_days(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    late(house, "2026-03-04 09:00", known="2026-03-12 09:00", by="wang", phone=OTHER_PHONE, name="钱梅")
    adopt_days(house, "2026-03-13 09:00", 3)
    rule(house, "2026-03-18 09:00", house.dispute("2026-03-17 09:00", entry), "zhao")
    house.sell("2026-03-20 09:00", entry, "wang")
    source = reader.read(house)
    month = monthly(source, day("2026-03-31")).answer
    days = [daily(source, day(f"2026-03-{number:02}")).answer for number in range(1, 32)]
    total: dict[str, int] = {}
    for one in days:
        for name, count in said(one.counts).items():
            total[name] = total.get(name, 0) + count
    assert said(month.counts) == total
    assert (month.sales, month.commission_fen) == (sum(d.sales for d in days), sum(d.commission_fen for d in days))


@pytest.mark.parametrize(
    ("month", "on", "expected"),
    [
        ("2026-02-10", None, ("2026-02-01", "2026-02-28")),
        ("2028-02-29", None, ("2028-02-01", "2028-02-29")),
        ("2026-12-31", None, ("2026-12-01", "2026-12-31")),
        ("2026-03-01", "2026-03-17", ("2026-03-01", "2026-03-17")),
        ("2026-03-01", "2026-04-17", ("2026-03-01", "2026-03-31")),
        ("2026-03-01", "2026-02-17", ("2026-03-01", "2026-03-01")),
    ],
)
def test_days_of_a_month(month: str, on: str | None, expected: tuple[str, str]) -> None:
    found = month_of(day(month), day(on) if on else None)
    assert tuple(one.isoformat() for one in found) == expected


def ranks(house: House, reader: Reader, **more: object) -> dict[str, tuple[int, int, int]]:
    labels = {staff: label for label, staff in house.staff.items()}
    scores = scoreboard(reader.read(house), day("2026-03-01"), **more).answer  # type: ignore[arg-type]
    assert [score.rank for score in scores] == sorted(score.rank for score in scores)
    return {labels[score.staff]: (score.rank, score.commission_fen, score.counts.sold) for score in scores}


def test_the_scoreboard_ranks_by_commission_then_sales(house: House, reader: Reader) -> None:
    one, other, third, fourth = crowd(house, *["2026-03-02 09:00"] * 4, by="lin")
    for entry, by, yuan in ((one, "wang", 500), (other, "zhao", 500), (third, "zhao", 0), (fourth, "chen", 900)):
        stamp = house.stamp("2026-03-05 09:00")
        house.office.sell(stamp, entry=entry, by=[house.staff[by]], amount=Decimal(yuan), buyer="孙丽")
    found = ranks(house, reader, staff=list(house.staff.values()))
    assert found == {
        "chen": (1, 90_000, 1),
        "zhao": (2, 50_000, 2),
        "wang": (3, 50_000, 1),
        "lin": (4, 0, 0),
        "desk": (4, 0, 0),
    }


def test_equal_results_share_a_rank(house: House, reader: Reader) -> None:
    one, other, third = crowd(house, *["2026-03-02 09:00"] * 3)
    for entry, by, yuan in ((one, "wang", 500), (other, "zhao", 500), (third, "chen", 400)):
        stamp = house.stamp("2026-03-05 09:00")
        house.office.sell(stamp, entry=entry, by=[house.staff[by]], amount=Decimal(yuan), buyer="孙丽")
    found = ranks(house, reader)
    assert {label: rank for label, (rank, _, _) in found.items()} == {"wang": 1, "zhao": 1, "chen": 3, "lin": 4}


def test_the_scoreboard_of_a_quiet_month_is_empty(house: House, reader: Reader) -> None:
    house.register("2026-04-02 09:00")
    assert ranks(house, reader) == {}


def test_the_scoreboard_counts_for_each_what_was_theirs(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    house.register("2026-03-03 09:00", "wang")
    house.sell("2026-03-05 09:00", entry, "wang")
    house.register("2026-03-06 09:00", "zhao", phone=OTHER_PHONE, name="钱梅")
    scores = {score.staff: score for score in scoreboard(reader.read(house), day("2026-03-31")).answer}
    assert said(scores[house.lin].counts) == {"visit": 1, "new_clients": 1, "converted": 1}
    assert said(scores[house.wang].counts) == {"visit": 1, "returning": 1, "sold": 1}
    assert said(scores[house.zhao].counts) == {"visit": 1, "new_clients": 1, "lapsed": 1}
    assert scores[house.lin].commission_fen == 100_000 and scores[house.lin].rank == 1


def test_the_morning_list(house: House, reader: Reader) -> None:
    soon, new, bought, gone = crowd(
        house, "2026-03-05 09:00", "2026-03-09 09:00", "2026-03-08 09:00", "2026-03-02 08:00"
    )
    sale = house.sell("2026-03-09 10:00", bought, "wang")
    dispute = house.dispute("2026-03-09 11:00", soon)
    source = reader.read(house)
    report = morning_list(source, day("2026-03-10"))
    morning = report.answer
    assert {staff: said(counts) for staff, counts in morning.yesterday.items()} == {
        house.lin: {"visit": 1, "new_clients": 1, "converted": 1},
        house.wang: {"sold": 1, "disputes_raised": 1},
    }
    assert [line.sale for line in morning.yesterdays_sales.rows] == [sale]
    assert [row.file for row in morning.lapsing.rows] == [soon.visitor]
    assert {row.file: row.reasons for row in morning.follow_ups_due.rows} == {
        soon.visitor: ("lapsing", "few_follow_ups"), new.visitor: ("few_follow_ups",),
    }  # fmt: skip
    assert [row.dispute for row in morning.open_disputes.rows] == [dispute]
    assert morning.open_pool == 1 and gone.visitor not in {row.file for row in morning.follow_ups_due.rows}
    assert report.holds.position == house.record.position()


def test_a_quiet_morning(house: House, reader: Reader) -> None:
    morning = morning_list(reader.read(house), day("2026-03-10")).answer
    assert (morning.yesterday, morning.open_pool, morning.lapsing.rows) == ({}, 0, ())


def test_nobody_is_no_member_of_staff(house: House, reader: Reader) -> None:
    scores = scoreboard(reader.read(house), date(2026, 3, 1), staff=[UUID(int=0), house.lin]).answer
    assert [score.staff for score in scores] == [house.lin]
