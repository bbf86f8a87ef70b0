"""One journey a surface: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from bot.playground.model.server import ModelConfig
from bot.playground.slack.server import ALL_MESSAGES, SlackConfig
from bot.words import Phrase
from tests.e2e.bot.running import System, markdown, running_system, status_text, upstream_text
from tests.support.words import english
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"


async def test_mention_is_answered_in_its_thread_and_a_follow_up_knows_the_first_answer(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        asked = slack.workspace.say(live.GENERAL, f"{MENTION} My name is Ada")
        await system.answered(live.GENERAL)
        [answer] = system.answers(live.GENERAL)
        assert answer["thread_ts"] == asked.ts
        slack.workspace.say(live.GENERAL, f"{MENTION} What is my name?", thread_ts=asked.ts)
        text = await system.answered(live.GENERAL, 2)
        assert "Ada" in text
        assert len(slack.called("chat.postMessage")) == 2
        assert all(call.ok for call in slack.calls)


async def test_file_with_a_mention_is_reported_as_unread_as_in_a_direct_message(
    tmp_path: Path,
) -> None:
    asks = f"{MENTION} write a long essay"
    async with running_system(tmp_path) as system:
        slack = system.slack
        report = slack.workspace.upload("report.pdf", b"%PDF-1.7\n\0")
        root = slack.workspace.say(live.GENERAL, asks, files=[report])
        slack.workspace.say(live.GENERAL, asks, files=[report], thread_ts=root.ts)
        slack.workspace.say(live.DM, "write a long essay", files=[report])

        def said() -> list[str]:
            answers = [*system.answers(live.GENERAL), *system.answers(live.DM)]
            return [status_text(one) for one in answers if status_text(one).startswith("report")]

        await slack.until(lambda: len(said()) == 3, 60.0)
        unread = english(Phrase.FILES_OF_UNKNOWN_KIND, names="report.pdf", count=1)
        assert set(said()) == {unread}


async def test_mention_delivered_as_two_events_is_answered_once(tmp_path: Path) -> None:
    for seed in (1, 2):
        config = SlackConfig(subscriptions=ALL_MESSAGES, seed=seed)
        async with running_system(tmp_path, slack=config) as system:
            system.slack.workspace.say(live.GENERAL, f"{MENTION} hello")
            await system.answered(live.GENERAL)
            assert len(system.slack.called("chat.postMessage")) == 1


async def test_direct_message_is_answered_in_its_thread(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        asked = system.slack.workspace.say(live.DM, "hello")
        assert await system.answered(live.DM)
        [answer] = system.answers(live.DM)
        assert answer["thread_ts"] == asked.ts


async def test_command_is_answered_in_an_ephemeral_message(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        slack.workspace.command(live.RANDOM, "/ask", "hello")
        await slack.until(lambda: len(slack.announced("ephemeral")) >= 2)
        first, last = (told["message"] for told in slack.announced("ephemeral")[:2])
        assert "Writing" in first["text"]
        assert markdown(last)
        assert system.answers(live.RANDOM) == []


async def test_public_command_streams_where_the_bot_may_post(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        system.slack.workspace.command(live.GENERAL, "/ask", "hello #public")
        await system.slack.until(lambda: system.answers(live.GENERAL))
        [answer] = system.answers(live.GENERAL)
        assert answer.get("thread_ts") in {None, answer["ts"]}
        assert f"<@{live.YOU}>" in status_text(answer)


async def test_public_command_where_the_bot_may_not_post_is_answered_in_an_ephemeral_message(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        slack.workspace.command(live.SECRET, "/ask", "#public hello")
        await slack.until(lambda: any(markdown(t["message"]) for t in slack.announced("ephemeral")))
        assert system.answers(live.SECRET) == []


async def test_public_command_streams_in_the_dm_with_the_bot_too(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        system.slack.workspace.command(live.DM, "/ask", "hello")
        assert await system.answered(live.DM)


async def test_very_long_answer_continues_in_the_next_message_and_loses_nothing(
    tmp_path: Path,
) -> None:
    quick = ModelConfig(words_per_second=5000, first_word_seconds=0.05)
    async with running_system(tmp_path, model=quick) as system:
        slack = system.slack
        slack.workspace.say(live.GENERAL, f"{MENTION} write a very long essay")
        assert (await system.bot.said("answer"))["outcome"] == "done"
        messages = system.answers(live.GENERAL)
        assert len(messages) >= 3
        assert all(len(markdown(m).encode()) <= 12_000 for m in messages)
        text = "".join(map(markdown, messages))
        assert "".join(text.split()) == "".join(upstream_text("write a very long essay").split())


async def test_empty_mention_gets_a_hint(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        system.slack.workspace.say(live.GENERAL, MENTION)
        assert "for example" in await system.answered(live.GENERAL)
        assert not [entry for entry in system.model.log if "responses" in entry.what]


async def test_signed_events_over_http_are_answered_too(tmp_path: Path) -> None:
    port = live.free_port()
    config = SlackConfig(events_url=f"http://127.0.0.1:{port}/slack/events")
    secret = config.signing_secret
    variables = {"SLACK_SIGNING_SECRET": secret, "PORT": str(port)}
    async with running_system(tmp_path, slack=config, variables=variables) as system:
        system.slack.workspace.say(live.GENERAL, f"{MENTION} hello")
        assert await system.answered(live.GENERAL)
        system.slack.workspace.command(live.GENERAL, "/ask", "hello")
        await system.slack.until(lambda: len(system.slack.announced("ephemeral")) >= 2)


async def test_home_tab_has_a_welcome(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        system.slack.workspace.open_home()
        await system.slack.until(lambda: system.slack.announced("home"))
        assert system.slack.called("views.publish")[0].ok


async def test_health_readiness_and_metrics_are_served(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system, aiohttp.ClientSession() as session:
        await connected(session, system)
        system.slack.workspace.say(live.GENERAL, f"{MENTION} hello")
        await system.answered(live.GENERAL)
        async with session.get(f"{system.health}/metrics") as answer:
            text = await answer.text()
        assert 'bot_questions_total{surface="channel"} 1.0' in text
        assert 'bot_slack_calls_total{method="chat.postMessage",outcome="ok"} 1.0' in text


async def connected(session: aiohttp.ClientSession, system: System) -> None:
    """Wait until the bot says that it is ready."""
    async with asyncio.timeout(10):
        while True:
            async with session.get(f"{system.health}/readyz") as answer:
                if answer.status == 200:
                    assert await answer.json() == {"database": True, "slack": True}
                    return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
async def test_idle_bot_ends_cleanly_within_two_seconds(tmp_path: Path, signal_name: str) -> None:
    async with running_system(tmp_path) as system:
        async with asyncio.timeout(2):
            assert await system.bot.end(signal.Signals[signal_name]) == 0
        assert not [line for line in system.bot.log if line.get("level") == "error"]


async def test_sigterm_lets_a_running_answer_finish(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        system.slack.workspace.say(live.GENERAL, f"{MENTION} write a long essay")
        await system.slack.until(lambda: system.answers(live.GENERAL))
        assert await system.bot.end() == 0
        assert status_text(system.answers(live.GENERAL)[-1]) == ""


async def test_second_signal_does_not_wait_for_running_answers(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        system.model.set_faults(stall_at=0.5)
        system.slack.workspace.say(live.GENERAL, f"{MENTION} write a long essay")
        await system.slack.until(lambda: system.answers(live.GENERAL))
        system.bot.process.send_signal(signal.SIGTERM)
        await system.bot.said("stopping")
        async with asyncio.timeout(3):
            assert await system.bot.end(signal.SIGINT) == 0
