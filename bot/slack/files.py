"""Files in Slack: what `files.info` says of one, and its content.

The bot token goes to one host only, and no redirect is followed. Without the scope `files:read`
Slack answers with its login page, often with status 200 (docs/slack.md#files).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.errors import (
    FileRefused,
    FileTooLarge,
    SlackError,
    SlackRateLimited,
    SlackUnreachable,
)
from bot.slack.calls import WebApi
from bot.slack.failures import retry_after

METHOD = "url_private"
"""The name of a download in errors and metrics: the field that has the address."""

MAX_CONCURRENT_DOWNLOADS = 4
"""All calls share 20 connections; edits of answers must not wait for files. Ours."""

DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=15)
LOGIN_PAGE_STARTS = (b"<!doctype html", b"<html")


class SlackFiles:
    """Reads files with the bot token of `api`."""

    def __init__(self, api: WebApi, session: aiohttp.ClientSession) -> None:
        self._api = api
        self._session = session
        self._downloads = asyncio.Semaphore(MAX_CONCURRENT_DOWNLOADS)

    async def info(self, file: str) -> Mapping[str, Any]:
        """What Slack says of a file now. Raises SlackError."""
        answer = await self._api.call("files.info", verb="GET", file=file)
        found = answer.get("file")
        return found if isinstance(found, dict) else {}

    def may_fetch(self, url: str) -> bool:
        """Whether an address is on the host of Slack's files."""
        return is_file_url(url, self._api.web.base_url)

    async def download(self, url: str, max_bytes: int, expected_size: int = 0) -> bytes:
        """Read the content of a file.

        `expected_size` is what Slack says its size is: a web page of another size is a login page.
        Raises FileTooLarge, FileRefused, SlackUnreachable or SlackRateLimited.
        """
        if not self.may_fetch(url):
            raise FileRefused(METHOD, "untrusted_host")
        try:
            async with self._downloads:
                content = await self._fetch(url, max_bytes, expected_size)
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            # No `from`: aiohttp's messages may hold the address.
            error = SlackUnreachable(METHOD, type(e).__name__)
            raise self._api.report_failure(error) from None
        self._api.report_success(METHOD)
        return content

    async def _fetch(self, url: str, max_bytes: int, expected_size: int) -> bytes:
        web = self._api.web
        async with self._session.get(
            url,
            headers={"Authorization": f"Bearer {web.token}", "Accept-Encoding": "identity"},
            allow_redirects=False,
            proxy=web.proxy,
            timeout=DOWNLOAD_TIMEOUT,
        ) as response:
            self._raise_for_status(response)
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > max_bytes:
                    break
        if is_login_page(content, expected_size):
            raise self._api.report_failure(FileRefused(METHOD, "login_page", "files:read"))
        if len(content) > max_bytes:
            raise self._api.report_failure(FileTooLarge(METHOD, "too_large"))
        return bytes(content)

    def _raise_for_status(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status == 200:
            return
        error: SlackError
        if status == 429:
            error = SlackRateLimited(METHOD, retry_after(response.headers))
        elif status >= 500:
            error = SlackUnreachable(METHOD, f"HTTP {status}")
        elif 300 <= status < 400:  # to the login page
            error = FileRefused(METHOD, "redirect", "files:read")
        else:
            error = FileRefused(METHOD, f"http_{status}")
        raise self._api.report_failure(error)


def is_file_url(url: str, base_url: str) -> bool:
    """Whether `url` is on the host that may be sent the token of the Slack at `base_url`.

    That is files.slack.com or its sibling of GovSlack over TLS. Any other Slack, such as the
    playground's, has its files at its own origin.
    """
    try:
        ours, theirs = urlsplit(base_url), urlsplit(url)
        our_port, port = ours.port, theirs.port
    except ValueError:
        return False
    home = (ours.hostname or "").removeprefix("www.")
    if "@" in theirs.netloc:
        return False
    if home in {"slack.com", "slack-gov.com"}:
        is_https = theirs.scheme == "https" and port in {None, 443}
        return is_https and theirs.hostname == f"files.{home}"
    return (theirs.scheme, theirs.hostname, port) == (ours.scheme, ours.hostname, our_port)


def is_login_page(content: bytes | bytearray, expected_size: int) -> bool:
    """Whether a body is a web page in place of a file of `expected_size` bytes (0: unknown)."""
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(LOGIN_PAGE_STARTS) and len(content) != expected_size
