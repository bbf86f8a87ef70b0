"""The buttons below an answer, by its phase (docs/delivery.md#what-a-reader-sees). Pure.

An element does not change within a phase, so an edit never replaces a button that is being pressed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bot.values import Draft, Phase, Question
from bot.words import Language, Phrase, say

Element = Mapping[str, Any]

STOP_ACTION, RETRY_ACTION = "answer_stop", "answer_again"
RETRY_EDITED_ACTION = "answer_again_edited"
SHOW_ACTION, SHARE_ACTION, CONTINUE_ACTION = "answer_show", "answer_share", "answer_continue"
"""The `action_id` of each button."""

MENU_ACTION = "answer_menu"
"""The `action_id` of the menu (`⋮`) below an answer."""

NEW_CONVERSATION_VALUE = "new_conversation"
"""The `value` of the menu option *New conversation*."""

REGENERATE_PREFIX = "regenerate:"
"""The start of the `value` of the menu option *Regenerate*. The number of the turn that it starts
follows, so that several presses start one."""

EARLIER_PREFIX, LATER_PREFIX = "earlier:", "later:"
"""The same of the options that show the version before and the one after."""

BUTTONS_BLOCK_PREFIX = "answer:"
"""The start of the `block_id` of an answer's buttons; the turn's id follows."""

FORWARD_LABELS: Mapping[str, Phrase] = {
    SHARE_ACTION: Phrase.SHARE_BUTTON,
    CONTINUE_ACTION: Phrase.CONTINUE_BUTTON,
}
"""The actions for an ephemeral answer, with the labels of their buttons."""


def answer_buttons(
    phase: Phase,
    language: Language,
    *,
    dm: bool = False,
    next_number: int = 0,
    version: tuple[int, int] | None = None,
) -> tuple[Element, ...]:
    """Stop while the answer is being written, Try again if it failed, and the menu once it ended.

    The menu offers to regenerate the answer as turn `next_number` of it, unless that is 0, to show
    the versions before and after `version`, and in a direct message to start a new conversation.
    Without options there is no menu.
    """
    if not phase.is_final:
        return (_button(STOP_ACTION, say(language, Phrase.STOP_BUTTON)),)
    retry = _button(RETRY_ACTION, say(language, Phrase.TRY_AGAIN_BUTTON))
    has_failed = phase in {Phase.FAILED, Phase.INTERRUPTED}
    options = {}
    if next_number and not has_failed:
        value = f"{REGENERATE_PREFIX}{next_number}"
        options[value] = say(language, Phrase.REGENERATE_OPTION)
        options |= _version_options(version, next_number, language)
    if dm:
        options[NEW_CONVERSATION_VALUE] = say(language, Phrase.NEW_CONVERSATION_OPTION)
    menu = (_menu(options),) if options else ()
    return (retry, *menu) if has_failed else menu


def next_number(question: Question) -> int:
    """The number of the turn that would write the answer to `question` again; 0 if none can.

    An answer to a command, and its copies in other places, are not written again: the messages of
    the one can't be edited later, and the others are about a question that no message shows.
    """
    if question.ts is None or question.place.surface == "command":
        return 0
    return question.rewrite.number + 1 if question.rewrite else 2


def number_in(value: str, prefix: str) -> int | None:
    """The number in the `value` of the option with this prefix; None if it is that of another
    option."""
    number = value.removeprefix(prefix)
    return int(number) if number != value and number.isdecimal() and len(number) < 6 else None


def _version_options(
    version: tuple[int, int] | None, next_number: int, language: Language
) -> dict[str, str]:
    """The options that show the version before and the one after, where there are any."""
    position, count = version or (1, 1)
    others = {EARLIER_PREFIX: position - 1, LATER_PREFIX: position + 1}
    return {
        f"{prefix}{next_number}": say(
            language, Phrase.SHOW_VERSION_OPTION, number=other, count=count
        )
        for prefix, other in others.items()
        if 1 <= other <= count
    }


def ack_buttons(language: Language) -> tuple[Element, ...]:
    """The buttons of the message that acknowledges a command."""
    show = _button(SHOW_ACTION, say(language, Phrase.SHOW_BUTTON))
    return (show, *answer_buttons(Phase.ASKING, language))


def ephemeral_answer_buttons(
    draft: Draft, language: Language, offered: Collection[str] | None = None
) -> tuple[Element, ...]:
    """The buttons of an ephemeral answer that has ended: to share it, if it has text.

    `offered` are the actions that are left; None means all. A press does not contain the buttons of
    an ephemeral message, so the `value` of each button lists the others.
    """
    buttons = answer_buttons(draft.phase, language)
    if buttons or not draft.text.strip():
        return buttons if offered is None else ()
    names = [name for name in FORWARD_LABELS if offered is None or name in offered]
    return tuple(
        _button(
            name,
            say(language, FORWARD_LABELS[name]),
            " ".join(other for other in names if other != name),
        )
        for name in names
    )


def _menu(options: Mapping[str, str]) -> Element:
    """A menu with at most five options, given as labels by value
    (https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element)."""
    entries = [
        {"text": {"type": "plain_text", "text": label}, "value": value}
        for value, label in options.items()
    ]
    return {"type": "overflow", "action_id": MENU_ACTION, "options": entries}


def ask_again_blocks(turn_id: str, value: str, language: Language) -> list[dict[str, Any]]:
    """The blocks that offer the author of an edited question to ask it again.

    `turn_id` is the id of the new turn, so that several presses ask once. `value` locates the
    question; the listener parses it.
    """
    button = _button(RETRY_EDITED_ACTION, say(language, Phrase.ASK_AGAIN_BUTTON), value)
    notice = say(language, Phrase.QUESTION_EDITED)
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": notice}},
        {"type": "actions", "block_id": f"{BUTTONS_BLOCK_PREFIX}{turn_id}", "elements": [button]},
    ]


def _button(action_id: str, text: str, value: str = "") -> Element:
    label = {"type": "plain_text", "text": text}
    button = {"type": "button", "action_id": action_id, "text": label}
    return {**button, "value": value} if value else button
