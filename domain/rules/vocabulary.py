"""The closed vocabulary of rulebooks: which parameters and tables there are, and which codes they may use.

A rulebook file is checked against this page, so an office whose rules nobody has seen yet is set up by writing a file.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import msgspec

from ..refusals import Refusal
from ..rulebook import AmendmentValue, Edition, Row, RulebookError
from ..site import ROLES

RELATIONS = ("spouse", "parent", "child", "sibling", "shareholder", "other")
VIAS = ("visit", "call", "web", "outreach")

Kind = Literal["days", "codes"]


class ParameterSpec(msgspec.Struct, frozen=True):
    """`kind`: days (a whole number, or none for no limit where `may_be_none`) or codes (a list out of `codes`)."""

    kind: Kind
    zh: str
    en: str
    codes: tuple[str, ...] = ()
    may_be_none: bool = False


PARAMETERS: dict[str, ParameterSpec] = {
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
}

CONTACTS = ("registration", "follow_up", "sale", "distribution", "inheritance", "reassignment")


class TableSpec(msgspec.Struct, frozen=True):
    """`conditions`: name -> its codes; `effects`: name -> its codes, () for a fraction; `required`: effects a
    row must have."""

    zh: str
    en: str
    conditions: dict[str, tuple[str, ...]]
    effects: dict[str, tuple[str, ...]]
    required: tuple[str, ...]


TABLES: dict[str, TableSpec] = {
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
        },
        {"shares": ("owner", "closers_equally", "split", "agreement"), "owner": (), "closer": ()},
        ("shares",),
    ),
}


def check_value(name: str, value: object) -> str | None:
    """None when the value fits the parameter of that name, else what is wrong with it."""
    spec = PARAMETERS.get(name)
    if spec is None:
        return f"unknown parameter {name}"
    if spec.kind == "days":
        if value is None:
            return None if spec.may_be_none else "a number of days is needed"
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 36_500:
            none = " or none" if spec.may_be_none else ""
            return f"{value!r} is not a whole number of days from 0 to 36500{none}"
        return None
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        return f"{value!r} is not a list of codes"
    unknown = [code for code in value if code not in spec.codes]
    if unknown:
        return f"unknown: {', '.join(unknown)}; allowed: {', '.join(spec.codes)}"
    return f"{value!r} names a code twice" if len(set(value)) < len(value) else None


def check_amendment(edition: Edition, amend: Mapping[str, object]) -> dict[str, AmendmentValue]:
    """The amendment, checked against the edition. Raises Refusal unknown_parameter or bad_value; `none` means
    no limit."""
    checked: dict[str, AmendmentValue] = {}
    for name, raw in amend.items():
        if name not in edition.parameters:
            raise Refusal("unknown_parameter", f"{edition.label} has no {name}")
        value = None if raw == "none" else raw
        if wrong := check_value(name, value):
            raise Refusal("bad_value", f"{name}: {wrong}")
        checked[name] = value  # type: ignore[assignment]
    return checked


def amend_edition(edition: Edition, amend: Mapping[str, object]) -> Edition:
    """The edition with parameters changed, still deciding every case. Raises Refusal unknown_parameter, bad_value."""
    changed = edition.amended(check_amendment(edition, amend))
    if amend and (found := undecided(changed)):
        raise Refusal("bad_value", found[1])
    return changed


def undecided(edition: Edition) -> tuple[str, str] | None:
    """The first table that does not decide every case that can arise by exactly one fitting row, and what is wrong."""
    for name, spec in TABLES.items():
        for codes in itertools.product(*spec.conditions.values()):
            case = dict(zip(spec.conditions, codes, strict=True))
            if not possible(name, case):
                continue
            try:
                row = edition.row_for(name, case)
            except RulebookError as error:
                return name, str(error)
            if not _fits(name, case, row):
                return name, f"{edition.label}, table {name}: {row} can't be carried out for {case}"
    return None


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
    if table == "commission.shares":
        return case["owner"] == "present" or case["closer"] == "others"
    return True


def _fits(table: str, case: Mapping[str, str], row: Row) -> bool:
    """Whether a row's effect can be carried out in a case: only an owner can have a part, only an agreement be
    followed."""
    if table == "attribution.contact":
        needs_claim = row.then["claim"] in ("renews", "stays")
        return not needs_claim or case["claim"] in ("running", "bought")
    if table == "commission.shares":
        shares = row.then["shares"]
        return not (shares in ("owner", "split") and case["owner"] == "nobody") and not (
            shares == "agreement" and case["agreed"] == "no"
        )
    return True


def fraction(text: str) -> Fraction:
    """A share such as 1/3 or 1. Raises Refusal bad_value unless it lies from 0 to 1."""
    try:
        share = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise Refusal("bad_value", f"{text!r} is not a fraction such as 1/3") from None
    if not 0 <= share <= 1:
        raise Refusal("bad_value", f"{text!r} is not a share between 0 and 1")
    return share
