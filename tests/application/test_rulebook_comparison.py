"""Rulebooks side by side: what each says on a rule, what rests on it, who is silent, in which order."""

from __future__ import annotations

import re

import msgspec
import pytest

from application.replay.wording import Language
from application.rule_titles import AREAS, RULES, checked, natural
from application.rulebook_comparison import RuleLine, Stand, as_markdown, clauses_of, compare, rests_of
from application.rulebooks import Shelf, parse_edition
from domain.refusals import Refusal
from tests.application.small_rulebook import TEXT, ownership_only, small

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CELLS = re.compile(r"(?<!\\)\|")


def on(rule: str) -> tuple[Stand, Stand]:
    """Where the two small rulebooks stand on a rule."""
    (line,) = compare([small(), ownership_only()], [rule])
    one, other = line.rulebooks
    return one, other


# Rules


def test_every_rule_has_a_title_and_stands_in_its_place() -> None:
    assert list(RULES) == sorted(RULES, key=natural)
    assert all(en.isascii() and en and CHINESE.search(zh) for en, zh in (*RULES.values(), *AREAS.values()))
    assert len({en for en, _ in RULES.values()}) == len({zh for _, zh in RULES.values()}) == len(RULES)
    assert {rule[0] for rule in RULES} == AREAS.keys()
    assert not {"T41", "T42", "A18"} & RULES.keys() and {"T45", "A19", "C8", "D5"} <= RULES.keys()


def test_numbers_are_sorted_as_people_count() -> None:
    assert sorted(["D1", "A2", "T10", "T2", "C1", "X3", "A10"], key=natural) == [
        "T2",
        "T10",
        "A2",
        "A10",
        "C1",
        "D1",
        "X3",
    ]


@pytest.mark.parametrize("rule", ["T19", "t19", " T19 "])
def test_a_rule_may_be_typed_as_people_type(rule: str) -> None:
    assert checked(rule) == "T19"


@pytest.mark.parametrize("rule", ["T99", "T41", "A18", "R1", "T", "19", "", "T1 T2", "Ｔ19", "T019"])
def test_a_rule_that_there_is_not_is_refused(rule: str) -> None:
    with pytest.raises(Refusal) as caught:
        compare([small()], ["T1", rule])
    assert caught.value.code == "bad_value" and "T1-T40, T43-T45, A1-A17, A19, C1-C8, D1-D5, Q5" in caught.value.detail


def test_every_rule_of_these_areas_that_a_shipped_clause_stands_for_is_known() -> None:
    stood_for = {rule for edition in Shelf().all() for clause in edition.clauses.values() for rule in clause.rules}
    assert {rule for rule in stood_for if rule[0] in "TACD"} <= RULES.keys()


# What stands side by side


def test_all_rules_by_default_in_order_and_the_asked_ones_once() -> None:
    assert [line.rule for line in compare([small()])] == list(RULES)
    assert [line.rule for line in compare([small()], ["T10", "c2", "T2", "t10"])] == ["T2", "T10", "C2"]


def test_the_clauses_that_stand_for_a_rule() -> None:
    one, other = on("T19")
    assert [clause.id for clause in one.clauses] == ["s-1", "s-2"] and not one.silent
    assert (one.clauses[0].source, one.clauses[0].en) == ("第一条", "Received by the order of signing in.")
    assert (one.rulebook, one.edition) == ("small", "small@2026-01-01")
    assert other.silent and other == Stand("ownership-only", "ownership-only@2026-01-01", True, (), (), ())


def test_what_rests_on_them() -> None:
    one, _ = on("D1")
    assert one.parameters == ()
    assert [(row.table, row.number) for row in one.rows] == [
        ("turns.counts", 1),
        ("turns.counts", 2),
        ("discipline.misconduct", 1),
        ("discipline.misconduct", 2),
    ]
    assert one.rows[0].when == {"as": ("owner",), "visitor": ("own",)}
    assert one.rows[0].then == {"turn": "none", "place": "keep", "make_up": "one"}
    assert one.rows[-1].otherwise and one.rows[-1].text.zh.startswith("其他情形 → ")


def test_a_parameter_stands_with_its_value_in_words() -> None:
    _, other = on("A3")
    (parameter,) = other.parameters
    assert (parameter.name, parameter.value, parameter.clauses) == ("attribution.protection_days", 7, ("o-1",))
    assert parameter.text.en == "days of protection after a contact: 7 days" and parameter.text.zh == "保护期：7天"


