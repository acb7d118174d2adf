"""Replay reports as plain values: the answer, its steps, rivals and changes - and what must never be in them."""

# long because: every finding of a replay is tried on the same few stories
from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec
import pytest

from application.commands import Stamp
from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.replay.lines import Replay
from application.replay.matter import find_matter
from application.replay.report import Asked, replay
from application.replay.wording import EFFECT, GROUND, REASON, RELATION, SHARES, VIA, WHAT
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.refusals import Refusal
from domain.rulebook import RulebookError
from domain.rules.vocabulary import CONTACTS, RELATIONS, TABLES, VIAS
from domain.visitor import Entry
from tests.domain.given import instant

STAFF = {"lin": "林芳", "wang": "王磊", "zhou": "周小娟", "chen": "陈静"}
PHONES = {"v1": "13856718294", "v2": "13956718295", "v3": "13756718296"}
NAMES = {"v1": "赵强国", "v2": "钱梅花", "v3": "孙丽萍"}


class Story:
    """An office whose history is told in a few words; times are texts on the site's clock."""

    def __init__(self, record: Record, keyring: Keyring, rulebook: str = "revised-reception") -> None:
        opening = "2000-01-01 00:00"
        stamp = self.stamp(opening)
        self.office: SalesOffice = open_site(
            record, keyring, Shelf(), name="滨江一号", timezone="Asia/Shanghai", stamp=stamp
        )
        self.people: dict[str, UUID] = {}
        for label, name in STAFF.items():
            role = "manager" if label == "chen" else "consultant"
            enrolled = self.office.enrol_staff(self.stamp(opening), name=name, role=role)
            self.people[label] = enrolled.facts[0].fact.staff  # type: ignore[attr-defined]
        self.office.adopt(self.stamp(opening), rulebook=rulebook)

    @staticmethod
    def stamp(at: str, known: str | None = None) -> Stamp:
        return Stamp(actor=UUID(int=7), at=instant(at), entered_at=instant(known or at))

    def register(
        self, at: str, by: str, who: str = "v1", *, name: str | None = None, known: str | None = None
    ) -> Entry:
        answer = self.office.register(
            self.stamp(at, known), by=self.people[by], name=name or NAMES[who], phone=PHONES[who]
        )
        assert answer.entry
        return answer.entry

    def follow_up(self, at: str, by: str, entry: Entry, known: str | None = None) -> None:
        self.office.follow_up(self.stamp(at, known), entry=entry, by=self.people[by], historic=True)

    def sell(self, at: str, by: str, entry: Entry, unit: str = "1-101", buyer: Entry | str | None = None) -> UUID:
        sold = self.office.sell(
            self.stamp(at), entry=entry, by=[self.people[by]], amount=Decimal("1000.00"), unit=unit, buyer=buyer
        )
        assert sold.subject
        return sold.subject

    def dispute(self, at: str, by: str, about: Entry | UUID, label: str = "d1") -> UUID:
        opened = self.office.open_dispute(self.stamp(at), about=about, by=self.people[by], label=label)
        assert opened.subject
        return opened.subject

    def rule(self, at: str, dispute: UUID, owner: str | None = None, **shares: str) -> None:
        self.office.rule(
            self.stamp(at),
            dispute=dispute,
            by=self.people["chen"],
            reason="met first",
            owner=self.people[owner] if owner else None,
            shares={self.people[label]: Fraction(part) for label, part in shares.items()} or None,
        )

    def ask(self, text: str, at: str | None = None, known: str | None = None, **how: Any) -> Replay:
        asked = Asked(at=instant(at) if at else None, known_at=instant(known) if known else None, **how)
        return replay(self.office, find_matter(self.office, text), asked)


@pytest.fixture
def make(master: bytes) -> Callable[..., Story]:
    """Makes stories in memory."""

    def story(rulebook: str = "revised-reception") -> Story:
        record = Record(MemoryRecorder())
        return Story(record, Keyring(master, record.person_keys), rulebook)

    return story


@pytest.fixture
def story(make: Callable[..., Story]) -> Story:
    return make()


