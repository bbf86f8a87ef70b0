"""The composition root: settings become a running bot, and end in the reverse order.

Nothing else builds rooms from settings; nothing here decides what they do.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from slack_bolt.async_app import AsyncApp

from bot.access import AccessPolicy
from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.errors import SettingsError, SlackError, SlackRefused, StartError, UpstreamError
from bot.history.conversation import History
from bot.history.names import UserNames
from bot.listeners import register
from bot.listeners.bolt import bolt_app
from bot.listeners.context import ListenerContext
from bot.listeners.socket_mode.pool import SocketConfig, SocketMode
from bot.observe import Metrics
from bot.server import ReadinessCheck, health_routes, make_application, serve, slack_routes
from bot.settings import Settings, require_slack, unencrypted_warnings
from bot.slack import Identity, Slack, http_session
from bot.storage.clock import steady_wall_clock
from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.store import Store
from bot.tools.builtin import builtin_tools
from bot.tools.toolbox import Toolbox
from bot.turn.answer import AnswerRunner
from bot.turn.concurrency import ConcurrencyLimiter
from bot.turn.durability.leases import LeaseManager
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.ephemeral.repost import Reposts
from bot.turn.limits import AnswerLimits
from bot.turn.pseudonyms import Pseudonyms
from bot.turn.revisions import Revisions
from bot.turn.running import RunningTurns
from bot.turn.supervisor import Supervisor
from bot.turn.thread_stop import stop_thread
from bot.upstream.client import Upstream, open_http
from bot.upstream.config import UpstreamConfig
from bot.version import version

log = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600.0  # seconds


async def run(settings: Settings) -> None:
    """Join Slack and answer until SIGTERM or Ctrl-C.

    Raises SettingsError, StartError or StorageError when the bot can't start.
    """
    require_slack(settings)
    signals = _Signals()
    signals.install_handlers()
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        database = await stack.enter_async_context(_open_database(settings))
        slack = await stack.enter_async_context(open_slack(settings, metrics))
        identity = await fetch_identity(slack)
        store = await stack.enter_async_context(_store(settings, database, identity))
        upstream = await stack.enter_async_context(open_upstream(settings))
        keeper = _lease_manager(settings, store, database, metrics)
        ledger = SharedRateSlots(database, replica=store.replica)
        delivery = _delivery(settings, slack, ledger, keeper)
        runner = _answer_runner(settings, slack, identity, delivery, upstream, metrics)
        live = RunningTurns(
            runner.answer, store, keeper, metrics, detach_response=upstream.detach_response
        )
        turns = _supervisor(settings, live, store, keeper, runner)
        await stack.enter_async_context(turns)
        stack.push_async_callback(delivery.aclose)
        stack.push_async_callback(turns.drain, settings.server.grace_seconds, signals.force_exit)
        private = EphemeralAnswers(
            slack,
            delivery,
            get_turn=store.get_turn,
            send_command=store.send_command,
            repost=Reposts(store, live).post,
        )
        slack_app = _slack_app(settings, slack, identity, turns, private, store)
        async with _receiving_events(settings, slack, slack_app, database, metrics):
            for sentence in unencrypted_warnings(settings):
                log.warning(sentence)
            started = {
                "team": identity.team,
                "mode": settings.slack.connection_mode,
                "version": version(),
            }
            log.info("ready", extra=started)
            await _warn_if_upstream_fails(upstream, signals.stop)
            await signals.stop.wait()
            log.info("stopping", extra={"live": turns.running_count})


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
    """The configured model's server."""
    wanted = settings.upstream
    config = UpstreamConfig(
        base_url=wanted.base_url,
        api_key=wanted.api_key.get_secret_value() if wanted.api_key else "",
        model=wanted.model,
        api=wanted.api,
        # A response that can be resumed is one that its server keeps.
        background=wanted.background if settings.storage.store_text else "off",
        idle_seconds=wanted.idle_seconds,
        progress_seconds=wanted.progress_seconds,
        attempts=wanted.attempts,
        total_seconds=wanted.total_seconds,
        max_event_bytes=wanted.max_event_bytes,
        max_output_tokens=settings.limits.output_tokens,
    )
    async with open_http(config) as http:
        upstream = Upstream(config, http)
        try:
            yield upstream
        finally:
            await upstream.aclose()


