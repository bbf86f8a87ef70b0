"""What a model or a person wrote, made unable to ping, link or pretend."""

from __future__ import annotations

import regex

_LESS_THAN = r"(?:<|&lt;?|&#0*60;?|&#[xX]0*3[cC];?)"
_LIVE = regex.compile(rf"({_LESS_THAN})(?=\\*(?:[!@#<&]|[a-zA-Z][^<>\s]*\|))")
_NEVER_SHOWN = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def inert(text: str) -> str:
    """Return `text` so that nothing in it is live for Slack."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LIVE.sub("\\1\u200b", _NEVER_SHOWN.sub("", text))


def escaped(text: str) -> str:
    """Return inert `text` for a mrkdwn field, with Slack's three escapes (slack-facts §3.2)."""
    return inert(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
