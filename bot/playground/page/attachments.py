"""Attachments as Slack shows them: alerts of other apps, forwarded messages, pasted tables
(https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.page import blocks, mrkdwn
from bot.playground.page.markup import link, tag, text
from bot.playground.page.names import Names


def to_html(part: Mapping[str, Any], who: Names) -> str:
    """One attachment; its `fallback` only where it holds nothing else."""
    pieces = [
        _line(part, "author_name", "author_link", "attachment-author"),
        _line(part, "title", "title_link", "attachment-title"),
        blocks.to_html(part.get("blocks") or (), who),
        mrkdwn.to_html(str(part.get("text") or ""), who),
        _fields(part.get("fields") or (), who),
        _line(part, "footer", "", "attachment-footer"),
    ]
    pretext = mrkdwn.to_html(str(part.get("pretext") or ""), who)
    inside = "".join(pieces)
    if not inside and not pretext:
        inside = mrkdwn.to_html(str(part.get("fallback") or ""), who)
    return pretext + (tag("div", inside, class_="attachment") if inside else "")


def _line(part: Mapping[str, Any], name: str, target: str, kind: str) -> str:
    words = str(part.get(name) or "")
    return tag("p", link(str(part.get(target) or ""), text(words)), class_=kind) if words else ""


def _fields(fields: object, who: Names) -> str:
    found = [one for one in fields if isinstance(one, Mapping)] if isinstance(fields, list) else []
    each = (
        tag(
            "div",
            tag("b", text(one.get("title") or "")),
            mrkdwn.to_html(str(one.get("value") or ""), who),
        )
        for one in found
    )
    return tag("div", *each, class_="fields") if found else ""
