"""What holds of attribution whatever happened: random histories of registrations, follow-ups, sales, rulings, relations
and adoptions, put on record at once, late or much later."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from functools import reduce

import msgspec
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.attribution import Attribution, Claim, attribute
from domain.calendar import day_of
from domain.rivals import changes_to, rivals_of
from domain.rulebook import Edition, single
from domain.rules.vocabulary import VIAS
from domain.visitor import Entry, Moment, VisitorRuled, evolve
from tests.domain.given import (
    CHEN,
    DESK,
    LIN,
    WANG,
    WITHIN_7_DAYS,
    WITHIN_30_DAYS,
    ZHAO,
    ZONE,
    History,
    file,
    instant,
    shipped,
)

MONDAY = instant("2026-03-02 00:00")
SPAN_HOURS = 24 * 30
RECEIVERS = [LIN, WANG, ZHAO, CHEN]
EDITIONS = [
    shipped(WITHIN_7_DAYS),
    shipped(WITHIN_30_DAYS),
    shipped(WITHIN_7_DAYS, protection_days=None),
    shipped(WITHIN_30_DAYS, protection_days=2, household=["spouse"]),
]
FOREVER = instant("2099-12-31 00:00")

hours = st.integers(0, SPAN_HOURS)
delays = st.sampled_from([0, 0, 0, 5, 20, 24, 40, 100, 400])
receivers = st.sampled_from(RECEIVERS)


def clock(hour: int) -> str:
    """The hour after Monday's midnight, on the site's clock."""
    return (MONDAY + timedelta(hours=hour)).astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


@st.composite
def histories(draw: st.DrawFn, rulings: bool = True, adoptions: bool = True) -> History:
    """Up to 14 facts about two phones; positions are in the order drawn, times are not."""
    history = History(draw(st.sampled_from(EDITIONS)))
    entries = [history.register(clock(draw(hours)), draw(receivers))]
    kinds = ["register", "register", "again", "follow_up", "follow_up", "sell", "assign", "relate"]
    for kind in draw(st.lists(st.sampled_from(kinds + ["rule"] * rulings), max_size=13)):
        hour, entry, by = draw(hours), draw(st.sampled_from(entries)), draw(receivers)
        at, known = clock(hour), clock(hour + draw(delays))
        if kind == "register":
            entries.append(
                history.register(
                    at,
                    draw(st.sampled_from([*RECEIVERS, DESK])),
                    phone=draw(st.integers(1, 2)),
                    known=known,
                    via=draw(st.sampled_from(VIAS)),
                    has_name=draw(st.booleans()),
                    has_phone=draw(st.booleans()),
                )
            )
        elif kind == "again":
            entries.append(history.again(at, by, first_of_name(history, entry), known=known))
        elif kind == "follow_up":
            history.follow_up(at, by, entry, known=known)
        elif kind == "sell":
            history.sell(at, draw(st.lists(receivers, min_size=1, max_size=3, unique=True)), entry, known=known)
        elif kind == "assign":
            history.assign(at, by, entry, draw(st.sampled_from(["distribution", "inheritance", "reassignment"])))
        elif kind == "rule":
            history.rule(at, draw(st.none() | receivers), entry)
        elif len(entries) > 1:
            other = draw(st.sampled_from([e for e in entries if e != entry]))
            relation = draw(st.sampled_from(["spouse", "parent", "sibling"]))
            history.relate(at, entry, other, relation, proven=draw(st.booleans()), known=known)
    for hour in sorted(draw(st.lists(hours, max_size=2))) if adoptions else []:
        history.adopt(clock(hour), draw(st.sampled_from(EDITIONS)))
    return history


def first_of_name(history: History, entry: Entry) -> Entry:
    """The entry under whose name this one stands."""
    found = next(
        e.fact.same_name_as
        for e in history.facts
        if e.stream == entry.visitor
        and getattr(e.fact, "same_name_as", 0) != 0
        and e.fact.registration == entry.registration
    )
    return Entry(entry.visitor, found or entry.registration)


def entries_of(history: History) -> list[Entry]:
    return [
        Entry(e.stream, e.fact.registration) for e in history.facts if e.fact.stored_name == "visitor.registered.v1"
    ]


moments = st.builds(
    lambda hour, later: Moment(
        MONDAY + timedelta(hours=hour), (later and MONDAY + timedelta(hours=hour + later)) or FOREVER
    ),
    st.integers(0, 2 * SPAN_HOURS),
    st.sampled_from([0, 1, 24, 200]),
)


def ask(history: History, entry: Entry, moment: Moment, rulings: bool = True) -> Attribution:
    return attribute(history.question, entry, moment, rulings=rulings)


@for_all(histories(), moments)
def test_a_customer_has_one_owner_and_one_until(history: History, moment: Moment) -> None:
    for entry in entries_of(history):
        found = ask(history, entry, moment)
        assert entry in found.customer.entries
        for other in found.customer.entries & set(entries_of(history)):
            again = ask(history, other, moment)
            assert again.customer.entries == found.customer.entries
            assert (again.claim, again.steps) == (found.claim, found.steps)


@for_all(histories(), moments)
def test_the_same_question_has_the_same_answer(history: History, moment: Moment) -> None:
    entry = entries_of(history)[0]
    assert ask(history, entry, moment) == ask(history, entry, moment)


@for_all(histories(), moments, st.lists(st.sampled_from(EDITIONS), min_size=2, max_size=4))
def test_no_edition_answers_for_another(history: History, moment: Moment, editions: list[Edition]) -> None:
    """What an edition has been asked before, and what other editions said, changes nothing: a new one says the same."""
    entry = entries_of(history)[0]
    for edition in editions:
        asked_before, new = (
            msgspec.structs.replace(history.question, editions=single(each, instant("2000-01-01 00:00")))
            for each in (edition, msgspec.structs.replace(edition))
        )
        assert attribute(asked_before, entry, moment) == attribute(new, entry, moment)


@for_all(histories(), moments)
def test_what_became_known_later_changes_nothing(history: History, moment: Moment) -> None:
    known = [e for e in history.facts if e.known_at <= moment.known_at]
    then = msgspec.structs.replace(history.question, history=known)
    for entry in entries_of(history):
        assert attribute(then, entry, moment) == ask(history, entry, moment)


@for_all(histories(), st.integers(0, 14))
def test_replay_in_pieces_is_replay_of_the_whole(history: History, cut: int) -> None:
    """Files folded up to a position, and then on, give the answers of the whole log up to there, and of all of it."""
    entry = entries_of(history)[0]
    for upto in (cut, len(history.facts)):
        part = [e for e in history.facts if e.position <= upto]
        pieces = [
            reduce(evolve, [e for e in part if e.stream == stream and e.position > cut], before)
            for stream in (file(1), file(2))
            for before in [reduce(evolve, [e for e in part if e.stream == stream and e.position <= cut], None)]
        ]
        merged = sorted((e for found in pieces if found for e in found.history), key=lambda e: e.position)
        in_pieces = msgspec.structs.replace(history.question, history=merged)
        whole = msgspec.structs.replace(history.question, history=part)
        moment = Moment(MONDAY + timedelta(hours=SPAN_HOURS), FOREVER)
        assert attribute(in_pieces, entry, moment) == attribute(whole, entry, moment)


@for_all(histories(rulings=False, adoptions=False), hours, hours)
def test_a_later_moment_only_adds_steps(history: History, one: int, other: int) -> None:
    earlier, later = (MONDAY + timedelta(hours=hour) for hour in sorted((one, other)))
    for entry in entries_of(history):
        before = ask(history, entry, Moment(earlier, FOREVER)).steps
        assert ask(history, entry, Moment(later, FOREVER)).steps[: len(before)] == before


def end_of(claim: Claim) -> date:
    return claim.until or date.max


@for_all(histories(), moments)
def test_a_renewal_never_shortens(history: History, moment: Moment) -> None:
    for entry in entries_of(history):
        steps = ask(history, entry, moment).steps
        for before, step in itertools.pairwise(steps):
            if step.effect == "renews":
                assert before.claim and step.claim and before.claim.owner == step.claim.owner
                assert end_of(step.claim) >= end_of(before.claim)


@for_all(histories(), moments)
def test_nobody_owns_without_a_founding_step(history: History, moment: Moment) -> None:
    for entry in entries_of(history):
        found = ask(history, entry, moment)
        if found.claim is None:
            continue
        founding = [step for step in found.steps if step.position == found.claim.facts[0]]
        assert [step.effect for step in founding] in (["founds"], ["ruled"], ["closes"])
        assert founding[0].claim and founding[0].claim.owner == found.owner
        assert found.claim.clauses and set(found.claim.facts) <= set(found.facts)


@for_all(histories(rulings=False), moments)
def test_without_rulings_a_what_if_under_the_same_rules_is_the_plain_answer(history: History, moment: Moment) -> None:
    for entry in entries_of(history):
        assert ask(history, entry, moment, rulings=False) == ask(history, entry, moment)


@for_all(histories(), moments)
def test_a_what_if_leaves_rulings_out_and_nothing_else(history: History, moment: Moment) -> None:
    unruled = [e for e in history.facts if not isinstance(e.fact, VisitorRuled)]
    question = msgspec.structs.replace(history.question, history=unruled)
    for entry in entries_of(history):
        assert attribute(question, entry, moment) == ask(history, entry, moment, rulings=False)


@for_all(histories(), moments)
def test_the_steps_lead_to_the_answer(history: History, moment: Moment) -> None:
    for entry in entries_of(history):
        found = ask(history, entry, moment)
        assert (found.steps[-1].claim if found.steps else None) == found.claim
        assert all(step.clauses for step in found.steps)
        if found.claim and found.until and not found.claim.bought:
            assert day_of(moment.at, ZONE) <= found.until
        for before, step in zip((None, *found.steps), found.steps, strict=False):
            had = before.claim if before else None
            if step.effect in ("nothing", "stays", "kept"):
                assert step.claim == had
            elif step.what == "lapse":
                assert had and step.claim is None


@settings(max_examples=40)
@for_all(histories(), moments)
def test_every_rival_has_a_reason_and_every_change_another_owner(history: History, moment: Moment) -> None:
    for entry in entries_of(history)[:2]:
        found = ask(history, entry, moment)
        rivals = rivals_of(found, found.owner, history=history.facts)
        active = {staff for step in found.steps for staff in step.by} - {found.owner}
        assert active <= {rival.staff for rival in rivals} and all(rival.reason for rival in rivals)
        changes = changes_to(history.question, entry, moment, found)
        assert all(change.owner != found.owner for change in changes)
