"""One day at the office over HTTP, in memory and on PostgreSQL: from signing in to a ruling, read back at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from application.event_store.migrations import prepare_store
from application.privacy import Keyring
from interfaces.store import store_at
from tests.api.house import House, store_in_memory


@pytest.fixture(params=["memory", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "memory":
        yield House(store_in_memory())
        return
    uri, schema = request.getfixturevalue("postgres_uri"), request.getfixturevalue("schema")
    prepare_store(uri, schema, Keyring(b"k" * 32, lambda persons: {}).fingerprint())
    store = store_at(uri, schema, b"k" * 32)
    yield House(store)
    store.record.close()


# long because: a day is told from morning to evening
def test_one_day(office: House) -> None:
    lin, wang = str(office.staff["consultant"]), str(office.staff["colleague"])
    office.does("queue/sign-in", {"who": lin}, "consultant")
    office.does("queue/sign-in", {"who": wang}, "desk")

    came = office.does("receptions", {"channel": "visit", "phone": "13900000001", "name": "赵强"}, "desk")
    assert came["reception"] == "r1"
    (opened,) = came["facts"]
    assert opened["fact"] == "queue.reception_opened.v1"
    assert opened["content"]["choice"]["staff"] == lin and came["staff"][lin] == "员工consultant"
    assert came["clauses"] and all(clause["zh"] for clause in came["clauses"])
    assert {clause["id"] for clause in came["clauses"]} >= set(opened["content"]["choice"]["clauses"])

    registered = office.does("registrations", {"name": "赵强", "phone": "13900000001"}, "consultant")
    visitor = registered["visitor"]["visitor"]
    assert registered["attribution"]["owner_id"] == lin and registered["attribution"]["until"]
    assert "sealed" not in str(registered) and "赵强" not in str(registered) and "1390000" not in str(registered)

    finished = office.does("receptions/r1/finish", {"visitor": {"visitor": visitor}}, "consultant")
    assert [fact["fact"] for fact in finished["facts"]] == ["queue.finished.v1", "visitor.received.v1"]
    assert finished["facts"][0]["content"]["counts"] is True
    board = office.reads(f"queue?min_position={finished['position']}", "colleague")
    assert board["next"]["visit"]["staff"] == "员工colleague"
    why = office.reads("receptions/r1", "auditor")
    assert why["receiver"] == "员工consultant" and [step["what"] for step in why["steps"]] == ["opened", "finished"]

    office.does(f"visitors/{visitor}/follow-ups", {"how": "call"}, "consultant")
    sold = office.does(
        "sales", {"visitor": {"visitor": visitor}, "amount": "12000.00", "unit": "6-1-1204"}, "colleague"
    )
    assert sold["settlement"]["shares"] == {lin: "1"} or lin in sold["settlement"]["shares"]
    twice = office.ask(
        "POST", "sales", "colleague", {"visitor": {"visitor": visitor}, "amount": "1", "unit": "6-1-1204"}
    )
    office.refused(twice, 409, "unit_already_sold")
    statement = office.reads(f"sales/{sold['subject']}", "finance")
    assert statement["settlement"] == sold["settlement"] and statement["owner_id"] == lin

    disputed = office.does("disputes", {"sale": sold["subject"]}, "colleague")
    assert disputed["dispute"] == "D1"
    replayed = office.does("replays", {"dispute": disputed["subject"]}, "colleague")
    assert replayed["owner_id"] == lin and replayed["steps"] and replayed["clauses"]
    what_if = office.does("replays", {"sale": sold["subject"], "under": "revised-reception"}, "manager")
    assert what_if["what_if"] is True
    ruling = {"reason": "as the replay says"}
    office.refused(
        office.ask("POST", f"disputes/{disputed['subject']}/rulings", "supervisor", ruling), 403, "access_denied"
    )
    office.does(f"disputes/{disputed['subject']}/rulings", ruling, "manager")
    told = office.reads(f"disputes/{disputed['subject']}", "colleague")
    assert told["adopted"] is True and told["ruled_by"] == str(office.staff["manager"])
    assert office.reads(f"visitors/{visitor}", "consultant")["phone"] == "139****0001"


def test_rulebooks_can_be_read(house: House) -> None:
    listed = {one["rulebook"]: one for one in house.reads("/v1/rulebooks", "officer")["rulebooks"]}
    shown = house.ask("GET", "/v1/rulebooks/forty-three-articles", "officer")
    assert shown.headers["ETag"].strip('"') == listed["forty-three-articles"]["editions"][-1]["sha256"]
    chinese = house.ask("GET", "/v1/rulebooks/forty-three-articles/page", headers={"Accept-Language": "zh-CN"})
    english = house.ask("GET", "/v1/rulebooks/forty-three-articles/page")
    assert chinese.content_type.startswith("text/markdown") and "轮排" in chinese.text and "# " in english.text
    assert house.reads("/v1/sites", "legal")["sites"][0]["rulebook"].startswith("forty-three-articles@")
    early = house.ask("GET", "/v1/rulebooks/forty-three-articles?day=1900-01-01")
    house.refused(early, 422, "rulebook_silent")