async def fetch_identity(slack: Slack) -> Identity:
    """The bot's own identity. Raises SettingsError for a wrong token, StartError otherwise."""
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
    """This process's turns: those of its own workspace, whoever else uses the database."""
    return Store(
        database,
        replica=secrets.token_hex(8),
        store_text=settings.storage.store_text,
        team=identity.team_id,
        steady_now=steady_wall_clock(),
    )


def _lease_manager(
    settings: Settings, store: Store, database: Database, metrics: Metrics
) -> LeaseManager:
    shared = not database.display_url.startswith("sqlite")
    return LeaseManager(
        store, metrics, lease_seconds=settings.storage.lease_seconds, database_is_shared=shared
    )


def _delivery(
    settings: Settings, slack: Slack, rate_slots: SharedRateSlots, lease_manager: LeaseManager
) -> Delivery:
    config = DeliveryConfig(
        edits_per_minute=settings.delivery.edits_per_minute,
        delivery=settings.delivery.delivery,
    )
    return Delivery(slack, config, rate_slots=rate_slots, count_replicas=lease_manager.count_alive)


def _supervisor(
    settings: Settings,
    running: RunningTurns,
    store: Store,
    lease_manager: LeaseManager,
    runner: AnswerRunner,
) -> Supervisor:
    return Supervisor(
        running,
        store,
        lease_manager,
        tell_unavailable=runner.tell_unavailable,
        deliver_command=runner.delivery.ephemeral.deliver_command,
        quiesce_delivery=runner.delivery.aclose,
        reread_question=runner.history.current_question,
        retention_seconds=settings.storage.retention_days * DAY_SECONDS,
    )


def _answer_runner(
    settings: Settings,
    slack: Slack,
    identity: Identity,
    delivery: Delivery,
    upstream: Upstream,
    metrics: Metrics,
) -> AnswerRunner:
    """Everything between a question and its answer."""
    history = History(
        slack,
        UserNames(slack),
        bot_user=identity.user_id,
        max_tokens=settings.upstream.history_tokens,
        home_ids=identity.tenant_ids,
        dm_hours=settings.upstream.dm_memory_hours,
    )
    seats = ConcurrencyLimiter(settings.delivery.max_live_answers)
    metrics.waiting_questions.set_function(lambda: seats.waiting_count)
    return AnswerRunner(
        upstream=upstream,
        delivery=delivery,
        history=history,
        concurrency=seats,
        metrics=metrics,
        toolbox=Toolbox(builtin_tools(settings.tools.names, slack=slack)),
        instructions=settings.upstream.instructions,
        hosted_tools=settings.tools.hosted,
        max_tool_rounds=settings.tools.rounds,
        pseudonyms=Pseudonyms(_pseudonym_secret(settings)),
        limits=answer_limits(settings),
    )


def answer_limits(settings: Settings) -> AnswerLimits:
    """What one answer may cost at most."""
    limits = settings.limits
    return AnswerLimits(
        seconds=limits.seconds,
        characters=limits.characters,
        tool_calls=limits.tool_calls,
        tool_characters=limits.tool_characters,
        events=limits.events,
    )


def _pseudonym_secret(settings: Settings) -> str:
    """What keyed hashes are derived from: the same for every replica and after every start."""
    token = settings.slack.bot_token
    return token.get_secret_value() if token else ""


