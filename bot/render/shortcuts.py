"""The shortcuts on a message, and the modal of *Ask about this*. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.render.notification import plain_line
from bot.render.safety.neutralise import neutralise_line
from bot.values import Subject
from bot.words import Language, Phrase, say

ASK_ABOUT_SHORTCUT = "ask_about_message"
"""The `callback_id` of the shortcut, which is in the app's manifest, and of its modal."""

SUMMARISE_SHORTCUT = "summarise_thread"
"""The `callback_id` of the shortcut *Summarise thread*."""

QUESTION_BLOCK, AUDIENCE_BLOCK = "question", "audience"
"""The `block_id` of each input of the modal, which is its `action_id`, too."""

EVERYBODY, ONLY_ME = "everybody", "only_me"
"""The values of the choice who sees the answer."""

MAX_QUESTION_CHARACTERS = 3000
"""The most that Slack's text input takes
(https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element)."""

MAX_QUOTE_CHARACTERS = 500  # of the message in the modal; its reader has it before their eyes

Audience = Literal["choice", "only_me", "our_dm"]
"""Who may see the answer: the asker chooses, only the asker can, or the message is in the direct
message with the bot, where all answers are in the thread."""


def ask_about_view(
    private_metadata: str, about: Subject, language: Language, audience: Audience
) -> dict[str, Any]:
    """The modal that quotes a message and takes a question about it."""
    question = {
        "type": "plain_text_input",
        "action_id": QUESTION_BLOCK,
        "multiline": True,
        "focus_on_load": True,
        "max_length": MAX_QUESTION_CHARACTERS,
    }
    return _modal(
        language,
        [
            _quote_block(about, language),
            _input(QUESTION_BLOCK, say(language, Phrase.ASK_ABOUT_QUESTION), question),
            *_audience_blocks(audience, language),
        ],
        private_metadata=private_metadata,
        submit=_plain(say(language, Phrase.ASK_ABOUT_SUBMIT)),
    )


def message_deleted_view(language: Language) -> dict[str, Any]:
    """What the modal says if its message was deleted."""
    text = _plain(say(language, Phrase.ASK_ABOUT_DELETED))
    return _modal(language, [{"type": "section", "text": text}])


def _modal(language: Language, blocks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": ASK_ABOUT_SHORTCUT,
        "title": _plain(say(language, Phrase.ASK_ABOUT_TITLE)),
        "close": _plain(say(language, Phrase.ASK_ABOUT_CANCEL)),
        "blocks": blocks,
        **more,
    }


def _quote_block(about: Subject, language: Language) -> dict[str, Any]:
    """The author and the beginning of the message, in which nothing takes effect."""
    quote = neutralise_line(plain_line(about.text, MAX_QUOTE_CHARACTERS))
    elements = [_plain(quote.strip() or say(language, Phrase.ASK_ABOUT_NO_WORDS))]
    if about.author[:1] in {"U", "W"}:
        elements.insert(0, {"type": "mrkdwn", "text": f"<@{about.author}>:"})
    return {"type": "context", "elements": elements}


def _audience_blocks(audience: Audience, language: Language) -> list[dict[str, Any]]:
    if audience == "our_dm":
        return []
    if audience == "only_me":
        text = _plain(say(language, Phrase.ASK_ABOUT_PRIVATELY))
        return [{"type": "context", "elements": [text]}]
    labels = {EVERYBODY: Phrase.ANSWER_IN_THREAD, ONLY_ME: Phrase.ANSWER_FOR_ME}
    options = [
        {"text": _plain(say(language, label)), "value": value} for value, label in labels.items()
    ]
    choice = {
        "type": "radio_buttons",
        "action_id": AUDIENCE_BLOCK,
        "options": options,
        "initial_option": options[0],
    }
    return [_input(AUDIENCE_BLOCK, say(language, Phrase.ASK_ABOUT_AUDIENCE), choice)]


def _input(block_id: str, label: str, element: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "input", "block_id": block_id, "label": _plain(label), "element": element}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
