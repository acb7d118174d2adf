"""The same command again: the same answer, nothing more on record; and who edits what has changed meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from application.sales_floor import SalesFloor
from domain import receptions
from domain.queue_state import Queue
from tests.api.house import House, now


def test_a_repeat_gets_the_first_answer(house: House) -> None:
    given = {"name": "赵强", "phone": "13900000001"}
    first = house.does("registrations", given, idempotency="once")
    position = house.position
    again = house.does("registrations", dict(reversed(given.items())), idempotency="once")
    assert again == {**first, "repeated": True} and house.position == position
    quoted = house.does("registrations", given, idempotency='"once"')
    assert quoted == again


def test_another_content_under_the_same_name_is_refused(house: House) -> None:
    house.does("registrations", {"name": "赵强"}, idempotency="once")
    before = house.position
    house.refused(house.ask("POST", "registrations", body={"name": "钱多"}, idempotency="once"), 422, "command_reused")
    who = {"who": str(house.staff["consultant"])}
    house.refused(house.ask("POST", "queue/sign-in", body=who, idempotency="once"), 422, "command_reused")
    assert house.position == before


def test_names_of_commands_are_each_keys_own(house: House) -> None:
    house.does("registrations", {"name": "赵强"}, "manager", idempotency="once")
    house.does("registrations", {"name": "钱多"}, "desk", idempotency="once")
    other = house.key("manager")
    assert house.ask("POST", "registrations", None, {"name": "孙立"}, idempotency="once", key=other).status_code == 200


def test_a_refused_command_may_come_again(house: House) -> None:
    who = {"who": str(house.staff["consultant"])}
    house.refused(house.ask("POST", "queue/sign-out", body=who, idempotency="out"), 409, "not_signed_in")
    house.does("queue/sign-in", who)
    assert house.does("queue/sign-out", who, idempotency="out")["repeated"] is False


def test_who_ended_a_reception_may_say_so_twice(house: House) -> None:
    """It is no longer the consultant's to conduct, but the second time is the first time's echo."""
    house.does("queue/sign-in", {"who": str(house.staff["consultant"])})
    path = f"receptions/{house.receive('consultant')}/finish"
    first = house.does(path, {}, "consultant", idempotency="over")
    assert house.does(path, {}, "consultant", idempotency="over") == {**first, "repeated": True}
    house.refused(house.ask("POST", path, "consultant", {}), 409, "wrong_state")
    house.refused(house.ask("POST", path, "colleague", {}, idempotency="over"), 403, "access_denied")
    house.refused(house.ask("POST", "receptions/r99/finish", "consultant", {}), 404, "unknown_reception")


def test_numbers_given_by_the_server_are_given_once(house: House) -> None:
    house.does("queue/sign-in", {"who": str(house.staff["consultant"])})
    first = house.does("receptions", {"channel": "visit"}, idempotency="r")
    again = house.does("receptions", {"channel": "visit"}, idempotency="r")
    other = house.does("receptions", {"channel": "visit"}, idempotency="s")
    assert (first["reception"], again["reception"], other["reception"]) == ("r1", "r1", "r2")
    visitor = house.register("consultant", "赵强", "13900000001")
    claim = {"visitor": {"visitor": visitor}}
    labels = [house.does("disputes", claim, idempotency=name)["dispute"] for name in ("a", "a", "b")]
    assert labels == ["D1", "D1", "D2"]


def test_another_desk_that_was_faster_with_a_number_makes_it_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.does("queue/sign-in", {"who": str(house.staff["consultant"])})
    next_label, faster = receptions.next_label, iter([True])

    def slow(queue: Queue, yesterday: Queue | None) -> str:
        found = next_label(queue, yesterday)
        if next(faster, False):
            house.office.floor.receive(now(), channel="visit")
        return found

    monkeypatch.setattr(receptions, "next_label", slow)
    assert house.does("receptions", {"channel": "visit"})["reception"] == "r2"


def test_two_at_once_are_told_apart(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = threading.Event(), threading.Event()
    sign_in = SalesFloor.sign_in

    def slow(self: SalesFloor, *arguments: Any, **more: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return sign_in(self, *arguments, **more)

    monkeypatch.setattr(SalesFloor, "sign_in", slow)
    who = {"who": str(house.staff["consultant"])}
    answers: list[int] = []
    first = threading.Thread(
        target=lambda: answers.append(house.ask("POST", "queue/sign-in", body=who, idempotency="x").status_code)
    )
    first.start()
    assert inside.wait(20)
    second = house.ask("POST", "queue/sign-in", body=who, idempotency="x")
    go_on.set()
    first.join(20)
    told = house.refused(second, 409, "still_running")
    assert second.headers["Retry-After"] == "1" and answers == [200] and told
    assert house.does("queue/sign-in", who, idempotency="x")["repeated"] is True


def test_an_adoption_replaces_the_one_it_was_meant_for(house: House) -> None:
    shown = house.ask("GET", "rulebook")
    tag = shown.headers["ETag"]
    assert shown.json is not None and tag == f'"{shown.json["position"]}"'
    assert house.ask("GET", "rulebook", headers={"If-None-Match": tag}).status_code == 304
    body = {"amend": {"attribution.protection_days": 7}}
    changed = house.ask("POST", "rulebook/adoptions", body=body, headers={"If-Match": tag}, idempotency="a")
    assert changed.status_code == 200
    late = house.ask("POST", "rulebook/adoptions", body=body, headers={"If-Match": tag})
    house.refused(late, 412, "changed_meanwhile")
    again = house.ask("POST", "rulebook/adoptions", body=body, headers={"If-Match": tag}, idempotency="a")
    assert again.status_code == 200 and (again.json or {})["repeated"] is True
    assert house.reads("rulebook")["amend"] == {"attribution.protection_days": 7}
