"""The client that loads servers: it counts whole answers, waits for nobody who is late, and takes nothing for an answer
that is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.bench.http_load import Load, NotAnswered, request, wait_until_it_listens

BODY = b"x" * 100_000
SLOW_SECONDS = 0.05


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            threading.Event().wait(SLOW_SECONDS)
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        wait_until_it_listens(server.server_port)
        yield server.server_port
        server.shutdown()
        thread.join()


def test_as_much_as_goes(port: int) -> None:
    load = Load(port, 3)
    answered, seconds = load.at_most(lambda number: request("GET", f"/{number}", {}), 0.2)
    assert answered == load.asked >= 3 and seconds >= 0.2
    answered, seconds = Load(port, 2).at_most(lambda number: request("GET", "/slow", {}), 0.5)
    assert answered / seconds <= 2 / SLOW_SECONDS


def test_at_a_pace(port: int) -> None:
    """Two connections can't keep up with four times what they can do, and whoever had to wait says so."""
    load = Load(port, 2)
    assert len(load.paced(lambda number: request("GET", "/", {}), 100, 0.2)) == 20 == load.asked
    took = Load(port, 2).paced(lambda number: request("GET", "/slow", {}), 8 / SLOW_SECONDS, 0.2)
    assert len(took) == int(8 / SLOW_SECONDS * 0.2) and min(took) >= SLOW_SECONDS and max(took) > 4 * SLOW_SECONDS


def test_only_200_is_an_answer(port: int) -> None:
    with pytest.raises(NotAnswered, match="404"):
        Load(port, 1).at_most(lambda number: request("GET", "/none", {}), 0.1)
