"""Keys of a site: issuing, revoking, and telling whose key it is that somebody shows."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import reduce
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
from .office_files import OfficeFiles

ID_BYTES, SECRET_BYTES = 8, 32
_SHAPE = re.compile(r"lunpai_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODYS = bytes(32)
"""What the hash of an unknown key is compared with, so that it takes as long as a known one."""


class Shown(msgspec.Struct, frozen=True):
    """A new key, as its holder gets it this once."""

    key: str
    secret: str

    @property
    def text(self) -> str:
        return f"lunpai_{self.key}_{self.secret}"


def issue(
    desk: Desk,
    stamp: Stamp,
    *,
    staff: UUID,
    scopes: tuple[str, ...] = tuple(SCOPES),
    expires_at: datetime | None = None,
) -> Shown:
    """A new key for a member of staff. Raises Refusal unknown_staff, wrong_state, bad_value, bad_time."""
    shown = _new()

    def decide() -> Decided:
        issued = _issued(desk, stamp, shown, staff, scopes, expires_at)
        return _decided(desk, keys_of(desk.record, desk.site_id), [issued], shown)

    desk.carry_out(stamp, decide, issue=shown.key, staff=staff, scopes=list(scopes), expires_at=str(expires_at))
    return shown


def rotate(desk: Desk, stamp: Stamp, *, key: str, expires_at: datetime | None = None) -> Shown:
    """A new key in the place of another, which opens nothing any more: both are put on record together, or neither is.
    It acts for the same member of staff within the same scopes.

    Raises Refusal unknown_key, wrong_state (revoked before, or has left), bad_time."""
    shown = _new()

    def decide() -> Decided:
        known = keys_of(desk.record, desk.site_id)
        revoked = access.revoke_key(known, key, None)
        assert known is not None  # the key is one of them
        old = known.keys[key]
        issued = _issued(desk, stamp, shown, old.staff, old.scopes, expires_at)
        return _decided(desk, known, [issued, revoked], shown)

    desk.carry_out(stamp, decide, issue=shown.key, revoke=key, expires_at=str(expires_at))
    return shown


def revoke(desk: Desk, stamp: Stamp, *, key: str) -> None:
    """From now on the key opens nothing. Raises Refusal unknown_key, wrong_state."""

    def decide() -> Decided:
        known = keys_of(desk.record, desk.site_id)
        return _decided(desk, known, [access.revoke_key(known, key, None)])

    desk.carry_out(stamp, decide, revoke=key)


def _new() -> Shown:
    return Shown(secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def _issued(
    desk: Desk, stamp: Stamp, shown: Shown, staff: UUID, scopes: tuple[str, ...], expires_at: datetime | None
) -> access.KeyIssued:
    command = access.IssueKey(
        key=shown.key,
        sha256=sha256(shown.secret.encode()).digest(),
        staff=staff,
        scopes=scopes,
        known_scopes=SCOPES,
        expires_at=expires_at,
        at=stamp.at,
    )
    return access.issue_key(desk.files.site(), command)


def _decided(desk: Desk, known: Access | None, facts: Sequence[Fact], new: Shown | None = None) -> Decided:
    """Those facts after the keys that they were decided on, with the claim that a new key's id is the site's."""
    claims = (ClaimOn("key", new.key.encode(), desk.site_id),) if new else ()
    stream = (access_id(desk.site_id), known.version if known else 0, facts)
    return Decided([stream], claims=claims, when_claimed="duplicate_label")


def keys_of(record: Record, site: UUID) -> Access | None:
    """All keys and logins of a site; None when it has never had any."""
    return record.load(access_id(site), access.evolve)


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the door, and how wide: at a site, for a member of staff, within scopes. `id` tells it apart in logs;
    `name` is what the ids of its commands are made of: whoever shows it again has the same."""

    id: str
    name: str
    site: UUID
    staff: UUID
    scopes: frozenset[str]


class AccessRead:
    """What has been read of the keys and logins of sites; for one thread. `files_of`: a site's files, which are read on
    in the same round trip, as whoever comes in by a key is next looked up on the staff list.

    `anew` is False while they are taken as they were read last; `presumed` then says whether any were."""

    anew, presumed = True, False

    def __init__(self, record: Record, files_of: Callable[[UUID], OfficeFiles] | None = None) -> None:
        self.record, self._files_of = record, files_of
        self._known: dict[UUID, Access] = {}
        self._lives = record.lives

    def of(self, site: UUID) -> Access | None:
        """Those of a site as they are now, or (not `anew`) were; None when it has never had any."""
        if self._lives != self.record.lives:  # as OfficeFiles does: what was read may be lost
            self._lives = self.record.lives
            self._known.clear()
        known, began = self._known.get(site), time.monotonic()
        if known is not None and not self.anew:
            self.presumed = True
            return known
        files = self._files_of(site) if self._files_of else None
        beside = files.to_read() if files else {}
        # Whatever is looked ahead for, what is known already is read on from there.
        found = self.record.load_since_each({**beside, access_id(site): known.version if known else 0})
        known = reduce(access.evolve, found.pop(access_id(site)), known)
        if files:
            files.take(found, began)
        if known is not None:
            self._known[site] = known
        return known

    def version(self, site: UUID) -> int:
        """Up to which those of a site have been read."""
        known = self._known.get(site)
        return known.version if known else 0


class Gate:
    """Tells keys apart. It keeps what it has read of a site's keys and reads on from there, so a revocation holds from
    the next request on - or, where that is not asked for (see AccessRead), from the next append on."""

    def __init__(self, record: Record, read: AccessRead | None = None) -> None:
        self.record, self.read = record, read or AccessRead(record)
        self._sites: dict[str, UUID] = {}

    def whose(self, shown: str, now: datetime | None = None) -> Credential | None:
        """What somebody shows, if it opens; None where it is unknown, wrong, expired or revoked - all alike."""
        parts = _SHAPE.fullmatch(shown)
        if parts is None:
            return None
        name, secret = parts.groups()
        site, key = self._key(name)
        fits = hmac.compare_digest(key.sha256 if key else _NOBODYS, sha256(secret.encode()).digest())
        if site is None or key is None or not fits or not key.opens_at(now or datetime.now(UTC)):
            return None
        return Credential(id=key.id, name=key.id, site=site, staff=key.staff, scopes=frozenset(key.scopes))

    def _key(self, name: str) -> tuple[UUID | None, Key | None]:
        if name not in self._sites:
            held = self.record.held_by("key", name.encode())
            if not held:
                return None, None
            self._sites[name] = held[0]
        site = self._sites[name]
        known = self.read.of(site)
        return site, known.keys.get(name) if known else None
