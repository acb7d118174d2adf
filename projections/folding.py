"""What facts do to views: the rows of the dossiers they touch, before and after. Live batches, catching up and as-of
answers all go through here; whatever can't be judged is parked, and stops nobody else."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from application.event_store.mapper import RecordedEvent, UnreadableFact, decode
from application.yaml_files import FileProblem
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rulebook import RulebookError

from .dossier import CUSTOMER, SITE, Context, Judged, context_of, dossiers, kind_of, tied_streams
from .view import Row, View

Load = Callable[[Sequence[UUID]], Sequence[RecordedEvent]]
"""Streams -> all their facts on record."""

FOLD_FAILS_WITH = (
    *(RulebookError, Refusal),
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, struct.error),
)
"""What a fold may raise: that the rules do not decide, or a program's mistake. One dossier's trouble, nobody else's."""

SITE_FAILS_WITH = (FileProblem, *FOLD_FAILS_WITH)
"""What a site's own facts may come to: a rulebook, for one, that this program can't read."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that a view could not take: its facts from `position` on are left out of the view, where the rest was
    judged under what was known of the site up to the fact `judged_until`."""

    view: str
    stream: UUID
    position: int
    name: str
    reason: str
    judged_until: int


class Left(NamedTuple):
    """From which position on a stream's facts are left out of a view, and until which fact its site was known."""

    position: int
    judged_until: int


class Problem(NamedTuple):
    """The fact from which on a dossier can't be taken: its position, its stored name, and why not."""

    position: int
    name: str
    reason: str


class Whole(NamedTuple):
    """A dossier as it was read: judged, unless a fact of it or of its site could not be read, or the rules do not
    decide. `at`: the instant asked about, if it is not what stands after the last fact."""

    facts: Sequence[Envelope]
    context: Context | None
    judged: Judged | None
    problem: Problem | None
    at: datetime | None = None


class Outcome(msgspec.Struct):
    """What a batch does to one view: the touched dossiers' rows before and after; what was parked, what is no more."""

    before: list[Row]
    after: list[Row]
    parked: list[Parked]
    mended: set[UUID]


class Files:
    """Facts of streams as they are read, put together as far as this program can read them."""

    def __init__(self, load: Load, until: int) -> None:
        self._load, self.until = load, until
        self.streams: dict[UUID, list[Envelope]] = {}
        self.unreadable: dict[UUID, Problem] = {}
        self._sites: dict[UUID, list[Envelope]] = {}

    def read(self, streams: Iterable[UUID]) -> None:
        """Read streams and, near and far, all that facts tie to them."""
        wanted = set(streams) - self.streams.keys()
        while wanted:
            for stream in wanted:
                self.streams[stream] = []
            tied: set[UUID] = set()
            for event in self._load(sorted(wanted)):
                envelope = self._decoded(event)
                if envelope is not None:
                    self.streams[envelope.stream].append(envelope)
                    tied.update(tied_streams(envelope.fact))
            wanted = tied - self.streams.keys()

    def _decoded(self, event: RecordedEvent) -> Envelope | None:
        if event.id > self.until:
            return None
        try:
            return decode(event)
        except UnreadableFact as problem:
            stream = event.originator_id
            assert isinstance(stream, UUID)
            self.unreadable.setdefault(stream, Problem(event.id, event.topic, str(problem)))
            return None

    def context(self, site: UUID, until: int) -> Context | None:
        """The site by its facts up to a position, as far as they make sense (see `unreadable`)."""
        if site not in self._sites:
            facts = [self._decoded(event) for event in self._load([site])]
            self._sites[site] = [envelope for envelope in facts if envelope is not None]
        known = [envelope for envelope in self._sites[site] if envelope.position <= until]
        context, problem = context_as_far(known, self.unreadable.get(site))
        if problem is not None:
            self.unreadable[site] = problem
        return context

    def problem(self, streams: Iterable[UUID], facts: Sequence[Envelope]) -> Problem | None:
        """The first fact of a dossier, or of its site, that can't be read: nothing is judged beyond it."""
        needed = [*streams, *(envelope.site for envelope in facts[:1])]
        return min((self.unreadable[stream] for stream in needed if stream in self.unreadable), default=None)


def context_as_far(
    facts: Sequence[Envelope], unreadable: Problem | None, known_at: datetime | None = None
) -> tuple[Context | None, Problem | None]:
    """The site by its facts before the first that makes no sense, and that one. `unreadable`: one known before."""
    known = [envelope for envelope in facts if unreadable is None or envelope.position < unreadable.position]
    while True:
        try:
            return context_of(known, known_at), unreadable
        except SITE_FAILS_WITH as error:
            unreadable = failed_at(known.pop(), error)


def judge(facts: Sequence[Envelope], context: Context | None, at: datetime | None = None) -> Judged | None:
    """The dossier of these facts, judged; None for facts of which no view speaks."""
    kind = kind_of(facts[0].fact.stored_name)
    if kind is None or kind == SITE or context is None:
        return None
    if kind != CUSTOMER and any(kind_of(envelope.fact.stored_name) == CUSTOMER for envelope in facts):
        kind = CUSTOMER
    return Judged(kind, facts, context, at)


