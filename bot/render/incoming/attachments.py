"""Attachments: alerts of apps, previews of links, pasted tables, forwarded messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.render.incoming.blocks import UNDESCRIBED_IMAGE_NAME, blocks_text, text_object
from bot.render.incoming.files import files_text
from bot.render.incoming.findings import Findings, find_labels, word_set
from bot.render.incoming.mrkdwn import format_link, read_mrkdwn, unescape
from bot.render.incoming.payload import (
    Payload,
    as_mapping,
    as_string,
    collapse_whitespace,
    join_lines,
    mapping_items,
    quote_markdown,
)

EMPTY_FORWARD_NAME = "an empty forwarded message"

_FORWARD_FLAGS = ("is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl")
_MENTION = re.compile(r"<@[UW][A-Z0-9]+>")
_EMPTY_FALLBACKS = frozenset({"[no preview available]", "this content can't be displayed."})


def attachments_text(attachments: Any, findings: Findings) -> str:
    """The text of a message's attachments, separated by blank lines."""
    return join_lines(
        (_attachment_text(each, findings) for each in mapping_items(attachments)), "\n\n"
    )


def text_or_blocks(text: str, blocks: Any, findings: Findings) -> str:
    """The text of a message that has it twice, as `text` and as blocks.

    Slack displays the blocks, and `text` if there are none. With blocks, `text` is for
    notifications and screen readers. It is left out if it repeats the blocks, as it mostly does,
    and kept if the blocks lack most of its words.
    """
    in_blocks = Findings(labels=findings.labels | find_labels(text))
    blocks_part = blocks_text(blocks, in_blocks)
    in_text = Findings(labels=in_blocks.labels)
    text_part = read_mrkdwn(text, in_text)
    if _repeats(text_part, blocks_part, in_blocks):
        text_part = ""
    else:
        findings.merge(in_text)
    findings.merge(in_blocks)
    return join_lines([text_part, blocks_part], "\n\n")


def _repeats(text_part: str, blocks_part: str, in_blocks: Findings) -> bool:
    """Whether at least half of the words in the text, without mentions, are in the blocks."""
    if not (in_blocks.has_words or in_blocks.mentions):
        return False
    words = word_set(_MENTION.sub("", text_part))
    return 2 * len(words & (word_set(blocks_part) | in_blocks.aliases)) >= len(words)


def _attachment_text(attachment: Payload, findings: Findings) -> str:
    if any(attachment.get(name) for name in _FORWARD_FLAGS) or mapping_items(
        attachment.get("message_blocks")
    ):
        return _forward_text(attachment, findings)
    text = join_lines(_parts(attachment, findings))
    return text or _fallback_text(attachment, findings)


def _parts(attachment: Payload, findings: Findings) -> Iterator[str]:
    """The displayed parts of an attachment, from top to bottom."""
    yield read_mrkdwn(as_string(attachment.get("pretext")), findings)
    for name in ("service_name", "author_name", "author_subname"):
        yield collapse_whitespace(findings.note_words(unescape(as_string(attachment.get(name)))))
    yield from _main_parts(attachment, findings)


def _main_parts(attachment: Payload, findings: Findings) -> Iterator[str]:
    title = collapse_whitespace(read_mrkdwn(as_string(attachment.get("title")), findings))
    yield (
        format_link(as_string(attachment.get("title_link")), title, "[{label}]({url})")
        if title
        else ""
    )
    yield text_or_blocks(as_string(attachment.get("text")), attachment.get("blocks"), findings)
    for field in mapping_items(attachment.get("fields")):
        yield _field_text(field, findings)
    preview = as_mapping(attachment.get("preview"))
    yield from (text_object(preview.get(name), findings) for name in ("title", "subtitle"))
    yield files_text(attachment.get("files"), findings)
    yield read_mrkdwn(as_string(attachment.get("footer")), findings)


def _field_text(field: Payload, findings: Findings) -> str:
    parts = (
        read_mrkdwn(as_string(field.get(name)), findings).strip() for name in ("title", "value")
    )
    return join_lines(parts, ": ")


def _fallback_text(attachment: Payload, findings: Findings) -> str:
    """The fallback of an attachment without text, or "[image]"."""
    fallback = as_string(attachment.get("fallback"))
    if fallback.strip() and fallback.strip().casefold() not in _EMPTY_FALLBACKS:
        return read_mrkdwn(fallback, findings)
    if not (attachment.get("image_url") or attachment.get("thumb_url")):
        return ""
    findings.unreadable.append(UNDESCRIBED_IMAGE_NAME)
    return "[image]"


def _forward_text(attachment: Payload, findings: Findings) -> str:
    pretext = read_mrkdwn(as_string(attachment.get("pretext")), findings)
    body = join_lines(_forwarded_parts(attachment, findings), "\n\n") or _fallback_text(
        attachment, findings
    )
    if not body.strip():
        findings.unreadable.append(EMPTY_FORWARD_NAME)
        return join_lines([pretext, f"{_forward_source(attachment, findings)}: (empty)"])
    return join_lines(
        [pretext, f"{_forward_source(attachment, findings)}:\n{quote_markdown(body)}"]
    )


def _forwarded_parts(attachment: Payload, findings: Findings) -> Iterator[str]:
    """The parts of a forwarded message, whose `text` is a copy of its blocks."""
    messages = [
        as_mapping(each.get("message")) for each in mapping_items(attachment.get("message_blocks"))
    ]
    blocks = [block for message in messages for block in mapping_items(message.get("blocks"))]
    yield join_lines(
        _main_parts({**attachment, "blocks": blocks or attachment.get("blocks")}, findings)
    )
    for message in messages:
        yield attachments_text(message.get("attachments"), findings)
        yield files_text(message.get("files"), findings)


def _forward_source(attachment: Payload, findings: Findings) -> str:
    """The author and the channel of a forwarded message."""
    fields = ("author_name", "author_subname", "channel_name")
    name, second, place = (
        collapse_whitespace(unescape(as_string(attachment.get(f)))) for f in fields
    )
    author = as_string(attachment.get("author_id"))
    who = name or second or (findings.add_mention(author) if author else "somebody")
    if name and second not in ("", name):
        who += f" ({second})"
    where = f" in {place if ' ' in place else f'#{place}'}" if place else ""
    return f"Forwarded message from {who}{where}"
