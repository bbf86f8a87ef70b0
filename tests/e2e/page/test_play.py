"""The playground as a whole: one address, the bot beside it, and a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground.play import PlayConfig, listening, play
from tests.e2e.page.test_process import until_gone

# A bot that writes down where it was told to find everything, and says that it is ready.
BOT = """
import http.server, json, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready)
with open(os.environ["NOTES"] + ".new", "w") as notes:
    json.dump({"pid": os.getpid(), **os.environ}, notes)
os.rename(os.environ["NOTES"] + ".new", os.environ["NOTES"])
server.serve_forever()
"""


class Playing:
    """A playground that runs, and what its bot wrote down."""

    def __init__(self, url: str, notes: Path, http: aiohttp.ClientSession) -> None:
        self.url, self.http, self._notes = url, http, notes

    async def until_up(self) -> dict[str, Any]:
        """Wait until the page is told that the bot is up; returns the bot's notes."""
        async with asyncio.timeout(10), self.http.ws_connect(f"{self.url}/play/feed") as tab:
            while True:
                line = json.loads(await tab.receive_str())
                if line.get("process", line).get("state") == "up":
                    noted: dict[str, Any] = json.loads(self._notes.read_text())
                    return noted


@asynccontextmanager
async def playing(folder: Path, **options: Any) -> AsyncIterator[Playing]:
    """A playground with the small bot; cancelled at the end, as Ctrl-C does."""
    notes = folder / "notes.json"
    config = PlayConfig(
        [sys.executable, "-c", BOT], {"NOTES": str(notes)}, **{"port": 0, **options}
    )
    opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(play(config, ready=opened.set_result))
    try:
        async with asyncio.timeout(10), aiohttp.ClientSession() as http:
            yield Playing(await opened, notes, http)
    finally:
        task.cancel()
        async with asyncio.timeout(2):
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_environment_of_the_bot_has_every_address(tmp_path: Path) -> None:
    async with playing(tmp_path) as server:
        told = await server.until_up()
        assert told["SLACK_API_URL"] == f"{server.url}/api/"
        assert told["UPSTREAM_BASE_URL"] == f"{server.url}/v1"
        assert told["DATABASE_URL"].startswith("sqlite:////")
        headers = {"Authorization": f"Bearer {told['SLACK_BOT_TOKEN']}"}
        async with server.http.post(f"{told['SLACK_API_URL']}auth.test", headers=headers) as answer:
            assert (await answer.json())["ok"] is True
        headers = {"Authorization": f"Bearer {told['UPSTREAM_API_KEY']}"}
        async with server.http.get(
            f"{told['UPSTREAM_BASE_URL']}/models", headers=headers
        ) as answer:
            assert answer.status == 200


async def test_tokens_are_new_for_each_run(tmp_path: Path) -> None:
    async with playing(tmp_path) as server:
        first = (await server.until_up())["SLACK_BOT_TOKEN"]
    (tmp_path / "notes.json").unlink()
    async with playing(tmp_path) as server:
        assert (await server.until_up())["SLACK_BOT_TOKEN"] != first


async def test_playground_ends_within_two_seconds_with_all_its_processes(tmp_path: Path) -> None:
    async with playing(tmp_path) as server:
        told = await server.until_up()
        assert Path(told["DATABASE_URL"].removeprefix("sqlite:///")).parent.is_dir()
    await until_gone(told["pid"])
    assert not Path(told["DATABASE_URL"].removeprefix("sqlite:///")).parent.exists()


async def test_sigterm_ends_the_playground_as_cleanly(tmp_path: Path) -> None:
    config = PlayConfig([sys.executable, "-c", BOT], {"NOTES": str(tmp_path / "notes")}, port=0)
    async with asyncio.timeout(5):
        await play(config, ready=lambda _: os.kill(os.getpid(), signal.SIGTERM))


async def test_real_upstream_is_used_and_named(tmp_path: Path) -> None:
    real = {"upstream": "https://api.example/v1", "model_name": "some-model"}
    async with playing(tmp_path, **real) as server:
        told = await server.until_up()
        assert told["UPSTREAM_BASE_URL"] == "https://api.example/v1"
        assert "UPSTREAM_API_KEY" not in told
        async with server.http.get(f"{server.url}/v1/models") as answer:
            assert answer.status == 404
        async with server.http.ws_connect(f"{server.url}/play/feed") as tab:
            about = json.loads(await tab.receive_str())["about"]
            assert (about["demo"], about["model"]) == (False, "some-model")


async def test_taken_port_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with playing(tmp_path, port=port) as server:
            assert server.url != f"http://127.0.0.1:{port}"
            await server.until_up()


def test_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(OSError, match="address"):
        listening("192.0.2.1", 0)
