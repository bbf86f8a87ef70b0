"""Who and what the ids in a message stand for, and how Slack's angle brackets read.

`<@U1>`, `<#C1|name>`, `<!here>` and `<url|label>` are Slack's own markup
(docs/slack.md#slack-markup): it is honoured in mrkdwn and in markdown alike, so one place reads it
for both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.playground.page.markup import is_safe, link, tag, text

TOKEN = re.compile(r"<(?P<token>[@#!][^<>\n]+|(?:https?://|mailto:)[^<>\n]+)>")
BROADCASTS = frozenset({"channel", "here", "everyone"})


@dataclass(frozen=True, slots=True)
class Names:
    """The workspace's people and channels: id → name shown; `me` is who reads the page."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    me: str = ""


def unescape(written: str) -> str:
    """Slack escapes three characters and no others: `&amp;`, `&lt;`, `&gt;`."""
    return written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def token(inside: str, names: Names) -> str:
    """What stands between `<` and `>`, as HTML."""
    body, _, label = inside.partition("|")
    label = unescape(label)
    match body[:1]:
        case "@":
            return user(body[1:], names, label)
        case "#":
            return channel(body[1:], names, label)
        case "!":
            return _special(body[1:], label)
    return web_link(unescape(body), label)


def user(identifier: str, names: Names, label: str = "") -> str:
    """A person as @name; the reader's own name stands out."""
    name = names.users.get(identifier) or label or identifier
    kind = "mention me" if identifier == names.me else "mention"
    return tag("span", text(f"@{name}"), class_=kind, data_user=identifier)


def channel(identifier: str, names: Names, label: str = "") -> str:
    """A channel as #name."""
    name = names.channels.get(identifier) or label or identifier
    return tag("span", text(f"#{name}"), class_="mention", data_channel=identifier)


def broadcast(word: str) -> str:
    """A mention of everybody, highlighted: a bot that lets one through is unsafe."""
    return tag("strong", text(f"@{word}"), class_="ping", title="Notifies everyone here")


def web_link(url: str, label: str = "") -> str:
    """`<url|label>`; anything but web and mail stays text."""
    shown = text(label or url.removeprefix("mailto:"))
    return link(url, shown) if is_safe(url) else text(label or url)


def _special(word: str, label: str) -> str:
    name, _, rest = word.partition("^")
    if name in BROADCASTS:
        return broadcast(name)
    if name == "subteam":
        return tag("strong", text(label or f"@{rest}"), class_="ping", title="Notifies a group")
    if name == "date":
        return _date(rest, label)
    return text(label or f"<{word}>")


def _date(rest: str, fallback: str) -> str:
    """`<!date^seconds^format|fallback>`: the moment itself, in words a machine can read too."""
    seconds = rest.partition("^")[0]
    if not seconds.isdigit() or len(seconds) > 11:
        return text(fallback or rest)
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return tag(
        "time", text(fallback or f"{moment:%Y-%m-%d %H:%M} UTC"), datetime=moment.isoformat()
    )
