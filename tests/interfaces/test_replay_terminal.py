"""A replay on the terminal: what it says, in both languages, at any width, and that nothing typed can steer it."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from application.replay.lines import Replay
from application.replay.wording import Language
from interfaces.replay_terminal import render
from interfaces.replay_words import LABELS, plain
from tests.interfaces.replayed import (
    MASKED,
    MASKED_PHONE,
    PHONE,
    VISITOR,
    Office,
    adopted,
    contested,
    long_names,
    overruled,
    ruled,
)

LANGUAGES: list[Language] = ["en", "zh"]
WIDTHS = [80, 100, 140, 160]


def shown(replay: Replay, language: Language = "en", width: int = 160) -> str:
    """What is printed where there is no terminal."""
    file = io.StringIO()
    render(replay, Console(file=file, width=width), language)
    return file.getvalue()


def section(text: str, heading: str) -> str:
    """What stands under a heading, blanks folded."""
    lines = text.splitlines()
    below = lines[lines.index(heading) + 1 :]
    end = next((i for i, line in enumerate(below) if line and not line.startswith(" ")), len(below))
    return " ".join(" ".join(below[:end]).split())


def test_the_heading_says_what_is_asked_and_from_where() -> None:
    replay = contested().replay("D1")
    text = shown(replay)
    assert text.splitlines()[0].rstrip() == f"Replay: dispute D1 · unit 8-1-1704 · visitor {MASKED}"
    head = " ".join(text.partition("Outcome")[0].split())
    for words in (
        "Office 样板案场 (Asia/Shanghai)",
        f"Visitor {MASKED} {MASKED_PHONE}",
        "closed 2026-04-20 (no time on record, 18:00 taken) by 周敏, commission 10000.01 yuan",
        "D1: raised by 林芳 at 2026-04-21 09:00, open",
        "Rulebook forty-three-articles@2000-01-01",
        "As it stood at 2026-04-20 18:00",
        f"By what was known at {replay.known_at:%Y-%m-%d %H:%M}",
        f"Record read up to fact {replay.position}",
    ):
        assert words in head


def test_the_outcome_comes_before_the_timeline() -> None:
    text = shown(contested().replay("8-1-1704"))
    assert text.index("Outcome") < text.index("Timeline") < text.index("Why not the others")
    assert section(text, "Outcome") == (
        "Owner 王磊 Ground next to receive after the claim before had lapsed, since 2026-04-02 14:00"
        " Protected without limit Commission 王磊: all = 10000.01 yuan the owner has all of it"
    )


def test_shares_and_amounts_of_several() -> None:
    outcome = section(shown(overruled(shares={"lin": "1/3", "zhou": "2/3"}).replay("8-1-1704")), "Outcome")
    assert "林芳: 1/3 = 3333.34 yuan" in outcome
    assert "周敏: 2/3 = 6666.67 yuan" in outcome


@pytest.mark.parametrize("width", WIDTHS)
def test_a_step_says_when_what_by_whom_its_effect_and_its_clauses(width: int) -> None:
    timeline = section(shown(contested().replay(at="2026-03-11 00:00"), width=width), "Timeline")
    for words in ("2026-03-02 09:00", f"registered {MASKED}", "(visit)", "林芳", "founds the claim", "2026-04-01"):
        assert words in timeline
    for cited in ("3p-16-1(A1)", "3p-17(A1)", "3p-10(A3)", "3p-15-3(A3)"):
        assert cited in timeline
    assert "no effect:" in timeline
    assert "forty-three-articles/" not in timeline


@pytest.mark.parametrize("width", WIDTHS)
def test_a_late_entry_is_marked_with_its_entry(width: int) -> None:
    timeline = section(shown(contested().replay("8-1-1704"), width=width), "Timeline")
    for words in ("2026-04-10 09:00", "! entered", "2026-04-14 18:30", "counts from then"):
        assert words in timeline
    assert timeline.count("! entered") == 1


def test_an_entry_of_the_next_day_is_marked_but_counts_from_when_it_happened() -> None:
    office = Office()
    office.register("2026-03-02 09:00", "lin", entered="2026-03-03 10:00")
    timeline = section(shown(office.replay(at="2026-03-04 00:00")), "Timeline")
    assert "! entered" in timeline
    assert "counts from then" not in timeline


def test_seconds_are_shown_where_they_decide_who_came_first() -> None:
    office = Office()
    office.register("2026-03-02 09:00:05", "lin")
    office.register("2026-03-02 09:00:40", "wang")
    timeline = section(shown(office.replay(at="2026-03-04 00:00")), "Timeline")
    assert "09:00:05" in timeline
    assert "09:00:40" in timeline


def test_rivals_with_reason_and_clause() -> None:
    rivals = section(shown(contested().replay("D1")), "Why not the others")
    lin, zhou = rivals.split("周敏")
    assert "林芳 the claim lapsed without a follow-up in time (first contact 2026-03-02 09:00)" in lin
    assert "3p-10(A3)" in lin
    assert "closed the sale, but the claim was another's" in zhou
    assert "our-sale-keeps(A14)" in zhou


def test_what_would_have_changed_it() -> None:
    changes = section(shown(contested().replay("D1")), "What would have changed the owner")
    assert "With a protection of 31 days, 周敏 would own the visitor." in changes
    assert "Had 林芳 followed up by 2026-04-01, 林芳 would own the visitor." in changes


@pytest.mark.parametrize("language", LANGUAGES)
def test_clauses_are_quoted_at_the_end_in_the_language(language: Language) -> None:
    replay = contested().replay("D1")
    cited = section(shown(replay, language), LABELS["cited"][LANGUAGES.index(language)])
    assert replay.clauses
    for clause in replay.clauses:
        text, other = (clause.en, clause.zh) if language == "en" else (clause.zh, clause.en)
        heading = f"{clause.id.partition('/')[2]}({','.join(clause.rules)}) {clause.source}"
        assert f"{heading} {text}" in cited
        assert other not in cited


def test_a_rulebook_put_in_force_is_named() -> None:
    timeline = shown(adopted().replay("8-1-1704")).replace("\n", " ")
    assert re.search(r"another rulebook in force .*forty-three-articles@2000-01-.* 01 .*2026-03-20", timeline)


def test_clauses_of_two_rulebooks_under_one_name_are_told_apart() -> None:
    office = Office("revised-reception")
    office.register("2026-03-02 09:00", "lin")
    office.sell("2026-03-03 10:00", "lin")
    office.adopt("2026-03-05 00:00", "forty-three-articles")
    office.follow_up("2026-03-20 10:00", "lin")
    text = shown(office.replay(at="2026-03-21 00:00"))
    for rulebook in ("revised-reception", "forty-three-articles"):
        assert f"{rulebook}/our-sale-keeps(A14)" in text
    assert "revised-reception/3a-10" not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_facts_with_positions_and_times(width: int) -> None:
    replay = contested().replay("D1")
    facts = section(shown(replay, width=width), "Facts used")
    assert replay.facts
    for fact in replay.facts:
        assert re.search(rf"\b{fact.position} ", facts)
        assert f"{fact.recorded_at:%Y-%m-%d}" in facts
    assert "visitor registered" in shown(replay, width=160)
    assert "visitor.registered" not in facts


def test_a_what_if_is_marked_and_nothing_else_is() -> None:
    office = contested()
    banner = "*** WHAT-IF ***"
    text = shown(office.replay("8-1-1704", amend={"attribution.protection_days": 60}))
    assert text.index(banner) < text.index("Outcome")
    assert "forty-three-articles@2000-01-01 (with changed parameters)" in text
    assert "Owner       林芳" in text
    assert "***" not in shown(office.replay("8-1-1704")).replace(MASKED, "").replace(MASKED_PHONE, "")


def test_a_what_if_under_another_rulebook_names_it() -> None:
    text = shown(contested().replay("8-1-1704", under="revised-reception"), "zh")
    assert "*** 假设推演 ***" in text
    assert "按 revised-reception@2000-01-01 回放，不计裁定与约定" in text


def test_a_ruling_that_overrides_the_rules_is_marked() -> None:
    text = shown(overruled(owner="lin").replay("D1"))
    assert text.index("*** A RULING OVERRIDES THE RULES ***") < text.index("Outcome")
    assert "陈静 ruled at 2026-04-22 10:00: met first. By the rules alone the owner would be 王磊." in text
    assert "Owner       林芳" in text


def test_a_ruling_that_agrees_with_the_rules_does_not_override_them() -> None:
    text = shown(overruled(owner="wang").replay("D1"))
    assert "*** RULING ***" in text
    assert "OVERRIDES" not in text


def test_a_ruling_on_a_visitor_is_a_step() -> None:
    timeline = section(shown(ruled().replay(at="2026-03-08 00:00")), "Timeline")
    assert f"2026-03-07 09:00 ruling {MASKED} decided by ruling 王磊 2026-03-14 our-rulings(Q5)" in timeline


def test_nobody_owns() -> None:
    office = contested()
    text = shown(office.replay(at="2026-04-02 12:00"))
    assert section(text, "Outcome") == (
        "Owner nobody Ground the last claim has lapsed and nobody has founded a new one"
    )
    assert "claim ran out" in section(text, "Timeline")
    before = shown(office.replay(at="2026-02-01 12:00"))
    assert section(before, "Timeline") == "Nothing had happened by then."
    assert section(before, "Why not the others") == "Nobody else has laid claim to the visitor."


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [contested, long_names, adopted, ruled])
def test_no_line_is_wider_than_the_console(make: object, language: Language, width: int) -> None:
    assert callable(make)
    for line in shown(make().replay(at="2026-04-30 10:00"), language, width).splitlines():
        assert cell_len(line) <= width, line


@pytest.mark.parametrize("width", [80, 160])
def test_wide_characters_stay_in_their_columns(width: int) -> None:
    """The columns of facts begin where their headings do, measured in cells."""
    lines = shown(contested().replay("D1"), "zh", width).splitlines()
    heading = lines.index("所据事实") + 1
    start = cell_len(lines[heading].partition("发生")[0])
    dated = [line for line in lines[heading + 2 :] if re.match(r" +\d+ ", line)]
    assert dated
    for line in dated:
        assert cell_len(re.split(r"2026-", line, maxsplit=1)[0]) == start


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_names_are_shown_whole(language: Language) -> None:
    text = shown(long_names().replay(at="2026-04-30 10:00"), language, 80)
    assert re.sub(r"\s", "", text).count("W") >= 100
    assert "…" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_escape_sequence_where_there_is_no_terminal(language: Language) -> None:
    text = shown(overruled(owner="lin", reason="\x1b[31mred\x07\n*** WHAT-IF ***").replay("D1"), language)
    assert {character for character in text if ord(character) < 32} == {"\n"}
    assert not re.search("[│┃┏┓└╭]", text)
    assert "�[31mred� *** WHAT-IF ***" in text
    assert not any(line.startswith("*** WHAT-IF") for line in text.splitlines())


def test_no_colour_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    render(overruled(owner="lin").replay("D1"), Console(file=file, width=80, force_terminal=True), "en")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", file.getvalue())


def test_markup_is_shown_as_it_was_typed() -> None:
    text = shown(overruled(owner="lin", reason="[red]x[/red] :smile: [/]").replay("D1"))
    assert "[red]x[/red] :smile: [/]" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_or_phone_of_a_visitor_in_the_clear(language: Language) -> None:
    for office in (contested(), overruled(owner="lin"), ruled()):
        text = shown(office.replay(at="2026-04-30 10:00"), language)
        assert VISITOR not in text
        assert VISITOR[1:] not in text
        assert PHONE[3:7] not in text
        assert MASKED in text


def test_all_headings_are_chinese_in_chinese() -> None:
    text = shown(overruled(owner="lin").replay("D1"), "zh")
    left = re.sub(r"forty-three-articles\S*|Asia/Shanghai|our-[a-z-]+|3p-\S+|\b[ACDQ]\d+\b|met first", "", text)
    assert not re.findall("[A-Za-z]{2,}", left)
    for code in ("outcome", "timeline", "rivals", "changes", "cited", "facts"):
        assert LABELS[code][1] in text.splitlines()


def test_every_phrase_takes_the_same_values_in_both_languages() -> None:
    for code, (english, chinese) in LABELS.items():
        assert sorted(re.findall(r"\{\w*\}", english)) == sorted(re.findall(r"\{\w*\}", chinese)), code


@pytest.mark.parametrize(
    ("typed", "harmless"),
    [
        ("林芳 O'Neil\u00b7é", "林芳 O'Neil·é"),
        ("a\nb\tc\u2028d", "a b c d"),
        ("\x1b[2J\x00\x9b\x7f", "�[2J���"),
        ("\u202eevil\u2066", "�evil�"),
        ("\ud800\uffff", "��"),
        ("\u200d\ue000", "\u200d\ue000"),
    ],
)
def test_what_could_steer_is_taken_out(typed: str, harmless: str) -> None:
    assert plain(typed) == harmless
