"""Between Slack and the replicas over HTTP: each signed event goes to some of them, in any order.

The first copy that is taken answers Slack; the others arrive before or after it, as they do when
Slack tries again because it did not hear of the first. The bodies and signatures stay Slack's own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, web

from tests.support.local_server import serve_app

COPIES = 3
LATEST = 1.5  # seconds until the last copy arrives; a retry of Slack's may be later still


class Balancer:
    """`ports` are those of the replicas; `Fleet` removes the ports of replicas that have ended."""

    def __init__(self, rng: random.Random, session: ClientSession) -> None:
        self.ports: list[int] = []
        self.delivered = 0  # copies taken by a replica
        self.failed = 0  # copies that no replica took
        self._rng = rng
        self._session = session
        self._tasks: set[asyncio.Task[web.Response | None]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Bring copies of a request to replicas; the first answer is the answer."""
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.startswith(("X-", "Content-T"))}
        pauses = [0.0, *(self._rng.uniform(0, LATEST) for _ in range(1, COPIES))]
        copies = self._rng.sample(pauses, k=self._rng.randint(1, COPIES))
        first = min(copies)
        tasks = [self._start(body, headers, pause - first) for pause in copies]
        for finished in asyncio.as_completed(tasks):
            if answer := await finished:
                return answer
        return web.Response(status=503)

    async def close(self) -> None:
        """Give up the copies that are still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(
        self, body: bytes, headers: dict[str, str], pause: float
    ) -> asyncio.Task[web.Response | None]:
        task = asyncio.create_task(self._deliver(body, headers, pause))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(
        self, body: bytes, headers: dict[str, str], pause: float
    ) -> web.Response | None:
        await asyncio.sleep(pause)
        with suppress(ClientConnectionError, TimeoutError, IndexError):
            port = self._rng.choice(self.ports)
            url = f"http://127.0.0.1:{port}/slack/events"
            async with self._session.post(url, data=body, headers=headers) as response:
                if response.status == 200:
                    self.delivered += 1
                    kind = response.content_type
                    return web.Response(body=await response.read(), content_type=kind)
        self.failed += 1
        return None


@asynccontextmanager
async def balancer(rng: random.Random) -> AsyncIterator[tuple[str, Balancer]]:
    """A balancer on a free port: the address Slack sends events to."""
    async with ClientSession(timeout=ClientTimeout(total=3)) as session:
        running = Balancer(rng, session)
        app = web.Application()
        app.router.add_post("/slack/events", running.handle)
        async with serve_app(app, shutdown_seconds=1) as origin:
            try:
                yield f"{origin}/slack/events", running
            finally:
                await running.close()
