"""Editions as values: the one row for a case, amendments, which edition is in force when, and the closed vocabulary."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.refusals import Refusal
from domain.rulebook import AmendmentValue, Edition, Editions, InForce, Row, RulebookError, Table, single
from domain.rules.vocabulary import PARAMETERS, RELATIONS, check_amendment, check_value, fraction
from tests.domain.given import WITHIN_7_DAYS, WITHIN_30_DAYS, instant, shipped

DAYS = "attribution.protection_days"


def row(clause: str, otherwise: bool = False, **when: str) -> Row:
    conditions = {name: tuple(codes.split("/")) for name, codes in when.items()}
    return Row(
        when=conditions,
        within={},
        outside={},
        then={"claim": clause},
        clauses=(f"house/{clause}",),
        otherwise=otherwise,
    )


def with_rows(*rows: Row) -> Edition:
    edition = shipped()
    return msgspec.structs.replace(edition, tables={"house.table": Table(name="house.table", rows=rows)})


# Rows


@pytest.mark.parametrize(
    ("case", "clause"),
    [
        ({"by": "owner", "via": "web"}, "one"),
        ({"by": "other", "via": "call"}, "two"),
        ({"by": "other", "via": "web"}, "rest"),
    ],
)
def test_exactly_one_row_applies(case: Mapping[str, str], clause: str) -> None:
    edition = with_rows(row("one", by="owner"), row("two", by="other", via="visit/call"), row("rest", otherwise=True))
    assert edition.row_for("house.table", case).then == {"claim": clause}


def test_two_rows_are_an_error_that_shows_both_with_their_clauses() -> None:
    edition = with_rows(row("one", by="owner"), row("two", via="web"), row("rest", otherwise=True))
    with pytest.raises(RulebookError) as caught:
        edition.row_for("house.table", {"by": "owner", "via": "web"})
    for part in (edition.label, "house.table", "2 rows", "by=owner, via=web", "[by: owner]", "house/one", "house/two"):
        assert part in str(caught.value)


def test_no_row_is_an_error_that_says_so() -> None:
    with pytest.raises(RulebookError, match=r"house\.table: 0 rows for \(by=other\): no row applies"):
        with_rows(row("one", by="owner")).row_for("house.table", {"by": "other"})


def test_two_rows_for_all_other_cases_are_an_error() -> None:
    edition = with_rows(row("one", otherwise=True), row("two", otherwise=True))
    with pytest.raises(RulebookError, match=r"otherwise.*house/one.*otherwise.*house/two"):
        edition.row_for("house.table", {"by": "other"})


def test_an_unknown_table_or_parameter_is_an_error_that_names_the_edition() -> None:
    edition = shipped()
    with pytest.raises(RulebookError, match=f"{WITHIN_7_DAYS}@2000-01-01 has no table house"):
        edition.row_for("house", {})
    with pytest.raises(RulebookError, match="has no parameter house"):
        edition.parameter("house")


def test_a_parameter_is_read_as_what_it_is() -> None:
    edition = shipped()
    assert edition.days(DAYS) == 7 and edition.codes("attribution.household") == ("spouse", "parent")
    with pytest.raises(RulebookError, match="not a number of days"):
        edition.days("attribution.household")
    with pytest.raises(RulebookError, match="not a list"):
        edition.codes(DAYS)


@pytest.mark.parametrize("relation", RELATIONS)
def test_conditions_may_point_to_a_parameter(relation: str) -> None:
    inside = Row(when={}, within={"r": "attribution.household"}, outside={}, then={}, clauses=("house/in",))
    outside = Row(when={}, within={}, outside={"r": "attribution.household"}, then={}, clauses=("house/out",))
    edition = msgspec.structs.replace(shipped(), tables={"t": Table(name="t", rows=(inside, outside))})
    for household in (["spouse"], [], list(RELATIONS)):
        amended = edition.amended({"attribution.household": household})  # type: ignore[dict-item]
        assert amended.row_for("t", {"r": relation}) == (inside if relation in household else outside)
    assert (str(inside), str(outside)) == (
        "[r in attribution.household] by house/in",
        "[r not in attribution.household] by house/out",
    )


# Amendments


def test_an_amendment_changes_a_copy_and_marks_it() -> None:
    edition = shipped()
    amended = edition.amended({DAYS: 3}).amended({DAYS: 4, "attribution.company": ["shareholder"]})
    assert (amended.days(DAYS), amended.codes("attribution.company"), edition.days(DAYS)) == (4, ("shareholder",), 7)
    assert (amended.label, edition.label) == (f"{WITHIN_7_DAYS}@2000-01-01*", f"{WITHIN_7_DAYS}@2000-01-01")
    assert amended.amend == {DAYS: 4, "attribution.company": ["shareholder"]}
    assert amended.parameter(DAYS).clauses == edition.parameter(DAYS).clauses


def test_amending_nothing_changes_nothing() -> None:
    edition = shipped()
    assert edition.amended({}) is edition


@pytest.mark.parametrize(("raw", "value"), [("none", None), (0, 0), (36_500, 36_500)])
def test_a_period_is_amended(raw: object, value: int | None) -> None:
    assert check_amendment(shipped(), {DAYS: raw}) == {DAYS: value}


@pytest.mark.parametrize(
    ("amend", "code"),
    [
        ({"attribution.protection": 7}, "unknown_parameter"),
        ({"turns.queue": "sign_in"}, "unknown_parameter"),
        ({"turns.order": "alphabet"}, "bad_value"),
        ({"turns.carry_over": "yes"}, "bad_value"),
        ({"turns.duty_from": "25:00"}, "bad_value"),
        ({"turns.absent_after_minutes": "none"}, "bad_value"),
        ({DAYS: -1}, "bad_value"),
        ({DAYS: 36_501}, "bad_value"),
        ({DAYS: "7"}, "bad_value"),
        ({DAYS: 7.0}, "bad_value"),
        ({DAYS: True}, "bad_value"),
        ({"attribution.late_entry_days": "none"}, "bad_value"),
        ({"attribution.household": "spouse"}, "bad_value"),
        ({"attribution.household": ["cousin"]}, "bad_value"),
        ({"attribution.household": ["spouse", "spouse"]}, "bad_value"),
        ({"attribution.household": [["spouse"]]}, "bad_value"),
        ({"attribution.household": None}, "bad_value"),
    ],
)
def test_an_amendment_that_does_not_fit_is_refused(amend: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_amendment(shipped(), amend)
    assert caught.value.code == code and next(iter(amend)) in caught.value.detail


@for_all(
    st.sampled_from(sorted(PARAMETERS)), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
)
def test_what_a_parameter_may_hold_is_always_decided(name: str, value: AmendmentValue) -> None:
    wrong = check_value(name, value)
    assert wrong is None or wrong.strip()


def test_a_value_for_an_unknown_parameter_is_wrong() -> None:
    assert check_value("house.rule", 7) == "unknown parameter house.rule"


@pytest.mark.parametrize(
    ("text", "share"), [("1/3", Fraction(1, 3)), ("1", Fraction(1)), (" 0 ", Fraction(0)), ("0.25", Fraction(1, 4))]
)
def test_a_share_is_read(text: str, share: Fraction) -> None:
    assert fraction(text) == share


@pytest.mark.parametrize("text", ["", "x", "1/0", "-1/3", "4/3", "1/3/3", "nan", "1 3"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="bad_value"):
        fraction(text)


# Findings


def test_a_rule_is_asked_once_for_a_case() -> None:
    asked: list[tuple[str, int]] = []

    def allowed(edition: Edition, code: str, number: int) -> str:
        asked.append((code, number))
        return f"{edition.label} {code} {number}"

    edition = shipped()
    found = [edition.finding(allowed, *case) for case in (("a", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1))]
    assert asked == [("a", 1), ("a", 2), ("b", 1)]
    assert found == [allowed(edition, *case) for case in (("a", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1))]


def test_what_a_rule_raises_it_raises_every_time() -> None:
    edition = shipped()
    for _ in range(2):
        with pytest.raises(RulebookError, match="has no parameter house"):
            edition.finding(Edition.days, "house")


COPIES: list[Callable[[Edition], Edition]] = [
    lambda edition: edition.amended({DAYS: 3}),
    lambda edition: msgspec.structs.replace(edition, parameters=edition.amended({DAYS: 3}).parameters),
    lambda edition: copy.copy(edition).amended({DAYS: 3}),
    lambda edition: copy.deepcopy(edition.amended({DAYS: 3})),
    lambda edition: pickle.loads(pickle.dumps(edition.amended({DAYS: 3}))),
]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_takes_no_finding_along(copied: Callable[[Edition], Edition]) -> None:
    edition = shipped()
    for _ in range(2):
        assert edition.finding(Edition.days, DAYS) == 7
        assert copied(edition).finding(Edition.days, DAYS) == 3
        again = pickle.loads(pickle.dumps(edition))
        assert again == edition and again.finding(Edition.days, DAYS) == 7


# Which edition is in force


def editions() -> Editions:
    first, second = shipped(WITHIN_7_DAYS), shipped(WITHIN_30_DAYS)
    return Editions((InForce(instant("2026-03-02 09:00"), first), InForce(instant("2026-03-05 09:00"), second, 8)))


def test_each_edition_is_in_force_until_the_next() -> None:
    found = editions()
    moment = timedelta(microseconds=1)
    assert found.at(found.in_force[1].since - moment).rulebook == WITHIN_7_DAYS
    assert found.at(found.in_force[1].since).rulebook == WITHIN_30_DAYS
    assert found.at(found.in_force[0].since).rulebook == WITHIN_7_DAYS
    assert found.changes() == found.in_force[1:]


def test_a_moment_before_the_first_edition_is_an_error_naming_it() -> None:
    found = editions()
    with pytest.raises(RulebookError, match=f"2026-03-02T00:59:59.*{WITHIN_7_DAYS}@2000-01-01 came into force"):
        found.at(found.in_force[0].since - timedelta(seconds=1))


def test_what_is_older_than_the_first_edition_comes_under_it() -> None:
    found = editions()
    first, second = (item.since for item in found.in_force)
    for at, rulebook in ((first - timedelta(days=9), WITHIN_7_DAYS), (first, WITHIN_7_DAYS), (second, WITHIN_30_DAYS)):
        assert found.governing(at).rulebook == rulebook


def test_a_what_if_has_one_edition_for_all_time() -> None:
    found = single(shipped(), instant("2026-03-02 09:00"))
    assert not found.changes() and found.at(instant("2090-01-01 00:00")) == shipped()


def test_clauses_are_found_across_editions_once_and_in_order() -> None:
    ids = [f"{WITHIN_30_DAYS}/3p-10", f"{WITHIN_7_DAYS}/3a-11", f"{WITHIN_30_DAYS}/3p-10"]
    found = editions().clauses(ids)
    assert [key for key, _ in found] == ids[:2] and [clause.id for _, clause in found] == ["3p-10", "3a-11"]
