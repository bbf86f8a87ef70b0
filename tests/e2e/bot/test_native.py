"""Answers that Slack itself streams: the real bot, Slack's real methods and limits."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.playground.model.server import ModelConfig
from bot.values import Phase
from tests.e2e.bot.running import System, markdown, running_system, status_text, upstream_text
from tests.unit.playground import live

ESSAY = "write a long essay"
LONGER = "write a very long essay"
SLOW = ModelConfig(words_per_second=500, first_word_seconds=0.2)


def ask(system: System, channel: str, question: str = ESSAY) -> None:
    mention = "" if channel == live.DM else f"<@{live.BOT}> "
    system.slack.workspace.say(channel, mention + question)


async def ended(system: System, channel: str) -> list[dict[str, Any]]:
    """The messages of one answer, when it stands to its end."""
    line = await system.bot.said("answer")
    assert line["outcome"] == Phase.DONE
    return system.answers(channel)


def stream_of(message: Mapping[str, Any]) -> str:
    """How far a message was streamed; "" if it was not."""
    return str(message.get("streaming_state", ""))


@pytest.mark.parametrize("channel", [live.DM, live.GENERAL])
async def test_answer_is_streamed_and_ends_as_the_model_wrote_it(
    tmp_path: Path, channel: str
) -> None:
    async with running_system(tmp_path, model=SLOW, variables={"DELIVERY": "native"}) as system:
        ask(system, channel)
        [message] = await ended(system, channel)
        slack = system.slack
        assert markdown(message) == upstream_text(ESSAY)
        assert (stream_of(message), status_text(message)) == ("completed", "")
        assert len(slack.called("assistant.threads.setStatus")) == 1
        assert len(slack.called("chat.startStream")) == len(slack.called("chat.stopStream")) == 1
        assert len(slack.called("chat.appendStream")) > 3
        assert slack.called("chat.postMessage") == slack.called("chat.update") == []
        assert all(call.ok for call in slack.calls)


async def test_very_long_answer_continues_in_the_next_stream(tmp_path: Path) -> None:
    quick = ModelConfig(words_per_second=3000, first_word_seconds=0.2)
    async with running_system(tmp_path, model=quick, variables={"DELIVERY": "native"}) as system:
        ask(system, live.DM, LONGER)
        messages = await ended(system, live.DM)
        assert len(messages) >= 3
        assert {stream_of(message) for message in messages} == {"completed"}
        text = "".join(map(markdown, messages))
        assert "".join(text.split()) == "".join(upstream_text(LONGER).split())
        assert all(call.ok for call in system.slack.calls)


@pytest.mark.parametrize(("channel", "stream"), [(live.DM, "completed"), (live.GENERAL, "")])
async def test_auto_streams_in_direct_messages_only(
    tmp_path: Path, channel: str, stream: str
) -> None:
    async with running_system(tmp_path, model=SLOW, variables={"DELIVERY": "auto"}) as system:
        ask(system, channel)
        [message] = await ended(system, channel)
        assert stream_of(message) == stream
        assert markdown(message) == upstream_text(ESSAY)


async def test_answer_is_resumed_in_its_stream_after_an_upstream_cut(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW, variables={"DELIVERY": "native"}) as system:
        system.model.set_faults(drop_at=0.5)
        ask(system, live.DM)
        [message] = await ended(system, live.DM)
        assert markdown(message) == upstream_text(ESSAY)
        assert stream_of(message) == "completed"


@pytest.mark.parametrize("moment", ["while it thinks", "while it streams"])
async def test_answer_is_stopped_by_slacks_own_button(tmp_path: Path, moment: str) -> None:
    slow = ModelConfig(words_per_second=20, first_word_seconds=1.0)
    async with running_system(tmp_path, model=slow, variables={"DELIVERY": "native"}) as system:
        slack, workspace = system.slack, system.slack.workspace
        root = workspace.say(live.DM, ESSAY)
        thinks = moment == "while it thinks"
        method = "assistant.threads.setStatus" if thinks else "chat.appendStream"
        await slack.until(lambda: slack.called(method))
        workspace.stop(live.DM, root.ts)
        line = await system.bot.said("answer")
        assert line["outcome"] == Phase.STOPPED
        [message] = system.answers(live.DM)
        assert "Stopped by" in status_text(message)
        assert upstream_text(ESSAY).startswith(markdown(message)[:20])
        assert workspace.snapshot()["statuses"] == []


async def test_shutdown_leaves_no_open_stream(tmp_path: Path) -> None:
    variables = {"DELIVERY": "native", "GRACE_SECONDS": "0"}
    async with running_system(tmp_path, variables=variables) as system:
        system.model.set_faults(stall_at=0.5)
        ask(system, live.DM)
        await system.slack.until(lambda: system.slack.called("chat.startStream"))
        assert await system.bot.end(signal.SIGTERM) == 0
        [message] = system.answers(live.DM)
        assert stream_of(message) == "completed"
