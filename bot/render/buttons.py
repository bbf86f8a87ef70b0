"""The buttons under an answer, by how it stands (docs/delivery.md#what-a-reader-sees). Pure.

An element is the same in every draft of a phase, so that a press never meets a button that an edit
has just replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bot.values import Draft, Phase

Element = Mapping[str, Any]

STOP_ACTION, RETRY_ACTION = "answer_stop", "answer_again"
RETRY_EDITED_ACTION = "answer_again_edited"
SHOW_ACTION, SHARE_ACTION, CONTINUE_ACTION = "answer_show", "answer_share", "answer_continue"
"""The `action_id` of each button."""

MENU_ACTION = "answer_menu"
"""The `action_id` of the menu (`⋮`) under an answer."""

NEW_CONVERSATION_VALUE = "new_conversation"
"""The `value` of the menu's *New conversation*."""

BUTTONS_BLOCK_PREFIX = "answer:"
"""What the `block_id` of an answer's buttons begins with; the turn's id follows."""

QUESTION_EDITED_TEXT = "You edited your question. The answer is still about what it said before."

FORWARD_LABELS: Mapping[str, str] = {SHARE_ACTION: "Share here", CONTINUE_ACTION: "Continue in DM"}
"""What can be done with a private answer, and what its button says."""


def answer_buttons(phase: Phase, *, dm: bool = False) -> tuple[Element, ...]:
    """Return Stop while the answer is on its way, Try again where it failed, else no button; in a
    direct message the menu with what one can do about the conversation, once the answer stands."""
    if dm and phase.is_final:
        return (*answer_buttons(phase), _menu({NEW_CONVERSATION_VALUE: "New conversation"}))
    match phase:
        case Phase.QUEUED | Phase.ASKING | Phase.STREAMING | Phase.RECONNECTING:
            return (_button(STOP_ACTION, "Stop"),)
        case Phase.FAILED | Phase.INTERRUPTED:
            return (_button(RETRY_ACTION, "Try again"),)
        case Phase.DONE | Phase.STOPPED | Phase.CUT_OFF:
            return ()


def ack_buttons() -> tuple[Element, ...]:
    """Return what stands under the note that acknowledges a command."""
    return (_button(SHOW_ACTION, "Show as it is written"), *answer_buttons(Phase.ASKING))


def ephemeral_answer_buttons(
    draft: Draft, offered: Collection[str] | None = None
) -> tuple[Element, ...]:
    """Return what stands under a private answer that has ended: ways to pass it on, if it is one.

    `offered` are those that are left. Slack does not tell what a private message holds when it is
    pressed, so each of these buttons names, as its `value`, the others beside it.
    """
    if answer_buttons(draft.phase) or not draft.text.strip():
        return answer_buttons(draft.phase) if offered is None else ()
    names = [name for name in FORWARD_LABELS if offered is None or name in offered]
    return tuple(
        _button(name, FORWARD_LABELS[name], " ".join(other for other in names if other != name))
        for name in names
    )


def _menu(options: Mapping[str, str]) -> Element:
    """Return a menu; `options` are its labels by value, five at most
    (https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element)."""
    made = [
        {"text": {"type": "plain_text", "text": label}, "value": value}
        for value, label in options.items()
    ]
    return {"type": "overflow", "action_id": MENU_ACTION, "options": made}


def ask_again_blocks(turn_id: str, value: str) -> list[dict[str, Any]]:
    """Return the blocks that offer the author of a question which was edited to ask it again.

    `turn` is the id the new turn will have, so that it is asked once however often it is pressed;
    `value` says where the question is.
    """
    button = _button(RETRY_EDITED_ACTION, "Ask again with the edit", value)
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": QUESTION_EDITED_TEXT}},
        {"type": "actions", "block_id": f"{BUTTONS_BLOCK_PREFIX}{turn_id}", "elements": [button]},
    ]


def _button(action_id: str, text: str, value: str = "") -> Element:
    label = {"type": "plain_text", "text": text}
    button = {"type": "button", "action_id": action_id, "text": label}
    return {**button, "value": value} if value else button
