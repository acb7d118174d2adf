"""Exports of the register in full: proposed by one, approved by another, fetched once, all of it on record."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from domain.disclosure import REPEATED_WITHIN, Limits
from domain.four_eyes import ExportDownloaded
from interfaces.api.app import create_app
from projections.records import run
from tests.api.house import House, now, store_on_disk
from tests.api.test_disclosures import later

CONTRACT = {"purpose": "contract"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An office with three customers of two consultants, whose views are kept, beside another."""
    with store_on_disk(tmp_path_factory.mktemp("exports")) as store:
        house = House(store, limits=Limits(exports_a_day=100))
        other = house.open("江畔二号")
        staff = other.enrol_staff(now(), name="外人").subject
        assert staff is not None
        other.register(now(), by=staff, name="外客", phone="13700000001")
        house.register("consultant", "=赵强", "13900000001")
        house.register("consultant", "钱多", "13900000002")
        house.register("colleague", "孙立", "13900000003")
        house.enrol("other manager", "manager")
        run(store.read_side, None, check=False, asked_by="test", tell=lambda progress: None)
        yield house


def propose(house: House, who: str = "supervisor", **more: str) -> str:
    return str(house.does("exports", {**CONTRACT, **more}, who)["subject"])


def test_the_whole_way(kept: House) -> None:
    proposal = propose(kept)
    fetch = f"exports/{proposal}/downloads"
    kept.refused(kept.ask("POST", fetch, "supervisor", {}), 409, "wrong_state")
    (line,) = kept.reads("proposals?status=open", "auditor")["proposals"]
    assert (line["proposal"], line["persons"], line["by"]) == (proposal, 3, str(kept.staff["supervisor"]))
    kept.does(f"proposals/{proposal}/approval", {}, "manager")
    fetched = kept.ask("POST", fetch, "supervisor", {"format": "json"}, idempotency="fetch")
    assert fetched.status_code == 200 and "attachment" in fetched.headers["Content-Disposition"]
    assert fetched.headers["Cache-Control"] == "no-store"
    rows = (fetched.json or {})["sheets"]["ownership"]["rows"]
    assert {(row["visitor"], row["phone"]) for row in rows} == {
        ("=赵强", "+8613900000001"), ("钱多", "+8613900000002"), ("孙立", "+8613900000003"),
    }  # fmt: skip
    (envelope,) = kept.store.record.read(kept.position - 1)
    assert isinstance(envelope.fact, ExportDownloaded)
    assert (envelope.fact.by, envelope.fact.persons) == (kept.staff["supervisor"], 3)
    again = kept.ask("POST", fetch, "supervisor", {"format": "json"}, idempotency="fetch")
    assert again.status_code == 200 and kept.position == envelope.position
    kept.refused(kept.ask("POST", fetch, "supervisor", {"format": "json"}), 409, "wrong_state")
    workbook = kept.ask("POST", fetch, "manager", {})
    sheet = load_workbook(BytesIO(workbook.data)).worksheets[0]
    cells = {(row[0].value, row[0].data_type, row[0].quotePrefix) for row in sheet.iter_rows(min_row=2)}
    assert ("=赵强", "s", True) in cells and len(cells) == 3
    for who in ("legal", "auditor"):
        kept.refused(kept.ask("POST", fetch, who, {}), 403, "not_permitted")
    line = next(one for one in kept.reads("proposals")["proposals"] if one["proposal"] == proposal)
    assert line["status"] == "approved" and line["decided_by"] == str(kept.staff["manager"])
    assert line["taken"] == [str(kept.staff[who]) for who in ("supervisor", "manager")]


