"""What holds of every view whatever happened: rows fit their columns, do not depend on the order in which dossiers come,
agree with the attribution on every later day, and add up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.attribution import attribute
from domain.calendar import start_of
from domain.dispute import DisputeOpened, DisputeRuled
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rules.vocabulary import VIAS
from domain.sale import SaleRecorded
from domain.visitor import Entry, Moment, VisitorFollowedUp, VisitorRegistered
from projections.activity import WHAT
from projections.dossier import Judged
from projections.ownership import OWNERSHIP
from projections.reports import Owned, standing_on
from projections.view import View
from projections.views import VIEWS
from tests.domain.given import History
from tests.domain.test_attribution_properties import clock, histories
from tests.projections.given import ZONE, House, an_office, attributions, judged, judged_history, put_together, rows

PEOPLE = [
    ("13856718294", "赵强"),
    ("13956718295", "钱梅"),
    ("13756718296", "孙丽"),
    (None, "周平"),
    ("13856718294", "李芳"),
]
LABELS = ["lin", "wang", "zhao", "chen"]
KINDS = ["register"] * 5 + ["follow_up"] * 4 + ["sell", "relate", "assign", "dispute", "rule", "adopt"]
Draw = Callable[[st.SearchStrategy[Any]], Any]


class Chance:
    """An office where things happen at random, always forward in time; what is refused has not happened."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.house, self.hour = draw, an_office(), 0
        self.entries: list[Entry] = []
        self.sales: list[Any] = []
        self.disputes: list[Any] = []

    def happen(self) -> None:
        self.hour += self.draw(st.integers(0, 60))
        kind = self.draw(st.sampled_from(KINDS))
        if kind == "register" or (kind != "adopt" and not self.entries):
            self._register()
            return
        with suppress(Refusal):
            getattr(self, f"_{kind}")()

    def _stamp(self, late: bool = False) -> Any:
        hour = self.hour - self.draw(st.sampled_from([0, 0, 10, 30, 70])) if late else self.hour
        return self.house.stamp(clock(max(hour, 0)), known=clock(self.hour))

    def _staff(self) -> Any:
        return self.house.staff[self.draw(st.sampled_from(LABELS))]

    def _entry(self) -> Entry:
        entry: Entry = self.draw(st.sampled_from(self.entries))
        return entry

    def _register(self) -> None:
        phone, name = self.draw(st.sampled_from(PEOPLE))
        by = self.house.staff[self.draw(st.sampled_from([*LABELS, "desk"]))]
        via = self.draw(st.sampled_from(VIAS))
        entry = self.house.office.register(self._stamp(late=True), by=by, name=name, phone=phone, via=via).entry
        assert entry is not None
        self.entries.append(entry)

    def _follow_up(self) -> None:
        stamp = self._stamp(late=True)
        self.house.office.follow_up(stamp, entry=self._entry(), by=self._staff(), historic=True)

    def _sell(self) -> None:
        buyer = self.draw(st.sampled_from([None, "孙丽", *self.entries]))
        closers = [
            self.house.staff[one] for one in self.draw(st.lists(st.sampled_from(LABELS), min_size=1, unique=True))
        ]
        sold = self.house.office.sell(
            self._stamp(),
            entry=self._entry(),
            by=closers,
            amount=Decimal(self.draw(st.integers(0, 99_999))),
            buyer=buyer,
        )
        self.sales.append(sold.subject)

    def _relate(self) -> None:
        relation = self.draw(st.sampled_from(["spouse", "parent", "sibling"]))
        self.house.office.relate(self._stamp(), visitor=self._entry(), to=self._entry(), relation=relation)

    def _assign(self) -> None:
        how = self.draw(st.sampled_from(["distribution", "inheritance", "reassignment"]))
        self.house.office.assign(self._stamp(), entry=self._entry(), to=self._staff(), how=how, by=self.house.chen)

    def _dispute(self) -> None:
        about = self.draw(st.sampled_from([*self.entries, *self.sales]))
        label = f"d{len(self.disputes)}"
        opened = self.house.office.open_dispute(self._stamp(), about=about, by=self._staff(), label=label)
        self.disputes.append(opened.subject)

    def _rule(self) -> None:
        if self.disputes:
            dispute, owner = self.draw(st.sampled_from(self.disputes)), self.draw(st.none() | st.sampled_from(LABELS))
            named = self.house.staff[owner] if owner else None
            self.house.office.rule(self._stamp(), dispute=dispute, by=self.house.chen, reason="so be it", owner=named)

    def _adopt(self) -> None:
        days = self.draw(st.sampled_from([1, 3, 7, "none"]))
        self.house.office.adopt(self._stamp(), amend={"attribution.protection_days": days}, by=self.house.chen)


@st.composite
def offices(draw: st.DrawFn) -> House:
    chance = Chance(draw)
    for _ in range(draw(st.integers(1, 16))):
        chance.happen()
    return chance.house


def by_itself(dossiers: list[Judged]) -> dict[str, Any]:
    return {view.name: put_together(view, dossiers) for view in VIEWS.values()}


