"""The least a bot could do: read streams with httpx, send edits with aiohttp, look at nothing.

    python -m tests.benchmarks.raw <model> <slack> <streams> <writes a second> <bytes a write>

It reads one stream to warm up and writes a line; given one, it begins; when it is done it writes
another, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

import aiohttp
import httpx


async def read(http: httpx.AsyncClient, url: str) -> None:
    """Read one answer to its end."""
    async with http.stream("POST", url, json={}) as response:
        async for _ in response.aiter_raw():
            pass


async def write(url: str, rate: float, size: int) -> None:
    """Send edits of that size at that rate, until cancelled."""
    body = {"channel": "C", "ts": "1.0", "text": "x" * size}
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http:
        due = loop.time()
        while True:
            due += 1 / rate
            await asyncio.sleep(due - loop.time())
            async with http.post(f"{url}/api/chat.update", json=body) as answer:
                json.loads(await answer.read())


async def run(model: str, slack: str, streams: int, rate: float, size: int) -> None:
    """Read so many streams at once, and write meanwhile."""
    async with httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None)) as http:
        url = f"{model}/responses"
        await read(http, url)
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        writing = asyncio.create_task(write(slack, rate, size))
        await asyncio.gather(*(read(http, url) for _ in range(streams)))
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing


def main(model: str, slack: str, streams: str, rate: str, size: str) -> None:
    """Run with these arguments."""
    asyncio.run(run(model, slack, int(streams), float(rate), int(size)))
    _say("done")
    sys.stdin.read()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
