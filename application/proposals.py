"""Proposals that take four eyes: made, approved, refused; and the export that an approved one gives."""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid4

from domain import four_eyes
from domain.disclosure import Limits, Purpose, repeated_late
from domain.four_eyes import ExportDownloaded, Proposal, ProposalMade, Proposals, Propose, proposals_id
from domain.record import Fact
from domain.refusals import Refusal

from .commands import Decided, Stamp
from .desk import Answer
from .sales_office import SalesOffice


def proposals_of(office: SalesOffice) -> Proposals:
    """All proposals of the site."""
    return office.record.load(proposals_id(office.site_id), four_eyes.evolve) or Proposals()


def propose_export(
    office: SalesOffice, stamp: Stamp, limits: Limits, *, owner: UUID | None, purpose: Purpose, persons: int
) -> Answer:
    """Ask for the register with names and phones in full, of all customers or one owner's: `persons` many.

    Raises Refusal unknown_staff, export_too_large, LimitReached too_many_exports."""
    command = Propose(
        proposal=uuid4(),
        what="export",
        about=owner,
        purpose=purpose,
        persons=persons,
        by=stamp.actor,
        persons_at_most=limits.persons_an_export,
        a_day=limits.exports_a_day,
    )

    def decide() -> Decided:
        known = proposals_of(office)
        return _next(office, known, four_eyes.propose(known, office.files.site(), command, office.now()))

    carried = office.carry_out(stamp, decide, export=owner, purpose=purpose)
    fact = carried.envelopes[0].fact
    assert isinstance(fact, ProposalMade)
    return office.answer(carried, subject=fact.proposal)


def approve(office: SalesOffice, stamp: Stamp, *, proposal: UUID) -> Answer:
    """Raises Refusal unknown_proposal, four_eyes, not_permitted, wrong_state."""

    def decide() -> Decided:
        known = proposals_of(office)
        approval = four_eyes.approve(known, office.files.site(), proposal, stamp.actor, office.now())
        return _next(office, known, approval)

    return office.answer(office.carry_out(stamp, decide, approve=proposal), subject=proposal)


def refuse(office: SalesOffice, stamp: Stamp, *, proposal: UUID) -> Answer:
    """Raises Refusal unknown_proposal, not_permitted, wrong_state."""

    def decide() -> Decided:
        known = proposals_of(office)
        return _next(office, known, four_eyes.refuse(known, office.files.site(), proposal, stamp.actor, office.now()))

    return office.answer(office.carry_out(stamp, decide, refuse=proposal), subject=proposal)


def export_approved(office: SalesOffice, proposal: UUID, by: UUID) -> Proposal:
    """The export, where this person may have it now. Raises Refusal unknown_proposal, not_permitted, wrong_state."""
    return four_eyes.approved(proposals_of(office), proposal, "export", by, office.now())


def hand_out(
    office: SalesOffice, stamp: Stamp, *, proposal: UUID, persons: int, position: int, format: Literal["xlsx", "json"]
) -> Answer:
    """Put on record that an export is handed to somebody, before it is. Raises what export_approved raises, and
    wrong_state for a second time: also for a repeat that comes late, or would hand out more than is on record."""

    def decide() -> Decided:
        known = proposals_of(office)
        told = {"persons": persons, "position": position}
        return _next(
            office,
            known,
            four_eyes.download(known, proposal, stamp.actor, office.now(), format=format, **told),
        )

    carried = office.carry_out(stamp, decide, export=proposal, format=format)
    (envelope,) = carried.envelopes
    assert isinstance(envelope.fact, ExportDownloaded)
    if carried.repeated:
        if repeated_late(envelope.recorded_at, office.now()):
            raise Refusal("wrong_state", "this was handed out before; propose it anew")
        if persons > envelope.fact.persons:
            raise Refusal("wrong_state", "there are more by now than were handed out before; propose it anew")
    return office.answer(carried, subject=proposal)


def _next(office: SalesOffice, known: Proposals, fact: Fact) -> Decided:
    return Decided([(proposals_id(office.site_id), known.version, [fact])])
