"""`chat.*`, but for native streams: posting, editing, deleting.

https://docs.slack.dev/reference/methods/chat.postMessage and its neighbours;
docs/slack.md#messages.
"""

from __future__ import annotations

from typing import Any

from bot.playground.slack import blocks
from bot.playground.slack.call import Call, Method, Methods
from bot.playground.slack.records import Channel, Json, Message
from bot.playground.slack.refused import Refused
from bot.playground.slack.streaming import live


def post(call: Call) -> Json:
    """A new message by the bot, in a channel, a thread, or (given a person) a direct message.

    A thread whose root was deleted is ignored: the message stands at the top level of the channel
    (https://github.com/slackapi/python-slack-events-api/issues/87).
    """
    channel = _target(call)
    if call.workspace.bot.id not in channel.members and "chat:write.public" not in call.scopes:
        raise Refused("not_in_channel")
    thread_ts = call.landing(channel)
    content = blocks.content(call.args, call.limits)
    bot = call.workspace.bot
    message = Message(
        ts=call.workspace.next_ts(),
        channel=channel.id,
        user=bot.id,
        thread_ts=thread_ts,
        bot_id=bot.bot_id,
        subtype="thread_broadcast" if thread_ts and call.flag("reply_broadcast") else None,
        metadata=call.metadata(),
        **content.fields(),
    )
    call.workspace.add(message)
    return _done(call, message) | _warned(content.warning)


def update(call: Call) -> Json:
    """Rewrite one of the bot's messages.

    Text without blocks takes the blocks away and marks the message as edited; metadata left out
    stays (docs/slack.md#editing).
    """
    channel = call.member()
    before = call.own_message(channel, "cant_update_message")
    if live(before, call.workspace.board.clock(), call.limits):
        raise Refused("streaming_state_conflict")
    content = blocks.content(call.args, call.limits, update=True)
    changes: dict[str, Any] = content.fields() | {"stream": before.stream and "completed"}
    if call.args.get("metadata") is not None:
        changes["metadata"] = call.metadata()
    if not content.blocks:
        bot = call.workspace.bot
        changes["edited"] = {"user": bot.id, "ts": call.workspace.next_ts()}
    after = call.workspace.change(before, **changes)
    return _done(call, after) | {"text": after.text} | _warned(content.warning)


def delete(call: Call) -> Json:
    """Delete one of the bot's messages."""
    message = call.own_message(call.member(), "cant_delete_message")
    if live(message, call.workspace.board.clock(), call.limits):
        raise Refused("cant_delete_message")
    call.workspace.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def post_ephemeral(call: Call) -> Json:
    """A message only one member of the channel sees; nothing can edit it later."""
    channel, user = call.member(), str(call.need("user"))
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    content = blocks.content(call.args, call.limits)
    message = Message(
        ts=call.workspace.next_ts(),
        channel=channel.id,
        user=call.workspace.bot.id,
        thread_ts=call.thread(channel),
        bot_id=call.workspace.bot.bot_id,
        only_for=user,
        **content.fields(),
    )
    call.workspace.say_privately(message)
    return {"message_ts": message.ts}


def permalink(call: Call) -> Json:
    """The address of a message."""
    channel, ts = call.channel(), str(call.need("message_ts"))
    message = call.workspace.message(channel.id, ts)
    if message is None:
        raise Refused("message_not_found")
    url = f"https://playground.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.is_reply:
        url += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": url}


def _target(call: Call) -> Channel:
    given = str(call.need("channel"))
    if given in call.workspace.users:
        return call.workspace.direct(given)
    for channel in call.workspace.channels.values():
        if channel.kind != "im" and given in (channel.name, f"#{channel.name}"):
            call.args["channel"] = channel.id
    return call.channel()


def _done(call: Call, message: Message) -> Json:
    shown = call.workspace.as_slack(message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


def _warned(warning: str) -> Json:
    if not warning:
        return {}
    return {"warning": warning, "response_metadata": {"warnings": [warning]}}


METHODS: Methods = {
    "chat.postMessage": Method(post, ("chat:write",), writes=True),
    "chat.update": Method(update, ("chat:write",), writes=True),
    "chat.delete": Method(delete, ("chat:write",), writes=True),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",), writes=True),
    "chat.getPermalink": Method(permalink, reads_json=False),
}
