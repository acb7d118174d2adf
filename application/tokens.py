"""Reading a token (JWT) that an issuer has signed: who signs in there, and within which scopes.

Whose token it is at our sites, and what that person may do, is not for the token to say (see logins.py, access.py)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import DecodeError, JoseError, UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from .issuer_keys import IssuerKeys, is_safe, source_of

LARGEST_TOKEN = 8000
LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0, 2: a subject has at most so many characters."""

LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may be apart."""

FAMILIES = {"RS": "256 384 512", "PS": "256 384 512", "ES": "256 384 512", "EdDSA": "", "Ed25519": ""}
ALGORITHMS = tuple(family + size for family, sizes in FAMILIES.items() for size in sizes.split() or [""])
"""All that can be allowed. None of them works with a secret that both sides know, or with nothing."""

USUAL_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
USUAL_TYPE = "at+jwt"
"""An access token (RFC 9068); not a token that tells a client who has signed in."""


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tokens are taken, and which. `audience`: what they must be meant for; `jwks`: URL or file of its keys
    (None: found by discovery); `type`: the `typ` of their header."""

    issuer: str
    audience: str
    jwks: str | None = None
    algorithms: tuple[str, ...] = USUAL_ALGORITHMS
    type: str = USUAL_TYPE

    def __post_init__(self) -> None:
        """Raises ValueError for what can't be: an unknown algorithm, keys fetched without TLS."""
        if unknown := sorted(set(self.algorithms) - set(ALGORITHMS)):
            raise ValueError(f"algorithms are {', '.join(ALGORITHMS)}; not {', '.join(unknown)}")
        if not (self.algorithms and self.issuer and self.audience and self.type):
            raise ValueError("issuer, audience, algorithms and type must each be something")
        asked = self.issuer if self.jwks is None else self.jwks
        if ("://" in asked or self.jwks is None) and not is_safe(asked):
            raise ValueError(f"{asked}: keys are fetched over https only")


class SignedIn(msgspec.Struct, frozen=True):
    """What a token says: who, at which issuer, within which scopes."""

    issuer: str
    subject: str
    scopes: frozenset[str]


class _Allowed(JWSRegistry):
    """Those algorithms and no other, whatever the library recommends. (Its own look-up goes by its own list where this
    one is empty, and warns at every use of one that it takes to be old.)"""

    max_header_length = 2048

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


class Tokens:
    """Reads tokens of one issuer, for all threads of a process. `now`: seconds since 1970."""

    def __init__(self, issuer: Issuer, keys: IssuerKeys | None = None, now: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self.keys = keys or IssuerKeys(source_of(issuer.issuer, issuer.jwks))
        self._registry = _Allowed(algorithms=issuer.algorithms, strict_check_header=False)
        self._claims = JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer.issuer},
            aud={"essential": True, "value": issuer.audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def read(self, shown: str) -> SignedIn | None:
        """What it says; None where it is no token that we take - all such are alike.

        Raises IssuerUnavailable where its key is not known, and can't be asked for now."""
        if len(shown) > LARGEST_TOKEN or not shown.isascii() or shown.count(".") != 2:
            return None
        try:
            kid = self._kid(shown)
            key = None if kid is None else self.keys.get(kid)
            if key is None:
                return None
            claims = jwt.decode(shown, key, registry=self._registry).claims
            self._claims.validate(claims)
            return self._signed_in(claims)
        except (JoseError, ValueError, TypeError, RecursionError):
            return None

    def _kid(self, shown: str) -> str | None:
        """The id of its key, where its header is one that we go by. Nothing else is taken from there: no key, and no
        address of one."""
        header = json.loads(urlsafe_b64decode(shown.partition(".")[0].encode()))
        if not isinstance(header, dict) or "crit" in header or "b64" in header:
            raise DecodeError("header")
        kind = str(header.get("typ", "")).lower().removeprefix("application/")
        if header.get("alg") not in self.issuer.algorithms or kind != self.issuer.type.lower():
            raise DecodeError("header")
        kid = header.get("kid")
        return kid if isinstance(kid, str) else None

    def _signed_in(self, claims: dict[str, Any]) -> SignedIn | None:
        subject: str = claims["sub"]
        if not 0 < len(subject) <= LONGEST_SUBJECT:
            return None
        scopes = claims.get("scope", claims.get("scp", ""))
        listed = scopes.split(" ") if isinstance(scopes, str) else scopes
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            return None
        return SignedIn(self.issuer.issuer, subject, frozenset(listed))
