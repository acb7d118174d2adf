"""Every code of the vocabulary has its words in both languages, and nothing has words that is no code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from application.replay.wording import GROUND, REASON, WHAT, WHAT_NOUN, Language
from application.rulebook_page import SECTIONS
from application.rulebook_sentences import row_in_words, value_in_words, value_words, words_for
from application.rulebook_turn_words import NEUTRAL, TURN_NUMBERS
from application.rulebook_words import (
    CONDITIONS,
    EFFECTS,
    EXPLAINING,
    GROUPS,
    LEADS,
    NONE,
    PARTS,
    UNITS,
    VALUES,
    ZERO,
)
from domain.rulebook import Row
from domain.rules.specs import NUMBER
from domain.rules.vocabulary import PARAMETERS, TABLES
from tests.application.small_rulebook import small

LANGUAGES: list[Language] = ["en", "zh"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
Case = tuple[str, str, str]


def conditions() -> Iterator[Case]:
    return (
        (table, name, code)
        for table, spec in TABLES.items()
        for name, codes in spec.conditions.items()
        for code in codes
    )


def effects() -> Iterator[Case]:
    for table, spec in TABLES.items():
        for name, codes in spec.effects.items():
            if codes and codes != NUMBER:
                yield from ((table, name, code) for code in codes)


def assert_both(words: tuple[str, str]) -> None:
    en, zh = words
    assert en.strip() and en.isascii() and "_" not in en, en
    assert CHINESE.search(zh) and "_" not in zh, zh


@pytest.mark.parametrize(("table", "name", "code"), list(conditions()))
def test_every_code_of_every_condition(table: str, name: str, code: str) -> None:
    assert_both(words_for(CONDITIONS, table, name)[code])


@pytest.mark.parametrize(("table", "name", "code"), list(effects()))
def test_every_code_of_every_effect(table: str, name: str, code: str) -> None:
    assert_both(words_for(EFFECTS, table, name)[code])


def test_every_effect_that_is_a_number_or_a_part() -> None:
    for spec in TABLES.values():
        for name, codes in spec.effects.items():
            if codes == NUMBER:
                for words in TURN_NUMBERS[name]:
                    assert_both(words)
            elif not codes:
                assert_both(PARTS[name])


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_code_of_every_parameter(name: str) -> None:
    spec = PARAMETERS[name]
    for code in spec.codes:
        assert_both(value_words(name, spec)[code])
    assert_both((spec.en, spec.zh))


@pytest.mark.parametrize("name", [name for name, spec in PARAMETERS.items() if spec.kind in ("days", "count")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_a_unit(name: str, language: Language) -> None:
    for number in (1, 5):
        said = value_in_words(name, number, language)
        assert said != str(number) and (language == "en" or CHINESE.search(said) or "%" in said)


@pytest.mark.parametrize("name", [name for name, spec in PARAMETERS.items() if spec.may_be_none])
def test_none_means_something(name: str) -> None:
    assert_both((value_in_words(name, None, "en"), value_in_words(name, None, "zh")))


def test_there_are_no_words_for_what_there_is_not() -> None:
    """So that a code that was renamed leaves nothing behind."""
    for table, cases in ((CONDITIONS, list(conditions())), (EFFECTS, list(effects()))):
        for key, words in table.items():
            of, _, name = key.rpartition("/")
            used = {
                code
                for where, what, code in cases
                if what == name and (where == of or (not of and f"{where}/{name}" not in table))
            }
            assert used, key
            if words is not GROUND and words is not REASON:  # replays use more of them
                assert words.keys() <= used or key in ("shares", "relation"), (key, words.keys() - used)
    names = {name for spec in TABLES.values() for name in (*spec.conditions, *spec.effects)}
    assert {*LEADS, *GROUPS, *NEUTRAL, *TURN_NUMBERS, *PARTS, *EXPLAINING} <= names
    assert {*VALUES, *NONE, *ZERO} <= PARAMETERS.keys()
    assert all(any(name.endswith(end) for name in PARAMETERS) for end in UNITS)
    assert all(PARAMETERS[name].may_be_none for name in NONE)


def test_codes_that_stand_together_are_codes() -> None:
    for name, groups in GROUPS.items():
        known = {code for _, condition, code in conditions() if condition == name}
        assert all(group <= known for group in groups), name
        assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True), "the larger come first"
        for words in groups.values():
            assert_both(words)


def test_every_parameter_and_table_stands_in_one_section() -> None:
    parameters = [name for section in SECTIONS for name in section.parameters]
    tables = [name for section in SECTIONS for name in section.tables]
    assert sorted(parameters) == sorted(PARAMETERS) and sorted(tables) == sorted(TABLES)


def test_steps_have_nouns_too() -> None:
    assert WHAT.keys() == WHAT_NOUN.keys()
    assert {"reception", "entrusted"} <= WHAT.keys() and {"taken_as_new", "in_ones_stead"} <= GROUND.keys()
    for words in (*WHAT_NOUN.values(), *GROUND.values(), *REASON.values()):
        assert_both(words)


# How a row is said


def row(when: dict[str, tuple[str, ...]], then: dict[str, str] | None = None) -> Row:
    return Row(when=when, within={}, outside={}, then=then or {"turn": "counts"}, clauses=())


@pytest.mark.parametrize(
    ("codes", "en", "zh"),
    [
        (("press",), "the press", "媒体"),
        (("press", "builder"), "the press or a builder", "媒体或施工单位"),
        (("press", "builder", "buy"), "the press, a builder or a buyer", "媒体、施工单位或购房客户"),
        (TABLES["turns.purpose"].conditions["purpose"][1:], "other than a buyer", "除购房客户以外"),
        (TABLES["turns.purpose"].conditions["purpose"], "in every case", "任何情形"),
    ],
)
def test_several_codes_of_a_condition(codes: tuple[str, ...], en: str, zh: str) -> None:
    for language, words in (("en", en), ("zh", zh)):
        assert row_in_words(small(), "turns.purpose", row({"purpose": codes}), language).startswith(f"{words} → ")  # type: ignore[arg-type]


def test_seven_of_twelve_are_said_by_the_other_five_but_six_are_not() -> None:
    purposes = TABLES["turns.purpose"].conditions["purpose"]
    assert row_in_words(small(), "turns.purpose", row({"purpose": purposes[:7]}), "en").startswith("other than")
    assert not row_in_words(small(), "turns.purpose", row({"purpose": purposes[:6]}), "en").startswith("other than")


def test_codes_with_one_word_together() -> None:
    case = {"visitor": ("own", "own_bought", "again_today")}
    then = {"turn": "none", "place": "front", "make_up": "none"}
    said = row_in_words(small(), "turns.counts", row(case, then), "en")
    assert said.startswith("an earlier visitor of one's own or a new visitor of today who comes once more → no turn, ")
    assert "；" not in said and "，" not in said


def test_a_lead_stands_once() -> None:
    case = {"claimant": ("busy", "away"), "tie": ("met", "called")}
    said = row_in_words(small(), "turns.claimed", row(case, {"who": "next"}), "en")
    assert said == (
        "the owner has met the visitor or knows the visitor from calls only; that consultant is busy or away → "
        "the next in line who is free stands in"
    )
    said = row_in_words(small(), "turns.claimed", row(case, {"who": "next"}), "zh")
    assert said == "归属人接待过客户或只接过客户电话；该顾问正忙或不在 → 由下一位有空的人代接"
