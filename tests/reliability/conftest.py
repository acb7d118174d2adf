"""Stores for these tests: on the run's shared PostgreSQL, and on a server of their own that may be killed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .offices import Store
from .servers import Server


@pytest.fixture
def store(postgres_uri: str, schema: str, master: bytes) -> Store:
    """An empty record on the shared server."""
    return Store(uri=postgres_uri, schema=schema, master=master).prepare()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that is killed and started anew. Its folder is one that PostgreSQL's account can enter, so that its
    address stays the same."""
    home = Path(tempfile.mkdtemp(prefix="lunpai-"))
    home.chmod(0o755)
    server = Server(home)
    yield server
    server.postgres.stop()
    shutil.rmtree(home)
