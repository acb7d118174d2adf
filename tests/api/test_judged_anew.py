"""A command is judged by keys and staff as this process read them last. Whatever another process has put on record since
holds all the same: for who may do it, for what is told, and for the rules it is decided by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from application import commands
from application.access_keys import issue, revoke
from application.event_store.record import Record
from application.sales_office import SalesOffice
from domain.access import access_id
from domain.sales_turn_queue import queue_id
from tests.api.house import House, before, now
from tests.api.test_rights import EXPECTED, LETTER, OPERATIONS, World

COMMANDS = sorted(
    name
    for name, (_, _, operation) in OPERATIONS.items()
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
)
Meanwhile = Callable[[World, str], None]


def key_revoked(world: World, role: str) -> None:
    house = world.house
    revoke(house.office, now(), key=house.keys[role].split("_")[1])


def holder_gone(world: World, role: str) -> None:
    house = world.house
    house.office.depart(before(), who=house.staff[role], heirs=[], by=None)


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 30 and {"register", "adopt", "reveal_visitor", "request_job"} <= set(COMMANDS)


@pytest.mark.parametrize("what", [key_revoked, holder_gone])
@pytest.mark.parametrize("name", COMMANDS)
def test_who_may_no_more_is_not_let_in(name: str, what: Meanwhile) -> None:
    """Neither is anything put on record, nor told."""
    world = World()
    role = next(LETTER[letter] for letter in EXPECTED[name] if letter in LETTER and letter != "c")
    assert world.house.ask("POST", "queue/sign-in", role, {}).status_code in (403, 422), "it is known here, and good"
    what(world, role)
    position = world.house.position
    assert world.code_of(name, role, "colleague") == "unauthenticated"
    assert world.house.position == position


@pytest.fixture
def elsewhere(house: House) -> SalesOffice:
    """The same office in another process; this one has read it before."""
    for who in ("colleague", "manager", "consultant"):
        house.register(who, "赵强", "13900000001")
    return SalesOffice(house.store.record, house.store.keyring, house.store.shelf, house.site)


def meanwhile(house: House, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[int]:
    """Something happens between the decision and the next append; how many appends were tried."""
    record, tried = house.store.record, list[int]()

    def append(*given: Any) -> Any:
        tried.append(1)
        if len(tried) == 1:
            monkeypatch.undo()
            act()
            monkeypatch.setattr(record, "append", append)
        return Record.append(record, *given)

    monkeypatch.setattr(record, "append", append)
    return tried


def test_a_key_revoked_between_decision_and_append(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = meanwhile(house, monkeypatch, lambda: revoke(elsewhere, now(), key=house.keys["consultant"].split("_")[1]))
    found = len(list(house.store.record.read()))
    response = house.ask("POST", "registrations", "consultant", {"name": "钱多", "phone": "13900000002"})
    house.refused(response, 401, "unauthenticated")
    assert sum(tried) == 1
    assert len(list(house.store.record.read())) == found + 1, "the revocation alone"


def test_a_rulebook_adopted_between_decision_and_append(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = meanwhile(house, monkeypatch, lambda: elsewhere.adopt(before(), amend={"attribution.protection_days": 7}))
    told = house.does("registrations", {"name": "钱多", "phone": "13900000002"}, "consultant")
    assert sum(tried) == 2 and told["facts"][0]["edition"].endswith("*")


def test_rules_and_staff_put_on_record_elsewhere_hold(house: House, elsewhere: SalesOffice) -> None:
    elsewhere.adopt(before(), amend={"attribution.protection_days": 7})
    told = house.does("registrations", {"name": "钱多", "phone": "13900000002"}, "consultant")
    assert told["facts"][0]["edition"].endswith("*")
    colleague = elsewhere.enrol_staff(before(), name="孙立").subject
    told = house.does("registrations", {"name": "周到", "phone": "13900000003", "by": str(colleague)})
    assert told["attribution"]["owner"] == "孙立", "never refused by what was so before"


def test_a_refusal_is_told_only_after_another_look(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = list[UUID]()
    monkeypatch.setattr(
        house.store.record,
        "load_since_each",
        lambda versions: looked.extend(versions) or Record.load_since_each(house.store.record, versions),
    )
    nobody = str(house.site)
    response = house.ask("POST", "registrations", "manager", {"name": "钱多", "phone": "13900000002", "by": nobody})
    house.refused(response, 404, "unknown_staff")
    assert looked.count(house.site) == 1
    house.refused(house.ask("POST", "registrations", "manager", {"name": 1}), 422, "bad_fields")
    assert looked.count(house.site) == 2
    repeated = "test-repeated-here"
    body = {"name": "钱多", "phone": "13900000002"}
    assert house.does("registrations", body, idempotency=repeated)["repeated"] is False
    assert looked.count(house.site) == 2, "the append has made sure of it"
    assert house.does("registrations", body, idempotency=repeated)["repeated"] is True
    assert looked.count(house.site) == 3


def test_what_a_registration_asks_for(house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither keys nor staff nor the phone; a known phone is found by the append, and then looked up."""
    record, asked = house.store.record, list[str]()
    monkeypatch.setattr(record, "load_since", lambda *given: pytest.fail("a stream was read"))
    monkeypatch.setattr(record, "load_since_each", lambda *given: pytest.fail("keys and staff were read"))
    monkeypatch.setattr(record, "held_by", lambda kind, key: asked.append(kind) or Record.held_by(record, kind, key))
    first = house.does("registrations", {"name": "钱多", "phone": "13900000002"}, "consultant")
    assert asked == []
    again = house.does("registrations", {"name": "钱太太", "phone": "13900000002"}, "colleague")
    assert asked == ["phone"] and again["visitor"] == {**first["visitor"], "registration": 2}


