"""The OpenAPI document: what every operation has in common - headers, answers, errors by code - said in one place.

Answers are documented from the very types they are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from application.access import ACTIONS

from .errors import ERRORS, MEDIA_TYPE, TYPE, ProblemLine
from .example_answers import example_of
from .examples import PATHS, RULEBOOK
from .links import linked
from .shapes import choices

EVERYWHERE = (
    *("unauthenticated", "access_denied", "unknown_site", "bad_fields", "bad_request", "address_too_long"),
    *("headers_too_large", "store_unavailable", "issuer_unavailable"),
)
WITH_A_BODY = ("bad_body", "too_large", "not_json")
OF_COMMANDS = (
    *("idempotency_key_missing", "idempotency_key_malformed", "bad_precondition", "still_running", "command_reused"),
    *("bad_time", "bad_value", "rulebook_silent"),
)

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": '^"?[!-~]{1,200}"?$'},
    "description": "Names this command. Sent again with the same body it changes nothing and gets the first answer.",
    "example": "3f0c9a52-1",
}

ABOUT = """\
Whose turn, whose customer, whose commission. Every request shows a key: `Authorization: Bearer lunpai_...`
(`lunpai key issue` makes one), or, where the server goes by an issuer of tokens, a token of somebody whom
`lunpai login bind` has made known. What it may do is what the role of its member of staff permits at that moment,
narrowed by its scopes.

Commands are POSTs with an `Idempotency-Key`; they answer what happened: the facts put on record, the clauses they rest
on, the position. Times carry their offset. Names and phones of visitors are told masked, and travel in bodies only.
Errors are problem+json (RFC 9457): go by `code`. `Accept-Language: zh-CN` gives titles in Chinese.
"""

TOKEN = """\
A token (RFC 9068) of the issuer that this server goes by, meant for it (`aud`), with scopes in `scope` or `scp`.
Who its subject is, `lunpai login bind` has put on record here.
"""

CALLED = {"application.replay.lines": "Replay", "interfaces.floor_why": "Reception"}
"""Where two types have the same name, they are told apart by their modules; the document has names that stay."""


class SameName(Exception):
    """Two types that the document could not tell apart."""


_answers: dict[str, Any] = {}
"""Name -> type of every answer that an operation has."""


class Page(msgspec.Struct, frozen=True):
    """A page, in Markdown."""

    media_type: ClassVar[str] = "text/markdown"
    example: ClassVar[str] = f"# {RULEBOOK}\n"
    text: str


class Download(msgspec.Struct, frozen=True):
    """A file: a workbook, or JSON. `contents`: media type -> what OpenAPI says of it; of bytes it says nothing."""

    contents: ClassVar[Mapping[str, Any]] = {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {},
        "application/json": {
            "schema": {"type": "object"},
            "example": {
                "report": "ownership",
                "site": "滨江一号",
                "sheets": {"ownership": {"rows": [], "more": False}},
            },
        },
    }
    content: bytes
    media_type: str
    name: str


class Measurements(Page, frozen=True):
    """Measurements, in the text format that Prometheus reads."""

    media_type: ClassVar[str] = "text/plain; version=0.0.4"
    example: ClassVar[str] = "# TYPE lunpai_record_position gauge\nlunpai_record_position 2017\n"


class Events(msgspec.Struct, frozen=True):
    """Server-sent events: `id` is a position, `data` a board as JSON. An empty comment says that all is well."""

    media_type: ClassVar[str] = "text/event-stream"
    example: ClassVar[str] = 'retry: 2000\n\nid: 2017\nevent: board\ndata: {"day":"2026-03-02","staff":[]}\n\n'
    events: Iterator[bytes]
    at_end: Callable[[], None]


LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "integer", "minimum": 0, "maximum": 2**62},
    "description": "The last `id` seen: what has changed since is told, then what changes. It goes before `after`.",
    "example": 0,
}


def document(
    name: str,
    action: str,
    answer: Any,
    *,
    command: bool,
    refuses: Sequence[str],
    posted: bool = True,
) -> dict[str, Any]:
    """What an operation's entry says beside its summary, path and body."""
    codes = [*EVERYWHERE, *refuses, *(WITH_A_BODY if posted else ()), *(OF_COMMANDS if command else ("behind",))]
    known = ACTIONS[action]
    return {
        "operationId": name,
        # Said of a question, it would take the place of what its schema says.
        **({"parameters": [IDEMPOTENCY_KEY]} if command else {}),
        "responses": {"200": _answered(answer), **_problems(dict.fromkeys(codes))},
        "x-action": action,
        "x-scope": known.scope,
        "x-roles": dict(known.grants),
    }


