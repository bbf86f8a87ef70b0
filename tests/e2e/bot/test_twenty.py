"""Twenty questions at once in twenty channels, seen by a raw client and the Web API's log."""

from __future__ import annotations

from pathlib import Path

from bot.playground.model.server import ModelConfig
from tests.e2e.bot.running import is_finished, markdown, running_system, upstream_text
from tests.unit.playground import live

TWENTY = 20
QUESTION = "write a long essay"
ACK_SECONDS = 3.0  # Slack's limit (docs/slack.md#acknowledgement)


async def test_twenty_questions_at_once_are_each_answered_once_and_never_limited(
    tmp_path: Path,
) -> None:
    model = ModelConfig(words_per_second=100, first_word_seconds=0.2)
    async with running_system(tmp_path, model=model) as system:
        slack = system.slack
        channels = [slack.workspace.create_channel(f"channel-{n}").id for n in range(TWENTY)]
        for channel in channels:
            slack.workspace.say(channel, f"<@{live.BOT}> {QUESTION}")
        await slack.until(
            lambda: all(any(map(is_finished, system.answers(c))) for c in channels), 60
        )

        acknowledged = [e for e in slack.log("event") if "mention" in e.what]
        assert len(acknowledged) == TWENTY
        assert max(entry.detail["ms"] for entry in acknowledged) < ACK_SECONDS * 1000
        for channel in channels:
            texts = map(markdown, system.answers(channel))  # blanks between messages are lost
            assert " ".join(texts).split() == upstream_text(QUESTION).split()
            posts, deletes = (
                sum(call.args["channel"] == channel for call in slack.called(method))
                for method in ("chat.postMessage", "chat.delete")
            )
            assert posts - deletes == len(system.answers(channel))
        assert [call for call in slack.calls if call.status == 429] == []
