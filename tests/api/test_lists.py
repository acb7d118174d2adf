"""Lists and reports with visitors over HTTP: whose rows who is given, what is masked, and pages without gap or double."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from interfaces.api import reading
from projections import readers
from projections.records import run
from tests.api.house import House, store_on_disk

TODAY = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
PERIOD = f"first={TODAY - timedelta(days=1)}&last={TODAY}"
OWNERS = ("consultant", "colleague", "consultant", "colleague", "consultant")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An office where two consultants have customers, receptions and sales, whose views are kept."""
    with store_on_disk(tmp_path_factory.mktemp("lists")) as store:
        house = House(store)
        house.refused(house.ask("GET", "visitors"), 503, "views_missing")
        house.refused(house.ask("GET", "visitors?min_position=1"), 503, "views_missing")
        for who in ("consultant", "colleague"):
            house.does("queue/sign-in", {"who": str(house.staff[who])})
        house.ids = [house.register(who, f"客户{n}", f"1390000000{n}") for n, who in enumerate(OWNERS)]  # type: ignore[attr-defined]
        house.does("registrations", {"name": "无主"}, "colleague")  # without a phone it founds no claim
        house.does("registrations", {"name": "也无主"}, "colleague")
        for n in range(3):
            house.sell(OWNERS[n], house.ids[n], f"6-1-120{n}")  # type: ignore[attr-defined]
        for who in ("consultant", "colleague", "consultant"):
            label = house.receive(who)
            house.does(f"receptions/{label}/finish", {"purpose": "buy"}, who)
        house.receive("colleague")
        bring_up(house)
        yield house


def bring_up(house: House) -> None:
    run(house.store.read_side, None, check=False, asked_by="test", tell=lambda progress: None)


def ids(house: House) -> list[str]:
    return house.ids  # type: ignore[attr-defined, no-any-return]


LISTS = {
    "visitors": ("visitors", 7),
    "visitors?status=unowned": ("visitors", 2),
    "reports/open-pool": ("visitors", 2),
    "reports/lapsing?within_days=366": ("visitors", 2),
    "reports/follow-ups": ("visitors", 2),
    f"sales?{PERIOD}": ("sales", 3),
    f"receptions?{PERIOD}": ("receptions", 4),
    f"reports/board?{PERIOD}": ("days", 2),
    f"reports/commission?{PERIOD}": ("lines", 3),
}


@pytest.mark.parametrize(
    "path",
    [
        *LISTS,
        "reports/morning",
        "reports/scoreboard",
        f"reports/turns?{PERIOD}",
        f"reports/daily?day={TODAY}",
        "disputes",
    ],
)
def test_answers_are_what_the_document_says(house: House, path: str) -> None:
    house.fits("get", path.partition("?")[0], house.reads(path))


@pytest.mark.parametrize("path", LISTS)
def test_pages_go_to_the_end_without_gap_or_double(house: House, path: str) -> None:
    name, number = LISTS[path]
    whole = house.reads(path)
    assert whole["after"] is None and len(whole[name]) == number
    for limit in (1, 2):
        assert house.pages(path, name, "auditor", limit) == whole[name]
    assert whole["holds"]["position"] == house.position and whole["holds"]["editions"]


def test_visitors_are_masked_and_told_with_their_owners(house: House) -> None:
    found = {one["visitor"]: one for one in house.reads("visitors")["visitors"]}
    first = found[ids(house)[0]]
    assert (first["name"], first["phone"], first["erased"]) == ("客**", "139****0000", False)
    assert first["owner"] == str(house.staff["consultant"]) and first["ground_text"]["en"] and first["bought"]
    assert first["customer"] == {"visitor": ids(house)[0], "registration": 1}
    pool = house.reads("reports/open-pool")
    assert sorted(one["name"] for one in pool["visitors"]) == ["也**", "无*"]
    assert {one["owner"] for one in pool["visitors"]} == {None} and pool["day"] == str(TODAY)
    assert house.reads("visitors")["staff"][str(house.staff["colleague"])] == "员工colleague"


