"""What an asker alone sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from bot.render.buttons import BLOCK, SHOW, STOP, note_buttons, private_buttons
from bot.render.ephemeral import (
    DELETED,
    WRITING,
    acknowledged,
    added,
    note,
    remark,
    replaced,
    single,
    with_buttons,
)
from bot.render.message import Body, bodies
from bot.render.safety.neutralise import inert
from bot.values import Draft, Phase
from tests.unit.render.judge import texts

LONG = "\n\n".join(f"Paragraph {n}: " + "some words " * 30 for n in range(90))


def blocks(body: Body) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body.blocks)
    return found


def kinds(body: Body) -> list[str]:
    return [block["type"] for block in blocks(body)]


def parts(draft: Draft) -> tuple[Body, ...]:
    return bodies(
        draft,
        question_id="q1",
        asked_by="U1",
        question="Why <!here>?",
        buttons=private_buttons(draft),
    )


def test_the_note_says_that_something_is_coming_and_where_and_can_be_pressed() -> None:
    line, row = blocks(note("q1"))
    assert note("q1").text == WRITING
    assert line["elements"][0]["text"] == WRITING
    assert row["block_id"] == f"{BLOCK}q1"
    assert [element["action_id"] for element in row["elements"]] == [SHOW, STOP]


def test_a_remark_is_one_line_without_buttons() -> None:
    assert kinds(remark("Shared.")) == ["context"]


def test_an_answer_of_one_message_is_that_message_with_lines_above_its_buttons() -> None:
    (body,) = parts(Draft(Phase.DONE, "So."))
    assert single([body]) == body
    assert kinds(single([body], "Shared.")) == ["context", "markdown", "context", "actions"]


@pytest.mark.parametrize("phase", [Phase.STREAMING, Phase.STOPPED, Phase.FAILED])
def test_a_longer_answer_shows_its_beginning_and_how_the_whole_of_it_stands(phase: Phase) -> None:
    first, *_, last = found = parts(Draft(phase, LONG))
    assert len(found) > 2
    shown = blocks(single(found, "More elsewhere."))
    assert shown[: len(blocks(first))] == blocks(first)
    state, line, row = shown[len(blocks(first)) :]
    assert [state, row] == [block for block in blocks(last) if block["type"] != "markdown"]
    assert line["elements"][0]["text"] == "More elsewhere."


def test_an_answer_that_failed_can_be_the_note_of_the_next() -> None:
    (body,) = bodies(Draft(Phase.FAILED, "One", "It broke off."), question_id="q1")
    again = with_buttons(body, "q1-2", note_buttons())
    assert blocks(again)[:-1] == blocks(body)
    assert blocks(again)[-1]["block_id"] == f"{BLOCK}q1-2"


def test_what_is_sent_says_whether_it_replaces() -> None:
    body = remark("So.")
    assert added(body)["replace_original"] is False
    assert replaced(body)["replace_original"] is True
    assert "replace_original" not in acknowledged(body)
    for sent in (added(body), replaced(body), acknowledged(body)):
        assert sent["response_type"] == "ephemeral"
        assert sent["blocks"] == blocks(body)
    assert DELETED == {"delete_original": True}


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_nothing_in_a_private_message_is_live(question: str, text: str) -> None:
    for phase in (Phase.STREAMING, Phase.DONE, Phase.FAILED):
        draft = Draft(phase, text)
        found = bodies(
            draft, question_id="q1", asked_by="U1", question=question, whole_question=True
        )
        for block in replaced(single(found))["blocks"]:
            if block["type"] == "markdown":
                assert inert(block["text"]) == block["text"]
            for element in block.get("elements", ()):
                live = element["text"].replace("<@U1> asked:", "")
                assert not {"<!", "<@", "<#"} & {live[at : at + 2] for at in range(len(live))}
