"""The log read once for all views, a part at a time: which streams belong together is found first, then every part -
some of the streams, chosen by their ids - is copied out, put together and folded in memory."""

from __future__ import annotations

import gc
import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from application.event_store.mapper import UnreadableFact, decode_row
from domain.record import FACTS, RETIRED, Envelope, names_read_as
from domain.visitor import VisitorRelated

from .dossier import SITE, TYING, Context, connected, kind_of, tied_streams
from .folding import (
    FOLD_FAILS_WITH,
    Parked,
    Problem,
    Whole,
    as_far_as_it_goes,
    context_as_far,
    parked_at,
    whole,
)
from .room import Room
from .view import COPY_END, COPY_HEAD, Row, Sums, View

PART_FACTS = 500_000
"""About so many facts are held in memory at a time, by each process."""

LAST_ROUND = (16, 3, 1)
"""How what is left of the ids is cut when each process is to get its last: a large part, then small ones, which whoever
is ready sooner takes. Equal parts would not end together: processors are never shared out evenly."""

FETCHED_AT_ONCE = 2_000
TELL_EVERY_DOSSIERS = 1_000

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_HEAD = struct.Struct("!6xq24xi4xqi")  # position, version, microseconds, bytes of the name
_HEAD_BYTES = _HEAD.size
_LENGTH = struct.Struct("!i")
_POSITION, _STREAM = slice(6, 14), slice(18, 34)
_uuid = msgspec.msgpack.Decoder(UUID).decode
"""What UUID(bytes=...) does, in a tenth of the time: to 16 bytes and the two that say so in MessagePack."""

COLUMNS = sql.SQL("position, stream, version, recorded_at, name, body")


class Bounds(msgspec.Struct, frozen=True):
    """What is asked about: facts up to a position; of these, what was known at one instant and had happened at
    another."""

    until: int
    known_at: datetime | None = None
    at: datetime | None = None

    @property
    def unlimited(self) -> bool:
        return self.known_at is None and self.at is None

    def admit(self, envelope: Envelope) -> bool:
        """Whether a fact counts. Relations say who people are: they hold for all times once they are known."""
        return (self.known_at is None or envelope.known_at <= self.known_at) and (
            self.at is None or envelope.occurred_at <= self.at or isinstance(envelope.fact, VisitorRelated)
        )


class Part(msgspec.Struct, frozen=True):
    """The streams whose ids lie from `first` on and before `end` (None: to the last)."""

    first: UUID
    end: UUID | None

    def holds(self, stream: UUID) -> bool:
        return self.first <= stream and (self.end is None or stream < self.end)


class Plan(msgspec.Struct, frozen=True):
    """What must be known before parts can be folded: the sites' own facts, and which streams are tied together."""

    site_rows: list[bytes]
    tied: list[list[UUID]]
    parts: list[Part]


