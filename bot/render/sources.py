"""The list of sources under an answer: what pages say of themselves, made harmless. Pure.

Titles and addresses come from pages anybody can write. A title is one short line without markup,
so that a page can't speak in the answer's voice; an address leads to a host by http or https, and
holds nothing that Markdown or Slack could read as something else.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

MAX_SOURCE_TITLE_CHARACTERS = 100  # characters; longer ones are cut and end in "…"
MAX_SOURCE_URL_CHARACTERS = 2_000  # characters; a longer one is no place anybody goes to
MAX_SOURCES = 50  # of one answer; how many more there are is said
_MARKUP = re.compile(r"([\\`*_\[\]<>()~|#!&{}$^])")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")
# What may stand in the rest of an address as it is: RFC 3986, without what closes a link.
_SAFE_URL_CHARACTERS = "/?#%:@!$&'+,;=~-._"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def render_sources(sources: Mapping[str, str]) -> str:
    """Return the Markdown of a list of sources, title by address; "" where none can be shown."""
    shown: dict[str, str] = {}
    for written, title in sources.items():
        if address := safe_url(written):
            shown.setdefault(address, _link_label(title) or _link_label(address))
    if not shown:
        return ""
    listed = list(shown.items())[:MAX_SOURCES]
    lines = [f"{n}. [{label}]({url})" for n, (url, label) in enumerate(listed, 1)]
    if more := len(shown) - len(listed):
        lines.append(f"\nand {more:,} more")
    return "\n\n**Sources**\n\n" + "\n".join(lines)


def safe_url(url: str) -> str:
    """Return an address in ASCII, percent-encoded where needed; "" unless http or https, and
    where it is too long.

    A user's name and password in it are left out: they make one host look like another.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.netloc.rpartition("@")[2], parts.port
    except ValueError:
        return ""
    host = host if port is None else host.rpartition(":")[0]
    if "\\" in parts.netloc:  # readers disagree about the host
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
    """Return words as the label of a link: one line, short, nothing in it alive."""
    known = html.unescape(words)
    seen = (" " if char.isspace() else char for char in known)
    line = " ".join("".join(char for char in seen if _is_visible(char)).split())
    if len(line) > MAX_SOURCE_TITLE_CHARACTERS:
        line = line[: MAX_SOURCE_TITLE_CHARACTERS - 1].rstrip() + "…"
    return _MARKUP.sub(r"\\\1", line)


def _is_visible(char: str) -> bool:
    """Whether a character is seen, and does not turn others round or hide them."""
    return unicodedata.category(char)[0] != "C"
