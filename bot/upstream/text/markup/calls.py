"""Drops the markup of tool calls from a whole text. Pure.

Whether markup is a call that also came as a real one is known only at the end of a round: its
name is then found inside. Other markup, and markup in code, is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from bot.upstream.text.markup.code import STEPS, Code
from bot.upstream.text.markup.tokens import CALLS, NUMBERED_CALL

_OPENERS = "|".join(map(re.escape, CALLS))
_STEP = re.compile(
    f"{STEPS}|(?P<call>{_OPENERS}|{NUMBERED_CALL.pattern})", re.MULTILINE | re.IGNORECASE
)
_JSON = json.JSONDecoder()
# How far behind an opener its JSON may begin.
_NEAR = 100
# Openers without JSON behind them, after which no more are looked at: each costs time.
_MOST_FAILED = 20
_STRAY = re.compile(
    rf"\A\s*(?:{'|'.join(re.escape(closer) for closer in CALLS.values() if closer)})\s*\Z"
)


def without_calls(text: str, names: Collection[str]) -> str:
    """Return the text without the markup of calls by these names; other text is unchanged."""
    wanted = [name for name in names if name]
    if not wanted:
        return text
    kept, at = "", 0
    for start, end in _blocks(text):
        if any(name in text[start:end] for name in wanted):
            kept, at = _joined(kept, text[at:start]) if at else text[:start], end
    if _STRAY.match(text[at:]):
        return kept.rstrip()
    return _joined(kept, text[at:]).rstrip() if at else text


def _joined(before: str, after: str) -> str:
    """Put together what stood on both sides of a call."""
    after = after.strip()
    if not before:
        return after
    return f"{before.rstrip()}\n\n{after}" if after else before


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield where markup of a call begins and ends, outside code."""
    code, at, failed = Code(), 0, 0
    while failed < _MOST_FAILED and (found := _STEP.search(text, at)):
        at = found.end()
        if not found["call"]:
            code.step(found)
        elif not code.inside:
            end = _end(text, found)
            failed += not end
            if end:
                at = end
                yield found.start(), at


def _end(text: str, opener: re.Match[str]) -> int:
    """Return where a block ends: at its closer, else with its JSON, else with the text.

    0: what needs JSON behind it has none.
    """
    at = opener.end()
    closer = CALLS.get(opener[0].lower())
    if closer and (found := text.find(closer, at)) >= 0:
        return found + len(closer)
    starts = [place for mark in "{[" if (place := text.find(mark, at, at + _NEAR)) >= 0]
    if closer != "" and starts:
        try:
            return _JSON.raw_decode(text, min(starts))[1]
        except (ValueError, RecursionError):
            pass
    return 0 if closer is None else len(text)
