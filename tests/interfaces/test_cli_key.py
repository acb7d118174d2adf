"""`lunpai key`: a key is shown once, opens what its holder's role permits, and is listed and revoked by its id."""

from __future__ import annotations

import json
import re

from interfaces.cli_start import MANAGER
from tests.interfaces.conftest import Lunpai


def test_issue_list_revoke(lunpai: Lunpai, office: str) -> None:
    issued = lunpai("key", "issue", MANAGER, "--scope", "floor:read", "--days", "7")
    assert issued.status == 0 and issued.err.strip().endswith("keep it safe")
    found = re.fullmatch(r"lunpai_([0-9a-f]{16})_([A-Za-z0-9_-]{43})\n", issued.out)
    assert found is not None
    key, secret = found.groups()
    listed = lunpai("key", "list", "--json").out
    assert secret not in listed
    (told,) = (one for one in json.loads(listed) if one["key"] == key)
    assert (told["staff"], told["scopes"], told["state"]) == (MANAGER, ["floor:read"], "valid")
    assert key in lunpai("key", "list").out
    assert lunpai("key", "revoke", key).out == f"revoked: {key}\n"
    assert "已吊销" in lunpai("--language", "zh", "key", "list").out
    again = lunpai("key", "revoke", key)
    assert again.status == 1 and again.err.startswith("lunpai: wrong_state")


def test_rotate(lunpai: Lunpai, office: str) -> None:
    old = lunpai("key", "issue", MANAGER, "--scope", "floor:read").out.split("_")[1]
    rotated = lunpai("key", "rotate", old, "--until", "2099-12-31")
    assert rotated.status == 0 and rotated.err.strip().endswith("keep it safe")
    new, secret = rotated.out.strip().split("_", 2)[1:]
    listed = {one["key"]: one for one in json.loads(lunpai("key", "list", "--json").out)}
    assert listed[old]["state"] == "revoked"
    assert (listed[new]["staff"], listed[new]["scopes"], listed[new]["state"]) == (MANAGER, ["floor:read"], "valid")
    assert listed[new]["expires_at"].startswith("2099-12-31") or listed[new]["expires_at"].startswith("2100-01-01")
    assert secret not in json.dumps(listed)
    before = lunpai("key", "list", "--json").out
    for refused, code in (
        (lunpai("key", "rotate", old), "wrong_state"),
        (lunpai("key", "rotate", "0" * 16), "unknown_key"),
        (lunpai("key", "rotate", new, "--until", "2020-01-01"), "bad_time"),
    ):
        assert refused.status == 1 and refused.err.startswith(f"lunpai: {code}") and not refused.out
    assert lunpai("key", "list", "--json").out == before


def test_what_is_refused(lunpai: Lunpai, office: str) -> None:
    assert lunpai("key", "revoke", "0" * 16).err.startswith("lunpai: unknown_key")
    assert lunpai("key", "issue", "无名氏").err.startswith("lunpai: unknown_staff")
    assert lunpai("key", "issue", MANAGER, "--until", "2020-01-01").err.startswith("lunpai: bad_time")
    assert lunpai("key", "issue", MANAGER, "--scope", "moon:write").status == 2
