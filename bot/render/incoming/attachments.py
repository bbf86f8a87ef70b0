"""Attachments: alerts of apps, previews of links, pasted tables, forwarded messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.render.incoming.blocks import NO_DESCRIPTION, blocks_text, text_object
from bot.render.incoming.files import files_text
from bot.render.incoming.findings import Findings, labels_in, words_of
from bot.render.incoming.mrkdwn import link, mrkdwn, unescaped
from bot.render.incoming.payload import Payload, items, lines, mapping, one_line, quoted, string

EMPTY_FORWARD = "an empty forwarded message"

_FORWARDED = ("is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl")
_MENTION = re.compile(r"<@[UW][A-Z0-9]+>")
_NO_FALLBACK = frozenset({"[no preview available]", "this content can't be displayed."})


def attachments_text(attachments: Any, findings: Findings) -> str:
    """Return the words of a message's attachments, a blank line between two of them."""
    return lines((_attachment(each, findings) for each in items(attachments)), "\n\n")


def text_or_blocks(text: str, blocks: Any, findings: Findings) -> str:
    """Return the words of a message that has its text twice: as `text` and as blocks.

    Slack shows the blocks, and `text` where there are none or they hold no words. Beside blocks
    `text` is what notifications and screen readers say. Mostly it repeats the blocks, shortened or
    without their form, and is left out; it stays where the blocks lack most of its words.
    """
    below = Findings(labels=findings.labels | labels_in(text))
    shown = blocks_text(blocks, below)
    above = Findings(labels=below.labels)
    said = mrkdwn(text, above)
    if _repeats(said, shown, below):
        said = ""
    else:
        findings.add(above)
    findings.add(below)
    return lines([said, shown], "\n\n")


def _repeats(said: str, shown: str, below: Findings) -> bool:
    """Whether at least half of the words that were said, names apart, are shown too."""
    if not (below.has_words or below.mentions):
        return False
    words = words_of(_MENTION.sub("", said))
    return 2 * len(words & (words_of(shown) | below.aliases)) >= len(words)


def _attachment(attachment: Payload, findings: Findings) -> str:
    if any(attachment.get(name) for name in _FORWARDED) or items(attachment.get("message_blocks")):
        return _forward(attachment, findings)
    text = lines(_parts(attachment, findings))
    return text or _without_parts(attachment, findings)


def _parts(attachment: Payload, findings: Findings) -> Iterator[str]:
    """Yield what an attachment shows, from top to bottom."""
    yield mrkdwn(string(attachment.get("pretext")), findings)
    for name in ("service_name", "author_name", "author_subname"):
        yield one_line(findings.words(unescaped(string(attachment.get(name)))))
    yield from _middle(attachment, findings)


def _middle(attachment: Payload, findings: Findings) -> Iterator[str]:
    title = one_line(mrkdwn(string(attachment.get("title")), findings))
    yield link(string(attachment.get("title_link")), title, "[{label}]({url})") if title else ""
    yield text_or_blocks(string(attachment.get("text")), attachment.get("blocks"), findings)
    for field in items(attachment.get("fields")):
        yield _field(field, findings)
    preview = mapping(attachment.get("preview"))
    yield from (text_object(preview.get(name), findings) for name in ("title", "subtitle"))
    yield files_text(attachment.get("files"), findings)
    yield mrkdwn(string(attachment.get("footer")), findings)


def _field(field: Payload, findings: Findings) -> str:
    parts = (mrkdwn(string(field.get(name)), findings).strip() for name in ("title", "value"))
    return lines(parts, ": ")


def _without_parts(attachment: Payload, findings: Findings) -> str:
    """Return what stands for an attachment that shows no words: its fallback, or an image."""
    fallback = string(attachment.get("fallback"))
    if fallback.strip() and fallback.strip().casefold() not in _NO_FALLBACK:
        return mrkdwn(fallback, findings)
    if not (attachment.get("image_url") or attachment.get("thumb_url")):
        return ""
    findings.unreadable.append(NO_DESCRIPTION)
    return "[image]"


def _forward(attachment: Payload, findings: Findings) -> str:
    pretext = mrkdwn(string(attachment.get("pretext")), findings)
    body = lines(_forwarded(attachment, findings), "\n\n") or _without_parts(attachment, findings)
    if not body.strip():
        findings.unreadable.append(EMPTY_FORWARD)
        return lines([pretext, f"{_source(attachment, findings)}: (empty)"])
    return lines([pretext, f"{_source(attachment, findings)}:\n{quoted(body)}"])


def _forwarded(attachment: Payload, findings: Findings) -> Iterator[str]:
    """Yield what a forwarded message says; its `text` is a copy of its blocks."""
    messages = [mapping(each.get("message")) for each in items(attachment.get("message_blocks"))]
    blocks = [block for message in messages for block in items(message.get("blocks"))]
    yield lines(_middle({**attachment, "blocks": blocks or attachment.get("blocks")}, findings))
    for message in messages:
        yield attachments_text(message.get("attachments"), findings)
        yield files_text(message.get("files"), findings)


def _source(attachment: Payload, findings: Findings) -> str:
    """Return who wrote a forwarded message, and where."""
    fields = ("author_name", "author_subname", "channel_name")
    name, second, place = (one_line(unescaped(string(attachment.get(f)))) for f in fields)
    author = string(attachment.get("author_id"))
    who = name or second or (findings.mention(author) if author else "somebody")
    if name and second not in ("", name):
        who += f" ({second})"
    where = f" in {place if ' ' in place else f'#{place}'}" if place else ""
    return f"Forwarded message from {who}{where}"
