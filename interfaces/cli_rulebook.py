"""`lunpai rulebook`: what rulebooks there are, what they say, and whether a file of one's own is right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from application.rulebook_page import explain_edition
from application.rulebooks import read_edition
from domain.refusals import Refusal
from domain.rulebook import Edition

from .store import shelf


@click.group(short_help="List, show, check and explain rulebooks.")
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
    table = Table(*heads, box=None)
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
    from application.rulebooks import Shelf
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
    click.echo(explain_edition(edition, language))  # type: ignore[arg-type]


def _brief(edition: Edition) -> dict[str, str]:
    return {
        "in_force_from": edition.in_force_from.isoformat(),
        "title_en": edition.title_en,
        "title_zh": edition.title_zh,
        "source": edition.source,
        "sha256": edition.sha256,
    }


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Refusal("bad_value", f"{text!r} is not a day such as 2026-03-01") from None
