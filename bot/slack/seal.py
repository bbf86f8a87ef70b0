"""Metadata of messages that can be believed: ours, and only ours.

Every app of a workspace may put any metadata on its messages, and read that of others
(https://docs.slack.dev/messaging/message-metadata). So what we write is sealed with a key that only
our token gives, and what we read counts only on messages that Slack says we wrote. The token is
the same after a restart and for every replica, and so is the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from bot.slack.identity import Identity

SEAL = "seal"
"""The name of the seal in a payload."""

LENGTH = 32
"""Hexadecimal digits of a seal: 128 bits, more than can be guessed."""


class Seal:
    """Seals metadata for one bot token."""

    def __init__(self, token: str) -> None:
        self._key = hmac.digest(token.encode(), b"message metadata", "sha256")

    def sealed(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata with a seal in its payload."""
        payload = dict(metadata.get("event_payload") or {})
        return {**metadata, "event_payload": payload | {SEAL: self._of(metadata)}}

    def believed(self, message: Mapping[str, Any], us: Identity | None) -> Mapping[str, Any]:
        """Return a message as it was read, without metadata that is not ours.

        What we wrote before there were seals is ours without one. A wrong seal makes a payload
        empty; `us` unknown, nothing counts without a right one.
        """
        metadata = message.get("metadata")
        if not isinstance(metadata, Mapping) or not metadata:
            return message
        if us is not None and not wrote(us, message):
            return {name: value for name, value in message.items() if name != "metadata"}
        payload = metadata.get("event_payload")
        given = payload.get(SEAL) if isinstance(payload, Mapping) else None
        if given is None and us is not None:
            return message
        right = self._of(metadata)
        if isinstance(given, str) and hmac.compare_digest(given.encode(), right.encode()):
            return message
        return {**message, "metadata": {**metadata, "event_payload": {}}}

    def _of(self, metadata: Mapping[str, Any]) -> str:
        given = metadata.get("event_payload")
        payload = dict(given) if isinstance(given, Mapping) else {}
        payload.pop(SEAL, None)
        whole = json.dumps([metadata.get("event_type"), payload], sort_keys=True)
        return hmac.new(self._key, whole.encode(), hashlib.sha256).hexdigest()[:LENGTH]


def wrote(us: Identity, message: Mapping[str, Any]) -> bool:
    """Say whether a message is by us: by the bot's id, and where there is none by the user's."""
    bot = message.get("bot_id")
    return bool(bot == us.bot_id if bot else message.get("user") == us.user_id)
