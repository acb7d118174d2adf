"""Four eyes: one proposes, another approves in time, and only then, for a while, it can be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from domain import four_eyes
from domain.four_eyes import DEEDS, ProposalApproved, ProposalMade, ProposalRefused, Proposals, Propose, evolve
from domain.record import Envelope, Fact
from domain.refusals import LimitReached, Refusal
from domain.site import Member, Site

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
MANAGER, OTHER, SUPERVISOR, AUDITOR, STRANGER = (UUID(int=number) for number in range(1, 6))
ROLES = {MANAGER: "manager", OTHER: "manager", SUPERVISOR: "supervisor", AUDITOR: "auditor"}
SITE = Site(
    id=UUID(int=9),
    version=3,
    name="滨江一号",
    timezone="Asia/Shanghai",
    opened_at=AT,
    staff={staff: Member(staff, b"", role, None) for staff, role in ROLES.items()},
    adoptions=(),
)
ID = UUID(int=7)
COMMAND = Propose(
    proposal=ID, what="export", about=None, purpose="contract", persons=10, by=MANAGER, persons_at_most=10, a_day=2
)
MADE = four_eyes.propose(Proposals(), SITE, COMMAND, AT)


def given(*facts: Fact, at: datetime = AT) -> Proposals:
    known: Proposals | None = None
    for version, fact in enumerate(facts, start=1):
        envelope = Envelope(
            site=SITE.id, stream=UUID(int=8), version=version, position=version, recorded_at=at, occurred_at=at,
            entered_at=None, actor=MANAGER, command_id=UUID(int=version), correlation_id=UUID(int=version),
            edition=None, fact=fact,
        )  # fmt: skip
        known = evolve(known, envelope)
    return known or Proposals()


def code_of(call: object) -> str:
    with pytest.raises(Refusal) as refused:
        call()  # type: ignore[operator]
    return refused.value.code


def test_another_approves() -> None:
    for who in (OTHER, AUDITOR):
        fact = four_eyes.approve(given(MADE), SITE, ID, who, AT)
        assert fact == ProposalApproved(proposal=ID, by=who, until=AT + timedelta(hours=24))


def test_the_proposer_never_does_and_not_everybody_may() -> None:
    assert code_of(lambda: four_eyes.approve(given(MADE), SITE, ID, MANAGER, AT)) == "four_eyes"
    assert code_of(lambda: four_eyes.approve(given(MADE), SITE, ID, SUPERVISOR, AT)) == "not_permitted"
    assert code_of(lambda: four_eyes.approve(given(MADE), SITE, ID, STRANGER, AT)) == "unknown_staff"
    assert code_of(lambda: four_eyes.approve(given(), SITE, ID, OTHER, AT)) == "unknown_proposal"


def test_a_proposal_is_decided_once_and_in_time() -> None:
    last = AT + timedelta(days=DEEDS["export"].open_days)
    four_eyes.approve(given(MADE), SITE, ID, OTHER, last - timedelta(seconds=1))
    assert code_of(lambda: four_eyes.approve(given(MADE), SITE, ID, OTHER, last)) == "wrong_state"
    assert code_of(lambda: four_eyes.refuse(given(MADE), SITE, ID, OTHER, last)) == "wrong_state"
    approved = ProposalApproved(proposal=ID, by=OTHER, until=AT + timedelta(hours=24))
    refused = ProposalRefused(proposal=ID, by=OTHER)
    for decided in (approved, refused):
        assert code_of(lambda d=decided: four_eyes.approve(given(MADE, d), SITE, ID, AUDITOR, AT)) == "wrong_state"  # type: ignore[misc]
        assert code_of(lambda d=decided: four_eyes.refuse(given(MADE, d), SITE, ID, AUDITOR, AT)) == "wrong_state"  # type: ignore[misc]


def test_who_refuses() -> None:
    assert four_eyes.refuse(given(MADE), SITE, ID, MANAGER, AT) == ProposalRefused(proposal=ID, by=MANAGER)
    assert four_eyes.refuse(given(MADE), SITE, ID, AUDITOR, AT).by == AUDITOR
    assert code_of(lambda: four_eyes.refuse(given(MADE), SITE, ID, SUPERVISOR, AT)) == "not_permitted"


def test_it_is_done_by_the_two_once_each_and_in_time() -> None:
    approval = ProposalApproved(proposal=ID, by=OTHER, until=AT + timedelta(hours=24))
    known = given(MADE, approval)

    def download(known: Proposals, who: UUID, at: datetime = AT) -> Fact:
        return four_eyes.download(known, ID, who, at, persons=10, position=5, format="xlsx")

    first = download(known, MANAGER)
    assert download(given(MADE, approval, first), OTHER, AT + timedelta(hours=24, seconds=-1))
    assert code_of(lambda: download(given(MADE, approval, first), MANAGER)) == "wrong_state"
    assert code_of(lambda: download(known, AUDITOR)) == "not_permitted"
    assert code_of(lambda: download(known, MANAGER, AT + timedelta(hours=24))) == "wrong_state"
    assert code_of(lambda: download(given(MADE), MANAGER)) == "wrong_state"
    assert code_of(lambda: download(given(MADE, ProposalRefused(proposal=ID, by=OTHER)), MANAGER)) == "wrong_state"
    other_deed = msgspec.structs.replace(MADE, what="something")
    assert code_of(lambda: download(given(other_deed), MANAGER)) == "unknown_proposal"


def test_so_many_persons_and_so_many_a_day() -> None:
    many = msgspec.structs.replace(COMMAND, persons=11)
    assert code_of(lambda: four_eyes.propose(Proposals(), SITE, many, AT)) == "export_too_large"
    strangers = msgspec.structs.replace(COMMAND, about=STRANGER)
    assert code_of(lambda: four_eyes.propose(Proposals(), SITE, strangers, AT)) == "unknown_staff"
    two = given(MADE, msgspec.structs.replace(MADE, proposal=UUID(int=10)))
    with pytest.raises(LimitReached) as refused:
        four_eyes.propose(two, SITE, COMMAND, AT)
    tomorrow = datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert (refused.value.code, refused.value.again_at) == ("too_many_exports", tomorrow)
    assert isinstance(four_eyes.propose(two, SITE, COMMAND, tomorrow), ProposalMade)


def test_how_a_proposal_stands() -> None:
    (one,) = given(MADE).by_id.values()
    assert (one.status(AT), one.status(MADE.until)) == ("open", "expired")
    (one,) = given(MADE, ProposalApproved(proposal=ID, by=OTHER, until=AT + timedelta(hours=24))).by_id.values()
    assert (one.status(AT), one.status(AT + timedelta(hours=24))) == ("approved", "expired")
    (one,) = given(MADE, ProposalRefused(proposal=ID, by=OTHER)).by_id.values()
    assert one.status(MADE.until) == "refused"
