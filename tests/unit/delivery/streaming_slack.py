"""The small Slack with native streams: their limits, life and size, and statuses below threads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bot.delivery import Reply
from bot.playground.slack.limits import Limiter, Limits, retry_after
from bot.values import Place, Question
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import ROOT, question, writing
from tests.unit.delivery.fake_slack import Call, FakeSlack, Stored

STREAM_SECONDS = 306.0  # seconds of a stream (docs/slack.md#stream-lifetime)
STREAM_BYTES = 10_600  # bytes of one (docs/slack.md#stream-size)


@dataclass(slots=True)
class Stream(Stored):
    """A message that was streamed. `chunks` are the texts of its calls."""

    began: float = 0.0
    ended: float | None = None
    stopped: bool = False  # by its reader
    chunks: list[str] = field(default_factory=list)
    recipient: tuple[str, str] = ("", "")

    @property
    def live(self) -> bool:
        """Whether it still streams."""
        return self.ended is None and now() < self.began + STREAM_SECONDS

    def append(self, given: dict[str, Any]) -> str:
        """Take a call's text; returns an error, if any."""
        chunk = given.get("markdown_text", "")
        # blanks may be lost where chunks join (docs/slack.md#stream-text, measured)
        if self.chunks:
            chunk = chunk.lstrip()
        text = self.markdown + chunk
        if len(text.encode()) > STREAM_BYTES:
            return "msg_too_long"
        if chunk:
            self.chunks.append(chunk)
            self.blocks = [{"type": "markdown", "text": text}]
        return ""


class StreamingSlack(FakeSlack):
    """Answers with 429 beyond Slack's limits (`limited`), and keeps statuses."""

    def __init__(self, *, latency: float = 0.1) -> None:
        super().__init__(latency=latency)
        self.limiter = Limiter(Limits())
        self.statuses: list[tuple[float, str]] = []
        self.bot_identity = {"user_id": "UBOT", "bot_id": "BBOT"}

    @property
    def streams(self) -> list[Stream]:
        """All streamed messages, in order."""
        return [m for m in self.messages.values() if isinstance(m, Stream)]

    def stop_by_user(self) -> None:
        """Every live stream's reader presses Slack's own Stop."""
        for stream in self.streams:
            stream.stopped, stream.ended = stream.live, stream.ended or now()

    @property
    def limited(self) -> list[str]:
        """The methods of which Slack had to say 429 by itself."""
        return [call.method for call in self.calls if call.outcome == "ratelimited"]

    def _answer(
        self, call: Call, fault: str | int | None
    ) -> tuple[dict[str, Any], int, dict[str, str]]:
        wait = self.limiter.take(call.method, now(), call.arguments.get("channel", ""))
        if wait:
            call.outcome = "ratelimited"
            return (
                {"ok": False, "error": "ratelimited"},
                429,
                {"Retry-After": str(retry_after(wait))},
            )
        return super()._answer(call, fault)

    def _chat_startStream(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("thread_ts"):
            return {"error": "invalid_thread_ts"}
        for name in ("recipient_user_id", "recipient_team_id"):
            if not given["channel"].startswith("D") and not given.get(name):
                return {"error": f"missing_{name}"}
        ts = self.next_ts()
        thread = self.thread_of_post(given)
        stream = Stream(ts, given["channel"], thread, "", [], None, began=now())
        stream.recipient = (
            given.get("recipient_user_id", ""),
            given.get("recipient_team_id", ""),
        )
        if error := stream.append(given):
            return {"error": error}
        self.messages[ts] = stream
        self._changed(stream)
        return {"ts": ts}

    def _chat_appendStream(self, given: dict[str, Any]) -> dict[str, Any]:
        stream = self.messages.get(given["ts"])
        if stream is None:
            return {"error": "message_not_found"}
        if isinstance(stream, Stream) and stream.stopped:
            return {"error": "stopped_by_user"}
        if not isinstance(stream, Stream) or not stream.live:
            return {"error": "message_not_in_streaming_state"}
        if not given.get("markdown_text"):
            return {"error": "no_text"}
        if error := stream.append(given):
            return {"error": error}
        self._changed(stream)
        return {"ts": stream.ts}

    def _chat_stopStream(self, given: dict[str, Any]) -> dict[str, Any]:
        stream = self.messages.get(given["ts"])
        if stream is None:
            return {"error": "message_not_found"}
        if not isinstance(stream, Stream) or not stream.live:
            return {"error": "message_not_in_streaming_state"}
        if error := stream.append(given):
            return {"error": error}
        stream.ended = now()
        stream.blocks += given.get("blocks", [])
        stream.metadata = given.get("metadata", stream.metadata)
        self._changed(stream)
        return {"ts": stream.ts, "message": self.as_response(stream)}

    def _chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if isinstance(message, Stream) and message.live:
            return {"error": "cant_delete_message"}
        return super()._chat_delete(given)

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if isinstance(message, Stream) and message.live:
            return {"error": "streaming_state_conflict"}
        if message and given.get("metadata"):
            message.metadata = given["metadata"]
        return super()._chat_update(given)

    def _assistant_threads_setStatus(self, given: dict[str, Any]) -> dict[str, Any]:
        self.statuses.append((now(), given["status"]))
        return {}

    def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return dict(self.bot_identity)

    def _as_slack(self, message: Stored) -> dict[str, Any]:
        record: dict[str, Any] = {
            "ts": message.ts,
            "text": message.markdown,
            "user": self.bot_identity["user_id"],
            "bot_id": self.bot_identity["bot_id"],
        }
        if message.metadata:
            record["metadata"] = message.metadata
        if isinstance(message, Stream):
            record["streaming_state"] = "in_progress" if message.live else "completed"
        return record


def dm(n: int = 0, **changes: Any) -> Question:
    """A direct message, in a thread of its own."""
    return question(n, **{"place": Place("T1", f"D{n}", "dm", ROOT), **changes})


async def write(reply: Reply, text: str, seconds: float, *, since: int = 0) -> None:
    """Let a model write a text, whose first characters it has written already, so long."""
    steps = max(1, int(seconds * 10))
    for step in range(1, steps + 1):
        reply.show(writing(text[: since + (len(text) - since) * step // steps]))
        await asyncio.sleep(0.1)
