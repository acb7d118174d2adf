"""What tests of reports share: a read side in PostgreSQL that can be filled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.projections.given import House, Reader, an_office


@pytest.fixture
def house() -> House:
    return an_office()


@pytest.fixture
def reader(postgres_uri: str, schema: str) -> Iterator[Reader]:
    reader = Reader(postgres_uri, schema)
    with reader.connection:
        yield reader
