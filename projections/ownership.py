"""Who owns whom, on what ground, until when (Q5): one row per person on the public register."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.attribution import Attribution
from domain.visitor import Entry, VisitorRegistered

from .dossier import CUSTOMER, Judged
from .view import Column, Row, View


def _rows(judged: Judged) -> Iterator[Row]:
    """The members of a household are rows of their own and share the first entry of their customer."""
    registrations, facts = judged.registrations, judged.positions
    for (first, found), last in zip(judged.customers, judged.last_contacts, strict=True):
        customer, claim = (judged.site, first.visitor, first.registration), _claim(found)
        edition = found.edition.label
        for entry in found.customer.entries:
            registered = registrations.get(entry)
            fact = registered.fact if registered else None
            if registered is None or not isinstance(fact, VisitorRegistered) or not _speaks(fact, entry, first):
                continue
            person = (fact.person, fact.sealed, fact.has_name, fact.has_phone)
            at = registered.occurred_at
            yield Row(
                (
                    entry.visitor,
                    entry.registration,
                    *customer,
                    entry == first,
                    *claim,
                    *person,
                    at,
                    last or at,
                    edition,
                    facts[-1],
                ),
                facts,
            )


def _speaks(fact: VisitorRegistered, entry: Entry, first: Entry) -> bool:
    """Whether an entry stands for a person: the first under its name - and, where a rulebook parts what the register
    takes for one name, the first of its customer, so that every customer has a row."""
    return fact.same_name_as is None or entry == first


def _claim(found: Attribution) -> tuple[Any, ...]:
    """owner, ground, since, until, bought, ruled, last_owner, ended_at."""
    claim, last, ruled = found.claim, found.last_claim, found.deciding_ruling is not None
    if claim is not None:
        return claim.owner, claim.ground, claim.since, claim.until, claim.bought, ruled, None, None
    if last is None:
        return None, found.ground, None, None, False, ruled, None, None
    # A claim that a ruling took away did not end by itself, and so bears no end of its own.
    ended_at = last.ended_at or (found.ruling.occurred_at if found.ruling else None)
    return None, found.ground, None, None, last.bought, ruled, last.owner, ended_at


OWNERSHIP = View(
    name="ownership",
    about_en="Who owns each person on the register, on what ground and until when; claims run out unseen after `until`",
    about_zh="登记簿上每位客户归谁、依据何在、保护到哪天；过了保护期末日即失效，由查询者按日判断",
    columns=(
        Column("file", "uuid", "the visitor's file"),
        Column("registration", "integer", "number of the registration in the file; the first under its name"),
        Column("site", "uuid", "the site"),
        Column("customer_file", "uuid", "file of the first entry of the customer that the person is one with"),
        Column("customer_registration", "integer", "number of that entry in its file"),
        Column("first_entry", "boolean", "whether it is this one: whoever counts customers counts these rows"),
        Column("owner", "uuid", "whose claim it is, if one is there", null=True),
        Column("ground", "text", "what the claim rests on; lapsed or no_claim where there is none"),
        Column("since", "timestamptz", "from when the claim counts", null=True),
        Column("until", "date", "last protected day, on the site's calendar; none: no limit", null=True),
        Column("bought", "boolean", "whether the claim is closed by a sale, so that it does not run out"),
        Column("ruled", "boolean", "whether a ruling decided who owns, or that nobody does"),
        Column("last_owner", "uuid", "whose the claim before was, where none is there now", null=True),
        Column("ended_at", "timestamptz", "when that claim was over", null=True),
        Column("person", "uuid", "whose key opens `sealed`"),
        Column("sealed", "bytea", "name and phone, encrypted, as the fact holds them"),
        Column("has_name", "boolean", "whether a name was given"),
        Column("has_phone", "boolean", "whether a phone number was given"),
        Column("registered_at", "timestamptz", "when the person was registered"),
        Column("last_contact_at", "timestamptz", "the customer's last registration, follow-up or sale"),
        Column("edition", "text", "the edition under which the claim stands"),
        Column("position", "bigint", "last fact that was looked at"),
    ),
    key=2,
    indexes=(
        "(site, file, registration)",
        "(site, owner, file, registration)",
        "(site, until)",
        "(site, last_contact_at, file, registration)",
    ),
    rows={CUSTOMER: _rows},
)
