"""The composition root: builds the bot from its settings, runs it, and shuts it down.

Only this package and `check` turn settings into objects; it makes no other decision.

connections.py         opens the database, Slack and the model's server
event_loop.py          chooses the event loop: uvloop where it is installed
garbage_collection.py  keeps full garbage collections short
languages.py           chooses the language of the bot's own words
loop_lag.py            measures how late the event loop runs timers
receiving.py           receives Slack's events, serves health and metrics
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from slack_bolt.async_app import AsyncApp

from bot.access import AccessPolicy
from bot.app.connections import DAY_SECONDS, Connections, open_connections
from bot.app.garbage_collection import freeze_startup_objects
from bot.app.languages import default_language, open_languages
from bot.app.loop_lag import measuring_loop_lag
from bot.app.receiving import receiving_events
from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.errors import UpstreamError
from bot.files.reader import FileLimits, FileReader
from bot.history.conversation import History
from bot.history.fitting.token_limit import DEFAULT_BYTES_PER_TOKEN
from bot.history.names import UserNames
from bot.history.summaries.summariser import SummaryServices, summary_upstream
from bot.listeners import register
from bot.listeners.admission.follow_up_gate import FollowUpRules
from bot.listeners.admission.follow_ups import FollowUps
from bot.listeners.admission.languages import LanguageOf
from bot.listeners.bolt import bolt_app
from bot.listeners.context import ListenerContext
from bot.settings import Settings, require_slack, unencrypted_warnings
from bot.storage.channel_settings import ChannelSettings
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import Claim
from bot.storage.thread_activity import Threads
from bot.storage.votes import VoteStore
from bot.tools.builtin import builtin_tools
from bot.tools.toolbox import Toolbox
from bot.turn.answering.answer import AnswerRunner
from bot.turn.answering.concurrency import ConcurrencyLimiter
from bot.turn.answering.pseudonyms import Pseudonyms
from bot.turn.durability.leases import LeaseManager
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.ephemeral.repost import Reposts
from bot.turn.feedback import Feedback
from bot.turn.regenerate import Regeneration
from bot.turn.revisions import Revisions
from bot.turn.running import RunningTurns
from bot.turn.state.limits import AnswerLimits
from bot.turn.supervisor import Supervisor
from bot.turn.thread_stop import stop_thread
from bot.upstream.client import Upstream
from bot.values import Draft, Phase, Question
from bot.version import version
from bot.words import Language, say

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Connect to Slack and answer questions until SIGTERM or Ctrl-C.

    Raises SettingsError, StartError or StorageError if the bot can't start.
    """
    require_slack(settings)
    signals = _Signals()
    signals.install_handlers()
    # After SIGTERM these blocks end from the last to the first:
    # 1. receiving_events: no new question is taken; the ports and Slack's connections are closed.
    # 2. _answering, see there: running answers end or are handed over, and writes to Slack end.
    # 3. open_connections: the model's server, the store with its process lock, Slack, the database.
    async with (
        open_connections(settings) as connections,
        measuring_loop_lag(connections.metrics),
        _answering(settings, connections, signals) as turns,
        open_languages(settings, connections.slack) as language_of,
    ):
        supervisor = turns.supervisor
        slack_app = _slack_app(settings, connections, turns, language_of)
        async with receiving_events(settings, connections, slack_app):
            freeze_startup_objects()
            for warning in unencrypted_warnings(settings):
                log.warning(warning)
            started = {
                "team": connections.identity.team,
                "mode": settings.slack.connection_mode,
                "version": version(),
            }
            log.info("ready", extra=started)
            await _warn_if_upstream_fails(connections.upstream, signals.stop)
            await signals.stop.wait()
            log.info("stopping", extra={"live": supervisor.running_count})


@dataclass(frozen=True, slots=True)
class _Turns:
    """What starts, stops and passes on answers."""

    supervisor: Supervisor
    ephemeral_answers: EphemeralAnswers
    regeneration: Regeneration


