"""A made-up floor under every rulebook: the same every time, nothing refused that is right, no make-up lost."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from functools import cache
from uuid import UUID

import pytest

from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_floor import SalesFloor
from application.simulation import UnexpectedRefusal, simulate
from application.simulation_report import MakeUps, Simulated, Standing, Tally, waits_of
from application.simulation_script import NUMBERS_FROM, Plan, Script
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rules.vocabulary import covers_turns
from domain.sales_turn_queue import CHANNELS, Asked, Choice, Effect, PassedOver, ReceiverChanged, ReceptionOpened

LAWFUL = {"too_soon", "not_your_turn", "not_eligible"}
"""What may be refused to people who do all they can: an absence reported within the grace, a turn that is no one's to
give up."""

ON = date(2026, 3, 2)


def play(plan: Plan) -> Simulated:
    record = Record(MemoryRecorder())
    return simulate(plan, record, Keyring(secrets.token_bytes(32), record.person_keys), Shelf())


@cache
def played(rulebook: str) -> Simulated:
    return play(plan(rulebook))


def plan(rulebook: str = "two-rosters", *, days: int = 3, seed: int = 1, **more: object) -> Plan:
    return Plan(rulebook=rulebook, days=days, staff=4, seed=seed, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("rulebook", Shelf().ids())
def test_a_made_up_floor_runs_under_every_rulebook(rulebook: str) -> None:
    if not covers_turns(Shelf().edition(rulebook)[0]):
        with pytest.raises(Refusal, match=r"wrong_state.*says nothing on turns"):
            played(rulebook)
        return
    report = played(rulebook).report
    assert report.refusals.keys() <= LAWFUL
    assert report.make_ups_hold
    assert report.came == report.received + report.not_received + report.unanswered == 3 * 4 * 8
    assert report.received == sum(report.receptions.values()) > 48
    for person in report.consultants:
        assert all(turns >= 0 for turns in person.turns.values())
        assert person.make_ups.granted == person.make_ups.served + person.make_ups.owed


@pytest.mark.parametrize("rulebook", ["two-rosters", "longfor-showroom"])
def test_the_same_seed_gives_the_same_report(rulebook: str) -> None:
    again = play(plan(rulebook))
    assert again.report == played(rulebook).report
    assert again.curves == played(rulebook).curves


def test_both_stores_give_the_same_report(record: Record, keyring: Keyring, shelf: Shelf) -> None:
    small = plan(days=1, seed=3)
    assert simulate(small, record, keyring, shelf).report == played_small().report


@cache
def played_small() -> Simulated:
    return play(plan(days=1, seed=3))


def test_another_seed_gives_another_day() -> None:
    assert play(plan(seed=2)).curves != played("two-rosters").curves


def test_a_seed_brings_the_same_people_whatever_happens_to_them() -> None:
    one, other = Script(plan("two-rosters")), Script(plan("ab-post"))
    assert [one.day(number) for number in range(3)] == [other.day(number) for number in range(3)]


def test_make_ups_are_granted_served_and_owed() -> None:
    """Where being passed while busy is made up, there are some of them in a few days; none is lost or made up."""
    report = play(plan("front-desk-order", days=5)).report
    granted, served, owed = report.make_ups.granted, report.make_ups.served, report.make_ups.owed
    assert granted > 0 and granted == served + owed
    assert not MakeUps(2, 1, 0).hold and MakeUps(2, 1, 1).hold


def test_nobody_is_free_for_everybody_so_some_wait_and_some_go() -> None:
    report = play(plan(days=2, visitors=30)).report
    assert report.not_received > 0
    waits = report.waits
    assert 0 < waits.mean_minutes <= waits.p95_minutes <= waits.longest_minutes
    assert waits.number >= report.not_received


def test_nobody_comes() -> None:
    report = play(plan(days=1, visitors=0)).report
    assert (report.came, report.received, report.waits.number, report.largest_lead) == (0, 0, 0, None)
    assert [person.days_present for person in report.consultants] == [1, 1, 1, 1]


def test_a_plain_floor_is_all_turns() -> None:
    report = play(plan(days=2, plain=True, visitors=12)).report
    assert set(report.receptions) == {"turn"} and report.refusals == {}
    assert all(person.days_present == 2 for person in report.consultants)
    assert sum(sum(person.turns.values()) for person in report.consultants) == report.received


def test_curves_end_with_the_turns_reported() -> None:
    found = played("revised-reception")
    for person, curve in zip(found.report.consultants, found.curves, strict=False):
        assert curve.name == person.name
        assert (curve.points[-1][1] if curve.points else 0) == sum(person.turns.values())
        instants = [at for at, _ in curve.points]
        assert instants == sorted(instants) and all(found.span[0] < at < found.span[1] for at in instants)


def test_halves_take_turns_on_the_floor() -> None:
    """Whose half is out for leads does not come, and takes no turn that day."""
    report = play(plan("two-halves", days=4, plain=True)).report
    assert {person.team for person in report.consultants} == {"A", "B"}
    assert [person.days_present for person in report.consultants] == [2, 2, 2, 2]


def test_a_month_without_sales_bars_nobody_for_long() -> None:
    """Where a month in which no call led to a sale takes calls away, the test is passed before the first of them."""
    report = play(Plan(rulebook="inbound-calls", days=32, staff=2, seed=1, visitors=3)).report
    assert report.last_day == date(2026, 4, 2)
    assert all("no_calls" not in person.passed_over for person in report.consultants)


def test_an_amendment_changes_what_comes_of_it() -> None:
    report = play(plan(amend={"turns.passed_while_busy": "keep"})).report
    assert report.amend == {"turns.passed_while_busy": "keep"} and report.edition.endswith("*")
    assert report != played("two-rosters").report


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rulebook": "no-such"}, "unknown_rulebook"),
        ({"amend": {"turns.no_such": 1}}, "unknown_parameter"),
        ({"amend": {"turns.order": "alphabet"}}, "bad_value"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(changed: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        play(Plan(**{"rulebook": "two-rosters", "days": 1, "staff": 2, "seed": 1, **changed}))  # type: ignore[arg-type]
    assert refused.value.code == code


def test_a_refusal_that_cannot_be_right_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(*_: object, **__: object) -> None:
        raise Refusal("wrong_state", "as a fault would")

    monkeypatch.setattr(SalesFloor, "finish", finish)
    with pytest.raises(UnexpectedRefusal, match=r"two-rosters@.*finish at 2026-03-02 .*wrong_state.*as a fault would"):
        play(plan())


def test_nobody_is_real() -> None:
    comings = [coming for number in range(3) for coming in Script(plan()).day(number).comings]
    assert all(coming.phone.startswith(str(NUMBERS_FROM)[:4]) for coming in comings)
    script = Script(plan())
    phones = [coming.phone for number in range(3) for coming in script.day(number).comings]
    assert len(set(phones)) == len(phones) == 96


# Counting

ONE, TWO = UUID(int=1), UUID(int=2)
BOTH_STAND = Standing("visit", frozenset({ONE, TWO}))


def tally_of(*facts: ReceptionOpened | ReceiverChanged, standing: Standing = BOTH_STAND) -> Tally:
    tally = Tally({ONE: "one", TWO: "two"})
    for place, fact in enumerate(facts):
        at = datetime(2026, 3, 2, 1, place, tzinfo=UTC)
        envelope = Envelope(
            site=ONE, stream=ONE, version=1, occurred_at=at, entered_at=at, actor=ONE, command_id=ONE,
            correlation_id=ONE, edition=None, fact=fact, position=1, recorded_at=at,
        )  # fmt: skip
        tally.take(envelope, ON, standing)
    return tally


def opened(label: str, staff: UUID | None, *kinds: str, passed: tuple[PassedOver, ...] = ()) -> ReceptionOpened:
    effects = tuple(Effect(kind, staff, "visit") for kind in kinds if staff)  # type: ignore[arg-type]
    choice = Choice(staff=staff, because="turn" if staff else "", line=(), passed=passed)
    return ReceptionOpened(reception=label, channel="visit", asked=Asked(), choice=choice, effects=effects)


def test_a_lead_is_over_those_who_stood_there_too() -> None:
    tally = tally_of(opened("r1", ONE, "turn"), opened("r2", ONE, "turn"), opened("r3", TWO, "turn"))
    lead = tally.leads.by_day[ON]
    assert (lead.turns, lead.line, lead.ahead, lead.behind) == (2, "visit", "one", "two")
    assert lead.at == datetime(2026, 3, 2, 1, 1, tzinfo=UTC)
    alone = tally_of(opened("r1", ONE, "turn"), standing=Standing("visit", frozenset({ONE})))
    assert alone.leads.by_day == {} and alone.turns[ONE, "visit"] == 1


def test_a_turn_taken_back_is_no_lead() -> None:
    back = ReceiverChanged(
        reception="r1",
        why="absent",
        choice=Choice(staff=TWO, because="turn", line=()),
        effects=(Effect("turn_back", ONE, "visit"), Effect("turn", TWO, "visit")),
    )
    tally = tally_of(opened("r1", ONE, "turn"), back, opened("r2", ONE, "turn"))
    assert tally.leads.by_day[ON].turns == 1
    assert tally.turns == {(ONE, "visit"): 1, (TWO, "visit"): 1}
    assert [turns for _, turns in tally.points[ONE]] == [1, 0, 1]


def test_passed_over_counts_where_somebody_behind_received() -> None:
    passed = (PassedOver(ONE, 1, "busy_new"), PassedOver(ONE, 0, "absent"), PassedOver(ONE, 2, "other_team"))
    tally = tally_of(opened("r1", TWO, "turn", passed=passed), opened("r2", None, passed=passed))
    assert tally.passed_over == {(ONE, "busy_new"): 1}


def test_waits_by_nearest_rank() -> None:
    waits = waits_of([timedelta(minutes=minutes) for minutes in range(100, 0, -1)])
    assert (waits.number, waits.mean_minutes, waits.p95_minutes, waits.longest_minutes) == (100, 50.5, 95.0, 100.0)
    assert waits_of([timedelta(seconds=90)]).p95_minutes == 1.5
    assert waits_of([]).number == 0


def test_channels_of_the_report() -> None:
    assert all(set(person.turns) == set(CHANNELS) for person in played("two-rosters").report.consultants)
