"""Keys of a site: issuing, revoking, and telling whose key it is that somebody shows."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from domain import access
from domain.access import Access, Key, access_id
from domain.record import Fact

from .access import SCOPES
from .commands import Decided, Stamp
from .desk import Desk
from .event_store.appending import ClaimOn
from .event_store.record import Record

ID_BYTES, SECRET_BYTES = 8, 32
_SHAPE = re.compile(r"lunpai_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODYS = bytes(32)
"""What the hash of an unknown key is compared with, so that it takes as long as a known one."""


class Shown(msgspec.Struct, frozen=True):
    """A new key, as its holder gets it this once."""

    key: str
    text: str


def issue(
    desk: Desk,
    stamp: Stamp,
    *,
    staff: UUID,
    scopes: tuple[str, ...] = tuple(SCOPES),
    expires_at: datetime | None = None,
) -> Shown:
    """A new key for a member of staff. Raises Refusal unknown_staff, wrong_state, bad_value, bad_time."""
    key, secret = _new()

    def decide() -> Decided:
        return _decided(desk, key, [_issued(desk, stamp, key, secret, staff, scopes, expires_at)])

    desk.carry_out(stamp, decide, issue=key, staff=staff, scopes=list(scopes), expires_at=str(expires_at))
    return Shown(key, f"lunpai_{key}_{secret}")


def rotate(desk: Desk, stamp: Stamp, *, key: str, expires_at: datetime | None = None) -> Shown:
    """A new key in the place of another, which opens nothing any more: both are put on record together, or neither is.
    It acts for the same member of staff within the same scopes.

    Raises Refusal unknown_key, wrong_state (revoked before, or has left), bad_time."""
    new, secret = _new()

    def decide() -> Decided:
        known = keys_of(desk.record, desk.site_id)
        revoked = access.revoke_key(known, key, None)
        assert known is not None  # the key is one of them
        old = known.keys[key]
        return _decided(desk, new, [_issued(desk, stamp, new, secret, old.staff, old.scopes, expires_at), revoked])

    desk.carry_out(stamp, decide, issue=new, revoke=key, expires_at=str(expires_at))
    return Shown(new, f"lunpai_{new}_{secret}")


def _new() -> tuple[str, str]:
    return secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)


def _issued(
    desk: Desk, stamp: Stamp, key: str, secret: str, staff: UUID, scopes: tuple[str, ...], expires_at: datetime | None
) -> access.KeyIssued:
    command = access.IssueKey(
        key=key,
        sha256=sha256(secret.encode()).digest(),
        staff=staff,
        scopes=scopes,
        known_scopes=SCOPES,
        expires_at=expires_at,
        at=stamp.at,
    )
    return access.issue_key(desk.files.site(), command)


def _decided(desk: Desk, key: str, facts: Sequence[Fact]) -> Decided:
    """Those facts on the stream of the site's keys, with the claim that the new key's id is the site's."""
    version = known.version if (known := keys_of(desk.record, desk.site_id)) else 0
    claim = ClaimOn("key", key.encode(), desk.site_id)
    return Decided([(access_id(desk.site_id), version, facts)], claims=(claim,), when_claimed="duplicate_label")


def revoke(desk: Desk, stamp: Stamp, *, key: str) -> None:
    """From now on the key opens nothing. Raises Refusal unknown_key, wrong_state."""

    def decide() -> Decided:
        known = keys_of(desk.record, desk.site_id)
        fact = access.revoke_key(known, key, None)
        return Decided([(access_id(desk.site_id), known.version if known else 0, [fact])])

    desk.carry_out(stamp, decide, revoke=key)


def keys_of(record: Record, site: UUID) -> Access | None:
    """All keys of a site; None when it has never had one."""
    return record.load(access_id(site), access.evolve)


class Gate:
    """Tells keys apart. It keeps what it has read of a site's keys and reads on from there, so a revocation holds from
    the next request on."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self._sites: dict[str, UUID] = {}
        self._known: dict[UUID, Access | None] = {}

    def whose(self, shown: str, now: datetime | None = None) -> tuple[UUID, Key] | None:
        """The site and key of what somebody shows; None where it is unknown, wrong, expired or revoked - all alike."""
        parts = _SHAPE.fullmatch(shown)
        if parts is None:
            return None
        name, secret = parts.groups()
        site, key = self._key(name)
        fits = hmac.compare_digest(key.sha256 if key else _NOBODYS, sha256(secret.encode()).digest())
        if site is None or key is None or not fits or not key.opens_at(now or datetime.now(UTC)):
            return None
        return site, key

    def _key(self, name: str) -> tuple[UUID | None, Key | None]:
        if name not in self._sites:
            held = self.record.held_by("key", name.encode())
            if not held:
                return None, None
            self._sites[name] = held[0]
        site = self._sites[name]
        known = self._known.get(site)
        for envelope in self.record.load_since(access_id(site), known.version if known else 0):
            known = access.evolve(known, envelope)
        self._known[site] = known
        return site, known.keys.get(name) if known else None
