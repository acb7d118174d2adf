"""The vocabulary of rulebooks for attribution and commission (areas A and C): parameters, and tables of cases."""

from __future__ import annotations

from collections.abc import Mapping

from ..rulebook import Row
from ..site import ROLES
from .specs import ParameterSpec, TableSpec

RELATIONS = ("spouse", "parent", "child", "sibling", "shareholder", "other")
VIAS = ("visit", "call", "web", "outreach")

ATTRIBUTION_PARAMETERS: dict[str, ParameterSpec] = {
    "attribution.protection_days": ParameterSpec(
        "days", "保护期（天）", "days of protection after a contact", may_be_none=True
    ),
    "attribution.late_entry_days": ParameterSpec(
        "days",
        "补录期限（天）：期限内补录的从发生时起算",
        "days within which a late entry still counts from when it happened",
    ),
    "attribution.claim_within_days": ParameterSpec(
        "days",
        "成交后可提出归属主张的天数",
        "days after a sale in which a claim may be raised",
        may_be_none=True,
    ),
    "attribution.household": ParameterSpec(
        "codes", "视为同一客户的亲属关系", "relations that make two persons one customer", RELATIONS
    ),
    "attribution.company": ParameterSpec(
        "codes",
        "企业购房时视为同一客户的关系",
        "relations that make a company and a person one customer",
        RELATIONS,
    ),
    "attribution.required": ParameterSpec(
        "codes", "有效登记必备的内容", "what a registration must hold to found a claim", ("name", "phone")
    ),
    "attribution.owned_by": ParameterSpec(
        "codes", "可以拥有客户的岗位", "roles that receive visitors and may own them", ROLES
    ),
    "attribution.ruled_by": ParameterSpec("codes", "有权裁定争议的岗位", "roles that may rule on a dispute", ROLES),
    "attribution.distributed_by": ParameterSpec(
        "codes", "有权分配客户的岗位", "roles that may distribute, reassign and hand over visitors", ROLES
    ),
    "attribution.owned_by_claimant": ParameterSpec(
        "codes",
        "他人代接时，新客户仍归谁（被点名者、邀约者、老客户的顾问）",
        "grounds on which a new visitor is the claimant's though somebody else receives in the claimant's stead",
        ("named", "inviter", "referrer"),
    ),
}

CAME = ("named", "invited", "brought", "known", "unknown")
"""How a visitor came: asked for the receiver or the one he stands in for, was invited by or brought to him, was found
by phone, file or description, or gave nothing to be known by."""

CIRCUMSTANCES = ("none", "referral", "present", "away", "not_reached", "entrusted")
"""How the closer had received the customer, when it was not the owner who did: a client's referral, in the owner's
stead; while the owner was there; while the owner was away; found out on the way, the owner not reached, and closed
the same day; entrusted by the owner."""

CONTACTS = ("registration", "follow_up", "sale", "distribution", "inheritance", "reassignment")


