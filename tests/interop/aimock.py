"""aimock, a model's server that others wrote, as its own process (docs/upstream.md#test-servers).

It answers by fixtures, which a test teaches it, and keeps a journal of what it was asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

# Where .ci/run installs it, below the user's cache; it names the version too.
FOLDER = "bot-tests/aimock-1.43.0"
CLI = "node_modules/@copilotkit/aimock/dist/cli.js"
READY = "listening on "
# A process that lives as long as its standard input is open: it ends with us, however we end.
TIED = ("sh", "-c", '"$@" & exec >/dev/null 2>&1; cat; kill -9 $!; wait', "sh")
JSON = dict[str, Any]


def command() -> list[str]:
    """How to start it; skips the test where it is absent, or fails it under REQUIRE_AIMOCK=1."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / FOLDER
    cli = Path(os.environ.get("AIMOCK") or folder / CLI)
    node = shutil.which("node", path=f"{folder / 'bin'}:{os.environ.get('PATH', '')}")
    if node is not None and cli.is_file():
        return [node, str(cli)]
    absent = "Node.js is not installed" if node is None else f"aimock is not installed at {cli}"
    if os.environ.get("REQUIRE_AIMOCK") == "1":
        pytest.fail(f"{absent}, and REQUIRE_AIMOCK=1 asks for it.")
    pytest.skip(f"{absent} (.ci/run installs it; AIMOCK names the path of its cli.js).")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server on a free port with nothing taught; gives its address."""
    nothing = folder / "fixtures.json"
    nothing.write_text('{"fixtures": []}')
    with subprocess.Popen(
        [*TIED, *command(), "-h", "127.0.0.1", "-p", "0", "-f", str(nothing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield _address(process)


def _address(process: subprocess.Popen[str]) -> str:
    """Wait until it says where it listens. It says little after that, so nobody need read on."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if READY in line:
            return line.split(READY)[1].strip()
    raise AssertionError(f"aimock ended before it listened: {''.join(said)}")


@dataclass(frozen=True)
class Aimock:
    """A running aimock, its memory empty."""

    url: str
    http: httpx.AsyncClient

    @property
    def base_url(self) -> str:
        """What the bot has as UPSTREAM_BASE_URL."""
        return f"{self.url}/v1"

    async def forget(self) -> None:
        """Forget fixtures, journal and counts."""
        (await self.http.post(f"{self.url}/__aimock/reset")).raise_for_status()

    async def teach(self, *fixtures: JSON) -> None:
        """Add fixtures; the first that matches a question answers it."""
        url = f"{self.url}/__aimock/fixtures"
        reply = await self.http.post(url, json={"fixtures": fixtures})
        assert reply.status_code == 200, reply.text

    async def journal(self) -> list[JSON]:
        """Every request it had, oldest first: `path`, `body` and `response`."""
        found: list[JSON] = (await self.http.get(f"{self.url}/__aimock/journal")).json()
        return found


def fixture(response: JSON, nth: int | None = None, **options: Any) -> JSON:
    """What is answered to any question; with `nth`, only the nth time (from 0) it is asked."""
    match = {"model": "tiny"} if nth is None else {"model": "tiny", "sequenceIndex": nth}
    return {"match": match, "response": response, **options}
