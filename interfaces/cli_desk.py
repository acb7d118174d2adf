"""What a desk and a manager put on record day by day: staff, registrations, follow-ups, relations, sales, rulebooks."""

from __future__ import annotations

import click

from application.desk import Answer
from application.privacy import clean_name
from application.replay.wording import GROUND
from application.sales_office import SalesOffice
from domain.refusals import Refusal
from domain.rules.vocabulary import RELATIONS, VIAS
from domain.sale import parse_amount
from domain.site import ROLES
from domain.visitor import HOWS

from .arguments import amendments, asked_unseen, person, say, worded
from .cli_office import site_option, stamp
from .store import open_store

by_option = click.option("--by", metavar="NAME", required=True, help="Who does it: a name of the staff list.")
at_option = click.option("--at", "when", metavar="TIME", help="When it happened, site time.  [default: now]")


@click.command(short_help="Put somebody on the staff list.")
@click.argument("name")
@site_option
@click.option("--role", type=click.Choice(ROLES), default="consultant", show_default=True)
@click.option("--team", metavar="TEAM", help="The team, where the rulebook has lines by team.")
@click.option("--namesake", is_flag=True, help="Another person of a name that is on the list already.")
def enrol(name: str, site: str | None, role: str, team: str | None, namesake: bool) -> None:
    """Put NAME on the staff list of a site."""
    with open_store(say) as store:
        office = store.office(site)
        if not namesake and office.files.staff_by_name().get(clean_name(name)):
            detail = worded(
                f"{name} is on the staff list; --namesake enrols another person of that name",
                f"{name}已在名单上；另有其人请加--namesake",
            )
            raise Refusal("wrong_state", detail)
        office.enrol_staff(stamp(office, None, None), name=name, role=role, team=team)
    click.echo(worded(f"{name} is on the staff list: {role}", f"{name}已列入名单：{role}"))


@click.command(short_help="Enter a visitor in the public register.")
@click.argument("name")
@site_option
@by_option
@click.option("--phone", metavar="PHONE", help="The phone number; - asks for it unseen. Without one there is no claim.")
@click.option("--via", type=click.Choice(VIAS), default="visit", show_default=True)
@click.option("--number", metavar="NO", help="The number in the public register.")
@at_option
@click.pass_obj
def register(
    language: str,
    name: str,
    site: str | None,
    by: str,
    phone: str | None,
    via: str,
    number: str | None,
    when: str | None,
) -> None:
    """Enter the visitor NAME in the public register; answers who owns the visitor, why, and until when."""
    if phone == "-":
        phone = asked_unseen("phone")
    with open_store(say) as store:
        office = store.office(site)
        answer = office.register(
            stamp(office, by, when), by=person(office, by), name=name, phone=phone, via=via, number=number
        )
        _tell(office, answer, language)


@click.command("follow-up", short_help="Put a follow-up on record.")
@click.argument("visitor")
@site_option
@by_option
@click.option("--how", type=click.Choice(HOWS), default="call", show_default=True)
@at_option
@click.pass_obj
def follow_up(language: str, visitor: str, site: str | None, by: str, how: str, when: str | None) -> None:
    """Put a follow-up of VISITOR (id, full name or phone; - asks for it unseen) on record."""
    with open_store(say) as store:
        office, matter = store.matter(site, _unseen(visitor))
        answer = office.follow_up(stamp(office, by, when), entry=matter.entry, by=person(office, by), how=how)
        _tell(office, answer, language)


@click.command(short_help="Put a relation between two visitors on record.")
@click.argument("visitor")
@click.argument("relation", type=click.Choice(RELATIONS))
@click.argument("to")
@site_option
@by_option
@click.option("--unproven", is_flag=True, help="It is said, but not proven.")
@click.pass_obj
def relate(language: str, visitor: str, relation: str, to: str, site: str | None, by: str, unproven: bool) -> None:
    """Put on record that VISITOR is the spouse (parent, child, ...) of TO."""
    with open_store(say) as store:
        office, one = store.matter(site, _unseen(visitor))
        _, other = store.matter(office.files.site().name, _unseen(to))
        answer = office.relate(
            stamp(office, by, None), visitor=one.entry, to=other.entry, relation=relation, proven=not unproven
        )
        _tell(office, answer, language)


