"""The buttons under an answer, by how it stands (design §6). Pure.

An element is the same in every draft of a phase, so that a press never meets a button that an edit
has just replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.values import Phase

Element = Mapping[str, Any]

STOP, AGAIN = "answer_stop", "answer_again"
"""The `action_id` of each button."""

BLOCK = "answer:"
"""What the `block_id` of an answer's buttons begins with; the turn's id follows."""


def buttons_of(phase: Phase) -> tuple[Element, ...]:
    """Return Stop while the answer is on its way, Try again where it failed, else nothing."""
    match phase:
        case Phase.QUEUED | Phase.ASKING | Phase.STREAMING | Phase.RECONNECTING:
            return (_button(STOP, "Stop"),)
        case Phase.FAILED | Phase.INTERRUPTED:
            return (_button(AGAIN, "Try again"),)
        case Phase.DONE | Phase.STOPPED | Phase.CUT_OFF:
            return ()


def _button(action_id: str, text: str) -> Element:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "action_id": action_id, "text": label}
