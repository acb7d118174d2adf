"""A simulation drawn: the turns of every consultant as a line that steps up, over the days; one SVG file by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, tostring
from zoneinfo import ZoneInfo

from application.simulation_report import Curve, Simulated

from .replay_axis import Axis
from .replay_markup import add, element
from .simulation_words import BETWEEN, sentence, words

WIDTH, LEFT, RIGHT, TOP, FOOT = 960.0, 64.0, 780.0, 64.0, 56.0
PLOT, LEGEND_ROW = 420.0, 18.0
SAMPLE = 36.0
MOST_TICKS = 8

DASHES = ("", "8 3", "2 3", "10 3 2 3", "14 4", "6 2 2 2 2 2", "1 4", "4 4")
THICK = (1.6, 2.8, 1.0)
COLOURS = ("#0072b2", "#a33f00", "#00704f", "#8a2f6b", "#000000", "#7a5b00", "#3b5b92")
"""Dark enough to be read on white; a line is told by its dashes and its thickness, without them."""

STYLE = """
text { font: 12px system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; fill: #222; }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: #d5d5d5; stroke-width: 1; }
.frame { fill: none; stroke: #888; stroke-width: 1; }
.curve { fill: none; stroke-linejoin: round; }
.leader { fill: none; stroke: #aaa; stroke-width: .7; }
"""


def draw(simulated: Simulated, zone: ZoneInfo, language: str) -> str:
    """The picture as the text of an SVG file."""
    return _Chart(simulated, zone, language).text()


class _Chart:
    def __init__(self, simulated: Simulated, zone: ZoneInfo, language: str) -> None:
        self.report, self.language = simulated.report, language
        self.curves = simulated.curves
        self.axis = Axis(*simulated.span, zone, left=LEFT, right=RIGHT)
        self.span = simulated.span
        self.bottom = TOP + max(PLOT, LEGEND_ROW * len(self.curves))
        highest = max((turns for curve in self.curves for _, turns in curve.points), default=0)
        self.step = _step(highest)
        self.highest = self.step * max(1, -(-highest // self.step))

    def text(self) -> str:
        report, language = self.report, self.language
        about = {"rulebook": report.rulebook, "staff": report.staff, "seed": report.seed}
        title = sentence("chart_title", language, **about)
        totals = words(BETWEEN, language).join(f"{curve.name} {_total(curve)}" for curve in self.curves)
        days = {"first_day": report.first_day, "last_day": report.last_day}
        height = self.bottom + FOOT
        chart = element(
            "svg",
            element("title", title, id="title"),
            element("desc", sentence("chart_desc", language, staff=report.staff, totals=totals, **days), id="desc"),
            element("style", STYLE),
            element("rect", width=WIDTH, height=height, fill="#fff"),
            element("text", title, x=LEFT, y=26.0, class_="title"),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH:g} {height:g}",
            width=WIDTH,
            height=height,
            role="img",
            aria_labelledby="title desc",
            lang=language,
        )
        add(chart, *self._axes(), *self._lines(), *self._legend())
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(chart, encoding="unicode") + "\n"

    def _y(self, turns: int) -> float:
        return self.bottom - (self.bottom - TOP) * turns / self.highest

    def _axes(self) -> Iterator[Element]:
        for x, label in self.axis.ticks():
            yield element("line", x1=x, x2=x, y1=TOP, y2=self.bottom, class_="grid")
            yield element("text", label, x=x, y=self.bottom + 18, text_anchor="middle")
        for turns in range(0, self.highest + 1, self.step):
            y = self._y(turns)
            yield element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid")
            yield element("text", str(turns), x=LEFT - 8, y=y + 4, text_anchor="end")
        yield element("rect", x=LEFT, y=TOP, width=RIGHT - LEFT, height=self.bottom - TOP, class_="frame")
        yield element("text", words_of("turns_axis", self.language), x=LEFT, y=TOP - 10)
        middle = (LEFT + RIGHT) / 2
        yield element("text", words_of("days_axis", self.language), x=middle, y=self.bottom + 40, text_anchor="middle")

    # Lines

    def _lines(self) -> Iterator[Element]:
        for number, curve in enumerate(self.curves):
            title = element("title", f"{curve.name}: {_total(curve)}")
            yield element("path", title, d=self._outline(curve), class_="curve", data_name=curve.name, **_look(number))

    def _outline(self, curve: Curve) -> str:
        """Steps, one for every place that can be told apart: of those that fall together the last."""
        at: dict[float, float] = {}
        for instant, turns in curve.points:
            at[self._x(instant)] = self._y(turns)
        start, end = self._x(self.span[0]), self._x(self.span[1])
        steps = "".join(f"H{x:g}V{y:.1f}" for x, y in at.items())
        return f"M{start:g} {self._y(0):.1f}{steps}H{end:g}"

    def _x(self, instant: datetime) -> float:
        return round(self.axis.x(instant) * 2) / 2

    def _legend(self) -> Iterator[Element]:
        """Beside the lines' ends, as near as they can be; a thin line leads from each to its own."""
        order = sorted(range(len(self.curves)), key=lambda number: -_total(self.curves[number]))
        ends = [self._y(_total(self.curves[number])) for number in order]
        end, x = self._x(self.span[1]), RIGHT + 24
        for number, at, y in zip(order, ends, _apart(ends, self.bottom), strict=True):
            curve = self.curves[number]
            yield element("path", d=f"M{end:g} {at:.1f}L{x - 4:g} {y:.1f}", class_="leader")
            yield element("line", x1=x, x2=x + SAMPLE, y1=y, y2=y, **_look(number))
            yield element("text", f"{curve.name}  {_total(curve)}", x=x + SAMPLE + 8, y=y + 4)


def words_of(code: str, language: str) -> str:
    """A word without values."""
    return sentence(code, language)


def _total(curve: Curve) -> int:
    return curve.points[-1][1] if curve.points else 0


def _look(number: int) -> dict[str, object]:
    """Dashes first, thickness when those are used up; the colour for those who can see it."""
    return {
        "stroke": COLOURS[number % len(COLOURS)],
        "stroke_width": THICK[number // len(DASHES) % len(THICK)],
        "stroke_dasharray": DASHES[number % len(DASHES)] or None,
    }


def _apart(wanted: Sequence[float], bottom: float) -> list[float]:
    """Heights as near to those wanted, which go down, as leaves each a row of its own above the bottom."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + LEGEND_ROW if placed else TOP + LEGEND_ROW / 2))
    below = bottom
    for row in range(len(placed) - 1, -1, -1):
        placed[row] = min(placed[row], below - LEGEND_ROW / 2 if below == bottom else below - LEGEND_ROW)
        below = placed[row]
    return placed


def _step(highest: int) -> int:
    """The least of 1, 2, 5, 10, 20 … that gives at most MOST_TICKS."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if highest <= step * MOST_TICKS:
                return step
        size *= 10