@click.command(short_help="Put a sale on record.")
@click.argument("visitor")
@site_option
@click.option("--by", metavar="NAME", multiple=True, required=True, help="Who closed it; may be repeated.")
@click.option("--amount", metavar="YUAN", required=True, help="The commission to share.")
@click.option("--unit", metavar="UNIT", help="What was sold; a unit is sold once.")
@click.option("--buyer", metavar="NAME", help="The buyer, when another than the visitor.")
@at_option
@click.pass_obj
def sell(
    language: str,
    visitor: str,
    site: str | None,
    by: tuple[str, ...],
    amount: str,
    unit: str | None,
    buyer: str | None,
    when: str | None,
) -> None:
    """Put a sale to VISITOR (id, full name or phone; - asks for it unseen) on record; answers with the shares."""
    with open_store(say) as store:
        office, matter = store.matter(site, _unseen(visitor))
        answer = office.sell(
            stamp(office, by[0], when),
            entry=matter.entry,
            by=[person(office, name) for name in by],
            amount=parse_amount(amount),
            unit=unit,
            buyer=buyer,
        )
        _tell(office, answer, language)
        if answer.settlement is not None:
            for staff, share in answer.settlement.shares.items():
                paid = f"{office.files.staff_name(staff)} {share} = {answer.settlement.amounts[staff]}"
                click.echo(worded(f"  commission: {paid} yuan", f"  佣金：{paid}元"))


@click.command(short_help="Put a rulebook, or changed parameters, in force.")
@click.argument("rulebook", required=False)
@site_option
@click.option("--by", metavar="NAME", required=True, help="The manager who adopts it.")
@click.option("--amend", metavar="KEY=VALUE", multiple=True, help="A parameter changed; may be repeated.")
@at_option
def adopt(rulebook: str | None, site: str | None, by: str, amend: tuple[str, ...], when: str | None) -> None:
    """Put RULEBOOK (an id or a file) in force from now on; without it, the present one with --amend."""
    if rulebook is None and not amend:
        raise Refusal(
            "bad_value", worded("name a rulebook, or what to --amend", "请写明制度，或用--amend写明要改的参数")
        )
    with open_store(say) as store:
        office = store.office(site)
        manager = person(office, by)
        office.adopt(stamp(office, by, when), rulebook=rulebook, amend=amendments(amend), by=manager)
        label = office.files.editions().in_force[-1].edition.label
        click.echo(worded(f"in force: {label}", f"现行制度：{label}"))


def _unseen(text: str) -> str:
    return asked_unseen("visitor") if text == "-" else text


def _tell(office: SalesOffice, answer: Answer, language: str) -> None:
    """Who owns the visitor after the command, on what ground, until when, by which clauses."""
    found = answer.attribution
    if found is None:
        return
    english = language == "en"
    owner = office.files.staff_name(found.owner) if found.owner else ("nobody" if english else "无人")
    ground = GROUND[found.ground][0 if english else 1]
    until = ""
    if found.owner is not None and found.until is None:
        until = " without limit" if english else "不限期"
    elif found.owner is not None:
        until = f" until {found.until}" if english else f"至{found.until}"
    clauses = ", ".join(clause.partition("/")[2] for clause in found.clauses)
    words = f"owner: {owner} ({ground}){until}" if english else f"归属：{owner}（{ground}）{until}"
    click.echo(f"{words} [{clauses}]")
    click.echo(f"visitor: {found.entry.visitor}" if english else f"客户编号：{found.entry.visitor}")


COMMANDS = (enrol, register, follow_up, relate, sell, adopt)
