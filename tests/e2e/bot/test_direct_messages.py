"""A direct message is one conversation: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.render.buttons import MENU_ACTION, NEW_CONVERSATION_VALUE
from bot.words import Phrase
from tests.e2e.bot.running import System, markdown, running_system, status_text
from tests.support.words import english
from tests.unit.playground import live


async def say(system: System, text: str) -> str:
    """Write in the direct message; gives the answer, of which the line below is kept."""
    before = len(system.answers(live.DM))
    system.slack.workspace.say(live.DM, text)
    return await system.answered(live.DM, before + 1)


def choose_new_conversation(system: System) -> None:
    """Choose it in the menu of the newest answer."""
    answer = system.answers(live.DM)[-1]
    (row,) = [block for block in answer["blocks"] if block["type"] == "actions"]
    assert [element["type"] for element in row["elements"]] == ["overflow"]
    system.slack.workspace.press(
        channel=live.DM,
        message_ts=answer["ts"],
        block_id=row["block_id"],
        action_id=MENU_ACTION,
        value=NEW_CONVERSATION_VALUE,
    )


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_direct_message_conversation_continues_until_a_new_one_is_started(
    tmp_path: Path, api: str
) -> None:
    async with running_system(tmp_path, variables={"UPSTREAM_API": api}) as system:
        await say(system, "My name is Ada.")
        assert status_text(system.answers(live.DM)[-1]) == ""
        assert "Your name is **Ada**" in await say(system, "What is my name?")
        assert status_text(system.answers(live.DM)[-1]) == english(Phrase.EARLIER_USED)

        assert await say(system, "new conversation") == english(Phrase.NEW_CONVERSATION_STARTED)
        assert "Your name is" not in await say(system, "What is my name?")
        assert status_text(system.answers(live.DM)[-1]) == ""

        await say(system, "My name is Bob.")
        choose_new_conversation(system)
        await system.slack.until(
            lambda: (
                status_text(system.answers(live.DM)[-1]) == english(Phrase.NEW_CONVERSATION_STARTED)
            )
        )
        system.slack.workspace.say(live.DM, "What is my name?")
        answered = len(system.answers(live.DM)) - 1
        assert "Bob" not in await system.answered(live.DM, answered + 1)


async def test_direct_messages_are_separate_conversations_without_memory(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path, variables={"DM_MEMORY_HOURS": "0"}) as system:
        await say(system, "My name is Ada.")
        assert "Your name is" not in await say(system, "What is my name?")
        assert not system.slack.called("conversations.history")
        assert all("Ada" not in markdown(m) for m in system.answers(live.DM)[1:])
