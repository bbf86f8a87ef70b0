"""Who is who and small signs: `auth`, `apps`, `users`, `bots`, `reactions`, `assistant`.

https://docs.slack.dev/reference/methods; statuses: docs/slack.md#thread-status.
"""

from __future__ import annotations

from bot.playground.slack.call import Call, Method, Methods
from bot.playground.slack.records import TEAM, Json, Message
from bot.playground.slack.refused import Refused
from bot.playground.slack.web_api.conversations import sliced


def auth_test(call: Call) -> Json:
    """Whose token this is."""
    bot = call.workspace.bot
    return {
        "url": "https://playground.slack.com/",
        "team": "Playground",
        "user": bot.name,
        "team_id": TEAM,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


def open_connection(call: Call) -> Json:
    """The address of a new Socket Mode connection."""
    return {"url": call.open_socket()}


def user_info(call: Call) -> Json:
    """One person; their locale on request."""
    user = call.workspace.users.get(str(call.need("user")))
    if user is None:
        raise Refused("user_not_found")
    asked = {"locale": user.locale} if call.flag("include_locale") else {}
    return {"user": user.as_slack() | asked}


def user_list(call: Call) -> Json:
    """Everybody, the bot among them."""
    shown, cursor = sliced(call, [user.as_slack() for user in call.workspace.users.values()], 1_000)
    return {"members": list(shown), "cache_ts": int(call.workspace.board.clock())} | cursor


def bot_info(call: Call) -> Json:
    """The bot's own profile."""
    if call.text("bot") != call.workspace.bot.bot_id:
        raise Refused("bot_not_found")
    profile = call.workspace.bot_profile()
    del profile["team_id"]
    return {"bot": profile}


def team_info(_: Call) -> Json:
    """The workspace."""
    return {"team": {"id": TEAM, "name": "Playground", "domain": "playground", "icon": {}}}


def react(call: Call) -> Json:
    """Put an emoji on a message."""
    message, name, bot = _reacted(call), str(call.need("name")), call.workspace.bot.id
    reactions = dict(message.reactions)
    if bot in reactions.get(name, ()):
        raise Refused("already_reacted")
    reactions[name] = (*reactions.get(name, ()), bot)
    call.workspace.change(message, silent=True, reactions=tuple(reactions.items()))
    return {}


def unreact(call: Call) -> Json:
    """Take the bot's emoji off a message."""
    message, name, bot = _reacted(call), str(call.need("name")), call.workspace.bot.id
    reactions = dict(message.reactions)
    if bot not in reactions.get(name, ()):
        raise Refused("no_reaction")
    reactions[name] = tuple(user for user in reactions[name] if user != bot)
    kept = tuple((each, users) for each, users in reactions.items() if users)
    call.workspace.change(message, silent=True, reactions=kept)
    return {}


def set_status(call: Call) -> Json:
    """Say what the app does while a thread waits; "" clears it, so does a reply or two minutes."""
    channel, thread_ts, shown = _thread(call)
    lines = call.args.get("loading_messages") or []
    if len(lines) > 10 or not all(isinstance(line, str) and 1 <= len(line) <= 50 for line in lines):
        raise Refused("invalid_arguments", "loading_messages: at most 10, of 1 to 50 characters")
    call.workspace.set_status(channel, thread_ts, shown, loading_messages=lines)
    return {}


def set_title(call: Call) -> Json:
    """Name a thread with the app."""
    channel, thread_ts, _ = _thread(call)
    told = {"channel": channel, "thread_ts": thread_ts, "title": str(call.need("title"))}
    call.workspace.board.tell("title", told)
    return {}


def set_prompts(call: Call) -> Json:
    """Offer up to four questions to begin with."""
    channel, prompts = call.member("channel_id").id, call.need("prompts")
    fits = isinstance(prompts, list) and 1 <= len(prompts) <= 4
    if not fits or not all(p.get("title") and p.get("message") for p in prompts):
        raise Refused("invalid_arguments", "prompts: one to four, each with title and message")
    told = {"channel": channel, "thread_ts": call.text("thread_ts"), "prompts": prompts}
    call.workspace.board.tell("prompts", told | {"title": call.text("title")})
    return {}


def _reacted(call: Call) -> Message:
    message = call.workspace.message(call.member().id, str(call.need("timestamp")))
    if message is None:
        raise Refused("message_not_found")
    return message


def _thread(call: Call) -> tuple[str, str, str]:
    channel = call.member("channel_id")
    call.need("thread_ts")
    root = call.thread(channel)
    return channel.id, root or "", call.text("status")


METHODS: Methods = {
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(open_connection, token="app"),
    "users.info": Method(user_info, ("users:read",), reads_json=False),
    "users.list": Method(user_list, ("users:read",), reads_json=False),
    "bots.info": Method(bot_info, ("users:read",), reads_json=False),
    "team.info": Method(team_info, ("team:read",), reads_json=False),
    "reactions.add": Method(react, ("reactions:write",), writes=True),
    "reactions.remove": Method(unreact, ("reactions:write",), writes=True),
    "assistant.threads.setStatus": Method(set_status, ("chat:write",)),
    "assistant.threads.setTitle": Method(set_title, ("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Method(set_prompts, ("assistant:write",)),
}
