"""A site's board live: one reader of the record for all who watch, a board for every change, and an end in good order.

Where a process has nobody who watches, it listens to nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec

from application.event_store.appending import StoreUnavailable
from application.event_store.mapper import RecordedEvent, UnreadableFact, decode
from application.event_store.record import Record
from application.event_store.until import RecordUntil
from application.issuer_keys import IssuerUnavailable
from application.sales_office import SalesOffice
from domain.record import FACTS, Envelope, names_read_as
from domain.refusals import Refusal
from domain.rulebook import RulebookError

from ..floor_board import board
from ..store import Store
from .errors import Problem

MOST_STREAMS = 4
"""In one process, whose threads answer everybody else too."""

CHECK_SECONDS = 2.0
"""So often it is asked whether whoever watches still may."""

HEARTBEAT_SECONDS = 5.0
"""A stream is never silent for longer; it is how a client that has gone is noticed."""

RETRY_MILLISECONDS = 2000
MOST_MISSED = 100
"""So many changes are told one by one to a client that comes back; to one who missed more, only the last."""

FAR_BEHIND = 20_000
"""Who comes back from more facts ago is told how things stand, not what was missed: looking for that would read
too much of the record."""

KEPT = 500
"""Changes and boards that are kept for those who watch."""


class Change(msgspec.Struct, frozen=True):
    """A fact that changes a site's board: where it stands, and the instant of the board that it gives."""

    position: int
    at: datetime


def change_of(envelope: Envelope) -> Change:
    return Change(envelope.position, max(envelope.known_at, envelope.occurred_at))


OF_BOARDS = ("queue.", "site.", "staff.", "rulebook.")


def names_that_count() -> list[str]:
    """Stored names of the facts that change a board: those of the floor, of the staff list, of the rulebook."""
    return names_read_as(*(fact for name, fact in FACTS.items() if name.startswith(OF_BOARDS)))


def durable_position(record: Record) -> int:
    """The position of the last fact, once it is on disk: what could still be lost is told to nobody."""
    position = record.position()
    record.make_durable()
    return position


