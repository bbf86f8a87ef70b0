"""Signs the metadata of our messages, and removes metadata that we did not write.

Every app of a workspace may put any metadata on its messages and read that of others
(https://docs.slack.dev/messaging/message-metadata). So our metadata carries a signature, called its
seal. The key is derived from the bot token, so it is the same after a restart and on every replica.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from bot.slack.identity import Identity

SEAL_FIELD = "seal"
"""The field of `event_payload` that holds the signature."""

SEAL_HEX_DIGITS = 32
"""Hexadecimal digits of a signature: 128 bits."""


class MetadataSigner:
    """Signs and verifies metadata with a key derived from one bot token."""

    def __init__(self, token: str) -> None:
        self._key = hmac.digest(token.encode(), b"message metadata", "sha256")

    def sign(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata with a signature in its payload."""
        payload = dict(metadata.get("event_payload") or {})
        return {**metadata, "event_payload": payload | {SEAL_FIELD: self._signature(metadata)}}

    def without_unverified_metadata(
        self, message: Mapping[str, Any], identity: Identity | None
    ) -> Mapping[str, Any]:
        """Return a message without metadata that we did not write.

        Metadata on messages of other authors is removed. A wrong signature empties the payload.
        Messages of ours from versions that did not sign yet are accepted without one, but only if
        `identity` is known.
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
    """Whether we wrote a message: by its bot id, or by its user id if it has none."""
    bot = message.get("bot_id")
    return bool(bot == identity.bot_id if bot else message.get("user") == identity.user_id)
