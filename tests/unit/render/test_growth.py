"""The time it takes grows with the text and no faster, whatever is written again and again."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import count
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.committable import lasting
from bot.render.message import bodies
from bot.render.safety.neutralise import clean, inert
from bot.render.split import split
from bot.values import Draft, Phase
from tests.unit.render.judge import PIECES
from tests.unit.render.test_safe import ATTACKS

Render = Callable[[str], object]

RENDERS: dict[str, Render] = {
    "inert": inert,
    "lasting": lasting,
    "split": lambda text: split(text, LIMIT),
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

LENGTH = 3_000  # characters
LIMIT = 1_000  # bytes of a message: a text twice as long takes about twice as many
TRIES = 3

fresh = map("{}.\n\n".format, count())
"""Beginnings that differ, so that nothing is remembered from the text before."""


def written(phase: Phase, text: str) -> object:
    return bodies(Draft(phase, text), question_id="q", limit=LIMIT)


def seconds(render: Render, atom: str, length: int) -> float:
    """The least CPU time of several."""
    times = []
    for _ in range(3):
        text = clean(next(fresh) + atom * (length // len(atom)))
        began = process_time()
        render(text)
        times.append(process_time() - began)
    return min(times)


def grows_faster(render: Render, atom: str) -> bool:
    """Whether twice the text takes far more than twice the time, whenever it is measured.

    Twice is right, four times is the square; what lies under two milliseconds is noise.
    """
    gc.collect()
    for _ in range(TRIES):
        once, twice = seconds(render, atom, LENGTH), seconds(render, atom, 2 * LENGTH)
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
def test_time_grows_no_faster_than_a_text_that_repeats_itself(name: str, atom: str) -> None:
    assert not grows_faster(RENDERS[name], atom)


def test_time_that_grows_with_the_square_is_noticed() -> None:
    def square(text: str) -> int:
        return sum(one == other for one in text for other in text[::50])

    assert grows_faster(square, "ab")
    assert not grows_faster(lambda text: sum(map(ord, text * 100)), "ab")
