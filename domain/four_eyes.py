"""Four eyes: what one person alone may not do is proposed by one and approved by another, and only then can be done.

All proposals of a site are one stream, on whose version each decision is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from .calendar import day_of
from .disclosure import Purpose, day_ends
from .record import Envelope, Fact, stored_as
from .refusals import LimitReached, Refusal
from .site import Site

Status = Literal["open", "approved", "refused", "expired"]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that takes four eyes. `approvers`: the roles that may approve it; `open_days`: how long a proposal
    waits for that; `usable_hours`: how long after the approval it may be carried out."""

    approvers: tuple[str, ...]
    open_days: int
    usable_hours: int


DEEDS: Mapping[str, Deed] = {"export": Deed(approvers=("manager", "auditor"), open_days=7, usable_hours=24)}
"""All that takes four eyes, by what a proposal calls it."""


@stored_as("proposal.made.v1")
class ProposalMade(Fact, frozen=True, kw_only=True):
    """`what`: one of DEEDS. `about`: whom alone it concerns - of an export, the owner of the customers -, None: all.
    `persons`: how many persons' data it was about when it was proposed. Nobody can approve it from `until` on."""

    proposal: UUID
    what: str
    about: UUID | None
    purpose: Purpose
    persons: int
    by: UUID
    until: datetime


@stored_as("proposal.approved.v1")
class ProposalApproved(Fact, frozen=True, kw_only=True):
    """It may be carried out before `until`."""

    proposal: UUID
    by: UUID
    until: datetime


@stored_as("proposal.refused.v1")
class ProposalRefused(Fact, frozen=True, kw_only=True):
    """By somebody who might have approved it, or withdrawn by the one who made it."""

    proposal: UUID
    by: UUID


@stored_as("export.downloaded.v1")
class ExportDownloaded(Fact, frozen=True, kw_only=True):
    """An approved export was handed to somebody: so many persons' data, as the views held them up to `position`."""

    proposal: UUID
    by: UUID
    persons: int
    position: int
    format: Literal["xlsx", "json"]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """`number`: its place in the stream. `until`: while open, the end of being approved; once approved, of being
    carried out. `taken`: who has had what it gives."""

    made: ProposalMade
    number: int
    at: datetime
    until: datetime
    decided: Literal["approved", "refused"] | None = None
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    taken: tuple[UUID, ...] = ()

    def status(self, now: datetime) -> Status:
        """How it stands: that a time has run out is seen by whoever looks."""
        if self.decided == "refused":
            return "refused"
        return "expired" if now >= self.until else self.decided or "open"


class Proposals(msgspec.Struct, frozen=True):
    """All proposals of a site by id, oldest first."""

    version: int = 0
    by_id: Mapping[UUID, Proposal] = {}

    def known(self, proposal: UUID) -> Proposal:
        """Raises Refusal unknown_proposal."""
        if proposal not in self.by_id:
            raise Refusal("unknown_proposal", str(proposal))
        return self.by_id[proposal]


def evolve(proposals: Proposals | None, envelope: Envelope) -> Proposals:
    """Total."""
    known, fact, at = dict(proposals.by_id) if proposals else {}, envelope.fact, envelope.occurred_at
    if isinstance(fact, ProposalMade):
        known[fact.proposal] = Proposal(made=fact, number=envelope.version, at=at, until=fact.until)
    elif isinstance(fact, ProposalApproved | ProposalRefused) and (one := known.get(fact.proposal)):
        decided: Literal["approved", "refused"] = "approved" if isinstance(fact, ProposalApproved) else "refused"
        until = fact.until if isinstance(fact, ProposalApproved) else one.until
        known[fact.proposal] = msgspec.structs.replace(
            one, decided=decided, decided_by=fact.by, decided_at=at, until=until
        )
    elif isinstance(fact, ExportDownloaded) and (one := known.get(fact.proposal)):
        known[fact.proposal] = msgspec.structs.replace(one, taken=(*one.taken, fact.by))
    return Proposals(envelope.version, known)


