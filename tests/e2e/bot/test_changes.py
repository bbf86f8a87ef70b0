"""Questions that are deleted or edited: the real bot, Slack's real methods and events."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.playground.model.server import ModelConfig
from bot.playground.slack.records import Message
from bot.playground.slack.server import ALL_MESSAGES, SlackConfig
from bot.render.buttons import RETRY_EDITED_ACTION
from tests.e2e.bot.running import System, running_system, start, upstream_text
from tests.unit.playground import live

EVERY_MESSAGE = SlackConfig(subscriptions=ALL_MESSAGES)
ESSAY = "write a very long essay"
SLOW = ModelConfig(words_per_second=60, first_word_seconds=0.2)


def ask(system: System, channel: str, question: str = ESSAY) -> Message:
    mention = "" if channel == live.DM else f"<@{live.BOT}> "
    return system.slack.workspace.say(channel, mention + question)


async def nothing_stands(system: System, channel: str) -> None:
    """Return when the turn has ended and no message of the bot is there."""
    line = await system.bot.said("answer")
    assert line["outcome"] == "stopped"
    assert system.answers(channel) == []


@pytest.mark.parametrize("delivery", ["edit", "native"])
@pytest.mark.parametrize("channel", [live.DM, live.GENERAL])
async def test_question_deleted_while_it_is_answered_leaves_nothing(
    tmp_path: Path, channel: str, delivery: str
) -> None:
    variables = {"DELIVERY": delivery}
    async with running_system(
        tmp_path, slack=EVERY_MESSAGE, model=SLOW, variables=variables
    ) as system:
        asked = ask(system, channel)
        await system.slack.until(
            lambda: system.slack.called(
                "chat.update" if delivery == "edit" else "chat.appendStream"
            )
        )
        system.slack.workspace.delete(channel, asked.ts)
        await nothing_stands(system, channel)
        assert system.slack.workspace.message(channel, asked.ts) is None
        refused = [call.method for call in system.slack.calls if not call.ok]
        assert refused == []


async def test_question_deleted_at_once_without_an_event_leaves_nothing(
    tmp_path: Path,
) -> None:
    async with running_system(
        tmp_path, model=SLOW
    ) as system:  # deletions in channels are not heard
        asked = ask(system, live.GENERAL)
        system.slack.workspace.delete(live.GENERAL, asked.ts)
        await nothing_stands(system, live.GENERAL)
        assert len(system.slack.called("chat.postMessage")) == 1


async def test_edit_is_asked_once_also_by_a_bot_that_was_started_after_the_offer(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, slack=EVERY_MESSAGE) as system:
        slack, workspace = system.slack, system.slack.workspace
        asked = ask(system, live.GENERAL, "count to 12")
        await system.answered(live.GENERAL)
        workspace.edit(live.GENERAL, asked.ts, f"<@{live.BOT}> count to 13")
        await slack.until(lambda: workspace.whispers(live.GENERAL, live.YOU))
        [offer] = workspace.whispers(live.GENERAL, live.YOU)
        await system.bot.end(signal.SIGTERM)
        again = await start(system.env, system.folder)
        try:
            await again.said("connected to Slack")
            [row] = [block for block in offer.blocks if block["type"] == "actions"]
            for _ in range(2):
                workspace.press(
                    channel=live.GENERAL,
                    message_ts=offer.ts,
                    block_id=row["block_id"],
                    action_id=RETRY_EDITED_ACTION,
                )
            assert await system.answered(live.GENERAL, 2) == upstream_text("count to 13")
            assert len(system.answers(live.GENERAL)) == 2
        finally:
            await again.end(signal.SIGTERM)
