"""Parts of Slack messages for tests, as Slack sends them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def rich(*parts: Json) -> Json:
    """A rich_text block."""
    return {"type": "rich_text", "block_id": "Ab1", "elements": list(parts)}


def section(*elements: Json | str) -> Json:
    """A rich_text_section of elements; a bare string is a text element."""
    return {"type": "rich_text_section", "elements": [*map(_element, elements)]}


def quote(*elements: Json | str) -> Json:
    """A rich_text_quote."""
    return {"type": "rich_text_quote", "elements": [*map(_element, elements)]}


def code(*elements: Json | str, **more: Any) -> Json:
    """A rich_text_preformatted."""
    return {"type": "rich_text_preformatted", "elements": [*map(_element, elements)], **more}


def bullets(*sections: Json | str, indent: int = 0, style: str = "bullet", **more: Any) -> Json:
    """A rich_text_list; a bare string is an item of one text."""
    found = [section(each) if isinstance(each, str) else each for each in sections]
    return {
        "type": "rich_text_list",
        "style": style,
        "indent": indent,
        "border": 0,
        "elements": found,
        **more,
    }


def text(words: str, *styles: str) -> Json:
    """A text element."""
    element: Json = {"type": "text", "text": words}
    return element | {"style": dict.fromkeys(styles, True)} if styles else element


def user(name: str) -> Json:
    """A mention."""
    return {"type": "user", "user_id": name}


def mrkdwn(words: str) -> Json:
    """A text object with Slack's markup."""
    return {"type": "mrkdwn", "text": words, "verbatim": False}


def plain(words: str) -> Json:
    """A text object without markup."""
    return {"type": "plain_text", "text": words, "emoji": True}


def button(words: str) -> Json:
    """A button."""
    return {"type": "button", "action_id": "go", "text": plain(words), "value": "v"}


def _element(element: Json | str) -> Json:
    return text(element) if isinstance(element, str) else element
