"""What every command of a site shares: carrying out, answering, and asking who owns what."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain import sale as sales
from domain.attribution import Attribution, attribute
from domain.disclosure import Looks
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rulebook import Edition, RulebookError
from domain.settlement import Settlement, settle
from domain.visitor import Entry, Moment, VisitorFile

from .commands import Carried, Decided, Stamp, carry_out, content_of
from .event_store.appending import GroundsMoved
from .event_store.record import Record
from .office_files import OfficeFiles
from .privacy import Keyring
from .rulebooks import Shelf

CLOCK_TOLERANCE = timedelta(minutes=2)
"""How far ahead of ours a client's clock may run before what it reports counts as future."""

FRESH_SECONDS = 0.1
"""A command without grounds may be decided on a reading of the site that is no older: nothing is put on record where
the site has moved on since. Tried again, it is decided on a new one."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command brought about. `subject` is what it made or concerned; `position` the last fact's place
    in the log."""

    position: int
    repeated: bool
    facts: tuple[Envelope, ...]
    subject: UUID | None = None
    entry: Entry | None = None
    attribution: Attribution | None = None
    settlement: Settlement | None = None


class Desk:
    """A site, its files and keys, and the way a command travels through them."""

    def __init__(
        self, record: Record, keyring: Keyring, shelf: Shelf, site: UUID, files: OfficeFiles | None = None
    ) -> None:
        self.record, self.keyring, self.shelf, self.site_id = record, keyring, shelf, site
        self.files = files or OfficeFiles(record, keyring, site)
        self.looks: dict[UUID, Looks] = {}
        """Looks at personal data as far as they have been read, by stream: the next question reads on from there."""
        self.looks_of = record.lives

    def settlement(
        self, sale: sales.Sale, moment: Moment, *, rulings: bool = True, until_position: int | None = None
    ) -> Settlement:
        """The shares of a sale as far as they were known and ruled on at a moment."""
        files = self.files.customer_files(sale.terms.visitor.visitor)
        if sale.terms.buyer is not None and sale.terms.buyer.visitor not in files:
            files.update(self.files.customer_files(sale.terms.buyer.visitor))
        editions = self.files.editions(until_position=until_position, known_at=moment.known_at)
        if until_position is not None:
            sale = sale.until(until_position)
        return settle(
            self.files.question(files, editions=editions, until_position=until_position),
            sale,
            known_at=moment,
            staff_order=list(self.files.site().staff),
            rulings=rulings,
        )

    def attribution(self, entry: Entry, moment: Moment) -> Attribution:
        """Who owns the visitor at a moment. Raises Refusal unknown_visitor."""
        files = self.files.customer_files(entry.visitor)
        files[entry.visitor].registration(entry.registration)
        return self.attribute(entry, files, moment)

    def attribute(self, entry: Entry, files: Mapping[UUID, VisitorFile], moment: Moment) -> Attribution:
        editions = self.files.editions(known_at=moment.known_at)
        return attribute(self.files.question(files, editions=editions), entry, moment)

    def answer(
        self,
        carried: Carried,
        *,
        entry: Entry | None = None,
        files: Mapping[UUID, VisitorFile] | None = None,
        subject: UUID | None = None,
        settled: bool = False,
        brief: bool = False,
    ) -> Answer:
        """The answer, worked out from the record up to the command's own last fact: a repeat gets the first answer.

        `brief` leaves the findings out, for those who put thousands of rows on record and ask later.
        """
        if carried.repeated or any(envelope.stream == self.site_id for envelope in carried.envelopes):
            self.files.read_anew()  # else the site is as it was read: the append rests on it
        last = carried.envelopes[-1] if carried.envelopes else None
        attribution = None
        if entry is not None and last is not None and not brief:
            known = self.files.customer_files(entry.visitor) if carried.repeated or files is None else files
            question = self.files.question(known, more=_of_visitors(carried), until_position=last.position)
            attribution = attribute(question, entry, self._moment(last))
        settlement = None
        if settled and subject is not None and last is not None and not brief:
            sale, moment = self.files.sale(subject), self._moment(last)
            settlement = self.settlement(sale, moment, until_position=last.position)
        return Answer(
            position=last.position if last else self.record.position(),
            repeated=carried.repeated,
            facts=carried.envelopes,
            subject=subject or (entry.visitor if entry else None),
            entry=entry,
            attribution=attribution,
            settlement=settlement,
        )

    @staticmethod
    def _moment(last: Envelope) -> Moment:
        """When an answer holds: when the fact became known, or a little later where the teller's clock runs ahead."""
        return Moment(max(last.known_at, last.occurred_at), last.known_at)

    def edition(self, at: datetime) -> Edition:
        """The edition in force. Raises Refusal bad_time for an instant before the site's first rulebook."""
        try:
            return self.files.editions().at(at)
        except RulebookError as error:
            raise Refusal("bad_time", str(error)) from None

    def carry_out(self, stamp: Stamp, decide: Callable[[], Decided], **content: Any) -> Carried:
        readings = itertools.chain([FRESH_SECONDS], itertools.repeat(0.0))

        def decide_anew() -> Decided:
            if stamp.grounds is None:
                self.files.read_anew(older_than_seconds=next(readings))
            elif stamp.grounds.lives != self.record.lives:
                raise GroundsMoved("what was read may be lost")
            with self.files.one_reading() as site:
                decided = decide()
            rests_on = stamp.grounds.streams if stamp.grounds else {site.id: site.version}
            return msgspec.structs.replace(decided, rests_on=rests_on)

        self._check_times(stamp)
        if stamp.content is not None:
            return carry_out(self.record, self.site_id, stamp, self._digest(stamp.content), decide_anew)
        times = {"at": stamp.at.isoformat() if stamp.at_given else "", "entered_at": str(stamp.entered_at)}
        digest = self._digest(content_of(**content, **times).decode())
        return carry_out(self.record, self.site_id, stamp, digest, decide_anew)

    def _digest(self, content: str) -> bytes:
        return self.keyring.hash(self.site_id, "command", content)

    def _check_times(self, stamp: Stamp) -> None:
        if stamp.entered_at is not None and stamp.entered_at < stamp.at:
            raise Refusal("bad_time", "it can't have been entered before it happened")
        if stamp.entered_at is None and stamp.at > self.now() + CLOCK_TOLERANCE:
            raise Refusal("bad_time", "it lies in the future")

    def known_at(self, stamp: Stamp) -> datetime:
        return stamp.entered_at or self.now()

    def now(self) -> datetime:
        """The present: our clock, or the record's own time where that is ahead."""
        return max(datetime.now(UTC), self.files.latest)

    def known_staff(self, staff: UUID) -> None:
        self.files.site().member(staff)


def _of_visitors(carried: Carried) -> list[Envelope]:
    return [e for e in carried.envelopes if e.fact.stored_name.startswith("visitor.")]
