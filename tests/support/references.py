"""What documents, comments and docstrings refer to, and whether it is there.

References are links in Markdown, mentions of Markdown files with or without a heading
(`docs/slack.md#tiers`), and, in Markdown, paths of code. A section number refers to a document
that is not in the repository, so there must be none.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

NOT_OURS = frozenset({".git", ".venv", "__pycache__", ".env"}) | {
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}
EXAMPLES = "bot/playground"  # its Markdown is what the demo model writes

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_CODE = re.compile(r"`[^`]*`")
_URL = re.compile(r"\b[a-z]+://[^\s)>\]]+")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_MENTION = re.compile(r"(?<![\w./-])[\w./-]*\w\.md(?:#[\w-]+)?(?![\w/-])")
_PATH = re.compile(r"`((?:bot|tests|deploy|docs)/[\w./-]+)(?<!\.md)`")
_HEADING = re.compile(r"^#+ (.+)$", re.M)
_SECTION = re.compile(r"§\s*\d[\d.]*")
# Written in pieces, so that this file does not hold what it looks for.
_ABSENT = re.compile(r"\b(?:slack|upstream)-" + "facts")


class Reference(NamedTuple):
    """Something that is referred to, and the place that does."""

    path: str
    line: int
    target: str


def files(root: Path) -> Iterator[Path]:
    """Every file of the project."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not NOT_OURS & set(path.relative_to(root).parts):
            yield path


def references(root: Path) -> Iterator[Reference]:
    """Every reference in the project's documents, comments and docstrings."""
    for path in files(root):
        name = path.relative_to(root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.suffix == ".md" and not name.startswith(EXAMPLES):
            yield from _of_document(name, text)
        elif path.suffix == ".py" and ".md" in text:  # reading all of them takes seconds
            yield from (Reference(name, *one) for one in _mentions(_spoken(text)))
        for pattern in (_ABSENT, _SECTION):
            yield from (Reference(name, *one) for one in _found(pattern, text))


def complaints(root: Path) -> list[str]:
    """What is wrong with the references below `root`."""
    wrong = (one for one in references(root) if not _is_there(root, one))
    return [f"{path}:{line} refers to {target}" for path, line, target in wrong]


def _of_document(name: str, text: str) -> Iterator[Reference]:
    prose = _FENCE.sub(_blank, text)
    for line, target in _found(_LINK, _CODE.sub(_blank, prose)):
        if ":" not in target:  # no scheme
            yield Reference(name, line, target)
    yield from (Reference(name, *one) for one in _mentions(_LINK.sub(_blank, prose)))
    yield from (Reference(name, *one) for one in _found(_PATH, prose))


def _mentions(text: str) -> Iterator[tuple[int, str]]:
    return _found(_MENTION, _URL.sub(_blank, text))


def _found(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[match.re.groups and 1]


def _blank(match: re.Match[str]) -> str:
    """As many lines, and nothing in them."""
    return " " + "\n" * match[0].count("\n")


def _spoken(source: str) -> str:
    """The comments and docstrings of a module, on the lines they stand on."""
    lines = [""] * (source.count("\n") + 2)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] += token.string
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                said = source.splitlines()[node.lineno - 1 : node.end_lineno]
                lines[node.lineno - 1 : node.end_lineno] = said
    return "\n".join(lines)


def _is_there(root: Path, reference: Reference) -> bool:
    if _ABSENT.search(reference.target) or _SECTION.fullmatch(reference.target):
        return False
    file, _, heading = reference.target.partition("#")
    here = root / reference.path
    places = [here.parent / file, root / file] if file else [here]
    found = next((place for place in places if place.exists()), None)
    return found is not None and (not heading or heading in headings(found))


@cache
def headings(document: Path) -> frozenset[str]:
    """The anchors of a Markdown file, as GitHub makes them of its headings."""
    text = _FENCE.sub(_blank, document.read_text(encoding="utf-8"))
    return frozenset(
        re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in _HEADING.findall(text)
    )
