"""`lunpai simulate`: what a rulebook comes to on a made-up floor, in turns, waits and make-ups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from application.simulation import UnexpectedRefusal, simulate
from application.simulation_office import ZONE
from application.simulation_report import PersonReport, Report, Simulated
from application.simulation_script import MOST_DAYS, MOST_STAFF, MOST_VISITORS, Plan

from . import simulation_words as wording
from .arguments import amendments, progress_bar, say, worded
from .simulation_chart import draw
from .simulation_words import sentence, words
from .store import scratch_store


@click.command("simulate", short_help="Play a rulebook on a made-up floor: who gets how many turns?")
@click.argument("rulebook")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), required=True, metavar="N", help="Business days to play.")
@click.option(
    "--staff", type=click.IntRange(2, MOST_STAFF), required=True, metavar="N", help="Consultants on the staff list."
)
@click.option("--seed", type=int, required=True, metavar="S", help="Brings the same people and events every time.")
@click.option(
    "--visitors",
    type=click.IntRange(0, MOST_VISITORS),
    default=8,
    show_default=True,
    metavar="N",
    help="Visitors a day for each consultant on the staff list, calls included.",
)
@click.option("--plain", is_flag=True, help="Everybody is there all day; every visitor is new, anonymous, soon gone.")
@click.option(
    "--store",
    type=click.Choice(["memory", "postgres"]),
    default="memory",
    show_default=True,
    help="Where the facts go; postgres uses a scratch schema that is dropped afterwards.",
)
@click.option("--amend", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a parameter for this run.")
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw everybody's turns over time."
)
@click.option("--json", "as_json", is_flag=True, help="For programs: codes, and every day's largest lead.")
@click.pass_obj
def simulate_command(
    language: str,
    rulebook: str,
    days: int,
    staff: int,
    seed: int,
    visitors: int,
    plain: bool,
    store: str,
    pairs: Sequence[str],
    svg: Path | None,
    as_json: bool,
) -> None:
    """Play RULEBOOK (an id, or a path to a file) on a made-up floor, through the office's own commands.

    People sign in, late or not, step out and come back; visitors come and call, return, ask for somebody, turn out to
    be no buyers, wait when nobody is free. Who receives and what that counts is up to the rulebook. Nobody exists;
    the same seed brings the same visitors under every rulebook, so that two can be compared.
    """
    plan = Plan(
        rulebook=rulebook,
        days=days,
        staff=staff,
        seed=seed,
        visitors=visitors,
        plain=plain,
        amend=amendments(pairs),
    )
    if svg is not None:
        svg.touch()  # a path that is no good is known before anything is played
    simulated = _played(plan, store, language)
    if svg is not None:
        svg.write_text(draw(simulated, ZONE, language), encoding="utf-8")
        say(worded(f"written: {svg}", f"已写入：{svg}"))
    report = simulated.report
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        _Printer(report, language).print()
    if not report.make_ups_hold:
        raise click.exceptions.Exit(1)


def _played(plan: Plan, store: str, language: str) -> Simulated:
    with scratch_store(store, say) as opened, progress_bar("days") as bar:
        task = bar.add_task("", total=plan.days)
        began = perf_counter()
        try:
            simulated = simulate(
                plan, opened.record, opened.keyring, opened.shelf, lambda days: bar.update(task, completed=days)
            )
        except UnexpectedRefusal as error:
            raise click.ClickException(str(error)) from None
        seconds = perf_counter() - began
    report = simulated.report
    rate = report.commands / seconds if seconds else 0.0
    counts = {"days": plan.days, "receptions": report.received, "commands": report.commands}
    say(sentence("speed", language, seconds=seconds, rate=rate, **counts))
    return simulated


class _Printer:
    def __init__(self, report: Report, language: str) -> None:
        self.report, self.language, self.console = report, language, Console()

    def print(self) -> None:
        report = self.report
        about = {"rulebook": report.rulebook, "days": report.days, "staff": report.staff, "seed": report.seed}
        self._line("title" if report.days > 1 else "title_of_one_day", style="bold", **about)
        days: dict[str, Any] = {"first_day": report.first_day, "last_day": report.last_day}
        self._line("edition", edition=report.edition, visitors=report.visitors, **days)
        if report.amend:
            self._line("amended", amend=self._joined([f"{name}={value}" for name, value in report.amend.items()]))
        if report.plain:
            self._line("plain")
        self._turns()
        self._counts("receptions", wording.BECAUSE, lambda person: person.receptions)
        self._counts("passed_over", wording.REASONS, lambda person: person.passed_over)
        self._heading("over_all")
        self._over_all()

    def _line(self, code: str, style: str = "", **values: object) -> None:
        self.console.print(Text(sentence(code, self.language, **values), style))

    def _heading(self, code: str) -> None:
        self.console.print()
        self.console.print(Text(words(wording.HEADINGS[code], self.language), "bold"))

    def _joined(self, parts: Sequence[str]) -> str:
        return words(wording.BETWEEN, self.language).join(parts) or sentence("none", self.language)

    # Tables

    def _table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        table = Table(
            box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1 if self.console.width >= 100 else 0, 0, 0)
        )
        for place, heading in enumerate(columns):
            table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold", no_wrap=place == 0)
        for row in rows:
            table.add_row(*map(str, row))
        self.console.print(table)

    def _column(self, code: str) -> str:
        return words(wording.COLUMNS[code], self.language)

    def _turns(self) -> None:
        self._heading("turns")
        codes = ["name", "days_present", "visit", "call", "turns_per_day_present", "granted", "served", "owed"]
        codes += ["fines_yuan", "warnings", "suspended_days"]
        rows = [
            (p.name, p.days_present, p.turns["visit"], p.turns["call"], f"{p.turns_per_day_present:.2f}",
             p.make_ups.granted, p.make_ups.served, p.make_ups.owed, p.fines_yuan, p.warnings, p.suspended_days)
            for p in self.report.consultants
        ]  # fmt: skip
        self._table([self._column(code) for code in codes], rows)

    def _counts(
        self, heading: str, codes: dict[str, tuple[str, str]], counts: Callable[[PersonReport], dict[str, int]]
    ) -> None:
        """A row for everybody, a column for every code that occurs."""
        people = self.report.consultants
        found = [code for code in codes if any(code in counts(person) for person in people)]
        found += sorted({code for person in people for code in counts(person)} - set(found))
        if not found:
            return
        self._heading(heading)
        headings = [words(codes.get(code, (code, code)), self.language) for code in found]
        rows = [
            (person.name, *(counts(person).get(code, 0) for code in found), sum(counts(person).values()))
            for person in people
        ]
        self._table([self._column("name"), *headings, self._column("all")], rows)

    # Over all

    def _over_all(self) -> None:
        report, language = self.report, self.language
        came: dict[str, Any] = {"came": report.came, "received": report.received}
        self._line("came", not_received=report.not_received, unanswered=report.unanswered, **came)
        self._line("waits", **msgspec.structs.asdict(report.waits))
        named = [f"{words(wording.BECAUSE[why], language)} {number}" for why, number in report.receptions.items()]
        self._line("receptions", counts=self._joined(named))
        self._lead()
        holds = "make_ups" if report.make_ups_hold else "make_ups_lost"
        self._line(holds, **msgspec.structs.asdict(report.make_ups))
        refused = [f"{code} {number}" for code, number in report.refusals.items()]
        self._line("refusals", counts=self._joined(refused))

    def _lead(self) -> None:
        lead, leads = self.report.largest_lead, self.report.leads
        if lead is None:
            self._line("no_lead")
            return
        self._line(
            "lead",
            turns=lead.turns,
            ahead=lead.ahead,
            behind=lead.behind,
            line=words(wording.LINES_OF[lead.line], self.language),
            at=f"{lead.at.astimezone(ZONE):%Y-%m-%d %H:%M}",
            mean=f"{sum(one.turns for one in leads) / self.report.days:.1f}",
        )
