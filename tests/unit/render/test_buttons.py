from __future__ import annotations

import json
from typing import Any

import pytest

from bot.render.buttons import (
    CONTINUE_ACTION,
    MENU_ACTION,
    NEW_CONVERSATION_VALUE,
    RETRY_ACTION,
    SHARE_ACTION,
    SHOW_ACTION,
    STOP_ACTION,
    ack_buttons,
    answer_buttons,
    ephemeral_answer_buttons,
)
from bot.render.message import render_messages
from bot.values import Draft, Phase
from tests.support.words import EN


def row(draft: Draft) -> dict[str, Any] | None:
    """The row of buttons of an answer's last message."""
    last = render_messages(
        draft, question_id="turn1", language=EN, buttons=answer_buttons(draft.phase, EN)
    )[-1]
    block: dict[str, Any] = json.loads(last.blocks)[-1]
    return block if block["type"] == "actions" else None


@pytest.mark.parametrize("phase", list(Phase))
def test_answer_buttons_are_stop_while_running_and_try_again_after_a_failure(phase: Phase) -> None:
    found = row(Draft(phase, "Some text", "a note"))
    pressed = [element["action_id"] for element in found["elements"]] if found else []
    if not phase.is_final:
        assert pressed == [STOP_ACTION]
    elif phase in {Phase.FAILED, Phase.INTERRUPTED}:
        assert pressed == [RETRY_ACTION]
    else:
        assert found is None


@pytest.mark.parametrize("phase", list(Phase))
def test_answer_buttons_in_a_direct_message_end_with_the_menu(
    phase: Phase,
) -> None:
    buttons = answer_buttons(phase, EN, dm=True)
    menus = [element for element in buttons if element["action_id"] == MENU_ACTION]
    assert [element for element in buttons if element not in menus] == list(
        answer_buttons(phase, EN)
    )
    assert len(menus) == phase.is_final
    for menu in menus:
        assert [option["value"] for option in menu["options"]] == [NEW_CONVERSATION_VALUE]


def test_ack_buttons_are_show_and_stop() -> None:
    assert [element["action_id"] for element in ack_buttons(EN)] == [SHOW_ACTION, STOP_ACTION]


@pytest.mark.parametrize("phase", list(Phase))
def test_ephemeral_answer_buttons_share_an_answer_with_text_that_did_not_fail(phase: Phase) -> None:
    pressed = [
        element["action_id"] for element in ephemeral_answer_buttons(Draft(phase, "Some text"), EN)
    ]
    if phase in {Phase.DONE, Phase.STOPPED, Phase.CUT_OFF}:
        assert pressed == [SHARE_ACTION, CONTINUE_ACTION]
    else:
        assert pressed == [element["action_id"] for element in answer_buttons(phase, EN)]
    assert ephemeral_answer_buttons(Draft(phase, " "), EN) == answer_buttons(phase, EN)


def test_ephemeral_answer_buttons_name_the_others_in_their_value() -> None:
    done = Draft(Phase.DONE, "Some text")
    share, go_on = ephemeral_answer_buttons(done, EN)
    assert (share["value"], go_on["value"]) == (CONTINUE_ACTION, SHARE_ACTION)
    (left,) = ephemeral_answer_buttons(done, EN, share["value"].split())
    assert left["action_id"] == CONTINUE_ACTION
    assert "value" not in left  # Slack takes no empty one
    assert ephemeral_answer_buttons(done, EN, []) == ()
    assert ephemeral_answer_buttons(Draft(Phase.FAILED, "Some text"), EN, []) == ()


def test_answer_buttons_are_the_same_from_the_placeholder_to_the_last_edit() -> None:
    drafts = [
        Draft(Phase.ASKING),
        Draft(Phase.QUEUED, status_line="Waiting, 3 before you"),
        Draft(Phase.STREAMING, "One"),
        Draft(Phase.RECONNECTING, "One two", "Reconnecting (1/5)…"),
        Draft(Phase.STREAMING, "word " * 5000),
    ]
    rows = [row(draft) for draft in drafts]
    assert rows[0] is not None
    assert rows[0]["block_id"] == "answer:turn1"
    assert rows == [rows[0]] * len(rows)
