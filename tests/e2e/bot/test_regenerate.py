"""*Regenerate* in the menu of an answer: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.render.buttons import BUTTONS_BLOCK_PREFIX, MENU_ACTION, STOP_ACTION
from bot.words import Phrase
from tests.e2e.bot.running import System, markdown, running_system, status_text, upstream_text
from tests.support.words import english
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"
QUESTION = "write 200 words"
METHODS = ("edit", "native")


def turn_of(message: dict[str, Any]) -> str:
    """The turn that the buttons of an answer name."""
    rows = [block for block in message["blocks"] if block["type"] == "actions"]
    return str(rows[0]["block_id"]).removeprefix(BUTTONS_BLOCK_PREFIX) if rows else ""


def press(
    system: System, channel: str, action: str, value: str = "", user: str = live.YOU
) -> dict[str, Any]:
    """Press below the newest answer; gives the message as it stood."""
    message = system.answers(channel)[-1]
    system.slack.workspace.press(
        user=user,
        channel=channel,
        message_ts=message["ts"],
        block_id=f"{BUTTONS_BLOCK_PREFIX}{turn_of(message)}",
        action_id=action,
        value=value,
    )
    return message


async def written_by(system: System, channel: str, turn: str) -> None:
    """Return when the newest answer names this turn."""
    await system.slack.until(lambda: turn_of(system.answers(channel)[-1]) == turn, 30)


async def ask(system: System, channel: str, text: str = QUESTION) -> dict[str, Any]:
    count = len(system.answers(channel)) + 1
    system.slack.workspace.say(channel, text if channel == live.DM else f"{MENTION} {text}")
    await system.answered(channel, count)
    await system.bot.said("answer")
    return system.answers(channel)[-1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channel", [live.GENERAL, live.DM])
async def test_regenerate_writes_the_answer_again_in_the_same_message(
    tmp_path: Path, channel: str, method: str
) -> None:
    async with running_system(tmp_path, variables={"DELIVERY": method}) as system:
        first = await ask(system, channel)
        assert markdown(first).strip() == upstream_text(QUESTION).strip()
        for number in (2, 3):
            press(system, channel, MENU_ACTION, f"regenerate:{number}")
            await written_by(system, channel, f"{turn_of(first)}-{number}")
            await system.answered(channel)
            [answer] = system.answers(channel)
            assert answer["ts"] == first["ts"]
            assert markdown(answer).strip() == upstream_text(QUESTION).strip()


async def test_stop_shows_the_earlier_version(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        channel = live.GENERAL
        first = await ask(system, channel)
        press(system, channel, MENU_ACTION, "regenerate:2")
        await written_by(system, channel, f"{turn_of(first)}-2")
        press(system, channel, STOP_ACTION)
        stopped = english(Phrase.NEW_VERSION_STOPPED)
        await system.slack.until(lambda: status_text(system.answers(channel)[-1]) == stopped)
        [answer] = system.answers(channel)
        assert markdown(answer).strip() == upstream_text(QUESTION).strip()


async def test_others_are_told_that_only_the_asker_may_regenerate(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        first = await ask(system, live.GENERAL)
        press(system, live.GENERAL, MENU_ACTION, "regenerate:2", live.ADA)
        refused = english(Phrase.NOT_YOURS_TO_REGENERATE)
        await system.slack.until(
            lambda: any(
                one.text == refused
                for one in system.slack.workspace.whispers(live.GENERAL, live.ADA)
            )
        )
        assert system.answers(live.GENERAL) == [first]


async def test_model_is_told_the_version_that_is_shown(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        first = await ask(system, live.DM, "My name is Ada.")
        press(system, live.DM, MENU_ACTION, "regenerate:2")
        await written_by(system, live.DM, f"{turn_of(first)}-2")
        await system.answered(live.DM)
        assert "Ada" in markdown(await ask(system, live.DM, "What is my name?"))


@pytest.mark.parametrize("channel", [live.GENERAL, live.DM])
async def test_earlier_version_is_shown_in_the_same_message(tmp_path: Path, channel: str) -> None:
    async with running_system(tmp_path) as system:
        first = await ask(system, channel, "hello")
        turn = turn_of(first)
        for number, option in enumerate(("regenerate", "earlier", "later"), 2):
            press(system, channel, MENU_ACTION, f"{option}:{number}")
            await written_by(system, channel, f"{turn}-{number}")
            await system.answered(channel)
            [answer] = system.answers(channel)
            assert (answer["ts"], markdown(answer)) == (first["ts"], markdown(first))
