"""pydantic-ai in background mode against our demo model, its stream cut; prints what it made of it.

    python -m tests.interop.background

Needs a Python with aiohttp and pydantic-ai-slim[openai], which our environment does not have. A
hard cut is a connection that is reset, a polite one a body that ends in good order, too early.
pydantic-ai resumes after the second only, and takes what comes after the cursor for the whole
output; so its deltas are what our server is judged by.

Exit code 1 when they are neither exact nor, after a cut it does not resume, a beginning.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, web
from pydantic_ai import Agent  # type: ignore[import-not-found]  # never in our environment
from pydantic_ai.exceptions import AgentRunError  # type: ignore[import-not-found]  # the same
from pydantic_ai.models.openai import (  # type: ignore[import-not-found]  # the same
    OpenAIResponsesModel,
    OpenAIResponsesModelSettings,
)
from pydantic_ai.providers.openai import OpenAIProvider  # type: ignore[import-not-found]  # the same

from tests.support.local_server import serve_app
from tests.unit.playground.model.serving import JSON, MODEL, DemoModel, serving

QUESTION = "write a long essay"
CUTS = (None, 0.3, 0.6, 0.9)
TOLD = ("connect", "drop", "resume", "poll", "cancel")


@dataclass(frozen=True)
class Outcome:
    """What pydantic-ai made of one answer: its deltas, its output, and how it ended."""

    deltas: str
    output: str
    said: str


async def streamed(url: str) -> Outcome:
    """Stream one answer in background mode."""
    deltas: list[str] = []
    try:
        async with _agent(url).run_stream(QUESTION) as result:
            async for delta in result.stream_text(delta=True, debounce_by=None):
                deltas.append(delta)  # noqa: PERF401  # what came before an error counts
            output = await result.get_output()
    except AgentRunError as error:
        return Outcome("".join(deltas), "", f"{type(error).__name__}: {error}")
    return Outcome("".join(deltas), output, "ended well")


def _agent(url: str) -> Agent:
    provider = OpenAIProvider(base_url=url, api_key="sk-any")
    settings = OpenAIResponsesModelSettings(openai_background=True)
    return Agent(OpenAIResponsesModel(MODEL, provider=provider), model_settings=settings)


@asynccontextmanager
async def graceful_gateway(url: str) -> AsyncIterator[str]:
    """A gateway that ends its answers in good order, however the one behind it ended."""

    async def forward(request: web.Request) -> web.StreamResponse:
        there = url.removesuffix("/v1") + request.path_qs
        headers = {"content-type": "application/json"}
        body = await request.read()
        async with (
            ClientSession() as session,
            session.request(request.method, there, data=body, headers=headers) as answer,
        ):
            out = web.StreamResponse(status=answer.status)
            out.content_type = answer.content_type
            await out.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await out.write(chunk)
            except ClientError:
                pass  # it was cut: that is what is hidden here
            await out.write_eof()
            return out

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", forward)
    async with serve_app(app) as origin:
        yield f"{origin}/v1"


async def check_cut(how: str, cut: float | None) -> bool:
    """Have one answer streamed and cut; print what came and whether it is right."""
    async with serving(words_per_second=3000.0) as demo:
        whole = _text((await demo.create(QUESTION))[1])
        demo.board.set_faults(drop_at=cut)
        gateway: AbstractAsyncContextManager[str] = nullcontext(demo.url)
        if how == "polite":
            gateway = graceful_gateway(demo.url)
        async with gateway as url:
            outcome = await streamed(url)
        exact = outcome.deltas == whole
        asked = " ".join(_asked(demo)[1:])
    deltas = "exact" if exact else f"the first {len(outcome.deltas)} of {len(whole)}"
    output = "exact" if outcome.output == whole else f"{len(outcome.output)} characters"
    where = "no cut" if cut is None else f"{how} cut at {cut:.0%}"
    sys.stdout.write(f"{where}: deltas {deltas}; output {output}; {outcome.said}; {asked}\n")
    resumes = how == "polite" or cut is None
    return exact if resumes else whole.startswith(outcome.deltas)


def _text(response: JSON) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for message in messages for part in message["content"])


def _asked(demo: DemoModel) -> list[str]:
    lines = [entry for entry in demo.board.log if entry.what in TOLD]
    after = (f"(after {line.detail['after']})" if "after" in line.detail else "" for line in lines)
    return [line.what + cursor for line, cursor in zip(lines, after, strict=True)]


async def main() -> bool:
    """Every way of cutting, one after the other; returns whether all were right."""
    found = [await check_cut(how, cut) for how in ("polite", "hard") for cut in CUTS]
    return all(found)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
