"""Block Kit blocks to HTML, for messages, App Home and modals.

https://docs.slack.dev/reference/block-kit/blocks. A block the playground cannot show says so
instead of vanishing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.playground.page import elements, markdown, rich_text
from bot.playground.page.elements import words
from bot.playground.page.markup import tag, text
from bot.playground.page.names import Names

Block = Mapping[str, Any]


def to_html(blocks: Iterable[Block], names: Names) -> str:
    """The blocks one under the other, each marked with its block_id."""
    return "".join(
        tag(
            "div",
            _BUILDERS.get(str(block.get("type")), _unknown)(block, names),
            class_=f"block {text(block.get('type'))}",
            data_block=block.get("block_id"),
        )
        for block in blocks
    )


def _section(block: Block, names: Names) -> str:
    fields = (tag("div", words(field, names)) for field in block.get("fields") or ())
    body = words(block.get("text"), names) if block.get("text") else ""
    grid = tag("div", *fields, class_="fields") if block.get("fields") else ""
    accessory = block.get("accessory")
    aside = tag("div", elements.to_html(accessory, names), class_="accessory") if accessory else ""
    return tag("div", body, grid, class_="section-body") + aside


def _header(block: Block, names: Names) -> str:
    return tag("h2", words(block.get("text"), names))


def _context(block: Block, names: Names) -> str:
    return "".join(tag("div", _context_part(part, names)) for part in block.get("elements", ()))


def _context_part(part: Block, names: Names) -> str:
    is_image = part.get("type") == "image"
    return elements.to_html(part, names) if is_image else words(part, names)


def _actions(block: Block, names: Names) -> str:
    return "".join(elements.to_html(element, names) for element in block.get("elements", ()))


def _divider(block: Block, names: Names) -> str:
    return "<hr>"


def _markdown(block: Block, names: Names) -> str:
    return markdown.to_html(str(block.get("text", "")), names)


def _image(block: Block, names: Names) -> str:
    title = words(block.get("title"), names) if block.get("title") else ""
    return title + " " + elements.to_html(block, names)


def _input(block: Block, names: Names) -> str:
    """A labelled field; the page puts the app's complaint about it into the last element."""
    element = block.get("element") or {}
    several = element.get("type") in ("radio_buttons", "checkboxes")
    optional = tag("small", " (optional)") if block.get("optional") else ""
    hint = tag("small", words(block["hint"], names), class_="hint") if block.get("hint") else ""
    return tag(
        "fieldset" if several else "label",
        tag("legend" if several else "span", words(block.get("label"), names), optional),
        elements.to_html(element, names),
        hint,
        tag("span", class_="complaint", role="alert"),
        data_required=not block.get("optional"),
    )


def _table(block: Block, names: Names) -> str:
    rows = [
        tag("tr", *(tag("th" if head else "td", _cell(cell, names)) for cell in row))
        for head, row in zip([True, *[False] * 100], block.get("rows", ()), strict=False)
    ]
    return tag("div", tag("table", *rows), class_="table", tabindex="0")


def _task(block: Block, names: Names) -> str:
    status = str(block.get("status") or "pending")
    title = tag("b", text(block.get("title") or block.get("task_id")))
    said = (block.get(name) for name in ("details", "output"))
    below = (tag("p", text(each)) for each in said if isinstance(each, str) and each)
    return tag("p", title, " ", tag("small", text(status.replace("_", " ")))) + "".join(below)


def _plan(block: Block, names: Names) -> str:
    return tag("p", tag("b", text(block.get("title"))))


def _cell(cell: Block, names: Names) -> str:
    if cell.get("type") == "rich_text":
        return rich_text.to_html(cell, names)
    return elements.plain(str(cell.get("text", "")))


def _unknown(block: Block, names: Names) -> str:
    return tag("p", text(f"[{block.get('type')} block: not shown here]"), class_="unsupported")


_BUILDERS: dict[str, Callable[[Block, Names], str]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "divider": _divider,
    "markdown": _markdown,
    "rich_text": rich_text.to_html,
    "image": _image,
    "input": _input,
    "table": _table,
    "task_card": _task,
    "plan": _plan,
}
