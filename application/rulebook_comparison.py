"""Rulebooks side by side, rule by rule: each one's clauses that stand for a rule, and the parameters and rows that rest
on those clauses, with their values in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec

from domain.rulebook import AmendmentValue, Edition, Parameter, Row

from .replay.lines import Text
from .replay.wording import Language
from .rule_titles import AREAS, RULES, checked, natural
from .rulebook_page import OURS, SECTIONS, table_title
from .rulebook_sentences import capital, parameter_in_words, row_in_words, short


class ClauseLine(msgspec.Struct, frozen=True):
    """A clause that stands for the rule: its id within the rulebook, its article, its text."""

    id: str
    source: str
    en: str
    zh: str


class ParameterLine(msgspec.Struct, frozen=True):
    """A parameter that rests on such clauses; `text`: what it is about and its value."""

    name: str
    value: AmendmentValue
    clauses: tuple[str, ...]
    text: Text


class RowLine(msgspec.Struct, frozen=True):
    """A row that rests on such clauses; `number`: its place in the table, from 1; `text`: the case and its effects.

    The case is coded as in Row: `when`, `within`, `outside`, or `otherwise`.
    """

    table: str
    number: int
    when: dict[str, tuple[str, ...]]
    within: dict[str, str]
    outside: dict[str, str]
    otherwise: bool
    then: dict[str, str]
    clauses: tuple[str, ...]
    text: Text


class Stand(msgspec.Struct, frozen=True):
    """What one rulebook says on a rule; without a clause it is silent. By subjects, as on a rulebook's page."""

    rulebook: str
    edition: str
    silent: bool
    clauses: tuple[ClauseLine, ...]
    parameters: tuple[ParameterLine, ...]
    rows: tuple[RowLine, ...]


class RuleLine(msgspec.Struct, frozen=True):
    """A rule, and where every rulebook stands on it, in the order in which they were given."""

    rule: str
    title: Text
    rulebooks: tuple[Stand, ...]

    @property
    def silent(self) -> bool:
        return all(stand.silent for stand in self.rulebooks)


def compare(editions: Sequence[Edition], rules: Collection[str] = ()) -> tuple[RuleLine, ...]:
    """The editions side by side on some rules, by default on all, in their natural order.

    Raises Refusal bad_value for a rule that there is not.
    """
    asked = {checked(rule) for rule in rules} or set(RULES)
    return tuple(
        RuleLine(rule, Text(*RULES[rule]), tuple(_stand(edition, rule) for edition in editions))
        for rule in sorted(asked, key=natural)
    )


def _stand(edition: Edition, rule: str) -> Stand:
    clauses = {key: clause for key, clause in edition.clauses.items() if rule in clause.rules}
    return Stand(
        edition.rulebook,
        edition.label,
        not clauses,
        tuple(ClauseLine(short(key), clause.source, clause.en, clause.zh) for key, clause in clauses.items()),
        tuple(
            _parameter(edition.parameters[name])
            for section in SECTIONS
            for name in section.parameters
            if name in edition.parameters and not clauses.keys().isdisjoint(edition.parameters[name].clauses)
        ),
        tuple(
            _row(edition, name, number, row)
            for section in SECTIONS
            for name in section.tables
            if name in edition.tables
            for number, row in enumerate(edition.tables[name].rows, start=1)
            if not clauses.keys().isdisjoint(row.clauses)
        ),
    )


def _both(said: Callable[[Language], str]) -> Text:
    return Text(said("en"), said("zh"))


def _parameter(one: Parameter) -> ParameterLine:
    clauses = tuple(map(short, one.clauses))
    return ParameterLine(one.name, one.value, clauses, _both(lambda language: parameter_in_words(one, language)))


def _row(edition: Edition, table: str, number: int, row: Row) -> RowLine:
    said = _both(lambda language: row_in_words(edition, table, row, language))
    return RowLine(
        table=table,
        number=number,
        when=row.when,
        within=row.within,
        outside=row.outside,
        otherwise=row.otherwise,
        then=row.then,
        clauses=tuple(map(short, row.clauses)),
        text=said,
    )


