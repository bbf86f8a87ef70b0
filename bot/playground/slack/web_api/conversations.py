"""`conversations.*`: reading threads and channels, page by page, and who is in them.

https://docs.slack.dev/reference/methods/conversations.replies and its neighbours.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypeVar

from bot.playground.slack.call import Call, Method, Methods
from bot.playground.slack.records import Channel, Json, Message
from bot.playground.slack.refused import Refused

T = TypeVar("T")

_TYPES = {"public_channel": "channel", "private_channel": "private", "im": "im"}


def replies(call: Call) -> Json:
    """A thread, oldest first, its root on every page.

    `ts` may be that of any message of the thread; one without replies is returned alone.
    """
    channel = call.readable()
    found = call.workspace.root_of(channel.id, str(call.need("ts")))
    if found is None:
        raise Refused("thread_not_found")
    root, *answers = call.workspace.thread(channel.id, found.ts)
    wanted = [each for each in answers if _between(call, each)]
    first = not call.text("cursor")
    wanted = [each for each in wanted if each.ts >= _cursor(call)]
    count = call.number("limit", call.limits.replies_page, call.limits.replies_page) - 1
    if not first and not call.limits.root_on_every_page:
        return _page(call, wanted, count + 1)
    return _page(call, wanted, count if first else max(count, 1), root)


def history(call: Call) -> Json:
    """The messages of a channel, newest first; replies only where they were broadcast."""
    channel = call.readable()
    newest_first = [
        message
        for message in reversed(call.workspace.messages(channel.id))
        if (not message.is_reply or message.subtype == "thread_broadcast")
        and _between(call, message)
    ]
    cursor = _cursor(call)
    wanted = [each for each in newest_first if not cursor or each.ts <= cursor]
    count = call.number("limit", min(100, call.limits.history_page), call.limits.history_page)
    return _page(call, wanted, count) | {"pin_count": 0}


def info(call: Call) -> Json:
    """One channel."""
    channel = call.channel()
    call.require(f"{channel.plural}:read")
    return {"channel": channel.as_slack(call.workspace.bot.id)}


def listing(call: Call) -> Json:
    """The channels the bot may know of: all public ones, the others where it is a member."""
    kinds = [kind.strip() for kind in (call.text("types") or "public_channel").split(",")]
    if not all(kind in (*_TYPES, "mpim") for kind in kinds):
        raise Refused("invalid_types")
    wanted = [_TYPES[kind] for kind in kinds if kind in _TYPES]
    bot = call.workspace.bot.id
    known = [
        channel
        for channel in call.workspace.channels.values()
        if channel.kind in wanted and (channel.kind == "channel" or bot in channel.members)
    ]
    for channel in known:
        call.require(f"{channel.plural}:read")
    shown, cursor = sliced(call, known, 100)
    return {"channels": [channel.as_slack(bot) for channel in shown]} | cursor


def members(call: Call) -> Json:
    """The ids of a channel's members."""
    channel = call.channel()
    call.require(f"{channel.plural}:read")
    shown, cursor = sliced(call, sorted(channel.members), 100)
    return {"members": list(shown)} | cursor


def opened(call: Call) -> Json:
    """The direct messages with one person."""
    if call.text("channel"):
        channel: Channel = call.channel()
    else:
        user = str(call.need("users"))
        if user not in call.workspace.users or user == call.workspace.bot.id:
            raise Refused("user_not_found")
        channel = call.workspace.direct(user)
    shown = {"id": channel.id}
    if call.flag("return_im"):
        shown = channel.as_slack(call.workspace.bot.id)
    return {"no_op": True, "already_open": True, "channel": shown}


def sliced(call: Call, items: Sequence[T], default: int) -> tuple[Sequence[T], Json]:
    """One page of a list that does not change, and the cursor of the next."""
    begin = _offset(call.text("cursor"))
    count = call.number("limit", default, 1_000)
    more = begin + count < len(items)
    cursor = _coded(f"offset:{begin + count}") if more else ""
    return items[begin : begin + count], {"response_metadata": {"next_cursor": cursor}}


def _page(call: Call, wanted: list[Message], count: int, root: Message | None = None) -> Json:
    shown, rest = wanted[:count], wanted[count:]
    first = [root] if root else []
    metadata = call.flag("include_all_metadata")
    page: Json = {
        "messages": [call.workspace.as_slack(each, metadata=metadata) for each in first + shown],
        "has_more": bool(rest),
    }
    if rest:
        cursor = _coded("next_ts:" + rest[0].ts.replace(".", ""))
        page["response_metadata"] = {"next_cursor": cursor}
    return page


def _between(call: Call, message: Message) -> bool:
    oldest, latest = call.ts("oldest", "invalid_ts_oldest"), call.ts("latest", "invalid_ts_latest")
    if call.flag("inclusive") and message.ts in (oldest, latest):
        return True
    return (not oldest or message.ts > oldest) and (not latest or message.ts < latest)


def _cursor(call: Call) -> str:
    given = call.text("cursor")
    if not given:
        return ""
    name, _, digits = _plain(given).partition(":")
    if name != "next_ts" or not digits.isdecimal():
        raise Refused("invalid_cursor")
    return f"{digits[:-6]}.{digits[-6:]}"


def _offset(given: str) -> int:
    if not given:
        return 0
    name, _, digits = _plain(given).partition(":")
    if name != "offset" or not digits.isdecimal():
        raise Refused("invalid_cursor")
    return int(digits)


def _coded(plain: str) -> str:
    return base64.b64encode(plain.encode()).decode()


def _plain(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        raise Refused("invalid_cursor") from None


METHODS: Methods = {
    "conversations.replies": Method(replies, reads_json=False),
    "conversations.history": Method(history, reads_json=False),
    "conversations.info": Method(info, reads_json=False),
    "conversations.list": Method(listing, reads_json=False),
    "conversations.members": Method(members, reads_json=False),
    "conversations.open": Method(opened, ("im:write",)),
}
