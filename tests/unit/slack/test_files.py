"""Files of a local Slack over HTTP, and which addresses may be fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.errors import FileRefused, FileTooLarge, SlackError, SlackRateLimited, SlackUnreachable
from bot.playground.slack.server import SlackConfig
from bot.slack import Slack, http_session
from bot.slack.files import is_file_url, is_login_page
from tests.support.local_server import serve_app
from tests.unit.playground import live

SLACK = "https://slack.com/api/"
LOCAL = "http://127.0.0.1:8080/api/"


@pytest.mark.parametrize(
    ("url", "base_url", "may"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", SLACK, True),
        ("https://files.slack.com:443/files-pri/T1-F1/a.png", SLACK, True),
        ("https://files.slack-gov.com/a", "https://slack-gov.com/api/", True),
        ("http://127.0.0.1:8080/files-pri/T1-F1/a.png", LOCAL, True),
        ("http://files.slack.com/a", SLACK, False),
        ("https://files.slack.com:8443/a", SLACK, False),
        ("https://slack.com/a", SLACK, False),
        ("https://files.slack.com.evil.example/a", SLACK, False),
        ("https://evil.example@files.slack.com/a", SLACK, False),
        ("https://files.slack.com@evil.example/a", SLACK, False),
        ("https://docs.google.com/a", SLACK, False),
        ("http://127.0.0.1:8081/a", LOCAL, False),
        ("https://files.slack.com/a", LOCAL, False),
        ("https://files.slack.com:port/a", SLACK, False),
        ("", SLACK, False),
    ],
)
def test_token_goes_to_the_host_of_files_only(url: str, base_url: str, may: bool) -> None:
    assert is_file_url(url, base_url) is may


def test_web_page_of_another_size_is_a_login_page() -> None:
    page = b"\n<!DOCTYPE html><html>Sign in</html>"
    assert is_login_page(page, 0)
    assert is_login_page(page, 7)
    assert not is_login_page(page, len(page))
    assert not is_login_page(b"# Notes about <html>", 0)


async def test_content_of_a_file_is_read_with_the_token() -> None:
    async with live.slack() as there, client(there.api_url, there.config.bot_token) as slack:
        file = there.workspace.upload("a.txt", b"Buy otters.")
        assert await slack.files.download(file["url_private"], 100, 11) == b"Buy otters."
        assert (await slack.files.info(file["id"]))["name"] == "a.txt"


async def test_file_that_is_longer_than_the_limit_is_not_read_to_its_end() -> None:
    async with live.slack() as there, client(there.api_url, there.config.bot_token) as slack:
        file = there.workspace.upload("a.txt", bytes(1000))
        with pytest.raises(FileTooLarge):
            await slack.files.download(file["url_private"], 999)


async def test_login_page_names_the_scope_even_if_it_is_larger_than_the_file() -> None:
    config = SlackConfig(scopes=SlackConfig().scopes - {"files:read"})
    async with live.slack(config) as there, client(there.api_url, config.bot_token) as slack:
        file = there.workspace.upload("a.txt", b"tiny")
        with pytest.raises(FileRefused) as refused:
            await slack.files.download(file["url_private"], 4, 4)
        assert (refused.value.code, refused.value.needed) == ("login_page", "files:read")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, FileRefused),
        (404, FileRefused),
        (429, SlackRateLimited),
        (503, SlackUnreachable),
    ],
)
async def test_other_replies_are_errors_and_redirects_are_not_followed(
    status: int, kind: type[SlackError]
) -> None:
    asked: list[str] = []

    async def reply(request: web.Request) -> web.Response:
        asked.append(request.path)
        headers = {"Location": "/login", "Retry-After": "7"}
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", reply)
    async with serve_app(app) as origin, client(f"{origin}/api/", "xoxb-1") as slack:
        with pytest.raises(kind):
            await slack.files.download(f"{origin}/file", 100)
    assert asked == ["/file"]


async def test_error_of_a_download_does_not_have_the_address() -> None:
    port = live.free_port()
    async with client(f"http://127.0.0.1:{port}/api/", "xoxb-1") as slack:
        with pytest.raises(SlackUnreachable) as failed:
            await slack.files.download(f"http://127.0.0.1:{port}/files-pri/secret", 100)
    assert "secret" not in repr(failed.value)
    assert failed.value.__cause__ is None


@asynccontextmanager
async def client(base_url: str, token: str) -> AsyncIterator[Slack]:
    async with http_session() as session:
        yield Slack(token, base_url=base_url, session=session)
