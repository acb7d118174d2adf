"""What goes wrong, as one table: a code, its status, its title in English and Chinese; told as problem+json
(RFC 9457)."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from babel import negotiate_locale
from flask import Flask, Response, g, request
from flask_babel import Babel, get_locale
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from application.event_store.appending import StoreRefused, StoreUnavailable
from application.event_store.mapper import UnreadableFact
from application.issuer_keys import IssuerUnavailable
from application.replay.wording import Language
from application.yaml_files import FileProblem
from domain.refusals import REFUSALS, LimitReached, Refusal
from domain.rulebook import RulebookError

from .words import in_chinese

TYPE = "urn:lunpai:problem:"
MEDIA_TYPE = "application/problem+json"

STATUS: dict[str, int] = {
    **dict.fromkeys(("unknown_site", "unknown_staff", "unknown_visitor", "unknown_reception", "unknown_sale"), 404),
    **dict.fromkeys(("unknown_dispute", "unknown_case", "unknown_rulebook", "unknown_key", "unknown_login"), 404),
    **dict.fromkeys(("unknown_parameter", "bad_value", "bad_time", "command_reused"), 422),
    **dict.fromkeys(("not_owner", "not_permitted"), 403),
    **dict.fromkeys(("duplicate_label", "not_signed_in", "not_free", "not_eligible", "not_your_turn", "too_soon"), 409),
    **dict.fromkeys(("claim_too_late", "unit_already_sold", "wrong_state"), 409),
    "changed_meanwhile": 412,
    **dict.fromkeys(("too_many_requests", "too_many_reveals", "too_many_exports"), 429),
    **{"unknown_proposal": 404, "four_eyes": 403, "export_too_large": 422},
}
"""Status of every refusal; its words are those of the domain."""

ERRORS: dict[str, tuple[int, str, str]] = {
    **{code: (STATUS[code], *words) for code, words in REFUSALS.items()},
    "bad_request": (400, "the request can't be read", "请求无法读取"),
    "bad_body": (400, "the body is not JSON of the kind expected here", "请求体不是这里所要求的JSON"),
    "idempotency_key_missing": (400, "a command needs the header Idempotency-Key", "指令须带Idempotency-Key请求头"),
    "idempotency_key_malformed": (400, "Idempotency-Key has 1 to 200 printable characters", "须为1至200个可见字符"),
    "unauthenticated": (401, "no valid key or token was shown", "未出示有效的密钥或令牌"),
    "access_denied": (403, "your role, or the scope of your key, does not permit this", "您的岗位或密钥范围无权这样做"),
    "not_found": (404, "there is nothing here", "没有此内容"),
    "unknown_job": (404, "there is no such job, or it was long ago", "没有此任务，或已过久不再保存"),
    "unknown_rebuild": (404, "there is no such rebuild or check, or it was long ago", "没有此次重建或核对，或已过久"),
    "method_not_allowed": (405, "this method is not possible here", "此处不支持该方法"),
    "still_running": (409, "the same command is still being carried out", "同一指令仍在执行"),
    "job_waiting": (409, "another job of this kind is in the queue", "队列中已有另一个同类任务"),
    "bad_precondition": (400, "If-Match is not an ETag of this resource", "If-Match不是此资源的ETag"),
    "too_large": (413, "the request is too large", "请求过大"),
    "address_too_long": (414, "the address is too long", "请求地址过长"),
    "headers_too_large": (431, "there are too many headers, or one is too long", "请求头过多或过长"),
    "not_json": (415, "send application/json in UTF-8", "请以UTF-8发送application/json"),
    "bad_fields": (422, "fields are missing, unknown or malformed", "字段缺失、未知或格式不对"),
    "rulebook_silent": (422, "the rulebook does not decide this", "制度没有规定此事"),
    "internal": (500, "something went wrong here; nothing half-done was kept", "内部错误；未留下半途的记录"),
    "behind": (503, "the record, or a view, does not hold that position yet", "记录或视图尚未到达该位置"),
    "too_many_streams": (503, "too many watch the board already; try again later", "同时观看看板者过多，请稍后再试"),
    "views_missing": (503, "the views are not kept yet: a worker must run", "视图尚未建立，须先运行lunpai work"),
    "schedule_unreadable": (503, "the schedule's file can't be read", "日程文件无法读取"),
    "issuer_unavailable": (503, "the issuer of your token does not answer; try again", "令牌签发方无应答，请重试"),
    "store_unavailable": (503, "the store does not answer; try again", "数据库无应答，请重试"),
}  # fmt: skip
"""Code -> (status, English, Chinese). Codes are stable: clients go by them, and by the type that ends in them."""

BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_json", 422: "bad_fields"}
"""What the framework says by status alone; anything else below 500 is a bad request."""

log = logging.getLogger("lunpai.api")


class Problem(Exception):
    """What the API itself refuses. `code` is one of ERRORS; `errors`: field -> sentences."""

    def __init__(
        self, code: str, detail: str = "", errors: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        assert code in ERRORS, code
        super().__init__(code)
        self.code, self.detail, self.errors, self.headers = code, detail, errors, dict(headers or {})


class ProblemLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A problem as it is told (RFC 9457). `errors`: by place (json, query) and field, what is wrong there."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str = ""
    errors: Any = None


def _asked_for() -> str | None:
    """The client's first choice that is spoken, by its language: zh-Hans-CN, zh-TW and zh are all zh."""
    wanted = [tag.replace("-", "_") for tag, quality in request.accept_languages if quality > 0]
    return negotiate_locale(wanted, ["en", "zh"])


