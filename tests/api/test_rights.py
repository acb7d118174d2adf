"""Who may do what: every role with every operation of the OpenAPI document - no cell is left unasserted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from marshmallow import Schema

from application.access import ACTIONS, SCOPES, granted, permits
from domain.site import ROLES
from interfaces.api import examples
from interfaces.api.app import RESOURCES, RouteWithoutPolicy, check_policies
from interfaces.api.operations import Resource
from tests.api.house import House, store_in_memory

# c consultant, s supervisor, m manager, d desk, f finance, l legal, o officer, a auditor; C: a consultant, of what is
# the consultant's own. (Of lists and reports a consultant is given the own lines: test_lists.py, test_reports.py.) Written out by hand: a change of a right must be a change here too.
EXPECTED = {
    "list_sites": "csmdfloa",
    "show_site": "csmdfloa",
    "list_staff": "csmdfloa",
    "enrol": "m",
    "depart": "sm",
    "show_rulebook_in_force": "csmdfloa",
    "adopt": "m",
    "list_rulebooks": "csmdfloa",
    "show_rulebook": "csmdfloa",
    "explain_rulebook": "csmdfloa",
    "show_board": "csmdoa",
    "follow_board": "csmdoa",
    "sign_in": "Csmd",
    "sign_out": "Csmd",
    "step_out": "Csmd",
    "step_back": "Csmd",
    "take_post": "Csmd",
    "stand_at_the_door": "Csmd",
    "give_up": "Csmd",
    "not_ready": "smd",
    "ready": "smd",
    "unreachable": "smd",
    "rank": "sm",
    "declare_day": "sm",
    "permit": "sm",
    "warn": "sm",
    "put_misconduct_on_record": "sm",
    "receive": "smd",
    "explain_reception": "csmdoa",
    "absent": "smd",
    "hand_over": "csm",
    "help_with": "Csmd",
    "recognise": "Csmd",
    "unanswered": "Csmd",
    "finish": "Csmd",
    "register": "Csmd",
    "look_up_visitor": "csmdla",
    "show_visitor": "Csmdla",
    "reveal_visitor": "Csml",
    "list_reveals": "sma",
    "propose_export": "sml",
    "download_export": "smla",
    "list_proposals": "smla",
    "approve_proposal": "ma",
    "refuse_proposal": "smla",
    "list_look_ups": "sma",
    "follow_up": "Csmd",
    "relate": "Csmd",
    "entrust": "Csmd",
    "assign": "sm",
    "sell": "Csmdf",
    "show_sale": "Csmfla",
    "agree": "smf",
    "open_dispute": "Csm",
    "show_dispute": "Csmfla",
    "rule": "m",
    "replay_matter": "Csmfla",
    "read_metrics": "ma",
    "list_visitors": "csma",
    "list_open_pool": "sma",
    "list_lapsing": "csma",
    "list_follow_ups_due": "csma",
    "show_timeline": "Csmfla",
    "list_disputes": "smfla",
    "list_sales": "csmfla",
    "list_receptions": "csmdoa",
    "report_commission": "csmfa",
    "report_day": "smfa",
    "report_month": "smfa",
    "report_scoreboard": "csmfa",
    "report_morning": "sma",
    "report_board": "csmoa",
    "report_turns": "csmoa",
    "list_jobs": "ma",
    "show_job": "ma",
    "request_job": "m",
    "cancel_job": "m",
    "list_rebuilds": "ma",
    "show_rebuild": "ma",
    "show_schedule": "ma",
}
LETTER = dict(
    zip(
        "csmdfloa",
        ROLES_IN_ORDER := ("consultant", "supervisor", "manager", "desk", "finance", "legal", "officer", "auditor"),
        strict=True,
    )
)


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Operation id -> method, path, operation, as the document has them."""
    spec = House().client.get("/openapi.json").json
    assert spec is not None
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


OPERATIONS = operations()


