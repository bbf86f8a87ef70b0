"""Slack's JSON as the page shows it: the same things, with their text already HTML.

The page's script never makes markup of what somebody wrote; it puts in place what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.page import attachments, blocks, mrkdwn, typed
from bot.playground.page.elements import plain
from bot.playground.page.emoji import EMOJI
from bot.playground.page.markup import link, tag, text
from bot.playground.page.names import Names
from bot.playground.slack.workspace import Workspace

Json = dict[str, Any]


def names(workspace: Workspace, me: str) -> Names:
    """Who is who in the workspace, for `me` who reads."""
    users = {each.id: each.name for each in workspace.users.values()}
    channels = {c.id: c.name for c in workspace.channels.values() if c.kind != "im"}
    return Names(users, channels, me)


def message(record: Mapping[str, Any], who: Names) -> Json:
    """A message as the page needs it; `html` is everything under its author's name."""
    author = str(record.get("user") or "")
    profile = record.get("bot_profile") or {}
    return {
        "ts": record["ts"],
        "thread_ts": record.get("thread_ts"),
        "user": author,
        "name": who.users.get(author) or profile.get("name") or record.get("username") or "App",
        "bot": bool(record.get("bot_id")),
        "html": _body(record, who),
        "typed": typed.as_typed(str(record.get("text", "")), who) if author == who.me else "",
        "edited": bool(record.get("edited")),
        "ephemeral": bool(record.get("is_ephemeral")),
        "gone": record.get("subtype") == "tombstone",
        "live": record.get("streaming_state") == "in_progress",
        "reply_count": record.get("reply_count", 0),
        "latest_reply": record.get("latest_reply"),
        "reply_users": list(record.get("reply_users", ())),
    }


def view(record: Mapping[str, Any] | None, who: Names) -> Json | None:
    """App Home or a modal; None stays None."""
    if record is None:
        return None
    return {
        "id": record.get("id", ""),
        "kind": record.get("type"),
        "title": _words(record.get("title")),
        "submit": _words(record.get("submit")),
        "close": _words(record.get("close")) or "Cancel",
        "html": blocks.to_html(record.get("blocks", ()), who),
    }


def _body(record: Mapping[str, Any], who: Names) -> str:
    """Blocks where an app wrote them; what a person typed says the same in `text`, with marks."""
    written = record.get("blocks") if record.get("bot_id") else ()
    body = (
        blocks.to_html(written, who)
        if written
        else mrkdwn.to_html(str(record.get("text", "")), who)
    )
    extra = (attachments.to_html(part, who) for part in record.get("attachments") or ())
    files = (_file(part) for part in record.get("files") or ())
    reactions = "".join(_reaction(part, who) for part in record.get("reactions") or ())
    row = tag("div", reactions, class_="reactions") if reactions else ""
    return "".join([body, *extra, *files, row])


def _file(part: Mapping[str, Any]) -> str:
    name = str(part.get("title") or part.get("name") or part.get("id") or "file")
    return tag("div", link(str(part.get("permalink") or ""), text(name)), class_="file")


def _reaction(part: Mapping[str, Any], who: Names) -> str:
    name = str(part["name"])
    people = ", ".join(who.users.get(user, user) for user in part.get("users", ()))
    drawn = text(EMOJI.get(name, f":{name}:"))
    return tag("span", drawn, " ", text(part["count"]), class_="reaction", title=people)


def _words(composition: Mapping[str, Any] | None) -> str:
    return plain(str(composition.get("text", ""))) if composition else ""