def test_a_file_is_handed_out_again_for_ten_minutes_only(kept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = propose(kept)
    kept.does(f"proposals/{proposal}/approval", {}, "manager")
    before = kept.position

    def fetch() -> TestResponse:
        return kept.ask("POST", f"exports/{proposal}/downloads", "supervisor", {"format": "json"}, idempotency="lost")

    first = fetch()
    later(monkeypatch, REPEATED_WITHIN - timedelta(seconds=30))
    assert fetch().json == first.json and kept.position == before + 1
    later(monkeypatch, REPEATED_WITHIN + timedelta(seconds=1))
    told = kept.refused(fetch(), 409, "wrong_state")
    assert "propose it anew" in told["detail"] and kept.position == before + 1


def test_a_repeat_hands_out_no_more_than_is_on_record(tmp_path: Path) -> None:
    with store_on_disk(tmp_path) as store:
        house = House(store)
        house.register("consultant", "赵强", "13900000001")
        run(store.read_side, None, check=False, asked_by="test", tell=lambda progress: None)
        proposal = propose(house)
        house.does(f"proposals/{proposal}/approval", {}, "manager")
        path = f"exports/{proposal}/downloads"
        fetched = house.ask("POST", path, "supervisor", {"format": "json"}, idempotency="lost")
        assert len((fetched.json or {})["sheets"]["ownership"]["rows"]) == 1
        house.register("consultant", "钱多", "13900000002")
        run(store.read_side, None, check=False, asked_by="test", tell=lambda progress: None)
        again = house.ask("POST", path, "supervisor", {"format": "json"}, idempotency="lost")
        told = house.refused(again, 409, "wrong_state")
        assert "more by now" in told["detail"] and "13900000002" not in again.get_data(as_text=True)


def test_one_owners_customers_alone(kept: House) -> None:
    proposal = propose(kept, "manager", owner=str(kept.staff["colleague"]))
    kept.does(f"proposals/{proposal}/approval", {}, "auditor")
    fetched = kept.ask("POST", f"exports/{proposal}/downloads", "manager", {"format": "json"})
    (row,) = (fetched.json or {})["sheets"]["ownership"]["rows"]
    assert row["visitor"] == "孙立"


def test_nobody_approves_what_is_ones_own_by_whatever_key(kept: House) -> None:
    proposal = propose(kept, "manager")
    path = f"proposals/{proposal}/approval"
    kept.refused(kept.ask("POST", path, "manager", {}), 403, "four_eyes")
    kept.refused(kept.ask("POST", path, None, {}, key=kept.key("manager")), 403, "four_eyes")
    for who in ("supervisor", "legal", "consultant"):
        kept.refused(kept.ask("POST", path, who, {}), 403, "access_denied")
    kept.does(path, {}, "other manager", idempotency="approve")
    assert kept.does(path, {}, "other manager", idempotency="approve")["repeated"] is True
    kept.refused(kept.ask("POST", path, "auditor", {}), 409, "wrong_state")


def test_refused_and_withdrawn(kept: House) -> None:
    proposal, withdrawn = propose(kept), propose(kept)
    kept.refused(kept.ask("POST", f"proposals/{proposal}/refusal", "legal", {}), 403, "not_permitted")
    kept.does(f"proposals/{proposal}/refusal", {}, "auditor")
    kept.does(f"proposals/{withdrawn}/refusal", {}, "supervisor")
    for one in (proposal, withdrawn):
        kept.refused(kept.ask("POST", f"proposals/{one}/approval", "manager", {}), 409, "wrong_state")
        kept.refused(kept.ask("POST", f"exports/{one}/downloads", "supervisor", {}), 409, "wrong_state")


def test_proposals_in_pages(kept: House) -> None:
    made = [propose(kept) for _ in range(3)][::-1]
    first = kept.reads("proposals?limit=2")
    assert [one["proposal"] for one in first["proposals"]] == made[:2]
    second = kept.reads(f"proposals?limit=2&after={first['after']}")
    assert second["proposals"][0]["proposal"] == made[2]


def test_two_approve_at_once_and_one_does(kept: House) -> None:
    path = kept.url(f"proposals/{propose(kept)}/approval")
    apps = (kept.app, create_app(kept.store))

    def approve(number: int) -> int:
        who = ("manager", "auditor", "other manager")[number % 3]
        headers = {"Authorization": f"Bearer {kept.keys[who]}", "Idempotency-Key": f"both{number}"}
        return apps[number % 2].test_client().post(path, json={}, headers=headers).status_code

    with ThreadPoolExecutor(6) as clients:
        assert sorted(clients.map(approve, range(6))) == [200] + [409] * 5


def test_limits_of_exports(kept: House) -> None:
    def ask(limits: Limits) -> object:
        client = create_app(kept.store, limits=limits).test_client()
        headers = {"Authorization": f"Bearer {kept.keys['manager']}", "Idempotency-Key": str(uuid4())}
        return client.post(kept.url("exports"), json=CONTRACT, headers=headers)

    propose(kept)
    before = kept.position
    kept.refused(ask(Limits(exports_a_day=1)), 429, "too_many_exports")  # type: ignore[arg-type]
    kept.refused(ask(Limits(exports_a_day=100, persons_an_export=2)), 422, "export_too_large")  # type: ignore[arg-type]
    assert kept.position == before


def test_what_there_is_not(kept: House, house: House) -> None:
    kept.refused(kept.ask("POST", f"proposals/{uuid4()}/approval", "manager", {}), 404, "unknown_proposal")
    kept.refused(kept.ask("POST", f"exports/{uuid4()}/downloads", "manager", {}), 404, "unknown_proposal")
    kept.refused(kept.ask("POST", "exports", "manager", {**CONTRACT, "owner": str(uuid4())}), 404, "unknown_staff")
    kept.refused(kept.ask("POST", "exports", "manager", {}), 422, "bad_fields")
    house.refused(house.ask("POST", "exports", "manager", CONTRACT), 503, "views_missing")
    assert house.reads("proposals") == {"proposals": [], "after": None, "staff": {}}
