"""The bot's own words follow each person's Slack: the real bot, over the wire."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.playground.model.server import ModelConfig
from bot.words import Phrase
from tests.e2e.bot.running import System, markdown, running_system, start, status_text
from tests.support.words import chinese, english
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"
ASKS = f"{MENTION} write a long essay"
SLOW = ModelConfig(words_per_second=20, first_word_seconds=0.3)


def button_labels(message: dict[str, Any]) -> list[str]:
    """The labels of the buttons below an answer."""
    rows = [b for b in message.get("blocks") or [] if b["type"] == "actions"]
    elements = [e for row in rows for e in row["elements"]]
    return [e["text"]["text"] for e in elements if e["type"] == "button"]


def press_stop(system: System, message: dict[str, Any], user: str) -> None:
    """A person presses *Stop*."""
    [row] = [b for b in message["blocks"] if b["type"] == "actions"]
    system.slack.workspace.press(
        user=user,
        channel=live.GENERAL,
        message_ts=message["ts"],
        block_id=row["block_id"],
        action_id=row["elements"][0]["action_id"],
    )


async def answer_with(system: System, fits: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The first answer in #general that fits, once there is one."""

    def found() -> list[dict[str, Any]]:
        return [one for one in system.answers(live.GENERAL) if fits(one)]

    await system.slack.until(found, 30)
    return found()[0]


async def test_two_people_in_one_channel_read_their_own_language(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        workspace = system.slack.workspace
        workspace.use_locale("zh-TW", user=live.ADA)
        first = workspace.say(live.GENERAL, ASKS)
        second = workspace.say(live.GENERAL, ASKS, user=live.ADA)
        await read_and_stop(system, first.ts, live.YOU, english)
        await read_and_stop(system, second.ts, live.ADA, chinese)


async def read_and_stop(system: System, thread: str, user: str, say: Callable[..., str]) -> None:
    """Whoever asked in a thread reads their language, and stops the answer in it."""
    answer = await answer_with(system, lambda one: one["thread_ts"] == thread and markdown(one))
    assert button_labels(answer) == [say(Phrase.STOP_BUTTON)]
    press_stop(system, answer, user)
    await answer_with(system, lambda one: say(Phrase.STOPPED_BY, user=user) in status_text(one))


async def test_stranger_who_presses_stop_is_told_in_their_own_language(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        system.slack.workspace.use_locale("zh-CN", user=live.ADA)
        system.slack.workspace.say(live.GENERAL, ASKS)
        press_stop(system, await answer_with(system, markdown), live.ADA)
        await system.slack.until(lambda: system.slack.announced("ephemeral"))
        [told] = system.slack.announced("ephemeral")
        assert told["message"]["text"] == chinese(Phrase.NOT_YOURS_TO_STOP)


async def test_command_is_acknowledged_in_chinese(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        system.slack.workspace.use_locale("zh-CN")
        system.slack.workspace.command(live.RANDOM, "/ask", "hello")
        await system.slack.until(lambda: system.slack.announced("ephemeral"))
        [told, *_] = system.slack.announced("ephemeral")
        assert chinese(Phrase.WRITING) in told["message"]["text"]
        shown = [chinese(Phrase.SHOW_BUTTON), chinese(Phrase.STOP_BUTTON)]
        assert button_labels(told["message"]) == shown


async def test_answer_of_a_killed_process_goes_on_in_the_same_language(tmp_path: Path) -> None:
    variables = {"LEASE_SECONDS": "3"}
    async with running_system(tmp_path, model=SLOW, variables=variables) as system:
        workspace = system.slack.workspace
        workspace.use_locale("zh-CN")
        workspace.say(live.GENERAL, ASKS)
        await answer_with(system, markdown)
        await system.bot.end(signal.SIGKILL)
        [left] = system.answers(live.GENERAL)
        workspace.use_locale("en-US")  # the language is that of the question, not of the moment
        system.bot = await start(system.env, tmp_path)
        try:
            await system.bot.said("ready")
            answer = await answer_with(system, lambda one: len(markdown(one)) > len(markdown(left)))
            press_stop(system, answer, live.YOU)
            stopped = chinese(Phrase.STOPPED_BY, user=live.YOU)
            answer = await answer_with(system, lambda one: stopped in status_text(one))
            assert markdown(answer)
            assert len(system.slack.called("chat.postMessage")) == 1
        finally:
            await system.bot.end(signal.SIGKILL)


@pytest.mark.parametrize(("language", "say"), [("en", english), ("zh", chinese)])
async def test_fixed_language_asks_for_nobodys_locale(
    tmp_path: Path, language: str, say: Callable[..., str]
) -> None:
    async with running_system(tmp_path, model=SLOW, variables={"LANGUAGE": language}) as system:
        system.slack.workspace.use_locale("zh-CN" if language == "en" else "en-US")
        system.slack.workspace.say(live.GENERAL, ASKS)
        answer = await answer_with(system, markdown)
        assert button_labels(answer) == [say(Phrase.STOP_BUTTON)]
        asked = [call.args for call in system.slack.called("users.info")]
        assert not any("include_locale" in args for args in asked)
