"""Votes on answers: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.render.feedback import BLOCK_TYPE, FEEDBACK_ACTION, REASON_VIEW
from bot.storage.engine.database import open_database
from bot.storage.records import StoredVote
from bot.storage.votes import VoteStore
from bot.version import version
from tests.e2e.bot.running import (
    START_SECONDS,
    System,
    markdown,
    running_system,
    start,
    upstream_text,
)
from tests.unit.playground import live
from tests.unit.storage.conftest import PATIENCE

MENTION = f"<@{live.BOT}>"
QUESTION = "hello"


def feedback_block(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """The block with the buttons of a message."""
    found = [block for block in message.get("blocks") or [] if block["type"] == BLOCK_TYPE]
    return found[0] if found else None


def vote(
    system: System,
    message: Mapping[str, Any],
    value: str,
    *,
    channel: str = live.GENERAL,
    user: str = live.YOU,
) -> None:
    """Somebody presses one of the buttons."""
    block = feedback_block(message)
    assert block
    system.slack.workspace.press(
        user=user,
        channel=channel,
        message_ts=message["ts"],
        block_id=block["block_id"],
        action_id=FEEDBACK_ACTION,
        value=value,
    )


async def ask(system: System, channel: str = live.GENERAL) -> dict[str, Any]:
    """Ask, and give the finished answer."""
    mention = "" if channel == live.DM else f"{MENTION} "
    system.slack.workspace.say(channel, mention + QUESTION)
    await system.slack.until(lambda: any(map(feedback_block, system.answers(channel))), 30)
    return system.answers(channel)[-1]


async def stored(system: System) -> list[StoredVote]:
    """The votes in the bot's database."""
    async with open_database(system.env["DATABASE_URL"], timeout_seconds=PATIENCE) as database:
        return [one async for one in VoteStore(database).read()]


async def voted(system: System, count: int = 1) -> list[StoredVote]:
    """The votes, once the bot has logged so many."""
    async with asyncio.timeout(START_SECONDS):
        while sum(line.get("message") == "vote" for line in system.bot.log) < count:
            system.bot.more.clear()
            await system.bot.more.wait()
    return await stored(system)


@pytest.mark.parametrize("channel", [live.GENERAL, live.DM])
async def test_vote_is_stored_with_what_is_known_of_the_answer(
    tmp_path: Path, channel: str
) -> None:
    async with running_system(tmp_path) as system:
        answer = await ask(system, channel)
        await system.bot.said("answer")
        edits = len(system.slack.called("chat.update"))
        vote(system, answer, "good", channel=channel)
        [one] = await voted(system)
        assert (one.sign, one.person, one.version) == ("good", live.YOU, version())
        assert one.model
        assert one.latency_seconds is not None
        assert one.output_tokens
        assert len(system.slack.called("chat.update")) == edits
        assert system.slack.called("views.open") == []


async def test_bad_vote_asks_for_a_reason_which_is_stored(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        answer, slack = await ask(system), system.slack
        vote(system, answer, "bad", user=live.ADA)
        await slack.until(lambda: slack.workspace.snapshot(live.ADA)["modal"])
        modal = slack.workspace.snapshot(live.ADA)["modal"]
        assert modal["callback_id"] == REASON_VIEW
        assert slack.workspace.snapshot(live.YOU)["modal"] is None
        assert [one.sign for one in await voted(system)] == ["bad"]

        values = {"reason": "wrong", "words": "It was 1912."}
        slack.workspace.submit(modal["id"], values, user=live.ADA)
        await slack.until(lambda: slack.workspace.snapshot(live.ADA)["modal"] is None)
        [one] = await stored(system)
        assert (one.person, one.reason, one.words) == (live.ADA, "wrong", "It was 1912.")
        assert all(call.ok for call in slack.calls)


async def test_each_person_has_one_vote_and_the_last_counts_over_a_restart(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        answer = await ask(system)
        vote(system, answer, "good")
        await voted(system)
        vote(system, answer, "good", user=live.ADA)
        await voted(system, 2)
        assert await system.bot.end(signal.SIGKILL) != 0
        greeted = len(system.slack.log("event", "hello"))
        system.bot = await start(system.env, system.folder)
        await system.slack.until(lambda: len(system.slack.log("event", "hello")) > greeted, 20)
        vote(system, answer, "bad")
        votes = await voted(system)
        assert {one.person: one.sign for one in votes} == {live.YOU: "bad", live.ADA: "good"}
        await system.bot.end(signal.SIGKILL)


async def test_streamed_answer_ends_with_the_buttons(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables={"DELIVERY": "native"}) as system:
        answer = await ask(system, live.DM)
        assert markdown(answer) == upstream_text(QUESTION)
        vote(system, answer, "good", channel=live.DM)
        assert len(await voted(system)) == 1
        assert system.slack.called("chat.update") == []


async def test_private_and_shared_copy_of_an_answer_are_one_answer(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        slack, workspace = system.slack, system.slack.workspace
        workspace.command(live.GENERAL, "/ask", QUESTION)

        def private() -> list[dict[str, Any]]:
            whispers = workspace.whispers(live.GENERAL, live.YOU)
            return [m for m in map(workspace.as_slack, whispers) if feedback_block(m)]

        await slack.until(private, 30)
        [answer] = private()
        vote(system, answer, "bad")
        await voted(system)
        [row] = [block for block in answer["blocks"] if block["type"] == "actions"]
        workspace.press(
            channel=live.GENERAL,
            message_ts=answer["ts"],
            block_id=row["block_id"],
            action_id="answer_share",
        )
        await slack.until(lambda: any(map(feedback_block, system.answers(live.GENERAL))), 30)
        vote(system, system.answers(live.GENERAL)[0], "good")
        [one] = await voted(system, 2)
        assert (one.sign, one.turn.partition(".")[2]) == ("good", "")


async def test_answers_have_no_buttons_when_they_are_off(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables={"FEEDBACK": "off"}) as system:
        system.slack.workspace.say(live.GENERAL, f"{MENTION} {QUESTION}")
        await system.answered(live.GENERAL)
        assert feedback_block(system.answers(live.GENERAL)[0]) is None


async def test_reason_is_sent_again_after_a_crash_before_it_was_stored(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        answer, workspace = await ask(system), system.slack.workspace
        vote(system, answer, "bad")
        await system.slack.until(lambda: workspace.snapshot()["modal"])
        await voted(system)
        modal = workspace.snapshot()["modal"]
        values = {"reason": "wrong", "words": "It was 1912."}
        system.bot.process.send_signal(signal.SIGSTOP)  # what is sent now arrives and is not read
        workspace.submit(modal["id"], values)
        assert await system.bot.end(signal.SIGKILL) != 0
        await system.slack.until(lambda: complaints(system), 20)
        assert workspace.snapshot()["modal"]["id"] == modal["id"]

        greeted = len(system.slack.log("event", "hello"))
        system.bot = await start(system.env, system.folder)
        await system.slack.until(lambda: len(system.slack.log("event", "hello")) > greeted, 20)
        workspace.submit(modal["id"], values)
        await system.slack.until(lambda: workspace.snapshot()["modal"] is None)
        [one] = await stored(system)
        assert (one.sign, one.reason, one.words) == ("bad", "wrong", "It was 1912.")
        await system.bot.end(signal.SIGKILL)


def complaints(system: System) -> list[dict[str, Any]]:
    """What the modal says against a submission."""
    return [told for told in system.slack.announced("modal") if told.get("errors")]
