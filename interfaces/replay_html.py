"""A replay as one self-contained page: the answer, the timeline drawn, every step, and the clauses it rests on."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from string import Template
from xml.etree.ElementTree import Element

from application.replay.lines import FactLine, Replay, RivalLine, StepLine
from application.replay.wording import WHAT, Language, say

from .replay_chart import SHAPES, draw, shape_of
from .replay_markup import Content, add, between, element, written
from .replay_words import ReplayInWords, plain

PAGE = (files("interfaces") / "templates" / "replay.html").read_text("utf-8")
STYLE = PAGE.partition("<style>")[2].partition("</style>")[0]
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
"""What the page may load: its own style, nothing else. It stands in the page; a server may send it as a header too."""

LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}

Cell = tuple[str, Sequence[Content]]
"""A cell of a table: the code of its heading, and its content."""

Row = tuple[list[Cell], dict[str, str]]
"""A row: its cells and its attributes."""


def render(replay: Replay, language: Language) -> str:
    """The page, as HTML5 with no script and nothing from outside."""
    words = ReplayInWords(replay, language)
    return Template(PAGE).substitute(
        language=LANGUAGE_TAGS[language],
        policy=CONTENT_SECURITY_POLICY,
        title=html.escape(plain(words.title())),
        body=written(_Page(replay, words).sections()),
    )


class _Page:
    def __init__(self, replay: Replay, words: ReplayInWords) -> None:
        self.replay, self.words = replay, words
        self.anchors = {clause.id: f"clause-{number}" for number, clause in enumerate(replay.clauses, start=1)}
        self.positions = {fact.position for fact in replay.facts}

    def sections(self) -> list[Element]:
        section = self._section
        return [
            self._header(),
            self._figure(),
            section("outcome", _pairs(self.words.outcome())),
            section("timeline", self._steps()),
            section("rivals", self._rivals()),
            section("changes", self._changes()),
            section("cited", self._clauses()),
            section("facts", self._facts()),
        ]

    def _section(self, code: str, content: Element) -> Element:
        return element("section", element("h2", self.words.label(code)), content, id=code)

    def _header(self) -> Element:
        words = self.words
        owner = element("strong", self.replay.owner or words.label("nobody"))
        banners = [
            element("div", element("strong", heading), element("p", line), class_=f"banner {kind}", role="note")
            for kind, heading, line in words.banners()
        ]
        return element(
            "header",
            element("h1", words.title()),
            element("p", words.named(words.label("owner"), ""), owner, class_="answer"),
            *banners,
            _pairs((heading, [line]) for heading, line in words.circumstances()),
        )

    # The drawing

    def _figure(self) -> Element:
        if not self.replay.steps and not self.replay.rivals:
            return element("p", self.words.label("no_steps"))
        scroll = element("div", draw(self.words), class_="scroll", tabindex=0)
        return element("figure", scroll, element("figcaption", element("ul", *self._legend())), class_="chart")

    def _legend(self) -> list[Element]:
        """What the shapes mean: those that are there."""
        words, steps = self.words, self.replay.steps
        whose = "owner" if self.replay.owner else "other"
        entries = {shape_of(step.what): say(WHAT, step.what, words.language) for step in reversed(steps)}
        keys = [_key(SHAPES[shape], shape, label) for shape, label in entries.items()]
        if self.replay.matter["disputes"]:
            keys.append(_key(SHAPES["dispute"], "ruling", words.label("dispute_raised")))
        if self.replay.ruling and "ruling" not in entries:
            keys.append(_key(SHAPES["ruling"], "ruling", say(WHAT, "ruling", words.language)))
        if any(step.effect == "nothing" for step in steps):
            keys.append(_key(SHAPES["registration"], "hollow", words.label("no_effect")))
        if any(step.owner for step in steps):
            keys.append(_key("M-9 -6H9V6H-9Z", f"period {whose}", words.label("protection")))
        if any(words.entered(step) for step in steps):
            keys.append(_key("M-9 0H9m0 -5v10", "late", words.label("entered_later")))
        return keys

    # The tables

    def _steps(self) -> Element:
        if not self.replay.steps:
            return element("p", self.words.label("no_steps"))
        codes = ("number", "when", "what", "by", "effect", "owner_after", "until_after", "clauses")
        return self._table(codes, map(self._step, enumerate(self.replay.steps, start=1)))

    def _step(self, item: tuple[int, StepLine]) -> Row:
        number, step = item
        words = self.words
        entered = words.entered(step)
        cells: list[Cell] = [
            ("number", [str(number)]),
            ("when", [_time(step.at, words.time_of_step(step.at)), _span(entered, "late")]),
            ("what", [words.happened(step)]),
            ("by", [words.names(step.by)]),
            ("effect", [words.effect(step)]),
            ("owner_after", [words.owner_after(step)]),
            ("until_after", [_span(words.until_after(step), "nowrap")]),
            ("clauses", self._cited(step.clauses)),
        ]
        return cells, {"id": f"step-{number}", "class_": step.effect}

    def _rivals(self) -> Element:
        if not self.replay.rivals:
            return element("p", self.words.label("no_rivals"))
        return self._table(("who", "why_not", "clauses"), map(self._rival, self.replay.rivals))

    def _rival(self, rival: RivalLine) -> Row:
        why: list[Content] = [self.words.why_not(rival)]
        if rival.facts:
            why.append(element("span", *between(", ", map(self._fact_link, rival.facts)), class_="note"))
        return [("who", [rival.staff]), ("why_not", why), ("clauses", self._cited(rival.clauses))], {}

    def _changes(self) -> Element:
        words = self.words
        if not self.replay.changes:
            return element("p", words.label("no_changes"))
        lines = []
        for change in self.replay.changes:
            line = element("li", words.sentence(words.text(change.text)))
            if change.position is not None:
                add(line, " ", self._fact_link(change.position))
            lines.append(line)
        return element("ul", *lines, class_="changes")

    def _facts(self) -> Element:
        codes = ("fact_position", "fact_name", "happened", "known", "recorded", "by")
        return self._table(codes, map(self._fact, self.replay.facts))

    def _fact(self, fact: FactLine) -> Row:
        words = self.words
        times = (("happened", fact.occurred_at), ("known", fact.known_at), ("recorded", fact.recorded_at))
        cells: list[Cell] = [
            ("fact_position", [str(fact.position)]),
            ("fact_name", [words.fact(fact)]),
            *((code, [_time(at, words.moment(at))]) for code, at in times),
            ("by", [words.names(fact.by)]),
        ]
        return cells, {"id": f"fact-{fact.position}"}

    def _table(self, codes: Sequence[str], rows: Iterable[Row]) -> Element:
        """A table with these headings; every cell also carries its heading, for screens that are too narrow."""
        label = self.words.label
        head = element("tr", *(element("th", label(code), scope="col", class_=_class(code)) for code in codes))
        body = element("tbody")
        for cells, attributes in rows:
            tds = (element("td", *content, class_=_class(code), data_label=label(code)) for code, content in cells)
            add(body, element("tr", *tds, **attributes))
        return element("table", element("thead", head), body)

    # Clauses

    def _clauses(self) -> Element:
        listed = element("dl", class_="cited")
        for clause in self.replay.clauses:
            heading = f"{self.words.cited(clause.id)} · {clause.source}"
            add(listed, element("dt", heading, id=self.anchors[clause.id]))
            add(listed, element("dd", self.words.clause_text(clause)))
        return listed

    def _cited(self, clauses: Sequence[str]) -> list[Content]:
        """Links to the clauses' texts."""
        links = (
            element("a", self.words.cited(clause), href=f"#{self.anchors[clause]}", class_="nowrap")
            for clause in clauses
        )
        return between(", ", links)

    def _fact_link(self, position: int) -> Element:
        """The fact, as a link where it is among those listed."""
        words = self.words.label("fact", position)
        return element("a", words, href=f"#fact-{position}") if position in self.positions else element("span", words)


def _pairs(pairs: Iterable[tuple[str, Sequence[str]]]) -> Element:
    listed = element("dl")
    for heading, lines in pairs:
        add(listed, element("dt", heading), element("dd", *(element("p", line) for line in lines)))
    return listed


def _key(outline: str, kind: str, label: str) -> Element:
    """A shape and what it means."""
    sign = element(
        "svg", element("path", d=outline, class_=kind), class_="key", viewBox="-10 -10 20 20", aria_hidden="true"
    )
    return element("li", sign, label)


def _time(at: datetime, text: str) -> Element:
    return element("time", text, datetime=at.isoformat(timespec="seconds"))


def _span(text: str | None, kind: str) -> Element | None:
    return element("span", text, class_=kind) if text else None


def _class(code: str) -> str | None:
    """How wide a column may get: names may be long, words need room."""
    if code in ("by", "who", "owner_after"):
        return "person"
    if code in ("what", "effect", "why_not", "fact_name"):
        return "words"
    return {"fact_position": "number"}.get(code, code)
