"""A draft becomes the messages that should stand."""

from __future__ import annotations

import html
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.message import ASKED_BLOCK_ID, MessageBody, render_messages
from bot.values import Draft, Phase
from tests.support.words import EN
from tests.unit.render.reference_reader import texts

LONG = "\n\n".join(f"Paragraph {n}: " + "some words " * 30 for n in range(90))


def render(phase: Phase, text: str = "", note: str = "", **more: Any) -> tuple[MessageBody, ...]:
    return render_messages(Draft(phase, text, note), question_id="q1", language=EN, **more)


def blocks(body: MessageBody) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body.blocks)
    return found


def line(body: MessageBody) -> str:
    """Return the line that says how the answer stands, or nothing."""
    for block in blocks(body):
        if block["type"] == "context":
            return str(block["elements"][-1]["text"])
        if block["type"] == "section":
            return str(block["text"]["text"])
    return ""


@pytest.mark.parametrize(
    ("phase", "text", "note", "shown"),
    [
        (Phase.QUEUED, "", "Waiting, 3 before you", "Waiting, 3 before you"),
        (Phase.ASKING, "", "", "Thinking…"),
        (Phase.ASKING, "", "Searching the web: cats", "Searching the web: cats"),
        (Phase.STREAMING, "", "", "Thinking…"),
        (Phase.STREAMING, "text", "", "Writing…"),
        (Phase.STREAMING, "text", "Calling now(…)", "Writing… · Calling now(…)"),
        (Phase.RECONNECTING, "text", "Reconnecting (2/5)…", "Reconnecting (2/5)…"),
        (Phase.DONE, "text", "", ""),
        (Phase.DONE, "text", "gpt, 3 s", "gpt, 3 s"),
        (Phase.DONE, "", "", "The answer is empty."),
        (Phase.STOPPED, "text", "Stopped by <@U1>", "Stopped by <@U1>"),
        (Phase.CUT_OFF, "text", "", "Cut off at the length limit"),
        (Phase.FAILED, "text", "It broke (ref 1).", "It broke (ref 1)."),
        (Phase.INTERRUPTED, "", "Interrupted.", "Interrupted."),
    ],
)
def test_last_message_shows_the_status_of_the_answer(
    phase: Phase, text: str, note: str, shown: str
) -> None:
    (body,) = render(phase, text, note)
    assert line(body) == shown
    kinds = [block["type"] for block in blocks(body)]
    assert kinds.count("markdown") == bool(text)
    assert body.text == (text or shown)


def test_finished_text_is_not_changed() -> None:
    text = "open **bold\n\n| half a table\n\n```py\nx < y && z  "
    (body,) = render(Phase.DONE, text)
    assert blocks(body) == [{"type": "markdown", "text": text}]


def test_streaming_text_has_its_open_markup_closed() -> None:
    (body,) = render(Phase.STREAMING, "open **bold and [a li")
    assert blocks(body)[0]["text"] == "open **bold and**"


@pytest.mark.parametrize("phase", [Phase.STOPPED, Phase.CUT_OFF, Phase.FAILED, Phase.INTERRUPTED])
def test_truncated_text_is_closed_and_keeps_its_words(phase: Phase) -> None:
    (body,) = render(phase, "**bold and [a li")
    assert blocks(body)[0]["text"] == "**bold and [a li**"


def test_text_that_is_held_back_completely_counts_as_none() -> None:
    (body,) = render(Phase.STREAMING, "- [")
    assert (line(body), body.text) == ("Thinking…", "Thinking…")


def test_last_of_several_messages_has_the_status_and_buttons() -> None:
    button = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
    found = render(Phase.STREAMING, LONG, buttons=[button])
    assert len(found) > 2
    for body in found[:-1]:
        assert [block["type"] for block in blocks(body)] == ["markdown"]
    *_, state, actions = blocks(found[-1])
    assert state["type"] == "context"
    assert actions == {"type": "actions", "block_id": "answer:q1", "elements": [button]}


def test_question_is_shown_above_the_first_message_only() -> None:
    found = render(Phase.DONE, LONG, asked_by="U1", question="what is <!channel> **this**?")
    head = blocks(found[0])[0]
    assert head["elements"][0] == {"type": "mrkdwn", "text": "<@U1> asked:"}
    assert head["elements"][1]["text"] == "what is <\u200b!channel> this?"
    assert "asked:" not in found[1].blocks


