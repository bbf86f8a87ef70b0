"""Renders the list of sources below an answer. Pure.

Titles and URLs come from web pages and are not trusted. A title becomes one short line without
markup, so that a page can't pretend to be part of the answer. A URL has to be http or https, and is
encoded so that neither Markdown nor Slack can read it as something else.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from bot.words import Language, Phrase, say

MAX_SOURCE_TITLE_CHARACTERS = 100  # longer titles are cut and end in "…"
MAX_SOURCE_URL_CHARACTERS = 2_000  # sources with longer URLs are left out
MAX_SOURCES = 50  # of one answer; the number of further ones is shown
_MARKUP = re.compile(r"([\\`*_\[\]<>()~|#!&{}$^])")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")
# Characters that are not encoded after the host: RFC 3986, except those that close a link.
_SAFE_URL_CHARACTERS = "/?#%:@!$&'+,;=~-._"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def render_sources(sources: Mapping[str, str], language: Language) -> str:
    """The Markdown of a list of sources, given as titles by URL; "" if none can be shown."""
    shown: dict[str, str] = {}
    for source_url, title in sources.items():
        if url := safe_url(source_url):
            shown.setdefault(url, _link_label(title) or _link_label(url))
    if not shown:
        return ""
    listed = list(shown.items())[:MAX_SOURCES]
    lines = [f"{n}. [{label}]({url})" for n, (url, label) in enumerate(listed, 1)]
    if more := len(shown) - len(listed):
        lines.append("\n" + say(language, Phrase.MORE_SOURCES, count=more))
    return f"\n\n{say(language, Phrase.SOURCES)}\n\n" + "\n".join(lines)


def safe_url(url: str) -> str:
    """A URL in ASCII, percent-encoded where needed; "" if it is not http or https, or too long.

    User name and password are removed: they can make one host look like another.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.netloc.rpartition("@")[2], parts.port
    except ValueError:
        return ""
    host = host if port is None else host.rpartition(":")[0]
    if "\\" in parts.netloc:  # parsers disagree about the host
        return ""
    try:
        host = host.rstrip(":").encode("idna").decode()
    except UnicodeError:
        return ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        return ""
    rest = parts._replace(scheme="", netloc="").geturl()
    rest = quote(_STRAY_PERCENT.sub("%25", rest), safe=_SAFE_URL_CHARACTERS, errors="replace")
    if rest and rest[0] not in "/?#":
        rest = "/" + rest
    address = f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{rest}"
    return address if len(address) <= MAX_SOURCE_URL_CHARACTERS else ""


def _link_label(words: str) -> str:
    """A text as the label of a link: one short line with escaped markup."""
    spaced = (" " if char.isspace() else char for char in html.unescape(words))
    line = " ".join("".join(char for char in spaced if _is_visible(char)).split())
    if len(line) > MAX_SOURCE_TITLE_CHARACTERS:
        line = line[: MAX_SOURCE_TITLE_CHARACTERS - 1].rstrip() + "…"
    return _MARKUP.sub(r"\\\1", line)


def _is_visible(char: str) -> bool:
    """Whether a character is no control or format character, such as those that reverse text."""
    return unicodedata.category(char)[0] != "C"
