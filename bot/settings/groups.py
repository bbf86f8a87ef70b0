"""The environment variables in groups, each with its type, range and meaning.

The descriptions are part of the documents; `make docs` writes them there.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.settings.addresses import checked_base_url, is_unencrypted
from bot.settings.databases import checked_database_url

TOKENLAB_BASE_URL = "https://api.tokenlab.sh/v1"
DEFAULT_INSTRUCTIONS = (
    "You are a helpful assistant in a Slack workspace. Answer in the language of the question, "
    "plainly and to the point. Use standard Markdown."
)

Seconds = Annotated[float, Field(ge=0.1, le=3600)]


class SettingsGroup(BaseSettings):
    """A group of variables. Its docstring is the heading of the group in the documents."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)


class SlackSettings(SettingsGroup):
    """Slack"""

    bot_token: SecretStr | None = Field(
        None,
        validation_alias="SLACK_BOT_TOKEN",
        description="Bot token (`xoxb-…`) of the installed app",
    )
    app_token: SecretStr | None = Field(
        None,
        validation_alias="SLACK_APP_TOKEN",
        description="App-level token (`xapp-…`, scope `connections:write`): Socket Mode",
    )
    socket_connections: int = Field(
        2,
        validation_alias="SOCKET_CONNECTIONS",
        ge=1,
        le=10,
        description="Socket Mode connections of one process; an app has ten at most",
    )
    signing_secret: SecretStr | None = Field(
        None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="Signing secret; without an app token, Slack sends to `POST /slack/events`",
    )
    api_url: str = Field(
        "https://slack.com/api/",
        validation_alias="SLACK_API_URL",
        description="Base URL of the Web API, also for `apps.connections.open`",
    )
    slash_command: str = Field(
        "/ask",
        validation_alias="SLASH_COMMAND",
        pattern=r"^/[a-z0-9_-]{1,31}$",
        description="Name of the slash command, as in the app's manifest",
    )
    language: Literal["auto", "en", "zh"] = Field(
        "auto",
        validation_alias="LANGUAGE",
        description=(
            "Language of the bot's own words (status lines, buttons, errors): `auto` follows each "
            "person's Slack, `en` is English, `zh` Chinese. Answers follow the question"
        ),
    )
    allow_external_users: bool = Field(
        False,
        validation_alias="ALLOW_EXTERNAL_USERS",
        description="Answer people of other organisations in shared channels",
    )
    answer_bots: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="ANSWER_BOTS",
        description=(
            "Bots and workflows whose mentions are answered, separated by commas: ids of bots "
            "(`B…`) or apps (`A…`). After one answer a person has to write before the next"
        ),
    )

    follow_ups: Literal["off", "channel", "thread"] = Field(
        "channel",
        validation_alias="FOLLOW_UPS",
        description=(
            "Whether a thread in a channel goes on without a new mention: `channel`, where "
            "`/ask follow-ups on` was typed; `thread`, except where `/ask follow-ups off` was; "
            "`off`, nowhere, and the manifest asks for no messages of channels"
        ),
    )
    follow_up_hours: float = Field(
        24.0,
        validation_alias="FOLLOW_UP_HOURS",
        gt=0,
        le=24 * 30,
        description="After so many hours without an answer, a thread needs a mention again",
    )

    @field_validator("answer_bots", mode="before")
    @classmethod
    def _are_bots(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        ids = split_at_commas(value)
        if not all(re.fullmatch(r"[AB][A-Z0-9]+", name) for name in ids):
            raise ValueError("must hold ids of bots (B…) or apps (A…), separated by commas")
        return ids

    @field_validator("bot_token")
    @classmethod
    def _is_a_bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value().startswith(("xapp-", "xoxp-")):
            raise ValueError("holds another kind of token; a bot token starts with xoxb-")
        return value

    @field_validator("app_token")
    @classmethod
    def _is_an_app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value().startswith(("xoxb-", "xoxp-")):
            raise ValueError("holds another kind of token; an app-level token starts with xapp-")
        return value

    @field_validator("api_url")
    @classmethod
    def _ends_with_a_slash(cls, value: str) -> str:
        return _http_url(value).rstrip("/") + "/"

    @property
    def sends_token_unencrypted(self) -> bool:
        """Whether the tokens are sent over plain http to another machine."""
        return bool(self.bot_token) and is_unencrypted(self.api_url)

    @property
    def connection_mode(self) -> Literal["socket", "http"] | None:
        """How events arrive; None if Slack is not configured."""
        if not self.bot_token:
            return None
        if self.app_token:
            return "socket"
        return "http" if self.signing_secret else None


class UpstreamSettings(SettingsGroup):
    """Model"""

    base_url: str = Field(
        TOKENLAB_BASE_URL,
        validation_alias="UPSTREAM_BASE_URL",
        description="Base URL of an OpenAI-style API; its query is appended to every path",
    )
    api_key: SecretStr | None = Field(
        None,
        validation_alias="UPSTREAM_API_KEY",
        description="API key, sent to the base URL's origin only",
    )
    model: str = Field(
        "gpt-5.4", validation_alias="UPSTREAM_MODEL", min_length=1, description="Model to ask"
    )
    api: Literal["auto", "responses", "chat"] = Field(
        "auto",
        validation_alias="UPSTREAM_API",
        description="Wire format; `auto` prefers Responses and falls back to Chat Completions",
    )
    background: Literal["auto", "on", "off"] = Field(
        "auto",
        validation_alias="UPSTREAM_BACKGROUND",
        description="Ask for responses that can be resumed after the connection drops",
    )
    idle_seconds: Seconds = Field(
        90.0,
        validation_alias="UPSTREAM_IDLE_SECONDS",
        description="After this time without any data the connection counts as dropped",
    )
    progress_seconds: Seconds = Field(
        300.0,
        validation_alias="UPSTREAM_PROGRESS_SECONDS",
        description="After this time without progress the connection counts as dropped",
    )
    attempts: int = Field(
        5,
        validation_alias="UPSTREAM_ATTEMPTS",
        ge=0,
        le=20,
        description="Reconnections in a row without progress before giving up",
    )
    total_seconds: Seconds = Field(
        900.0,
        validation_alias="UPSTREAM_TOTAL_SECONDS",
        description=(
            "Longest time of failures and waits without progress; progress resets it "
            "(`MAX_ANSWER_SECONDS` limits the whole answer)"
        ),
    )
    max_event_bytes: int = Field(
        8 * 2**20,
        validation_alias="UPSTREAM_MAX_EVENT_BYTES",
        ge=1024,
        le=2**30,
        description="A longer event of the stream is skipped and counted",
    )
    instructions: str = Field(
        DEFAULT_INSTRUCTIONS, validation_alias="INSTRUCTIONS", description="System prompt"
    )
    history_tokens: int = Field(
        8000,
        validation_alias="HISTORY_TOKENS",
        ge=100,
        le=2_000_000,
        description="How much of the conversation so far the model sees",
    )
    summary_model: str = Field(
        "",
        validation_alias="SUMMARY_MODEL",
        description=(
            "Model that summarises what no longer fits `HISTORY_TOKENS`, after an answer; without "
            "it, `UPSTREAM_MODEL`. With `STORE_TEXT=off` nothing is summarised"
        ),
    )
    dm_memory_hours: float = Field(
        12.0,
        validation_alias="DM_MEMORY_HOURS",
        ge=0,
        le=24 * 30,
        description=(
            "A question in a direct message includes its earlier messages of this many hours; "
            "with 0, none"
        ),
    )

    @property
    def is_own_server(self) -> bool:
        """Whether the base URL is not the default; another server may need no key."""
        return self.base_url != TOKENLAB_BASE_URL

    @property
    def sends_key_unencrypted(self) -> bool:
        """Whether the key is sent over plain http to another machine."""
        return bool(self.api_key) and is_unencrypted(self.base_url)

    @field_validator("base_url")
    @classmethod
    def _is_a_base_url(cls, value: str) -> str:
        return checked_base_url(value)


class DeliverySettings(SettingsGroup):
    """Delivery"""

    delivery: Literal["edit", "native", "auto"] = Field(
        "edit",
        validation_alias="DELIVERY",
        description=(
            "How answers are shown: by edits (`edit`), as streams where Slack supports them "
            "(`native`), or `auto`: streams in direct messages, edits elsewhere"
        ),
    )
    edits_per_minute: int = Field(
        45,
        validation_alias="EDITS_PER_MINUTE",
        ge=6,
        le=1000,
        description="`chat.update` calls in a workspace (Slack allows about 50)",
    )
    reading_speed: float = Field(
        30.0,
        validation_alias="READING_SPEED",
        ge=5,
        le=300,
        description=(
            "UTF-8 bytes that people read in a second; text is shown before they have read what "
            "stands. Of English, 30 are about 300 words a minute; who skims reads 60"
        ),
    )
    feedback: bool = Field(
        True,
        validation_alias="FEEDBACK",
        description="Buttons below a finished answer, 👍 and 👎, for everybody who sees it",
    )
    max_live_answers: int = Field(
        100,
        validation_alias="MAX_LIVE_ANSWERS",
        ge=1,
        le=10_000,
        description="Answers that one process writes at once; further questions are queued",
    )
    notify_after_seconds: float = Field(
        45.0,
        validation_alias="NOTIFY_AFTER_SECONDS",
        ge=0,
        le=3600,
        description=(
            "An answer in a channel or to a command that took longer mentions its asker below it; "
            "with 0, none does"
        ),
    )


class StorageSettings(SettingsGroup):
    """Storage"""

    database_url: SecretStr = Field(
        SecretStr("sqlite:///bot.db"),
        validation_alias="DATABASE_URL",
        description="`sqlite:///file` or `postgresql+asyncpg://…`",
    )
    lease_seconds: Seconds = Field(
        15.0,
        validation_alias="LEASE_SECONDS",
        description="After this time without a heartbeat, others take over a process's answers",
    )
    retention_days: int = Field(
        30,
        validation_alias="RETENTION_DAYS",
        ge=1,
        le=3650,
        description="Questions and answers are deleted after this many days",
    )
    feedback_retention_days: int = Field(
        365,
        validation_alias="FEEDBACK_RETENTION_DAYS",
        ge=1,
        le=3650,
        description="Votes on answers are deleted after this many days, also if the answers are",
    )
    store_text: bool = Field(
        True,
        validation_alias="STORE_TEXT",
        description=(
            "`off`: their text is deleted as soon as an answer is complete, and the model's server "
            "is not asked to store any (no `UPSTREAM_BACKGROUND`)"
        ),
    )

    @field_validator("database_url")
    @classmethod
    def _is_a_database_url(cls, value: SecretStr) -> SecretStr:
        return SecretStr(checked_database_url(value.get_secret_value()))


class ServerSettings(SettingsGroup):
    """Process"""

    host: str = Field(
        "127.0.0.1",
        validation_alias="HOST",
        description="Address of health, metrics and HTTP mode",
    )
    port: int = Field(
        3000,
        validation_alias="PORT",
        ge=0,
        le=65535,
        description="Port of health, metrics and HTTP mode; 0 takes a free one",
    )
    metrics_port: int | None = Field(
        None,
        validation_alias="METRICS_PORT",
        ge=0,
        le=65535,
        description="Separate port for health and metrics; without it they are on `PORT`",
    )
    grace_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        25.0,
        validation_alias="GRACE_SECONDS",
        description="Time for running answers to finish after SIGTERM or Ctrl-C",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias="LOG_LEVEL", description="Least severe log records written"
    )


def split_at_commas(value: str) -> tuple[str, ...]:
    """The parts of a comma-separated value, without blanks around them and empty ones."""
    return tuple(part for each in value.split(",") if (part := each.strip()))


def _http_url(value: str) -> str:
    scheme, found, rest = value.partition("://")
    if scheme not in {"http", "https"} or not found or not rest.strip("/"):
        raise ValueError("is not an http:// or https:// address")
    return value
