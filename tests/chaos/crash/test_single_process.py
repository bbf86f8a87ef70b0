"""The one process there is dies, and is started again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.playground.model.config import ModelConfig
from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.questions import ask
from tests.chaos.crash.testbed import open_testbed

pytestmark = pytest.mark.asyncio(loop_scope="package")

LEASE = 25.0
SLOW = ModelConfig(words_per_second=40, first_word_seconds=0.05)


async def test_restarted_process_resumes_before_its_old_lease_expires(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    lease = {"LEASE_SECONDS": str(LEASE)}
    async with open_testbed(fork_server, tmp_path, model=SLOW, variables=lease) as testbed:
        first = await testbed.start(None)
        await testbed.wait_ready(first)
        asked = ask(testbed.slack, "mention", "write 200 words")
        await testbed.slack.until(lambda: len(testbed.slack.called("chat.update")) >= 2, LEASE)
        await first.end(signal.SIGKILL)
        again = await testbed.start(None)
        await testbed.wait_over([asked], LEASE - 3)
        assert await testbed.complaints([asked]) == []
        assert [line["turn"] for line in again.records("taken over")]
        assert await again.end() == 0
