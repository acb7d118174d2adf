"""The view of timelines: every step of an attribution, kept small and read back whole."""

from __future__ import annotations

from hypothesis import given as for_all

from projections.dossier import Judged
from projections.timeline import TIMELINE, TimelineStep, decode_steps, encode_steps
from tests.domain.given import History
from tests.domain.test_attribution_properties import histories
from tests.projections.given import (
    OTHER_PHONE,
    an_office,
    attributions,
    follow_up,
    instant,
    judged,
    judged_history,
    late,
    relate,
    rows,
)


def steps(dossiers: list[Judged]) -> list[tuple[TimelineStep, ...]]:
    return [decode_steps(row["steps"]) for row in rows(TIMELINE, dossiers)]


def test_every_step_is_there_with_its_clauses() -> None:
    house = an_office()
    entry = house.register("2026-03-02 09:00")
    follow_up(house, "2026-03-20 10:00", entry, "wang")
    (found,) = steps(judged(house))
    registered, lapsed, followed = found
    assert (registered.what, registered.effect, registered.owner, registered.entry) == (
        "registration", "founds", house.lin, entry,
    )  # fmt: skip
    assert registered.by == (house.lin,) and registered.at == registered.known_at == instant("2026-03-02 09:00")
    assert "revised-reception/3a-11" in registered.clauses and registered.edition == "revised-reception@2000-01-01"
    assert (lapsed.what, lapsed.position, lapsed.by, lapsed.owner, lapsed.entry) == ("lapse", None, (), None, None)
    assert (followed.effect, followed.reason, followed.by) == ("nothing", "nobody_owned", (house.wang,))


def test_a_late_entry_keeps_both_times() -> None:
    house = an_office()
    late(house, "2026-03-02 09:00", known="2026-03-04 10:00")
    ((step,),) = steps(judged(house))
    assert (step.at, step.known_at) == (instant("2026-03-02 09:00"), instant("2026-03-04 10:00"))


def test_customers_that_become_one_have_one_timeline() -> None:
    house = an_office()
    one = house.register("2026-03-02 09:00")
    other = house.register("2026-03-03 09:00", "wang", phone=OTHER_PHONE, name="钱梅")
    assert [len(found) for found in steps(judged(house))] == [1, 1]
    relate(house, "2026-03-05 09:00", other, one)
    ((first, second),) = steps(judged(house))
    assert (first.entry, second.entry, second.reason) == (one, other, "claim_of_another_ran")


@for_all(histories())
def test_what_is_read_back_is_what_the_attribution_says(history: History) -> None:
    for _, found in attributions(judged_history(history)):
        read = decode_steps(encode_steps(found.steps))
        for step, back in zip(found.steps, read, strict=True):
            assert (back.owner, back.until) == ((step.claim.owner, step.claim.until) if step.claim else (None, None))
            for name in set(TimelineStep.__struct_fields__) - {"owner", "until"}:
                assert getattr(back, name) == getattr(step, name)


def test_it_is_small() -> None:
    history = History("forty-three-articles")
    lin = next(iter(history.question.roles))
    entry = history.register("2026-03-02 09:00", lin)
    for day in range(3, 29):
        history.follow_up(f"2026-03-{day:02} 10:00", lin, entry)
    (row,) = rows(TIMELINE, judged_history(history))
    assert len(row["steps"]) < 60 * len(history.facts)