def test_full_question_is_shown_above_the_first_message() -> None:
    question = "what is <!channel>?\n\n```\nx = 1\n```"
    (body,) = render(Phase.DONE, "So.", asked_by="U1", question=question, full_question=True)
    head = blocks(body)[0]
    assert head["block_id"] == ASKED_BLOCK_ID
    assert head["elements"][1]["text"] == question.replace("<!", "<\u200b!")


@pytest.mark.parametrize("piece", ["word ", "&", "<", "漢字。", "👩‍👩‍👧‍👦"])
def test_question_too_long_for_a_block_is_cut(piece: str) -> None:
    question = piece * 2_000
    (body,) = render(Phase.DONE, "So.", asked_by="U1", question=question, full_question=True)
    shown = blocks(body)[0]["elements"][1]["text"]
    assert len(html.escape(shown)) < 3_000
    assert shown.endswith("…")
    bare = shown[:-1].replace("\u200b", "")
    assert question.startswith(bare)
    assert len(bare) % len(piece) == 0 or "\u200d" not in piece  # not inside a grapheme


def test_status_of_a_stopped_answer_mentions_users_only() -> None:
    (body,) = render(Phase.STOPPED, "text", "Stopped by <@U1> <!channel> & <@x>")
    assert line(body) == "Stopped by <@U1> &lt;\u200b!channel&gt; &amp; &lt;\u200b@x&gt;"
    (body,) = render(Phase.FAILED, "text", "<@U1>")
    assert line(body) == "<\u200b@U1>"


def test_remark_next_to_who_stopped_an_answer_is_plain_text() -> None:
    (body,) = render(Phase.STOPPED, "text", "Stopped by <@U1> · <@U2> *a*.pdf · x was not read")
    assert blocks(body)[-1]["elements"] == [
        {"type": "mrkdwn", "text": "Stopped by <@U1>"},
        {"type": "plain_text", "text": "· <\u200b@U2> *a*.pdf · x was not read"},
    ]


def test_notification_text_is_short_and_plain() -> None:
    (body, *_) = render(Phase.DONE, "# Head\n\n" + LONG)
    assert body.text.startswith("Head Paragraph 0: some words")
    assert len(body.text) < 160


def test_bodies_of_equal_drafts_are_equal() -> None:
    assert render(Phase.STREAMING, LONG) == render(Phase.STREAMING, LONG)


def test_blank_text_renders_no_text_block() -> None:
    assert len(render(Phase.DONE, "word " * 2_100 + "\n" * 900)) == 1


@given(texts, st.sampled_from(Phase), st.sampled_from(["", "A note."]))
@settings(max_examples=100, deadline=None)
def test_rendered_messages_keep_the_limits_of_slack(text: str, phase: Phase, note: str) -> None:
    found = render(phase, text * 9, note, max_bytes=1_000)
    assert found
    for body in found:
        assert 0 < len(body.text.encode()) < 4_000
        assert 0 < len(blocks(body)) <= 50
        for block in blocks(body):
            if block["type"] == "markdown":
                assert block["text"].strip()
                assert len(block["text"].encode()) <= 1_000


@given(texts, st.sampled_from([phase for phase in Phase if phase.is_final]))
@settings(max_examples=60, deadline=None)
def test_full_message_never_changes_as_the_text_grows(text: str, phase: Phase) -> None:
    text = (text + "\nword ") * (3_000 // (len(text) + 6))
    final = render(phase, text, max_bytes=1_000)
    for length in range(200, len(text), 431):
        grown = render(Phase.STREAMING, text[:length], max_bytes=1_000)
        assert grown[:-1] == final[: len(grown) - 1]


def test_render_messages_takes_linear_time() -> None:
    def taken(text: str) -> float:
        times = []
        for _ in range(3):
            begun = time.process_time()
            render(Phase.STREAMING, text)
            times.append(time.process_time() - begun)
        return min(times)

    for piece in ("[", "](", "![a](", "<a ", "&", "`x ", "**", "> ", "- ", "| ", "<!", "a_", "\\"):
        assert taken(piece * (20_000 // len(piece))) < 1.0, piece
