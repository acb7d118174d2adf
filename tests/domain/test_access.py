"""Keys: issued, used while they open, revoked once. Logins: bound to one member of staff, unbound once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import access
from domain.access import Access, BindLogin, IssueKey, Key, KeyIssued, KeyRevoked, LoginBound, LoginUnbound
from domain.record import Envelope, Fact
from domain.refusals import Refusal
from domain.site import Member, Site

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
LIN, GONE = UUID(int=1), UUID(int=2)
SITE = Site(
    id=UUID(int=9),
    version=3,
    name="滨江一号",
    timezone="Asia/Shanghai",
    opened_at=datetime(2026, 1, 1, tzinfo=UTC),
    staff={LIN: Member(LIN, b"", "consultant", None), GONE: Member(GONE, b"", "desk", None, departed=True)},
    adoptions=(),
)
KNOWN = frozenset({"floor:read", "floor:write"})


def command(**more: object) -> IssueKey:
    given = {
        "key": "k1",
        "sha256": b"h",
        "staff": LIN,
        "scopes": ("floor:write", "floor:read", "floor:read"),
        "known_scopes": KNOWN,
        "expires_at": AT + timedelta(days=1),
        "at": AT,
    }
    return IssueKey(**{**given, **more})  # type: ignore[arg-type]


def on_record(*facts: Fact) -> Access | None:
    state: Access | None = None
    for number, fact in enumerate(facts, start=1):
        state = access.evolve(
            state,
            Envelope(
                site=SITE.id, stream=access.access_id(SITE.id), version=number, occurred_at=AT, entered_at=None,
                actor=LIN, command_id=UUID(int=number), correlation_id=UUID(int=number), edition=None, fact=fact,
                position=number, recorded_at=AT,
            ),
        )  # fmt: skip
    return state


def test_a_key_is_issued_with_its_scopes_each_once() -> None:
    issued = access.issue_key(SITE, command())
    assert issued == KeyIssued(
        key="k1",
        sha256=b"h",
        staff=LIN,
        scopes=("floor:read", "floor:write"),
        expires_at=AT + timedelta(days=1),
        by=None,
    )


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"staff": UUID(int=7)}, "unknown_staff"),
        ({"staff": GONE}, "wrong_state"),
        ({"scopes": ()}, "bad_value"),
        ({"scopes": ("floor:burn",)}, "bad_value"),
        ({"expires_at": AT}, "bad_time"),
    ],
)
def test_a_key_that_can_not_be_issued(more: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        access.issue_key(SITE, command(**more))
    assert refused.value.code == code


def test_a_key_is_revoked_once() -> None:
    state = on_record(access.issue_key(SITE, command()))
    revoked = access.revoke_key(state, "k1", None)
    assert revoked == KeyRevoked(key="k1", by=None)
    state = on_record(access.issue_key(SITE, command()), revoked)
    for key, code in (("k1", "wrong_state"), ("k2", "unknown_key")):
        with pytest.raises(Refusal) as refused:
            access.revoke_key(state, key, None)
        assert refused.value.code == code
    with pytest.raises(Refusal):
        access.revoke_key(None, "k1", None)


def test_a_key_opens_until_it_expires_or_is_revoked() -> None:
    key = Key(id="k1", sha256=b"h", staff=LIN, scopes=(), issued_at=AT, expires_at=AT + timedelta(hours=1))
    assert key.opens_at(AT) and not key.opens_at(AT + timedelta(hours=1))
    state = on_record(access.issue_key(SITE, command(expires_at=None)))
    assert state is not None and state.keys["k1"].opens_at(AT + timedelta(days=9999))
    state = on_record(access.issue_key(SITE, command()), KeyRevoked(key="k1", by=None), KeyRevoked(key="odd", by=None))
    assert state is not None and not state.keys["k1"].opens_at(AT) and state.version == 3


def binding(**more: object) -> BindLogin:
    given = {"login": "l1", "issuer": "https://id.example", "sealed": b"s", "staff": LIN, "held_by": None}
    return BindLogin(**{**given, **more})  # type: ignore[arg-type]


def test_a_login_is_bound_and_unbound_once() -> None:
    bound = access.bind_login(SITE, binding())
    assert bound == LoginBound(login="l1", issuer="https://id.example", sealed=b"s", staff=LIN, by=None)
    state = on_record(bound)
    assert state is not None and state.logins["l1"].unbound_at is None and state.logins["l1"].bound_at == AT
    unbound = access.unbind_login(state, "l1", None)
    assert unbound == LoginUnbound(login="l1", by=None)
    state = on_record(bound, unbound, LoginUnbound(login="odd", by=None))
    assert state is not None and state.logins["l1"].unbound_at == AT and state.version == 3 and not state.keys
    for login, code in (("l1", "wrong_state"), ("l2", "unknown_login")):
        with pytest.raises(Refusal) as refused:
            access.unbind_login(state, login, None)
        assert refused.value.code == code
    with pytest.raises(Refusal):
        access.unbind_login(None, "l1", None)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"staff": UUID(int=7)}, "unknown_staff"),
        ({"staff": GONE}, "wrong_state"),
        ({"held_by": "l0"}, "duplicate_label"),
    ],
)
def test_a_login_that_can_not_be_bound(more: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        access.bind_login(SITE, binding(**more))
    assert refused.value.code == code