class Follower(threading.Thread):
    """Follows the record from a position on, for all who watch; ends when it is told to."""

    def __init__(self, record: Record) -> None:
        super().__init__(name="board follower", daemon=True)
        position = durable_position(record)
        self._subscription = record.recorder.subscribe(gt=position, topics=names_that_count())
        self._changes: dict[UUID, deque[Change]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._forgotten: dict[UUID, int] = {}
        self._news = threading.Condition()
        self.ended = False

    def run(self) -> None:
        try:
            self._follow()
        finally:
            self._say_ended()  # whatever it was: nobody must wait for one that reads no more

    def _follow(self) -> None:
        with self._subscription as facts:
            for fact in facts:
                try:
                    envelope = decode(cast("RecordedEvent", fact))
                except UnreadableFact as error:
                    logging.getLogger("lunpai.api").error("unreadable fact", extra={"error": type(error).__name__})
                    continue
                self._put(envelope)

    def _put(self, envelope: Envelope) -> None:
        with self._news:
            changes = self._changes[envelope.site]
            if len(changes) == KEPT:
                self._forgotten[envelope.site] = changes[0].position
            changes.append(change_of(envelope))
            self._news.notify_all()

    def wait(self, site: UUID, after: int, seconds: float) -> Sequence[Change]:
        """The changes of a site after a position; waits so long for the first. To who has fallen too far behind, the
        last alone."""
        with self._news:
            self._news.wait_for(lambda: self.ended or self._last(site) > after, seconds)
            found = [change for change in self._changes[site] if change.position > after]
            return found[-1:] if self._forgotten.get(site, 0) > after else found

    def _last(self, site: UUID) -> int:
        changes = self._changes[site]
        return changes[-1].position if changes else 0

    def end(self) -> None:
        self._say_ended()
        self._subscription.stop()

    def _say_ended(self) -> None:
        self.ended = True
        with self._news:
            self._news.notify_all()


class Seat:
    """The place of one stream. It must be given back; twice does no harm."""

    def __init__(self, live: Live, who: UUID, follower: Follower) -> None:
        self._live, self._who, self.follower = live, who, follower
        self._taken = True

    def give_back(self) -> None:
        if self._taken:
            self._taken = False
            self._live.leave(self._who)


class Live:
    """The boards of a store for those who watch. At most `most` streams at a time, half of them one person's."""

    def __init__(self, store: Store, most: int = MOST_STREAMS) -> None:
        self.store, self.most = store, most
        self.closing = False
        self.taken = 0
        self._held: Counter[UUID] = Counter()
        self._follower: Follower | None = None
        self._seats = threading.Lock()
        self._boards: OrderedDict[tuple[UUID, int], bytes] = OrderedDict()
        self._offices: dict[UUID, SalesOffice] = {}
        self._lives = store.record.lives
        self._one_at_a_time = threading.Lock()

    # Places

    def seat(self, who: UUID) -> Seat:
        """A place for a member of staff. Raises Problem too_many_streams."""
        with self._seats:
            if self.closing or self.taken >= self.most or self._held[who] >= max(1, self.most // 2):
                raise Problem("too_many_streams", headers={"Retry-After": "5"})
            if self._follower is None or self._follower.ended:
                self._follower = Follower(self.store.record)
                self._follower.start()
            self.taken += 1
            self._held[who] += 1
            return Seat(self, who, self._follower)

    def leave(self, who: UUID) -> None:
        with self._seats:
            self.taken -= 1
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
            if self.taken == 0 and self._follower is not None:
                self._follower.end()
                self._follower = None

    def close(self) -> None:
        """Every stream comes to its end, and no other begins. (Called from a signal: it waits for nobody.)"""
        self.closing = True
        follower = self._follower
        if follower is not None:
            threading.Thread(target=follower.end, daemon=True).start()

    # Boards

    def now(self, site: UUID, position: int, at: datetime) -> bytes:
        """The board at an instant, by the record up to a position. Raises Refusal, RulebookError."""
        with self._one_at_a_time:
            return msgspec.json.encode(board(self._office(site, position), at))

    def after(self, site: UUID, change: Change) -> bytes:
        """The board that a change gives; worked out once for all who watch. Raises Refusal, RulebookError."""
        with self._one_at_a_time:
            self._forget_what_may_be_lost()
            found = self._boards.get((site, change.position))
            if found is None:
                found = msgspec.json.encode(board(self._office(site, change.position), change.at))
                self._boards[site, change.position] = found
                if len(self._boards) > KEPT:
                    self._boards.popitem(last=False)
            return found

    def _office(self, site: UUID, position: int) -> SalesOffice:
        """The office by the record up to a position: the one at hand, read on from where it stands, unless it has read
        more than that already."""
        self._forget_what_may_be_lost()
        office = self._offices.get(site)
        if office is None or cast("RecordUntil", office.record).until > position:
            record = RecordUntil(self.store.record, position)
            office = self._offices[site] = SalesOffice(record, self.store.keyring, self.store.shelf, site)
        cast("RecordUntil", office.record).until = position
        return office

    def _forget_what_may_be_lost(self) -> None:
        if self._lives != self.store.record.lives:  # as OfficeFiles does
            self._lives = self.store.record.lives
            self._boards.clear()
            self._offices.clear()

    def missed(self, site: UUID, after: int, until: int) -> Sequence[Change]:
        """The changes of a site between two positions; of more than MOST_MISSED the last alone."""
        names = names_that_count()
        found: deque[Change] = deque(maxlen=MOST_MISSED + 1)
        while True:
            facts = self.store.record.recorder.select_notifications(
                after, KEPT, until, topics=names, inclusive_of_start=False
            )
            envelopes = [decode(cast("RecordedEvent", fact)) for fact in facts]
            found.extend(change_of(envelope) for envelope in envelopes if envelope.site == site)
            if len(facts) < KEPT:
                return [found[-1]] if len(found) > MOST_MISSED else list(found)
            after = facts[-1].id


class Watcher:
    """One who watches a site's board. `may`: raises Problem when that one may no more; `after`: the last position seen,
    None: nothing yet; `at`: the present.

    Raises Problem behind (nothing stands at `after` yet), Refusal wrong_state."""

    def __init__(
        self, live: Live, seat: Seat, site: UUID, may: Callable[[], Any], *, after: int | None, at: datetime
    ) -> None:
        self._live, self._seat, self._site, self._may = live, seat, site, may
        position = durable_position(live.store.record)
        if after is not None and after > position:
            raise Problem("behind", f"the record holds {position}", headers={"Retry-After": "1"})
        if after is not None and position - after > FAR_BEHIND:
            after = None
        self._sent = position if after is None else after
        self._first = live.now(site, position, at) if after is None else None
        self._missed = () if after is None else live.missed(site, after, position)

    def events(self) -> Iterator[bytes]:
        """What is sent, until the client goes, may no more, or the server ends."""
        try:
            yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
            if self._first is not None:
                yield _event(self._sent, self._first)
            yield from self._told(self._missed)
            yield from self._go_on()
        except (Problem, StoreUnavailable, IssuerUnavailable):
            return  # it asks again, and is told then
        except (Refusal, RulebookError) as error:
            code = error.code if isinstance(error, Refusal) else "rulebook_silent"
            yield f'event: problem\ndata: {{"code":"{code}"}}\n\n'.encode()
        finally:
            self._seat.give_back()

    def _go_on(self) -> Iterator[bytes]:
        follower, checked = self._seat.follower, time.monotonic()
        spoken = checked
        while not (follower.ended or self._live.closing):
            changes = follower.wait(self._site, self._sent, CHECK_SECONDS)
            now = time.monotonic()
            if changes or now - checked >= CHECK_SECONDS:
                self._may()
                checked = now
            if changes:
                yield from self._told(changes)
                spoken = now
            elif now - spoken >= HEARTBEAT_SECONDS:
                yield b": here\n\n"
                spoken = now

    def _told(self, changes: Sequence[Change]) -> Iterator[bytes]:
        for change in changes:
            yield _event(change.position, self._live.after(self._site, change))
            self._sent = change.position


def _event(position: int, data: bytes) -> bytes:
    return b"id: %d\nevent: board\ndata: %b\n\n" % (position, data)