def reasons(found: Replay) -> dict[str, str]:
    return {rival.staff: rival.reason for rival in found.rivals}


# The answer


def a_long_story(story: Story) -> Story:
    """A lapse, a late follow-up, a stranger under the same phone, a namesake, a sale, a ruling."""
    v1 = story.register("2026-03-02 09:00", "lin")
    story.follow_up("2026-03-05 09:00", "lin", v1, known="2026-03-07 09:00")
    story.register("2026-03-20 09:00", "wang")
    story.register("2026-03-21 09:00", "zhou", name="李大明")
    v2 = story.register("2026-03-21 10:00", "zhou", "v2", name=NAMES["v1"])
    story.office.relate(story.stamp("2026-03-21 11:00"), visitor=v2, to=v1, relation="sibling")
    sale = story.sell("2026-03-22 09:00", "wang", v1)
    story.rule("2026-03-24 09:00", story.dispute("2026-03-23 09:00", "lin", sale), lin="1/3", wang="2/3")
    return story


def test_a_replay_is_the_same_on_both_stores_and_survives_json(record: Record, keyring: Keyring) -> None:
    found = a_long_story(Story(record, keyring)).ask("1-101", known="2026-03-25 09:00")
    written = msgspec.json.encode(found)
    assert msgspec.json.encode(msgspec.json.decode(written, type=Replay)) == written
    assert (found.kind, found.owner, found.ground, found.under) == (
        "sale",
        "王磊",
        "next_receiver",
        "revised-reception@2000-01-01",
    )
    assert found.shares == {"林芳": "1/3", "王磊": "2/3"} and found.amounts == {"林芳": "333.33", "王磊": "666.67"}
    assert [step.effect for step in found.steps] == ["founds", "renews", "lapsed", "founds", "closes"]
    assert [step.late for step in found.steps] == [False, True, False, False, False]
    assert reasons(found) == {"林芳": "lapsed", "周小娟": "different_customer"}
    assert str(found.at) == "2026-03-22 09:00:00+08:00" and found.timezone == "Asia/Shanghai"
    assert found.position == record.position()


def test_no_visitors_name_and_no_phone_is_in_a_replay(story: Story) -> None:
    a_long_story(story)
    for asked in ("1-101", "d1", PHONES["v1"], PHONES["v2"]):
        text = msgspec.json.encode(story.ask(asked)).decode()
        for word in (*NAMES.values(), "李大明", *PHONES.values(), *(phone[3:] for phone in PHONES.values())):
            assert word not in text and word not in json.dumps(text), (asked, word)
    found = story.ask("1-101")
    assert (found.matter["visitor"], found.matter["phone"]) == ("赵**", "138****8294")
    assert {step.visitor for step in found.steps} <= {None, "赵**"}


def test_every_cited_clause_is_given_in_full(story: Story) -> None:
    found = a_long_story(story).ask("1-101")
    given = {clause.id for clause in found.clauses}
    cited = {clause for line in (*found.steps, *found.rivals) for clause in line.clauses}
    assert cited <= given and len(given) == len(found.clauses)
    assert all(clause.en and clause.zh and clause.rules and clause.source for clause in found.clauses)


def test_the_facts_used_stand_with_all_three_times(story: Story) -> None:
    found = a_long_story(story).ask("1-101")
    names = [fact.name for fact in found.facts]
    assert names[0] == "visitor.registered.v1" and {"sale.recorded.v1", "sale.ruled.v1"} <= set(names)
    late = next(fact for fact in found.facts if fact.name == "visitor.followed_up.v1")
    assert (str(late.occurred_at), str(late.known_at)) == ("2026-03-05 09:00:00+08:00", "2026-03-07 09:00:00+08:00")
    assert late.recorded_at > late.known_at and late.by == ("林芳",)
    assert [fact.position for fact in found.facts] == sorted(fact.position for fact in found.facts)


