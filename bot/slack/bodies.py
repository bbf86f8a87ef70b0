"""Limits the size of Slack's replies.

The session of all calls uses `BoundedResponse` as its response class. So the limit also holds for
slack_sdk, which reads whole bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection

MAX_BYTES = 32 * 2**20
"""Bytes of one reply after decompression. The largest is a page of a thread: 1,000 messages of
12,000 characters (docs/slack.md#size-limits), each sent twice, as text and in blocks, are 24 MB."""

MAX_WORD = 64 * 2**10
"""Bytes of a `response_url`'s reply, which is a word or a short object. 64 KiB also hold a proxy's
error page."""


class BoundedResponse(aiohttp.ClientResponse):
    """A reply of at most MAX_BYTES, in an encoding that its request accepts.

    aiohttp itself decompresses any encoding that it supports and reads without a limit. Raises
    ClientPayloadError.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read the headers; raises ClientPayloadError for an encoding that was not accepted."""
        await super().start(connection)
        asked = self.request_info.headers.get("Accept-Encoding", "")
        given = self.headers.get("Content-Encoding", "").strip().lower()
        if given not in {"", "identity", *(name.strip() for name in asked.split(","))}:
            raise aiohttp.ClientPayloadError("an encoding that was not asked for")
        return self

    async def read(self) -> bytes:
        """Read the body; raises ClientPayloadError if it is longer than MAX_BYTES."""
        if self._body is None:
            try:
                self._body = await bounded(self, MAX_BYTES)
            except BaseException:
                self.close()
                raise
        return await super().read()


async def bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read the body of a reply; raises ClientPayloadError after more than `most` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise aiohttp.ClientPayloadError("a body that is too long")
    return bytes(body)