ATTRIBUTION_TABLES: dict[str, TableSpec] = {
    "attribution.contact": TableSpec(
        "一次接触对归属的作用",
        "what a contact does to the claim",
        {
            "contact": CONTACTS,
            "via": (*VIAS, "none"),
            "entry": ("complete", "incomplete", "clerical", "none"),
            "claim": ("never", "running", "lapsed", "bought"),
            "by": ("owner", "other"),
        },
        {
            "claim": ("founds", "renews", "stays", "nothing"),
            "ground": (
                "first_contact",
                "next_receiver",
                "closed_the_sale",
                "distributed",
                "inherited",
                "reassigned",
            ),
            "reason": (
                "claim_of_another_ran",
                "registration_incomplete",
                "lead_awaits_distribution",
                "nobody_owned",
                "not_a_receiver",
                "bought_already",
                "owner_keeps",
            ),
        },
        ("claim",),
    ),
    "attribution.reception": TableSpec(
        "一次接待对归属的作用",
        "what a reception does to the claim of the visitor received",
        {
            "claim": ("never", "running", "lapsed", "bought"),
            "by": ("owner", "other"),
            "entry": ("complete", "incomplete"),
            "channel": ("visit", "call"),
            "came": CAME,
            "tie": ("none", "met", "called", "inherited", "given"),
            "followed_up": ("yes", "no"),
            "owner_was": ("none", "present", "away"),
            "recognised": ("no", "in_time", "late"),
        },
        {
            "claim": ("founds", "renews", "stays", "nothing"),
            "ground": ("first_contact", "next_receiver", "taken_as_new"),
            "reason": ("registration_incomplete", "owner_keeps", "bought_already", "not_a_receiver"),
        },
        ("claim",),
    ),
    "attribution.same_customer": TableSpec(
        "是否同一客户",
        "whether two entries are one customer",
        {
            "link": ("same_phone", "same_name", "relation"),
            "names": ("same", "other", "unknown"),
            "relation": (*RELATIONS, "none"),
            "proven": ("yes", "no"),
        },
        {"customers": ("one", "different")},
        ("customers",),
    ),
    "attribution.buyer": TableSpec(
        "买受人与登记人不同时",
        "a buyer who is not the one registered",
        {"buyer": ("registered", "same_customer", "other")},
        {"claim": ("holds", "falls")},
        ("claim",),
    ),
    "commission.shares": TableSpec(
        "佣金分配",
        "how the commission is shared",
        {
            "owner": ("present", "nobody"),
            "closer": ("owner_alone", "owner_among", "others"),
            "agreed": ("yes", "no"),
            "reception": CIRCUMSTANCES,
        },
        {"shares": ("owner", "closers_equally", "split", "agreement"), "owner": (), "closer": ()},
        ("shares",),
    ),
}


def possible(table: str, case: Mapping[str, str]) -> bool:
    """Whether such a case can arise at all (a follow-up has no channel of entry; only an owner's claim has an
    owner)."""
    if table == "attribution.contact":
        registered = case["contact"] == "registration"
        owned = case["claim"] in ("running", "bought")
        return (
            registered == (case["via"] != "none")
            and registered == (case["entry"] != "none")
            and (owned or case["by"] == "other")
        )
    if table == "attribution.same_customer":
        if case["link"] != "relation":
            named = case["link"] == "same_phone" or case["names"] == "same"
            return named and case["relation"] == "none" and case["proven"] == "no"
        return case["relation"] != "none" and case["names"] == "unknown"
    if table == "attribution.reception":
        return _reception_possible(case)
    if table == "commission.shares":
        in_stead = case["reception"] == "none" or (case["owner"] == "present" and case["closer"] == "others")
        return (case["owner"] == "present" or case["closer"] == "others") and in_stead
    return True


def _reception_possible(case: Mapping[str, str]) -> bool:
    """Only a running claim has an owner who may be there, and for whom somebody else may recognise the visitor."""
    running, others = case["claim"] == "running", case["by"] == "other"
    if case["claim"] in ("never", "lapsed") and not others:
        return False
    if running != (case["tie"] != "none") or (not running and case["followed_up"] == "yes"):
        return False
    if (running and others) != (case["owner_was"] != "none"):
        return False
    return case["recognised"] == "no" or (running and others and case["came"] == "unknown")


def fits(table: str, case: Mapping[str, str], row: Row) -> bool:
    """Whether a row's effect can be carried out in a case: only an owner can have a part, only an agreement be
    followed."""
    if table in ("attribution.contact", "attribution.reception"):
        needs_claim = row.then["claim"] in ("renews", "stays")
        return not needs_claim or case["claim"] in ("running", "bought")
    if table == "commission.shares":
        shares = row.then["shares"]
        return not (shares in ("owner", "split") and case["owner"] == "nobody") and not (
            shares == "agreement" and case["agreed"] == "no"
        )
    return True
