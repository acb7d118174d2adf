"""Every command of a sales office on both stores: what it does, what it refuses, and that a repeat changes nothing."""
# long because: all commands of one office, their refusals and repeats, share one house

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid4

import msgspec
import pytest

from application.commands import Stamp
from application.desk import CLOCK_TOLERANCE, Answer
from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.office_files import OfficeFiles, amended
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, find_site, open_site, site_names
from domain.refusals import Refusal
from domain.rulebook import RulebookError
from domain.visitor import Entry, Moment, VisitorFollowedUp
from tests.conftest import schema_of_its_own
from tests.domain.given import instant

SITE, PHONE, OTHER_PHONE = "滨江一号", "13856718294", "13956718295"
STAFF = {"lin": "林芳", "wang": "王磊", "zhao": "赵小娟", "chen": "陈静", "desk": "何前台"}
ROLES = {"chen": "manager", "desk": "desk"}
HALF = Fraction(1, 2)


class House:
    """An office of five under the revised rules; every command takes its time as text, on the site's clock."""

    def __init__(self, record: Record, keyring: Keyring, rulebook: str = "revised-reception", name: str = SITE) -> None:
        self.record, self.keyring = record, keyring
        self.office = open_site(
            record, keyring, Shelf(), name=name, timezone="Asia/Shanghai", stamp=self.stamp("2000-01-01 00:00")
        )
        self.staff = {label: self._enrol(called, ROLES.get(label, "consultant")) for label, called in STAFF.items()}
        self.office.adopt(self.stamp("2000-01-01 00:00"), rulebook=rulebook)

    def _enrol(self, name: str, role: str) -> UUID:
        subject = self.office.enrol_staff(self.stamp("2000-01-01 00:00"), name=name, role=role).subject
        assert subject is not None
        return subject

    def __getattr__(self, label: str) -> UUID:
        return self.staff[label]

    def stamp(self, at: str, *, known: str | None = None, command: UUID | None = None) -> Stamp:
        return Stamp(actor=UUID(int=7), at=instant(at), entered_at=instant(known or at), command_id=command or uuid4())

    def register(self, at: str, by: str = "lin", phone: str | None = PHONE, name: str | None = "赵强") -> Entry:
        entry = self.office.register(self.stamp(at), by=self.staff[by], name=name, phone=phone).entry
        assert entry is not None
        return entry

    def sell(self, at: str, entry: Entry, by: str = "lin", unit: str | None = None) -> UUID:
        sold = self.office.sell(self.stamp(at), entry=entry, by=[self.staff[by]], amount=Decimal("1000.00"), unit=unit)
        assert sold.subject is not None
        return sold.subject

    def dispute(self, at: str, about: Entry | UUID, label: str = "d1") -> UUID:
        subject = self.office.open_dispute(self.stamp(at), about=about, by=self.wang, label=label).subject
        assert subject is not None
        return subject

    def owner(self, entry: Entry, at: str, known: str = "2099-01-01 00:00") -> str | None:
        owner = self.office.attribution(entry, Moment(instant(at), instant(known))).owner
        return next((label for label, staff in self.staff.items() if staff == owner), None)

    def owns(self, answer: Answer) -> str | None:
        assert answer.attribution is not None
        return next((label for label, staff in self.staff.items() if staff == answer.attribution.owner), None)


@pytest.fixture
def house(record: Record, keyring: Keyring) -> House:
    return House(record, keyring)


@pytest.fixture
def in_memory(master: bytes) -> House:
    record = Record(MemoryRecorder())
    return House(record, Keyring(master, record.person_keys))


