"""Personal data in full, and looking somebody up: for whom, how often, and what is on record of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest

from application.commands import Stamp
from application.desk import Desk
from application.disclosures import look_up_on_record
from domain.calendar import end_of
from domain.disclosure import REPEATED_WITHIN, Limits, LookedUp, Revealed
from interfaces.api.app import create_app
from interfaces.store import SCHEMA, store_at
from tests.api.house import House, store_in_memory, store_on_disk

ZONE = ZoneInfo("Asia/Shanghai")
NAME, PHONE, SHORT = "赵强", "13900000001", "9000000"


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """The offices' clock is so far ahead from now on."""
    monkeypatch.setattr(Desk, "now", lambda desk: max(datetime.now(UTC), desk.files.latest) + by)


def period(house: House) -> str:
    today = datetime.now(ZONE).date()
    return f"first={today - timedelta(days=1)}&last={today}"


def test_name_and_phone_in_full_for_a_purpose(house: House) -> None:
    visitor = house.register("consultant", NAME, PHONE)
    shown = house.does(f"visitors/{visitor}/reveals", {"purpose": "contact"}, "consultant", idempotency="once")
    assert (shown["name"], shown["phone"], shown["repeated"]) == (NAME, f"+86{PHONE}", False)
    assert shown["position"] == house.position and shown["left_today"] == Limits().reveals_a_day - 1
    again = house.does(f"visitors/{visitor}/reveals", {"purpose": "contact"}, "consultant", idempotency="once")
    assert again == {**shown, "repeated": True} and shown["position"] == house.position
    for who in ("manager", "supervisor", "legal"):
        assert house.does(f"visitors/{visitor}/reveals", {"purpose": "dispute"}, who)["name"] == NAME


def test_only_who_may(house: House) -> None:
    theirs = house.register("colleague", NAME, PHONE)
    nobodys = house.register("colleague", "钱多", "13900000002")
    house.does(f"staff/{house.staff['colleague']}/departure", {})
    before = house.position
    for visitor in (theirs, nobodys):
        refused = house.ask("POST", f"visitors/{visitor}/reveals", "consultant", {"purpose": "contact"})
        assert SHORT not in str(house.refused(refused, 403, "access_denied"))
    for who in ("desk", "finance", "officer", "auditor"):
        house.refused(
            house.ask("POST", f"visitors/{theirs}/reveals", who, {"purpose": "contact"}), 403, "access_denied"
        )
    unknown = house.ask("POST", f"visitors/{uuid4()}/reveals", "manager", {"purpose": "contact"})
    house.refused(unknown, 404, "unknown_visitor")
    second = house.ask("POST", f"visitors/{theirs}/reveals", "manager", {"purpose": "contact", "registration": 2})
    house.refused(second, 404, "unknown_visitor")
    assert house.position == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "bad_fields"),
        ({"purpose": "curiosity"}, "bad_fields"),
        ({"purpose": "contact", "note": "x" * 201}, "bad_fields"),
        ({"purpose": "other"}, "bad_value"),
        ({"purpose": "other", "note": "  "}, "bad_value"),
        ({"purpose": "contact", "at": "2026-03-02T10:00:00+08:00"}, "bad_fields"),
    ],
)
def test_a_purpose_is_needed(house: House, body: dict[str, str], code: str) -> None:
    visitor = house.register("consultant", NAME, PHONE)
    before = house.position
    house.refused(house.ask("POST", f"visitors/{visitor}/reveals", "manager", body), 422, code)
    assert house.position == before


def test_the_fact_holds_nothing_of_it_in_the_clear(house: House) -> None:
    visitor = house.register("consultant", NAME, PHONE)
    house.does(f"visitors/{visitor}/reveals", {"purpose": "other", "note": f"{NAME}来电{PHONE}"}, "consultant")
    house.does("visitors/look-up", {"phone": PHONE}, "consultant")
    house.does("visitors/look-up", {"phone": PHONE}, "consultant")
    house.does("visitors/look-up", {"name": NAME}, "consultant")
    revealed, *looked_up = house.store.record.read(house.position - 4)
    assert isinstance(revealed.fact, Revealed) and revealed.fact.by == house.staff["consultant"]
    facts = [one.fact for one in looked_up]
    assert [(f.kind, f.found) for f in facts if isinstance(f, LookedUp)] == [("phone", 1), ("phone", 1), ("name", 1)]
    hashes = [f.asked_hash for f in facts if isinstance(f, LookedUp)]
    assert hashes[0] == hashes[1] != hashes[2] and {len(one) for one in hashes} == {3}
    assert house.office.keyring.hash(house.site, "phone", f"+86{PHONE}")[:3] != hashes[0]
    for stored in house.store.record.recorder.select_notifications(house.position - 3, 4):
        assert SHORT not in stored.state.decode() and NAME not in stored.state.decode()


