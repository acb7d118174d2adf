"""Requests in numbers, for Prometheus: how many of each operation, how long they took, what was refused, how many are
under way. An operation is named as in the OpenAPI document, never by a path, so nothing of anybody is in a number.

With several worker processes each keeps its numbers in files of a folder; whichever is asked adds them all up."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from .logs import method

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BOUNDS_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
NO_OPERATION = "none"
"""What asks for nothing that there is, by whatever path."""


class Requests:
    """Those of an application."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        self._answered = Counter(
            "lunpai_http_requests", "Requests answered", ["operation", "method", "status"], registry=own
        )
        self._seconds = Histogram(
            "lunpai_http_request_seconds", "Time until an answer began", ["operation"],
            buckets=BOUNDS_SECONDS, registry=own,
        )  # fmt: skip
        self._refused = Counter("lunpai_http_problems", "Problems told, by their code", ["code"], registry=own)
        # The library looks each of them up anew, checking names and under a lock.
        self._answered_of, self._seconds_of = cache(self._answered.labels), cache(self._seconds.labels)
        self._under_way = Gauge(
            "lunpai_http_requests_under_way", "Requests being answered", multiprocess_mode="livesum", registry=own
        )

    def begin(self) -> None:
        self._under_way.inc()
        g.counted = True

    def answered(self, response: Response) -> None:
        """Count an answer; `g.began`, `g.problem`: when it began, and the code of what it refuses with."""
        operation = (request.endpoint or NO_OPERATION).rpartition(".")[2]
        self._answered_of(operation, method(), f"{response.status_code // 100}xx").inc()
        self._seconds_of(operation).observe(time.monotonic() - g.began)
        if (code := g.get("problem")) is not None:
            self._refused.labels(code).inc()

    def end(self) -> None:
        if g.pop("counted", False):
            self._under_way.dec()

    def text(self) -> str:
        """All numbers, of all processes, as Prometheus reads them."""
        registry = self._registry
        if folder := os.environ.get(FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry, folder)
        return generate_latest(registry).decode()


def register_measured(app: Flask, requests: Requests) -> None:
    app.before_request(requests.begin)

    @app.after_request
    def answered(response: Response) -> Response:
        requests.answered(response)
        return response

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        requests.end()


@contextmanager
def counted_together() -> Iterator[None]:
    """Within, all numbers that are made are kept in files, for the processes of one server; gone with it.

    The library would look for the folder's name when it is first imported, which may be long ago."""
    alone = values.ValueClass
    with tempfile.TemporaryDirectory(prefix="lunpai-metrics-") as folder:
        os.environ[FOLDER] = folder
        values.ValueClass = values.MultiProcessValue()
        try:
            yield
        finally:
            values.ValueClass = alone
            del os.environ[FOLDER]


def forget_process(pid: int) -> None:
    """A worker has ended: nothing is under way there any more. What it counted stays counted."""
    if (folder := os.environ.get(FOLDER)) and Path(folder).is_dir():
        mark_process_dead(pid, folder)
