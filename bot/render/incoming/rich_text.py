"""The rich_text block, which Slack's composer writes, as markdown.

Its texts are not escaped: angle brackets in them were typed and mark nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from bot.render.incoming.findings import Findings, words_of
from bot.render.incoming.mrkdwn import link, when
from bot.render.incoming.payload import Payload, items, lines, mapping, number, quoted, string

_MARKS = (("bold", "**"), ("strike", "~~"), ("italic", "*"))
_BACKTICKS = re.compile(r"`+")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_DEEPEST = 8  # levels of a list that Slack's composer makes

LIST, SECTION = "rich_text_list", "rich_text_section"


def rich_text(block: Payload, findings: Findings) -> str:
    """Return a rich_text block, or one of its parts, as markdown."""
    return _content(items(block.get("elements")), findings)


def _content(elements: Sequence[Payload], findings: Findings) -> str:
    """Return inline elements and nested parts in their order, each nested part on its own lines."""
    runs = groupby(elements, key=_is_part)
    return lines(
        _parts(list(run), findings) if nested else _styled(list(run), findings)
        for nested, run in runs
    )


def _is_part(element: Payload) -> bool:
    return string(element.get("type")).startswith("rich_text")


def _parts(parts: Sequence[Payload], findings: Findings) -> str:
    out: list[str] = []
    widths: list[int] = []  # of the markers that the next list may stand below
    before = ""
    for part in parts:
        kind = string(part.get("type"))
        text = _part(part, widths, findings).strip("\n")
        if kind != LIST:
            widths.clear()
        if not text.strip():
            continue
        out += [_gap(before, part), text]
        before = kind
    return "".join(out)


def _gap(before: str, part: Payload) -> str:
    """Return what parts a piece from the one before it, so that markdown does not run them
    together: text behind a list or a quote would become part of it."""
    if not before:
        return ""
    if before == SECTION != part.get("type"):
        late = part.get("type") == LIST and number(part.get("offset")) > 0
        return "\n\n" if late else "\n"
    return "\n" if before == part.get("type") == LIST else "\n\n"


def _part(part: Payload, widths: list[int], findings: Findings) -> str:
    match part.get("type"):
        case "rich_text_list":
            text = _list(part, widths, findings)
        case "rich_text_preformatted":
            text = _fence(part, findings)
        case "rich_text_quote":
            return quoted(rich_text(part, findings))
        case _:
            text = rich_text(part, findings)
    return quoted(text) if part.get("border") and text.strip() else text


def _list(part: Payload, widths: list[int], findings: Findings) -> str:
    level = min(max(number(part.get("indent")), 0), _DEEPEST)
    widths[:] = (widths + [2] * level)[:level]
    pad, marker = " " * sum(widths), "- "
    out = []
    for count, item in enumerate(items(part.get("elements")), max(number(part.get("offset")), 0)):
        if part.get("style") == "ordered":
            marker = f"{count + 1}. "
        text = _content([item], findings)
        first, *more = text.strip("\n").split("\n")
        hanging = " " * len(marker)
        out += [f"{pad}{marker}{first}", *(f"{pad}{hanging}{line}".rstrip() for line in more)]
    widths.append(len(marker))
    return "\n".join(out)


def _fence(part: Payload, findings: Findings) -> str:
    text = "".join(
        _content([each], findings) if _is_part(each) else _leaf(each, findings, code=True)
        for each in items(part.get("elements"))
    ).strip("\n")
    if not text.strip():
        return ""
    fence = "`" * max(3, _longest_run(text) + 1)
    language = string(part.get("language"))
    return f"{fence}{language if _LANGUAGE.fullmatch(language) else ''}\n{text}\n{fence}"


def _styled(
    elements: Sequence[Payload],
    findings: Findings,
    marks: Sequence[tuple[str, str]] = _MARKS,
) -> str:
    """Return inline elements with their emphasis; a run of one style is marked once."""
    if not marks:
        return _spans(elements, findings)
    (style, mark), *inner = marks
    out = []
    for on, run in groupby(elements, key=lambda element: _has(element, style)):
        text = _styled(list(run), findings, inner)
        out.append(_marked(text, mark) if on else text)
    return "".join(out)


def _has(element: Payload, style: str) -> bool:
    return bool(mapping(element.get("style")).get(style))


def _marked(text: str, mark: str) -> str:
    """Return `text` between marks, line by line, blanks outside: emphasis ends with its line."""
    return "\n".join(_marked_line(line, mark) for line in text.split("\n"))


def _marked_line(line: str, mark: str) -> str:
    inner = line.strip()
    if not inner:
        return line
    start = line.index(inner)
    return f"{line[:start]}{mark}{inner}{mark}{line[start + len(inner) :]}"


def _spans(elements: Sequence[Payload], findings: Findings) -> str:
    out = []
    for code, run in groupby(elements, key=_is_code):
        text = "".join(_leaf(element, findings) for element in run)
        out.append(code_span(text) if code else text)
    return "".join(out)


def _is_code(element: Payload) -> bool:
    return element.get("type") == "text" and _has(element, "code")


def code_span(text: str) -> str:
    """Return `text` as inline code, with as many backticks as it takes."""
    if not text.strip():
        return text
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _leaf(element: Payload, findings: Findings, *, code: bool = False) -> str:
    """Return one inline element; in code, where markdown means nothing, links are bare."""
    match element.get("type"):
        case "link":
            return findings.words(_link(element, code=code))
        case "user":
            return findings.mention(string(element.get("user_id")))
        case "usergroup":
            return findings.group(string(element.get("usergroup_id")))
        case "channel":
            return findings.channel(string(element.get("channel_id")))
        case "broadcast":
            return findings.words("@" + string(element.get("range")))
        case "emoji":
            return findings.words(_emoji(element, findings))
        case "date":
            fallback, pattern = string(element.get("fallback")), string(element.get("format"))
            return findings.words(when(element.get("timestamp"), pattern, fallback))
        case "color":
            return findings.words(string(element.get("value")))
    shown = string(element.get("text")) or string(element.get("fallback"))
    return findings.words(shown) or rich_text(element, findings)


def _link(element: Payload, *, code: bool) -> str:
    url, label = string(element.get("url")), string(element.get("text"))
    if code:
        return label or url
    if _has(element, "code"):
        return link(url, code_span(label or url), "[{label}]({url})")
    return link(url, label, "[{label}]({url})")


def _emoji(element: Payload, findings: Findings) -> str:
    name, points = string(element.get("name")), string(element.get("unicode"))
    findings.aliases |= words_of(f"{name} skin-tone-{number(element.get('skin_tone'))}")
    try:
        characters = "".join(chr(int(point, 16)) for point in points.split("-") if point)
        characters.encode()
    except (ValueError, OverflowError):
        return f":{name}:"
    return characters or (f":{name}:" if name else "")
