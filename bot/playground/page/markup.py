"""HTML as strings, written so that nothing a message says can become markup.

Every text goes through `text()` or an attribute of `tag()`; both escape. Nothing here knows Slack.
"""

from __future__ import annotations

import html
from urllib.parse import urlsplit

LINK_SCHEMES = frozenset({"http", "https", "mailto"})


def text(value: object) -> str:
    """`value` as HTML text, safe in content and in quoted attributes."""
    return html.escape(str(value), quote=True)


def tag(name: str, /, *content: str, **attributes: object) -> str:
    """An element around ready HTML.

    Attributes are escaped; None and False leave one out, True writes it bare. A trailing
    underscore is dropped and others become hyphens: `class_`, `aria_label`, `data_ts`.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    return f"<{name}{written}>{''.join(content)}</{name}>"


def link(url: str, label: str) -> str:
    """A link that opens in a new tab and sends no referrer; only its label if the URL is unsafe."""
    if not is_safe(url):
        return label
    return tag("a", label, href=url, target="_blank", rel="noopener noreferrer")


def is_safe(url: str) -> bool:
    """Only web and mail addresses become links; `javascript:` and its kind do not."""
    try:
        return urlsplit(url.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def code_block(code: str, language: str = "") -> str:
    """A fenced block with its language in the corner and a button that copies it."""
    head = tag(
        "figcaption",
        tag("span", text(language), class_="code-language"),
        tag("button", "Copy", type="button", class_="code-copy", data_copy=True),
    )
    body = tag("pre", tag("code", text(code)), tabindex="0")
    return tag("figure", head, body, class_="code", data_language=language or None)


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
