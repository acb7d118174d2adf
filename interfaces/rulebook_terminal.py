"""Rulebooks side by side on the terminal: a table for each rule."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from application.replay.wording import Language
from application.rulebook_comparison import WORDS, RuleLine, Stand, clauses_of, rests_of

from .replay_words import plain

LONGEST_ID = 20
"""Columns that the id of a rulebook takes before it goes on below."""


def render(lines: Iterable[RuleLine], console: Console, language: Language) -> None:
    """Print the comparison, one rule after the other, at whatever width the console has."""
    place = 0 if language == "en" else 1
    for index, line in enumerate(lines):
        if index:
            console.print()
        console.print(_cell(f"{line.rule}  {line.title.en if place == 0 else line.title.zh}", "bold"))
        if line.silent:
            console.print(_cell(f"  {WORDS['all_silent'][place]}", "dim"))
        else:
            console.print(_table(line.rulebooks, language))


def _table(stands: Iterable[Stand], language: Language) -> Table:
    place = 0 if language == "en" else 1
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", leading=1)
    table.add_column(WORDS["rulebook"][place], overflow="fold", max_width=LONGEST_ID)
    table.add_column(WORDS["clauses"][place], overflow="fold", ratio=2)
    table.add_column(WORDS["rests"][place], overflow="fold", ratio=3)
    for stand in stands:
        if stand.silent:
            table.add_row(_cell(stand.rulebook, "dim"), _cell(WORDS["silent"][place], "dim"), "")
        else:
            cells = (clauses_of(stand, language), rests_of(stand, language))
            table.add_row(_cell(stand.rulebook), *map(_lines, cells))
    return table


def _cell(text: str, style: str = "") -> Text:
    return Text(plain(text), style=style, overflow="fold")


def _lines(lines: Iterable[str]) -> Text:
    return Text("\n", overflow="fold").join(map(_cell, lines))
