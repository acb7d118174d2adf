"""Serving the API by gunicorn: worker processes with threads, set up here and by no file, ended in good order."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from .logs import log_to_stderr
from .measured import forget_process
from .unreadable import Worker as Telling

GRACE_SECONDS = 30
"""How long requests may go on once the end is asked for."""

SILENT_SECONDS = 60
"""A worker that has shown no sign of life for so long is replaced."""


class Worker(Telling):
    """... whose live streams end as soon as the end is asked for: they would go on for ever."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        end_streams(self)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        end_streams(self)
        super().handle_quit(sig, frame)


def end_streams(worker: ThreadWorker) -> None:
    """Does nothing for a worker that has not made its application yet."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions["lunpai"].live.close()


class Quiet(Logger):
    """gunicorn's own log, without a line for each request: the application writes that one."""

    def access(self, *request: Any) -> None:
        pass


class Server(BaseApplication):
    """`make` opens the store and makes the application, in each worker for itself: connections and threads do not
    survive being forked. `started` is called once, when requests can come in."""

    def __init__(
        self,
        make: Callable[[], Flask],
        started: Callable[[], None],
        *,
        host: str,
        port: int,
        workers: int,
        threads: int,
    ) -> None:
        self._make, self._started = make, started
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._settings: dict[str, Any] = {
            "bind": bind,
            "workers": workers,
            "threads": threads,
            "worker_class": Worker,
            "timeout": SILENT_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": 5,
            "limit_request_line": 2048,
            "limit_request_fields": 50,
            "limit_request_field_size": 8190,
            "accesslog": None,
            "logger_class": Quiet,
            "control_socket_disable": True,
            "proc_name": "lunpai",
            "when_ready": lambda arbiter: self._started(),
            "worker_exit": _end,
            "child_exit": lambda arbiter, worker: forget_process(worker.pid),
            "logconfig_dict": LOGGING,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        log_to_stderr()
        app = self._make()
        gc.freeze()  # what stands until the end need not be gone through at each collection
        return app


def _end(arbiter: Any, worker: Any) -> None:
    """A worker ends here and now. It was forked in the middle of its parent's work, and would otherwise go on to tidy
    up what is the parent's, such as the embedded database."""
    ended = sys.exc_info()[1]
    status = ended.code if isinstance(ended, SystemExit) and isinstance(ended.code, int) else 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "interfaces.api.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "WARNING", "handlers": ["stderr"], "propagate": False}},
}
