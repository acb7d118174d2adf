"""A replay as a page: valid, self-contained, nothing typed taken for markup, and a chart that shows what happened."""

from __future__ import annotations

import base64
import re
from collections import Counter
from datetime import timedelta
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from application.replay.lines import Replay
from application.replay.wording import Language
from interfaces.replay_axis import MOST_TICKS
from interfaces.replay_chart import RIGHT, SHAPES, WIDTH, shape_of
from interfaces.replay_html import CONTENT_SECURITY_POLICY, render
from interfaces.replay_words import LABELS
from tests.interfaces.replayed import (
    MASKED,
    MASKED_PHONE,
    PHONE,
    VISITOR,
    Office,
    adopted,
    contested,
    long_names,
    many,
    overruled,
    ruled,
)

LANGUAGES: list[Language] = ["en", "zh"]
VOID = frozenset(["meta", "link", "br", "hr", "img", "input"])
SVG = "{http://www.w3.org/2000/svg}"
MATTERS = {
    "contested": lambda: contested().replay("D1"),
    "what-if": lambda: contested().replay("8-1-1704", amend={"attribution.protection_days": 60}),
    "overruled": lambda: overruled(owner="lin").replay("D1"),
    "ruled": lambda: ruled().replay(at="2026-04-01 00:00"),
    "adopted": lambda: adopted().replay(at="2026-04-20 10:00"),
    "long names": lambda: long_names().replay(at="2026-04-30 10:00"),
    "nobody": lambda: contested().replay(at="2026-04-02 12:00"),
    "nothing yet": lambda: contested().replay(at="2026-02-01 12:00"),
    "one step": lambda: many(0).replay(at="2026-03-02 10:00"),
    "one minute": lambda: many(499, apart=timedelta(seconds=0.1), owner=20).replay(at="2026-03-02 10:00"),
    "years": lambda: many(150, apart=timedelta(days=25), owner=1).replay(
        at="2041-01-01 00:00", known_at="2041-01-01 00:00"
    ),
}


@cache
def replayed(matter: str) -> Replay:
    return MATTERS[matter]()


class Page(HTMLParser):
    """A page taken apart: every tag must be closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, name: str) -> list[str | None]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def chart(page: str) -> Element:
    """The timeline as it is drawn, read as XML."""
    found = re.search(r"<svg [^>]*aria-labelledby.*?</svg>", page, re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0])


def of_class(svg: Element, name: str) -> list[Element]:
    return [one for one in svg.iter() if name in one.get("class", "").split()]


def title(one: Element) -> str:
    return one.findtext(f"{SVG}title") or ""


def place(mark: Element) -> tuple[float, float]:
    """Where a mark's (first) shape stands."""
    [match] = [re.match(r"translate\((\S+) (\S+)\)", path.get("transform", "")) for path in shapes(mark)][:1]
    assert match
    return float(match[1]), float(match[2])


def shapes(mark: Element) -> list[Element]:
    return [path for path in mark.iter(f"{SVG}path") if path.get("transform")]


def ends(bar: Element) -> tuple[float, float]:
    """From where to where a bar goes."""
    match = re.match(r"M(\S+) \S+?H(\d+\.\d)", bar.get("d", ""))
    assert match
    return float(match[1]), float(match[2])