@asynccontextmanager
async def _answering(
    settings: Settings, connections: Connections, signals: _Signals
) -> AsyncIterator[_Turns]:
    """Answer questions, take over those of dead replicas, and stop in order at the end:

    1. `drain`: running answers go on for GRACE_SECONDS, or until a second signal. For those left,
       delivery first finishes its writes, so that the journal says what Slack shows; then they are
       released, and another process goes on with them.
    2. `History.aclose`: summaries that are being made are dropped, and made after a later answer.
    3. `Delivery.aclose`: after a drain that released nothing, writes may still be under way.
    4. The supervisor ends its loops, flushes the journal and unregisters this replica.
    """
    store = connections.store
    lease_manager = _lease_manager(settings, connections)
    delivery = _delivery(settings, connections, lease_manager)
    history = _history(settings, connections)
    running = RunningTurns(
        _answer_runner(settings, connections, delivery, history).answer,
        store,
        lease_manager,
        connections.metrics,
        detach_response=connections.upstream.detach_response,
    )
    supervisor = Supervisor(
        running,
        store,
        lease_manager,
        delivery=delivery,
        history=history,
        retention_seconds=settings.storage.retention_days * DAY_SECONDS,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(supervisor)
        stack.push_async_callback(delivery.aclose)
        stack.push_async_callback(history.aclose)
        stack.push_async_callback(
            supervisor.drain, settings.server.grace_seconds, signals.force_exit
        )
        regeneration = Regeneration(store, running, history)
        private = _ephemeral_answers(connections, delivery, running)
        yield _Turns(supervisor, private, regeneration)


def _ephemeral_answers(
    connections: Connections, delivery: Delivery, running: RunningTurns
) -> EphemeralAnswers:
    store = connections.store
    return EphemeralAnswers(
        connections.slack,
        delivery,
        get_turn=store.get_turn,
        send_command=store.send_command,
        repost=Reposts(store, running).post,
    )


def _feedback(settings: Settings, connections: Connections) -> Feedback:
    store_text = settings.storage.store_text
    votes = VoteStore(
        connections.database, team=connections.identity.team_id, store_text=store_text
    )
    return Feedback(votes.record_vote, connections.metrics, asks_words=store_text)


def _lease_manager(settings: Settings, connections: Connections) -> LeaseManager:
    return LeaseManager(
        connections.store,
        connections.metrics,
        lease_seconds=settings.storage.lease_seconds,
        database_is_shared=not connections.database.display_url.startswith("sqlite"),
    )


def _delivery(
    settings: Settings, connections: Connections, lease_manager: LeaseManager
) -> Delivery:
    config = DeliveryConfig(
        edits_per_minute=settings.delivery.edits_per_minute,
        reading_bytes_per_second=settings.delivery.reading_speed,
        delivery=settings.delivery.delivery,
        feedback=settings.delivery.feedback,
    )
    rate_slots = SharedRateSlots(connections.database, replica=connections.store.replica)
    delivery = Delivery(
        connections.slack,
        config,
        rate_slots=rate_slots,
        count_replicas=lease_manager.count_alive,
    )
    connections.slack.limit_reads(delivery.read_limit(connections.identity.team_id))
    return delivery


def _history(settings: Settings, connections: Connections) -> History:
    slack, identity = connections.slack, connections.identity
    return History(
        slack,
        UserNames(slack),
        bot_user=identity.user_id,
        max_tokens=settings.upstream.history_tokens,
        home_ids=identity.tenant_ids,
        dm_hours=settings.upstream.dm_memory_hours,
        summaries=SummaryServices(
            connections.summaries,
            summary_upstream(connections.upstream, settings.upstream.summary_model),
            connections.metrics,
        ),
        find_turns=connections.store.find_existing,
    )


def _answer_runner(
    settings: Settings, connections: Connections, delivery: Delivery, history: History
) -> AnswerRunner:
    metrics = connections.metrics
    concurrency = ConcurrencyLimiter(settings.delivery.max_live_answers)
    metrics.waiting_questions.set_function(lambda: concurrency.waiting_count)
    return AnswerRunner(
        upstream=connections.upstream,
        delivery=delivery,
        history=history,
        concurrency=concurrency,
        metrics=metrics,
        toolbox=Toolbox(builtin_tools(settings.tools.names, slack=connections.slack)),
        instructions=settings.upstream.instructions,
        hosted_tools=settings.tools.hosted,
        max_tool_rounds=settings.tools.rounds,
        pseudonyms=Pseudonyms(_pseudonym_secret(settings)),
        limits=answer_limits(settings),
        show_reasoning=settings.reasoning.summary != "off",
        notify_after_seconds=settings.delivery.notify_after_seconds,
        files=_file_reader(settings, connections),
    )


def _file_reader(settings: Settings, connections: Connections) -> FileReader | None:
    """What reads files; None if FILE_MAX_MB=0."""
    megabytes = settings.files.max_megabytes
    if not megabytes:
        return None
    text_bytes = int(settings.files.text_tokens * DEFAULT_BYTES_PER_TOKEN)
    limits = FileLimits(megabytes * 2**20, text_bytes)
    return FileReader(connections.slack, limits, connections.metrics)


def answer_limits(settings: Settings) -> AnswerLimits:
    """The configured limits of one answer."""
    limits = settings.limits
    return AnswerLimits(
        seconds=limits.seconds,
        characters=limits.characters,
        tool_calls=limits.tool_calls,
        tool_characters=limits.tool_characters,
        events=limits.events,
    )


def _pseudonym_secret(settings: Settings) -> str:
    """The secret of pseudonyms: the bot token, which all replicas share and a restart keeps."""
    token = settings.slack.bot_token
    return token.get_secret_value() if token else ""


def _slack_app(
    settings: Settings,
    connections: Connections,
    turns: _Turns,
    language_of: LanguageOf,
) -> AsyncApp:
    """Bolt's app with all listeners."""
    supervisor = turns.supervisor
    slack, identity, store = connections.slack, connections.identity, connections.store
    secret = settings.slack.signing_secret
    app = bolt_app(
        slack.web,
        identity,
        secret.get_secret_value() if secret else None,
        language=default_language(settings),
    )
    access = AccessPolicy(identity.tenant_ids, settings.slack.allow_external_users)
    revisions = Revisions(store, supervisor)
    context = ListenerContext(
        slack,
        identity,
        access,
        settings.slack.slash_command,
        submit=supervisor.submit,
        stop=supervisor.stop,
        retry=supervisor.retry,
        ephemeral_answers=turns.ephemeral_answers,
        feedback=_feedback(settings, connections),
        regenerate=turns.regeneration.start,
        show_version=turns.regeneration.show_version,
        stop_thread=lambda place, user: stop_thread(store, supervisor.stop, place, user),
        on_message_deleted=revisions.on_message_deleted,
        on_message_changed=connections.summaries.message_changed,
        next_turn_id=revisions.next_turn_id,
        ask_edited=revisions.ask_edited,
        answer_bots=frozenset(settings.slack.answer_bots),
        follow_ups=_follow_ups(settings, connections),
        language_of=language_of,
    )
    register(app, context)
    return app


def _follow_ups(settings: Settings, connections: Connections) -> FollowUps | None:
    """Which messages without a mention are answered; None if FOLLOW_UPS=off."""
    default, team, store = (
        settings.slack.follow_ups,
        connections.identity.team_id,
        connections.store,
    )
    if default == "off":
        return None

    async def claim(question: Question) -> bool:
        return await store.claim(question, None, Draft(Phase.DONE)) is Claim.CLAIMED

    return FollowUps(
        ChannelSettings(connections.database, team),
        Threads(connections.database, team),
        FollowUpRules(default, settings.slack.follow_up_hours),
        connections.metrics,
        claim,
    )


async def _warn_if_upstream_fails(upstream: Upstream, stop: asyncio.Event) -> None:
    """Ask the model's server for the model once at start, until `stop`, and log what is wrong."""
    asking = asyncio.create_task(upstream.fetch_model())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    asking.cancel()
    stopping.cancel()
    results = await asyncio.gather(asking, stopping, return_exceptions=True)
    if isinstance(results[0], UpstreamError):
        log.warning(
            "%s (%s)", say(Language.ENGLISH, results[0].user_message), results[0].log_summary
        )
        log.debug("the model's server said: %s", results[0])


@dataclass(frozen=True, slots=True)
class _Signals:
    """SIGTERM and Ctrl-C: the first sets `stop`, the second `force_exit`, which ends the grace."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    force_exit: asyncio.Event = field(default_factory=asyncio.Event)

    def install_handlers(self) -> None:
        """Replace the process's handlers of both signals."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.force_exit if self.stop.is_set() else self.stop).set()