def test_visitors_by_owner_and_by_how_they_stand(house: House) -> None:
    def of(query: str) -> set[str]:
        return {one["visitor"] for one in house.reads(f"visitors?{query}")["visitors"]}

    mine = {ids(house)[n] for n, who in enumerate(OWNERS) if who == "consultant"}
    assert of(f"owner={house.staff['consultant']}") == mine
    assert of(f"owner={uuid4()}") == set()
    assert of("status=owned") == set(ids(house))
    assert of("status=bought") == set(ids(house)[:3])
    assert of(f"status=bought&owner={house.staff['colleague']}") == {ids(house)[1]}
    later = TODAY + timedelta(days=2000)
    assert of(f"status=owned&day={later}") == set(ids(house)[:3]), "only those who bought are still owned"


@pytest.mark.parametrize(
    ("path", "name", "whose"),
    [
        ("visitors", "visitors", "owner"),
        ("reports/lapsing?within_days=366", "visitors", "owner"),
        ("reports/follow-ups", "visitors", "owner"),
        (f"reports/board?{PERIOD}", "days", "staff"),
        (f"reports/turns?{PERIOD}", "turns", "staff"),
        (f"reports/commission?{PERIOD}", "lines", "staff"),
        (f"receptions?{PERIOD}", "receptions", "receiver"),
        ("reports/scoreboard", "scores", "staff"),
    ],
)
def test_a_consultant_is_given_the_own_rows_and_nobody_elses(house: House, path: str, name: str, whose: str) -> None:
    me, other = str(house.staff["consultant"]), str(house.staff["colleague"])
    everybodys, mine = house.reads(path)[name], house.reads(path, "consultant")[name]
    assert {one[whose] for one in everybodys} > {me}
    assert mine == [one for one in everybodys if one[whose] == me] and mine
    if name != "scores":
        joined = f"{path}{'&' if '?' in path else '?'}{whose}"
        assert house.reads(f"{joined}={me}", "consultant")[name] == mine
        house.refused(house.ask("GET", f"{joined}={other}", "consultant"), 403, "access_denied")
        assert {one[whose] for one in house.reads(f"{joined}={other}")[name]} == {other}


def test_sales_with_everybodys_shares(house: House) -> None:
    me, other = (str(house.staff[who]) for who in ("consultant", "colleague"))
    first, second, third = house.reads(f"sales?{PERIOD}", "finance")["sales"]
    assert (first["unit"], first["total_fen"], first["closers"]) == ("6-1-1200", 1_200_000, [me])
    assert first["shares"] == {me: "1"} and first["amounts_fen"] == {me: 1_200_000}
    assert second["owner"] == other
    assert house.reads(f"sales?{PERIOD}", "consultant")["sales"] == [first, third]
    assert house.reads(f"sales?{PERIOD}&staff={other}")["sales"] == [second]
    assert house.reads(f"sales?{PERIOD}&unit=6-1-1202")["sales"] == [third]
    assert house.reads(f"sales?{PERIOD}&ground=ruling")["sales"] == []
    house.refused(house.ask("GET", f"sales?{PERIOD}&staff={other}", "consultant"), 403, "access_denied")
    yesterday = TODAY - timedelta(days=1)
    assert house.reads(f"sales?first={yesterday}&last={yesterday}")["sales"] == []


def test_receptions_by_receiver_and_status(house: House) -> None:
    other = str(house.staff["colleague"])

    def of(query: str) -> list[str]:
        return [one["label"] for one in house.reads(f"receptions?{PERIOD}&{query}", "desk")["receptions"]]

    assert of("") == ["r1", "r2", "r3", "r4"]
    assert of(f"receiver={other}") == ["r2", "r4"]
    assert of("status=open") == ["r4"] and of("status=finished&channel=visit") == ["r1", "r2", "r3"]
    assert of("channel=call") == []


