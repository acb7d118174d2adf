"""What can't be taken in is parked, with position and reason, and stops nobody else; it is taken in once that is possible.
A fact nobody can read, one whose content is nonsense, a fold that fails, a row that no table takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid4

import msgspec
import pytest

from application.commands import Stamp
from domain import record as recorded
from domain.record import Fact
from domain.site import RulebookAdopted, SiteOpened
from domain.visitor import Entry, VisitorFollowedUp, VisitorRelated
from projections.dossier import Judged
from projections.live import lag
from projections.rebuild import rebuild
from projections.view import Row
from tests.reliability.offices import phone_number
from tests.reliability.processes import eventually

from .engine import (
    ALL_VIEWS,
    COUNTED,
    OWNED,
    SMALL_VIEWS,
    Opened,
    a_registration,
    body_of,
    catch_up,
    check_rows,
    kept,
    opened,
    parked,
    positions,
    put_on_record,
    rows_in,
    rows_now,
    with_rows,
)

pytestmark = pytest.mark.damages


class Waved(Fact, frozen=True, kw_only=True):
    """A fact that this program does not know, until a test says so."""

    stored_name = "visitor.waved.v1"
    registration: int


@pytest.fixture
def office(postgres_uri: str) -> Iterator[Opened]:
    """An office with a short history, under the two small views."""
    with opened(postgres_uri, steps=30) as office:
        yield office


numbers = count(50_000)


def register(office: Opened) -> UUID:
    """A new visitor whom nothing ties to anybody, and of whom the office does no more by itself."""
    stamp = Stamp(actor=uuid4(), at=datetime.now(UTC), at_given=False)
    by, phone = office.staffed.consultants[0], phone_number(next(numbers))
    entry = office.office.register(stamp, by=by, name="王小明", phone=phone).entry
    assert entry is not None
    return entry.visitor


def wave(office: Opened, visitor: UUID) -> int:
    """Put a fact into the visitor's file that this program does not know; its position."""
    fact = (visitor, office.version(visitor) + 1, Waved.stored_name, body_of(office.site, Waved(registration=1)))
    return put_on_record(office.record, fact)


def follow_up_raw(office: Opened, visitor: UUID, version: int) -> int:
    """A follow-up put into a file that the command side could not read either."""
    fact = VisitorFollowedUp(registration=1, by=office.staffed.consultants[0], how="call")
    return put_on_record(office.record, (visitor, version, fact.stored_name, body_of(office.site, fact)))


def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the program knows the fact."""
    monkeypatch.setitem(recorded.FACTS, Waved.stored_name, Waved)


def retry(office: Opened) -> int:
    with office.side.connection() as connection:
        return office.side.retry(connection)


def others_go_on(office: Opened, left_out: set[UUID]) -> None:
    """New facts about anybody else are in the views, by a worker that lives, and by a rebuild."""
    with kept(office.side) as keeper:
        visitor = register(office)
        last = office.record.position()
        eventually(lambda: not keeper.alive or set(positions(office.side).values()) == {last}, "it goes on", 20)
        assert keeper.alive, "the worker has ended"
    assert (visitor, 1) in rows_in(office.side, OWNED)
    assert {stream for _, stream, *_ in parked(office.side)} == left_out
    rebuild(office.side)
    assert (visitor, 1) in rows_in(office.side, OWNED)
    assert {stream for _, stream, *_ in parked(office.side)} == left_out


# A fact that nobody can read


def test_an_unknown_name(office: Opened) -> None:
    """It is parked in every view, with its position and name; lag says so."""
    visitor = register(office)
    catch_up(office.side)
    before = rows_now(office)
    position = wave(office, visitor)
    catch_up(office.side)
    assert set(positions(office.side).values()) == {position}
    assert [(row[:2]) for row in parked(office.side)] == [("counted", visitor), ("owned", visitor)]
    for _, _, since, name, reason, tries in parked(office.side):
        assert (since, name, tries) == (position, Waved.stored_name, 1)
        assert reason == f"position {position}: no fact is named {Waved.stored_name}"
    assert rows_now(office) == before
    with office.side.connection() as connection:
        assert [one.parked for one in lag(office.side, connection)] == [1, 1]
    others_go_on(office, {visitor})


def test_a_stream_of_a_kind_nobody_knows(office: Opened) -> None:
    stream = uuid4()
    body = body_of(office.site, Waved(registration=1))
    position = put_on_record(office.record, (stream, 1, "martian.landed.v1", body))
    catch_up(office.side)
    assert {(row[1], row[2]) for row in parked(office.side)} == {(stream, position)}
    others_go_on(office, {stream})


MALFORMED = [b"", b"nonsense", b"{}", b'{"site":"x"}', b"\xff\xfe", b'{"fact":{}}']


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_body(office: Opened, body: bytes) -> None:
    stream = uuid4()
    put_on_record(office.record, (stream, 1, "visitor.registered.v1", body))
    catch_up(office.side)
    assert {row[1] for row in parked(office.side)} == {stream}
    others_go_on(office, {stream})


def changed(fact: Fact, was: bytes, now: bytes) -> Callable[[Opened], bytes]:
    def body(office: Opened) -> bytes:
        whole = body_of(office.site, fact, datetime(2026, 1, 1, tzinfo=UTC))
        assert was in whole
        return whole.replace(was, now)

    return body


ODD: dict[str, Callable[[Opened], bytes]] = {
    "a time without a zone": changed(a_registration(uuid4()), b'"2026-01-01T00:00:00Z"', b'"2026-01-01T00:00:00"'),
    "a site that was never opened": lambda office: body_of(uuid4(), a_registration(uuid4())),
    "a registration whose number no column takes": changed(
        a_registration(uuid4()), b'"registration":1', b'"registration":99999999999999999999'
    ),
    "an unfitting field": changed(a_registration(uuid4()), b'"via":"visit"', b'"via":7'),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_a_body_that_is_odd(office: Opened, body: Callable[[Opened], bytes]) -> None:
    """It says something that makes no sense; whether it is parked or has no row, others go on."""
    stream = uuid4()
    put_on_record(office.record, (stream, 1, "visitor.registered.v1", body(office)))
    with kept(office.side) as keeper:
        last = office.record.position()
        eventually(lambda: not keeper.alive or set(positions(office.side).values()) == {last}, "it goes on", 20)
        assert keeper.alive, "the worker has ended"
    others_go_on(office, {row[1] for row in parked(office.side)})


def test_it_is_taken_in_once_it_can_be_read(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a retry, with all that came after it."""
    visitor = register(office)
    catch_up(office.side)
    version = office.version(visitor)
    wave(office, visitor)
    follow_up_raw(office, visitor, version + 2)
    catch_up(office.side, 1)
    assert retry(office) == 2
    assert {row[5] for row in parked(office.side)} >= {3}, "tries are counted"
    readable(monkeypatch)
    assert retry(office) == 0
    check_rows(office.side, office.record)
    assert rebuild(office.side, check=True).differences == 0


