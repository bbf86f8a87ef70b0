"""What a refusal is about: an optional field, or the whole wire format. Pure.

It has to be read from the server's message, which every server words differently:
docs/upstream.md#error-statuses, docs/upstream.md#tokenlab-errors.
"""

from __future__ import annotations

import re
from collections.abc import Set

from bot.errors import PromptTooLong, UpstreamError
from bot.upstream.errors.classify import WRONG_FORMAT_CODES

# Statuses of refusals that may be about a field; None is an error inside a stream.
FIELD_REJECTION_STATUSES = frozenset({400, 404, 405, 415, 422, 501, None})
HTTP_BODY_TOO_LARGE = 413
REJECTION_STATUSES = FIELD_REJECTION_STATUSES | {HTTP_BODY_TOO_LARGE}
NO_ENDPOINT_STATUSES = frozenset({404, 405, 501})
# Statuses of `GET /responses/{id}` that mean it can't be resumed this way
# (docs/upstream.md#resume-failures, docs/upstream.md#reconnecting).
NO_RESUME_STATUSES = frozenset({400, 404, 405, 409, 410, 422, 501})

# Refusals of reasoning as a whole; fields of reasoning have a pattern of their own.
_NO_REASONING = (
    r"\bbody\.reasoning(?![.\w])|not support.{0,20}\b(thinking|reasoning)\b(?![._])"
    r"|\b(parameter|argument|field|property|name|input)s?:? ?[\"'`]?reasoning\b(?!\.)"
    r"|\breasoning (is|are) not\b"
)
# Refusals of all pictures, as servers word them for a model that reads text only.
_NO_PICTURES = (
    r"image_url|input_image|image inputs?\b|multi-?modal|\bmmproj\b|\bvision\b"
    r"|(support|accept|process|allow|enabled).{0,40}\b(images?|pictures)\b"
    r"|\b(images?|pictures)\b.{0,40}(support|accept|allow|enabled|provided)"
    r"|content.{0,60}(must be|should be|expected).{0,20}\bstring"
)
# Refusals of one picture, such as a broken one; another may be taken.
_BAD_PICTURE = (
    r"(invalid|corrupt|unable|could not|cannot|can't|failed|too (large|big|small|many)).{0,60}"
    r"\bimages?\b|\bimages?\b.{0,80}(invalid|corrupt|too (large|big|small)|exceed|dimension"
    r"|decode|could not|failed|size)|\binvalid_image|_image_|image_(too|parse|content|file)_"
)
# Each option: its names in the error's `param`, and a pattern of messages that refuse it.
_OPTIONS = {
    "background": ({"background"}, r"\bbackground\b"),
    "store": ({"store"}, r"[\"'`]store[\"'`]|\bbody\.store\b|parameter:? store\b"),
    "obfuscation": ({"stream_options"}, r"stream_options|include_obfuscation"),
    "usage": ({"stream_options"}, r"stream_options|include_usage"),
    "include": (
        {"include"},
        r"encrypted.content is not supported|reasoning\.encrypted_content"
        r"|[\"'`]include[\"'`]|body\.include\b",
    ),
    "cache_key": ({"prompt_cache_key"}, r"prompt_cache_key"),
    "safety_identifier": ({"safety_identifier"}, r"safety_identifier"),
    "max_output_tokens": ({"max_output_tokens"}, r"max_output_tokens"),
    "max_completion_tokens": ({"max_completion_tokens"}, r"max_completion_tokens"),
    "max_tokens": ({"max_tokens"}, r"\bmax_tokens\b"),
    "reasoning_summary": (
        {"reasoning.summary", "reasoning"},
        rf"reasoning[._ ]summar|{_NO_REASONING}",
    ),
    "reasoning_effort": (
        {"reasoning.effort", "reasoning_effort", "reasoning"},
        rf"reasoning.?effort|{_NO_REASONING}",
    ),
    "pictures": (set(), rf"{_NO_PICTURES}|{_BAD_PICTURE}"),
    "whole_rounds": (
        {"input", "messages"},
        r"encrypted.content|reasoning|extra_content|thought.?signature|\bphase\b"
        r"|\b(input|messages)[.\[][\[.]*\d|additional propert|extra (inputs|fields)|unknown name",
    ),
    "hosted_tools": (
        {"tools", "tool_choice"},
        r"\btools?\b|web_search|\bmcp\b|file_search|code_interpreter",
    ),
}
# The first match is left out; whole rounds come late, because their pattern is the widest.
_OPTION_ORDER = list(_OPTIONS)
_NAMES = frozenset().union(*(names for names, _ in _OPTIONS.values()))
# An item the server has not stored; the message goes on with advice about `store`.
_UNKNOWN_ITEM = re.compile(
    r"\bitems?\b.{0,120}\b(not found|not persisted|was provided without)", re.IGNORECASE
)
# What to leave out after a refusal of an unnamed field: the option fewest servers support first.
_LEAST_SUPPORTED_OPTIONS = (
    "safety_identifier",
    "cache_key",
    "reasoning_summary",
    "reasoning_effort",
    "include",
)
_UNKNOWN_FIELD = re.compile(
    r"unsupported_request_field|(unknown|unrecogni[sz]ed|unsupported|unexpected|extra|additional)"
    r".{0,30}\b(field|argument|parameter|input|propert|key|name)",
    re.IGNORECASE,
)
_NO_RESPONSES_API = re.compile(
    r"responses (api|endpoint|format)|/responses\b|only supported in v1/chat|use .{0,40}chat/compl"
    r"|not support.{0,40}\bresponses\b|messages.{0,20}(is required|field required|missing)"
    r"|missing .{0,30}\bmessages\b|openai_responses",
    re.IGNORECASE | re.DOTALL,
)
_NO_CHAT_API = re.compile(
    r"only (be )?(supported|available|used) .{0,30}responses|not a chat model|use .{0,30}/responses"
    r"|not supported in the v1/chat|openai_chat_completions",
    re.IGNORECASE | re.DOTALL,
)


