"""Presses on what only the asker sees: the acknowledgement of a command, and its private answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.delivery import Reply
from bot.render.buttons import (
    CONTINUE_ACTION,
    MENU_ACTION,
    RETRY_ACTION,
    SHARE_ACTION,
    SHOW_ACTION,
    STOP_ACTION,
)
from bot.storage.records import TurnRecord
from bot.turn.supervisor import Verdict
from bot.values import Draft, Phase, Place, Question
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.listener_setup import DM, ListenerSetup, open_listeners, press_payload

QUESTION = Question("turn1", (), Place("T1", "C1", "command"), "U1", "Why?")
DONE = Draft(Phase.DONE, "It is **so**.")
GONE = {"delete_original": True}


@pytest.fixture
async def setup() -> AsyncIterator[ListenerSetup]:
    async with open_listeners() as found:
        yield found


def stored(draft: Draft, question: Question = QUESTION, owner: str | None = None) -> dict[str, Any]:
    """What the database knows of an answer."""
    return {question.id: TurnRecord(question, draft, owner, 1)}


async def under_way(setup: ListenerSetup, text: str = "") -> Reply:
    """An answer that this process writes."""
    reply: Reply = setup.delivery.create_reply(
        replace(QUESTION, response_url=f"{setup.url}/respond/command")
    )
    await reply.open(Draft(Phase.ASKING))
    reply.show(Draft(Phase.STREAMING, text))
    return reply


def labels(message: dict[str, Any]) -> list[str]:
    rows = [block for block in message["blocks"] if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]


def said(message: dict[str, Any]) -> str:
    """All texts of a message but those of its buttons."""
    texts = []
    for block in message["blocks"]:
        if block["type"] != "actions":
            texts += [block.get("text", ""), *(e["text"] for e in block.get("elements", ()))]
    return " ".join(map(str, texts))


async def test_show_gives_the_response_url_to_the_running_answer(setup: ListenerSetup) -> None:
    reply = await under_way(setup, "It is " * 40)
    assert await setup.deliver_press(setup.ephemeral_press(SHOW_ACTION)) == 200
    await reply.finish(DONE)
    written, end = setup.calls_of("note")
    assert written["replace_original"] is end["replace_original"] is True
    assert "It is" in said(written)
    assert labels(written) == [STOP_ACTION]
    assert DONE.text in said(end)
    assert labels(end) == [SHARE_ACTION, CONTINUE_ACTION]
    assert setup.calls_of("command") == []


async def test_show_deletes_the_note_of_an_answer_that_has_ended(setup: ListenerSetup) -> None:
    reply = await under_way(setup)
    await reply.finish(DONE)
    for action in (SHOW_ACTION, STOP_ACTION):
        setup.slack_calls.clear()
        setup.verdict = Verdict.ALREADY_DONE
        assert await setup.deliver_press(setup.ephemeral_press(action)) == 200
        assert setup.calls_of("note") == [GONE]


@pytest.mark.parametrize(("action", "kind"), [(SHOW_ACTION, "show"), (STOP_ACTION, "end")])
async def test_show_gives_the_response_url_to_the_process_that_owns_the_turn(
    setup: ListenerSetup, action: str, kind: str
) -> None:
    setup.stored = stored(Draft(Phase.STREAMING, "It is"), owner="other")
    assert await setup.deliver_press(setup.ephemeral_press(action)) == 200
    [wish] = setup.commands
    assert (wish.turn, wish.user, wish.kind) == ("turn1", "U1", kind)
    assert wish.response_url == f"{setup.url}/respond/note"
    assert setup.slack_calls == []


async def test_show_keeps_the_note_while_the_database_is_unavailable(setup: ListenerSetup) -> None:
    setup.stored = None
    assert await setup.deliver_press(setup.ephemeral_press(SHOW_ACTION)) == 200
    [message] = setup.calls_of("note")
    assert message["replace_original"] is False
    assert said(message).strip() == english(Phrase.PRESS_AGAIN_LATER)


async def test_stop_gives_the_response_url_before_it_stops_the_answer(
    setup: ListenerSetup,
) -> None:
    reply = await under_way(setup, "It is")
    assert await setup.deliver_press(setup.ephemeral_press(STOP_ACTION)) == 200
    assert setup.turn_calls == [("stop", "turn1", "U1")]
    assert setup.slack_calls == []
    await reply.finish(Draft(Phase.STOPPED, "It is", "Stopped by <@U1>"))
    [end] = setup.calls_of("note")
    assert "Stopped by <@U1>" in said(end)


async def test_stop_of_an_answer_that_is_not_running_deletes_the_note(setup: ListenerSetup) -> None:
    assert await setup.deliver_press(setup.ephemeral_press(STOP_ACTION)) == 200
    assert setup.turn_calls == [("stop", "turn1", "U1")]
    assert setup.calls_of("note") == [GONE]


async def test_stop_by_another_user_is_explained_below_the_note(setup: ListenerSetup) -> None:
    setup.verdict = Verdict.NOT_ASKER
    assert await setup.deliver_press(setup.ephemeral_press(STOP_ACTION)) == 200
    [message] = setup.calls_of("note")
    assert message["replace_original"] is False
    assert said(message).strip() == english(Phrase.NOT_YOURS_TO_STOP)


@pytest.mark.parametrize(
    ("action", "beside", "channel", "line"),
    [
        (SHARE_ACTION, CONTINUE_ACTION, "C1", english(Phrase.SHARED)),
        (CONTINUE_ACTION, SHARE_ACTION, DM, english(Phrase.CONTINUED_IN_DM)),
    ],
)
async def test_repost_posts_the_answer_once_and_removes_the_button(
    setup: ListenerSetup, action: str, beside: str, channel: str, line: str
) -> None:
    setup.stored = stored(DONE)
    for _ in range(2):
        assert await setup.deliver_press(setup.ephemeral_press(action, value=beside)) == 200
    [post] = setup.calls_of("chat.postMessage")
    assert post["channel"] == channel
    assert "thread_ts" not in post
    assert "<@U1> asked: Why?" in said(post)
    assert DONE.text in said(post)
    assert labels(post) == ([MENU_ACTION] if channel == DM else [])
    notes = setup.calls_of("note")
    assert len(notes) == 2
    assert all(note["replace_original"] for note in notes)
    assert all(line in said(note) and labels(note) == [beside] for note in notes)


async def test_repost_pressed_twice_at_once_shows_one_result(
    setup: ListenerSetup,
) -> None:
    setup.stored = stored(DONE)
    setup.errors["chat.postMessage"] = "not_in_channel"
    await asyncio.gather(
        *(setup.deliver_press(setup.ephemeral_press(SHARE_ACTION)) for _ in range(2))
    )
    assert len(setup.calls_of("chat.postMessage")) == 1
    [message] = setup.calls_of("note")
    assert said(message).strip() == english(Phrase.SHARING_REFUSED)


async def test_repost_with_the_last_button_leaves_no_buttons(setup: ListenerSetup) -> None:
    setup.stored = stored(DONE)
    assert await setup.deliver_press(setup.ephemeral_press(SHARE_ACTION)) == 200
    [note] = setup.calls_of("note")
    assert labels(note) == []


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (SHARE_ACTION, english(Phrase.SHARING_REFUSED)),
        (CONTINUE_ACTION, english(Phrase.DM_REFUSED)),
    ],
)
async def test_repost_refused_by_slack_is_explained_and_can_be_pressed_again(
    setup: ListenerSetup, action: str, why: str
) -> None:
    setup.stored = stored(DONE)
    setup.errors["chat.postMessage"] = "not_in_channel"
    assert await setup.deliver_press(setup.ephemeral_press(action)) == 200
    [message] = setup.calls_of("note")
    assert message["replace_original"] is False
    assert said(message).strip() == why
    setup.errors.clear()
    assert await setup.deliver_press(setup.ephemeral_press(action)) == 200
    assert len(setup.calls_of("chat.postMessage")) == 2
    assert setup.calls_of("note")[-1]["replace_original"] is True


async def test_repost_says_to_press_again_if_slack_opens_no_direct_message(
    setup: ListenerSetup,
) -> None:
    setup.stored = stored(DONE)
    setup.errors["conversations.open"] = "fatal_error"
    assert await setup.deliver_press(setup.ephemeral_press(CONTINUE_ACTION)) == 200
    assert said(setup.calls_of("note")[0]).strip() == english(Phrase.PRESS_AGAIN_LATER)
    assert setup.calls_of("chat.postMessage") == []


@pytest.mark.parametrize(
    "found",
    [
        {},
        stored(Draft(Phase.DONE)),
        stored(DONE, replace(QUESTION, user="U2")),
    ],
    ids=["unknown", "its text is gone", "somebody else's"],
)
async def test_repost_of_an_unknown_answer_is_explained(
    setup: ListenerSetup, found: dict[str, TurnRecord]
) -> None:
    setup.stored = found
    assert await setup.deliver_press(setup.ephemeral_press(SHARE_ACTION)) == 200
    [message] = setup.calls_of("note")
    assert said(message).strip() == english(Phrase.ANSWER_UNKNOWN)
    assert setup.calls_of("chat.postMessage") == []


async def test_repost_without_a_database_says_to_press_again(setup: ListenerSetup) -> None:
    setup.stored = None
    assert await setup.deliver_press(setup.ephemeral_press(SHARE_ACTION)) == 200
    assert said(setup.calls_of("note")[0]).strip() == english(Phrase.PRESS_AGAIN_LATER)


async def test_repost_of_an_answer_that_ended_here_needs_no_database(setup: ListenerSetup) -> None:
    await (await under_way(setup)).finish(DONE)
    setup.stored = None
    assert await setup.deliver_press(setup.ephemeral_press(SHARE_ACTION)) == 200
    assert len(setup.calls_of("chat.postMessage")) == 1


async def test_retry_turns_a_failed_ephemeral_answer_into_the_next_note(
    setup: ListenerSetup,
) -> None:
    setup.stored = stored(Draft(Phase.FAILED, "It", "It broke off."))
    assert await setup.deliver_press(setup.ephemeral_press(RETRY_ACTION)) == 200
    assert setup.turn_calls == [("retry", "turn1", "U1")]
    assert setup.response_urls == [f"{setup.url}/respond/note"]
    [note] = setup.calls_of("note")
    assert note["replace_original"] is True
    assert english(Phrase.ASKED_AGAIN) in said(note)
    assert "It broke off." in said(note)
    assert labels(note) == [SHOW_ACTION, STOP_ACTION]
    assert note["blocks"][-1]["block_id"] == "answer:turn1-2"


@pytest.mark.parametrize("found", [None, {}], ids=["away", "unknown"])
async def test_retry_works_if_the_failed_answer_is_unknown(
    setup: ListenerSetup, found: dict[str, TurnRecord] | None
) -> None:
    setup.stored = found
    assert await setup.deliver_press(setup.ephemeral_press(RETRY_ACTION)) == 200
    [note] = setup.calls_of("note")
    assert said(note).strip() == english(Phrase.ASKED_AGAIN)
    assert labels(note) == [SHOW_ACTION, STOP_ACTION]


@pytest.mark.parametrize("action", [STOP_ACTION, RETRY_ACTION])
async def test_ephemeral_press_without_a_database_says_to_press_again(
    setup: ListenerSetup, action: str
) -> None:
    setup.verdict = Verdict.STORAGE_UNAVAILABLE
    assert await setup.deliver_press(setup.ephemeral_press(action)) == 200
    [message] = setup.calls_of("note")
    assert message["replace_original"] is False
    assert said(message).strip() == english(Phrase.PRESS_AGAIN_LATER)
    assert await setup.deliver_press(press_payload(action)) == 200
    [told] = setup.calls_of("chat.postEphemeral")
    assert told["text"] == english(Phrase.PRESS_AGAIN_LATER)