def lanes(svg: Element) -> list[str]:
    return [name.text or "" for name in of_class(svg, "name")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("matter", MATTERS)
def test_the_page_is_well_formed_and_needs_nothing_else(matter: str, language: Language) -> None:
    text = render(replayed(matter), language)
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>\n")
    assert ("html", "lang", "en" if language == "en" else "zh-CN") in page.attributes
    assert page.tags["script"] == page.tags["link"] == page.tags["img"] == page.tags["iframe"] == 0
    assert not {name for _, name, _ in page.attributes} & {"style", "src", "onclick", "onload"}
    assert all(value and value.startswith("#") for value in page.values("href"))
    assert re.findall(r"https?://[^\"' <]+", text) in ([], ["http://www.w3.org/2000/svg"])
    assert "url(" not in text and "@import" not in text


@pytest.mark.parametrize("matter", MATTERS)
def test_every_link_leads_somewhere_and_every_anchor_is_one(matter: str) -> None:
    page = Page(render(replayed(matter), "en"))
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    assert {f"#{anchor}" for anchor in anchors} >= set(page.values("href"))


def test_the_policy_admits_the_page_s_own_style_only() -> None:
    text = render(replayed("contested"), "en")
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert base64.b64encode(sha256(style.encode()).digest()).decode() in CONTENT_SECURITY_POLICY
    assert f'content="{CONTENT_SECURITY_POLICY}"' in text
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_stands_at_the_top_and_in_full_below(language: Language) -> None:
    replay = replayed("contested")
    text = Page(render(replay, language)).text
    index = LANGUAGES.index(language)
    for code in ("outcome", "timeline", "rivals", "changes", "cited", "facts"):
        assert LABELS[code][index] in text
    shown = [MASKED, MASKED_PHONE, "8-1-1704", "D1", "样板案场", "forty-three-articles@2000-01-01", "2026-04-20 18:00"]
    ground, until = replay.ground_text, replay.until_text
    shown += [ground.en, until.en] if language == "en" else [ground.zh, until.zh]
    shown += ["王磊", "10000.01", str(replay.position), f"{replay.known_at:%Y-%m-%d %H:%M}"]
    for words in shown:
        assert words in text
    for clause in replay.clauses:
        quoted, other = (clause.en, clause.zh) if language == "en" else (clause.zh, clause.en)
        assert quoted in text and clause.source in text and other not in text
        assert f"{clause.id.partition('/')[2]}({','.join(clause.rules)})" in text
    for line in (*replay.rivals, *replay.steps):
        if line.reason_text:
            assert (line.reason_text.en if language == "en" else line.reason_text.zh) in text
    for change in replay.changes:
        assert (change.text.en[1:] if language == "en" else change.text.zh) in text


def test_no_english_is_left_in_chinese() -> None:
    text = Page(render(replayed("overruled"), "zh")).text
    left = re.sub(r"forty-three-articles\S*|Asia/Shanghai|our-[a-z-]+|met first", "", text)
    assert not re.findall("[A-Za-z]{2,}", left)


@pytest.mark.parametrize("matter", MATTERS)
def test_a_row_for_every_step_and_every_fact(matter: str) -> None:
    replay = replayed(matter)
    anchors = Page(render(replay, "en")).values("id")
    assert [a for a in anchors if a and a.startswith("step-")] == [f"step-{n + 1}" for n in range(len(replay.steps))]
    assert [a for a in anchors if a and a.startswith("fact-")] == [f"fact-{fact.position}" for fact in replay.facts]


def test_what_is_typed_is_never_markup() -> None:
    text = render(replayed("long names"), "en")
    page = Page(text)
    assert page.tags["script"] == 0 and "<b>" not in text
    assert "<script>alert(1)</script>&\"'" in page.text
    assert "\u202e" not in text
    assert "W" * 100 in page.text


def test_what_a_ruling_says_is_never_markup() -> None:
    reason = "</style><script>alert(1)</script>\x00\x1b <svg onload=x> $body ${title} ]]>"
    text = render(overruled(owner="lin", reason=reason).replay("D1"), "en")
    page = Page(text)
    assert page.tags["script"] == 0
    assert "</style><script>alert(1)</script>�� <svg onload=x> $body ${title} ]]>" in page.text
    assert "ruling" in title(of_class(chart(text), "ruling")[0])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("matter", ["contested", "what-if", "overruled", "ruled", "adopted", "nobody", "years"])
def test_no_name_or_phone_of_a_visitor_in_the_clear(matter: str, language: Language) -> None:
    text = render(replayed(matter), language)
    assert VISITOR not in text
    assert VISITOR[1:] not in text
    assert PHONE[3:] not in text
    assert PHONE[:7] not in text


def test_banners() -> None:
    banner = {matter: render(replayed(matter), "en").count('class="banner ') for matter in MATTERS}
    # The ruling on the visitor ("ruled") has lapsed by now, so it decides nothing any more.
    assert {matter for matter, count in banner.items() if count} == {"what-if", "overruled"}
    what_if = render(replayed("what-if"), "zh")
    assert 'class="banner what_if"' in what_if and "假设推演" in what_if
    text = Page(render(replayed("overruled"), "en")).text
    assert "A RULING OVERRIDES THE RULES 陈静 ruled at 2026-04-22 10:00: met first." in text
    assert "By the rules alone the owner would be 王磊." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_owns(language: Language) -> None:
    page = Page(render(replayed("nobody"), language))
    assert LABELS["nobody"][LANGUAGES.index(language)] in page.text
    nothing = Page(render(replayed("nothing yet"), language))
    assert LABELS["no_steps"][LANGUAGES.index(language)] in nothing.text
    assert nothing.tags["svg"] == 0


# The chart


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("matter", [matter for matter in MATTERS if matter != "nothing yet"])
def test_a_mark_for_every_step_with_a_position(matter: str, language: Language) -> None:
    replay = replayed(matter)
    svg = chart(render(replay, language))
    marks = of_class(svg, "mark")
    steps = [step for step in replay.steps if step.position]
    assert [int(mark.get("data-position", "")) for mark in marks] == [step.position for step in steps]
    for mark, step in zip(marks, steps, strict=True):
        words = step.what_text.en if language == "en" else step.what_text.zh
        assert words in title(mark)
        assert f"{step.at:%Y-%m-%d %H:%M}" in title(mark)
        assert ("hollow" in mark.get("class", "")) == (step.effect == "nothing")
        assert {path.get("d") for path in shapes(mark)} == {SHAPES[shape_of(step.what)]}
    assert svg.findtext(f"{SVG}title") and svg.findtext(f"{SVG}desc")


def test_kinds_differ_in_shape() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES)
    kinds = {shape for matter in ("contested", "ruled", "adopted") for shape in drawn(matter)}
    assert kinds == {"registration", "follow_up", "sale", "ruling", "adoption"}


