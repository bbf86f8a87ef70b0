"""A demo model that answers at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.playground.model.serving import DemoModel, serving


@pytest.fixture
async def demo() -> AsyncIterator[DemoModel]:
    async with serving() as running:
        yield running
