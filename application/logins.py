"""Logins elsewhere: binding who signs in at an issuer to a member of staff, and telling whose token it is that somebody
shows. That is ours to say: a token tells who signed in, never what for."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from uuid import UUID

from domain import access
from domain.access import Access, Login, access_id
from domain.refusals import Refusal

from .access_keys import ID_BYTES, AccessRead, Credential, keys_of
from .commands import Decided, Stamp
from .desk import Desk
from .event_store.record import Record
from .privacy import Keyring
from .tokens import LONGEST_SUBJECT, SignedIn, Tokens

Subjects = Mapping[tuple[str, str], Login]
"""(issuer, subject) -> the login that is bound."""


def bind(desk: Desk, stamp: Stamp, *, issuer: str, subject: str, staff: UUID) -> str:
    """Who signs in at the issuer as that subject is this member of staff from now on; answers with the login's id.

    Raises Refusal unknown_staff, wrong_state (has left), duplicate_label (bound already), bad_value."""
    _check(issuer, "issuer")
    _check(subject, "subject")
    desk.known_staff(staff)
    login = secrets.token_hex(ID_BYTES)
    sealed = desk.keyring.seal_note(staff, subject)

    def decide() -> Decided:
        known = keys_of(desk.record, desk.site_id)
        held = subjects_of(known, desk.keyring).get((issuer, subject))
        command = access.BindLogin(
            login=login, issuer=issuer, sealed=sealed, staff=staff, held_by=held.id if held else None
        )
        bound = access.bind_login(desk.files.site(), command)
        return Decided([(access_id(desk.site_id), known.version if known else 0, [bound])])

    desk.carry_out(stamp, decide, bind=login, issuer=issuer, staff=staff)
    return login


def unbind(desk: Desk, stamp: Stamp, *, login: str) -> None:
    """From now on nobody comes in by that login. Raises Refusal unknown_login, wrong_state."""

    def decide() -> Decided:
        known = keys_of(desk.record, desk.site_id)
        unbound = access.unbind_login(known, login, None)
        return Decided([(access_id(desk.site_id), known.version if known else 0, [unbound])])

    desk.carry_out(stamp, decide, unbind=login)


def _check(text: str, what: str) -> None:
    odd = any(unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co") for character in text)
    if not text.strip() or odd or len(text) > LONGEST_SUBJECT:
        raise Refusal("bad_value", f"the {what} has 1 to {LONGEST_SUBJECT} characters, and no control characters")


def subjects_of(known: Access | None, keyring: Keyring) -> Subjects:
    """Who is bound now. Whose key has been destroyed is nobody any more."""
    bound = [login for login in known.logins.values() if login.unbound_at is None] if known else []
    keyring.load([login.staff for login in bound])
    opened = {login.id: keyring.open_note(login.staff, login.sealed) for login in bound}
    return {(login.issuer, subject): login for login in bound if (subject := opened[login.id]) is not None}


class LoginGate:
    """Tells tokens apart. Like the gate for keys, it reads on from what it knows, so an unbinding holds from the next
    request on."""

    def __init__(self, record: Record, keyring: Keyring, tokens: Tokens, read: AccessRead) -> None:
        self.record, self.keyring, self.tokens, self.read = record, keyring, tokens, read
        self._subjects: dict[UUID, tuple[Access, Subjects]] = {}

    def whose(self, shown: str, at: UUID | None) -> tuple[Credential, ...]:
        """As whom the holder of a token comes in: at a site, or (None, or not known there) everywhere. Nothing where it
        is no good, or nobody's.

        Raises IssuerUnavailable."""
        signed_in = self.tokens.read(shown)
        if signed_in is None:
            return ()
        found = () if at is None else self._bound(signed_in, at)
        if found:
            return found
        return tuple(one for site in self.record.subjects("site") for one in self._bound(signed_in, site))

    def _bound(self, who: SignedIn, site: UUID) -> tuple[Credential, ...]:
        known = self.read.of(site)
        if known is None:
            return ()
        read = self._subjects.get(site)
        # What was read anew after a loss may be something else under the same version.
        if read is None or read[0] is not known:
            read = self._subjects[site] = known, subjects_of(known, self.keyring)
        login = read[1].get((who.issuer, who.subject))
        if login is None:
            return ()
        name = self.keyring.hash(site, "login", f"{who.issuer}\0{who.subject}").hex()
        return (Credential(id=login.id, name=name, site=site, staff=login.staff, scopes=who.scopes),)
