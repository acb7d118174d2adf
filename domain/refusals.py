"""The one table of codes with which a command is refused, and what each says to a person."""

from __future__ import annotations

from datetime import datetime

REFUSALS: dict[str, tuple[str, str]] = {
    "unknown_site": ("there is no such site", "没有这个案场"),
    "unknown_staff": ("there is no such member of staff", "没有这位员工"),
    "unknown_visitor": ("there is no such visitor", "没有这位客户"),
    "unknown_reception": ("there is no such reception", "没有这次接待"),
    "unknown_sale": ("there is no such sale", "没有这笔成交"),
    "unknown_dispute": ("there is no such dispute", "没有这宗争议"),
    "unknown_case": ("there is no such case", "没有这个事项"),
    "unknown_rulebook": ("there is no such rulebook", "没有这部制度"),
    "unknown_parameter": ("the rulebook has no such parameter", "制度中没有这个参数"),
    "bad_value": ("a value is blank or malformed", "内容为空或格式不对"),
    "bad_time": ("a time is out of order", "时间先后不对"),
    "duplicate_label": ("this label is taken", "这个标识已被使用"),
    "not_signed_in": ("this person has not signed in today", "此人今日尚未签到"),
    "not_free": ("this person is busy, or has stepped out", "此人正在接待或已离岗"),
    "not_eligible": ("this person may not take turns now", "此人现在不能参加轮排"),
    "not_your_turn": ("it is somebody else's turn", "现在轮到的是别人"),
    "too_soon": ("the time of grace is not over yet", "宽限时间未到"),
    "not_owner": ("only the visitor's owner may do this", "只有客户的归属人可以这样做"),
    "not_permitted": ("this person's role does not permit it", "此人的岗位无权这样做"),
    "claim_too_late": ("the time for raising a claim is over", "已过提出归属主张的期限"),
    "unit_already_sold": ("this unit has been sold already", "该房源已经售出"),
    "wrong_state": ("this was done already, or is not possible now", "此事已做过，或眼下不能做"),
    "unknown_key": ("there is no such key", "没有这个密钥"),
    "unknown_login": ("there is no such login", "没有这个登录绑定"),
    "changed_meanwhile": ("somebody has changed this meanwhile", "此内容已被他人更改"),
    "too_many_requests": ("too many look-ups; wait a little", "查询过于频繁，请稍候"),
    "too_many_reveals": ("no more customers can be shown in full today", "今日查看完整客户信息的次数已用完"),
    "too_many_exports": ("no more exports can be proposed today", "今日申请导出的次数已用完"),
    "export_too_large": ("an export may not be about so many persons", "一次导出的人数超出上限"),
    "unknown_proposal": ("there is no such proposal", "没有这项申请"),
    "four_eyes": ("somebody else than who proposed it must approve it", "须由申请人以外的人批准"),
    "command_reused": ("this command id was used for another content", "同一指令编号已用于不同内容"),
}
"""Code -> (English, Chinese). Codes are those of SCENARIOS.md, 'Codes for refused', and our own below them."""


class Refusal(Exception):
    """A command that can't be right. `code` is one of REFUSALS; `detail` says what exactly, without personal data."""

    def __init__(self, code: str, detail: str = "") -> None:
        assert code in REFUSALS, code
        self.code = code
        self.detail = detail
        english = REFUSALS[code][0]
        super().__init__(f"{code}: {english}" + (f" ({detail})" if detail else ""))


class LimitReached(Refusal):
    """Somebody has done something so often that it must wait. `again_at`: from when it is possible again."""

    def __init__(self, code: str, *, again_at: datetime) -> None:
        super().__init__(code)
        self.again_at = again_at
