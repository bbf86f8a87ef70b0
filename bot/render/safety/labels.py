"""Labels of links that look like an address.

A label that can be read as an address gets a remark, unless it is the address of the link: the host
of the link in ASCII, in brackets. Other labels are kept.
"""

from __future__ import annotations

import html
from unicodedata import normalize
from urllib.parse import quote, unquote

import regex

# The bytes of a remark: so many for each byte of the host as written, and an overhead.
REMARK_BYTES_PER_HOST_BYTE = 3
REMARK_OVERHEAD_BYTES = len(" (, …)".encode())

# Invisible: format characters, fillers, and blanks too thin to separate words.
_INVISIBLE = regex.compile(
    r"[\p{Cf}\p{Default_Ignorable_Code_Point}\u2000-\u200a\u202f\u205f\u2800\u3164\uffa0]"
)
_MARKUP = regex.compile(r"\\([!-/:-@\[-`{-~])|!\[|\]\([^()\s]*+\)|[*~`]|(?<![^\W_])_|_(?![^\W_])")
_TAG = regex.compile(r"<[/!?]?[a-zA-Z-][^<>]*+>")
_QUOTING_TAG = regex.compile(r"""<[/!?]?[a-zA-Z-](?:"[^"]*+"|'[^']*+'|[^<>"'])*+(>?)""")
# Characters that look like the ASCII punctuation of addresses and that NFKC does not map to it.
_LOOK_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u3002\uff61\u2024\u0701\u0702\u06d4\ua4f8\ua60e", "."),
        **dict.fromkeys("\U00010a50\U0001d16d", "."),
        **dict.fromkeys("\u2041\u2044\u2215\u27cb\u29f8\u2571\u1735\u3033\u2cc6\u31d3", "/"),
        **dict.fromkeys("\u2236\ua789\u02d0\u02f8\u05c3\u0589\u0703\u0704\u16ec", ":"),
        **dict.fromkeys("\ufe6b\u24d0", "@"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\u02d7", "-"),
    }
)
# Commas, raised dots and Arabic zeros, which look like dots before a top-level domain.
_DOTS = (
    r"[,\u201a\u060c\u060d\u066b\ua4f9\u02f3\u0660\u06f0"
    r"\xb7\u0387\u1427\u16eb\u2022\u2219\u22c5\u2027\u2e31\u2e33\u30fb\ua78f\U00010101]"
)
_TOP_LEVEL = frozenset(
    {"app", "biz", "cloud", "com", "dev", "edu", "gov", "info", "int", "link", "mil", "net"}
    | {"online", "org", "page", "shop", "site", "tech", "xyz"}
)
_ENDS_DOMAIN = rf"(?=(?:{'|'.join(sorted(_TOP_LEVEL))})(?!\w))"
_DOT_IN_DOMAIN = regex.compile(
    rf"(?<=\w)(?<!\b(?:e\.g|i\.e|etc|vs|cf))(?:{_DOTS}|\s*+\.\s++|\s++\.){_ENDS_DOMAIN}"
)
_DOT_IN_BRACKETS = regex.compile(r"\[\.\]|\(\.\)|\{\.\}")  # `okta[.]com`
_QUOTE = regex.compile(r"\n[ \t]*+(?:>[ \t]?)++")  # a label's next line in a block quote
_BLANK_IN_ADDRESS = regex.compile(r"\s+(?=[.:/@]\S)|(?<=://)\s+")
_ADDRESS_LIKE = regex.compile(
    r"""[^\W\d][\w+.-]*+:/ | // | :\\\\ | \bwww\. | \w@\w | \bxn--
      | \b(?:https?|mailto|ftp|tel|slack|file|javascript|data): | \d++(?:\.\d++){3}
      | [\w\p{So}-]\.[^\W\d_][\w-] | \.xn-- | [^\W\d][\w-]*+:\d{2,5}(?!\d)
      | \[[0-9a-f]*+:[0-9a-f:]++\] | (?<![\w:.])(?=[a-f:]{0,8}\d)[0-9a-f:]{0,40}::""",
    regex.X,
)
# `str.join()` reads as code, `okta.com()` does not.
_CALL = regex.compile(r"[\w.]*+(?<=\.(\w+))\([^()]*+\)\W*+")
_SURROUNDING_PUNCTUATION = "([{<\"'\u201c\u2018\u00ab\u201d\u2019\u00bb>}]).,;:!?"
_OWN_ADDRESS = regex.compile(r"(?:https?://)?([^/?#\\:@\s]+)(?::\d*+)?(?:[/?#].*+)?", regex.S)
_AUTHORITY = regex.compile(r"https?://([^/\\?#]*)|mailto:([^?#]*)([^#]*)", regex.I)
_PORT = regex.compile(r":\d*$")
_RECIPIENTS = regex.compile(r"[?&;](?:to|cc|bcc)=", regex.I)
_UNSAFE = regex.compile(r"[^a-z0-9.:@,+=%_-]|(?<![a-z0-9])_|_(?![a-z0-9])", regex.I)


