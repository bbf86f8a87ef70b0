"""Checks that a round of tool calls is sent back complete, as servers demand. Pure.

Nothing of a response is remembered for that. The ids of one response's items differ in their last
two digits only, which count the items, so what is missing shows. The id of a call names the
reasoning before it, so that this is missed also where the items come without their ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.playground.model.frames import JSON
from bot.playground.model.problems import ApiError, invalid

_OURS = re.compile(r"(?:msg|rs|ws|fc)_([0-9a-f]{16,})([0-9a-f]{2})")
_STEM = 20  # digits of a response's id that are part of a call's
_REASONED = re.compile(rf"call_([0-9a-f]{{{_STEM}}})r([0-9a-f]{{2}})\d+")


def call_id(stem: str, number: int, reasoning: int | None = None) -> str:
    """The id of a call; `reasoning` is the number of the item in which the model thought about it,
    which is to come back with the call."""
    mark = "" if reasoning is None else f"r{reasoning:02x}"
    return f"call_{stem[:_STEM]}{mark}{number}"


def check_items(items: Sequence[JSON]) -> None:
    """Raises `ApiError` where an item of a response comes without one that was before it."""
    _check_reasoning(items)
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


def check_messages(messages: Sequence[JSON]) -> None:
    """Raises `ApiError` where calls and their outputs do not follow each other, or an assistant
    message comes without the reasoning that was sent with its calls."""
    waiting: list[str] = []
    for i, message in enumerate(messages):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                raise _unasked(i)
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            raise _unanswered(waiting, f"messages.[{i}].role")
        calls = message.get("tool_calls") if message.get("role") == "assistant" else None
        waiting = [str(call.get("id")) for call in calls or ()]
        if any(map(_REASONED.fullmatch, waiting)) and not message.get("reasoning_content"):
            raise _unreasoned(i)
    if waiting:
        raise _unanswered(waiting, "messages")


def _check_reasoning(items: Iterable[JSON]) -> None:
    came: set[tuple[str, str]] = set()
    for item in items:
        if item.get("type") == "reasoning":
            came |= {_key(str(item.get(name))) for name in ("id", "encrypted_content")}
        found = _REASONED.fullmatch(str(item.get("call_id")))
        if found and item.get("type") == "function_call" and found.groups() not in came:
            raise invalid(
                f"Item '{item.get('id') or item['call_id']}' of type 'function_call' was provided "
                f"without its required 'reasoning' item: '{_reasoning_of(item, found)}'.",
                "input",
            )


def _key(name: str) -> tuple[str, str]:
    """The response and the number in the id or the secret of a reasoning item."""
    bare = name.removeprefix("rs_")
    return bare[:_STEM], bare[-2:]


def _reasoning_of(item: Mapping[str, object], found: re.Match[str]) -> str:
    own = _OURS.fullmatch(str(item.get("id")))
    return f"rs_{own[1] if own else found[1]}{found[2]}"


def _unasked(index: int) -> ApiError:
    return invalid(  # the spelling is OpenAI's
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
        "with 'tool_calls'.",
        f"messages.[{index}].role",
    )


def _unanswered(waiting: Iterable[str], param: str) -> ApiError:
    return invalid(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        + ", ".join(waiting),
        param,
    )


def _unreasoned(index: int) -> ApiError:
    return invalid(  # DeepSeek's words
        f"Missing `reasoning_content` field in the assistant message at message index {index}.",
        code="invalid_request_error",
    )
