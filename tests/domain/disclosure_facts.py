"""Looks at personal data and proposals, for pasts made up at random."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from domain import disclosure, four_eyes
from domain.record import Fact
from domain.visitor import Entry

ids = st.integers(1, 4).map(lambda number: UUID(int=number))
times = st.integers(1, 9).map(lambda day: datetime(2026, 3, day, tzinfo=UTC))
purposes = st.sampled_from(disclosure.PURPOSES)
sealed = st.none() | st.binary(max_size=3)

FACTS: dict[str, st.SearchStrategy[Fact]] = {
    "disclosure.looked_up.v1": st.builds(
        disclosure.LookedUp,
        by=ids,
        kind=st.sampled_from(["phone", "name"]),
        asked_hash=st.binary(max_size=3),
        found=st.integers(0, 5),
    ),
    "disclosure.revealed.v1": st.builds(
        disclosure.Revealed,
        visitor=st.builds(Entry, ids, st.integers(1, 3)),
        by=ids,
        purpose=purposes,
        person=ids,
        sealed=sealed,
    ),
    "proposal.made.v1": st.builds(
        four_eyes.ProposalMade,
        proposal=ids,
        what=st.sampled_from(["export", "what nobody proposes any more"]),
        about=st.none() | ids,
        purpose=purposes,
        persons=st.integers(0, 5),
        by=ids,
        until=times,
    ),
    "proposal.approved.v1": st.builds(four_eyes.ProposalApproved, proposal=ids, by=ids, until=times),
    "proposal.refused.v1": st.builds(four_eyes.ProposalRefused, proposal=ids, by=ids),
    "export.downloaded.v1": st.builds(
        four_eyes.ExportDownloaded,
        proposal=ids,
        by=ids,
        persons=st.integers(0, 5),
        position=st.integers(1, 9),
        format=st.sampled_from(["xlsx", "json"]),
    ),
}
