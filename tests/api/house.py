"""A sales office behind the API: everybody on the staff list with a key, and a client that asks as one of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from application.access import SCOPES
from application.access_keys import issue
from application.commands import Stamp
from application.embedded_postgres import EmbeddedPostgres
from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import prepare_store
from application.event_store.record import Record
from application.privacy import Keyring, master_key
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.site import ROLES
from interfaces.api.app import create_app
from interfaces.store import SCHEMA, Store, store_at

RULEBOOK = "forty-three-articles"
LONG_AGO = datetime(2000, 1, 2, tzinfo=UTC)
PROBLEM = "application/problem+json"
_numbers = itertools.count(1)


def before() -> Stamp:
    return Stamp(actor=uuid4(), at=LONG_AGO, entered_at=LONG_AGO)


def now() -> Stamp:
    return Stamp(actor=uuid4(), at=datetime.now(UTC), at_given=False)


def store_in_memory() -> Store:
    record = Record(MemoryRecorder())
    return Store(record, Keyring(b"k" * 32, record.person_keys), Shelf())


@contextmanager
def store_on_disk(home: Path) -> Iterator[Store]:
    """A store on an embedded database in a folder, as `lunpai` itself would find it there."""
    with EmbeddedPostgres(home) as server:
        master = master_key(home)
        prepare_store(server.uri, SCHEMA, Keyring(master, lambda persons: {}).fingerprint())
        store = store_at(server.uri, SCHEMA, master)
        yield store
        store.record.close()


class House:
    """A site with one member of staff of each role, who goes by it, and a second consultant, `colleague`."""

    def __init__(self, store: Store | None = None, name: str = "滨江一号", **options: Any) -> None:
        self.store = store or store_in_memory()
        self.office = self.open(name)
        self.site = self.office.site_id
        self.staff: dict[str, UUID] = {}
        self.keys: dict[str, str] = {}
        for label, role in [*((role, role) for role in ROLES), ("colleague", "consultant")]:
            self.enrol(label, role)
        self.app = create_app(self.store, **options)
        self.client: FlaskClient = self.app.test_client()

    def open(self, name: str) -> SalesOffice:
        store = self.store
        office = open_site(
            store.record, store.keyring, store.shelf, name=name, timezone="Asia/Shanghai", stamp=before()
        )
        office.adopt(before(), rulebook=RULEBOOK)
        return office

    def enrol(self, label: str, role: str) -> None:
        staff = self.office.enrol_staff(before(), name=f"员工{label}", role=role).subject
        assert staff is not None
        self.staff[label] = staff
        self.keys[label] = self.key(label)

    def key(self, label: str, **more: Any) -> str:
        return issue(self.office, now(), staff=self.staff[label], **{"scopes": tuple(SCOPES), **more}).text

    # Asking

    def ask(
        self,
        method: str,
        path: str,
        who: str | None = "manager",
        body: Any = None,
        *,
        idempotency: str | None = None,
        headers: dict[str, str] | None = None,
        key: str | None = None,
    ) -> TestResponse:
        """A request to a path below the site, or (with a leading slash) to any path."""
        sent = dict(headers or {})
        shown = key or (self.keys[who] if who else None)
        if shown:
            sent.setdefault("Authorization", f"Bearer {shown}")
        if method == "POST":
            sent.setdefault("Idempotency-Key", idempotency or f"test-{next(_numbers)}")
            sent.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.client.open(self.url(path), method=method, data=data, headers=sent)

    def url(self, path: str) -> str:
        return path if path.startswith("/") else f"/v1/sites/{self.site}/{path}".rstrip("/")

    def does(self, path: str, body: Any, who: str = "manager", **more: Any) -> dict[str, Any]:
        """A command, or a question with a body, that is carried out."""
        response = self.ask("POST", path, who, body, **more)
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.json or {})

    def reads(self, path: str, who: str = "manager") -> dict[str, Any]:
        response = self.ask("GET", path, who)
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.json or {})

    def pages(self, path: str, name: str, who: str = "manager", limit: int = 1) -> list[Any]:
        """All rows of a list, read page by page; every page but the last is full."""
        rows: list[Any] = []
        more = f"{path}{'&' if '?' in path else '?'}limit={limit}"
        page = self.reads(more, who)
        while page["after"] is not None:
            assert len(page[name]) == limit
            rows += page[name]
            page = self.reads(f"{more}&after={page['after']}", who)
        return [*rows, *page[name]]

    def fits(self, method: str, path: str, answer: Any) -> None:
        """The answer is what the document says of the operation at a path below the site."""
        spec = self.app.extensions["lunpai"].spec
        content = spec["paths"][f"/v1/sites/{{site}}/{path}"][method]["responses"]["200"]["content"]
        schema = {**content["application/json"]["schema"], "components": spec["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer)

    def refused(self, response: TestResponse, status: int, code: str) -> dict[str, Any]:
        """The response is this problem."""
        assert (response.status_code, (response.json or {}).get("code")) == (status, code), response.data
        assert response.content_type == PROBLEM
        told = dict(response.json or {})
        assert told["type"] == f"urn:lunpai:problem:{code}"
        assert told["status"] == status and told["title"]
        assert told["request_id"] == response.headers["X-Request-Id"]
        return told

    @property
    def position(self) -> int:
        return self.store.record.position()

    # What happens at an office

    def register(self, by: str, name: str, phone: str) -> str:
        return str(self.does("registrations", {"name": name, "phone": phone}, by)["visitor"]["visitor"])

    def sell(self, by: str, visitor: str, unit: str) -> str:
        body = {"visitor": {"visitor": visitor}, "amount": "12000.00", "unit": unit}
        return str(self.does("sales", body, by)["subject"])

    def dispute(self, by: str, sale: str) -> str:
        return str(self.does("disputes", {"sale": sale}, by)["subject"])

    def receive(self, by: str) -> str:
        """A reception of somebody who asked for this consultant."""
        return str(self.does("receptions", {"channel": "visit", "asks_for": str(self.staff[by])}, "desk")["reception"])
