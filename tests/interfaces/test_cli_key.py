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


def test_what_is_refused(lunpai: Lunpai, office: str) -> None:
    assert lunpai("key", "revoke", "0" * 16).err.startswith("lunpai: unknown_key")
    assert lunpai("key", "issue", "无名氏").err.startswith("lunpai: unknown_staff")
    assert lunpai("key", "issue", MANAGER, "--until", "2020-01-01").err.startswith("lunpai: bad_time")
    assert lunpai("key", "issue", MANAGER, "--scope", "moon:write").status == 2
