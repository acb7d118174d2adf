"""What happened on which day, counted: what daily and monthly reports, the scoreboard and the ranking are made of
(Q1, Q2, Q3, Q5). The counts of all dossiers add up."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from domain.attribution import Step
from domain.calendar import day_of
from domain.dispute import DisputeRuled
from domain.rules.vocabulary import VIAS
from domain.sale import Sale
from domain.settlement import Settlement
from domain.visitor import Entry, VisitorRegistered

from .dossier import CUSTOMER, DISPUTE, Judged
from .view import Column, Row, View

NOBODY = UUID(int=0)
"""In place of a member of staff, where there is none."""

REGISTERED = {via: f"registered.{via}" for via in VIAS}
NEW_CLIENT, RETURNING, REFOUNDED, TRANSFERRED = "new_client", "returning", "refounded", "transferred"
FOLLOW_UP, WITHOUT_EFFECT, ENTERED_LATE = "follow_up", "follow_up_without_effect", "entered_late"
LAPSED, CONVERTED, SOLD, DISPUTE_RAISED, RULED = "lapsed", "converted", "sold", "dispute_raised", "ruled"

WHAT: dict[str, str] = {
    **{code: f"registrations by {via}, by whoever registered" for via, code in REGISTERED.items()},
    NEW_CLIENT: "claims on customers whom nobody had owned before, for the owner",
    RETURNING: "registrations of customers who were on the register already, by whoever registered",
    REFOUNDED: "claims on customers whom somebody had owned before and nobody did then, for the owner",
    TRANSFERRED: "claims given by an assignment or a ruling, or taken from another owner, for the new owner",
    FOLLOW_UP: "follow-ups that counted",
    WITHOUT_EFFECT: "follow-ups that did nothing to the claim",
    ENTERED_LATE: "registrations and follow-ups entered so late that they count from their entry, on the day of entry",
    LAPSED: "claims that ran out, on the first day without protection, for the owner who lost them",
    CONVERTED: "sales of customers whom somebody owned before the sale, for the owner",
    SOLD: "sales closed, once for each closer",
    DISPUTE_RAISED: "disputes raised",
    RULED: "disputes ruled on",
}
"""Code -> what is counted. Each falls on the day it happened, on the site's calendar, unless it says otherwise."""

ASSIGNMENTS = frozenset({"distribution", "inheritance", "reassignment"})


class _Count:
    """The counts of one dossier, with the facts behind each; what stands there several times adds up."""

    def __init__(self, judged: Judged) -> None:
        self.site, self.zone = judged.site, judged.context.zone
        self.rows: list[Row] = []

    def day(self, at: datetime) -> date:
        return day_of(at, self.zone)

    def add(self, day: date, staff: UUID, what: str, facts: tuple[int, ...]) -> None:
        self.rows.append(Row((self.site, day, staff, what, 1), facts))


def _of_customers(judged: Judged) -> list[Row]:
    count = _Count(judged)
    for first, found in judged.customers:
        owner: UUID | None = None
        rests_on: tuple[int, ...] = ()
        owned_before = False
        for step in found.steps:
            day, claim, what, position = step.on or count.day(step.at), step.claim, step.what, step.position
            by, facts = step.by[0] if step.by else NOBODY, () if position is None else (position,)
            if what == "registration" and step.entry is not None:
                count.add(day, by, _registered(judged, step.entry), facts)
                if step.entry != first:
                    count.add(day, by, RETURNING, facts)
            elif what == "follow_up":
                count.add(day, by, WITHOUT_EFFECT if step.effect == "nothing" else FOLLOW_UP, facts)
            elif what == "lapse":
                count.add(day, owner or NOBODY, LAPSED, tuple(sorted(rests_on)))
            if step.late:
                count.add(count.day(step.known_at), by, ENTERED_LATE, facts)
            if claim is None:
                owner, rests_on = None, ()
                continue
            after = claim.owner
            if after is not owner and after != owner:
                count.add(day, after, _founded(step, owner, owned_before), facts)
            owner, rests_on, owned_before = after, claim.facts, True
    for sale, settled in judged.sales:
        _sold(count, sale, settled)
    return count.rows


def _registered(judged: Judged, entry: Entry) -> str:
    fact = judged.registrations[entry].fact
    assert isinstance(fact, VisitorRegistered)
    return REGISTERED[fact.via]


def _founded(step: Step, owner: UUID | None, owned_before: bool) -> str:
    """What it is that somebody owns whom `owner` (None: nobody) owned until then."""
    if owner is not None or step.what == "ruling" or step.what in ASSIGNMENTS:
        return TRANSFERRED
    return REFOUNDED if owned_before else NEW_CLIENT


def _sold(count: _Count, sale: Sale, settled: Settlement) -> None:
    at, facts = sale.recorded.occurred_at, (sale.recorded.position,)
    day = count.day(at)
    for staff in sale.terms.by:
        count.add(day, staff, SOLD, facts)
    claim = settled.attribution.claim
    # Where nobody owned, the sale itself founds its closer's claim: nobody's client was converted then.
    by_itself = claim is not None and claim.ground == "closed_the_sale" and claim.since == at
    if settled.owner is not None and (settled.owner_ruled or not by_itself):
        count.add(day, settled.owner, CONVERTED, facts)


def _of_disputes(judged: Judged) -> list[Row]:
    count, dispute = _Count(judged), judged.dispute
    if dispute is not None:
        opened, ruled = dispute.opened, dispute.ruled
        count.add(count.day(opened.occurred_at), dispute.matter.by, DISPUTE_RAISED, (opened.position,))
        if ruled is not None and isinstance(ruled.fact, DisputeRuled):
            count.add(count.day(ruled.occurred_at), ruled.fact.by, RULED, (ruled.position,))
    return count.rows


ACTIVITY = View(
    name="activity",
    about_en="What happened on each day, counted per member of staff: entries, claims, follow-ups, sales, disputes",
    about_zh="每天每人做了多少：登记、归属变动、跟进、成交、争议；日报、月报和排名由此而来",
    columns=(
        Column("site", "uuid", "the site"),
        Column("day", "date", "the day, on the site's calendar"),
        Column("staff", "uuid", "the member of staff; the nil UUID: nobody"),
        Column("what", "text", "what is counted: one of the codes of WHAT"),
        Column("count", "bigint", "how many"),
    ),
    key=4,
    sums=1,
    rows={CUSTOMER: _of_customers, DISPUTE: _of_disputes},
)
