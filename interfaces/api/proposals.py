"""Four eyes: proposals that somebody else must approve; and exports of the register in full, which take them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import current_app
from marshmallow import Schema, fields

from application import proposals as on_record
from application.desk import Answer
from domain.disclosure import PURPOSES, Limits
from domain.four_eyes import Proposal
from domain.refusals import Refusal
from projections.ownership import OWNERSHIP
from projections.reports import LAST_NUMBER, ownership
from projections.source import reading

from ..report_output import About, ReportPrinter
from ..report_sheets import Asked, every, register_sheets
from .answers import names
from .caller import Caller
from .errors import language
from .examples import STAFF
from .fields import code
from .operations import Resource
from .reading import Paged, cursor, key_after, source_of, today
from .spec import Download

proposals = Resource("proposals", "Four eyes: proposals, their approval, and exports of the register in full")
SITE = "/sites/<uuid:site>"
ONE = f"{SITE}/proposals/<uuid:proposal>"
FORMATS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "json": "application/json"}


class Export(Schema):
    purpose = code(PURPOSES, required=True)
    owner = fields.UUID(metadata={"description": "Only this one's customers; left out: everybody's."})


class Fetch(Schema):
    format = code(tuple(FORMATS), load_default="xlsx")


class OfStatus(Paged):
    status = code(["open", "approved", "refused", "expired"], metadata={"example": "open"})


class ProposalLine(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal. `about`: whose customers alone; `until`: while open, the end of being approved; once approved, of
    being carried out; `taken`: who has fetched the file."""

    proposal: UUID
    what: str
    about: UUID | None
    purpose: str
    persons: int
    by: UUID
    at: datetime
    status: str
    until: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    taken: tuple[UUID, ...]


class ProposalList(msgspec.Struct, frozen=True, kw_only=True):
    """Proposals, the latest first. `after`: what to ask on with; None: this is the end."""

    proposals: tuple[ProposalLine, ...]
    after: str | None
    staff: dict[UUID, str]


@proposals.command(
    f"{SITE}/exports", Export, action="exports.propose", example={"purpose": "contract", "owner": STAFF},
    refuses=["unknown_staff", "export_too_large", "too_many_exports", "views_missing"],
)  # fmt: skip
def propose_export(caller: Caller, given: dict[str, Any]) -> Answer:
    """Propose an export of the register with names and phones in full; `subject` is the proposal. Somebody else must
    approve it, and then each of the two may fetch the file once, for a day."""
    owner, limits = given.get("owner"), _limits()
    with source_of(caller) as source:
        found, _, _ = every(
            lambda **page: ownership(source, today(caller), owner or "all", **page), limits.persons_an_export + 1
        )
    return on_record.propose_export(
        caller.office, caller.stamp(given), limits, owner=owner, purpose=given["purpose"], persons=len(found)
    )


@proposals.query(f"{SITE}/proposals", ProposalList, action="proposals.read", schema=OfStatus)
def list_proposals(caller: Caller, given: dict[str, Any]) -> ProposalList:
    """The proposals, all or those of one status, in pages."""
    (before,), now = key_after(given, (LAST_NUMBER,)), caller.now()
    known = reversed(tuple(on_record.proposals_of(caller.office).by_id.values()))
    wanted = [one for one in known if one.number < before and given.get("status") in (None, one.status(now))]
    page = wanted[: given["limit"]]
    mentioned = [who for one in page for who in (one.made.by, one.made.about, one.decided_by, *one.taken)]
    return ProposalList(
        proposals=tuple(_line(caller, one, now) for one in page),
        after=cursor((page[-1].number,) if len(wanted) > len(page) else None),
        staff=names(caller.office, mentioned),
    )


@proposals.command(
    f"{ONE}/approval", Schema, action="proposals.approve", example={},
    refuses=["unknown_proposal", "four_eyes", "not_permitted", "wrong_state"],
)  # fmt: skip
def approve_proposal(caller: Caller, given: dict[str, Any], *, proposal: UUID) -> Answer:
    """Approve what somebody else has proposed."""
    return on_record.approve(caller.office, caller.stamp({}), proposal=proposal)


@proposals.command(
    f"{ONE}/refusal", Schema, action="proposals.refuse", example={},
    refuses=["unknown_proposal", "not_permitted", "wrong_state"],
)  # fmt: skip
def refuse_proposal(caller: Caller, given: dict[str, Any], *, proposal: UUID) -> Answer:
    """Refuse what somebody has proposed, or withdraw what one has proposed oneself."""
    return on_record.refuse(caller.office, caller.stamp({}), proposal=proposal)


@proposals.command(
    f"{SITE}/exports/<uuid:proposal>/downloads", Fetch, action="exports.download", example={"format": "xlsx"},
    answer=Download,
    refuses=["unknown_proposal", "not_permitted", "wrong_state", "export_too_large", "views_missing"],
)  # fmt: skip
def download_export(caller: Caller, given: dict[str, Any], *, proposal: UUID) -> Download:
    """The file of an approved export, made as it is fetched: nothing of it is kept. For who proposed and who approved
    it, once each, which is put on record."""
    office, limits, day = caller.office, _limits(), today(caller)
    approved, form = on_record.export_approved(office, proposal, caller.staff), given["format"]
    with source_of(caller) as source, reading(source, OWNERSHIP):
        asked = Asked(
            source=source, office=office, day=day, first=day, last=day, whose=approved.made.about,
            most=limits.persons_an_export,
        )  # fmt: skip
        found = register_sheets(asked)
    (sheet,) = found.sheets
    if sheet.more:
        raise Refusal("export_too_large", f"at most {limits.persons_an_export} persons")
    told = {"persons": len(sheet.rows), "position": found.holds.position}
    on_record.hand_out(office, caller.stamp(given), proposal=proposal, format=form, **told)
    site = office.files.site()
    about = About(report="ownership", site=site.name, first=day, last=day, zone=site.zone)
    printer = ReportPrinter(about, found, language())
    content = printer.workbook_bytes() if form == "xlsx" else printer.json_bytes()
    return Download(content, FORMATS[form], f"register-{day}.{form}")


def _line(caller: Caller, one: Proposal, now: datetime) -> ProposalLine:
    zone, made = caller.office.files.site().zone, one.made
    return ProposalLine(
        proposal=made.proposal,
        what=made.what,
        about=made.about,
        purpose=made.purpose,
        persons=made.persons,
        by=made.by,
        at=one.at.astimezone(zone),
        status=one.status(now),
        until=one.until.astimezone(zone),
        decided_by=one.decided_by,
        decided_at=one.decided_at.astimezone(zone) if one.decided_at else None,
        taken=one.taken,
    )


def _limits() -> Limits:
    limits: Limits = current_app.extensions["lunpai"].limits
    return limits
