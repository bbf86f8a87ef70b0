"""A local Slack for the tests of this folder, whose clock the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.playground import live
from tests.unit.playground.slack.offline_workspace import OfflineWorkspace


@pytest.fixture
def clock() -> live.Clock:
    return live.Clock()


@pytest.fixture
async def slack(clock: live.Clock) -> AsyncIterator[live.LiveSlack]:
    async with live.slack(clock=clock) as running:
        yield running


@pytest.fixture
def offline() -> OfflineWorkspace:
    return OfflineWorkspace()