def _slack_app(
    settings: Settings,
    slack: Slack,
    identity: Identity,
    supervisor: Supervisor,
    ephemeral_answers: EphemeralAnswers,
    store: Store,
) -> AsyncApp:
    secret = settings.slack.signing_secret
    app = bolt_app(slack.web, identity, secret.get_secret_value() if secret else None)
    access = AccessPolicy(identity.tenant_ids, settings.slack.allow_external_users)
    revisions = Revisions(store, supervisor)
    hearing = ListenerContext(
        slack,
        identity,
        access,
        settings.slack.slash_command,
        submit=supervisor.submit,
        stop=supervisor.stop,
        retry=supervisor.retry,
        ephemeral_answers=ephemeral_answers,
        stop_thread=lambda place, user: stop_thread(store, supervisor.stop, place, user),
        on_message_deleted=revisions.on_message_deleted,
        next_turn_id=revisions.next_turn_id,
        ask_edited=revisions.ask_edited,
        answer_bots=frozenset(settings.slack.answer_bots),
    )
    register(app, hearing)
    return app


@asynccontextmanager
async def _receiving_events(
    settings: Settings, slack: Slack, slack_app: AsyncApp, database: Database, metrics: Metrics
) -> AsyncIterator[None]:
    """Health, metrics and Slack's events, until the block ends: then nothing new is heard."""
    checks: dict[str, ReadinessCheck] = {"database": database.is_ready}
    async with AsyncExitStack() as stack:
        over_http = settings.slack.connection_mode == "http"
        await stack.enter_async_context(
            _serving_ports(settings, metrics, checks, slack_app if over_http else None)
        )
        if not over_http:
            config = SocketConfig(
                await _app_token(settings, slack), settings.slack.socket_connections
            )
            socket = await stack.enter_async_context(SocketMode(slack_app, slack, config, metrics))
            checks["slack"] = socket.is_connected
        yield


@asynccontextmanager
async def _serving_ports(
    settings: Settings,
    metrics: Metrics,
    checks: dict[str, ReadinessCheck],
    slack_app: AsyncApp | None,
) -> AsyncIterator[None]:
    """Our ports: one, or one for Slack and one for whoever watches over us."""
    health = health_routes(metrics, checks)
    secret = settings.slack.signing_secret
    events = slack_routes(slack_app, secret.get_secret_value()) if slack_app and secret else []
    host, port, own = settings.server.host, settings.server.port, settings.server.metrics_port
    ports = [("PORT", port, [*health, *events])]
    if own is not None:
        ports = [("METRICS_PORT", own, health)] + ([("PORT", port, events)] if events else [])
    async with AsyncExitStack() as stack:
        for variable, wanted, routes in ports:
            server = serve(make_application(*routes), host, wanted, variable=variable)
            given = await stack.enter_async_context(server)
            log.info("listening", extra={"host": host, "port": given, "variable": variable})
        yield


async def _app_token(settings: Settings, slack: Slack) -> str:
    """The app-level token, once Slack has said that it opens connections."""
    token = settings.slack.app_token
    app_token = token.get_secret_value() if token else ""
    try:
        await slack.connections_open(app_token)
    except SlackRefused as error:
        raise SettingsError(
            [
                f"SLACK_APP_TOKEN is refused by Slack ({error.code}): make an app-level token "
                "(xapp-…) with the scope connections:write on your app's page, *Basic Information*."
            ]
        ) from error
    except SlackError as error:
        log.warning("Socket Mode can't be opened yet: %s", error)
    return app_token


async def _warn_if_upstream_fails(upstream: Upstream, stop: asyncio.Event) -> None:
    """One warning at start; questions are answered, or refused with a sentence, all the same."""
    asking = asyncio.create_task(upstream.fetch_model())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    asking.cancel()
    stopping.cancel()
    results = await asyncio.gather(asking, stopping, return_exceptions=True)
    if isinstance(results[0], UpstreamError):
        log.warning("%s (%s)", results[0].user_message, results[0].log_summary)
        log.debug("the upstream said: %s", results[0])


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    """The configured database, writable, with all its tables."""
    async with open_database(settings.storage.database_url.get_secret_value()) as database:
        await database.check_writable()
        await database.migrate()
        yield database


@dataclass(frozen=True, slots=True)
class _Signals:
    """SIGTERM and Ctrl-C: the first asks to end, the second not to wait for live answers."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    force_exit: asyncio.Event = field(default_factory=asyncio.Event)

    def install_handlers(self) -> None:
        """Hear the process's signals from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.force_exit if self.stop.is_set() else self.stop).set()
