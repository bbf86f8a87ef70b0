"""What the model does besides writing, as labels for the reader. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_LABEL_CHARACTERS = 120

THINKING_LABEL = "Thinking…"

_LABELS = {
    "reasoning": "Thinking",
    "file_search_call": "Searching files",
    "code_interpreter_call": "Running code",
    "image_generation_call": "Drawing an image",
    "mcp_list_tools": "Looking at the tools it has",
    "tool_search_call": "Looking for a tool",
    "computer_call": "Using a computer",
    "shell_call": "Running commands",
    "local_shell_call": "Running commands",
    "compaction": "Shortening the conversation",
}

# Sentences for an answer without text, by the type of the last item that explains it.
_NO_TEXT_SENTENCES = {
    "mcp_approval_request": "The model asked to be allowed a tool; nobody can allow it here.",
    "image_generation_call": "The model drew an image, which can't be shown here.",
    "reasoning": "The model thought about it but wrote no answer. Asking again may help.",
}
EMPTY_ANSWER_SENTENCE = "The model ended without writing an answer. Asking again may help."
LENGTH_LIMIT_SENTENCE = "The model used up its length limit before it wrote an answer."
CONTENT_FILTER_SENTENCE = "The answer was withheld by the model's content filter."


def item_label(item: Mapping[str, Any]) -> str:
    """Return the label of an output item while it runs; "" if the reader need not know."""
    kind = item.get("type")
    if kind == "web_search_call":
        return _web_search_label(item.get("action"))
    if kind == "mcp_call":
        return f"Using {_clipped(item.get('name')) or 'a tool'}…"
    if kind == "file_search_call" and (query := _first_clipped(item.get("queries"))):
        return f"Searching files: {query}"
    plain = _LABELS.get(kind) if isinstance(kind, str) else None
    return f"{plain}…" if plain else ""


def no_text_sentence(item_types: list[str], cut_off_reason: str) -> str:
    """Return the sentence for an answer without text, from the types of its items."""
    if cut_off_reason == "content_filter":
        return CONTENT_FILTER_SENTENCE
    if cut_off_reason:
        return LENGTH_LIMIT_SENTENCE
    for kind in reversed(item_types):
        if kind.endswith("_call") and kind not in _NO_TEXT_SENTENCES:
            return "The model asked for a tool this bot doesn't have, and wrote no answer."
        if kind in _NO_TEXT_SENTENCES and kind != "reasoning":
            return _NO_TEXT_SENTENCES[kind]
    return _NO_TEXT_SENTENCES["reasoning"] if "reasoning" in item_types else EMPTY_ANSWER_SENTENCE


def clip(text: str) -> str:
    """Return one line of at most `MAX_LABEL_CHARACTERS` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LABEL_CHARACTERS else line[: MAX_LABEL_CHARACTERS - 1] + "…"


def _web_search_label(action: object) -> str:
    if not isinstance(action, dict):
        return "Searching the web…"
    query = _clipped(action.get("query")) or _first_clipped(action.get("queries"))
    if query:
        return f"Searching the web: {query}"
    url = _clipped(action.get("url"))
    return f"Reading {url}" if url else "Searching the web…"


def _clipped(value: object) -> str:
    return clip(value) if isinstance(value, str) else ""


def _first_clipped(values: object) -> str:
    return _clipped(values[0]) if isinstance(values, list) and values else ""
