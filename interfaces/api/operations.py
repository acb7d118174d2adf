"""How a resource declares what can be done with it: a question or a command, its policy, its shape, its example.

A view gets the caller and what was given, calls one method and hands back what came of it; everything else - letting
in, parsing, telling, documenting - is the same for all and stands here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from flask import Response, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import Schema

from application.commands import Patience, tries
from application.desk import Answer
from application.event_store.appending import GroundsMoved, StoreUnavailable
from projections.view import View as ReadView

from .answers import Happened, happened
from .bodies import StrictParser
from .caller import Caller, Whose, check_query, with_body, with_command
from .errors import Problem
from .fields import QuerySchema
from .reading import wait_for_views
from .spec import Download, Events, Page, document

View = Callable[..., Any]


class Tagged(msgspec.Struct, frozen=True):
    """An answer with the ETag of what it tells."""

    answer: Any
    tag: str


class Resource(Blueprint):
    """A resource of the API. `policies`: endpoint -> action; `appends`: the endpoints that let in by what was read
    last, as the append makes sure of it."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, about: str) -> None:
        super().__init__(name, __name__, description=about)
        self.policies: dict[str, str] = {}
        self.appends: set[str] = set()

    def command(
        self,
        rule: str,
        schema: type[Schema],
        *,
        action: str,
        example: Mapping[str, Any],
        whose: Whose | None = None,
        refuses: Sequence[str] = (),
        answer: Any = Happened,
    ) -> Callable[[View], View]:
        """A POST that puts something on record and answers what happened - or, where it is no fact, another `answer`
        of the view's, which sees to repeats itself.

        A view that answers what happened must do nothing but append: it is let in by what was read last, and carried
        out again where that is no longer so, or the store goes away in the middle."""

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def run(given: dict[str, Any], **path: Any) -> Response:
                caller: Caller = g.caller
                path.pop("site")
                caller.require(whose, given, path)
                assert caller.command_id is not None
                with current_app.extensions["lunpai"].store.record.running(caller.command_id) as alone:
                    if not alone:
                        raise Problem("still_running", headers={"Retry-After": "1"})
                    g.begun = answer is Happened
                    found: Any = view(caller, given, **path)
                if isinstance(found, Answer):
                    g.appended = bool(found.facts) and not found.repeated
                    found = happened(caller.office, found, only_own_of=caller.only_own_of)
                return dumped(found)

            doc = document(view.__name__, action, answer, command=True, refuses=refuses)
            if answer is Happened:
                self.appends.add(f"{self.name}.{view.__name__}")
            return self._add(rule, "POST", schema, "json", example, action, doc, run, with_command)

        return decorate

    def query(
        self,
        rule: str,
        answer: Any,
        *,
        action: str,
        schema: type[Schema] = QuerySchema,
        example: Mapping[str, Any] | None = None,
        whose: Whose | None = None,
        refuses: Sequence[str] = (),
        reads: Sequence[ReadView] = (),
    ) -> Callable[[View], View]:
        """A question: a GET, or (with an `example` of its body) a POST that changes nothing but what is on record of
        who asked.

        `reads`: the views that it is answered from, which are waited for up to `min_position`."""
        posted = example is not None
        refuses = [*refuses, *(["views_missing"] if reads else ())]

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def run(given: dict[str, Any], **path: Any) -> Response:
                caller: Caller = g.caller
                path.pop("site", None)
                caller.require(whose, given, path)
                _wait_for(caller, given.pop("min_position", None), reads)
                return dumped(view(caller, given, **path))

            doc = document(view.__name__, action, answer, command=False, refuses=refuses, posted=posted)
            method, location = ("POST", "json") if posted else ("GET", "query")
            return self._add(rule, method, schema, location, example, action, doc, run, with_body if posted else None)

        return decorate

    def _add(
        self,
        rule: str,
        method: str,
        schema: type[Schema],
        location: str,
        example: Mapping[str, Any] | None,
        action: str,
        doc: Mapping[str, Any],
        run: View,
        prepare: Callable[[Caller], Caller] | None,
    ) -> View:
        # An instance: made anew for each request, it would be copied field by field.
        parsed = self.arguments(schema(), location=location, **({} if example is None else {"example": dict(example)}))(
            run
        )

        @functools.wraps(parsed)
        def prepared(*given: Any, **path: Any) -> Response:
            check_query()
            if prepare is not None:
                g.caller = prepare(g.caller)
            return parsed(*given, **path)

        self.policies[f"{self.name}.{run.__name__}"] = action
        routed = _judged(prepared, action) if prepare is with_command else prepared
        self.route(f"/v1{rule}", methods=[method])(self.doc(**doc)(routed))
        return run


def _judged(view: View, action: str) -> View:
    """A command is judged by keys and staff as they were read last, and the append refuses once they have moved on:
    then all begins anew. So it does where the store goes away in the middle, as what was read may then be lost."""

    def let_in() -> None:
        g.caller = current_app.extensions["lunpai"].doorkeeper.let_in(action)

    def make_sure() -> None:
        """Only an append confirms what it rests on: before all else is told, both are read. Raises GroundsMoved."""
        before: Caller = g.caller
        if before.presumed:
            let_in()
            if g.caller.grounds != before.grounds:
                raise GroundsMoved("what was read last is no longer so")

    def told(*given: Any, **path: Any) -> Response:
        g.appended = False
        try:
            answer: Response = view(*given, **path)
        except (GroundsMoved, StoreUnavailable):
            raise
        except BaseException:  # whatever it is, it may have come of what is no longer so
            make_sure()
            raise
        if not g.appended:
            make_sure()
        return answer

    @functools.wraps(view)
    def judged(*given: Any, **path: Any) -> Response:
        g.begun, patience = False, Patience()
        for attempt in tries():
            try:
                if attempt:
                    let_in()
                return told(*given, **path)
            except GroundsMoved:
                pass
            except (StoreUnavailable, Problem) as trouble:
                # The lock of an attempt whose session broke may be there for a moment still.
                if not g.begun or (isinstance(trouble, Problem) and trouble.code != "still_running"):
                    raise
                patience.bear(trouble)
        raise AssertionError("tries end by raising")

    return judged


def _wait_for(caller: Caller, position: int | None, views: Sequence[ReadView]) -> None:
    """What was acknowledged is in the record itself at once, and in views a moment later. Raises Problem behind,
    views_missing."""
    if position is None:
        return
    if position > (there := caller.office.record.position()):
        raise Problem("behind", f"the record holds {there}", headers={"Retry-After": "1"})
    if views:
        wait_for_views(position, views)


def dumped(answer: Any) -> Response:
    """An answer as it is sent."""
    if isinstance(answer, Download):
        kept = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
        return Response(answer.content, content_type=answer.media_type, headers=kept)
    if isinstance(answer, Page):
        return Response(answer.text, content_type=f"{answer.media_type}; charset=utf-8")
    if isinstance(answer, Events):
        # Told at once: neither kept by a cache nor held back by a proxy.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        streamed = Response(answer.events, content_type=answer.media_type, headers=headers)
        streamed.call_on_close(answer.at_end)
        return streamed
    tag = None
    if isinstance(answer, Tagged):
        answer, tag = answer.answer, answer.tag
    response = Response(msgspec.json.encode(answer), content_type="application/json")
    if tag is not None:
        response.set_etag(tag)
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
