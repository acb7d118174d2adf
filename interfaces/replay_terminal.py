"""A replay on the terminal: who owns the visitor, how it came to that, why not the others, and the clauses it
rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from application.replay.lines import FactLine, Replay, StepLine
from application.replay.wording import Language

from .replay_words import ReplayInWords, plain

WIDE = 140
"""Columns from which on every finding of a step has a column of its own."""

NARROW = 60
"""Columns below which even times are broken."""

TIMES = frozenset(["when", "happened", "known", "recorded", "until_after"])
PERSONS = frozenset(["by", "who", "owner_after"])
LONGEST_NAME = 16
LONGEST_CITED = 24
"""Columns that a name, or a citation, takes before it goes on below."""


def render(replay: Replay, console: Console, language: Language) -> None:
    """Print a replay in one language, at whatever width the console has."""
    _Printer(replay, console, language).print()


class _Printer:
    def __init__(self, replay: Replay, console: Console, language: Language) -> None:
        self.replay, self.console = replay, console
        self.words = ReplayInWords(replay, language)
        self.wide = console.width >= WIDE

    def print(self) -> None:
        words = self.words
        self._put(_cell(words.title(), style="bold"))
        self._pairs([(heading, [line]) for heading, line in words.circumstances()])
        for kind, heading, line in words.banners():
            self._put()
            self._put(_cell(f"*** {heading} ***", style="bold yellow" if kind == "what_if" else "bold magenta"))
            self._put_indented(_cell(line))
        self._heading("outcome")
        self._pairs(words.outcome())
        self._heading("timeline")
        self._timeline()
        self._heading("rivals")
        self._rivals()
        self._heading("changes")
        changes = [words.sentence(words.text(change.text)) for change in self.replay.changes]
        for line in changes or [words.label("no_changes")]:
            self._put_indented(_cell(line))
        self._heading("cited")
        self._clauses()
        self._heading("facts")
        self._facts()

    # Layout

    def _put(self, what: RenderableType = "") -> None:
        self.console.print(what)

    def _put_indented(self, what: RenderableType, by: int = 2) -> None:
        self._put(Padding(what, (0, 0, 0, by), expand=False))

    def _heading(self, code: str) -> None:
        self._put()
        self._put(_cell(self.words.label(code), style="bold"))

    def _pairs(self, pairs: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Headings and what stands under each, side by side."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for heading, lines in pairs:
            grid.add_row(_cell(heading), _lines(lines))
        self._put_indented(grid)

    def _table(self, *codes: str) -> Table:
        """A table with these headings that needs no lines between columns."""
        cited = max((len(self.words.cited(clause.id)) for clause in self.replay.clauses), default=0)
        table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
        for code in codes:
            table.add_column(
                _cell(self.words.label(code)),
                overflow="fold",
                no_wrap=code in TIMES and self.console.width >= NARROW,
                min_width=min(cited, LONGEST_CITED) if code == "clauses" else None,
                max_width=LONGEST_NAME if code in PERSONS else None,
            )
        return table

    # Sections

    def _timeline(self) -> None:
        steps = self.replay.steps
        if not steps:
            self._put_indented(_cell(self.words.label("no_steps")))
            return
        if self.wide:
            table = self._table("when", "what", "by", "effect", "owner_after", "until_after", "clauses")
        else:
            table = self._table("when", "what", "effect", "clauses")
            table.leading = 1
        for step in steps:
            style = "dim" if step.effect == "nothing" else ""
            table.add_row(*(self._wide_row(step) if self.wide else self._narrow_row(step)), style=style)
        self._put_indented(table)

    def _wide_row(self, step: StepLine) -> list[Text]:
        words = self.words
        return [
            self._when(step),
            _cell(words.happened(step)),
            _cell(words.names(step.by)),
            _cell(words.effect(step)),
            _cell(words.owner_after(step)),
            _cell(words.until_after(step)),
            self._cited(step.clauses),
        ]

    def _narrow_row(self, step: StepLine) -> list[Text]:
        words = self.words
        return [
            self._when(step),
            _lines([words.happened(step), words.label("by_somebody", words.names(step.by)) if step.by else ""]),
            _lines([words.effect(step), words.claim_after(step)]),
            self._cited(step.clauses),
        ]

    def _cited(self, clauses: Sequence[str]) -> Text:
        """One below the other, or side by side where there is room."""
        cited = [self.words.cited(clause) for clause in clauses] or ["-"]
        return _cell(", ".join(cited)) if self.wide else _lines(cited)

    def _when(self, step: StepLine) -> Text:
        when = _cell(self.words.time_of_step(step.at))
        if entered := self.words.entered_lines(step):
            when.append("\n").append_text(_lines([f"! {entered[0]}", *entered[1:]], style="yellow"))
        return when

    def _rivals(self) -> None:
        if not self.replay.rivals:
            self._put_indented(_cell(self.words.label("no_rivals")))
            return
        table = self._table("who", "why_not", "clauses")
        for rival in self.replay.rivals:
            table.add_row(_cell(rival.staff), _cell(self.words.why_not(rival)), self._cited(rival.clauses))
        self._put_indented(table)

    def _clauses(self) -> None:
        words = self.words
        for clause in self.replay.clauses:
            self._put_indented(_cell(f"{words.cited(clause.id)}  {clause.source}"))
            self._put_indented(_cell(words.clause_text(clause), style="italic"), 6)

    def _facts(self) -> None:
        codes = ("known", "recorded") if self.wide else ("known",)
        table = self._table("fact_position", "fact_name", "happened", *codes, "by")
        table.columns[0].justify = "right"
        for fact in self.replay.facts:
            table.add_row(
                _cell(str(fact.position)),
                _cell(self.words.fact(fact)),
                _cell(self.words.moment(fact.occurred_at)),
                *self._known(fact),
                _cell(self.words.names(fact.by)),
            )
        self._put_indented(table)

    def _known(self, fact: FactLine) -> list[Text]:
        """When it was entered, perhaps in an older record; and when it came into this one."""
        words = self.words
        if self.wide:
            return [_cell(words.moment(fact.known_at)), _cell(words.moment(fact.recorded_at))]
        recorded = words.label("recorded_at", words.minute(fact.recorded_at))
        return [_lines([words.moment(fact.known_at), recorded if fact.recorded_at != fact.known_at else ""])]


def _cell(text: str, style: str = "") -> Text:
    """Text on one line of its own that steers nothing: no markup, no control characters."""
    return Text(plain(text), style=style, overflow="fold")


def _lines(lines: Iterable[str], style: str = "") -> Text:
    return Text("\n", overflow="fold").join([_cell(line, style) for line in lines if line])