def visible_label(label: str) -> str:
    """The visible text of a link's label, with look-alike punctuation in ASCII.

    Entities are decoded twice, because a client may decode a label that was decoded before.
    """
    decoded = _INVISIBLE.sub("", html.unescape(html.unescape(_QUOTE.sub("\n", label))))
    bare = _MARKUP.sub(lambda match: match[1] or "", decoded)
    return " ".join(normalize("NFKC", bare.translate(_LOOK_ALIKE)).split())


def looks_like_address(label: str) -> bool:
    """Whether a label, or a part of it, can be read as an address."""
    return any(True for _ in _address_words(label))


def host_remark(label: str, target: str) -> str:
    """The remark to append to a label that names another host than its allowed target; or ""."""
    hosts = _target_hosts(target)
    if all(_leads_to_host(word, hosts) for word in _address_words(label)):
        return ""
    remark = f" ({_displayed_hosts(target, hosts)})"
    return "" if label.endswith(remark) else remark


def _address_words(label: str) -> set[str]:
    """The words of a label that can be read as addresses, in lower case."""
    readings = {label, _TAG.sub("", label), _without_tags(label)}
    words = {word for reading in readings for word in _words(visible_label(reading))}
    return {word.strip(_SURROUNDING_PUNCTUATION) for word in words if _reads_as_address(word)}


def _without_tags(label: str) -> str:
    """A label without its tags, whose quoted attributes may contain a `>`."""
    return _QUOTING_TAG.sub(lambda match: "" if match[1] else match[0], label)


def _words(label: str) -> list[str]:
    """The words of a plain label in lower case; an address with blanks inside is one word."""
    joined = _DOT_IN_DOMAIN.sub(".", _DOT_IN_BRACKETS.sub(".", label))
    return _BLANK_IN_ADDRESS.sub("", joined).lower().split()


def _reads_as_address(word: str) -> bool:
    if not _ADDRESS_LIKE.search(word):
        return False
    call = _CALL.fullmatch(word)
    return not call or len(call[1]) <= 2 or call[1] in _TOP_LEVEL or "//" in word


def _leads_to_host(word: str, hosts: list[str]) -> bool:
    """Whether an address is the only host that a link leads to."""
    if len(hosts) != 1:
        return False
    own = hosts[0]
    if "@" in own:
        return word.removeprefix("mailto:") in (own, own.rpartition("@")[2])
    match = _OWN_ADDRESS.fullmatch(word)
    return match is not None and _without_www(ascii_host(match[1])) == _without_www(own)


def _target_hosts(target: str) -> list[str]:
    """The host of a target in ASCII, or the recipients of a mailto link; "" for unnamed ones.

    [] if the target has neither.
    """
    match = _AUTHORITY.match(target)
    if match is None:
        return []
    if match[2] is None:
        return [ascii_host(_PORT.sub("", match[1].rpartition("@")[2]))]
    found = [part.strip() for part in regex.split("[,;]", unquote(match[2])) if part.strip()]
    hosts = [ascii_host(part, at="@") for part in found]
    return [*hosts, ""] if _RECIPIENTS.search(unquote(match[3])) else hosts


def _displayed_hosts(target: str, hosts: list[str]) -> str:
    """The hosts as shown in a remark: without markup, and not too long."""
    match = _AUTHORITY.match(target)
    written = (match[1] if match[2] is None else match[2]) if match else ""
    more = "" if hosts[-1:] != [""] else ", …" if len(hosts) > 1 else "…"
    named = ",".join(host.strip("[]") for host in hosts if host)
    shown = _UNSAFE.sub(lambda char: quote(char[0], safe=""), named)
    if len(shown) > REMARK_BYTES_PER_HOST_BYTE * len(written.encode()):
        shown = quote(written, safe=".:@,+=%-")
    return shown + more


def ascii_host(host: str, at: str = "") -> str:
    """A host in Punycode, so that letters that look alike differ.

    With `at`, the part before its last occurrence is only converted to lower case.
    """
    name, sign, host = host.lower().rpartition(at) if at else ("", "", host.lower())
    labels = normalize("NFKC", unquote(host).translate(_LOOK_ALIKE)).rstrip(".").split(".")
    return name + sign + ".".join(map(_ascii_label, labels))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    return "xn--" + label.encode("punycode", "replace").decode("ascii")


def _without_www(host: str) -> str:
    return host.removeprefix("www.")
