"""Threads that go on without a mention: the real bot, over the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from bot.playground.slack.server import ALL_MESSAGES, SlackConfig
from bot.words import Phrase
from tests.e2e.bot.running import System, running_system, start
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"
HEARS_CHANNELS = SlackConfig(subscriptions=ALL_MESSAGES)
THREAD = {"FOLLOW_UPS": "thread"}


async def ask(system: System, text: str = f"{MENTION} My name is Ada") -> str:
    """Ask in a channel; gives the thread, once it is answered."""
    count = len(system.answers(live.GENERAL))
    root = system.slack.workspace.say(live.GENERAL, text).ts
    await system.answered(live.GENERAL, count + 1)
    return root


def say(system: System, thread: str, text: str) -> None:
    """Write in a thread."""
    system.slack.workspace.say(live.GENERAL, text, thread_ts=thread)


async def outcomes(system: System) -> dict[str, float]:
    """The metric of follow-ups, by outcome."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{system.health}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    counts = [line.split('"')[1:] for line in lines if line.startswith("bot_follow_ups_total{")]
    return {outcome: float(rest.split()[-1]) for outcome, rest in counts}


async def test_thread_goes_on_where_the_command_turned_follow_ups_on(tmp_path: Path) -> None:
    async with running_system(tmp_path, slack=HEARS_CHANNELS) as system:
        thread = await ask(system)
        say(system, thread, "What is my name?")
        await counted(system, "off")  # the command may overtake the message otherwise
        system.slack.workspace.command(live.GENERAL, "/ask", "follow-ups on")
        await system.slack.until(lambda: system.slack.announced("ephemeral"))
        [told] = system.slack.announced("ephemeral")
        assert told["message"]["text"].startswith(Phrase.FOLLOW_UPS_ON.value)

        say(system, thread, "What is my name?")
        assert "Ada" in await system.answered(live.GENERAL, 2)
        assert await outcomes(system) == {"off": 1.0, "followed": 1.0}


async def test_setting_of_a_channel_outlives_the_process(tmp_path: Path) -> None:
    async with running_system(tmp_path, slack=HEARS_CHANNELS) as system:
        system.slack.workspace.command(live.GENERAL, "/ask", "follow-ups on")
        await system.slack.until(lambda: system.slack.announced("ephemeral"))
    async with running_system(tmp_path, slack=HEARS_CHANNELS) as system:
        thread = await ask(system)
        say(system, thread, "What is my name?")
        assert "Ada" in await system.answered(live.GENERAL, 2)


@pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
async def test_thanks_and_messages_to_others_are_left_alone(
    tmp_path: Path, over_http: bool
) -> None:
    port, variables = live.free_port(), dict(THREAD)
    config = HEARS_CHANNELS
    if over_http:
        url = f"http://127.0.0.1:{port}/slack/events"
        config = SlackConfig(subscriptions=ALL_MESSAGES, events_url=url)
        variables |= {"SLACK_SIGNING_SECRET": config.signing_secret, "PORT": str(port)}
    async with running_system(tmp_path, slack=config, variables=variables) as system:
        thread = await ask(system)
        say(system, thread, "thanks!")
        await counted(system, "reaction")  # "thanks!" under an answer that runs is a question
        say(system, thread, f"<@{live.ADA}> what do you think?")
        say(system, thread, "What is my name?")

        assert "Ada" in await system.answered(live.GENERAL, 2)
        await system.slack.until(lambda: len(system.slack.log("event", "message.channels")) >= 4)
        assert len(system.slack.called("chat.postMessage")) == 2
        assert await outcomes(system) == {"reaction": 1.0, "mentions_others": 1.0, "followed": 1.0}


async def test_only_mentions_are_answered_if_follow_ups_are_off(tmp_path: Path) -> None:
    variables = {"FOLLOW_UPS": "off"}
    async with running_system(tmp_path, slack=HEARS_CHANNELS, variables=variables) as system:
        thread = await ask(system)
        say(system, thread, "What is my name?")
        say(system, thread, f"{MENTION} What is my name?")

        assert "Ada" in await system.answered(live.GENERAL, 2)
        assert len(system.slack.called("chat.postMessage")) == 2


async def test_thread_is_quiet_after_only_when_mentioned_until_it_is_followed_again(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, slack=HEARS_CHANNELS, variables=THREAD) as system:
        thread = await ask(system)
        await tell(system, thread, f"{MENTION} only when mentioned", Phrase.THREAD_MENTIONS_ONLY)
        say(system, thread, "What is my name?")
        await counted(system, "mentions_only")

        await tell(system, thread, "follow this thread", Phrase.THREAD_FOLLOWED)
        say(system, thread, "What is my name?")
        assert "Ada" in await system.answered(live.GENERAL, 2)
        assert len(system.slack.called("chat.postMessage")) == 2


async def test_thread_stays_quiet_after_a_restart(tmp_path: Path) -> None:
    async with running_system(tmp_path, slack=HEARS_CHANNELS, variables=THREAD) as system:
        thread = await ask(system)
        await tell(system, thread, "only when mentioned", Phrase.THREAD_MENTIONS_ONLY)
        await system.bot.end()
        system.bot = await start(system.env, system.folder)
        try:
            await system.bot.said("ready")
            say(system, thread, "What is my name?")
            await counted(system, "mentions_only")
        finally:
            await system.bot.end()
        assert len(system.slack.called("chat.postMessage")) == 1


async def tell(system: System, thread: str, text: str, reply: Phrase) -> None:
    """Say in a thread when to answer there, and wait until the bot has confirmed it once."""
    say(system, thread, text)

    def replies() -> list[str]:
        told = system.slack.announced("ephemeral")
        return [one["message"]["text"] for one in told]

    await system.slack.until(lambda: reply.value in replies())
    assert replies().count(reply.value) == 1


async def counted(system: System, outcome: str) -> None:
    """Wait until a message was left alone for this reason."""
    async with asyncio.timeout(live.PATIENCE):
        while True:
            if outcome in await outcomes(system):
                return
            await asyncio.sleep(0.02)
