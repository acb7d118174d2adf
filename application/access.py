"""Who may do what: one table of actions, deny by default. Nobody may do what no line grants.

What a request may do is what the role of the member of staff on the site's staff list permits at that moment, narrowed
by the scopes of the key. The rulebook may refuse more (who may rule, hand over, give leave): that is decided with the
command, and stays there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from domain.site import ROLES

Grant = Literal["any", "own"]
"""own: only what is one's own - said of oneself, about a customer who is nobody else's, a reception one is at."""

CONSULTANT, SUPERVISOR, MANAGER, DESK = "consultant", "supervisor", "manager", "desk"
FINANCE, LEGAL, OFFICER, AUDITOR = "finance", "legal", "officer", "auditor"
LEADERS = (MANAGER, SUPERVISOR)
FLOOR = (*LEADERS, DESK)
REVIEWERS = (*LEADERS, LEGAL, AUDITOR)


class Action(msgspec.Struct, frozen=True):
    """`scope`: what a key must have for it; `grants`: role -> what of it the role may do."""

    name: str
    scope: str
    grants: Mapping[str, Grant]


def _action(name: str, scope: str, any_: Collection[str], own: Collection[str] = ()) -> Action:
    grants: dict[str, Grant] = {**dict.fromkeys(own, "own"), **dict.fromkeys(any_, "any")}
    assert grants.keys() <= set(ROLES), name
    return Action(name, scope, grants)


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        _action("site.read", "office:read", ROLES),
        _action("staff.read", "office:read", ROLES),
        _action("staff.enrol", "office:write", [MANAGER]),
        _action("staff.depart", "office:write", LEADERS),
        _action("rulebooks.read", "office:read", ROLES),
        _action("rulebooks.adopt", "office:write", [MANAGER]),
        _action("floor.read", "floor:read", [*FLOOR, CONSULTANT, OFFICER, AUDITOR]),
        _action("floor.attend", "floor:write", FLOOR, own=[CONSULTANT]),
        _action("floor.readiness", "floor:write", FLOOR),
        _action("floor.unreachable", "floor:write", FLOOR),
        _action("floor.order", "floor:write", LEADERS),
        _action("floor.discipline", "floor:write", LEADERS),
        _action("receptions.explain", "floor:read", [*FLOOR, OFFICER, AUDITOR], own=[CONSULTANT]),
        _action("receptions.list", "floor:read", [*FLOOR, OFFICER, AUDITOR], own=[CONSULTANT]),
        _action("receptions.open", "floor:write", FLOOR),
        _action("receptions.reassign", "floor:write", FLOOR),
        _action("receptions.hand_over", "floor:write", [*LEADERS, CONSULTANT]),
        _action("receptions.help", "floor:write", FLOOR, own=[CONSULTANT]),
        _action("receptions.conduct", "floor:write", FLOOR, own=[CONSULTANT]),
        _action("visitors.register", "visitors:write", FLOOR, own=[CONSULTANT]),
        _action("visitors.follow_up", "visitors:write", FLOOR, own=[CONSULTANT]),
        _action("visitors.relate", "visitors:write", FLOOR, own=[CONSULTANT]),
        _action("visitors.entrust", "visitors:write", FLOOR, own=[CONSULTANT]),
        _action("visitors.assign", "visitors:write", LEADERS),
        _action("visitors.look_up", "visitors:read", [*FLOOR, LEGAL, AUDITOR], own=[CONSULTANT]),
        _action("visitors.read", "visitors:read", [*REVIEWERS, DESK], own=[CONSULTANT]),
        _action("visitors.list", "visitors:read", [*LEADERS, AUDITOR], own=[CONSULTANT]),
        _action("visitors.reveal", "personal:read", [*LEADERS, LEGAL], own=[CONSULTANT]),
        _action("disclosures.read", "personal:audit", [*LEADERS, AUDITOR]),
        _action("exports.propose", "personal:read", [*LEADERS, LEGAL]),
        _action("exports.download", "personal:read", [*LEADERS, LEGAL, AUDITOR]),
        _action("proposals.read", "personal:audit", [*LEADERS, LEGAL, AUDITOR]),
        _action("proposals.approve", "personal:audit", [MANAGER, AUDITOR]),
        _action("proposals.refuse", "personal:audit", [*LEADERS, LEGAL, AUDITOR]),
        _action("matters.replay", "visitors:read", [*REVIEWERS, FINANCE], own=[CONSULTANT]),
        _action("sales.record", "sales:write", [*FLOOR, FINANCE], own=[CONSULTANT]),
        _action("sales.agree", "sales:write", [*LEADERS, FINANCE]),
        _action("sales.read", "sales:read", [*REVIEWERS, FINANCE], own=[CONSULTANT]),
        _action("sales.list", "sales:read", [*REVIEWERS, FINANCE], own=[CONSULTANT]),
        _action("disputes.open", "disputes:write", LEADERS, own=[CONSULTANT]),
        _action("disputes.rule", "disputes:write", [MANAGER]),
        _action("disputes.read", "disputes:read", [*REVIEWERS, FINANCE], own=[CONSULTANT]),
        _action("reports.disputes", "reports:read", [*REVIEWERS, FINANCE]),
        _action("reports.money", "reports:read", [*LEADERS, FINANCE, AUDITOR]),
        _action("reports.commission", "reports:read", [*LEADERS, FINANCE, AUDITOR], own=[CONSULTANT]),
        _action("reports.scoreboard", "reports:read", [*LEADERS, FINANCE, AUDITOR], own=[CONSULTANT]),
        _action("reports.floor", "reports:read", [*LEADERS, OFFICER, AUDITOR], own=[CONSULTANT]),
        _action("reports.customers", "reports:read", [*LEADERS, AUDITOR], own=[CONSULTANT]),
        _action("reports.open_pool", "reports:read", [*LEADERS, AUDITOR]),
        _action("reports.morning", "reports:read", [*LEADERS, AUDITOR]),
        _action("jobs.read", "jobs:read", [MANAGER, AUDITOR]),
        _action("jobs.run", "jobs:write", [MANAGER]),
        _action("metrics.read", "metrics:read", [MANAGER, AUDITOR]),
    )
}

SCOPES = frozenset(action.scope for action in ACTIONS.values())


def granted(action: str, role: str, scopes: Collection[str]) -> Grant | None:
    """What of an action a role with these scopes may do; None: nothing."""
    known = ACTIONS.get(action)
    if known is None or known.scope not in scopes:
        return None
    return known.grants.get(role)


def permits(grant: Grant | None, *, own: bool) -> bool:
    """Whether what is granted covers something that is, or is not, one's own."""
    return grant == "any" or (grant == "own" and own)
