"""How often a site is read: at every use, or once where somebody holds on to it; and never so that a command is decided
on what is no longer so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from application import desk
from application.access_keys import AccessRead, Gate, Shown, issue
from application.commands import Stamp
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.record import Envelope
from domain.refusals import Refusal

LONG_AGO = datetime(2000, 1, 2, tzinfo=UTC)


def before() -> Stamp:
    return Stamp(actor=uuid4(), at=LONG_AGO, entered_at=LONG_AGO)


@pytest.fixture
def offices(
    record: Record, keyring: Keyring, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> tuple[SalesOffice, SalesOffice]:
    """The same office in two processes; what was read counts as fresh however slow this machine is."""
    monkeypatch.setattr(desk, "FRESH_SECONDS", 60.0)
    one = open_site(record, keyring, shelf, name=f"案场{uuid4()}", timezone="Asia/Shanghai", stamp=before())
    one.adopt(before(), rulebook="forty-three-articles")
    return one, SalesOffice(record, keyring, shelf, one.site_id)


def somebody_with_a_key(office: SalesOffice) -> tuple[UUID, Shown]:
    staff = office.enrol_staff(before(), name="林芳").subject
    assert staff is not None
    return staff, issue(office, Stamp(actor=uuid4(), at=datetime.now(UTC), at_given=False), staff=staff)


def test_a_held_site_is_read_once(offices: tuple[SalesOffice, SalesOffice]) -> None:
    here, there = offices
    files = here.files
    assert files.site().staff == {}
    first = there.enrol_staff(before(), name="林芳").subject
    assert set(files.site().staff) == {first}
    files.hold()
    assert set(files.site().staff) == {first}
    second = there.enrol_staff(before(), name="赵强").subject
    assert set(files.site().staff) == {first}
    files.read_anew(older_than_seconds=60)
    assert set(files.site().staff) == {first}
    files.read_anew()
    assert set(files.site().staff) == {first, second}
    third = there.enrol_staff(before(), name="钱多").subject
    files.hold()  # the next request
    assert set(files.site().staff) == {first, second, third}
    fourth = there.enrol_staff(before(), name="孙立").subject
    files.let_go()
    assert set(files.site().staff) == {first, second, third, fourth}


def test_a_command_is_decided_on_a_fresh_reading(
    offices: tuple[SalesOffice, SalesOffice], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long somebody has held on to the site, as where a body is slow to come in."""
    here, there = offices
    here.files.hold()
    here.files.site()
    staff = there.enrol_staff(before(), name="林芳").subject
    assert staff is not None
    with pytest.raises(Refusal, match="unknown_staff"):
        here.register(before(), by=staff, name="客户")
    monkeypatch.setattr(desk, "FRESH_SECONDS", 0.0)
    assert here.register(before(), by=staff, name="客户").entry is not None


def test_a_command_that_meets_another_is_decided_anew(offices: tuple[SalesOffice, SalesOffice]) -> None:
    """The site has moved since it was read: the second try sees it as it is."""
    here, there = offices
    here.files.hold()
    here.files.site()
    first = there.enrol_staff(before(), name="林芳").subject
    second = here.enrol_staff(before(), name="赵强").subject
    assert list(here.files.site().staff) == [first, second]


def test_an_answer_takes_in_what_came_before_it(offices: tuple[SalesOffice, SalesOffice]) -> None:
    """A rulebook adopted between the reading and the append holds for the answer, as it will when it is asked again."""
    here, there = offices
    staff = here.enrol_staff(before(), name="林芳").subject
    assert staff is not None
    here.files.hold()
    here.files.site()
    there.adopt(before(), amend={"attribution.protection_days": 7})
    stamp = Stamp(actor=staff, at=datetime.now(UTC), at_given=False)
    first = here.register(stamp, by=staff, name="客户", phone="13900000001")
    assert (first.facts[0].edition or "").endswith("*"), "decided anew, on what held when it was put on record"
    again = there.register(stamp, by=staff, name="客户", phone="13900000001")
    assert again.repeated and again.attribution == first.attribution