def parts(facts: int, processes: int) -> list[Part]:
    """The space of ids cut into parts of at most about PART_FACTS, in the order in which processes should take them."""
    rounds = -(-facts // (PART_FACTS * processes)) or 1
    whole = sum(LAST_ROUND)
    sizes = [whole] * (rounds - 1) + (list(LAST_ROUND) if processes > 1 else [whole])
    ends = [*accumulate(size for size in sizes for _ in range(processes))]
    starts = [UUID(int=(end << 128) // ends[-1]) for end in (0, *ends[:-1])]
    return [Part(first, end) for first, end in zip(starts, [*starts[1:], None], strict=True)]


def plan(connection: psycopg.Connection, fact: sql.Identifier, until: int, processes: int) -> Plan:
    """One quick pass over the log for the facts of sites and those that tie streams together."""
    site_rows: list[bytes] = []
    ties: list[tuple[UUID, UUID]] = []
    of_sites = [name for name in (*FACTS, *RETIRED) if kind_of(name) == SITE]
    names = sql.SQL(", ").join(map(sql.Literal, [*names_read_as(*TYING), *of_sites]))
    where = sql.SQL("position <= {} AND name IN ({})").format(sql.Literal(until), names)
    for row in copy_out(connection, fact, where):
        if kind_of(name_of(row)) == SITE:
            site_rows.append(row)
        elif (envelope := _readable(row)) is not None:
            ties.extend((envelope.stream, other) for other in tied_streams(envelope.fact))
    tied: dict[UUID, list[UUID]] = {}
    for stream, root in connected(ties).items():
        tied.setdefault(root, []).append(stream)
    return Plan(site_rows, list(tied.values()), parts(until, processes))


def copy_out(connection: psycopg.Connection, fact: sql.Identifier, where: sql.Composable) -> Iterator[bytes]:
    """Rows of the record in PostgreSQL's binary format, one at a time."""
    query = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT BINARY)").format(COLUMNS, fact, where)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        head = bytes(copy.read())[len(COPY_HEAD) :]  # alone, or with the first row
        if len(head) > len(COPY_END):
            yield head
        for data in copy:
            if len(data) > len(COPY_END):
                yield bytes(data)


def decoded(row: bytes, stream: UUID) -> Envelope:
    """A row of the record as a fact of that stream. Raises UnreadableFact."""
    position, version, microseconds, length = _HEAD.unpack_from(row)
    name_end = _HEAD_BYTES + length
    recorded_at = _EPOCH + timedelta(0, 0, microseconds)
    return decode_row(position, stream, version, row[_HEAD_BYTES:name_end].decode(), row[name_end + 4 :], recorded_at)


def stream_of(row: bytes) -> UUID:
    return _uuid(b"\xc4\x10" + row[_STREAM])


def position_of(row: bytes) -> int:
    return int.from_bytes(row[_POSITION])


def name_of(row: bytes) -> str:
    (length,) = _LENGTH.unpack_from(row, _HEAD_BYTES - 4)
    return row[_HEAD_BYTES : _HEAD_BYTES + length].decode()


def _readable(row: bytes) -> Envelope | None:
    try:
        return decoded(row, stream_of(row))
    except UnreadableFact:  # reported where its stream is folded
        return None


class Folded(msgspec.Struct):
    """What folding gave: each view's rows ready for COPY; at the end of a part its sums, by view and key; what could
    not be taken."""

    rows: Sequence[bytes]
    sums: Sequence[dict[bytes, list[int]]]
    parked: list[Parked]


class Reader:
    """Reads the dossiers of parts, judged."""

    def __init__(self, connection: psycopg.Connection, fact: sql.Identifier, plan: Plan, bounds: Bounds) -> None:
        self._connection, self._fact, self._plan, self._bounds = connection, fact, plan, bounds
        self.until = bounds.until
        self._tied = {stream.bytes for streams in plan.tied for stream in streams}
        self._sites: dict[UUID, list[bytes]] = {}
        for row in plan.site_rows:
            self._sites.setdefault(stream_of(row), []).append(row)
        self._of_sites = {row[_STREAM] for row in plan.site_rows}
        self._contexts: dict[UUID, tuple[Context | None, Problem | None]] = {}

    def groups(self, part: Part) -> Iterator[list[bytes]]:
        """The rows of each dossier of a part."""
        streams: dict[bytes, list[bytes]] = {}
        where = sql.SQL("position <= {} AND stream >= {}").format(
            sql.Literal(self._bounds.until), sql.Literal(part.first)
        )
        if part.end is not None:
            where = sql.SQL("{} AND stream < {}").format(where, sql.Literal(part.end))
        tied = self._tied
        for row in copy_out(self._connection, self._fact, where):
            stream = row[_STREAM]
            if stream not in tied:
                if stream in streams:
                    streams[stream].append(row)
                else:
                    streams[stream] = [row]
        yield from streams.values()
        yield from self._tied_groups(part)

    def _tied_groups(self, part: Part) -> Iterator[list[bytes]]:
        mine = [streams for streams in self._plan.tied if part.holds(min(streams))]
        while mine:
            chunk: list[list[UUID]] = []
            while mine and sum(map(len, chunk)) < FETCHED_AT_ONCE:
                chunk.append(mine.pop())
            root = {stream.bytes: place for place, streams in enumerate(chunk) for stream in streams}
            groups: list[list[bytes]] = [[] for _ in chunk]
            wanted = sql.SQL(", ").join(sql.Literal(stream) for streams in chunk for stream in streams)
            where = sql.SQL("position <= {} AND stream IN ({})").format(sql.Literal(self._bounds.until), wanted)
            for row in copy_out(self._connection, self._fact, where):
                groups[root[row[_STREAM]]].append(row)
            yield from (group for group in groups if group)

    def facts(self, rows: Sequence[bytes]) -> tuple[list[Envelope], Problem | None]:
        """The facts of a dossier that count, as far as they can be read, and the first that can't be."""
        of = b""
        admit = None if self._bounds.unlimited else self._bounds.admit
        facts: list[Envelope] = []
        for row in sorted(rows):  # they begin with their position
            if row[_STREAM] != of:
                of, stream = row[_STREAM], stream_of(row)
            try:
                envelope = decoded(row, stream)
            except UnreadableFact as problem:
                return facts, Problem(position_of(row), name_of(row), str(problem))
            if admit is None or admit(envelope):
                facts.append(envelope)
        return facts, None

    def judged(self, rows: Sequence[bytes]) -> Whole | None:
        """The dossier of these rows; None where no view speaks of it."""
        if rows[0][_STREAM] in self._of_sites and kind_of(name_of(rows[0])) == SITE:
            return None
        facts, problem = self.facts(rows)
        if not facts:
            return whole((), None, problem) if problem else None
        context, of_site = self._context(facts[0].site)
        problem = min((found for found in (problem, of_site) if found is not None), default=None)
        return whole(facts, context, problem, self._bounds.at)

    def _context(self, site: UUID) -> tuple[Context | None, Problem | None]:
        if site not in self._contexts:
            facts: list[Envelope] = []
            unreadable: Problem | None = None
            for row in sorted(self._sites.get(site, [])):
                try:
                    facts.append(decoded(row, site))
                except UnreadableFact as problem:
                    unreadable = Problem(position_of(row), name_of(row), str(problem))
                    break
            self._contexts[site] = context_as_far(facts, unreadable, self._bounds.known_at)
        return self._contexts[site]


def fold_part(reader: Reader, part: Part, views: Sequence[View], room: Room) -> Iterator[tuple[Folded, int]]:
    """Fold a part into rows of views; gives what is ready, and of how many facts, from time to time. Sums come last.
    Others are left room between dossiers."""
    makings = [_Making(view) for view in views]
    parked: list[Parked] = []
    facts = 0
    for count, rows in enumerate(reader.groups(part), start=1):
        _fold_dossier(reader, rows, makings, parked)
        room.leave()
        facts += len(rows)
        if count % TELL_EVERY_DOSSIERS == 0:
            yield Folded([making.ready() for making in makings], (), parked), facts
            parked, facts = [], 0
    yield Folded([making.ready() for making in makings], [making.sums.counted for making in makings], parked), facts
    gc.collect()


class _Making:
    """The rows of a view in the making."""

    def __init__(self, view: View) -> None:
        self.view, self.encode = view, view.encoder()
        self.sums = Sums(view)
        self._made: list[bytes] = []

    def take(self, given: Iterable[Row]) -> None:
        """Take the rows of a dossier, all or none. Raises what FOLD_FAILS_WITH names for one that no table can hold."""
        encode = self.encode
        if self.view.sums:
            given = list(given)
            self.sums.add([encode(row.values) for row in given], given)
        else:
            self._made.extend([encode(row.values) for row in given])

    def ready(self) -> bytes:
        made, self._made = self._made, []
        return b"".join(made)


def _fold_dossier(reader: Reader, rows: Sequence[bytes], makings: Sequence[_Making], parked: list[Parked]) -> None:
    dossier = reader.judged(rows)
    if dossier is None:
        return
    judged = dossier.judged
    streams: list[UUID] | None = None
    for making in makings:
        view = making.view
        if dossier.problem is None:
            try:
                if judged is not None and (rows_of := view.rows.get(judged.kind)) is not None:
                    making.take(rows_of(judged))
                continue
            except FOLD_FAILS_WITH:
                pass  # what of it can be taken is found out below
        given, problem = as_far_as_it_goes(view, dossier)
        making.take(given)
        streams = streams or sorted({stream_of(row) for row in rows})
        if problem is not None:
            parked.extend(parked_at(view, streams, problem, reader.until))
