"""Personal data: sealed with a key per person, looked up by keyed hash, shown masked.

Person keys (AES-256-GCM) are wrapped by a master key outside the database. Whoever destroys a person's key has
erased the
person from every fact, table and backup; the facts themselves stay.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import phonenumbers
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.refusals import Refusal

from .event_store.appending import PersonKey, StoreRefused

KEY_BYTES = 32
_NONCE_BYTES = 12
_NOTE = b"note "
LONGEST_NAME = 100


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed of a person: the name as given, the phone in E.164."""

    name: str | None = None
    phone: str | None = None

    @property
    def masked_phone(self) -> str | None:
        return mask_phone(self.phone) if self.phone else None


_contact = msgspec.json.Decoder(Contact)


def clean_name(name: str) -> str:
    """The name as it is kept: NFKC, trimmed, blanks folded, invisible characters left out. Raises Refusal
    bad_value when nothing is left."""
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    cleaned = " ".join(unicodedata.normalize("NFKC", visible).split())
    if not any(character.isalnum() for character in cleaned) or len(cleaned) > LONGEST_NAME:
        raise Refusal("bad_value", "a name must hold letters or characters, at most 100 of them")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in cleaned):
        raise Refusal("bad_value", "a name must not hold control characters")
    return cleaned


HONORIFICS = ("先生", "女士", "小姐", "太太", "老师")


def clean_text(text: str, what: str) -> str:
    """Short text as it is kept: NFKC, trimmed, blanks folded. Raises Refusal bad_value when blank, long, or
    with controls."""
    cleaned = " ".join(unicodedata.normalize("NFKC", text).split())
    odd = any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in cleaned)
    if not cleaned or odd or len(cleaned) > LONGEST_NAME:
        raise Refusal("bad_value", f"the {what} must be short text without control characters")
    return cleaned


def names_agree(one: str, other: str) -> bool:
    """Whether two names under one phone can be one person's: alike, or a surname with a title and a name of
    that surname."""
    if one == other or (one.endswith(HONORIFICS) and other.endswith(HONORIFICS)):
        return one == other
    for titled, full in ((one, other), (other, one)):
        surname = next((titled.removesuffix(title) for title in HONORIFICS if titled.endswith(title)), None)
        if surname and full.startswith(surname):
            return True
    return False


_CHINA = phonenumbers.PhoneMetadata.metadata_for_region("CN")
assert _CHINA is not None and _CHINA.mobile is not None
_MOBILE = re.compile(str(_CHINA.mobile.national_number_pattern))


def clean_phone(phone: str, region: str = "CN") -> str:
    """The phone number in E.164. Raises Refusal bad_value when it is not one (the number itself is not repeated)."""
    if region == "CN" and phone.isascii() and _MOBILE.fullmatch(phone):
        return "+86" + phone  # what nearly everybody gives; the library, whose pattern this is, looks at much else
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", phone), region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise Refusal("bad_value", "this is not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mask_phone(phone: str) -> str:
    """138****1234: the first three and the last four digits of the national number; short numbers show less."""
    digits = phone.removeprefix("+86").removeprefix("+")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else f"****{digits[-2:]}"


def mask_text(text: str) -> str:
    """The ends of something that tells who somebody is elsewhere; of short text, the first character."""
    return f"{text[:3]}****{text[-2:]}" if len(text) >= 10 else f"{text[:1]}****"


def mask_name(name: str) -> str:
    """The first character, the rest as stars."""
    return name[:1] + "*" * max(1, len(name) - 1)


def master_key(home: Path) -> bytes:
    """The master key: LUNPAI_MASTER_KEY (base64 of 32 bytes), else the file master.key in `home`, made on
    first use (0600).

    Raises StoreRefused with one clear line.
    """
    if given := os.environ.get("LUNPAI_MASTER_KEY"):
        return _decode_key(given, "LUNPAI_MASTER_KEY")
    path = home / "master.key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            _write_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StoreRefused(f"{path} may be read by others: chmod 600 {path}")
        return _decode_key(path.read_text("ascii", errors="replace"), str(path))
    except OSError as error:
        raise StoreRefused(f"the master key {path} can't be read or made: {error.strerror}") from None


