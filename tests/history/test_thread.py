from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.history.names import Names
from bot.history.thread import History
from bot.slack import Slack
from bot.values import Message, Place, Question

ROOT = "100.000000"


class Thread(AsyncWebClient):
    """One thread behind slack_sdk's one funnel; remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__("xoxb-test", retry_handlers=[])
        self.messages: list[dict[str, Any]] = []
        self.reads: list[dict[str, Any]] = []
        self.refuse = ""

    async def api_call(self, api_method: str, **request: Any) -> AsyncSlackResponse:
        given = request.get("params") or request.get("json") or {}
        answer: dict[str, Any] = {"ok": False, "error": "user_not_found"}
        if api_method == "conversations.replies":
            self.reads.append(given)
            answer = {"ok": True, "messages": self._between(given)}
        elif given.get("user") == "U1":
            answer = {"ok": True, "user": {"id": "U1", "profile": {"display_name": "Ada"}}}
        if self.refuse and api_method == "conversations.replies":
            answer = {"ok": False, "error": self.refuse}
        response = AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=answer,
            headers={},
            status_code=200,
        )
        if not answer["ok"]:
            raise SlackApiError("refused", response)  # type: ignore[no-untyped-call]  # slack_sdk does not annotate it
        return response

    def _between(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        oldest, latest = given.get("oldest") or "0", given.get("latest") or "9"
        return [m for m in self.messages if m["ts"] == ROOT or oldest < m["ts"] <= latest]

    def add(self, ts: str, user: str, text: str, **more: Any) -> None:
        self.messages.append({"ts": ts, "user": user, "text": text, **more})

    def add_answer(self, ts: str, turn: str, text: str) -> None:
        self.add(
            ts,
            "UBOT",
            text[:5],
            blocks=[{"type": "markdown", "text": text}],
            metadata={"event_type": "llm_answer", "event_payload": {"turn": turn}},
        )


@pytest.fixture
def thread() -> Thread:
    return Thread()


@pytest.fixture
async def slack(thread: Thread) -> AsyncIterator[Slack]:
    async with aiohttp.ClientSession() as session:
        slack = Slack("xoxb-test", base_url="http://127.0.0.1/api/", session=session)
        slack.web = thread
        yield slack


def history(slack: Slack, limit: int = 8000) -> History:
    return History(slack, Names(slack), bot_user="UBOT", limit=limit)


def asked(text: str, ts: str, thread_ts: str = ROOT) -> Question:
    return Question("q" + ts, (), Place("T1", "C1", "channel", thread_ts), "U1", text, ts)


async def test_a_question_that_opens_a_thread_reads_nothing(thread: Thread, slack: Slack) -> None:
    conversation = await history(slack).read(asked("hello", ROOT))
    assert conversation.messages == (Message("user", "hello"),)
    assert thread.reads == []


async def test_a_thread_becomes_turns_with_names_and_our_answers(
    thread: Thread, slack: Slack
) -> None:
    thread.add(ROOT, "U1", "<@UBOT> what is 6 &lt; 7?")
    thread.add_answer("101.000000", "t1", "True, **6 < 7**.")
    thread.add("102.000000", "U2", "thanks <@U1>")
    conversation = await history(slack).read(asked("and 8?", "103.000000"))
    assert conversation.messages == (
        Message("user", "what is 6 < 7?", "Ada"),
        Message("assistant", "True, **6 < 7**."),
        Message("user", "thanks @Ada", "U2"),
        Message("user", "and 8?", "Ada"),
    )
    assert conversation.remark == ""


async def test_our_own_answer_is_remembered_as_we_wrote_it(thread: Thread, slack: Slack) -> None:
    remembering = history(slack)
    first = asked("one", ROOT)
    remembering.remember(first, "the whole text as the model wrote it")
    thread.add(ROOT, "U1", "one")
    thread.add_answer("101.000000", first.id, "part 1")
    thread.add_answer("101.500000", first.id, "part 2")
    conversation = await remembering.read(asked("two", "102.000000"))
    assert conversation.messages[1] == Message("assistant", "the whole text as the model wrote it")
    assert len(conversation.messages) == 3


async def test_what_is_part_of_the_question_or_of_its_answer_was_not_said_before(
    thread: Thread, slack: Slack
) -> None:
    thread.add(ROOT, "U1", "one")
    thread.add_answer("101.000000", "t1", "The first answer")
    thread.add("102.000000", "U1", "two")
    thread.add_answer("102.500000", "q102.000000", "Half of the answer")
    thread.add("103.000000", "U2", "to nobody of us")
    thread.add("104.000000", "U1", "three")
    joined = replace(asked("two\n\nthree", "104.000000"), id="q102.000000", earlier=("102.000000",))
    conversation = await history(slack).read(joined)
    assert conversation.messages == (
        Message("user", "one", "Ada"),
        Message("assistant", "The first answer"),
        Message("user", "to nobody of us", "U2"),
        Message("user", "two\n\nthree", "Ada"),
    )


async def test_parts_of_a_long_answer_are_one_message_again(thread: Thread, slack: Slack) -> None:
    thread.add(ROOT, "U1", "one")
    thread.add_answer("101.000000", "t1", "part 1")
    thread.add_answer("101.500000", "t1", "part 2")
    conversation = await history(slack).read(asked("two", "102.000000"))
    assert conversation.messages[1] == Message("assistant", "part 1\n\npart 2")


async def test_a_placeholder_of_ours_is_no_message(thread: Thread, slack: Slack) -> None:
    thread.add(ROOT, "U1", "one")
    thread.add("101.000000", "UBOT", "Thinking…", blocks=[{"type": "context", "elements": []}])
    conversation = await history(slack).read(asked("two", "102.000000"))
    assert [m.text for m in conversation.messages] == ["one", "two"]


async def test_an_answer_to_a_command_holds_its_question_too(thread: Thread, slack: Slack) -> None:
    head = [{"type": "mrkdwn", "text": "<@U1> asked:"}, {"type": "plain_text", "text": "one?"}]
    said = {"type": "context", "block_id": "asked", "elements": head}
    parts = [[said, {"type": "markdown", "text": "part 1"}], [{"type": "markdown", "text": "2"}]]
    metadata = {"event_type": "llm_answer", "event_payload": {"turn": "t1.dm"}}
    thread.add(ROOT, "UBOT", "part 1", blocks=parts[0], metadata=metadata)
    thread.add("100.500000", "UBOT", "2", blocks=parts[1], metadata=metadata)
    forgetful, remembering = history(slack), history(slack)
    remembering.remember(replace(asked("one?", ROOT), id="t1.dm"), "as the model wrote it")
    for reading, answer in ((forgetful, "part 1\n\n2"), (remembering, "as the model wrote it")):
        conversation = await reading.read(asked("two", "102.000000"))
        assert conversation.messages == (
            Message("user", "one?", "Ada"),
            Message("assistant", answer),
            Message("user", "two", "Ada"),
        )


async def test_a_second_question_reads_only_what_is_new(thread: Thread, slack: Slack) -> None:
    reading = history(slack)
    thread.add(ROOT, "U1", "one")
    thread.add("101.000000", "U1", "two")
    await reading.read(asked("three", "102.000000"))
    thread.add("102.000000", "U1", "three")
    thread.add_answer("103.000000", "t3", "answer three")
    conversation = await reading.read(asked("four", "104.000000"))
    assert [read.get("oldest") for read in thread.reads] == [None, "101.000000"]
    assert [m.text for m in conversation.messages] == [
        "one",
        "two",
        "three",
        "answer three",
        "four",
    ]


async def test_what_does_not_fit_is_left_out_from_the_oldest_and_said(
    thread: Thread, slack: Slack
) -> None:
    for n in range(10):
        thread.add(f"10{n}.000000", "U1", f"message {n} " + "x" * 400)
    conversation = await history(slack, limit=400).read(asked("now?", "110.000000"))
    assert conversation.messages[-1].text == "now?"
    assert conversation.messages[0].text.startswith("message 7")
    assert conversation.remark == (
        "The oldest 7 messages of this thread did not fit and were left out"
    )


@pytest.mark.parametrize("refusal", ["missing_scope", "ratelimited", "thread_not_found"])
async def test_a_thread_that_cannot_be_read_is_said_and_answered_all_the_same(
    thread: Thread, slack: Slack, refusal: str
) -> None:
    thread.refuse = refusal
    conversation = await history(slack).read(asked("hello", "102.000000"))
    assert [m.text for m in conversation.messages] == ["hello"]
    assert conversation.remark == "The earlier messages of this thread could not be read"
