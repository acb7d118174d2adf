"""Who asks, and for what: every request is let in, or not, before anything of it is looked at.

In this order: a valid key; the site of that key; the member of staff it acts for, by the staff list as it is now; the
action by the table of rights; and only then the body."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import Request, g, request

from application.access import Grant, granted, permits
from application.access_keys import Gate
from application.commands import Stamp
from application.sales_office import SalesOffice
from domain.access import Key
from domain.refusals import Refusal
from domain.site import Member
from domain.visitor import Moment

from ..store import Store
from .bodies import check_text, read_body
from .errors import Problem

COMMANDS = uuid.UUID("d7f0a6d2-52b1-5b0e-9d3c-0f4f6f0f8a11")
"""Under which the command ids that come of Idempotency-Key are made. It belongs to history: never change it."""

Whose = Callable[..., bool]
"""(caller, given, **parts of the path) -> whether what is asked is the caller's own."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The one who asks. `content` is what a repeated command is known by; `instead_of`: If-Match, as a position."""

    office: SalesOffice
    key: Key
    member: Member
    grant: Grant
    command_id: UUID | None = None
    content: str | None = None
    instead_of: int | None = None

    @property
    def staff(self) -> UUID:
        return self.member.staff

    def stamp(self, given: Mapping[str, Any]) -> Stamp:
        """The stamp of this command: given by the key's member of staff, whatever the body says."""
        assert self.command_id is not None
        at: datetime | None = given.get("at")
        return Stamp(
            actor=self.staff,
            at=at or self.now(),
            at_given=at is not None,
            command_id=self.command_id,
            content=self.content,
        )

    def now(self) -> datetime:
        return datetime.now(UTC)

    def moment(self) -> Moment:
        now = self.office.now()
        return Moment(now, now)

    def by(self, given: Mapping[str, Any], name: str = "by") -> UUID:
        """Of whom something is told: the one named, else the caller."""
        return given.get(name) or self.staff

    def require(self, whose: Whose | None, given: Mapping[str, Any], path: Mapping[str, Any]) -> None:
        """Raises Problem access_denied where only one's own is granted and this is not."""
        own = self.grant == "own" and whose is not None and whose(self, given, **path)
        if not permits(self.grant, own=own):
            raise Problem("access_denied", "this is somebody else's")


class Doorkeeper:
    """Lets requests in. Each thread keeps what it has read of sites and keys, and reads on from there."""

    def __init__(self, store: Store, policies: Mapping[str, str]) -> None:
        self.store, self.policies = store, policies
        self._own = threading.local()

    def _gate(self) -> Gate:
        if not hasattr(self._own, "gate"):
            self._own.gate, self._own.offices = Gate(self.store.record), {}
        return self._own.gate

    def _office(self, site: UUID) -> SalesOffice:
        offices: dict[UUID, SalesOffice] = self._own.offices
        if site not in offices:
            offices[site] = SalesOffice(self.store.record, self.store.keyring, self.store.shelf, site)
        return offices[site]

    def let_in(self, action: str) -> Caller:
        """Raises Problem unauthenticated, access_denied, and what a bad body raises; Refusal unknown_site."""
        site, key = self._whose(request)
        g.key_id = key.id
        if (request.view_args or {}).get("site", site) != site:
            raise Refusal("unknown_site")
        office = self._office(site)
        member = office.files.site().staff.get(key.staff)
        if member is None or member.departed:
            raise Problem("unauthenticated")
        grant = granted(action, member.role, key.scopes)
        if grant is None:
            raise Problem("access_denied")
        return Caller(office=office, key=key, member=member, grant=grant)

    def _whose(self, request: Request) -> tuple[UUID, Key]:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        found = self._gate().whose(shown.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Problem("unauthenticated")
        return found


def with_body(caller: Caller) -> Caller:
    """The caller of a question or command that comes with a body; a command has an id and a content."""
    g.body = read_body(request)
    return caller


def with_command(caller: Caller) -> Caller:
    """The caller of a command. Raises Problem idempotency_key_missing, idempotency_key_malformed, bad_precondition."""
    shown = request.headers.get("Idempotency-Key")
    if shown is None:
        raise Problem("idempotency_key_missing")
    name = shown.strip().removeprefix('"').removesuffix('"')
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", name):
        raise Problem("idempotency_key_malformed")
    if request.args:
        raise Problem("bad_fields", errors={"query": {name: ["Unknown field."] for name in request.args}})
    with_body(caller)
    condition = request.headers.get("If-Match", "")
    content = json.dumps([request.path, g.body, condition], sort_keys=True, ensure_ascii=False)
    return msgspec.structs.replace(
        caller,
        command_id=uuid.uuid5(COMMANDS, f"{caller.key.id} {name}"),
        content=content,
        instead_of=_instead_of(condition),
    )


def _instead_of(condition: str) -> int | None:
    if condition in ("", "*"):
        return None
    found = re.fullmatch(r'"(\d{1,18})"', condition, re.ASCII)
    if found is None:
        raise Problem("bad_precondition")
    return int(found[1])


def check_query() -> None:
    """Raises Problem bad_fields for text in the query or the path that no text holds."""
    for text in (*request.args.values(), *request.args, *map(str, (request.view_args or {}).values())):
        check_text(text)
