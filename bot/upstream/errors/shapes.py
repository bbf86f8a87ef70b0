"""The many shapes of servers' errors, normalised to one flat object. Pure.

Shapes: docs/upstream.md#error-bodies, docs/upstream.md#errors-in-streams; FastAPI's `detail`,
Cloudflare's `success` and `errors`, MiniMax's `base_resp`, Google's and gRPC's statuses by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.upstream.errors.words import status_from_message

# Names of the same field at different servers; the first that has a value is read.
MESSAGE_FIELDS = ("message", "error_message", "errorMessage", "error_msg", "err_msg", "msg")
FALLBACK_MESSAGE_FIELDS = (
    "error_description",
    "status_message",
    "status_msg",
    "faultstring",
    "title",
)
CODE_FIELDS = ("code", "error_code", "errorCode", "errcode", "errorcode")
TYPE_FIELDS = ("type", "error_type", "errorType", "__type")
STATUS_FIELDS = ("status", "status_code", "statusCode", "http_status", "httpStatus")
# Fields that occur in errors only.
ERROR_FIELDS = ("error", "error_type", "errorType", "error_message", "errorMessage", "error_msg")
MORE_ERROR_FIELDS = ("error_code", "errorCode", "err_msg", "errors", "fault", "detail", "__type")
# Events with these names are errors, whatever their data.
ERROR_EVENTS = frozenset({"error", "response.error", "response.failed", "exception"})
# Codes of success.
SUCCESS_CODES = frozenset({"", "0", "200", "ok", "success", "none"})
# MiniMax's status codes (platform.minimax.io, error codes).
MINIMAX_CODES = {
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
MAX_LISTED_ERRORS = 5


def find_error(found: object, event_name: str = "") -> dict[str, Any] | None:
    """Return the error in the JSON of an event or body, as `flatten_error` does.

    None if it is no error, or has content of an answer. `event_name` is the event's name, if any.
    """
    by_name = event_name in ERROR_EVENTS
    if isinstance(found, list):
        errors = (
            find_error(entry, event_name)
            for entry in found[:MAX_LISTED_ERRORS]
            if isinstance(entry, dict)
        )
        first = next(filter(None, errors), None)
        return {} if first is None and by_name else first
    if not isinstance(found, dict):
        words = {"message": found} if isinstance(found, str) else {}
        return words if by_name else None
    if has_answer_content(found):
        return None
    if by_name or (_is_known_event(event_name) and _looks_like_error(found)):
        return flatten_error(found)
    return None


def has_answer_content(found: Mapping[str, Any]) -> bool:
    """Return whether an object has content of an answer, in either format."""
    output = found.get("output")
    if isinstance(output, list) and output:
        return True
    choices = found.get("choices")
    deltas = [
        choice.get("delta") or choice.get("message")
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict)
    ]
    fields = ("content", "tool_calls", "reasoning", "reasoning_content", "refusal")
    return any(delta.get(key) for delta in deltas if isinstance(delta, dict) for key in fields)


def flatten_error(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an error of any shape with `message`, `code`, `type` and `status` at its top level.

    Fields of an inner error object take precedence over those around it.
    """
    error = _choice_error(found) or found.get("error") or found.get("fault")
    inner = error or _first_entry(found.get("errors"))
    flat: dict[str, Any] = dict(found)
    if isinstance(inner, dict):
        flat = {**_outer_fields(found, inner), **inner}
    elif isinstance(inner, str):
        flat["message"] = inner
    base = found.get("base_resp")
    if isinstance(base, dict) and not error:
        number = str(base.get("status_code"))
        flat |= {"code": MINIMAX_CODES.get(number, number), "message": base.get("status_msg")}
    message = _first_value(flat, (*MESSAGE_FIELDS, *FALLBACK_MESSAGE_FIELDS)) or _read_detail(
        flat.get("detail")
    )
    code, kind = _first_value(flat, CODE_FIELDS), _first_value(flat, TYPE_FIELDS)
    status = next(filter(None, (failure_status(flat.get(key)) for key in STATUS_FIELDS)), None)
    if kind in {None, "error"}:  # Google has "RESOURCE_EXHAUSTED" as its status
        name = flat.get("status")
        kind = name if isinstance(name, str) and name.isupper() else None
    flat |= {"message": message, "code": code, "type": kind, "status": status}
    return {key: value for key, value in flat.items() if value is not None}


def failure_status(value: object) -> int | None:
    """Return `value` as an HTTP status from 400 to 599; None for anything else."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 400 <= value <= 599 else None


def is_error_type(kind: object) -> bool:
    """Return whether a `type` names an error and not an event of either format."""
    if not isinstance(kind, str):
        return False
    lower = kind.lower()
    foreign = "." in kind or ":" in kind
    return lower in ERROR_EVENTS or (not foreign and lower.endswith(("error", "exception")))


def _is_known_event(event: str) -> bool:
    """Whether an event's name belongs to one of the wire formats or is generic."""
    return event in {"", "message", "chunk", "delta"} or event.startswith(("response.", "chat."))


def _looks_like_error(found: Mapping[str, Any]) -> bool:
    kind, object_ = found.get("type"), found.get("object")
    if object_ == "error" or is_error_type(kind):
        return True
    if isinstance(kind, str) and kind:
        return False  # an event of neither format
    if any(map(found.get, (*ERROR_FIELDS, *MORE_ERROR_FIELDS))) or _choice_error(found):
        return True
    if found.get("success") is False or found.get("ok") is False:
        return True
    base = found.get("base_resp")
    if isinstance(base, dict) and str(base.get("status_code") or "0") != "0":
        return True
    if any(failure_status(found.get(key)) for key in STATUS_FIELDS):
        return True
    code, message = found.get("code"), found.get("message")
    if isinstance(message, str) and message and str(code or "").lower() not in SUCCESS_CODES:
        return True
    message = _first_value(found, MESSAGE_FIELDS) if code is None else None
    return isinstance(message, str) and status_from_message(message) is not None


def _choice_error(found: Mapping[str, Any]) -> object:
    choices = found.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("error"):
            return choice["error"]
    return None


def _outer_fields(found: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields around an inner error that complement it."""
    outer = ("request_id", "retry_after", "retryable", "headers", *STATUS_FIELDS)
    kept = {key: found[key] for key in outer if key in found}
    if not _first_value(inner, CODE_FIELDS):
        kept |= {key: found[key] for key in CODE_FIELDS if key in found}
    if not _first_value(inner, MESSAGE_FIELDS) and isinstance(found.get("message"), str):
        kept["message"] = found["message"]
    return kept


def _first_value(fields: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return value
    return None


def _first_entry(listed: object) -> object:
    if isinstance(listed, list):
        return listed[0] if listed else None
    return listed


def _read_detail(detail: object) -> str | None:
    """Read `detail`: a message, an object with one, or validation errors without their input."""
    if isinstance(detail, dict):
        message = _first_value(detail, (*MESSAGE_FIELDS, *FALLBACK_MESSAGE_FIELDS))
        return None if message is None else str(message)
    if not isinstance(detail, list):
        return detail if isinstance(detail, str) and detail else None
    items = [item for item in detail if isinstance(item, dict)]
    return "; ".join(f"{_location(item.get('loc'))}: {item.get('msg')}" for item in items) or None


def _location(where: object) -> str:
    return ".".join(map(str, where)) if isinstance(where, list) else ""
