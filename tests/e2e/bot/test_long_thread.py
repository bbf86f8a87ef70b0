"""A thread of a thousand messages: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.bot.running import running_system, status_text
from tests.unit.playground import live


async def test_question_below_a_thousand_messages_reads_the_first_and_the_newest(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        root = slack.workspace.say(live.GENERAL, "My project is Heron.").ts
        for n in range(1, 1000):
            slack.workspace.say(live.GENERAL, f"message {n}", user=live.ADA, thread_ts=root)
        slack.workspace.say(live.GENERAL, f"<@{live.BOT}> What is my project?", thread_ts=root)
        await slack.until(
            lambda: [m for m in system.answers(live.GENERAL) if "newest" in status_text(m)]
        )
        [answer] = system.answers(live.GENERAL)

    assert "Heron" in str(answer["blocks"])
    assert "1,000 messages of this thread were read" in status_text(answer)
    assert len(slack.called("conversations.replies")) <= 5
