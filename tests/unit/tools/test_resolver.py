"""Names that are looked up in threads of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from bot.errors import ToolError
from bot.tools.resolver import Resolver
from bot.tools.web import WebClient


class NameServer:
    """Answers names at once, but for those that begin with "slow": these when told."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host.startswith("slow"):
            assert self.go.wait(30)
        if host.startswith("no"):
            raise OSError(f"no such name: {host}")
        return ["93.184.216.34"]


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.go.set()


async def test_name_is_looked_up(server: NameServer) -> None:
    assert await Resolver(server)("example.com") == ["93.184.216.34"]
    with pytest.raises(OSError, match="no such name"):
        await Resolver(server)("no.example.com")
    assert await Resolver()("127.0.0.1") == ["127.0.0.1"]


async def test_name_that_hangs_is_given_up_and_holds_up_nobody_else(server: NameServer) -> None:
    resolve = Resolver(server, max_threads=2, timeout_seconds=0.05)
    with pytest.raises(TimeoutError):
        await resolve("slow.example.com")
    assert await resolve("example.com") == ["93.184.216.34"]
    before = threading.active_count()
    assert await asyncio.to_thread(lambda: "free") == "free"  # the pool all others share
    assert threading.active_count() <= before + 1


async def test_names_that_hang_never_take_more_than_their_places(server: NameServer) -> None:
    resolve = Resolver(server, max_threads=3, timeout_seconds=0.05)
    results = await asyncio.gather(
        *(resolve(f"slow{n}.example.com") for n in range(50)), return_exceptions=True
    )
    assert all(isinstance(result, OSError) for result in results)
    assert len(server.asked) == 3
    with pytest.raises(OSError, match="too many"):
        await resolve("example.com")
    server.go.set()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await resolve("example.com") == ["93.184.216.34"]
                break
            except OSError:
                await asyncio.sleep(0.01)


async def test_page_of_a_name_that_hangs_is_a_sentence_for_the_model(server: NameServer) -> None:
    web = WebClient(resolve=Resolver(server, timeout_seconds=0.05))
    with pytest.raises(ToolError, match="no such host"):
        await web.fetch("http://slow.example.com/")
