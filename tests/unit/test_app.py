"""What settings become, where nobody else can see it."""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

import bot.app
from bot import cli
from bot.app import answer_limits
from bot.app.connections import open_upstream
from bot.app.event_loop import loop_factory
from bot.app.garbage_collection import freeze_startup_objects
from bot.app.languages import default_language, open_languages
from bot.settings import load_settings
from bot.slack import Slack
from bot.turn.state.limits import AnswerLimits
from bot.upstream.prompt import Prompt
from bot.values import Message
from bot.words import Language
from tests.support.local_server import serve_app


@pytest.mark.parametrize(
    ("store_text", "background", "asked_for"),
    [
        ("true", "on", True),
        ("true", "off", False),
        ("false", "on", False),
        ("false", "auto", False),
    ],
)
async def test_server_is_asked_to_keep_nothing_if_no_text_is_stored(
    monkeypatch: pytest.MonkeyPatch, store_text: str, background: str, asked_for: bool
) -> None:
    asked: list[dict[str, Any]] = []

    async def respond(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"error": {"message": "no"}}, status=401)

    server = web.Application()
    server.router.add_post("/v1/responses", respond)
    async with serve_app(server) as origin:
        variables = {
            "UPSTREAM_BASE_URL": f"{origin}/v1",
            "UPSTREAM_API": "responses",
            "UPSTREAM_BACKGROUND": background,
            "STORE_TEXT": store_text,
            "MAX_OUTPUT_TOKENS": "77",
            "REASONING_EFFORT": "low",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        async with open_upstream(load_settings(Path("/nowhere/.env"))) as upstream:
            async for _ in upstream.answer(Prompt("", (Message("user", "hello"),))):
                pass
    [body] = asked
    assert body.get("background", False) is asked_for
    assert body["store"] is asked_for
    assert body["max_output_tokens"] == 77
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}


def test_limits_of_an_answer_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "MAX_ANSWER_SECONDS": "11",
        "MAX_ANSWER_CHARACTERS": "222",
        "MAX_TOOL_CALLS": "3",
        "MAX_TOOL_CHARACTERS": "4444",
        "MAX_ANSWER_EVENTS": "55555",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert answer_limits(load_settings(Path("/nowhere/.env"))) == AnswerLimits(
        11, 222, 3, 4444, 55555
    )


def test_limits_of_an_answer_are_the_same_without_settings() -> None:
    assert answer_limits(load_settings(Path("/nowhere/.env"))) == AnswerLimits()


@pytest.mark.parametrize("language", Language)
async def test_language_of_everybody_is_the_configured_one(
    monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("LANGUAGE", language.value)
    settings = load_settings(Path("/nowhere/.env"))
    async with ClientSession() as session:
        slack = Slack("xoxb-1", base_url="http://127.0.0.1:9/api/", session=session)
        async with open_languages(settings, slack) as language_of:
            assert await language_of("T1", "U1") is language
    assert default_language(settings) is language


async def test_language_follows_the_locale_without_a_setting() -> None:
    async def respond(request: web.Request) -> web.Response:
        locale = "zh-HK" if request.query["user"] == "U1" else "en-US"
        return web.json_response({"ok": True, "user": {"locale": locale}})

    server = web.Application()
    server.router.add_get("/api/users.info", respond)
    settings = load_settings(Path("/nowhere/.env"))
    async with serve_app(server) as origin, ClientSession() as session:
        slack = Slack("xoxb-1", base_url=f"{origin}/api/", session=session)
        async with open_languages(settings, slack) as language_of:
            found = [await language_of("T1", user) for user in ("U1", "U2")]
    assert found == [Language.CHINESE, Language.ENGLISH]
    assert default_language(settings) is Language.ENGLISH


def test_loop_factory_chooses_uvloop_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert type(runner.get_loop()).__module__ == "uvloop"
    monkeypatch.setitem(sys.modules, "uvloop", None)  # importing it raises ImportError
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert isinstance(runner.get_loop(), asyncio.SelectorEventLoop)


def test_commands_run_on_the_chosen_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    class Chosen(asyncio.SelectorEventLoop):
        pass

    async def loop_class() -> type:
        return type(asyncio.get_running_loop())

    monkeypatch.setattr(cli, "loop_factory", lambda: Chosen)
    assert cli._run_or_exit(loop_class()) is Chosen


def test_startup_objects_are_excluded_from_garbage_collection() -> None:
    before = gc.get_freeze_count()
    try:
        freeze_startup_objects()
        assert gc.get_freeze_count() > before
        assert not any(one is bot.app for one in gc.get_objects())
    finally:
        gc.unfreeze()
