"""What durability costs: before a placeholder, in turns a second, and with 100,000 turns stored.

    python -m tests.benchmarks storage

SQLite is a file in a temporary folder, PostgreSQL a server that waits for the disk. Both are asked
directly first; then the whole bot uses them, beside a bot whose SQLite lies in memory, with a
Slack and a model that answer at once (outside.py).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.store import Store
from tests.benchmarks import stored
from tests.benchmarks.cost import PATIENCE, bot
from tests.benchmarks.outside import Load, Outside, outside
from tests.support.postgres import Server

FILE = "bench.db"
SIZES = (0, 10_000, 100_000)  # stored turns
TIMES = 300
TURNS, AT_ONCE = 2_000, 64
ASKED = Load(300, 50, 5, 1e6, pause=0.03)  # questions one after the other
CROWD = Load(300, 100, 5, 1e6)  # all at once
MOST_MS = 2.0  # a claim on SQLite

Size = Callable[[], Awaitable[int]]
write = sys.stdout.write


@dataclass(frozen=True, slots=True)
class Place:
    """A database to measure, and how many bytes it takes."""

    name: str
    url: str
    size: Size


@asynccontextmanager
async def places(folder: Path) -> AsyncIterator[Sequence[Place]]:
    """An empty database of each kind there is here."""
    url = f"sqlite:///{folder}/{FILE}"
    found = [Place("SQLite", url, partial(asyncio.to_thread, _file_size, folder))]
    async with AsyncExitStack() as stack:
        try:
            server = Server(durable=True)
        except FileNotFoundError as error:
            write(f"{error}\n")
        else:
            server.start()
            stack.callback(server.remove)
            url = await stack.enter_async_context(server.fresh())
            found.append(Place("PostgreSQL", url, _server_size(server, url)))
        yield found


def _file_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"{FILE}*"))


def _server_size(server: Server, url: str) -> Size:
    schema = url.partition("//")[2].partition("@")[0]
    tables = f"pg_class WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace"

    async def size() -> int:
        [[total]] = await server.execute(f"SELECT sum(pg_total_relation_size(oid)) FROM {tables}")
        return int(total)

    return size


def row(name: str, *cells: str) -> None:
    """Print a line of a table."""
    write(f"  {name:28}{''.join(f'{cell:>18}' for cell in cells)}\n")
    sys.stdout.flush()


def spread(seconds: Sequence[float]) -> str:
    """The median and the 99th percentile, in ms."""
    return f"{median(seconds) * 1e3:.2f} / {quantiles(seconds, n=100)[-1] * 1e3:.2f}"


async def alone(place: Place) -> None:
    """Print what the store itself takes, empty and full."""
    async with open_database(place.url) as database:
        await database.migrate()
        empty = await place.size()
        held = 0
        async with Store(database, replica=stored.REPLICA) as store:
            for size in SIZES:
                await stored.fill(database, size - held)
                held = size
                claims = await stored.claims(store, TIMES)
                cells = [spread(claims), spread(await stored.journals(store, TIMES))]
                cells.append(spread(await stored.slots(_ledger(database), TIMES)))
                if size:
                    cells.append(f"{(await place.size() - empty) / size / 1000:.1f}")
                row(f"{place.name}, {size:,} stored", *cells)
                if place.name == "SQLite":
                    met = "yes" if median(claims) * 1e3 < MOST_MS else "no"
                    write(f"    a claim takes less than {MOST_MS:g} ms: {met}\n")
            rate = await stored.turns(store, TURNS, AT_ONCE)
            write(f"    {rate:,.0f} turns a second from claim to done, {AT_ONCE} at once\n")


def _ledger(database: Database) -> SharedRateSlots:
    return SharedRateSlots(database, replica=stored.REPLICA, timeout_seconds=stored.PATIENCE)


async def together(name: str, url: str) -> None:
    """Print what the whole bot takes with a database."""
    async with outside() as world, bot(world, DATABASE_URL=url):
        await asked(ASKED, world)
        waits = await world.placeholders()
        rate = CROWD.live / await asked(CROWD, world)
        row(name, spread(waits), f"{rate:.0f}", spread(await world.placeholders()))


async def asked(load: Load, world: Outside) -> float:
    """Ask, and wait until all answers have ended; gives the seconds it took."""
    began = time.perf_counter()
    await world.ask(load)
    await world.until(lambda state: state.ended >= load.live, PATIENCE)
    seconds = time.perf_counter() - began
    if refused := load.live - await world.whole():
        write(f"  {refused} questions were turned away: the database was too slow\n")
    return seconds


async def run() -> None:
    """Print all figures."""
    with TemporaryDirectory() as folder:
        async with places(Path(folder)) as found:
            write("the store alone; times in ms, median / 99th percentile\n")
            row("", "a claim", "a journal entry", "a slot", "kB a turn")
            for place in found:
                await alone(place)
            write("the whole bot, as many turns stored; ms to the placeholder, turns a second\n")
            row("", "placeholder", "turns a second", "placeholder then")
            for name, url in [("memory", "sqlite://"), *((p.name, p.url) for p in found)]:
                await together(name, url)


def main() -> None:
    """Measure every database there is here."""
    write("STORAGE: what it costs that nothing is lost\n")
    asyncio.run(run())


if __name__ == "__main__":
    main()
