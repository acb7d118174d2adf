"""The docket: every dispute, what it is about, and how it was ruled on (Q5)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from domain.dispute import DisputeRuled

from .dossier import DISPUTE, Judged
from .view import Column, Row, View

OPEN, RULED = "open", "ruled"


def _rows(judged: Judged) -> Iterator[Row]:
    dispute = judged.dispute
    if dispute is None:
        return
    matter, opened, ruled = dispute.matter, dispute.opened, dispute.ruled
    head = (
        dispute.id,
        judged.site,
        matter.label,
        matter.visitor.visitor,
        matter.visitor.registration,
        matter.sale,
        matter.by,
        opened.occurred_at,
    )
    if ruled is None:
        yield Row((*head, OPEN, None, None, None, None, None, None, opened.edition), judged.positions)
        return
    fact = ruled.fact
    assert isinstance(fact, DisputeRuled)
    shares = None if fact.shares is None else msgspec.json.encode(fact.shares, order="sorted").decode()
    found = (RULED, ruled.occurred_at, fact.by, fact.reason, fact.owner, shares, fact.adopted, ruled.edition)
    yield Row((*head, *found), judged.positions)


DOCKET = View(
    name="docket",
    about_en="Disputes: who claims what, since when, and how they were ruled on",
    about_zh="争议一览：谁主张什么、何时提出、如何裁定",
    columns=(
        Column("dispute", "uuid", "the dispute"),
        Column("site", "uuid", "the site"),
        Column("label", "text", "what people call it"),
        Column("about_file", "uuid", "file of the visitor it is about"),
        Column("about_registration", "integer", "number of the visitor's registration in it"),
        Column("sale", "uuid", "the sale it is about, if it is about one", null=True),
        Column("raised_by", "uuid", "who claims"),
        Column("opened_at", "timestamptz", "when it was raised"),
        Column("status", "text", "open or ruled"),
        Column("ruled_at", "timestamptz", "when it was ruled on", null=True),
        Column("ruled_by", "uuid", "who ruled", null=True),
        Column("reason", "text", "the ruling's reason", null=True),
        Column("owner", "uuid", "who owns by the ruling; none: nobody, or a ruling on shares", null=True),
        Column("shares", "text", "the shares by the ruling: a JSON object of staff id and fraction", null=True),
        Column("adopted", "boolean", "whether the ruling adopts what the rules say", null=True),
        Column("edition", "text", "the edition under which it was ruled on, or raised", null=True),
    ),
    key=1,
    indexes=("(site, opened_at, dispute)", "(site, status, opened_at, dispute)"),
    rows={DISPUTE: _rows},
)
