"""The one process there is dies, and is started again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.playground.model.config import ModelConfig
from tests.chaos.crash.asked import ask
from tests.chaos.crash.bots import Nursery
from tests.chaos.crash.stage import stage

pytestmark = pytest.mark.asyncio(loop_scope="package")

LEASE = 25.0
SLOW = ModelConfig(words_per_second=40, first_word_seconds=0.05)


async def test_who_starts_again_on_the_same_file_goes_on_long_before_its_lease_is_over(
    bots: Nursery, tmp_path: Path
) -> None:
    lease = {"LEASE_SECONDS": str(LEASE)}
    async with stage(bots, tmp_path, model=SLOW, variables=lease) as on:
        first = await on.start(None)
        await on.ready(first)
        asked = ask(on.slack, "mention", "write 200 words")
        await on.slack.until(lambda: len(on.slack.called("chat.update")) >= 2, LEASE)
        await first.end(signal.SIGKILL)
        again = await on.start(None)
        await on.over([asked], LEASE - 3)
        assert await on.complaints([asked]) == []
        assert [line["turn"] for line in again.records("taken over")]
        assert await again.end() == 0
