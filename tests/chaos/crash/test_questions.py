"""The harness itself: what is lost, doubled, cut or left spinning is found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.words import Phrase
from tests.chaos.crash.questions import AskedQuestion, ask, complaints
from tests.chaos.crash.slack_observer import SlackObserver
from tests.e2e.bot.running import upstream_text
from tests.support.words import english
from tests.unit.playground import live

QUESTION = "write 120 words"
ANSWER = upstream_text(QUESTION)
HALF = len(ANSWER) // 2
STOP = {
    "type": "actions",
    "block_id": "answer:t",
    "elements": [
        {
            "type": "button",
            "action_id": "answer_stop",
            "text": {"type": "plain_text", "text": "Stop"},
        }
    ],
}


def state(line: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "plain_text", "text": line}]}


class Shown:
    """A question, and messages of the bot under it."""

    def __init__(self, slack: live.LiveSlack) -> None:
        self.slack = slack
        self.witness = SlackObserver(slack.board)
        self.asked: AskedQuestion = ask(slack, "mention", QUESTION)

    async def post(self, text: str, *blocks: Any, part: int = 0, turn: str = "t") -> str:
        payload = {"turn": turn} | ({"part": part} if part else {})
        said = await self.slack.api(
            "chat.postMessage",
            channel=self.asked.channel,
            thread_ts=self.asked.ts,
            text=text or "…",
            blocks=[*([{"type": "markdown", "text": text}] if text else []), *blocks],
            metadata={"event_type": "llm_answer", "event_payload": payload},
        )
        return str(said["ts"])

    def kinds(self) -> set[str]:
        posted = self.witness.posted(self.asked.channel, self.asked.ts)
        return {said.partition(":")[0] for said in complaints(self.slack, self.asked, posted)}


@pytest_asyncio.fixture
async def shown() -> AsyncIterator[Shown]:
    async with live.slack() as slack:
        yield Shown(slack)


async def test_complete_answer_has_no_complaints(shown: Shown) -> None:
    await shown.post(ANSWER)
    assert shown.kinds() == set()


async def test_answer_in_two_messages_has_no_complaints(shown: Shown) -> None:
    await shown.post(ANSWER[:HALF])
    await shown.post(ANSWER[HALF:], part=1)
    assert shown.kinds() == set()


async def test_complete_answer_may_say_that_the_conversation_was_not_read(shown: Shown) -> None:
    await shown.post(ANSWER, state(english(Phrase.DM_UNREAD)))
    assert shown.kinds() == set()


async def test_missing_answer_is_reported_as_lost(shown: Shown) -> None:
    assert shown.kinds() == {"lost"}


async def test_remaining_placeholder_is_reported_as_spinning(shown: Shown) -> None:
    await shown.post("", state("Thinking…"), STOP)
    assert shown.kinds() == {"spinning", "cut"}


async def test_remaining_stop_button_is_reported_as_spinning(shown: Shown) -> None:
    await shown.post(ANSWER, STOP)
    assert shown.kinds() == {"spinning"}


async def test_partial_answer_is_reported_as_cut_and_unfinished(shown: Shown) -> None:
    await shown.post(ANSWER[:HALF], state("The answer broke off."))
    assert shown.kinds() == {"cut", "unfinished"}


async def test_second_answer_is_reported_as_doubled(shown: Shown) -> None:
    await shown.post(ANSWER)
    await shown.post(ANSWER)
    assert shown.kinds() == {"doubled"}


@pytest.mark.parametrize(("first", "found"), [(ANSWER[:HALF], {"moved"}), ("", set())])
async def test_answer_outside_the_message_of_its_first_text_is_reported_as_moved(
    shown: Shown, first: str, found: set[str]
) -> None:
    begun = await shown.post(first, state("Thinking…"))
    await shown.post(ANSWER)
    await shown.slack.api("chat.delete", channel=shown.asked.channel, ts=begun)
    assert shown.kinds() == found


@pytest.mark.parametrize(
    ("note", "found"), [("", {"doubled"}), (english(Phrase.POSSIBLE_DUPLICATE), set())]
)
async def test_second_ephemeral_answer_must_say_that_it_may_be_a_duplicate(
    note: str, found: set[str]
) -> None:
    async with live.slack() as slack:
        url = slack.workspace.response_urls.give(live.RANDOM, live.YOU)
        for line in ("", note):
            blocks = [{"type": "markdown", "text": ANSWER}, *([state(line)] if line else [])]
            async with slack.session.post(url, json={"text": "…", "blocks": blocks}) as response:
                assert response.status == 200
        asked = AskedQuestion("command", live.RANDOM, QUESTION)
        assert {said.partition(":")[0] for said in complaints(slack, asked, [])} == found