@settings(max_examples=60)
@for_all(offices(), st.randoms(use_true_random=False))
def test_the_order_of_dossiers_does_not_matter(house: House, shuffled: random.Random) -> None:
    dossiers = judged(house)
    before = by_itself(dossiers)
    again = judged(house)
    shuffled.shuffle(again)
    assert by_itself(again) == before


@settings(max_examples=60)
@for_all(offices())
def test_one_dossier_changes_nothing_of_another(house: House) -> None:
    dossiers = judged(house)
    for view in VIEWS.values():
        if not view.sums:
            together: dict[Any, Any] = {}
            for one in dossiers:
                own = put_together(view, [one])
                assert not together.keys() & own.keys()
                together.update(own)
            assert together == put_together(view, dossiers)


@settings(max_examples=100)
@for_all(offices())
def test_counts_add_up_to_what_is_on_record(house: House) -> None:
    facts = list(house.record.read())
    dossiers = judged(house)
    total = Counter[str]()
    for row in rows(VIEWS["activity"], dossiers):
        assert row["what"] in WHAT and row["count"] > 0 and row["staff"] in house.staff.values()
        total[row["what"]] += row["count"]
    registered = of_type(facts, VisitorRegistered)
    steps = [step for _, found in attributions(dossiers) for step in found.steps]
    assert sum(total[f"registered.{via}"] for via in VIAS) == len(registered)
    assert total["returning"] == len(registered) - len(attributions(dossiers))
    assert total["follow_up"] + total["follow_up_without_effect"] == len(of_type(facts, VisitorFollowedUp))
    assert total["sold"] == sum(len(envelope.fact.by) for envelope in of_type(facts, SaleRecorded))  # type: ignore[attr-defined]
    assert total["converted"] <= len(of_type(facts, SaleRecorded))
    assert total["dispute_raised"] == len(of_type(facts, DisputeOpened))
    assert total["ruled"] == len(of_type(facts, DisputeRuled))
    assert total["entered_late"] == sum(step.late for step in steps)
    assert total["lapsed"] == sum(step.what == "lapse" for step in steps)
    assert total["new_client"] <= len(attributions(dossiers))
    owned = sum(found.claim is not None for _, found in attributions(dossiers))
    assert total["new_client"] + total["refounded"] + total["transferred"] >= owned + total["lapsed"]


def of_type(facts: list[Envelope], wanted: type) -> list[Envelope]:
    return [envelope for envelope in facts if isinstance(envelope.fact, wanted)]


@settings(max_examples=60)
@for_all(offices())
def test_every_person_and_every_customer_has_a_row_and_every_share_a_line(house: House) -> None:
    dossiers = judged(house)
    first_of_name = [
        (envelope.stream, envelope.fact.registration)
        for envelope in of_type(list(house.record.read()), VisitorRegistered)
        if envelope.fact.same_name_as is None  # type: ignore[attr-defined]
    ]
    owned = put_together(OWNERSHIP, dossiers)
    assert owned.keys() == set(first_of_name)
    customers = {(entry.visitor, entry.registration) for entry, _ in attributions(dossiers)}
    assert put_together(VIEWS["timeline"], dossiers).keys() == customers <= owned.keys()
    assert put_together(VIEWS["follow_ups_due"], dossiers).keys() <= customers
    totals = Counter[Any]()
    expected = {}
    for row in rows(VIEWS["commission"], dossiers):
        totals[row["sale"]] += row["amount_fen"]
        expected[row["sale"]] = row["total_fen"]
    assert totals == expected


@for_all(histories(), st.integers(0, 60))
def test_a_row_read_on_a_later_day_says_what_the_attribution_says_on_it(history: History, days: int) -> None:
    for one in judged_history(history):
        day = one.moment.at.astimezone(ZONE).date() + timedelta(days=1 + days)
        moment = Moment(start_of(day, ZONE), one.moment.known_at)
        for row in rows(OWNERSHIP, [one]):
            read = as_read(row, day)
            found = attribute(one.question, Entry(read.file, read.registration), moment)
            last = found.last_claim if found.claim is None else None
            assert (read.owner, read.ground, read.until) == (found.owner, found.ground, found.until)
            assert read.last_owner == (last.owner if last else None)
            assert last is None or last.ended_at is None or read.ended_at == last.ended_at
            ruling = found.deciding_ruling
            assert read.ruled == (ruling is not None and not (last and last.since > ruling.occurred_at))
            assert read.days_left == ((found.until - day).days if found.until else None)


def as_read(row: dict[str, Any], day: date) -> Owned:
    return standing_on(Owned(**{name: row[name] for name in Owned.__struct_fields__ if name in row}), day, ZONE)


@for_all(histories())
def test_rows_of_any_history_fit_their_columns(history: History) -> None:
    for view in VIEWS.values():
        put_together(view, judged_history(history))


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_every_view_is_explained_and_its_indexes_name_its_columns(view: View) -> None:
    names = [column.name for column in view.columns]
    assert len(set(names)) == len(names) and view.key > 0 and view.name in VIEWS
    assert all(column.about for column in view.columns) and view.about_en and view.about_zh
    assert not any(column.null for column in view.columns[: view.key])
    for index in view.indexes:
        assert {name.strip() for name in index.strip("()").split(",")} <= set(names)
