"""A server's error, read from a body of any shape. Pure.

Shapes: docs/upstream.md#error-bodies, docs/upstream.md#errors-in-streams. `classify` decides what
the error means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.upstream.errors.retry_after import valid_wait, wait_from_message
from bot.upstream.errors.shapes import failure_status, flatten_error
from bot.upstream.errors.words import status_from_message
from bot.upstream.lenient_json import DECODE_ERRORS

# The status that an error's name means, in lower-case letters only: names of Anthropic, OpenAI's
# SDK and its imitators, AWS, and gRPC (docs/upstream.md#error-bodies). Names of temporary errors
# are missing, because an error without a status counts as temporary.
STATUS_BY_ERROR_NAME = {
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
# Names that do not say what went wrong; OpenAI uses "invalid_request_error" for a bad key as well.
_VAGUE_NAMES = frozenset(
    {"", "error", "exception", "failed", "unknown", "unknownerror", "invalidrequesterror"}
)
_CODE_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")  # some servers send a code as the message
_NOT_LETTERS = re.compile(r"[^A-Za-z]")


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error as its server reports it; what is not reported is empty or None."""

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
        """Code and type in lower case: servers put the specific name in either."""
        return frozenset({self.code.lower(), self.kind.lower()})


def find_error_object(body: bytes) -> Mapping[str, Any]:
    """Return the error in a body, which may be JSON of any shape or an event stream; else {}."""
    found = _parse(body)
    # some gateways answer errors as an event stream (docs/upstream.md#error-bodies)
    if found is None:
        lines = (line[5:] for line in body.splitlines() if line.startswith(b"data:"))
        found = next((value for line in lines if isinstance(value := _parse(line), dict)), None)
    if isinstance(found, str):  # JSON inside a JSON string, or plain words
        found = _parse(found.encode()) or {"message": found}
    if isinstance(found, list) and found:
        found = found[0]
    return flatten_error(found) if isinstance(found, dict) else {}


def _parse(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except DECODE_ERRORS:
        return None


def read_server_error(
    error: Mapping[str, Any],
    *,
    status: int | None = None,
    retry_after: float | None = None,
    retryable: bool | None = None,
    request_id: str = "",
) -> ServerError:
    """Read an error object; what is passed here takes precedence over the object's fields."""
    message, code, kind = (_text(error.get(key)) for key in ("message", "code", "type"))
    if not (code or kind) and _CODE_WORD.fullmatch(message):
        code = message
    field = error.get("retry_after")
    if retry_after is None and isinstance(field, int | float | str):
        with suppress(ValueError):
            retry_after = valid_wait(float(field))
    if retry_after is None:
        retry_after = wait_from_message(message)
    own = error.get("retryable")
    if status is None:
        status = _status(error.get("status"), code, kind)
    if status is None and _is_vague(code) and _is_vague(kind):
        status = status_from_message(message)
    return ServerError(
        status=status,
        code=code,
        kind=kind,
        param=_text(error.get("param")),
        message=message,
        retryable=own if retryable is None and isinstance(own, bool) else retryable,
        retry_after=retry_after,
        request_id=request_id or _text(error.get("request_id")),
    )


def _status(field: object, code: str, kind: str) -> int | None:
    """Return the status in an error's code, in its status field, or meant by its name."""
    if code.isdigit() and len(code) == 3:
        return int(code)  # litellm and llama.cpp put the status there
    names = (_NOT_LETTERS.sub("", name).lower() for name in (code, kind))
    by_name = next(
        (STATUS_BY_ERROR_NAME[name] for name in names if name in STATUS_BY_ERROR_NAME), None
    )
    return failure_status(field) or by_name


def _is_vague(name: str) -> bool:
    """Whether a code or type does not say what went wrong, as a number without a name."""
    return _NOT_LETTERS.sub("", name).lower() in _VAGUE_NAMES


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
