"""No word put anywhere into a message is lost or doubled, and none nobody sees is told."""

from __future__ import annotations

import re
from collections import Counter
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings

from bot.render.incoming import answer_text, read_message
from tests.unit.render.incoming.composing import Composer, messages
from tests.unit.render.incoming.pieces import Json, bullets, mrkdwn, rich, section, text

WORD = re.compile(r"(?:seen|hidden)\d+q")


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages())
def test_read_message_contains_every_visible_word_once(made: tuple[Json, Composer]) -> None:
    message, composer = made
    found = read_message(message)
    assert Counter(WORD.findall(found.text)) == Counter(composer.seen)


def long_message(times: int) -> Json:
    """A message of about 100 blocks, each as long as `times` says."""
    words = "a_b *c* <&lt; `x` ~ | > " * times
    parts = [section(text(words, "bold"), text(words)), bullets(*[words] * 3, indent=3)]
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": words}] * 3] * 3}
    blocks = [rich(*parts * 3), {"type": "section", "text": mrkdwn(words)}, table] * 33
    blank = " \t" * 50 * times + "\n" * 50 * times
    attachments = [{"text": words + blank, "blocks": blocks[:2], "is_share": True}] * 20
    said = ("<" * 50 + "<@" * 50 + "<!date^") * times + blank
    return {"text": said, "blocks": blocks, "attachments": attachments}


@pytest.mark.parametrize("read", [read_message, answer_text])
def test_read_message_takes_linear_time(read: object) -> None:
    assert callable(read)

    def seconds(times: int) -> float:
        message = long_message(times)
        began = process_time()
        read(message)
        return process_time() - began

    short = min(seconds(10) for _ in range(3))
    assert seconds(80) < 8 * 4 * short + 0.05
