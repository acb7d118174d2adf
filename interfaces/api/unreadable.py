"""Requests that are none, or too long to be read at all: they never reach the application, and are told of here - as
problems too, and without a word of what they held in the log."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import msgspec
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from .errors import ERRORS, MEDIA_TYPE, TYPE, ProblemLine

log = logging.getLogger("lunpai.api")


class Worker(ThreadWorker):
    """gunicorn's worker with threads; nothing else of it is changed."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Tell the client what is wrong with what it sent."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        code = code_of(exc)
        request_id, status = str(uuid4()), ERRORS[code][0]
        log.info("unreadable", extra={"request_id": request_id, "status": status, "code": code})
        try:
            write_nonblock(client, answer(code, request_id))
        except OSError:
            return  # it did not wait for an answer


def code_of(error: ParseException) -> str:
    """Under which code it is told."""
    if isinstance(error, LimitRequestLine):
        return "address_too_long"
    return "headers_too_large" if isinstance(error, LimitRequestHeaders) else "bad_request"


def answer(code: str, request_id: str) -> bytes:
    """The whole answer, after which the connection is closed."""
    status, title, _ = ERRORS[code]
    line = ProblemLine(type=TYPE + code, title=title, status=status, code=code, request_id=request_id)
    body = msgspec.json.encode(line)
    head = (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nContent-Language: en\r\nCache-Control: no-store\r\n"
        f"X-Request-Id: {request_id}\r\n\r\n"
    )
    return head.encode("ascii") + body
