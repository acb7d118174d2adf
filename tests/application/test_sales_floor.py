"""The floor through the application: what spans days, files and commands. (Rules by the scenarios; races in reliability.)"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from application.commands import Stamp
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.refusals import Refusal
from domain.sales_turn_queue import CarriedOn, QueueOpened, ReceptionOpened, queue_id
from domain.visitor import VisitorFile, VisitorReceived
from tests.domain.given import instant

LONG_AGO = "2026-01-01 08:00"


def at(text: str, command: UUID | None = None) -> Stamp:
    moment: datetime = instant(text)
    return Stamp(actor=UUID(int=1), at=moment, entered_at=moment, command_id=command or uuid4())


@pytest.fixture
def office(record: Record, keyring: Keyring, shelf: Shelf) -> SalesOffice:
    return open_site(record, keyring, shelf, name="楼面", timezone="Asia/Shanghai", stamp=at(LONG_AGO))


def staffed(office: SalesOffice, rulebook: str) -> tuple[UUID, UUID]:
    lin, wang = (office.enrol_staff(at(LONG_AGO), name=name).subject for name in ("林芳", "王磊"))
    office.adopt(at(LONG_AGO), rulebook=rulebook)
    assert lin is not None and wang is not None
    return lin, wang


def test_the_first_command_of_a_day_opens_it_and_a_refused_one_does_not(office: SalesOffice) -> None:
    lin, _ = staffed(office, "sign-in-roster")
    before = office.record.position()
    with pytest.raises(Refusal, match="not_signed_in"):
        office.floor.sign_out(at("2026-03-02 08:30"), who=lin)
    assert office.record.position() == before
    answer = office.floor.sign_in(at("2026-03-02 08:40"), who=lin)
    assert [type(e.fact).__name__ for e in answer.facts] == ["QueueOpened", "SignedIn"]
    day = instant("2026-03-02 12:00").date()
    assert {e.stream for e in answer.facts} == {queue_id(office.site_id, day)}


def test_a_day_takes_over_from_the_last_one_that_there_was(office: SalesOffice) -> None:
    lin, wang = staffed(office, "two-halves")
    office.floor.sign_in(at("2026-03-02 08:40"), who=lin)
    office.floor.sign_in(at("2026-03-02 08:41"), who=wang)
    office.floor.receive(at("2026-03-02 09:00"), reception="r1", channel="visit")
    opened = office.floor.sign_in(at("2026-03-20 08:40"), who=lin).facts[0].fact
    assert isinstance(opened, QueueOpened)
    assert opened.carried.turns == {"visit": {lin: 1}} and opened.carried.lines["visit"] == (wang, lin)


def test_what_a_reception_past_midnight_brings_counts_on_the_new_day(office: SalesOffice) -> None:
    lin, wang = staffed(office, "front-desk-order")
    floor = office.floor
    floor.sign_in(at("2026-03-02 20:00"), who=lin)
    floor.receive(at("2026-03-02 23:50"), reception="r1", channel="visit")
    floor.sign_in(at("2026-03-03 00:05"), who=wang)
    answer = floor.finish(at("2026-03-03 00:10"), reception="r1", purpose="research")
    carried = [e.fact for e in answer.facts if isinstance(e.fact, CarriedOn)]
    assert [(fact.reception, [effect.kind for effect in fact.effects]) for fact in carried] == [("r1", ["make_up"])]
    owed = floor.floor(instant("2026-03-03 00:11")).queue.make_ups["visit"]
    assert [one.staff for one in owed] == [lin]


def test_a_reception_can_be_over_neither_before_it_began_nor_on_the_day_after_next(office: SalesOffice) -> None:
    lin, _ = staffed(office, "sign-in-roster")
    office.floor.sign_in(at("2026-03-02 08:40"), who=lin)
    office.floor.receive(at("2026-03-02 10:00"), reception="r1", channel="visit")
    with pytest.raises(Refusal, match="bad_time"):
        office.floor.finish(at("2026-03-02 09:59"), reception="r1")
    with pytest.raises(Refusal, match="unknown_reception"):
        office.floor.finish(at("2026-03-04 09:00"), reception="r1")


def test_a_finish_tells_the_visitors_own_file(office: SalesOffice) -> None:
    lin, wang = staffed(office, "two-rosters")
    floor = office.floor
    floor.sign_in(at("2026-03-02 08:40"), who=lin)
    floor.receive(at("2026-03-02 10:00"), reception="r1", channel="visit")
    entry = office.register(at("2026-03-02 10:10"), by=lin, name="赵强", phone="13900000001").entry
    answer = floor.finish(at("2026-03-02 10:20"), reception="r1", visitor=entry)
    told = [e.fact for e in answer.facts if isinstance(e.fact, VisitorReceived)]
    assert [(fact.receiver, fact.came, fact.present) for fact in told] == [(lin, "unknown", (lin,))]
    assert answer.attribution is not None and answer.attribution.owner == lin
    floor.sign_in(at("2026-03-05 08:40"), who=wang)
    again = floor.receive(at("2026-03-05 09:00"), reception="r1", channel="visit", phone="139 0000 0001")
    opened = next(e.fact for e in again.facts if isinstance(e.fact, ReceptionOpened))
    assert (opened.asked.owner, opened.asked.found_by, opened.choice.staff) == (lin, "phone", wang)
    assert "13900000001" not in repr(again.facts) and "赵强" not in repr(again.facts)


def test_what_comes_into_the_file_while_an_end_is_decided_is_decided_on(
    office: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version that is appended to is the one that was decided on, not one read after the decision."""
    lin, wang = staffed(office, "two-rosters")
    other = SalesOffice(office.record, office.keyring, office.shelf, office.site_id)
    entry = office.register(at("2026-03-02 08:00"), by=lin, name="赵强", phone="13900000001").entry
    assert entry is not None
    office.floor.sign_in(at("2026-03-02 08:30"), who=wang)
    office.floor.receive(at("2026-03-02 09:00"), reception="r1", channel="visit")
    read, decided = office.files.customer_files, []

    def read_and_overtaken(visitor: UUID) -> dict[UUID, VisitorFile]:
        files = read(visitor)
        decided.append(files[visitor].version)
        if len(decided) == 1:
            other.follow_up(at("2026-03-02 09:10"), entry=entry, by=lin)
        return files

    monkeypatch.setattr(office.files, "customer_files", read_and_overtaken)
    office.floor.finish(at("2026-03-02 09:30"), reception="r1", visitor=entry)
    assert decided[:2] == [1, 2]


