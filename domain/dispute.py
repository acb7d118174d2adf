"""A dispute: somebody on the staff claims a visitor or a sale; a manager rules, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from .calendar import day_of, last_day
from .record import Envelope, Fact, stored_as
from .refusals import Refusal
from .sale import check_shares
from .visitor import Entry


@stored_as("dispute.opened.v1")
class DisputeOpened(Fact, frozen=True, kw_only=True):
    """About a visitor, or about a sale (then `visitor` is the sale's). `label` is what people call the dispute."""

    visitor: Entry
    sale: UUID | None
    by: UUID
    label: str


@stored_as("dispute.ruled.v1")
class DisputeRuled(Fact, frozen=True, kw_only=True):
    """`adopted`: the ruling names nothing of its own and adopts the answer of the replay, kept here in full."""

    owner: UUID | None
    shares: dict[str, str] | None
    adopted: bool
    by: UUID
    reason: str


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    version: int
    opened: Envelope
    ruled: Envelope | None

    @property
    def matter(self) -> DisputeOpened:
        fact = self.opened.fact
        assert isinstance(fact, DisputeOpened)
        return fact


def evolve(dispute: Dispute | None, envelope: Envelope) -> Dispute | None:
    """Total."""
    if isinstance(envelope.fact, DisputeOpened):
        return Dispute(id=envelope.stream, version=envelope.version, opened=envelope, ruled=None)
    if dispute is None:
        return None
    ruled = envelope if isinstance(envelope.fact, DisputeRuled) else dispute.ruled
    return msgspec.structs.replace(dispute, version=envelope.version, ruled=ruled)


def open_dispute(
    visitor: Entry,
    sale: UUID | None,
    by: UUID,
    *,
    label: str,
    sold_at: datetime | None,
    at: datetime,
    within_days: int | None,
    zone: ZoneInfo,
) -> DisputeOpened:
    """Raise a claim.

    `within_days` is the edition's limit after a sale, the day of sale not counted (A4; None: no limit).
    Raises Refusal claim_too_late.
    """
    if sold_at is not None and within_days is not None:
        last = last_day(sold_at, within_days, zone)
        if day_of(at, zone) > last:
            raise Refusal("claim_too_late", f"claims on this sale were possible through {last.isoformat()}")
    return DisputeOpened(visitor=visitor, sale=sale, by=by, label=label)


class RuleDispute(msgspec.Struct, frozen=True, kw_only=True):
    """`owner` and `shares` both None: the answer of the replay is adopted (`found_owner`, `found_shares`)."""

    owner: UUID | None
    shares: Mapping[UUID, Fraction] | None
    found_owner: UUID | None
    found_shares: Mapping[UUID, Fraction] | None
    by: UUID
    reason: str


def rule_dispute(dispute: Dispute, command: RuleDispute) -> DisputeRuled:
    """Rule on a dispute.

    Raises Refusal wrong_state (ruled before), bad_value (blank reason, shares that do not sum to 1, shares of
    a visitor).
    """
    if dispute.ruled is not None:
        raise Refusal("wrong_state", "this dispute has been ruled on; a new dispute may be opened")
    if command.shares is not None and (dispute.matter.sale is None or command.owner is not None):
        raise Refusal("bad_value", "shares are ruled on for a sale, and instead of an owner")
    if not command.reason.strip():
        raise Refusal("bad_value", "a ruling gives its reason")
    adopted = command.owner is None and command.shares is None
    owner = command.found_owner if adopted else command.owner
    shares = command.found_shares if adopted else command.shares
    return DisputeRuled(
        owner=owner,
        shares=None if shares is None else check_shares(shares),
        adopted=adopted,
        by=command.by,
        reason=command.reason,
    )
