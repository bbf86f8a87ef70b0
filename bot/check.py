"""`bot check`: checks everything that a running bot needs, and says how to fix what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.app.connections import open_slack, open_upstream
from bot.errors import SlackError, SlackRefused, StorageError, UpstreamError
from bot.manifest import bot_scopes
from bot.observe import Metrics
from bot.settings import Settings, missing_key_problems
from bot.slack import Identity, Slack
from bot.storage.engine.database import open_database
from bot.words import Language, say


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the output. `detail` says what was found, or what to do if it did not pass."""

    subject: str
    passed: bool
    detail: str


async def run_checks(settings: Settings) -> AsyncIterator[CheckResult]:
    """Run all checks, in the order in which problems should be fixed.

    A check also runs if earlier ones failed; only scopes need a valid bot token.
    """
    async with open_slack(settings, Metrics()) as slack:
        identity = None
        if settings.slack.bot_token is None:
            yield CheckResult(
                "Slack bot token", False, "set SLACK_BOT_TOKEN (xoxb-…) in .env; see deploy/README"
            )
        else:
            result, identity = await _check_bot_token(slack)
            yield result
        if identity is not None:
            yield _check_scopes(identity)
        yield await _check_event_delivery(settings, slack)
    yield await _check_model(settings)
    yield await _check_database(settings)


async def _check_bot_token(slack: Slack) -> tuple[CheckResult, Identity | None]:
    subject = "Slack bot token"
    try:
        identity = await slack.auth_test()
    except SlackRefused as error:
        detail = f"refused ({error.code}): copy SLACK_BOT_TOKEN again from *OAuth & Permissions*"
        return CheckResult(subject, False, detail), None
    except SlackError:
        detail = f"no answer from {slack.web.base_url}: check the network, or SLACK_API_URL"
        return CheckResult(subject, False, detail), None
    return CheckResult(subject, True, f"@{identity.user} in {identity.team}"), identity


def _check_scopes(identity: Identity) -> CheckResult:
    subject = "Slack scopes"
    if not identity.scopes:
        return CheckResult(subject, True, "Slack did not list them; nothing to compare")
    missing = sorted(bot_scopes() - identity.scopes)
    if missing:
        detail = f"missing {', '.join(missing)}: update the app from `bot manifest` and reinstall"
        return CheckResult(subject, False, detail)
    return CheckResult(subject, True, f"all {len(bot_scopes())} granted")


async def _check_event_delivery(settings: Settings, slack: Slack) -> CheckResult:
    """Check the setting for HTTP mode, or open a Socket Mode connection."""
    subject, token = "Slack events", settings.slack.app_token
    if token is None:
        if settings.slack.signing_secret:
            return CheckResult(subject, True, "over HTTP, at POST /slack/events")
        detail = "set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP"
        return CheckResult(subject, False, detail)
    try:
        await slack.connections_open(token.get_secret_value())
    except SlackRefused as error:
        detail = (
            f"refused ({error.code}): SLACK_APP_TOKEN needs the scope connections:write, "
            "and the app needs Socket Mode switched on"
        )
        return CheckResult(subject, False, detail)
    except SlackError:
        return CheckResult(subject, False, "no answer from Slack: check the network")
    count = settings.slack.socket_connections
    return CheckResult(subject, True, f"by Socket Mode, connections: {count}")


async def _check_model(settings: Settings) -> CheckResult:
    subject, model = f"Model {settings.upstream.model}", settings.upstream
    if missing := missing_key_problems(settings):
        return CheckResult(subject, False, missing[0])
    async with open_upstream(settings) as upstream:
        try:
            served = await upstream.probe_endpoints()
            formats = (await upstream.fetch_model()).formats or served
        except UpstreamError as error:
            said = say(Language.ENGLISH, error.user_message)
            return CheckResult(subject, False, f"{said} ({model.base_url}: {error})")
    if not formats:
        detail = f"{model.base_url} has neither /responses nor /chat/completions: check the address"
        return CheckResult(subject, False, detail)
    return CheckResult(subject, True, f"at {model.base_url}: {', '.join(formats)}")


async def _check_database(settings: Settings) -> CheckResult:
    try:
        async with open_database(settings.storage.database_url.get_secret_value()) as database:
            await database.check_writable()
            return CheckResult("Database", True, database.display_url)
    except StorageError as error:
        return CheckResult("Database", False, str(error))
