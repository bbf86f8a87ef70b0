"""The time it takes grows with the text and no faster, whatever is written again and again."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from itertools import count
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.committable import committable_prefix
from bot.render.message import render_messages
from bot.render.safety.neutralise import neutralise, replace_control_characters
from bot.render.split import split_text
from bot.values import Draft, Phase
from tests.support.words import EN
from tests.unit.render.reference_reader import PIECES
from tests.unit.render.test_neutralise import ATTACKS

Render = Callable[[str], object]

RENDERS: dict[str, Render] = {
    "inert": neutralise,
    "lasting": committable_prefix,
    "split": lambda text: split_text(text, LIMIT),
    "bodies, growing": lambda text: written(Phase.STREAMING, text),
    "bodies, at their end": lambda text: written(Phase.STOPPED, text),
}

MORE = (
    *"abc019&;:/.,()[]{}<>\"'|!?-+=#@%$^~`*_\\", "&lt", "&#", "&period;", "www.", "http://", "<a ",
    "<a href='", "<code", "</", "<!--", "mailto:", "]: ", "[a]:", "| --- ", ":-", ">>", "a@b.cd",
    "\u00ad", "\u2028", "xn--", "[r][", "\n- ", "\n> ", "\n#",
)  # fmt: skip

atoms = st.lists(st.sampled_from((*PIECES, *ATTACKS, *MORE)), min_size=1, max_size=4).map("".join)
"""What is repeated: up to four pieces of what markdown, HTML and Slack take for markup."""

PREFIXES = (
    "https://a.b&amp;", "www.a.b", "![", "[", "[a](", "[a]: ", "<a ", "<https://a.b|", "&lt;", "*",
    "`", "``", "<b>", "<code>", "> ", "- ", "\t", "| a |\n|---|\n| ", "```\n",
)  # fmt: skip
"""What may stand before it, so that all the rest is read in its light."""

ATOMS = (
    "[+]", "[r][r]", "![r]", "![", "](", "[", "]", "[a](https://b.cd)", "![a](https://b.cd)",
    "[![a](https://b.cd)](https://c.de)", "[a b](https://b.cd)", "[a]: b\n", "[`a`][r]", "\\[",
    "![a `b`](https://c.de) ", "&lt;", "&amp;", "&mdash;", "https://a.b&amp;", "www.a.b&mdash;",
    "[a](https://b.cd)&mdash;", "*a*", "_a ", "**", "~~", "_https://a.b_ ", "*a@b.cd*", "a@b.cd",
    "`", "`a` ", "`a`<code>x</code>", "`a`[b](https://c.de)", "<b>", "<b>x</b>", "<br>", "<p>",
    '<a href="https://b.cd">x</a>', "<https://a.b|c>", "<a ", "<x<p>", "<code>", "\t", "\n", "> ",
    "- ", "| a ", "word ",
)  # fmt: skip
"""Links, images, addresses, code, tags, entities and blanks, each of them whole or begun."""

LENGTH = 3_000  # characters: more than an unfinished link reaches back
LIMIT = 1_000  # bytes of a message: a text twice as long takes about twice as many
TRIES = 3

fresh = map("{}.\n\n".format, count())
"""Beginnings that differ, so that nothing is remembered from the text before."""


def split_in_halves(text: str) -> object:
    """Split into messages that are the longer, the longer the text is."""
    return split_text(text, max(LIMIT, len(text.encode()) // 2))


def written(phase: Phase, text: str) -> object:
    return render_messages(Draft(phase, text), question_id="q", language=EN, max_bytes=LIMIT)


def repeated(prefix: str, atom: str, length: int) -> str:
    return replace_control_characters(next(fresh) + prefix + atom * (length // len(atom)))


def seconds(render: Render, prefix: str, atom: str, length: int) -> float:
    """The least CPU time of several."""
    times = []
    for _ in range(3):
        text = repeated(prefix, atom, length)
        began = process_time()
        render(text)
        times.append(process_time() - began)
    return min(times)


def grows_faster(render: Render, atom: str, prefix: str = "") -> bool:
    """Whether twice the text takes far more than twice the time, whenever it is measured.

    Twice is right, four times is the square; what lies under two milliseconds is noise.
    """
    gc.collect()
    for _ in range(TRIES):
        once, twice = (seconds(render, prefix, atom, n * LENGTH) for n in (1, 2))
        if twice < 3 * once + 0.002:
            return False
    return True


@pytest.mark.parametrize("name", RENDERS)
@given(atom=atoms)
@settings(max_examples=12, deadline=None)
@example("&lt;")
@example("*a*")
@example("#\n")
@example("![\n")
@example("<b\n\n")
@example("> <a\n")
@example("&#40;  \n![")
@example("~~~\n:-~")
@example("[a]:$")
@example('[<a "')
@example("a, b. c:")
def test_render_time_grows_linearly_with_repeated_text(name: str, atom: str) -> None:
    assert not grows_faster(RENDERS[name], atom)


def calls(render: Render, prefix: str, atom: str, length: int) -> int:
    """How often a function is called or a generator goes on: the same on any machine."""
    text, count = repeated(prefix, atom, length), 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        render(text)
    finally:
        sys.setprofile(before)
    return count


def calls_grow_faster(render: Render, atom: str, prefix: str = "") -> bool:
    """Whether four times the text takes far more than four times the calls.

    16 times is the square. The number of messages grows by steps, so it may be a little more.
    """
    once, more = (calls(render, prefix, atom, n * LENGTH) for n in (1, 4))
    return more > 6 * once + 1_000


@pytest.mark.parametrize("name", [*RENDERS, "split in halves"])
@given(prefix=st.sampled_from(("", *PREFIXES)), atom=st.one_of(st.sampled_from(ATOMS), atoms))
@settings(max_examples=12, deadline=None)
@example("https://a.b&amp;", "[+]")
@example("", "![a](https://b.cd)")
@example("", "`a`<code>x</code>")
@example("", "[a](https://b.cd)&mdash;")
@example("", "https://a.b&amp;")
@example("[", "`a`[b](https://c.de)")
@example("", "https://a.b/c**")
@example("", "<b><i></b><b></i><i></b>")
def test_render_calls_grow_linearly_with_repeated_text(name: str, prefix: str, atom: str) -> None:
    assert not calls_grow_faster(RENDERS.get(name, split_in_halves), atom, prefix)


@pytest.mark.parametrize("name", RENDERS)
@given(prefix=st.sampled_from(PREFIXES), atom=st.sampled_from(ATOMS))
@settings(max_examples=12, deadline=None)
@example("https://a.b&amp;", "[+]")
def test_render_time_grows_linearly_after_any_prefix(name: str, prefix: str, atom: str) -> None:
    assert not grows_faster(RENDERS[name], atom, prefix)


def test_growth_check_detects_quadratic_time() -> None:
    def square(text: str) -> int:
        return sum(one == other for one in text for other in text[::50])

    def cube(text: str) -> int:
        few = text[::50]
        return sum(one == other == third for one in few for other in few for third in few)

    assert grows_faster(cube, "ab")
    assert calls_grow_faster(square, "ab")
    assert not grows_faster(lambda text: sum(map(ord, text * 100)), "ab")
    assert not calls_grow_faster(lambda text: sum(ord(char) for char in text * 10), "ab")
