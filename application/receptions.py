"""What a reception and a visitor's file tell each other: labels, who was entrusted, who answered, what was received."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.attribution import Attribution
from domain.queue_state import Reception
from domain.record import Fact
from domain.refusals import Refusal
from domain.visitor import Entry, VisitorEntrusted, VisitorFile, VisitorReceived, VisitorRegistered


def reception_label(text: str) -> str:
    """A label for a reception: letters without accents, digits, `.`, `_`, `-`, at most 40, and nothing like a telephone
    number, as labels stay on record for ever in the clear. Raises Refusal bad_value."""
    label = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", label) or re.search(r"\d{9}", label):
        raise Refusal("bad_value", "a reception's label is a short code such as r1, without names or telephone numbers")
    return label


def entrusted_to(found: Attribution, files: Iterable[VisitorFile]) -> UUID | None:
    """Whom the present owner has asked last to look after the customer."""
    given: list[tuple[datetime, UUID]] = [
        (envelope.occurred_at, envelope.fact.to)
        for file in files
        for envelope in file.history
        if isinstance(envelope.fact, VisitorEntrusted)
        and envelope.fact.by == found.owner
        and Entry(file.id, envelope.fact.registration) in found.customer.entries
    ]
    return max(given)[1] if given else None


def answered_by(fact: Fact) -> UUID | None:
    """Who took the call, if the fact is one."""
    if isinstance(fact, VisitorReceived):
        return fact.receiver if fact.channel == "call" else None
    return fact.by if isinstance(fact, VisitorRegistered) and fact.via == "call" else None


def received(reception: Reception, entry: Entry) -> VisitorReceived:
    """What the visitor's own file keeps of a reception that is over."""
    asked, choice = reception.asked, reception.choice
    assert choice.staff is not None
    came: Literal["named", "invited", "brought", "known", "unknown"] = "unknown"
    mine = choice.instead_of or choice.staff
    if asked.asks_for == mine:
        came = "named"
    elif asked.invited_by == mine:
        came = "invited"
    elif asked.referrer == mine:
        came = "brought"
    elif asked.found_by is not None and reception.recognised == "no":
        came = "known"
    seconds = None
    if reception.recognised_at is not None:
        seconds = int((reception.recognised_at - reception.opened_at).total_seconds())
    return VisitorReceived(
        registration=entry.registration,
        receiver=choice.staff,
        channel=reception.channel,
        came=came,
        began_at=reception.opened_at,
        present=tuple(sorted(reception.present)),
        in_stead_of=choice.instead_of,
        ground=choice.ground,
        entrusted=choice.entrusted,
        recognised_after_seconds=seconds,
    )
