"""Every variable the bot reads: its name, type, range and meaning. Read once, by app and cli only.

A real environment variable wins over `.env`; an empty value counts as absent. What is wrong is
said as one sentence a variable (`SettingsError`), never with the value of a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsError

ENV_FILE = Path(".env")
TOKENLAB = "https://api.tokenlab.sh/v1"
DEFAULT_INSTRUCTIONS = (
    "You are a helpful assistant in a Slack workspace. Answer in the language of the question, "
    "plainly and to the point. Use standard Markdown."
)

Seconds = Annotated[float, Field(ge=0.1, le=3600)]


class Group(BaseSettings):
    """A group of variables; its docstring is the group's heading wherever settings are listed."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)


class SlackSettings(Group):
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
    signing_secret: SecretStr | None = Field(
        None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="Signing secret; without an app token, events come to `POST /slack/events`",
    )
    client_id: str | None = Field(
        None,
        validation_alias="SLACK_CLIENT_ID",
        description="Reserved for several workspaces by OAuth; not used yet",
    )
    client_secret: SecretStr | None = Field(
        None,
        validation_alias="SLACK_CLIENT_SECRET",
        description="Reserved for several workspaces by OAuth; not used yet",
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
    allow_external_users: bool = Field(
        False,
        validation_alias="ALLOW_EXTERNAL_USERS",
        description="Answer people of other organisations in shared channels",
    )

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
    def mode(self) -> Literal["socket", "http"] | None:
        """How events arrive; None when Slack is not configured."""
        if not self.bot_token:
            return None
        if self.app_token:
            return "socket"
        return "http" if self.signing_secret else None


class UpstreamSettings(Group):
    """Model"""

    base_url: str = Field(
        TOKENLAB,
        validation_alias="UPSTREAM_BASE_URL",
        description="Base URL of an OpenAI-style API",
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
        description="Ask for responses that can be resumed after a drop",
    )
    idle_seconds: Seconds = Field(
        90.0,
        validation_alias="UPSTREAM_IDLE_SECONDS",
        description="No sign of life for so long counts as a drop",
    )
    progress_seconds: Seconds = Field(
        300.0,
        validation_alias="UPSTREAM_PROGRESS_SECONDS",
        description="No progress for so long counts as a drop",
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
        description="Longest time one answer may take, reconnections included",
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

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        return _http_url(value).rstrip("/")


class DeliverySettings(Group):
    """Delivery"""

    delivery: Literal["edit", "native", "auto"] = Field(
        "edit",
        validation_alias="DELIVERY",
        description="How answers are shown; only `edit` exists yet, the others fall back to it",
    )
    edits_per_minute: int = Field(
        45,
        validation_alias="EDITS_PER_MINUTE",
        ge=6,
        le=1000,
        description="What we spend of a workspace's `chat.update` budget (Slack allows about 50)",
    )
    max_live_answers: int = Field(
        100,
        validation_alias="MAX_LIVE_ANSWERS",
        ge=1,
        le=10_000,
        description="Live answers of one process; the rest wait their turn",
    )


class StorageSettings(Group):
    """Storage"""

    database_url: SecretStr = Field(
        SecretStr("sqlite+aiosqlite:///bot.db"),
        validation_alias="DATABASE_URL",
        description="`sqlite+aiosqlite:///file` or `postgresql+asyncpg://…`",
    )
    lease_seconds: Seconds = Field(
        15.0,
        validation_alias="LEASE_SECONDS",
        description="Reserved: take-over of a crashed process's answers; not used yet",
    )
    retention_days: int = Field(
        30,
        validation_alias="RETENTION_DAYS",
        ge=1,
        le=3650,
        description="Reserved: how long text is kept; nothing is stored yet",
    )

    @field_validator("database_url")
    @classmethod
    def _has_an_async_driver(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sqlite+aiosqlite://", "postgresql+asyncpg:")):
            raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        return value


class ServerSettings(Group):
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
    grace_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        25.0,
        validation_alias="GRACE_SECONDS",
        description="Time for live answers to finish after SIGTERM or Ctrl-C",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias="LOG_LEVEL", description="Least severe log records written"
    )


GROUPS: tuple[type[Group], ...] = (
    SlackSettings,
    UpstreamSettings,
    DeliverySettings,
    StorageSettings,
    ServerSettings,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All groups together."""

    slack: SlackSettings
    upstream: UpstreamSettings
    delivery: DeliverySettings
    storage: StorageSettings
    server: ServerSettings


def load(env_file: Path | None = ENV_FILE) -> Settings:
    """Read the environment and `env_file`. Raises SettingsError with every problem at once."""
    problems: list[str] = []
    groups: dict[type[Group], Any] = {}
    for group in GROUPS:
        try:
            groups[group] = group(_env_file=env_file)  # type: ignore[call-arg]  # pydantic-settings' own keyword
        except ValidationError as error:
            problems += [_sentence(group, detail) for detail in error.errors()]
    if problems:
        raise SettingsError(problems)
    return Settings(*(groups[group] for group in GROUPS))


def require_slack(settings: Settings) -> None:
    """Raise SettingsError unless the bot can join a Slack workspace with these settings."""
    problems = []
    slack = settings.slack
    if not slack.bot_token:
        problems.append(
            "SLACK_BOT_TOKEN is missing: copy the bot token (xoxb-…) from your app's page, "
            "*OAuth & Permissions*, into .env, or try the bot without Slack by `bot playground`."
        )
    elif slack.mode is None:
        problems.append(
            "SLACK_APP_TOKEN is missing: set it to the app-level token (xapp-…) for Socket Mode, "
            "or set SLACK_SIGNING_SECRET to take events over HTTP."
        )
    problems += missing_upstream_key(settings)
    if problems:
        raise SettingsError(problems)


def missing_upstream_key(settings: Settings) -> list[str]:
    """The sentence about a missing key; servers other than the default may need none."""
    if settings.upstream.api_key or settings.upstream.base_url != TOKENLAB:
        return []
    return [
        "UPSTREAM_API_KEY is missing: set it to your key for the model's server "
        f"({settings.upstream.base_url}), or set UPSTREAM_BASE_URL to a server that needs none."
    ]


def variables() -> Iterator[tuple[type[Group], str, FieldInfo]]:
    """Every variable: its group, its name, its field. Documentation is checked against this."""
    for group in GROUPS:
        for field in group.model_fields.values():
            yield group, str(field.validation_alias), field


def _http_url(value: str) -> str:
    scheme, found, rest = value.partition("://")
    if scheme not in {"http", "https"} or not found or not rest.strip("/"):
        raise ValueError("is not an http:// or https:// address")
    return value


def _sentence(group: type[Group], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0])
    field = next(f for f in group.model_fields.values() if f.validation_alias == name)
    return f"{name} {_wrong(detail)}; {_mend(field)}."


def _wrong(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "int_parsing" | "int_from_float":
            return "is not a whole number"
        case "float_parsing":
            return "is not a number"
        case "bool_parsing":
            return "is not a switch (true or false)"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}"
        case "literal_error":
            return f"must be one of {context['expected']}"
        case "string_pattern_mismatch":
            return "must be a slash and up to 31 lower-case letters, digits, - or _"
        case _:
            return f"is not valid ({detail['type']})"


def _mend(field: FieldInfo) -> str:
    mend = "set it right in .env or the environment"
    if isinstance(field.default, bool):
        return f"{mend}, or remove it for the default {str(field.default).lower()}"
    if isinstance(field.default, (int, float)) or (
        isinstance(field.default, str) and len(field.default) <= 40
    ):
        return f"{mend}, or remove it for the default {field.default}"
    return mend
