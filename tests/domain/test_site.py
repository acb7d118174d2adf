"""Decisions of a site: who is on the staff list, which rulebook is in force, who has left."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.refusals import Refusal
from domain.site import (
    ROLES,
    AdoptRulebook,
    DepartStaff,
    EnrolStaff,
    RulebookAdopted,
    Site,
    SiteOpened,
    StaffDeparted,
    StaffEnrolled,
    adopt_rulebook,
    depart_staff,
    enrol_staff,
    evolve,
)
from tests.domain.given import CHEN, LIN, WANG, given, instant, on_record

OPENED = SiteOpened(name="滨江一号", timezone="Asia/Shanghai")
ADOPTED = RulebookAdopted(rulebook="house", in_force_from="2026-01-01", text="...", sha256="0" * 64, amend={}, by=None)


def enrolled(staff: UUID, role: str = "consultant") -> StaffEnrolled:
    return StaffEnrolled(staff=staff, sealed=b"x", role=role)  # type: ignore[arg-type]


def adopt(at: str = "2026-03-02 09:00", by: UUID | None = None) -> AdoptRulebook:
    return AdoptRulebook(
        rulebook="house", in_force_from="2026-01-01", text="...", sha256="0" * 64, amend={}, at=instant(at), by=by
    )


@pytest.mark.parametrize("role", ROLES)
def test_anybody_with_a_known_role_is_enrolled(role: str) -> None:
    command = EnrolStaff(staff=LIN, sealed=b"x", role=role, team="A")
    fact = StaffEnrolled(staff=LIN, sealed=b"x", role=role, team="A")  # type: ignore[arg-type]
    given(evolve, OPENED).when(enrol_staff, command).then(fact)


def test_nobody_is_enrolled_twice() -> None:
    command = EnrolStaff(staff=LIN, sealed=b"y", role="manager")
    given(evolve, OPENED, enrolled(LIN)).when(enrol_staff, command).then_refused("duplicate_label")


@pytest.mark.parametrize("role", ["", "boss", "Consultant", "consultant "])
def test_an_unknown_role_is_refused(role: str) -> None:
    given(evolve, OPENED).when(enrol_staff, EnrolStaff(staff=LIN, sealed=b"x", role=role)).then_refused("bad_value")


def test_the_office_adopts_a_rulebook() -> None:
    given(evolve, OPENED).when(adopt_rulebook, adopt()).then(ADOPTED)


def test_a_manager_adopts_a_rulebook() -> None:
    office = given(evolve, OPENED, enrolled(CHEN, "manager"))
    office.when(adopt_rulebook, adopt(by=CHEN)).then(
        RulebookAdopted(rulebook="house", in_force_from="2026-01-01", text="...", sha256="0" * 64, amend={}, by=CHEN)
    )


@pytest.mark.parametrize("role", [role for role in ROLES if role != "manager"])
def test_only_a_manager_adopts_a_rulebook(role: str) -> None:
    office = given(evolve, OPENED, enrolled(LIN, role))
    office.when(adopt_rulebook, adopt(by=LIN)).then_refused("not_permitted")


def test_a_stranger_adopts_nothing() -> None:
    given(evolve, OPENED).when(adopt_rulebook, adopt(by=WANG)).then_refused("unknown_staff")


@pytest.mark.parametrize(("at", "code"), [("2026-03-02 09:00", None), ("2026-03-02 08:59", "bad_time")])
def test_an_adoption_is_never_dated_before_the_last(at: str, code: str | None) -> None:
    decided = given(evolve, OPENED, ADOPTED).when(adopt_rulebook, adopt(at))
    decided.then_refused(code) if code else decided.then(ADOPTED)


@pytest.mark.parametrize("by", [None, CHEN])
def test_a_consultant_leaves(by: UUID | None) -> None:
    office = given(evolve, OPENED, enrolled(LIN), enrolled(CHEN, "manager"))
    office.when(depart_staff, DepartStaff(staff=LIN, by=by)).then(StaffDeparted(staff=LIN, by=by))


def test_nobody_leaves_twice() -> None:
    office = given(evolve, OPENED, enrolled(LIN), StaffDeparted(staff=LIN, by=None))
    office.when(depart_staff, DepartStaff(staff=LIN, by=None)).then_refused("wrong_state")


@pytest.mark.parametrize(("role", "code"), [("consultant", "not_permitted"), ("desk", "not_permitted")])
def test_a_departure_is_recorded_by_those_in_charge(role: str, code: str) -> None:
    office = given(evolve, OPENED, enrolled(LIN), enrolled(WANG, role))
    office.when(depart_staff, DepartStaff(staff=LIN, by=WANG)).then_refused(code)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "consultant"])
def test_anybody_but_a_consultant_leaves_by_a_managers_hand_alone(role: str) -> None:
    office = given(evolve, OPENED, enrolled(LIN, role), enrolled(WANG, "supervisor"), enrolled(CHEN, "manager"))
    office.when(depart_staff, DepartStaff(staff=LIN, by=WANG)).then_refused("not_permitted")
    office.when(depart_staff, DepartStaff(staff=LIN, by=CHEN)).then(StaffDeparted(staff=LIN, by=CHEN))
    office.when(depart_staff, DepartStaff(staff=LIN, by=None)).then(StaffDeparted(staff=LIN, by=None))


def test_a_consultant_leaves_by_a_supervisors_hand_too() -> None:
    office = given(evolve, OPENED, enrolled(LIN), enrolled(WANG, "supervisor"))
    office.when(depart_staff, DepartStaff(staff=LIN, by=WANG)).then(StaffDeparted(staff=LIN, by=WANG))


def test_a_stranger_does_not_leave() -> None:
    given(evolve, OPENED).when(depart_staff, DepartStaff(staff=LIN, by=None)).then_refused("unknown_staff")


def test_the_state_tells_who_is_there_and_what_was_adopted() -> None:
    site = given(evolve, OPENED, enrolled(LIN), ADOPTED, StaffDeparted(staff=LIN, by=None)).state
    assert isinstance(site, Site)
    assert (site.version, site.name, site.zone.key) == (4, "滨江一号", "Asia/Shanghai")
    assert site.member(LIN).departed and [e.fact for e in site.adoptions] == [ADOPTED]
    with pytest.raises(Refusal, match="unknown_staff"):
        site.member(WANG)


def test_before_it_is_opened_there_is_no_site() -> None:
    assert evolve(None, on_record(enrolled(LIN))) is None
