"""Who asks, and for what: every request is let in, or not, before anything of it is looked at.

In this order: a valid key, or a token of somebody whom we know; its site; the member of staff it acts for, by the staff
list as it is now (of a command that only appends: as it was read last, which the append makes sure of); the action by
the table of rights; and only then the body."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import g, request

from application.access import Grant, granted, permits
from application.access_keys import AccessRead, Credential, Gate
from application.commands import Grounds, Stamp
from application.logins import LoginGate
from application.sales_office import SalesOffice
from application.tokens import Tokens
from domain.access import access_id
from domain.refusals import Refusal
from domain.site import Member
from domain.visitor import Moment

from ..store import Store
from .bodies import check_text, read_body
from .errors import Problem

COMMANDS = uuid.UUID("d7f0a6d2-52b1-5b0e-9d3c-0f4f6f0f8a11")
"""Under which the command ids that come of Idempotency-Key are made. It belongs to history: never change it."""

_CONTENT = json.JSONEncoder(sort_keys=True, ensure_ascii=False)
_NAME = re.compile(r'"?([!-~]{1,200}?)"?')

STREAMS = ("visitor", "sale", "dispute")
"""Parts of a path that name what is asked for: it is read together with keys and staff."""

Clock = Callable[[], datetime]

Whose = Callable[..., bool]
"""(caller, given, **parts of the path) -> whether what is asked is the caller's own."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The one who asks. `offices`: every one where the same may be asked, `office` first - more than one only where no
    site is named. `grounds`: what that was judged by; `presumed`: as it was read last, not now. `content` is what a
    repeated command is known by; `instead_of`: If-Match, as a position; `clock`: of a rehearsal, else None."""

    office: SalesOffice
    offices: tuple[SalesOffice, ...]
    credential: Credential
    member: Member
    grant: Grant
    grounds: Grounds
    presumed: bool = False
    command_id: UUID | None = None
    content: str | None = None
    instead_of: int | None = None
    clock: Clock | None = None

    @property
    def staff(self) -> UUID:
        return self.member.staff

    def stamp(self, given: Mapping[str, Any]) -> Stamp:
        """The stamp of this command, or of a question that is put on record: given by the caller, whatever the body
        says."""
        at: datetime | None = given.get("at")
        return Stamp(
            actor=self.staff,
            at=at or self.now(),
            at_given=at is not None,
            entered_at=self.now() if self.clock else None,
            command_id=self.command_id or uuid.uuid4(),
            content=self.content,
            grounds=self.grounds if self.command_id else None,
        )

    @property
    def only_own_of(self) -> UUID | None:
        """Of whom alone the customers are told of in full; None: of everybody."""
        return self.staff if self.grant == "own" else None

    def now(self) -> datetime:
        return self.clock() if self.clock else datetime.now(UTC)

    def moment(self) -> Moment:
        now = self.clock() if self.clock else self.office.now()
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
    """Lets requests in. Each thread keeps what it has read of sites, keys and logins, and reads on from there."""

    def __init__(
        self, store: Store, policies: Mapping[str, str], tokens: Tokens | None = None, clock: Clock | None = None
    ) -> None:
        self.store, self.policies, self.tokens, self.clock = store, policies, tokens, clock
        self._own = threading.local()

    def let_in(self, action: str, *, anew: bool = True) -> Caller:
        """Not `anew`: by keys and staff as they were read last, which is never enough to say no; whoever lets in so has
        to make sure that they still stand before anything is told. Raises Problem unauthenticated, access_denied;
        Refusal unknown_site; IssuerUnavailable."""
        self._ready(anew=anew)
        path = request.view_args or {}
        site: UUID | None = path.get("site")
        if request.method == "GET" and site in self._own.offices:
            self._own.offices[site].files.look_ahead(next((path[name] for name in STREAMS if name in path), None))
        shown = self._shown(request.headers.get("Authorization", ""), site)
        if shown:
            g.key_id = next((one for one in shown if one.site == site), shown[0]).id
        try:
            return self._admitted(shown, site, action)
        except (Problem, Refusal):
            if not self._own.read.presumed:
                raise
        return self.let_in(action)

    def still_lets_in(self, authorization: str, site: UUID, action: str) -> None:
        """For who has been let in before, and is still there. Raises as let_in does."""
        self._ready()
        self._admitted(self._shown(authorization, site), site, action)

    def _admitted(self, shown: Sequence[Credential], site: UUID | None, action: str) -> Caller:
        here = [one for one in shown if site in (None, one.site)]
        if shown and not here:
            raise Refusal("unknown_site")
        staying = [(one, member) for one in here if (member := self._member(one)) is not None]
        if not staying:
            raise Problem("unauthenticated")
        allowed = [(one, m, grant) for one, m in staying if (grant := granted(action, m.role, one.scopes)) is not None]
        if not allowed:
            raise Problem("access_denied")
        credential, member, grant = allowed[0]
        offices = tuple(self._office(one.site) for one, _, _ in allowed)
        return Caller(
            office=offices[0],
            offices=offices,
            credential=credential,
            member=member,
            grant=grant,
            grounds=self._grounds(credential.site),
            presumed=self._own.read.presumed,
            clock=self.clock,
        )

    def _grounds(self, site: UUID) -> Grounds:
        files, read = self._office(site).files, self._own.read
        return Grounds({site: files.read_until, access_id(site): read.version(site)}, self._own.lives)

    def _shown(self, authorization: str, site: UUID | None) -> tuple[Credential, ...]:
        """What the request comes with, as far as it opens anything."""
        scheme, _, shown = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return ()
        if (key := self._own.gate.whose(shown.strip())) is not None:
            return (key,)
        return self._own.logins.whose(shown.strip(), site) if self._own.logins else ()

    def _member(self, credential: Credential) -> Member | None:
        """For whom it opens, as the staff list says now; None: nobody who is still there."""
        member = self._office(credential.site).files.site().staff.get(credential.staff)
        return None if member is None or member.departed else member

    def _office(self, site: UUID) -> SalesOffice:
        offices: dict[UUID, SalesOffice] = self._own.offices
        if site not in offices:
            offices[site] = SalesOffice(self.store.record, self.store.keyring, self.store.shelf, site)
            offices[site].files.hold()
        return offices[site]

    def _ready(self, *, anew: bool = True) -> None:
        """Whatever this thread knows of sites is from earlier requests."""
        if not hasattr(self._own, "gate"):
            record, keyring = self.store.record, self.store.keyring
            read = self._own.read = AccessRead(record, lambda site: self._office(site).files)
            self._own.gate, self._own.offices = Gate(record, read), {}
            self._own.logins = LoginGate(record, keyring, self.tokens, read) if self.tokens else None
        self._own.lives = self.store.record.lives  # from before anything is read
        self._own.read.anew, self._own.read.presumed = anew, False
        for office in self._own.offices.values():
            office.files.hold(anew=False)  # of which site it is to be read anew is known by the key alone
            office.files.look_ahead(None)


def with_body(caller: Caller) -> Caller:
    """The caller of a question or command that comes with a body, and says nothing beside it. Raises Problem
    bad_fields."""
    if request.query_string and request.args:
        raise Problem("bad_fields", errors={"query": {name: ["Unknown field."] for name in request.args}})
    g.body = read_body(request)
    return caller


def with_command(caller: Caller) -> Caller:
    """The caller of a command, which has an id and a content. Raises Problem idempotency_key_missing,
    idempotency_key_malformed, bad_fields, bad_precondition."""
    shown = request.headers.get("Idempotency-Key")
    if shown is None:
        raise Problem("idempotency_key_missing")
    name = _NAME.fullmatch(shown.strip())
    if name is None:
        raise Problem("idempotency_key_malformed")
    with_body(caller)
    condition = request.headers.get("If-Match", "")
    content = _CONTENT.encode([request.path, g.body, condition])
    return msgspec.structs.replace(
        caller,
        command_id=uuid.uuid5(COMMANDS, f"{caller.credential.name} {name[1]}"),
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
    """Raises Problem bad_fields for a field that stands twice, and text in the query or the path that no text holds."""
    for part in (request.view_args or {}).values():
        if isinstance(part, str):
            check_text(part)
    if not request.query_string:
        return
    if twice := [name for name, values in request.args.lists() if len(values) > 1]:
        raise Problem("bad_fields", errors={"query": {name: ["Given twice."] for name in twice}})
    for text in (*request.args.values(), *request.args):
        check_text(text)
