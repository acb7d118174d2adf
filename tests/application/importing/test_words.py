"""The words of channels, of follow-ups, and yes and no."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from application.importing.problems import PROBLEMS
from application.importing.values import Cell, CellError
from application.importing.words import read_how, read_via, read_yes_no


def code_of(reader: Callable[[Cell], object], cell: Cell) -> str:
    """The code with which a reader refuses a cell."""
    with pytest.raises(CellError) as caught:
        reader(cell)
    assert caught.value.code in PROBLEMS
    return caught.value.code


@pytest.mark.parametrize(
    ("cell", "via"),
    [
        ("来访", "visit"), ("到访", "visit"), ("自然来访", "visit"), ("首访", "visit"), ("来电转访", "visit"),
        ("网络到访", "visit"), ("来电", "call"), ("电话", "call"), ("网络", "web"), ("微信", "web"),
        ("外拓", "outreach"), ("拓客", "outreach"), ("Visit", "visit"), ("call", "call"),
    ],
)  # fmt: skip
def test_channels(cell: str, via: str) -> None:
    """Whoever came in is a visit."""
    assert read_via(cell) == via


@pytest.mark.parametrize(
    ("cell", "how"),
    [
        ("电话", "call"), ("微信", "message"), ("短信", "message"), ("来访", "visit"), ("面谈", "visit"),
        ("电话回访", "call"), ("电话邀约来访", "call"), ("微信电话", "message"), ("来访面谈后微信", "visit"),
    ],
)  # fmt: skip
def test_ways_of_following_up(cell: str, how: str) -> None:
    """Of several, the one named first."""
    assert read_how(cell) == how


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("是", True),
        ("否", False),
        ("首访", True),
        ("复访", False),
        ("√", True),
        ("Y", True),
        (True, True),
        (0, False),
        ("", None),
    ],
)
def test_yes_and_no(cell: Cell, answer: bool | None) -> None:
    """In words and signs."""
    assert read_yes_no(cell) is answer


def test_words_that_are_not_known() -> None:
    """Blank or strange, each has its own code."""
    assert code_of(read_via, "") == "channel_missing"
    assert code_of(read_via, "老带新") == "channel_unreadable"
    assert code_of(read_how, "-") == "how_missing"
    assert code_of(read_how, "其他") == "how_unreadable"
    assert code_of(read_yes_no, "也许") == "yes_no_unreadable"
