"""Who is paid what for which sale: one row per sale and member of staff with a share in it (C7)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .dossier import CUSTOMER, Judged
from .view import Column, Row, View


def fen(yuan: Decimal) -> int:
    """An amount in yuan with two decimals as whole fen."""
    return int(yuan.scaleb(2))


def _rows(judged: Judged) -> Iterator[Row]:
    for sale, settled in judged.sales:
        terms, sold_at = sale.terms, sale.recorded.occurred_at
        total, edition = fen(terms.amount), settled.attribution.edition.label
        ruled, agreed = settled.ruling is not None, settled.ground == "agreement"
        for staff, amount in settled.amounts.items():
            yield Row(
                (
                    sale.id,
                    staff,
                    judged.site,
                    terms.unit,
                    sold_at,
                    terms.visitor.visitor,
                    terms.visitor.registration,
                    str(settled.shares[staff]),
                    fen(amount),
                    total,
                    settled.ground,
                    settled.owner,
                    staff in terms.by,
                    ruled,
                    agreed,
                    edition,
                ),
                judged.positions,
            )


COMMISSION = View(
    name="commission",
    about_en="The shares of every sale's commission, exact to the fen",
    about_zh="每笔成交的佣金分配，精确到分",
    columns=(
        Column("sale", "uuid", "the sale"),
        Column("staff", "uuid", "who has the share"),
        Column("site", "uuid", "the site"),
        Column("unit", "text", "the unit sold, if it was named", null=True),
        Column("sold_at", "timestamptz", "when the sale was closed"),
        Column("file", "uuid", "the visitor's file"),
        Column("registration", "integer", "number of the visitor's registration in it"),
        Column("share", "text", "the share as an exact fraction"),
        Column("amount_fen", "bigint", "the share in fen; the amounts of a sale add up to its total"),
        Column("total_fen", "bigint", "the commission to share, in fen"),
        Column("ground", "text", "owner, closers_equally, split, agreement or ruling"),
        Column("owner", "uuid", "to whom the customer belonged; none: nobody", null=True),
        Column("closer", "boolean", "whether this member of staff closed the sale"),
        Column("ruled", "boolean", "whether a ruling decided the shares, or the owner they follow from"),
        Column("agreed", "boolean", "whether an agreement decided the shares"),
        Column("edition", "text", "the edition in force when the sale was closed"),
    ),
    key=2,
    indexes=("(site, sold_at, sale, staff)", "(site, staff, sold_at, sale)"),
    rows={CUSTOMER: _rows},
)
