"""Presses of an answer's buttons: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.playground.board import Board
from bot.words import Phrase
from tests.e2e.bot.running import (
    START_SECONDS,
    System,
    is_finished,
    markdown,
    running_system,
    start,
    status_text,
    upstream_text,
)
from tests.support.words import english
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"


def row(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row of buttons of a message."""
    rows = [block for block in message.get("blocks") or [] if block["type"] == "actions"]
    return rows[0] if rows else None


def button(message: Mapping[str, Any]) -> str:
    """What its button says; "" without one, or if there is only the menu."""
    found = row(message)
    labels = [element.get("text") for element in found["elements"]] if found else []
    return str(labels[0]["text"]) if labels and labels[0] else ""


def press(system: System, message: Mapping[str, Any], user: str = live.YOU) -> None:
    """Somebody presses the message's button."""
    found = row(message)
    assert found
    system.slack.workspace.press(
        user=user,
        channel=live.GENERAL,
        message_ts=message["ts"],
        block_id=found["block_id"],
        action_id=found["elements"][0]["action_id"],
    )


async def logged(board: Board, wanted: set[str]) -> None:
    """Return once the model's server has noted all of these; it has a second for that."""
    noted = asyncio.Event()
    unlisten = board.listen(lambda *_: noted.set())
    try:
        async with asyncio.timeout(1):
            while not wanted <= {entry.what for entry in board.log}:
                noted.clear()
                await noted.wait()
    finally:
        unlisten()


async def test_answer_is_stopped_by_its_asker_and_nobody_else(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables={"UPSTREAM_BACKGROUND": "on"}) as system:
        slack = system.slack
        system.model.set_faults(stall_at=0.5)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 100")
        await slack.until(lambda: [m for m in system.answers(live.GENERAL) if markdown(m)])
        [answer] = system.answers(live.GENERAL)
        assert button(answer) == "Stop"

        press(system, answer, user=live.ADA)
        await slack.until(lambda: slack.called("chat.postEphemeral"))
        [told] = slack.called("chat.postEphemeral")
        assert told.ok
        assert told.args["user"] == live.ADA
        assert "Only the asker" in told.args["text"]
        assert button(system.answers(live.GENERAL)[0]) == "Stop"

        press(system, answer)
        await slack.until(lambda: not button(system.answers(live.GENERAL)[0]), 2)
        [stopped] = system.answers(live.GENERAL)
        assert status_text(stopped) == f"Stopped by <@{live.YOU}>"
        assert markdown(stopped).startswith("1 2 3")
        assert "100" not in markdown(stopped)
        assert (await system.bot.said("answer"))["outcome"] == "stopped"
        await logged(system.model, {"gone", "cancel"})


async def test_failed_answer_is_retried_below_and_stays_as_it_is(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        system.model.set_faults(model_status=401)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 12")
        await slack.until(
            lambda: [m for m in system.answers(live.GENERAL) if button(m) == "Try again"]
        )
        [failed] = system.answers(live.GENERAL)

        press(system, failed)
        press(system, failed)
        await slack.until(lambda: [m for m in system.answers(live.GENERAL) if is_finished(m)])
        await slack.until(lambda: not button(system.answers(live.GENERAL)[0]))
        before, after = system.answers(live.GENERAL)
        assert status_text(before) == status_text(failed)
        assert "11 12" in markdown(after)
        assert after["thread_ts"] == failed["thread_ts"]
        assert button(after) == ""
        assert all(call.ok for call in slack.calls)


async def failed_answer(system: System, question: str) -> tuple[str, dict[str, Any]]:
    """Ask what can't be answered now; gives the ts of the question, and the answer."""
    system.model.set_faults(model_status=401)
    asked = system.slack.workspace.say(live.GENERAL, f"{MENTION} {question}")
    await system.slack.until(
        lambda: [m for m in system.answers(live.GENERAL) if button(m) == "Try again"]
    )
    system.model.set_faults(model_status=None)
    [failed] = system.answers(live.GENERAL)
    return asked.ts, failed


async def test_question_edited_since_its_answer_failed_is_tried_again_as_it_reads_now(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        asked, failed = await failed_answer(system, "count to 12")
        system.slack.workspace.edit(live.GENERAL, asked, f"{MENTION} count to 13")
        press(system, failed)
        assert await system.answered(live.GENERAL) == upstream_text("count to 13")


async def test_question_deleted_since_its_answer_failed_is_not_tried_again(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        asked, failed = await failed_answer(system, "count to 12")
        slack.workspace.delete(live.GENERAL, asked)
        press(system, failed)
        await slack.until(lambda: slack.called("chat.postEphemeral"))
        [told] = slack.called("chat.postEphemeral")
        assert (told.args["user"], told.args["text"]) == (
            live.YOU,
            english(Phrase.QUESTION_DELETED),
        )
        assert len(slack.called("chat.postMessage")) == 1


async def test_answer_interrupted_by_a_restart_continues_in_its_message(tmp_path: Path) -> None:
    variables = {"GRACE_SECONDS": "0", "UPSTREAM_BACKGROUND": "on"}
    async with running_system(tmp_path, variables=variables) as system:
        slack = system.slack
        system.model.set_faults(stall_at=0.5)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 100")
        await slack.until(lambda: [m for m in system.answers(live.GENERAL) if markdown(m)])
        assert await system.bot.end() == 0
        [left] = system.answers(live.GENERAL)
        assert button(left) == "Stop"
        system.model.set_faults(stall_at=None)
        bot = await start(system.env, tmp_path)
        try:
            assert (await bot.said("answer"))["outcome"] == "done"
        finally:
            await bot.end()
        [answer] = system.answers(live.GENERAL)
        assert answer["ts"] == left["ts"]
        assert markdown(answer).split() == upstream_text("count to 100").split()
        assert button(answer) == ""
        assert not [entry for entry in system.model.log if entry.what == "cancel"]


async def test_failed_question_is_found_in_slack_with_another_database(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        slack = system.slack
        system.model.set_faults(model_status=401)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 100")
        await slack.until(
            lambda: [m for m in system.answers(live.GENERAL) if button(m) == "Try again"]
        )
        assert await system.bot.end() == 0
        [failed] = system.answers(live.GENERAL)
        system.model.set_faults(model_status=None)
        another = {"DATABASE_URL": f"sqlite:///{tmp_path}/another.db"}
        bot = await start(system.env | another, tmp_path)
        try:
            await bot.said("ready")
            await slack.until(lambda: len(slack.log("event", "hello")) >= 3, START_SECONDS)
            press(system, failed)
            await slack.until(lambda: len(system.answers(live.GENERAL)) == 2)
            assert (await bot.said("answer"))["outcome"] == "done"
        finally:
            await bot.end()
        before, after = system.answers(live.GENERAL)
        assert "99 100" in markdown(after)
        assert (button(before), button(after)) == ("", "")
