"""`chat.startStream`, `chat.appendStream`, `chat.stopStream`: answers streamed by Slack itself.

https://docs.slack.dev/reference/methods/chat.startStream; docs/slack.md#native-streams.
"""

from __future__ import annotations

from dataclasses import replace

from bot.playground.slack import blocks
from bot.playground.slack.call import Call, Method, Methods
from bot.playground.slack.records import Json, Message
from bot.playground.slack.refused import Refused
from bot.playground.slack.streaming import chunks_of, grown, live


def start(call: Call) -> Json:
    """Begin a streamed message in a thread; in a channel it needs the one who watches it."""
    channel = call.member()
    thread_ts = call.thread(channel)
    if thread_ts is None:
        raise Refused("invalid_thread_ts")
    if channel.kind != "im":
        for name in ("recipient_user_id", "recipient_team_id"):
            if not call.text(name):
                raise Refused(f"missing_{name}")
        if call.text("recipient_user_id") not in call.workspace.users:
            raise Refused("user_not_found")
    bot = call.workspace.bot
    message = Message(
        ts=call.workspace.next_ts(),
        channel=channel.id,
        user=bot.id,
        text="",
        thread_ts=thread_ts,
        bot_id=bot.bot_id,
        stream="in_progress",
    )
    begun = replace(message, **grown(message, _chunks(call), call.limits))
    call.workspace.add(begun)
    return {"channel": channel.id, "ts": begun.ts}


def append(call: Call) -> Json:
    """More text or tasks; no event is sent for it."""
    message, chunks = _streaming(call, "stopped_by_user"), _chunks(call)
    if not chunks:
        raise Refused("no_text")
    changes = grown(message, chunks, call.limits)
    call.workspace.change(message, silent=True, **changes)
    return {"channel": message.channel, "ts": message.ts}


def stop(call: Call) -> Json:
    """The end, with last text, blocks below it, and metadata."""
    message = _streaming(call)
    changes = grown(message, _chunks(call), call.limits)
    below = call.args.get("blocks") or []
    blocks.check(below, call.limits)
    changes["blocks"] = (*changes["blocks"], *blocks.numbered(below))
    if call.args.get("metadata") is not None:
        changes["metadata"] = call.metadata()
    after = call.workspace.change(message, stream="completed", **changes)
    shown = call.workspace.as_slack(after, metadata=True)
    return {"channel": after.channel, "ts": after.ts, "message": shown}


def _chunks(call: Call) -> list[Json]:
    return chunks_of(call.args, call.limits)


def _streaming(call: Call, stopped: str = "message_not_in_streaming_state") -> Message:
    message = call.own_message(call.member(), "message_not_owned_by_app")
    if message.stream == "stopped":
        raise Refused(stopped)
    if not live(message, call.workspace.board.clock(), call.limits):
        raise Refused("message_not_in_streaming_state")
    return message


METHODS: Methods = {
    "chat.startStream": Method(start, ("chat:write",), writes=True),
    "chat.appendStream": Method(append, ("chat:write",), writes=True),
    "chat.stopStream": Method(stop, ("chat:write",), writes=True),
}
