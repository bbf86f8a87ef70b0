"""The slash command's private answers: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.playground.model.server import ModelConfig
from bot.playground.slack.server import SlackConfig
from tests.e2e.bot.running import (
    System,
    is_finished,
    markdown,
    running_system,
    start,
    status_text,
    upstream_text,
)
from tests.unit.playground import live

SLOW = ModelConfig(words_per_second=60, first_word_seconds=0.3)
COUNT = "count to 300"

Message = dict[str, Any]


def ephemeral_messages(system: System, channel: str = live.RANDOM) -> list[Message]:
    """What only the asker sees in a channel."""
    workspace = system.slack.workspace
    return [workspace.as_slack(m) for m in workspace.whispers(channel, live.YOU)]


def buttons(message: Mapping[str, Any]) -> list[str]:
    """What its buttons say."""
    rows = [block for block in message.get("blocks") or [] if block["type"] == "actions"]
    return [element["text"]["text"] for row in rows for element in row["elements"]]


def press(system: System, message: Mapping[str, Any], label: str, channel: str) -> None:
    """The asker presses a button of a private message."""
    [row] = [block for block in message["blocks"] if block["type"] == "actions"]
    [element] = [e for e in row["elements"] if e["text"]["text"] == label]
    system.slack.workspace.press(
        channel=channel,
        message_ts=message["ts"],
        block_id=row["block_id"],
        action_id=element["action_id"],
        value=element.get("value"),
    )


async def ask(system: System, text: str, channel: str = live.RANDOM) -> Message:
    """Type the command; gives its note."""
    system.slack.workspace.command(channel, "/ask", text)
    await system.slack.until(lambda: ephemeral_messages(system, channel))
    [found] = ephemeral_messages(system, channel)
    return found


async def texts_until_finished(system: System, channel: str = live.RANDOM) -> list[str]:
    """What stood in the one private message, one text after the other, until it was finished."""
    slack = system.slack
    seen: list[str] = []

    def finished() -> bool:
        [only] = ephemeral_messages(system, channel)
        if not seen or seen[-1] != markdown(only):
            seen.append(markdown(only))
        return "Share here" in buttons(only)

    await slack.until(finished, 20)
    return seen


async def test_acknowledgement_is_replaced_by_the_answer_without_a_second_message(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        first = await ask(system, COUNT)
        assert buttons(first) == ["Show as it is written", "Stop"]
        press(system, first, "Show as it is written", live.RANDOM)
        texts = [text for text in await texts_until_finished(system) if text]
        assert len(texts) >= 3, texts
        assert all(len(one) < len(other) for one, other in pairwise(texts))
        assert texts[-1] == upstream_text(COUNT)
        assert (await system.bot.said("answer"))["outcome"] == "done"
        uses = system.slack.called("response_url")
        assert 3 <= len(uses) <= 5
        assert all(use.ok and use.args["replace_original"] for use in uses)
        [last] = ephemeral_messages(system)
        assert last["ts"] == first["ts"]
        assert buttons(last) == ["Share here", "Continue in DM"]


async def test_stop_in_the_acknowledgement_leaves_the_written_text_in_its_place(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        system.model.set_faults(stall_at=0.5)
        first = await ask(system, COUNT)
        press(system, first, "Show as it is written", live.RANDOM)
        await system.slack.until(lambda: markdown(ephemeral_messages(system)[0]))
        assert buttons(ephemeral_messages(system)[0]) == ["Stop"]
        press(system, ephemeral_messages(system)[0], "Stop", live.RANDOM)
        texts = await texts_until_finished(system)
        [last] = ephemeral_messages(system)
        assert f"Stopped by <@{live.YOU}>" in status_text(last)
        assert texts[-1].startswith("1 2 3")
        assert (await system.bot.said("answer"))["outcome"] == "stopped"


async def test_answer_not_shown_live_comes_below_and_a_press_removes_its_acknowledgement(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        await ask(system, COUNT)
        await system.slack.until(lambda: len(ephemeral_messages(system)) == 2)
        first, answer = ephemeral_messages(system)
        assert markdown(answer) == upstream_text(COUNT)
        await system.bot.said("answer")
        press(system, first, "Show as it is written", live.RANDOM)
        await system.slack.until(lambda: len(ephemeral_messages(system)) == 1)
        assert ephemeral_messages(system) == [answer]


async def test_ephemeral_answer_is_shared_once_after_several_presses(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        await ask(system, COUNT, live.GENERAL)
        await slack.until(lambda: len(ephemeral_messages(system, live.GENERAL)) == 2)
        answer = ephemeral_messages(system, live.GENERAL)[1]
        press(system, answer, "Share here", live.GENERAL)
        press(system, answer, "Share here", live.GENERAL)
        await slack.until(
            lambda: buttons(ephemeral_messages(system, live.GENERAL)[1]) == ["Continue in DM"]
        )
        assert "Shared in this channel" in status_text(ephemeral_messages(system, live.GENERAL)[1])
        press(system, ephemeral_messages(system, live.GENERAL)[1], "Continue in DM", live.GENERAL)
        await slack.until(lambda: buttons(ephemeral_messages(system, live.GENERAL)[1]) == [])
        [public] = system.answers(live.GENERAL)
        assert is_finished(public)
        assert f"<@{live.YOU}> asked:" in status_text(public)
        assert COUNT in status_text(public)
        assert markdown(public) == markdown(answer) == upstream_text(COUNT)


async def test_share_where_the_bot_may_not_post_tells_the_asker_and_can_be_pressed_again(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        await ask(system, COUNT, live.SECRET)
        await slack.until(lambda: len(ephemeral_messages(system, live.SECRET)) == 2)
        answer = ephemeral_messages(system, live.SECRET)[1]
        press(system, answer, "Share here", live.SECRET)
        await slack.until(lambda: len(ephemeral_messages(system, live.SECRET)) == 3)
        assert "Invite me" in status_text(ephemeral_messages(system, live.SECRET)[2])
        assert ephemeral_messages(system, live.SECRET)[1] == answer
        slack.workspace.invite(live.SECRET)
        press(system, answer, "Share here", live.SECRET)
        await slack.until(lambda: system.answers(live.SECRET))
        assert markdown(system.answers(live.SECRET)[0]) == markdown(answer)


async def test_conversation_continues_in_the_dm_with_question_and_answer(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        await ask(system, "My name is Ada")
        await slack.until(lambda: len(ephemeral_messages(system)) == 2)
        press(system, ephemeral_messages(system)[1], "Continue in DM", live.RANDOM)
        await slack.until(lambda: buttons(ephemeral_messages(system)[1]) == ["Share here"])
        [root] = system.answers(live.DM)
        assert "My name is Ada" in status_text(root)
        slack.workspace.say(live.DM, "What is my name?", thread_ts=root["ts"])
        text = await system.answered(live.DM, 2)
        assert "Ada" in text
        assert system.answers(live.DM)[1]["thread_ts"] == root["ts"]


async def test_long_answer_is_shared_as_a_thread_and_continues_in_the_dm(tmp_path: Path) -> None:
    long = "write a very long essay"
    quick = ModelConfig(words_per_second=5000, first_word_seconds=0.05)
    async with running_system(tmp_path, model=quick) as system:
        slack = system.slack
        await ask(system, long, live.GENERAL)
        await slack.until(lambda: len(ephemeral_messages(system, live.GENERAL)) == 2, 20)
        await system.bot.said("answer")
        private = ephemeral_messages(system, live.GENERAL)[1]
        assert "direct messages" in status_text(private)
        text = markdown(private) + "".join(map(markdown, system.answers(live.DM)))
        assert "".join(text.split()) == "".join(upstream_text(long).split())
        press(system, private, "Share here", live.GENERAL)
        await slack.until(
            lambda: buttons(ephemeral_messages(system, live.GENERAL)[1]) == ["Continue in DM"], 20
        )
        root, *rest = system.answers(live.GENERAL)
        assert rest
        assert {message["thread_ts"] for message in rest} == {root["ts"]}
        text = "".join(map(markdown, [root, *rest]))
        assert "".join(text.split()) == "".join(upstream_text(long).split())


async def test_failed_ephemeral_answer_is_retried_in_its_place(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        system.model.set_faults(model_status=401)
        await ask(system, COUNT)
        await system.slack.until(lambda: len(ephemeral_messages(system)) == 2)
        failed = ephemeral_messages(system)[1]
        assert "reference" in status_text(failed)
        system.model.set_faults(model_status=0)
        press(system, failed, "Try again", live.RANDOM)
        await system.slack.until(lambda: len(ephemeral_messages(system)) == 3)
        assert markdown(ephemeral_messages(system)[2]) == upstream_text(COUNT)
        assert "Asked again" in status_text(ephemeral_messages(system)[1])
        assert system.answers(live.DM) == []


async def test_ephemeral_answer_of_a_killed_process_is_sent_once_by_the_next(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, model=SLOW, variables={"LEASE_SECONDS": "3"}) as system:
        slack = system.slack
        first = await ask(system, COUNT)
        press(system, first, "Show as it is written", live.RANDOM)
        await slack.until(lambda: markdown(ephemeral_messages(system)[0]))
        await system.bot.end(signal.SIGKILL)
        bot = await start(system.env, tmp_path)
        try:
            await slack.until(lambda: len(ephemeral_messages(system)) == 2, 30)
            assert (await bot.said("answer"))["outcome"] == "done"
            assert markdown(ephemeral_messages(system)[1]) == upstream_text(COUNT)
            press(system, ephemeral_messages(system)[0], "Stop", live.RANDOM)
            await slack.until(lambda: len(ephemeral_messages(system)) == 1)
        finally:
            await bot.end()


async def test_acknowledgement_is_replaced_over_http_too(tmp_path: Path) -> None:
    port = live.free_port()
    config = SlackConfig(events_url=f"http://127.0.0.1:{port}/slack/events")
    variables = {"SLACK_SIGNING_SECRET": config.signing_secret, "PORT": str(port)}
    async with running_system(tmp_path, slack=config, model=SLOW, variables=variables) as system:
        first = await ask(system, COUNT)
        press(system, first, "Show as it is written", live.RANDOM)
        assert (await texts_until_finished(system))[-1] == upstream_text(COUNT)
