"""How the demo model behaves: its pace, its key, its models, and how long it keeps answers."""

from __future__ import annotations

from dataclasses import dataclass

CHAT_ONLY = "demo-chat-only"
NO_BACKGROUND = "demo-no-background"
NO_PICTURES = "demo-no-pictures"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Pace, key, models and memory of the demo model.

    `api_key` None takes any key. An answer started in the background can be streamed again for
    `resumable_seconds` (OpenAI: 5 minutes) and polled for `kept_seconds` (about 10 minutes,
    docs/upstream.md#background-responses). `kept_events` bounds the memory of all event logs
    together, `largest_body` is in bytes.
    """

    words_per_second: float = 40.0
    first_word_seconds: float = 0.6
    api_key: str | None = None
    model_ids: tuple[str, ...] = ("gpt-5.4", "gpt-5.4-mini", CHAT_ONLY, NO_BACKGROUND, NO_PICTURES)
    resumable_seconds: float = 300.0
    kept_seconds: float = 600.0
    kept_events: int = 300_000
    largest_body: int = 32 * 1024 * 1024
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A model id and what it takes."""

    id: str

    @property
    def responses(self) -> bool:
        """Whether it answers on the Responses API."""
        return self.id != CHAT_ONLY

    @property
    def reasons(self) -> bool:
        """Whether it sends its reasoning on Chat Completions, and wants that of a round of calls
        back, as DeepSeek's models do."""
        return self.id == CHAT_ONLY

    @property
    def background(self) -> bool:
        """Whether it runs on without its client."""
        return self.id not in {CHAT_ONLY, NO_BACKGROUND}

    @property
    def pictures(self) -> bool:
        """Whether it takes pictures."""
        return self.id not in {CHAT_ONLY, NO_PICTURES}

    @property
    def formats(self) -> tuple[str, ...]:
        """TokenLab's names of the formats it accepts (docs/upstream.md#tokenlab-endpoints)."""
        chat = ("openai_chat_completions",)
        return ("openai_responses", *chat) if self.responses else chat
