"""Bodies of Slack's replies, read within bounds.

The session of all calls makes its responses of this class, so that no caller can read more than
that: neither slack_sdk, which reads bodies whole, nor we.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection

MAX_BYTES = 32 * 2**20
"""Bytes of one reply, after decompression. The longest are pages of threads: 1,000 messages, each
with 12,000 characters (docs/slack.md#size-limits) that come twice, as text and in blocks, are
24 MB."""

MAX_WORD = 64 * 2**10
"""Bytes of a reply that is a word or a short object: what a `response_url` answers. 64 KiB also
hold the error page of a proxy, as for the model's server."""


class BoundedResponse(aiohttp.ClientResponse):
    """A reply of at most MAX_BYTES, compressed only as its request allowed.

    Raises ClientPayloadError for any other. aiohttp unpacks whatever it knows, asked for or not,
    and reads to the end, however far that is.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read the head; raises ClientPayloadError for an encoding nobody asked for."""
        await super().start(connection)
        asked = self.request_info.headers.get("Accept-Encoding", "")
        given = self.headers.get("Content-Encoding", "").strip().lower()
        if given not in {"", "identity", *(name.strip() for name in asked.split(","))}:
            raise aiohttp.ClientPayloadError("an encoding that was not asked for")
        return self

    async def read(self) -> bytes:
        """Read the body; raises ClientPayloadError for one that is too long."""
        if self._body is None:
            try:
                self._body = await bounded(self, MAX_BYTES)
            except BaseException:
                self.close()
                raise
        return await super().read()


async def bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read the body of a reply; raises ClientPayloadError once there are more than `most` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise aiohttp.ClientPayloadError("a body that is too long")
    return bytes(body)
