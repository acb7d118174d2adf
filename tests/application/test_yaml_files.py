"""YAML 1.2 as people write it: plain values, and errors that name file, line and path."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from application.yaml_files import MOST_NESTED, Document, FileProblem


def data(text: str) -> Any:
    return Document(text, "house.yaml").data


def problem(text: str) -> FileProblem:
    with pytest.raises(FileProblem) as caught:
        Document(text, "house.yaml")
    assert "\n" not in str(caught.value) and str(caught.value).startswith("house.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10:00", "10:00"),
        ("2026-03-02 08:50", "2026-03-02 08:50"),
        ("2026-03-02", "2026-03-02"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("12", 12),
        ("1.5", 1.5),
        ("~", None),
        ("", None),
        ('"0"', "0"),
        ("'it''s'", "it's"),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        ("[a, 1]", ["a", 1]),
        ("{a: 1}", {"a": 1}),
        ("赵强", "赵强"),
    ],
)
def test_values_are_what_yaml_1_2_says(text: str, value: object) -> None:
    assert data(f"key: {text}") == {"key": value}


def test_keys_are_text() -> None:
    assert data("1: a\n2026-03-02: b\ntrue: c") == {"1": "a", "2026-03-02": "b", "true": "c"}


def test_a_byte_order_mark_and_anchors_are_let_be() -> None:
    assert data("\ufeffa: &one [1]\nb: *one") == {"a": [1], "b": [1]}


def test_nothing_is_merged_behind_ones_back() -> None:
    assert data("a: &a {x: 1}\nb: {<<: *a}")["b"] == {"<<": {"x": 1}}


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "$.a", "the key a stands here twice"),
        ("a:\n  b: 1\n  b: 2\n", 3, "$.a.b", "stands here twice"),
        ("1: a\n'1': b\n", 2, "$.1", "stands here twice"),
        ("a: [1, 2\nb: 3\n", 2, "", "not readable as YAML"),
        ("a:\n\tb: 1\n", 2, "", "not readable as YAML"),
        ("a: 1\n---\nb: 2\n", 2, "", "another document"),
        ("a: *b\n", 1, "", "undefined alias"),
        ("? [a]\n: b\n", 1, "$", "a key must be plain text"),
        ("a: 1\nb: !secret x\n", 2, "$.b", "tags such as !secret are not allowed"),
        ("a: !!python/name:os.system x\n", 1, "$.a", "are not allowed"),
        ("a: !!binary aGk=\n", 1, "$.a", "are not allowed"),
        ("a: &a [*a]\n", 1, "$.a" + "[0]" * MOST_NESTED, "nested too deeply"),
        ("", 1, "", "the file is empty"),
        ("# only words\n", 1, "", "the file is empty"),
        ("a: \x07\n", None, "", "not readable as YAML"),
    ],
)
def test_a_problem_names_file_line_and_path(text: str, line: int | None, path: str, says: str) -> None:
    found = problem(text)
    assert (found.file, found.line, found.path) == ("house.yaml", line, path)
    assert says in found.message and found.message in str(found)
    assert str(found).startswith(f"house.yaml:{line}: " if line else "house.yaml: ")


def test_how_deep_a_file_may_go() -> None:
    assert data("[" * MOST_NESTED + "]" * MOST_NESTED)
    assert "nested too deeply" in problem("[" * (MOST_NESTED + 2) + "]" * (MOST_NESTED + 2)).message


def test_a_file_far_too_deep_is_a_problem_like_any_other() -> None:
    problem("[" * 2000 + "]" * 2000)


@pytest.mark.parametrize("text", ["9" * 5000, "!!int abc", "!!float abc", "!!bool maybe"])
def test_a_value_that_is_none_of_its_kind_is_a_problem(text: str) -> None:
    assert problem(f"a: 1\nb: {text}\n").line == 2


@pytest.mark.parametrize("text", ["!secret {a: 1}", "!secret [a]", "!!set {a, b}", "!!omap [a: 1]"])
def test_tags_are_refused_on_lists_and_mappings_too(text: str) -> None:
    assert problem(f"a: 1\nb: {text}\n").line == 2


def test_a_directive_does_not_change_the_language() -> None:
    try:
        assert data("%YAML 1.1\n---\na: 10:00\nb: yes") == {"a": "10:00", "b": "yes"}
    except FileProblem as refused:
        assert refused.line == 1


def test_aliases_can_not_be_piled_up() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 5)]
    problem("\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *levels]))


@for_all(st.text(alphabet="ab:-[]{}#&*!|>'\"%@, \n\t", max_size=40))
def test_any_text_is_a_document_or_a_problem(text: str) -> None:
    try:
        Document(text, "house.yaml")
    except FileProblem as found:
        assert "\n" not in str(found)


# Types


class Pet(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    born: date
    legs: int = 4


class House(msgspec.Struct, forbid_unknown_fields=True):
    pets: list[Pet]
    rooms: dict[str, int] = {}


GOOD = (
    "pets:\n  - name: Rex\n    born: 2020-02-29\n  - {name: Tom, born: 2021-01-01, legs: 3}\nrooms:\n  attic.left: 1\n"
)


def test_a_document_becomes_its_type() -> None:
    house = Document(GOOD, "house.yaml").convert(House)
    assert house.pets == [Pet("Rex", date(2020, 2, 29)), Pet("Tom", date(2021, 1, 1), 3)]
    assert house.rooms == {"attic.left": 1}


@pytest.mark.parametrize(
    ("old", "new", "line", "path"),
    [
        ("name: Rex", "nickname: Rex", 2, "$.pets[0]"),
        ("born: 2020-02-29", "born: 2020-02-30", 3, "$.pets[0].born"),
        ("legs: 3", "legs: three", 4, "$.pets[1].legs"),
        ("legs: 3", 'legs: "3"', 4, "$.pets[1].legs"),
        ("rooms:", "cellars:", 1, "$"),
        ("left: 1", "left: one", 5, "$.rooms[...]"),
    ],
)
def test_what_does_not_fit_its_type_is_named_with_its_place(old: str, new: str, line: int, path: str) -> None:
    document = Document(GOOD.replace(old, new, 1), "house.yaml")
    with pytest.raises(FileProblem) as caught:
        document.convert(House)
    found = caught.value
    assert (found.file, found.line, found.path) == ("house.yaml", line, path)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$", 1),
        ("$.pets[1].legs", 4),
        ("$.pets[0].nobody", 2),
        ("$.pets[7].name", 1),
        ("$.rooms.attic.left", 6),
        ("$.rooms.cellar.right", 5),
        ("$.nothing.at.all", 1),
    ],
)
def test_a_path_has_its_line_or_its_nearest_parents(path: str, line: int) -> None:
    assert Document(GOOD, "house.yaml").line(path) == line
