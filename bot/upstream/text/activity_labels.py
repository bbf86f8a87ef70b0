"""What the model does besides writing, as labels for the reader. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.words import Phrase, Saying, sentence

MAX_LABEL_CHARACTERS = 120

_LABELS = {
    "reasoning": Phrase.THINKING,
    "file_search_call": Phrase.SEARCHING_FILES,
    "code_interpreter_call": Phrase.RUNNING_CODE,
    "image_generation_call": Phrase.DRAWING_IMAGE,
    "mcp_list_tools": Phrase.LOOKING_AT_TOOLS,
    "tool_search_call": Phrase.LOOKING_FOR_A_TOOL,
    "computer_call": Phrase.USING_COMPUTER,
    "shell_call": Phrase.RUNNING_COMMANDS,
    "local_shell_call": Phrase.RUNNING_COMMANDS,
    "compaction": Phrase.SHORTENING_CONVERSATION,
}

# For an answer without text, by the type of the last item that explains it.
_NO_TEXT_PHRASES = {
    "mcp_approval_request": Phrase.TOOL_NOT_ALLOWED,
    "image_generation_call": Phrase.IMAGE_NOT_SHOWN,
    "reasoning": Phrase.THOUGHT_ONLY,
}


def item_label(item: Mapping[str, Any]) -> Saying | None:
    """Return the label of an output item while it runs; None if the reader need not know."""
    kind = item.get("type")
    if kind == "web_search_call":
        return _web_search_label(item.get("action"))
    if kind == "mcp_call":
        name = _clipped(item.get("name"))
        return sentence(Phrase.USING_TOOL, tool=name) if name else Phrase.USING_A_TOOL
    if kind == "file_search_call" and (query := _first_clipped(item.get("queries"))):
        return sentence(Phrase.SEARCHING_FILES_FOR, query=query)
    return _LABELS.get(kind) if isinstance(kind, str) else None


def no_text_phrase(item_types: list[str], cut_off_reason: str) -> Phrase:
    """Return what is said for an answer without text, from the types of its items."""
    if cut_off_reason == "content_filter":
        return Phrase.WITHHELD_BY_FILTER
    if cut_off_reason:
        return Phrase.LENGTH_USED_UP
    for kind in reversed(item_types):
        if kind.endswith("_call") and kind not in _NO_TEXT_PHRASES:
            return Phrase.UNKNOWN_TOOL_ASKED
        if kind in _NO_TEXT_PHRASES and kind != "reasoning":
            return _NO_TEXT_PHRASES[kind]
    return _NO_TEXT_PHRASES["reasoning"] if "reasoning" in item_types else Phrase.NOTHING_WRITTEN


def clip(text: str) -> str:
    """Return one line of at most `MAX_LABEL_CHARACTERS` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LABEL_CHARACTERS else line[: MAX_LABEL_CHARACTERS - 1] + "…"


def _web_search_label(action: object) -> Saying:
    if not isinstance(action, dict):
        return Phrase.SEARCHING_WEB
    query = _clipped(action.get("query")) or _first_clipped(action.get("queries"))
    if query:
        return sentence(Phrase.SEARCHING_WEB_FOR, query=query)
    url = _clipped(action.get("url"))
    return sentence(Phrase.READING, page=url) if url else Phrase.SEARCHING_WEB


def _clipped(value: object) -> str:
    return clip(value) if isinstance(value, str) else ""


def _first_clipped(values: object) -> str:
    return _clipped(values[0]) if isinstance(values, list) and values else ""
