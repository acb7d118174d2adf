"""Which header stands for which column, and what kind of file it makes."""

from __future__ import annotations

import pytest

from application.importing.headers import Header, HeaderFault, find_header, header_name
from application.importing.tables import UNREADABLE

REGISTER = "日期,客户姓名,联系电话,接待人"


def header(*lines: str) -> Header:
    """The header found in these lines of comma-separated cells."""
    found = find_header([line.split(",") for line in lines])
    assert isinstance(found, Header), found
    return found


def fault(*lines: str) -> HeaderFault:
    """Why there is no header in these lines."""
    found = find_header([line.split(",") for line in lines])
    assert isinstance(found, HeaderFault), found
    UNREADABLE[found.code][0].format(**found.values)
    UNREADABLE[found.code][1].format(**found.values)
    return found


@pytest.mark.parametrize(
    ("line", "kind", "roles"),
    [
        (
            "序号,日期,时间,客户姓名,联系电话,方式,接待人,是否首访,意向户型",
            "register",
            "number date time name phone via by first_visit",
        ),
        (
            "编号,来访时间,姓名,手机号码,来电/来访,置业顾问,录入时间,首访",
            "register",
            "number time name phone via by entered first_visit",
        ),
        ("接待日期,客户,手机,接待顾问,渠道类型", "register", "date name phone by via"),
        ("来电日期,来电客户,电话号码,销售代表", "register", "date name phone by"),
        ("No.,Date,Time,Name,Phone,Channel,Consultant", "register", "number date time name phone via by"),
        ("跟进时间,客户姓名,联系电话,跟进人,方式,登记时间", "follow_ups", "time name phone by how entered"),
        ("回访日期,时间,姓名,置业顾问,回访方式", "follow_ups", "date time name by how"),
        ("日期,姓名,电话,跟进顾问", "follow_ups", "date name phone by"),
        ("成交日期,客户姓名,联系电话,房号,成交人,佣金", "sales", "date name phone unit by amount"),
        ("认购日期,客户名称,单元,置业顾问,佣金金额", "sales", "date name unit by amount"),
        ("签约日期,手机,房源,签约人,提成", "sales", "date phone unit by amount"),
        ("Sale date,Name,Unit,Closer,Commission", "sales", "date name unit by amount"),
    ],
)
def test_kinds_and_columns(line: str, kind: str, roles: str) -> None:
    """In this order of the columns and in the opposite one."""
    found = header(line)
    by_column = sorted(found.columns, key=lambda role: found.columns[role])
    assert (found.kind, by_column) == (kind, roles.split())
    backwards = header(",".join(reversed(line.split(","))))
    assert (backwards.kind, backwards.columns.keys()) == (kind, found.columns.keys())


@pytest.mark.parametrize(
    "title",
    [
        " 联系电话 ",
        "联系 电话",
        "联系电话（必填）",
        "联系电话(手机)",
        "*联系电话",
        "联系电话：",
        "联系\n电话",
        "PHONE",
        "Ｐｈｏｎｅ",
        "Phone No.",
    ],
)
def test_headers_are_written_loosely(title: str) -> None:
    """Blanks, remarks, punctuation, width and case do not matter."""
    assert header_name(title) in ("联系电话", "phone", "phoneno")
    assert header(f"日期,姓名,{title},接待人").columns["phone"] == 2


def test_titles_above_the_header() -> None:
    """The header is the first of the ten top lines that names what is required."""
    found = header("XX项目来访登记表", "2026年,3月,销售", REGISTER, "2026-03-05,张,13812345678,水雪")
    assert (found.place, found.titles) == (2, tuple(REGISTER.split(",")))
    assert header(*["title"] * 9, REGISTER).place == 9
    assert fault(*["title"] * 10, REGISTER).code == "no_header"


def test_unknown_columns_are_named() -> None:
    """As the file has them."""
    assert header(REGISTER + ",意向户型,,备 注").unknown == ("意向户型", "备 注")


def test_entered_or_happened() -> None:
    """登记 is when it was entered, unless a register has no other date and time."""
    assert header("登记时间,姓名,电话,接待人").columns == {"time": 0, "name": 1, "phone": 2, "by": 3}
    assert header("登记日期,姓名,电话,接待人").columns["date"] == 0
    both = header("登记日期,登记时间,姓名,电话,接待人").columns
    assert (both["date"], both["time"]) == (0, 1) and "entered" not in both
    beside = header("日期,登记时间,姓名,电话,接待人").columns
    assert (beside["date"], beside["entered"]) == (0, 1)
    visited = header("来访日期,登记日期,姓名,电话,接待人").columns
    assert (visited["date"], visited["entered"]) == (0, 1)
    clock = header("登记日期,时间,姓名,电话,接待人").columns
    assert (clock["date"], clock["time"]) == (0, 1)
    assert fault("登记时间,姓名,电话,跟进人").values["columns"] == "跟进日期/跟进时间"


def test_the_better_name_of_two() -> None:
    """Whoever closed is not always the consultant of the customer, nor whoever followed up."""
    assert header("成交日期,姓名,置业顾问,成交人,佣金").columns["by"] == 3
    assert header("跟进日期,姓名,置业顾问,跟进人").unknown == ("置业顾问",)


@pytest.mark.parametrize(
    ("line", "twice"),
    [
        ("日期,姓名,客户姓名,电话,接待人", "姓名, 客户姓名"),
        ("日期,姓名,手机,电话,接待人", "手机, 电话"),
        ("日期,姓名,电话,接待人,接待人", "接待人, 接待人"),
        ("认购日期,签约日期,姓名,成交人,佣金", "认购日期, 签约日期"),
        ("成交日期,姓名,成交人,佣金(税前),佣金(税后)", "佣金(税前), 佣金(税后)"),
        ("来访日期,登记日期,登记时间,姓名,电话,接待人", "登记日期, 登记时间"),
    ],
)
def test_two_headers_of_one_meaning(line: str, twice: str) -> None:
    """Neither is taken for the other."""
    found = fault("title", line)
    assert (found.code, found.place, found.values["columns"]) == ("header_twice", 1, twice)


@pytest.mark.parametrize(
    ("line", "kind", "lacking"),
    [
        ("日期,客户姓名,接待人", "register", "联系电话"),
        ("日期,电话,接待人", "register", "客户姓名"),
        ("姓名,电话", "register", "日期/时间, 接待人"),
        ("跟进时间,客户姓名,联系电话", "follow_ups", "跟进人"),
        ("跟进时间,跟进人", "follow_ups", "客户姓名/联系电话"),
        ("成交日期,客户姓名,成交人", "sales", "佣金"),
        ("成交日期,客户姓名,佣金", "sales", "成交人"),
        ("成交日期,客户姓名,成交人,佣金(%)", "sales", "佣金"),
        ("成交日期,客户姓名,成交人,佣金(千元)", "sales", "佣金"),
    ],
)
def test_columns_that_are_missing(line: str, kind: str, lacking: str) -> None:
    """What the header most resembles, and what it lacks for that."""
    found = fault("title", line, "1,2,3")
    assert (found.code, found.place) == ("columns_missing", 1)
    assert (found.values["kind"], found.values["columns"]) == (kind, lacking)


def test_no_header() -> None:
    """One name known by chance makes no header."""
    assert fault("户型,面积,单价", "电话,x,y").code == "no_header"


def test_the_unit_of_a_header() -> None:
    """A remark that changes every amount is no mere remark."""
    assert header("成交日期,姓名,成交人,佣金（万元）").in_ten_thousands
    assert not header("成交日期,姓名,成交人,佣金（元）").in_ten_thousands
