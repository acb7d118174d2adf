"""The floor on the terminal: its board, and why a reception went to whom it went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from application.replay.wording import Language

from . import floor_words as words
from .floor_board import Board, MonthLine, PlaceLine
from .floor_sentences import FloorInWords
from .floor_why import ChoiceLine, StepLine, Why
from .replay_words import plain


def show_board(board: Board, console: Console, language: Language) -> None:
    """Print the board in one language, at whatever width the console has."""
    _BoardPrinter(board, console, language).print()


def show_why(why: Why, console: Console, language: Language) -> None:
    """Print how a reception was assigned, and what became of it."""
    _WhyPrinter(why, console, language).print()


class _Printer:
    """What both print alike: headings, pairs, tables without lines."""

    def __init__(self, said: FloorInWords, console: Console) -> None:
        self.said, self.console = said, console

    def put(self, what: RenderableType = "", indent: int = 0) -> None:
        self.console.print(Padding(what, (0, 0, 0, indent), expand=False) if indent else what)

    def heading(self, text: str) -> None:
        self.put()
        self.put(_cell(text, "bold"))

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Headings and what stands beside each."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for heading, text in pairs:
            if text:
                grid.add_row(_cell(heading), _cell(text))
        self.put(grid, 2)

    def table(self, headings: Sequence[str], right: Sequence[int] = (), folded: Sequence[int] = ()) -> Table:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for number, heading in enumerate(headings):
            justify: Literal["left", "right"] = "right" if number in right else "left"
            table.add_column(_cell(heading), justify=justify, overflow="fold", no_wrap=number not in folded)
        return table

    def rows(self, rows: Sequence[tuple[str, Sequence[Text]]], folded: int) -> None:
        """Rows of cells without headings, each with its style; columns in which nothing stands are left out, as they
        would make the others narrower."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        used = [number for number in range(len(rows[0][1])) if any(cells[number].plain for _, cells in rows)]
        for number in used:
            grid.add_column(overflow="fold", no_wrap=number != folded)
        for style, cells in rows:
            grid.add_row(*(cells[number] for number in used), style=style)
        self.put(grid, 2)


CLAIMED = frozenset({"named", "inviter", "referrer", "owner", "stand_in"})
"""Because of what somebody receives whether or not it is that one's turn."""


IN_ORDER = frozenset({"first", "first_free", "post"})
"""How somebody is chosen who stands before all others that could be."""


