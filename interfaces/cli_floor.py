"""`lunpai floor`: a reception desk works the turn queue from a terminal. Here: who is there, the order, discipline; and
the board."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import click
import msgspec
from rich.console import Console

from application.commands import Stamp
from application.desk import Answer
from application.sales_office import SalesOffice
from domain.calendar import day_of, end_of
from domain.record import Envelope
from domain.refusals import Refusal
from domain.rules.turn_vocabulary import AWAY, MISCONDUCTS, NOT_READY
from domain.sales_turn_queue import CHANNELS, QueueOpened

from .arguments import day_typed, instant, person, say, worded
from .cli_floor_told import told
from .cli_office import site_option, stamp
from .floor_board import board as read_board
from .floor_terminal import show_board
from .store import open_store

by_option = click.option("--by", metavar="NAME", required=True, help="Who does it: a name of the staff list.")
at_option = click.option(
    "--at",
    "when",
    metavar="TIME",
    help="When, site time: 10:02, or '2026-03-02 10:02'.  [default: now]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
day_option = click.option("--day", metavar="DAY", help="Of which day.  [default: today]")


class Desk(msgspec.Struct, frozen=True):
    """The office a command is for, and what every command of the floor takes."""

    office: SalesOffice
    language: Any
    when: str | None
    as_json: bool

    def stamp(self, by: str | None = None) -> Stamp:
        return stamp(self.office, by, self.when)

    def person(self, name: str) -> UUID:
        return person(self.office, name)

    def tell(self, *answers: Answer) -> None:
        """What came of commands: their facts for programs, a line and its effects for people."""
        facts = [e for answer in answers for e in answer.facts if not isinstance(e.fact, QueueOpened)]
        if self.as_json:
            click.echo(in_json({"position": max(a.position for a in answers), "facts": self._plain(facts)}))
            return
        for envelope in facts:
            for line in told(self.office, envelope, self.language):
                click.echo(line)

    def _plain(self, facts: Iterable[Envelope]) -> list[dict[str, Any]]:
        """Facts with names in place of the ids of staff."""
        names = {str(staff): self.office.files.staff_name(staff) for staff in self.office.files.site().staff}
        zone = self.office.files.site().zone
        return [
            {
                "fact": envelope.fact.stored_name,
                "position": envelope.position,
                "at": envelope.occurred_at.astimezone(zone),
                "edition": envelope.edition,
                **_named(msgspec.to_builtins(envelope.fact), names),
            }
            for envelope in facts
        ]


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _named(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


def in_json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def at_the_desk(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --site, --at and --json to a command and gives it the Desk they make."""

    def run(language: str, site: str | None, when: str | None, as_json: bool, **typed: Any) -> None:
        with open_store(say) as store:
            command(Desk(store.office(site), language, when, as_json), **typed)

    adorned: Any = click.pass_obj(functools.update_wrapper(run, command))
    for option in (json_option, at_option, site_option):
        adorned = option(adorned)
    return adorned


@click.group(short_help="The turn queue: who is there, whose turn it is, who receives, and why.")
def floor() -> None:
    """The turn queue of a site, worked by its reception desk: sign in, receive, finish; the board; and why.

    Staff go by name (or id), visitors by id, full name or phone (- asks for it unseen).
    """


# Attendance


@floor.command("sign-in")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@at_the_desk
def sign_in(desk: Desk, names: tuple[str, ...]) -> None:
    """Sign NAMEs in, in this order."""
    _each(desk, names, lambda stamp, who: desk.office.floor.sign_in(stamp, who=who))


@floor.command("sign-out")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@at_the_desk
def sign_out(desk: Desk, names: tuple[str, ...]) -> None:
    """Sign NAMEs out."""
    _each(desk, names, lambda stamp, who: desk.office.floor.sign_out(stamp, who=who))


def _each(desk: Desk, names: Iterable[str], carry_out: Callable[[Stamp, UUID], Answer]) -> None:
    """The command for everybody named; whoever is refused stops nobody else, and is named at the end."""
    people = {name: desk.person(name) for name in names}
    answers: list[Answer] = []
    refused: list[tuple[str, Refusal]] = []
    for name, who in people.items():
        stamp = desk.stamp()  # a --at that is no time is told once, not of everybody
        try:
            answers.append(carry_out(stamp, who))
        except Refusal as refusal:
            refused.append((name, refusal))
    if answers:
        desk.tell(*answers)
    if refused:
        details = [f"{name}: {refusal.detail}" if refusal.detail else name for name, refusal in refused]
        raise Refusal(refused[0][1].code, "; ".join(details))


@floor.command("step-out")
@click.argument("name")
@click.option("--for", "why", type=click.Choice(AWAY), required=True, help="What for.")
@at_the_desk
def step_out(desk: Desk, name: str, why: str) -> None:
    """NAME leaves the floor."""
    desk.tell(desk.office.floor.step_out(desk.stamp(), who=desk.person(name), why=why))


@floor.command("step-back")
@click.argument("name")
@at_the_desk
def step_back(desk: Desk, name: str) -> None:
    """NAME is back on the floor."""
    desk.tell(desk.office.floor.step_back(desk.stamp(), who=desk.person(name)))


