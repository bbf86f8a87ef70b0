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

SEAL_FIELD = "seal"
"""The name of the seal in a payload."""

SEAL_HEX_DIGITS = 32
"""Hexadecimal digits of a seal: 128 bits, more than can be guessed."""


class MetadataSigner:
    """Seals metadata for one bot token."""

    def __init__(self, token: str) -> None:
        self._key = hmac.digest(token.encode(), b"message metadata", "sha256")

    def sign(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata with a seal in its payload."""
        payload = dict(metadata.get("event_payload") or {})
        return {**metadata, "event_payload": payload | {SEAL_FIELD: self._signature(metadata)}}

    def without_unverified_metadata(
        self, message: Mapping[str, Any], identity: Identity | None
    ) -> Mapping[str, Any]:
        """Return a message as it was read, without metadata that is not ours.

        What we wrote before there were seals is ours without one. A wrong seal makes a payload
        empty; `identity` unknown, nothing counts without a right one.
        """
        metadata = message.get("metadata")
        if not isinstance(metadata, Mapping) or not metadata:
            return message
        if identity is not None and not is_written_by(identity, message):
            return {name: value for name, value in message.items() if name != "metadata"}
        payload = metadata.get("event_payload")
        given = payload.get(SEAL_FIELD) if isinstance(payload, Mapping) else None
        if given is None and identity is not None:
            return message
        right = self._signature(metadata)
        if isinstance(given, str) and hmac.compare_digest(given.encode(), right.encode()):
            return message
        return {**message, "metadata": {**metadata, "event_payload": {}}}

    def _signature(self, metadata: Mapping[str, Any]) -> str:
        given = metadata.get("event_payload")
        payload = dict(given) if isinstance(given, Mapping) else {}
        payload.pop(SEAL_FIELD, None)
        whole = json.dumps([metadata.get("event_type"), payload], sort_keys=True)
        return hmac.new(self._key, whole.encode(), hashlib.sha256).hexdigest()[:SEAL_HEX_DIGITS]


def is_written_by(identity: Identity, message: Mapping[str, Any]) -> bool:
    """Say whether a message is by us: by the bot's id, and where there is none by the user's."""
    bot = message.get("bot_id")
    return bool(bot == identity.bot_id if bot else message.get("user") == identity.user_id)
