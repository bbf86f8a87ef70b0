"""Settings: all environment variables that the bot reads, with type, range and meaning.

Environment variables override `.env`, and an empty value counts as absent. Settings are read once;
only `cli`, `app` and `check` use them. Problems are one sentence per variable (`SettingsError`),
without the values of secrets.

    groups.py     the variables, in groups
    tools.py      variables about tools
    limits.py     variables that limit one answer
    reasoning.py  variables about the model's reasoning
    files.py      variables about files
    addresses.py  validates the base URL of a model's server
    databases.py  validates the URL of a database
    env_file.py   problems with the file `.env`
    problems.py   problems with a value, as sentences
    secrets.py    secret values, to be masked in logs
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from bot.errors import SettingsError
from bot.settings.env_file import env_file_problems
from bot.settings.files import FileSettings
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
from bot.settings.reasoning import ReasoningSettings
from bot.settings.tools import ToolSettings

ENV_FILE = Path(".env")

GROUPS: tuple[type[SettingsGroup], ...] = (
    SlackSettings,
    UpstreamSettings,
    ReasoningSettings,
    ToolSettings,
    FileSettings,
    DeliverySettings,
    StorageSettings,
    ServerSettings,
    LimitSettings,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, by group."""

    slack: SlackSettings
    upstream: UpstreamSettings
    reasoning: ReasoningSettings
    tools: ToolSettings
    files: FileSettings
    delivery: DeliverySettings
    storage: StorageSettings
    server: ServerSettings
    limits: LimitSettings


def load_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """Read the environment and `env_file`. Raises SettingsError with all problems."""
    if file_problems := env_file_problems(env_file):
        raise SettingsError(file_problems)
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
    """Raise SettingsError if a setting is missing that the bot needs to join a workspace."""
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
    """A sentence if the key is missing. Only the default server is known to need one."""
    if settings.upstream.api_key or settings.upstream.is_own_server:
        return []
    return [
        "UPSTREAM_API_KEY is missing: set it to your key for the model's server "
        f"({settings.upstream.base_url}), or set UPSTREAM_BASE_URL to a server that needs none."
    ]


def unencrypted_warnings(settings: Settings) -> list[str]:
    """A sentence for each URL to which keys and questions are sent unencrypted."""
    is_unencrypted = {
        "UPSTREAM_BASE_URL": settings.upstream.sends_key_unencrypted,
        "SLACK_API_URL": settings.slack.sends_token_unencrypted,
    }
    return [
        f"{variable} begins with http://, so keys and questions cross the network unencrypted: "
        "use https:// if the server has it."
        for variable, applies in is_unencrypted.items()
        if applies
    ]


def variables() -> Iterator[tuple[type[SettingsGroup], str, FieldInfo]]:
    """All variables as (group, name, field). The documents are generated from this."""
    for group in GROUPS:
        for field in group.model_fields.values():
            yield group, str(field.validation_alias), field
