"""The words for coded findings, in English and Chinese: one table a code family, so that no code is ever shown bare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.attribution import Step

Language = Literal["en", "zh"]

WHAT: dict[str, tuple[str, str]] = {
    "registration": ("registered", "登记"),
    "follow_up": ("followed up", "跟进"),
    "sale": ("sale closed", "成交"),
    "ruling": ("ruling", "裁定"),
    "lapse": ("claim ran out", "保护到期"),
    "adoption": ("another rulebook in force", "启用新制度"),
    "distribution": ("visitor distributed", "分配客户"),
    "inheritance": ("file handed to an heir", "离职移交"),
    "reassignment": ("consultant changed", "更换顾问"),
    "reception": ("received", "接待"),
    "entrusted": ("entrusted to a colleague", "托付同事接待"),
}
WHAT_NOUN: dict[str, tuple[str, str]] = {
    **WHAT,
    "registration": ("registration", "登记"),
    "follow_up": ("follow-up", "跟进"),
    "sale": ("sale", "成交"),
    "adoption": ("adoption", "新制度启用"),
    "distribution": ("distribution", "分配"),
    "inheritance": ("hand-over to an heir", "离职移交"),
    "reassignment": ("change of consultant", "更换顾问"),
    "reception": ("reception", "接待"),
    "entrusted": ("entrustment to a colleague", "托付"),
}
"""The same as nouns, for sentences about what had not been."""

EFFECT: dict[str, tuple[str, str]] = {
    "founds": ("founds the claim", "取得归属"),
    "renews": ("the period starts anew", "保护期重新起算"),
    "stays": ("the owner stays", "归属不变"),
    "closes": ("the owner stays; no more clock", "归属不变，不再计时"),
    "nothing": ("no effect", "不产生效力"),
    "lapsed": ("the claim lapses", "归属失效"),
    "ended_by_adoption": ("the claim ends with the adoption", "归属随新制度启用而失效"),
    "recounted": ("the period is counted by the new rulebook", "保护期按新制度重新计算"),
    "kept": ("a ruled claim stays as it is", "裁定的归属不变"),
    "ruled": ("decided by ruling", "由裁定确定"),
}
GROUND: dict[str, tuple[str, str]] = {
    "first_contact": ("first to receive, on the register", "首接并已登记"),
    "next_receiver": ("next to receive after the claim before had lapsed", "前一归属失效后的新接待人"),
    "closed_the_sale": ("closed the sale while nobody owned the visitor", "无人拥有时促成成交"),
    "distributed": ("given by the manager", "由经理分配"),
    "inherited": ("took over a leaver's file", "接手离职人员的客户"),
    "reassigned": ("named by the manager on a change of consultant", "更换顾问时由经理指定"),
    "taken_as_new": (
        "received as a new visitor by the rules, whoever had a claim before",
        "按制度作为新客户接待，不计原归属",
    ),
    "in_ones_stead": (
        "the visitor came for this consultant; somebody else received in the consultant's stead",
        "客户为其而来，由他人代接",
    ),
    "ruling": ("ruling", "裁定"),
    "buyer_not_family": (
        "the buyer is not on the register, nor close family of the one who is",
        "买受人未登记，也不是登记人的直系亲属",
    ),
    "lapsed": ("the last claim has lapsed and nobody has founded a new one", "原归属已失效，尚无新的归属"),
    "no_claim": ("nothing on record founds a claim", "没有产生归属的记录"),
}
REASON: dict[str, tuple[str, str]] = {
    "claim_of_another_ran": ("another consultant's claim was running", "当时他人的归属仍在保护期内"),
    "registration_incomplete": ("the registration lacks name or phone", "登记缺少姓名或电话"),
    "lead_awaits_distribution": (
        "a public lead belongs to nobody until it is distributed",
        "公共线索在分配之前不属于任何人",
    ),
    "nobody_owned": (
        "nobody owned the visitor; a follow-up founds no claim",
        "当时无人拥有该客户，跟进不产生归属",
    ),
    "not_a_receiver": ("this post does not receive visitors", "该岗位不接待客户"),
    "bought_already": ("the visitor had bought; a buyer stays the owner's", "客户已成交，归属不再变动"),
    "owner_keeps": (
        "reception or sale by others leaves the owner the owner",
        "他人接待或促成成交，不改变归属",
    ),
    "entered_after_lapse": ("entered only after the claim had lapsed", "补录时归属已经失效"),
    "lapsed": ("the claim lapsed without a follow-up in time", "未及时跟进，归属已失效"),
    "replaced": ("a later claim took its place", "被之后的归属取代"),
    "ruled_otherwise": ("a ruling named somebody else", "裁定归他人所有"),
    "different_customer": ("not the same customer under this rulebook", "按本制度不是同一客户"),
    "same_name_unproven": ("the same name under another phone, unproven", "同名不同电话，未能证实"),
    "received_in_ones_stead": (
        "received the visitor in the stead of the one he came for",
        "只是代接，客户为他人而来",
    ),
    "only_entrusted": ("was only asked by the owner to look after the visitor", "只是受归属人托付接待"),
    "only_closed": ("closed the sale, but the claim was another's", "仅促成成交，归属在他人"),
    "claimed_without_record": ("nothing on record by this person", "没有此人的任何记录"),
    "buyer_not_family": ("the buyer is not close family of the one registered", "买受人不是登记人的直系亲属"),
}
SHARES: dict[str, tuple[str, str]] = {
    "owner": ("the owner has all of it", "全部归归属人"),
    "closers_equally": (
        "nobody owned the visitor: those who closed share equally",
        "无人拥有客户，成交人平分",
    ),
    "split": ("divided between owner and closer", "归属人与成交人分成"),
    "agreement": ("as those concerned agreed", "按各方约定"),
    "ruling": ("by ruling", "按裁定"),
}
VIA: dict[str, tuple[str, str]] = {
    "visit": ("visit", "来访"),
    "call": ("call", "来电"),
    "web": ("web", "网络"),
    "outreach": ("outreach", "外拓"),
    "message": ("message", "微信/短信"),
}
RELATION: dict[str, tuple[str, str]] = {
    "spouse": ("spouse", "配偶"),
    "parent": ("parent", "父母"),
    "child": ("child", "子女"),
    "sibling": ("sibling", "兄弟姐妹"),
    "shareholder": ("shareholder", "股东"),
    "other": ("other relation", "其他关系"),
}


def say(table: dict[str, tuple[str, str]], code: str, language: Language = "en") -> str:
    """The words for a code."""
    return table[code][0 if language == "en" else 1]


def say_until(until: date | None, language: Language = "en") -> str:
    """The last protected day, or that there is no limit."""
    if until is None:
        return "without limit" if language == "en" else "不限期"
    return until.isoformat()


def describe_step(step: Step, zone: ZoneInfo, name_of: Callable[[UUID | None], str], language: Language = "en") -> str:
    """One line: when, what, by whom, what it did, the claim after it, the clauses."""
    when = step.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    entered = ""
    if step.known_at != step.at:
        known = step.known_at.astimezone(zone).strftime("%m-%d %H:%M")
        entered = f" (entered {known})" if language == "en" else f"（{known} 录入）"
    who = " ".join(name_of(staff) for staff in step.by)
    effect = say(EFFECT, step.effect, language)
    reason = f" - {say(REASON, step.reason, language)}" if step.reason else ""
    claim = step.claim
    after = (
        f"{name_of(claim.owner)} → {say_until(claim.until, language)}"
        if claim
        else ("nobody" if language == "en" else "无")
    )
    clauses = ", ".join(clause.partition("/")[2] for clause in step.clauses)
    return f"{when}{entered} {say(WHAT, step.what, language)} {who}: {effect}{reason} | {after} | {clauses}"
