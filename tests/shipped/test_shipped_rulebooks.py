"""The rulebooks that come with the product: complete, cited through and through, and readable in both languages."""

from __future__ import annotations

import itertools
import re

import pytest

from application.rulebook_page import explain_edition
from application.rulebooks import SHIPPED, Shelf
from domain.rulebook import Edition
from domain.rules.vocabulary import PARAMETERS, TABLES, possible

RULES = {"T": 45, "A": 19, "C": 8, "D": 5, "X": 14, "R": 8, "P": 9, "Q": 6}
"""How far the numbers of the rules run that a clause may stand for."""
NO_SUCH_RULES = {"T41", "T42", "A18"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")

every_edition = pytest.mark.parametrize(
    "edition",
    [edition for rulebook in Shelf().ids() for edition, _ in Shelf().editions(rulebook)],
    ids=lambda edition: edition.label,
)
both_languages = pytest.mark.parametrize("language", ["en", "zh"])


def known_rules() -> set[str]:
    return {f"{area}{number}" for area, last in RULES.items() for number in range(1, last + 1)} - NO_SUCH_RULES


def test_there_are_rulebooks() -> None:
    assert {"forty-three-articles", "revised-reception"} <= set(Shelf().ids())
    files = sorted(path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.is_file())
    assert all(re.fullmatch(r"[a-z-]+/\d{4}-\d\d-\d\d\.yaml", name) for name in files)


@every_edition
def test_every_clause_is_cited_by_a_row_or_a_parameter(edition: Edition) -> None:
    cited = {clause for parameter in edition.parameters.values() for clause in parameter.clauses}
    cited |= {clause for table in edition.tables.values() for row in table.rows for clause in row.clauses}
    assert cited == edition.clauses.keys()


@every_edition
def test_every_clause_stands_for_rules_that_there_are(edition: Edition) -> None:
    for key, clause in edition.clauses.items():
        assert clause.rules, key
        assert set(clause.rules) <= known_rules(), key
        assert len(set(clause.rules)) == len(clause.rules), key


@every_edition
def test_every_clause_is_said_in_both_languages_with_its_source(edition: Edition) -> None:
    for key, clause in edition.clauses.items():
        assert CHINESE.search(clause.zh) and not CHINESE.search(clause.en), key
        assert clause.zh.endswith("。") and clause.en.endswith("."), key
        assert clause.source.strip() and clause.id.strip() == clause.id, key
        assert clause.source.startswith("第") or clause.id.startswith("our-"), key
    texts = [clause.zh for clause in edition.clauses.values()]
    assert len(set(texts)) == len(texts)
    assert CHINESE.search(edition.title_zh) and not CHINESE.search(edition.title_en) and edition.source


@every_edition
def test_every_table_is_total_and_every_row_is_needed(edition: Edition) -> None:
    assert edition.tables.keys() == TABLES.keys() and edition.parameters.keys() == PARAMETERS.keys()
    for name, spec in TABLES.items():
        cases = [
            dict(zip(spec.conditions, codes, strict=True)) for codes in itertools.product(*spec.conditions.values())
        ]
        used = {id(edition.row_for(name, case)) for case in cases if possible(name, case)}
        idle = [str(row) for row in edition.tables[name].rows if id(row) not in used]
        # The row of an office that knows no company, or no household, waits for an amendment.
        assert all("attribution.company" in row or "attribution.household" in row for row in idle), idle


@every_edition
@both_languages
def test_the_page_says_all_of_it_in_words(edition: Edition, language: str) -> None:
    page = explain_edition(edition, language)  # type: ignore[arg-type]
    assert page.startswith(f"# {edition.title_en if language == 'en' else edition.title_zh}")
    for clause in edition.clauses.values():
        assert (clause.en if language == "en" else clause.zh) in page and f"`{clause.id}`" in page
    for parameter in edition.parameters:
        assert f"(`{parameter}`)" in page
    rows = [line for line in page.splitlines() if " → " in line]
    assert len(rows) == sum(len(table.rows) for table in edition.tables.values())
    codes = {code for spec in TABLES.values() for given in spec.conditions.values() for code in given}
    bare = {code for code in codes if "_" in code and any(code in row for row in rows)}
    assert not bare
    if language == "en":
        assert not any(CHINESE.search(row.partition(" — ")[0]) for row in rows)
    else:
        assert all(CHINESE.search(row) for row in rows)


def test_another_name_is_not_somebody_else() -> None:
    edition, _ = Shelf().edition("revised-reception")
    assert "the names: somebody else" not in explain_edition(edition, "en")


def test_what_the_owner_gets_is_said() -> None:
    edition, _ = Shelf().edition("revised-reception")
    assert "→ the owner has all of it" in explain_edition(edition, "en")


@pytest.mark.parametrize(
    ("rulebook", "parameters"),
    [
        (
            "forty-three-articles",
            {"protection_days": 30, "claim_within_days": None, "household": ["spouse", "parent", "child"]},
        ),
        ("revised-reception", {"protection_days": 7, "claim_within_days": 7, "household": ["spouse", "parent"]}),
    ],
)
def test_the_numbers_are_those_of_the_documents(rulebook: str, parameters: dict[str, object]) -> None:
    edition, _ = Shelf().edition(rulebook)
    assert {name: edition.parameter(f"attribution.{name}").value for name in parameters} == parameters
    assert edition.days("attribution.late_entry_days") == 1
