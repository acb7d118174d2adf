"""Rulebook files: every way to get one wrong is an error with file, line and path; the shelf keeps editions in order."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from application.rulebooks import (
    LARGEST_BYTES,
    SHIPPED,
    Shelf,
    parse_edition,
    read_edition,
    sha256_of,
)
from application.yaml_files import FileProblem
from domain.refusals import Refusal
from domain.rulebook import Edition, RulebookError
from domain.rules.vocabulary import PARAMETERS, TABLES, amend_edition

TEXT = (SHIPPED / "revised-reception" / "2000-01-01.yaml").read_text("utf-8")
FIRST_ROW = "    - when: {contact: registration, entry: incomplete}\n"
LATE = "attribution.late_entry_days"


def changed(old: str, new: str) -> tuple[str, int]:
    """The shipped text with one place changed, and the line of that place."""
    assert old in TEXT, old
    return TEXT.replace(old, new, 1), TEXT[: TEXT.index(old)].count("\n") + 1


def problem(text: str) -> FileProblem:
    with pytest.raises(FileProblem) as caught:
        parse_edition(text, "house.yaml")
    assert caught.value.file == "house.yaml" and "\n" not in str(caught.value)
    return caught.value


def line_of(start: str) -> int:
    return TEXT[: TEXT.index(start)].count("\n") + 1


def test_a_shipped_text_is_read_whole() -> None:
    edition = parse_edition(TEXT)
    assert (edition.rulebook, edition.in_force_from, edition.adopted_on) == (
        "revised-reception",
        date(2000, 1, 1),
        None,
    )
    assert edition.sha256 == sha256_of(TEXT) and len(edition.sha256) == 64
    assert edition.parameters.keys() == PARAMETERS.keys() and edition.tables.keys() == TABLES.keys()
    assert all(key == f"revised-reception/{clause.id}" for key, clause in edition.clauses.items())


ROW = "attribution.contact[0]"


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        # keys, and what they hold
        ("office:", "bureau:", "$", "unknown field `bureau`"),
        ("en: Revised reception rules}", "fr: Révisé}", "$.title", "unknown field `fr`"),
        ("in_force_from: 2000-01-01", "in_force_from: soon", "$.in_force_from", "date"),
        ("in_force_from: 2000-01-01", "in_force_from: 2000-02-30", "$.in_force_from", "date"),
        ("in_force_from: 2000-01-01\n", "", "$", "missing required field `in_force_from`"),
        ("    source: 第十条\n", "    page: 第十条\n", "$.clauses[14]", "unknown field `page`"),
        ("    rules: [A1, A2]\n", "    rules: A1\n", "$.clauses[14].rules", "Expected `array`"),
        ("  - id: 3a-11-1\n", "  - id: 3a-10\n", "$.clauses[16]", "clause 3a-10 stands here twice"),
        # parameters
        (f"  {LATE}: ", "  attribution.late_days: ", "$.parameters.attribution.late_days", "unknown parameter"),
        (f"{LATE}: {{value: 1,", f"{LATE}: {{value: none,", f"$.parameters.{LATE}", "a value is needed, not none"),
        (f"{LATE}: {{value: 1,", f"{LATE}: {{value: -1,", f"$.parameters.{LATE}", "-1 is not a whole number of days"),
        ("value: [spouse, parent]", "value: [spouse, cousin]", "$.parameters.attribution.household", "unknown: cousin"),
        ("clauses: [3a-11-4]}", "clauses: [3a-99]}", "$.parameters.attribution.claim_within_days", "no such clause: 3a-99"),
        ("clauses: [3a-11-4]}", "clauses: []}", "$.parameters.attribution.claim_within_days", "a clause is needed"),
        ("clauses: [3a-11-4]}", "because: [3a-11-4]}", "$.parameters.attribution.claim_within_days", "unknown field `because`"),
        # tables and rows
        ("  attribution.buyer:\n", "  attribution.seller:\n", "$.tables.attribution.seller", "unknown table"),
        ("{contact: registration, entry: incomplete}", "{contact: meeting}", f"$.tables.{ROW}.when.contact", "unknown: meeting"),
        ("{contact: registration, entry: incomplete}", "{mood: good}", f"$.tables.{ROW}.when.mood", "unknown condition"),
        ("{contact: registration, entry: incomplete}", "{contact: []}", f"$.tables.{ROW}.when.contact", "unknown: nothing"),
        ("{contact: registration, entry: incomplete}", "{}", f"$.tables.{ROW}", "either `when`"),
        (FIRST_ROW, f"{FIRST_ROW}      otherwise: true\n", f"$.tables.{ROW}", "either `when`"),
        (FIRST_ROW, f"{FIRST_ROW}      unless: true\n", f"$.tables.{ROW}", "unknown field `unless`"),
        ("reason: registration_incomplete}", "reason: bad_mood}", f"$.tables.{ROW}.then.reason", "unknown: bad_mood"),
        ("reason: registration_incomplete}", 'fine: "50"}', f"$.tables.{ROW}.then.fine", "unknown effect"),
        ("{claim: nothing, reason: registration_incomplete}", "{claim: nothing}", f"$.tables.{ROW}.then", "effect missing: reason"),
        ("{claim: nothing, reason: registration_incomplete}", "{claim: founds}", f"$.tables.{ROW}.then", "effect missing: ground"),
        ("{claim: nothing, reason: registration_incomplete}", "{}", f"$.tables.{ROW}.then", "effect missing: claim"),
        ("then: {shares: owner}", "then: {shares: split}", "$.tables.commission.shares[0].then", "effect missing: owner, closer"),
        (
            "then: {shares: owner}",
            'then: {shares: split, owner: "1/3", closer: "4/3"}',
            "$.tables.commission.shares[0].then.closer",
            "'4/3' is not a share",
        ),
        ("{in: attribution.household}", "{in: attribution.friends}", "$.tables.attribution.same_customer[3].when.relation", "expected {in"),
        ("{in: attribution.household}", "{among: attribution.household}", "$.tables.attribution.same_customer[3].when.relation", "expected {in"),
        ("      clauses: [3a-10, 3a-11-1]\n", "      clauses: [3a-98]\n", f"$.tables.{ROW}.clauses", "no such clause: 3a-98"),
        ("      clauses: [3a-10, 3a-11-1]\n", "      clauses: []\n", f"$.tables.{ROW}.clauses", "a clause is needed"),
        # the language itself
        ("source: 003", "office: x\nsource: 003", "$.office", "stands here twice"),
        ("value: 7, clauses: [3a-11]}", "value: !days 7, clauses: [3a-11]}", "$.parameters.attribution.protection_days.value", "tags"),
        ("office: {", "office: [", "", "not readable as YAML"),
        ("value: 7, clauses: [3a-11]}", f"value: {'[' * 60}{']' * 60}, clauses: [3a-11]}}", "$.parameters", "nested too deeply"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_path(old: str, new: str, path: str, says: str) -> None:
    text, line = changed(old, new)
    found = problem(text)
    assert says in found.message
    assert found.path.startswith(path)
    assert found.line is not None and (found.line == 1 or abs(found.line - line) <= 3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("then: {shares: closers_equally}", "then: {shares: 5}"),
        ("    - when: {buyer: other}\n", "    - unless: {buyer: other}\n"),
        ("value: [manager], clauses: [our-rulings]}", "value: [manager], because: [our-rulings]}"),
    ],
)
def test_a_wrong_shape_is_named_with_its_own_line(old: str, new: str) -> None:
    text, line = changed(old, new)
    assert abs((problem(text).line or 0) - line) <= 3


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        (TEXT.replace("  attribution.ruled_by: {value: [manager], clauses: [our-rulings]}\n", ""), "$.parameters", "missing: attribution.ruled_by"),
        (TEXT[: TEXT.index("  commission.shares:")], "$.tables", "tables missing: commission.shares"),
    ],
)  # fmt: skip
def test_nothing_may_be_missing(text: str, path: str, says: str) -> None:
    found = problem(text)
    assert says in found.message and (found.path, found.line) == (path, line_of(f"{path[2:]}:"))


def test_two_rows_for_a_case_are_shown_with_their_clauses() -> None:
    text, _ = changed("names: [same, unknown]", "names: [same, other, unknown]")
    found = problem(text)
    assert (found.path, found.line) == ("$.tables.attribution.same_customer", line_of("  attribution.same_customer:"))
    for part in ("2 rows", "names=other", "revised-reception/our-same-phone", "revised-reception/3a-11-3"):
        assert part in found.message


def test_two_rows_that_say_the_same_are_two_rows() -> None:
    row = "    - when: {buyer: other}\n      then: {claim: falls}\n      clauses: [3a-11-5]\n"
    assert "2 rows" in problem(changed(row, row * 2)[0]).message


def test_a_case_without_a_row_is_shown() -> None:
    text, _ = changed("    - when: {buyer: other}\n      then: {claim: falls}\n      clauses: [3a-11-5]\n", "")
    found = problem(text)
    assert (found.path, found.line) == ("$.tables.attribution.buyer", line_of("  attribution.buyer:"))
    assert "0 rows for (buyer=other): no row applies" in found.message


def test_a_parameter_that_lists_no_codes_is_no_condition() -> None:
    text, _ = changed("{in: attribution.household}", "{in: attribution.protection_days}")
    assert "is not a list" in problem(text).message


def test_a_list_is_no_parameter() -> None:
    text, line = changed("{in: attribution.household}", "{in: [attribution.household]}")
    assert abs((problem(text).line or 0) - line) <= 1


def test_an_empty_condition_is_a_mistake() -> None:
    text, _line = changed("relation: {in: attribution.household}}", "relation: {}}")
    assert "{in: PARAMETER}" in problem(text).message


@pytest.mark.parametrize(("owner", "closer"), [("1/3", "1/3"), ("1/2", "2/3"), ("0", "0")])
def test_the_parts_of_a_split_are_the_whole(owner: str, closer: str) -> None:
    split = f'then: {{shares: split, owner: "{owner}", closer: "{closer}"}}'
    problem(changed("then: {shares: owner}", split)[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("then: {shares: closers_equally}", "then: {shares: owner}"),
        ("then: {shares: closers_equally}", 'then: {shares: split, owner: "1/3", closer: "2/3"}'),
        ("then: {shares: owner}", "then: {shares: agreement}"),
    ],
)
def test_shares_fit_their_case(old: str, new: str) -> None:
    problem(changed(old, new)[0])


def test_an_amendment_that_makes_rows_contradict_is_refused() -> None:
    apart = {"in": "{in: attribution.company, not_in: attribution.household}", "out": "{in: attribution.company}"}
    edition = parse_edition(changed(apart["in"], apart["out"])[0])
    with pytest.raises(Refusal, match="bad_value"):
        amend_edition(edition, {"attribution.company": ["spouse"]})


def test_what_was_adopted_loads_though_the_vocabulary_has_grown() -> None:
    text = (
        TEXT.replace("  attribution.company: {value: [], clauses: [3a-11-6]}\n", "")
        .replace(", not_in: attribution.household}", "}")
        .replace("{in: attribution.company}", "{in: attribution.household}")
    )
    edition = parse_edition(text, adopted=True)
    with pytest.raises(RulebookError, match=r"revised-reception@2000-01-01 has no parameter attribution\.company"):
        edition.codes("attribution.company")
    problem(text)


# The shelf


def edition_text(day: str, rulebook: str = "house") -> str:
    return TEXT.replace("in_force_from: 2000-01-01", f"in_force_from: {day}").replace(
        "rulebook: revised-reception", f"rulebook: {rulebook}"
    )


def put(folder: Path, day: str, *, rulebook: str = "house", name: str | None = None, text: str | None = None) -> Path:
    path = folder / rulebook / f"{name or day}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(edition_text(day, rulebook) if text is None else text, "utf-8")
    return path


def days(editions: list[tuple[Edition, str]]) -> list[str]:
    return [edition.in_force_from.isoformat() for edition, _ in editions]


def test_the_shelf_holds_what_is_shipped_and_the_offices_own(tmp_path: Path) -> None:
    put(tmp_path, "2026-01-01")
    (tmp_path / "empty").mkdir()
    assert len(Shelf().ids()) == 13
    assert Shelf(tmp_path, tmp_path / "none").ids() == sorted([*Shelf().ids(), "house"])
    assert [edition.rulebook for edition in Shelf(tmp_path).all()] == Shelf(tmp_path).ids()


@pytest.mark.parametrize(
    ("day", "found"), [("2026-01-01", "2026-01-01"), ("2026-05-31", "2026-01-01"), ("2026-06-01", "2026-06-01")]
)
def test_the_edition_in_force_on_a_day(tmp_path: Path, day: str, found: str) -> None:
    put(tmp_path, "2026-06-01")
    put(tmp_path, "2026-01-01")
    shelf = Shelf(tmp_path)
    edition, text = shelf.edition("house", date.fromisoformat(day))
    assert edition.in_force_from.isoformat() == found and text == edition_text(found)
    assert days(shelf.editions("house")) == ["2026-01-01", "2026-06-01"]
    assert shelf.edition("house")[0].in_force_from == date(2026, 6, 1)


def test_a_day_before_every_edition_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "2026-01-01")
    with pytest.raises(
        RulebookError, match="house has no edition in force on 2025-12-31; the first begins on 2026-01-01"
    ):
        Shelf(tmp_path).edition("house", date(2025, 12, 31))


def test_an_office_adds_an_edition_to_a_shipped_rulebook(tmp_path: Path) -> None:
    put(tmp_path, "2026-01-01", rulebook="revised-reception")
    assert days(Shelf(tmp_path).editions("revised-reception")) == ["2000-01-01", "2026-01-01"]


@pytest.mark.parametrize("day", ["1999-12-31", "2000-01-01"])
def test_a_new_edition_begins_after_those_published(tmp_path: Path, day: str) -> None:
    path = put(tmp_path, day, rulebook="revised-reception")
    with pytest.raises(FileProblem, match="in force from 2000-01-01 has been published") as caught:
        Shelf(tmp_path).editions("revised-reception")
    assert (caught.value.file, caught.value.path) == (str(path), "$.in_force_from")


@pytest.mark.parametrize(("name", "rulebook"), [("2026-01-02", "house"), ("latest", "house"), ("2026-01-01", "other")])
def test_folder_and_file_are_named_for_what_they_hold(tmp_path: Path, name: str, rulebook: str) -> None:
    path = put(tmp_path, "2026-01-01", name=name, text=edition_text("2026-01-01", rulebook))
    with pytest.raises(FileProblem, match=f"must be {rulebook}/2026-01-01.yaml") as caught:
        Shelf(tmp_path).editions("house")
    assert caught.value.file == str(path) and caught.value.line == 1


@pytest.mark.parametrize("rulebook", ["", ".", "..", "nobody", "../rulebooks/revised-reception", "nobody.yaml"])
def test_an_unknown_rulebook_is_refused(rulebook: str) -> None:
    with pytest.raises(Refusal, match="unknown_rulebook"):
        Shelf().edition(rulebook)


def test_a_rulebook_may_be_a_file_anywhere(tmp_path: Path) -> None:
    path = put(tmp_path, "2026-01-01", name="draft")
    assert Shelf().edition(str(path))[0].rulebook == "house"
    path.write_text("\ufeff" + edition_text("2026-01-01"), "utf-8")
    assert Shelf().edition(str(path))[0].rulebook == "house"


def test_a_file_that_is_no_utf_8_is_a_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_bytes(b"rulebook: house\ntitle: " + "四十三条".encode("gbk"))
    with pytest.raises(FileProblem, match="not UTF-8") as caught:
        read_edition(path)
    assert (caught.value.file, caught.value.line) == (str(path), 2)


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_how_large_a_file_may_be(tmp_path: Path, more: int, fits: bool) -> None:
    path = tmp_path / "draft.yaml"
    content = TEXT.encode()
    path.write_bytes(content + b"#" * (LARGEST_BYTES - len(content) + more))
    if fits:
        assert read_edition(path)[0].rulebook == "revised-reception"
    else:
        with pytest.raises(FileProblem, match=f"larger than {LARGEST_BYTES} bytes"):
            read_edition(path)
