"""Tokens while something goes on: another request asks the issuer for its keys, or what was read may be lost."""

from __future__ import annotations

import json
import threading
from typing import Any

import msgspec
import pytest
from joserfc.jwk import KeySet

from application.access_keys import AccessRead
from application.issuer_keys import REST_SECONDS, IssuerKeys, IssuerUnavailable
from application.logins import LoginGate, bind
from application.tokens import Issuer, SignedIn, Tokens
from tests.api.house import House, now
from tests.api.issuing import rsa


def test_while_another_is_asking_nobody_is_sent_away_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    asking, answer, clock = threading.Event(), threading.Event(), [0.0]
    old, new = rsa("old"), rsa("new")
    published = [old]

    def fetch() -> bytes:
        if new in published:
            asking.set()
            assert answer.wait(10)
        return json.dumps(KeySet(published).as_dict(private=False)).encode()

    monkeypatch.setattr("application.issuer_keys.WAIT_SECONDS", 0.05)
    keys = IssuerKeys(fetch, lambda: clock[0])
    assert keys.get("old") is not None
    published.append(new)
    clock[0] = REST_SECONDS
    found: list[Any] = []
    first = threading.Thread(target=lambda: found.append(keys.get("new")))
    first.start()
    assert asking.wait(10)
    with pytest.raises(IssuerUnavailable, match="still asking"):
        keys.get("new")
    assert keys.get("old") is not None, "who has a key to go by waits for nobody"
    answer.set()
    first.join(10)
    assert found[0] is not None and keys.get("new") is not None and keys.get("made-up") is None


def test_who_is_bound_is_read_anew_where_it_may_be_lost() -> None:
    """Under the same version something else may stand there, once a database died."""
    house = House()
    bind(house.office, now(), issuer="https://id.example", subject="lin", staff=house.staff["manager"])

    class Anybody(Tokens):
        def read(self, shown: str) -> SignedIn | None:
            return SignedIn("https://id.example", shown, frozenset())

    record = house.store.record
    tokens = Anybody(Issuer(issuer="https://id.example", audience="x", jwks="none"))
    gate = LoginGate(record, house.store.keyring, tokens, AccessRead(record))
    assert [one.staff for one in gate.whose("lin", house.site)] == [house.staff["manager"]]
    known, subjects = gate._subjects[house.site]
    assert gate.whose("lin", house.site) and gate._subjects[house.site][1] is subjects, "as long as nothing happens"
    gate._subjects[house.site] = msgspec.structs.replace(known), {}  # what was read before, under that version
    assert [one.staff for one in gate.whose("lin", house.site)] == [house.staff["manager"]]
