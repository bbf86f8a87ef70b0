"""HTML in, title and text out: the program that page_reader.py runs in a separate process.

It reads UTF-8 from standard input and writes `{"title", "body"}` as JSON. It runs as a file, with
Python's isolated mode, so it can't import other modules of this project.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from justext import core  # type: ignore[import-untyped]  # it has no types
from lxml.etree import LxmlError  # type: ignore[import-untyped]  # it has no types

MAX_PARAGRAPHS = 2000  # the time jusText takes grows with their square
MAX_TEXT_CHARACTERS = 100_000
MAX_TITLE_CHARACTERS = 300
MIN_MAIN_TEXT_CHARACTERS = 250  # with less, jusText missed the main text
MAX_CPU_SECONDS = 5
MAX_MEMORY_BYTES = 2**30

_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>")
_HEADING = re.compile(r"\bh([1-6])\b")


def extract(html: str) -> tuple[str, str]:
    """Return the title and the main text, headings and list items marked as in Markdown."""
    try:
        document = core.html_to_dom(_XML_DECLARATION.sub("", html))
    except (LxmlError, ValueError):  # nothing but comments, or nothing at all
        return "", ""
    title = " ".join((document.findtext(".//title") or "").split())
    paragraphs = core.ParagraphMaker.make_paragraphs(core.preprocessor(document))
    lines = "\n".join(map(_paragraph_line, _main_paragraphs(paragraphs[:MAX_PARAGRAPHS])))
    return title[:MAX_TITLE_CHARACTERS], lines.strip()[:MAX_TEXT_CHARACTERS]


def _main_paragraphs(paragraphs: Sequence[Any]) -> Sequence[Any]:
    """Return the paragraphs of the main text; on a short page all that are not mostly links.

    Stop words are not used: they depend on the page's language, and some languages have none.
    """
    core.classify_paragraphs(paragraphs, frozenset(), stopwords_low=0, stopwords_high=0)
    core.revise_paragraph_classification(paragraphs)
    main = [paragraph for paragraph in paragraphs if not paragraph.is_boilerplate]
    if sum(map(len, main)) >= MIN_MAIN_TEXT_CHARACTERS:
        return main
    return [paragraph for paragraph in paragraphs if paragraph.links_density() < 0.5] or paragraphs


def _paragraph_line(paragraph: Any) -> str:
    text = " ".join(paragraph.text.split())
    if heading := _HEADING.search(paragraph.dom_path):
        return f"\n{'#' * int(heading[1])} {text}\n"
    return f"- {text}" if paragraph.dom_path.endswith(".li") else text


def _limit_resources() -> None:
    for kind, limit in (
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # not every system has all of them
            resource.setrlimit(kind, (limit, limit))


def main() -> None:
    """Read HTML from standard input, and write its title and text to standard output."""
    _limit_resources()
    title, body = extract(sys.stdin.buffer.read().decode("utf-8", "replace"))
    sys.stdout.buffer.write(json.dumps({"title": title, "body": body}).encode("utf-8"))


if __name__ == "__main__":
    main()
