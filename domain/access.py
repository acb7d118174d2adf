"""Who may come in by which key: keys are issued and revoked as facts of a stream of their own, one a site.

A fact holds the hash of a key's secret, never the secret. What a key may do is not here: its scopes only narrow what
the role of the member of staff it acts for permits (see application/access.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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
    """All keys of a site, by id."""

    version: int = 0
    keys: Mapping[str, Key] = {}


def evolve(access: Access | None, envelope: Envelope) -> Access:
    """Total."""
    fact, keys = envelope.fact, dict(access.keys) if access else {}
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
    return Access(envelope.version, keys)


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


def access_id(site: UUID) -> UUID:
    """The stream of a site's keys."""
    return uuid5(site, "access")
