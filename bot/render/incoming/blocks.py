"""Reads all kinds of blocks as their visible text.

Ids, image URLs, values, and labels of buttons and menus are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bot.render.incoming.files import files_text
from bot.render.incoming.findings import Findings
from bot.render.incoming.mrkdwn import format_link, read_markdown, read_mrkdwn, unescape
from bot.render.incoming.payload import (
    Payload,
    as_mapping,
    as_string,
    collapse_whitespace,
    join_lines,
    mapping_items,
)
from bot.render.incoming.rich_text import rich_text
from bot.render.incoming.tables import chart, table
from bot.render.safety.edits import ZERO_WIDTH_SPACE

UNDESCRIBED_IMAGE_NAME = "an image without a description"

# Fields that people read, in the order in which blocks show them.
_TEXT_FIELDS = (
    *("author_name", "rich_text_title", "title", "subtitle", "header", "label", "text", "body"),
    *("message", "summary", "caption", "description", "details", "fields", "content", "hint"),
    *("elements", "items", "tasks", "rows", "child_blocks", "blocks", "cards", "output", "sources"),
    *("hero_image", "icon", "image", "alt_text", "footer", "provider_name"),
)
# What can be pressed or filled in.
_INTERACTIVE_TYPES = frozenset(
    {"button", "checkboxes", "radio_buttons", "overflow", "feedback_buttons", "icon_button"}
    | {"datepicker", "timepicker", "datetimepicker", "workflow_button", "file_input"}
)


def blocks_text(blocks: Any, findings: Findings) -> str:
    """The text of a list of blocks, separated by blank lines."""
    return join_lines((block_text(block, findings) for block in mapping_items(blocks)), "\n\n")


def block_text(block: Payload, findings: Findings) -> str:
    """The text of a block; "" for dividers and buttons."""
    kind = as_string(block.get("type"))
    reader = _READERS.get(kind, _unknown_block_text)
    return reader(block, findings)


def text_object(value: Any, findings: Findings) -> str:
    """The text of a text object of any type, or of a bare string."""
    match value:
        case str():
            return findings.note_words(unescape(value))
        case {"type": "mrkdwn", "text": str(text)}:
            return read_mrkdwn(text, findings)
        case {"type": "rich_text"}:
            return rich_text(value, findings)
        case {"text": str(text)}:
            return findings.note_words(unescape(text))
    return ""


def image(block: Payload, findings: Findings) -> str:
    """The title and the description of an image."""
    title = collapse_whitespace(text_object(block.get("title"), findings))
    alt = collapse_whitespace(findings.note_words(unescape(as_string(block.get("alt_text")))))
    shown = _distinct(title, alt)
    if not shown:
        findings.unreadable.append(UNDESCRIBED_IMAGE_NAME)
    return f"[image: {', '.join(shown)}]" if shown else "[image]"


def heading(block: Payload, findings: Findings) -> str:
    """A header block as a Markdown heading."""
    text = collapse_whitespace(text_object(block.get("text"), findings))
    level = block.get("level")
    marks = "#" * level if isinstance(level, int) and 1 <= level <= 6 else "##"
    return f"{marks} {text}" if text else ""


def _section(block: Payload, findings: Findings) -> str:
    fields = (text_object(each, findings) for each in mapping_items(block.get("fields")))
    accessory = as_mapping(block.get("accessory"))
    return join_lines(
        [text_object(block.get("text"), findings), *fields, _small_image(accessory, findings)]
    )


def _context(block: Payload, findings: Findings) -> str:
    return join_lines(
        (_context_element(each, findings) for each in mapping_items(block.get("elements"))), " "
    )


def _context_element(element: Payload, findings: Findings) -> str:
    if element.get("type") == "image":
        return _small_image(element, findings)
    return text_object(element, findings).strip()


def _small_image(element: Payload, findings: Findings) -> str:
    """The small image next to a text; without a description it is decoration."""
    described = element.get("type") == "image" and as_string(element.get("alt_text")).strip()
    return image(element, findings) if described else ""


def _video(block: Payload, findings: Findings) -> str:
    title, about, alt = (
        collapse_whitespace(text_object(block.get(name), findings))
        for name in ("title", "description", "alt_text")
    )
    names = (unescape(as_string(block.get(name))) for name in ("author_name", "provider_name"))
    return f"[video: {', '.join(_distinct(title, about, alt, *map(collapse_whitespace, names)))}]"


def _markdown(block: Payload, findings: Findings) -> str:
    return read_markdown(as_string(block.get("text")), findings).replace(ZERO_WIDTH_SPACE, "")


def _file(block: Payload, findings: Findings) -> str:
    return files_text([block.get("file")], findings)


def _no_text(block: Payload, findings: Findings) -> str:
    return ""


def _unknown_block_text(block: Payload, findings: Findings) -> str:
    """The text of a block of an unknown kind."""
    return join_lines(_unknown_block_parts(block, findings))


def _unknown_block_parts(block: Payload, findings: Findings) -> Iterator[str]:
    for name in _TEXT_FIELDS:
        if name == "title" and block.get("rich_text_title"):
            continue  # the other takes its place
        yield _field_text(block.get(name), findings)


def _field_text(value: Any, findings: Findings) -> str:
    if isinstance(value, list):
        return join_lines(_field_text(each, findings) for each in value)
    if isinstance(value, str):
        return text_object(value, findings)
    inner = as_mapping(value)
    kind = as_string(inner.get("type"))
    if kind in _INTERACTIVE_TYPES or kind.endswith(("_select", "_input")):
        return ""
    if kind == "url":
        label = text_object(inner.get("text"), findings)
        return format_link(as_string(inner.get("url")), label, "[{label}]({url})")
    if kind in ("mrkdwn", "plain_text"):
        return text_object(inner, findings)
    return block_text(inner, findings) if inner else ""


def _distinct(*texts: str) -> list[str]:
    """The texts without empty ones and duplicates."""
    return list(dict.fromkeys(text for text in texts if text))


_READERS: dict[str, Callable[[Payload, Findings], str]] = {
    "rich_text": rich_text,
    "section": _section,
    "header": heading,
    "context": _context,
    "table": table,
    "data_table": table,
    "data_visualization": chart,
    "markdown": _markdown,
    "image": image,
    "video": _video,
    "file": _file,
    "actions": _no_text,
    "context_actions": _no_text,
    "divider": _no_text,
}