def test_what_happened_to_a_customer(house: House) -> None:
    visitor = ids(house)[0]
    found = house.reads(f"visitors/{visitor}/timeline", "consultant")
    assert [step["what"] for step in found["steps"]] == ["registration", "sale"]
    first = found["steps"][0]
    assert first["owner"] == str(house.staff["consultant"]) and first["effect_text"]["zh"]
    assert {one["id"] for one in found["clauses"]} >= set(first["clauses"])
    assert found["customer"] == {"visitor": visitor, "registration": 1}
    house.fits("get", "visitors/{visitor}/timeline", found)
    assert house.reads(f"visitors/{visitor}/timeline", "legal")["steps"] == found["steps"]
    theirs = ids(house)[1]
    house.refused(house.ask("GET", f"visitors/{theirs}/timeline", "consultant"), 403, "access_denied")
    house.refused(house.ask("GET", f"visitors/{uuid4()}/timeline"), 404, "unknown_visitor")
    house.refused(house.ask("GET", f"visitors/{visitor}/timeline?registration=9"), 404, "unknown_visitor")


def test_the_scoreboard_ranks_among_all(house: House) -> None:
    board = house.reads("reports/scoreboard", "finance")
    assert {one["staff"] for one in board["scores"]} == {str(one) for one in house.staff.values()}
    ranks = {one["staff"]: one["rank"] for one in board["scores"]}
    assert (ranks[str(house.staff["consultant"])], ranks[str(house.staff["colleague"])]) == (1, 2)
    (mine,) = house.reads("reports/scoreboard", "colleague")["scores"]
    assert mine["rank"] == 2 and mine["counts"]["sold"] == 1


def test_the_morning_list(house: House) -> None:
    morning = house.reads(f"reports/morning?day={TODAY + timedelta(days=1)}", "supervisor")
    assert morning["open_pool"] == 2
    assert {one["staff"] for one in morning["yesterdays_turns"]} == set(list(morning["yesterday"])[:2])
    assert len(morning["yesterdays_sales"]) == 3 and morning["sales_after"] is None
    assert morning["follow_ups_due"]["visitors"][0]["name"] == "客**"
    assert "few_follow_ups" in morning["follow_ups_due"]["visitors"][0]["reasons"]
    assert house.reads("reports/morning")["day"] == str(TODAY)


def test_no_name_or_phone_stands_in_clear(house: House) -> None:
    for path in (*LISTS, "reports/morning", f"visitors/{ids(house)[0]}/timeline", "reports/scoreboard"):
        text = house.ask("GET", path).get_data(as_text=True)
        assert not re.search(r"客户\d|无主|1390000000|sealed|person", text), path


@pytest.mark.parametrize(
    "path",
    [
        *("visitors?after=x", "visitors?status=lost", "visitors?owner=me", "visitors?day=tomorrow", "visitors?limit=0"),
        *("visitors?day=9999-12-31", "visitors?day=0001-01-01", "reports/morning?day=1999-12-31", "visitors?at=1"),
        *("reports/lapsing?within_days=-1", "reports/lapsing?within_days=367", "receptions", "sales"),
        *("sales?first=2026-03-02&last=2026-03-01", "receptions?first=2020-01-01&last=2026-01-01"),
        *("receptions?first=2026-03-02", f"receptions?{PERIOD}&status=lost", f"receptions?{PERIOD}&channel=fax"),
        f"sales?{PERIOD}&ground=none", f"sales?{PERIOD}&unit=", "reports/daily?day=9999-12-31", "reports/daily",
        f"sales?{PERIOD}&unit=%00", "reports/scoreboard?day=2026-13-01",
    ],
)  # fmt: skip
def test_questions_that_there_are_not(house: House, path: str) -> None:
    house.refused(house.ask("GET", path), 422, "bad_fields")


def of_another_list(key: Any) -> str:
    return str(reading.cursor(key))


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("visitors", (TODAY, UUID(int=1), 1)),
        ("visitors", (UUID(int=1), 2**40)),
        ("visitors", (UUID(int=1), -1)),
        ("visitors", ("x", 1)),
        ("reports/open-pool", (UUID(int=1), 1)),
        ("reports/lapsing", (UUID(int=1), 1)),
        (f"receptions?{PERIOD}", (datetime.now(UTC), UUID(int=1), "r1\0")),
        (f"receptions?{PERIOD}", (datetime(2026, 3, 2), UUID(int=1), "r1")),
        (f"receptions?{PERIOD}", (datetime.now(UTC), UUID(int=1), "r" * 101)),
        (f"sales?{PERIOD}", (datetime.now(UTC), "no id")),
        (f"sales?{PERIOD}", ()),
    ],
)
def test_cursors_of_other_lists_are_none_here(house: House, path: str, key: Any) -> None:
    joined = f"{path}{'&' if '?' in path else '?'}after={of_another_list(key)}"
    house.refused(house.ask("GET", joined), 422, "bad_fields")


