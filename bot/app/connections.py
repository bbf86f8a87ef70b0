"""Opens what the bot is connected to: the database, Slack and the model's server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.errors import SettingsError, SlackError, SlackRefused, StartError
from bot.observe import Metrics
from bot.settings import Settings
from bot.settings.reasoning import ReasoningSettings
from bot.slack import Identity, Slack, http_session
from bot.storage.clock import steady_wall_clock
from bot.storage.engine.database import Database, open_database
from bot.storage.store import Store
from bot.storage.thread_summaries import ThreadSummaries
from bot.upstream.client import Upstream, open_http
from bot.upstream.config import ReasoningConfig, UpstreamConfig

DAY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Connections:
    """The open connections of a bot, and its metrics."""

    metrics: Metrics
    database: Database
    slack: Slack
    identity: Identity
    store: Store
    summaries: ThreadSummaries
    upstream: Upstream


@asynccontextmanager
async def open_connections(settings: Settings) -> AsyncIterator[Connections]:
    """Open the database, Slack and the model's server. Raises
    SettingsError, StartError or StorageError."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_open_database(settings))
        slack = await stack.enter_async_context(open_slack(settings, metrics))
        identity = await fetch_identity(slack)
        store = await stack.enter_async_context(_store(settings, database, identity))
        summaries = ThreadSummaries(
            database, team=identity.team_id, store_text=settings.storage.store_text
        )
        upstream = await stack.enter_async_context(open_upstream(settings))
        yield Connections(metrics, database, slack, identity, store, summaries, upstream)


@asynccontextmanager
async def open_slack(settings: Settings, metrics: Metrics) -> AsyncIterator[Slack]:
    """Slack's Web API for the configured bot token."""
    token = settings.slack.bot_token
    async with http_session() as session:
        yield Slack(
            token.get_secret_value() if token else "",
            base_url=settings.slack.api_url,
            session=session,
            on_call=metrics.count_slack_call,
        )


@asynccontextmanager
async def open_upstream(settings: Settings) -> AsyncIterator[Upstream]:
    """A client of the configured model's server."""
    upstream_settings = settings.upstream
    config = UpstreamConfig(
        base_url=upstream_settings.base_url,
        api_key=upstream_settings.api_key.get_secret_value() if upstream_settings.api_key else "",
        model=upstream_settings.model,
        api=upstream_settings.api,
        # A background response is stored by the model's server, which STORE_TEXT may forbid.
        background=upstream_settings.background if settings.storage.store_text else "off",
        idle_seconds=upstream_settings.idle_seconds,
        progress_seconds=upstream_settings.progress_seconds,
        attempts=upstream_settings.attempts,
        total_seconds=upstream_settings.total_seconds,
        max_event_bytes=upstream_settings.max_event_bytes,
        max_output_tokens=settings.limits.output_tokens,
        reasoning=_reasoning_config(settings.reasoning),
    )
    async with open_http(config) as http:
        upstream = Upstream(config, http)
        try:
            yield upstream
        finally:
            await upstream.aclose()


def _reasoning_config(settings: ReasoningSettings) -> ReasoningConfig:
    summary = "" if settings.summary == "off" else settings.summary
    return ReasoningConfig(settings.effort or "", summary)


async def fetch_identity(slack: Slack) -> Identity:
    """The bot's own identity. Raises SettingsError if Slack refuses the token, else StartError."""
    try:
        return await slack.auth_test()
    except SlackRefused as error:
        raise SettingsError(
            [
                f"SLACK_BOT_TOKEN is refused by Slack ({error.code}): copy the bot token (xoxb-…) "
                "again from your app's page, *OAuth & Permissions*; reinstall the app if need be."
            ]
        ) from error
    except SlackError as error:
        raise StartError(
            f"Slack can't be reached at {slack.web.base_url}: check the network, a proxy, "
            "or SLACK_API_URL."
        ) from error


def _store(settings: Settings, database: Database, identity: Identity) -> Store:
    """The turns of this bot's workspace, under a new replica id."""
    return Store(
        database,
        replica=secrets.token_hex(8),
        store_text=settings.storage.store_text,
        team=identity.team_id,
        steady_now=steady_wall_clock(),
        vote_seconds=settings.storage.feedback_retention_days * DAY_SECONDS,
    )


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    """The configured database, migrated. Raises StorageError if it can't be written."""
    async with open_database(settings.storage.database_url.get_secret_value()) as database:
        await database.check_writable()
        await database.migrate()
        yield database
