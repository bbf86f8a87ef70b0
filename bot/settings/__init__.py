"""Every variable the bot reads: its name, type, range and meaning. Read once, by app and cli only.

A real environment variable wins over `.env`; an empty value counts as absent. What is wrong is
said as one sentence a variable (`SettingsError`), never with the value of a secret.

    groups.py     the variables; tools.py those about tools, limits.py those that bound an answer
    addresses.py  what can be the base URL of a model's server
    databases.py  what can be the address of a database
    secrets.py    which values are secret
    env_file.py   what is wrong with the file `.env`
    problems.py   what is wrong with a value
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from bot.errors import SettingsError
from bot.settings.env_file import env_file_problems as env_file_problems
from bot.settings.groups import (
    DeliverySettings,
    ServerSettings,
    SettingsGroup,
    SlackSettings,
    StorageSettings,
    UpstreamSettings,
)
from bot.settings.limits import LimitSettings
from bot.settings.problems import problem_sentence
from bot.settings.tools import ToolSettings

ENV_FILE = Path(".env")

GROUPS: tuple[type[SettingsGroup], ...] = (
    SlackSettings,
    UpstreamSettings,
    ToolSettings,
    DeliverySettings,
    StorageSettings,
    ServerSettings,
    LimitSettings,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All groups together."""

    slack: SlackSettings
    upstream: UpstreamSettings
    tools: ToolSettings
    delivery: DeliverySettings
    storage: StorageSettings
    server: ServerSettings
    limits: LimitSettings


def load_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """Read the environment and `env_file`. Raises SettingsError with every problem at once."""
    if unreadable := env_file_problems(env_file):
        raise SettingsError(unreadable)
    problems: list[str] = []
    groups: dict[type[SettingsGroup], Any] = {}
    for group in GROUPS:
        try:
            groups[group] = group(_env_file=env_file)  # type: ignore[call-arg]  # pydantic-settings' own keyword
        except ValidationError as error:
            problems += [problem_sentence(group, detail) for detail in error.errors()]
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
    elif slack.connection_mode is None:
        problems.append(
            "SLACK_APP_TOKEN is missing: set it to the app-level token (xapp-…) for Socket Mode, "
            "or set SLACK_SIGNING_SECRET to take events over HTTP."
        )
    problems += missing_key_problems(settings)
    if problems:
        raise SettingsError(problems)


def missing_key_problems(settings: Settings) -> list[str]:
    """The sentence about a missing key; servers other than the default may need none."""
    if settings.upstream.api_key or settings.upstream.is_own_server:
        return []
    return [
        "UPSTREAM_API_KEY is missing: set it to your key for the model's server "
        f"({settings.upstream.base_url}), or set UPSTREAM_BASE_URL to a server that needs none."
    ]


def unencrypted_warnings(settings: Settings) -> list[str]:
    """A sentence for each address to which keys and questions go unencrypted."""
    told = {
        "UPSTREAM_BASE_URL": settings.upstream.sends_key_unencrypted,
        "SLACK_API_URL": settings.slack.sends_token_unencrypted,
    }
    return [
        f"{variable} begins with http://, so keys and questions cross the network unencrypted: "
        "use https:// if the server has it."
        for variable, is_open in told.items()
        if is_open
    ]


def variables() -> Iterator[tuple[type[SettingsGroup], str, FieldInfo]]:
    """Every variable: its group, its name, its field. Documentation is checked against this."""
    for group in GROUPS:
        for field in group.model_fields.values():
            yield group, str(field.validation_alias), field
