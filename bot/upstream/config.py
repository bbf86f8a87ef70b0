"""How one upstream is reached and how patient we are with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit


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

    @property
    def host(self) -> str:
        """The server's name, lower case, without port; "" where there is none."""
        try:
            return urlsplit(self.base_url).hostname or ""
        except ValueError:
            return ""
