"""The words for every code of a rulebook - conditions, effects, values of parameters -, in each pair English, then
Chinese."""

from __future__ import annotations

from domain.rules.attribution_vocabulary import CONTACTS

from .replay.wording import GROUND, REASON, RELATION, SHARES, WHAT
from .rulebook_turn_words import (
    TURN_CONDITIONS,
    TURN_EFFECTS,
    TURN_GROUPS,
    TURN_LEADS,
    TURN_NONE,
    TURN_VALUES,
    TURN_ZERO,
    Words,
)

ROLE: dict[str, Words] = {
    "consultant": ("consultant", "置业顾问"),
    "manager": ("manager", "经理"),
    "supervisor": ("supervisor", "主管"),
    "desk": ("desk", "前台"),
    "finance": ("finance", "财务"),
    "legal": ("legal", "法务"),
    "officer": ("officer", "专员"),
    "auditor": ("auditor", "审计"),
}

LEADS: dict[str, Words] = {
    **TURN_LEADS,
    "names": ("the names are ", "姓名"),
    "buyer": ("the buyer is ", "买受人"),
}
"""What stands once before the codes of a condition."""

CONDITIONS: dict[str, dict[str, Words]] = {
    **TURN_CONDITIONS,
    "contact": {code: WHAT[code] for code in CONTACTS},
    "via": {
        "visit": ("on a visit", "来访"),
        "call": ("on a call", "来电"),
        "web": ("from the web", "来自网络"),
        "outreach": ("from outreach", "来自外拓"),
        "none": ("by no channel", "不涉及途径"),
    },
    "entry": {
        "complete": ("the entry complete", "内容完整"),
        "incomplete": ("the entry incomplete", "内容不完整"),
        "clerical": ("entered by somebody who does not receive", "由非接待岗位录入"),
        "none": ("no entry", "不涉及登记"),
    },
    "attribution.reception/entry": {
        "complete": ("the visitor registered in full", "客户登记完整"),
        "incomplete": ("the visitor not registered in full", "客户登记不完整"),
    },
    "claim": {
        "never": ("nobody has owned the visitor yet", "此前无人拥有"),
        "running": ("a claim is running", "归属在保护期内"),
        "lapsed": ("the last claim has lapsed", "原归属已失效"),
        "bought": ("the visitor has bought", "客户已成交"),
    },
    "by": {"owner": ("by the owner", "由归属人"), "other": ("by somebody else", "由他人")},
    "attribution.reception/by": {
        "owner": ("received by the owner", "归属人接待"),
        "other": ("received by somebody else", "他人接待"),
    },
    "link": {
        "same_phone": ("the same phone", "同一电话"),
        "same_name": ("the same name under another phone", "同名不同电话"),
        "relation": ("a relation on record", "登记有关系"),
    },
    "names": {
        "same": ("the same", "相同"),
        "other": ("different", "不同"),
        "unknown": ("not both known", "不全"),
    },
    "relation": {**RELATION, "none": ("no relation", "无关系")},
    "proven": {"yes": ("proven", "已证实"), "no": ("unproven", "未证实")},
    "buyer": {
        "registered": ("the one registered", "即登记人"),
        "same_customer": ("one customer with the one registered", "与登记人是同一客户"),
        "other": ("somebody else", "另有其人"),
    },
    "commission.shares/owner": {
        "present": ("somebody owns the visitor", "客户有归属人"),
        "nobody": ("nobody owns the visitor", "客户无归属人"),
    },
    "closer": {
        "owner_alone": ("the owner closes alone", "归属人独自成交"),
        "owner_among": ("the owner closes together with others", "归属人与他人共同成交"),
        "others": ("others close", "他人成交"),
    },
    "agreed": {
        "yes": ("shares agreed, on record", "有约定在案"),
        "no": ("no shares agreed", "没有约定"),
    },
    "reception": {
        "none": ("no reception of the visitor by the closer on record", "没有成交人接待该客户的记录"),
        "referral": (
            "the closer had stood in for the owner with a client's referral",
            "成交人代归属人接待了老客户带来的客户",
        ),
        "present": ("the closer had received while the owner was there", "成交人接待时归属人在场"),
        "away": ("the closer had received while the owner was away", "成交人接待时归属人不在场"),
        "not_reached": (
            "found out during the reception and closed the same day, as the owner could not be reached",
            "接待中才发现归属、联系不上归属人而当日成交",
        ),
        "entrusted": ("the owner had entrusted the closer", "成交人受归属人托付代接"),
    },
    "came": {
        "named": ("having asked by name", "点名而来"),
        "invited": ("having been invited", "应约而来"),
        "brought": ("brought by a client", "由老客户带来"),
        "known": ("known by phone, file or description", "凭电话、档案或描述查到"),
        "unknown": ("with nothing to be known by", "无从查到"),
    },
    "followed_up": {
        "yes": ("the owner has followed up", "归属人跟进过"),
        "no": ("the owner has not followed up", "归属人没有跟进"),
    },
    "owner_was": {
        "none": ("no other owner", "没有其他归属人"),
        "present": ("the owner on the floor", "归属人在场"),
        "away": ("the owner not there", "归属人不在场"),
    },
    "recognised": {
        "no": ("not recognised", "没有认出"),
        "in_time": ("recognised in time", "在期限内认出"),
        "late": ("recognised too late", "超过期限才认出"),
    },
}
"""By condition, or by table and condition where tables mean different things by it."""

