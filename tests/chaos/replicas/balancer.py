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

COPIES = 3
LATEST = 1.5  # seconds until the last copy arrives; a retry of Slack's may be later still


class Balancer:
    """`ports` are those of the replicas; who is gone is taken out by whoever knows."""

    def __init__(self, chance: random.Random, session: ClientSession) -> None:
        self.ports: list[int] = []
        self.delivered = 0  # copies taken by a replica
        self.failed = 0  # copies that met nobody
        self._chance = chance
        self._session = session
        self._tasks: set[asyncio.Task[web.Response | None]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Bring copies of a request to replicas; the first answer is the answer."""
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.startswith(("X-", "Content-T"))}
        pauses = [0.0, *(self._chance.uniform(0, LATEST) for _ in range(1, COPIES))]
        copies = self._chance.sample(pauses, k=self._chance.randint(1, COPIES))
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
        task = asyncio.create_task(self._bring(body, headers, pause))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _bring(
        self, body: bytes, headers: dict[str, str], pause: float
    ) -> web.Response | None:
        await asyncio.sleep(pause)
        with suppress(ClientConnectionError, TimeoutError, IndexError):
            port = self._chance.choice(self.ports)
            url = f"http://127.0.0.1:{port}/slack/events"
            async with self._session.post(url, data=body, headers=headers) as response:
                if response.status == 200:
                    self.delivered += 1
                    kind = response.content_type
                    return web.Response(body=await response.read(), content_type=kind)
        self.failed += 1
        return None


@asynccontextmanager
async def balancer(chance: random.Random) -> AsyncIterator[tuple[str, Balancer]]:
    """A balancer on a free port: the address Slack sends events to."""
    async with ClientSession(timeout=ClientTimeout(total=3)) as session:
        between = Balancer(chance, session)
        app = web.Application()
        app.router.add_post("/slack/events", between.handle)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", between
        finally:
            await between.close()
            await runner.cleanup()