def _answered(answer: Any) -> dict[str, Any]:
    if issubclass(answer, Download):
        return {"description": _first_line(answer), "content": dict(answer.contents)}
    if issubclass(answer, Page | Events):
        told: dict[str, Any] = {"schema": {"type": "string"}, "example": answer.example}
        return {"description": _first_line(answer), "content": {answer.media_type: told}}
    if _answers.setdefault(answer.__name__, answer) is not answer:
        raise SameName(f"two answers bear the name {answer.__name__}")
    told = {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}, "example": example_of(answer)}
    return {"description": _first_line(answer), "content": {"application/json": told}}


def _first_line(answer: Any) -> str:
    return " ".join((answer.__doc__ or answer.__name__).split()).partition(". ")[0]


def _problems(codes: Mapping[str, None]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[ERRORS[code][0]].append(code)
    return {str(status): _problem(status, found) for status, found in sorted(by_status.items())}


def _problem(status: int, codes: Sequence[str]) -> dict[str, Any]:
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    content = {"schema": {"$ref": "#/components/schemas/ProblemLine"}, "examples": examples}
    return {"description": ", ".join(codes), "content": {MEDIA_TYPE: content}}


def _problem_examples() -> dict[str, Any]:
    request_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    return {
        code: {"value": ProblemLine(type=TYPE + code, title=title, status=status, code=code, request_id=request_id)}
        for code, (status, title, _) in ERRORS.items()
    }


def options(version: str) -> dict[str, Any]:
    """What the whole document says of itself."""
    key = {"type": "http", "scheme": "bearer", "description": "A key of lunpai: lunpai_<id>_<secret>"}
    token = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": TOKEN}
    return {
        "info": {"title": "lunpai", "version": version, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "components": {"securitySchemes": {"key": key, "token": token}, "examples": _problem_examples()},
        "security": [{"key": []}, {"token": []}],
    }


def _responses(operation: Any) -> list[dict[str, Any]]:
    """Those of an operation; the library's default among them is taken out."""
    found = operation.get("responses", {}) if isinstance(operation, dict) else {}
    found.pop("default", None)
    return list(found.values())


def _successes(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Media type -> what an operation answers in it."""
    found: Mapping[str, Any] = operation.get("responses", {}).get("200", {}).get("content", {})
    return found


def completed(spec: dict[str, Any]) -> dict[str, Any]:
    """The document with the types of all answers, and an example for every part of a path. Raises SameName."""
    types = [*_answers.values(), ProblemLine]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    asked = spec["components"].setdefault("schemas", {})
    if both := asked.keys() & schemas.keys():
        raise SameName(f"what is asked and what is answered bear the same name: {', '.join(sorted(both))}")
    asked.update(schemas)
    spec["components"].pop("responses", None)  # the library's own errors, none of which is ever sent
    for unused in ("Error", "PaginationMetadata"):
        spec["components"]["schemas"].pop(unused, None)
    for path in spec["paths"].values():
        for operation in [path, *path.values()]:
            for response in _responses(operation):
                response.pop("$ref", None)
            for parameter in operation.get("parameters", []) if isinstance(operation, dict) else ():
                if parameter.get("in") == "path":
                    example = PATHS[parameter["name"]]
                    parameter["example"] = int(example) if parameter["schema"]["type"] == "integer" else example
            if isinstance(operation, dict) and Events.media_type in _successes(operation):
                operation["parameters"].append(LAST_EVENT_ID)
    choices(spec["components"]["schemas"])
    linked(spec)
    text = msgspec.json.encode(spec).decode()
    for module, word in CALLED.items():
        text = text.replace(f"{module}.", word)
    plain: dict[str, Any] = msgspec.json.decode(text)
    for name, schema in plain["components"]["schemas"].items():
        if "title" in schema:
            schema["title"] = name  # generators name types by it
    return plain