GROUPS: dict[str, dict[frozenset[str], Words]] = {
    **TURN_GROUPS,
    "claim": {
        frozenset({"never", "lapsed", "running"}): ("the visitor has not bought", "客户未成交"),
        frozenset({"never", "lapsed"}): ("nobody owns the visitor", "当时无归属人"),
        frozenset({"running", "bought"}): ("somebody owns the visitor", "当时有归属人"),
    },
}

EFFECTS: dict[str, dict[str, Words]] = {
    **TURN_EFFECTS,
    "claim": {
        "founds": ("founds the claim", "取得归属"),
        "renews": ("starts the period anew", "保护期重新起算"),
        "stays": ("leaves the claim as it is", "归属不变"),
        "nothing": ("has no effect", "不产生效力"),
    },
    "attribution.buyer/claim": {
        "holds": ("the claim holds", "归属成立"),
        "falls": ("the claim falls", "归属不成立"),
    },
    "ground": GROUND,
    "reason": REASON,
    "customers": {"one": ("one customer", "同一客户"), "different": ("different customers", "不同客户")},
    "shares": SHARES,
}
PARTS: dict[str, Words] = {"owner": ("the owner {}", "归属人{}"), "closer": ("the closer {}", "成交人{}")}
"""Effects that are fractions."""

EXPLAINING = frozenset({"ground", "reason"})
"""Effects that say why, and stand behind the others."""

VALUES: dict[str, dict[str, Words]] = {
    **TURN_VALUES,
    "attribution.household": RELATION,
    "attribution.company": RELATION,
    "attribution.required": {"name": ("name", "姓名"), "phone": ("phone", "电话")},
    "attribution.owned_by_claimant": {
        "named": ("the one asked for by name", "被点名者"),
        "inviter": ("the one who had invited", "邀约者"),
        "referrer": ("the client's consultant", "老客户的顾问"),
    },
}
"""By parameter; those that list roles are not here."""

NO_LIMIT: Words = ("no limit", "不限")
SAME_DAY: Words = ("the same day only", "限当日")
NONE: dict[str, Words] = TURN_NONE
ZERO: dict[str, Words] = {
    **TURN_ZERO,
    "attribution.protection_days": SAME_DAY,
    "attribution.late_entry_days": SAME_DAY,
    "attribution.claim_within_days": SAME_DAY,
}

UNITS: dict[str, tuple[Words, Words]] = {
    "_minutes": (("1 minute", "1分钟"), ("{} minutes", "{}分钟")),
    "_days": (("1 day", "1天"), ("{} days", "{}天")),
    "_yuan": (("1 yuan", "1元"), ("{} yuan", "{}元")),
    "_percent": (("1 %", "1%"), ("{} %", "{}%")),
    "_fine": (("once", "1次"), ("{} times", "{}次")),
    "_waiting": (("1 person", "1人"), ("{} people", "{}人")),
    "_duty": (("1 person", "1人"), ("{} people", "{}人")),
    "_party": (("1 person", "1人"), ("{} people", "{}人")),
}
"""By how the name of a parameter ends: the words for one and for more."""

UNITS_OF_MEANINGS = ("（天）", "（分钟）", "（元）", ", in yuan", " (none: at any time)")
"""What the meaning of a parameter need not say where its value stands beside it."""
