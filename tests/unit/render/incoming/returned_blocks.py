"""A markdown block as Slack may return it: as rich_text, header, table, image and divider.

Slack saves one markdown block as several others where it likes (docs/slack.md#markdown). This
stands for it, made with a markdown parser that shares nothing with the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tests.unit.render.incoming.pieces import Json, plain, rich

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}


def html(markdown: str) -> str:
    """What markdown means: two texts of equal HTML look the same to a reader."""
    return str(_PARSER.render(markdown))


def returned_blocks(markdown: str) -> list[Json]:
    """The blocks that stand for `markdown` in a saved message."""
    blocks: list[Json] = []
    for node in SyntaxTreeNode(_PARSER.parse(markdown)).children:
        for piece in _pieces(node):
            last = blocks[-1] if blocks else {}
            if not piece["type"].startswith("rich_text_"):
                blocks.append(piece)
            elif last.get("type") == "rich_text":
                last["elements"].append(piece)
            else:
                blocks.append(rich(piece))
    return blocks


def _pieces(node: SyntaxTreeNode) -> Iterator[Json]:
    match node.type:
        case "heading":
            words = "".join(str(each.get("text")) for each in _inline(node.children))
            yield {"type": "header", "text": plain(_escaped(words)), "level": int(node.tag[1])}
        case "paragraph":
            yield {"type": "rich_text_section", "elements": _inline(node.children)}
        case "fence":
            elements = [{"type": "text", "text": node.content.removesuffix("\n")}]
            yield {"type": "rich_text_preformatted", "elements": elements, "language": node.info}
        case "blockquote":
            yield {"type": "rich_text_quote", "elements": _quoted(node.children)}
        case "bullet_list" | "ordered_list":
            yield from _list(node, 0)
        case "table":
            yield _table(node)
        case "hr":
            yield {"type": "divider"}


def _quoted(paragraphs: Iterable[SyntaxTreeNode]) -> list[Json]:
    elements: list[Json] = []
    for paragraph in paragraphs:
        if elements:
            elements.append({"type": "text", "text": "\n\n"})
        elements += _inline(paragraph.children)
    return elements


def _list(node: SyntaxTreeNode, indent: int) -> Iterator[Json]:
    """Slack's lists do not nest: a deeper one parts the list it stands in."""
    ordered = node.type == "ordered_list"
    first = int(node.attrs.get("start", 1)) if ordered else 1
    items: list[Json] = []
    for count, item in enumerate(node.children):
        paragraph, *deeper = item.children
        items.append({"type": "rich_text_section", "elements": _inline(paragraph.children)})
        last = count == len(node.children) - 1
        if deeper or last:
            yield {
                "type": "rich_text_list",
                "style": "ordered" if ordered else "bullet",
                "indent": indent,
                "offset": first + count - len(items) if ordered else 0,
                "elements": items,
            }
            items = []
        for each in deeper:
            yield from _list(each, indent + 1)


def _table(node: SyntaxTreeNode) -> Json:
    rows = [row for part in node.children for row in part.children]
    cells = [
        [rich({"type": "rich_text_section", "elements": _inline(cell.children)}) for cell in row]
        for row in (row.children for row in rows)
    ]
    aligned = [str(cell.attrs.get("style", "")).partition(":")[2] for cell in rows[0].children]
    settings = [{"align": align} if align else None for align in aligned]
    return {"type": "table", "rows": cells, "column_settings": settings}


def _inline(nodes: Iterable[SyntaxTreeNode], **style: bool) -> list[Json]:
    return [element for node in nodes for element in _elements(node, style)]


def _elements(node: SyntaxTreeNode, style: dict[str, bool]) -> list[Json]:
    match node.type:
        case "inline":
            return _inline(node.children, **style)
        case "text":
            return [_text(node.content, style)] if node.content else []
        case "softbreak" | "hardbreak":
            return [_text("\n", style)]
        case "code_inline":
            return [_text(node.content, style | {"code": True})]
        case "strong" | "em" | "s":
            return _inline(node.children, **style, **{_STYLES[node.type]: True})
        case "link":
            label = "".join(str(each["text"]) for each in _inline(node.children))
            url = str(node.attrs["href"])
            return [{"type": "link", "url": url, "text": label} | _styled(style)]
    return []


def _text(words: str, style: dict[str, bool]) -> Json:
    return {"type": "text", "text": words} | _styled(style)


def _styled(style: dict[str, bool]) -> dict[str, Any]:
    return {"style": style} if style else {}


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
