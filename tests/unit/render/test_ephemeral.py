"""What an asker alone sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from bot.render.buttons import (
    BUTTONS_BLOCK_PREFIX,
    SHOW_ACTION,
    STOP_ACTION,
    ack_buttons,
    ephemeral_answer_buttons,
)
from bot.render.ephemeral import (
    DELETE_PAYLOAD,
    ack_payload,
    combined_message,
    ephemeral_ack,
    new_message_payload,
    one_line_message,
    replacement_payload,
    with_buttons,
)
from bot.render.message import MessageBody, render_messages
from bot.render.safety.neutralise import neutralise
from bot.values import Draft, Phase
from bot.words import Phrase
from tests.support.words import EN, english
from tests.unit.render.reference_reader import texts

LONG = "\n\n".join(f"Paragraph {n}: " + "some words " * 30 for n in range(90))


def blocks(body: MessageBody) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body.blocks)
    return found


def kinds(body: MessageBody) -> list[str]:
    return [block["type"] for block in blocks(body)]


def parts(draft: Draft) -> tuple[MessageBody, ...]:
    return render_messages(
        draft,
        question_id="q1",
        language=EN,
        asked_by="U1",
        question="Why <!here>?",
        buttons=ephemeral_answer_buttons(draft, EN),
    )


def test_ephemeral_ack_has_a_line_and_buttons() -> None:
    line, row = blocks(ephemeral_ack("q1", EN))
    assert ephemeral_ack("q1", EN).text == english(Phrase.ANSWER_WILL_FOLLOW)
    assert line["elements"][0]["text"] == english(Phrase.ANSWER_WILL_FOLLOW)
    assert row["block_id"] == f"{BUTTONS_BLOCK_PREFIX}q1"
    assert [element["action_id"] for element in row["elements"]] == [SHOW_ACTION, STOP_ACTION]


def test_one_line_message_has_no_buttons() -> None:
    assert kinds(one_line_message("Shared.")) == ["context"]


def test_combined_message_of_one_part_adds_lines_above_the_buttons() -> None:
    (body,) = parts(Draft(Phase.DONE, "So."))
    assert combined_message([body]) == body
    assert kinds(combined_message([body], "Shared.")) == [
        "context",
        "markdown",
        "context",
        "actions",
    ]


@pytest.mark.parametrize("phase", [Phase.STREAMING, Phase.STOPPED, Phase.FAILED])
def test_combined_message_of_several_parts_has_the_first_text_and_the_last_footer(
    phase: Phase,
) -> None:
    first, *_, last = found = parts(Draft(phase, LONG))
    assert len(found) > 2
    shown = blocks(combined_message(found, "More elsewhere."))
    assert shown[: len(blocks(first))] == blocks(first)
    state, line, row = shown[len(blocks(first)) :]
    assert [state, row] == [block for block in blocks(last) if block["type"] != "markdown"]
    assert line["elements"][0]["text"] == "More elsewhere."


def test_combined_message_of_a_failed_answer_can_acknowledge_the_next() -> None:
    (body,) = render_messages(
        Draft(Phase.FAILED, "One", "It broke off."), question_id="q1", language=EN
    )
    again = with_buttons(body, "q1-2", ack_buttons(EN))
    assert blocks(again)[:-1] == blocks(body)
    assert blocks(again)[-1]["block_id"] == f"{BUTTONS_BLOCK_PREFIX}q1-2"


def test_response_url_payloads_say_whether_they_replace() -> None:
    body = one_line_message("So.")
    assert new_message_payload(body)["replace_original"] is False
    assert replacement_payload(body)["replace_original"] is True
    assert "replace_original" not in ack_payload(body)
    for sent in (new_message_payload(body), replacement_payload(body), ack_payload(body)):
        assert sent["response_type"] == "ephemeral"
        assert sent["blocks"] == blocks(body)
    assert DELETE_PAYLOAD == {"delete_original": True}


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_ephemeral_message_is_neutralised(question: str, text: str) -> None:
    for phase in (Phase.STREAMING, Phase.DONE, Phase.FAILED):
        draft = Draft(phase, text)
        found = render_messages(
            draft,
            question_id="q1",
            language=EN,
            asked_by="U1",
            question=question,
            full_question=True,
        )
        for block in replacement_payload(combined_message(found))["blocks"]:
            if block["type"] == "markdown":
                assert neutralise(block["text"]) == block["text"]
            for element in block.get("elements", ()):
                live = element["text"].replace("<@U1> asked:", "")
                assert not {"<!", "<@", "<#"} & {live[at : at + 2] for at in range(len(live))}