def test_every_code_has_its_words() -> None:
    contact = TABLES["attribution.contact"].effects
    reception = TABLES["attribution.reception"].effects
    for effects in (contact, reception):
        assert set(effects["ground"]) <= GROUND.keys() and set(effects["reason"]) <= REASON.keys()
    assert set(TABLES["commission.shares"].effects["shares"]) | {"ruling"} <= SHARES.keys()
    assert set(RELATIONS) <= RELATION.keys() and set(VIAS) <= VIA.keys() and set(CONTACTS) <= WHAT.keys()
    for table in (EFFECT, GROUND, REASON, RELATION, SHARES, VIA, WHAT):
        assert all(en.strip() and zh.strip() for en, zh in table.values())
        assert all(en.isascii() and not zh.isascii() for en, zh in table.values())


# Rivals


def ruled_away(story: Story) -> Replay:
    story.rule(
        "2026-03-04 09:00", story.dispute("2026-03-03 09:00", "wang", story.register("2026-03-02 09:00", "lin")), "wang"
    )
    return story.ask("d1", at="2026-03-05 09:00")


def sale_ruled_away(story: Story) -> Replay:
    sale = story.sell("2026-03-03 09:00", "lin", story.register("2026-03-02 09:00", "lin"))
    story.rule("2026-03-05 09:00", story.dispute("2026-03-04 09:00", "wang", sale), "wang")
    return story.ask("1-101")


def came_meanwhile(story: Story) -> Replay:
    story.register("2026-03-02 09:00", "wang")
    story.register("2026-03-03 09:00", "lin")
    return story.ask(PHONES["v1"], at="2026-03-04 09:00")


def lapsed(story: Story) -> Replay:
    story.register("2026-03-02 09:00", "lin")
    story.register("2026-03-10 09:00", "wang")
    return story.ask(PHONES["v1"], at="2026-03-11 09:00")


def a_namesake(story: Story) -> Replay:
    story.register("2026-03-02 09:00", "lin", "v2", name=NAMES["v1"])
    story.register("2026-03-03 09:00", "wang")
    return story.ask(PHONES["v1"], at="2026-03-04 09:00")


def only_closed(story: Story) -> Replay:
    story.sell("2026-03-03 09:00", "lin", story.register("2026-03-02 09:00", "wang"))
    return story.ask("1-101")


def nothing_on_record(story: Story) -> Replay:
    story.dispute("2026-03-03 09:00", "lin", story.register("2026-03-02 09:00", "wang"))
    return story.ask("d1", at="2026-03-04 09:00")


def sold_to_a_stranger(story: Story) -> Replay:
    story.sell("2026-03-03 09:00", "wang", story.register("2026-03-02 09:00", "lin"), buyer="吴不识")
    return story.ask("1-101")


@pytest.mark.parametrize(
    ("tell", "owner", "reason", "rule"),
    [
        (ruled_away, "王磊", "ruled_otherwise", "Q5"),
        (sale_ruled_away, "王磊", "ruled_otherwise", None),
        (came_meanwhile, "王磊", "claim_of_another_ran", "A1"),
        (lapsed, "王磊", "lapsed", "A3"),
        (a_namesake, "王磊", "same_name_unproven", "A7"),
        (only_closed, "王磊", "only_closed", "A14"),
        (nothing_on_record, "王磊", "claimed_without_record", None),
        (sold_to_a_stranger, None, "buyer_not_family", None),
    ],
)
def test_a_rival_is_told_why_not(
    story: Story, tell: Callable[[Story], Replay], owner: str | None, reason: str, rule: str | None
) -> None:
    found = tell(story)
    assert (found.owner, reasons(found)["林芳"]) == (owner, reason)
    rival = next(rival for rival in found.rivals if rival.staff == "林芳")
    assert rival.reason_text.en == REASON[reason][0] and rival.reason_text.zh == REASON[reason][1]
    if rule is not None:
        rules = {rule for clause in found.clauses if clause.id in rival.clauses for rule in clause.rules}
        assert rule in rules