def test_a_repeated_command_gets_the_first_answer(office: SalesOffice) -> None:
    lin, wang = staffed(office, "sign-in-roster")
    floor, command = office.floor, uuid4()
    floor.sign_in(at("2026-03-02 08:40"), who=lin)
    floor.sign_in(at("2026-03-02 08:41"), who=wang)
    first = floor.receive(at("2026-03-02 10:00", command), reception="r1", channel="visit")
    again = floor.receive(at("2026-03-02 10:00", command), reception="r1", channel="visit")
    assert again.repeated and again.facts == first.facts
    with pytest.raises(Refusal, match="command_reused"):
        floor.receive(at("2026-03-02 10:00", command), reception="r2", channel="visit")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"phone": "12"}, "bad_value"),
        ({"name": " "}, "bad_value"),
        ({"reception": " "}, "bad_value"),
        ({"channel": "letter"}, "bad_value"),
        ({"asks_for": UUID(int=404)}, "unknown_staff"),
        ({"describes": UUID(int=404)}, "unknown_staff"),
        ({"party": 0}, "bad_value"),
    ],
)
def test_what_cant_be_received_changes_nothing(office: SalesOffice, asked: dict[str, object], code: str) -> None:
    lin, _ = staffed(office, "sign-in-roster")
    office.floor.sign_in(at("2026-03-02 08:40"), who=lin)
    before = office.record.position()
    with pytest.raises(Refusal) as caught:
        office.floor.receive(at("2026-03-02 10:00"), **{"reception": "r1", "channel": "visit", **asked})  # type: ignore[arg-type]
    assert caught.value.code == code and office.record.position() == before


def test_a_rulebook_without_turns_refuses_the_floor(office: SalesOffice, record: Record) -> None:
    lin, _ = staffed(office, "sign-in-roster")
    edition = office.edition(instant("2026-03-02 08:00"))
    bare = edition.amended({})
    parameters = {
        name: value for name, value in bare.parameters.items() if not name.startswith(("turns.", "discipline."))
    }
    tables = {name: table for name, table in bare.tables.items() if not name.startswith(("turns.", "discipline."))}
    office.floor.queues.edition = lambda _: msgspec.structs.replace(bare, parameters=parameters, tables=tables)
    with pytest.raises(Refusal, match="says nothing on turns"):
        office.floor.sign_in(at("2026-03-02 08:40"), who=lin)
