"""Reading of the bytes of a csv or xlsx file into plain tables: lines of cells, numbered as in the file.

What cannot be read as a whole is refused here, with the file, the place and the reason in one line."""

from __future__ import annotations

import codecs
import csv
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from .headers import known_names
from .moments import EXCEL_EPOCH
from .values import Cell, Unfit, plain

MOST_BYTES = 64 * 2**20
MOST_UNPACKED_BYTES = 512 * 2**20
MOST_SHEET_ROWS = 2**20

UNREADABLE: dict[str, tuple[str, str]] = {
    "no_file": ("cannot be opened: {reason}", "无法打开：{reason}"),
    "too_big": ("is larger than {limit} MB; split it", "超过{limit} MB，请拆分后再导入"),
    "empty": ("is empty", "是空的"),
    "only_header": ("has a header but no rows", "只有表头，没有内容"),
    "not_a_table": (
        "is neither a csv file nor an xlsx workbook; open it and save it as .xlsx or .csv",
        "不是 csv 文件或 xlsx 工作簿，请打开后另存为 .xlsx 或 .csv",
    ),
    "damaged_workbook": (
        "is not a readable workbook (damaged, cut short or of another kind); open it and save it as .xlsx",
        "不是可读的工作簿（损坏、不完整或类型不符），请打开后另存为 .xlsx",
    ),
    "nul": ("holds a NUL character; it is damaged or no text", "含有空字符（NUL），文件损坏或不是文本"),
    "undecodable": ("holds bytes that are not {encoding}", "含有不属于 {encoding} 编码的字节"),
    "quote_unclosed": ("a quotation mark opens here and is never closed", "此处的引号没有闭合"),
    "quote_astray": (
        "a quotation mark inside the quoted cell is not doubled, or an earlier one is not closed",
        "单元格中的引号没有成对书写，或前面的引号没有闭合",
    ),
    "no_header": (
        "none of the first {rows} rows is a header known here, such as 日期, 客户姓名, 联系电话, 接待人",
        "前{rows}行中没有可识别的表头，例如：日期、客户姓名、联系电话、接待人",
    ),
    "columns_missing": (
        "taken for a file of {kind}, the header lacks a column for: {columns}",
        "按“{kind_zh}”看，表头缺少以下各列：{columns}",
    ),
    "header_twice": ("several headers mean the same column: {columns}", "有几个表头指同一列：{columns}"),
}
"""Code -> (English, Chinese): why a file is refused as a whole."""


class UnreadableFile(Exception):
    """{file}, {where}: {reason}. `code` is a key of UNREADABLE; `message_zh` says the same in Chinese."""

    def __init__(
        self, file: str, code: str, *, line: int | None = None, sheet: str | None = None, **values: str
    ) -> None:
        self.file, self.code, self.line, self.sheet = file, code, line, sheet
        english, chinese = UNREADABLE[code]
        self.reason = one_line(english.format(**values))
        self.reason_zh = one_line(chinese.format(**values))
        self.message = f"{place(file, sheet, line)}: {self.reason}"
        self.message_zh = f"{place_zh(file, sheet, line)}：{self.reason_zh}"
        super().__init__(self.message)


def place(file: str, sheet: str | None, line: int | None) -> str:
    """Where something stands, in English."""
    return one_line(file + (f", sheet {sheet}" if sheet else "") + (f", line {line}" if line else ""))


def place_zh(file: str, sheet: str | None, line: int | None) -> str:
    """Where something stands, in Chinese."""
    return one_line(file + (f" 工作表“{sheet}”" if sheet else "") + (f" 第{line}行" if line else ""))


def one_line(text: str) -> str:
    """The text without line breaks: file and sheet names may hold any."""
    return " ".join(text.split())


class Line(msgspec.Struct, frozen=True):
    """One row: the line of the text file it begins on, or its number in the sheet, counted from 1."""

    number: int
    cells: tuple[Cell, ...]


class Table(msgspec.Struct, frozen=True):
    """The rows of a csv file (`sheet` None) or of a sheet, without the blank ones."""

    sheet: str | None
    lines: list[Line]
    epoch: datetime = EXCEL_EPOCH


