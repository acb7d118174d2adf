"""Strategies for the facts of a queue, lawful or not, for tests of folds that must take any past."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import strategies as st

from domain import sales_turn_queue as queue
from domain import visitor
from domain.record import Fact
from domain.visitor import Entry

ids = st.sampled_from([UUID(int=number) for number in range(1, 6)])
no_or_id = st.none() | ids
some = st.lists(ids, max_size=4, unique=True).map(tuple)
labels = st.sampled_from(["r1", "r2", "r3"])
channels = st.sampled_from(["visit", "call"])
numbers = st.integers(0, 3)
days = st.sampled_from([date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 1)])
clauses = st.just(("house/1",))
entries = st.builds(Entry, visitor=ids, registration=st.integers(1, 3))
counts = st.dictionaries(ids, numbers, max_size=3)
by_channel = st.dictionaries(channels, counts, max_size=2)
effects = st.lists(
    st.builds(
        queue.Effect,
        kind=st.sampled_from(queue.EffectKind.__args__),  # type: ignore[attr-defined]
        staff=ids,
        channel=channels,
        yuan=numbers,
        day=st.none() | days,
    ),
    max_size=3,
).map(tuple)
asked = st.builds(
    queue.Asked, entry=st.none() | entries, owner=no_or_id, bought=st.booleans(), again_today=st.booleans()
)
choice = st.builds(queue.Choice, staff=no_or_id, because=st.sampled_from(["turn", "owner", ""]), line=some)
make_up = st.builds(queue.MakeUp, staff=ids, first=st.booleans(), since=days, reception=labels, clauses=clauses)
carried = st.builds(
    queue.Carried,
    first_day=days,
    period_began=days,
    lines=st.dictionaries(channels, some, max_size=2),
    turns=by_channel,
    make_ups=st.dictionaries(channels, st.lists(make_up, max_size=2).map(tuple), max_size=2),
    passes=by_channel,
    fines=counts,
)
REASONS = ["trainee", "unwell"]
FACTS: dict[str, st.SearchStrategy[Fact]] = {
    "queue.opened.v1": st.builds(
        queue.QueueOpened, day=days, carried=carried, shared=st.booleans(), visits_team=st.none() | st.just("A")
    ),
    "queue.signed_in.v1": st.builds(queue.SignedIn, staff=ids, before=st.dictionaries(channels, no_or_id, max_size=2)),
    "queue.signed_out.v1": st.builds(queue.SignedOut, staff=ids, keeps_place=st.booleans(), effects=effects),
    "queue.stepped_out.v1": st.builds(queue.SteppedOut, staff=ids, why=st.just("private")),
    "queue.stepped_back.v1": st.builds(queue.SteppedBack, staff=ids, effects=effects),
    "queue.readiness_changed.v1": st.builds(
        queue.ReadinessChanged, staff=ids, reason=st.none() | st.sampled_from(REASONS)
    ),
    "queue.permitted.v1": st.builds(
        queue.Permitted, staff=ids, what=st.sampled_from(["second_visitor", "giving_up"]), by=ids
    ),
    "queue.post_taken.v1": st.builds(queue.PostTaken, staff=ids, post=st.sampled_from(["A", "B"])),
    "queue.door_taken.v1": st.builds(queue.DoorTaken, staff=ids, relieved=no_or_id, owed_minutes=numbers),
    "queue.ranked.v1": st.builds(
        queue.Ranked, order=some, by=no_or_id, lines=st.dictionaries(channels, some, max_size=2)
    ),
    "queue.day_declared.v1": st.builds(queue.DayDeclared, kind=st.sampled_from(["normal", "media"]), by=no_or_id),
    "queue.reception_opened.v1": st.builds(
        queue.ReceptionOpened,
        reception=labels,
        channel=channels,
        asked=asked,
        choice=choice,
        effects=effects,
    ),
    "queue.receiver_changed.v1": st.builds(
        queue.ReceiverChanged, reception=labels, why=st.just("absent"), choice=choice, effects=effects
    ),
    "queue.recognised.v1": st.builds(
        queue.Recognised,
        reception=labels,
        asked=asked,
        in_time=st.booleans(),
        turn=st.sampled_from(["counts", "make_up"]),
        clauses=clauses,
        choice=choice,
        effects=effects,
    ),
    "queue.helped.v1": st.builds(queue.Helped, reception=labels, staff=ids),
    "queue.unanswered.v1": st.builds(queue.Unanswered, reception=labels, effects=effects),
    "queue.finished.v1": st.builds(
        queue.Finished,
        reception=labels,
        entry=st.none() | entries,
        asked=asked,
        known=st.just("early"),
        short=st.booleans(),
        standing=st.just("new"),
        purpose=st.just("buy"),
        counts=st.booleans(),
        clauses=clauses,
        effects=effects,
    ),
    "queue.given_up.v1": st.builds(
        queue.GivenUp,
        staff=ids,
        channel=channels,
        accepted=st.booleans(),
        waited_seconds=numbers,
        clauses=clauses,
        effects=effects,
    ),
    "queue.not_reached.v1": st.builds(queue.NotReached, staff=ids),
    "queue.misconduct.v1": st.builds(
        queue.Misconduct, staff=ids, what=st.just("picking"), by=ids, clauses=clauses, effects=effects
    ),
    "queue.warned.v1": st.builds(queue.Warned, staff=ids, by=ids, clauses=clauses, effects=effects),
    "queue.carried_on.v1": st.builds(queue.CarriedOn, of=days, reception=labels, effects=effects),
    "queue.call_converted.v1": st.builds(queue.CallConverted, staff=ids, sale=ids),
    "visitor.entrusted.v1": st.builds(visitor.VisitorEntrusted, registration=st.integers(1, 3), to=ids, by=ids),
    "visitor.received.v1": st.builds(
        visitor.VisitorReceived,
        registration=st.integers(1, 3),
        receiver=ids,
        channel=channels,
        came=st.sampled_from(["named", "invited", "brought", "known", "unknown"]),
        began_at=st.just(datetime(2026, 3, 2, 1, tzinfo=UTC)),
        present=some,
        in_stead_of=no_or_id,
        ground=st.none() | st.sampled_from(["named", "referrer"]),
        entrusted=st.booleans(),
        recognised_after_seconds=st.none() | st.integers(0, 1200),
    ),
}