def register_languages(app: Flask) -> None:
    """Answer each request in the language it asks for. Of Babel only the choice is used, not its catalogues: the words
    stand in one table with both languages side by side, from which the command line speaks too."""
    Babel(app, default_locale="en", locale_selector=_asked_for)


def language() -> Language:
    """In which language the client is answered."""
    return "zh" if get_locale().language == "zh" else "en"


def told(code: str, detail: str = "", errors: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells of a problem."""
    status, *titles = ERRORS[code]
    spoken = language()
    line = ProblemLine(
        type=TYPE + code,
        title=titles[0 if spoken == "en" else 1],
        status=status,
        code=code,
        request_id=g.get("request_id", ""),
        detail=detail,
        errors=in_chinese(errors) if spoken == "zh" and errors else errors,
    )
    g.problem = code
    response = Response(msgspec.json.encode(line), status, content_type=MEDIA_TYPE, headers=dict(headers or {}))
    response.content_language = "zh-CN" if spoken == "zh" else "en"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="lunpai"'
    return response


class ProblemApi(Api):
    """The library's registry of operations, with its errors told as ours."""

    def handle_http_exception(self, error: HTTPException) -> Response:
        data = getattr(error, "data", None) or {}
        status = error.code or 500
        code = BY_STATUS.get(status, "internal" if status >= 500 else "bad_request")
        allowed = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
        return told(code, errors=data.get("messages"), headers=headers)


def register_errors(app: Flask) -> None:
    """Tell every expected error by the table. (What nobody expects reaches the handler of HTTP errors as a 500.)"""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return told(error.code, error.detail, error.errors, error.headers)

    @app.errorhandler(Refusal)
    def refusal(error: Refusal) -> Response:
        return told(error.code, error.detail, headers=_again(error) if isinstance(error, LimitReached) else None)

    @app.errorhandler(RulebookError)
    def rulebook(error: RulebookError) -> Response:
        return told("rulebook_silent", str(error))

    @app.errorhandler(StoreUnavailable)
    def store(error: StoreUnavailable) -> Response:
        why = error.__cause__ or error.__context__ or error
        log.error("store unavailable", extra={"error": type(why).__qualname__})
        return told("store_unavailable", headers={"Retry-After": "1"})

    @app.errorhandler(IssuerUnavailable)
    def issuer(error: IssuerUnavailable) -> Response:
        return told("issuer_unavailable", headers={"Retry-After": "5"})

    def broken(error: StoreRefused | UnreadableFact | FileProblem) -> Response:
        log_exception(error)
        return told("internal")

    for unexpected in (StoreRefused, UnreadableFact, FileProblem):
        app.register_error_handler(unexpected, broken)


def _again(error: LimitReached) -> dict[str, str]:
    left = (error.again_at - datetime.now(UTC)).total_seconds()
    return {"Retry-After": str(max(1, math.ceil(left)))}


def log_exception(error: BaseException) -> None:
    """Where it happened and what kind it is. What it says is left out: it may quote what somebody typed."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("failed", extra={"error": type(error).__qualname__, "frames": frames[-12:]})
