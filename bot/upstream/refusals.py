"""What a refusal is about: a field we may leave out, or the whole wire format. Pure.

Only servers' own words tell, and they differ: upstream-facts §3.1, §6.
"""

from __future__ import annotations

import re
from collections.abc import Set

from bot.errors import UpstreamError
from bot.upstream.failures import NO_ROUTE_CODES

# What a request can be refused with for what it is; other errors say nothing of its fields.
REFUSING_STATUSES = frozenset({400, 404, 405, 415, 422, 501, None})
NO_ENDPOINT_STATUSES = frozenset({404, 405, 501})
# Answers to `GET /responses/{id}` that mean: not this way (upstream-facts §2.2, §2.4).
NO_RESUME_STATUSES = frozenset({400, 404, 405, 409, 410, 422, 501})

# Each optional field: its names as a parameter, and the words that complain of it.
_OPTIONS = {
    "background": ({"background"}, r"\bbackground\b"),
    "store": ({"store"}, r"[\"'`]store[\"'`]|\bbody\.store\b|parameter:? store\b"),
    "obfuscation": ({"stream_options"}, r"stream_options|include_obfuscation"),
    "usage": ({"stream_options"}, r"stream_options|include_usage"),
    "max_output_tokens": ({"max_output_tokens"}, r"max_output_tokens"),
    "max_completion_tokens": ({"max_completion_tokens"}, r"max_completion_tokens"),
    "max_tokens": ({"max_tokens"}, r"\bmax_tokens\b"),
    "hosted_tools": (
        {"tools", "tool_choice"},
        r"\btools?\b|web_search|\bmcp\b|file_search|code_interpreter",
    ),
}
_NO_RESPONSES = re.compile(
    r"responses (api|endpoint|format)|/responses\b|only supported in v1/chat|use .{0,40}chat/compl"
    r"|not support.{0,40}\bresponses\b|messages.{0,20}(is required|field required|missing)"
    r"|missing .{0,30}\bmessages\b|openai_responses",
    re.IGNORECASE | re.DOTALL,
)
_NO_CHAT = re.compile(
    r"only (be )?(supported|available|used) .{0,30}responses|not a chat model|use .{0,30}/responses"
    r"|not supported in the v1/chat|openai_chat_completions",
    re.IGNORECASE | re.DOTALL,
)


def refused_option(error: UpstreamError, sent: Set[str]) -> str:
    """Return which of the optional fields we sent the server will not have; "" for none."""
    if error.retryable or error.status not in REFUSING_STATUSES:
        return ""
    param = re.split(r"[.\[]", error.param)[0]
    for option in sorted(sent):
        params, words = _OPTIONS[option]
        if param in params or re.search(words, str(error), re.IGNORECASE):
            return option
    return ""


def lacks_responses(error: UpstreamError) -> bool:
    """Return whether this means that the server, or the model there, has no Responses."""
    if error.code in NO_ROUTE_CODES:
        return True
    if error.status in NO_ENDPOINT_STATUSES or error.code == "model_not_found":
        return True
    return error.status in {400, 403, 422} and bool(_NO_RESPONSES.search(str(error)))


def lacks_chat(error: UpstreamError) -> bool:
    """Return whether this means that the model speaks Responses only."""
    if error.code in NO_ROUTE_CODES:
        return True
    return error.status in {400, 403, 404, 422} and bool(_NO_CHAT.search(str(error)))