def test_a_namesake_proven_to_be_the_wife_is_no_rival_by_name(story: Story) -> None:
    wife = story.register("2026-03-02 09:00", "lin", "v2", name=NAMES["v1"])
    v1 = story.register("2026-03-03 09:00", "wang")
    story.office.relate(story.stamp("2026-03-04 09:00"), visitor=wife, to=v1, relation="spouse")
    found = story.ask(PHONES["v1"], at="2026-03-05 09:00")
    assert (found.owner, reasons(found)) == ("林芳", {"王磊": "claim_of_another_ran"})


def test_the_registered_visitors_owner_is_a_rival_where_somebody_else_buys(story: Story) -> None:
    v1, v2 = story.register("2026-03-02 09:00", "lin"), story.register("2026-03-02 10:00", "wang", "v2")
    story.sell("2026-03-03 09:00", "zhou", v1, buyer=v2)
    found = story.ask("1-101")
    assert found.owner == "王磊" and found.shares == {"王磊": "1"}
    assert reasons(found).get("林芳") == "buyer_not_family"


# Both times, other rules


def test_as_of_an_earlier_moment(story: Story) -> None:
    a_long_story(story)
    before = story.ask("1-101", at="2026-03-09 09:00")
    assert (before.owner, str(before.until), before.shares, before.amounts) == ("林芳", "2026-03-14", None, None)
    assert [step.effect for step in before.steps] == ["founds", "renews"]
    assert story.ask("1-101", at="2026-03-22 09:00").owner == "王磊"


def test_by_what_was_known_then(story: Story) -> None:
    v1 = story.register("2026-03-02 09:00", "lin")
    story.follow_up("2026-03-05 09:00", "lin", v1, known="2026-03-06 09:00")
    then = story.ask(PHONES["v1"], at="2026-03-05 12:00", known="2026-03-06 08:59")
    now = story.ask(PHONES["v1"], at="2026-03-05 12:00", known="2026-03-06 09:00")
    assert (str(then.until), str(now.until)) == ("2026-03-09", "2026-03-12")
    assert len(then.facts) == 1 and len(now.facts) == 2


def test_an_adoption_counts_from_when_it_was_known(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    story.office.adopt(story.stamp("2026-03-08 09:00", "2026-03-20 09:00"), rulebook="forty-three-articles")
    assert story.ask(PHONES["v1"], at="2026-03-12 09:00", known="2026-03-15 09:00").owner is None
    assert story.ask(PHONES["v1"], at="2026-03-12 09:00", known="2026-03-21 09:00").owner == "林芳"


def test_under_another_rulebook_or_other_numbers(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    story.register("2026-03-12 09:00", "wang")
    plain = story.ask(PHONES["v1"], at="2026-03-13 09:00")
    other = story.ask(PHONES["v1"], at="2026-03-13 09:00", under="forty-three-articles")
    amended = story.ask(PHONES["v1"], at="2026-03-13 09:00", amend={"attribution.protection_days": "none"})
    assert [found.owner for found in (plain, other, amended)] == ["王磊", "林芳", "林芳"]
    assert [found.what_if for found in (plain, other, amended)] == [False, True, True]
    assert other.under == "forty-three-articles@2000-01-01" and amended.under == "revised-reception@2000-01-01*"
    assert amended.until is None and all("forty-three" in clause.id for clause in other.clauses)
    both = story.ask(
        PHONES["v1"], at="2026-03-13 09:00", under="forty-three-articles", amend={"attribution.protection_days": 3}
    )
    assert (both.owner, str(both.until)) == ("王磊", "2026-03-15")


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"under": "nobodys"}, "unknown_rulebook"),
        ({"amend": {"attribution.mood": 3}}, "unknown_parameter"),
        ({"amend": {"attribution.protection_days": -3}}, "bad_value"),
    ],
)
def test_rules_that_there_are_not(story: Story, how: dict[str, Any], code: str) -> None:
    story.register("2026-03-02 09:00", "lin")
    with pytest.raises(Refusal, match=code):
        story.ask(PHONES["v1"], **how)


