"""What the model does besides writing, in words a reader understands. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_WORDS = 120  # characters of a query or name that are shown

THINKING = "Thinking…"

_PLAIN = {
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

# Sentences for an answer that ends without a word of text, by the last item that says why.
_WORDLESS = {
    "mcp_approval_request": "The model asked to be allowed a tool; nobody can allow it here.",
    "image_generation_call": "The model drew an image, which can't be shown here.",
    "reasoning": "The model thought about it but wrote no answer. Asking again may help.",
}
EMPTY = "The model ended without writing an answer. Asking again may help."
NO_ROOM = "The model used up its length limit before it wrote an answer."
WITHHELD = "The answer was withheld by the model's content filter."


def of_item(item: Mapping[str, Any]) -> str:
    """Return what an output item means while it runs; "" for those a reader need not know."""
    kind = item.get("type")
    if kind == "web_search_call":
        return _web_search(item.get("action"))
    if kind == "mcp_call":
        return f"Using {_words(item.get('name')) or 'a tool'}…"
    if kind == "file_search_call" and (query := _first(item.get("queries"))):
        return f"Searching files: {query}"
    plain = _PLAIN.get(kind) if isinstance(kind, str) else None
    return f"{plain}…" if plain else ""


def without_text(kinds: list[str], cut_off: str) -> str:
    """Return the sentence for an answer that has no text, from the kinds of its items."""
    if cut_off == "content_filter":
        return WITHHELD
    if cut_off:
        return NO_ROOM
    for kind in reversed(kinds):
        if kind.endswith("_call") and kind not in _WORDLESS:
            return "The model asked for a tool this bot doesn't have, and wrote no answer."
        if kind in _WORDLESS and kind != "reasoning":
            return _WORDLESS[kind]
    return _WORDLESS["reasoning"] if "reasoning" in kinds else EMPTY


def clip(text: str) -> str:
    """Return one line of at most `MAX_WORDS` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def _web_search(action: object) -> str:
    if not isinstance(action, dict):
        return "Searching the web…"
    query = _words(action.get("query")) or _first(action.get("queries"))
    if query:
        return f"Searching the web: {query}"
    url = _words(action.get("url"))
    return f"Reading {url}" if url else "Searching the web…"


def _words(value: object) -> str:
    return clip(value) if isinstance(value, str) else ""


def _first(values: object) -> str:
    return _words(values[0]) if isinstance(values, list) and values else ""
