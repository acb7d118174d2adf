"""Figures: what was measured beside what, as ratios with their spread, and whether a target is met."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the result: medians over the rounds.

    `ratio` is the median of the rounds' own ratios (ours to the peer's), `low` and `high` the extremes among them.
    A target that is not `checked` is told and does not decide.
    """

    what: str
    unit: str
    ours: float
    peer: str
    theirs: float
    ratio: float
    low: float
    high: float
    at_least: float | None = None
    at_most: float | None = None
    checked: bool = True

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )


def beside(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: str,
    theirs: Sequence[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    checked: bool = True,
) -> Figure:
    """A figure beside a peer's; the nth values of both come from the same round."""
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    return Figure(
        what=what,
        unit=unit,
        ours=median(ours),
        peer=peer,
        theirs=median(theirs),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
        at_least=at_least,
        at_most=at_most,
        checked=checked,
    )


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """The figures that decide and miss their target."""
    return [figure for figure in figures if figure.checked and figure.met is False]


def show(console: Console, environment: dict[str, Any], figures: Sequence[Figure]) -> None:
    """Print where it was measured, and the figures as a table."""
    for name, value in environment.items():
        console.print(f"{name}: {value}", highlight=False, soft_wrap=True)
    table = Table()
    for heading in ("what", "unit", "ours", "beside", "theirs", "ratio (low - high)", "target"):
        table.add_column(heading, justify="right" if heading in ("ours", "theirs") else "left")
    for figure in figures:
        table.add_row(
            figure.what,
            figure.unit,
            _number(figure.ours),
            figure.peer,
            _number(figure.theirs),
            f"{figure.ratio:.2f} ({figure.low:.2f} - {figure.high:.2f})",
            _verdict(figure),
        )
    console.print(table)


def _verdict(figure: Figure) -> str:
    if figure.met is None:
        return ""
    sign, limit = ("≥", figure.at_least) if figure.at_least is not None else ("≤", figure.at_most)
    verdict = "met" if figure.met else "MISSED"
    return f"{sign} {limit:g} {verdict}" if figure.checked else f"({sign} {limit:g} {verdict})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
