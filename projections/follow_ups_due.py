"""Whom an owner has to look after (P8): one row per customer whose claim is there and who has not bought."""

from __future__ import annotations

from collections.abc import Iterator

from .dossier import CUSTOMER, Judged
from .view import Column, Row, View


def _rows(judged: Judged) -> Iterator[Row]:
    """A claim that has run out since the last fact still has its row: whoever reads compares `until` with the day."""
    facts = judged.positions
    for (first, found), last in zip(judged.customers, judged.last_contacts, strict=True):
        claim = found.claim
        if claim is None or claim.bought:
            continue
        follow_ups, visited_at, followed_up_at = 0, None, None
        for step in found.steps:
            what = step.what
            if what == "registration":
                if visited_at is None or step.at > visited_at:
                    visited_at = step.at
            elif what == "follow_up" and step.effect != "nothing" and claim.owner in step.by:
                # `since` tells the present claim from an earlier one of the same owner.
                if step.claim is not None and step.claim.since == claim.since:
                    follow_ups += 1
                if followed_up_at is None or step.at > followed_up_at:
                    followed_up_at = step.at
        registered_at = judged.registrations[first].occurred_at
        yield Row(
            (
                first.visitor,
                first.registration,
                judged.site,
                claim.owner,
                claim.until,
                registered_at,
                visited_at or registered_at,
                follow_ups,
                followed_up_at,
                last or registered_at,
            ),
            facts,
        )


FOLLOW_UPS_DUE = View(
    name="follow_ups_due",
    about_en="Customers whose owner has to follow up: which claim runs out when, and who was called how often",
    about_zh="归属人应跟进的客户：保护期何时到、当天是否回访、跟进够不够次数",
    columns=(
        Column("file", "uuid", "file of the customer's first entry"),
        Column("registration", "integer", "number of that entry in its file"),
        Column("site", "uuid", "the site"),
        Column("owner", "uuid", "whose claim it is"),
        Column("until", "date", "last protected day, on the site's calendar; none: no limit", null=True),
        Column("registered_at", "timestamptz", "when the customer was first registered"),
        Column("visited_at", "timestamptz", "when the customer was last registered: came, called or wrote"),
        Column("follow_ups", "integer", "follow-ups by the owner that counted, since the claim was founded"),
        Column("followed_up_at", "timestamptz", "the owner's last follow-up that counted", null=True),
        Column("last_contact_at", "timestamptz", "the customer's last registration or follow-up, by whomever"),
    ),
    key=2,
    indexes=("(site, until, file, registration)", "(site, owner, until)"),
    rows={CUSTOMER: _rows},
)
