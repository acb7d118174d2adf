"""What one cell says, but for dates and times: names, phones and amounts.

Every reader takes a cell as the file holds it and raises CellError where it cannot be read; none guesses."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

import msgspec
import phonenumbers

LONGEST_TEXT = 80


class Unfit(msgspec.Struct, frozen=True):
    """A cell that holds a formula or an error such as #N/A instead of a value."""

    code: Literal["formula", "error_value"]


Cell = str | int | float | datetime | date | time | timedelta | Unfit | None


class CellError(ValueError):
    """A cell that cannot be taken. `code` is a key of rows.PROBLEMS; `values` fill its texts."""

    def __init__(self, code: str, cell: Cell = None, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.values = {"shown": shown(cell), **values}


# --- text ----------------------------------------------------------------------------------------------

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def word_set(words: str) -> frozenset[str]:
    """The words of a text that blanks part."""
    return frozenset(words.split())


_MISSING = word_set(
    "未留 未提供 未知 不愿留 不愿意留 不留 没留 没有 无 无电话 未留电话 不详 暂无 拒留 拒绝 空 保密"
    " n/a na none null nil"
)
_ONLY_MARKS = re.compile(r"[-—–―_/\\.·、。~?\s]*")


def _plain_text(text: str) -> str:
    if not text.isascii():
        # NFKC also turns full-width signs and compatibility ideographs into the common ones.
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _BLANKS.sub(" ", text).strip()


def plain(cell: Cell) -> str:
    """Text of a cell: NFKC, no invisible signs, single blanks; whole numbers without '.0'; Unfit as ''."""
    match cell:
        case str():
            return _plain_text(cell)
        case None | Unfit():
            return ""
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case _:
            return str(cell)


def is_missing(text: str) -> bool:
    """Whether a plain text only says that there is nothing: '', '-', 未留, 无 ..."""
    return _ONLY_MARKS.fullmatch(text) is not None or text.lower() in _MISSING


def masked(text: str) -> str:
    """The digits of a phone number, all but the first three and the last two as stars."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < 7:
        return "*" * len(digits) or "…"
    return f"{digits[:3]}{'*' * (len(digits) - 5)}{digits[-2:]}"


_HARMLESS = re.compile(r"[-+\d\s年月日号时分秒点上下午./:,¥元万%eE]{1,32}")
# Seven digits or more that are not a day such as 20260305.
_LONG_DIGITS = re.compile(r"(?<!\d)(?!(?:19|20)\d{6}(?!\d))\d{7,}")


def shown(cell: Cell) -> str:
    """What a message may quote of a cell: dates, times and amounts, but no names and no phones."""
    text = plain(cell)
    perhaps_a_phone = any(pattern.search(text) for pattern in (_MOBILE, _LANDLINE, _LONG_DIGITS))
    return f"'{text}'" if _HARMLESS.fullmatch(text) and not perhaps_a_phone else "'…'"


def read_text(cell: Cell) -> str | None:
    """A short text such as a unit's number; None where nothing is given."""
    text = plain(cell)
    if len(text) > LONGEST_TEXT:
        raise CellError("text_too_long", limit=str(LONGEST_TEXT))
    return None if is_missing(text) else text


def read_name(cell: Cell) -> str | None:
    """A person's name; '张　三', padded to look as wide as its neighbours, is 张三."""
    text = read_text(cell)
    if text is None or " " not in text:
        return text
    pieces = text.split(" ")
    padded = all(len(piece) == 1 and "\u3400" <= piece <= "\u9fff" for piece in pieces)
    return "".join(pieces) if padded else text


def read_names(cell: Cell) -> tuple[str, ...]:
    """The names in a cell, separated by 、 , / ; & or a new line; each once, in their order."""
    pieces = re.split(r"[、,，/／;；&＆\n]", cell) if isinstance(cell, str) else [cell]
    return tuple(dict.fromkeys(name for piece in pieces if (name := read_name(piece))))


def read_consultants(cell: Cell) -> tuple[str, ...]:
    """One or several consultants, as `read_names`. Raises CellError by_missing."""
    names = read_names(cell)
    if not names:
        raise CellError("by_missing")
    return names


def read_consultant(cell: Cell) -> str:
    """The one consultant of a visit or follow-up. Raises CellError by_missing or by_several."""
    name, *others = read_consultants(cell)
    if others:
        raise CellError("by_several")
    return name


# --- phones --------------------------------------------------------------------------------------------

# Blanks and dashes only where people put them, lest a digit of something else complete a number too short.
_GAP = r"[\s-]{0,3}"
_MOBILE = re.compile(
    r"(?<![\d+])(?:(?:\+|00)?\(?86\)?[\s-]*)?"
    rf"(1[3-9](?:\d{_GAP}\d{{4}}{_GAP}\d{{4}}|\d\d{_GAP}\d{{4}}{_GAP}\d{{3}}|\d\d{_GAP}\d{{3}}{_GAP}\d{{4}}"
    rf"|\d{_GAP}\d{{3}}{_GAP}\d{{5}}))(?!\d)",
    re.ASCII,
)
_LANDLINE = re.compile(r"(?<![\d+])(?:(?:\+|00)?86[\s-]*)?\(?0\d{2,3}\)?[\s-]*\d{3,4}[\s-]?\d{4}(?!\d)", re.ASCII)
_ABROAD = re.compile(r"(?:\+|(?<!\d)00)\(?[1-9][\d\s()-]{5,20}\d", re.ASCII)
_SERVICE = re.compile(r"(?<!\d)400[\s-]?\d{3}[\s-]?\d{4}(?!\d)", re.ASCII)
# A landline that lost its 0 in a spreadsheet; beside other text it might be a number of another sort.
_BARE = re.compile(r"^\d{10,11}$", re.ASCII)


class Phone(msgspec.Struct, frozen=True):
    """A number in E.164, None where the cell says that there is none; `more`: other digits were left out."""

    number: str | None
    more: bool = False


def read_phone(cell: Cell) -> Phone:
    """The first phone number of a cell, by the numbering plan of China unless it names another country."""
    text = plain(cell)
    if is_missing(text):
        return Phone(None)
    if isinstance(cell, float) and not cell.is_integer():
        raise CellError("phone_unreadable", masked=masked(text))
    return _phone_in(re.sub("[‐-―−.·]", "-", re.sub(r"\.0$", "", text)))


def _phone_in(text: str) -> Phone:
    for patterns in ((_MOBILE, _LANDLINE, _ABROAD, _SERVICE), (_BARE,)):
        matches = [match for pattern in patterns for match in pattern.finditer(text)]
        for match in sorted(matches, key=re.Match.start):
            if number := _valid_number(match):
                beside = text[: match.start()] + " " + text[match.end() :]
                return Phone(number, more=re.search(r"\d{2}", beside) is not None)
    raise CellError("phone_unreadable", masked=masked(text))


def _valid_number(match: re.Match[str]) -> str | None:
    if match.re is _MOBILE:
        # Newer ranges of mobile numbers reach the library late; their form is enough.
        return "+86" + re.sub(r"\D", "", match[1])
    try:
        number = phonenumbers.parse(match[0], "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- amounts -------------------------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"(?:¥|rmb|cny|人民币)?\s?(-?)((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,12})?)\s?(万)?\s?(?:元整?|圆整?|块|yuan)?",
    re.IGNORECASE | re.ASCII,
)
MOST_YUAN = Decimal(10) ** 10


def read_amount(cell: Cell, *, in_ten_thousands: bool = False) -> Decimal:
    """An amount in yuan with two places; `in_ten_thousands` is the unit of a bare number. Never rounded."""
    if isinstance(cell, bool):
        raise CellError("amount_unreadable", cell)
    # A workbook keeps 15 digits; those beyond them are noise of binary fractions.
    text = f"{cell:.15g}" if isinstance(cell, float) else plain(cell)
    if is_missing(text):
        raise CellError("amount_missing")
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise CellError("amount_unreadable", text)
    sign, digits, ten_thousand = match.groups()
    amount = Decimal(digits.replace(",", "")) * (10_000 if ten_thousand or in_ten_thousands else 1)
    if sign:
        raise CellError("amount_negative", text)
    if amount >= MOST_YUAN:
        raise CellError("amount_unreadable", text)
    yuan = amount.quantize(Decimal("0.01"))
    if yuan != amount:
        raise CellError("amount_decimals", text)
    return yuan
