"""`evolve` is total: any facts in any order load, in pieces as well as in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain import access, disclosure, dispute, four_eyes, queue_state, sale, site, visitor
from domain.record import FACTS, Envelope, Fact
from domain.visitor import Entry
from tests.domain import disclosure_facts, queue_facts
from tests.domain.given import on_record

ids = st.integers(1, 4).map(lambda number: UUID(int=number))
numbers = st.integers(-1, 5)
entries = st.builds(Entry, ids, numbers)
shares = st.dictionaries(ids.map(str), st.sampled_from(["1/3", "1", "2/3"]), max_size=3)
by = st.lists(ids, max_size=3).map(tuple)
no_or_id, text = st.none() | ids, st.text(max_size=5)

facts: dict[str, st.SearchStrategy[Fact]] = {
    "site.opened.v1": st.builds(site.SiteOpened, name=text, timezone=st.just("Asia/Shanghai")),
    "staff.enrolled.v1": st.builds(
        site.StaffEnrolled, staff=ids, sealed=st.binary(max_size=3), role=st.sampled_from(site.ROLES)
    ),
    "staff.departed.v1": st.builds(site.StaffDeparted, staff=ids, by=no_or_id),
    "rulebook.adopted.v1": st.builds(
        site.RulebookAdopted, rulebook=text, in_force_from=text, text=text, sha256=text, amend=st.just({}), by=no_or_id
    ),
    "visitor.registered.v1": st.builds(
        visitor.VisitorRegistered,
        registration=numbers,
        person=ids,
        sealed=st.binary(max_size=3),
        has_name=st.booleans(),
        has_phone=st.booleans(),
        same_name_as=st.none() | numbers,
        by=ids,
        via=st.sampled_from(visitor.VIAS),
    ),
    "visitor.followed_up.v1": st.builds(
        visitor.VisitorFollowedUp, registration=numbers, by=ids, how=st.sampled_from(visitor.HOWS)
    ),
    "visitor.related.v1": st.builds(
        visitor.VisitorRelated,
        visitor=entries,
        to=entries,
        relation=st.sampled_from(visitor.RELATIONS),
        proven=st.booleans(),
    ),
    "visitor.bought.v1": st.builds(visitor.VisitorBought, registration=numbers, sale=ids, by=by),
    "visitor.ruled.v1": st.builds(visitor.VisitorRuled, registration=numbers, dispute=ids, owner=no_or_id),
    "visitor.assigned.v1": st.builds(
        visitor.VisitorAssigned,
        registration=numbers,
        to=ids,
        by=no_or_id,
        how=st.sampled_from(["distribution", "inheritance", "reassignment"]),
    ),
    "sale.recorded.v1": st.builds(
        sale.SaleRecorded, visitor=entries, by=by, amount=st.just(Decimal("1.00")), unit=st.none() | text
    ),
    "sale.agreed.v1": st.builds(sale.SharesAgreed, shares=shares, by=by),
    "sale.ruled.v1": st.builds(sale.SaleRuled, dispute=ids, shares=st.none() | shares, owner=no_or_id),
    "dispute.opened.v1": st.builds(dispute.DisputeOpened, visitor=entries, sale=no_or_id, by=ids, label=text),
    "dispute.ruled.v1": st.builds(
        dispute.DisputeRuled, owner=no_or_id, shares=st.none() | shares, adopted=st.booleans(), by=ids, reason=text
    ),
    "access.key_issued.v1": st.builds(
        access.KeyIssued,
        key=st.sampled_from("abc"),
        sha256=st.binary(max_size=3),
        staff=ids,
        scopes=st.just(("floor:read",)),
        expires_at=st.none(),
        by=no_or_id,
    ),
    "access.key_revoked.v1": st.builds(access.KeyRevoked, key=st.sampled_from("abc"), by=no_or_id),
    "access.login_bound.v1": st.builds(
        access.LoginBound,
        login=st.sampled_from("abc"),
        issuer=st.just("https://id.example"),
        sealed=st.binary(max_size=3),
        staff=ids,
        by=no_or_id,
    ),
    "access.login_unbound.v1": st.builds(access.LoginUnbound, login=st.sampled_from("abc"), by=no_or_id),
    **queue_facts.FACTS,
    **disclosure_facts.FACTS,
}
histories = st.lists(st.one_of(*facts.values()), max_size=12)
Evolve = Callable[[Any, Envelope], Any]
EVOLVES = [
    *(site.evolve, visitor.evolve, sale.evolve, dispute.evolve, queue_state.evolve, access.evolve),
    *(disclosure.evolve, four_eyes.evolve),
]


def on_the_record(history: Sequence[Fact]) -> list[Envelope]:
    return [on_record(fact, position=number, version=number) for number, fact in enumerate(history, start=1)]


def test_every_fact_there_is_takes_part() -> None:
    assert facts.keys() == FACTS.keys()


@pytest.mark.parametrize("evolve", EVOLVES, ids=lambda evolve: evolve.__module__)
@for_all(history=histories)
def test_any_past_loads(evolve: Evolve, history: list[Fact]) -> None:
    state = reduce(evolve, on_the_record(history), None)
    if state is not None:
        assert state.version == len(history)


@pytest.mark.parametrize("evolve", EVOLVES, ids=lambda evolve: evolve.__module__)
@for_all(history=histories, cut=st.integers(0, 12))
def test_loading_in_pieces_is_loading_the_whole(evolve: Evolve, history: list[Fact], cut: int) -> None:
    whole = on_the_record(history)
    part = reduce(evolve, whole[:cut], None)
    before = repr(part)
    assert reduce(evolve, whole[cut:], part) == reduce(evolve, whole, None)
    assert repr(part) == before  # states are values: going on changes nothing behind


@for_all(history=histories)
def test_a_visitors_file_forgets_nothing(history: list[Fact]) -> None:
    found = reduce(visitor.evolve, on_the_record(history), None)
    assert [envelope.fact for envelope in (found.history if found else ())] == history
