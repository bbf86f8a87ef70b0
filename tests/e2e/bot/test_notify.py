"""Askers are told that a late answer is there: the real bot, Slack's protocols, the demo model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.playground.model.server import ModelConfig
from bot.values import MENTION_EVENT_TYPE
from bot.words import Phrase
from tests.e2e.bot.running import is_finished, markdown, running_system, upstream_text
from tests.e2e.bot.test_slash import ask as ask_privately
from tests.e2e.bot.test_slash import ephemeral_messages
from tests.support.words import english
from tests.unit.playground import live

SLOW = ModelConfig(words_per_second=60, first_word_seconds=0.3)
SOON = {"NOTIFY_AFTER_SECONDS": "1"}
QUESTION = "write 150 words"
MENTION = english(Phrase.ANSWER_IS_HERE, user=live.YOU)


def texts(messages: Sequence[dict[str, Any]]) -> list[str]:
    return [markdown(message) or message["text"] for message in messages]


def is_mention(message: dict[str, Any]) -> bool:
    return bool(message["text"] == MENTION)


@pytest.mark.parametrize("delivery", ["edit", "native"])
async def test_late_answer_in_a_channel_mentions_its_asker_once(
    tmp_path: Path, delivery: str
) -> None:
    async with running_system(tmp_path, model=SLOW, variables=SOON | {"DELIVERY": delivery}) as on:
        workspace = on.slack.workspace
        asked = workspace.say(live.GENERAL, f"<@{live.BOT}> {QUESTION}")
        await on.slack.until(lambda: any(map(is_mention, on.answers(live.GENERAL))), 20)
        answer, mention = on.answers(live.GENERAL)
        assert is_finished(answer)
        assert mention["thread_ts"] == asked.ts
        assert not mention.get("blocks")
        [post] = [c for c in on.slack.called("chat.postMessage") if c.args["text"] == MENTION]
        assert post.args["metadata"]["event_type"] == MENTION_EVENT_TYPE
        if delivery == "edit":
            first = on.slack.called("chat.postMessage")[0]
            assert first.args["text"] == "Answering: write 150 words"


async def test_late_answer_mentions_nobody_once_its_asker_wrote_in_the_thread(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, model=SLOW, variables=SOON) as on:
        asked = on.slack.workspace.say(live.GENERAL, f"<@{live.BOT}> {QUESTION}")
        await on.slack.until(lambda: on.answers(live.GENERAL), 10)
        on.slack.workspace.say(live.GENERAL, "and quickly, please", thread_ts=asked.ts)
        await on.answered(live.GENERAL)
        await on.bot.said("answer")
        assert texts(on.answers(live.GENERAL)) == [upstream_text(QUESTION)]


async def test_late_answer_in_a_direct_message_mentions_nobody(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW, variables=SOON) as on:
        on.slack.workspace.say(live.DM, QUESTION)
        await on.answered(live.DM)
        await on.bot.said("answer")
        assert len(on.answers(live.DM)) == 1


async def test_late_private_answer_mentions_its_asker_in_private(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW, variables=SOON) as on:
        await ask_privately(on, QUESTION)
        await on.slack.until(lambda: any(map(is_mention, ephemeral_messages(on))), 20)
        shown = ephemeral_messages(on)
        assert texts(shown)[-2:] == [upstream_text(QUESTION), MENTION]
        assert on.answers(live.RANDOM) == []


async def test_quick_answer_mentions_nobody(tmp_path: Path) -> None:
    async with running_system(tmp_path) as on:
        on.slack.workspace.say(live.GENERAL, f"<@{live.BOT}> hello")
        await on.answered(live.GENERAL)
        await on.bot.said("answer")
        assert len(on.answers(live.GENERAL)) == 1
        assert on.slack.called("chat.postMessage")[0].args["text"] == "Answering: hello"