class World:
    """An office in which the consultant and a colleague have a customer, a sale, a dispute and a reception each."""

    def __init__(self) -> None:
        self.house = house = House()
        self.things: dict[str, dict[str, str]] = {}
        for number, who in enumerate(("consultant", "colleague"), start=1):
            house.does("queue/sign-in", {"who": str(house.staff[who])})
            visitor = house.register(who, f"客户{number}", f"1390000000{number}")
            relative = house.register(who, f"亲属{number}", f"1380000000{number}")
            sale = house.sell(who, visitor, f"6-1-120{number}")
            self.things[who] = {
                examples.SITE: str(house.site),
                examples.STAFF: str(house.staff[who]),
                examples.COLLEAGUE: str(house.staff["supervisor"]),
                examples.VISITOR: visitor,
                examples.RELATIVE: relative,
                examples.SALE: sale,
                examples.DISPUTE: house.dispute(who, sale),
                "13900000001": f"1390000000{number}",
                "6-1-1204": f"6-1-130{number}",
            }
            self.things[who][examples.RECEPTION] = house.receive(who)

    def filled(self, value: Any, of: str) -> Any:
        """What stands for something in an example, replaced by what is somebody's."""
        if isinstance(value, dict):
            return {self.filled(key, of): self.filled(inner, of) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner, of) for inner in value]
        return self.things[of].get(value, value) if isinstance(value, str) else value

    def code_of(self, name: str, who: str, of: str) -> str | None:
        """What somebody is answered who does it to what is whose: None, or the code of a problem."""
        method, path, operation = OPERATIONS[name]
        for part, example in examples.PATHS.items():
            path = path.replace(f"{{{part}}}", self.filled(example, of))
        body = None
        if method == "POST":
            body = self.filled(operation["requestBody"]["content"]["application/json"].get("example", {}), of)
        asked = {
            one["name"]: str(one["schema"].get("example", one.get("example")))
            for one in operation.get("parameters", ())
            if one["in"] == "query" and one["required"]
        }
        response = self.house.ask(method, path + ("?" + urlencode(asked) if asked else ""), who, body)
        if response.mimetype == "text/event-stream":
            response.close()  # a live board: it would go on for ever
            return None
        # A store in memory keeps no views; tests/api/test_reports.py reads them.
        assert response.status_code < 500 or (response.json or {})["code"] == "views_missing", response.data
        return None if response.status_code in (200, 304) else (response.json or {})["code"]


CODES_OF_SHAPE = {
    "unauthenticated",
    "not_found",
    "method_not_allowed",
    "bad_body",
    "bad_fields",
    "not_json",
    "bad_value",
}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_role_with_this_operation(name: str) -> None:
    world = World()
    allowed = EXPECTED[name]
    unasserted = set(ROLES)
    for letter, role in LETTER.items():
        code = world.code_of(name, role, "colleague")
        if letter in allowed:
            # The example of the document is a lawful one; what the rules say to it is another matter.
            assert code != "access_denied" and code not in CODES_OF_SHAPE, (role, code)
        else:
            assert code == "access_denied", (role, code)
        unasserted.discard(role)
    if "C" in allowed:
        code = world.code_of(name, "consultant", "consultant")
        assert code != "access_denied" and code not in CODES_OF_SHAPE, code
    assert not unasserted


def test_the_table_here_and_the_document_name_the_same_operations() -> None:
    assert EXPECTED.keys() == OPERATIONS.keys()
    assert set(LETTER.values()) == set(ROLES)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_key_without_the_scope_opens_nothing(name: str, narrow: dict[str, tuple[House, str]]) -> None:
    method, path, operation = OPERATIONS[name]
    house, key = narrow[operation["x-scope"]]
    for part, example in examples.PATHS.items():
        path = path.replace(f"{{{part}}}", str(house.site) if part == "site" else example)
    response = house.ask(method, path, None, {} if method == "POST" else None, key=key)
    house.refused(response, 403, "access_denied")


@pytest.fixture(scope="module")
def narrow() -> dict[str, tuple[House, str]]:
    """Scope -> an office, and a manager's key for everything else."""
    house = House()
    return {scope: (house, house.key("manager", scopes=tuple(SCOPES - {scope}))) for scope in SCOPES}


def test_what_no_line_grants_is_denied() -> None:
    assert granted("sales.burn", "manager", SCOPES) is None
    assert granted("sales.record", "gardener", SCOPES) is None
    assert granted("sales.record", "manager", ()) is None
    assert not permits(None, own=True)
    assert not permits("own", own=False)
    assert permits("own", own=True) and permits("any", own=False)


def test_every_action_is_somewhere_asked_for() -> None:
    asked = {action for resource in RESOURCES for action in resource.policies.values()}
    assert asked == ACTIONS.keys()


