"""The feedback buttons and the modal that asks for a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.buttons import answer_buttons
from bot.render.ephemeral import combined_message, with_buttons
from bot.render.feedback import (
    BLOCK_TYPE,
    FEEDBACK_BLOCK_PREFIX,
    MAX_FEEDBACK_WORDS,
    REASONS,
    feedback_blocks,
    has_feedback,
    reason_view,
    without_feedback,
)
from bot.render.incoming.own_answers import answer_text
from bot.render.message import MessageBody, render_footer, render_messages
from bot.values import Draft, Phase
from bot.words import Language

ENGLISH = Language.ENGLISH
DONE = Draft(Phase.DONE, "Four.")


def blocks_of(body: MessageBody) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body.blocks)
    return found


def rendered(draft: Draft, **given: Any) -> list[MessageBody]:
    return list(
        render_messages(draft, question_id="turn1", language=ENGLISH, feedback=True, **given)
    )


@pytest.mark.parametrize("phase", list(Phase))
def test_buttons_stand_below_answers_that_succeeded_only(phase: Phase) -> None:
    [body] = rendered(Draft(phase, "Four."))
    assert has_feedback(body.blocks) == (phase in {Phase.DONE, Phase.CUT_OFF})


def test_answer_without_text_has_no_buttons() -> None:
    assert feedback_blocks(Draft(Phase.DONE, " \n"), "turn1", ENGLISH, []) == []


def test_only_the_last_message_of_a_long_answer_has_buttons() -> None:
    bodies = rendered(Draft(Phase.DONE, "word " * 1000), max_bytes=1000)
    assert [has_feedback(body.blocks) for body in bodies] == [False] * (len(bodies) - 1) + [True]


def test_buttons_are_the_last_block_and_name_the_turn() -> None:
    [body] = rendered(DONE, buttons=answer_buttons(Phase.DONE, ENGLISH, dm=True))
    *_, row, last = blocks_of(body)
    assert (row["type"], last["type"]) == ("actions", BLOCK_TYPE)
    assert last["block_id"].startswith(f"{FEEDBACK_BLOCK_PREFIX}turn1:")


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=2, max_size=2, unique=True))
def test_block_id_is_new_for_each_text_and_the_same_for_the_same(texts: list[str]) -> None:
    ids = [
        feedback_blocks(Draft(Phase.DONE, text), "t", ENGLISH, [])[0]["block_id"] for text in texts
    ]
    again = feedback_blocks(Draft(Phase.DONE, texts[0]), "t", ENGLISH, [])[0]["block_id"]
    assert ids[0] != ids[1]
    assert ids[0] == again
    assert len(again) < 255


def test_block_id_is_new_when_only_the_other_buttons_change() -> None:
    before, after = (
        rendered(DONE, buttons=answer_buttons(Phase.DONE, ENGLISH, dm=dm))[0]
        for dm in (False, True)
    )
    assert blocks_of(before)[-1]["block_id"] != blocks_of(after)[-1]["block_id"]


def test_footer_of_a_stream_has_the_buttons() -> None:
    footer = render_footer(DONE, question_id="turn1", language=ENGLISH, feedback=True)
    assert has_feedback(footer)
    assert not has_feedback(render_footer(DONE, question_id="turn1", language=ENGLISH))


def test_text_about_the_block_is_not_taken_for_the_block() -> None:
    draft = Draft(Phase.DONE, '```\n{"type":"context_actions"}\n```')
    [body] = render_messages(draft, question_id="turn1", language=ENGLISH)
    assert not has_feedback(body.blocks)


def test_buttons_are_no_part_of_the_text_that_is_read_back() -> None:
    [body] = rendered(DONE)
    assert answer_text({"blocks": blocks_of(body)}) == "Four."


def test_ephemeral_answer_has_its_buttons_below_its_lines() -> None:
    parts = rendered(DONE, buttons=answer_buttons(Phase.DONE, ENGLISH, dm=True))
    kinds = [block["type"] for block in blocks_of(combined_message(parts, "A line."))]
    assert kinds == ["markdown", "context", "actions", BLOCK_TYPE]


def test_payload_without_the_buttons_keeps_all_other_blocks() -> None:
    [body] = rendered(DONE)
    payload = {"text": "Four.", "blocks": blocks_of(with_buttons(body, "turn1", [{"type": "x"}]))}
    kinds = [block["type"] for block in without_feedback(payload)["blocks"]]
    assert kinds == ["markdown", "actions"]
    assert without_feedback({"delete_original": True}) == {"delete_original": True}


@pytest.mark.parametrize("language", list(Language))
def test_modal_offers_all_reasons_and_words_within_slacks_limits(language: Language) -> None:
    view = reason_view('{"turn": "t"}', language, ask_words=True)
    reason, words = view["blocks"]
    assert [option["value"] for option in reason["element"]["options"]] == list(REASONS)
    assert words["element"]["max_length"] == MAX_FEEDBACK_WORDS
    assert all(block["optional"] for block in view["blocks"])
    assert len(view["title"]["text"]) <= 24


def test_modal_asks_for_no_words_where_none_are_stored() -> None:
    assert [block["block_id"] for block in reason_view("", ENGLISH, ask_words=False)["blocks"]] == [
        "reason"
    ]