def test_another_site_sees_nothing_of_this_one(house: House) -> None:
    there = House(house.store, "江畔二号")
    bring_up(house)
    for path, (name, _) in LISTS.items():
        assert there.reads(path)[name] == [], path
        house.refused(house.ask("GET", f"/v1/sites/{there.site}/{path}"), 404, "unknown_site")
    there.refused(there.ask("GET", f"visitors/{ids(house)[0]}/timeline"), 404, "unknown_visitor")
    assert there.reads(f"visitors?owner={house.staff['consultant']}")["visitors"] == []
    assert there.reads(f"sales?{PERIOD}&staff={house.staff['consultant']}")["sales"] == []
    assert str(house.staff["consultant"]) not in str(there.reads("reports/scoreboard"))


# Questions that wait for what was just acknowledged


def test_a_question_waits_for_the_views(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = threading.Event()
    wait_until = readers.wait_until

    def noticed(*given: Any) -> bool:
        waits.set()
        return wait_until(*given)

    def keep() -> None:
        waits.wait(60)
        with house.store.read_side.connection() as connection:
            while house.store.read_side.advance(connection):
                pass

    monkeypatch.setattr(readers, "wait_until", noticed)
    told = house.does("registrations", {"name": "后来者", "phone": "13900000009"}, "consultant")
    worker = threading.Thread(target=keep)
    worker.start()
    found = house.reads(f"visitors?limit=500&min_position={told['position']}")
    worker.join(60)
    assert waits.is_set() and found["holds"]["position"] >= told["position"]
    assert told["visitor"]["visitor"] in {one["visitor"] for one in found["visitors"]}


def test_views_that_do_not_come_are_not_waited_for_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.05)
    house.does("registrations", {"name": "晚来者"}, "consultant")
    response = house.ask("GET", f"visitors?min_position={house.position}")
    house.refused(response, 503, "behind")
    assert response.headers["Retry-After"] == "1"
    house.refused(house.ask("GET", f"visitors?min_position={house.position + 1}"), 503, "behind")
    before = house.reads("visitors")["holds"]["position"]
    assert house.reads(f"visitors?min_position={before}")["holds"]["position"] == before
    bring_up(house)


def test_only_so_many_wait_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = house.app.extensions["lunpai"].readers
    monkeypatch.setattr(kept, "_waiting", threading.BoundedSemaphore(1))
    monkeypatch.setattr(readers, "wait_until", lambda *given: pytest.fail("it waited"))
    house.does("registrations", {"name": "又一位"}, "consultant")
    kept._waiting.acquire()
    house.refused(house.ask("GET", f"visitors?min_position={house.position}"), 503, "behind")
    bring_up(house)
    house.reads(f"visitors?min_position={house.position}")


def test_a_connection_that_broke_is_replaced(house: House) -> None:
    house.reads("visitors")
    kept = house.app.extensions["lunpai"].readers
    with kept.connection(house.site) as connection:
        name = connection.info.backend_pid
    with house.store.record.recorder.connection() as other:
        other.execute("RESET ROLE")
        other.execute("SELECT pg_terminate_backend(%s)", [name])
        other.close()
    statuses = [house.ask("GET", "visitors").status_code for _ in range(3)]
    assert statuses[1:] == [200, 200] and statuses[0] in (200, 503)


def test_what_was_tampered_with_is_no_view_that_is_missing(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with house.store.read_side.connection() as connection:
        connection.execute(f"UPDATE {house.store.read_side.schema}.ownership SET sealed = sealed || '\\x00'::bytea")  # type: ignore[arg-type]
    house.refused(house.ask("GET", "visitors"), 500, "internal")
    assert "StoreRefused" in [getattr(record, "error", None) for record in caplog.records]
    bring_up(house)
    house.reads("visitors")


def test_who_reads_can_change_nothing(house: House) -> None:
    kept = house.app.extensions["lunpai"].readers
    with kept.connection(house.site) as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        assert connection.execute("SELECT current_user").fetchone() == ("lunpai_reader",)
