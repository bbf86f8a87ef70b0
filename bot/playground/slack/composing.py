"""What Slack makes of typed text before anybody receives it.

`&`, `<` and `>` are escaped, bare addresses are put in angle brackets, names already are
(`<@U…>`), and a `rich_text` block says the same once more
(https://docs.slack.dev/messaging/formatting-message-text).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.playground.slack.records import Json

_TOKEN = re.compile(r"(<(?:@[UW]\w+|#C\w+|!\w+|https?://[^\s<>|]+)(?:\|[^<>]*)?>)")
_NAME = re.compile(r"(?<![\w<|])([@#])(\w[\w.-]*\w|\w)")
_ADDRESS = re.compile(r"https?://[^\s<>]*[^\s<>.,;:!?)\]'\"*_~`]")


def composed(typed: str) -> str:
    """The `text` others receive for what a person typed."""
    parts = _TOKEN.split(typed)
    return "".join(
        part if index % 2 else _ADDRESS.sub(r"<\g<0>>", _escaped(part))
        for index, part in enumerate(parts)
    )


def with_names(typed: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """A command's text under `should_escape`: known names become `<@U…|name>`, `<#C…|name>`.

    Both mappings are from name to id.
    """

    def named(found: re.Match[str]) -> str:
        sign, name = found[1], found[2]
        known = (people if sign == "@" else channels).get(name.lower())
        return f"<{sign}{known}|{name}>" if known else found[0]

    return composed(_NAME.sub(named, typed))


def rich_text(text: str) -> Json:
    """The block that goes with a composed `text`."""
    elements = [_element(part) for part in _TOKEN.split(text) if part]
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": "rt", "elements": [section]}


def _escaped(part: str) -> str:
    return part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescaped(part: str) -> str:
    return part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _element(part: str) -> Json:
    if not _TOKEN.fullmatch(part):
        return {"type": "text", "text": _unescaped(part)}
    target = part[1:-1].partition("|")[0]
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
        case _:
            return {"type": "link", "url": _unescaped(target)}