def rejected_option(error: UpstreamError, sent: Set[str]) -> str:
    """Return the option in `sent` that the server refuses with this error; "" if there is none."""
    if "pictures" in sent and _lacks_pictures(error):
        return "pictures"
    if error.retryable or error.status not in REJECTION_STATUSES:
        return ""
    if isinstance(error, PromptTooLong):  # names messages, but means all of them
        is_body = error.status == HTTP_BODY_TOO_LARGE  # its bytes: pictures are most of them
        return "pictures" if is_body and "pictures" in sent else ""
    if "whole_rounds" in sent and _UNKNOWN_ITEM.search(str(error)):
        return "whole_rounds"
    param = error.param if error.param in _NAMES else re.split(r"[.\[]", error.param)[0]
    for option in sorted(sent, key=_OPTION_ORDER.index):
        params, words = _OPTIONS[option]
        if param in params or re.search(words, str(error), re.IGNORECASE):
            return option
    if _UNKNOWN_FIELD.search(f"{error.code} {error}"):
        return next((option for option in _LEAST_SUPPORTED_OPTIONS if option in sent), "")
    return ""


def _lacks_pictures(error: UpstreamError) -> bool:
    """Whether llama.cpp says with status 500 that its model takes no pictures."""
    return error.status == 500 and "image input is not supported" in str(error)


def means_no_pictures(error: UpstreamError) -> bool:
    """Whether a refusal of pictures is about the model, and not about these pictures."""
    is_too_large = error.status == HTTP_BODY_TOO_LARGE
    return not (is_too_large or re.search(_BAD_PICTURE, str(error), re.IGNORECASE))


def means_no_responses_api(error: UpstreamError) -> bool:
    """Return whether the server, or the model there, does not support the Responses API."""
    if error.code in WRONG_FORMAT_CODES:
        return True
    if error.status in NO_ENDPOINT_STATUSES or error.code == "model_not_found":
        return True
    return error.status in {400, 403, 422} and bool(_NO_RESPONSES_API.search(str(error)))


def means_no_chat_api(error: UpstreamError) -> bool:
    """Return whether the model supports the Responses API only."""
    if error.code in WRONG_FORMAT_CODES:
        return True
    return error.status in {400, 403, 404, 422} and bool(_NO_CHAT_API.search(str(error)))
