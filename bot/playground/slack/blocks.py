"""What Slack refuses in blocks and texts. Pure: no state, no network.

Sizes: docs/slack.md#size-limits (https://docs.slack.dev/reference/block-kit/blocks); wording of the
problems as Slack's: what is wrong, and a JSON pointer to it. Block types of rare use are let
through unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.playground.slack.limits import Limits
from bot.playground.slack.records import Json
from bot.playground.slack.refused import Refused

MOST_BLOCKS = 50
MOST_BLOCKS_IN_VIEW = 100
ALL_TEXT = 13_200  # measured: all text of a message's blocks, msg_blocks_too_long (bolt-js #2509)
NO_FALLBACK = "This content can't be displayed."

Problems = Iterator[str]
UNCHECKED = frozenset(
    {
        *("alert", "auth_provider", "call", "card", "carousel", "container", "data_table"),
        *("data_visualization", "file", "plan", "rich_text", "table", "task_card", "video"),
    },
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says, checked. `warning` is Slack's, "" when there is none."""

    text: str
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    warning: str = ""

    def fields(self) -> dict[str, Any]:
        """The fields of a `Message` this content fills."""
        return {"text": self.text, "blocks": self.blocks, "attachments": self.attachments}


def content(args: Json, limits: Limits, *, update: bool = False) -> Content:
    """The content of a post or an update. Raises `Refused` with Slack's error."""
    text, markdown = str(args.get("text") or ""), str(args.get("markdown_text") or "")
    blocks, attachments = args.get("blocks") or [], args.get("attachments") or []
    if markdown and (text or blocks):
        raise Refused("markdown_text_conflict")
    if len(markdown) > limits.markdown:
        raise Refused("msg_too_long")
    if not (text or markdown or blocks or attachments):
        raise Refused("no_text")
    if update and len(text.encode()) > limits.update_text:
        raise Refused("msg_too_long")
    if markdown:
        blocks, text = [{"type": "markdown", "text": markdown}], markdown
    check(blocks, limits)
    text = text or NO_FALLBACK
    cut = len(text) > limits.post_text
    return Content(
        text[: limits.post_text],
        tuple(numbered(blocks)),
        tuple(attachments),
        "message_truncated" if cut else "",
    )


