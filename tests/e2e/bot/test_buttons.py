"""Presses of an answer's buttons: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.listeners.buttons import QUESTION_DELETED
from bot.playground.board import Board
from tests.e2e.bot.running import (
    START_SECONDS,
    Whole,
    is_finished,
    markdown,
    note,
    start,
    upstream_text,
    whole,
)
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"


def row(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row of buttons of a message."""
    rows = [block for block in message.get("blocks") or [] if block["type"] == "actions"]
    return rows[0] if rows else None


def button(message: Mapping[str, Any]) -> str:
    """What its button says; "" without one."""
    found = row(message)
    return str(found["elements"][0]["text"]["text"]) if found else ""


def press(all_of_it: Whole, message: Mapping[str, Any], user: str = live.YOU) -> None:
    """Somebody presses the message's button."""
    found = row(message)
    assert found
    all_of_it.slack.workspace.press(
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


async def test_its_asker_stops_an_answer_and_nobody_else_can(tmp_path: Path) -> None:
    async with whole(tmp_path, variables={"UPSTREAM_BACKGROUND": "on"}) as all_of_it:
        slack = all_of_it.slack
        all_of_it.model.set_faults(stall_at=0.5)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 100")
        await slack.until(lambda: [m for m in all_of_it.answers(live.GENERAL) if markdown(m)])
        [answer] = all_of_it.answers(live.GENERAL)
        assert button(answer) == "Stop"

        press(all_of_it, answer, user=live.ADA)
        await slack.until(lambda: slack.called("chat.postEphemeral"))
        [told] = slack.called("chat.postEphemeral")
        assert told.ok
        assert told.args["user"] == live.ADA
        assert "Only the asker" in told.args["text"]
        assert button(all_of_it.answers(live.GENERAL)[0]) == "Stop"

        press(all_of_it, answer)
        await slack.until(lambda: not button(all_of_it.answers(live.GENERAL)[0]), 2)
        [stopped] = all_of_it.answers(live.GENERAL)
        assert note(stopped) == f"Stopped by <@{live.YOU}>"
        assert markdown(stopped).startswith("1 2 3")
        assert "100" not in markdown(stopped)
        assert (await all_of_it.bot.said("answer"))["outcome"] == "stopped"
        await logged(all_of_it.model, {"gone", "cancel"})


async def test_a_failed_answer_is_tried_again_below_and_keeps_what_it_says(
    tmp_path: Path,
) -> None:
    async with whole(tmp_path) as all_of_it:
        slack = all_of_it.slack
        all_of_it.model.set_faults(model_status=401)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 12")
        await slack.until(
            lambda: [m for m in all_of_it.answers(live.GENERAL) if button(m) == "Try again"]
        )
        [failed] = all_of_it.answers(live.GENERAL)

        press(all_of_it, failed)
        press(all_of_it, failed)
        await slack.until(lambda: [m for m in all_of_it.answers(live.GENERAL) if is_finished(m)])
        await slack.until(lambda: not button(all_of_it.answers(live.GENERAL)[0]))
        before, after = all_of_it.answers(live.GENERAL)
        assert note(before) == note(failed)
        assert "11 12" in markdown(after)
        assert after["thread_ts"] == failed["thread_ts"]
        assert button(after) == ""
        assert all(call.ok for call in slack.calls)


async def failed_answer(all_of_it: Whole, question: str) -> tuple[str, dict[str, Any]]:
    """Ask what can't be answered now; gives the ts of the question, and the answer."""
    all_of_it.model.set_faults(model_status=401)
    asked = all_of_it.slack.workspace.say(live.GENERAL, f"{MENTION} {question}")
    await all_of_it.slack.until(
        lambda: [m for m in all_of_it.answers(live.GENERAL) if button(m) == "Try again"]
    )
    all_of_it.model.set_faults(model_status=None)
    [failed] = all_of_it.answers(live.GENERAL)
    return asked.ts, failed


async def test_question_edited_since_its_answer_failed_is_tried_again_as_it_reads_now(
    tmp_path: Path,
) -> None:
    async with whole(tmp_path) as all_of_it:
        asked, failed = await failed_answer(all_of_it, "count to 12")
        all_of_it.slack.workspace.edit(live.GENERAL, asked, f"{MENTION} count to 13")
        press(all_of_it, failed)
        assert await all_of_it.answered(live.GENERAL) == upstream_text("count to 13")


async def test_question_deleted_since_its_answer_failed_is_not_tried_again(
    tmp_path: Path,
) -> None:
    async with whole(tmp_path) as all_of_it:
        slack = all_of_it.slack
        asked, failed = await failed_answer(all_of_it, "count to 12")
        slack.workspace.delete(live.GENERAL, asked)
        press(all_of_it, failed)
        await slack.until(lambda: slack.called("chat.postEphemeral"))
        [told] = slack.called("chat.postEphemeral")
        assert (told.args["user"], told.args["text"]) == (live.YOU, QUESTION_DELETED)
        assert len(slack.called("chat.postMessage")) == 1


async def test_an_answer_that_a_restart_broke_off_goes_on_in_its_message(tmp_path: Path) -> None:
    variables = {"GRACE_SECONDS": "0", "UPSTREAM_BACKGROUND": "on"}
    async with whole(tmp_path, variables=variables) as all_of_it:
        slack = all_of_it.slack
        all_of_it.model.set_faults(stall_at=0.5)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 100")
        await slack.until(lambda: [m for m in all_of_it.answers(live.GENERAL) if markdown(m)])
        assert await all_of_it.bot.end() == 0
        [left] = all_of_it.answers(live.GENERAL)
        assert button(left) == "Stop"
        all_of_it.model.set_faults(stall_at=None)
        bot = await start(all_of_it.env, tmp_path)
        try:
            assert (await bot.said("answer"))["outcome"] == "done"
        finally:
            await bot.end()
        [answer] = all_of_it.answers(live.GENERAL)
        assert answer["ts"] == left["ts"]
        assert markdown(answer).split() == upstream_text("count to 100").split()
        assert button(answer) == ""
        assert not [entry for entry in all_of_it.model.log if entry.what == "cancel"]


async def test_with_another_database_a_failed_question_is_found_in_slack(
    tmp_path: Path,
) -> None:
    async with whole(tmp_path) as all_of_it:
        slack = all_of_it.slack
        all_of_it.model.set_faults(model_status=401)
        slack.workspace.say(live.GENERAL, f"{MENTION} count to 100")
        await slack.until(
            lambda: [m for m in all_of_it.answers(live.GENERAL) if button(m) == "Try again"]
        )
        assert await all_of_it.bot.end() == 0
        [failed] = all_of_it.answers(live.GENERAL)
        all_of_it.model.set_faults(model_status=None)
        another = {"DATABASE_URL": f"sqlite:///{tmp_path}/another.db"}
        bot = await start(all_of_it.env | another, tmp_path)
        try:
            await bot.said("ready")
            await slack.until(lambda: len(slack.log("event", "hello")) >= 3, START_SECONDS)
            press(all_of_it, failed)
            await slack.until(lambda: len(all_of_it.answers(live.GENERAL)) == 2)
            assert (await bot.said("answer"))["outcome"] == "done"
        finally:
            await bot.end()
        before, after = all_of_it.answers(live.GENERAL)
        assert "99 100" in markdown(after)
        assert (button(before), button(after)) == ("", "")
