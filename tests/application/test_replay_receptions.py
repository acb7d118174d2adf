"""Replays of visitors who were received, or entrusted to a colleague: said in words, with the right reasons."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from application.commands import Decided
from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.replay.lines import Replay
from application.replay.wording import GROUND, REASON, VIA, WHAT, WHAT_NOUN, Language, describe_step
from domain.visitor import Entry, Moment, VisitorEntrusted, VisitorReceived
from interfaces import replay_html, replay_terminal
from interfaces.replay_chart import SHAPES, shape_of
from interfaces.replay_words import FACTS
from tests.application.test_replay import PHONES, Story
from tests.domain.given import instant


def story(master: bytes, rulebook: str) -> Story:
    record = Record(MemoryRecorder())
    return Story(record, Keyring(master, record.person_keys), rulebook)


def put(told: Story, at: str, fact: VisitorReceived | VisitorEntrusted, entry: Entry) -> None:
    """The fact on record, as the floor puts it there."""
    file = told.office.files.visitor(entry.visitor)
    told.office.carry_out(told.stamp(at), lambda: Decided([(file.id, file.version, [fact])]), put=at)


def received(told: Story, at: str, by: str, entry: Entry, **more: Any) -> None:
    how: dict[str, Any] = {"channel": "visit", "came": "unknown", "present": (), "began_at": instant(at), **more}
    put(told, at, VisitorReceived(registration=entry.registration, receiver=told.people[by], **how), entry)


def reasons(found: Replay) -> dict[str, str]:
    return {rival.staff: rival.reason for rival in found.rivals}


def test_what_a_reception_leaves_as_it_is(master: bytes) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    received(told, "2026-03-03 10:00", "wang", v1)
    found = told.ask(PHONES["v1"], at="2026-03-04 09:00")
    step = found.steps[1]
    assert (step.what, step.effect, step.reason) == ("reception", "stays", "owner_keeps")
    assert (step.what_text.en, step.what_text.zh) == WHAT["reception"] and step.by == ("王磊",)
    assert step.detail is not None and (step.detail.en, step.detail.zh) == VIA["visit"]
    assert step.reason_text is not None and "reception" in step.reason_text.en and "接待" in step.reason_text.zh
    assert (found.owner, reasons(found)) == ("林芳", {"王磊": "owner_keeps"})


def test_who_is_received_as_new_is_the_receivers(master: bytes) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    received(told, "2026-03-03 10:00", "wang", v1, present=(told.people["lin"], told.people["wang"]))
    found = told.ask(PHONES["v1"], at="2026-03-04 09:00")
    assert (found.owner, found.ground) == ("王磊", "taken_as_new")
    assert (found.ground_text.en, found.ground_text.zh) == GROUND["taken_as_new"]
    assert found.facts[-1].name == "visitor.received.v1" and found.facts[-1].by == ("王磊",)


def test_who_came_for_somebody_else_is_that_ones(master: bytes) -> None:
    told = story(master, "quarter-hour-greeter")
    v1 = told.register("2026-03-02 10:05", "wang")
    in_stead = {
        "came": "named",
        "ground": "named",
        "in_stead_of": told.people["lin"],
        "began_at": instant("2026-03-02 10:00"),
    }
    received(told, "2026-03-02 10:30", "wang", v1, **in_stead)
    found = told.ask(PHONES["v1"], at="2026-03-04 09:00")
    assert (found.owner, found.ground) == ("林芳", "in_ones_stead")
    assert (found.ground_text.en, found.ground_text.zh) == GROUND["in_ones_stead"]
    assert found.steps[-1].by == ("林芳", "王磊")
    assert reasons(found)["王磊"] == "replaced"  # by a registration of his own, until the reception was on record


def test_who_only_stood_in_is_told_so(master: bytes) -> None:
    told = story(master, "quarter-hour-greeter")
    desk = told.office.enrol_staff(told.stamp("2000-01-01 00:00"), name="前台小李", role="desk")
    assert desk.subject is not None
    told.people["desk"] = desk.subject
    v1 = told.register("2026-03-02 10:05", "desk")
    received(told, "2026-03-02 10:30", "wang", v1, came="named", ground="named", in_stead_of=told.people["lin"])
    found = told.ask(PHONES["v1"], at="2026-03-04 09:00")
    assert found.owner == "林芳" and reasons(found)["王磊"] == "received_in_ones_stead"
    rival = next(rival for rival in found.rivals if rival.staff == "王磊")
    assert (rival.reason_text.en, rival.reason_text.zh) == REASON["received_in_ones_stead"]


def entrusted(told: Story, at: str, entry: Entry) -> None:
    """林芳 asks 周小娟 to look after the visitor."""
    fact = VisitorEntrusted(registration=entry.registration, to=told.people["zhou"], by=told.people["lin"])
    put(told, at, fact, entry)


def test_a_visitor_entrusted_says_to_whom(master: bytes) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    entrusted(told, "2026-03-03 09:00", v1)
    found = told.ask(PHONES["v1"], at="2026-03-04 09:00")
    step = found.steps[1]
    assert (step.what, step.effect, step.by) == ("entrusted", "nothing", ("林芳", "周小娟"))
    assert step.detail is not None and step.detail.en == step.detail.zh == "周小娟"
    assert (found.owner, reasons(found)) == ("林芳", {"周小娟": "only_entrusted"})


def test_what_the_one_entrusted_did_tells_more(master: bytes) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    entrusted(told, "2026-03-03 09:00", v1)
    received(told, "2026-03-03 10:00", "zhou", v1, in_stead_of=told.people["lin"], ground="owner", entrusted=True)
    assert reasons(told.ask(PHONES["v1"], at="2026-03-04 09:00")) == {"周小娟": "owner_keeps"}
    told.sell("2026-03-05 09:00", "zhou", v1)
    assert reasons(told.ask("1-101")) == {"周小娟": "owner_keeps"}


def test_what_would_have_changed_the_owner_names_the_reception(master: bytes) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    received(told, "2026-03-03 10:00", "wang", v1, present=(told.people["lin"], told.people["wang"]))
    said = [change.text for change in told.ask(PHONES["v1"], at="2026-03-04 09:00").changes]
    assert any(text.en.startswith("without the reception of 2026-03-03 10:00") for text in said)
    assert any(text.zh.startswith("如果没有2026-03-03 10:00的接待") for text in said)
    assert WHAT_NOUN["reception"] == ("reception", "接待")


def test_a_trace_says_it_in_a_line(master: bytes) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    received(told, "2026-03-03 10:00", "wang", v1)
    at = instant("2026-03-04 09:00")
    found = told.office.attribution(v1, Moment(at, at))
    names = {staff: name for name, staff in told.people.items()}
    line = describe_step(found.steps[1], ZoneInfo("Asia/Shanghai"), lambda who: names[who or UUID(int=0)], "en")
    assert line.startswith("2026-03-03 10:00 received wang: the owner stays - reception or sale by others")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_and_terminal_show_them(master: bytes, language: Language) -> None:
    told = story(master, "two-rosters")
    v1 = told.register("2026-03-02 09:00", "lin")
    entrusted(told, "2026-03-03 09:00", v1)
    received(told, "2026-03-03 10:00", "zhou", v1, in_stead_of=told.people["lin"], ground="owner", entrusted=True)
    found = told.ask(PHONES["v1"], at="2026-03-04 09:00")
    page = replay_html.render(found, language)
    console = Console(file=StringIO(), width=160)
    replay_terminal.render(found, console, language)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    place = 0 if language == "en" else 1
    for what in ("reception", "entrusted"):
        assert f'class="mark {what}' in page and WHAT[what][place] in page and WHAT[what][place] in written
    assert FACTS["visitor.received"][place] in page


def test_every_kind_of_step_has_a_shape_and_every_fact_of_a_visitor_a_name() -> None:
    assert {shape_of(what) for what in WHAT} <= SHAPES.keys()
    assert len(set(SHAPES.values())) == len(SHAPES)
    assert {f"visitor.{kind}" for kind in ("received", "entrusted")} <= FACTS.keys()
