"""`lunpai rulebook`: what rulebooks there are, what they say, and whether a file of one's own is right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from application.rulebook_comparison import RuleLine, as_markdown, compare
from application.rulebook_page import explain_edition
from application.rulebooks import Shelf, read_edition
from domain.refusals import Refusal
from domain.rulebook import Edition

from .arguments import day_typed
from .replay_words import plain
from .rulebook_terminal import render
from .store import shelf


@click.group(short_help="List, show, check, explain and compare rulebooks.")
def rulebook() -> None:
    """Rulebooks: the offices' regulations as versioned data."""


@rulebook.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_rulebooks(language: str, as_json: bool) -> None:
    """All rulebooks at hand: those shipped, and folders in LUNPAI_HOME/rulebooks."""
    at_hand = shelf()
    rows = [(name, [edition for edition, _ in at_hand.editions(name)]) for name in at_hand.ids()]
    if as_json:
        listed = [{"rulebook": name, "editions": [_brief(edition) for edition in editions]} for name, editions in rows]
        click.echo(msgspec.json.format(msgspec.json.encode(listed), indent=2).decode())
        return
    heads = ("rulebook", "title", "editions", "source") if language == "en" else ("制度", "名称", "版本", "来源")
    table = Table(*(Column(head, overflow="fold") for head in heads), box=None)
    for name, editions in rows:
        last = editions[-1]
        title = last.title_en if language == "en" else last.title_zh
        table.add_row(name, title, ", ".join(str(edition.in_force_from) for edition in editions), last.source)
    Console().print(table)


@rulebook.command()
@click.argument("rulebook_id", metavar="RULEBOOK")
@click.option("--edition", "day", metavar="DAY", help="The edition in force on that day.  [default: the latest]")
@click.option("--json", "as_json", is_flag=True, help="For programs: parameters, tables and clauses.")
def show(rulebook_id: str, day: str | None, as_json: bool) -> None:
    """An edition as it is written (RULEBOOK: an id, or a path to a file)."""
    edition, text = shelf().edition(rulebook_id, _day(day))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(edition), indent=2).decode())
    else:
        click.echo(text.rstrip("\n"))


@rulebook.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check edition FILES: form, vocabulary, citations, and that every case meets exactly one row.

    Prints a line for each file; the status is 0 only when all are right. A folder `<id>/` is checked whole, the
    order of its editions included.
    """
    from application.yaml_files import FileProblem

    wrong = 0
    for path in files:
        try:
            if path.is_dir():
                editions = Shelf(path.resolve().parent).editions(path.resolve().name)
                click.echo(f"ok  {path}: {', '.join(edition.label for edition, _ in editions)}")
                continue
            edition, _ = read_edition(path)
            click.echo(f"ok  {path}: {edition.label}, {len(edition.clauses)} clauses, {len(edition.tables)} tables")
        except (FileProblem, Refusal) as problem:
            wrong += 1
            click.echo(f"bad {problem}")
    if wrong:
        raise click.exceptions.Exit(1)


@rulebook.command()
@click.argument("rulebook_id", metavar="RULEBOOK")
@click.option("--edition", "day", metavar="DAY", help="The edition in force on that day.  [default: the latest]")
@click.pass_obj
def explain(language: str, rulebook_id: str, day: str | None) -> None:
    """A rulebook as a page (Markdown) that an office manager can read; --language zh for Chinese."""
    edition, _ = shelf().edition(rulebook_id, _day(day))
    _page(explain_edition(edition, language))  # type: ignore[arg-type]


@rulebook.command("compare")
@click.argument("rulebook_ids", metavar="[RULEBOOK]...", nargs=-1)
@click.option("--rule", "rules", metavar="NO", multiple=True, help="A rule such as T19; may be repeated.")
@click.option("--language", "spoken", type=click.Choice(["en", "zh"]), help="[default: that of lunpai]")
@click.option("--json", "as_json", is_flag=True, help="For programs: codes and both languages.")
@click.option("--markdown", is_flag=True, help="As a page, such as docs/rulebooks.md.")
@click.pass_obj
def compare_rulebooks(
    language: str,
    rulebook_ids: tuple[str, ...],
    rules: tuple[str, ...],
    spoken: str | None,
    as_json: bool,
    markdown: bool,
) -> None:
    """Rulebooks side by side, rule by rule: the clauses that stand for it, and what rests on them.

    RULEBOOK: ids, or paths to files; without any, all that are shipped. The latest edition of each is taken.
    """
    if as_json and markdown:
        raise click.UsageError("one of --json and --markdown, not both")
    at_hand = shelf()
    editions = [at_hand.edition(name)[0] for name in dict.fromkeys(rulebook_ids)] or list(Shelf().all())
    lines = compare(editions, rules)
    tongue = spoken or language
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_compared(editions, lines)), indent=2).decode())
    elif markdown:
        _page(as_markdown(editions, lines, tongue))  # type: ignore[arg-type]
    else:
        render(lines, Console(), tongue)  # type: ignore[arg-type]


def _compared(editions: Sequence[Edition], lines: Sequence[RuleLine]) -> dict[str, object]:
    rulebooks = [{"rulebook": edition.rulebook, **_brief(edition)} for edition in editions]
    return {"rulebooks": rulebooks, "rules": lines}


def _page(text: str) -> None:
    """Print a page, of which no line steers the terminal."""
    click.echo("\n".join(map(plain, text.split("\n"))))


def _brief(edition: Edition) -> dict[str, str]:
    return {
        "in_force_from": edition.in_force_from.isoformat(),
        "title_en": edition.title_en,
        "title_zh": edition.title_zh,
        "source": edition.source,
        "sha256": edition.sha256,
    }


def _day(text: str | None) -> date | None:
    return None if text is None else day_typed(text)
