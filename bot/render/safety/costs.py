"""An upper bound of the bytes that neutralising adds to a text.

Each cost has a place: it counts for prefixes that reach it. A cost depends only on the text before
its place, so the bound of a prefix does not change as the text grows.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from bot.render.safety.addresses import ANGLE_BRACKETS_BYTES, MAILTO_LINK_BYTES
from bot.render.safety.edits import ZERO_WIDTH_SPACE
from bot.render.safety.labels import REMARK_BYTES_PER_HOST_BYTE, REMARK_OVERHEAD_BYTES

# A break, "image", and the characters around the host in a remark.
_LINK_BYTES = 8 + REMARK_OVERHEAD_BYTES
_BREAK_BYTES = len(ZERO_WIDTH_SPACE.encode())

_NEEDS_BREAK = regex.compile(r"[<&\]]|!(?=\[)")
_ADDRESS = regex.compile(r"https?://", regex.I)
_LINK = regex.compile(r"\](?:\([ \t\n]*+<?((?:\w++:(?://)?)?[^\s/?#<>]*+))")
# Labels without any of these name no host and get no remark.
_MAY_NAME = regex.compile(r"[^\x00-\x7f]|[.,&:/@\\]")
_LABELLED_ADDRESS = regex.compile(
    r"""<(?:a\s[^<>]{0,300}?href=["']?)?((?:https?://|mailto:)[^\s/?\#<>|"']*+)""", regex.I
)
_TARGET = regex.compile(
    r"""\]\([ \t\n]*+
        (?:<[^<>\n]*+|https?://(?:[^\s()<>]|\([^\n()<>\\]*+\)?|[ ](?!["']))*+)""",
    regex.X | regex.I,
)
_ENCODED = regex.compile(r"[\s|\"`^{}()]")
_DOUBLED_ADDRESS = regex.compile(
    r"""(?P<www>www\.)[^\s<>|\\`"]*+
      | (?<![^\s*_~("'])(?P<mail>[a-zA-Z0-9][a-zA-Z0-9._+-]{0,29}@)[a-zA-Z0-9.-]*+""",
    regex.X | regex.I,
)
_WWW = regex.compile(r"www\.", regex.I)


def extra_byte_costs(text: str) -> Iterator[tuple[int, int]]:
    """Yield places in `text`, and the bytes that neutralising may add to a prefix reaching each."""
    for match in _NEEDS_BREAK.finditer(text):
        yield match.end() + 1, _BREAK_BYTES
    yield from _link_costs(text)
    yield from _target_costs(text)
    for match in _ADDRESS.finditer(text):
        yield match.end(), ANGLE_BRACKETS_BYTES
    yield from _doubled_costs(text)


def _link_costs(text: str) -> Iterator[tuple[int, int]]:
    since = 0
    for match in _LINK.finditer(text):
        label = max(text.find("[", since, match.start()), since)
        names = _MAY_NAME.search(text, label, match.start())
        # The end of a host is known one character later.
        yield match.end() + 1, _LINK_BYTES + (_remark_bytes(match[1]) if names else 0)
        since = match.end()
    for match in _LABELLED_ADDRESS.finditer(text):
        yield match.end() + 1, _LINK_BYTES + _remark_bytes(match[1])


def _remark_bytes(host: str) -> int:
    return REMARK_BYTES_PER_HOST_BYTE * len(host.encode())


def _target_costs(text: str) -> Iterator[tuple[int, int]]:
    """Costs of percent-encoding link targets."""
    for target in _TARGET.finditer(text):
        for char in _ENCODED.finditer(text, target.start() + 2, target.end()):
            yield char.end() + 1, 2 * len(char[0].encode())


def _doubled_costs(text: str) -> Iterator[tuple[int, int]]:
    """Costs of addresses that may be repeated as label and target, for each character."""
    for match in _DOUBLED_ADDRESS.finditer(text):
        head = match.end("www") if match["www"] else match.end("mail")
        yield head, MAILTO_LINK_BYTES + head - match.start()
        for other in _WWW.finditer(text, head, match.end()):  # emphasis may separate them
            yield other.end(), MAILTO_LINK_BYTES
        for place in range(head, match.end()):
            yield place + 1, len(text[place].encode())
