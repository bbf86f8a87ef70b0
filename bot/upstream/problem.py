"""An error as its server tells it, found in a body of any shape. Pure.

Shapes: upstream-facts §3.1, §3.3. What it means is decided by `failures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.upstream.hints import seconds, wait_from_message


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the server tells it; what it does not tell is empty."""

    status: int | None = None
    code: str = ""
    kind: str = ""
    param: str = ""
    message: str = ""
    retryable: bool | None = None
    retry_after: float | None = None
    request_id: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Code and type: servers put the telling word in either."""
        return frozenset({self.code.lower(), self.kind.lower()})


def error_object(body: bytes) -> Mapping[str, Any]:
    """Find the error in a body: JSON of any shape, an event stream, or nothing readable."""
    found = _loads(body)
    if found is None:  # some gateways answer errors as an event stream (upstream-facts §3.1)
        lines = (line[5:] for line in body.splitlines() if line.startswith(b"data:"))
        found = next((value for line in lines if isinstance(value := _loads(line), dict)), None)
    if isinstance(found, str):  # JSON inside a JSON string
        found = _loads(found.encode())
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return {}
    return _inner(found)


def _loads(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _inner(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Unwrap `{"error": {…}}`, `{"error": "text"}`, `{"detail": …}`, `{"message": "text"}`."""
    error = found.get("error")
    if isinstance(error, dict):
        outer = {k: v for k, v in found.items() if k in {"request_id", "retry_after"}}
        return {**outer, **error}
    if isinstance(error, str) and error:
        return {"message": error, **{k: v for k, v in found.items() if k != "error"}}
    detail = found.get("detail")
    if detail is not None and "message" not in found:
        return {**found, "message": detail if isinstance(detail, str) else _complaints(detail)}
    return found


def _complaints(detail: object) -> str:
    """Read a list of validation errors; what was sent, which they repeat, is left out."""
    told = [item for item in detail if isinstance(item, dict)] if isinstance(detail, list) else []
    return "; ".join(f"{_place(item.get('loc'))}: {item.get('msg')}" for item in told)


def _place(where: object) -> str:
    return ".".join(map(str, where)) if isinstance(where, list) else ""


def read_problem(
    error: Mapping[str, Any],
    *,
    status: int | None = None,
    retry_after: float | None = None,
    retryable: bool | None = None,
    request_id: str = "",
) -> Problem:
    """Return the problem an error object tells; what the caller knows goes before its words."""
    message, code, kind = (_text(error.get(key)) for key in ("message", "code", "type"))
    told = error.get("retry_after")
    if retry_after is None and isinstance(told, int | float | str):
        with suppress(ValueError):
            retry_after = seconds(float(told))
    if retry_after is None:
        retry_after = wait_from_message(message)
    own = error.get("retryable")
    if status is None and code.isdigit() and len(code) == 3:
        status = int(code)  # litellm and llama.cpp put the status there
    return Problem(
        status=status,
        code=code,
        kind=kind,
        param=_text(error.get("param")),
        message=message,
        retryable=own if retryable is None and isinstance(own, bool) else retryable,
        retry_after=retry_after,
        request_id=request_id or _text(error.get("request_id")),
    )


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
