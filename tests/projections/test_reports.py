"""Reports read from PostgreSQL: what they say on a day, page by page, and up to where they hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg import sql

from application.event_store.appending import StoreRefused
from domain.refusals import Refusal
from domain.visitor import Entry
from projections.ownership import OWNERSHIP
from projections.reports import (
    commission_statement,
    docket,
    follow_ups_due,
    lapsing,
    open_pool,
    ownership,
    timeline,
)
from projections.source import Page, Source, reading
from tests.projections.given import OTHER_PHONE, House, Reader, follow_up, instant, relate, rule

THIRD = Fraction(1, 3)


def day(text: str) -> date:
    return date.fromisoformat(text)


def paged(ask: Callable[..., Page[Any]]) -> list[Any]:
    """All rows of a list, asked for two at a time; the same as at once."""
    found, page = [], ask(limit=2)
    while True:
        assert len(page.rows) <= 2
        found += page.rows
        if page.after is None:
            break
        page = ask(limit=2, after=page.after)
    assert tuple(found) == ask().rows
    return found


def crowd(house: House, *at: str, by: str = "lin") -> list[Entry]:
    """A customer for each of the times."""
    return [house.register(one, by, phone=f"1385671{n:04}", name=f"赵{'甲乙丙丁戊己'[n]}") for n, one in enumerate(at)]


# Who owns whom


def test_ownership_says_how_many_days_are_left(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    source = reader.read(house)
    (row,) = ownership(source, day("2026-03-09"), house.lin).rows
    assert (row.file, row.owner, row.until, row.days_left) == (entry.visitor, house.lin, day("2026-03-09"), 0)
    assert ownership(source, day("2026-03-10"), house.lin).rows == ()
    assert {(row.owner, row.ground, row.days_left) for row in ownership(source, day("2026-03-10")).rows} == {
        (None, "lapsed", None),
        (house.wang, "first_contact", 0),
    }


def test_a_lapse_reads_alike_whether_it_is_on_record_or_not(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    (unseen,) = ownership(reader.read(house), day("2026-03-12")).rows
    other = house.register("2026-03-12 08:00", "wang", phone=OTHER_PHONE, name="钱梅")
    relate(house, "2026-03-12 09:00", other, entry, "sibling")
    source = reader.read(house)
    (seen,) = [row for row in ownership(source, day("2026-03-12")).rows if row.file == entry.visitor]
    assert unseen == seen
    assert (seen.ended_at, seen.last_owner) == (instant("2026-03-10 00:00"), house.lin)


def test_the_pool_holds_customers_whom_nobody_owns_the_last_in_touch_first(house: House, reader: Reader) -> None:
    one, other, third = crowd(house, "2026-03-02 09:00", "2026-03-02 11:00", "2026-03-08 09:00")
    relate(house, "2026-03-03 09:00", one, other)
    nobodys = house.register("2026-03-02 10:00", phone=None)
    source = reader.read(house)
    assert [row.file for row in open_pool(source, day("2026-03-09")).rows] == [nobodys.visitor]
    pool = [(row.file, row.owner) for row in paged(lambda **asked: open_pool(source, day("2026-03-10"), **asked))]
    assert pool == [(one.visitor, None), (nobodys.visitor, None)]
    persons = {row.file for row in ownership(source, day("2026-03-10"), "open_pool").rows}
    assert persons == {one.visitor, other.visitor, nobodys.visitor} and third.visitor not in persons


def test_lists_of_persons_come_in_pages(house: House, reader: Reader) -> None:
    entries = crowd(house, *["2026-03-02 09:00"] * 5)
    source = reader.read(house)
    for whose in ("all", house.lin):
        found = paged(lambda whose=whose, **asked: ownership(source, day("2026-03-03"), whose, **asked))
        assert [row.file for row in found] == sorted(entry.visitor for entry in entries)
    pool = paged(lambda **asked: ownership(source, day("2026-03-10"), "open_pool", **asked))
    assert len(pool) == 5


# What runs out, and whom to call


def test_what_runs_out_within_three_days(house: House, reader: Reader) -> None:
    crowd(house, *(f"2026-03-{number:02} 09:00" for number in (2, 3, 4, 5, 6)))
    source = reader.read(house)
    found = paged(lambda **asked: lapsing(source, day("2026-03-10"), **asked))
    assert [row.days_left for row in found] == [0, 1, 2, 3]
    assert [row.until for row in lapsing(source, day("2026-03-10"), within_days=0).rows] == [day("2026-03-10")]
    assert lapsing(source, day("2026-03-10"), owner=house.wang).rows == ()


def test_whom_to_follow_up_and_why(house: House, reader: Reader) -> None:
    new, cared_for, called, old = crowd(
        house, "2026-03-10 09:00", "2026-03-09 09:00", "2026-03-10 10:00", "2026-03-05 09:00"
    )
    for at in ("2026-03-09 10:00", "2026-03-09 11:00"):
        follow_up(house, at, cared_for)
        follow_up(house, at.replace("-09 ", "-05 "), old)
    follow_up(house, "2026-03-10 18:00", called)
    due = {row.file: row.reasons for row in follow_ups_due(reader.read(house), day("2026-03-10")).rows}
    assert due == {
        new.visitor: ("not_called", "few_follow_ups"),
        called.visitor: ("few_follow_ups",),
        old.visitor: ("lapsing",),
    }


def test_who_has_lapsed_or_bought_is_not_to_be_followed_up(house: House, reader: Reader) -> None:
    one, other = crowd(house, "2026-03-02 09:00", "2026-03-02 09:00")
    house.sell("2026-03-03 09:00", other)
    source = reader.read(house)
    assert [row.file for row in follow_ups_due(source, day("2026-03-09")).rows] == [one.visitor]
    assert follow_ups_due(source, day("2026-03-10")).rows == ()


def test_without_a_limit_customers_come_last(house: House, reader: Reader) -> None:
    crowd(house, *["2026-03-02 09:00"] * 3)
    house.office.adopt(house.stamp("2026-03-03 09:00"), amend={"attribution.protection_days": "none"}, by=house.chen)
    source = reader.read(house)
    found = paged(lambda **asked: follow_ups_due(source, day("2027-01-01"), **asked))
    assert [(row.until, row.days_left, row.reasons) for row in found] == [(None, None, ("few_follow_ups",))] * 3
    assert lapsing(source, day("2027-01-01")).rows == ()


# What happened


def test_a_timeline_is_found_by_any_entry_of_its_customer(house: House, reader: Reader) -> None:
    one = house.register("2026-03-02 09:00")
    again = house.register("2026-03-03 09:00", "wang")
    spouse = house.register("2026-03-04 09:00", "zhao", phone=OTHER_PHONE, name="钱梅")
    relate(house, "2026-03-05 09:00", spouse, one)
    stranger = house.register("2026-03-06 09:00", "wang", name="孙丽")
    source = reader.read(house)
    found = [timeline(source, entry.visitor, entry.registration).answer for entry in (one, again, spouse)]
    assert found[0] == found[1] == found[2] and found[0].entry == one
    assert [step.entry for step in found[0].steps] == [one, again, spouse]
    assert timeline(source, stranger.visitor, stranger.registration).answer.entry == stranger


def test_there_is_no_timeline_of_an_unknown_entry(house: House, reader: Reader) -> None:
    one = house.register("2026-03-02 09:00")
    source = reader.read(house)
    for file, registration in ((one.visitor, 2), (uuid4(), 1)):
        with pytest.raises(Refusal, match="unknown_visitor"):
            timeline(source, file, registration)


# Disputes and commissions


def test_the_docket_by_status(house: House, reader: Reader) -> None:
    entries = crowd(house, *["2026-03-02 09:00"] * 3)
    opened = [house.dispute("2026-03-03 09:00", entry, f"d{number}") for number, entry in enumerate(entries)]
    rule(house, "2026-03-04 09:00", opened[0], "wang")
    source = reader.read(house)
    assert {row.dispute for row in docket(source, "open").rows} == set(opened[1:])
    assert [(row.dispute, row.owner) for row in docket(source, "ruled").rows] == [(opened[0], house.wang)]
    assert [row.dispute for row in paged(lambda **asked: docket(source, **asked))] == sorted(opened)


def test_the_docket_shows_ruled_shares(house: House, reader: Reader) -> None:
    sale = house.sell("2026-03-03 09:00", house.register("2026-03-02 09:00"), "wang")
    dispute = house.dispute("2026-03-04 09:00", sale)
    shares = {house.lin: THIRD, house.wang: 1 - THIRD}
    house.office.rule(
        house.stamp("2026-03-05 09:00"), dispute=dispute, by=house.chen, reason="both worked", shares=shares
    )
    (row,) = docket(reader.read(house)).rows
    assert row.shares == {house.lin: "1/3", house.wang: "2/3"} and row.sale == sale


def test_a_commission_statement_adds_up(house: House, reader: Reader) -> None:
    entries = crowd(house, *["2026-03-02 09:00"] * 4)
    for entry, at in zip(entries, ("01 00:00", "15 12:00", "31 23:59"), strict=False):
        stamp = house.stamp(f"2026-03-{at}" if at[:2] != "01" else "2026-03-03 00:00")
        house.office.sell(stamp, entry=entry, by=[house.wang, house.zhao], amount=Decimal("100.01"), buyer="孙丽")
    house.sell("2026-04-01 00:00", entries[3])
    source = reader.read(house)
    statement = commission_statement(source, day("2026-03-01"), day("2026-03-31"))
    assert {one.staff: (one.sales, one.amount_fen) for one in statement.sums} == {
        house.wang: (3, 15003),
        house.zhao: (3, 15000),
    }
    assert statement.amount_fen == 30003 == sum(line.amount_fen for line in statement.lines.rows)
    own = commission_statement(source, day("2026-03-15"), day("2026-03-15"), staff=house.wang)
    assert [(line.staff, line.amount_fen) for line in own.lines.rows] == [(house.wang, 5001)]
    assert own.amount_fen == 5001
    lines = paged(lambda **asked: commission_statement(source, day("2026-03-01"), day("2026-04-30"), **asked).lines)
    assert [line.sold_at for line in lines] == sorted(line.sold_at for line in lines) and len(lines) == 7


# Up to where an answer holds


def test_every_answer_says_up_to_where_it_holds(house: House, reader: Reader) -> None:
    house.register("2026-03-02 09:00")
    source = reader.read(house, known_until="2026-03-02 12:00")
    view = sql.Identifier(source.views, "view")
    source.connection.execute(
        sql.SQL("UPDATE {} SET position = 3, known_until = %s WHERE name = 'follow_ups_due'").format(view),
        [instant("2026-03-01 12:00")],
    )
    holds = ownership(source, day("2026-03-02")).holds
    assert (holds.position, holds.known_until) == (house.record.position(), instant("2026-03-02 12:00"))
    assert (holds.left_out, holds.editions) == (0, ("revised-reception@2000-01-01",))
    holds = lapsing(source, day("2026-03-02")).holds
    assert (holds.position, holds.known_until) == (3, instant("2026-03-01 12:00"))


def test_an_answer_says_how_much_was_left_out(house: House, reader: Reader) -> None:
    source = reader.read(house)
    parked = sql.SQL("INSERT INTO {} VALUES (%s, %s, 7, 'visitor.registered.v1', 'unreadable', now(), 1, 7)")
    stream = uuid4()
    for view in ("ownership", "timeline"):
        source.connection.execute(parked.format(sql.Identifier(source.views, "parked")), [view, stream])
    assert ownership(source, day("2026-03-02")).holds.left_out == 1
    assert docket(source).holds.left_out == 0


@pytest.mark.parametrize("missing", ["the row that says where it stands", "the table"])
def test_a_view_that_was_never_built_is_named(house: House, reader: Reader, missing: str) -> None:
    source = reader.read(house)
    if missing == "the table":
        reader.tables.drop(source.connection)
    else:
        source.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(source.views, "view")))
    with pytest.raises(StoreRefused, match="lunpai rebuild ownership"):
        open_pool(source, day("2026-03-02"))
    assert source.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_report_reads_one_snapshot_whatever_changes_meanwhile(
    house: House, reader: Reader, postgres_uri: str
) -> None:
    house.register("2026-03-02 09:00")
    source = reader.read(house)
    table = sql.Identifier(source.views, "ownership")
    with psycopg.connect(postgres_uri, autocommit=True) as other, reading(source, OWNERSHIP):
        other.execute(sql.SQL("DELETE FROM {}").format(table))
        other.execute("SET lock_timeout = 100")
        with pytest.raises(psycopg.errors.LockNotAvailable):  # nor can the table be exchanged under the reader
            other.execute(sql.SQL("ALTER TABLE {} RENAME TO gone").format(table))
        assert len(ownership(source, day("2026-03-02")).rows) == 1
    assert ownership(source, day("2026-03-02")).rows == ()


def test_another_sites_rows_are_not_seen(house: House, reader: Reader) -> None:
    entry = house.register("2026-03-02 09:00")
    house.dispute("2026-03-02 10:00", entry)
    house.sell("2026-03-02 11:00", entry)
    source: Source = msgspec.structs.replace(reader.read(house), site=uuid4())
    on = day("2026-03-02")
    for page in (ownership(source, on), open_pool(source, day("2027-03-02")), lapsing(source, on), docket(source)):
        assert page.rows == ()
    assert follow_ups_due(source, on).rows == () and commission_statement(source, on, on).amount_fen == 0
    with pytest.raises(Refusal, match="unknown_visitor"):
        timeline(source, entry.visitor, entry.registration)
