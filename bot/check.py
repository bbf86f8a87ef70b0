"""`bot check`: looks at everything a running bot needs and says how to mend what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.app import open_slack, open_upstream
from bot.errors import SlackError, SlackRefused, StorageError, UpstreamError
from bot.manifest import bot_scopes
from bot.observe import Metrics
from bot.settings import Settings, missing_upstream_key
from bot.slack import Identity, Slack
from bot.storage.engine.database import open_database


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: what was looked at, whether it is well, what was seen or is to do."""

    what: str
    well: bool
    detail: str


async def run_checks(settings: Settings) -> AsyncIterator[Finding]:
    """Everything, in the order a mend makes sense; later lines do not depend on earlier ones."""
    async with open_slack(settings, Metrics()) as slack:
        identity = None
        if settings.slack.bot_token is None:
            yield Finding(
                "Slack bot token", False, "set SLACK_BOT_TOKEN (xoxb-…) in .env; see deploy/README"
            )
        else:
            finding, identity = await _bot_token(slack)
            yield finding
        if identity is not None:
            yield _scopes(identity)
        yield await _way_in(settings, slack)
    yield await _model(settings)
    yield await _database(settings)


async def _bot_token(slack: Slack) -> tuple[Finding, Identity | None]:
    what = "Slack bot token"
    try:
        identity = await slack.auth_test()
    except SlackRefused as error:
        detail = f"refused ({error.code}): copy SLACK_BOT_TOKEN again from *OAuth & Permissions*"
        return Finding(what, False, detail), None
    except SlackError:
        detail = f"no answer from {slack.web.base_url}: check the network, or SLACK_API_URL"
        return Finding(what, False, detail), None
    return Finding(what, True, f"@{identity.user} in {identity.team}"), identity


def _scopes(identity: Identity) -> Finding:
    what = "Slack scopes"
    if not identity.scopes:
        return Finding(what, True, "Slack did not list them; nothing to compare")
    missing = sorted(bot_scopes() - identity.scopes)
    if missing:
        detail = f"missing {', '.join(missing)}: update the app from `bot manifest` and reinstall"
        return Finding(what, False, detail)
    return Finding(what, True, f"all {len(bot_scopes())} granted")


async def _way_in(settings: Settings, slack: Slack) -> Finding:
    """How events would reach us."""
    token = settings.slack.app_token
    if token is None:
        if settings.slack.signing_secret:
            return Finding("Slack events", True, "over HTTP, at POST /slack/events")
        detail = "set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP"
        return Finding("Slack events", False, detail)
    try:
        await slack.connections_open(token.get_secret_value())
    except SlackRefused as error:
        detail = (
            f"refused ({error.code}): SLACK_APP_TOKEN needs the scope connections:write, "
            "and the app needs Socket Mode switched on"
        )
        return Finding("Slack events", False, detail)
    except SlackError:
        return Finding("Slack events", False, "no answer from Slack: check the network")
    count = settings.slack.socket_connections
    return Finding("Slack events", True, f"by Socket Mode, connections: {count}")


async def _model(settings: Settings) -> Finding:
    what, model = f"Model {settings.upstream.model}", settings.upstream
    if missing := missing_upstream_key(settings):
        return Finding(what, False, missing[0])
    async with open_upstream(settings) as upstream:
        try:
            served = await upstream.endpoints()
            formats = (await upstream.model()).formats or served
        except UpstreamError as error:
            return Finding(what, False, f"{error.sentence} ({model.base_url}: {error})")
    if not formats:
        detail = f"{model.base_url} has neither /responses nor /chat/completions: check the address"
        return Finding(what, False, detail)
    return Finding(what, True, f"at {model.base_url}: {', '.join(formats)}")


async def _database(settings: Settings) -> Finding:
    try:
        async with open_database(settings.storage.database_url.get_secret_value()) as database:
            await database.check_writable()
            return Finding("Database", True, database.display_url)
    except StorageError as error:
        return Finding("Database", False, str(error))