def read_tables(path: Path) -> list[Table]:
    """The tables of a file: one of a csv file, one per sheet of a workbook. Raises UnreadableFile."""
    file = path.name
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableFile(file, "too_big", limit=str(MOST_BYTES // 2**20))
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(file, "no_file", reason=error.strerror or type(error).__name__) from error
    if not data.strip():
        raise UnreadableFile(file, "empty", line=1)
    suffix = path.suffix.lower()
    if suffix in (".xls", ".xlsb", ".et", ".ods", ".numbers") or data.startswith(_OTHER_FORMATS):
        raise UnreadableFile(file, "not_a_table")
    if data.startswith(b"PK\x03\x04"):
        return _workbook(file, data)
    if suffix in (".xlsx", ".xlsm"):
        raise UnreadableFile(file, "damaged_workbook")
    return [Table(None, _csv_lines(file, decode(file, data)))]


def _is_blank(cells: Iterable[Cell]) -> bool:
    return not any(isinstance(cell, Unfit) or plain(cell) for cell in cells)


# --- csv -----------------------------------------------------------------------------------------------

# Compound files (.xls, workbooks with a password), PDF, RTF, PNG, JPEG, GIF.
_OTHER_FORMATS = (b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16-LE"),
    (codecs.BOM_UTF16_BE, "UTF-16-BE"),
)
_DELIMITERS = ",\t;"
_SAMPLE_ROWS = 10


def decode(file: str, data: bytes) -> str:
    """The text: UTF-8, UTF-16 with a byte order mark, or GB18030 (which holds GBK and GB2312)."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _nul_free(file, _decoded(file, data[len(mark) :], encoding))
    # In the bytes, since UTF-16 without a mark is full of them and would only be called undecodable.
    _nul_free(file, data.decode("latin-1"))
    try:
        return data.decode("UTF-8")
    except UnicodeDecodeError as error:
        # Chinese before the first bad byte: damaged UTF-8, which GB18030 would read as wrong names.
        if len(re.findall("[\u4e00-\u9fff]", data[: error.start].decode("UTF-8"))) >= 2:
            raise _undecodable(file, data, error, "UTF-8") from error
    return _decoded(file, data, "GB18030")


def _decoded(file: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(file, data, error, encoding) from error


def _undecodable(file: str, data: bytes, error: UnicodeDecodeError, encoding: str) -> UnreadableFile:
    before = data[: error.start].decode(encoding, errors="ignore")
    return UnreadableFile(file, "undecodable", line=_line_at_end(before), encoding=encoding)


def _nul_free(file: str, text: str) -> str:
    if (found := text.find("\0")) >= 0:
        raise UnreadableFile(file, "nul", line=_line_at_end(text[:found]))
    return text


def _line_at_end(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text)) + 1


def _csv_lines(file: str, text: str) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True, skipinitialspace=True)
    lines: list[Line] = []
    begin = 1
    try:
        for row in reader:
            cells = tuple(_text_cell(text) for text in row)
            if not _is_blank(cells):
                lines.append(Line(begin, cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        # The reader's other complaint, a field over its limit, comes of a quotation mark left open as well.
        code = "quote_astray" if "expected after" in str(error) else "quote_unclosed"
        raise UnreadableFile(file, code, line=begin) from error
    return lines


def _delimiter(text: str) -> str:
    """The delimiter under which a row of the top holds the most names of columns; a comma if none does."""

    def best_row(delimiter: str) -> int:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        rows: list[list[str]] = []
        try:
            rows.extend(islice(reader, _SAMPLE_ROWS + 1))
        except csv.Error:
            return 0
        return max((known_names(row) for row in rows), default=0)

    return max(_DELIMITERS, key=best_row)


_LITERAL = re.compile(r'=\s*"([^"]*)"\s*')
_FORMULA = re.compile(r"=\s*[^\s=]")
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)")


def _text_cell(text: str) -> Cell:
    """The text, or Unfit; ="138..." is how some programs keep a number from being shortened."""
    start = text[:1]
    if start == "=":
        if literal := _LITERAL.fullmatch(text):
            return literal[1]
        if _FORMULA.match(text):
            return Unfit("formula")
    elif start == "#" and _ERROR.fullmatch(text.strip()):
        return Unfit("error_value")
    return text


# --- xlsx ----------------------------------------------------------------------------------------------

# What openpyxl and the parsers below it are seen to raise on damaged workbooks; XML errors are SyntaxErrors.
_DAMAGE = (
    zipfile.BadZipFile,
    InvalidFileException,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    OSError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def _workbook(file: str, data: bytes) -> list[Table]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_UNPACKED_BYTES:
            raise UnreadableFile(file, "too_big", limit=str(MOST_UNPACKED_BYTES // 2**20))
        # openpyxl warns of what it does not keep when it writes; nothing is written here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
            tables = [Table(sheet.title, list(_sheet_lines(file, sheet)), book.epoch) for sheet in book.worksheets]
    except _DAMAGE as error:
        raise UnreadableFile(file, "damaged_workbook") from error
    if not tables:
        raise UnreadableFile(file, "damaged_workbook")
    return tables


def _sheet_lines(file: str, sheet: Any) -> Iterator[Line]:
    # Any: the type stubs take it for a sheet that can be written.
    # Some programs write a dimension that is too small, and what lies beyond would be left out.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > MOST_SHEET_ROWS:
            raise UnreadableFile(file, "damaged_workbook", sheet=sheet.title)
        cells = tuple(_sheet_cell(cell.value, cell.data_type) for cell in row)
        if not _is_blank(cells):
            yield Line(number, cells)


def _sheet_cell(value: object, data_type: str) -> Cell:
    match value:
        case str() if data_type == "e":
            return Unfit("error_value")
        case str():
            return _text_cell(value)
        case None | int() | float() | datetime() | date() | time() | timedelta():
            return value
        case ArrayFormula() | DataTableFormula():
            return Unfit("formula")
    # Nothing else comes from a sheet today; what a later openpyxl may bring is not guessed at.
    return Unfit("error_value")
