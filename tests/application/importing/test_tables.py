"""Bytes into tables: encodings, delimiters, quotation marks, workbooks, and files that can't be read."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, time
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.importing.tables import UNREADABLE, Table, UnreadableFile, read_tables
from application.importing.values import Unfit

HEADER = "日期,客户姓名,联系电话,接待人"
TEXT = f"{HEADER}\n2026-03-05,张先生,13812345678,水雪\n"


def written(folder: Path, content: bytes | str, name: str = "register.csv") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def only_table(folder: Path, content: bytes | str, name: str = "register.csv") -> Table:
    """The one table of a file with that content."""
    [table] = read_tables(written(folder, content, name))
    return table


def refusal(folder: Path, content: bytes | str, name: str = "register.csv") -> UnreadableFile:
    """Why a file with that content can't be read."""
    with pytest.raises(UnreadableFile) as caught:
        read_tables(written(folder, content, name))
    assert "\n" not in str(caught.value) and str(caught.value).startswith(name)
    return caught.value


def workbook(*rows: tuple[object, ...]) -> bytes:
    """A workbook of one sheet with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """The same cells, however they are encoded."""
    lines = only_table(tmp_path, TEXT.encode(encoding)).lines
    assert [line.cells for line in lines] == [
        ("日期", "客户姓名", "联系电话", "接待人"),
        ("2026-03-05", "张先生", "13812345678", "水雪"),
    ]


def test_utf_16_of_either_order(tmp_path: Path) -> None:
    """The mark at the beginning tells the order."""
    big = b"\xfe\xff" + TEXT.encode("utf-16-be")
    assert only_table(tmp_path, big).lines[1].cells[1] == "张先生"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    """The delimiter that parts the header, though remarks hold more of another one."""
    text = f"项目来访登记表\n{HEADER.replace(',', delimiter)}{delimiter}备注\n"
    text += delimiter.join(["2026-03-05", "张先生", "13812345678", "水雪", '"a,b;c,d;e,f;g,h;i"']) + "\n"
    assert only_table(tmp_path, text).lines[2].cells[3:] == ("水雪", "a,b;c,d;e,f;g,h;i")


def test_a_full_width_comma_parts_nothing(tmp_path: Path) -> None:
    """It is a letter of a text like any other."""
    assert only_table(tmp_path, TEXT.replace("张先生", "张先生，李女士")).lines[1].cells[1] == "张先生，李女士"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_are_those_of_the_text(tmp_path: Path, end: str) -> None:
    """A row is at the line where it begins, after cells with line breaks and blank rows."""
    text = end.join(["a,b", f'1,"two{end}lines"', "", ",", "2,x", f'"3{end}{end}",y', "4,z"])
    assert [line.number for line in only_table(tmp_path, text).lines] == [1, 2, 6, 7, 10]


def test_texts_like_formulas(tmp_path: Path) -> None:
    """Formulas and errors are no values; +86 is no formula, and ="138" is Excel's way to keep a text."""
    row = '=A1+1,"=SUM(A1:A3)",+8613812345678,"=""13812345678""",#N/A,====,=HYPERLINK(A1),-'
    assert only_table(tmp_path, row).lines[0].cells == (
        Unfit("formula"),
        Unfit("formula"),
        "+8613812345678",
        "13812345678",
        Unfit("error_value"),
        "====",
        Unfit("formula"),
        "-",
    )


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "empty", 1),
        (b" \r\n\t\n", "empty", 1),
        (TEXT.encode() + b"2026-03-05,\x00,,", "nul", 3),
        (TEXT.encode("utf-16-le"), "nul", 1),
        (TEXT.encode() + "2026-03-06,李".encode()[:-1], "undecodable", 3),
        (TEXT.encode() + b"2026-03-06,\xff\xff,,\n", "undecodable", 3),
        (b"\xef\xbb\xbf" + TEXT.encode("gb18030"), "undecodable", 1),
        (b"\xff\xfe" + TEXT.encode("utf-16-le") + b"\x00\xd8", "undecodable", 3),
        (TEXT.encode("gb18030") + b"2026-03-06,\xff,,\n", "undecodable", 3),
        (TEXT + '2026-03-06,"李女士,13812345679,水雪\n2026-03-07,a,b,c\n', "quote_unclosed", 3),
        (TEXT + '2026-03-06,"李"女士,13812345679,水雪\n', "quote_astray", 3),
        (TEXT + '2026-03-06,"' + "x" * 200_000 + '",13812345679,水雪\n', "quote_unclosed", 3),
    ],
)
def test_texts_that_cannot_be_read(tmp_path: Path, content: bytes | str, code: str, line: int) -> None:
    """Each is refused with its reason and the line."""
    found = refusal(tmp_path, content)
    assert (found.code, found.line) == (code, line)
    assert f"line {line}" in str(found) and f"第{line}行" in found.message_zh


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old.xls", "not_a_table"),
        (TEXT.encode(), "old.xls", "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "locked.xlsx", "not_a_table"),
        (b"%PDF-1.7\n", "scan.csv", "not_a_table"),
        (TEXT.encode(), "text.xlsx", "damaged_workbook"),
        (workbook(("a", 1))[:600], "short.xlsx", "damaged_workbook"),
        (workbook(("a", 1))[:-30], "short.xlsx", "damaged_workbook"),
        (b"PK\x03\x04", "short.xlsx", "damaged_workbook"),
    ],
)
def test_files_of_other_kinds(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    """What to save it as is part of the answer."""
    found = refusal(tmp_path, content, name)
    assert found.code == code and ".xlsx" in found.reason and ".xlsx" in found.reason_zh


def test_another_zip_is_no_workbook(tmp_path: Path) -> None:
    """A document has the same first bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    assert refusal(tmp_path, data.getvalue(), "letter.xlsx").code == "damaged_workbook"


def test_a_workbook_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is known before anything is unpacked."""
    monkeypatch.setattr("application.importing.tables.MOST_UNPACKED_BYTES", 1000)
    assert refusal(tmp_path, workbook(("a", 1)), "bomb.xlsx").code == "too_big"


def test_a_file_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read into memory."""
    monkeypatch.setattr("application.importing.tables.MOST_BYTES", 10)
    assert refusal(tmp_path, TEXT).code == "too_big"


def test_no_file(tmp_path: Path) -> None:
    """Neither a missing file nor a folder is a table."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UnreadableFile) as caught:
            read_tables(path)
        assert caught.value.code == "no_file"


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    """Values keep their types; formulas and errors are no values; gaps keep the row numbers."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "来访"
    sheet.append([7, 13812345678, 1.5, datetime(2026, 3, 5, 9, 5), time(9, 5), "张先生", "=A1*2", None])
    sheet["B4"] = "#N/A"
    sheet["C4"] = '="13812345678"'
    book.create_sheet("empty")
    book.save(tmp_path / "book.xlsx")
    first, empty = read_tables(tmp_path / "book.xlsx")
    assert (first.sheet, empty.sheet, empty.lines) == ("来访", "empty", [])
    assert [line.number for line in first.lines] == [1, 4]
    assert first.lines[0].cells[:7] == (
        7,
        13812345678,
        1.5,
        datetime(2026, 3, 5, 9, 5),
        time(9, 5),
        "张先生",
        Unfit("formula"),
    )
    assert first.lines[1].cells[:3] == (None, Unfit("error_value"), "13812345678")


def test_a_workbook_whose_dimension_is_wrong(tmp_path: Path) -> None:
    """Rows and columns beyond the dimension that the file states are read."""
    data = workbook(("a", "b"), ("c", "d"))
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:B2"', b'ref="A1:A1"'))
    assert changed.getvalue() != data
    assert [line.cells for line in only_table(tmp_path, changed.getvalue(), "a.xlsx").lines] == [
        ("a", "b"),
        ("c", "d"),
    ]


def test_every_reason_is_told_in_both_languages() -> None:
    """And each asks for the same values in both, but for words that are themselves translated."""
    for english, chinese in UNREADABLE.values():
        assert english and any("\u4e00" <= sign <= "\u9fff" for sign in chinese)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("files")


WORKBOOK = workbook(tuple(HEADER.split(",")), ("2026-03-05", "张先生", 13812345678, "水雪"))


@settings(deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(folder: Path, data: bytes) -> None:
    """Nothing else is raised."""
    path = written(folder, data, "any.csv")
    try:
        assert read_tables(path)
    except UnreadableFile as refused:
        assert refused.code in UNREADABLE


@settings(deadline=None)
@given(at=st.integers(0, len(WORKBOOK) - 1), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_read_or_refused(folder: Path, at: int, byte: int) -> None:
    """Nothing else is raised, whichever byte is wrong."""
    path = written(folder, WORKBOOK[:at] + bytes([byte]) + WORKBOOK[at + 1 :], "any.xlsx")
    try:
        assert read_tables(path)
    except UnreadableFile as refused:
        assert refused.code in UNREADABLE
