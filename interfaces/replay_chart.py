"""A replay drawn: days from left to right, a lane for everybody concerned, contacts as marks, protection as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import msgspec

from application.replay.lines import StepLine
from application.replay.wording import WHAT, say
from domain.calendar import end_of

from .replay_axis import Axis
from .replay_markup import add, element
from .replay_words import ReplayInWords

WIDTH = 960.0
LEFT, RIGHT = 14.0, WIDTH - 22.0
HEAD, LANE_HEAD, ROW, LANE_FOOT = 44.0, 22.0, 18.0, 8.0
EDGE = 40.0
MOST_ROWS = 8
ROOMY, TIGHT = 30.0, 14.0
"""The least distance of marks in a row: with their numbers, and without."""
LONGEST_NAME = 24
OFFICE = ""
"""The lane of what no consultant did: rulebooks put in force, rulings for nobody."""

SHAPES = {
    "registration": "M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0Z",
    "follow_up": "M0 -6.5L6.5 5.5L-6.5 5.5Z",
    "sale": "M0 -7.5L7.5 0L0 7.5L-7.5 0Z",
    "ruling": "M0 -8L2.1 -2.6L7.8 -2.5L3.3 1.1L4.9 6.6L0 3.4L-4.9 6.6L-3.3 1.1L-7.8 -2.5L-2.1 -2.6Z",
    "given": "M-5.5 -5.5L2 -5.5L7 0L2 5.5L-5.5 5.5Z",
    "adoption": "M-5.5 -5.5L5.5 -5.5L5.5 5.5L-5.5 5.5Z",
    "reception": "M-7 4.5A7 7 0 0 1 7 4.5Z",
    "entrusted": "M-6.5 0L-3.3 -5.7L3.3 -5.7L6.5 0L3.3 5.7L-3.3 5.7Z",
    "lapse": "M-5 -5L5 5M-5 5L5 -5",
    "dispute": "M-5 7L-5 -7L6 -3.5L-5 0",
}
"""Outlines around the origin: circle, triangle, diamond, star, arrow, square, half circle, hexagon, cross, flag."""

GIVEN = frozenset(["distribution", "inheritance", "reassignment"])


class Period(msgspec.Struct, frozen=True):
    """A stretch of protection; `end` None: no limit."""

    owner: str
    start: datetime
    end: datetime | None
    step: StepLine


class Mark(msgspec.Struct, frozen=True):
    """A step, or something beside the steps (`number` None), and the lanes on which it is shown."""

    at: datetime
    shape: str
    lanes: tuple[str, ...]
    title: str
    number: int | None = None
    step: StepLine | None = None


def shape_of(what: str) -> str:
    """The shape that stands for a kind of step."""
    return "given" if what in GIVEN else what


def draw(words: ReplayInWords) -> Element:
    """The chart as an SVG element. Every step with a position is one `g` of class `mark`, titled with what it says."""
    return _Chart(words).draw()


def effective_at(step: StepLine) -> datetime:
    """From when a step counts: a late entry from its entry."""
    return step.known_at if step.late else step.at


def periods(steps: Sequence[StepLine], zone: ZoneInfo) -> list[Period]:
    """The protection of each claim from every contact to its last day, or to when it went to somebody else or ended."""
    found: list[Period] = []
    for index, step in enumerate(steps):
        before = steps[index - 1] if index else None
        same = before is not None and (before.owner, before.until) == (step.owner, step.until)
        if step.owner is None or (same and step.effect not in ("founds", "renews", "ruled")):
            continue
        start, end = effective_at(step), end_of(step.until, zone) if step.until else None
        for later in steps[index + 1 :]:
            if later.owner != step.owner or _shortened(step, later):
                cut = effective_at(later)
                end = cut if end is None or cut < end else end
                break
        found.append(Period(step.owner, start, end, step))
    return found


def _shortened(step: StepLine, later: StepLine) -> bool:
    return later.until is not None and (step.until is None or later.until < step.until)


class _Chart:
    def __init__(self, words: ReplayInWords) -> None:
        self.words, self.replay = words, words.replay
        self.zone = ZoneInfo(self.replay.timezone)
        self.periods = periods(self.replay.steps, self.zone)
        self.marks = [*self._steps(), *self._beside()]
        self.lanes = self._lanes()
        self.axis = self._axis()
        self.tops: dict[str, float] = {}
        self.places: dict[tuple[int, str], tuple[float, bool]] = {}
        self._lay_out()

    def draw(self) -> Element:
        title = self.words.named(self.words.label("timeline"), self.words.matter())
        shown = self._desc()
        chart = element(
            "svg",
            element("title", title, id="chart-title"),
            element("desc", shown, id="chart-desc"),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH:g} {self.height:g}",
            aria_labelledby="chart-title chart-desc",
        )
        add(chart, *self._grid(), *self._lane_heads(), *map(self._bar, self.periods))
        return add(chart, *(self._mark(index, mark) for index, mark in enumerate(self.marks)), *self._as_of())

    # What is shown

    def _steps(self) -> Iterator[Mark]:
        owner: str | None = None
        for number, step in enumerate(self.replay.steps, start=1):
            lanes = step.by
            if not lanes:
                whose = owner if step.what == "lapse" else step.owner if step.what == "ruling" else None
                lanes = (whose or OFFICE,)
            yield Mark(step.at, shape_of(step.what), lanes, self._title(number, step), number, step)
            owner = step.owner

    def _beside(self) -> Iterator[Mark]:
        """Disputes, and a ruling that came after the moment that is looked at."""
        words, ruling = self.words, self.replay.ruling
        for dispute in self.replay.matter["disputes"]:
            if dispute["at"] <= self.replay.known_at:
                title = f"{words.moment(dispute['at'])} {words.label('dispute', dispute['label'])}: {dispute['by']}"
                yield Mark(dispute["at"], "dispute", (dispute["by"],), title)
        if ruling and all(step.what != "ruling" or step.at != ruling.at for step in self.replay.steps):
            title = f"{words.moment(ruling.at)} {say(WHAT, 'ruling', words.language)}: {ruling.by}: {ruling.reason}"
            yield Mark(ruling.at, "ruling", (self.replay.owner or OFFICE,), title)

    def _lanes(self) -> list[tuple[str, str]]:
        """Everybody concerned and why they are: the owner, the rivals, whoever else did something; the office last."""
        found = {self.replay.owner: self.words.label("owner")} if self.replay.owner else {}
        for rival in self.replay.rivals:
            found.setdefault(rival.staff, self.words.text(rival.reason_text))
        others = [*(lane for mark in self.marks for lane in mark.lanes), *(period.owner for period in self.periods)]
        for name in others:
            if name != OFFICE:
                found.setdefault(name, "")
        office = [(OFFICE, "")] if OFFICE in others else []
        return [*found.items(), *office]

    def _axis(self) -> Axis:
        """From the first to the last that is shown. The moment looked at may lie far behind: then it is at the edge."""
        instants = [mark.at for mark in self.marks] or [self.replay.at]
        instants += [step.known_at for step in self.replay.steps if self.words.entered(step)]
        instants += [instant for period in self.periods for instant in (period.start, period.end) if instant]
        first, last = min(instants), max(instants)
        if last < self.replay.at <= last + (last - first) / 4:
            last = self.replay.at
        return Axis(first, last, self.zone, left=LEFT, right=RIGHT)

    def _lay_out(self) -> None:
        """Where every lane begins, and on which of its rows every mark stands, and whether there is room for
        numbers."""
        top = HEAD
        for lane, _ in self.lanes:
            self.tops[lane] = top
            here = [(self.axis.x(mark.at), index) for index, mark in enumerate(self.marks) if lane in mark.lanes]
            rows = _rows(sorted(one for one in here if self.marks[one[1]].shape != "lapse"))
            for number, row in enumerate(rows):
                for place, (x, index) in enumerate(row):
                    roomy = place + 1 == len(row) or row[place + 1][0] - x >= ROOMY
                    self.places[index, lane] = (self._middle(lane, number), roomy)
            for x, index in here:  # a lapse stands at the end of its bar, even where that hides another mark
                roomy = all(abs(other - x) >= ROOMY for row in rows[:1] for other, _ in row)
                self.places.setdefault((index, lane), (self._middle(lane), roomy))
            top += LANE_HEAD + ROW * max(1, len(rows)) + LANE_FOOT
        self.height = top + 4

    def _middle(self, lane: str, row: int = 0) -> float:
        return self.tops[lane] + LANE_HEAD + ROW * (row + 0.5)

    # Words

    def _title(self, number: int, step: StepLine) -> str:
        words = self.words
        parts = [
            f"{number}. {words.time_of_step(step.at)} {words.happened(step)}",
            words.names(step.by),
            words.effect(step),
            words.claim_after(step),
            words.entered(step) or "",
            " · ".join(words.clause(clause) for clause in step.clauses),
        ]
        return " | ".join(part for part in parts if part)

    def _desc(self) -> str:
        words = self.words
        lanes = words.names(name or words.label("office") for name, _ in self.lanes)
        first, last = (at.astimezone(self.zone) for at in (self.axis.first, self.axis.last))
        return words.label(
            "chart",
            count=len(self.replay.steps),
            first=f"{first:%Y-%m-%d}",
            last=f"{last:%Y-%m-%d}",
            zone=self.replay.timezone,
            lanes=lanes,
        )

    # Drawing

    def _grid(self) -> Iterator[Element]:
        for x, label in self.axis.ticks():
            yield element("line", x1=x, x2=x, y1=HEAD - 12, y2=self.height, class_="grid")
            yield element("text", label, x=x, y=HEAD - 18, text_anchor=_anchor(x), class_="tick")
        for mark in self.marks:
            if mark.shape == "adoption":
                x = self.axis.x(mark.at)
                yield element("line", x1=x, x2=x, y1=HEAD - 12, y2=self.height, class_="adopted")

    def _lane_heads(self) -> Iterator[Element]:
        for name, role in self.lanes:
            top = self.tops[name]
            yield element("line", x1=0.0, x2=WIDTH, y1=top, y2=top, class_="lane")
            shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
            label = element("tspan", shown or self.words.label("office"), class_="name")
            text = element("text", element("title", name) if shown != name else None, label, x=LEFT, y=top + 15)
            yield add(text, element("tspan", role, dx=8, class_="role") if role else None)

    def _bar(self, period: Period) -> Element:
        """From the contact to the last protected day; without limit it runs out of sight in a point."""
        x, y = self.axis.x(period.start), self._middle(period.owner)
        end = self.axis.x(period.end) if period.end else RIGHT
        until = self.words.until_after(period.step)
        title = f"{period.owner}: {self.words.time_of_step(period.start)} → {until}"
        outline = f"M{x:.1f} {y - 8:.1f}H{end:.1f}" + ("" if period.end else "l8 8l-8 8") + f"V{y + 8:.1f}H{x:.1f}Z"
        whose = "owner" if period.owner == self.replay.owner else "other"
        return element("path", element("title", title), d=outline, class_=f"period {whose}")

    def _mark(self, index: int, mark: Mark) -> Element:
        step = mark.step
        kind = "mark" if step and step.position else "lapse" if step else "beside"
        hollow = " hollow" if step and step.effect == "nothing" else ""
        group = element("g", element("title", mark.title), class_=f"{kind} {mark.shape}{hollow}")
        if step and step.position:
            group.set("data-position", str(step.position))
        x = self.axis.x(mark.at)
        heights = [self.places[index, lane][0] for lane in mark.lanes]
        if len(heights) > 1:
            add(group, element("line", x1=x, x2=x, y1=min(heights), y2=max(heights), class_="together"))
        for lane in mark.lanes:
            y, roomy = self.places[index, lane]
            if step and self.words.entered(step):
                end = self.axis.x(step.known_at)
                add(group, element("path", d=f"M{x:.1f} {y:.1f}H{end:.1f}m0 -5v10", class_="late"))
            whose = "owner" if lane == self.replay.owner else None
            add(group, element("path", d=SHAPES[mark.shape], transform=f"translate({x:.1f} {y:.1f})", class_=whose))
            if mark.number and roomy:
                add(group, element("text", str(mark.number), x=x + 9, y=y + 3.5, class_="number"))
        return element("a", group, href=f"#step-{mark.number}") if mark.number else group

    def _as_of(self) -> Iterator[Element]:
        """A line at the moment looked at; an arrow at the edge when it is out of sight."""
        at, x = self.replay.at, self.axis.x(self.replay.at)
        beyond = " →" if at > self.axis.last else ""
        anchor = "end" if x > WIDTH / 2 else "start"
        label = f"{self.words.label('at')} {self.words.moment(at)}{beyond}"
        yield element("line", x1=x, x2=x, y1=16.0, y2=self.height, class_="as-of")
        yield element("text", label, x=x, y=11.0, text_anchor=anchor, class_="as-of")


def _anchor(x: float) -> str:
    """A tick's label stands in the middle under it, unless it would stick out."""
    return "start" if x < EDGE else "end" if x > WIDTH - EDGE else "middle"


def _rows(marks: Sequence[tuple[float, int]]) -> list[list[tuple[float, int]]]:
    """Marks, sorted by place, on as few rows as keep them apart: with room for numbers, else close to each other, and
    over each other when even that takes more than MOST_ROWS."""
    for distance in (ROOMY, TIGHT):
        rows: list[list[tuple[float, int]]] = []
        for mark in marks:
            free = next((row for row in rows if mark[0] - row[-1][0] >= distance), None)
            if free is None and len(rows) < MOST_ROWS:
                rows.append([mark])
            elif free is None:
                break
            else:
                free.append(mark)
        else:
            return rows
    rows = [[] for _ in range(MOST_ROWS)]
    for number, mark in enumerate(marks):
        rows[number % MOST_ROWS].append(mark)
    return rows
