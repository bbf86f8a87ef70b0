"""Native streaming: start, append, stop, and what Slack refuses in between."""

from __future__ import annotations

from typing import Any

import pytest

from bot.playground.slack.records import TEAM
from bot.playground.slack.workspace import NotThere
from tests.unit.playground.live import DM, GENERAL, YOU, Clock, LiveSlack


async def _started(slack: LiveSlack, **args: Any) -> dict[str, Any]:
    root = slack.workspace.say(DM, "question")
    body = await slack.api("chat.startStream", channel=DM, thread_ts=root.ts, **args)
    assert body["ok"], body
    return {"channel": DM, "ts": body["ts"]}


async def test_stream_grows_and_ends_as_one_message(slack: LiveSlack) -> None:
    where = await _started(slack, markdown_text="one ")
    await slack.api("chat.appendStream", markdown_text="two ", **where)
    live_now = slack.workspace.snapshot()["messages"][DM][-1]
    button = {"type": "divider"}
    ended = await slack.api("chat.stopStream", markdown_text="three", blocks=[button], **where)
    assert (live_now["text"], live_now["streaming_state"]) == ("one two ", "in_progress")
    message = ended["message"]
    assert (message["text"], message["streaming_state"]) == ("one two three", "completed")
    assert [block["type"] for block in message["blocks"]] == ["markdown", "divider"]
    assert message["blocks"][0]["text"] == "one two three"


async def test_tasks_are_replaced_and_their_details_appended(slack: LiveSlack) -> None:
    task = {"type": "task_update", "id": "t", "title": "Search", "status": "in_progress"}
    where = await _started(slack, chunks=[task | {"details": "a"}])
    done = task | {"status": "complete", "details": "b", "output": "found"}
    text = {"type": "markdown_text", "text": "So."}
    await slack.api("chat.appendStream", chunks=[done, text], **where)
    blocks = slack.workspace.snapshot()["messages"][DM][-1]["blocks"]
    assert [block["type"] for block in blocks] == ["task_card", "markdown"]
    assert (blocks[0]["status"], blocks[0]["details"]) == ("complete", "ab")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"thread_ts": None}, "invalid_thread_ts"),
        ({"recipient_user_id": None}, "missing_recipient_user_id"),
        ({"recipient_team_id": None}, "missing_recipient_team_id"),
        ({"recipient_user_id": "U404"}, "user_not_found"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"chunks": [{"type": "nonsense"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "task_update", "id": "t", "status": "?"}]}, "invalid_chunks"),
        (
            {"markdown_text": "x", "chunks": [{"type": "plan_update", "title": "x"}]},
            "invalid_arguments",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_invalid_start_is_refused(slack: LiveSlack, args: Any, error: str) -> None:
    root = slack.workspace.say(GENERAL, "question")
    given = {"thread_ts": root.ts, "recipient_user_id": YOU, "recipient_team_id": TEAM} | args
    body = await slack.api("chat.startStream", channel=GENERAL, **given)
    assert body["error"] == error


async def test_live_stream_can_be_neither_edited_nor_deleted(slack: LiveSlack) -> None:
    where = await _started(slack, markdown_text="x")
    edited = await slack.api("chat.update", text="y", **where)
    deleted = await slack.api("chat.delete", **where)
    assert edited["error"] == "streaming_state_conflict"
    assert deleted["error"] == "cant_delete_message"
    await slack.api("chat.stopStream", **where)
    assert (await slack.api("chat.update", text="y", **where))["ok"]


async def test_ended_stream_accepts_no_more_text(slack: LiveSlack) -> None:
    where = await _started(slack, markdown_text="x")
    await slack.api("chat.stopStream", **where)
    again = await slack.api("chat.appendStream", markdown_text="y", **where)
    assert again["error"] == "message_not_in_streaming_state"


async def test_stream_expires_after_five_minutes_and_can_then_be_edited(
    slack: LiveSlack, clock: Clock
) -> None:
    where = await _started(slack, markdown_text="x")
    clock.now += 305
    assert (await slack.api("chat.appendStream", markdown_text="y", **where))["ok"]
    clock.now += 2
    late = await slack.api("chat.appendStream", markdown_text="z", **where)
    stop = await slack.api("chat.stopStream", **where)
    assert late["error"] == stop["error"] == "message_not_in_streaming_state"
    assert (await slack.api("chat.update", text="whole", **where))["ok"]


async def test_stream_is_limited_to_ten_thousand_bytes(slack: LiveSlack) -> None:
    where = await _started(slack, markdown_text="é" * 5_000)
    more = await slack.api("chat.appendStream", markdown_text="é" * 301, **where)
    fits = await slack.api("chat.appendStream", markdown_text="é" * 300, **where)
    assert (more["error"], fits["ok"]) == ("msg_too_long", True)


async def test_stream_is_stopped_by_its_reader(slack: LiveSlack) -> None:
    where = await _started(slack, markdown_text="x")
    message = slack.workspace.message(channel=DM, ts=where["ts"])
    assert message
    assert message.thread_ts
    slack.workspace.stop(DM, message.thread_ts)
    append = await slack.api("chat.appendStream", markdown_text="y", **where)
    stop = await slack.api("chat.stopStream", **where)
    assert append["error"] == "stopped_by_user"
    assert stop["error"] == "message_not_in_streaming_state"
    assert (await slack.api("chat.update", text="y", **where))["ok"]
    assert slack.workspace.snapshot()["messages"][DM][-1]["streaming_state"] == "completed"
    await slack.until(lambda: slack.log("event", "agent_session_stopped"))


async def test_status_can_be_stopped_too_in_direct_messages_only(
    slack: LiveSlack,
) -> None:
    for channel in (DM, GENERAL):
        root = slack.workspace.say(channel, "question")
        thread = {"channel_id": channel, "thread_ts": root.ts}
        await slack.api("assistant.threads.setStatus", status="is thinking…", **thread)
        if channel == DM:
            slack.workspace.stop(channel, root.ts)
            assert slack.workspace.snapshot()["statuses"] == []
        with pytest.raises(NotThere):
            slack.workspace.stop(channel, root.ts)


async def test_empty_append_is_refused_as_no_text(slack: LiveSlack) -> None:
    where = await _started(slack)
    assert (await slack.api("chat.appendStream", **where))["error"] == "no_text"