class Propose(msgspec.Struct, frozen=True, kw_only=True):
    """`persons_at_most`, `a_day`: how many persons it may be about, and how many such proposals a site may make on one
    day of its calendar."""

    proposal: UUID
    what: str
    about: UUID | None
    purpose: Purpose
    persons: int
    by: UUID
    persons_at_most: int
    a_day: int


def propose(proposals: Proposals, site: Site, command: Propose, now: datetime) -> ProposalMade:
    """Raises Refusal export_too_large, unknown_staff, LimitReached too_many_exports."""
    if command.about is not None:
        site.member(command.about)
    if command.persons > command.persons_at_most:
        raise Refusal("export_too_large", f"at most {command.persons_at_most} persons")
    if made_on(proposals, command.what, now, site.zone) >= command.a_day:
        raise LimitReached("too_many_exports", again_at=day_ends(now, site.zone))
    return ProposalMade(
        proposal=command.proposal,
        what=command.what,
        about=command.about,
        purpose=command.purpose,
        persons=command.persons,
        by=command.by,
        until=now + timedelta(days=DEEDS[command.what].open_days),
    )


def made_on(proposals: Proposals, what: str, now: datetime, zone: ZoneInfo) -> int:
    """How many proposals of a kind were made on the present day of the site's calendar."""
    today = day_of(now, zone)
    return sum(one.made.what == what and day_of(one.at, zone) == today for one in proposals.by_id.values())


def approve(proposals: Proposals, site: Site, proposal: UUID, by: UUID, now: datetime) -> ProposalApproved:
    """Raises Refusal unknown_proposal, four_eyes (by the proposer), not_permitted (role), wrong_state (decided before,
    or expired)."""
    known = proposals.known(proposal)
    deed = DEEDS[known.made.what]
    if by == known.made.by:
        raise Refusal("four_eyes")
    site.require_role(by, deed.approvers, "approving this")
    _still_open(known, now)
    return ProposalApproved(proposal=proposal, by=by, until=now + timedelta(hours=deed.usable_hours))


def refuse(proposals: Proposals, site: Site, proposal: UUID, by: UUID, now: datetime) -> ProposalRefused:
    """Raises Refusal unknown_proposal, not_permitted (neither the proposer's nor a role that approves), wrong_state."""
    known = proposals.known(proposal)
    if by != known.made.by:
        site.require_role(by, DEEDS[known.made.what].approvers, "refusing this")
    _still_open(known, now)
    return ProposalRefused(proposal=proposal, by=by)


def _still_open(proposal: Proposal, now: datetime) -> None:
    if (status := proposal.status(now)) != "open":
        raise Refusal("wrong_state", f"the proposal is {status}")


def approved(proposals: Proposals, proposal: UUID, what: str, by: UUID, now: datetime) -> Proposal:
    """The proposal, where it may be carried out now by this person: the one who made or the one who approved it.

    Raises Refusal unknown_proposal, not_permitted, wrong_state (not approved, or no longer)."""
    known = proposals.known(proposal)
    if known.made.what != what:
        raise Refusal("unknown_proposal", str(proposal))
    if by not in (known.made.by, known.decided_by):
        raise Refusal("not_permitted", "only who proposed and who approved it")
    if (status := known.status(now)) != "approved":
        raise Refusal("wrong_state", f"the proposal is {status}")
    return known


def download(
    proposals: Proposals,
    proposal: UUID,
    by: UUID,
    now: datetime,
    *,
    persons: int,
    position: int,
    format: Literal["xlsx", "json"],
) -> ExportDownloaded:
    """Raises what `approved` raises, and wrong_state for a second time."""
    if by in approved(proposals, proposal, "export", by, now).taken:
        raise Refusal("wrong_state", "each of the two may have it once")
    return ExportDownloaded(proposal=proposal, by=by, persons=persons, position=position, format=format)


def proposals_id(site: UUID) -> UUID:
    """The stream of a site's proposals."""
    return uuid5(site, "proposals")
