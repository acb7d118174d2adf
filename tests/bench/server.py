"""The server that all is measured on, embedded and of this run alone; what must be known of it and of the machine."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from application.embedded_postgres import EmbeddedPostgres

SETTINGS = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "wal_sync_method",
    "shared_buffers",
    "max_wal_size",
)
BLOCK_BYTES = 8192
FLUSHES = 500


@contextmanager
def server(progress: Callable[[str], None]) -> Iterator[tuple[str, Path]]:
    """An embedded PostgreSQL in a folder of its own, gone afterwards: its address and folder."""
    home = Path(tempfile.gettempdir()) / f"lunpai-bench-{os.getuid()}-{secrets.token_hex(4)}"
    embedded = EmbeddedPostgres(home)
    try:
        yield embedded.start(progress=progress), home
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)


def environment(uri: str, home: Path) -> dict[str, Any]:
    """Versions, settings of the server as it runs, the machine and how busy it is."""
    with psycopg.connect(uri, autocommit=True) as connection:
        settings = connection.execute("SELECT name, current_setting(name) FROM pg_settings").fetchall()
    found: dict[str, str] = dict(settings)
    libraries = ("psycopg", "eventsourcing", "msgspec")
    return {
        "Python": platform.python_version(),
        **{library: version(library) for library in libraries},
        "libpq": psycopg.pq.version_pretty(psycopg.pq.version()),
        "PostgreSQL": found["server_version"],
        "settings": ", ".join(f"{name}={found[name]}" for name in SETTINGS),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "flush of 8 KiB to disk": f"{_flush_microseconds(home):.0f} µs",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _flush_microseconds(folder: Path) -> float:
    """What the disk takes for a durable write, whoever asks: the limit of one client."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(BLOCK_BYTES * FLUSHES))
        os.fsync(file.fileno())
        start = time.perf_counter()
        for block in range(FLUSHES):
            os.pwrite(file.fileno(), os.urandom(BLOCK_BYTES), block * BLOCK_BYTES)
            os.fsync(file.fileno())
        return (time.perf_counter() - start) / FLUSHES * 1e6
