"""What is said of malformed fields, in Chinese: the sentences of the library that checks them, word for word."""

from __future__ import annotations

import re
from typing import Any

SENTENCES: tuple[tuple[str, str], ...] = (
    (r"Missing data for required field\.", "缺少必填字段。"),
    (r"Unknown field\.", "未知字段。"),
    (r"Field may not be null\.", "不能为空值。"),
    (r"Not a valid UUID\.", "不是有效的UUID。"),
    (r"Not a valid string\.", "应为文字。"),
    (r"Not a valid integer\.", "应为整数。"),
    (r"Not a valid boolean\.", "应为true或false。"),
    (r"Not a valid (aware )?datetime\.", "不是带时区的时间，例如2026-03-02T10:02:00+08:00。"),
    (r"Not a valid date\.", "不是日期，例如2026-03-02。"),
    (r"Not a valid mapping type\.", "应为对象。"),
    (r"Not a valid list\.", "应为列表。"),
    (r"Invalid input type\.", "类型不对。"),
    (r"Must be one of: (.*)\.", r"只能是：\1。"),
    (r"Length must be between (\d+) and (\d+)\.", r"长度须在\1到\2之间。"),
    (r"Longer than maximum length (\d+)\.", r"最长\1。"),
    (r"Shorter than minimum length (\d+)\.", r"最短\1。"),
    (r"Must be greater than or equal to (\d+) and less than or equal to (\d+)\.", r"须在\1到\2之间。"),
    (r"Must be greater than or equal to (\d+)\.", r"不得小于\1。"),
    (r"String does not match expected pattern\.", "格式不对。"),
    (r"Give exactly one of (.*)\.", r"须且只须给出其一：\1。"),
    (r"Given twice\.", "重复给出。"),
    (r"Not the after of a page\.", "不是上一页给出的after。"),
    (r"Give a period of 1 to (\d+) days\.", r"期间须为1至\1天。"),
    (r"Not a time between 2000 and 2100\.", "时间须在2000年至2100年之间。"),
)
_PATTERNS = tuple((re.compile(english), chinese) for english, chinese in SENTENCES)


def in_chinese(errors: Any) -> Any:
    """The same tree of errors, each sentence that is known said in Chinese."""
    if isinstance(errors, dict):
        return {key: in_chinese(inner) for key, inner in errors.items()}
    if isinstance(errors, list):
        return [in_chinese(inner) for inner in errors]
    for pattern, chinese in _PATTERNS:
        if (found := pattern.fullmatch(str(errors))) is not None:
            return found.expand(chinese)
    return errors