@floor.command("not-ready")
@click.argument("name")
@click.option("--reason", type=click.Choice(NOT_READY), required=True, help="Why not.")
@at_the_desk
def not_ready(desk: Desk, name: str, reason: str) -> None:
    """NAME takes no turns until said to be ready."""
    desk.tell(desk.office.floor.change_readiness(desk.stamp(), who=desk.person(name), reason=reason))


@floor.command("ready")
@click.argument("name")
@at_the_desk
def ready(desk: Desk, name: str) -> None:
    """NAME takes turns again."""
    desk.tell(desk.office.floor.change_readiness(desk.stamp(), who=desk.person(name), reason=None))


@floor.command("permit")
@click.argument("name")
@click.option("--for", "what", type=click.Choice(["second_visitor", "giving_up"]), required=True, help="For what.")
@by_option
@at_the_desk
def permit(desk: Desk, name: str, what: str, by: str) -> None:
    """Leave for NAME to take a second visitor, or to give up a turn."""
    desk.tell(desk.office.floor.permit(desk.stamp(by), who=desk.person(name), what=what, by=desk.person(by)))


@floor.command("post")
@click.argument("name")
@click.argument("post", type=click.Choice(["A", "B"]))
@at_the_desk
def take_post(desk: Desk, name: str, post: str) -> None:
    """NAME takes post A (receives) or B (asks, stands ready)."""
    desk.tell(desk.office.floor.take_post(desk.stamp(), who=desk.person(name), post=post))


@floor.command("door")
@click.argument("name")
@at_the_desk
def door(desk: Desk, name: str) -> None:
    """NAME stands at the door from now on."""
    desk.tell(desk.office.floor.stand_at_the_door(desk.stamp(), who=desk.person(name)))


@floor.command("rank")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@by_option
@at_the_desk
def rank(desk: Desk, names: tuple[str, ...], by: str) -> None:
    """Put NAMEs in the order of a ranking."""
    order = [desk.person(name) for name in names]
    desk.tell(desk.office.floor.rank(desk.stamp(by), order=order, by=desk.person(by)))


@floor.command("day")
@click.argument("kind", type=click.Choice(["normal", "media"]))
@by_option
@at_the_desk
def declare_day(desk: Desk, kind: str, by: str) -> None:
    """Say what kind of day it is."""
    desk.tell(desk.office.floor.declare_day(desk.stamp(by), kind=kind, by=desk.person(by)))


# Giving up, discipline


@floor.command("give-up")
@click.argument("name")
@click.option("--channel", type=click.Choice(CHANNELS), required=True, help="The line whose turn it is.")
@at_the_desk
def give_up(desk: Desk, name: str, channel: str) -> None:
    """NAME, whose turn it is, gives it up."""
    desk.tell(desk.office.floor.give_up(desk.stamp(), who=desk.person(name), channel=channel))


@floor.command("warn")
@click.argument("name")
@by_option
@at_the_desk
def warn(desk: Desk, name: str, by: str) -> None:
    """Warn NAME."""
    desk.tell(desk.office.floor.warn(desk.stamp(by), who=desk.person(name), by=desk.person(by)))


@floor.command(
    "misconduct",
    short_help="Put misconduct of NAME on record.",
    help=f"Put misconduct of NAME on record. WHAT: {', '.join(MISCONDUCTS)}.",
)
@click.argument("name")
@click.argument("what", metavar="WHAT", type=click.Choice(MISCONDUCTS))
@by_option
@at_the_desk
def misconduct(desk: Desk, name: str, what: str, by: str) -> None:
    """Put misconduct of NAME on record."""
    who, manager = desk.person(name), desk.person(by)
    desk.tell(desk.office.floor.put_misconduct_on_record(desk.stamp(by), who=who, what=what, by=manager))


@floor.command("unreachable")
@click.argument("name")
@at_the_desk
def unreachable(desk: Desk, name: str) -> None:
    """NAME, who is away, could not be reached."""
    desk.tell(desk.office.floor.not_reached(desk.stamp(), who=desk.person(name)))


# The board


@floor.command("board", short_help="Both lines in order, who is next, what goes on.")
@day_option
@at_the_desk
def show(desk: Desk, day: str | None) -> None:
    """The board: both lines in order, who is next, what goes on; --at shows it as it stood then."""
    zone = desk.office.files.site().zone
    at = _as_of(desk.when, None if day is None else day_typed(day), zone)
    found = read_board(desk.office, at)
    if desk.as_json:
        click.echo(in_json(found))
    else:
        show_board(found, Console(), desk.language)


def _as_of(when: str | None, day: date | None, zone: Any) -> datetime:
    """Now; the end of a day that is over; or a time, of that day. Raises Refusal bad_value."""
    now = datetime.now(UTC)
    at = instant(when, zone, day) or now
    if day is None or day_of(at, zone) == day:
        return at
    if when is not None:
        raise Refusal("bad_value", worded(f"{when} does not lie on {day}", f"{when}不在{day}这一天"))
    if day > day_of(now, zone):
        raise Refusal("bad_time", worded(f"{day} is yet to come", f"{day}还没到"))
    return end_of(day, zone) - timedelta(microseconds=1)
