"""`lunpai login`: a subject elsewhere is bound to somebody on the staff list, listed masked, and unbound by its id."""

from __future__ import annotations

import json
import re

import pytest

from interfaces.cli_start import MANAGER
from tests.interfaces.conftest import Lunpai

ISSUER = "https://id.example"
SUBJECT = "chen.jing@example.org"


def test_bind_list_unbind(lunpai: Lunpai, office: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = lunpai("login", "bind", MANAGER, SUBJECT, "--issuer", ISSUER)
    assert bound.status == 0 and re.fullmatch(r"[0-9a-f]{16}\n", bound.out)
    login = bound.out.strip()
    again = lunpai("login", "bind", MANAGER, SUBJECT, "--issuer", ISSUER)
    assert again.status == 1 and again.err.startswith("lunpai: duplicate_label") and login in again.err
    listed = lunpai("login", "list", "--json").out
    assert SUBJECT not in listed and "example.org" not in listed
    (told,) = (one for one in json.loads(listed) if one["login"] == login)
    assert (told["staff"], told["state"], told["issuer"], told["subject"]) == (MANAGER, "bound", ISSUER, "che****rg")
    assert lunpai("login", "unbind", login).out == f"unbound: {login}\n"
    assert "已解除" in lunpai("--language", "zh", "login", "list").out
    assert lunpai("login", "unbind", login).err.startswith("lunpai: wrong_state")
    monkeypatch.setenv("LUNPAI_OIDC_ISSUER", ISSUER)
    rebound = lunpai("login", "bind", MANAGER, SUBJECT)
    assert rebound.status == 0 and rebound.out.strip() != login
    assert lunpai("login", "unbind", rebound.out.strip()).status == 0


def test_what_is_refused(lunpai: Lunpai, office: str) -> None:
    for arguments, code in (
        (("unbind", "0" * 16), "unknown_login"),
        (("bind", "无名氏", SUBJECT, "--issuer", ISSUER), "unknown_staff"),
        (("bind", MANAGER, "x" * 256, "--issuer", ISSUER), "bad_value"),
        (("bind", MANAGER, " ", "--issuer", ISSUER), "bad_value"),
        (("bind", MANAGER, "a\x1b[2J", "--issuer", ISSUER), "bad_value"),
    ):
        refused = lunpai("login", *arguments)
        assert refused.status == 1 and refused.err.startswith(f"lunpai: {code}") and not refused.out
    serve = lunpai("serve", "--oidc-issuer", "http://id.example", "--oidc-audience", "a")
    assert serve.status == 2 and "https only" in serve.err
    serve = lunpai("serve", "--oidc-issuer", ISSUER, "--oidc-audience", "a", "--oidc-algorithms", "HS256")
    assert serve.status == 2 and "HS256" in serve.err