def _write_key(path: Path) -> None:
    """Written beside and linked into place, so that two first starts end up with one whole key."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()


def _decode_key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise StoreRefused(f"{where} must hold base64 of {KEY_BYTES} bytes")
    return key


class Keyring:
    """Seals and opens, hashes for look-ups. Holds the keys derived from the master key, never the master key itself.

    `wrapped_keys` fetches wrapped person keys from the store.
    """

    def __init__(self, master: bytes, wrapped_keys: Callable[[Sequence[UUID]], dict[UUID, bytes]]) -> None:
        self._wrap = AESGCM(_derive(master, b"lunpai wrap person keys v1"))
        self._lookup = _derive(master, b"lunpai keyed hashes v1")
        self._fetch = wrapped_keys
        self._opened: dict[UUID, AESGCM] = {}

    def new_person(self) -> PersonKey:
        """A new person with a key of their own, to be stored with the facts that need it."""
        person, key = uuid4(), secrets.token_bytes(KEY_BYTES)
        self._opened[person] = AESGCM(key)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return PersonKey(person, nonce + self._wrap.encrypt(nonce, key, person.bytes))

    def seal(self, person: UUID, contact: Contact) -> bytes:
        """The contact, encrypted with the person's key and bound to the person."""
        return self._seal(person, msgspec.json.encode(contact), person.bytes)

    def open(self, person: UUID, sealed: bytes) -> Contact | None:
        """The contact, or None when the person's key has been destroyed. Raises StoreRefused when it was
        tampered with."""
        plain = self._plain(person, sealed, person.bytes)
        return None if plain is None else _contact.decode(plain)

    def seal_note(self, person: UUID, text: str) -> bytes:
        """What somebody wrote about a person, encrypted so that it is erased with them; no contact can pass for it."""
        return self._seal(person, text.encode(), _NOTE + person.bytes)

    def open_note(self, person: UUID, sealed: bytes) -> str | None:
        """The text, or None when the person's key has been destroyed. Raises StoreRefused when it was tampered with."""
        plain = self._plain(person, sealed, _NOTE + person.bytes)
        return None if plain is None else plain.decode()

    def _seal(self, person: UUID, plain: bytes, bound_to: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._key(person).encrypt(nonce, plain, bound_to)

    def _plain(self, person: UUID, sealed: bytes, bound_to: bytes) -> bytes | None:
        try:
            key = self._key(person)
        except KeyError:
            return None
        try:
            return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError):
            raise StoreRefused(f"the sealed data of person {person} is not what was stored") from None

    def load(self, persons: Sequence[UUID]) -> None:
        """Fetch the keys of many persons in one go."""
        missing = [person for person in persons if person not in self._opened]
        for person, wrapped in (self._fetch(missing) if missing else {}).items():
            try:
                key = self._wrap.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], person.bytes)
            except (InvalidTag, ValueError):
                raise StoreRefused(f"the stored key of person {person} is not what was stored") from None
            self._opened[person] = AESGCM(key)

    def hash(self, site: UUID, kind: str, value: str) -> bytes:
        """The keyed hash (HMAC-SHA256) under which a phone or name is looked up at a site. Never part of a fact."""
        return hmac.digest(self._lookup, site.bytes + kind.encode() + b"\0" + value.encode(), sha256)

    def fingerprint(self) -> bytes:
        """Tells whether this is the key a store was made with; says nothing about the key."""
        return hmac.digest(self._lookup, b"fingerprint", sha256)

    def _key(self, person: UUID) -> AESGCM:
        if person not in self._opened:
            self.load([person])
        return self._opened[person]


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(master)
