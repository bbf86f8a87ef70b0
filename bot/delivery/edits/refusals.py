"""What to do when Slack refuses a write. Pure: a table of its error codes.

The codes and their meaning: the error lists of chat.postMessage and chat.update
(https://docs.slack.dev/reference/methods/chat.update; docs/slack.md#edit-errors).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Fallback(Enum):
    """What to do after a refusal. Each value describes its member."""

    SHORTER_MESSAGES = "split the answer into shorter messages"
    WITHOUT_BLOCKS = "send text without blocks"
    STOP_STREAM = "stop the stream that the message still is, then try again"
    NEW_MESSAGE = "go on in a new message"
    GIVE_UP = "the answer can't be shown here"


_FALLBACKS: Mapping[str, Fallback] = MappingProxyType(
    {
        "msg_too_long": Fallback.SHORTER_MESSAGES,
        "msg_blocks_too_long": Fallback.SHORTER_MESSAGES,
        "markdown_text_too_long": Fallback.SHORTER_MESSAGES,
        "invalid_blocks": Fallback.WITHOUT_BLOCKS,
        "invalid_blocks_format": Fallback.WITHOUT_BLOCKS,
        "msg_blocks_too_many": Fallback.WITHOUT_BLOCKS,
        "block_mismatch": Fallback.WITHOUT_BLOCKS,
        "no_text": Fallback.WITHOUT_BLOCKS,
        "edit_window_closed": Fallback.NEW_MESSAGE,
        "cant_update_message": Fallback.NEW_MESSAGE,
        "streaming_state_conflict": Fallback.STOP_STREAM,
        "cant_delete_message": Fallback.STOP_STREAM,
    },
)


def fallback_for(code: str) -> Fallback:
    """Return what to do after a refusal; `GIVE_UP` for a code that is not in the table.

    Codes that are not in the table include `message_not_found` (the answer was deleted),
    `channel_not_found`, `not_in_channel`, `is_archived`, `is_inactive`, `restricted_action…`,
    `account_inactive`, `token_revoked`, `invalid_auth` and `missing_scope`.
    """
    return _FALLBACKS.get(code, Fallback.GIVE_UP)
