"""Reads the rich_text block, which Slack's composer writes, as Markdown.

Its texts are not escaped: an angle bracket in them is no markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from bot.render.incoming.findings import Findings, word_set
from bot.render.incoming.mrkdwn import format_date, format_link
from bot.render.incoming.payload import (
    Payload,
    as_int,
    as_mapping,
    as_string,
    join_lines,
    mapping_items,
    quote_markdown,
)

_EMPHASIS_MARKERS = (("bold", "**"), ("strike", "~~"), ("italic", "*"))
_BACKTICKS = re.compile(r"`+")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_MAX_LIST_LEVELS = 8  # levels of a list that Slack's composer makes

LIST_TYPE, SECTION_TYPE = "rich_text_list", "rich_text_section"


def rich_text(block: Payload, findings: Findings) -> str:
    """A rich_text block, or one of its parts, as Markdown."""
    return _elements_text(mapping_items(block.get("elements")), findings)


def _elements_text(elements: Sequence[Payload], findings: Findings) -> str:
    """Inline elements and nested parts in their order; nested parts are on lines of their own."""
    runs = groupby(elements, key=_is_nested)
    return join_lines(
        _nested_text(list(run), findings) if nested else _styled(list(run), findings)
        for nested, run in runs
    )


def _is_nested(element: Payload) -> bool:
    return as_string(element.get("type")).startswith("rich_text")


def _nested_text(parts: Sequence[Payload], findings: Findings) -> str:
    out: list[str] = []
    widths: list[int] = []  # of the markers that the next list may stand below
    before = ""
    for part in parts:
        kind = as_string(part.get("type"))
        text = _nested_part_text(part, widths, findings).strip("\n")
        if kind != LIST_TYPE:
            widths.clear()
        if not text.strip():
            continue
        out += [_separator(before, part), text]
        before = kind
    return "".join(out)


def _separator(before: str, part: Payload) -> str:
    """The separator between two parts. Markdown would read text directly after a list or a quote as
    a part of it."""
    if not before:
        return ""
    if before == SECTION_TYPE != part.get("type"):
        late = part.get("type") == LIST_TYPE and as_int(part.get("offset")) > 0
        return "\n\n" if late else "\n"
    return "\n" if before == part.get("type") == LIST_TYPE else "\n\n"


def _nested_part_text(part: Payload, widths: list[int], findings: Findings) -> str:
    match part.get("type"):
        case "rich_text_list":
            text = _list(part, widths, findings)
        case "rich_text_preformatted":
            text = _fence(part, findings)
        case "rich_text_quote":
            return quote_markdown(rich_text(part, findings))
        case _:
            text = rich_text(part, findings)
    return quote_markdown(text) if part.get("border") and text.strip() else text


def _list(part: Payload, widths: list[int], findings: Findings) -> str:
    level = min(max(as_int(part.get("indent")), 0), _MAX_LIST_LEVELS)
    widths[:] = (widths + [2] * level)[:level]
    pad, marker = " " * sum(widths), "- "
    out = []
    for count, item in enumerate(
        mapping_items(part.get("elements")), max(as_int(part.get("offset")), 0)
    ):
        if part.get("style") == "ordered":
            marker = f"{count + 1}. "
        text = _elements_text([item], findings)
        first, *more = text.strip("\n").split("\n")
        hanging = " " * len(marker)
        out += [f"{pad}{marker}{first}", *(f"{pad}{hanging}{line}".rstrip() for line in more)]
    widths.append(len(marker))
    return "\n".join(out)


def _fence(part: Payload, findings: Findings) -> str:
    text = "".join(
        _elements_text([each], findings)
        if _is_nested(each)
        else _inline_element(each, findings, in_code=True)
        for each in mapping_items(part.get("elements"))
    ).strip("\n")
    if not text.strip():
        return ""
    fence = "`" * max(3, _longest_backticks(text) + 1)
    language = as_string(part.get("language"))
    return f"{fence}{language if _LANGUAGE.fullmatch(language) else ''}\n{text}\n{fence}"


def _styled(
    elements: Sequence[Payload],
    findings: Findings,
    marks: Sequence[tuple[str, str]] = _EMPHASIS_MARKERS,
) -> str:
    """Inline elements with their emphasis; consecutive elements of one style are marked once."""
    if not marks:
        return _spans(elements, findings)
    (style, mark), *inner = marks
    out = []
    for on, run in groupby(elements, key=lambda element: _has_style(element, style)):
        text = _styled(list(run), findings, inner)
        out.append(_emphasised(text, mark) if on else text)
    return "".join(out)


def _has_style(element: Payload, style: str) -> bool:
    return bool(as_mapping(element.get("style")).get(style))


def _emphasised(text: str, mark: str) -> str:
    """`text` between marks, for each line, because emphasis must end with its line."""
    return "\n".join(_emphasised_line(line, mark) for line in text.split("\n"))


def _emphasised_line(line: str, mark: str) -> str:
    inner = line.strip()
    if not inner:
        return line
    start = line.index(inner)
    return f"{line[:start]}{mark}{inner}{mark}{line[start + len(inner) :]}"


def _spans(elements: Sequence[Payload], findings: Findings) -> str:
    out = []
    for code, run in groupby(elements, key=_is_code):
        text = "".join(_inline_element(element, findings) for element in run)
        out.append(code_span(text) if code else text)
    return "".join(out)


def _is_code(element: Payload) -> bool:
    return element.get("type") == "text" and _has_style(element, "code")


def code_span(text: str) -> str:
    """`text` as inline code, with as many backticks as needed."""
    if not text.strip():
        return text
    ticks = "`" * (_longest_backticks(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _longest_backticks(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _inline_element(element: Payload, findings: Findings, *, in_code: bool = False) -> str:
    """One inline element; in code, links are bare URLs."""
    match element.get("type"):
        case "link":
            return findings.note_words(_link(element, in_code=in_code))
        case "user":
            return findings.add_mention(as_string(element.get("user_id")))
        case "usergroup":
            return findings.group_name(as_string(element.get("usergroup_id")))
        case "channel":
            return findings.channel_name(as_string(element.get("channel_id")))
        case "broadcast":
            return findings.note_words("@" + as_string(element.get("range")))
        case "emoji":
            return findings.note_words(_emoji(element, findings))
        case "date":
            fallback, pattern = as_string(element.get("fallback")), as_string(element.get("format"))
            return findings.note_words(format_date(element.get("timestamp"), pattern, fallback))
        case "color":
            return findings.note_words(as_string(element.get("value")))
    shown = as_string(element.get("text")) or as_string(element.get("fallback"))
    return findings.note_words(shown) or rich_text(element, findings)


def _link(element: Payload, *, in_code: bool) -> str:
    url, label = as_string(element.get("url")), as_string(element.get("text"))
    if in_code:
        return label or url
    if _has_style(element, "code"):
        return format_link(url, code_span(label or url), "[{label}]({url})")
    return format_link(url, label, "[{label}]({url})")


def _emoji(element: Payload, findings: Findings) -> str:
    name, points = as_string(element.get("name")), as_string(element.get("unicode"))
    findings.aliases |= word_set(f"{name} skin-tone-{as_int(element.get('skin_tone'))}")
    try:
        characters = "".join(chr(int(point, 16)) for point in points.split("-") if point)
        characters.encode()
    except (ValueError, OverflowError):
        return f":{name}:"
    return characters or (f":{name}:" if name else "")