# As Markdown

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Rulebooks compared", "各制度对照"),
    "made": (
        "Made by `lunpai rulebook compare --language en --markdown`; do not edit.",
        "由 `lunpai rulebook compare --language zh --markdown` 生成，请勿手改。",
    ),
    "about": (
        "For every rule: which clauses of a rulebook stand for it, and what rests on them. Clauses whose ids begin "
        "with `our-` are what a document does not say and the product adds.",
        "逐条规则列出各制度的对应条款，以及依据这些条款的参数和情形。编号以 `our-` 开头的条款，"
        "是制度未写明、由本系统补充的。",
    ),
    "rulebook": ("Rulebook", "制度"),
    "clauses": ("Clauses", "条款"),
    "rests": ("What rests on them", "依据条款的参数和情形"),
    "silent": ("silent", "未规定"),
    "all_silent": ("All are silent.", "各制度均未规定。"),
    "contents": ("The rulebooks", "所列制度"),
}


def as_markdown(editions: Sequence[Edition], lines: Iterable[RuleLine], language: Language) -> str:
    """The comparison as a page: the rulebooks, then a table a rule, grouped by area."""
    return "\n".join(_Markdown(language).page(editions, lines))


class _Markdown:
    def __init__(self, language: Language) -> None:
        self.language, self.place = language, 0 if language == "en" else 1

    def _say(self, code: str) -> str:
        return WORDS[code][self.place]

    def page(self, editions: Sequence[Edition], lines: Iterable[RuleLine]) -> Iterator[str]:
        yield from (f"# {self._say('title')}", "", self._say("made"), "", self._say("about"), "")
        yield from (f"## {self._say('contents')}", "")
        for edition in editions:
            title = (edition.title_en, edition.title_zh)[self.place]
            yield f"- `{edition.rulebook}` — {title} ({edition.source})"
        area = ""
        for line in lines:
            if line.rule[0] != area:
                area = line.rule[0]
                yield from ("", f"## {area} · {AREAS[area][self.place]}")
            yield from ("", f"### {line.rule} · {self._text(line.title)}", "")
            yield from [self._say("all_silent")] if line.silent else self._table(line)

    def _text(self, text: Text) -> str:
        return (text.en, text.zh)[self.place]

    def _table(self, line: RuleLine) -> Iterator[str]:
        yield f"| {self._say('rulebook')} | {self._say('clauses')} | {self._say('rests')} |"
        yield "| --- | --- | --- |"
        for stand in line.rulebooks:
            clauses, rests = clauses_of(stand, self.language), rests_of(stand, self.language)
            cells = ["<br>".join(map(_escaped, some)) for some in (clauses, rests)]
            if stand.silent:
                cells = [f"*{self._say('silent')}*", ""]
            yield f"| `{stand.rulebook}` | {cells[0]} | {cells[1]} |"


def clauses_of(stand: Stand, language: Language) -> list[str]:
    """A stand's clauses, each as id, article and text."""
    said = []
    for one in stand.clauses:
        article = "" if one.id.startswith(OURS) else f" {one.source}"
        said.append(f"{one.id}{article}: {one.en}" if language == "en" else f"{one.id}{article}：{one.zh}")
    return said


def rests_of(stand: Stand, language: Language) -> list[str]:
    """What rests on them: the parameters, then the rows under the headings of their tables."""
    said = [capital(one.text.en) if language == "en" else one.text.zh for one in stand.parameters]
    table = ""
    for row in stand.rows:
        if row.table != table:
            table = row.table
            said.append(f"{table_title(table, language)}{':' if language == 'en' else '：'}")
        # A blank would be the only place where a terminal can break a Chinese line.
        said.append(f"· {row.text.en}" if language == "en" else f"·{row.text.zh}")
    return said


def _escaped(text: str) -> str:
    """So that it stays in its cell."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
