"""The application: resources, errors, logs and the policy of every route put together - or none of it, where a route
has no policy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask, Response, g, request
from werkzeug.routing import BaseConverter

from application.tokens import Tokens
from domain.disclosure import Limits
from projections.job_requests import JobDesk
from projections.readers import Readers

from ..store import Store
from . import (
    customers,
    disclosures,
    disputes,
    floor_reports,
    jobs,
    matters,
    office,
    proposals,
    queue,
    rebuilds,
    receptions,
    reports,
    rulebooks,
    sales,
    timelines,
    visitors,
    watching,
)
from .bodies import LARGEST_BYTES
from .caller import Clock, Doorkeeper
from .errors import ProblemApi, log_exception, register_errors, register_languages
from .fields import RULEBOOK
from .live import MOST_STREAMS, Live
from .logs import begin, register_logs
from .measured import Requests, register_measured
from .operations import Resource
from .pages import pages
from .shapes import say_shapes
from .spec import completed, options

RESOURCES: tuple[Resource, ...] = (
    office.office,
    queue.queue,
    receptions.receptions,
    visitors.visitors,
    disclosures.disclosures,
    proposals.proposals,
    sales.sales,
    disputes.disputes,
    customers.customers,
    timelines.timelines,
    matters.matters,
    reports.reports,
    floor_reports.floor_reports,
    rulebooks.rulebooks,
    jobs.jobs,
    rebuilds.checks,
    watching.watching,
)
PUBLIC = frozenset(f"pages.{name}" for name in ("healthz", "readyz", "openapi", "docs"))
"""The only routes that ask for no key."""


class RouteWithoutPolicy(Exception):
    """A route that nobody said anything about: who may use it must be decided before it can be."""


class RulebookId(BaseConverter):
    """A rulebook's id in a path; never a file's name."""

    regex = RULEBOOK.removesuffix(r"\Z")


class Parts(msgspec.Struct, frozen=True):
    """What the views find in the application. `readers`, `jobs`: None where no views can be kept; `limits`: of looking
    at personal data; `spec`: the OpenAPI document."""

    store: Store
    readers: Readers | None
    jobs: JobDesk | None
    requests: Requests
    limits: Limits
    live: Live
    doorkeeper: Doorkeeper
    spec: dict[str, Any]


class Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No function here is asynchronous, so none need be looked at each time it is called."""
        return func

    def log_exception(self, exc_info: Any, ctx: Any = None) -> None:
        log_exception(exc_info[1])


def create_app(
    store: Store,
    *,
    limits: Limits | None = None,
    tokens: Tokens | None = None,
    most_streams: int = MOST_STREAMS,
    clock: Clock | None = None,
) -> Flask:
    """The API over a store. `tokens`: whose are taken beside keys; `clock` makes it a rehearsal: the present is what it
    says, and what is put on record was entered then; for a store that is thrown away afterwards. Raises
    RouteWithoutPolicy."""
    store.shelf.editions(
        store.shelf.ids()[0]
    )  # msgspec learns types when first used, which threads must not do at once
    templates = Path(__file__).parents[1] / "templates"
    app = Application("lunpai", static_folder=None, template_folder=str(templates))
    app.url_map.converters["rulebook_id"] = RulebookId
    app.url_map.strict_slashes = False
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BYTES,
        PROPAGATE_EXCEPTIONS=False,
        API_TITLE="lunpai",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
    )
    api = ProblemApi(app, spec_kwargs=options(version("lunpai")))
    say_shapes(api)
    for resource in RESOURCES:
        api.register_blueprint(resource)
    app.register_blueprint(pages)
    register_languages(app)
    register_errors(app)
    register_logs(app)
    requests = Requests()
    register_measured(app, requests)
    policies = {endpoint: action for resource in RESOURCES for endpoint, action in resource.policies.items()}
    doorkeeper = Doorkeeper(store, policies, tokens, clock)
    app.extensions["lunpai"] = Parts(
        store=store,
        readers=Readers(store.read_side) if store.keeps_views else None,
        jobs=JobDesk(store.read_side) if store.keeps_views else None,
        requests=requests,
        limits=limits or Limits(),
        live=Live(store, most_streams),
        doorkeeper=doorkeeper,
        spec=completed(api.spec.to_dict()),
    )
    guard(app, doorkeeper, policies, frozenset[str]().union(*(resource.appends for resource in RESOURCES)))
    return app


def guard(app: Flask, doorkeeper: Doorkeeper, policies: Mapping[str, str], appends: Collection[str] = ()) -> None:
    """Let nobody in but by the policy of the route; `appends`: the commands that are let in by what was read last.
    Raises RouteWithoutPolicy for a route that has none."""
    check_policies(app, policies)

    @app.before_request
    def let_in() -> None:
        begin()
        endpoint = request.endpoint
        if endpoint is not None and endpoint not in PUBLIC:
            g.caller = doorkeeper.let_in(policies[endpoint], anew=endpoint not in appends)

    @app.after_request
    def harden(response: Response) -> Response:
        if "caller" in g:
            g.caller.office.files.let_go()  # an answer that goes on for long reads for itself
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Vary"] = "Accept-Language, Authorization"
        return response


def check_policies(app: Flask, policies: Mapping[str, str]) -> None:
    """Raises RouteWithoutPolicy."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in policies and rule.endpoint not in PUBLIC:
            raise RouteWithoutPolicy(f"{rule.rule} ({rule.endpoint}): say which action it is")