def check(blocks: Any, limits: Limits) -> None:
    """Raise `Refused` when a message may not carry these blocks."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_blocks_format")
    found = list(problems(blocks, "/blocks", MOST_BLOCKS, limits))
    if found:
        raise Refused("invalid_blocks", *found)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > limits.markdown or _letters(blocks) > ALL_TEXT:
        raise Refused("msg_blocks_too_long")


def check_view(view: Any, limits: Limits) -> None:
    """Raise `Refused` when no view can look like this."""
    if not isinstance(view, dict):
        raise Refused("invalid_arguments", "must be an object [json-pointer:/view]")
    blocks = view.get("blocks")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_arguments", "missing required field: blocks [json-pointer:/view]")
    found = list(problems(blocks, "/view/blocks", MOST_BLOCKS_IN_VIEW, limits))
    found += [
        f"unsupported type: {block['type']} [json-pointer:/view/blocks/{index}/type]"
        for index, block in enumerate(blocks)
        if block.get("type") == "context_actions"
    ]
    if view.get("type") == "modal":
        found += _text(view.get("title"), "/view/title", 24, plain=True)
    elif view.get("type") != "home":
        found.append("unsupported type [json-pointer:/view/type]")
    if len(view.get("private_metadata") or "") > 3_000:
        found.append(_too_long(3_000, "/view/private_metadata"))
    if found:
        raise Refused("invalid_arguments", *found)


def problems(blocks: list[Json], at: str, most: int, limits: Limits) -> Problems:
    """Everything wrong with a list of blocks."""
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}]"
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        here = f"{at}/{index}"
        yield from _block(block, here, limits)
        block_id = block.get("block_id")
        if block_id and len(block_id) > 255:
            yield _too_long(255, f"{here}/block_id")
        if block_id and block_id in seen:
            yield f'"{block_id}" already exists [json-pointer:{here}/block_id]'
        seen.add(block_id or "")


def numbered(blocks: list[Json]) -> Iterator[Json]:
    """The blocks with an id each, as Slack gives one to those that came without."""
    for index, block in enumerate(blocks):
        yield {"block_id": f"b{index}", **block}


def _block(block: Json, at: str, limits: Limits) -> Problems:
    kind = block.get("type")
    if kind == "markdown":
        yield from _markdown(block, at, limits)
    elif kind in _CHECKS:
        yield from _CHECKS[kind](block, at)
    elif kind not in UNCHECKED:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"


def _markdown(block: Json, at: str, limits: Limits) -> Problems:
    text = block.get("text")
    if not isinstance(text, str):
        yield f"missing required field: text [json-pointer:{at}]"
    elif not text:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    elif len(text) > limits.markdown:
        yield _too_long(limits.markdown, f"{at}/text")


def _section(block: Json, at: str) -> Problems:
    fields = block.get("fields") or []
    if not block.get("text") and not fields:
        yield f"must define either `text` or `fields` [json-pointer:{at}]"
    if block.get("text"):
        yield from _text(block["text"], f"{at}/text", 3_000)
    yield from _most(fields, 10, f"{at}/fields")
    for index, field in enumerate(fields):
        yield from _text(field, f"{at}/fields/{index}", 2_000)
    if block.get("accessory"):
        yield from _element(block["accessory"], f"{at}/accessory")


def _header(block: Json, at: str) -> Problems:
    yield from _text(block.get("text"), f"{at}/text", 150, plain=True)


def _context(block: Json, at: str) -> Problems:
    yield from _elements(block, at, 10)
    for index, element in enumerate(block.get("elements") or []):
        if isinstance(element, dict) and element.get("type") != "image":
            yield from _text(element, f"{at}/elements/{index}", 3_000)


def _actions(block: Json, at: str, most: int = 25) -> Problems:
    yield from _elements(block, at, most)
    seen: set[str] = set()
    for index, element in enumerate(block.get("elements") or []):
        here = f"{at}/elements/{index}"
        yield from _element(element, here)
        action_id = element.get("action_id", "") if isinstance(element, dict) else ""
        if action_id and action_id in seen:
            yield f"`action_id` {action_id} already exists [json-pointer:{here}/action_id]"
        seen.add(action_id)


def _context_actions(block: Json, at: str) -> Problems:
    yield from _actions(block, at, 5)
    for index, element in enumerate(block.get("elements") or []):
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in (None, "feedback_buttons", "icon_button"):
            yield f"unsupported type: {kind} [json-pointer:{at}/elements/{index}/type]"


def _image(block: Json, at: str) -> Problems:
    if not (block.get("image_url") or block.get("slack_file")):
        yield f"missing required field: image_url [json-pointer:{at}]"
    if not block.get("alt_text"):
        yield f"missing required field: alt_text [json-pointer:{at}]"


def _input(block: Json, at: str) -> Problems:
    yield from _text(block.get("label"), f"{at}/label", 2_000, plain=True)
    yield from _element(block.get("element"), f"{at}/element")


def _divider(_block_: Json, _at: str) -> Problems:
    return iter(())


_CHECKS: dict[str, Callable[[Json, str], Problems]] = {
    "actions": _actions,
    "context": _context,
    "context_actions": _context_actions,
    "divider": _divider,
    "header": _header,
    "image": _image,
    "input": _input,
    "section": _section,
}


def _elements(block: Json, at: str, most: int) -> Problems:
    elements = block.get("elements")
    if not isinstance(elements, list):
        yield f"missing required field: elements [json-pointer:{at}]"
    elif not elements:
        yield f"must provide at least 1 items [json-pointer:{at}/elements]"
    else:
        yield from _most(elements, most, f"{at}/elements")


def _element(element: Any, at: str) -> Problems:
    if not isinstance(element, dict) or not element.get("type"):
        yield f"missing required field: type [json-pointer:{at}]"
        return
    if len(str(element.get("action_id") or "")) > 255:
        yield _too_long(255, f"{at}/action_id")
    if element["type"] == "feedback_buttons":
        for name in ("positive_button", "negative_button"):
            yield from _feedback_button(element.get(name), f"{at}/{name}")
    elif element["type"] == "button":
        yield from _text(element.get("text"), f"{at}/text", 75, plain=True)
        if len(str(element.get("value") or "")) > 2_000:
            yield _too_long(2_000, f"{at}/value")
        if element.get("style", "primary") not in ("primary", "danger"):
            yield f"failed to match any allowed value [json-pointer:{at}/style]"
    elif element["type"] == "overflow":
        yield from _options(element.get("options") or [], f"{at}/options")


def _feedback_button(button: Any, at: str) -> Problems:
    """One of the two
    (https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element)."""
    if not isinstance(button, dict):
        yield f"missing required field [json-pointer:{at}]"
        return
    yield from _text(button.get("text"), f"{at}/text", 75, plain=True)
    if not button.get("value"):
        yield f"missing required field: value [json-pointer:{at}]"
    if len(str(button.get("value") or "")) > 2_000:
        yield _too_long(2_000, f"{at}/value")
    if len(str(button.get("accessibility_label") or "")) > 75:
        yield _too_long(75, f"{at}/accessibility_label")


def _options(options: Any, at: str) -> Problems:
    """The lines of an overflow menu
    (https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element)."""
    if not options:
        yield f"must provide at least 1 items [json-pointer:{at}]"
    yield from _most(options, 5, at)
    for index, option in enumerate(options):
        yield from _text(option.get("text"), f"{at}/{index}/text", 75, plain=True)
        if not 0 < len(str(option.get("value") or "")) <= 150:
            yield f"must be 1 to 150 characters [json-pointer:{at}/{index}/value]"


def _text(text: Any, at: str, most: int, *, plain: bool = False) -> Problems:
    if not isinstance(text, dict):
        yield f"missing required field [json-pointer:{at}]"
    elif text.get("type") not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        yield f"unsupported type: {text.get('type')} [json-pointer:{at}/type]"
    elif not text.get("text"):
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    elif len(str(text["text"])) > most:
        yield _too_long(most, f"{at}/text")


def _most(items: Any, most: int, at: str) -> Problems:
    if len(items) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}]"


def _too_long(most: int, at: str) -> str:
    return f"must be less than {most + 1} characters [json-pointer:{at}]"


def _letters(node: Any) -> int:
    if isinstance(node, list):
        return sum(_letters(item) for item in node)
    if not isinstance(node, dict):
        return 0
    own = len(node["text"]) if isinstance(node.get("text"), str) else 0
    return own + sum(_letters(value) for value in node.values())
