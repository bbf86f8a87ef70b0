"""How long a server asks to wait, from headers or the error's message. Pure.

Both forms: docs/upstream.md#retry-hints. A wait that is negative or not finite is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime

_WAIT_PHRASE = re.compile(
    r"(?:try again|retry|wait)\w*(?: \w+){0,2}? (?:in|after|for) "
    r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?"
    r"(?:(?P<n>\d+(?:\.\d+)?) ?(?P<unit>ms|milliseconds?|s|seconds?|minutes?)\b)?",
    re.IGNORECASE,
)

# litellm forwards the header of the server behind it with this prefix (seen in 1.106.2).
LITELLM_HEADER_PREFIX = "llm_provider-"


def wait_from_headers(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in `retry-after-ms` or `retry-after`; None without a valid one."""
    for name in ("retry-after-ms", f"{LITELLM_HEADER_PREFIX}retry-after-ms"):
        with suppress(KeyError, ValueError):
            return valid_wait(float(headers[name]) / 1000)
    asked = (
        headers.get("retry-after") or headers.get(f"{LITELLM_HEADER_PREFIX}retry-after", "")
    ).strip()
    with suppress(ValueError):
        return valid_wait(float(asked))
    then, here = _parse_date(asked), _parse_date(headers.get("date", ""))
    if then is None or here is None:
        return None
    return max(0.0, (then - here).total_seconds())


def wait_from_message(message: str) -> float | None:
    """Return the seconds in a message such as `try again in 6.5s`; None if it has none."""
    for found in _WAIT_PHRASE.finditer(message):
        if any(found[name] for name in ("h", "m", "n")):
            return _total_seconds(found)
    return None


def valid_wait(value: float) -> float | None:
    """Return `value` if it is a wait in seconds, else None."""
    return value if 0 <= value < float("inf") else None


def _parse_date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return when if when.tzinfo else None


def _total_seconds(found: re.Match[str]) -> float:
    unit = (found["unit"] or "").lower()
    scale = 0.001 if unit.startswith("m") and not unit.startswith("min") else 1
    scale = 60 if unit.startswith("min") else scale
    parts = (int(found["h"] or 0) * 3600, int(found["m"] or 0) * 60, float(found["n"] or 0) * scale)
    return float(sum(parts))
