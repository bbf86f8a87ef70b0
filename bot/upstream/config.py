"""Address, key, model and limits of one upstream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from bot.upstream.capabilities import AZURE_HOSTS, matches_host


@dataclass(frozen=True, slots=True)
class ReasoningConfig:
    """How a model is asked to reason; "" sends nothing.

    - `effort`: how long it thinks, such as "low".
    - `summary`: how a summary of its reasoning is written, such as "auto" (Responses only).
    """

    effort: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """One server, one key, one model. All times are in seconds.

    - `idle_seconds`: a connection without a byte for so long counts as dropped.
    - `progress_seconds`: so does one on which nothing new comes for so long.
    - `attempts`, `total_seconds`: limit the retries after a failure. Progress resets both.
    - `max_event_bytes`: a larger event is skipped.
    - `max_wait_seconds`: the answer fails if the server asks to wait longer.
    - `max_output_tokens`: the limit of one response; None sends no limit.
    """

    base_url: str
    api_key: str = field(repr=False)
    model: str
    api: Literal["auto", "responses", "chat"] = "auto"
    background: Literal["auto", "on", "off"] = "auto"
    idle_seconds: float = 90
    progress_seconds: float = 300
    attempts: int = 5
    total_seconds: float = 900
    max_event_bytes: int = 8 * 2**20
    max_wait_seconds: float = 120
    max_output_tokens: int | None = None
    reasoning: ReasoningConfig = ReasoningConfig()

    def build_url(self, path: str) -> str:
        """Return the URL of `path` below the base URL; the query strings of both are joined."""
        base, _, query = self.base_url.partition("?")
        below, _, more = path.partition("?")
        queries = "&".join(filter(None, (query, more)))
        return base.rstrip("/") + below + (f"?{queries}" if queries else "")

    @property
    def auth_headers(self) -> dict[str, str]:
        """The headers that carry the key. Azure has its own header for keys; a token of Entra, a
        JSON Web Token, is a bearer token there too."""
        if not self.api_key:
            return {}
        if matches_host(self.host, AZURE_HOSTS) and not self.api_key.startswith("eyJ"):
            return {"api-key": self.api_key}
        return {"authorization": f"Bearer {self.api_key}"}

    @property
    def host(self) -> str:
        """The host of the base URL in lower case, without port; "" if it has none."""
        try:
            return urlsplit(self.base_url).hostname or ""
        except ValueError:
            return ""
