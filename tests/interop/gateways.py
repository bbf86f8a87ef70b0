r"""Our upstream and `bot ask` against gateways and servers that run already; prints what came.

    python -m tests.interop.gateways --aimock http://127.0.0.1:4510 \
        --gateway http://127.0.0.1:4520/v1#passed-through --server http://127.0.0.1:4540/v1#tiny

A gateway stands in front of that aimock, which is taught here what to write. A server has a model
of its own, at temperature 0: what it writes without a stream is the text a stream has to bring.
UPSTREAM_API_KEY is the key for all. How they are started: docs/upstream.md#test-servers.

Exit code 1 when a text is neither the one written nor what the `openai` client reads of the same.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Literal

import httpx
import openai

from bot.upstream.client import Upstream, open_http
from bot.upstream.config import UpstreamConfig
from bot.upstream.events import Event, Failed, Reconnecting, Restarted, ToolCall
from bot.upstream.prompt import Prompt, ToolSpec
from bot.values import Message
from bot.words import Language, say
from tests.e2e.bot.running import environment
from tests.interop.aimock import JSON, Aimock, fixture
from tests.unit.upstream.upstream_setup import final_event, shown_text

Api = Literal["responses", "chat"]
FORMATS: tuple[Api, ...] = ("responses", "chat")
INSTRUCTIONS, QUESTION = "Be brief.", "Tell me about otters."
ASKED: JSON = {"instructions": INSTRUCTIONS, "input": QUESTION}
CHATTED: JSON = {
    "messages": [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": QUESTION},
    ]
}
OTTERS = (
    "Sea otters hold hands 🦦🦦 while they sleep, so that they don't drift apart.\u2028"
    "Some keep a favourite stone in a pocket: naïve, but “theirs”."
)
WRITES: JSON = {"content": OTTERS, "usage": {"prompt_tokens": 3, "completion_tokens": 5}}
LOOK = ToolSpec("look", "Look for otters.", {"type": "object", "properties": {}})
LIMITED: JSON = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429}
PATIENCE = 90.0  # seconds for one answer
AS_WRITTEN, AS_READ = "exact", "the openai client reads the same"


@dataclass(frozen=True)
class Case:
    """What aimock is taught, and the text that has to come of it."""

    name: str
    fixtures: tuple[JSON, ...]
    text: str = OTTERS


CUT = fixture(WRITES, 0, truncateAfterChunks=7, latency=20)
CASES = (
    Case("text", (fixture(WRITES),)),
    Case("reasoning", (fixture({**WRITES, "reasoning": "Hands. Why?"}),)),
    Case("a tool call", (fixture({"toolCalls": [{"name": "look", "arguments": "{}"}]}),), ""),
    Case("cut, then whole", (CUT, fixture(WRITES, 1))),
    Case("429, then whole", (fixture({**LIMITED, "retryAfter": 1}, 0), fixture(WRITES, 1))),
    Case("500, then whole", (fixture(WRITES, 0, chaos={"dropRate": 1}), fixture(WRITES, 1))),
)


@dataclass(frozen=True)
class Target:
    """A model at a server; `behind` is the aimock that writes for it."""

    base_url: str
    model: str
    key: str
    behind: Aimock | None = None

    async def teach(self, case: Case) -> None:
        """Have the case written for the questions that follow."""
        if self.behind:
            await self.behind.forget()
            await self.behind.teach(*case.fixtures)

    async def requests(self) -> str:
        """How often the model was really asked since it was taught."""
        return str(len(await self.behind.journal())) if self.behind else ""


@dataclass(frozen=True)
class Row:
    """One question, and what came of it."""

    model: str
    format: str
    asked: str
    requests: str
    seconds: str
    text: str
    outcome: str

    @property
    def is_correct(self) -> bool:
        """Whether we read what there was to read."""
        return AS_WRITTEN in self.text or AS_READ in self.text

    def __str__(self) -> str:
        cells = zip(astuple(self), WIDTHS, strict=True)
        return " ".join(cell.ljust(width) for cell, width in cells).rstrip()


HEAD = Row("model", "format", "asked", "asked of it", "seconds", "text", "what came")
WIDTHS = (14, 9, 24, 11, 7, 60, 0)


async def rows(target: Target) -> AsyncIterator[Row]:
    """Every case in both formats; a model of its own is asked plainly only."""
    for api in FORMATS:
        for case in await cases(target, api):
            yield await ask_with_upstream(target, api, case)
            if case.name in {"text", "cut, then whole"}:
                yield await ask_with_command(target, api, case)


async def cases(target: Target, api: Api) -> tuple[Case, ...]:
    """What can be asked there, and what has to come of it."""
    if target.behind:
        return CASES
    return (Case("text", (), await without_stream(target, api)),)


async def ask_with_upstream(target: Target, api: Api, case: Case) -> Row:
    """Ask with our upstream."""
    config = UpstreamConfig(target.base_url, target.key, target.model, api, idle_seconds=30)
    tools = (LOOK,) if target.behind else ()
    prompt = Prompt(INSTRUCTIONS, (Message("user", QUESTION),), tools)
    await target.teach(case)
    began = monotonic()
    async with open_http(config) as http, asyncio.timeout(PATIENCE):
        events = [event async for event in Upstream(config, http).answer(prompt)]
    seconds, requests = f"{monotonic() - began:.1f}", await target.requests()
    text = final_event(events).text
    told = await verdict(target, api, case, text)
    if shown_text(events) not in (text, ""):
        told = f"what was shown is not the end: {shown_text(events)!r}"
    came = ", ".join(describe(events))
    return Row(target.model, api, case.name, requests, seconds, told, came)


async def ask_with_command(target: Target, api: Api, case: Case) -> Row:
    """Ask with `bot ask`."""
    await target.teach(case)
    began = monotonic()
    with TemporaryDirectory() as folder:
        values = {"BASE_URL": target.base_url, "MODEL": target.model, "API_KEY": target.key}
        env = {f"UPSTREAM_{name}": value for name, value in {**values, "API": api}.items()}
        env["INSTRUCTIONS"] = INSTRUCTIONS
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "ask", QUESTION),
            env={**environment(Path(folder), **env), "PYTHONPATH": str(Path.cwd())},
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = (told.decode() for told in await process.communicate())
    seconds, requests = f"{monotonic() - began:.1f}", await target.requests()
    text = out.removesuffix("\n")
    if "starts again" in err:
        text = text[text.rindex(case.text[:9]) :]
    told = await verdict(target, api, case, text)
    came = "; ".join([f"exit code {process.returncode}", *filter(None, err.splitlines())])
    return Row(target.model, api, f"bot ask: {case.name}", requests, seconds, told, came)


def describe(events: Sequence[Event]) -> Iterator[str]:
    """The events in a few words, text left out."""
    names = [type(event).__name__ for event in events]
    yield from (f"{names.count(n)} {n}" for n in dict.fromkeys(names) if names.count(n) > 1)
    for event in events:
        match event:
            case Reconnecting(attempt, of, wait, why):
                yield f"Reconnecting {attempt}/{of} in {wait:.1f} s: {why}"
            case ToolCall(_, name, arguments):
                yield f"ToolCall {name}({arguments})"
            case Restarted():
                yield "Restarted"
            case Failed(error):
                yield f"Failed: {say(Language.ENGLISH, error.user_message)} ({error})".replace(
                    "\n", " "
                )
            case _:
                pass
    yield names[-1]


async def verdict(target: Target, api: Api, case: Case, text: str) -> str:
    """How a text relates to the one written, and to what the openai client reads."""
    if text == case.text:
        return f"{AS_WRITTEN}, {len(text)} characters"
    await target.teach(CASES[0])
    told = f"{len(text)} of {len(case.text)} characters"
    try:
        theirs = await read_with_openai(target, api)
    except openai.APIError as error:
        return f"{told}; the openai client: {error!r}"
    return f"{told}; {AS_READ if text == theirs else 'WRONG'}"


async def read_with_openai(target: Target, api: Api) -> str:
    """What the openai client reads of a stream."""
    client = openai.AsyncOpenAI(base_url=target.base_url, api_key=target.key, max_retries=0)
    async with client:
        if api == "responses":
            events = await client.responses.create(model=target.model, stream=True, **ASKED)
            deltas = [e.delta async for e in events if e.type == "response.output_text.delta"]
            return "".join(deltas)
        chunks = await client.chat.completions.create(model=target.model, stream=True, **CHATTED)
        texts = [choice.delta.content or "" async for chunk in chunks for choice in chunk.choices]
    return "".join(texts)


async def without_stream(target: Target, api: Api) -> str:
    """The text of the answer that comes as a whole."""
    path, asked = ("/responses", ASKED) if api == "responses" else ("/chat/completions", CHATTED)
    body = {"model": target.model, **asked}
    headers = {"authorization": f"Bearer {target.key}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as http:
        answer = (await http.post(target.base_url + path, json=body)).raise_for_status().json()
    if api == "chat":
        return str(answer["choices"][0]["message"]["content"])
    messages = [item for item in answer["output"] if item["type"] == "message"]
    return "".join(part["text"] for message in messages for part in message["content"])


async def run(options: argparse.Namespace) -> bool:
    """Ask everybody and print the table; returns whether every text was well."""
    key, well = os.environ.get("UPSTREAM_API_KEY", "none"), True
    sys.stdout.write(f"{HEAD}\n")
    async with httpx.AsyncClient() as http:
        behind = Aimock(options.aimock, http) if options.aimock else None
        for url in (*options.gateway, *options.server):
            base_url, _, model = url.partition("#")
            target = Target(base_url, model, key, behind if url in options.gateway else None)
            async for row in rows(target):
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
                well = well and row.is_correct
    return well


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.gateways")
    parser.add_argument("--aimock", metavar="URL", help="the aimock behind every gateway")
    parser.add_argument("--gateway", metavar="BASE_URL#MODEL", action="append", default=[])
    parser.add_argument("--server", metavar="BASE_URL#MODEL", action="append", default=[])
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