def test_it_is_taken_in_with_the_next_fact(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = register(office)
    catch_up(office.side)
    version = office.version(visitor)
    wave(office, visitor)
    catch_up(office.side)
    readable(monkeypatch)
    follow_up_raw(office, visitor, version + 2)
    catch_up(office.side)
    assert parked(office.side) == []
    check_rows(office.side, office.record)


def test_it_is_taken_in_after_a_rebuild(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rebuild parked is mended just like what a batch parked."""
    visitor = register(office)
    wave(office, visitor)
    assert rebuild(office.side).parked == 2
    office.play.steps(10, 5)
    catch_up(office.side)
    readable(monkeypatch)
    assert retry(office) == 0
    check_rows(office.side, office.record)


def test_a_parked_customer_becomes_one_with_another(office: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are parked then; a rulebook is adopted meanwhile; when all can be read, both are taken in."""
    first, second = register(office), register(office)
    catch_up(office.side)
    wave(office, first)
    catch_up(office.side)
    office.play.step("adopt", 0, 2)
    catch_up(office.side)
    put_on_record(office.record, *relation(office, first, second))
    catch_up(office.side)
    assert {row[1] for row in parked(office.side)} == {first, second}
    assert len({row[2] for row in parked(office.side)}) == 1, "one customer is taken as far as it goes, and no further"
    office.play.step("adopt", 0, 30)
    catch_up(office.side)
    readable(monkeypatch)
    assert retry(office) == 0
    check_rows(office.side, office.record)


def relation(office: Opened, first: UUID, second: UUID) -> list[tuple[UUID, int, str, bytes]]:
    """A relation between two files of which one can't be read, as an older record might hold it."""
    fact = VisitorRelated(visitor=Entry(first, 1), to=Entry(second, 1), relation="spouse", proven=True)
    body = body_of(office.site, fact)
    return [(first, 3, fact.stored_name, body), (second, 2, fact.stored_name, body)]


# What is parked is no difference


def test_what_is_parked_is_no_difference(office: Opened) -> None:
    """Both sides leave it out from the same fact on, and a rebuild takes nobody's rows away."""
    visitor = register(office)
    catch_up(office.side)
    wave(office, visitor)
    catch_up(office.side)
    assert rebuild(office.side, check=True).differences == 0
    before = rows_now(office)
    assert rebuild(office.side).differences == 0
    assert rows_now(office) == before


def test_a_fact_of_the_site_that_nobody_can_read(office: Opened) -> None:
    """The site's customers stay in the views as they were; a rebuild does not empty them."""
    version = office.office.files.site().version
    body = body_of(office.site, SiteOpened(name="甲", timezone="Asia/Shanghai"))
    put_on_record(office.record, (office.site, version + 1, "staff.promoted.v1", body))
    before = rows_now(office)
    with kept(office.side) as keeper:
        last = office.record.position()
        eventually(lambda: not keeper.alive or set(positions(office.side).values()) == {last}, "it goes on", 20)
        assert keeper.alive
    assert rebuild(office.side, check=True).differences == 0
    rebuild(office.side)
    assert rows_now(office) == before


# An adoption that can't be applied


def test_an_adoption_whose_text_is_nonsense(office: Opened) -> None:
    """It concerns its own site; the worker goes on for the others, and so does a rebuild."""
    site = office.office.files.site()
    nonsense = RulebookAdopted(rulebook="x", in_force_from="2026-01-01", text="a: [", sha256="", amend={}, by=None)
    put_on_record(office.record, (site.id, site.version + 1, nonsense.stored_name, body_of(site.id, nonsense)))
    before = rows_now(office)
    with kept(office.side) as keeper:
        other = Opened(office.store, office.record, SMALL_VIEWS)
        other.play.steps(5, 1)
        last = office.record.position()
        eventually(lambda: not keeper.alive or set(positions(office.side).values()) == {last}, "it goes on", 20)
        assert keeper.alive, "the worker has ended"
    assert rows_in(office.side, OWNED).keys() > before["owned"].keys()
    rebuild(office.side)
    assert rows_in(office.side, OWNED).keys() > before["owned"].keys()


# Folds that fail, and rows that no table takes


class Faulty:
    """A fold that fails for some visitors."""

    def __init__(self, how: Callable[[tuple[object, ...]], tuple[object, ...]]) -> None:
        self.bad: set[UUID] = set()
        self._how = how

    def rows(self, judged: Judged) -> Iterator[Row]:
        for row in OWNED.rows["customer"](judged):
            yield Row(self._how(row.values), row.facts) if row.values[0] in self.bad else row


def _raise(values: tuple[object, ...]) -> tuple[object, ...]:
    raise ZeroDivisionError("no\nreason")


FAULTS: dict[str, Callable[[tuple[object, ...]], tuple[object, ...]]] = {
    "it raises": _raise,
    "nothing where something must be": lambda values: (*values[:4], None, None),
    "a character that PostgreSQL has not": lambda values: (*values[:4], "a\0b", None),
    "half a character": lambda values: (*values[:4], "\ud800", None),
    "a number too large": lambda values: (values[0], 2**40, *values[2:]),
    "another type": lambda values: (*values[:4], 7, None),
    "too few values": lambda values: values[:5],
}


@pytest.mark.parametrize("how", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("first", ["live", "rebuild"])
def test_a_fold_that_fails_for_one_customer(
    postgres_uri: str, how: Callable[[tuple[object, ...]], tuple[object, ...]], first: str
) -> None:
    """That one is parked in that view, and is there again when the fold works; nobody else is concerned."""
    fold = Faulty(how)
    with opened(postgres_uri, [with_rows(OWNED, fold.rows), COUNTED], steps=30) as office:
        visitor = register(office)
        fold.bad.add(visitor)
        if first == "live":
            catch_up(office.side)
        else:
            assert rebuild(office.side).parked == 1
        assert [row[:2] for row in parked(office.side)] == [("owned", visitor)]
        assert all(row[4] and "\n" not in row[4] for row in parked(office.side))
        others_go_on(office, {visitor})
        fold.bad.clear()
        assert retry(office) == 0
        check_rows(office.side, office.record)


def test_a_fold_that_begins_to_fail(postgres_uri: str) -> None:
    """Whose rows were right before: they stay; a check and a rebuild come to their end nonetheless."""
    fold = Faulty(_raise)
    with opened(postgres_uri, [with_rows(OWNED, fold.rows), COUNTED], steps=30) as office:
        visitor = register(office)
        catch_up(office.side)
        fold.bad.add(visitor)
        follow_up_raw(office, visitor, office.version(visitor) + 1)
        catch_up(office.side)
        assert [row[:2] for row in parked(office.side)] == [("owned", visitor)]
        rebuild(office.side, check=True)
        rebuild(office.side)
        assert [row[0] for row in office.owner("SELECT status FROM {r}", r="rebuild")] == ["done"] * 3


def test_a_ruling_whose_reason_holds_odd_characters(postgres_uri: str) -> None:
    """What anybody may send through a command must not stop the views of everybody."""
    with opened(postgres_uri, ALL_VIEWS, steps=30) as office, kept(office.side) as keeper:
        play = office.play
        by, entry = office.staffed.consultants[0], play.entries[0]
        dispute = office.office.open_dispute(play._stamp(), about=entry, by=by, label="甲").subject
        assert dispute is not None
        office.office.rule(play._stamp(), dispute=dispute, by=office.staffed.manager, reason="a\0b", owner=by)
        register(office)
        last = office.record.position()
        eventually(lambda: not keeper.alive or set(positions(office.side).values()) == {last}, "it goes on", 20)
        assert keeper.alive, "the worker has ended"
        assert rebuild(office.side).position == last


def test_parked_in_one_view_only(postgres_uri: str) -> None:
    fold = Faulty(_raise)
    one = msgspec.structs.replace(with_rows(OWNED, fold.rows), name="faulty")
    with opened(postgres_uri, [one, *SMALL_VIEWS], steps=20) as office:
        visitor = register(office)
        fold.bad.add(visitor)
        catch_up(office.side)
        assert [row[:2] for row in parked(office.side)] == [("faulty", visitor)]
        check_rows(office.side, office.record, SMALL_VIEWS)