def test_no_hole_comes_where_looks_were_lost(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that died may have lost what was read before: nobody goes on from that."""
    office, record = house.office, house.store.record

    def look_up() -> None:
        stamp = Stamp(actor=house.staff["manager"], at=datetime.now(UTC), at_given=False)
        look_up_on_record(office, stamp, Limits(), phone=PHONE)

    look_up()
    look_up()
    ((stream, looks),) = office.looks.items()
    office.looks[stream] = msgspec.structs.replace(looks, version=looks.version + 3, look_ups=0)
    monkeypatch.setattr(record.recorder, "lives", record.lives + 1)
    look_up()
    assert [one.version for one in record.load_since(stream, 0)] == [1, 2, 3]
    assert office.looks[stream].look_ups == 2, "what the third was decided on"


def test_who_looked_at_what_and_why(house: House) -> None:
    visitor = house.register("consultant", NAME, PHONE)
    path = f"visitors/{visitor}/reveals"
    house.does(path, {"purpose": "other", "note": "要求退款"}, "consultant")
    house.does(path, {"purpose": "contact"}, "manager")
    house.does("visitors/look-up", {"phone": PHONE}, "desk")
    told = house.reads(f"reveals?{period(house)}", "auditor")
    assert {(one["by"], one["visitor"], one["purpose"], one["note"]) for one in told["looks"]} == {
        (str(house.staff["consultant"]), visitor, "other", "要求退款"),
        (str(house.staff["manager"]), visitor, "contact", None),
    }
    assert told["after"] is None and told["staff"][str(house.staff["manager"])] == "员工manager"
    found, after = [], ""
    for _ in range(2):
        page = house.reads(f"reveals?{period(house)}&limit=1{after}", "auditor")
        found += page["looks"]
        after = f"&after={page['after']}"
    assert found == told["looks"] and page["after"] is None
    one = house.reads(f"reveals?{period(house)}&staff={house.staff['manager']}")["looks"]
    assert [look["purpose"] for look in one] == ["contact"]
    (look,) = house.reads(f"look-ups?{period(house)}")["looks"]
    assert (look["by"], look["kind"], look["found"]) == (str(house.staff["desk"]), "phone", 1)
    assert SHORT not in str(look) and NAME not in str(told)


@pytest.mark.parametrize("query", ["", "first=2026-03-02&last=2026-03-01", "first=2026-01-01&last=2026-03-01",
                                   "first=2026-03-01&last=2026-03-02&after=WzFd"])  # fmt: skip
def test_periods_and_pages_that_there_are_not(house: House, query: str) -> None:
    house.refused(house.ask("GET", f"reveals?{query}", "auditor"), 422, "bad_fields")


def test_no_more_than_so_many_in_full_a_day() -> None:
    house = House(limits=Limits(reveals_a_day=2))
    visitor = house.register("consultant", NAME, PHONE)
    path = f"visitors/{visitor}/reveals"
    assert [house.does(path, {"purpose": "contact"}, "consultant", idempotency=n)["left_today"] for n in "ab"] == [1, 0]
    over = house.ask("POST", path, "consultant", {"purpose": "contact"})
    told = house.refused(over, 429, "too_many_reveals")
    left = end_of(datetime.now(ZONE).date(), ZONE) - datetime.now(UTC)
    assert abs(int(over.headers["Retry-After"]) - left.total_seconds()) < 30 and SHORT not in str(told)
    assert house.does(path, {"purpose": "contact"}, "consultant", idempotency="a")["repeated"] is True
    assert house.does(path, {"purpose": "contact"}, "manager")["left_today"] == 1


def test_no_more_than_so_many_look_ups_a_minute_and_a_day() -> None:
    for limits in (Limits(look_ups_a_minute=2), Limits(look_ups_a_day=2)):
        house = House(limits=limits)
        asked = [house.ask("POST", "visitors/look-up", "desk", {"phone": PHONE}) for _ in range(4)]
        assert [response.status_code for response in asked] == [200, 200, 429, 429]
        house.refused(asked[-1], 429, "too_many_requests")
        wait = int(asked[-1].headers["Retry-After"])
        assert 1 <= wait <= 60 if limits.look_ups_a_minute == 2 else wait >= 1
        assert house.ask("POST", "visitors/look-up", "manager", {"phone": PHONE}).status_code == 200


def test_a_malformed_look_up_is_no_look(house: House) -> None:
    before = house.position
    house.refused(house.ask("POST", "visitors/look-up", "desk", {"phone": "12"}), 422, "bad_value")
    assert house.position == before


def test_registering_whom_a_colleague_has_says_whose_and_is_signed(house: House) -> None:
    house.register("colleague", NAME, PHONE)
    told = house.does("registrations", {"name": "某某", "phone": PHONE}, "consultant")
    assert told["attribution"]["owner_id"] == str(house.staff["colleague"]) and NAME not in str(told)
    assert told["facts"][0]["content"]["by"] == str(house.staff["consultant"])


def test_registering_whom_a_colleague_has_says_nothing_else_of_the_customer(house: House) -> None:
    """Not since when, for how long, whether there is a sale, nor whether this name was entered before."""
    visitor = house.register("colleague", NAME, PHONE)
    house.sell("colleague", visitor, "6-1-1201")
    owner = {"owner": "员工colleague", "owner_id": str(house.staff["colleague"])}
    (edition,) = house.office.files.editions().in_force
    needed = set(edition.edition.parameters["attribution.required"].clauses)
    for number, name in enumerate((NAME, "某某"), start=2):
        body = {"name": name, "phone": PHONE}
        told = house.does("registrations", body, "consultant", idempotency=f"entry{number}")
        assert {key: value for key, value in told["attribution"].items() if value} == owner
        (fact,) = told["facts"]
        assert "same_name_as" not in fact["content"] and fact["content"]["registration"] == number
        assert {clause["id"] for clause in told["clauses"]} == needed
        house.fits("post", "registrations", told)
        # The first answer once more is no way around it.
        assert house.does("registrations", body, "consultant", idempotency=f"entry{number}") == {
            **told,
            "repeated": True,
        }
    whole = house.does("registrations", {"name": NAME, "phone": PHONE}, "desk")
    assert whole["attribution"]["bought"] and whole["attribution"]["ground"] and whole["attribution"]["clauses"]
    assert whole["facts"][0]["content"]["same_name_as"] == 1
    own = house.does("registrations", {"name": NAME, "phone": PHONE}, "colleague")
    assert own["attribution"]["bought"] and own["attribution"]["since"]
    assert own["facts"][0]["content"]["same_name_as"] == 1


def test_selling_to_whom_a_colleague_has_says_whose_alone(house: House) -> None:
    visitor = house.register("colleague", NAME, PHONE)
    told = house.does("sales", {"visitor": {"visitor": visitor}, "amount": "100.00", "unit": "1-101"}, "consultant")
    standing = {key: value for key, value in (told["attribution"] or {}).items() if value}
    assert standing.keys() <= {"owner", "owner_id"}
    assert told["settlement"]["shares"]  # of a sale that one has closed oneself


def test_who_relates_a_colleagues_customer_does_not_get_it(house: House) -> None:
    """Joined customers are judged as one, and the earlier first contact wins."""
    older = house.register("colleague", "李四", "13900000002")
    theirs = house.register("consultant", NAME, PHONE)
    before = house.position
    for visitor, to in ((older, theirs), (theirs, older)):
        for relation in ("spouse", "parent", "child", "other"):
            for more in ({}, {"proven": False}, {"registration": 9}):
                body = {"to": {"visitor": to}, "relation": relation, **more}
                refused = house.ask("POST", f"visitors/{visitor}/relations", "colleague", body)
                house.refused(refused, 403, "access_denied")
    assert house.position == before
    refused = house.ask("POST", f"visitors/{theirs}/reveals", "colleague", {"purpose": "contact"})
    assert SHORT not in str(house.refused(refused, 403, "access_denied"))
    assert house.reads(f"visitors/{theirs}", "consultant")["attribution"]["owner"] == "员工consultant"
    # Of two of one's own, or where the desk says so, it is put on record.
    second = house.register("colleague", "王五", "13900000003")
    body = {"to": {"visitor": older}, "relation": "spouse"}
    assert house.does(f"visitors/{second}/relations", body, "colleague")["facts"]
    assert house.does(f"visitors/{theirs}/relations", body, "desk")["facts"]


def test_what_was_shown_is_shown_again_for_ten_minutes_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer may be lost on its way; a key is no pass to look again, past every cap and without a fact."""
    path = f"visitors/{house.register('consultant', NAME, PHONE)}/reveals"
    house.does(path, {"purpose": "contact"}, "consultant", idempotency="lost")
    before = house.position
    later(monkeypatch, REPEATED_WITHIN - timedelta(seconds=30))
    assert house.does(path, {"purpose": "contact"}, "consultant", idempotency="lost")["repeated"] is True
    later(monkeypatch, REPEATED_WITHIN + timedelta(seconds=1))
    refused = house.ask("POST", path, "consultant", {"purpose": "contact"}, idempotency="lost")
    told = house.refused(refused, 409, "wrong_state")
    assert "another Idempotency-Key" in told["detail"] and SHORT not in str(told) and NAME not in str(told)
    assert house.position == before
    assert house.does(path, {"purpose": "contact"}, "consultant")["repeated"] is False
    assert house.position == before + 1


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Path]]:
    home = tmp_path_factory.mktemp("disclosures")
    with store_on_disk(home) as store:
        yield House(store, limits=Limits(reveals_a_day=5, look_ups_a_minute=7)), home