def test_a_command_and_its_answer_rest_on_one_reading(
    offices: tuple[SalesOffice, SalesOffice], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = offices
    staff = here.enrol_staff(before(), name="林芳").subject
    assert staff is not None
    load_since, read = record.load_since, list[UUID]()
    monkeypatch.setattr(
        record, "load_since", lambda stream, version: read.append(stream) or load_since(stream, version)
    )
    assert here.register(before(), by=staff, name="客户", phone="13900000001").entry is not None
    assert read.count(here.site_id) > 1, "who holds on to nothing reads for the answer as it is told"
    here.files.hold()
    read.clear()
    assert here.register(before(), by=staff, name="客户", phone="13900000002").entry is not None
    assert read == [here.site_id]


def test_nobody_goes_on_from_what_may_be_lost(
    offices: tuple[SalesOffice, SalesOffice], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a connection broke: what was read before may not have been on disk when the database died."""
    here, _ = offices
    _, key = somebody_with_a_key(here)
    gate = Gate(record)
    day = here.files.opened_on
    read: list[int] = []

    def load_since(stream: UUID, version: int) -> list[Envelope]:
        read.append(version)
        return Record.load_since(record, stream, version)

    def load_since_each(versions: Mapping[UUID, int]) -> dict[UUID, list[Envelope]]:
        read.extend(versions.values())
        return Record.load_since_each(record, versions)

    def all_of_it() -> list[int]:
        read.clear()
        here.files.site()
        here.files.queue(day)
        assert gate.whose(key.text) is not None
        return list(read)

    monkeypatch.setattr(record, "load_since", load_since)
    monkeypatch.setattr(record, "load_since_each", load_since_each)
    all_of_it()
    before_it_broke = all_of_it()
    assert before_it_broke[0] > 0 and before_it_broke[-1] > 0
    monkeypatch.setattr(record.recorder, "lives", record.lives + 1)
    assert set(all_of_it()) == {0}
    assert all_of_it() == before_it_broke


def test_the_site_is_read_on_with_the_keys(
    offices: tuple[SalesOffice, SalesOffice], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One round trip tells whose key it is and who is on the staff list; neither is ever told as it was before."""
    here, there = offices
    staff, key = somebody_with_a_key(there)
    gate = Gate(record, AccessRead(record, lambda site: here.files))
    here.files.hold()
    assert gate.whose(key.text) is not None
    later = there.enrol_staff(before(), name="赵强").subject
    monkeypatch.setattr(record, "load_since", lambda *given: pytest.fail("the site was read once more"))
    assert set(here.files.site().staff) == {staff}
    here.files.hold()
    assert gate.whose(key.text) is not None
    assert set(here.files.site().staff) == {staff, later}


def test_what_is_looked_ahead_for_is_read_with_the_keys(
    offices: tuple[SalesOffice, SalesOffice], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And taken as it was then, once; whoever asks again gets it as it is."""
    here, there = offices
    staff, key = somebody_with_a_key(there)
    visitor = there.register(before(), by=staff, name="客户", phone="13900000001").subject
    assert visitor is not None
    gate, loaded = Gate(record, AccessRead(record, lambda site: here.files)), list[UUID]()
    monkeypatch.setattr(
        record, "load", lambda stream, evolve: loaded.append(stream) or Record.load(record, stream, evolve)
    )

    def entries() -> int:
        return len(here.files.visitor(visitor).registrations)

    here.files.look_ahead(visitor)
    assert gate.whose(key.text) is not None
    there.register(before(), by=staff, name="太太", phone="13900000001")
    loaded.clear()
    assert (entries(), loaded) == (1, [])
    assert (entries(), loaded) == (2, [visitor])
    here.files.look_ahead(visitor)
    assert gate.whose(key.text) is not None
    here.files.look_ahead(None)  # the next request
    assert (entries(), loaded) == (2, [visitor] * 2)
    here.files.look_ahead(visitor)
    assert gate.whose(key.text) is not None
    monkeypatch.setattr(record.recorder, "lives", record.lives + 1)  # what was read may be lost
    assert (entries(), loaded) == (2, [visitor] * 3)
