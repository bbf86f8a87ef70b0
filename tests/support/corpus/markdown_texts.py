"""Markdown as models write it, finished and unfinished: every construct, whole and cut anywhere."""

from __future__ import annotations

from itertools import pairwise

_INLINE = (
    "**bold**",
    "*italic*",
    "***both***",
    "__bold__",
    "_italic_",
    "~~gone~~",
    "~one~",
    "`code`",
    "``a ` b``",
    "[a link](https://otters.example/a_b)",
    "![an image](https://otters.example/i.png)",
    "[![inside](https://otters.example/i.png)](https://otters.example)",
    "<b>bold</b>",
    "<br>",
    '<a href="https://otters.example">a tag</a>',
    "$$x^2 + y_1$$",
    "$x_1$",
    "https://otters.example/a_b*c",
    "snake_case_name",
    "5 * 3 * 2",
    "a < b && c > d",
    "\\*escaped\\*",
    "[x][y]",
    "**bold with `code` and *more***",
    "~~gone **and bold**~~",
)
_AROUND = ("{}", "See {} here.", "- {}\n- next", "> {}\n> more", "# {}\n\ntext", "1. {}\n2. two")
_BLOCKS = (
    "```py\nx = 1\n\ny = 2  # **not bold**\n```",
    "~~~\ncode\n~~~",
    "    indented code\n    more of it",
    "text\n\n```\n`inside`\n```\n\nafter",
    "- one\n  - nested\n\n    paragraph\n- [ ] open\n- [x] done",
    "1. one\n\n   ```sh\n   ls\n   ```\n2. two",
    "> quoted\n>\n> > twice\n\nafter",
    "| a | b |\n|---|:-:|\n| **1** | `2` |\n| 3 | |",
    "Title\n=====\n\nSub\n---\n\ntext",
    "above\n\n---\n\nbelow\n\n***\n\n- - -",
    "# One\n## Two\n###### Six\n#none",
    "[ref]: https://otters.example\n\nSee [ref] and [that][ref].",
    "$$\n\\int_0^1 x_1 dx\n$$",
    "<div>\n<p>text</p>\n</div>",
    "line one  \nline two",
    "* a\n+ b\n- c",
)
_PROSE = (
    "Otters are *playful* mammals; they **float** on their backs and hold hands while they sleep.",
    "A romp of otters shares its food, though each keeps a ~~stone~~ favourite stone of its own.",
    "Rivers rise in spring — that is when the young learn to swim, dive, and find their way home.",
    "Some say “they never stop moving”; in truth they rest for half of the day, curled up in reed.",
)


def _unfinished(text: str) -> list[str]:
    """Return beginnings of a text: without its last character, its last word, and its half."""
    return [text[:-1], text[: len(text) // 2], text[: len(text) * 3 // 4]]


def _inline() -> list[str]:
    whole = [
        around.format(inner)
        for number, inner in enumerate(_INLINE)
        for around in (_AROUND[number % len(_AROUND)], _AROUND[1])
    ]
    cut = [cut for inner in _INLINE for cut in _unfinished(f"Text with {inner}")]
    pairs = [f"{one} and {two}" for one, two in pairwise(_INLINE)]
    return [*whole, *cut, *pairs]


def _blocks() -> list[str]:
    cut = [cut for block in _BLOCKS for cut in _unfinished(block)]
    joined = [f"{one}\n\n{two}" for one, two in pairwise(_BLOCKS)]
    return [*_BLOCKS, *cut, *joined]


def _prose() -> list[str]:
    """Return whole paragraphs."""
    turned = [_PROSE[turn:] + _PROSE[:turn] for turn in range(len(_PROSE))]
    return [" ".join(sentences) for sentences in turned]


TEXTS: list[str] = ["", " ", "plain text", *_inline(), *_blocks(), *_prose()]
