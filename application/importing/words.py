"""The few words that a column may hold: the channel of a visit, the way of a follow-up, yes and no."""

from __future__ import annotations

import re
from typing import Literal

from .values import Cell, CellError, is_missing, plain, word_set

Via = Literal["visit", "call", "web", "outreach"]
How = Literal["call", "visit", "message"]

_VIAS: tuple[tuple[Via, str], ...] = (
    ("visit", "来访|到访|上门|自访|首访|复访|再访|转访|到场|现场|^访$|visit|walk-?in"),
    ("call", "来电|电话|致电|热线|^电$|call|phone"),
    ("web", "网|微信|线上|抖音|小红书|快手|公众号|小程序|直播|web|online|wechat"),
    ("outreach", "外拓|拓客|外展|巡展|派单|行销|陌拜|拓展|outreach"),
)
_HOWS: tuple[tuple[How, str], ...] = (
    ("call", "电话|来电|去电|致电|回电|语音|^电$|call|phone"),
    ("visit", "来访|到访|上门|面谈|面访|复访|再访|现场|当面|^访$|visit|meeting"),
    ("message", "微信|短信|信息|消息|留言|qq|钉钉|邮件|message|wechat|sms|text|e-?mail"),
)
_YES = word_set("是 y yes true 1 √ ✓ ✔ 对 首访 首次 第一次 新")
_NO = word_set("否 n no false 0 × x ✗ ✘ 不是 非 复访 再访 回访 非首访 非首次 二次 老")


def read_via(cell: Cell) -> Via:
    """The channel a visitor came by. Whoever came in is a visit, whatever led there.

    Raises CellError channel_missing or channel_unreadable."""
    text = plain(cell).lower()
    for via, words in _VIAS:
        if re.search(words, text):
            return via
    raise CellError("channel_missing" if is_missing(text) else "channel_unreadable")


def read_how(cell: Cell) -> How:
    """How a follow-up was made; of several ways the one named first.

    Raises CellError how_missing or how_unreadable."""
    text = plain(cell).lower()
    found = [(match.start(), how) for how, words in _HOWS if (match := re.search(words, text))]
    if not found:
        raise CellError("how_missing" if is_missing(text) else "how_unreadable")
    return min(found)[1]


def read_yes_no(cell: Cell) -> bool | None:
    """是 or 否 in the ways people write them, None where blank. Raises CellError yes_no_unreadable."""
    text = plain(cell).lower()
    if text in _YES or text in _NO:
        return text in _YES
    if is_missing(text):
        return None
    raise CellError("yes_no_unreadable")
