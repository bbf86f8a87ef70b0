"""Slack's rich_text block to HTML: what its own composer writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.page import emoji
from bot.playground.page.markup import code_block, link, tag, text
from bot.playground.page.names import Names, broadcast, channel, user

Block = Mapping[str, Any]

_STYLES = (("code", "code"), ("bold", "strong"), ("italic", "em"), ("strike", "del"))


def to_html(block: Block, names: Names) -> str:
    """The block as HTML; lists that follow each other deeper are nested by indent alone."""
    return "".join(_part(part, names) for part in block.get("elements", ()))


def _part(part: Block, names: Names) -> str:
    kind, inside = part.get("type"), part.get("elements", ())
    if kind == "rich_text_list":
        items = (tag("li", _inline(item.get("elements", ()), names)) for item in inside)
        name = "ol" if part.get("style") == "ordered" else "ul"
        start = part.get("offset", 0) + 1 if part.get("offset") else None
        return tag(name, *items, class_=f"indent-{min(int(part.get('indent', 0)), 8)}", start=start)
    if kind == "rich_text_preformatted":
        code = "".join(str(item.get("text") or item.get("url") or "") for item in inside)
        return code_block(code, str(part.get("language") or ""))
    if kind == "rich_text_quote":
        return tag("blockquote", _inline(inside, names))
    return tag("p", _inline(inside, names))


def _inline(elements: Any, names: Names) -> str:
    return "".join(_styled(element, _element(element, names)) for element in elements)


def _styled(element: Block, html: str) -> str:
    style = element.get("style") or {}
    for key, name in _STYLES:
        if style.get(key):
            html = tag(name, html)
    return html


def _element(element: Block, names: Names) -> str:
    match element.get("type"):
        case "link":
            url = str(element.get("url", ""))
            return link(url, text(element.get("text") or url))
        case "user":
            return user(str(element.get("user_id")), names)
        case "channel":
            return channel(str(element.get("channel_id")), names)
        case "usergroup":
            return tag("strong", text(f"@{element.get('usergroup_id')}"), class_="ping")
        case "broadcast":
            return broadcast(str(element.get("range")))
        case "emoji":
            name = str(element.get("name"))
            return text(emoji.EMOJI.get(name, f":{name}:"))
    return text(element.get("text") or element.get("fallback") or "").replace("\n", "<br>")
