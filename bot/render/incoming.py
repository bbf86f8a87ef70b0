"""What people wrote in Slack, as plain text for a model. Pure; the way out is message.py.

User mentions stay `<@U…>`: turning an id into a name takes a call, so it is not done here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from bot.render.links import BREAK
from bot.render.message import ASKED

_USER = re.compile(r"<@([UW][A-Z0-9]+)")
_ANGLE = re.compile(r"<(?!@)([^<>\n]+)>")


def readable(text: str) -> str:
    """Slack's mrkdwn with channels, groups, links and entities written out."""
    return html.unescape(_ANGLE.sub(_written_out, text)).strip()


def without_mention(text: str, user: str) -> str:
    """The text without mentions of `user`, and without the gaps they leave."""
    mention = rf"<@{re.escape(user)}(?:\|[^>]*)?>"
    text = re.sub(rf"^\s*{mention}[\s,:]*", "", text)
    return re.sub(rf"[ \t]*{mention}", "", text).strip()


def message_text(message: Mapping[str, Any]) -> str:
    """The text of a stored message: of its blocks where they hold more than `text` does."""
    blocks = _block_text(message)
    text = readable(message.get("text") or "")
    return blocks if len(blocks) > len(text) else text


def answer_text(message: Mapping[str, Any]) -> str:
    """The model's text in a stored answer of ours; "" for a placeholder or a notice."""
    return _block_text(message)


def asked_in(message: Mapping[str, Any]) -> tuple[str, str] | None:
    """Who asked what, of a stored answer of ours with no message above it that says so."""
    for block in message.get("blocks") or []:
        match block:
            case {"block_id": str(name), "elements": [{"text": str(who)}, {"text": str(what)}]} if (
                name == ASKED and (asker := _USER.match(who))
            ):
                return asker[1], html.unescape(what).replace(BREAK, "")
    return None


def _block_text(message: Mapping[str, Any]) -> str:
    blocks = message.get("blocks") or []
    markdown = [
        html.unescape(block.get("text", "")).replace(BREAK, "")
        for block in blocks
        if block.get("type") == "markdown"
    ]
    rich = [_flatten(b) for b in blocks if b.get("type") == "rich_text"]
    return "\n\n".join(markdown).strip() or "".join(rich).strip()


def _written_out(match: re.Match[str]) -> str:
    target, _, label = match[1].partition("|")
    if target.startswith("#"):
        return "#" + (label or target[1:])
    if target.startswith("!subteam"):
        return label or "@group"
    if target.startswith("!date"):
        return label
    if target.startswith("!"):
        return "@" + target[1:]
    if (
        not label
        or label == target
        or target == f"mailto:{label}"
        or target.endswith(f"://{label}")
    ):
        return label if target.startswith("mailto:") and label else target
    return f"{label} ({target})"


def _flatten(element: Mapping[str, Any]) -> str:
    """The text of a rich_text element, its children in order."""
    match element.get("type"):
        case "text" | "date":
            return str(element.get("text") or element.get("fallback") or "")
        case "link":
            return str(element.get("text") or element.get("url") or "")
        case "user":
            return f"<@{element.get('user_id', '')}>"
        case "channel":
            return f"#{element.get('channel_id', '')}"
        case "broadcast":
            return f"@{element.get('range', '')}"
        case "emoji":
            return f":{element.get('name', '')}:"
    inner = "".join(_flatten(child) for child in element.get("elements") or [])
    return _framed(str(element.get("type")), inner)


def _framed(kind: str, inner: str) -> str:
    match kind:
        case "rich_text_preformatted":
            return f"```\n{inner}\n```\n"
        case "rich_text_quote":
            return f"> {inner}\n"
        case "rich_text_section":
            return f"{inner}\n"
        case _:
            return inner
