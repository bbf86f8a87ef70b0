"""A draft becomes messages."""

import json

from bot.render.message import bodies
from bot.values import Draft, Phase


def test_a_streaming_draft_is_one_markdown_block_and_a_quiet_sign() -> None:
    (body,) = bodies(Draft(Phase.STREAMING, "Hello **world**"), question_id="q")
    assert body.text == "Hello world"
    assert [block["type"] for block in json.loads(body.blocks)] == ["markdown", "context"]


def test_an_asking_draft_has_no_markdown_block() -> None:
    (body,) = bodies(Draft(Phase.ASKING), question_id="q")
    assert "Thinking…" in body.blocks
    assert "markdown" not in body.blocks


def test_a_long_answer_becomes_several_messages() -> None:
    text = "\n\n".join(f"Paragraph {n} " + "word " * 40 for n in range(200))
    assert len(bodies(Draft(Phase.DONE, text), question_id="q")) > 3
