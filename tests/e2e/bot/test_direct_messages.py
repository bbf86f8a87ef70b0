"""A direct message is one conversation: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.history.new_conversation import EARLIER_USED_REMARK, NEW_CONVERSATION_REPLY
from bot.render.buttons import MENU_ACTION, NEW_CONVERSATION_VALUE
from tests.e2e.bot.running import Whole, markdown, note, whole
from tests.unit.playground import live


async def say(all_of_it: Whole, text: str) -> str:
    """Write in the direct message; gives the answer, of which the line below is kept."""
    before = len(all_of_it.answers(live.DM))
    all_of_it.slack.workspace.say(live.DM, text)
    return await all_of_it.answered(live.DM, before + 1)


def choose_new_conversation(all_of_it: Whole) -> None:
    """Choose it in the menu of the newest answer."""
    answer = all_of_it.answers(live.DM)[-1]
    (row,) = [block for block in answer["blocks"] if block["type"] == "actions"]
    assert [element["type"] for element in row["elements"]] == ["overflow"]
    all_of_it.slack.workspace.press(
        channel=live.DM,
        message_ts=answer["ts"],
        block_id=row["block_id"],
        action_id=MENU_ACTION,
        value=NEW_CONVERSATION_VALUE,
    )


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_a_direct_message_goes_on_until_its_reader_begins_anew(
    tmp_path: Path, api: str
) -> None:
    async with whole(tmp_path, variables={"UPSTREAM_API": api}) as all_of_it:
        await say(all_of_it, "My name is Ada.")
        assert note(all_of_it.answers(live.DM)[-1]) == ""
        assert "Your name is **Ada**" in await say(all_of_it, "What is my name?")
        assert note(all_of_it.answers(live.DM)[-1]) == EARLIER_USED_REMARK

        assert await say(all_of_it, "new conversation") == NEW_CONVERSATION_REPLY
        assert "Your name is" not in await say(all_of_it, "What is my name?")
        assert note(all_of_it.answers(live.DM)[-1]) == ""

        await say(all_of_it, "My name is Bob.")
        choose_new_conversation(all_of_it)
        await all_of_it.slack.until(
            lambda: note(all_of_it.answers(live.DM)[-1]) == NEW_CONVERSATION_REPLY
        )
        all_of_it.slack.workspace.say(live.DM, "What is my name?")
        answered = len(all_of_it.answers(live.DM)) - 1
        assert "Bob" not in await all_of_it.answered(live.DM, answered + 1)


async def test_each_direct_message_stands_alone_where_nothing_is_remembered(
    tmp_path: Path,
) -> None:
    async with whole(tmp_path, variables={"DM_MEMORY_HOURS": "0"}) as all_of_it:
        await say(all_of_it, "My name is Ada.")
        assert "Your name is" not in await say(all_of_it, "What is my name?")
        assert not all_of_it.slack.called("conversations.history")
        assert all("Ada" not in markdown(m) for m in all_of_it.answers(live.DM)[1:])