class _BoardPrinter(_Printer):
    def __init__(self, board: Board, console: Console, language: Language) -> None:
        super().__init__(FloorInWords(language, board.day), console)
        self.board = board

    def print(self) -> None:
        board, said = self.board, self.said
        self.put(_cell(said.label("board", site=board.site, day=board.day, at=f"{board.at:%H:%M}"), "bold"))
        self.pairs(
            [
                (said.label("rules"), board.edition),
                (said.label("kind"), said.word(words.DAYS, board.kind) if board.kind != "normal" else ""),
                (said.label("team"), board.visits_team or ""),
                (said.label("next_visit"), said.chosen(board.next["visit"])),
                (said.label("next_call"), said.chosen(board.next["call"])),
                (said.label("door"), self._door()),
                (said.label("posts"), said.listed(f"{post} {who}" for post, who in sorted(board.posts.items()))),
            ]
        )
        for channel, line in board.lines.items():
            self.heading(said.label("line_both" if board.shared else f"line_{channel}"))
            self._line(line)
        if board.aside:
            self.heading(said.label("aside"))
            self.pairs((one.staff, said.place(one, owed=True)) for one in board.aside)
        self.heading(said.label("open"))
        self._open()
        if board.month:
            self.heading(said.label("month"))
            self.pairs((one.staff, self._month(one)) for one in board.month)

    def _door(self) -> str:
        said, door = self.said, self.board.door
        standing = ""
        if door is not None:
            away = "" if door.state in ("free", "other_team") else said.bracketed(said.word(words.STATES, door.state))
            standing = door.staff + said.label("since", at=said.time(door.since)) + away
        owed = self.board.owed_at_the_door.items()
        return said.joined([standing, *(said.label("owed_minutes", who=who, minutes=owes) for who, owes in owed)])

    def _line(self, line: Sequence[PlaceLine]) -> None:
        said, period = self.said, self.board.period_began < self.board.day
        if not line:
            self.put(_cell(said.label("empty_line")), 2)
            return
        counts = ["turns_today", *(["turns_period"] if period else []), "make_ups", "passes"]
        headings = [
            "",
            *(said.label(code, day=f"{self.board.period_began:%m-%d}") for code in ("who", "state", *counts)),
        ]
        table = self.table(headings, right=[0, *range(3, len(headings))], folded=[2])
        for one in line:
            numbers = [one.turns_today, *([one.turns] if period else []), one.make_ups, one.passes]
            cells = [
                str(one.place),
                one.staff,
                said.place(one),
                *(str(number) if number else "-" for number in numbers),
            ]
            table.add_row(*map(_cell, cells), style="" if one.state == "free" or one.receptions else "dim")
        self.put(table, 2)

    def _open(self) -> None:
        said, rows = self.said, self.board.receptions
        if not rows:
            self.put(_cell(said.label("none_open")), 2)
            return
        codes = ("label", "channel", "receiver", "since_when", "because", "helpers")
        table = self.table([said.label(code) for code in codes], folded=[4, 5])
        for one in rows:
            table.add_row(*map(_cell, said.open_line(one)))
        self.put(table, 2)

    def _month(self, one: MonthLine) -> str:
        said = self.said
        several = "warnings_several" if one.warnings > 1 else "warnings"
        return said.joined(
            [
                said.label("yuan", yuan=one.fines_yuan) if one.fines_yuan else "",
                said.label(several, number=one.warnings) if one.warnings else "",
                said.label("suspended_on", days=said.listed(map(str, one.suspended))) if one.suspended else "",
                said.label("double_rounds") if one.double_rounds else "",
                said.label("no_calls") if one.no_calls else "",
            ]
        )


