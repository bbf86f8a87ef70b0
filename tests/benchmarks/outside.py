"""Everything the bot of the benchmark talks to, in a process of its own: a Slack and a model.

The benchmark steers it over HTTP: `POST /ask` brings questions, `GET /state` tells what was sent
and what stands. `Outside` is the benchmark's end of that.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from subprocess import PIPE

import aiohttp
from aiohttp import web

from tests.benchmarks.paced_model import Connection, Writing
from tests.benchmarks.stream import text
from tests.benchmarks.tiny_slack import TinySlack

LOOK_SECONDS = 0.02  # how often a benchmark that waits for something looks


@dataclass(frozen=True, slots=True)
class Load:
    """So many answers at once in so many workspaces, so long and at such a pace; asked for with
    `pause` seconds in between.

    With no workspaces nobody is asked: whoever wants the answers asks the model.
    """

    live: int
    workspaces: int
    words: int
    words_per_second: float = 40.0
    pause: float = 0.0

    @property
    def deltas(self) -> int:
        """How many text events there are in all."""
        return self.live * self.words


@dataclass(frozen=True, slots=True)
class State:
    """What was sent and shown since the last questions were asked.

    `deltas` were sent by the model; `writes` are posts, edits and deletes, and weigh `weight`
    bytes; `ended` answers are not being written any more. `connected`: the bot hears.
    """

    connected: bool
    deltas: int
    writes: int
    weight: int
    ended: int


@dataclass(frozen=True, slots=True)
class Outside:
    """The benchmark's end: where Slack and the model are, and a hand on both.

    `env` is what whoever talks to them needs in its environment.
    """

    url: str
    model: str
    env: Mapping[str, str]
    http: aiohttp.ClientSession

    async def ask(self, load: Load) -> None:
        """Ask all the questions of a load."""
        async with self.http.post(f"{self.url}/ask", json=asdict(load)) as answer:
            answer.raise_for_status()

    async def state(self) -> State:
        """What has happened since."""
        async with self.http.get(f"{self.url}/state") as answer:
            return State(**await answer.json())

    async def until(self, holds: Callable[[State], bool], seconds: float) -> State:
        """Return the first state for which this holds; raises TimeoutError with the last one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = await self.state()
            if holds(state):
                return state
            await asyncio.sleep(LOOK_SECONDS)
        raise TimeoutError(f"waited {seconds:g} s in vain: {state}")

    async def whole(self) -> int:
        """How many answers stand as the model wrote them."""
        async with self.http.get(f"{self.url}/whole") as answer:
            return int(await answer.text())

    async def placeholders(self) -> list[float]:
        """The seconds from each question to the first message of its answer."""
        async with self.http.get(f"{self.url}/placeholders") as answer:
            return list(await answer.json())


@asynccontextmanager
async def outside(certificate: str = "") -> AsyncIterator[Outside]:
    """Start the process; it ends with the block. With a certificate both speak TLS."""
    command = (sys.executable, "-m", "tests.benchmarks.outside", certificate)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    slack, model = map(int, (await process.stdout.readline()).split())
    scheme, env = ("https", {"SSL_CERT_FILE": certificate}) if certificate else ("http", {})
    url, base_url = f"{scheme}://127.0.0.1:{slack}", f"{scheme}://127.0.0.1:{model}/v1"
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http:
            yield Outside(url, base_url, env, http)
    finally:
        process.stdin.close()
        await process.wait()


class _World:
    """Both servers, and what steers them."""

    def __init__(self) -> None:
        self.slack, self.writing = TinySlack(), Writing()
        self.app = web.Application()
        self.slack.add_to(self.app)
        self.app.router.add_post("/ask", self._ask)
        self.app.router.add_get("/state", self._state)
        self.app.router.add_get("/whole", self._whole)
        self.app.router.add_get("/placeholders", self._placeholders)

    async def _ask(self, request: web.Request) -> web.Response:
        load = Load(**await request.json())
        writing = self.writing
        writing.words, writing.words_per_second = load.words, load.words_per_second
        writing.sent = 0
        channels = load.live if load.workspaces else 0
        await self.slack.ask(channels, load.workspaces, load.pause)
        return web.Response()

    async def _state(self, _: web.Request) -> web.Response:
        calls = self.slack.calls
        state = State(
            connected=self.slack.connected,
            deltas=self.writing.sent,
            writes=sum(calls[f"chat.{method}"] for method in ("postMessage", "update", "delete")),
            weight=self.slack.weight,
            ended=self.slack.ended,
        )
        return web.json_response(asdict(state))

    async def _placeholders(self, _: web.Request) -> web.Response:
        return web.json_response(self.slack.placeholders)

    async def _whole(self, _: web.Request) -> web.Response:
        wanted = _solid(text(self.writing.words))
        return web.Response(text=str(sum(_solid(a) == wanted for a in self.slack.answers())))


def _solid(answer: str) -> str:
    """Without blanks: where an answer goes on in a next message, those at the cut are gone."""
    return "".join(answer.split())


async def _serve(certificate: str) -> None:
    """Serve until whoever started this process closes its input or dies."""
    world = _World()
    runner = web.AppRunner(world.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    tls = _tls(certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    model = await asyncio.get_running_loop().create_server(
        lambda: Connection(world.writing), "127.0.0.1", 0, ssl=tls
    )
    sys.stdout.write(f"{runner.addresses[0][1]} {model.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    model.close()
    await runner.cleanup()


def _tls(certificate: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
