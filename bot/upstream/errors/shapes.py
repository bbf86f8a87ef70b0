"""The many shapes in which servers say that something went wrong, read as one. Pure.

Shapes: docs/upstream.md#error-bodies, docs/upstream.md#errors-in-streams; FastAPI's `detail`,
Cloudflare's `success` and `errors`, MiniMax's `base_resp`, Google's and gRPC's statuses by name.
What an error means is decided by `failures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.upstream.errors.words import status_in_words

# Where servers put the same thing; the first that says something is taken.
MESSAGES = ("message", "error_message", "errorMessage", "error_msg", "err_msg", "msg")
MORE_MESSAGES = ("error_description", "status_message", "status_msg", "faultstring", "title")
CODES = ("code", "error_code", "errorCode", "errcode", "errorcode")
KINDS = ("type", "error_type", "errorType", "__type")
STATUSES = ("status", "status_code", "statusCode", "http_status", "httpStatus")
# Fields that only errors have.
TELLING = ("error", "error_type", "errorType", "error_message", "errorMessage", "error_msg")
MORE_TELLING = ("error_code", "errorCode", "err_msg", "errors", "fault", "detail", "__type")
# Events by these names are errors, whatever they hold.
ERROR_EVENTS = frozenset({"error", "response.error", "response.failed", "exception"})
# Codes that say that all is well.
WELL = frozenset({"", "0", "200", "ok", "success", "none"})
# MiniMax's status codes (platform.minimax.io, error codes).
BASE_CODES = {
    "1002": "rate_limit_exceeded",
    "1004": "invalid_api_key",
    "1008": "insufficient_balance",
    "1026": "content_filter",
    "1027": "content_filter",
    "1039": "rate_limit_exceeded",
    "2013": "invalid_request_error",
    "2049": "invalid_api_key",
    "2056": "rate_limit_exceeded",
}
MOST_LISTED = 5


def error_in(found: object, event: str = "") -> dict[str, Any] | None:
    """Return the error an event or a body says it is, as one flat object.

    None where it says something else, or has words of an answer. `event` is the event's name.
    """
    by_name = event in ERROR_EVENTS
    if isinstance(found, list):
        told = (error_in(one, event) for one in found[:MOST_LISTED] if isinstance(one, dict))
        first = next(filter(None, told), None)
        return {} if first is None and by_name else first
    if not isinstance(found, dict):
        words = {"message": found} if isinstance(found, str) else {}
        return words if by_name else None
    if has_words(found):
        return None
    if by_name or (_is_ours(event) and _says_error(found)):
        return flat(found)
    return None


def has_words(found: Mapping[str, Any]) -> bool:
    """Return whether an object holds anything of an answer, in either format."""
    output = found.get("output")
    if isinstance(output, list) and output:
        return True
    choices = found.get("choices")
    deltas = [
        choice.get("delta") or choice.get("message")
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict)
    ]
    kept = ("content", "tool_calls", "reasoning", "reasoning_content", "refusal")
    return any(delta.get(key) for delta in deltas if isinstance(delta, dict) for key in kept)


def flat(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an error with `message`, `code`, `type` and `status` at its top, whatever its shape.

    What is inside goes before what is around it.
    """
    error = _choice_error(found) or found.get("error") or found.get("fault")
    inner = error or _first(found.get("errors"))
    told: dict[str, Any] = dict(found)
    if isinstance(inner, dict):
        told = {**_without(found, inner), **inner}
    elif isinstance(inner, str):
        told["message"] = inner
    base = found.get("base_resp")
    if isinstance(base, dict) and not error:
        number = str(base.get("status_code"))
        told |= {"code": BASE_CODES.get(number, number), "message": base.get("status_msg")}
    message = _pick(told, (*MESSAGES, *MORE_MESSAGES)) or _detail(told.get("detail"))
    code, kind = _pick(told, CODES), _pick(told, KINDS)
    status = next(filter(None, (status_of(told.get(key)) for key in STATUSES)), None)
    if kind in {None, "error"}:  # Google has "RESOURCE_EXHAUSTED" as its status
        name = told.get("status")
        kind = name if isinstance(name, str) and name.isupper() else None
    told |= {"message": message, "code": code, "type": kind, "status": status}
    return {key: value for key, value in told.items() if value is not None}


def status_of(value: object) -> int | None:
    """Return the HTTP status of a failure that a field holds; None for anything else."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 400 <= value <= 599 else None


def is_error_kind(kind: object) -> bool:
    """Return whether a `type` is that of an error, not the name of an event."""
    if not isinstance(kind, str):
        return False
    lower = kind.lower()
    foreign = "." in kind or ":" in kind
    return lower in ERROR_EVENTS or (not foreign and lower.endswith(("error", "exception")))


def _is_ours(event: str) -> bool:
    """Whether an event's name is one of the wire formats', or says nothing."""
    return event in {"", "message", "chunk", "delta"} or event.startswith(("response.", "chat."))


def _says_error(found: Mapping[str, Any]) -> bool:
    kind, object_ = found.get("type"), found.get("object")
    if object_ == "error" or is_error_kind(kind):
        return True
    if isinstance(kind, str) and kind:
        return False  # an event of somebody else's
    if any(map(found.get, (*TELLING, *MORE_TELLING))) or _choice_error(found):
        return True
    if found.get("success") is False or found.get("ok") is False:
        return True
    base = found.get("base_resp")
    if isinstance(base, dict) and str(base.get("status_code") or "0") != "0":
        return True
    if any(status_of(found.get(key)) for key in STATUSES):
        return True
    code, message = found.get("code"), found.get("message")
    if isinstance(message, str) and message and str(code or "").lower() not in WELL:
        return True
    said = _pick(found, MESSAGES) if code is None else None
    return isinstance(said, str) and status_in_words(said) is not None


def _choice_error(found: Mapping[str, Any]) -> object:
    choices = found.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("error"):
            return choice["error"]
    return None


def _without(found: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands around an error and may add to it."""
    around = ("request_id", "retry_after", "retryable", "headers", *STATUSES)
    kept = {key: found[key] for key in around if key in found}
    if not _pick(inner, CODES):
        kept |= {key: found[key] for key in CODES if key in found}
    if not _pick(inner, MESSAGES) and isinstance(found.get("message"), str):
        kept["message"] = found["message"]
    return kept


def _pick(told: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        value = told.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return value
    return None


def _first(listed: object) -> object:
    if isinstance(listed, list):
        return listed[0] if listed else None
    return listed


def _detail(detail: object) -> str | None:
    """Read `detail`: words, an object with words, or validation errors.

    What was sent, which validation errors repeat, is left out.
    """
    if isinstance(detail, dict):
        told = _pick(detail, (*MESSAGES, *MORE_MESSAGES))
        return None if told is None else str(told)
    if not isinstance(detail, list):
        return detail if isinstance(detail, str) and detail else None
    told = [item for item in detail if isinstance(item, dict)]
    return "; ".join(f"{_place(item.get('loc'))}: {item.get('msg')}" for item in told) or None


def _place(where: object) -> str:
    return ".".join(map(str, where)) if isinstance(where, list) else ""
