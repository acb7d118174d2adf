"""A command that comes again - because a client repeats it, three at once, or because the reply was lost or late - puts
its facts on record once and gets the first answer; another content under its id is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec
import pytest

from application import commands
from application.commands import Stamp
from application.desk import Answer
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice
from domain.refusals import Refusal
from domain.visitor import Entry

from .history_check import check_history
from .middleman import Middleman, Trouble
from .offices import Store, open_office, phone_number, stamp

Give = Callable[[SalesOffice, Stamp], Answer]


@dataclass
class Scene:
    """An office where something has happened already: two visitors, a sale, two disputes."""

    office: SalesOffice
    manager: UUID
    one: UUID
    other: UUID
    visitor: Entry
    spouse: Entry
    sale: UUID
    dispute: UUID
    sale_dispute: UUID


def set_scene(record: Record, keyring: Keyring) -> Scene:
    staffed = open_office(record, keyring, 2)
    one, other = staffed.consultants
    office = SalesOffice(record, keyring, Shelf(), staffed.site)
    visitor = office.register(stamp(one), by=one, name="王小明", phone=phone_number(1)).entry
    spouse = office.register(stamp(other), by=other, name="李小红", phone=phone_number(2)).entry
    assert visitor is not None and spouse is not None
    sale = office.sell(stamp(other), entry=spouse, by=[other], amount=Decimal(9000), unit="1-101").subject
    assert sale is not None
    dispute = office.open_dispute(stamp(other), about=visitor, by=other, label="甲").subject
    sale_dispute = office.open_dispute(stamp(one), about=sale, by=one, label="乙").subject
    assert dispute is not None and sale_dispute is not None
    return Scene(office, staffed.manager, one, other, visitor, spouse, sale, dispute, sale_dispute)


@dataclass(frozen=True)
class Command:
    """A command, and another content to be tried under the same id."""

    give: Callable[[Scene, SalesOffice, Stamp], Answer]
    differently: Callable[[Scene, SalesOffice, Stamp], Answer]
    facts: int


HALF = Fraction(1, 2)
COMMANDS = {
    "register": Command(
        lambda s, o, t: o.register(t, by=s.one, name="赵一", phone=phone_number(7)),
        lambda s, o, t: o.register(t, by=s.one, name="赵二", phone=phone_number(7)),
        1,
    ),
    "register again": Command(
        lambda s, o, t: o.register(t, by=s.other, name="王小明", phone=phone_number(1)),
        lambda s, o, t: o.register(t, by=s.one, name="王小明", phone=phone_number(1)),
        1,
    ),
    "follow_up": Command(
        lambda s, o, t: o.follow_up(t, entry=s.visitor, by=s.one),
        lambda s, o, t: o.follow_up(t, entry=s.visitor, by=s.one, how="visit"),
        1,
    ),
    "sell": Command(
        lambda s, o, t: o.sell(t, entry=s.visitor, by=[s.one, s.other], amount=Decimal("100000.10"), unit="3-201"),
        lambda s, o, t: o.sell(t, entry=s.visitor, by=[s.one, s.other], amount=Decimal("100000.20"), unit="3-201"),
        2,
    ),
    "relate": Command(
        lambda s, o, t: o.relate(t, visitor=s.spouse, to=s.visitor, relation="spouse"),
        lambda s, o, t: o.relate(t, visitor=s.spouse, to=s.visitor, relation="parent"),
        2,
    ),
    "assign": Command(
        lambda s, o, t: o.assign(t, entry=s.visitor, to=s.other, how="reassignment", by=s.manager),
        lambda s, o, t: o.assign(t, entry=s.visitor, to=s.one, how="reassignment", by=s.manager),
        1,
    ),
    "open_dispute": Command(
        lambda s, o, t: o.open_dispute(t, about=s.visitor, by=s.other, label="丙"),
        lambda s, o, t: o.open_dispute(t, about=s.sale, by=s.other, label="丙"),
        1,
    ),
    "rule": Command(
        lambda s, o, t: o.rule(t, dispute=s.dispute, by=s.manager, reason="先登记", owner=s.other),
        lambda s, o, t: o.rule(t, dispute=s.dispute, by=s.manager, reason="先登记", owner=s.one),
        2,
    ),
    "rule on a sale": Command(
        lambda s, o, t: o.rule(
            t, dispute=s.sale_dispute, by=s.manager, reason="平分", shares={s.one: HALF, s.other: HALF}
        ),
        lambda s, o, t: o.rule(t, dispute=s.sale_dispute, by=s.manager, reason="平分"),
        2,
    ),
    "agree": Command(
        lambda s, o, t: o.agree(t, sale=s.sale, shares={s.one: HALF, s.other: HALF}, by=[s.one, s.other]),
        lambda s, o, t: o.agree(t, sale=s.sale, shares={s.other: Fraction(1)}, by=[s.one, s.other]),
        1,
    ),
    "enrol_staff": Command(
        lambda s, o, t: o.enrol_staff(t, name="新人"),
        lambda s, o, t: o.enrol_staff(t, name="新人", team="A"),
        1,
    ),
    "adopt": Command(
        lambda s, o, t: o.adopt(t, amend={"attribution.protection_days": 9}, by=s.manager),
        lambda s, o, t: o.adopt(t, amend={"attribution.protection_days": 8}, by=s.manager),
        1,
    ),
    "depart": Command(
        lambda s, o, t: o.depart(t, who=s.one, heirs=[(s.visitor, s.other)], by=s.manager),
        lambda s, o, t: o.depart(t, who=s.one, heirs=[], by=s.manager),
        2,
    ),
}
each_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


@pytest.fixture
def scene(record: Record, keyring: Keyring) -> Scene:
    return set_scene(record, keyring)


def said(answer: Answer) -> Answer:
    """The answer without its remark that it had been given before."""
    return msgspec.structs.replace(answer, repeated=False)


def check_repeats(command: Command, scene: Scene, answers: list[Answer], before: int) -> None:
    """One set of facts, one answer, and all but the first remark that they repeat it."""
    facts = list(scene.office.record.read(before))
    assert len(facts) == command.facts
    assert sorted(answer.repeated for answer in answers) == [False, *[True] * (len(answers) - 1)]
    for answer in answers:
        assert list(answer.facts) == facts
        assert said(answer) == said(answers[0])


@each_command
def test_one_after_the_other(scene: Scene, command: Command) -> None:
    before, its = scene.office.record.position(), stamp(scene.one)
    answers = [command.give(scene, scene.office, its) for _ in range(3)]
    assert [answer.repeated for answer in answers] == [False, True, True]
    check_repeats(command, scene, answers, before)


@each_command
def test_three_at_once(scene: Scene, command: Command) -> None:
    before, its, together = scene.office.record.position(), stamp(scene.one), threading.Barrier(3)

    def give() -> Answer:
        together.wait(10)
        return command.give(scene, scene.office, its)

    with ThreadPoolExecutor(3) as clients:
        answers = [future.result() for future in [clients.submit(give) for _ in range(3)]]
    check_repeats(command, scene, answers, before)


@each_command
def test_another_content_is_refused_and_changes_nothing(scene: Scene, command: Command) -> None:
    its = stamp(scene.one)
    first = command.give(scene, scene.office, its)
    before = scene.office.record.position()
    later = msgspec.structs.replace(its, at=its.at - timedelta(seconds=1))
    for give in (
        lambda: command.differently(scene, scene.office, its),
        lambda: command.give(scene, scene.office, later),
    ):
        with pytest.raises(Refusal) as refused:
            give()
        assert refused.value.code == "command_reused"
    assert scene.office.record.position() == before
    assert said(command.give(scene, scene.office, its)) == said(first)


@each_command
def test_a_client_that_names_no_time_repeats_itself_later(scene: Scene, command: Command) -> None:
    its = msgspec.structs.replace(stamp(scene.one), at_given=False)
    first = command.give(scene, scene.office, its)
    later = msgspec.structs.replace(its, at=its.at + timedelta(seconds=1))
    again = command.give(scene, scene.office, later)
    assert again.repeated and said(again) == said(first)


@each_command
@pytest.mark.parametrize("older", [False, True], ids=["entered now", "entered before, in an older record"])
def test_the_first_answer_is_given_whatever_has_been_put_on_record_since(
    scene: Scene, command: Command, older: bool
) -> None:
    its, office, both = stamp(scene.one), scene.office, [scene.one, scene.other]
    first = command.give(scene, office, its)

    def since() -> Stamp:
        if older:
            return Stamp(actor=scene.manager, at=its.at, entered_at=its.at)
        return stamp(scene.manager)

    office.assign(since(), entry=scene.visitor, to=scene.other, how="reassignment", by=scene.manager)
    for number in (1, 2):
        office.register(since(), by=scene.other, name="孙三", phone=phone_number(number))
    sales = {scene.sale, *(f.stream for f in first.facts if f.fact.stored_name == "sale.recorded.v1")}
    for sale in sales:
        if not office.files.sale(sale).rulings:
            office.agree(since(), sale=sale, shares={scene.one: Fraction(1, 3), scene.other: Fraction(2, 3)}, by=both)
    office.adopt(stamp(scene.manager), amend={"attribution.protection_days": 3}, by=scene.manager)
    again = command.give(scene, office, its)
    assert again.repeated and said(again) == said(first)


# What may befall an append on its way to the database and back


@dataclass
class Line:
    """A program that reaches the database through a middleman, and one that reaches it straight."""

    middleman: Middleman
    scene: Scene
    office: SalesOffice
    store: Store


@pytest.fixture
def line(store: Store) -> Iterator[Line]:
    with store.record() as straight, Middleman(store.uri) as middleman:
        scene = set_scene(straight, Keyring(store.master, straight.person_keys))
        detour = msgspec.structs.replace(store, uri=middleman.uri)
        with detour.record(reply_timeout_seconds=0.5, connect_timeout_seconds=5) as record:
            yield Line(middleman, scene, detour.office(record, scene.office.site_id), store)


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.HOLD_CALL], ids=lambda t: t.name)
@pytest.mark.parametrize("name", ["register", "follow_up", "sell", "relate", "open_dispute", "rule"])
def test_a_lost_or_late_reply(line: Line, name: str, trouble: Trouble) -> None:
    """The command comes back with its first answer, and stands on record once."""
    command, before, its = COMMANDS[name], line.scene.office.record.position(), stamp(line.scene.one)
    line.middleman.make(trouble)
    answer = command.give(line.scene, line.office, its)
    assert line.middleman.made.is_set()
    assert answer.repeated == (trouble is not Trouble.CUT_BEFORE_CALL)
    repeated = command.give(line.scene, line.scene.office, its)
    assert repeated.repeated and said(repeated) == said(answer)
    assert list(line.scene.office.record.read(before)) == list(answer.facts)
    assert len(answer.facts) == command.facts
    check_history(line.store, line.scene.office.site_id)


@pytest.mark.parametrize("name", ["register", "sell", "rule"])
def test_a_call_that_arrives_when_its_repeat_has_been_answered(line: Line, name: str) -> None:
    """The late one finds itself on record and is refused there."""
    command, before, its = COMMANDS[name], line.scene.office.record.position(), stamp(line.scene.one)
    line.middleman.make(Trouble.HOLD_CALL)
    answer = command.give(line.scene, line.office, its)
    assert line.middleman.made.is_set() and not answer.repeated
    line.middleman.released.set()
    assert line.middleman.all_past.wait(20)
    assert list(line.scene.office.record.read(before)) == list(answer.facts)
    check_history(line.store, line.scene.office.site_id)


def test_a_call_that_arrives_between_its_repeats_decision_and_append(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repeat finds the other on record, and gives its answer."""
    before, its = line.scene.office.record.position(), stamp(line.scene.one)
    line.middleman.make(Trouble.HOLD_CALL)
    appended = commands._append

    def append_after_the_late_one(*args: object) -> commands.Carried:
        if line.middleman.made.is_set():
            line.middleman.released.set()
            assert line.middleman.all_past.wait(20)
        return appended(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(commands, "_append", append_after_the_late_one)
    answer = COMMANDS["register"].give(line.scene, line.office, its)
    assert answer.repeated and len(answer.facts) == 1
    assert list(line.scene.office.record.read(before)) == list(answer.facts)
    check_history(line.store, line.scene.office.site_id)