def drawn(matter: str) -> set[str]:
    svg = chart(render(replayed(matter), "en"))
    return {mark.get("class", "").split()[1] for mark in of_class(svg, "mark")}


def test_the_owner_s_lane_comes_first_then_the_rivals() -> None:
    assert lanes(chart(render(replayed("contested"), "en"))) == ["王磊", "林芳", "周敏"]
    assert lanes(chart(render(replayed("overruled"), "zh")))[0] == "林芳"
    assert lanes(chart(render(replayed("adopted"), "en"))) == ["林芳", "王磊", "周敏", "Office"]


def test_marks_stand_in_the_order_of_time_on_the_lanes_of_those_who_acted() -> None:
    svg = chart(render(replayed("contested"), "en"))
    heads = {
        name.text: float(text.get("y", "")) for text in svg.iter(f"{SVG}text") for name in text.iter() if name.text
    }
    for mark, step in zip(of_class(svg, "mark"), (s for s in replayed("contested").steps if s.position), strict=True):
        _, y = place(mark)
        below = {name: y - heads[name] for name in lanes(svg) if heads[name] < y}
        assert min(below, key=lambda name: below[name]) == step.by[0]
    by_time = sorted(of_class(svg, "mark"), key=lambda mark: title(mark).split(" ", 1)[1])
    assert [place(mark)[0] for mark in by_time] == sorted(place(mark)[0] for mark in by_time)


def test_a_sale_closed_by_two_is_one_mark_on_both_lanes() -> None:
    svg = chart(render(replayed("adopted"), "en"))
    [sale] = [mark for mark in of_class(svg, "mark") if "sale" in mark.get("class", "")]
    assert len(shapes(sale)) == 2
    assert len(of_class(sale, "together")) == 1


def test_bars_go_from_the_contact_to_the_last_protected_day() -> None:
    """林芳's first claim runs out: the bar ends where the lapse is marked, at the first instant after the last day."""
    svg = chart(render(replayed("contested"), "en"))
    [first] = [bar for bar in of_class(svg, "period") if title(bar).startswith("林芳")]
    [lapse] = of_class(svg, "lapse")
    founding = of_class(svg, "mark")[0]
    assert title(first) == "林芳: 2026-03-02 09:00 → 2026-04-01"
    assert ends(first) == (place(founding)[0], place(lapse)[0])
    assert place(lapse)[1] == place(founding)[1]
    assert "claim ran out" in title(lapse) and lapse.get("data-position") is None


