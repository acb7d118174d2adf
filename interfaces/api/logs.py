"""The log: one JSON object a line, each request with its id, and nothing of what people typed - no body, no query, no
path but the route's own pattern, no message of an error."""

from __future__ import annotations

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from flask import Flask, Response, g, request

log = logging.getLogger("lunpai.api")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
TOLD = ("request_id", "method", "route", "status", "code", "milliseconds", "key", "site", "error", "frames")


class JsonLines(logging.Formatter):
    """Of other programs' records, the words themselves and their numbers: what else they quote may be anybody's."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "event": self._event(record)}
        line |= {name: value for name in TOLD if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__qualname__
        return msgspec.json.encode(line).decode()

    @staticmethod
    def _event(record: logging.LogRecord) -> str:
        if not record.args or record.levelno < logging.WARNING:
            return " ".join(record.getMessage().split())
        arguments = record.args.values() if isinstance(record.args, dict) else record.args
        numbers = " ".join(str(one) for one in arguments if isinstance(one, int))
        return f"{record.msg} {numbers}".strip()


def log_to_stderr() -> None:
    """For a server: lines of ours on stderr, and nobody else's handlers. No line says in which thread, process or
    source line it was made, so nobody looks (see "Optimization" in the logging HOWTO)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None


def begin() -> None:
    """Give the request its id: the client's own, where it is one."""
    shown = request.headers.get("X-Request-Id", "")
    g.request_id = shown if REQUEST_ID.fullmatch(shown) else str(uuid4())
    g.began = time.monotonic()


def register_logs(app: Flask) -> None:
    @app.after_request
    def end(response: Response) -> Response:
        request_id, rule, caller = g.request_id, request.url_rule, g.get("caller")
        response.headers["X-Request-Id"] = request_id
        log.info(
            "request",
            extra={
                "request_id": request_id,
                "method": method(),
                "route": rule.rule if rule else None,
                "status": response.status_code,
                "code": g.get("problem"),
                "milliseconds": round((time.monotonic() - g.began) * 1000, 1),
                "key": g.get("key_id"),
                "site": str(caller.office.site_id) if caller else None,
            },
        )
        return response


def method() -> str:
    """The request's method, or `other`: what is no method may be anything."""
    shown = request.method
    return shown if shown in KNOWN_METHODS else "other"


KNOWN_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
