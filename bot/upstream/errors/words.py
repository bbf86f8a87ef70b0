"""Infers the HTTP status from the wording of an error message, if it is unambiguous. Pure.

Some servers answer 200 with the body `{"detail": "Not authenticated"}` and no code. Only known
sentences of frameworks and gateways are recognised, and only at the beginning of the message: other
text may quote the question.
"""

from __future__ import annotations

import re

# What has to follow an ambiguous phrase.
_PHRASE_END = (
    r"(?=[.!]?(?: ?\(?4\d\d\)?)?$"
    r"|[.,:;(].*\b(?:api key|token|credential|log ?in|sign in|permission)s?\b)"
)
_KEY_PHRASE = r"(?:(?:api|x-api|access|auth\w*|bearer|subscription)[ -]?(?:key|token)|credential)s?"
_BAD_KEY_PHRASE = (
    rf"(?:the |your )?(?:invalid|incorrect|wrong|missing|expired|unknown|no) {_KEY_PHRASE}\b"
    rf"|(?:the |your )?{_KEY_PHRASE} (?:(?:is|are|was|were|has|have) )?(?:been )?"
    r"(?:invalid|incorrect|missing|expired|revoked|required"
    r"|not (?:been )?(?:valid|provided|found|recogni[sz]ed))\b"
    r"|(?:invalid|missing|no) auth\w* (?:credentials?|header)\b"
    r"|auth\w* (?:credentials?|header) (?:(?:is|was|were) )?(?:missing|required|not provided)\b"
    r"|could not validate credentials\b|invalid or expired token\b"
    r"|(?:unauthori[sz]ed|(?:not |un)authenticated|authentication (?:failed|required))"
    rf"{_PHRASE_END}"
)
_FORBIDDEN_PHRASE = (
    rf"(?:(?:access )?forbidden|(?:access|permission) denied|not authori[sz]ed){_PHRASE_END}"
    r"|(?:you (?:do not|don't) have|not enough|insufficient) permissions?\b"
    r"|you are not authori[sz]ed to (?:access|use|perform)\b"
)
_QUOTE = "['\"`\u201c\u201d]"
# A name without quotes has a digit or a punctuation mark, unlike a word.
_MODEL_NAME = rf"(?:{_QUOTE}[^'\"`]{{1,120}}{_QUOTE}|[^\s'\"`]{{0,60}}[\d./:-][^\s'\"`]{{0,60}}),?"
_NO_MODEL_PHRASE = (
    rf"(?:the )?(?:requested |specified )?model(?: id| name)?:?(?: {_MODEL_NAME})? "
    r"(?:(?:was|is) )?(?:not found|does not exist|not exist)\b"
    r"|(?:unknown|invalid|no such) model(?: id| name)?(?: specified| provided)?"
    rf"(?=[.!]?$|:| {_QUOTE})"
)
_RATE_LIMIT_PHRASE = (
    r".*\b(?:rate limit(?: was| has been)? (?:exceeded|reached|hit)|too many requests)\b"
)
_RATE_LIMIT_PHRASE += r"|(?:request was throttled|(?:you are (?:being )?)?rate limited)\b"

_STATUSES = {
    status: re.compile(words)
    for status, words in (
        (401, _BAD_KEY_PHRASE),
        (403, _FORBIDDEN_PHRASE),
        (404, _NO_MODEL_PHRASE),
        (429, _RATE_LIMIT_PHRASE),
    )
}
_PREFIX = re.compile(r"(?:(?:http|error|status|code)\b\W*)*(?:4\d\d)?\W*")
_MAX_CHARACTERS = 300  # the rest of a message is not read


def status_from_message(message: str) -> int | None:
    """Return 401, 403, 429, or 404 for an unknown model; None if the message is ambiguous."""
    text = " ".join(message[:_MAX_CHARACTERS].lower().split())
    start = _PREFIX.match(text)
    at = start.end() if start else 0
    return next((status for status, words in _STATUSES.items() if words.match(text, at)), None)
