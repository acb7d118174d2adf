"""Disputes: raising a claim, ruling on it; and the replay of history that settles it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import fields

from application.desk import Answer
from application.replay.lines import Replay
from application.replay.matter import Matter, matter_of_dispute, matter_of_sale, matter_of_visitor
from application.replay.report import Asked, replay
from domain.dispute import DisputeRuled
from domain.rules.vocabulary import fraction

from .answers import EntryLine, names
from .caller import Caller
from .examples import DISPUTE, PARAMETER, SALE, STAFF
from .fields import CommandSchema, Instant, OneOf, PostedQuerySchema, VisitorSchema, amendment, rulebook, shares, text
from .operations import Resource
from .whose import concerned_by_dispute, concerned_by_matter, said_of_oneself

disputes = Resource("disputes", "Disputes: claims, rulings, and replays of history that settle them")
SITE = "/sites/<uuid:site>"
ONE = f"{SITE}/disputes/<uuid:dispute>"


class Claim(OneOf, CommandSchema):
    one_of = ("sale", "visitor")
    sale = fields.UUID()
    visitor = fields.Nested(VisitorSchema)
    by = fields.UUID(metadata={"description": "Who claims; left out: the caller."})
    label = text(metadata={"description": "What it is called; left out: the next D-number."})


class Ruling(CommandSchema):
    reason = text(1000, required=True, metadata={"description": "Why. It stays on record as it is written."})
    owner = fields.UUID()
    shares = shares()


class Question(OneOf, PostedQuerySchema):
    one_of = ("sale", "visitor", "dispute")
    sale = fields.UUID()
    visitor = fields.Nested(VisitorSchema)
    dispute = fields.UUID()
    at = Instant(metadata={"description": "What held then; left out: now, or the moment of the sale."})
    known_at = Instant(metadata={"description": "By what was on record then; left out: now."})
    under = rulebook(metadata={"description": "What this rulebook would say; rulings left out."})
    amend = amendment(metadata={"description": "... or with these parameters changed."})


class DisputeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute. `adopted`: the ruling took the answer of the replay."""

    dispute: UUID
    label: str
    visitor: EntryLine
    sale: UUID | None
    by: UUID
    opened_at: datetime
    ruled_at: datetime | None
    ruled_by: UUID | None
    owner: UUID | None
    shares: dict[str, str] | None
    adopted: bool | None
    reason: str | None
    staff: dict[UUID, str]


@disputes.command(
    f"{SITE}/disputes", Claim, action="disputes.open", whose=said_of_oneself("by"), example={"sale": SALE, "by": STAFF},
    refuses=["unknown_sale", "unknown_visitor", "unknown_staff", "claim_too_late", "duplicate_label"],
)  # fmt: skip
def open_dispute(caller: Caller, given: dict[str, Any]) -> Answer:
    """Raise a claim on a sale or a visitor; answers what the dispute is called."""
    about = given.get("sale") or given["visitor"]
    return caller.office.open_dispute(
        caller.stamp(given), about=about, by=caller.by(given), label=given.get("label")
    )  # fmt: skip


@disputes.query(ONE, DisputeLine, action="disputes.read", whose=concerned_by_dispute, refuses=["unknown_dispute"])
def show_dispute(caller: Caller, given: dict[str, Any], *, dispute: UUID) -> DisputeLine:
    """A dispute, and how it was ruled on."""
    office = caller.office
    found, zone = office.files.dispute(dispute), office.files.site().zone
    matter = found.matter
    ruled = found.ruled.fact if found.ruled and isinstance(found.ruled.fact, DisputeRuled) else None
    return DisputeLine(
        dispute=dispute,
        label=matter.label,
        visitor=EntryLine(matter.visitor.visitor, matter.visitor.registration),
        sale=matter.sale,
        by=matter.by,
        opened_at=found.opened.occurred_at.astimezone(zone),
        ruled_at=found.ruled.occurred_at.astimezone(zone) if found.ruled else None,
        ruled_by=ruled.by if ruled else None,
        owner=ruled.owner if ruled else None,
        shares=ruled.shares if ruled else None,
        adopted=ruled.adopted if ruled else None,
        reason=ruled.reason if ruled else None,
        staff=names(office, [matter.by, *([ruled.by, ruled.owner, *(ruled.shares or {})] if ruled else [])]),
    )


@disputes.command(
    f"{ONE}/rulings", Ruling, action="disputes.rule", example={"reason": "met the customer first", "owner": STAFF},
    refuses=["unknown_dispute", "unknown_staff", "not_permitted", "wrong_state"],
)  # fmt: skip
def rule(caller: Caller, given: dict[str, Any], *, dispute: UUID) -> Answer:
    """Rule on a dispute; without `owner` and `shares` the answer of the replay is adopted."""
    named = given.get("shares")
    return caller.office.rule(
        caller.stamp(given),
        dispute=dispute,
        by=caller.staff,
        reason=given["reason"],
        owner=given.get("owner"),
        shares=None if named is None else {staff: fraction(share) for staff, share in named.items()},
    )


@disputes.query(
    f"{SITE}/replays", Replay, action="matters.replay", schema=Question, whose=concerned_by_matter,
    example={"dispute": DISPUTE, "amend": {PARAMETER: 60}},
    refuses=["unknown_sale", "unknown_visitor", "unknown_dispute", "unknown_rulebook", "unknown_parameter", "bad_value",
             "rulebook_silent"],
)  # fmt: skip
def replay_matter(caller: Caller, given: dict[str, Any]) -> Replay:
    """Settle a matter by replaying history: every step with its clause, every rival with the reason why it fails."""
    asked = {name: given[name] for name in ("at", "known_at", "under", "amend") if name in given}
    return replay(caller.office, _matter(caller, given), Asked(**asked))


def _matter(caller: Caller, given: dict[str, Any]) -> Matter:
    if given.get("sale") is not None:
        return matter_of_sale(caller.office, given["sale"])
    if given.get("dispute") is not None:
        return matter_of_dispute(caller.office, given["dispute"])
    return matter_of_visitor(caller.office, given["visitor"])