def refused(code: str, command: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        command()
    assert caught.value.code == code, caught.value
    return caught.value


# Sites and staff


def test_sites_are_opened_found_and_listed(house: House) -> None:
    second = House(house.record, house.keyring, name="江岸二号")
    assert site_names(house.record) == sorted([SITE, "江岸二号"])
    found = find_site(house.record, house.keyring, Shelf(), f" {SITE} ")
    assert found.site_id == house.office.site_id != second.office.site_id
    assert (found.files.site().name, found.files.site().zone.key) == (SITE, "Asia/Shanghai")
    assert found.files.staff_by_name() == {name: [house.staff[label]] for label, name in STAFF.items()}
    assert found.files.staff_name(house.lin) == "林芳" and found.files.staff_name(second.lin) == str(second.lin)[:8]


def test_two_people_of_one_name_are_two(house: House) -> None:
    other = house._enrol("林芳", "consultant")
    assert house.office.files.staff_by_name()["林芳"] == [house.lin, other]


def test_one_phone_at_two_sites_is_two_files(house: House) -> None:
    second = House(house.record, house.keyring, name="江岸二号")
    one, other = house.register("2026-03-02 09:00"), second.register("2026-03-02 09:00", "wang")
    assert one.visitor != other.visitor and second.owner(other, "2026-03-03 09:00") == "wang"


def test_another_sites_visitor_is_unknown_here(in_memory: House) -> None:
    second = House(in_memory.record, in_memory.keyring, name="江岸二号")
    entry = in_memory.register("2026-03-02 09:00")
    stamp = second.stamp("2026-03-20 09:00")
    refused("unknown_visitor", lambda: second.office.follow_up(stamp, entry=entry, by=second.lin))


def test_rulebooks_are_adopted_and_amended(house: House) -> None:
    house.office.adopt(house.stamp("2026-03-02 09:00"), amend={"attribution.protection_days": 3}, by=house.chen)
    house.office.adopt(house.stamp("2026-03-03 09:00"), amend={"attribution.household": ["spouse"]})
    house.office.adopt(house.stamp("2026-03-04 09:00"), rulebook="forty-three-articles")
    first, second, third, fourth = (item.edition for item in house.office.files.editions().in_force)
    assert (first.days("attribution.protection_days"), second.amend) == (7, {"attribution.protection_days": 3})
    assert third.amend == {**second.amend, "attribution.household": ["spouse"]}  # amendments add up
    assert (fourth.rulebook, fourth.amend) == ("forty-three-articles", {})
    assert house.office.in_force_since("revised-reception", date(2026, 3, 2)) == instant("2000-01-01 00:00")
    assert (
        amended(house.office.files.editions(), {"attribution.protection_days": "none"})
        .at(instant("2026-03-02 00:00"))
        .days("attribution.protection_days")
        is None
    )


def test_an_adoption_carries_the_whole_text(house: House) -> None:
    site = house.office.files.site()
    text = Shelf().edition("revised-reception")[1]
    assert [envelope.fact.text for envelope in site.adoptions] == [text]  # type: ignore[attr-defined]


# Visitors


def test_a_registration_is_answered_with_owner_clauses_and_facts(house: House) -> None:
    answer = house.office.register(
        house.stamp("2026-03-02 09:00"), by=house.lin, name=" 赵强 ", phone="+86 138-5671-8294", number="17"
    )
    assert answer.attribution and house.owns(answer) == "lin" and answer.attribution.until == date(2026, 3, 9)
    assert answer.attribution.clauses and answer.attribution.facts == (answer.position,)
    assert answer.entry and answer.subject == answer.entry.visitor and not answer.repeated
    again = house.office.register(house.stamp("2026-03-03 09:00"), by=house.wang, name="赵强", phone=PHONE)
    assert again.entry == Entry(answer.entry.visitor, 2) and house.owns(again) == "lin"
    files = house.office.files.customer_files(answer.entry.visitor)
    contact = house.office.files.contact(again.entry, files)
    assert contact and (contact.name, contact.phone) == ("赵强", f"+86{PHONE}")
    one, two = files[answer.entry.visitor].registrations
    assert one.person == two.person and two.same_name_as == 1  # one person, one key


def test_without_a_phone_an_entry_is_kept_and_founds_nothing(house: House) -> None:
    one = house.register("2026-03-02 09:00", phone=None)
    other = house.register("2026-03-02 10:00", phone=None)
    nameless = house.register("2026-03-02 11:00", name=None)
    assert len({one.visitor, other.visitor, nameless.visitor}) == 3
    assert [house.owner(entry, "2026-03-02 12:00") for entry in (one, other, nameless)] == [None] * 3
    assert sorted(house.office.files.held_by("name", "赵强")) == sorted([one.visitor, other.visitor])
    assert house.office.files.held_by("phone", f"+86{PHONE}") == [nameless.visitor]


def test_follow_ups_relations_and_assignments_are_answered(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    v2 = house.register("2026-03-02 10:00", "wang", phone=OTHER_PHONE, name="钱梅")
    followed = house.office.follow_up(house.stamp("2026-03-05 09:00"), entry=v1, by=house.lin, how="visit")
    assert followed.attribution and followed.attribution.until == date(2026, 3, 12)
    related = house.office.relate(house.stamp("2026-03-06 09:00"), visitor=v2, to=v1, relation="spouse")
    assert house.owns(related) == "lin" and len(related.facts) == 2
    assert {envelope.stream for envelope in related.facts} == {v1.visitor, v2.visitor}
    given = house.office.assign(
        house.stamp("2026-03-07 09:00"), entry=v2, to=house.zhao, how="reassignment", by=house.chen, fault=True
    )
    assert house.owns(given) == "zhao" and house.owner(v1, "2026-03-07 09:00") == "zhao"


def test_a_consultant_leaves_and_heirs_take_over_at_once(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    v2 = house.register("2026-03-02 10:00", phone=OTHER_PHONE)
    left = house.office.depart(
        house.stamp("2026-03-04 09:00"), who=house.lin, heirs=[(v1, house.wang), (v2, house.zhao)], by=house.chen
    )
    assert len(left.facts) == 3 and left.subject == house.lin
    assert house.office.files.site().member(house.lin).departed
    assert [house.owner(entry, "2026-03-04 09:00") for entry in (v1, v2)] == ["wang", "zhao"]


def test_a_leaver_hands_over_only_what_is_his(in_memory: House) -> None:
    entry = in_memory.register("2026-03-02 09:00", "wang")
    stamp = in_memory.stamp("2026-03-04 09:00")
    with pytest.raises(Refusal):
        in_memory.office.depart(stamp, who=in_memory.lin, heirs=[(entry, in_memory.zhao)], by=in_memory.chen)


def test_what_an_older_record_holds_is_taken_as_it_was(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    kept = house.office.follow_up(house.stamp("2026-03-03 09:00"), entry=v1, by=house.wang, historic=True)
    assert kept.attribution is None and isinstance(kept.facts[0].fact, VisitorFollowedUp)
    assert house.owner(v1, "2026-03-10 00:00") is None


# Sales and disputes


def test_a_sale_is_settled_in_its_answer(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    sold = house.office.sell(
        house.stamp("2026-03-05 09:00"), entry=v1, by=[house.wang, house.zhao], amount=Decimal("1000.01"), unit=" 1-101"
    )
    assert sold.settlement and sold.settlement.amounts == {house.lin: Decimal("1000.01")}
    assert sold.subject and house.office.files.sale(sold.subject).terms.unit == "1-101"
    assert house.office.files.held_by("unit", "1-101") == [sold.subject]
    agreed = house.office.agree(
        house.stamp("2026-03-06 09:00"),
        sale=sold.subject,
        shares={house.lin: HALF, house.wang: HALF},
        by=[house.lin, house.wang, house.zhao],
    )
    assert agreed.settlement and agreed.settlement.ground == "agreement"
    assert agreed.settlement.amounts == {house.lin: Decimal("500.01"), house.wang: Decimal("500.00")}


@pytest.mark.parametrize("spelling", ["1-101", "1 - 101", "１－１０１", "1-101\t"])
def test_a_unit_is_sold_once_however_it_is_spelt(in_memory: House, spelling: str) -> None:
    v1 = in_memory.register("2026-03-02 09:00")
    in_memory.sell("2026-03-05 09:00", v1, unit="1-101")
    before = in_memory.record.position()
    refused("unit_already_sold", lambda: in_memory.sell("2026-03-06 09:00", v1, unit=spelling))
    assert in_memory.record.position() == before


def test_a_buyer_is_the_visitor_a_relation_or_somebody_else(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    v2 = house.register("2026-03-02 10:00", "wang", phone=OTHER_PHONE, name="钱梅")
    house.office.relate(house.stamp("2026-03-02 11:00"), visitor=v2, to=v1, relation="spouse")
    found = []
    for buyer in (None, "赵强", v1, "钱梅", v2, "孙丽"):
        stamp = house.stamp("2026-03-05 09:00")
        sold = house.office.sell(stamp, entry=v1, by=[house.wang], amount=Decimal(1), buyer=buyer)
        assert sold.settlement
        found.append((sold.settlement.buyer, house.lin in sold.settlement.shares, len(sold.facts)))
    own, family, other = ("registered", True, 2), ("same_customer", True, 3), ("other", False, 2)
    assert found == [own, own, own, family, family, other]


def test_a_dispute_about_a_visitor_is_ruled_on(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    d1, d2 = house.dispute("2026-03-03 09:00", v1), house.dispute("2026-03-03 10:00", v1, "d2")
    house.office.rule(house.stamp("2026-03-04 09:00"), dispute=d1, by=house.chen, reason="met first", owner=house.wang)
    assert [house.owner(v1, f"2026-03-04 {at}") for at in ("08:59", "09:00")] == ["lin", "wang"]
    house.office.rule(house.stamp("2026-03-05 09:00"), dispute=d2, by=house.chen, reason="as replayed")
    ruled = house.office.files.dispute(d2).ruled
    assert ruled and (ruled.fact.owner, ruled.fact.adopted) == (house.wang, True)  # type: ignore[attr-defined]
    assert house.office.files.held_by("disputed", str(v1.visitor)) == sorted([d1, d2])


def test_a_dispute_about_a_sale_is_ruled_on(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    sale = house.sell("2026-03-03 09:00", v1, "wang")
    stamp, moment = house.stamp("2026-03-05 09:00"), Moment(instant("2026-03-06 09:00"), instant("2026-03-06 09:00"))
    parts = {house.lin: HALF, house.wang: HALF}
    by_shares, by_owner = house.dispute("2026-03-04 09:00", sale), house.dispute("2026-03-04 09:00", sale, "d2")
    house.office.rule(stamp, dispute=by_shares, by=house.chen, reason="shared work", shares=parts)
    assert house.office.settlement(house.office.files.sale(sale), moment).shares == parts
    assert house.owner(v1, "2026-03-06 09:00") == "lin"
    later = house.stamp("2026-03-05 10:00")
    house.office.rule(later, dispute=by_owner, by=house.chen, reason="met first", owner=house.wang)
    assert house.office.settlement(house.office.files.sale(sale), moment).shares == {house.wang: 1}
    assert house.owner(v1, "2026-03-06 09:00") == "wang"
    assert house.office.settlement(house.office.files.sale(sale), moment, rulings=False).shares == {house.lin: 1}


# Repeats


# long because: one entry for every command there is
# long because: one line or two for each command there is
def every_command(house: House) -> Iterator[Callable[[UUID, bool], Answer]]:
    """Each command of the office, in an order in which all can be carried out; called with a command id, and whether
    with other content."""
    office, stamp = house.office, house.stamp
    visitors: dict[str, Entry] = {}
    made: dict[str, UUID] = {}
    relative = house.register("2026-03-01 08:00", "wang", OTHER_PHONE, "钱梅")

    def register(command: UUID, other: bool) -> Answer:
        name = "钱强" if other else "赵强"
        answer = office.register(stamp("2026-03-02 09:00", command=command), by=house.lin, name=name, phone=PHONE)
        assert answer.entry
        visitors["v1"] = answer.entry
        return answer

    def relate(command: UUID, other: bool) -> Answer:
        given = stamp("2026-03-04 09:00", command=command)
        return office.relate(given, visitor=visitors["v1"], to=relative, relation="child" if other else "sibling")

    def sell(command: UUID, other: bool) -> Answer:
        amount = Decimal("999.00" if other else "1000.00")
        given = stamp("2026-03-06 09:00", command=command)
        answer = office.sell(given, entry=visitors["v1"], by=[house.wang], amount=amount, unit="1-1")
        assert answer.subject
        made["sale"] = answer.subject
        return answer

    def dispute(command: UUID, other: bool) -> Answer:
        label = "d9" if other else "d1"
        given = stamp("2026-03-08 09:00", command=command)
        answer = office.open_dispute(given, about=made["sale"], by=house.wang, label=label)
        assert answer.subject
        made["dispute"] = answer.subject
        return answer

    def agree(command: UUID, other: bool) -> Answer:
        shares = {house.lin: Fraction(1)} if other else {house.lin: HALF, house.wang: HALF}
        given = stamp("2026-03-07 09:00", command=command)
        return office.agree(given, sale=made["sale"], shares=shares, by=[house.lin, house.wang])

    yield lambda command, other: office.enrol_staff(
        stamp("2026-03-01 09:00", command=command), name="周宁" if other else "吴迪"
    )
    yield lambda command, other: office.adopt(
        stamp("2026-03-01 09:00", command=command), amend={"attribution.protection_days": 8 if other else 9}
    )
    yield register
    yield lambda command, other: office.follow_up(
        stamp("2026-03-03 09:00", command=command), entry=visitors["v1"], by=house.lin, how="call" if other else "visit"
    )
    yield relate
    yield lambda command, other: office.assign(
        stamp("2026-03-05 09:00", command=command),
        entry=visitors["v1"],
        to=house.zhao if other else house.lin,
        how="reassignment",
        by=house.chen,
    )
    yield sell
    yield agree
    yield dispute
    yield lambda command, other: office.rule(
        stamp("2026-03-09 09:00", command=command),
        dispute=made["dispute"],
        by=house.chen,
        reason="other" if other else "met first",
        owner=house.wang,
    )
    yield lambda command, other: office.depart(
        stamp("2026-03-10 09:00", command=command),
        who=house.wang,
        heirs=[] if other else [(visitors["v1"], house.lin)],
        by=house.chen,
    )


def test_a_repeat_gets_the_first_answer_and_changes_nothing(house: House) -> None:
    commands = [(command, uuid4()) for command in every_command(house)]
    first = [command(identity, False) for command, identity in commands]
    position = house.record.position()
    for (command, identity), answer in zip(commands, first, strict=True):
        again = command(identity, False)
        assert again.repeated and not answer.repeated
        assert again == msgspec.structs.replace(answer, repeated=True)
        refused("command_reused", lambda command=command, identity=identity: command(identity, True))  # type: ignore[misc]
    assert house.record.position() == position


def test_opening_a_site_is_repeated_too(house: House, keyring: Keyring) -> None:
    stamp, record = house.stamp("2026-03-02 09:00"), house.record
    one = open_site(record, keyring, Shelf(), name="三号", timezone="Asia/Shanghai", stamp=stamp)
    again = open_site(record, keyring, Shelf(), name="三号", timezone="Asia/Shanghai", stamp=stamp)
    assert one.site_id == again.site_id
    refused(
        "command_reused",
        lambda: open_site(record, keyring, Shelf(), name="四号", timezone="Asia/Shanghai", stamp=stamp),
    )


def test_where_no_time_was_given_a_repeat_may_come_later(in_memory: House) -> None:
    now, command = datetime.now(UTC), uuid4()
    for seconds, repeated in ((0, False), (30, True)):
        stamp = Stamp(actor=UUID(int=7), at=now - timedelta(seconds=60 - seconds), at_given=False, command_id=command)
        answer = in_memory.office.register(stamp, by=in_memory.lin, name="赵强", phone=PHONE)
        assert answer.repeated is repeated


def test_another_actors_command_of_the_same_id_is_another(in_memory: House) -> None:
    stamp = in_memory.stamp("2026-03-02 09:00")
    in_memory.office.register(stamp, by=in_memory.lin, name="赵强", phone=PHONE)
    other = msgspec.structs.replace(stamp, actor=UUID(int=8))
    assert not in_memory.office.register(other, by=in_memory.wang, name="钱梅", phone=OTHER_PHONE).repeated


def test_a_repeat_does_not_see_what_came_after_it_at_the_same_time(in_memory: House) -> None:
    v1 = in_memory.register("2026-03-02 09:00")
    command = uuid4()

    def sell() -> Answer:
        stamp = in_memory.stamp("2026-03-05 09:00", command=command)
        return in_memory.office.sell(stamp, entry=v1, by=[in_memory.wang], amount=Decimal(1000))

    first = sell()
    assert first.subject
    shares = {in_memory.wang: Fraction(1)}
    stamp = in_memory.stamp("2026-03-05 09:00")
    in_memory.office.agree(stamp, sale=first.subject, shares=shares, by=[in_memory.lin, in_memory.wang])
    assert sell().settlement == first.settlement


# Times


@pytest.mark.parametrize(
    ("ahead", "code"),
    [(timedelta(0), None), (CLOCK_TOLERANCE / 2, None), (CLOCK_TOLERANCE + timedelta(seconds=30), "bad_time")],
)
def test_a_clock_may_run_a_little_ahead(in_memory: House, ahead: timedelta, code: str | None) -> None:
    stamp = Stamp(actor=UUID(int=7), at=datetime.now(UTC) + ahead)
    if code:
        refused(code, lambda: in_memory.office.register(stamp, by=in_memory.lin, name="赵强", phone=PHONE))
    else:
        assert in_memory.office.register(stamp, by=in_memory.lin, name="赵强", phone=PHONE).entry


def test_a_clock_that_runs_ahead_gets_the_same_answer(in_memory: House) -> None:
    stamp = Stamp(actor=UUID(int=7), at=datetime.now(UTC) + CLOCK_TOLERANCE / 2)
    answer = in_memory.office.register(stamp, by=in_memory.lin, name="赵强", phone=PHONE)
    assert in_memory.owns(answer) == "lin"


def test_before_the_first_adoption_nothing_is_half_done(in_memory: House, master: bytes) -> None:
    record = Record(MemoryRecorder())
    keyring = Keyring(master, record.person_keys)
    office = open_site(
        record, keyring, Shelf(), name="新", timezone="Asia/Shanghai", stamp=in_memory.stamp("2026-03-01 09:00")
    )
    lin = office.enrol_staff(in_memory.stamp("2026-03-01 09:00"), name="林芳").subject
    office.adopt(in_memory.stamp("2026-03-05 09:00"), rulebook="revised-reception")
    position = record.position()
    assert lin
    with pytest.raises((RulebookError, Refusal)):
        office.register(in_memory.stamp("2026-03-02 09:00"), by=lin, name="赵强", phone=PHONE)
    assert record.position() == position


# Two desks at once


def test_a_desk_that_was_slower_adds_to_the_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the desk read is out of date when it writes: the phone is claimed by then, and it decides again."""
    v1 = house.register("2026-03-02 09:00")
    real, asked = OfficeFiles.held_by, []

    def out_of_date(files: OfficeFiles, kind: str, value: str) -> list[UUID]:
        asked.append(kind)
        return [] if len(asked) == 1 else real(files, kind, value)

    monkeypatch.setattr(OfficeFiles, "held_by", out_of_date)
    answer = house.office.register(house.stamp("2026-03-02 09:00"), by=house.wang, name="赵强", phone=PHONE)
    assert asked == ["phone", "phone"]
    assert answer.entry == Entry(v1.visitor, 2) and house.owns(answer) == "lin"


def at_once(count: int, command: Callable[[int], object]) -> list[object]:
    """The answers or errors of commands that start together."""
    start, found = threading.Barrier(count), [None] * count  # type: tuple[threading.Barrier, list[object]]

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = command(number)
        except Refusal as refusal:
            found[number] = refusal.code

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_desks_that_register_one_phone_at_once_make_one_file(house: House) -> None:
    staff = [house.lin, house.wang, house.zhao]

    def register(number: int) -> Answer:
        office = SalesOffice(house.record, house.keyring, Shelf(), house.office.site_id)
        stamp = house.stamp("2026-03-02 09:00")
        return office.register(stamp, by=staff[number % 3], name="赵强", phone=PHONE)

    answers = [answer for answer in at_once(6, register) if isinstance(answer, Answer)]
    assert len(answers) == 6 and len({answer.subject for answer in answers}) == 1
    assert sorted(answer.entry.registration for answer in answers if answer.entry) == [1, 2, 3, 4, 5, 6]
    owners = {answer.attribution.owner for answer in answers if answer.attribution}
    first = min(answers, key=lambda answer: answer.position)
    assert owners == {first.attribution.owner} and len(owners) == 1  # type: ignore[union-attr]


def test_of_desks_that_sell_one_unit_at_once_one_does(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    found = at_once(4, lambda number: house.sell("2026-03-05 09:00", v1, unit="1-101"))
    assert found.count("unit_already_sold") == 3 and len({*found}) == 2


def test_three_clicks_are_one_command(house: House) -> None:
    command, before = uuid4(), house.record.position()

    def click(number: int) -> Answer:
        stamp = house.stamp("2026-03-02 09:00", command=command)
        return house.office.register(stamp, by=house.lin, name="赵强", phone=PHONE)

    answers = [answer for answer in at_once(3, click) if isinstance(answer, Answer)]
    assert sorted(answer.repeated for answer in answers) == [False, True, True]
    assert len({answer.entry for answer in answers}) == 1 and house.record.position() == before + 1


# What the record holds


def in_base64(content: bytes) -> set[bytes]:
    """How the content shows inside base64, wherever it begins."""
    whole = (base64.b64encode(b"\0" * shift + content) for shift in range(3))
    return {encoded[4:-4] for encoded in whole if len(encoded) > 12}


def test_no_name_and_no_phone_is_in_the_log_in_the_clear(house: House) -> None:
    buyer = "孙丽萍"
    for command in every_command(house):
        command(uuid4(), False)
    v1 = house.register("2026-03-12 09:00", name="赵强强")
    stamp = house.stamp("2026-03-13 09:00")
    house.office.sell(stamp, entry=v1, by=[house.lin], amount=Decimal(1), buyer=buyer)
    events = house.record._own_recorder.select_notifications(1, 10_000)
    stored = b"\n".join(event.topic.encode() + event.state for event in events)
    assert len(events) == house.record.position() and b"visitor.registered.v1" in stored
    words = ["赵强", "吴迪", buyer, *STAFF.values(), PHONE, OTHER_PHONE, PHONE[3:], OTHER_PHONE[3:], f"+86{PHONE}"]
    for word in words:
        shapes = {word.encode(), word.encode("unicode_escape"), word.encode("utf-16-le"), word[::-1].encode()}
        shapes |= in_base64(word.encode())
        shapes |= {house.keyring.hash(house.office.site_id, kind, word).hex().encode() for kind in ("phone", "name")}
        assert not [shape for shape in shapes if shape in stored], word


def test_the_question_up_to_a_position_is_the_record_up_to_there(house: House) -> None:
    v1 = house.register("2026-03-02 09:00")
    middle = house.record.position()
    house.office.adopt(house.stamp("2026-03-03 09:00"), rulebook="forty-three-articles")
    house.office.follow_up(house.stamp("2026-03-04 09:00"), entry=v1, by=house.lin)
    files = house.office.files
    read = files.customer_files(v1.visitor)
    part, whole = files.question(read, until_position=middle), files.question(read)
    assert [e.position for e in whole.history if e.position <= middle] == [e.position for e in part.history]
    assert len(part.editions.in_force) == 1 and whole.editions.in_force[:1] == part.editions.in_force
    assert len(files.editions(known_at=instant("2026-03-03 08:59")).in_force) == 1
    assert len(files.editions(known_at=instant("2026-03-03 09:00")).in_force) == 2


def test_an_adoption_entered_later_was_not_known_before(in_memory: House) -> None:
    v1 = in_memory.register("2026-03-02 09:00")
    stamp = in_memory.stamp("2026-03-08 09:00", known="2026-03-20 09:00")
    in_memory.office.adopt(stamp, rulebook="forty-three-articles")
    assert in_memory.owner(v1, "2026-03-12 09:00", known="2026-03-25 09:00") == "lin"
    assert in_memory.owner(v1, "2026-03-12 09:00", known="2026-03-15 09:00") is None


def test_a_settlement_knows_only_the_adoptions_known_then(in_memory: House) -> None:
    v1 = in_memory.register("2026-03-02 09:00")
    sale = in_memory.office.files.sale(in_memory.sell("2026-03-12 09:00", v1, "wang"))
    in_memory.office.adopt(
        in_memory.stamp("2026-03-08 09:00", known="2026-03-20 09:00"), rulebook="forty-three-articles"
    )
    shares = [
        in_memory.office.settlement(sale, Moment(instant("2026-03-25 09:00"), instant(known))).shares
        for known in ("2026-03-25 09:00", "2026-03-15 09:00")
    ]
    assert shares == [{in_memory.lin: 1}, {in_memory.wang: 1}]


# People with titles


def test_mr_zhao_and_zhao_qiang_are_one(house: House) -> None:
    one = house.register("2026-03-02 09:00", name="赵先生")
    other = house.register("2026-03-03 09:00", "wang", name="赵强")
    assert (other.visitor, house.owner(other, "2026-03-04 09:00")) == (one.visitor, "lin")


def test_a_full_name_given_after_a_title_is_found(in_memory: House) -> None:
    one = in_memory.register("2026-03-02 09:00", name="赵先生")
    in_memory.register("2026-03-03 09:00", name="赵强")
    assert in_memory.office.files.held_by("name", "赵强") == [one.visitor]


def test_two_full_names_are_two_though_a_title_fits_both(in_memory: House) -> None:
    in_memory.register("2026-03-02 09:00", name="赵先生")
    qiang = in_memory.register("2026-03-12 09:00", "wang", name="赵强")
    gang = in_memory.register("2026-03-13 09:00", "zhao", name="赵刚")
    file = in_memory.office.files.visitor(gang.visitor)
    assert file.registration(qiang.registration).person != file.registration(gang.registration).person


# Refusals


@pytest.fixture(scope="module", params=["memory", "postgres"])
def settled(request: pytest.FixtureRequest) -> Iterator[House]:
    """A house with a visitor, a sale, and a dispute about each that has been ruled on; refusals leave it as it is."""
    if request.param == "memory":
        record = Record(MemoryRecorder())
        yield furnished(House(record, Keyring(secrets.token_bytes(32), record.person_keys)))
        return
    uri = request.getfixturevalue("postgres_uri")
    with schema_of_its_own(uri) as schema:
        prepare_store(uri, schema, b"test")
        record = Record(PostgresRecorder(uri, schema=schema))
        yield furnished(House(record, Keyring(secrets.token_bytes(32), record.person_keys)))
        record.close()


def furnished(house: House) -> House:
    house.office.adopt(house.stamp("2026-03-01 09:00"), amend={"attribution.protection_days": 8})
    house.v1 = house.register("2026-03-02 09:00")
    house.v2 = house.register("2026-03-02 10:00", "wang", OTHER_PHONE, "钱梅")
    house.sale = house.sell("2026-03-03 09:00", house.v2, unit="1-101")
    house.ruled_sale = house.sell("2026-03-03 10:00", house.v2, unit="1-102")
    house.open = house.dispute("2026-03-04 09:00", house.v1, "d1")
    house.ruled = house.dispute("2026-03-04 10:00", house.ruled_sale, "d2")
    house.office.rule(house.stamp("2026-03-05 09:00"), dispute=house.ruled, by=house.chen, reason="as replayed")
    house.office.depart(house.stamp("2026-03-05 10:00"), who=house.zhao, heirs=[], by=None)
    return house


NOW = "2026-03-05 12:00"
NOBODY = UUID(int=404)
Command = Callable[[House, Stamp], object]


def register(**more: object) -> Command:
    return lambda h, s: h.office.register(s, **{"by": h.lin, "name": "李明", "phone": "13700000007", **more})  # type: ignore[arg-type]


def sell(**more: object) -> Command:
    return lambda h, s: h.office.sell(s, **{"entry": h.v1, "by": [h.lin], "amount": Decimal(1), **more})  # type: ignore[arg-type]


def rule(**more: object) -> Command:
    return lambda h, s: h.office.rule(s, **{"dispute": h.open, "by": h.chen, "reason": "so", **more})  # type: ignore[arg-type]


def agree(**more: object) -> Command:
    return lambda h, s: h.office.agree(
        s,
        **{"sale": h.sale, "shares": {h.lin: Fraction(1)}, "by": [h.lin, h.wang], **more},  # type: ignore[arg-type]
    )


REFUSALS: list[tuple[str, Command]] = [
    ("unknown_site", lambda h, s: SalesOffice(h.record, h.keyring, Shelf(), NOBODY).enrol_staff(s, name="吴迪")),
    ("unknown_site", lambda h, s: find_site(h.record, h.keyring, Shelf(), "无此案场")),
    ("unknown_staff", register(by=NOBODY)),
    ("unknown_staff", lambda h, s: h.office.follow_up(s, entry=h.v1, by=NOBODY)),
    ("unknown_staff", lambda h, s: h.office.assign(s, entry=h.v1, to=NOBODY, how="distribution", by=h.chen)),
    ("unknown_staff", lambda h, s: h.office.assign(s, entry=h.v1, to=h.lin, how="distribution", by=NOBODY)),
    ("unknown_staff", lambda h, s: h.office.depart(s, who=NOBODY, heirs=[], by=None)),
    ("unknown_staff", lambda h, s: h.office.depart(s, who=h.lin, heirs=[(h.v1, NOBODY)], by=None)),
    ("unknown_staff", lambda h, s: h.office.adopt(s, rulebook="revised-reception", by=NOBODY)),
    ("unknown_staff", sell(by=[NOBODY])),
    ("unknown_staff", agree(by=[NOBODY])),
    ("unknown_staff", agree(shares={NOBODY: Fraction(1)})),
    ("unknown_staff", lambda h, s: h.office.open_dispute(s, about=h.v1, by=NOBODY, label="d9")),
    ("unknown_staff", rule(by=NOBODY)),
    ("unknown_staff", rule(owner=NOBODY)),
    ("unknown_visitor", lambda h, s: h.office.follow_up(s, entry=Entry(NOBODY, 1), by=h.lin)),
    ("unknown_visitor", lambda h, s: h.office.follow_up(s, entry=Entry(h.v1.visitor, 2), by=h.lin)),
    ("unknown_visitor", lambda h, s: h.office.relate(s, visitor=h.v1, to=Entry(NOBODY, 1), relation="spouse")),
    ("unknown_visitor", lambda h, s: h.office.relate(s, visitor=Entry(h.v1.visitor, 9), to=h.v1, relation="spouse")),
    ("unknown_visitor", lambda h, s: h.office.assign(s, entry=Entry(NOBODY, 1), to=h.lin, how="distribution", by=None)),
    ("unknown_visitor", lambda h, s: h.office.depart(s, who=h.lin, heirs=[(Entry(NOBODY, 1), h.wang)], by=None)),
    ("unknown_visitor", sell(entry=Entry(NOBODY, 1))),
    ("unknown_visitor", sell(buyer=Entry(NOBODY, 1))),
    ("unknown_visitor", lambda h, s: h.office.open_dispute(s, about=Entry(h.v1.visitor, 0), by=h.lin, label="d9")),
    ("unknown_visitor", lambda h, s: h.office.attribution(Entry(h.v1.visitor, 7), Moment(s.at, s.at))),
    ("unknown_sale", agree(sale=NOBODY)),
    ("unknown_sale", lambda h, s: h.office.open_dispute(s, about=NOBODY, by=h.lin, label="d9")),
    ("unknown_dispute", rule(dispute=NOBODY)),
    ("unknown_rulebook", lambda h, s: h.office.adopt(s, rulebook="nobodys")),
    ("unknown_parameter", lambda h, s: h.office.adopt(s, amend={"attribution.mood": 3})),
    ("bad_value", lambda h, s: h.office.adopt(s, amend={"attribution.protection_days": -1})),
    ("bad_value", lambda h, s: h.office.enrol_staff(s, name=" ")),
    ("bad_value", lambda h, s: h.office.enrol_staff(s, name="吴迪", role="boss")),
    ("bad_value", lambda h, s: open_site(h.record, h.keyring, Shelf(), name=" ", timezone="UTC", stamp=s)),
    ("bad_value", lambda h, s: open_site(h.record, h.keyring, Shelf(), name="新", timezone="Mars/Base", stamp=s)),
    ("bad_value", lambda h, s: open_site(h.record, h.keyring, Shelf(), name="新", timezone="", stamp=s)),
    ("bad_value", lambda h, s: open_site(h.record, h.keyring, Shelf(), name="新", timezone="../UTC", stamp=s)),
    ("bad_value", register(name=" ")),
    ("bad_value", register(phone="12345")),
    ("bad_value", register(via="door")),
    ("bad_value", lambda h, s: h.office.follow_up(s, entry=h.v1, by=h.lin, how="fax")),
    ("bad_value", lambda h, s: h.office.relate(s, visitor=h.v1, to=h.v1, relation="spouse")),
    ("bad_value", lambda h, s: h.office.relate(s, visitor=h.v1, to=h.v2, relation="cousin")),
    ("bad_value", sell(by=[])),
    ("bad_value", sell(amount=Decimal("0.001"))),
    ("bad_value", sell(unit=" ")),
    ("bad_value", sell(buyer=" ")),
    ("bad_value", agree(shares={})),
    ("bad_value", lambda h, s: agree(shares={h.lin: HALF})(h, s)),
    ("bad_value", lambda h, s: h.office.open_dispute(s, about=h.v1, by=h.lin, label=" ")),
    ("bad_value", lambda h, s: rule(shares={h.lin: Fraction(1)})(h, s)),
    ("bad_time", lambda h, s: register()(h, msgspec.structs.replace(s, entered_at=s.at - timedelta(seconds=1)))),
    ("bad_time", lambda h, s: register()(h, Stamp(actor=NOBODY, at=datetime.now(UTC) + timedelta(hours=1)))),
    ("bad_time", lambda h, s: h.office.adopt(h.stamp("2026-03-01 00:00"), rulebook="forty-three-articles")),
    ("bad_time", lambda h, s: h.office.adopt(h.stamp("2026-03-01 00:00"), amend={"attribution.protection_days": 3})),
    ("duplicate_label", lambda h, s: open_site(h.record, h.keyring, Shelf(), name=SITE, timezone="UTC", stamp=s)),
    ("duplicate_label", lambda h, s: h.office.open_dispute(s, about=h.v1, by=h.lin, label=" d1 ")),
    ("not_owner", lambda h, s: h.office.follow_up(s, entry=h.v1, by=h.wang)),
    ("not_permitted", lambda h, s: h.office.adopt(s, rulebook="revised-reception", by=h.lin)),
    ("not_permitted", lambda h, s: h.office.assign(s, entry=h.v1, to=h.lin, how="distribution", by=h.lin)),
    ("not_permitted", lambda h, s: h.office.depart(s, who=h.lin, heirs=[], by=h.desk)),
    ("not_permitted", lambda h, s: agree(by=[h.lin])(h, s)),
    ("not_permitted", lambda h, s: rule(by=h.lin)(h, s)),
    (
        "claim_too_late",
        lambda h, s: h.office.open_dispute(h.stamp("2026-03-11 00:00"), about=h.sale, by=h.wang, label="d9"),
    ),
    (
        "claim_too_late",
        lambda h, s: h.office.open_dispute(h.stamp("2026-03-11 00:00"), about=h.v2, by=h.wang, label="d9"),
    ),
    ("unit_already_sold", sell(unit="1－101")),
    ("wrong_state", lambda h, s: rule(dispute=h.ruled)(h, s)),
    ("wrong_state", lambda h, s: h.office.depart(s, who=h.zhao, heirs=[], by=None)),
    ("wrong_state", lambda h, s: agree(sale=h.ruled_sale, shares={h.wang: Fraction(1)})(h, s)),
]


@pytest.mark.parametrize(
    ("code", "command"), [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(REFUSALS)]
)
def test_a_command_that_cant_be_right_is_refused_and_changes_nothing(
    settled: House, code: str, command: Command
) -> None:
    before = settled.record.position()
    refused(code, lambda: command(settled, settled.stamp(NOW)))
    assert settled.record.position() == before


def test_without_a_rulebook_nothing_is_decided(in_memory: House) -> None:
    stamp = in_memory.stamp(NOW)
    office = open_site(in_memory.record, in_memory.keyring, Shelf(), name="新", timezone="UTC", stamp=stamp)
    lin = office.enrol_staff(in_memory.stamp(NOW), name="林芳").subject
    assert lin
    refused("wrong_state", lambda: office.register(in_memory.stamp(NOW), by=lin, name="李明", phone=PHONE))
    refused("wrong_state", lambda: office.adopt(in_memory.stamp(NOW), amend={"attribution.protection_days": 3}))


def test_a_ruling_gives_its_reason(in_memory: House) -> None:
    dispute = in_memory.dispute("2026-03-03 09:00", in_memory.register("2026-03-02 09:00"))
    stamp = in_memory.stamp(NOW)
    refused("bad_value", lambda: in_memory.office.rule(stamp, dispute=dispute, by=in_memory.chen, reason=" "))


def test_an_amendment_dated_before_the_first_adoption_is_refused(in_memory: House) -> None:
    stamp = in_memory.stamp("1999-12-31 00:00")
    refused("bad_time", lambda: in_memory.office.adopt(stamp, amend={"attribution.protection_days": 3}))


@pytest.mark.parametrize("text", ["", "  ", "7\x00"])
def test_numbers_and_teams_are_text(in_memory: House, text: str) -> None:
    stamp = in_memory.stamp(NOW)
    refused("bad_value", lambda: in_memory.office.register(stamp, by=in_memory.lin, name="李明", number=text))
    refused("bad_value", lambda: in_memory.office.enrol_staff(stamp, name="吴迪", team=text))
