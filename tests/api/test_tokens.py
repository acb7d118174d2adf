"""Tokens of an issuer: who may come in by one, and that nothing else about one is ever told apart."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.util import int_to_base64
from werkzeug.test import TestResponse

from application.access_keys import keys_of
from application.event_store.memory import MemoryRecorder
from application.issuer_keys import (
    FRESH_SECONDS,
    KEPT_SECONDS,
    REST_SECONDS,
    IssuerKeys,
    IssuerUnavailable,
    from_url,
    parse_keys,
    source_of,
)
from application.logins import bind, subjects_of, unbind
from application.privacy import Keyring
from application.tokens import LARGEST_TOKEN, Issuer, Tokens
from interfaces.api.logs import JsonLines
from tests.api.house import House, now
from tests.api.issuing import AUDIENCE, Issuing, issuing, rsa

Clock = list[float]


@pytest.fixture(scope="module")
def running() -> Iterator[Issuing]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: Issuing) -> Iterator[Issuing]:
    """The issuer, which has been asked nothing yet and is put right afterwards."""
    keys, running.answers = list(running.keys), None
    running.asked.clear()
    yield running
    running.keys, running.answers = keys, None


@pytest.fixture
def clock() -> Clock:
    return [1000.0]


@pytest.fixture
def house(issuer: Issuing, clock: Clock) -> House:
    """An office in which the subject `lin` is its manager."""
    settings = Issuer(issuer=issuer.url, audience=AUDIENCE)
    keys = IssuerKeys(source_of(issuer.url, f"{issuer.url}/keys"), lambda: clock[0])
    house = House(tokens=Tokens(settings, keys))
    bind(house.office, now(), issuer=issuer.url, subject="lin", staff=house.staff["manager"])
    return house


def shown(house: House, token: str, path: str = "") -> TestResponse:
    return house.ask("GET", path, None, key=token)


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_a_token_opens_what_its_subjects_role_permits(house: House, issuer: Issuing) -> None:
    for alg, key in zip(("RS256", "ES256", "Ed25519"), issuer.keys, strict=True):
        assert shown(house, issuer.token(key=key, alg=alg)).status_code == 200
    assert shown(house, issuer.token(alg="PS256")).status_code == 200
    assert shown(house, issuer.token(aud=["other", AUDIENCE], header_typ="application/AT+JWT")).status_code == 200
    enrolled = house.ask("POST", "staff", None, {"name": "林芳"}, key=issuer.token())
    assert enrolled.status_code == 200
    (fact,) = house.store.record.read(house.position - 1)
    assert fact.actor == house.staff["manager"]
    assert issuer.asked == ["/keys"], "fetched once for all of them"


OLD = int(time.time()) - 10_000
HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": "one"}
BAD: dict[str, Callable[[Issuing], str]] = {
    "expired": lambda i: i.token(exp=int(time.time()) - 31),
    "without an end": lambda i: i.token(exp=None),
    "an end that is none": lambda i: i.token(exp="tomorrow"),
    "an end that is infinite": lambda i: i.token(exp=float("inf")),
    "an end that is true": lambda i: i.token(exp=True),
    "not yet": lambda i: i.token(nbf=int(time.time()) + 60),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + 60),
    "for somebody else": lambda i: i.token(aud="https://crm.example"),
    "for several others": lambda i: i.token(aud=["https://crm.example", "x"]),
    "for nobody": lambda i: i.token(aud=None),
    "an audience that is none": lambda i: i.token(aud={"a": AUDIENCE}),
    "of another issuer": lambda i: i.token(iss="https://id.example"),
    "of no issuer": lambda i: i.token(iss=None),
    "of several issuers": lambda i: i.token(iss=[i.url]),
    "of nobody": lambda i: i.token(sub=None),
    "of an empty subject": lambda i: i.token(sub=""),
    "of a number": lambda i: i.token(sub=7),
    "of a list": lambda i: i.token(sub=["lin"]),
    "of a long subject": lambda i: i.token(sub="x" * 256),
    "of somebody unbound": lambda i: i.token("nobody-here"),
    "another type": lambda i: i.token(header_typ="JWT"),
    "no type": lambda i: i.token(header_typ=None),
    "a type that is none": lambda i: i.token(header_typ=["at+jwt"]),
    "scopes that are none": lambda i: i.token(scope=7),
    "scopes in a map": lambda i: i.token(scope={"office:read": True}),
    "without a key's id": lambda i: i.token(header_kid=None),
    "a key's id that is none": lambda i: i.token(header_kid=["one"]),
    "an algorithm that is not allowed": lambda i: i.token(alg="RS512"),
    "an algorithm that is none": lambda i: part({**HEADER, "alg": ["RS256"]}) + ".e30.AA",
    "no algorithm at all": lambda i: i.token(alg="none"),
    "none, by another spelling": lambda i: part({**HEADER, "alg": "nOnE"}) + "." + i.token().split(".")[1] + ".",
    "the public key as a secret": lambda i: by_secret(i, i.keys[0].as_pem(private=False)),
    "the public key as a secret, in its other form": lambda i: by_secret(
        i, json.dumps(i.keys[0].as_dict(private=False)).encode()
    ),
    "another kind of key than its algorithm": lambda i: i.token(key=i.keys[1], alg="ES256", header_kid="one"),
    "a key for another kind of algorithm": lambda i: i.token(header_kid="ec"),
    "signed by another key of that id": lambda i: i.token(key=rsa("one")),
    "its own key brought along": lambda i: with_own_key(i),
    "critical headers": lambda i: i.token(header_crit=["exp"], header_exp=1),
    "its payload not encoded": lambda i: i.signed({**HEADER, "b64": False, "crit": ["b64"]}, b"{}"),
    "another payload": lambda i: ".".join([(t := i.token().split("."))[0], i.token("lin2").split(".")[1], t[2]]),
    "another header": lambda i: part({**HEADER, "cty": "x"}) + i.token()[i.token().index(".") :],
    "a signature cut short": lambda i: i.token()[:-8],
    "no signature": lambda i: i.token().rpartition(".")[0] + ".",
    "not base64": lambda i: "ä.ö.ü",
    "nothing": lambda i: "..",
    "not JSON": lambda i: part(b"hello") + ".e30.AA",
    "a list for a header": lambda i: part([]) + ".e30.AA",
    "deep JSON": lambda i: part(b'{"alg":' + b"[" * 5000) + ".e30.AA",
    "deep claims": lambda i: i.signed(HEADER, b'{"sub":' + b"[" * 2500 + b"]" * 2500 + b"}"),
    "claims that are a list": lambda i: i.signed(HEADER, b"[]"),
    "claims that are no JSON": lambda i: i.signed(HEADER, b"\xff"),
    "claims with a huge number": lambda i: i.signed(HEADER, b'{"exp":' + b"9" * 5000 + b"}"),
    "huge": lambda i: i.token(more="x" * LARGEST_TOKEN),
    "five parts": lambda i: "a.b.c.d.e",
}


def by_secret(issuer: Issuing, secret: bytes) -> str:
    text = part({**HEADER, "alg": "HS256"}) + "." + issuer.token().split(".")[1]
    return text + "." + part(hmac.digest(secret, text.encode(), "sha256"))


def with_own_key(issuer: Issuing) -> str:
    own = rsa("one")
    return issuer.token(
        key=own, header_jwk=own.as_dict(private=False), header_jku="http://127.0.0.1:1/keys", header_kid="one"
    )


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_token_of_ours_is_the_same_401(what: str, house: House, issuer: Issuing) -> None:
    before = house.position
    nobody = house.refused(shown(house, "nothing"), 401, "unauthenticated")
    told = house.refused(shown(house, BAD[what](issuer)), 401, "unauthenticated")
    assert {**told, "request_id": ""} == {**nobody, "request_id": ""}
    assert house.position == before and issuer.asked in ([], ["/keys"])


def test_a_little_late_is_still_in_time(house: House, issuer: Issuing) -> None:
    late, early = int(time.time()) - 20, int(time.time()) + 20
    assert shown(house, issuer.token(exp=late, iat=OLD)).status_code == 200
    assert shown(house, issuer.token(nbf=early, iat=early)).status_code == 200


def test_scopes_only_narrow(house: House, issuer: Issuing) -> None:
    narrow = issuer.token(scope="floor:read openid visitors:burn")
    house.refused(shown(house, narrow), 403, "access_denied")
    assert shown(house, narrow, "queue").status_code == 200
    assert shown(house, issuer.token(scope=None, scp=["office:read"])).status_code == 200
    assert shown(house, issuer.token(scope=None, scp="office:read")).status_code == 200
    house.refused(shown(house, issuer.token(scope=None)), 403, "access_denied")
    bind(house.office, now(), issuer=issuer.url, subject="wang", staff=house.staff["consultant"])
    wide = issuer.token("wang", scope="office:write office:read", roles=["manager"], groups=["manager"])
    house.refused(house.ask("POST", "staff", None, {"name": "x"}, key=wide), 403, "access_denied")


def test_who_has_left_or_is_unbound_comes_in_no_more(house: House, issuer: Issuing) -> None:
    bound = bind(house.office, now(), issuer=issuer.url, subject="wang", staff=house.staff["colleague"])
    bind(house.office, now(), issuer=issuer.url, subject="zhao", staff=house.staff["consultant"])
    tokens = issuer.token("wang"), issuer.token("zhao")
    assert [shown(house, token).status_code for token in tokens] == [200, 200]
    unbind(house.office, now(), login=bound)
    house.does(f"staff/{house.staff['consultant']}/departure", {})
    assert [shown(house, token).status_code for token in tokens] == [401, 401]
    bind(house.office, now(), issuer=issuer.url, subject="wang", staff=house.staff["desk"])
    assert shown(house, tokens[0]).status_code == 200


def test_whose_key_is_destroyed_is_nobody_any_more(house: House, issuer: Issuing) -> None:
    recorder = house.store.record.recorder
    assert isinstance(recorder, MemoryRecorder)
    del recorder._keys[house.staff["manager"]]
    keyring = Keyring(b"k" * 32, house.store.record.person_keys)
    assert subjects_of(keys_of(house.store.record, house.site), keyring) == {}


def test_the_site_in_the_path_decides(house: House, issuer: Issuing) -> None:
    there = house.open("江畔二号")
    alone = house.open("湖心三号")
    staff = there.enrol_staff(now(), name="林经理", role="auditor").subject
    assert staff is not None
    bind(there, now(), issuer=issuer.url, subject="lin", staff=staff)
    token = issuer.token()
    sites = {one["site"] for one in (shown(house, token, "/v1/sites").json or {})["sites"]}
    assert sites == {str(house.site), str(there.site_id)}
    assert shown(house, token, f"/v1/sites/{there.site_id}").status_code == 200
    house.refused(shown(house, token, f"/v1/sites/{alone.site_id}"), 404, "unknown_site")
    enrol = f"/v1/sites/{there.site_id}/staff"
    house.refused(house.ask("POST", enrol, None, {"name": "x"}, key=token), 403, "access_denied")
    assert shown(house, token, "/v1/metrics").status_code == 200
    house.refused(shown(house, issuer.token("nobody"), f"/v1/sites/{alone.site_id}"), 401, "unauthenticated")


def test_a_command_that_comes_twice_under_two_tokens_is_one(house: House, issuer: Issuing) -> None:
    def register(token: str) -> dict[str, Any]:
        response = house.ask("POST", "registrations", None, {"name": "赵强"}, idempotency="once", key=token)
        return dict(response.json or {})

    first, again = register(issuer.token()), register(issuer.token(jti="2", exp=int(time.time()) + 600))
    assert again == {**first, "repeated": True}
    with_key = house.ask("POST", "registrations", "manager", {"name": "钱多"}, idempotency="once")
    assert with_key.status_code == 200, "a key's commands are its own"


def test_nothing_of_a_token_is_logged(house: House, issuer: Issuing) -> None:
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    log, handler = logging.getLogger("lunpai.api"), Lines()
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        login = bind(
            house.office, now(), issuer=issuer.url, subject="wang@example.org", staff=house.staff["consultant"]
        )
        token = issuer.token("wang@example.org")
        shown(house, token)
        shown(house, token[:-8])
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    first, second = map(json.loads, lines)
    assert first["key"] == login and "key" not in second
    assert "wang" not in "".join(lines) and not [part for part in token.split(".") if part in "".join(lines)]
    stored = [event.state for event in house.store.record.recorder.select_notifications(1, 1000)]
    assert not [body for body in stored if b"wang" in body]


# The issuer's keys


def test_an_unknown_key_is_asked_for_once_in_a_while(house: House, issuer: Issuing, clock: Clock) -> None:
    assert shown(house, issuer.token()).status_code == 200
    clock[0] += REST_SECONDS + 1
    for number in range(20):
        house.refused(shown(house, issuer.token(header_kid=f"made-up-{number}")), 401, "unauthenticated")
    assert issuer.asked == ["/keys"] * 2
    clock[0] += REST_SECONDS + 1
    house.refused(shown(house, issuer.token(header_kid="made-up")), 401, "unauthenticated")
    assert issuer.asked == ["/keys"] * 3


def test_keys_change_at_the_issuer(house: House, issuer: Issuing, clock: Clock) -> None:
    old = issuer.token()
    assert shown(house, old).status_code == 200
    clock[0] += REST_SECONDS + 1
    issuer.keys = [rsa("two")]
    assert shown(house, issuer.token()).status_code == 200
    assert issuer.asked == ["/keys"] * 2
    house.refused(shown(house, old), 401, "unauthenticated")


def test_a_key_that_is_taken_back_holds_no_longer_than_keys_are_fresh(
    house: House, issuer: Issuing, clock: Clock
) -> None:
    old = issuer.token()
    assert shown(house, old).status_code == 200
    issuer.keys = [rsa("two")]
    clock[0] += FRESH_SECONDS - 1
    assert shown(house, old).status_code == 200
    clock[0] += 1
    house.refused(shown(house, old), 401, "unauthenticated")


@pytest.mark.parametrize("answers", [503, 302, b"<html>", b"[]", b'{"keys": 7}', b"[" * 100_000, b"x" * 300_000])
def test_an_issuer_that_does_not_answer(house: House, issuer: Issuing, clock: Clock, answers: bytes | int) -> None:
    token, issuer.answers = issuer.token(), answers
    told = shown(house, token)
    house.refused(told, 503, "issuer_unavailable")
    assert told.headers["Retry-After"] == "5"
    house.refused(shown(house, token), 503, "issuer_unavailable")
    assert issuer.asked == ["/keys"], "not asked again at once, and not sent elsewhere"
    assert house.ask("GET", "").status_code == 200, "keys of our own do not need it"
    house.refused(shown(house, "a.b.c"), 401, "unauthenticated")
    issuer.answers = None
    clock[0] += REST_SECONDS
    assert shown(house, token).status_code == 200
    issuer.answers = answers
    clock[0] += KEPT_SECONDS - 1
    assert shown(house, token).status_code == 200, "goes on with what is known"
    house.refused(shown(house, issuer.token(header_kid="new")), 503, "issuer_unavailable")
    clock[0] += 1
    house.refused(shown(house, token), 503, "issuer_unavailable")


def test_where_keys_are(issuer: Issuing, tmp_path: Path) -> None:
    keys = parse_keys(source_of(issuer.url, None)())
    assert keys.keys() == {"one", "ec", "ed"}
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    with pytest.raises(IssuerUnavailable, match="another issuer"):
        source_of(f"{issuer.url}/", None)()
    file = tmp_path / "keys.json"
    file.write_bytes(source_of(issuer.url, f"{issuer.url}/keys")())
    assert parse_keys(source_of(issuer.url, str(file))()).keys() == keys.keys()
    for nowhere in (
        str(tmp_path / "none.json"),
        "http://127.0.0.1:1/keys",
        "ftp://x.example/",
        "http://x.example/keys",
    ):
        with pytest.raises(IssuerUnavailable):
            source_of(issuer.url, nowhere)()
    with pytest.raises(IssuerUnavailable, match="https"):
        from_url("file:///etc/passwd")


def test_which_keys_count() -> None:
    good, enc = rsa("good"), rsa("enc")
    small = generate_private_key(65537, 1024).public_key().public_numbers().n
    told = [
        good.as_dict(private=False),
        {**enc.as_dict(private=False), "use": "enc"},
        {"kty": "RSA", "kid": "small", "n": int_to_base64(small), "e": "AQAB"},
        {**rsa("private").as_dict(private=True)},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "ML-DSA", "kid": "new"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": 7},
        {"kty": "EC", "crv": "P-256", "kid": "half"},
        {k: v for k, v in good.as_dict(private=False).items() if k != "kid"},
        "key",
    ]
    assert parse_keys(json.dumps({"keys": told}).encode()).keys() == {"good"}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"algorithms": ("RS256", "HS256")}, "HS256"),
        ({"algorithms": ("none",)}, "none"),
        ({"algorithms": ()}, "each be something"),
        ({"audience": ""}, "each be something"),
        ({"type": ""}, "each be something"),
        ({"issuer": "http://id.example"}, "https only"),
        ({"issuer": "id.example"}, "https only"),
        ({"jwks": "http://id.example/keys"}, "https only"),
        ({"jwks": "file:///keys"}, "https only"),
    ],
)
def test_settings_that_can_not_be(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Issuer(**{"issuer": "https://id.example", "audience": "a", **more})


def test_without_an_issuer_no_token_is_taken(issuer: Issuing) -> None:
    house = House()
    bind(house.office, now(), issuer=issuer.url, subject="lin", staff=house.staff["manager"])
    house.refused(shown(house, issuer.token()), 401, "unauthenticated")
    assert issuer.asked == []
