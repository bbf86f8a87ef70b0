"""A local Slack for the tests of the listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.listeners.socket_bot import FAST_SLACK
from tests.unit.playground import live
from tests.unit.playground.live import LiveSlack


@pytest.fixture
async def slack() -> AsyncIterator[LiveSlack]:
    """A Slack that waits 300 ms where the real one waits three seconds."""
    async with live.slack(FAST_SLACK) as running:
        yield running
