"""Reads tables as Markdown tables, and charts as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.render.incoming.findings import Findings
from bot.render.incoming.mrkdwn import unescape
from bot.render.incoming.payload import (
    Payload,
    as_mapping,
    as_string,
    collapse_whitespace,
    join_lines,
    list_items,
    mapping_items,
)
from bot.render.incoming.rich_text import rich_text

_ALIGNMENT_DELIMITERS = {"center": ":-:", "right": "--:"}


def table(block: Payload, findings: Findings) -> str:
    """A `table` or `data_table` block as a Markdown table; its first row is the header."""
    rows = [[_cell(cell, findings) for cell in row] for row in list_items(block.get("rows"))]
    caption = findings.note_words(unescape(as_string(block.get("caption"))))
    width = max((len(row) for row in rows), default=0)
    if not any(any(row) for row in rows):
        return caption
    settings = _column_settings(block, width)
    rule = [_ALIGNMENT_DELIMITERS.get(as_string(each.get("align")), "---") for each in settings]
    full = [row + [""] * (width - len(row)) for row in rows]
    return join_lines([caption, "\n".join(map(_row, [full[0], rule, *full[1:]]))], "\n\n")


def chart(block: Payload, findings: Findings) -> str:
    """A `data_visualization` block as its title and a line for each value."""
    drawn = as_mapping(block.get("chart"))
    axes = as_mapping(drawn.get("axis_config"))
    out = [as_string(block.get("title"))]
    out += [as_string(axes.get(name)) for name in ("x_label", "y_label", "x_title", "y_title")]
    out += _points(drawn.get("segments"))
    for series in mapping_items(drawn.get("series")):
        out += [as_string(series.get("name")), *_points(series.get("data"))]
    return findings.note_words(join_lines(map(unescape, out)))


def _points(points: Any) -> list[str]:
    return [
        f"{as_string(p.get('label'))}: {_number(p.get('value'))}" for p in mapping_items(points)
    ]


def _column_settings(block: Payload, width: int) -> list[Payload]:
    """The settings of each column; {} for a column without any."""
    given = block.get("column_settings")
    settings = [as_mapping(each) for each in given] if isinstance(given, list) else []
    return (settings + [{}] * width)[:width]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Any, findings: Findings) -> str:
    content = as_mapping(cell)
    if content.get("type") == "rich_text":
        shown = rich_text(content, findings)
    elif content.get("type") == "button":
        shown = ""
    else:
        text = as_string(content.get("text")) or _number(content.get("value")) or as_string(cell)
        shown = findings.note_words(unescape(text))
    return collapse_whitespace(shown).replace("|", "\\|")


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
