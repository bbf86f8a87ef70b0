"""How one upstream is reached and how patient we are with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from bot.upstream.capabilities import AZURE_HOSTS, matches_host


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """One server, one key, one model; every time is in seconds.

    `idle_seconds` without a byte, or `progress_seconds` without anything new to tell, is a drop.
    `attempts` (after the first) and `total_seconds` bound one run of bad luck; progress starts
    both anew. An event larger than `max_event_bytes` is skipped. A server that asks to wait
    longer than `max_wait_seconds` is not waited for. `max_output_tokens` is what the model is asked
    to write at most in one response; None: not said.
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

    def build_url(self, path: str) -> str:
        """Return the address of `path`, which may bring a query, below the base URL, whose own
        query stays behind it."""
        base, _, query = self.base_url.partition("?")
        below, _, more = path.partition("?")
        queries = "&".join(filter(None, (query, more)))
        return base.rstrip("/") + below + (f"?{queries}" if queries else "")

    @property
    def auth_headers(self) -> dict[str, str]:
        """The key as the server wants it. Azure's keys have a header of their own; what Entra
        gives out, a JSON Web Token, is a bearer token there too."""
        if not self.api_key:
            return {}
        if matches_host(self.host, AZURE_HOSTS) and not self.api_key.startswith("eyJ"):
            return {"api-key": self.api_key}
        return {"authorization": f"Bearer {self.api_key}"}

    @property
    def host(self) -> str:
        """The server's name, lower case, without port; "" where there is none."""
        try:
            return urlsplit(self.base_url).hostname or ""
        except ValueError:
            return ""
