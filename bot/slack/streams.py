"""The methods of answers that Slack itself streams, and of the status above them
(docs/slack.md#native-streams, docs/slack.md#thread-status).

A streamed message can be appended to for about five minutes and neither edited nor deleted before
it is stopped; text once appended can't be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.calls import Blocks, WebApiCalls, blocks_as_objects, raise_if_outside_thread


class StreamCalls(WebApiCalls):
    """Calls of `chat.…Stream` and `assistant.threads.setStatus`. All of them raise `SlackError`.

    `markdown` is standard Markdown, at most 12,000 characters a call
    (docs/slack.md#streaming-methods).
    """

    async def start_stream(
        self,
        channel: str,
        thread_ts: str,
        *,
        markdown: str = "",
        recipient_user: str | None = None,
        recipient_team: str | None = None,
    ) -> str:
        """Begin a streamed message in a thread and return its ts.

        In channels the recipient is required, with their own team, which for people of another
        organisation is not ours (docs/slack.md#stream-visibility). Raises `ThreadGone` where the
        answer shows that the stream is not in the thread; mostly only `stop_stream` can tell.
        """
        answer = await self._call(
            "chat.startStream",
            channel=channel,
            thread_ts=thread_ts,
            markdown_text=markdown or None,
            recipient_user_id=recipient_user,
            recipient_team_id=recipient_team,
        )
        raise_if_outside_thread("chat.startStream", answer)
        return str(answer["ts"])

    async def append_stream(self, channel: str, ts: str, *, markdown: str) -> None:
        """Add text to a streamed message."""
        await self._call("chat.appendStream", channel=channel, ts=ts, markdown_text=markdown)

    async def stop_stream(
        self,
        channel: str,
        ts: str,
        *,
        markdown: str = "",
        blocks: Blocks | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """End a streamed message with its last text, and blocks below all of it.

        Raises `ThreadGone` where it was stopped, but is not in a thread.
        """
        answer = await self._call(
            "chat.stopStream",
            channel=channel,
            ts=ts,
            markdown_text=markdown or None,
            blocks=blocks_as_objects(blocks),
            metadata=metadata,
        )
        raise_if_outside_thread("chat.stopStream", answer)

    async def set_status(self, channel: str, thread_ts: str, status: str) -> None:
        """Say below a thread what we do, "is thinking…"; "" takes it away.

        Slack takes it away with our next message, or after two minutes
        (docs/slack.md#thread-status).
        """
        await self._call(
            "assistant.threads.setStatus",
            channel_id=channel,
            thread_ts=thread_ts,
            status=status,
        )
