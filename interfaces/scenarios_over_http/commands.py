"""The commands of a scenario as requests: which path, which body, and whose key is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

import msgspec

from application.scenarios.labels import Labels
from application.scenarios.shapes import text_of
from domain.refusals import Refusal
from domain.visitor import Entry

Value = Mapping[str, Any]
Hand = Literal["by", "who", "desk", "manager"]
"""Who gives a command: whom the step names so, or somebody of the office itself."""


class Request(msgspec.Struct, frozen=True):
    """A POST to a path below the site."""

    path: str
    body: dict[str, Any]
    hand: Hand = "by"


class Wording:
    """Says labels as the API wants them. A label that stands for nothing becomes an id that nobody has: to refuse it
    is the office's business."""

    def __init__(self, labels: Labels, rulebook: Callable[[str], str]) -> None:
        self.labels, self.rulebook = labels, rulebook

    def staff(self, label: Any) -> str:
        return str(self.labels.staff.get(label) or uuid4())

    def entry(self, label: Any) -> dict[str, Any]:
        entry = self.labels.visitors.get(label) or Entry(uuid4(), 1)
        return {"visitor": str(entry.visitor), "registration": entry.registration}

    def visitor(self, label: Any) -> tuple[str, int]:
        entry = self.entry(label)
        return entry["visitor"], entry["registration"]

    def sale(self, label: Any) -> str:
        return str(self.labels.sales.get(label) or uuid4())

    def dispute(self, label: Any) -> str:
        return str(self.labels.disputes.get(label) or uuid4())

    def shares(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise Refusal("bad_value", "shares are staff and fractions")
        return {self.staff(label): str(share) for label, share in value.items()}


def _texts(value: Value, *names: str) -> dict[str, Any]:
    return {name: text for name in names if (text := text_of(value.get(name))) is not None}


def _said(value: Value, *names: str) -> dict[str, Any]:
    return {name: value[name] for name in names if name in value}


def _register(words: Wording, v: Value) -> Request:
    if v["visitor"] in words.labels.visitors:
        raise Refusal("duplicate_label", v["visitor"])
    body = _texts(v, "name", "phone", "number") | _said(v, "via")
    return Request("registrations", {**body, "by": words.staff(v["by"])})


def _of_visitor(path: str) -> Callable[[Wording, Value, dict[str, Any]], Request]:
    def request(words: Wording, v: Value, body: dict[str, Any]) -> Request:
        visitor, registration = words.visitor(v["visitor"])
        return Request(f"visitors/{visitor}/{path}", {"registration": registration, **body})

    return request


FOLLOW_UPS, RELATIONS, ENTRUSTMENTS, ASSIGNMENTS = map(
    _of_visitor, ("follow-ups", "relations", "entrustments", "assignments")
)


def _relate(words: Wording, v: Value) -> Request:
    body = {"to": words.entry(v["to"]), "relation": v["as"], **_said(v, "proven")}
    return msgspec.structs.replace(RELATIONS(words, v, body), hand="desk")


def _sell(words: Wording, v: Value) -> Request:
    if v["sale"] in words.labels.sales:
        raise Refusal("duplicate_label", v["sale"])
    by = v["by"] if isinstance(v["by"], list) else [v["by"]]
    body = {"visitor": words.entry(v["visitor"]), "by": [words.staff(one) for one in by]}
    body |= {"amount": text_of(v["amount"]) or "", **_texts(v, "unit")}
    buyer = text_of(v.get("buyer"))
    if buyer is not None:
        body |= {"buyer": words.entry(buyer)} if buyer in words.labels.visitors else {"buyer_name": buyer}
    # Nobody tells alone what several closed.
    return Request("sales", body, "by" if len(by) == 1 else "desk")


def _agree(words: Wording, v: Value) -> Request:
    by = v["by"] if isinstance(v["by"], list) else [v["by"]]
    body = {"shares": words.shares(v["shares"]), "by": [words.staff(one) for one in by]}
    return Request(f"sales/{words.sale(v['sale'])}/agreements", body, "manager")


def _depart(words: Wording, v: Value) -> Request:
    heirs = [{"visitor": words.entry(of), "to": words.staff(heir)} for of, heir in (v.get("heirs") or {}).items()]
    return Request(f"staff/{words.staff(v['who'])}/departure", {"heirs": heirs})


def _dispute(words: Wording, v: Value) -> Request:
    label, about = v["dispute"], v["about"]
    if label in words.labels.disputes:
        raise Refusal("duplicate_label", label)
    subject = {"sale": words.sale(about)} if about in words.labels.sales else {"visitor": words.entry(about)}
    return Request("disputes", {**subject, "by": words.staff(v["by"]), "label": str(label)})


def _rule(words: Wording, v: Value) -> Request:
    body: dict[str, Any] = {"reason": text_of(v["reason"]) or ""}
    if v.get("owner") is not None:
        body["owner"] = words.staff(v["owner"])
    if v.get("shares") is not None:
        body["shares"] = words.shares(v["shares"])
    return Request(f"disputes/{words.dispute(v['dispute'])}/rulings", body)


def _adopt(words: Wording, v: Value) -> Request:
    body: dict[str, Any] = {}
    if v.get("rulebook") is not None:
        body["rulebook"] = words.rulebook(v["rulebook"])
    if v.get("amend") is not None:
        body["amend"] = v["amend"]
    return Request("rulebook/adoptions", body, "by" if "by" in v else "manager")


def _receive(words: Wording, v: Value) -> Request:
    if v["reception"] in words.labels.receptions:
        raise Refusal("duplicate_label", v["reception"])
    body = _said(v, "reception", "channel", "appointment", "party") | _texts(v, "name", "phone", "purpose")
    body |= {key: words.staff(v[key]) for key in ("asks_for", "describes", "invited_by") if key in v}
    body |= {key: words.entry(v[key]) for key in ("visitor", "brought_by") if key in v}
    return Request("receptions", body, "desk")


def _finish(words: Wording, v: Value) -> Request:
    body = _texts(v, "purpose")
    if "visitor" in v:
        body["visitor"] = words.entry(v["visitor"])
    return Request(_reception(v, "finish"), body, "desk")


def _reception(v: Value, path: str) -> str:
    return f"receptions/{quote(v['reception'], safe='')}/{path}"


def _queue(path: str, hand: Hand, *codes: tuple[str, str]) -> Callable[[Wording, Value], Request]:
    """`codes`: field of the body, key of the step."""

    def request(words: Wording, v: Value) -> Request:
        return Request(f"queue/{path}", {"who": words.staff(v["who"]), **{name: v[key] for name, key in codes}}, hand)

    return request


def _at_reception(path: str) -> Callable[[Wording, Value], Request]:
    return lambda words, v: Request(_reception(v, path), {}, "desk")


REQUESTS: dict[str, Callable[[Wording, Value], Request]] = {
    "register": _register,
    "follow_up": lambda words, v: FOLLOW_UPS(words, v, {**_said(v, "how"), "by": words.staff(v["by"])}),
    "relate": _relate,
    "entrust": lambda words, v: ENTRUSTMENTS(words, v, {"to": words.staff(v["to"]), "by": words.staff(v["by"])}),
    "distribute": lambda words, v: ASSIGNMENTS(words, v, {"to": words.staff(v["to"]), "how": "distribution"}),
    "change_consultant": lambda words, v: ASSIGNMENTS(
        words, v, {"to": words.staff(v["to"]), "how": "reassignment", "fault": v["fault"]}
    ),
    "sell": _sell,
    "agree": _agree,
    "depart": _depart,
    "dispute": _dispute,
    "rule": _rule,
    "adopt": _adopt,
    "sign_in": _queue("sign-in", "who"),
    "sign_out": _queue("sign-out", "who"),
    "step_out": _queue("step-out", "who", ("why", "for")),
    "step_back": _queue("step-back", "who"),
    "not_ready": _queue("not-ready", "desk", ("reason", "reason")),
    "ready": _queue("ready", "desk"),
    "permit": _queue("permissions", "by", ("what", "for")),
    "post": _queue("posts", "who", ("post", "as")),
    "door_duty": _queue("door", "who"),
    "give_up": _queue("give-ups", "who", ("channel", "channel")),
    "unreachable": _queue("unreachable", "desk"),
    "rank": lambda words, v: Request("queue/rankings", {"order": [words.staff(one) for one in v["order"]]}),
    "day": lambda words, v: Request("queue/day-kinds", {"kind": v["kind"]}),
    "misconduct": _queue("misconduct", "by", ("what", "what")),
    "warn": _queue("warnings", "by"),
    "receive": _receive,
    "absent": _at_reception("absence"),
    "unanswered": _at_reception("unanswered"),
    "recognise": lambda words, v: Request(_reception(v, "recognition"), {"visitor": words.entry(v["as"])}, "desk"),
    "help": lambda words, v: Request(_reception(v, "help"), {"who": words.staff(v["who"])}, "desk"),
    "hand_over": lambda words, v: Request(_reception(v, "hand-over"), {"to": words.staff(v["to"])}),
    "finish": _finish,
}
"""Command of a scenario -> the request that says it. (`rulebook` of an adoption that lies beside the file is put on the
shelf first.)"""


def beside(file: str, rulebook: str, on_shelf: Callable[[Path], str]) -> str:
    """The id of a rulebook that a scenario names by id, or by a path beside its own file."""
    return on_shelf(Path(file).parent / rulebook) if rulebook.endswith((".yaml", ".yml")) else rulebook
