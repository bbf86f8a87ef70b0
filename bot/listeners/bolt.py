"""Makes Bolt's app: without its environment variables, and with an acknowledgement for everything.

Slack redelivers what is not acknowledged, so payloads without a listener are acknowledged too. A
listener has MAX_ACK_SECONDS to store its question before the payload is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.background import BackgroundTasks
from bot.listeners.admission.refusal_notices import RefusalNotices
from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.own_messages import is_own_write
from bot.listeners.payloads.tenancy import is_for_tenant, user_id_of
from bot.slack import Identity
from bot.words import Language, Phrase, say

log = logging.getLogger(__name__)

MAX_ACK_SECONDS = 2.5
"""After this time Slack gets a listener's acknowledgement, even if the listener is still running.
Slack waits three seconds (docs/slack.md#acknowledgement)."""

_EPHEMERAL = {"response_type": "ephemeral"}


def bolt_app(
    client: AsyncWebClient,
    identity: Identity,
    signing_secret: str | None,
    *,
    language: Language = Language.ENGLISH,
    ack_seconds: float = MAX_ACK_SECONDS,
) -> AsyncApp:
    """Bolt's app for one workspace. The signing secret is needed in HTTP mode only.

    `language` is spoken to people of other workspaces, whose locale our token can't read.
    """
    authorization = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_user_id=identity.user_id,
        bot_id=identity.bot_id,
        bot_token=client.token,
    )

    async def authorize() -> AuthorizeResult:
        return authorization

    with _without_slack_variables():
        app = _BoltApp(
            ack_seconds,
            BotIdentifiers(identity.user_id, identity.bot_id),
            logger=logging.getLogger("slack_bolt"),
            client=client,
            authorize=authorize,
            signing_secret=signing_secret,
            raise_error_for_unhandled_request=True,  # `_acknowledge` handles it
            process_before_response=True,  # else events are acknowledged before their listener
            # It would read threads by itself (docs/slack.md#bolt-middleware).
            attaching_conversation_kwargs_enabled=False,
        )
    app.error(_acknowledge)
    # Runs after Bolt has checked the signature, and before all listeners.
    app.use(_TenantFilter(identity.tenant_ids, language))
    return app


class _BoltApp(AsyncApp):
    """Responds when the listener is done, and with 400 to a payload that makes Bolt raise."""

    def __init__(self, ack_seconds: float, us: BotIdentifiers, **options: Any) -> None:
        super().__init__(**options)
        self._ack_seconds = ack_seconds
        self._us = us
        self._deliveries = BackgroundTasks()

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Run the listener of a payload, and return the response for Slack.

        The listener goes on if the caller is cancelled, or if it has acknowledged and needs longer
        than `ack_seconds`. Events about our own writes are acknowledged at once: there may be as
        many as we edit.
        """
        if is_own_write(req.body, self._us):
            return BoltResponse(status=200)
        delivery = self._deliveries.start(self._handle_delivery(req))
        done, _ = await asyncio.wait({delivery}, timeout=self._ack_seconds)
        early = req.context.ack.response
        return early if not done and early else await asyncio.shield(delivery)

    async def _handle_delivery(self, req: AsyncBoltRequest) -> BoltResponse:
        try:
            response = await super().async_dispatch(req)
        except Exception:  # no payload may stop the bot
            log.warning("Bolt could not process a payload; Slack sends it again", exc_info=True)
            return BoltResponse(status=400)
        return BoltResponse(status=400) if response.status >= 500 else response


class _TenantFilter:
    """Passes on payloads of our workspace and organisation, and acknowledges all others.

    A command from another workspace gets an explanation, once a day for each person. For events and
    presses there is no place in the other workspace that our token can post to.
    """

    def __init__(self, tenant_ids: frozenset[str], language: Language) -> None:
        self._tenant_ids = tenant_ids
        self._refusal = say(language, Phrase.OTHER_WORKSPACE_REFUSED)
        self._refusal_notices = RefusalNotices()

    async def __call__(
        self, body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        if is_for_tenant(body, self._tenant_ids):
            await next_()
            return None
        kind = str(body.get("type") or body.get("command") or "")
        log.info("ignored a payload of another workspace", extra={"kind": kind})
        person = f"{body.get('team_id')}:{user_id_of(body)}"
        if "command" in body and self._refusal_notices.mark_told(person):
            return BoltResponse(status=200, body={"text": self._refusal, **_EPHEMERAL})
        return BoltResponse(status=200)


async def _acknowledge(error: Exception) -> BoltResponse | None:
    if isinstance(error, BoltUnhandledRequestError):
        return BoltResponse(status=200)
    log.error("a listener failed; Slack sends the payload again", exc_info=error)
    return None


@contextmanager
def _without_slack_variables() -> Iterator[None]:
    """Hide SLACK_… variables: Bolt reads tokens and OAuth secrets from them by itself."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith("SLACK_")}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
