"""`lunpai floor`, receptions: the desk calls for a consultant, and puts on record what becomes of it; and why it went
to whom it went."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import click
from rich.console import Console

from application.commands import Stamp
from application.desk import Answer
from application.privacy import clean_text
from application.replay.matter import find_matter
from domain.calendar import day_of
from domain.rules.turn_vocabulary import PURPOSES
from domain.sales_turn_queue import CHANNELS, ReceptionOpened, queue_id
from domain.visitor import Entry

from .arguments import day_typed, say, unseen
from .cli_floor import Desk, at_the_desk, by_option, day_option, floor, in_json
from .cli_office import site_option
from .floor_sentences import FloorInWords
from .floor_terminal import show_why
from .floor_why import lately
from .floor_why import why as read_why
from .store import open_store

__all__ = ["floor"]

Carry = Callable[[Stamp, str], Answer]
purpose_option = click.option(
    "--purpose",
    metavar="PURPOSE",
    type=click.Choice(PURPOSES),
    help=f"What the visitor came for: {', '.join(PURPOSES)}.  [default: buy]",
)


def _entry(desk: Desk, text: str | None) -> Entry | None:
    return None if text is None else find_matter(desk.office, text).entry


def _known(desk: Desk, text: str) -> Entry:
    return find_matter(desk.office, text).entry


def _person(desk: Desk, name: str | None) -> UUID | None:
    return None if name is None else desk.person(name)


def _tell(desk: Desk, answer: Answer, label: str) -> None:
    """What the command has brought about: the reception as `why` reads it, or its last step in words."""
    (own,) = (e for e in answer.facts if getattr(e.fact, "reception", None) == label)
    day = day_of(own.occurred_at, desk.office.files.site().zone)
    if own.stream != queue_id(desk.office.site_id, day):
        day -= timedelta(days=1)  # it went on past midnight
    found = read_why(desk.office, label, day)
    if desk.as_json:
        click.echo(in_json(found))
        return
    said, step = FloorInWords(desk.language, found.day), found.steps[-1]
    click.echo(f"{label}{': ' if said.english else '：'}{said.step(step)}")
    if passed := said.passed_over(step):
        click.echo(f"  {passed}")
    if step.choice is not None and step.choice.staff is None:
        click.echo(f"  {said.label('receive_anew')}")
    if step.what == "opened":
        if step.joined:
            click.echo(f"  {said.label('helping', who=said.listed(step.joined))}")
        return
    for line in said.effect_lines(step):
        click.echo(f"  {line}")


@floor.command("receive", short_help="Somebody came or called: who receives, and why.")
@click.argument("label", required=False)
@click.option("--channel", type=click.Choice(CHANNELS), required=True, help="Whether somebody came or called.")
@click.option("--phone", metavar="PHONE", callback=unseen, help="The phone number; - asks for it unseen.")
@click.option("--name", "visitors_name", metavar="NAME", help="The visitor's name; it helps to find the phone's entry.")
@click.option("--visitor", metavar="VISITOR", callback=unseen, help="Who it is, where the desk knows (- unseen).")
@click.option("--asks-for", metavar="NAME", help="Whom of the staff the visitor asks for.")
@click.option("--describes", metavar="NAME", help="Whom of the staff the visitor's description fits.")
@click.option("--invited-by", metavar="NAME", help="Who of the staff invited the visitor.")
@click.option("--brought-by", metavar="VISITOR", callback=unseen, help="The client who brought the visitor (- unseen).")
@purpose_option
@click.option("--appointment", is_flag=True, help="The visitor has an appointment.")
@click.option("--party", type=click.IntRange(min=1), default=1, show_default=True, help="How many persons came.")
@at_the_desk
def receive(
    desk: Desk,
    label: str | None,
    visitors_name: str | None,
    visitor: str | None,
    brought_by: str | None,
    asks_for: str | None,
    describes: str | None,
    invited_by: str | None,
    **told: Any,
) -> None:
    """Somebody came or called: who receives, because of what, and who was passed over.

    LABEL names the reception from now on.  [default: the day's next number, r1, r2, ...]
    """
    known: dict[str, Any] = {
        "visitor": _entry(desk, visitor),
        "brought_by": _entry(desk, brought_by),
        "asks_for": _person(desk, asks_for),
        "describes": _person(desk, describes),
        "invited_by": _person(desk, invited_by),
    }
    called = clean_text(label, "reception") if label else None
    answer = desk.office.floor.receive(desk.stamp(), reception=called, name=visitors_name, **known, **told)
    _tell(desk, answer, called or _opened(answer))


def _opened(answer: Answer) -> str:
    (opened,) = (e.fact for e in answer.facts if isinstance(e.fact, ReceptionOpened))
    return opened.reception


def _at(desk: Desk, label: str, carry_out: Carry, by: str | None = None) -> None:
    label = clean_text(label, "reception")
    _tell(desk, carry_out(desk.stamp(by), label), label)


@floor.command("absent")
@click.argument("label")
@at_the_desk
def absent(desk: Desk, label: str) -> None:
    """The one called for reception LABEL did not come; the next is called."""
    _at(desk, label, lambda stamp, label: desk.office.floor.absent(stamp, reception=label))


@floor.command("recognise")
@click.argument("label")
@click.argument("visitor", callback=unseen)
@at_the_desk
def recognise(desk: Desk, label: str, visitor: str) -> None:
    """The one being received under LABEL turns out to be VISITOR."""
    entry = _known(desk, visitor)
    _at(desk, label, lambda stamp, label: desk.office.floor.recognise(stamp, reception=label, visitor=entry))


@floor.command("hand-over", short_help="NAME receives under LABEL from now on.")
@click.argument("label")
@click.argument("name")
@by_option
@at_the_desk
def hand_over(desk: Desk, label: str, name: str, by: str) -> None:
    """NAME receives under LABEL from now on, as the owner, a manager or a supervisor says."""
    to, who = desk.person(name), desk.person(by)
    _at(desk, label, lambda stamp, label: desk.office.floor.hand_over(stamp, reception=label, to=to, by=who), by)


@floor.command("help-with")
@click.argument("label")
@click.argument("name")
@at_the_desk
def help_with(desk: Desk, label: str, name: str) -> None:
    """NAME joins reception LABEL."""
    who = desk.person(name)
    _at(desk, label, lambda stamp, label: desk.office.floor.help_with(stamp, reception=label, who=who))


@floor.command("unanswered")
@click.argument("label")
@at_the_desk
def unanswered(desk: Desk, label: str) -> None:
    """Nobody answered the call LABEL."""
    _at(desk, label, lambda stamp, label: desk.office.floor.unanswered(stamp, reception=label))


@floor.command("finish", short_help="Reception LABEL is over; whether it counts as a turn.")
@click.argument("label")
@click.option("--visitor", metavar="VISITOR", callback=unseen, help="Who it was, on the register (- asks unseen).")
@purpose_option
@at_the_desk
def finish(desk: Desk, label: str, visitor: str | None, purpose: str | None) -> None:
    """Reception LABEL is over; says whether it counts as a turn, and why."""
    entry = _entry(desk, visitor)

    def carry_out(stamp: Stamp, label: str) -> Answer:
        return desk.office.floor.finish(stamp, reception=label, visitor=entry, purpose=purpose)

    _at(desk, label, carry_out)


@floor.command("entrust")
@click.argument("visitor", callback=unseen)
@click.argument("name")
@by_option
@at_the_desk
def entrust(desk: Desk, visitor: str, name: str, by: str) -> None:
    """NAME looks after VISITOR, as the owner asks."""
    to, owner = desk.person(name), desk.person(by)
    answer = desk.office.floor.entrust(desk.stamp(by), visitor=_known(desk, visitor), to=to, by=owner)
    if desk.as_json:
        return desk.tell(answer)
    files = desk.office.files
    said = FloorInWords(desk.language, desk.stamp().at.date())
    click.echo(said.label("entrusted_now", who=files.staff_name(to), by=files.staff_name(owner)))


@floor.command("why", short_help="Why reception LABEL went to whom it went, and what followed.")
@click.argument("label")
@site_option
@day_option
@click.option("--json", "as_json", is_flag=True, help="For programs: codes, every step, every clause cited.")
@click.pass_obj
def why(language: Any, label: str, site: str | None, day: str | None, as_json: bool) -> None:
    """Why reception LABEL went to whom it went: the line, who was passed over, the clauses - and what followed."""
    with open_store(say) as store:
        office, label = store.office(site), clean_text(label, "reception")
        if day is not None:
            found = read_why(office, label, day_typed(day))
        else:
            found = lately(office, label, day_of(datetime.now(UTC), office.files.site().zone))
    if as_json:
        click.echo(in_json(found))
    else:
        show_why(found, Console(), language)
