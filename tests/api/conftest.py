"""What tests of the API share: an office of its own for each."""

from __future__ import annotations

import pytest

from tests.api.house import House


@pytest.fixture
def house() -> House:
    return House()
