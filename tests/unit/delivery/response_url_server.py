"""The server behind response URLs, in place of the HTTP session (docs/slack.md#response-urls).

A command's URL adds ephemeral messages. The URL of a button press replaces or deletes the message
with the button. Each works five times within thirty minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.delivery.config import DeliveryConfig
from bot.delivery.delivery import Delivery
from bot.slack import Slack
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import command
from tests.unit.delivery.fake_slack import FakeSlack

COMMAND = command().response_url or ""
SECONDS = 30 * 60.0

Body = Mapping[str, Any]


@dataclass(slots=True)
class UrlUse:
    """One request to a response URL."""

    url: str
    body: Body
    at: float = 0.0
    outcome: str = ""

    @property
    def markdown(self) -> str:
        return markdown(self.body)


def markdown(body: Body) -> str:
    """The text of its markdown blocks."""
    return "\n".join(b["text"] for b in body.get("blocks", ()) if b["type"] == "markdown")


def buttons(body: Body) -> list[str]:
    """The `action_id`s of its buttons."""
    rows = [b for b in body.get("blocks", ()) if b["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]


def state(body: Body) -> str:
    """Its lines of state."""
    found = [b for b in body.get("blocks", ()) if b["type"] == "context"]
    return " ".join(str(element["text"]) for b in found for element in b["elements"])


@dataclass
class ResponseUrlServer:
    """The response URLs of one command, which are `issued_at` so many seconds of virtual time.

    `message` is the acknowledgement, which a press replaces; it is None once it is deleted. `below`
    are the messages that the command's own URL has added. `fault` looks at a use: an error code
    refuses it, an HTTP status fails it, "lost" takes it and loses the response, "429:5" limits it
    for five seconds.
    """

    message: Body | None = field(default_factory=lambda: {"text": "Writing…"})
    below: list[Body] = field(default_factory=list)
    uses: list[UrlUse] = field(default_factory=list)
    issued_at: dict[str, float] = field(default_factory=lambda: {COMMAND: 0.0})
    fault: Callable[[UrlUse], str | int | None] = lambda use: None
    latency: float = 0.1

    def press(self) -> str:
        """Press a button of the acknowledgement; returns the response URL of the press."""
        url = f"https://hooks.slack.com/actions/T1/{len(self.issued_at)}/x"
        self.issued_at[url] = now()
        return url

    def counted_uses(self, url: str) -> list[UrlUse]:
        """The uses that Slack has counted."""
        return [use for use in self.uses if use.url == url and use.outcome == "ok"]

    def post(self, url: str, **request: Any) -> _Response:
        """Take one request."""
        use = UrlUse(url, dict(request["json"]))
        self.uses.append(use)
        return _Response(self, use)

    def accept(self, use: UrlUse) -> None:
        """Do what a use asks for, unless its URL is used up or has expired."""
        use.at = now()
        if len(self.counted_uses(use.url)) >= 5:
            use.outcome = "used_url"
        elif now() > self.issued_at[use.url] + SECONDS:
            use.outcome = "expired_url"
        else:
            use.outcome = "ok"
            self._show(use.url, use.body)

    def _show(self, url: str, body: Body) -> None:
        if url == COMMAND or not (body.get("replace_original") or body.get("delete_original")):
            self.below.append(body)
        else:
            self.message = None if body.get("delete_original") else body


class _Response:
    """A request on its way, and its answer."""

    def __init__(self, urls: ResponseUrlServer, use: UrlUse) -> None:
        self._server = urls
        self._use = use
        self.status = 200
        self.headers: dict[str, str] = {}

    async def __aenter__(self) -> _Response:
        await asyncio.sleep(self._server.latency / 2)
        fault, use = self._server.fault(self._use), self._use
        if fault in (None, "lost"):
            self._server.accept(use)
            self.status = 200 if use.outcome == "ok" else 404
        elif isinstance(fault, int):
            self.status, use.outcome = fault, "failed"
        elif fault and fault.startswith("429:"):
            self.status, use.outcome = 429, "limited"
            self.headers = {"Retry-After": fault[4:]}
        else:
            self.status, use.outcome = 404, str(fault)
        await asyncio.sleep(self._server.latency / 2)
        if fault == "lost":
            raise aiohttp.ServerDisconnectedError
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    @property
    def content(self) -> _Response:
        """The body of the answer, as a stream."""
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The body of the answer."""
        yield self._use.outcome.encode()


def delivery_with(urls: ResponseUrlServer, fake: FakeSlack, **config: Any) -> Delivery:
    """Delivery to this Slack, whose response URLs are these."""
    session: Any = urls
    slack = Slack("xoxb-test", base_url="https://slack.com/api/", session=session)
    slack.api.web = fake
    return Delivery(slack, DeliveryConfig(**config))