def test_who_shows_a_wrong_key_is_looked_up_once(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, asked = house.store.record, list[str]()
    monkeypatch.setattr(record, "held_by", lambda kind, key: asked.append(kind) or Record.held_by(record, kind, key))
    wrong = f"lunpai_{'0' * 16}_{'0' * 43}"
    house.refused(house.ask("POST", "registrations", key=wrong, body={"name": "钱多"}), 401, "unauthenticated")
    assert asked == ["key"]


def test_what_is_told_of_an_earlier_command_is_told_by_what_holds_now(house: House, elsewhere: SalesOffice) -> None:
    """The name of a member of staff whom nobody here has heard of."""
    colleague = elsewhere.enrol_staff(before(), name="孙立").subject
    body = {"name": "周到", "phone": "13900000003", "by": str(colleague)}
    assert house.does("registrations", body, idempotency="twice")["attribution"]["owner"] == "孙立"
    elsewhere.enrol_staff(before(), name="孙立")
    repeated = house.does("registrations", body, idempotency="twice")
    assert repeated["repeated"] and repeated["attribution"]["owner"] == f"孙立 ({str(colleague)[:4]})"


def test_a_key_issued_elsewhere_opens_at_once(house: House, elsewhere: SalesOffice) -> None:
    key = issue(elsewhere, now(), staff=house.staff["colleague"]).text
    assert house.ask("POST", "registrations", key=key, body={"name": "周到"}).status_code == 200


def test_what_a_rulebook_says_nothing_on_is_told_after_another_look(house: House, elsewhere: SalesOffice) -> None:
    """What comes of a command may be no refusal at all, but an error: it comes of what is no longer so."""
    elsewhere.adopt(now(), rulebook="ab-post")
    house.reads("")
    for who in ("consultant", "colleague"):
        house.does("queue/sign-in", {"who": str(house.staff[who])})
    newcomer = elsewhere.enrol_staff(before(), name="孙立").subject
    assert newcomer is not None
    elsewhere.register(now(), by=newcomer, name="周到", phone="13900000003")
    house.does("receptions", {"channel": "visit", "phone": "13900000003"}, "desk")


def test_the_precondition_is_of_what_holds_now(house: House, elsewhere: SalesOffice) -> None:
    tag = house.ask("GET", "rulebook").headers["ETag"]
    elsewhere.adopt(before(), amend={"attribution.protection_days": 7})
    body = {"amend": {"attribution.protection_days": 9}}
    refused = house.ask("POST", "rulebook/adoptions", body=body, headers={"If-Match": tag})
    house.refused(refused, 412, "changed_meanwhile")


def test_a_question_at_one_site_costs_commands_at_another_nothing(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = House(house.store, "滨江二号")
    other.app, other.client = house.app, house.client
    other.register("manager", "周到", "13900000003")
    house.reads("queue")
    house.refused(house.ask("GET", "queue", key="nobody's"), 401, "unauthenticated")
    for name in ("load_since", "load_since_each"):
        monkeypatch.setattr(house.store.record, name, lambda *given: pytest.fail("read once more"))
    other.register("manager", "钱多", "13900000004")
    house.register("manager", "钱多", "13900000004")


def test_what_was_read_before_a_connection_broke_counts_for_nothing(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it breaks between the letting in and the decision."""
    record, recorder = house.store.record, house.store.record.recorder
    looked = list[dict[UUID, int]]()
    monkeypatch.setattr(
        record, "load_since_each", lambda versions: looked.append(versions) or Record.load_since_each(record, versions)
    )
    monkeypatch.setattr(recorder, "lives", record.lives + 1)
    house.does("registrations", {"name": "钱多", "phone": "13900000002"}, "consultant")
    assert [set(versions.values()) for versions in looked] == [{0}]
    running = record.running

    def broken(command: UUID) -> Any:
        monkeypatch.setattr(recorder, "lives", record.lives + 1)
        monkeypatch.setattr(record, "running", running)
        return running(command)

    monkeypatch.setattr(record, "running", broken)
    house.does("registrations", {"name": "孙立", "phone": "13900000003"}, "consultant")
    assert [set(versions.values()) for versions in looked] == [{0}, {0}]


def test_who_collides_for_ever_is_told_to_come_back(
    house: House, elsewhere: SalesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_TRIES", 3)
    record, tried = house.store.record, list[int]()

    def append(*given: Any) -> Any:
        tried.append(1)
        stamp = commands.Stamp(actor=house.site, at=datetime.now(UTC), at_given=False)
        with monkeypatch.context() as aside:
            aside.setattr(record, "append", lambda *more: Record.append(record, *more))
            elsewhere.enrol_staff(stamp, name=f"员工{len(tried)}")
        return Record.append(record, *given)

    monkeypatch.setattr(record, "append", append)
    response = house.ask("POST", "registrations", "consultant", {"name": "钱多", "phone": "13900000002"})
    house.refused(response, 503, "store_unavailable")
    assert len(tried) == 3


@pytest.mark.parametrize("path", ["visitors", "sales", "disputes"])
def test_a_path_that_names_what_it_should_not(house: House, elsewhere: SalesOffice, path: str) -> None:
    """What a path names is read together with keys and staff, which stay what they are, whatever it names."""
    own = house.app.extensions["lunpai"].doorkeeper._own
    kept = own.offices[house.site].files.site(), own.read.of(house.site)
    for stream in (house.site, access_id(house.site), queue_id(house.site, datetime.now(UTC).date()), uuid4()):
        for _ in range(2):
            house.refused(house.ask("GET", f"{path}/{stream}"), 404, f"unknown_{path.removesuffix('s')}")
    assert (own.offices[house.site].files.site(), own.read.of(house.site)) == kept
    assert house.ask("GET", f"/v1/sites/{uuid4()}/{path}/{uuid4()}").status_code == 404
