"""An issuer of tokens: its keys, its tokens, and the server where others fetch its keys."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact

AUDIENCE = "https://lunpai.example"


class Anything(JWSRegistry):
    """Signs whatever it is told to, by whichever algorithm: an attacker would not be particular."""

    def check_header(self, header: Any) -> None:
        pass

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def rsa(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})


class Issuing:
    """`keys`: what it publishes; `asked`: the paths that it was asked for; `answers`: what it says instead, if it is to
    say something odd."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: list[Any] = [
            rsa("one"),
            ECKey.generate_key("P-256", {"kid": "ec"}),
            OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        ]
        self.asked: list[str] = []
        self.answers: bytes | int | None = None

    def token(self, subject: str = "lin", key: Any = None, *, alg: str = "RS256", **changes: Any) -> str:
        """A token that is good but for the changes: a claim, or (as `header_...`) part of its header; None leaves it
        out."""
        key = key or self.keys[0]
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 300, "client_id": "crm",
            "jti": "1", "scope": "office:read office:write floor:read floor:write visitors:write metrics:read",
        }  # fmt: skip
        header = {"alg": alg, "typ": "at+jwt", "kid": key.kid}
        for name, value in changes.items():
            part, name = (header, name[7:]) if name.startswith("header_") else (claims, name)
            part[name] = value
        header, claims = ({k: v for k, v in one.items() if v is not None} for one in (header, claims))
        return self.signed(header, json.dumps(claims).encode(), key)

    def signed(self, header: dict[str, Any], payload: bytes, key: Any = None) -> str:
        """A token of that header and payload, signed as the header says by its first key or another one."""
        return serialize_compact(header, payload, key or self.keys[0], registry=Anything())


@contextmanager
def issuing() -> Iterator[Issuing]:
    """An issuer that answers on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            if isinstance(issuer.answers, int):
                self.send_response(issuer.answers)
                self.send_header("Location", f"{issuer.url}/elsewhere")
                self.end_headers()
                return
            told: Any = KeySet(issuer.keys).as_dict()
            if self.path == "/.well-known/openid-configuration":
                told = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode() if issuer.answers is None else issuer.answers)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuing(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()
