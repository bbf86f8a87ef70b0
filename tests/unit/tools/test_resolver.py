"""Host names are looked up in separate threads, in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence

import pytest

from bot.errors import ToolError
from bot.tools.web.fetch import WebClient
from bot.tools.web.resolver import Resolver


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


async def test_resolver_looks_a_name_up(server: NameServer) -> None:
    assert await Resolver(server)("example.com") == ["93.184.216.34"]
    with pytest.raises(OSError, match="no such name"):
        await Resolver(server)("no.example.com")
    assert await Resolver()("127.0.0.1") == ["127.0.0.1"]


async def test_resolver_gives_up_on_a_name_that_hangs(server: NameServer) -> None:
    resolve = Resolver(server, max_threads=2, timeout_seconds=0.05)
    with pytest.raises(TimeoutError):
        await resolve("slow.example.com")
    assert await resolve("example.com") == ["93.184.216.34"]
    before = threading.active_count()
    assert await asyncio.to_thread(lambda: "free") == "free"  # the pool all others share
    assert threading.active_count() <= before + 1


async def test_resolver_bounds_threads_of_names_that_hang(server: NameServer) -> None:
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


@pytest.mark.parametrize("failure", [RuntimeError("can't start new thread"), MemoryError()])
async def test_resolver_frees_the_slot_of_a_thread_that_cannot_start(
    server: NameServer, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def start(_: threading.Thread) -> None:
        raise failure

    resolve = Resolver(server, max_threads=2)
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", start)
        for _ in range(5):
            with pytest.raises(OSError, match="no thread"):
                await resolve("example.com")
            with pytest.raises(ToolError, match="no such host"):
                await WebClient(resolve=resolve).fetch("http://example.com/")
    assert server.asked == []
    assert await resolve("example.com") == ["93.184.216.34"]


@pytest.mark.parametrize("failure", [OSError(), UnicodeError(), RuntimeError(), MemoryError()])
async def test_resolver_frees_the_slot_of_a_failed_lookup(failure: Exception) -> None:
    def lookup(_: str) -> Sequence[str]:
        raise failure

    resolve = Resolver(lookup, max_threads=1)
    for _ in range(3):
        with pytest.raises(type(failure)):
            await resolve("example.com")


async def test_resolver_frees_the_slot_of_a_cancelled_lookup_when_it_returns(
    server: NameServer,
) -> None:
    resolve = Resolver(server, max_threads=1)
    asking = asyncio.create_task(resolve("slow.example.com"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    server.go.set()
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                assert await resolve("example.com") == ["93.184.216.34"]
                break
            await asyncio.sleep(0.01)


async def test_web_client_reports_a_name_that_hangs(server: NameServer) -> None:
    web = WebClient(resolve=Resolver(server, timeout_seconds=0.05))
    with pytest.raises(ToolError, match="no such host"):
        await web.fetch("http://slow.example.com/")