def test_what_rests_on_several_clauses_stands_under_each() -> None:
    for rule in ("T1", "T29"):
        assert ("turns.purpose", 2) in [(row.table, row.number) for row in on(rule)[0].rows]


def test_a_rule_that_nobody_covers() -> None:
    (line,) = compare([small(), ownership_only()], ["T43"])
    assert line.silent and all(stand.silent for stand in line.rulebooks)
    assert compare([small(), ownership_only()], ["T1"])[0].silent is False


def test_it_goes_to_json_and_back() -> None:
    lines = compare(list(Shelf().all()))
    written = msgspec.json.encode(lines)
    assert msgspec.json.decode(written, type=tuple[RuleLine, ...]) == lines


def test_nothing_of_a_rulebook_is_left_out() -> None:
    """Every parameter and row whose clauses stand for a rule of these areas appears somewhere."""
    for edition in Shelf().all():
        stands = [line.rulebooks[0] for line in compare([edition])]
        told = {key for key, clause in edition.clauses.items() if not RULES.keys().isdisjoint(clause.rules)}
        assert {one.id for stand in stands for one in stand.clauses} == {key.partition("/")[2] for key in told}
        rests = {one.name for one in edition.parameters.values() if not told.isdisjoint(one.clauses)}
        assert {one.name for stand in stands for one in stand.parameters} == rests
        rows = {
            (name, number)
            for name, table in edition.tables.items()
            for number, row in enumerate(table.rows, start=1)
            if not told.isdisjoint(row.clauses)
        }
        assert {(row.table, row.number) for stand in stands for row in stand.rows} == rows


# In words


def test_cells_in_both_languages() -> None:
    one, _ = on("A5")
    assert clauses_of(one, "en") == ["our-rest: The rest is as ever."]
    assert clauses_of(one, "zh") == ["our-rest：其余照旧。"]
    assert clauses_of(on("T1")[0], "zh") == ["s-1 第一条：按签到先后接待。"]
    said = rests_of(one, "en")
    assert said[0] == "Minutes of waiting after which a turn may be given up: at any time"
    assert said[said.index("How the commission is shared:") + 1].startswith("· others close; ")
    assert "佣金分配：" in rests_of(one, "zh")


def markdown(language: Language, *rules: str) -> list[str]:
    editions = [small(), ownership_only()]
    return as_markdown(editions, compare(editions, rules), language).split("\n")


def test_the_page_has_a_table_a_rule_by_area() -> None:
    page = markdown("en", "A3", "T1", "T43")
    assert [line for line in page if line.startswith("#")] == [
        "# Rulebooks compared",
        "## The rulebooks",
        "## T · Turn queue",
        "### T1 · Order by sign-in",
        "### T43 · Marks and the visit register",
        "## A · Attribution",
        "### A3 · Protection and follow-up",
    ]
    assert "- `small` — Small rules (a page of our own)" in page
    assert page[page.index("### T43 · Marks and the visit register") + 2] == "All are silent."
    assert "| `ownership-only` | *silent* |  |" in page
    assert (
        "| `ownership-only` | o-1 第三条: Protected for seven days. | Days of protection after a contact: 7 days |"
        in page
    )
    tables = [line for line in page if line.startswith("|")]
    assert all(len(CELLS.findall(line)) == 4 for line in tables) and len(tables) == 2 * 4


def test_the_page_in_chinese() -> None:
    page = markdown("zh", "A3", "T43")
    assert page[0] == "# 各制度对照" and "## A · 客户归属" in page and "各制度均未规定。" in page
    assert "| `small` | *未规定* |  |" in page and "| `ownership-only` | o-1 第三条：保护七天。 | 保护期：7天 |" in page


def test_no_text_breaks_out_of_its_cell() -> None:
    edition = parse_edition(TEXT.replace("Received by", "A|B \\\\ <b>"), "small.yaml", adopted=True)
    page = as_markdown([edition], compare([edition], ["T1"]), "en").split("\n")
    (line,) = [line for line in page if line.startswith("| `small`")]
    assert len(CELLS.findall(line)) == 4 and "A\\|B" in line and "<b>" not in line and "&lt;b>" in line
