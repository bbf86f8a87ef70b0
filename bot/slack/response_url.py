"""`response_url`s: which of them are trusted, and what their replies mean. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.errors import SlackError
from bot.slack.failures import error_of_response

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ERROR_CODE = re.compile(r"[a-z][a-z0-9_]{2,60}")


def is_loopback(url: str) -> bool:
    """Whether a URL points to this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def is_trusted(url: str, base_url: str) -> bool:
    """Whether a `response_url` belongs to the Slack at `base_url`: its host, or its hooks host.

    Payloads are authenticated before they are read, so this is a second defence: a forged URL
    can't send an answer to another host or into our network. If `base_url` is on this machine, any
    port of it is trusted, for the playground and tests. GovSlack has a hooks host of its own.
    """
    ours, theirs = urlsplit(base_url), urlsplit(url)
    if theirs.scheme not in {"https", ours.scheme}:
        return False
    if is_loopback(base_url):
        return is_loopback(url)
    home = (ours.hostname or "").removeprefix("www.")
    return theirs.hostname in {home, f"hooks.{home}", "hooks.slack.com"}


def error_of_answer(status: int, headers: Mapping[str, str], text: str) -> SlackError | None:
    """The error in a reply, which is "ok", a JSON object or a bare error code; None if it is ok."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or JSON nested too deep
        data = None
    if not isinstance(data, dict):
        word = text.strip()
        data = {"ok": status == 200, "error": word if _ERROR_CODE.fullmatch(word) else ""}
    if status == 200 and data.get("ok", True):
        return None
    if 400 <= status < 500 and not data.get("error"):
        data["error"] = f"http_{status}"
    return error_of_response("response_url", status, headers, data)