def test_a_day_before_every_edition_is_an_error(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    with pytest.raises(RulebookError):
        story.ask(PHONES["v1"], at="1999-12-31 09:00")


# Rulings


def test_a_ruling_overrides_and_says_what_the_rules_alone_would_give(story: Story) -> None:
    found = ruled_away(story)
    assert found.ruling and (found.ruling.by, found.ruling.reason, found.ruling.without) == (
        "陈静",
        "met first",
        "林芳",
    )
    assert (found.ground, str(found.until), found.what_if) == ("ruling", "2026-03-11", False)
    what_if = story.ask("d1", at="2026-03-05 09:00", under="revised-reception")
    assert (what_if.owner, what_if.ruling) == ("林芳", None)
    before = story.ask("d1", at="2026-03-04 08:59")
    assert (before.owner, before.ruling) == ("林芳", None)


def test_a_ruling_on_the_owner_of_a_sale_is_its_ground(story: Story) -> None:
    found = sale_ruled_away(story)
    assert (found.owner, found.ground, found.shares) == ("王磊", "ruling", {"王磊": "1"})
    assert found.ruling and found.ruling.without == "林芳"
    assert str(found.since) == "2026-03-05 09:00:00+08:00"


def test_a_ruling_on_shares_leaves_the_owner_and_says_so(story: Story) -> None:
    sale = story.sell("2026-03-03 09:00", "lin", story.register("2026-03-02 09:00", "lin"))
    story.rule("2026-03-05 09:00", story.dispute("2026-03-04 09:00", "wang", sale), lin="1/4", wang="3/4")
    found = story.ask("1-101")
    assert (found.owner, found.ground, found.shares) == ("林芳", "first_contact", {"林芳": "1/4", "王磊": "3/4"})
    assert found.shares_text and found.shares_text.en == "by ruling" and found.ruling


def test_the_matter_lists_its_disputes(story: Story) -> None:
    v1 = story.register("2026-03-02 09:00", "lin")
    story.dispute("2026-03-03 09:00", "wang", v1, "d1")
    story.rule("2026-03-05 09:00", story.dispute("2026-03-04 09:00", "zhou", v1, "d2"))
    found = story.ask(PHONES["v1"], at="2026-03-06 09:00")
    listed = [(d["label"], d["by"], d["ruled"]) for d in found.matter["disputes"]]
    assert listed == [("d1", "王磊", False), ("d2", "周小娟", True)]
    assert reasons(found) == {"王磊": "claimed_without_record", "周小娟": "claimed_without_record"}


def test_a_dispute_raised_later_was_not_known_before(story: Story) -> None:
    v1 = story.register("2026-03-02 09:00", "lin")
    story.dispute("2026-03-05 09:00", "wang", v1)
    found = story.ask(PHONES["v1"], at="2026-03-04 09:00", known="2026-03-04 09:00")
    assert (found.matter["disputes"], found.rivals) == ([], ())


# What would have changed it


def test_changes_are_said_in_words(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    story.register("2026-03-12 09:00", "wang")
    found = story.ask(PHONES["v1"], at="2026-03-12 12:00")
    said = {change.kind: change.text for change in found.changes if change.owner == "林芳"}
    assert said["follow_up_in_time"].en == "had 林芳 followed up by 2026-03-09, 林芳 would own the visitor"
    assert said["parameter"].zh == "如果保护期为10天，则归属林芳"
    assert all(change.text.en and change.text.zh for change in found.changes)


@pytest.mark.parametrize("kind", ["relation", "buyer", "ruling", "assignment"])
def test_whatever_decides_can_be_taken_away(story: Story, kind: str) -> None:
    v1, v2 = story.register("2026-03-02 09:00", "lin"), story.register("2026-03-02 10:00", "wang", "v2")
    asked, at = PHONES["v2"], "2026-03-05 09:00"
    if kind == "relation":
        story.office.relate(story.stamp("2026-03-03 09:00"), visitor=v2, to=v1, relation="spouse")
    elif kind == "buyer":
        story.sell("2026-03-03 09:00", "zhou", v1, buyer=v2)
        asked, at = "1-101", ""
    elif kind == "ruling":
        story.rule("2026-03-04 09:00", story.dispute("2026-03-03 09:00", "zhou", v2), "zhou")
    else:
        stamp = story.stamp("2026-03-03 09:00")
        story.office.assign(stamp, entry=v2, to=story.people["zhou"], how="reassignment", by=None)
    found = story.ask(asked, at=at or None)
    taken = [change for change in found.changes if change.kind == "without_fact"]
    assert taken and all(change.owner != found.owner and change.text.en.startswith("without the ") for change in taken)


# Finding the matter


def test_a_matter_is_found_by_whatever_people_call_it(story: Story) -> None:
    v1 = story.register("2026-03-02 09:00", "lin")
    sale = story.sell("2026-03-03 09:00", "lin", v1, unit="3-2-0601")
    d1, d2 = story.dispute("2026-03-04 09:00", "wang", sale), story.dispute("2026-03-04 09:00", "wang", v1, "第二案")
    for text in ("3-2-0601", " 3 - 2 - 0601 ", "３-２-０６０１", str(sale)):
        assert find_matter(story.office, text).kind == "sale"
    for text, dispute in (("d1", d1), (" d1 ", d1), (str(d1), d1), ("第二案", d2)):
        found = find_matter(story.office, text)
        assert (found.kind, [known.id for known in found.disputes]) == ("dispute", [dispute])
    for text in (PHONES["v1"], "+86 138 5671 8294", NAMES["v1"], f" {NAMES['v1']} ", str(v1.visitor)):
        found = find_matter(story.office, text)
        assert (found.kind, found.entry, [known.id for known in found.disputes]) == ("visitor", v1, [d2])
    assert find_matter(story.office, "d1").sale and not find_matter(story.office, "第二案").sale


@pytest.mark.parametrize("text", ["", "  ", "nobody", "13700000000", "9-9-9", str(UUID(int=404)), "...", "林芳"])
def test_what_is_not_on_record_is_not_found(story: Story, text: str) -> None:
    story.register("2026-03-02 09:00", "lin")
    with pytest.raises(Refusal, match="unknown_visitor"):
        find_matter(story.office, text)


def test_a_name_that_several_bear_needs_more(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    story.register("2026-03-02 09:00", "wang", "v2", name=NAMES["v1"])
    with pytest.raises(Refusal, match="2 visitors bear this name") as caught:
        find_matter(story.office, NAMES["v1"])
    assert caught.value.code == "bad_value" and NAMES["v1"] not in str(caught.value)


def test_a_name_leads_to_the_one_who_bears_it(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    story.register("2026-03-03 09:00", "wang", name="李大明")  # a stranger under the same phone
    assert story.ask(NAMES["v1"], at="2026-03-04 09:00").owner == "林芳"
    assert story.ask("李大明", at="2026-03-04 09:00").owner == "王磊"


@pytest.mark.parametrize("label", ["Ｄ１", "d  1"])
def test_a_dispute_is_found_by_the_label_it_was_given(story: Story, label: str) -> None:
    story.dispute("2026-03-03 09:00", "wang", story.register("2026-03-02 09:00", "lin"), label)
    assert find_matter(story.office, label).kind == "dispute"


def test_a_name_is_found_however_wide_it_is_typed(story: Story) -> None:
    story.register("2026-03-02 09:00", "lin")
    story.register("2026-03-03 09:00", "wang", name="Li Lei")
    assert story.ask("Ｌｉ　Ｌｅｉ", at="2026-03-04 09:00").owner == "王磊"


def test_in_a_what_if_no_rival_comes_from_a_ruling(story: Story) -> None:
    v1, v2 = story.register("2026-03-02 09:00", "lin"), story.register("2026-03-02 10:00", "zhou", "v2")
    story.rule("2026-03-04 09:00", story.dispute("2026-03-03 09:00", "wang", v1), "wang")
    story.sell("2026-03-05 09:00", "zhou", v1, buyer=v2)
    found = story.ask("1-101", under="revised-reception")
    assert found.owner == "周小娟" and reasons(found).get("林芳") == "buyer_not_family"