def test_a_late_entry_protects_from_its_entry_and_is_joined_to_it() -> None:
    svg = chart(render(replayed("contested"), "en"))
    [late] = of_class(svg, "late")
    [mark] = [mark for mark in of_class(svg, "mark") if late in list(mark)]
    [renewed] = [bar for bar in of_class(svg, "period") if title(bar).endswith("→ 2026-05-14")]
    begin, end = ends(late)
    assert begin == place(mark)[0] < end == ends(renewed)[0]
    assert "entered 2026-04-14 18:30, counts from then" in title(mark)


def test_protection_without_limit_runs_out_of_sight() -> None:
    svg = chart(render(replayed("contested"), "en"))
    [bought] = [bar for bar in of_class(svg, "period") if title(bar).endswith("→ no limit")]
    assert ends(bought)[1] == RIGHT
    assert "l8 8l-8 8" in bought.get("d", "")


def test_a_ruling_ends_the_protection_of_the_other() -> None:
    svg = chart(render(replayed("ruled"), "en"))
    [lost] = [bar for bar in of_class(svg, "period") if title(bar).startswith("林芳")]
    [ruling] = [mark for mark in of_class(svg, "mark") if "ruling" in mark.get("class", "")]
    assert ends(lost)[1] == place(ruling)[0]


def test_disputes_and_a_ruling_after_the_sale_are_drawn_beside_the_steps() -> None:
    beside = of_class(chart(render(replayed("overruled"), "en")), "beside")
    assert [title(one) for one in beside] == [
        "2026-04-21 09:00 dispute D1: 林芳",
        "2026-04-22 10:00 ruling: 陈静: met first",
    ]


@pytest.mark.parametrize("matter", [matter for matter in MATTERS if matter != "nothing yet"])
def test_everything_is_drawn_inside_and_labels_do_not_crowd(matter: str) -> None:
    svg = chart(render(replayed(matter), "en"))
    _, _, width, height = (float(number) for number in svg.get("viewBox", "").split())
    assert width == WIDTH and 60 < height < 1000
    for mark in (*of_class(svg, "mark"), *of_class(svg, "lapse")):
        for path in shapes(mark):
            x, y = place(mark)
            assert 0 <= x <= width and 0 <= y <= height, path
    for bar in of_class(svg, "period"):
        assert 0 <= ends(bar)[0] <= ends(bar)[1] <= width
    ticks = [float(tick.get("x", "")) for tick in of_class(svg, "tick")]
    assert 1 <= len(ticks) <= MOST_TICKS + 1
    numbers = sorted((number.get("y"), float(number.get("x", ""))) for number in of_class(svg, "number"))
    for (row, one), (other_row, other) in pairwise(numbers):
        assert row != other_row or other - one > 20


def test_marks_of_one_lane_keep_apart_while_there_is_room() -> None:
    svg = chart(render(many(40, apart=timedelta(days=2), owner=2).replay(at="2026-06-01 00:00"), "en"))
    places = [place(mark) for mark in of_class(svg, "mark")]
    assert all(abs(x - z) >= 12 or y != w for i, (x, y) in enumerate(places) for z, w in places[i + 1 :])


def test_a_moment_far_behind_is_shown_at_the_edge() -> None:
    text = render(replayed("years"), "en")
    [line] = [one for one in of_class(chart(text), "as-of") if one.tag == f"{SVG}line"]
    [label] = [one for one in of_class(chart(text), "as-of") if one.tag == f"{SVG}text"]
    assert float(line.get("x1", "")) == RIGHT
    assert label.text == "As it stood at 2041-01-01 00:00 →"


def test_days_begin_at_the_site_s_own_midnight() -> None:
    office = Office()
    office.register("2026-03-02 09:00", "lin")
    office.register("2026-03-03 09:00", "wang")
    replay = office.replay(at="2026-03-04 00:00", amend={"attribution.protection_days": 2})
    labels = [tick.text for tick in of_class(chart(render(replay, "en")), "tick")]
    assert "03-03 00:00" in labels
