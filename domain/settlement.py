"""What a sale is worth to whom: the attribution at the moment of sale, the buyer's case, then shares and amounts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from .attribution import Attribution, Question, attribute
from .record import Envelope
from .rulebook import Edition, Row
from .rules.receptions import circumstance
from .rules.shares import Shares, amounts, share_commission
from .sale import Sale, SaleRuled, SharesAgreed, shares_of
from .visitor import Moment, entry_of


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The complete answer for a sale.

    `owner`: to whom the commission's claim belongs (None: nobody owned). `ground` of the shares: owner,
    closers_equally,
    split, agreement, ruling. `ruling`: the envelope of the ruling that decided the shares, if one did.
    """

    sale: UUID
    attribution: Attribution
    owner: UUID | None
    buyer: str
    shares: dict[UUID, Fraction]
    amounts: dict[UUID, Decimal]
    ground: str
    clauses: tuple[str, ...]
    ruling: Envelope | None
    agreement: Envelope | None

    @property
    def owner_ruled(self) -> bool:
        """Whether a ruling named the owner of this sale (a ruling on shares leaves the owner)."""
        fact = self.ruling.fact if self.ruling else None
        return isinstance(fact, SaleRuled) and fact.shares is None


def settle(
    question: Question,
    sale: Sale,
    *,
    known_at: Moment,
    staff_order: Sequence[UUID],
    rulings: bool = True,
) -> Settlement:
    """Settle a sale: as of its own moment, by what was on record at `known_at.known_at`; rulings made by `known_at.at`.

    Without `rulings` the rules speak alone (a what-if). Raises RulebookError where the rulebook fails to decide.
    """
    terms, at = sale.terms, sale.recorded.occurred_at
    moment = Moment(at, known_at.known_at)
    attribution = attribute(question, terms.visitor, moment, rulings=rulings)
    edition = attribution.edition
    buyer = "registered"
    if terms.buyer is not None or terms.buyer_sealed is not None:
        buyer = "same_customer" if terms.buyer in attribution.customer.entries else "other"
    row = edition.finding(_row_of_buyer, buyer)
    clauses = attribution.clauses if buyer == "registered" else (*attribution.clauses, *row.clauses)
    if row.then["claim"] == "falls" and terms.buyer is not None:
        attribution = attribute(question, terms.buyer, moment, rulings=rulings)
        clauses = (*attribution.clauses, *row.clauses)
    owner = None if row.then["claim"] == "falls" and terms.buyer is None else attribution.owner
    agreement = _latest(sale.agreements, known_at) if rulings else None
    ruling = _latest(sale.rulings, known_at) if rulings else None
    receptions = (
        e for e in question.history if entry_of(e) in attribution.customer.entries and e.known_at <= moment.known_at
    )
    how = circumstance(receptions, owner, terms.by, sale.recorded, question.zone)
    owner, found = _shares(terms.by, owner, ruling, agreement, edition, how)
    return Settlement(
        sale=sale.id,
        attribution=attribution,
        owner=owner,
        buyer=buyer,
        shares=found.shares,
        amounts=amounts(found.shares, terms.amount, staff_order),
        ground=found.ground,
        clauses=tuple(dict.fromkeys((*clauses, *found.clauses))),
        ruling=ruling,
        agreement=agreement,
    )


def _row_of_buyer(edition: Edition, buyer: str) -> Row:
    return edition.row_for("attribution.buyer", {"buyer": buyer})


def _shares(
    closers: Sequence[UUID],
    owner: UUID | None,
    ruling: Envelope | None,
    agreement: Envelope | None,
    edition: Edition,
    how: str,
) -> tuple[UUID | None, Shares]:
    """The owner and the shares (`how`: in which circumstance the closers received the customer): ruled shares first,
    then those that follow from the (ruled) owner and the agreement."""
    if ruling is not None:
        assert isinstance(ruling.fact, SaleRuled)
        ruled_by = edition.parameter("attribution.ruled_by").clauses
        if ruling.fact.shares is not None:
            return owner, Shares(shares_of(ruling.fact.shares), "ruling", ruled_by)
        # Whoever agreed before did not speak for the owner who was then ruled.
        found = share_commission(ruling.fact.owner, closers, None, edition)
        return ruling.fact.owner, msgspec.structs.replace(found, clauses=(*ruled_by, *found.clauses))
    agreed = None
    if agreement is not None:
        assert isinstance(agreement.fact, SharesAgreed)
        agreed = shares_of(agreement.fact.shares)
    return owner, share_commission(owner, closers, agreed, edition, how)


def _latest(envelopes: Sequence[Envelope], moment: Moment) -> Envelope | None:
    """The last agreement or ruling that had been made and was on record."""
    made = [e for e in envelopes if e.occurred_at <= moment.at and e.known_at <= moment.known_at]
    return made[-1] if made else None