def test_a_route_without_a_policy_fails_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    app = House().app
    policies = {endpoint: action for resource in RESOURCES for endpoint, action in resource.policies.items()}
    check_policies(app, policies)
    with pytest.raises(RouteWithoutPolicy, match="sign-in"):
        check_policies(app, {k: v for k, v in policies.items() if not k.endswith("sign_in")})

    class Sneaky(Resource):
        pass

    sneaky = Sneaky("sneaky", "A resource whose route forgot to say who may use it")
    sneaky.route("/v1/sneaky")(lambda: "hello")
    monkeypatch.setattr("interfaces.api.app.RESOURCES", (*RESOURCES, sneaky))
    with pytest.raises(RouteWithoutPolicy, match="/v1/sneaky"):
        House(store_in_memory())


def test_an_action_that_the_table_does_not_know_is_no_policy() -> None:
    resource = Resource("odd", "A resource with a policy of its own invention")
    with pytest.raises(KeyError, match="burn"):
        resource.command("/odd", Schema, action="sales.burn", example={})(lambda caller, given: None)


def test_a_member_who_has_left_comes_in_no_more(house: House) -> None:
    assert house.ask("GET", "", "colleague").status_code == 200
    house.does(f"staff/{house.staff['colleague']}/departure", {})
    house.refused(house.ask("GET", "", "colleague"), 401, "unauthenticated")


def test_a_supervisor_shuts_out_nobody_who_leads_or_watches(house: House) -> None:
    before = house.position
    for who in ("manager", "auditor", "supervisor", "legal", "finance", "officer", "desk"):
        refused = house.ask("POST", f"staff/{house.staff[who]}/departure", "supervisor", {})
        house.refused(refused, 403, "not_permitted")
        assert house.ask("GET", "", who).status_code == 200
    assert house.position == before
    house.does(f"staff/{house.staff['colleague']}/departure", {}, "supervisor")
    house.does(f"staff/{house.staff['auditor']}/departure", {}, "manager")
    house.refused(house.ask("GET", "", "auditor"), 401, "unauthenticated")


def test_what_a_consultant_learns_of_a_colleagues_customer(house: House) -> None:
    theirs = house.register("colleague", "钱多多", "13900000002")
    mine = house.register("consultant", "赵强", "13900000001")
    found = house.does("visitors/look-up", {"phone": "13900000002"}, "consultant")["found"]
    assert [{k: v for k, v in one.items() if v is not None} for one in found] == [
        {"owner": "员工colleague", "owner_id": str(house.staff["colleague"])}
    ]
    assert house.does("visitors/look-up", {"name": "钱多多"}, "consultant") == {"found": []}
    assert house.does("visitors/look-up", {"name": "赵强"}, "consultant")["found"][0]["visitor"] == mine
    assert house.does("visitors/look-up", {"name": "钱多多"}, "desk")["found"][0]["name"] == "钱**"
    refused = house.ask("GET", f"visitors/{theirs}", "consultant")
    told = house.refused(refused, 403, "access_denied")
    assert "员工" not in str(told) and "钱" not in str(told)
    refused = house.ask("POST", f"visitors/{theirs}/follow-ups", "consultant", {})
    assert "员工" not in str(house.refused(refused, 403, "not_owner"))


def test_a_command_is_its_callers_whatever_the_body_says(house: House) -> None:
    house.does("queue/sign-in", {"who": str(house.staff["consultant"])}, "desk")
    (envelope,) = list(house.store.record.read(house.position - 1))
    assert envelope.actor == house.staff["desk"]
    warned = house.does("queue/warnings", {"who": str(house.staff["consultant"])}, "supervisor")
    assert warned["facts"][-1]["content"]["by"] == str(house.staff["supervisor"])


def test_who_was_not_there_is_told_nothing_of_the_visitor(house: House) -> None:
    house.does("queue/sign-in", {"who": str(house.staff["colleague"])})
    house.register("colleague", "钱多多", "13900000002")
    house.does("receptions", {"channel": "visit", "phone": "13900000002", "name": "钱多多"}, "desk")
    for who, told in (("desk", "139****0002"), ("colleague", "139****0002"), ("consultant", None)):
        step = house.reads("receptions/r1", who)["steps"][0]
        assert step["asked"]["phone"] == told and step["choice"]["staff"] == "员工colleague"
