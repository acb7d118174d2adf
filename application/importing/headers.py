"""The headers in offices' files: which of many names stands for which column, and for what kind of file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from .values import Cell, plain, word_set

Kind = Literal["register", "follow_ups", "sales"]

ROWS_BEFORE_HEADER = 10

_NUMBER = word_set("序号 编号 登记编号 no number")
_NAME = word_set(
    "客户姓名 姓名 客户 客户名 客户名称 客户称呼 顾客姓名 访客 访客姓名 来访人"
    " 来访客户 来访客户姓名 来电客户 来电客户姓名"
    " name customer customername client clientname visitor visitorname"
)
_PHONE = word_set(
    "联系电话 手机号码 手机号 手机 电话 联系方式 电话号码 联系号码 联系手机 移动电话 手机电话"
    " 客户电话 客户手机 客户手机号 客户联系电话 客户联系方式 客户电话号码 来电号码 来电电话"
    " phone phonenumber phoneno mobile mobilephone mobilenumber tel telephone"
)
_CONSULTANT = word_set(
    "接待人 接待人员 接待顾问 接待销售 接待置业顾问 置业顾问 置业顾问姓名"
    " 销售 销售员 销售代表 销售顾问 销售人员 业务员 顾问"
    " consultant salesperson salesrepresentative salesagent receivedby"
)
_FOLLOWER = word_set(
    "跟进人 跟进人员 跟进顾问 跟进销售 跟进置业顾问 回访人 回访人员 回访顾问 followedby followedupby followupby"
)
_CLOSER = word_set("成交人 成交人员 成交顾问 成交销售 成交置业顾问 签约人 签约顾问 closer closers closedby soldby")
_ENTERED = word_set("登记时间 录入时间 录入日期 填写时间 填写日期 entered enteredat entrytime")
_REGISTERED_ON = word_set("登记日期 registeredon")

ROLES: Mapping[Kind, Mapping[str, frozenset[str]]] = {
    "register": {
        "number": _NUMBER,
        "date": word_set("日期 来访日期 来电日期 接待日期 到访日期 来访来电日期 date visitdate"),
        "time": word_set("时间 来访时间 来电时间 接待时间 到访时间 来访来电时间 time visittime"),
        "name": _NAME,
        "phone": _PHONE,
        "via": word_set(
            "方式 来访方式 来电方式 到访方式 接待方式 来电来访 来访来电 来电 来访 渠道类型 来访类型 channel via"
        ),
        "by": _CONSULTANT,
        "first_visit": word_set(
            "是否首访 首访 首次 是否首次 是否首次来访 是否首次到访 首次来访 首访复访 首复访 firstvisit"
        ),
        "entered": _ENTERED,
        "registered_on": _REGISTERED_ON,
    },
    "follow_ups": {
        "number": _NUMBER,
        "date": word_set("日期 跟进日期 回访日期 date followupdate followedupon"),
        "time": word_set("时间 跟进时间 回访时间 time followuptime followedupat"),
        "name": _NAME,
        "phone": _PHONE,
        "by": _FOLLOWER,
        "how": word_set("方式 跟进方式 回访方式 跟进形式 沟通方式 how method"),
        "entered": _ENTERED | _REGISTERED_ON,
    },
    "sales": {
        "number": _NUMBER,
        "date": word_set("日期 成交日期 认购日期 签约日期 date saledate soldon"),
        "time": word_set("时间 成交时间 认购时间 签约时间 time saletime soldat"),
        "name": _NAME,
        "phone": _PHONE,
        "unit": word_set("房号 单元 单元号 房源 房间 房间号 成交房号 认购房号 unit unitno room roomno"),
        "by": _CLOSER,
        "amount": word_set("佣金 佣金金额 成交佣金 提成 提成金额 commission commissionamount"),
    },
}
"""Kind of file -> role of a column -> its names, as `header_name` writes them."""

# Taken where a file has no column of the better name.
_BY_OTHERWISE: Mapping[Kind, frozenset[str]] = {"follow_ups": _CONSULTANT, "sales": _CONSULTANT}

REQUIRED: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    "register": (("date", "time"), ("name",), ("phone",), ("by",)),
    "follow_ups": (("date", "time"), ("name", "phone"), ("by",)),
    "sales": (("date", "time"), ("name", "phone"), ("by",), ("amount",)),
}
"""What a header must have: of each group one. What is on record can't be taken back, so that a register whose
phone column has a name unknown here is refused rather than taken without phones."""

_KINDS_ZH: Mapping[Kind, str] = {"register": "来访来电登记", "follow_ups": "跟进记录", "sales": "成交记录"}
_COMMON_NAMES = {"date": "日期", "time": "时间", "name": "客户姓名", "phone": "联系电话"}
_USUAL_NAMES: Mapping[Kind, Mapping[str, str]] = {
    "register": {**_COMMON_NAMES, "by": "接待人"},
    "follow_ups": {**_COMMON_NAMES, "date": "跟进日期", "time": "跟进时间", "by": "跟进人"},
    "sales": {**_COMMON_NAMES, "date": "成交日期", "time": "成交时间", "by": "成交人", "amount": "佣金"},
}

_KNOWN = {kind: frozenset[str]().union(*roles.values(), _BY_OTHERWISE.get(kind, ())) for kind, roles in ROLES.items()}
_KNOWN_ANYWHERE = frozenset[str]().union(*_KNOWN.values())
_MARKS = {
    kind: names - frozenset[str]().union(*(others for other, others in _KNOWN.items() if other != kind))
    for kind, names in _KNOWN.items()
}
_REMARK = re.compile(r"[(\[【〔{].*?[)\]】〕}]")
_OTHER_UNIT = re.compile(r"[%‰千$]|美|港")


class Header(msgspec.Struct, frozen=True):
    """A header that was understood: at which place of `lines` it stands, and which column holds what."""

    kind: Kind
    place: int
    columns: dict[str, int]
    titles: tuple[str, ...]
    unknown: tuple[str, ...]
    in_ten_thousands: bool = False


class HeaderFault(msgspec.Struct, frozen=True):
    """Why no header could be used: key of tables.UNREADABLE, what fills its text, the place in `lines`."""

    code: str
    place: int
    values: dict[str, str]


def header_name(cell: Cell) -> str:
    """A header as it is looked up: lower case, without remarks in brackets, blanks and punctuation."""
    text = plain(cell).lower()
    name = re.sub(r"[\W_]+", "", _REMARK.sub("", text))
    if name in ROLES["sales"]["amount"] and _OTHER_UNIT.search(text):
        return ""
    return name


def known_names(cells: Iterable[Cell]) -> int:
    """How many of the cells are names of columns in a file of any kind."""
    return sum(header_name(cell) in _KNOWN_ANYWHERE for cell in cells)


def find_header(lines: Sequence[Sequence[Cell]]) -> Header | HeaderFault:
    """The first of the ten top lines that names all required columns of a kind; else what is lacking."""
    nearest: tuple[int, int] = (1, 0)
    for place, cells in enumerate(lines[:ROWS_BEFORE_HEADER]):
        names = [header_name(cell) for cell in cells]
        fitting = [kind for kind in ROLES if _fits(kind, names)]
        if fitting:
            return _header(max(fitting, key=lambda kind: _likeness(kind, names)), place, cells, names)
        nearest = max(nearest, (known_names(cells), -place))
    if nearest[0] < 2:
        return HeaderFault("no_header", 0, {"rows": str(ROWS_BEFORE_HEADER)})
    place = -nearest[1]
    names = [header_name(cell) for cell in lines[place]]
    kind = max(ROLES, key=lambda kind: _likeness(kind, names))
    found = _columns(kind, names)
    lacking = [
        "/".join(_USUAL_NAMES[kind][role] for role in roles)
        for roles in REQUIRED[kind]
        if not found.keys() & set(roles)
    ]
    values = {"kind": kind, "kind_zh": _KINDS_ZH[kind], "columns": ", ".join(lacking)}
    return HeaderFault("columns_missing", place, values)


def _likeness(kind: Kind, names: list[str]) -> tuple[int, int]:
    return sum(name in _MARKS[kind] for name in names), sum(name in _KNOWN[kind] for name in names)


def _fits(kind: Kind, names: list[str]) -> bool:
    # A list of customers and their consultants without a word of follow-ups is a register.
    if kind == "follow_ups" and not _likeness(kind, names)[0]:
        return False
    found = _columns(kind, names)
    return all(found.keys() & set(roles) for roles in REQUIRED[kind])


def _columns(kind: Kind, names: list[str]) -> dict[str, list[int]]:
    """Role -> the columns named so. What a register calls 登记 is its date and time if it has no others."""
    found = {
        role: columns
        for role, known in ROLES[kind].items()
        if (columns := [column for column, name in enumerate(names) if name in known])
    }
    otherwise = _BY_OTHERWISE.get(kind, frozenset())
    if "by" not in found and (columns := [column for column, name in enumerate(names) if name in otherwise]):
        found["by"] = columns
    if kind == "register":
        registered_on = found.pop("registered_on", [])
        if "date" in found and registered_on:
            found["entered"] = registered_on + found.get("entered", [])
        elif "date" not in found:
            if registered_on:
                found["date"] = registered_on
            if "time" not in found and "entered" in found:
                found["time"] = found.pop("entered")
    return found


def _header(kind: Kind, place: int, cells: Sequence[Cell], names: list[str]) -> Header | HeaderFault:
    titles = tuple(plain(cell) for cell in cells)
    found = _columns(kind, names)
    for columns in found.values():
        if len(columns) > 1:
            twice = ", ".join(titles[column] for column in columns)
            return HeaderFault("header_twice", place, {"columns": twice})
    columns_of = {role: columns[0] for role, columns in found.items()}
    taken = set(columns_of.values())
    return Header(
        kind=kind,
        place=place,
        columns=columns_of,
        titles=titles,
        unknown=tuple(title for column, title in enumerate(titles) if title and column not in taken),
        in_ten_thousands="amount" in columns_of and "万" in titles[columns_of["amount"]],
    )
