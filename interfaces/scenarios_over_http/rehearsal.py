"""A served application for rehearsals: on a port of its own, on a store that is thrown away, at a time of its own."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import msgspec
from werkzeug.serving import WSGIRequestHandler, make_server

from application.rulebooks import Shelf, parse_edition, read_edition

from ..api.app import create_app
from ..store import Store

PATIENCE_SECONDS = 60


class Refused(Exception):
    """The API answered with a problem."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} ({detail})" if detail else code)
        self.code, self.detail = code, detail


class Rehearsal:
    """The application as a client sees it. `at`: what its clock shows.

    The one thing done beside HTTP is what an operator does on the machine: rulebooks are put on its shelf as files."""

    def __init__(self, connection: http.client.HTTPConnection, store: Store, shelf_folder: Path) -> None:
        self._connection, self.store, self._folder = connection, store, shelf_folder
        self.at = datetime.now(UTC)

    def ask(self, method: str, path: str, key: str | None = None, body: Any = None) -> Any:
        """What is answered; a POST is a command of its own. Raises Refused."""
        headers = {"Accept": "application/json"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if method == "POST":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        self._connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        response = self._connection.getresponse()
        told = json.loads(response.read())
        if response.status != 200:
            detail = told.get("detail") or (json.dumps(told["errors"], ensure_ascii=False) if "errors" in told else "")
            raise Refused(told["code"], detail)
        return told

    def on_shelf(self, path: Path) -> str:
        """Put a rulebook of somebody's own on the shelf; the id under which it stands there. Raises FileProblem,
        Refusal unknown_rulebook."""
        edition, text = read_edition(path)
        own = f"own-{sha256(text.encode()).hexdigest()[:16]}"
        target = self._folder / own / f"{edition.in_force_from}.yaml"
        if not target.exists():
            # It may bear the name of a shipped one that it was made from.
            text = re.sub(r"^rulebook:.*$", f"rulebook: {own}", text, count=1, flags=re.MULTILINE)
            parse_edition(text, str(path))
            target.parent.mkdir()
            target.write_text(text, "utf-8")
        return own


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # one connection for all that is asked
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: what is told of a scenario is told at its end."""


@contextmanager
def rehearsal(store: Store) -> Iterator[Rehearsal]:
    """The API over a store, served on the loopback address until the block ends."""
    with TemporaryDirectory(prefix="lunpai-shelf-") as folder:
        store = msgspec.structs.replace(store, shelf=Shelf(*store.shelf.folders[1:], Path(folder)))
        app = create_app(store, clock=lambda: served.at)
        server = make_server("127.0.0.1", 0, app, request_handler=_Silent)
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE_SECONDS)
        served = Rehearsal(connection, store, Path(folder))
        thread = threading.Thread(target=server.serve_forever, name="rehearsal", daemon=True)
        thread.start()
        try:
            with closing(connection):
                yield served
        finally:
            connection.close()  # else the server would go on waiting for the next request on it
            server.shutdown()
            thread.join(PATIENCE_SECONDS)
            server.server_close()
