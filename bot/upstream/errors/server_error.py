"""An error as its server tells it, found in a body of any shape. Pure.

Shapes: docs/upstream.md#error-bodies, docs/upstream.md#errors-in-streams. What it means is decided
by `failures`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.upstream.errors.retry_after import seconds, wait_from_message
from bot.upstream.errors.shapes import flat, status_of
from bot.upstream.errors.words import status_in_words
from bot.upstream.lenient_json import UNREADABLE

# Names of errors that mean a status, in small letters only: of Anthropic, OpenAI's SDK and who
# imitates it, AWS, and gRPC (docs/upstream.md#error-bodies). Names of trouble that passes are not
# among them: without a status an error is taken for that.
NAMED_STATUSES = {
    "badrequest": 400,
    "badrequesterror": 400,
    "invalidargument": 400,
    "failedprecondition": 400,
    "validationexception": 400,
    "authenticationerror": 401,
    "unauthenticated": 401,
    "unauthorized": 401,
    "invalidapikey": 401,
    "expiredapikey": 401,
    "billingerror": 402,
    "paymentrequired": 402,
    "permissionerror": 403,
    "permissiondenied": 403,
    "permissiondeniederror": 403,
    "accessdeniedexception": 403,
    "forbidden": 403,
    "notfounderror": 404,
    "requesttoolarge": 413,
    "unprocessableentityerror": 422,
    "ratelimiterror": 429,
    "resourceexhausted": 429,
    "throttlingexception": 429,
}
# Names that leave open what went wrong; "invalid_request_error" is OpenAI's for a bad key as well.
_OPEN_NAMES = frozenset(
    {"", "error", "exception", "failed", "unknown", "unknownerror", "invalidrequesterror"}
)
_CODE = re.compile(r"[a-z]+(?:_[a-z]+)+")  # some servers say it in place of words
_NOT_LETTERS = re.compile(r"[^A-Za-z]")


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
    # some gateways answer errors as an event stream (docs/upstream.md#error-bodies)
    if found is None:
        lines = (line[5:] for line in body.splitlines() if line.startswith(b"data:"))
        found = next((value for line in lines if isinstance(value := _loads(line), dict)), None)
    if isinstance(found, str):  # JSON inside a JSON string, or words
        found = _loads(found.encode()) or {"message": found}
    if isinstance(found, list) and found:
        found = found[0]
    return flat(found) if isinstance(found, dict) else {}


def _loads(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        return None


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
    if not (code or kind) and _CODE.fullmatch(message):
        code = message
    told = error.get("retry_after")
    if retry_after is None and isinstance(told, int | float | str):
        with suppress(ValueError):
            retry_after = seconds(float(told))
    if retry_after is None:
        retry_after = wait_from_message(message)
    own = error.get("retryable")
    if status is None:
        status = _status(error.get("status"), code, kind)
    if status is None and _names_nothing(code) and _names_nothing(kind):
        status = status_in_words(message)
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


def _status(told: object, code: str, kind: str) -> int | None:
    """Return the status an error tells itself: as such, as its code, or by its name."""
    if code.isdigit() and len(code) == 3:
        return int(code)  # litellm and llama.cpp put the status there
    names = (_NOT_LETTERS.sub("", name).lower() for name in (code, kind))
    by_name = next((NAMED_STATUSES[name] for name in names if name in NAMED_STATUSES), None)
    return status_of(told) or by_name


def _names_nothing(name: str) -> bool:
    """Whether a code or type leaves open what went wrong, as a number of one's own does."""
    return _NOT_LETTERS.sub("", name).lower() in _OPEN_NAMES


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
