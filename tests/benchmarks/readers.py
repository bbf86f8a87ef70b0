"""Ways to read the same stream: bytes only, ours, the field's parser, the SDK.

Each does what a caller would: it keeps the answer's text, and returns it when the stream is over.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import httpx
from httpx_sse import aconnect_sse
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from bot.upstream.client import Upstream, open_http
from bot.upstream.config import UpstreamConfig
from bot.upstream.events import ApiFormat, Finished
from bot.upstream.prompt import Prompt
from bot.values import Author, Message

MODEL = "gpt-5.4"
PROMPT = Prompt("Be brief.", (Message("user", "hello", Author("U1", "Ann")),))
PATHS: Mapping[ApiFormat, str] = {"responses": "/responses", "chat": "/chat/completions"}

# Reads one whole stream; returns its text, or None when it does not look at it.
Read = Callable[[], Awaitable[str | None]]
RAW, OURS, PARSER, SDK = "raw bytes (httpx)", "ours", "httpx-sse + json.loads", "openai SDK"


@asynccontextmanager
async def readers(base_url: str, api: ApiFormat) -> AsyncIterator[dict[str, Read]]:
    """Yield every way to read the stream that `base_url` sends in this format."""
    config = UpstreamConfig(base_url, "key", MODEL, api=api)
    async with open_http(config) as http, AsyncOpenAI(base_url=base_url, api_key="key") as sdk:
        url = base_url + PATHS[api]
        yield {
            RAW: partial(_raw, http, url),
            OURS: partial(_ours, Upstream(config, http)),
            PARSER: partial(_parser, http, url, api),
            SDK: partial(_sdk_responses if api == "responses" else _sdk_chat, sdk),
        }


async def _raw(http: httpx.AsyncClient, url: str) -> None:
    async with http.stream("POST", url, json={}) as response:
        async for _ in response.aiter_raw():
            pass


async def _ours(upstream: Upstream) -> str:
    text = ""
    async for event in upstream.answer(PROMPT):
        if isinstance(event, Finished):
            text = event.text
    return text


async def _parser(http: httpx.AsyncClient, url: str, api: ApiFormat) -> str:
    piece = _responses_piece if api == "responses" else _chat_piece
    async with aconnect_sse(http, "POST", url, json={}) as source:
        return "".join([piece(event.data) async for event in source.aiter_sse()])


def _responses_piece(data: str) -> str:
    event = json.loads(data)
    return str(event["delta"]) if event["type"] == "response.output_text.delta" else ""


def _chat_piece(data: str) -> str:
    choices = json.loads(data)["choices"] if data != "[DONE]" else ()
    return str(choices[0]["delta"].get("content", "")) if choices else ""


async def _sdk_responses(sdk: AsyncOpenAI) -> str:
    events = await sdk.responses.create(model=MODEL, input="hello", stream=True)
    return "".join([e.delta async for e in events if e.type == "response.output_text.delta"])


async def _sdk_chat(sdk: AsyncOpenAI) -> str:
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
    chunks = await sdk.chat.completions.create(model=MODEL, messages=asked, stream=True)
    return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])
