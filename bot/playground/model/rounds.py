"""Whether output items come back as a whole round, as OpenAI demands. Pure.

The ids of one response's items differ in their last two digits only, which count the items, so
what is missing shows without any memory of the response.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.playground.model.frames import JSON
from bot.playground.model.problems import invalid

_OURS = re.compile(r"(?:msg|rs|ws|fc)_([0-9a-f]{16,})([0-9a-f]{2})")


def check(items: Sequence[JSON]) -> None:
    """Raises `ApiError` where an item of a response comes without one that was before it."""
    next_of: dict[str, int] = {}
    for item in items:
        named = item.get("id")
        found = _OURS.fullmatch(named) if isinstance(named, str) else None
        if found is None:
            continue
        response, number = found[1], int(found[2], 16)
        if number != next_of.get(response, 0):
            kind = item.get("type")
            raise invalid(
                f"Item '{named}' of type '{kind}' was provided without its required item before "
                "it; send every output item of a response back, in order.",
                "input",
            )
        next_of[response] = number + 1
