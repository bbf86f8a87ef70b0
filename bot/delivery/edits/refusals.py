"""What to do when Slack refuses a write. Pure: a table of its error codes.

The codes and their meaning: the error lists of chat.postMessage and chat.update
(https://docs.slack.dev/reference/methods/chat.update; docs/slack.md#edit-errors).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Remedy(Enum):
    """A way to go on after a refusal."""

    SHORTER = "shorter messages"
    PLAIN = "no blocks"
    STOP = "the stream it still is stopped first"
    ANEW = "a new message below"
    NONE = "the reader can't be reached here"


_REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {
        "msg_too_long": Remedy.SHORTER,
        "msg_blocks_too_long": Remedy.SHORTER,
        "markdown_text_too_long": Remedy.SHORTER,
        "invalid_blocks": Remedy.PLAIN,
        "invalid_blocks_format": Remedy.PLAIN,
        "msg_blocks_too_many": Remedy.PLAIN,
        "block_mismatch": Remedy.PLAIN,
        "no_text": Remedy.PLAIN,
        "edit_window_closed": Remedy.ANEW,
        "cant_update_message": Remedy.ANEW,
        "streaming_state_conflict": Remedy.STOP,
        "cant_delete_message": Remedy.STOP,
    },
)


def remedy(code: str) -> Remedy:
    """Return the way to go on; for what is not known here there is none.

    Among those without: `message_not_found` (somebody deleted the answer), `channel_not_found`,
    `not_in_channel`, `is_archived`, `is_inactive`, `restricted_action…`, `account_inactive`,
    `token_revoked`, `invalid_auth`, `missing_scope`.
    """
    return _REMEDIES.get(code, Remedy.NONE)
