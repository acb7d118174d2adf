"""Every fact ever stored must decode for ever: a recorded sample of each stands in samples.jsonl - add lines, never edit one."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

import domain.access
import domain.disclosure
import domain.dispute
import domain.four_eyes
import domain.sale
import domain.site
import domain.visitor  # noqa: F401  (the modules declare the facts)
from application.event_store.mapper import RecordedEvent, UnreadableFact, decode, encode
from domain.record import FACTS, RETIRED, Draft, Fact, retire, stored_as

SAMPLES = [json.loads(line) for line in (Path(__file__).parent / "samples.jsonl").read_text("utf-8").splitlines()]


def event(name: str, body: bytes) -> RecordedEvent:
    return RecordedEvent(
        id=7,
        originator_id=UUID(int=1),
        originator_version=3,
        topic=name,
        state=body,
        recorded_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
def test_a_recorded_sample_decodes(sample: dict[str, str]) -> None:
    body = base64.b64decode(sample["body"])
    envelope = decode(event(sample["name"], body))
    assert envelope.position == 7
    assert repr(envelope.fact) == sample["reads_as"]


def test_there_is_a_sample_of_every_fact() -> None:
    assert {sample["name"] for sample in SAMPLES} >= FACTS.keys() | RETIRED.keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
def test_what_is_written_today_reads_back(sample: dict[str, str]) -> None:
    envelope = decode(event(sample["name"], base64.b64decode(sample["body"])))
    draft = Draft(**{field: getattr(envelope, field) for field in Draft.__struct_fields__})
    assert decode(event(envelope.fact.stored_name, encode(draft))) == envelope


def body_of(content: object) -> bytes:
    return msgspec.json.encode(
        {
            "site": str(UUID(int=9)),
            "at": "2026-03-02T01:00:00Z",
            "by": str(UUID(int=2)),
            "command": str(UUID(int=3)),
            "fact": content,
        }
    )


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("nobody.knows.v1", body_of({}), "no fact is named nobody.knows.v1"),
        ("site.opened.v1", body_of({"name": "x"}), "missing required field `timezone`"),
        ("site.opened.v1", body_of({"name": 3, "timezone": "UTC"}), "Expected `str`"),
        ("site.opened.v1", body_of({"name": "x", "timezone": "UTC", "more": 1}), "unknown field `more`"),
        ("site.opened.v1", b"{", "position 7"),
    ],
)
def test_types_are_checked_on_reading(name: str, body: bytes, says: str) -> None:
    with pytest.raises(UnreadableFact, match="position 7") as caught:
        decode(event(name, body))
    assert says in str(caught.value)


def test_a_retired_name_is_upcast_through_all_its_successors(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("test.moved.v1", "test.moved.v2", "test.moved.v3"):
        monkeypatch.delitem(FACTS, name, raising=False)
        monkeypatch.delitem(RETIRED, name, raising=False)

    class Moved(Fact, frozen=True, kw_only=True):
        place: str
        floor: int

    monkeypatch.setitem(FACTS, "test.moved.v3", Moved)
    Moved.stored_name = "test.moved.v3"
    monkeypatch.setitem(RETIRED, "test.moved.v1", ("test.moved.v2", lambda old: {"place": old["to"]}))
    monkeypatch.setitem(RETIRED, "test.moved.v2", ("test.moved.v3", lambda old: {**old, "floor": 0}))
    assert decode(event("test.moved.v1", body_of({"to": "lobby"}))).fact == Moved(place="lobby", floor=0)


def test_a_stored_name_is_never_reused() -> None:
    with pytest.raises(ValueError, match="taken"):
        stored_as("site.opened.v1")(type("Other", (Fact,), {}, frozen=True))  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="taken"):
        retire("site.opened.v1", "site.opened.v2", lambda old: old)
