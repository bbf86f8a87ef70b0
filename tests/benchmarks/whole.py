"""What an answer costs the whole bot: CPU a delta, and memory while it is written.

    python -m tests.benchmarks whole

The bot is `bot run` in a process of its own, and only that is measured; Slack and the model share
another one. All of it counts, from the question's arrival to the last word in Slack. Beside it
stands the least a bot could do (raw.py), given the same streams and as many writes. Workspaces
come over one connection and with one token. Linux only.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import lag
from tests.benchmarks.cost import Cost, Running, bot, by_bot, by_raw, stretches
from tests.benchmarks.outside import Load, Outside, outside

WORDS = 800
LOADS: Mapping[str, Load] = {
    "10 in one workspace": Load(10, 1, WORDS),
    "10 in 10 workspaces": Load(10, 10, WORDS),
}
MANY: Mapping[str, Load] = {"200 in 20 workspaces": Load(200, 20, WORDS)}
LONG = Load(10, 10, 10_000, 400.0)
STRETCH = 1_000  # words at the beginning and at the end of long answers
ENCRYPTED: Mapping[str, Load] = {"the same over TLS": Load(200, 20, WORDS, 20.0)}
ENOUGH = 100  # answers whose memory can be told from all else
MOST_BYTES = 150_000  # for each live answer, its text aside
MOST_LAG = 0.05  # seconds, of the event loop in 99 % of the time

write = sys.stdout.write


def heading() -> None:
    """Print the heads of the columns."""
    write(f"{'':24}{'words/s':>9}{'writes/s':>10}{'of a core':>11}{'µs a delta':>12}{'raw':>7}")
    write(f"{'times raw':>11}{'kB an answer':>14}{'raw':>6}\n")


def row(name: str, ours: Cost, raw: Cost) -> None:
    """Print what one load cost."""
    load = ours.load
    pace = load.live * load.words_per_second
    write(f"  {name:22}{pace:9,.0f}{ours.state.writes * pace / load.deltas:10.1f}")
    write(f"{ours.share:11.0%}{ours.each:12.0f}{raw.each:7.0f}{ours.each / raw.each:11.2f}")
    if load.live >= ENOUGH:
        write(f"{ours.beyond_text / 1000:14.0f}{raw.memory / 1000:6.0f}")
    write("\n")
    if load.live >= ENOUGH:
        met = ours.beyond_text <= MOST_BYTES
        write(f"    at most {MOST_BYTES // 1000} kB an answer, its text aside: ")
        write("yes\n" if met else "no\n")
    sys.stdout.flush()


async def table(loads: Mapping[str, Load], its: Running, world: Outside) -> None:
    """Print what loads cost, each beside the least it could."""
    for name, load in loads.items():
        before = await lag.buckets(its.url)
        ours = await by_bot(its.pid, load, world)
        late = lag.percentile(before, await lag.buckets(its.url), 99)
        row(name, ours, await by_raw(ours, world))
        if load.live >= ENOUGH:
            write(f"    99 % of the event loop's lags are at most {late * 1000:.0f} ms; ")
            write(f"at most {MOST_LAG * 1000:.0f} ms: {'yes' if late <= MOST_LAG else 'no'}\n")


async def lengths(its: Running, world: Outside) -> None:
    """Print what a delta costs early and late in long answers."""
    first, last = await stretches(its.pid, LONG, world, STRETCH)
    write(f"  {LONG.live} answers of {LONG.words:,} words, {LONG.words_per_second:.0f} a second: ")
    write(f"{first:.0f} µs a delta in the first {STRETCH:,} words, {last:.0f} in the last\n")


async def run() -> None:
    """Print all figures."""
    heading()
    async with outside() as world:
        async with bot(world) as its:
            await table(LOADS, its, world)
        async with bot(world) as its:
            await table(MANY, its, world)
            await lengths(its, world)
    if shutil.which("openssl"):
        with TemporaryDirectory() as folder:
            async with outside(certified(Path(folder))) as world, bot(world) as its:
                await table(ENCRYPTED, its, world)


def certified(folder: Path) -> str:
    """Make a certificate for this machine; gives the file that holds it and its key."""
    made = folder / "certificate.pem"
    how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -subj /CN=127.0.0.1"
    name = ("-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(made), "-out", str(folder / "only.pem"))
    subprocess.run(["openssl", *how.split(), *name, *files], check=True, capture_output=True)
    made.write_text(made.read_text() + (folder / "only.pem").read_text())
    return str(made)


def main() -> None:
    """Start everything and measure."""
    write("WHOLE: the bot's own process; Slack and the model have another\n")
    asyncio.run(run())


if __name__ == "__main__":
    main()
