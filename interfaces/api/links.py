"""What can be asked or done next with what an operation answered, as OpenAPI's links: a client, or a tool that tries
the API out, finds its way by them."""

from __future__ import annotations

from typing import Any

SITE = {"site": "$request.path.site"}
VISITOR = {**SITE, "visitor": "$response.body#/visitor/visitor"}
SALE = {**SITE, "sale": "$response.body#/subject"}
DISPUTE = {**SITE, "dispute": "$response.body#/subject"}
RECEPTION = {**SITE, "reception": "$response.body#/reception"}
RULEBOOK = {"rulebook": "$response.body#/rulebooks/0/rulebook"}
OF_A_VISITOR = ("show_visitor", "follow_up", "relate", "entrust", "assign")
OF_A_RECEPTION = ("explain_reception", "absent", "hand_over", "help_with", "recognise", "unanswered", "finish")
OF_SOMEBODY = ("sign_in", "stand_at_the_door", "step_back", "unreachable", "warn", "ready", "sign_out")

LINKS: dict[str, dict[str, dict[str, str]]] = {
    "list_sites": {"list_staff": {"site": "$response.body#/sites/0/site"}},
    "enrol": {"depart": {**SITE, "staff": "$response.body#/subject"}},
    "list_staff": dict.fromkeys(OF_SOMEBODY, SITE),
    "register": dict.fromkeys(OF_A_VISITOR, VISITOR),
    "sell": dict.fromkeys(("show_sale", "agree"), SALE),
    "open_dispute": dict.fromkeys(("show_dispute", "rule"), DISPUTE),
    "receive": dict.fromkeys(OF_A_RECEPTION, RECEPTION),
    "list_rulebooks": dict.fromkeys(("show_rulebook", "explain_rulebook"), RULEBOOK),
}
"""Operation -> operation that goes on from its answer -> parameter -> where its value is found."""

BODIES = {name: {"who": "$response.body#/staff/0/staff"} for name in OF_SOMEBODY}
"""Operation -> the body it is called with, by such a link."""


def linked(spec: dict[str, Any]) -> None:
    """Write the links into a document."""
    for path in spec["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and operation.get("operationId") in LINKS:
                found = LINKS[operation["operationId"]]
                operation["responses"]["200"]["links"] = {name: _link(name, found[name]) for name in found}


def _link(operation: str, parameters: dict[str, str]) -> dict[str, Any]:
    body = {"requestBody": BODIES[operation]} if operation in BODIES else {}
    return {"operationId": operation, "parameters": parameters, **body}
