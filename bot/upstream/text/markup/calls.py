"""Removes the markup of tool calls from a complete text. Pure.

Markup is removed only if the model also made a real call of a tool whose name is in the markup.
Which calls are real is only known at the end of a round. Other markup, and markup in code, is left
alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from bot.upstream.text.markup.code import CODE_STEP_PATTERN, CodeState
from bot.upstream.text.markup.tokens import KIMI_CALL, TOOL_CALL_TAGS

_OPENERS = "|".join(map(re.escape, TOOL_CALL_TAGS))
_STEP = re.compile(
    f"{CODE_STEP_PATTERN}|(?P<call>{_OPENERS}|{KIMI_CALL.pattern})", re.MULTILINE | re.IGNORECASE
)
_JSON = json.JSONDecoder()
# How far after an opener its JSON may begin.
_MAX_JSON_GAP_CHARACTERS = 100
# After so many openers without JSON the search ends, because each costs time.
_MAX_FAILED_OPENERS = 20
_STRAY_CLOSER = re.compile(
    rf"\A\s*(?:{'|'.join(re.escape(closer) for closer in TOOL_CALL_TAGS.values() if closer)})\s*\Z"
)


def strip_tool_calls(text: str, tool_names: Collection[str]) -> str:
    """Return the text without markup of calls that contains the name of one of these tools."""
    wanted = [name for name in tool_names if name]
    if not wanted:
        return text
    kept, at = "", 0
    for start, end in _find_calls(text):
        if any(name in text[start:end] for name in wanted):
            kept, at = _join_around(kept, text[at:start]) if at else text[:start], end
    if _STRAY_CLOSER.match(text[at:]):
        return kept.rstrip()
    return _join_around(kept, text[at:]).rstrip() if at else text


def _join_around(before: str, after: str) -> str:
    """Join the text before and after a call."""
    after = after.strip()
    if not before:
        return after
    return f"{before.rstrip()}\n\n{after}" if after else before


def _find_calls(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each call's markup outside code."""
    code, at, failed = CodeState(), 0, 0
    while failed < _MAX_FAILED_OPENERS and (found := _STEP.search(text, at)):
        at = found.end()
        if not found["call"]:
            code.advance(found)
        elif not code.is_inside:
            end = _call_end(text, found)
            failed += not end
            if end:
                at = end
                yield found.start(), at


def _call_end(text: str, opener: re.Match[str]) -> int:
    """Return the end of a call's markup: of its closer, else of its JSON, else of the text.

    0 if it has no JSON but needs it.
    """
    at = opener.end()
    closer = TOOL_CALL_TAGS.get(opener[0].lower())
    if closer and (found := text.find(closer, at)) >= 0:
        return found + len(closer)
    starts = [
        place for mark in "{[" if (place := text.find(mark, at, at + _MAX_JSON_GAP_CHARACTERS)) >= 0
    ]
    if closer != "" and starts:
        try:
            return _JSON.raw_decode(text, min(starts))[1]
        except (ValueError, RecursionError):
            pass
    return 0 if closer is None else len(text)
