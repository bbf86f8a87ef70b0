"""Errors as clients of OpenAI and TokenLab meet them (docs/upstream.md#errors,
docs/upstream.md#tokenlab-errors)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.playground.model.frames import JSON


class ApiError(Exception):
    """An HTTP error answer. `message` is what the client reads."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        type: str = "invalid_request_error",  # the field's name on the wire
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.body: JSON = {
            "error": {"message": message, "type": type, "param": param, "code": code}
        }


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, message, param=param, code=code)


def no_pictures() -> ApiError:
    """400: the model reads text only, as OpenAI words it."""
    return invalid("Invalid content type. image_url is only supported by certain models.")


def wrong_key() -> ApiError:
    """401, as OpenAI words it."""
    return ApiError(401, "Incorrect API key provided.", code="invalid_api_key")


def unknown_model(model: str, status: int = 400) -> ApiError:
    """400 on POST and 404 on GET, as TokenLab has it (docs/upstream.md#tokenlab-errors)."""
    message = f"The model '{model}' does not exist."
    return ApiError(status, message, code="model_not_found", param="model")


def unknown_response(response_id: str) -> ApiError:
    """404: never made, not kept, or gone."""
    return ApiError(404, f"Response with id '{response_id}' not found.")


# status: (type, code, message) for the board's switch; others are told in general words.
_FAULTS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", "invalid_request", "The request was not understood."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    402: ("insufficient_quota", "insufficient_balance", "Your balance is too low."),
    403: ("permission_error", "model_not_allowed", "This key may not use this model."),
    404: ("invalid_request_error", None, "Unknown request URL."),
    408: ("server_error", "timeout_error", "The request timed out."),
    409: ("invalid_request_error", "conflict", "The request was in conflict with another one."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 2s."),
    500: ("server_error", "server_error", "The server had an error processing your request."),
    502: ("server_error", "upstream_error", "The model's provider could not be reached."),
    503: (
        "service_unavailable_error",
        "server_is_overloaded",
        "Our servers are currently overloaded. Please try again later.",
    ),
    529: ("overloaded_error", "overloaded_error", "Overloaded."),
}


def fault(status: int) -> ApiError:
    """The error the board asks for; a 429 carries `Retry-After: 2`."""
    kind, code, message = _FAULTS.get(
        status, ("server_error" if status >= 500 else "invalid_request_error", None, "Refused.")
    )
    headers = {"Retry-After": "2"} if status == 429 else None
    return ApiError(status, message, code=code, type=kind, headers=headers)