def whole(
    facts: Sequence[Envelope], context: Context | None, problem: Problem | None, at: datetime | None = None
) -> Whole:
    """The dossier of these facts, judged. `problem`: the first of its facts, or of its site's, that can't be read."""
    if facts and problem is None:
        try:
            return Whole(facts, context, judge(facts, context, at), None, at)
        except FOLD_FAILS_WITH as error:
            problem = failed_at(facts[-1], error)
    return Whole(facts, context, None, problem, at)


def rows_of(view: View, judged: Judged) -> list[Row]:
    """The rows that a dossier gives."""
    rows = view.rows.get(judged.kind)
    return list(rows(judged)) if rows else []


def as_far_as_it_goes(view: View, dossier: Whole) -> tuple[list[Row], Problem | None]:
    """The rows that a dossier gives; where it can't be taken whole, those of its facts before the one that it fails at,
    and that one."""
    problem = dossier.problem
    if problem is None:
        try:
            return (checked(view, dossier.judged) if dossier.judged is not None else []), None
        except FOLD_FAILS_WITH as error:
            problem = failed_at(dossier.facts[-1], error)
    good = [envelope for envelope in dossier.facts if envelope.position < problem.position]
    while good:
        try:
            parts = _parts(good, dossier.context, dossier.at)
            return [row for part in parts for row in checked(view, part)], problem
        except FOLD_FAILS_WITH as error:
            problem = failed_at(good.pop(), error)
    return [], problem


def checked(view: View, judged: Judged) -> list[Row]:
    """The rows of a dossier, all of which the view's table can hold. Raises what FOLD_FAILS_WITH names."""
    rows, encode = rows_of(view, judged), view.encoder()
    for row in rows:
        encode(row.values)
    return rows


def failed_at(envelope: Envelope, error: Exception) -> Problem:
    """The problem that an error makes of a fact."""
    return Problem(envelope.position, envelope.fact.stored_name, f"{type(error).__name__}: {error}")


def _parts(facts: Sequence[Envelope], context: Context | None, at: datetime | None) -> Iterator[Judged]:
    """A dossier's facts up to some moment: they may not have been tied together yet."""
    streams: dict[UUID, list[Envelope]] = {}
    for envelope in facts:
        streams.setdefault(envelope.stream, []).append(envelope)
    for part in dossiers(streams):
        judged = judge(part, context, at)
        if judged is not None:
            yield judged


def fold(
    views: Sequence[View], files: Files, start: int, parked: Mapping[tuple[str, UUID], Left]
) -> dict[str, Outcome]:
    """What the facts after `start` do to views, for the streams that have been read into `files`.

    `parked`: (view, stream) -> what has been left out of that view.
    """
    outcomes = {view.name: Outcome([], [], [], set()) for view in views}
    all_taken = Left(start + 1, start)
    for streams, facts in _grouped(files):
        context = files.context(facts[0].site, files.until) if facts else None
        now = whole(facts, context, files.problem(streams, facts))
        before: dict[tuple[Left, ...], list[Judged]] = {}
        for view in views:
            left = {stream: parked.get((view.name, stream), all_taken) for stream in streams}
            shape = tuple(left.values())
            if shape not in before:
                before[shape] = list(_as_it_was(files, left))
            outcome = outcomes[view.name]
            try:
                was = [row for judged in before[shape] for row in rows_of(view, judged)]
            except FOLD_FAILS_WITH as error:  # it had not failed then: what it gave stays
                for stream, cut in left.items():
                    outcome.parked.extend(parked_at(view, [stream], _changed(cut, facts, error), cut.judged_until))
                continue
            outcome.before.extend(was)
            rows, failed = as_far_as_it_goes(view, now)
            outcome.after.extend(rows)
            if failed is None:
                outcome.mended.update(streams)
            else:
                outcome.parked.extend(parked_at(view, streams, failed, files.until))
    return outcomes


def _changed(cut: Left, facts: Sequence[Envelope], error: Exception) -> Problem:
    """A fold that fails at what it could take before."""
    return Problem(
        cut.position, facts[-1].fact.stored_name, f"fails where it did not: {failed_at(facts[-1], error).reason}"
    )


def parked_at(view: View, streams: Iterable[UUID], problem: Problem, until: int) -> list[Parked]:
    """What is put on record of a dossier that a view could not take whole."""
    return [
        Parked(
            view=view.name,
            stream=stream,
            position=problem.position,
            name=problem.name,
            reason=problem.reason,
            judged_until=until,
        )
        for stream in streams
    ]


def _grouped(files: Files) -> Iterator[tuple[list[UUID], list[Envelope]]]:
    """The streams of each dossier and their facts; those of which nothing can be read stand alone."""
    seen: set[UUID] = set()
    for facts in dossiers(files.streams):
        streams = sorted({e.stream for e in facts})
        seen.update(streams)
        yield streams, facts
    for stream in files.unreadable.keys() & files.streams.keys() - seen:
        yield [stream], []


def _as_it_was(files: Files, left: Mapping[UUID, Left]) -> Iterator[Judged]:
    """The dossiers as they were taken last, each without what was left out."""
    old = {
        stream: [e for e in files.streams.get(stream, ()) if e.position < cut.position] for stream, cut in left.items()
    }
    for facts in dossiers(old):
        judged = judge(facts, files.context(facts[0].site, left[facts[0].stream].judged_until))
        if judged is not None:
            yield judged
