"""What is open to everybody: whether the server lives and is ready, the OpenAPI document, and a page made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, render_template

from projections.live import lag

from .errors import ERRORS, language

pages = Blueprint("pages", __name__)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@pages.get("/healthz")
def healthz() -> Response:
    """Whether this process answers; it asks nobody else."""
    return _json({"status": "ok"})


@pages.get("/readyz")
def readyz() -> Response:
    """Whether the store answers, up to which fact, and how far the views are behind (503: it does not answer)."""
    store = current_app.extensions["lunpai"].store
    answer: dict[str, Any] = {"status": "ok", "position": store.record.position()}
    if store.keeps_views:
        with store.record.recorder.connection() as connection:
            behind = lag(store.read_side, connection)
        answer["views"] = [{"view": one.view, "facts": one.facts, "seconds": round(one.seconds, 1),
                            "parked": one.parked, "trouble": one.trouble is not None} for one in behind]  # fmt: skip
    return _json(answer)


@pages.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return _json(current_app.extensions["lunpai"].spec)


@pages.get("/docs")
def docs() -> Response:
    """The same as a page to read: no script, nothing fetched from anywhere."""
    spec = current_app.extensions["lunpai"].spec
    page = render_template(
        "api.html", spec=spec, groups=grouped(spec), problems=ERRORS, dump=_dump, zh=language() == "zh"
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def grouped(spec: Mapping[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Tag -> (method, path, operation) of each of its operations."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {tag["name"]: [] for tag in spec["tags"]}
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                shared = {**operation, "parameters": [*item.get("parameters", []), *operation.get("parameters", [])]}
                found[operation["tags"][0]].append((method.upper(), path, shared))
    return found


def _json(answer: Any) -> Response:
    return Response(msgspec.json.encode(answer), content_type="application/json")


def _dump(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
