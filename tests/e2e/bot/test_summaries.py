"""A thread that does not fit the model: what falls out is summarised, over the wire."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.history.fitting.remarks import SUMMARY_HEADER
from bot.history.summaries.text import INSTRUCTIONS
from bot.playground.model.script.summaries import LEAD
from bot.playground.slack.server import ALL_MESSAGES, SlackConfig
from bot.words import Phrase
from tests.e2e.bot.running import (
    START_SECONDS,
    Process,
    System,
    markdown,
    running_system,
    start,
    status_text,
)
from tests.support.words import english
from tests.unit.playground import live

SUMMARISED = english(Phrase.SUMMARISED)
SMALL: Mapping[str, str] = {"HISTORY_TOKENS": "900"}
EVERY_MESSAGE = SlackConfig(subscriptions=ALL_MESSAGES)
FILLER = "and another line of talk about the weather, which goes on and on"


def begin_thread(system: System) -> tuple[str, str]:
    """A thread that is too long for the model; the ts of its root and of its secret."""
    say = system.slack.workspace.say
    root = say(live.GENERAL, "Welcome to the project.").ts
    secret = say(live.GENERAL, "The codename is Heron.", user=live.ADA, thread_ts=root).ts
    for n in range(60):
        say(live.GENERAL, f"{n}: {FILLER}", user=live.ADA, thread_ts=root)
    return root, secret


async def ask(system: System, root: str, question: str) -> str:
    """The remark below the answer to a question in a thread."""
    before = len(finished(system))
    system.slack.workspace.say(live.GENERAL, f"<@{live.BOT}> {question}", thread_ts=root)
    await system.slack.until(lambda: len(finished(system)) > before)
    return status_text(finished(system)[-1])


def finished(system: System) -> list[dict[str, object]]:
    """The bot's messages that say what became of the older messages."""
    said = ("were left out", SUMMARISED)
    found = system.answers(live.GENERAL)
    return [m for m in found if any(remark in status_text(m) for remark in said)]


def summary_requests(system: System) -> list[str]:
    return [sent for sent in system.wire.requests if INSTRUCTIONS[:40] in sent]


def answer_requests(system: System) -> list[str]:
    return [sent for sent in system.wire.requests if INSTRUCTIONS[:40] not in sent]


async def logged(bot: Process, message: str, count: int = 1) -> list[str]:
    """The outcomes in the first records with a message, once there are so many."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            bot.more.clear()
            found = [line["outcome"] for line in bot.log if line.get("message") == message]
            if len(found) >= count:
                return found
            await bot.more.wait()


async def test_second_question_in_a_long_thread_is_asked_with_a_summary(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables=SMALL) as system:
        root, _ = begin_thread(system)
        assert "left out" in await ask(system, root, "echo one")
        assert await logged(system.bot, "summary") == ["made"]
        assert await ask(system, root, "echo two") == SUMMARISED

        [first, second] = answer_requests(system)
        assert "Heron" not in first
        assert SUMMARY_HEADER in second
        assert f"> {LEAD}Welcome to the project. / The codename is Heron." in second


async def test_long_direct_message_is_gone_on_with_by_its_summary(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables=SMALL) as system:
        said = ["My project is Heron.", *(f"echo {n} {FILLER * 20}" for n in range(6))]
        for count, text in enumerate(said, 1):
            system.slack.workspace.say(live.DM, text)
            await logged(system.bot, "answer", count)
        assert (await logged(system.bot, "summary"))[0] == "made"
        system.slack.workspace.say(live.DM, "What is my project?")
        await logged(system.bot, "answer", len(said) + 1)

        assert SUMMARISED in status_text(system.answers(live.DM)[-1])
        assert "Heron" in markdown(system.answers(live.DM)[-1])
        assert SUMMARY_HEADER in answer_requests(system)[-1]


@pytest.mark.parametrize("heard", [True, False], ids=["event heard", "event not heard"])
@pytest.mark.parametrize("change", ["edit", "delete"])
async def test_words_of_a_changed_message_are_not_told_to_the_model_any_more(
    tmp_path: Path, change: str, heard: bool
) -> None:
    slack = EVERY_MESSAGE if heard else None
    async with running_system(tmp_path, slack=slack, variables=SMALL) as system:
        workspace = system.slack.workspace
        root, secret = begin_thread(system)
        await ask(system, root, "echo one")
        await logged(system.bot, "summary")
        if change == "edit":
            workspace.edit(live.GENERAL, secret, "The codename is Kestrel.", user=live.ADA)
        else:
            workspace.delete(live.GENERAL, secret)
        assert "left out" in await ask(system, root, "echo two")
        assert await logged(system.bot, "summary", 2) == ["made", "made"]
        assert await ask(system, root, "echo three") == SUMMARISED

        assert "Heron" in summary_requests(system)[0]
        assert not any("Heron" in sent for sent in answer_requests(system))
        assert "Heron" not in summary_requests(system)[-1]
        assert ("Kestrel" in answer_requests(system)[-1]) is (change == "edit")


async def test_summary_is_used_by_the_process_that_runs_after_a_restart(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables=SMALL) as system:
        root, _ = begin_thread(system)
        await ask(system, root, "echo one")
        await logged(system.bot, "summary")
        await system.bot.end(signal.SIGKILL)
        again = await start(system.env, system.folder)
        try:
            await again.said("ready")
            assert await ask(system, root, "echo two") == SUMMARISED
            assert "Heron" in answer_requests(system)[-1]
        finally:
            await again.end(signal.SIGKILL)


async def test_nothing_is_summarised_without_stored_text(tmp_path: Path) -> None:
    variables = {**SMALL, "STORE_TEXT": "off"}
    async with running_system(tmp_path, variables=variables) as system:
        root, _ = begin_thread(system)
        await ask(system, root, "echo one")
        assert "left out" in await ask(system, root, "echo two")
        assert summary_requests(system) == []
