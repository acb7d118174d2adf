"""The public keys of an issuer of tokens: fetched, kept for a while, fetched again for a key that is not known - but
no more often than every so many seconds, however often somebody shows such a key."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

FRESH_SECONDS = 600.0
"""So long keys are used without asking whether the issuer still has them."""

KEPT_SECONDS = 3600.0
"""So long they are used while the issuer does not answer. Then nothing is known of it any more."""

REST_SECONDS = 30.0
"""The issuer is not asked more often than this, whatever is shown."""

TIMEOUT_SECONDS = 3.0
WAIT_SECONDS = 1.0
"""So long a request waits for another one's asking."""

LARGEST_BYTES = 256 * 1024
MOST_KEYS = 100
LEAST_RSA_BITS = 2048
DISCOVERY = "/.well-known/openid-configuration"

PublicKey = RSAKey | ECKey | OKPKey
KINDS: dict[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
"""Kinds of keys that can be published. A shared secret is none of them."""


class IssuerUnavailable(Exception):
    """The issuer's keys can't be had now."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **more: Any) -> NoReturn:
        raise IssuerUnavailable("the issuer sends us elsewhere")


_opener = urllib.request.build_opener(_NoRedirect)


def is_safe(url: str) -> bool:
    """Whether keys may be fetched from there: over TLS, or from this very machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"))
    )


def from_url(url: str) -> bytes:
    """What stands there. Raises IssuerUnavailable: no answer in time, too large, not safe to ask."""
    if not is_safe(url):
        raise IssuerUnavailable("keys come over https only")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    found = b""
    try:
        with _opener.open(
            urllib.request.Request(url, headers={"Accept": "application/json"}), None, TIMEOUT_SECONDS
        ) as answer:
            while chunk := answer.read1(LARGEST_BYTES):
                found += chunk
                if len(found) > LARGEST_BYTES or time.monotonic() > deadline:
                    raise IssuerUnavailable("the answer is too large, or comes too slowly")
    except (OSError, HTTPException, ValueError) as error:
        raise IssuerUnavailable(type(error).__name__) from None
    return found


def source_of(issuer: str, jwks: str | None) -> Callable[[], bytes]:
    """Where an issuer's keys are: a URL, a file, or (None) where the issuer's own discovery document says."""
    if jwks is None:
        return lambda: _discovered(issuer)
    if "://" in jwks:
        return lambda: from_url(jwks)
    return lambda: _from_file(Path(jwks))


def _from_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IssuerUnavailable(type(error).__name__) from None


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


def _discovered(issuer: str) -> bytes:
    try:
        found = msgspec.json.decode(from_url(issuer.rstrip("/") + DISCOVERY), type=_Discovery)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IssuerUnavailable("its discovery document can't be read") from None
    if found.issuer != issuer:
        raise IssuerUnavailable("its discovery document is another issuer's")
    return from_url(found.jwks_uri)


def parse_keys(text: bytes) -> dict[str, PublicKey]:
    """The keys for signatures in a JWK set, by their `kid`; what is none, or not understood, is left out.

    Raises IssuerUnavailable for what is no JWK set."""
    try:
        keys = msgspec.json.decode(text, type=dict[str, Any])["keys"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, RecursionError):
        keys = None
    if not isinstance(keys, list):
        raise IssuerUnavailable("this is no set of keys")
    found = {}
    for given in keys[:MOST_KEYS]:
        if isinstance(given, dict) and (key := _key(given)) is not None:
            found[str(given["kid"])] = key
    return found


def _key(given: dict[str, Any]) -> PublicKey | None:
    kind, kid = KINDS.get(str(given.get("kty"))), given.get("kid")
    if kind is None or not isinstance(kid, str) or given.get("use", "sig") != "sig" or "d" in given:
        return None
    try:
        bits = int.from_bytes(urlsafe_b64decode(given["n"].encode())).bit_length() if kind is RSAKey else LEAST_RSA_BITS
        return None if bits < LEAST_RSA_BITS else kind.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


class IssuerKeys:
    """For all threads of a process. `fetch` gets the text of the JWK set; `clock`: seconds."""

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._failed = True
        self._asking = threading.Lock()

    def get(self, kid: str) -> PublicKey | None:
        """The key of that id; None: the issuer has none such. Raises IssuerUnavailable where that can't be told."""
        found = self._keys.get(kid)
        if found is None or self._clock() >= self._fetched_at + FRESH_SECONDS:
            asked = self._ask_again(WAIT_SECONDS if found is None else 0)
            found = self._keys.get(kid)
            if found is None and not asked:
                raise IssuerUnavailable("another request is still asking it")
        if self._clock() >= self._fetched_at + KEPT_SECONDS or (found is None and self._failed):
            raise IssuerUnavailable("it does not answer")
        return found

    def _ask_again(self, wait_seconds: float) -> bool:
        """One asks at a time. Whoever has a key to go by does not wait for that. False: another one is still asking."""
        if not self._asking.acquire(timeout=wait_seconds):
            return False
        try:
            now = self._clock()
            if now < self._asked_at + REST_SECONDS:
                return True
            self._asked_at = now
            try:
                self._keys, self._fetched_at, self._failed = parse_keys(self._fetch()), now, False
            except IssuerUnavailable:
                self._failed = True
            return True
        finally:
            self._asking.release()
