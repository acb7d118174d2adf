"""Who may come in: by which key, and by which login elsewhere. Keys are issued and revoked, logins bound and unbound,
as facts of a stream of their own, one a site.

A fact holds the hash of a key's secret, never the secret. What a key or a token may do is not here: its scopes only
narrow what the role of the member of staff it acts for permits (see application/access.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

import msgspec

from .record import Envelope, Fact, stored_as
from .refusals import Refusal
from .site import Site


@stored_as("access.key_issued.v1")
class KeyIssued(Fact, frozen=True, kw_only=True):
    """`key` is the public id; `sha256` of the secret, which is shown once and kept nowhere; `by` None: whoever runs the
    machine."""

    key: str
    sha256: bytes
    staff: UUID
    scopes: tuple[str, ...]
    expires_at: datetime | None
    by: UUID | None


@stored_as("access.key_revoked.v1")
class KeyRevoked(Fact, frozen=True, kw_only=True):
    key: str
    by: UUID | None


@stored_as("access.login_bound.v1")
class LoginBound(Fact, frozen=True, kw_only=True):
    """Who signs in at `issuer` as a certain subject is this member of staff. `sealed`: the subject (it may be an
    address of theirs), encrypted with the person's own key; `login` is the public id of this binding."""

    login: str
    issuer: str
    sealed: bytes
    staff: UUID
    by: UUID | None


@stored_as("access.login_unbound.v1")
class LoginUnbound(Fact, frozen=True, kw_only=True):
    login: str
    by: UUID | None


class Login(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    issuer: str
    sealed: bytes
    staff: UUID
    bound_at: datetime
    unbound_at: datetime | None = None


class Key(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    sha256: bytes
    staff: UUID
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None

    def opens_at(self, instant: datetime) -> bool:
        """Whether it is neither revoked nor expired at an instant."""
        return self.revoked_at is None and (self.expires_at is None or instant < self.expires_at)


class Access(msgspec.Struct, frozen=True):
    """All keys and logins of a site, by id."""

    version: int = 0
    keys: Mapping[str, Key] = {}
    logins: Mapping[str, Login] = {}


def evolve(access: Access | None, envelope: Envelope) -> Access:
    """Total."""
    fact = envelope.fact
    keys, logins = (dict(access.keys), dict(access.logins)) if access else ({}, {})
    if isinstance(fact, KeyIssued):
        keys[fact.key] = Key(
            id=fact.key,
            sha256=fact.sha256,
            staff=fact.staff,
            scopes=fact.scopes,
            issued_at=envelope.occurred_at,
            expires_at=fact.expires_at,
        )
    elif isinstance(fact, KeyRevoked) and fact.key in keys:
        keys[fact.key] = msgspec.structs.replace(keys[fact.key], revoked_at=envelope.occurred_at)
    elif isinstance(fact, LoginBound):
        logins[fact.login] = Login(
            id=fact.login,
            issuer=fact.issuer,
            sealed=fact.sealed,
            staff=fact.staff,
            bound_at=envelope.occurred_at,
        )
    elif isinstance(fact, LoginUnbound) and fact.login in logins:
        logins[fact.login] = msgspec.structs.replace(logins[fact.login], unbound_at=envelope.occurred_at)
    return Access(envelope.version, keys, logins)


class IssueKey(msgspec.Struct, frozen=True, kw_only=True):
    """`known_scopes`: all that there are."""

    key: str
    sha256: bytes
    staff: UUID
    scopes: tuple[str, ...]
    known_scopes: frozenset[str]
    expires_at: datetime | None
    at: datetime
    by: UUID | None = None


def issue_key(site: Site, command: IssueKey) -> KeyIssued:
    """Raises Refusal unknown_staff, wrong_state (has left), bad_value (no scope, or an unknown one), bad_time."""
    if site.member(command.staff).departed:
        raise Refusal("wrong_state", "this person has left")
    unknown = sorted(set(command.scopes) - command.known_scopes)
    if unknown or not command.scopes:
        known = ", ".join(sorted(command.known_scopes))
        raise Refusal("bad_value", f"scopes are {known}" + (f"; not {', '.join(unknown)}" if unknown else ""))
    if command.expires_at is not None and command.expires_at <= command.at:
        raise Refusal("bad_time", "a key expires after it was issued")
    return KeyIssued(
        key=command.key,
        sha256=command.sha256,
        staff=command.staff,
        scopes=tuple(sorted(set(command.scopes))),
        expires_at=command.expires_at,
        by=command.by,
    )


def revoke_key(access: Access | None, key: str, by: UUID | None) -> KeyRevoked:
    """Raises Refusal unknown_key, wrong_state (revoked before)."""
    known = access.keys.get(key) if access else None
    if known is None:
        raise Refusal("unknown_key", key)
    if known.revoked_at is not None:
        raise Refusal("wrong_state", "this key was revoked before")
    return KeyRevoked(key=key, by=by)


class BindLogin(msgspec.Struct, frozen=True, kw_only=True):
    """`held_by`: the login under which this subject of this issuer is bound at the site already, if it is."""

    login: str
    issuer: str
    sealed: bytes
    staff: UUID
    held_by: str | None
    by: UUID | None = None


def bind_login(site: Site, command: BindLogin) -> LoginBound:
    """Raises Refusal unknown_staff, wrong_state (has left), duplicate_label (is bound already, to whomever)."""
    if site.member(command.staff).departed:
        raise Refusal("wrong_state", "this person has left")
    if command.held_by is not None:
        raise Refusal("duplicate_label", f"this subject is bound by login {command.held_by}; unbind that first")
    return LoginBound(
        login=command.login, issuer=command.issuer, sealed=command.sealed, staff=command.staff, by=command.by
    )


def unbind_login(access: Access | None, login: str, by: UUID | None) -> LoginUnbound:
    """Raises Refusal unknown_login, wrong_state (unbound before)."""
    known = access.logins.get(login) if access else None
    if known is None:
        raise Refusal("unknown_login", login)
    if known.unbound_at is not None:
        raise Refusal("wrong_state", "this login was unbound before")
    return LoginUnbound(login=login, by=by)


@lru_cache(maxsize=1024)  # asked at every request
def access_id(site: UUID) -> UUID:
    """The stream of a site's keys and logins."""
    return uuid5(site, "access")
