"""A morning at the desk, with the generated client: who is here, somebody comes, a visitor is registered.

    LUNPAI=http://127.0.0.1:8080 LUNPAI_KEY=$(lunpai key issue 陈经理) python morning.py 林芳 13900000001

`make client` makes the package `lunpai_client` beside this file. The key is one of the desk's or of a leader's."""

from __future__ import annotations

import os
import sys
from typing import TypeVar
from uuid import UUID, uuid4

from lunpai_client import AuthenticatedClient
from lunpai_client.api.office import list_sites, list_staff
from lunpai_client.api.queue import show_board, sign_in
from lunpai_client.api.receptions import finish, receive
from lunpai_client.api.visitors import register
from lunpai_client.models import Arrival, ArrivalChannel, End, ProblemLine, Register, Visitor, Who

T = TypeVar("T")


def told(answer: T | ProblemLine | None) -> T:
    """The answer; the program ends where it is a problem."""
    if answer is None or isinstance(answer, ProblemLine):
        sys.exit(f"{answer.code}: {answer.title}" if answer else "no answer that the document knows")
    return answer


def name() -> str:
    """A name for a command of its own. To send one again after a lost answer, send it under its old name."""
    return uuid4().hex


def morning(client: AuthenticatedClient, consultant: str, phone: str) -> None:
    site = told(list_sites.sync(client=client)).sites[0]
    staff = {member.name: member.staff for member in told(list_staff.sync(site.site, client=client)).staff}
    who = staff[consultant]

    here = told(sign_in.sync(site.site, client=client, body=Who(who=who), idempotency_key=name()))
    print(f"{consultant} is here (position {here.position})")

    arrival = Arrival(channel=ArrivalChannel.VISIT, asks_for=who)
    came = told(receive.sync(site.site, client=client, body=arrival, idempotency_key=name()))
    assert came.reception is not None
    board = told(show_board.sync(site.site, client=client, min_position=came.position))
    open_ = next(one for one in board.receptions if one.reception == came.reception)
    print(f"{came.reception}: {open_.receiver} receives, because {open_.because}")

    body = Register(phone=phone, name="赵强", by=who)
    known = told(register.sync(site.site, client=client, body=body, idempotency_key=name()))
    assert known.attribution is not None and known.visitor is not None
    print(f"{known.attribution.owner} owns the visitor until {known.attribution.until}")

    end = End(visitor=Visitor(visitor=UUID(str(known.visitor.visitor)), registration=known.visitor.registration))
    over = told(finish.sync(site.site, came.reception, client=client, body=end, idempotency_key=name()))
    print("cited:", ", ".join(sorted({rule for clause in over.clauses for rule in clause.rules})))


if __name__ == "__main__":
    with AuthenticatedClient(base_url=os.environ["LUNPAI"], token=os.environ["LUNPAI_KEY"]) as opened:
        morning(opened, *sys.argv[1:3])
