"""Phone numbers as people write them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.importing.problems import PROBLEMS
from application.importing.values import Cell, CellError, Phone, read_phone

MOBILE = "+8613812345678"


def code_of(reader: Callable[[Cell], object], cell: Cell) -> str:
    """The code with which a reader refuses a cell."""
    with pytest.raises(CellError) as caught:
        reader(cell)
    assert caught.value.code in PROBLEMS
    return caught.value.code


def wide(text: str) -> str:
    """The text in full-width signs."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


@pytest.mark.parametrize(
    "cell",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "138.1234.5678",
        "138—1234—5678",
        "1381 2345 678",
        "13812345678　",
        "\t13812345678 ",
        "１３８１２３４５６７８",
        "+8613812345678",
        "＋86 138 1234 5678",
        "008613812345678",
        "8613812345678",
        "86-138-1234-5678",
        "(+86)13812345678",
        "+86-138-1234-5678",
        "\u202a13812345678\u202c",
        "13812345678(本人)",
        "手机：13812345678",
        "张先生 13812345678",
        "013812345678",
        "13812345678.0",
        13812345678,
        13812345678.0,
        8613812345678,
    ],
)
def test_one_mobile_number_in_many_forms(cell: Cell) -> None:
    """All are the same number, without a remark."""
    assert read_phone(cell) == Phone(MOBILE)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0755-88888888", "+8675588888888"),
        ("(0755)8888 8888", "+8675588888888"),
        ("０１０－12345678", "+861012345678"),
        ("75588888888", "+8675588888888"),
        ("+86 10 1234 5678", "+861012345678"),
        ("400-888-8888", "+864008888888"),
        ("+852 9123 4567", "+85291234567"),
        ("00852 9123 4567", "+85291234567"),
        ("+1 650-253-0000", "+16502530000"),
        ("19900000000", "+8619900000000"),
    ],
)
def test_other_numbers(cell: str, number: str) -> None:
    """Landlines with their area, and numbers of other countries that are named."""
    assert read_phone(cell) == Phone(number)


@pytest.mark.parametrize(
    "cell",
    [
        "13812345678/13987654321",
        "13812345678、13987654321",
        "13812345678，13987654321",
        "13812345678 13987654321",
        "138 1234 5678 139 8765 4321",
        "13812345678\n13987654321",
        "13812345678 0755-88888888",
        "13812345678(妻13987654321)",
        "13812345678 转801",
    ],
)
def test_the_first_of_two_numbers(cell: str) -> None:
    """What is left out is remarked."""
    assert read_phone(cell) == Phone(MOBILE, more=True)


def test_a_landline_before_a_mobile_is_the_first() -> None:
    """The order of the cell decides, not the kind."""
    assert read_phone("0755-88888888 / 13812345678") == Phone("+8675588888888", more=True)
    assert read_phone("+852 9123 4567 / 13812345678") == Phone("+85291234567", more=True)
    assert read_phone("0755-88888888-801") == Phone("+8675588888888", more=True)


@pytest.mark.parametrize(
    "cell",
    [
        None,
        "",
        " ",
        "　",
        "未留",
        "不愿留",
        "无",
        "没有",
        "拒留",
        "-",
        "—",
        "——",
        "/",
        "暂无",
        "不详",
        "未知",
        "N/A",
    ],
)
def test_no_phone_was_given(cell: Cell) -> None:
    """Which is an answer, and no problem."""
    assert read_phone(cell) == Phone(None)


@pytest.mark.parametrize(
    "cell",
    [
        "13594490",
        "88888888",
        "1381234567",
        "138123456789",
        "1381234567 2栋",
        "12012345678",
        "138****5678",
        "1.38123E+10",
        "见微信",
        "10086",
        "440301199001011234",
        "QQ2087654321",
        "١٣٨١٢٣٤٥٦٧٨",
        "+1 3812345678",
        1.38e20,
        13812345678.5,
        True,
    ],
)
def test_unreadable_phones(cell: Cell) -> None:
    """Too short, too long, shortened by a spreadsheet, or no number."""
    assert code_of(read_phone, cell) == "phone_unreadable"


@given(
    digits=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    prefix=st.sampled_from(["", "+86", "+86 ", "0086", "86", "86 ", "(+86)", "手机:"]),
    gap=st.sampled_from(["", " ", "-", "  "]),
    full_width=st.booleans(),
    blanks=st.sampled_from(["", " ", "　", "\t", "\u200b"]),
)
def test_a_mobile_number_survives_every_form(digits: str, prefix: str, gap: str, full_width: bool, blanks: str) -> None:
    """Written in any way, the number read is the number meant."""
    text = prefix + gap.join([digits[:3], digits[3:7], digits[7:]])
    assert read_phone(blanks + (wide(text) if full_width else text) + blanks) == Phone("+86" + digits)


@given(st.text(alphabet="0123456789 -+()/转无", max_size=25))
def test_any_digits_are_a_number_none_or_unreadable(text: str) -> None:
    """A number that is read stands in the cell."""
    try:
        phone = read_phone(text)
    except CellError as error:
        assert error.code == "phone_unreadable"
    else:
        assert phone.number is None or phone.number.lstrip("+86")[-7:] in "".join(filter(str.isdigit, text))
