"""The methods of native streams, and of the status above them."""

from __future__ import annotations

import pytest

from bot.errors import SlackRefused
from bot.slack.metadata_signer import MetadataSigner
from tests.unit.slack.serving import json_responses, serving


async def test_start_stream_sends_the_recipient_and_the_first_text() -> None:
    async with serving(json_responses({"ok": True, "ts": "5.0"})) as server:
        ts = await server.slack.start_stream(
            "C1", "1.0", markdown="Hi", recipient_user="U1", recipient_team="T2"
        )
    assert ts == "5.0"
    assert server.requests == [
        (
            "chat.startStream",
            {
                "channel": "C1",
                "thread_ts": "1.0",
                "markdown_text": "Hi",
                "recipient_user_id": "U1",
                "recipient_team_id": "T2",
            },
        )
    ]


async def test_start_stream_without_text_or_recipient_sends_neither() -> None:
    async with serving(json_responses({"ok": True, "ts": "5.0"})) as server:
        await server.slack.start_stream("D1", "1.0")
    assert server.requests == [("chat.startStream", {"channel": "D1", "thread_ts": "1.0"})]


async def test_stream_is_appended_to_and_stopped_with_blocks_below_it() -> None:
    async with serving(json_responses({"ok": True})) as server:
        await server.slack.append_stream("D1", "5.0", markdown=" there")
        await server.slack.stop_stream("D1", "5.0")
        await server.slack.stop_stream(
            "D1", "5.0", markdown=".", blocks='[{"type":"divider"}]', metadata={"event_type": "x"}
        )
    address = {"channel": "D1", "ts": "5.0"}
    assert server.requests == [
        ("chat.appendStream", {**address, "markdown_text": " there"}),
        ("chat.stopStream", address),
        (
            "chat.stopStream",
            {
                **address,
                "markdown_text": ".",
                "blocks": [{"type": "divider"}],
                "metadata": MetadataSigner("xoxb-1").sign({"event_type": "x"}),
            },
        ),
    ]


async def test_status_is_set_and_cleared() -> None:
    async with serving(json_responses({"ok": True})) as server:
        await server.slack.set_status("D1", "1.0", "is thinking…")
        await server.slack.set_status("D1", "1.0", "")
    assert [sent["status"] for _, sent in server.requests] == ["is thinking…", ""]
    assert server.requests[0][1] == {
        "channel_id": "D1",
        "thread_ts": "1.0",
        "status": "is thinking…",
    }


async def test_append_to_a_stopped_stream_is_refused() -> None:
    answer = json_responses({"ok": False, "error": "message_not_in_streaming_state"})
    async with serving(answer) as server:
        with pytest.raises(SlackRefused) as error:
            await server.slack.append_stream("D1", "5.0", markdown="more")
    assert error.value.code == "message_not_in_streaming_state"
