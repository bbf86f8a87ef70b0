"""What the model thinks: one quiet line while it does, and nothing of it in the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.playground.model.config import CHAT_ONLY, ModelConfig
from bot.words import Phrase
from tests.e2e.bot.running import (
    System,
    markdown,
    running_system,
    status_text,
    upstream_text,
)
from tests.support.words import english
from tests.unit.playground import live

QUESTION = "think step by step"
SLOW = ModelConfig(words_per_second=15, first_word_seconds=0.1)
FIRST = "Reading the question"
MODELS: dict[str, dict[str, str]] = {"responses": {}, "chat": {"UPSTREAM_MODEL": CHAT_ONLY}}


def thinking_lines(calls: list[live.ApiCall]) -> Iterator[str]:
    """The status lines with reasoning that were written to messages, in order."""
    start = english(Phrase.THINKING_THAT, line="")
    for call in calls:
        blocks: list[dict[str, Any]] = call.args.get("blocks") or []
        for element in (e for block in blocks for e in block.get("elements", ())):
            if str(element.get("text")).startswith(start):
                yield str(element["text"])


async def ask(system: System, channel: str = live.GENERAL) -> str:
    """Ask; the text of the finished answer."""
    mention = "" if channel == live.DM else f"<@{live.BOT}> "
    system.slack.workspace.say(channel, mention + QUESTION)
    return await system.answered(channel)


@pytest.mark.parametrize("api", MODELS)
async def test_thinking_is_one_line_until_the_answer_begins(tmp_path: Path, api: str) -> None:
    async with running_system(tmp_path, model=SLOW, variables=MODELS[api]) as system:
        text = await ask(system)
        assert text == upstream_text(QUESTION)
        [message] = system.answers(live.GENERAL)
        assert status_text(message) == ""
        edits = system.slack.called("chat.update")
        lines = list(thinking_lines(edits))
        assert english(Phrase.THINKING_THAT, line=FIRST) in lines
        assert len(set(lines)) == len(lines) <= 3, "one edit a line, and few lines"
        with_text = [call for call in edits if markdown(call.args)]
        assert not list(thinking_lines(with_text))
        assert all(call.ok for call in edits)


@pytest.mark.parametrize("api", MODELS)
async def test_thinking_is_not_shown_or_asked_for_if_switched_off(tmp_path: Path, api: str) -> None:
    variables = {"REASONING_SUMMARY": "off", "REASONING_EFFORT": "low", **MODELS[api]}
    async with running_system(tmp_path, model=SLOW, variables=variables) as system:
        assert await ask(system) == upstream_text(QUESTION)
        assert not list(thinking_lines(system.slack.calls))
        [request] = system.wire.requests
        effort = (
            '"reasoning":{"effort":"low"}' if api == "responses" else '"reasoning_effort":"low"'
        )
        assert effort in request
        assert '"summary"' not in request


async def test_thinking_is_told_by_the_status_below_a_thread(tmp_path: Path) -> None:
    variables = {"DELIVERY": "native"}
    async with running_system(tmp_path, model=SLOW, variables=variables) as system:
        await ask(system, live.DM)
        await system.bot.said("answer")
        [message] = system.answers(live.DM)
        assert markdown(message) == upstream_text(QUESTION)
        statuses = [c.args["status"] for c in system.slack.called("assistant.threads.setStatus")]
        assert statuses[0].startswith("is thinking")
        assert not any(FIRST in markdown(call.args) for call in system.slack.calls)


async def test_thinking_of_a_private_answer_is_no_part_of_it(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        slack = system.slack
        slack.workspace.command(live.GENERAL, "/ask", QUESTION)
        await slack.until(lambda: slack.called("response_url"), 30)
        sent = slack.called("response_url")[-1].args
        assert upstream_text(QUESTION).split("\n")[0] in markdown(sent)
        assert not list(thinking_lines(slack.calls))
