"""The feedback buttons below a finished answer, and the modal that asks what was wrong. Pure.

Block: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.values import Draft, Phase
from bot.words import Language, Phrase, say

FEEDBACK_ACTION = "answer_feedback"
"""The `action_id` of both buttons."""

FEEDBACK_BLOCK_PREFIX = "feedback:"
"""The start of the `block_id` of the buttons; the turn's id and a digest follow."""

GOOD_VALUE, BAD_VALUE = "good", "bad"
"""The `value` of each button."""

REASON_VIEW = "answer_feedback_reason"
"""The `callback_id` of the modal."""

REASON_BLOCK, WORDS_BLOCK = "reason", "words"
"""The `block_id` of each input of the modal, which is its `action_id`, too."""

REASONS: Mapping[str, Phrase] = {
    "wrong": Phrase.ANSWER_WRONG,
    "off_topic": Phrase.ANSWER_OFF_TOPIC,
    "too_long": Phrase.ANSWER_TOO_LONG,
    "unsafe": Phrase.ANSWER_UNSAFE,
    "other": Phrase.ANSWER_OTHERWISE_BAD,
}
"""The reasons of the modal, with their labels."""

MAX_FEEDBACK_WORDS = 3000
"""Characters; the most that Slack's text input takes
(https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element)."""

BLOCK_TYPE = "context_actions"
_BLOCK_MARK = f'"type":"{BLOCK_TYPE}"'  # in compact JSON; a quoted text has `\"` instead of `"`


def feedback_blocks(
    draft: Draft, turn: str, language: Language, others: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """The block with the buttons; no block for an answer that has no text or did not succeed.

    Slack keeps by `block_id` which button a person has pressed, and wants a new one with every
    update of a message. So the `block_id` contains a digest of the answer and of `others`, the
    other blocks below it: equal messages stay equal.
    """
    if draft.phase not in {Phase.DONE, Phase.CUT_OFF} or not draft.text.strip():
        return []
    content = f"{draft.text}\0{json.dumps(others)}".encode(errors="surrogatepass")
    digest = hashlib.blake2s(content, digest_size=6).hexdigest()
    element = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK_ACTION,
        "positive_button": _button("👍", GOOD_VALUE, say(language, Phrase.GOOD_ANSWER)),
        "negative_button": _button("👎", BAD_VALUE, say(language, Phrase.BAD_ANSWER)),
    }
    block_id = f"{FEEDBACK_BLOCK_PREFIX}{turn}:{digest}"
    return [{"type": BLOCK_TYPE, "block_id": block_id, "elements": [element]}]


def has_feedback(blocks: str) -> bool:
    """Whether blocks, as compact JSON, contain the buttons."""
    return _BLOCK_MARK in blocks


def without_feedback(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """A payload of a message without the buttons."""
    blocks = [block for block in payload.get("blocks", ()) if block["type"] != BLOCK_TYPE]
    return {**payload, "blocks": blocks} if "blocks" in payload else payload


def reason_view(private_metadata: str, language: Language, *, ask_words: bool) -> dict[str, Any]:
    """The modal that asks why an answer was bad. Without `ask_words` it has only the reasons."""
    options = [
        {"text": _plain(say(language, label)), "value": value} for value, label in REASONS.items()
    ]
    reason = {"type": "radio_buttons", "action_id": REASON_BLOCK, "options": options}
    words = {
        "type": "plain_text_input",
        "action_id": WORDS_BLOCK,
        "multiline": True,
        "max_length": MAX_FEEDBACK_WORDS,
    }
    blocks = [_input(REASON_BLOCK, say(language, Phrase.FEEDBACK_REASON), reason)]
    if ask_words:
        blocks.append(_input(WORDS_BLOCK, say(language, Phrase.FEEDBACK_WORDS), words))
    return {
        "type": "modal",
        "callback_id": REASON_VIEW,
        "private_metadata": private_metadata,
        "title": _plain(say(language, Phrase.FEEDBACK_TITLE)),
        "submit": _plain(say(language, Phrase.FEEDBACK_SEND)),
        "close": _plain(say(language, Phrase.FEEDBACK_SKIP)),
        "blocks": blocks,
    }


def _input(block_id: str, label: str, element: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": _plain(label),
        "element": element,
    }


def _button(text: str, value: str, label: str) -> dict[str, Any]:
    return {"text": _plain(text), "value": value, "accessibility_label": label}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