def test_two_servers_at_once_keep_one_cap(on_disk: tuple[House, Path]) -> None:
    """Two applications on stores of their own, as two processes have them, and many clients at once."""
    house, _ = on_disk
    visitor = house.register("consultant", NAME, PHONE)
    uri = house.store.record.recorder.uri  # type: ignore[union-attr]
    other = store_at(uri, SCHEMA, b"k" * 32)
    other = type(other)(other.record, house.store.keyring, other.shelf)
    try:
        apps = (house.app, create_app(other, limits=Limits(reveals_a_day=5, look_ups_a_minute=7)))

        def ask(number: int, path: str, body: dict[str, str]) -> int:
            headers = {"Authorization": f"Bearer {house.keys['consultant']}", "Idempotency-Key": f"{path}{number}"}
            return apps[number % 2].test_client().post(house.url(path), json=body, headers=headers).status_code

        with ThreadPoolExecutor(8) as clients:
            path = f"visitors/{visitor}/reveals"
            shown = list(clients.map(lambda n: ask(n, path, {"purpose": "contact"}), range(16)))
            found = list(clients.map(lambda n: ask(n, "visitors/look-up", {"phone": PHONE}), range(16)))
    finally:
        other.record.close()
    assert (shown.count(200), shown.count(429)) == (5, 11)
    assert (found.count(200), found.count(429)) == (7, 9)
    facts = [type(one.fact) for one in house.store.record.read()]
    assert (facts.count(Revealed), facts.count(LookedUp)) == (5, 7)


def test_data_of_the_erased_are_not_shown() -> None:
    house = House(store_in_memory())
    visitor = house.register("consultant", NAME, PHONE)
    house.does(f"visitors/{visitor}/reveals", {"purpose": "contact", "note": "回访"}, "consultant", idempotency="x")
    house.store.record.recorder._keys.clear()  # type: ignore[union-attr]
    house.store.keyring._opened.clear()
    for name in ("x", "y"):
        refused = house.ask(
            "POST", f"visitors/{visitor}/reveals", "legal",
            {"purpose": "contact"}, idempotency=name,
        )  # fmt: skip
        house.refused(refused, 409, "wrong_state")
    (look,) = house.reads(f"reveals?{period(house)}")["looks"]
    assert look["note"] is None and look["purpose"] == "contact"
