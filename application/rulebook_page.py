"""A rulebook as a page that an office manager can read: by subject, in words, each line with its clauses; then the
clauses themselves. English or Chinese, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from domain.rulebook import Clause, Edition
from domain.rules.vocabulary import TABLES, covers_turns

from .replay.wording import Language
from .rulebook_sentences import capital, cited, meaning, row_in_words, short, value_in_words
from .rulebook_turn_words import Words


class Section(msgspec.Struct, frozen=True):
    """A subject: its title, and the parameters and tables that are about it."""

    title: Words
    parameters: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


def _named(area: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{area}.{name}" for name in names)


SECTIONS = (
    Section(
        ("The line", "轮排"),
        _named(
            "turns",
            *("order", "carry_over", "period", "rosters", "teams", "taken_by", "ab_posts", "door_minutes"),
            *("door_receives", "at_least_waiting", "duty_until", "duty_from", "on_duty", "media_day_receives"),
        ),
    ),
    Section(
        ("Who receives", "由谁接待"),
        _named(
            "turns", "second_visitor_by", "hand_over_by", "stand_in_of_own_team", "when_nobody_is_free", "large_party"
        ),
        ("turns.claimed",),
    ),
    Section(
        ("What counts as a turn", "轮次怎么算"),
        _named("turns", "early_knowledge_minutes", "short_look_minutes", "recognised_within_minutes"),
        ("turns.counts", "turns.purpose", "turns.revealed"),
    ),
    Section(
        ("Absence and giving up", "不在岗与放弃轮次"),
        _named(
            "turns",
            *("absent_after_minutes", "when_absent", "passed_while_busy", "buyers_make_up_first"),
            "give_up_after_minutes",
        ),
        ("turns.passed",),
    ),
    Section(
        ("Discipline and assessment", "纪律与考核"),
        _named("turns", "give_ups_before_fine", "give_up_fine_yuan", "give_up_suspended_days")
        + _named("discipline", "warnings_before_fine", "warnings_fine_yuan")
        + _named("turns", "call_conversion_percent", "lowest_is_retested"),
        ("discipline.misconduct",),
    ),
    Section(
        ("Ownership", "客户归属"),
        _named(
            "attribution",
            *("protection_days", "late_entry_days", "claim_within_days", "required", "owned_by", "owned_by_claimant"),
            *("household", "company", "distributed_by", "ruled_by"),
        ),
        _named("attribution", "contact", "reception", "same_customer", "buyer"),
    ),
    Section(("Commission", "佣金"), tables=("commission.shares",)),
)

HEADINGS: dict[str, Words] = {
    "office": ("Office", "适用单位"),
    "in_force": ("In force from", "施行日期"),
    "covers": ("Covers", "内容"),
    "all": ("turns and discipline, ownership, commission", "轮排与纪律、客户归属、佣金"),
    "no_turns": ("ownership and commission; nothing on turns", "客户归属、佣金；不涉及轮排"),
    "source": ("Source", "来源"),
    "clauses": ("Clauses", "条款"),
    "ours": ("Where the document is silent (ours)", "制度未写明、由本系统补充的"),
}
OURS = "our-"
"""How the ids of clauses begin that no document says."""


def explain_edition(edition: Edition, language: Language) -> str:
    """The page, as Markdown."""
    return "\n".join(_Page(edition, language).lines())


class _Page:
    def __init__(self, edition: Edition, language: Language) -> None:
        self.edition, self.language = edition, language
        self.place = 0 if language == "en" else 1

    def lines(self) -> Iterator[str]:
        edition = self.edition
        title = (edition.title_en, edition.title_zh)[self.place]
        yield f"# {title} ({edition.rulebook})" if self.place == 0 else f"# {title}（{edition.rulebook}）"
        yield ""
        office_zh, _, office_en = edition.office.partition(" / ")
        yield self._named("office", (office_en, office_zh)[self.place])
        yield self._named("in_force", edition.in_force_from.isoformat())
        yield self._named("covers", HEADINGS["all" if covers_turns(edition) else "no_turns"][self.place])
        yield self._named("source", edition.source)
        for section in SECTIONS:
            yield from self._section(section)
        yield from self._clauses()

    def _named(self, heading: str, text: str) -> str:
        return f"- {HEADINGS[heading][self.place]}{(': ', '：')[self.place]}{text}"

    def _section(self, section: Section) -> Iterator[str]:
        """A section of what the edition has of it; nothing where it has nothing."""
        edition = self.edition
        parameters = [name for name in section.parameters if name in edition.parameters]
        tables = [name for name in section.tables if name in edition.tables]
        if not parameters and not tables:
            return
        yield from ("", f"## {section.title[self.place]}", "")
        for name in parameters:
            yield self._parameter(name)
        for index, name in enumerate(tables):
            if parameters or index:
                yield ""
            yield from (f"### {table_title(name, self.language)}", "")
            for row in edition.tables[name].rows:
                yield f"- {row_in_words(edition, name, row, self.language)}{cited(row.clauses, self.language)}"

    def _parameter(self, name: str) -> str:
        parameter, colon = self.edition.parameters[name], (": ", "：")[self.place]
        value = value_in_words(name, parameter.value, self.language)
        clauses = cited(parameter.clauses, self.language)
        return f"- **{capital(meaning(name, self.language))}** (`{name}`){colon}{value}{clauses}"

    def _clauses(self) -> Iterator[str]:
        clauses = list(self.edition.clauses.items())
        ours = [item for item in clauses if short(item[0]).startswith(OURS)]
        theirs = [item for item in clauses if item not in ours]
        for heading, some in (("clauses", theirs), ("ours", ours)):
            if some:
                yield from ("", f"## {HEADINGS[heading][self.place]}", "")
                yield from self._listed(some)

    def _listed(self, clauses: Sequence[tuple[str, Clause]]) -> Iterator[str]:
        for key, clause in clauses:
            colon, rules = (": ", "：")[self.place], ", ".join(clause.rules)
            of = f" {clause.source}" if not short(key).startswith(OURS) else ""
            where = f"`{short(key)}`{of}" + (f" ({rules})" if self.place == 0 else f"（{rules}）")
            yield f"- {where}{colon}{(clause.en, clause.zh)[self.place]}"


def table_title(name: str, language: Language) -> str:
    """What a table says, as a heading."""
    return capital(TABLES[name].en) if language == "en" else TABLES[name].zh