class _WhyPrinter(_Printer):
    def __init__(self, why: Why, console: Console, language: Language) -> None:
        super().__init__(FloorInWords(language, why.day), console)
        self.why, self.language = why, language
        self.rules = {clause.id: clause.rules for clause in why.clauses}

    def print(self) -> None:
        why, said, first = self.why, self.said, self.why.steps[0]
        channel = said.word(words.CHANNELS, why.channel)
        title = said.label("reception", label=why.reception, channel=channel, day=why.day, at=f"{first.at:%H:%M}")
        self.put(_cell(title, "bold"))
        edition = why.title.en if said.english else why.title.zh
        assert first.asked is not None and first.choice is not None
        self.pairs(
            [
                (said.label("site"), why.site + said.bracketed(why.timezone)),
                (said.label("rules"), f"{why.edition}{said.bracketed(edition)}"),
                (said.label("visitor"), said.visitor(first.asked)),
                (said.label("told"), said.joined(said.told(first.asked))),
                (said.label("answer"), said.chosen(first.choice)),
                (said.label("now"), said.now(why)),
            ]
        )
        self._asked_first(first.choice)
        self._line(first, first.choice)
        self._decided(first, first.choice)
        self._did(first)
        self._later(why.steps[1:])
        self._clauses()

    def _asked_first(self, choice: ChoiceLine) -> None:
        rows = [one for one in choice.passed if one.place == 0]
        if rows:
            self.heading(self.said.label("asked_first"))
            cells = [(_cell(one.staff), _cell(self.said.passed(one)), self._cited(one.clauses)) for one in rows]
            self.rows([("", row) for row in cells], folded=1)

    def _line(self, step: StepLine, choice: ChoiceLine) -> None:
        said = self.said
        line = said.word(words.LINES, step.line)
        heading = said.label("line_as_it_stood", line=line, at=said.time(step.at))
        self.heading(heading[:1].upper() + heading[1:])
        if not choice.line:
            self.put(_cell(said.label("empty_line")), 2)
        rows: list[tuple[str, Sequence[Text]]] = []
        passed = {one.staff: one for one in choice.passed if one.place}
        asked = choice.line.index(choice.staff) if choice.how in IN_ORDER and choice.staff in choice.line else None
        for place, staff in enumerate(choice.line, start=1):
            code = "not_asked" if asked is None or place <= asked else "not_reached"
            text, style, clauses = said.label(code), "dim", tuple[str, ...]()
            if staff == choice.staff:
                text, style = said.label("receives_here", how=said.how(choice)), "bold"
            elif staff in passed:
                text, style = said.label("was_passed", why=said.passed(passed[staff])), ""
                clauses = passed[staff].clauses
            elif staff == choice.otherwise:
                text, style = said.label("otherwise", who=choice.staff or ""), ""
            rows.append((style, (_cell(f"{place:>2}"), _cell(staff), _cell(text), self._cited(clauses))))
        if rows:
            self.rows(rows, folded=2)
        if choice.line and choice.staff is not None and choice.staff not in choice.line:
            self.put(_cell(said.label("outside", who=choice.staff)), 2)

    def _decided(self, step: StepLine, choice: ChoiceLine) -> None:
        said = self.said
        self.heading(said.label("decided"))
        self.put(_cell(said.sentence(said.chosen_by(choice))), 2)
        if step.joined:
            self.put(_cell(said.sentence(said.label("helping", who=said.listed(step.joined)))), 2)
        if choice.staff is None:
            return
        if choice.because in CLAIMED and (choice.in_turn or choice.otherwise is not None):
            code = "in_turn" if choice.in_turn else "out_of_turn"
            self.put(_cell(said.sentence(said.label(code, who=choice.staff, next=choice.otherwise or ""))), 2)
        if choice.otherwise is None and choice.because in ("set_aside", "support"):
            return
        code = "otherwise_nobody" if choice.otherwise is None else "otherwise_outside"
        text = said.label(code, who=choice.staff, next=choice.otherwise or "")
        self.put(_cell(said.sentence(text)), 2)

    def _did(self, step: StepLine) -> None:
        said = self.said
        self.heading(said.label("did"))
        rows = said.effects(step)
        if not rows:
            self.put(_cell(said.label("did_nothing")), 2)
            return
        cells = [(_cell(staff), _cell(said.joined(texts)), self._cited(clauses)) for staff, texts, clauses in rows]
        self.rows([("", row) for row in cells], folded=1)

    def _later(self, steps: Sequence[StepLine]) -> None:
        said = self.said
        self.heading(said.label("later"))
        if not steps:
            self.put(_cell(said.label("nothing_later")), 2)
            return
        rows = []
        for step in steps:
            lines = [said.sentence(said.step(step))]
            if passed := said.passed_over(step):
                lines.append(passed)
            lines += said.effect_lines(step)
            rows.append(("", (_cell(said.when(step)), _lines(lines))))
        self.rows(rows, folded=1)

    def _cited(self, clauses: Iterable[str]) -> Text:
        return _lines([self._id(clause) for clause in dict.fromkeys(clauses)])

    def _id(self, clause: str) -> str:
        """Short id and rule numbers."""
        rules = ",".join(self.rules.get(clause, ()))
        short = clause.partition("/")[2] or clause
        return f"{short}({rules})" if rules else short

    def _clauses(self) -> None:
        if not self.why.clauses:
            return
        self.heading(self.said.label("cited"))
        for clause in self.why.clauses:
            self.put(_cell(f"{self._id(clause.id)}  {clause.source}"), 2)
            self.put(_cell(clause.en if self.said.english else clause.zh, "italic"), 6)


def _cell(text: str, style: str = "") -> Text:
    """Text on one line of its own that steers nothing: no markup, no control characters."""
    return Text(plain(text), style=style, overflow="fold")


def _lines(lines: Iterable[str], style: str = "") -> Text:
    return Text("\n", overflow="fold").join([_cell(line, style) for line in lines if line])
