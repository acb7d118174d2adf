"""Single cells: names, amounts, what may be shown of them, and any text at all."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.importing.moments import read_moment
from application.importing.problems import PROBLEMS
from application.importing.values import (
    Cell,
    CellError,
    masked,
    read_amount,
    read_consultant,
    read_consultants,
    read_name,
    read_names,
    read_phone,
    read_text,
    shown,
)
from application.importing.words import read_how, read_via, read_yes_no


def code_of(reader: Callable[[Cell], object], cell: Cell) -> str:
    """The code with which a reader refuses a cell."""
    with pytest.raises(CellError) as caught:
        reader(cell)
    assert caught.value.code in PROBLEMS
    return caught.value.code


def wide(text: str) -> str:
    """The text in full-width signs."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


# --- what messages may show ----------------------------------------------------------------------------


def test_masks() -> None:
    """Three digits in front and two behind are left, of short ones none."""
    assert masked("138 1234 567") == "138*****67"
    assert masked("10086") == "*****"
    assert masked("见微信") == "…"


@pytest.mark.parametrize("cell", ["2月30日", "2026-02-30 09:05", "20260230", "25:61", "12.345万", 12.345])
def test_dates_and_amounts_are_shown(cell: Cell) -> None:
    """They say nothing of a person."""
    assert shown(cell) == f"'{cell}'"


@pytest.mark.parametrize(
    "cell",
    ["张先生", "13812345678", "138 1234 5678", 13812345678, "0755-88888888", "13594490", "+86138123456"],
)
def test_names_and_phones_are_not_shown(cell: Cell) -> None:
    """A shifted row may have them in any column."""
    assert shown(cell) == "'…'"


# --- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("张先生", "张先生"),
        (" 李女士　", "李女士"),
        ("陈小姐(朋友)", "陈小姐(朋友)"),
        ("陈小姐（朋友）", "陈小姐(朋友)"),
        ("张　三", "张三"),
        ("John   Smith", "John Smith"),
        ("水雪 何建", "水雪 何建"),
        ("Ａｎｎ", "Ann"),
        ("张\u200b三", "张三"),
        ("张三\n先生", "张三 先生"),
        ("", None),
        ("　", None),
        ("不详", None),
        ("-", None),
        (None, None),
    ],
)
def test_names(cell: Cell, name: str | None) -> None:
    """Tidied, but not changed."""
    assert read_name(cell) == name


@pytest.mark.parametrize(
    "cell",
    [
        "水雪、何建",
        "水雪,何建",
        "水雪，何建",
        "水雪/何建",
        "水雪；何建",
        "水雪 & 何建",
        "水雪＆何建",
        "水雪\n何建",
        "水雪、何建、水雪、",
    ],
)
def test_several_names(cell: str) -> None:
    """Each once, in the order written."""
    assert read_names(cell) == ("水雪", "何建") == read_consultants(cell)
    assert code_of(read_consultant, cell) == "by_several"


def test_consultants_are_needed() -> None:
    """A blank is none."""
    assert read_consultant(" 水雪 ") == "水雪"
    assert code_of(read_consultant, " ") == code_of(read_consultants, None) == "by_missing"


def test_texts_have_an_end() -> None:
    """A page of text is no name."""
    assert read_text("x" * 80) == "x" * 80
    assert code_of(read_text, "x" * 81) == "text_too_long"
    assert read_text(7.0) == "7"


# --- amounts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "22696.94",
        "22,696.94",
        "¥22696.94",
        "￥22,696.94",
        "22696.94元",
        "２２６９６．９４",
        " 22696.94 ",
        "22696.940",
        "人民币22696.94元",
        "2.269694万",
        "2.269694万元",
        22696.94,
        22696.940000000002,
    ],
)
def test_one_amount_in_many_forms(cell: Cell) -> None:
    """In yuan with two places."""
    amount = read_amount(cell)
    assert (amount, str(amount)) == (Decimal("22696.94"), "22696.94")


def test_round_amounts() -> None:
    """Whole numbers, and nothing at all."""
    assert str(read_amount("1.2万")) == str(read_amount(12000)) == str(read_amount(12000.0)) == "12000.00"
    assert str(read_amount("0")) == str(read_amount(0)) == "0.00"


def test_a_column_in_ten_thousands() -> None:
    """Unless the cell itself names its unit."""
    assert read_amount("1.2", in_ten_thousands=True) == read_amount("1.2万", in_ten_thousands=True) == 12000


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (None, "amount_missing"),
        ("", "amount_missing"),
        ("-", "amount_missing"),
        ("abc", "amount_unreadable"),
        ("NaN", "amount_unreadable"),
        (float("nan"), "amount_unreadable"),
        ("inf", "amount_unreadable"),
        (float("inf"), "amount_unreadable"),
        ("1e5", "amount_unreadable"),
        ("2,2696.94", "amount_unreadable"),
        ("(22,696.94)", "amount_unreadable"),
        ("22696.94元/套", "amount_unreadable"),
        ("5%", "amount_unreadable"),
        ("99999999999", "amount_unreadable"),
        (True, "amount_unreadable"),
        (date(2026, 3, 5), "amount_unreadable"),
        ("-5", "amount_negative"),
        (-5, "amount_negative"),
        ("1.234", "amount_decimals"),
        (1.234, "amount_decimals"),
        ("1.23456789万", "amount_decimals"),
    ],
)
def test_no_amounts(cell: Cell, code: str) -> None:
    """None is rounded or guessed."""
    assert code_of(read_amount, cell) == code


@given(
    amount=st.decimals(min_value=0, max_value=10**9, places=2),
    form=st.sampled_from(["{}", "{:,}", "¥{}", "{:,}元", "￥ {:,} 元"]),
    full_width=st.booleans(),
)
def test_an_amount_survives_every_form(amount: Decimal, form: str, full_width: bool) -> None:
    """To the fen."""
    text = form.format(amount)
    assert read_amount(wide(text) if full_width else text) == amount
    assert read_amount(float(amount)) == amount


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    """By every reader."""
    for reader in (
        read_moment,
        read_phone,
        read_name,
        read_names,
        read_amount,
        read_via,
        read_how,
        read_yes_no,
    ):
        try:
            reader(text)
        except CellError as error:
            assert error.code in PROBLEMS
            assert unicodedata.normalize("NFKC", error.values["shown"])
